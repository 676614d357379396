/*
 * Guest memory: what QEMU's address space holds, mapped in the partition.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_MEMORY_H
#define ACCEL_MSHV_MEMORY_H

#include "exec/hwaddr.h"
#include "hw/core/cpu.h"

/* Follow the address space from now on. 0 or -errno. */
int mshv_memory_init(Error **errp);

/* Changes with each change of what is mapped; odd while one is under way. */
uint32_t mshv_memory_version(void);

/*
 * For an exit by memory at @gpa; without the BQL. Whether it is mapped by now,
 * because a change of the address space was under way when @cpu ran: then run
 * the instruction again. Cheap if there was none.
 */
bool mshv_memory_appeared(CPUState *cpu, hwaddr gpa, bool write);

#endif
