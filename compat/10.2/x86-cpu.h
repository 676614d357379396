/*
 * The class of x86 CPUs, in QEMU 10.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_COMPAT_X86_CPU_H
#define MSHV_COMPAT_X86_CPU_H

#include "cpu.h"
#include "host-cpu.h"

/* Whether @cpu's model has all that there can be, as -cpu host and max do. */
static inline bool mshv_cpu_has_all_features(const X86CPU *cpu)
{
    return X86_CPU_GET_CLASS(cpu)->max_features;
}

/* What such a model takes from the host beside features */
static inline void mshv_cpu_take_identity(X86CPU *cpu)
{
    /* host_cpu_instance_init() has done it. */
}

#endif
