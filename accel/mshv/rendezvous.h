/*
 * A rendezvous of VPs that see hidden memory (hidden.h). While any VP is
 * inside, those outside do not run; if that lasts, they get turns, in which the
 * memory is hidden and those inside do not run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_RENDEZVOUS_H
#define ACCEL_MSHV_RENDEZVOUS_H

#include "qemu/atomic.h"
#include "vp.h"

/* Who runs. It changes only while nobody runs that may not afterwards. */
extern MshvTurn mshv_rendezvous_turn;

/* Before the first CPU may go inside. */
void mshv_rendezvous_init(void);

/*
 * @cpu is inside from now on, or outside. With the BQL, while no VP runs: in
 * exclusive work (async_safe_run_on_cpu()), or while the VM is stopped. To
 * leave, it is enough that @cpu itself does not run.
 *
 * If the last one cannot leave because memory stays mapped, it is outside, and
 * nobody runs until it has been unmapped: each start of the VM tries again.
 */
int mshv_rendezvous_set(CPUState *cpu, bool inside, Error **errp);

/*
 * Whether @cpu may not run now. Between cpu_exec_start() and cpu_exec_end() the
 * answer stays the same.
 */
static inline bool mshv_rendezvous_bars(CPUState *cpu)
{
    MshvTurn turn = qatomic_read(&mshv_rendezvous_turn);

    return unlikely(turn != MSHV_TURN_ALL) &&
           cpu->accel->inside != (turn == MSHV_TURN_INSIDE);
}

/* Wait until @cpu may run, or has something else to do. With the BQL. */
void mshv_rendezvous_wait(CPUState *cpu);

#endif
