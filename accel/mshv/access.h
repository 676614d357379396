/*
 * From an exit to the device that it is for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_ACCESS_H
#define ACCEL_MSHV_ACCESS_H

#include "qemu/main-loop.h"
#include "mshv-compat/memory.h"
#include "trace/trace-system.h"
#include "vp.h"

/* Follow the address spaces from now on. */
void mshv_access_init(void);

/* Forget what was found for @cpu, which now sees other memory. */
void mshv_access_forget(CPUState *cpu);

/*
 * Odd while an address space changes, and another one after each change.
 *
 * Who finds it even and unchanged, in an RCU read section, may use a region
 * that was found at this version: the section began before the next change
 * did, and the region lives until it ends.
 */
extern uint32_t mshv_access_version;

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

/* ---- The short way, for most exits ---- */

/* Never 0: no length is. */
static inline uint32_t mshv_access_what(bool io, unsigned len, bool write)
{
    return len << 2 | write << 1 | io;
}

/* Find out what is there; call a device by QEMU's own means, with the lock. */
MshvAccess *mshv_access_fill(CPUState *cpu, bool io, hwaddr addr, unsigned len,
                             bool write);
void mshv_access_dispatch(const MshvAccess *a, uint64_t *value, unsigned size,
                          bool write);

/* As mshv_access_device() below. */
bool mshv_access_call(const MshvAccess *a, uint64_t *value, unsigned size,
                      bool write);

/* A register that is read and written needs two. */
static inline MshvAccess *mshv_access_slot(CPUState *cpu, bool io, hwaddr addr,
                                           bool write)
{
    unsigned slot = (io ? addr : addr ^ addr >> 12) ^ write << 5;

    return &cpu->accel->accesses[slot % MSHV_ACCESS_SLOTS];
}

static inline MshvAccess *mshv_access_lookup(CPUState *cpu, bool io,
                                             hwaddr addr, unsigned len,
                                             bool write)
{
    MshvAccess *a = mshv_access_slot(cpu, io, addr, write);

    if (unlikely(a->version != qatomic_load_acquire(&mshv_access_version) ||
                 a->addr != addr ||
                 a->what != mshv_access_what(io, len, write))) {
        return mshv_access_fill(cpu, io, addr, len, write);
    }
    return a;
}

/* Whether what was at @addr last, with any length, was a device. */
static inline bool mshv_access_was_device(CPUState *cpu, hwaddr addr,
                                          bool write)
{
    const MshvAccess *a = mshv_access_slot(cpu, false, addr, write);

    return a->version == qatomic_load_acquire(&mshv_access_version) &&
           a->addr == addr && a->kind >= MSHV_ACCESS_CALL &&
           (a->what & 3) == mshv_access_what(false, 0, write);
}

/* Of @size bytes, a power of two up to 8, all ones. */
extern const uint64_t mshv_ones[9];

/*
 * One call of a device, with the big lock. As it is plain, most of what
 * memory_region_dispatch_read() and _write() look at each time was looked at
 * when the region was found.
 */
static inline QEMU_ALWAYS_INLINE void
mshv_access_plain(const MshvAccess *a, uint64_t *value, unsigned size,
                  bool write)
{
    bool *engaged = a->engaged;

    /* QEMU lets no access into a device that is handling one. */
    if (unlikely(*engaged ||
                 trace_event_get_state_backends(
                     TRACE_MEMORY_REGION_OPS_READ) ||
                 trace_event_get_state_backends(
                     TRACE_MEMORY_REGION_OPS_WRITE))) {
        mshv_access_dispatch(a, value, size, write);
        return;
    }
    *engaged = true;
    if (write) {
        a->write(a->opaque, a->offset, *value, size);
    } else {
        *value = a->read(a->opaque, a->offset, size) & mshv_ones[size];
    }
    *engaged = false;
}

/*
 * Read or write one element of @size bytes, a power of two up to 8, if one
 * call of a device is all that it takes; else false, and nothing is done.
 * @value has no bits beyond @size bytes. In an RCU read section, without the
 * big lock.
 */
static inline QEMU_ALWAYS_INLINE bool
mshv_access_device(CPUState *cpu, bool io, hwaddr addr, uint64_t *value,
                   unsigned size, bool write)
{
    const MshvAccess *a = mshv_access_lookup(cpu, io, addr, size, write);

    if (unlikely(a->kind != MSHV_ACCESS_PLAIN)) {
        return mshv_access_call(a, value, size, write);
    }
    bql_lock();
    mshv_access_plain(a, value, size, write);
    bql_unlock();
    return true;
}

#endif
