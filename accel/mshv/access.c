/*
 * From an exit to the device that it is for: the walk from an address to its
 * region, done once and remembered until the address space changes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "exec/address-spaces.h"
#include "access.h"
#include "vp.h"

/*
 * Odd while an address space changes, and another one after each change.
 *
 * Who finds it even and unchanged, in an RCU read section, may use a region
 * that was found at this version: the section began before the next change
 * did, and the region lives until it ends.
 */
static uint32_t version;

static void change_begins(MemoryListener *listener)
{
    qatomic_set_mb(&version, version + 1);
}

static void change_ends(MemoryListener *listener)
{
    qatomic_set_mb(&version, version + 1);
}

void mshv_access_init(void)
{
    /* QEMU calls these two for the changes of all address spaces. */
    static MemoryListener listener = {
        .name = "mshv-access",
        .begin = change_begins,
        .commit = change_ends,
    };

    memory_listener_register(&listener, &address_space_io);
}

/* What can be done with what is there. */
static MshvAccessKind kind_of(MemoryRegion *mr, hwaddr offset, unsigned len,
                              bool write)
{
    if (memory_access_is_direct(mr, write, MEMTXATTRS_UNSPECIFIED)) {
        return MSHV_ACCESS_RAM;
    }
    if (len <= 8 && is_power_of_2(len) &&
        memory_access_size(mr, len, offset) == len) {
        return MSHV_ACCESS_CALL;
    }
    return MSHV_ACCESS_OTHER;
}

static void find(MshvAccess *a, bool io, hwaddr addr, unsigned len, bool write,
                 uint32_t now)
{
    hwaddr found = len;

    a->mr = address_space_translate(io ? &address_space_io
                                       : &address_space_memory, addr,
                                    &a->offset, &found, write,
                                    MEMTXATTRS_UNSPECIFIED);
    a->kind = found < len ? MSHV_ACCESS_OTHER
                          : kind_of(a->mr, a->offset, len, write);
    a->addr = addr;
    a->version = now;
    /* What is found during a change is not remembered. */
    a->how = now & 1 ? 0 : len << 2 | write << 1 | io;
}

const MshvAccess *mshv_access_find(CPUState *cpu, bool io, hwaddr addr,
                                   unsigned len, bool write)
{
    /* A register that is read and written needs two. */
    unsigned slot = (addr ^ addr >> 12 ^ write << 5) % MSHV_ACCESS_SLOTS;
    MshvAccess *a = &cpu->accel->accesses[slot];
    uint32_t now = qatomic_load_acquire(&version);

    if (unlikely(a->version != now || a->addr != addr ||
                 a->how != (len << 2 | write << 1 | io))) {
        find(a, io, addr, len, write, now);
    }
    return a;
}

void mshv_access_read(CPUState *cpu, bool io, hwaddr addr, void *buf,
                      unsigned size, unsigned count)
{
    const MshvAccess *a = mshv_access_find(cpu, io, addr, size, false);
    /* A device may change the address space, and with it the slot. */
    MemoryRegion *mr = a->mr;
    hwaddr offset = a->offset;
    uint8_t *p = buf;
    bool locked;

    if (unlikely(a->kind != MSHV_ACCESS_CALL)) {
        memset(buf, 0xff, size * count);
        for (; count; count--, p += size) {
            address_space_read(io ? &address_space_io : &address_space_memory,
                               addr, MEMTXATTRS_UNSPECIFIED, p, size);
        }
        return;
    }
    locked = prepare_mmio_access(mr);
    for (; count; count--, p += size) {
        uint64_t value = UINT64_MAX;

        memory_region_dispatch_read(mr, offset, &value, size_memop(size),
                                    MEMTXATTRS_UNSPECIFIED);
        stn_he_p(p, size, value);
    }
    if (locked) {
        bql_unlock();
    }
}

void mshv_access_write(CPUState *cpu, bool io, hwaddr addr, const void *buf,
                       unsigned size, unsigned count)
{
    const MshvAccess *a = mshv_access_find(cpu, io, addr, size, true);
    MemoryRegion *mr = a->mr;
    hwaddr offset = a->offset;
    const uint8_t *p = buf;
    bool locked;

    if (unlikely(a->kind != MSHV_ACCESS_CALL)) {
        for (; count; count--, p += size) {
            address_space_write(io ? &address_space_io : &address_space_memory,
                                addr, MEMTXATTRS_UNSPECIFIED, p, size);
        }
        return;
    }
    locked = prepare_mmio_access(mr);
    for (; count; count--, p += size) {
        memory_region_dispatch_write(mr, offset, ldn_he_p(p, size),
                                     size_memop(size),
                                     MEMTXATTRS_UNSPECIFIED);
    }
    if (locked) {
        bql_unlock();
    }
}

bool mshv_access_device(CPUState *cpu, bool io, hwaddr addr, uint64_t *value,
                        unsigned size, bool write)
{
    const MshvAccess *a = mshv_access_find(cpu, io, addr, size, write);
    MemoryRegion *mr = a->mr;
    bool locked;

    if (unlikely(a->kind != MSHV_ACCESS_CALL)) {
        return false;
    }
    locked = prepare_mmio_access(mr);
    if (write) {
        memory_region_dispatch_write(mr, a->offset, *value, size_memop(size),
                                     MEMTXATTRS_UNSPECIFIED);
    } else {
        *value = UINT64_MAX;
        memory_region_dispatch_read(mr, a->offset, value, size_memop(size),
                                    MEMTXATTRS_UNSPECIFIED);
    }
    if (locked) {
        bql_unlock();
    }
    return true;
}
