/*
 * The hypervisor's own statistics, as the kernel's debugfs shows them
 * (drivers/hv/mshv_debugfs.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TOOLS_HVSTATS_H
#define TOOLS_HVSTATS_H

#include <glib.h>
#include <stdint.h>

/* Of a logical processor, or of all VPs of a partition; units of 100 ns. */
typedef struct HvTimes {
    uint64_t id;
    uint64_t total;
    uint64_t hypervisor;
} HvTimes;

typedef struct HvPartition {
    HvTimes times;
    unsigned vps;
    uint64_t deposited_pages;
    uint64_t gpa_pages;
} HvPartition;

typedef struct HvStats {
    GArray *lps;                /* of HvTimes */
    GArray *partitions;         /* of HvPartition; the host is one of them */
} HvStats;

/* NULL with one line in *@why if the kernel does not show them to us. */
HvStats *hvstats_read(char **why);
void hvstats_free(HvStats *stats);

#endif
