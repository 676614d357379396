/*
 * Guest memory that is mapped, and still the guest's access exits: the kernel
 * could not bring the page in. It has told its log; here the VM's user is told.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qapi/error.h"
#include "qemu/cutils.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "mshv-compat/memory.h"
#include "counters.h"
#include "memory.h"
#include "trace.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* What is lacking may come: another process gives memory back. */
#define TRIES 8
#define FIRST_PAUSE_US 500

/* How often this page has failed in a row, this time included. */
static unsigned count_try(AccelCPUState *vp, uint64_t page)
{
    uint64_t now = mshv_counters_exits(vp->counters);

    if (page != vp->fault_page || now != vp->fault_exits + 1) {
        vp->fault_tries = 0;
    }
    vp->fault_page = page;
    vp->fault_exits = now;
    return ++vp->fault_tries;
}

/* Bring the page in by ourselves. 0, or why that is not possible: an errno. */
static int populate(const MshvRegion *region, uint64_t gpa)
{
    size_t size = qemu_real_host_page_size();
    uint64_t at = QEMU_ALIGN_DOWN(region->hva + (gpa - region->gpa), size);
    int ret = madvise((void *)(uintptr_t)at, size, MADV_POPULATE_WRITE);

    /* EINVAL: before Linux 5.14 */
    return ret < 0 && errno != EINVAL && errno != EAGAIN && errno != EINTR
           ? errno : 0;
}

static const char *reason(int why, size_t page_size)
{
    if (why == EHWPOISON) {
        return "the host's memory is broken there";
    }
    if (why && page_size > qemu_real_host_page_size()) {
        return "the host has no huge page left (see /proc/sys/vm/nr_hugepages "
               "and the limits of this process's control group)";
    }
    if (why) {
        return strerror(why);
    }
    return page_size >= GiB
           ? "before Linux 7.1 the kernel cannot map pages of 1 GiB"
           : "the host's kernel log tells more";
}

static void set_error(const MshvRegion *region, uint64_t gpa, int why,
                      Error **errp)
{
    MemoryRegion *mr = region->owner;
    g_autofree char *size = NULL;
    size_t page_size = mr->ram_block ? mr->ram_block->page_size
                                     : qemu_real_host_page_size();

    size = size_to_str(page_size);
    error_setg(errp, "the kernel could not bring in guest memory at 0x%" PRIx64
               " ('%s', pages of %s): %s", gpa, memory_region_name(mr), size,
               reason(why, page_size));
}

static bool tell_guest(CPUState *cpu, const MshvRegion *region, uint64_t gpa)
{
    BQL_LOCK_GUARD();
    return mshv_memory_failed(cpu, gpa, (void *)(uintptr_t)
                              (region->hva + (gpa - region->gpa)), true);
}

MshvFault mshv_memory_fault(CPUState *cpu, hwaddr gpa, bool write,
                            bool unmapped, Error **errp)
{
    AccelCPUState *vp = cpu->accel;
    MshvRegion region;
    unsigned tries;
    int why;

    if (!mshv_memory_find(gpa, &region) || (write && !region.writable)) {
        return MSHV_FAULT_DEVICE;
    }
    tries = count_try(vp, gpa / MSHV_REGION_PAGE);
    why = populate(&region, gpa);
    trace_mshv_memory_fault(cpu->cpu_index, gpa, unmapped, tries, why);
    if (why == EHWPOISON && tell_guest(cpu, &region, gpa)) {
        return MSHV_FAULT_AGAIN;
    }
    if (why == EHWPOISON || tries > TRIES) {
        vp->fault_tries = 0;
        set_error(&region, gpa, why, errp);
        return MSHV_FAULT_FAILED;
    }
    if (unmapped && tries == 1) {
        mshv_memory_map_again(&region);
    } else if (tries > 1) {
        g_usleep(FIRST_PAUSE_US << tries);
    }
    return MSHV_FAULT_AGAIN;
}
