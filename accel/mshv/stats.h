/*
 * Statistics for QMP query-stats.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_STATS_H
#define ACCEL_MSHV_STATS_H

void mshv_stats_init(void);

#endif
