/*
 * All VMs of this host that run on -accel mshv, and what can be read of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TOOLS_SCAN_H
#define TOOLS_SCAN_H

#include <stdbool.h>
#include <sys/types.h>
#include "snapshot.h"

typedef struct Vm {
    pid_t pid;
    Snapshot *snapshot;
    char *namespace;            /* KubeVirt's; "" if it is none of it */
    char *name;                 /* "" if the command line has none */
    uint64_t start_ticks;       /* of the process, as the kernel knows it */
    uint64_t rss_anon;          /* resident memory of the process, bytes */
    uint64_t rss_file;
    uint64_t rss_shmem;
} Vm;

typedef struct Scan {
    GPtrArray *vms;             /* of Vm, by process */
    bool entitled;              /* to look at everybody's processes */
    unsigned denied;            /* processes that we may not look at */
    unsigned refused;           /* VMs whose counters cannot be used */
    unsigned left_out;          /* VMs beyond SCAN_MAX_VMS */
    char *why;                  /* the last one was refused, or NULL */
} Scan;

/* More are no VMs but somebody's attempt to fill our memory. */
#define SCAN_MAX_VMS 1024

/* Processes that come or go meanwhile may be missing. Never blocks. */
Scan *scan_vms(void);
void scan_free(Scan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scan, scan_free)

/* The VM's namespace and name, from its domain's name and command line. */
void scan_name(Vm *vm, const char *name, const char *cmdline, size_t size);

#endif
