/*
 * Two looks at all VMs, and what happened in between.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STAT_SAMPLE_H
#define STAT_SAMPLE_H

#include <stdbool.h>
#include "hvstats.h"
#include "scan.h"

/* One line of a table: a VM, a virtual processor, a kind of exit, a call. */
typedef struct Row {
    char *name;
    pid_t pid;                  /* of a VM */
    uint64_t total;
    double rate;                /* per second since the sample before */
    const char *state;          /* of a VM, else NULL */
    unsigned vcpus;
    uint64_t memory;
    uint64_t errors;
    uint64_t fallbacks;
} Row;

typedef enum View {
    VIEW_VMS,                   /* all VMs */
    VIEW_KINDS,                 /* exits of a VM, or of all, by kind */
    VIEW_VCPUS,                 /* exits of a VM by virtual processor */
    VIEW_CALLS,                 /* calls to the kernel */
    VIEW_REFUSALS,              /* what the kernel or all refuse to a VM */
    VIEW_HYPERVISOR,            /* what the hypervisor itself tells */
    VIEW__MAX
} View;

extern const char *const view_names[VIEW__MAX];

typedef struct Sample {
    Scan *scan;
    HvStats *hv;                /* NULL: see hv_why */
    char *hv_why;
    gint64 time;                /* monotonic, microseconds */
} Sample;

Sample *sample_take(void);
void sample_free(Sample *sample);

/* By which column, and only what contains a text. */
typedef enum SortBy { SORT_RATE, SORT_TOTAL, SORT_NAME, SORT__MAX } SortBy;

extern const char *const sort_names[SORT__MAX];

/*
 * The rows of a view, of the VM @pid or of all if it is 0. @before may be NULL:
 * then there are no rates.
 */
GPtrArray *sample_rows(const Sample *now, const Sample *before, View view,
                       pid_t pid, SortBy sort, const char *filter);

#endif
