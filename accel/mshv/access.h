/*
 * From an exit to the device that it is for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_ACCESS_H
#define ACCEL_MSHV_ACCESS_H

#include "exec/memory.h"
#include "vp.h"

/* Follow the address spaces from now on. */
void mshv_access_init(void);

/* Another one after each change of the address spaces. */
uint32_t mshv_access_version(void);

/*
 * What is at the @len bytes at @addr of guest memory, or of the ports if @io.
 *
 * Remembers what it finds, so that a device that is used often costs no walk.
 * Only @cpu's own thread may call this and what follows, within an RCU read
 * section and without the big lock. The region is good until the section's end,
 * the answer until the next call.
 */
const MshvAccess *mshv_access_find(CPUState *cpu, bool io, hwaddr addr,
                                   unsigned len, bool write);

/*
 * Read or write @count elements of @size bytes, all at the same address. As
 * with a real bus nothing fails: where nothing is, a read gives ones or what
 * QEMU says is there, and a write goes nowhere.
 */
void mshv_access_read(CPUState *cpu, bool io, hwaddr addr, void *buf,
                      unsigned size, unsigned count);
void mshv_access_write(CPUState *cpu, bool io, hwaddr addr, const void *buf,
                       unsigned size, unsigned count);

/*
 * The same for one element, but only if one call of a device is all that it
 * takes; else false, and nothing is done. Of @value, @size bytes are written;
 * what is read is zero-extended.
 */
bool mshv_access_device(CPUState *cpu, bool io, hwaddr addr, uint64_t *value,
                        unsigned size, bool write);

#endif
