/*
 * Guest memory: what QEMU's address space holds, mapped in the partition.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_MEMORY_H
#define ACCEL_MSHV_MEMORY_H

#include "exec/hwaddr.h"

/* Follow the address space from now on. 0 or -errno. */
int mshv_memory_init(Error **errp);

/*
 * For an exit by unmapped memory at @gpa where QEMU's address space has RAM
 * or ROM; without the BQL. Whether it is mapped by now, because a change of
 * the address space was under way: then run the instruction again.
 */
bool mshv_memory_appeared(hwaddr gpa, bool write);

#endif
