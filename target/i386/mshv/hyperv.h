/*
 * What the guest is told of the hypervisor: hv-* properties of -cpu.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MSHV_HYPERV_H
#define TARGET_I386_MSHV_HYPERV_H

#include "cpu.h"

/*
 * Before the partition is initialised: give it the features that the CPUs of
 * the command line ask for.
 */
int mshv_hyperv_init(Error **errp);

/* All CPUs must be told the same. */
bool mshv_hyperv_check(X86CPU *cpu, Error **errp);

/* The hypervisor's leaves that @cpu sees otherwise than it shows them */
#define MSHV_HYPERV_FIRST   0x40000000u
#define MSHV_HYPERV_LAST    0x40000004u

/* Bits of a leaf that are not the hypervisor's, and their values. */
typedef struct MshvHypervLeaf {
    uint32_t value[4], mask[4]; /* EAX, EBX, ECX, EDX */
} MshvHypervLeaf;

MshvHypervLeaf mshv_hyperv_leaf(const X86CPU *cpu, uint32_t leaf);

static inline bool mshv_hyperv_has(const MshvHypervLeaf *l)
{
    return l->mask[0] | l->mask[1] | l->mask[2] | l->mask[3];
}

#endif
