/*
 * The memory regions of the partition, ordered by guest address. They never
 * overlap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_REGION_TABLE_H
#define ACCEL_MSHV_REGION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSHV_REGION_PAGE 0x1000ull

typedef struct MshvRegion {
    uint64_t gpa;               /* bytes, page aligned like the two below */
    uint64_t size;
    uint64_t hva;
    uint64_t offset;            /* of gpa in the memory region */
    bool writable;
    bool logging;               /* its dirty pages are wanted */
    void *owner;                /* the memory region */
} MshvRegion;

typedef struct MshvRegionTable {
    MshvRegion *regions;
    size_t count;
    size_t allocated;
} MshvRegionTable;

/*
 * Cut @region down to whole pages. False if no page is left, or if guest and
 * host address cannot both be aligned.
 */
bool mshv_region_align(MshvRegion *region);

/* Whether mapping @b where @a is mapped would change nothing. */
bool mshv_region_same(const MshvRegion *a, const MshvRegion *b);

/* The region that holds @gpa, or NULL. Valid until the table changes. */
MshvRegion *mshv_region_find(MshvRegionTable *table, uint64_t gpa);

/* The first one that has any of these bytes, or NULL. As above. */
MshvRegion *mshv_region_overlap(MshvRegionTable *table, uint64_t gpa,
                                uint64_t size);

/* False if there is no memory or @region overlaps another one. */
bool mshv_region_insert(MshvRegionTable *table, const MshvRegion *region);

/* Remove @region, which mshv_region_find() returned. */
void mshv_region_remove(MshvRegionTable *table, MshvRegion *region);

#endif
