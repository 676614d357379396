/*
 * vCPU threads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_VCPU_H
#define ACCEL_MSHV_VCPU_H

#include "hw/core/cpu.h"

/* AccelClass.cpu_common_realize and unrealize: a CPU gets its VP. */
bool mshv_cpu_realize(CPUState *cpu, Error **errp);
void mshv_cpu_unrealize(CPUState *cpu);

/* Set up the signal that kicks vCPUs, before the first one is created. */
void mshv_vcpu_init_signal(void);

/* Stop the VM for an error that nobody else can be told; frees @err. */
void mshv_vcpu_stop_vm(CPUState *cpu, Error *err, const char *what);

#endif
