/*
 * Dirty pages of guest memory: for displays, and for migration.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_DIRTY_H
#define ACCEL_MSHV_DIRTY_H

#include "region-table.h"

/* Whether the hypervisor can track dirty pages. */
bool mshv_dirty_supported(void);

/* Track if anybody wants it: a region of @table, or migration. */
void mshv_dirty_update(const MshvRegionTable *table);

/* Migration starts or ends to want the dirty pages of everything. */
bool mshv_dirty_global(const MshvRegionTable *table, bool start, Error **errp);

/*
 * Fetch the dirty pages of @region from the hypervisor, which forgets them,
 * and mark them in QEMU. If it fails, all are marked and migration fails.
 */
void mshv_dirty_sync(const MshvRegion *region);

#endif
