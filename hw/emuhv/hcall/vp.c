/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: hypercalls about VPs, their registers and
 * their state.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/hcall/hcall-int.h"
#include "hw/emuhv/vp/vp.h"

#define ASSOC_SIZE          32      /* HV_REGISTER_ASSOC */
#define VALUE_SIZE          16      /* HV_REGISTER_VALUE */
#define STATE_HEADER        40
#define STATE_INLINE_MAX    200     /* synthetic timers */
#define SUBNODE_COUNT       4

/* { u64 id; u32 vp; u8[3]; u8 subnode; u64; u64 proximity; u64 flags } */
static uint16_t create_vp(EmuhvHcall *c)
{
    /* Flags are for VPs of a root partition. */
    if (hcall_u8(c, 15) >= SUBNODE_COUNT || hcall_u64(c, 32)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return emuhv_partition_create_vp(c->p, hcall_u32(c, 8));
}

/* { u64 id; u32 vp; u32 } */
static uint16_t delete_vp(EmuhvHcall *c)
{
    return emuhv_partition_delete_vp(c->p, hcall_u32(c, 8));
}

/* ---- Registers ---- */

/* { u64 id; u32 vp; u8 vtl; u8[3] } { u32 name } -> { 16 bytes } rep */
static uint16_t get_registers(EmuhvHcall *c)
{
    unsigned n = c->rep_count - c->rep_start, done = 0;
    g_autofree uint32_t *names = g_new(uint32_t, n);
    g_autofree EmuhvRegVal *vals = g_new0(EmuhvRegVal, n);
    uint64_t signals = c->vp->sched->signals;
    uint16_t status = HV_STATUS_SUCCESS;

    if (!hcall_vtl0(c, 12)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    for (unsigned i = 0; i < n; i++) {
        names[i] = ldl_le_p(c->list + 4 * (c->rep_start + i));
    }
    while (done < n && status == HV_STATUS_SUCCESS) {
        unsigned run = done, got = 0;

        if (names[done] == HV_REGISTER_VP_ROOT_SIGNAL_COUNT) {
            vals[done++].u64[0] = signals;
            continue;
        }
        while (run < n && names[run] != HV_REGISTER_VP_ROOT_SIGNAL_COUNT) {
            run++;
        }
        /* The VP may go while the BQL is dropped: look it up each time. */
        c->vp = emuhv_partition_vp(c->p, hcall_u32(c, 8));
        if (!c->vp) {
            return HV_STATUS_INVALID_VP_INDEX;
        }
        status = emuhv_vp_get_regs(c->vp, names + done, vals + done,
                                   run - done, &got);
        done += got;
    }
    memcpy(c->out + VALUE_SIZE * c->rep_start, vals, VALUE_SIZE * done);
    c->rep_done = c->rep_start + done;
    return status;
}

/* { u64 id; u32 vp; u8 vtl; u8[3] } { u32 name; u32[3]; 16 bytes } rep */
static uint16_t set_registers(EmuhvHcall *c)
{
    const EmuhvRegAssoc *regs =
        (const EmuhvRegAssoc *)(c->list + ASSOC_SIZE * c->rep_start);
    unsigned n = c->rep_count - c->rep_start, done = 0;
    uint16_t status;

    QEMU_BUILD_BUG_ON(sizeof(EmuhvRegAssoc) != ASSOC_SIZE);
    if (!hcall_vtl0(c, 12)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    for (unsigned i = 0; i < n; i++) {
        uint32_t name = le32_to_cpu(regs[i].name);

        if (name == HV_REGISTER_EXPLICIT_SUSPEND ||
            name == HV_REGISTER_INTERCEPT_SUSPEND) {
            /* Who lets the VP run gets its messages. */
            c->vp->sched->home = c->pc->index;
        }
    }
    status = emuhv_vp_set_regs(c->vp, regs, n, &done);
    c->rep_done = c->rep_start + done;
    return status;
}

/*
 * { u64 id; u32 vp; u32; u64 flags; u64 gva_page }
 * -> { u32 code; u32 cache_overlay; u64 gpa_page }
 */
static uint16_t translate(EmuhvHcall *c)
{
    uint32_t code = 0, cache_overlay = 0;
    uint64_t gpa_page = 0;
    uint16_t status = emuhv_vp_translate(c->vp, hcall_u64(c, 16),
                                         hcall_u64(c, 24), &code,
                                         &cache_overlay, &gpa_page);

    stl_le_p(c->out, code);
    stl_le_p(c->out + 4, cache_overlay);
    stq_le_p(c->out + 8, gpa_page);
    return status;
}

/* { u64 id; u32 vp; u32[3] } { u32 eax, ecx } -> { u32 eax..edx } rep */
static uint16_t get_cpuid_values(EmuhvHcall *c)
{
    for (unsigned i = c->rep_start; i < c->rep_count; i++) {
        uint32_t r[4];

        emuhv_vp_cpuid(c->vp, ldl_le_p(c->list + 8 * i),
                       ldl_le_p(c->list + 8 * i + 4), r);
        for (unsigned j = 0; j < 4; j++) {
            stl_le_p(c->out + 16 * i + 4 * j, r[j]);
        }
    }
    c->rep_done = c->rep_count;
    return HV_STATUS_SUCCESS;
}

/* ---- State pages ---- */

/*
 * { u64 id; u32 vp; u16 type; u8 vtl; u8 provided; u64 pfn } -> { u64 pfn }
 * The parent always provides the page (VMM capability bit 1).
 */
static uint16_t map_state_page(EmuhvHcall *c)
{
    uint16_t type = hcall_u16(c, 12);
    uint64_t pfn = hcall_u64(c, 16);
    uint16_t status;

    if (type > HV_VP_STATE_PAGE_INTERCEPT_MESSAGE || !hcall_vtl0(c, 14) ||
        !(hcall_u8(c, 15) & 1) || pfn >> (52 - EMUHV_PAGE_BITS) ||
        !emuhv_ram_valid(pfn << EMUHV_PAGE_BITS, EMUHV_PAGE_SIZE)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    status = emuhv_vp_map_page(c->vp, type, pfn);
    stq_le_p(c->out, pfn);
    return status;
}

/* { u64 id; u32 vp; u16 type; u8 vtl; u8 } */
static uint16_t unmap_state_page(EmuhvHcall *c)
{
    uint16_t type = hcall_u16(c, 12);

    if (type > HV_VP_STATE_PAGE_INTERCEPT_MESSAGE || !hcall_vtl0(c, 14) ||
        emuhv_vp_page(c->vp, type) == EMUHV_NO_PFN) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return emuhv_vp_map_page(c->vp, type, EMUHV_NO_PFN);
}

/* ---- VP state ---- */

/* The VP layer's number of HV_GET_SET_VP_STATE_*; false: no such type. */
static bool state_type(const EmuhvHcall *c, unsigned *type, bool *pages)
{
    uint32_t code = hcall_u32(c, 16);

    *pages = code & HV_GET_SET_VP_STATE_TYPE_PFN;
    *type = code & ~HV_GET_SET_VP_STATE_TYPE_PFN;
    return *type <= 4 && *pages == (*type < 4);
}

/* Are the pages of the variable header all RAM? */
static bool state_pages_valid(const EmuhvHcall *c)
{
    for (size_t i = 0; i < c->var_len; i += 8) {
        uint64_t pfn = ldq_le_p(c->var + i);

        if (pfn >> (52 - EMUHV_PAGE_BITS) ||
            !emuhv_ram_valid(pfn << EMUHV_PAGE_BITS, EMUHV_PAGE_SIZE)) {
            return false;
        }
    }
    return c->var_len;
}

/*
 * { u64 id; u32 vp; u8 vtl; u8[3]; u32 type; u32; u64 xsave_flags; u64 xfem }
 * { u64 pfn } variable header -> 200 bytes (timers only)
 */
static uint16_t get_state(EmuhvHcall *c)
{
    size_t size = c->var_len / 8 * EMUHV_PAGE_SIZE, len = 0;
    g_autofree uint8_t *buf = NULL;
    unsigned type;
    bool pages;
    uint16_t status;

    if (!state_type(c, &type, &pages) || !hcall_vtl0(c, 12) ||
        (pages ? !state_pages_valid(c) : c->var_len)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (!pages) {
        status = emuhv_vp_get_state(c->vp, type, c->out, c->out_len,
                                    &len);
        return status;
    }
    c->out_len = 0;
    buf = g_malloc0(size);
    status = emuhv_vp_get_state(c->vp, type, buf, size, &len);
    if (status != HV_STATUS_SUCCESS) {
        return status;
    }
    for (size_t i = 0; i * EMUHV_PAGE_SIZE < len; i++) {
        emuhv_ram_write(ldq_le_p(c->var + 8 * i) << EMUHV_PAGE_BITS,
                        buf + i * EMUHV_PAGE_SIZE, EMUHV_PAGE_SIZE);
    }
    return HV_STATUS_SUCCESS;
}

/* As get_state(); the variable header is { u64 pfn } or the data itself. */
static uint16_t set_state(EmuhvHcall *c)
{
    size_t size = c->var_len / 8 * EMUHV_PAGE_SIZE;
    g_autofree uint8_t *buf = NULL;
    unsigned type;
    bool pages;

    if (!state_type(c, &type, &pages) || !hcall_vtl0(c, 12) ||
        (pages ? !state_pages_valid(c) : c->var_len < STATE_INLINE_MAX)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (!pages) {
        return emuhv_vp_set_state(c->vp, type, c->var, STATE_INLINE_MAX);
    }
    buf = g_malloc(size);
    for (size_t i = 0; i < c->var_len / 8; i++) {
        emuhv_ram_read(ldq_le_p(c->var + 8 * i) << EMUHV_PAGE_BITS,
                       buf + i * EMUHV_PAGE_SIZE, EMUHV_PAGE_SIZE);
    }
    return emuhv_vp_set_state(c->vp, type, buf, size);
}

/* ---- Root scheduler ---- */

/*
 * { u64 id; u32 vp; u32 flags; u64 slice; u64 spec_ctrl }
 * -> { u32 state; u32 event }
 */
static uint16_t dispatch_vp(EmuhvHcall *c)
{
    EmuhvDispatchResult res = {};
    uint16_t status;

    status = emuhv_sched_dispatch(c->pc, c->p, hcall_u32(c, 8),
                                  hcall_u32(c, 12), c->out_gpa, &res);
    c->pending = res.pending;
    stl_le_p(c->out, res.state);
    stl_le_p(c->out + 4, res.event);
    return status;
}

const EmuhvHcallDef emuhv_hcalls_vp[] = {
    { HVCALL_CREATE_VP, HCALL_ACTIVE | HCALL_MEMORY, 40, 0, 0, 0,
      "CREATE_VP", create_vp },
    { HVCALL_DELETE_VP, HCALL_ACTIVE, 16, 0, 0, 0,
      "DELETE_VP", delete_vp },
    { HVCALL_GET_VP_REGISTERS, HCALL_VP | HCALL_REP, 16, 0, 4, VALUE_SIZE,
      "GET_VP_REGISTERS", get_registers },
    { HVCALL_SET_VP_REGISTERS, HCALL_VP | HCALL_REP, 16, 0, ASSOC_SIZE, 0,
      "SET_VP_REGISTERS", set_registers },
    { HVCALL_TRANSLATE_VIRTUAL_ADDRESS, HCALL_VP | HCALL_MEMORY, 32, 16, 0, 0,
      "TRANSLATE_VIRTUAL_ADDRESS", translate },
    { HVCALL_GET_VP_CPUID_VALUES, HCALL_VP | HCALL_REP | HCALL_MEMORY,
      24, 0, 8, 16, "GET_VP_CPUID_VALUES", get_cpuid_values },
    { HVCALL_MAP_VP_STATE_PAGE, HCALL_VP | HCALL_MEMORY, 24, 8, 0, 0,
      "MAP_VP_STATE_PAGE", map_state_page },
    { HVCALL_UNMAP_VP_STATE_PAGE, HCALL_VP, 16, 0, 0, 0,
      "UNMAP_VP_STATE_PAGE", unmap_state_page },
    { HVCALL_GET_VP_STATE, HCALL_VP | HCALL_VARHEAD | HCALL_MEMORY,
      STATE_HEADER, STATE_INLINE_MAX, 0, 0, "GET_VP_STATE", get_state },
    { HVCALL_SET_VP_STATE, HCALL_VP | HCALL_VARHEAD | HCALL_MEMORY,
      STATE_HEADER, 0, 0, 0, "SET_VP_STATE", set_state },
    { HVCALL_DISPATCH_VP, HCALL_CHILD, 32, 8, 0, 0,
      "DISPATCH_VP", dispatch_vp },
    {}
};
