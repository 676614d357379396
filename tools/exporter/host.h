/*
 * What there is to know about this host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef EXPORTER_HOST_H
#define EXPORTER_HOST_H

#include <stdbool.h>
#include "hvstats.h"
#include "scan.h"

typedef struct Host {
    Scan *scan;
    bool device_present;
    bool device_usable;
    bool device_unknown;        /* we may not try */
    char *module;               /* version of mshv_root, "" */
    char *kernel;
    uint64_t memory_total;      /* bytes */
    uint64_t memory_available;
    HvStats *hv;                /* NULL: see hv_why */
    char *hv_why;
} Host;

Host *host_look(void);
void host_free(Host *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Host, host_free)

#endif
