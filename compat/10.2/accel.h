/*
 * What an accelerator is to QEMU 10.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_COMPAT_ACCEL_H
#define MSHV_COMPAT_ACCEL_H

#include "accel/accel-cpu-ops.h"
#include "accel/accel-ops.h"
#include "hw/core/cpu.h"
#include "qemu/accel.h"
#include "system/cpus.h"

typedef const void MshvClassData;

/* The hooks of AccelClass whose arguments are not those of other series */
int mshv_accel_init_machine(AccelState *accel, MachineState *ms);
void mshv_accel_setup_post(AccelState *accel);
int mshv_accel_sstep_flags(AccelState *accel);
void mshv_accel_pre_resume(bool step_pending);
/* When the machine is about to be made */
void mshv_accel_start(void);

static inline void mshv_hook_pre_resume(AccelState *accel, bool step_pending)
{
    mshv_accel_pre_resume(step_pending);
}

static inline void mshv_set_hooks(AccelClass *ac)
{
    ac->pre_resume_vm = mshv_hook_pre_resume;
    ac->init_machine = mshv_accel_init_machine;
    ac->setup_post = mshv_accel_setup_post;
    ac->gdbstub_supported_sstep_flags = mshv_accel_sstep_flags;
}

static inline void mshv_hook_start(AccelClass *ac)
{
    mshv_accel_start();
}

/* The others are AccelClass's. */
static inline void mshv_set_ops_hooks(AccelOpsClass *ops)
{
    ops->ops_init = mshv_hook_start;
    ops->handle_interrupt = generic_handle_interrupt;
}

/* What others want of @cpu is done here, and it waits while it may not run. */
static inline void mshv_process_cpu_events(CPUState *cpu)
{
    qemu_process_cpu_events(cpu);
}

#endif
