/*
 * Guest memory: what QEMU's address space holds, mapped in the partition.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "mshv-compat/memory.h"
#include "hw/qdev-core.h"
#include "mshv/mshv.h"
#include "system/runstate.h"
#include "arch.h"
#include "counters.h"
#include "dirty.h"
#include "eventfd.h"
#include "hidden.h"
#include "host-memory.h"
#include "ioctl.h"
#include "lifecycle.h"
#include "memory.h"
#include "partition.h"
#include "refusal.h"
#include "region-table.h"
#include "vp.h"
#include "trace.h"

static MshvRegionTable table;

/* What the change of the address space under way takes away and brings. */
static GArray *leaving;         /* of MshvRegion */
static GArray *coming;

/*
 * What the kernel has refused: regions that could not be unmapped, which it
 * still has, and regions that it did not map. The VM has stopped; each change
 * of the address space, and each start of the VM, tries again. Holds
 * references of the owners.
 */
static GArray *stuck;           /* of MshvRegion */
static GArray *missing;

/* Odd while mappings change, and another one after each change. */
uint32_t mshv_memory_version;

static int set_guest_memory(const MshvRegion *region, bool map, Error **errp)
{
    struct mshv_user_mem_region args = {
        .size = region->size,
        .guest_pfn = region->gpa / MSHV_HV_PAGE_SIZE,
        .userspace_addr = region->hva,
    };
    int ret;

    if (map) {
        args.flags = 1 << MSHV_SET_MEM_BIT_EXECUTABLE |
                     region->writable << MSHV_SET_MEM_BIT_WRITABLE;
    } else {
        args.flags = 1 << MSHV_SET_MEM_BIT_UNMAP;
    }
    ret = mshv_ioctl(MSHV_CALL_SET_GUEST_MEMORY, mshv_partition_fd(), &args,
                     errp);
    trace_mshv_set_guest_memory(map, region->gpa, region->size, region->hva,
                                region->writable, ret);
    if (ret < 0) {
        error_prepend(errp, "cannot %smap guest memory at 0x%" PRIx64
                      ", size 0x%" PRIx64 ": ", map ? "" : "un",
                      region->gpa, region->size);
    }
    return ret;
}

/*
 * MemoryListener has no way to refuse: stop what cannot go on. Not at once:
 * other vCPUs must not run while the address space is half changed.
 */
void mshv_memory_fail(Error *err)
{
    error_prepend(&err, "mshv: ");
    mshv_lifecycle_stops(err);
    if (!phase_check(PHASE_MACHINE_READY)) {
        exit(1);
    }
    qemu_system_vmstop_request_prepare();
    qemu_system_vmstop_request(RUN_STATE_INTERNAL_ERROR);
}

static void map_region(const MshvRegion *region)
{
    Error *err = NULL;

    if (set_guest_memory(region, true, &err) < 0) {
        if (mshv_host_memory_is_movable(region->owner)) {
            mshv_refused(MSHV_REFUSED_MEMORY, err);
            return;
        }
        memory_region_ref(region->owner);
        g_array_append_val(missing, *region);
        mshv_memory_fail(err);
        return;
    }
    if (!mshv_region_insert(&table, region)) {
        set_guest_memory(region, false, NULL);
        error_setg(&err, "cannot keep guest memory at 0x%" PRIx64
                   ", size 0x%" PRIx64 ": it overlaps other memory",
                   region->gpa, region->size);
        mshv_memory_fail(err);
        return;
    }
    memory_region_ref(region->owner);
    mshv_counters_add(&mshv_counters->vm.memory_regions, 1);
    mshv_counters_add(&mshv_counters->vm.memory_bytes, region->size);
}

static void unmap_region(MshvRegion *region)
{
    MemoryRegion *owner = region->owner;
    Error *err = NULL;

    if (region->logging) {
        mshv_dirty_sync(region);
    }
    if (set_guest_memory(region, false, &err) < 0) {
        memory_region_ref(owner);
        g_array_append_val(stuck, *region);
        mshv_memory_fail(err);
    }
    mshv_counters_add(&mshv_counters->vm.memory_regions, -1);
    mshv_counters_add(&mshv_counters->vm.memory_bytes, -(int64_t)region->size);
    mshv_region_remove(&table, region);
    memory_region_unref(owner);
}

static void repair(void)
{
    GArray *again = missing;
    guint i;

    for (i = stuck->len; i-- > 0;) {
        MshvRegion *region = &g_array_index(stuck, MshvRegion, i);

        if (set_guest_memory(region, false, NULL) == 0) {
            memory_region_unref(region->owner);
            g_array_remove_index_fast(stuck, i);
        }
    }
    if (!again->len) {
        return;
    }
    missing = g_array_new(false, false, sizeof(MshvRegion));
    for (i = 0; i < again->len; i++) {
        MshvRegion *region = &g_array_index(again, MshvRegion, i);

        map_region(region);
        memory_region_unref(region->owner);
    }
    g_array_free(again, true);
}

/* What is to be unmapped need no longer be mapped. */
static void forget_missing(uint64_t gpa, MemoryRegion *owner)
{
    guint i;

    for (i = missing->len; i-- > 0;) {
        MshvRegion *other = &g_array_index(missing, MshvRegion, i);

        if (other->gpa == gpa && other->owner == owner) {
            memory_region_unref(other->owner);
            g_array_remove_index_fast(missing, i);
        }
    }
}

/*
 * A BAR can be anywhere: no guest reaches what lies beyond its physical address
 * width, and the hypervisor refuses to map it.
 */
static bool is_reachable(const MshvRegion *region)
{
    unsigned bits = mshv_arch_address_bits();

    return bits >= 64 || !((region->gpa + region->size - 1) >> bits);
}

/* Fill in @region. False if nothing of @section is to be mapped. */
bool mshv_memory_region_of(MemoryRegionSection *section, MshvRegion *region)
{
    MemoryRegion *mr = section->mr;
    Error *err = NULL;
    uint64_t hva;

    /*
     * Of a device's memory, such as a BAR by VFIO, the driver of Linux 7.3 and
     * older takes the offset in the mapped file for the physical address
     * (vm_pgoff in mshv_map_user_memory(), which VFIO does not change): it
     * would map something else. So accesses exit, and QEMU does them.
     */
    if (memory_region_is_ram_device(mr) ||
        (!memory_region_is_ram(mr) && !memory_region_is_romd(mr))) {
        return false;
    }
    if (mshv_host_memory_address(mr, &hva, &err) < 0) {
        mshv_refused(MSHV_REFUSED_MEMORY, err);
        return false;
    }
    *region = (MshvRegion) {
        .gpa = section->offset_within_address_space,
        .size = int128_get64(section->size),
        .offset = section->offset_within_region,
        .hva = hva + section->offset_within_region,
        .writable = !section->readonly && !mr->rom_device,
        .logging = memory_region_get_dirty_log_mask(mr),
        .owner = mr,
    };
    return mshv_region_align(region) && is_reachable(region);
}

/* Where the whole pages of @section begin. */
static uint64_t gpa_of_section(const MemoryRegionSection *section)
{
    return ROUND_UP(section->offset_within_address_space, MSHV_REGION_PAGE);
}

/* The mapped region that begins where @section does, or NULL. */
static MshvRegion *region_at_section(MemoryRegionSection *section)
{
    uint64_t gpa = gpa_of_section(section);
    MshvRegion *region = mshv_region_find(&table, gpa);

    return region && region->gpa == gpa && region->owner == section->mr ?
           region : NULL;
}

static void region_add(MemoryListener *listener, MemoryRegionSection *section)
{
    MshvRegion region;

    mshv_hidden_make_way(section);
    if (mshv_memory_region_of(section, &region)) {
        g_array_append_val(coming, region);
    }
}

/*
 * By now a ROM device may be in its other mode, so look for what was mapped,
 * not at what the section is.
 */
static void region_del(MemoryListener *listener, MemoryRegionSection *section)
{
    MshvRegion *region;

    mshv_hidden_make_way(section);
    region = region_at_section(section);
    if (region) {
        g_array_append_val(leaving, *region);
    } else {
        forget_missing(gpa_of_section(section), section->mr);
    }
}

/* If @old comes back unchanged, keep it mapped. */
static bool stays(const MshvRegion *old)
{
    guint i;

    for (i = 0; i < coming->len; i++) {
        MshvRegion *new = &g_array_index(coming, MshvRegion, i);

        if (mshv_region_same(old, new)) {
            MshvRegion *kept = mshv_region_find(&table, old->gpa);

            memory_region_ref(new->owner);
            memory_region_unref(kept->owner);
            *kept = *new;
            g_array_remove_index_fast(coming, i);
            return true;
        }
    }
    return false;
}

/* The kernel wants no overlap at any time: all that leaves leaves first. */
static void commit(MemoryListener *listener)
{
    guint i;

    if (!leaving->len && !coming->len) {
        return;
    }
    qatomic_set_mb(&mshv_memory_version, mshv_memory_version + 1);
    repair();
    for (i = 0; i < leaving->len; i++) {
        MshvRegion *old = &g_array_index(leaving, MshvRegion, i);

        if (!stays(old)) {
            unmap_region(mshv_region_find(&table, old->gpa));
        }
    }
    for (i = 0; i < coming->len; i++) {
        map_region(&g_array_index(coming, MshvRegion, i));
    }
    qatomic_set_mb(&mshv_memory_version, mshv_memory_version + 1);
    mshv_dirty_update(&table);
    g_array_set_size(leaving, 0);
    g_array_set_size(coming, 0);
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    if (running && (stuck->len || missing->len)) {
        qatomic_set_mb(&mshv_memory_version, mshv_memory_version + 1);
        repair();
        qatomic_set_mb(&mshv_memory_version, mshv_memory_version + 1);
    }
}

static void log_start(MemoryListener *listener, MemoryRegionSection *section,
                      int old, int new)
{
    MshvRegion *region = region_at_section(section);

    if (region) {
        region->logging = true;
        mshv_dirty_update(&table);
    }
}

static void log_stop(MemoryListener *listener, MemoryRegionSection *section,
                     int old, int new)
{
    MshvRegion *region = region_at_section(section);

    if (region && !new) {
        region->logging = false;
        mshv_dirty_update(&table);
    }
}

static void log_sync(MemoryListener *listener, MemoryRegionSection *section)
{
    MshvRegion *region = region_at_section(section);

    if (region && region->logging) {
        mshv_dirty_sync(region);
    }
}

static bool log_global_start(MemoryListener *listener, Error **errp)
{
    return mshv_dirty_global(&table, true, errp);
}

static void log_global_stop(MemoryListener *listener)
{
    mshv_dirty_global(&table, false, NULL);
}

static MemoryListener memory_listener = {
    .name = "mshv",
    .priority = MEMORY_LISTENER_PRIORITY_ACCEL,
    .region_add = region_add,
    .region_del = region_del,
    .commit = commit,
    .log_start = log_start,
    .log_stop = log_stop,
    .log_sync = log_sync,
    .log_global_start = log_global_start,
    .log_global_stop = log_global_stop,
    .eventfd_add = mshv_eventfd_add,
    .eventfd_del = mshv_eventfd_del,
};

/* Map a page that nobody has touched. One that was pinned is resident. */
static int is_page_pinned(bool *pinned, Error **errp)
{
    size_t size = qemu_real_host_page_size();
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MshvRegion region = {
        .size = size, .hva = (uintptr_t)page, .writable = true,
    };
    unsigned char resident = 0;
    int ret;

    if (page == MAP_FAILED) {
        error_setg_errno(errp, errno, "no memory for a page");
        return -errno;
    }
    ret = set_guest_memory(&region, true, errp);
    if (!ret) {
        *pinned = !mincore(page, size, &resident) && (resident & 1);
        ret = set_guest_memory(&region, false, errp);
    }
    munmap(page, size);
    return ret;
}

/*
 * Older kernels pin all guest memory when it is mapped; newer ones let it
 * move, and bring pages in when the guest touches them. There is no question
 * to ask about it.
 *
 * Newer ones, too, pin a region where they cannot watch the address space. To
 * begin with that they need a moment without a signal or a notice of io_uring
 * (mm_take_all_locks()); later regions only join in.
 */
static int kernel_pins_memory(bool *pins, Error **errp)
{
    int tries, ret = 0;

    *pins = true;
    for (tries = 0; tries < 16 && *pins && !ret; tries++) {
        ret = is_page_pinned(pins, errp);
    }
    return ret;
}

int mshv_memory_init(Error **errp)
{
    bool pins;
    int ret = kernel_pins_memory(&pins, errp);

    if (ret < 0) {
        return ret;
    }
    if (pins) {
        /* Else QEMU would give pages back that the guest goes on using. */
        ret = ram_block_discard_disable(true);
        if (ret < 0) {
            error_setg(errp, "this kernel pins guest memory, but something "
                       "else in QEMU must be able to discard it");
            return ret;
        }
    }
    trace_mshv_memory_init(pins);
    mshv_host_memory_init();
    leaving = g_array_new(false, false, sizeof(MshvRegion));
    coming = g_array_new(false, false, sizeof(MshvRegion));
    stuck = g_array_new(false, false, sizeof(MshvRegion));
    missing = g_array_new(false, false, sizeof(MshvRegion));
    qemu_add_vm_change_state_handler(vm_state_changed, NULL);
    memory_listener_register(&memory_listener, &address_space_memory);
    return 0;
}

bool mshv_memory_find(hwaddr gpa, MshvRegion *region)
{
    MshvRegion *found;

    /* Whoever changes the address space holds the BQL until it is done. */
    BQL_LOCK_GUARD();
    found = mshv_region_find(&table, gpa);
    if (found) {
        *region = *found;
    }
    return found;
}

bool mshv_memory_find_host(uint64_t hva, MshvRegion *region)
{
    size_t i;

    for (i = 0; i < table.count; i++) {
        if (hva - table.regions[i].hva < table.regions[i].size) {
            *region = table.regions[i];
            return true;
        }
    }
    return false;
}

void mshv_memory_map_again(const MshvRegion *region)
{
    MshvRegion *found;

    BQL_LOCK_GUARD();
    found = mshv_region_find(&table, region->gpa);
    if (found && mshv_region_same(found, region) &&
        set_guest_memory(found, false, NULL) == 0) {
        /* A failure shows at the guest's next access. */
        set_guest_memory(found, true, NULL);
    }
}

/* ---- For hidden.c ---- */

static void change_begins_or_ends(void)
{
    qatomic_set_mb(&mshv_memory_version, mshv_memory_version + 1);
}

int mshv_memory_put(const MshvRegion *region, Error **errp)
{
    int ret;

    change_begins_or_ends();
    ret = set_guest_memory(region, true, errp);
    if (ret == 0 && !mshv_region_insert(&table, region)) {
        set_guest_memory(region, false, NULL);
        error_setg(errp, "no memory to keep a region");
        ret = -ENOMEM;
    }
    if (ret == 0) {
        memory_region_ref(region->owner);
        mshv_counters_add(&mshv_counters->vm.memory_regions, 1);
        mshv_counters_add(&mshv_counters->vm.memory_bytes, region->size);
    }
    change_begins_or_ends();
    mshv_dirty_update(&table);
    return ret;
}

int mshv_memory_take(const MshvRegion *region, Error **errp)
{
    MshvRegion *found = mshv_region_find(&table, region->gpa);
    MemoryRegion *owner;
    int ret;

    if (!found) {
        return 0;
    }
    owner = found->owner;
    change_begins_or_ends();
    if (found->logging) {
        mshv_dirty_sync(found);
    }
    ret = set_guest_memory(found, false, errp);
    if (ret == 0) {
        mshv_counters_add(&mshv_counters->vm.memory_regions, -1);
        mshv_counters_add(&mshv_counters->vm.memory_bytes,
                          -(int64_t)region->size);
        mshv_region_remove(&table, found);
        memory_region_unref(owner);
    }
    change_begins_or_ends();
    return ret;
}

const MshvRegion *mshv_memory_overlap(uint64_t gpa, uint64_t size)
{
    return mshv_region_overlap(&table, gpa, size);
}

void mshv_memory_log(uint64_t gpa, bool wanted)
{
    mshv_region_find(&table, gpa)->logging = wanted;
    mshv_dirty_update(&table);
}

bool mshv_memory_try(uint64_t gpa, MemoryRegion *mr, Error **errp)
{
    MshvRegion region = {
        .gpa = gpa,
        .size = memory_region_size(mr),
        .writable = !mr->readonly,
    };

    if (!memory_region_is_ram(mr)) {
        return true;
    }
    if (mshv_host_memory_address(mr, &region.hva, errp) < 0) {
        return false;
    }
    if (!mshv_region_align(&region)) {
        return true;
    }
    return set_guest_memory(&region, true, errp) >= 0 &&
           set_guest_memory(&region, false, errp) >= 0;
}
