/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: hypercalls about memory.
 */
#include "qemu/osdep.h"
#include "mshv-compat/memory.h"
#include "hw/i386/apic.h"
#include "hw/i386/apic_internal.h"
#include "hw/emuhv/hcall/hcall-int.h"
#include "hw/emuhv/memory/memory.h"

#define LARGE_PAGES     512u        /* 4 KiB pages in a 2 MiB page */
#define MAX_PFN         (1ull << (52 - EMUHV_PAGE_BITS))
#define MAP_FLAGS       (HV_MAP_GPA_PERMISSIONS_MASK | HV_MAP_GPA_ADJUSTABLE | \
                         HV_MAP_GPA_NO_ACCESS | HV_MAP_GPA_NOT_CACHED | \
                         HV_MAP_GPA_LARGE_PAGE)

/* { u64 id } { u64 pfn } rep */
static uint16_t deposit_memory(EmuhvHcall *c)
{
    unsigned n = c->rep_count - c->rep_start;
    g_autofree uint64_t *pfns = g_new(uint64_t, n);
    uint16_t status;

    for (unsigned i = 0; i < n; i++) {
        pfns[i] = ldq_le_p(c->list + 8 * (c->rep_start + i));
    }
    status = emuhv_deposit(c->p, pfns, n);
    if (status == HV_STATUS_SUCCESS) {
        c->rep_done = c->rep_count;
    }
    return status;
}

/* { u64 id; u64 proximity } -> { u64 pfn } rep */
static uint16_t withdraw_memory(EmuhvHcall *c)
{
    unsigned n = c->rep_count - c->rep_start;
    g_autofree uint64_t *pfns = g_new(uint64_t, n);

    n = emuhv_withdraw(c->p, pfns, n);
    for (unsigned i = 0; i < n; i++) {
        stq_le_p(c->out + 8 * (c->rep_start + i), pfns[i]);
    }
    c->rep_done = c->rep_start + n;
    return c->rep_done < c->rep_count ? HV_STATUS_NO_RESOURCES :
                                        HV_STATUS_SUCCESS;
}

/*
 * A page of a passed-through device: its memory region is not RAM.  Never the
 * local APICs: which one answers there depends on the CPU that asks.
 */
static bool device_page(uint64_t pfn)
{
    hwaddr gpa = pfn << EMUHV_PAGE_BITS;
    MemoryRegionSection found;

    if (gpa >= APIC_DEFAULT_ADDRESS &&
        gpa < APIC_DEFAULT_ADDRESS + APIC_SPACE_SIZE) {
        return false;
    }
    found = memory_region_find(get_system_memory(), gpa, EMUHV_PAGE_SIZE);
    if (!found.mr) {
        return false;
    }
    memory_region_unref(found.mr);
    return found.offset_within_address_space == gpa &&
           int128_get64(found.size) == EMUHV_PAGE_SIZE;
}

static bool source_valid(uint64_t pfn, unsigned pages, uint32_t flags)
{
    if (pfn >= MAX_PFN || (pfn & (pages - 1))) {
        return false;
    }
    if (emuhv_ram_valid(pfn << EMUHV_PAGE_BITS,
                        (size_t)pages << EMUHV_PAGE_BITS)) {
        return true;
    }
    return (flags & HV_MAP_GPA_NOT_CACHED) && pages == 1 && device_page(pfn);
}

/* { u64 id; u64 gfn; u32 flags; u32 } { u64 pfn } rep */
static uint16_t map_gpa_pages(EmuhvHcall *c)
{
    uint64_t gfn = hcall_u64(c, 8);
    uint32_t flags = hcall_u32(c, 16);
    bool no_access = flags & HV_MAP_GPA_NO_ACCESS;
    uint32_t prot = no_access ? 0 : flags & HV_MAP_GPA_PERMISSIONS_MASK;
    unsigned pages = flags & HV_MAP_GPA_LARGE_PAGE ? LARGE_PAGES : 1;
    uint64_t n = (uint64_t)c->rep_count * pages;
    uint16_t status = HV_STATUS_SUCCESS;
    unsigned i;

    if ((flags & ~MAP_FLAGS) || (gfn & (pages - 1)) ||
        gfn >= emuhv_stage2_max_gfn() || n > emuhv_stage2_max_gfn() - gfn) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (c->p->state == EMUHV_PARTITION_FINALIZED) {
        /* The parent's memory notifiers may come late with NO_ACCESS. */
        c->rep_done = no_access ? c->rep_count : c->rep_start;
        return no_access ? HV_STATUS_SUCCESS :
                           HV_STATUS_INVALID_PARTITION_STATE;
    }
    for (i = c->rep_start; i < c->rep_count; i++) {
        uint64_t pfn = ldq_le_p(c->list + 8 * i);

        if (no_access) {
            pfn = 0;
        } else if (!source_valid(pfn, pages, flags)) {
            status = HV_STATUS_INVALID_PARAMETER;
            break;
        }
        if (!emuhv_stage2_map(c->p, gfn + (uint64_t)i * pages, pfn, pages,
                              prot)) {
            status = HV_STATUS_NO_RESOURCES;
            break;
        }
    }
    c->rep_done = i;
    n = (uint64_t)(i - c->rep_start) * pages;
    c->p->account->map_calls++;
    if (!no_access) {
        c->p->account->mapped_pages += n;
        emuhv_counters.pages_mapped += n;
    }
    trace_emuhv_map(c->p->id, gfn, n, flags);
    emuhv_stage2_commit(c->p);
    return status;
}

/* { u64 id; u64 gfn; u32 flags; u32 }, reps without elements */
static uint16_t unmap_gpa_pages(EmuhvHcall *c)
{
    uint64_t gfn = hcall_u64(c, 8);
    uint32_t flags = hcall_u32(c, 16);
    unsigned pages = flags & HV_UNMAP_GPA_LARGE_PAGE ? LARGE_PAGES : 1;
    uint64_t n = (uint64_t)(c->rep_count - c->rep_start) * pages;
    uint64_t first = (uint64_t)c->rep_start * pages;

    if ((flags & ~HV_UNMAP_GPA_LARGE_PAGE) || (gfn & (pages - 1)) ||
        gfn >= emuhv_stage2_max_gfn() ||
        first + n > emuhv_stage2_max_gfn() - gfn) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    c->rep_done = c->rep_count;
    trace_emuhv_unmap(c->p->id, gfn + first, n);
    if (c->p->state != EMUHV_PARTITION_FINALIZED) {
        c->p->account->map_calls++;
        c->p->account->unmapped_pages += n;
        emuhv_stage2_unmap(c->p, gfn + first, n);
        emuhv_stage2_commit(c->p);
    }
    return HV_STATUS_SUCCESS;
}

/* { u64 id; u64 flags; u64 gfn } -> { u8 state } rep */
static uint16_t get_access_states(EmuhvHcall *c)
{
    uint64_t flags = hcall_u64(c, 8);
    uint64_t gfn = hcall_u64(c, 16);
    unsigned i;

    /* Clear and set of the same bit exclude each other. */
    if ((flags & ~0xfull) || (flags & 3) == 3 || (flags & 0xc) == 0xc ||
        gfn >= emuhv_stage2_max_gfn() ||
        c->rep_count > emuhv_stage2_max_gfn() - gfn) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    for (i = c->rep_start; i < c->rep_count; i++) {
        if (!emuhv_stage2_is_mapped(c->p, gfn + i)) {
            break;
        }
        c->out[i] = emuhv_stage2_access_state(c->p, gfn + i, flags);
    }
    c->rep_done = i;
    if (flags) {
        emuhv_stage2_commit(c->p);
    }
    return c->rep_done < c->rep_count ? HV_STATUS_INVALID_PARAMETER :
                                        HV_STATUS_SUCCESS;
}

const EmuhvHcallDef emuhv_hcalls_memory[] = {
    { HVCALL_DEPOSIT_MEMORY, HCALL_PARTITION | HCALL_REP, 8, 0, 8, 0,
      "DEPOSIT_MEMORY", deposit_memory },
    { HVCALL_WITHDRAW_MEMORY, HCALL_PARTITION | HCALL_REP, 16, 0, 0, 8,
      "WITHDRAW_MEMORY", withdraw_memory },
    { HVCALL_MAP_GPA_PAGES, HCALL_CHILD | HCALL_REP | HCALL_MEMORY, 24, 0, 8, 0,
      "MAP_GPA_PAGES", map_gpa_pages },
    { HVCALL_UNMAP_GPA_PAGES, HCALL_CHILD | HCALL_REP, 24, 0, 0, 0,
      "UNMAP_GPA_PAGES", unmap_gpa_pages },
    { HVCALL_GET_GPA_PAGES_ACCESS_STATES, HCALL_ACTIVE | HCALL_REP, 24, 0, 0, 1,
      "GET_GPA_PAGES_ACCESS_STATES", get_access_states },
    {}
};
