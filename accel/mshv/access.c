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

uint32_t mshv_access_version(void)
{
    return qatomic_read(&version);
}

/*
 * Of RAM: can it be seen at @addr, but not written there (shadow RAM)? The
 * region itself does not tell: it may be writable elsewhere.
 */
static bool is_write_protected(hwaddr addr)
{
    MemoryRegionSection section = memory_region_find(get_system_memory(), addr,
                                                     1);
    bool found = section.mr && section.readonly &&
                 memory_region_is_ram(section.mr);

    if (section.mr) {
        memory_region_unref(section.mr);
    }
    return found;
}

/* What can be done with what is at @addr: @offset in @mr. */
static MshvAccessKind kind_of(MemoryRegion *mr, hwaddr addr, hwaddr offset,
                              unsigned len, bool write)
{
    if (memory_access_is_direct(mr, write, MEMTXATTRS_UNSPECIFIED)) {
        return write && is_write_protected(addr) ? MSHV_ACCESS_PROTECTED
                                                 : MSHV_ACCESS_RAM;
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
                          : kind_of(a->mr, addr, a->offset, len, write);
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

/* What the region of @a reads, or is written. Needs the big lock. */
static uint64_t call_read(const MshvAccess *a, unsigned size)
{
    uint64_t value = UINT64_MAX;

    memory_region_dispatch_read(a->mr, a->offset, &value, size_memop(size),
                                MEMTXATTRS_UNSPECIFIED);
    return extract64(value, 0, size * 8);
}

static void call_write(const MshvAccess *a, unsigned size, uint64_t value)
{
    memory_region_dispatch_write(a->mr, a->offset,
                                 extract64(value, 0, size * 8),
                                 size_memop(size), MEMTXATTRS_UNSPECIFIED);
}

/*
 * Take the big lock, once for all elements, if @a's region needs it: a device
 * may change the address space, so each element looks it up again.
 */
static bool lock(const MshvAccess *a, bool locked)
{
    return prepare_mmio_access(a->mr) || locked;
}

void mshv_access_read(CPUState *cpu, bool io, hwaddr addr, void *buf,
                      unsigned size, unsigned count)
{
    AddressSpace *as = io ? &address_space_io : &address_space_memory;
    bool locked = false;
    uint8_t *p = buf;

    for (; count; count--, p += size) {
        const MshvAccess *a = mshv_access_find(cpu, io, addr, size, false);

        if (likely(a->kind == MSHV_ACCESS_CALL)) {
            locked = lock(a, locked);
            stn_he_p(p, size, call_read(a, size));
        } else {
            memset(p, 0xff, size);
            address_space_read(as, addr, MEMTXATTRS_UNSPECIFIED, p, size);
        }
    }
    if (locked) {
        bql_unlock();
    }
}

void mshv_access_write(CPUState *cpu, bool io, hwaddr addr, const void *buf,
                       unsigned size, unsigned count)
{
    AddressSpace *as = io ? &address_space_io : &address_space_memory;
    const uint8_t *p = buf;
    bool locked = false;

    for (; count; count--, p += size) {
        const MshvAccess *a = mshv_access_find(cpu, io, addr, size, true);

        if (likely(a->kind == MSHV_ACCESS_CALL)) {
            locked = lock(a, locked);
            call_write(a, size, ldn_he_p(p, size));
        } else if (a->kind != MSHV_ACCESS_PROTECTED) {
            address_space_write(as, addr, MEMTXATTRS_UNSPECIFIED, p, size);
        }
    }
    if (locked) {
        bql_unlock();
    }
}

bool mshv_access_device(CPUState *cpu, bool io, hwaddr addr, uint64_t *value,
                        unsigned size, bool write)
{
    const MshvAccess *a = mshv_access_find(cpu, io, addr, size, write);
    bool locked;

    if (unlikely(a->kind != MSHV_ACCESS_CALL)) {
        return false;
    }
    locked = prepare_mmio_access(a->mr);
    if (write) {
        call_write(a, size, *value);
    } else {
        *value = call_read(a, size);
    }
    if (locked) {
        bql_unlock();
    }
    return true;
}
