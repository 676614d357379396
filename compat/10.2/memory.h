/*
 * Guest memory, as QEMU 10.2 names its headers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_COMPAT_MEMORY_H
#define MSHV_COMPAT_MEMORY_H

#include "system/address-spaces.h"
#include "system/memory.h"
#include "system/physmem.h"
#include "system/ram_addr.h"
#include "system/ramblock.h"

/* Whether the device takes accesses without the big lock. */
static inline bool mshv_region_lockless(const MemoryRegion *mr)
{
    return mr->lockless_io;
}

#endif
