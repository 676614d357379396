/*
 * The memory regions of the partition, ordered by guest address.
 *
 * Knows no QEMU, so that a unit test can have it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>
#include <string.h>
#include "region-table.h"

bool mshv_region_align(MshvRegion *region)
{
    uint64_t head = -region->gpa & (MSHV_REGION_PAGE - 1);

    if (region->size <= head) {
        return false;
    }
    region->gpa += head;
    region->hva += head;
    region->offset += head;
    region->size = (region->size - head) & ~(MSHV_REGION_PAGE - 1);
    return region->size && !(region->hva & (MSHV_REGION_PAGE - 1));
}

bool mshv_region_same(const MshvRegion *a, const MshvRegion *b)
{
    return a->gpa == b->gpa && a->size == b->size && a->hva == b->hva &&
           a->writable == b->writable;
}

/* The number of regions that begin at or below @gpa. */
static size_t count_up_to(const MshvRegionTable *table, uint64_t gpa)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->regions[middle].gpa <= gpa) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

MshvRegion *mshv_region_find(MshvRegionTable *table, uint64_t gpa)
{
    size_t n = count_up_to(table, gpa);
    MshvRegion *region = n ? &table->regions[n - 1] : NULL;

    return region && gpa - region->gpa < region->size ? region : NULL;
}

MshvRegion *mshv_region_overlap(MshvRegionTable *table, uint64_t gpa,
                                uint64_t size)
{
    size_t n = count_up_to(table, gpa);
    MshvRegion *first = mshv_region_find(table, gpa);

    if (!first && n < table->count && table->regions[n].gpa - gpa < size) {
        first = &table->regions[n];
    }
    return first;
}

static bool make_room(MshvRegionTable *table)
{
    size_t wanted = table->allocated ? table->allocated * 2 : 32;
    MshvRegion *regions;

    if (table->count < table->allocated) {
        return true;
    }
    regions = realloc(table->regions, wanted * sizeof(*regions));
    if (!regions) {
        return false;
    }
    table->regions = regions;
    table->allocated = wanted;
    return true;
}

bool mshv_region_insert(MshvRegionTable *table, const MshvRegion *region)
{
    size_t n = count_up_to(table, region->gpa);
    MshvRegion *at;

    if (mshv_region_overlap(table, region->gpa, region->size) ||
        !make_room(table)) {
        return false;
    }
    at = &table->regions[n];
    memmove(at + 1, at, (table->count - n) * sizeof(*at));
    *at = *region;
    table->count++;
    return true;
}

void mshv_region_remove(MshvRegionTable *table, MshvRegion *region)
{
    size_t n = region - table->regions;

    table->count--;
    memmove(region, region + 1, (table->count - n) * sizeof(*region));
}
