/*
 * The counters of one VM, read from the memfd of its QEMU, which is not
 * trusted: it may hold anything, and change at any time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TOOLS_SNAPSHOT_H
#define TOOLS_SNAPSHOT_H

#include <glib.h>
#include <stdint.h>
#include "mshv/counters.h"

/* Of kinds of exits: those of names.h, and one for all others. */
#define SNAPSHOT_KINDS 18

typedef struct VpSnapshot {
    uint32_t index;
    uint64_t kicks;
    uint64_t exits[SNAPSHOT_KINDS];     /* by kind: see names.h */
} VpSnapshot;

/*
 * What is here is checked: the texts end and are printable UTF-8, the state is
 * one of those that there are, times are in their order. Numbers are as QEMU
 * tells them.
 */
typedef struct Snapshot {
    MshvVmCounters vm;                  /* other_msrs: all without a row */
    char uuid[37];                      /* "" if there is none */
    MshvCallCounters calls[MSHV_CALL__MAX];     /* of RUN_VP, too */
    unsigned msr_count;
    MshvMsrCounters msrs[MSHV_COUNTERS_MSRS];   /* those in use */
    unsigned vp_count;
    VpSnapshot vps[];                   /* those that were created */
} Snapshot;

typedef enum SnapshotError {
    SNAPSHOT_NOT_READY,         /* QEMU has yet to fill it in */
    SNAPSHOT_REFUSED,           /* it is none, or not one that can be used */
} SnapshotError;

#define SNAPSHOT_ERROR snapshot_error_quark()
GQuark snapshot_error_quark(void);

/*
 * Read from the descriptor of a memfd; NULL with @error if it cannot be. Never
 * blocks, and takes no more than a few hundred KiB whatever is in it.
 */
Snapshot *snapshot_read(int fd, GError **error);

/*
 * The same from memory that may change meanwhile: the first @present bytes are
 * at @page, aligned to 8, and the rest up to @size is zero. What
 * snapshot_read() does once it has mapped a descriptor.
 */
Snapshot *snapshot_parse(const void *page, size_t present,
                         size_t size, GError **error);

#endif
