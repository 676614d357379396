/*
 * Guest memory: what QEMU's address space holds, mapped in the partition.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_MEMORY_H
#define ACCEL_MSHV_MEMORY_H

#include "exec/hwaddr.h"
#include "hw/core/cpu.h"
#include "vp.h"

/* Follow the address space from now on. 0 or -errno. */
int mshv_memory_init(Error **errp);

/* Changes with each change of what is mapped; odd while one is under way. */
extern uint32_t mshv_memory_version;

/* Whether @gpa is mapped, for writing if @write. Without the BQL. */
bool mshv_memory_is_mapped(hwaddr gpa, bool write);

/*
 * For an exit by memory at @gpa; without the BQL. Whether it is mapped by now,
 * because a change of the address space was under way when @cpu ran: then run
 * the instruction again. Cheap if there was none.
 */
static inline bool mshv_memory_appeared(CPUState *cpu, hwaddr gpa, bool write)
{
    uint32_t before = cpu->accel->memory_version;

    return unlikely((before & 1) ||
                    before != qatomic_load_acquire(&mshv_memory_version)) &&
           mshv_memory_is_mapped(gpa, write);
}

#endif
