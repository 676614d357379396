/*
 * The partition's time: it stands still while the VM does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_REFTIME_H
#define ACCEL_MSHV_REFTIME_H

/*
 * Time stands still from here on, until the VM runs. A host that cannot do so
 * is borne, but then there is no migration.
 */
void mshv_time_init(void);
bool mshv_time_can_stand_still(void);

/* The reference time, of 100 ns; it is set only while it stands still. */
int mshv_time_get(uint64_t *time, Error **errp);
int mshv_time_set(uint64_t time, Error **errp);

#endif
