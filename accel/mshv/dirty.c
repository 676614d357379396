/*
 * Dirty pages of guest memory: for displays, and for migration.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bitmap.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "mshv-compat/memory.h"
#include "migration/misc.h"
#include "counters.h"
#include "dirty.h"
#include "ioctl.h"
#include "partition.h"
#include "refusal.h"
#include "trace.h"

/*
 * Pages a call: the kernel takes a byte for each, keeps the partition locked
 * meanwhile, and asks the hypervisor for 4095 at a time. And whole longs of the
 * bitmap.
 */
#define PAGES_PER_CALL (64 * 4095)

/*
 * For how long nobody must want it before tracking is switched off: a guest
 * that sets up its display's BAR switches its decoding off and on.
 */
#define SWITCH_OFF_MS 1000

static bool tracking;           /* the hypervisor does */
static bool global;             /* migration wants it */

/* Of switching it off: what is to be done next */
static struct {
    QEMUTimer *timer;
    const MshvRegionTable *table;
    size_t region;
    uint64_t page;              /* in it */
} off;

bool mshv_dirty_supported(void)
{
    uint64_t value;

    return !mshv_get_property(HV_PARTITION_PROPERTY_GPA_PAGE_ACCESS_TRACKING,
                              &value, NULL);
}

static int access_bitmap(uint64_t gpa, uint64_t pages, uint8_t operation,
                         unsigned long *bitmap, Error **errp)
{
    struct mshv_gpap_access_bitmap args = {
        .access_type = MSHV_GPAP_ACCESS_TYPE_DIRTY,
        .access_op = operation,
        .page_count = pages,
        .gpap_base = gpa / MSHV_HV_PAGE_SIZE,
        .bitmap_ptr = (uintptr_t)bitmap,
    };

    /* The kernel writes whole bytes only. */
    bitmap[BITS_TO_LONGS(pages) - 1] = 0;
    return mshv_ioctl(MSHV_CALL_GET_GPAP_ACCESS_BITMAP, mshv_partition_fd(),
                      &args, errp);
}

static int set_tracking(bool on, Error **errp)
{
    int ret = mshv_set_property(HV_PARTITION_PROPERTY_GPA_PAGE_ACCESS_TRACKING,
                                on, errp);

    if (!ret) {
        tracking = on;
    }
    mshv_counters_fallback(MSHV_FALLBACK_DIRTY_LOG, on && ret);
    trace_mshv_dirty_tracking(on, ret);
    return ret;
}

/* Without it everything counts as dirty: slow, but not wrong. */
static void warn_of_tracking(Error *err)
{
    error_prepend(&err, "cannot switch the tracking of dirty pages: ");
    mshv_refused(MSHV_REFUSED_TRACKING, err);
}

/* The next pages, marked dirty. False: there are no more. */
static bool mark_some(Error **errp)
{
    g_autofree unsigned long *bitmap = NULL;
    const MshvRegion *region;
    uint64_t pages, batch;

    if (off.region >= off.table->count) {
        return false;
    }
    region = &off.table->regions[off.region];
    pages = region->size / MSHV_HV_PAGE_SIZE;
    batch = MIN(pages - MIN(off.page, pages - 1), PAGES_PER_CALL);
    bitmap = g_new(unsigned long, BITS_TO_LONGS(batch));
    if (access_bitmap(region->gpa + off.page * MSHV_HV_PAGE_SIZE, batch,
                      MSHV_GPAP_ACCESS_OP_SET, bitmap, errp) < 0) {
        return false;
    }
    off.page += batch;
    if (off.page >= pages) {
        off.region++;
        off.page = 0;
    }
    return true;
}

/*
 * The hypervisor wants all pages marked dirty before it stops to track. That
 * takes long for a large guest, so it is done piece by piece, while others get
 * the lock in between.
 */
static void switch_off_step(void *opaque)
{
    Error *err = NULL;

    if (mark_some(&err)) {
        timer_mod(off.timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + 1);
    } else if (err || set_tracking(false, &err) < 0) {
        warn_of_tracking(err);
    }
}

/* From the beginning, if it is under way: memory may have changed. */
static void switch_off_later(const MshvRegionTable *table)
{
    if (!off.timer) {
        off.timer = timer_new_ms(QEMU_CLOCK_REALTIME, switch_off_step, NULL);
    }
    off.table = table;
    off.region = off.page = 0;
    timer_mod(off.timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
              SWITCH_OFF_MS);
}

static int switch_on(Error **errp)
{
    if (off.timer) {
        timer_del(off.timer);
    }
    return tracking ? 0 : set_tracking(true, errp);
}

static bool wanted(const MshvRegionTable *table)
{
    size_t i;

    for (i = 0; i < table->count; i++) {
        if (table->regions[i].logging) {
            return true;
        }
    }
    return global;
}

void mshv_dirty_update(const MshvRegionTable *table)
{
    Error *err = NULL;

    if (wanted(table)) {
        if (switch_on(&err) < 0) {
            warn_of_tracking(err);
        }
    } else if (tracking) {
        switch_off_later(table);
    }
}

bool mshv_dirty_global(const MshvRegionTable *table, bool start, Error **errp)
{
    global = start;
    if (!start) {
        mshv_dirty_update(table);
        return true;
    }
    if (switch_on(errp) < 0) {
        global = false;
        error_prepend(errp, "mshv: cannot track dirty pages: ");
        return false;
    }
    return true;
}

static void sync_failed(Error *err)
{
    error_prepend(&err, "cannot read which pages are dirty: ");
    if (migration_is_running()) {
        error_prepend(&err, "mshv: ");
        /* Of this error the user would see the number only. */
        error_report("%s", error_get_pretty(err));
        migration_file_set_error(-EIO, err);
    } else {
        mshv_refused(MSHV_REFUSED_TRACKING, err);
    }
}

void mshv_dirty_sync(const MshvRegion *region)
{
    g_autofree unsigned long *bitmap = NULL;
    MemoryRegion *mr = region->owner;
    ram_addr_t ram = memory_region_get_ram_addr(mr) + region->offset;
    uint64_t pages = region->size / MSHV_HV_PAGE_SIZE;
    uint64_t page, batch, dirty = 0;
    Error *err = NULL;

    if (!tracking) {
        memory_region_set_dirty(mr, region->offset, region->size);
        return;
    }
    bitmap = g_new(unsigned long, BITS_TO_LONGS(PAGES_PER_CALL));
    for (page = 0; page < pages; page += batch) {
        uint64_t start = page * MSHV_HV_PAGE_SIZE;

        batch = MIN(pages - page, PAGES_PER_CALL);
        if (access_bitmap(region->gpa + start, batch,
                          MSHV_GPAP_ACCESS_OP_CLEAR, bitmap, &err) < 0) {
            memory_region_set_dirty(mr, region->offset + start,
                                    region->size - start);
            sync_failed(err);
            return;
        }
        physical_memory_set_dirty_lebitmap(bitmap, ram + start, batch);
        dirty += bitmap_count_one(bitmap, batch);
    }
    mshv_counters_add(&mshv_counters->vm.dirty_passes, 1);
    mshv_counters_add(&mshv_counters->vm.dirty_pages, dirty);
    trace_mshv_dirty_sync(region->gpa, pages, dirty);
}
