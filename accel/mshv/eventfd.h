/*
 * ioeventfd: writes of the guest that become events without an exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_EVENTFD_H
#define ACCEL_MSHV_EVENTFD_H

#include "mshv-compat/memory.h"

/* MemoryListener's eventfd_add and eventfd_del, for memory. */
void mshv_eventfd_add(MemoryListener *listener, MemoryRegionSection *section,
                      bool match_data, uint64_t data, EventNotifier *e);
void mshv_eventfd_del(MemoryListener *listener, MemoryRegionSection *section,
                      bool match_data, uint64_t data, EventNotifier *e);

#endif
