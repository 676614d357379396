/*
 * Guest memory: what QEMU's address space holds, mapped in the partition.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_MEMORY_H
#define ACCEL_MSHV_MEMORY_H

#include "exec/hwaddr.h"
#include "hw/core/cpu.h"
#include "region-table.h"
#include "vp.h"

/* Follow the address space from now on. 0 or -errno. */
int mshv_memory_init(Error **errp);

/* Changes with each change of what is mapped; odd while one is under way. */
extern uint32_t mshv_memory_version;

/* Find the mapped region that holds @gpa. Without the BQL. */
bool mshv_memory_find(hwaddr gpa, MshvRegion *region);

/* The same by where the kernel takes it from. With the BQL. */
bool mshv_memory_find_host(uint64_t hva, MshvRegion *region);

/* Map @region, which was found, anew if it is still there. No BQL. */
void mshv_memory_map_again(const MshvRegion *region);

typedef enum MshvFault {
    MSHV_FAULT_DEVICE,          /* no memory, or the guest may not write it */
    MSHV_FAULT_AGAIN,           /* run the instruction again */
    MSHV_FAULT_FAILED,
} MshvFault;

/*
 * For an exit by memory at @gpa where memory of the guest's is; @unmapped: the
 * hypervisor knows of none. Fails, with @errp set, after some tries in a row.
 * Without the BQL.
 */
MshvFault mshv_memory_fault(CPUState *cpu, hwaddr gpa, bool write,
                            bool unmapped, Error **errp);

/*
 * The host's memory at @gpa, @host for QEMU, is broken; if @required, @cpu must
 * have it. True: the guest has been told, by a machine check. With the BQL.
 */
bool mshv_memory_failed(CPUState *cpu, hwaddr gpa, void *host, bool required);

/*
 * For an exit by memory at @gpa; without the BQL. Whether it is mapped by now,
 * because a change of the address space was under way when @cpu ran: then run
 * the instruction again. Cheap if there was none.
 */
static inline bool mshv_memory_appeared(CPUState *cpu, hwaddr gpa, bool write)
{
    uint32_t before = cpu->accel->memory_version;
    MshvRegion region;

    return unlikely((before & 1) ||
                    before != qatomic_load_acquire(&mshv_memory_version)) &&
           mshv_memory_find(gpa, &region) && (region.writable || !write);
}

#endif
