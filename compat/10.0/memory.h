/*
 * Guest memory, as QEMU 10.0 names its headers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_COMPAT_MEMORY_H
#define MSHV_COMPAT_MEMORY_H

#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "exec/ramblock.h"

static inline void physical_memory_set_dirty_lebitmap(unsigned long *bitmap,
                                                      ram_addr_t start,
                                                      ram_addr_t pages)
{
    cpu_physical_memory_set_dirty_lebitmap(bitmap, start, pages);
}

/* Whether the device takes accesses without the big lock: none does. */
static inline bool mshv_region_lockless(const MemoryRegion *mr)
{
    return false;
}

#endif
