/*
 * Memory that is hidden from all but the VPs inside a rendezvous. The
 * partition has one address space: so it is mapped for as long as only they
 * run, and what everybody sees there makes way.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/range.h"
#include "mshv-compat/memory.h"
#include "hidden.h"
#include "memory.h"
#include "dirty.h"
#include "trace.h"

AddressSpace mshv_inside_space;

static MemoryRegion *root;      /* of the hidden memory */
static GArray *hidden;          /* of MshvRegion: all that there is of it */
static GArray *mapped;          /* of MshvRegion: those that are mapped */
static GArray *aside;           /* of MshvRegion: those that made way */

static bool shown;              /* those inside run: what there is, is mapped */

/*
 * It was mapped before the change of address spaces that is under way, and
 * shall be again when that is done.
 */
static bool show_again;

bool mshv_hidden_exists(void)
{
    return root != NULL;
}

static bool overlap(const MshvRegion *r, hwaddr gpa, hwaddr size)
{
    return ranges_overlap(r->gpa, r->size, gpa, size);
}

static bool any_overlaps(const GArray *regions, hwaddr gpa, hwaddr size)
{
    guint i;

    for (i = 0; i < regions->len; i++) {
        if (overlap(&g_array_index(regions, MshvRegion, i), gpa, size)) {
            return true;
        }
    }
    return false;
}

bool mshv_hidden_has(hwaddr gpa, hwaddr size)
{
    return root && any_overlaps(hidden, gpa, size);
}

/* Where the chipset hides nothing, everybody has the same memory mapped. */
static bool is_mapped_alike(const MshvRegion *have, const MshvRegion *want)
{
    return have->gpa <= want->gpa && have->writable == want->writable &&
           want->gpa + want->size <= have->gpa + have->size &&
           have->hva - have->gpa == want->hva - want->gpa;
}

static int show_region(const MshvRegion *region, Error **errp)
{
    const MshvRegion *other;
    int ret;

    while ((other = mshv_memory_overlap(region->gpa, region->size))) {
        MshvRegion copy = *other;

        if (is_mapped_alike(other, region)) {
            return 0;
        }
        ret = mshv_memory_take(&copy, errp);
        if (ret < 0) {
            return ret;
        }
        memory_region_ref(copy.owner);
        g_array_append_val(aside, copy);
    }
    ret = mshv_memory_put(region, errp);
    if (ret == 0) {
        g_array_append_val(mapped, *region);
    }
    return ret;
}

int mshv_hidden_show(Error **errp)
{
    Error *err = NULL;
    guint i;
    int ret = 0;

    shown = true;
    for (i = 0; root && i < hidden->len && ret == 0; i++) {
        ret = show_region(&g_array_index(hidden, MshvRegion, i), errp);
    }
    if (ret < 0 && mshv_hidden_hide(&err) < 0) {
        error_prepend(errp, "%s, and before: ", error_get_pretty(err));
        error_free(err);
    }
    return ret;
}

int mshv_hidden_hide(Error **errp)
{
    MshvRegion *region;
    int ret;

    while (root && mapped->len) {
        region = &g_array_index(mapped, MshvRegion, mapped->len - 1);
        ret = mshv_memory_take(region, errp);
        if (ret < 0) {
            return ret;
        }
        g_array_set_size(mapped, mapped->len - 1);
    }
    while (root && aside->len) {
        region = &g_array_index(aside, MshvRegion, aside->len - 1);
        ret = mshv_memory_put(region, errp);
        if (ret < 0) {
            return ret;
        }
        memory_region_unref(region->owner);
        g_array_set_size(aside, aside->len - 1);
    }
    shown = false;
    return 0;
}

/* ---- Changes of address spaces ---- */

/*
 * VPs inside may run meanwhile, and miss the memory. Their exits wait until the
 * change is done (mshv_memory_appeared).
 */
static void hide_for_change(void)
{
    Error *err = NULL;

    if (shown && !show_again) {
        show_again = true;
        if (mshv_hidden_hide(&err) < 0) {
            mshv_memory_fail(err);
        }
    }
}

void mshv_hidden_make_way(const MemoryRegionSection *section)
{
    hwaddr gpa = section->offset_within_address_space;
    hwaddr size = int128_get64(section->size);

    if (shown && root && (any_overlaps(hidden, gpa, size) ||
                          any_overlaps(aside, gpa, size))) {
        hide_for_change();
    }
}

static void region_add(MemoryListener *listener, MemoryRegionSection *section)
{
    MshvRegion region;

    hide_for_change();
    if (mshv_memory_region_of(section, &region)) {
        memory_region_ref(region.owner);
        g_array_append_val(hidden, region);
    }
}

/* The region that begins where @section does, or NULL. */
static MshvRegion *region_at(const MemoryRegionSection *section)
{
    guint i;

    for (i = 0; i < hidden->len; i++) {
        MshvRegion *r = &g_array_index(hidden, MshvRegion, i);

        if (r->owner == section->mr &&
            r->gpa == section->offset_within_address_space) {
            return r;
        }
    }
    return NULL;
}

static void region_del(MemoryListener *listener, MemoryRegionSection *section)
{
    MshvRegion *region = region_at(section);

    hide_for_change();
    if (region) {
        memory_region_unref(region->owner);
        g_array_remove_index_fast(hidden, region - (MshvRegion *)hidden->data);
    }
}

/* After that of memory.c: listeners of the same priority keep their order. */
static void commit(MemoryListener *listener)
{
    Error *err = NULL;

    if (show_again) {
        show_again = false;
        if (mshv_hidden_show(&err) < 0) {
            mshv_memory_fail(err);
        }
    }
}

/* ---- Dirty pages ---- */

static void set_logging(MemoryRegionSection *section, bool on)
{
    MshvRegion *region = region_at(section);

    if (region) {
        region->logging = on;
        if (any_overlaps(mapped, region->gpa, region->size)) {
            mshv_memory_log(region->gpa, on);
        }
    }
}

static void log_start(MemoryListener *listener, MemoryRegionSection *section,
                      int old, int new)
{
    set_logging(section, true);
}

static void log_stop(MemoryListener *listener, MemoryRegionSection *section,
                     int old, int new)
{
    set_logging(section, new != 0);
}

/* What is not mapped was asked when it went. */
static void log_sync(MemoryListener *listener, MemoryRegionSection *section)
{
    MshvRegion *region = region_at(section);

    if (region && region->logging &&
        any_overlaps(mapped, region->gpa, region->size)) {
        mshv_dirty_sync(region);
    }
}

static MemoryListener hidden_listener = {
    .name = "mshv-hidden",
    .priority = MEMORY_LISTENER_PRIORITY_ACCEL,
    .region_add = region_add,
    .region_del = region_del,
    .commit = commit,
    .log_start = log_start,
    .log_stop = log_stop,
    .log_sync = log_sync,
};

void mshv_hidden_init(MemoryRegion *memory)
{
    static MemoryRegion inside, everybody;
    static AddressSpace only;

    hidden = g_array_new(false, false, sizeof(MshvRegion));
    mapped = g_array_new(false, false, sizeof(MshvRegion));
    aside = g_array_new(false, false, sizeof(MshvRegion));
    memory_region_init(&inside, NULL, "mshv-inside", UINT64_MAX);
    memory_region_init_alias(&everybody, NULL, "mshv-everybody",
                             get_system_memory(), 0, UINT64_MAX);
    memory_region_add_subregion_overlap(&inside, 0, &everybody, 0);
    memory_region_add_subregion_overlap(&inside, 0, memory, 10);
    address_space_init(&mshv_inside_space, &inside, "mshv-inside");
    root = memory;
    address_space_init(&only, memory, "mshv-hidden");
    memory_listener_register(&hidden_listener, &only);
}
