/*
 * The GSI route table: which MSI each GSI of an irqfd stands for.
 *
 * Knows no QEMU, so that a unit test can have it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "route-table.h"

/*
 * GSI 0 is left out: the kernel takes an irqfd of GSI 0 as valid in any case
 * and asserts vector 0 (mshv_assert_irq_slow in mshv_eventfd.c).
 */
#define FIRST_GSI 1

static bool kernel_sees(const MshvRoute *route)
{
    return route->used && route->routable;
}

int mshv_route_add(MshvRouteTable *table, const MshvRoute *route)
{
    unsigned gsi;

    for (gsi = FIRST_GSI; gsi < MSHV_GSI_MAX; gsi++) {
        if (!table->routes[gsi].used) {
            mshv_route_set(table, gsi, route);
            return gsi;
        }
    }
    return -1;
}

void mshv_route_set(MshvRouteTable *table, unsigned gsi,
                    const MshvRoute *route)
{
    MshvRoute *old = &table->routes[gsi];

    if (kernel_sees(old) != kernel_sees(route) ||
        (kernel_sees(route) && (old->address != route->address ||
                                old->data != route->data))) {
        table->changed = true;
    }
    *old = *route;
}

void mshv_route_free(MshvRouteTable *table, unsigned gsi)
{
    static const MshvRoute none;

    mshv_route_set(table, gsi, &none);
}

size_t mshv_route_list(const MshvRouteTable *table, MshvRouteEntry *entries)
{
    size_t n = 0;
    unsigned gsi;

    for (gsi = FIRST_GSI; gsi < MSHV_GSI_MAX; gsi++) {
        const MshvRoute *route = &table->routes[gsi];

        if (kernel_sees(route)) {
            entries[n++] = (MshvRouteEntry) {
                .gsi = gsi,
                .address_lo = route->address,
                .address_hi = route->address >> 32,
                .data = route->data,
            };
        }
    }
    return n;
}
