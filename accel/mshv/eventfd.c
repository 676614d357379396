/*
 * ioeventfd: writes of the guest that become events without an exit.
 *
 * Nothing here can fail: a write that the hypervisor does not turn into an
 * event exits to QEMU, which signals the event itself
 * (memory_region_dispatch_write). The same serves port I/O, for which the
 * kernel has no ioeventfd.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "counters.h"
#include "eventfd.h"
#include "ioctl.h"
#include "partition.h"
#include "refusal.h"

static uint64_t refused;        /* of those that there are */

static int set_ioeventfd(MemoryRegionSection *section, bool match_data,
                         uint64_t data, EventNotifier *e, bool add,
                         Error **errp)
{
    struct mshv_user_ioeventfd args = {
        .addr = section->offset_within_address_space,
        .len = int128_get64(section->size),
        .fd = event_notifier_get_fd(e),
        .datamatch = match_data ? data : 0,
        .flags = match_data << MSHV_IOEVENTFD_BIT_DATAMATCH |
                 !add << MSHV_IOEVENTFD_BIT_DEASSIGN,
    };

    return mshv_ioctl(MSHV_CALL_IOEVENTFD, mshv_partition_fd(), &args, errp);
}

void mshv_eventfd_add(MemoryListener *listener, MemoryRegionSection *section,
                      bool match_data, uint64_t data, EventNotifier *e)
{
    Error *err = NULL;

    if (set_ioeventfd(section, match_data, data, e, true, &err) < 0) {
        error_prepend(&err, "no ioeventfd at 0x%" HWADDR_PRIx ": ",
                      section->offset_within_address_space);
        mshv_refused(MSHV_REFUSED_IOEVENTFD, err);
        mshv_counters_fallback(MSHV_FALLBACK_IOEVENTFD, ++refused);
        return;
    }
    mshv_counters_add(&mshv_counters->vm.ioeventfds, 1);
}

void mshv_eventfd_del(MemoryListener *listener, MemoryRegionSection *section,
                      bool match_data, uint64_t data, EventNotifier *e)
{
    /* -ENOENT: it was refused above. */
    if (set_ioeventfd(section, match_data, data, e, false, NULL) != -ENOENT) {
        mshv_counters_add(&mshv_counters->vm.ioeventfds, -1);
    } else if (refused) {
        mshv_counters_fallback(MSHV_FALLBACK_IOEVENTFD, --refused);
    }
}
