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
#include "hw/qdev-core.h"
#include "trace/trace-system.h"
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

/* Whether all that QEMU does for such an access is to call the device. */
static bool is_plain(const MemoryRegion *mr, hwaddr offset, unsigned len,
                     bool write)
{
    const MemoryRegionOps *ops = mr->ops;
    unsigned max = ops->valid.max_access_size;

    return (write ? ops->write != NULL : ops->read != NULL) &&
           ops->endianness != DEVICE_BIG_ENDIAN && !ops->valid.accepts &&
           !(offset & (len - 1)) &&
           (!max || (len >= ops->valid.min_access_size && len <= max)) &&
           len >= ops->impl.min_access_size &&
           len <= (ops->impl.max_access_size ?: 4) &&
           !mr->alias && !mr->subpage && !mr->ram && !mr->ram_device &&
           !mr->rom_device && !mr->readonly;
}

/* What can be done with what is at @addr: @offset in @mr. */
static MshvAccessKind kind_of(MemoryRegion *mr, hwaddr addr, hwaddr offset,
                              unsigned len, bool write)
{
    if (memory_access_is_direct(mr, write, MEMTXATTRS_UNSPECIFIED)) {
        return write && is_write_protected(addr) ? MSHV_ACCESS_PROTECTED
                                                 : MSHV_ACCESS_RAM;
    }
    if (len > 8 || !is_power_of_2(len) ||
        memory_access_size(mr, len, offset) != len) {
        return MSHV_ACCESS_OTHER;
    }
    return is_plain(mr, offset, len, write) ? MSHV_ACCESS_PLAIN
                                            : MSHV_ACCESS_CALL;
}

/* Never 0. A length is at most 64, or a page; an address has 52 bits. */
static uint64_t key_of(bool io, hwaddr addr, unsigned len, bool write)
{
    return 1ull << 63 | addr << 9 | (hwaddr)(len & 0x7f) << 2 |
           (hwaddr)write << 1 | io;
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
    a->version = now;
    /* What is found during a change is not remembered. */
    a->key = now & 1 ? 0 : key_of(io, addr, len, write);
}

static inline MshvAccess *lookup(CPUState *cpu, bool io, hwaddr addr,
                                 unsigned len, bool write)
{
    /* A register that is read and written needs two. */
    unsigned slot = (addr ^ addr >> 12 ^ write << 5) % MSHV_ACCESS_SLOTS;
    MshvAccess *a = &cpu->accel->accesses[slot];
    uint32_t now = qatomic_load_acquire(&version);

    if (unlikely(a->version != now ||
                 a->key != key_of(io, addr, len, write))) {
        find(a, io, addr, len, write, now);
    }
    return a;
}

const MshvAccess *mshv_access_find(CPUState *cpu, bool io, hwaddr addr,
                                   unsigned len, bool write)
{
    return lookup(cpu, io, addr, len, write);
}

/* ---- Calls of devices, with the big lock ---- */

static inline uint64_t low_bytes(uint64_t value, unsigned size)
{
    return value & UINT64_MAX >> (64 - size * 8);
}

/* Is there anything to do that can come and go without a new version? */
static bool is_watched(const MemoryRegion *mr)
{
    return mr->ioeventfd_nb || mr->flush_coalesced_mmio ||
           trace_event_get_state_backends(TRACE_MEMORY_REGION_OPS_READ) ||
           trace_event_get_state_backends(TRACE_MEMORY_REGION_OPS_WRITE);
}

static void call_slowly(const MshvAccess *a, uint64_t *value, unsigned size,
                        bool write)
{
    if (a->mr->flush_coalesced_mmio) {
        qemu_flush_coalesced_mmio_buffer();
    }
    if (write) {
        memory_region_dispatch_write(a->mr, a->offset, *value,
                                     size_memop(size),
                                     MEMTXATTRS_UNSPECIFIED);
    } else {
        *value = UINT64_MAX;
        memory_region_dispatch_read(a->mr, a->offset, value, size_memop(size),
                                    MEMTXATTRS_UNSPECIFIED);
        *value = low_bytes(*value, size);
    }
}

/*
 * As memory_region_dispatch_read() and _write(), for what is_plain(): most of
 * what they look at each time was looked at when the region was found.
 */
static inline QEMU_ALWAYS_INLINE void
call_plain(MemoryRegion *mr, hwaddr offset, uint64_t *value, unsigned size,
           bool write, bool *engaged)
{
    *engaged = true;
    if (write) {
        mr->ops->write(mr->opaque, offset, *value, size);
    } else {
        *value = low_bytes(mr->ops->read(mr->opaque, offset, size), size);
    }
    *engaged = false;
}

/* One element; @value has no bits beyond @size bytes. */
static inline QEMU_ALWAYS_INLINE void
call(const MshvAccess *a, uint64_t *value, unsigned size, bool write)
{
    MemoryRegion *mr = a->mr;
    /* QEMU lets no access into a device that is handling one. */
    bool none = false, *engaged = mr->dev && !mr->disable_reentrancy_guard
                            ? &mr->dev->mem_reentrancy_guard.engaged_in_io
                            : &none;

    if (likely(a->kind == MSHV_ACCESS_PLAIN && !is_watched(mr) && !*engaged)) {
        call_plain(mr, a->offset, value, size, write, engaged);
    } else {
        call_slowly(a, value, size, write);
    }
}

/*
 * Elements of @size bytes, all at @addr. A device may change the address space,
 * so each looks it up.
 */
static void access_all(CPUState *cpu, bool io, hwaddr addr, uint8_t *p,
                       unsigned size, unsigned count, bool write)
{
    AddressSpace *as = io ? &address_space_io : &address_space_memory;
    bool locked = false;
    uint64_t value;

    for (; count; count--, p += size) {
        const MshvAccess *a = lookup(cpu, io, addr, size, write);

        if (likely(a->kind >= MSHV_ACCESS_CALL)) {
            if (!locked) {
                bql_lock();
                locked = true;
            }
            value = write ? ldn_he_p(p, size) : 0;
            call(a, &value, size, write);
            if (!write) {
                stn_he_p(p, size, value);
            }
        } else if (!write) {
            memset(p, 0xff, size);
            address_space_read(as, addr, MEMTXATTRS_UNSPECIFIED, p, size);
        } else if (a->kind != MSHV_ACCESS_PROTECTED) {
            address_space_write(as, addr, MEMTXATTRS_UNSPECIFIED, p, size);
        }
    }
    if (locked) {
        bql_unlock();
    }
}

void mshv_access_read(CPUState *cpu, bool io, hwaddr addr, void *buf,
                      unsigned size, unsigned count)
{
    access_all(cpu, io, addr, buf, size, count, false);
}

void mshv_access_write(CPUState *cpu, bool io, hwaddr addr, const void *buf,
                       unsigned size, unsigned count)
{
    /* It only reads there. */
    access_all(cpu, io, addr, (uint8_t *)buf, size, count, true);
}

bool mshv_access_device(CPUState *cpu, bool io, hwaddr addr, uint64_t *value,
                        unsigned size, bool write)
{
    const MshvAccess *a = lookup(cpu, io, addr, size, write);

    if (unlikely(a->kind < MSHV_ACCESS_CALL)) {
        return false;
    }
    *value = low_bytes(*value, size);
    bql_lock();
    call(a, value, size, write);
    bql_unlock();
    return true;
}
