/*
 * The GSI route table: which MSI each GSI of an irqfd stands for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_ROUTE_TABLE_H
#define ACCEL_MSHV_ROUTE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's limit (MSHV_MAX_GUEST_IRQS in mshv_root.h). */
#define MSHV_GSI_MAX 4096

typedef struct MshvRoute {
    uint64_t address;
    uint32_t data;
    bool used;
    bool routable;              /* the kernel can deliver it */
    void *device;               /* whose MSI it is */
} MshvRoute;

typedef struct MshvRouteTable {
    MshvRoute routes[MSHV_GSI_MAX];     /* by GSI; 0 is never used */
    bool changed;               /* since the flag was last cleared */
} MshvRouteTable;

/* One entry as the kernel has it: struct mshv_user_irq_entry. */
typedef struct MshvRouteEntry {
    uint32_t gsi;
    uint32_t address_lo;
    uint32_t address_hi;
    uint32_t data;
} MshvRouteEntry;

/* Take a free GSI for @route. Returns it, or -1 if there is none. */
int mshv_route_add(MshvRouteTable *table, const MshvRoute *route);

/* Set or free a GSI. Only what the kernel would see counts as a change. */
void mshv_route_set(MshvRouteTable *table, unsigned gsi,
                    const MshvRoute *route);
void mshv_route_free(MshvRouteTable *table, unsigned gsi);

/*
 * What to tell the kernel: the routable routes, at most MSHV_GSI_MAX of them,
 * into @entries. Returns their number.
 */
size_t mshv_route_list(const MshvRouteTable *table, MshvRouteEntry *entries);

#endif
