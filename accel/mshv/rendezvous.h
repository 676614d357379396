/*
 * A rendezvous of VPs that see hidden memory (hidden.h). While any VP is
 * inside, those outside do not run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_RENDEZVOUS_H
#define ACCEL_MSHV_RENDEZVOUS_H

#include "qemu/atomic.h"
#include "vp.h"

/* Changes only while no VP runs that is outside. */
extern bool mshv_rendezvous_open;

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
    return unlikely(qatomic_read(&mshv_rendezvous_open)) &&
           !cpu->accel->inside;
}

/* Wait until @cpu may run, or has something else to do. With the BQL. */
void mshv_rendezvous_wait(CPUState *cpu);

#endif
