/*
 * Memory that is hidden from all but the VPs inside a rendezvous
 * (rendezvous.h): where it is, and when the partition has it.
 *
 * All with the BQL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_HIDDEN_H
#define ACCEL_MSHV_HIDDEN_H

#include "mshv-compat/memory.h"

/*
 * The regions in @hidden are what VPs inside see where they are, instead of
 * what everybody sees.
 */
void mshv_hidden_init(MemoryRegion *hidden);

/* What VPs inside see. Its root is for a CPU's own address space. */
extern AddressSpace mshv_inside_space;
bool mshv_hidden_exists(void);

/*
 * Map it in the partition, or no longer, while no VP runs that may not see it.
 * After an error of the first nothing of it is mapped, or the error says so;
 * after one of the second some of it may be.
 */
int mshv_hidden_show(Error **errp);
int mshv_hidden_hide(Error **errp);

/* Whether one of @size bytes at @gpa is of it. */
bool mshv_hidden_has(hwaddr gpa, hwaddr size);

/* What everybody sees changes at @section, when hidden memory may be there. */
void mshv_hidden_make_way(const MemoryRegionSection *section);

#endif
