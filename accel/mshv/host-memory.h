/*
 * Guest memory as the host has it: what of it the kernel can be given, and who
 * decided where the guest sees it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_HOST_MEMORY_H
#define ACCEL_MSHV_HOST_MEMORY_H

#include "mshv-compat/memory.h"

void mshv_host_memory_init(void);

/*
 * Where the kernel shall take the pages of the RAM @mr from: where QEMU has
 * them, but for files that QEMU has mapped read-only. Up to 7.3 the kernel
 * brings in every page for writing, which such a mapping refuses, with a
 * warning in the host's log (mshv_region_range_fault in mshv_regions.c). So it
 * gets a private mapping of the same file: a copy of what the guest touches.
 * Returns 0, or -errno with @errp set.
 */
int mshv_host_memory_address(MemoryRegion *mr, uint64_t *hva, Error **errp);

/*
 * Whether @mr is where the guest wants it, as a BAR is; so it may be where it
 * cannot be mapped, and nobody but the guest suffers.
 */
bool mshv_host_memory_is_movable(MemoryRegion *mr);

#endif
