/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: state pages of a VP, that is the register page
 * (struct hv_vp_register_page) and the place of the intercept message.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "emuhv.h"
#include "vp-int.h"

#define RP_VERSION      1
#define RP_VALID        2
#define RP_DIRTY        4
#define RP_GPR          0x08
#define RP_RIP          0x88
#define RP_RFLAGS       0x90
#define RP_XMM          0xa0
#define RP_SEGMENTS     0x100
#define RP_CONTROL      0x160
#define RP_PENDING      0x190
#define RP_SIZE         0x1b0   /* up to what only the kernel uses */

#define DIRTY_GENERAL   1u
#define DIRTY_IP        2u
#define DIRTY_XMM       4u
#define DIRTY_SEGMENT   8u
#define DIRTY_FLAGS     16u

static const uint32_t control_names[] = {
    /* CR0 CR3 CR4 CR8 EFER DR7 at RP_CONTROL */
    0x40000, 0x40002, 0x40003, 0x40004, 0x80001, 0x50005,
    /* pending interruption, interrupt state at RP_PENDING */
    0x10002, 0x10003,
};

void emuhv_regpage_store(EmuhvVp *vp)
{
    uint8_t p[RP_SIZE] = { };
    EmuhvRegVal v;

    if (vp->s->page[0] == EMUHV_NO_PFN) {
        return;
    }
    stw_le_p(p, RP_VERSION);
    p[RP_VALID] = 1;
    for (unsigned i = 0; i < 16; i++) {
        stq_le_p(p + RP_GPR + i * 8, emuhv_vp_env(vp)->regs[i]);
    }
    stq_le_p(p + RP_RIP, emuhv_vp_env(vp)->eip);
    emuhv_reg_get(vp, 0x20011, &v);
    stq_le_p(p + RP_RFLAGS, v.u64[0]);
    for (unsigned i = 0; i < 6; i++) {
        emuhv_reg_get(vp, 0x30000 + i, &v);
        memcpy(p + RP_XMM + i * 16, v.u8, 16);
        emuhv_put_segment(p + RP_SEGMENTS + i * 16,
                          &emuhv_vp_env(vp)->segs[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(control_names); i++) {
        emuhv_reg_get(vp, control_names[i], &v);
        stq_le_p(p + RP_CONTROL + i * 8, v.u64[0]);
    }
    stq_le_p(p + 0x1a8, emuhv_vp_env(vp)->xcr0);
    emuhv_ram_write(vp->s->page[0] << 12, p, sizeof(p));
}

static void load_class(EmuhvVp *vp, const uint8_t *p, uint32_t name,
                       unsigned n, unsigned size)
{
    EmuhvRegVal v = { };

    for (unsigned i = 0; i < n; i++) {
        memcpy(v.u8, p + i * size, size);
        emuhv_reg_set(vp, name + i, &v);
    }
}

void emuhv_regpage_load(EmuhvVp *vp)
{
    static const uint8_t clean[4];
    uint8_t p[RP_SIZE];
    uint32_t dirty;
    hwaddr at = vp->s->page[0] << 12;

    if (vp->s->page[0] == EMUHV_NO_PFN || !emuhv_ram_read(at, p, 8)) {
        return;
    }
    dirty = ldl_le_p(p + RP_DIRTY);
    if (!p[RP_VALID] || !dirty || !emuhv_ram_read(at, p, sizeof(p))) {
        return;
    }
    emuhv_ram_write(at + RP_DIRTY, clean, sizeof(clean));
    if (dirty & DIRTY_GENERAL) {
        load_class(vp, p + RP_GPR, 0x20000, 16, 8);
    }
    if (dirty & DIRTY_IP) {
        load_class(vp, p + RP_RIP, 0x20010, 1, 8);
    }
    if (dirty & DIRTY_FLAGS) {
        load_class(vp, p + RP_RFLAGS, 0x20011, 1, 8);
    }
    if (dirty & DIRTY_XMM) {
        load_class(vp, p + RP_XMM, 0x30000, 6, 16);
    }
    if (dirty & DIRTY_SEGMENT) {
        load_class(vp, p + RP_SEGMENTS, 0x60000, 6, 16);
    }
}

uint16_t emuhv_vp_map_page(EmuhvVp *vp, unsigned type, uint64_t pfn)
{
    static const uint8_t zero[4096];

    if (type > 1) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    /* Linux does not clear it, but reads the interrupt vectors in it. */
    if (pfn != EMUHV_NO_PFN) {
        emuhv_ram_write(pfn << 12, zero, sizeof(zero));
    }
    vp->s->page[type] = pfn;
    if (type == 0 && vp->s->stopped) {
        emuhv_regpage_store(vp);
    }
    return HV_STATUS_SUCCESS;
}

uint64_t emuhv_vp_page(EmuhvVp *vp, unsigned type)
{
    return type > 1 ? EMUHV_NO_PFN : vp->s->page[type];
}
