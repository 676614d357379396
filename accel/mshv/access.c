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
#include "mshv-compat/memory.h"
#include "hw/qdev-core.h"
#include "trace/trace-system.h"
#include "access.h"
#include "hidden.h"
#include "vp.h"

uint32_t mshv_access_version;

/* Odd while changes are under way: see mshv_access_fill(). */
static void advance(unsigned by)
{
    qatomic_set_mb(&mshv_access_version, mshv_access_version + by);
}

static void change_begins_or_ends(MemoryListener *listener)
{
    advance(1);
}

static void eventfd_changes(MemoryListener *listener,
                            MemoryRegionSection *section, bool match_data,
                            uint64_t data, EventNotifier *e)
{
    advance(2);
}

void mshv_access_init(void)
{
    /* QEMU calls the first two for the changes of all address spaces. */
    static MemoryListener of_ports = {
        .name = "mshv-access-io",
        .begin = change_begins_or_ends,
        .commit = change_begins_or_ends,
        .eventfd_add = eventfd_changes,
        .eventfd_del = eventfd_changes,
    };
    static MemoryListener of_memory = {
        .name = "mshv-access-memory",
        .eventfd_add = eventfd_changes,
        .eventfd_del = eventfd_changes,
    };

    memory_listener_register(&of_ports, &address_space_io);
    memory_listener_register(&of_memory, &address_space_memory);
}

/* A VP inside a rendezvous (rendezvous.h) sees more, and says that it is. */
static AddressSpace *space_of(CPUState *cpu, bool io)
{
    return io ? &address_space_io :
           cpu->accel->inside && mshv_hidden_exists() ? &mshv_inside_space
                                                      : &address_space_memory;
}

static MemTxAttrs attrs_of(CPUState *cpu)
{
    return cpu->accel->inside ? (MemTxAttrs) { .secure = 1 }
                              : MEMTXATTRS_UNSPECIFIED;
}

void mshv_access_forget(CPUState *cpu)
{
    unsigned i;

    for (i = 0; i < MSHV_ACCESS_SLOTS; i++) {
        cpu->accel->accesses[i].what = 0;
    }
}

/*
 * Of RAM: can it be seen at @addr, but not written there (shadow RAM)? The
 * region itself does not tell: it may be writable elsewhere.
 */
static bool is_write_protected(CPUState *cpu, hwaddr addr)
{
    MemoryRegionSection section = memory_region_find(space_of(cpu, false)->root,
                                                     addr, 1);
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
           !mr->ioeventfd_nb &&
           !(offset & (len - 1)) &&
           (!max || (len >= ops->valid.min_access_size && len <= max)) &&
           len >= ops->impl.min_access_size &&
           len <= (ops->impl.max_access_size ?: 4) &&
           !mr->alias && !mr->subpage && !mr->ram && !mr->ram_device &&
           !mr->rom_device && !mr->readonly;
}

/* What can be done with what is at @addr: @offset in @mr. */
static MshvAccessKind kind_of(CPUState *cpu, MemoryRegion *mr, hwaddr addr,
                              hwaddr offset, unsigned len, bool write)
{
    if (memory_access_is_direct(mr, write, attrs_of(cpu))) {
        return write && is_write_protected(cpu, addr) ? MSHV_ACCESS_PROTECTED
                                                 : MSHV_ACCESS_RAM;
    }
    /* QEMU's way to it takes the big lock only where it must. */
    if (mshv_region_lockless(mr) || len > 8 || !is_power_of_2(len) ||
        memory_access_size(mr, len, offset) != len) {
        return MSHV_ACCESS_OTHER;
    }
    return is_plain(mr, offset, len, write) ? MSHV_ACCESS_PLAIN
                                            : MSHV_ACCESS_CALL;
}

MshvAccess *mshv_access_fill(CPUState *cpu, bool io, hwaddr addr, unsigned len,
                             bool write)
{
    static bool nobody_engaged;
    MshvAccess *a = mshv_access_slot(cpu, io, addr, write);
    uint32_t now = qatomic_load_acquire(&mshv_access_version);
    hwaddr found = len;

    a->mr = address_space_translate(space_of(cpu, io), addr, &a->offset,
                                    &found, write, attrs_of(cpu));
    a->kind = found < len ? MSHV_ACCESS_OTHER
                          : kind_of(cpu, a->mr, addr, a->offset, len, write);
    if (a->kind == MSHV_ACCESS_PLAIN) {
        a->opaque = a->mr->opaque;
        if (write) {
            a->write = a->mr->ops->write;
        } else {
            a->read = a->mr->ops->read;
        }
        a->engaged = a->mr->dev && !a->mr->disable_reentrancy_guard
                     ? &a->mr->dev->mem_reentrancy_guard.engaged_in_io
                     : &nobody_engaged;
    }
    a->version = now;
    a->addr = addr;
    /* What is found during a change is not remembered. */
    a->what = now & 1 ? 0 : mshv_access_what(io, len, write);
    return a;
}

const MshvAccess *mshv_access_find(CPUState *cpu, bool io, hwaddr addr,
                                   unsigned len, bool write)
{
    return mshv_access_lookup(cpu, io, addr, len, write);
}

/* ---- Calls of devices ---- */

const uint64_t mshv_ones[9] = {
    [1] = UINT8_MAX, [2] = UINT16_MAX, [4] = UINT32_MAX, [8] = UINT64_MAX,
};

void mshv_access_dispatch(const MshvAccess *a, uint64_t *value, unsigned size,
                          bool write)
{
    MemTxAttrs attrs = attrs_of(current_cpu);

    if (write) {
        memory_region_dispatch_write(a->mr, a->offset, *value,
                                     size_memop(size), attrs);
    } else {
        *value = UINT64_MAX;
        memory_region_dispatch_read(a->mr, a->offset, value, size_memop(size),
                                    attrs);
        *value &= mshv_ones[size];
    }
}

bool mshv_access_call(const MshvAccess *a, uint64_t *value, unsigned size,
                      bool write)
{
    if (a->kind < MSHV_ACCESS_CALL) {
        return false;
    }
    bql_lock();
    mshv_access_dispatch(a, value, size, write);
    bql_unlock();
    return true;
}

/*
 * Elements of @size bytes, all at @addr. A device may change the address space,
 * so each looks it up.
 */
static void access_all(CPUState *cpu, bool io, hwaddr addr, uint8_t *p,
                       unsigned size, unsigned count, bool write)
{
    AddressSpace *as = space_of(cpu, io);
    bool locked = false;
    uint64_t value;

    for (; count; count--, p += size) {
        const MshvAccess *a = mshv_access_lookup(cpu, io, addr, size, write);

        if (likely(a->kind >= MSHV_ACCESS_CALL)) {
            if (!locked) {
                bql_lock();
                locked = true;
            }
            value = write ? ldn_he_p(p, size) : 0;
            if (likely(a->kind == MSHV_ACCESS_PLAIN)) {
                mshv_access_plain(a, &value, size, write);
            } else {
                mshv_access_dispatch(a, &value, size, write);
            }
            if (!write) {
                stn_he_p(p, size, value);
            }
        } else if (!write) {
            memset(p, 0xff, size);
            address_space_read(as, addr, attrs_of(cpu), p, size);
        } else if (a->kind != MSHV_ACCESS_PROTECTED) {
            address_space_write(as, addr, attrs_of(cpu), p, size);
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
