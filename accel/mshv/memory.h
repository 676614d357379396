/*
 * Guest memory: what QEMU's address space holds, mapped in the partition.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_MEMORY_H
#define ACCEL_MSHV_MEMORY_H

#include "exec/hwaddr.h"
#include "mshv-compat/memory.h"
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
 * For hidden.c, with the BQL: map @region, or unmap what is like it; what is
 * mapped in these bytes, the first of it, or NULL; whether its dirty pages are
 * wanted; what of @section is to be mapped, false if nothing is; and how to
 * stop the VM because that did not work.
 */
int mshv_memory_put(const MshvRegion *region, Error **errp);
int mshv_memory_take(const MshvRegion *region, Error **errp);
const MshvRegion *mshv_memory_overlap(uint64_t gpa, uint64_t size);
void mshv_memory_log(uint64_t gpa, bool wanted);
bool mshv_memory_region_of(MemoryRegionSection *section, MshvRegion *region);
void mshv_memory_fail(Error *err);

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
