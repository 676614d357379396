/*
 * The x86 side of the accelerator mshv, for QEMU's own x86 code.
 *
 * Call these only if mshv_enabled().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_X86_H
#define MSHV_X86_H

#include "target/i386/cpu-qom.h"

/*
 * What a guest can be given of CPUID leaf @leaf, sub-leaf @subleaf, register
 * @reg (R_EAX, R_EBX, R_ECX or R_EDX): feature bits that a partition cannot
 * have are clear.  Works before there is a partition.
 */
uint32_t mshv_x86_supported_cpuid(uint32_t leaf, uint32_t subleaf, int reg);

/* hv-passthrough: @cpu then has all hv-* properties that can be had. */
void mshv_x86_expand_hyperv(X86CPU *cpu);

/* What a reset of @cpu sets besides what QEMU sets by itself. */
void mshv_x86_reset_cpu(X86CPU *cpu);

/* Whether machines can have system management mode. */
bool mshv_x86_has_smm(void);

/* The class of the local APIC, whose hardware is the hypervisor's. */
#define TYPE_MSHV_APIC "mshv-apic"

/* The interrupt output of the PIC changes; @level is its new level. */
void mshv_x86_pic_output(bool level);

#endif
