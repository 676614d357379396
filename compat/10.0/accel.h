/*
 * What an accelerator is to QEMU 10.0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_COMPAT_ACCEL_H
#define MSHV_COMPAT_ACCEL_H

#include "qemu/accel.h"
#include "system/accel-ops.h"
#include "system/cpus.h"

typedef void MshvClassData;

/* The hooks of AccelClass whose arguments are not those of other series */
int mshv_accel_init_machine(AccelState *accel, MachineState *ms);
void mshv_accel_setup_post(AccelState *accel);
int mshv_accel_sstep_flags(AccelState *accel);
void mshv_accel_pre_resume(bool step_pending);
/* When the machine is about to be made */
void mshv_accel_start(void);

static inline int mshv_hook_init_machine(MachineState *ms)
{
    return mshv_accel_init_machine(current_accel(), ms);
}

static inline void mshv_hook_setup_post(MachineState *ms, AccelState *accel)
{
    mshv_accel_setup_post(accel);
}

static inline int mshv_hook_sstep_flags(void)
{
    return mshv_accel_sstep_flags(current_accel());
}

static inline void mshv_set_hooks(AccelClass *ac)
{
    ac->init_machine = mshv_hook_init_machine;
    ac->setup_post = mshv_hook_setup_post;
    ac->gdbstub_supported_sstep_flags = mshv_hook_sstep_flags;
}

static inline void mshv_hook_start(AccelOpsClass *ops)
{
    mshv_accel_start();
}

static inline void mshv_set_ops_hooks(AccelOpsClass *ops)
{
    ops->ops_init = mshv_hook_start;
    ops->synchronize_pre_resume = mshv_accel_pre_resume;
}

/* What others want of @cpu is done here, and it waits while it may not run. */
static inline void mshv_process_cpu_events(CPUState *cpu)
{
    qemu_wait_io_event(cpu);
}

#endif
