/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: VP state that is moved as a block
 * (HvCallGetVpState, HvCallSetVpState).
 *
 * XSAVE state has the compacted format of the SDM: XCOMP_BV names every
 * component that the VP can have, so the layout does not depend on its state.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "target/i386/tcg/tcg-cpu.h"
#include "hw/emuhv/vp/vp-int.h"

#define STATE_LAPIC     0
#define STATE_XSAVE     1
#define STATE_SIM       2
#define STATE_SIEF      3
#define STATE_TIMERS    4

#define XS_LEGACY       512
#define XS_FPREGS       32
#define XS_BV           512
#define XS_COMP_BV      520
#define XS_EXTENDED     576
#define XS_COMPACT      (1ull << 63)
#define XS_LEGACY_BITS  (XSTATE_FP_MASK | XSTATE_SSE_MASK)

uint64_t emuhv_xsave_states(const FeatureWordArray features)
{
    return XS_LEGACY_BITS | features[FEAT_XSAVE_XCR0_LO] |
           features[FEAT_XSAVE_XCR0_HI] << 32;
}

/* Offset of component @i in the compacted format with components @mask. */
static size_t compact_offset(uint64_t mask, unsigned i)
{
    size_t at = XS_EXTENDED;

    for (unsigned j = 2; j <= i && j < XSAVE_STATE_AREA_COUNT; j++) {
        if (mask >> j & 1) {
            if (x86_ext_save_areas[j].ecx & ESA_FEATURE_ALIGN64_MASK) {
                at = ROUND_UP(at, 64);
            }
            if (j == i) {
                return at;
            }
            at += x86_ext_save_areas[j].size;
        }
    }
    return at;
}

size_t emuhv_xsave_size(const FeatureWordArray features, unsigned pad)
{
    size_t size = compact_offset(emuhv_xsave_states(features),
                                 XSAVE_STATE_AREA_COUNT);

    return MAX(size, pad);
}

static void xsave_get(EmuhvVp *vp, uint8_t *buf, size_t size)
{
    X86CPU *cpu = vp->base.cpu;
    CPUX86State *env = &cpu->env;
    g_autofree uint8_t *std = g_malloc0(sizeof(X86XSaveArea));
    uint64_t mask = emuhv_xsave_states(env->features);

    x86_cpu_xsave_all_areas(cpu, std, sizeof(X86XSaveArea));
    memset(buf, 0, size);
    memcpy(buf, std, XS_LEGACY);
    stl_le_p(buf + 28, 0xffff);         /* MXCSR_MASK */
    /* The area has ST(i), TCG has physical registers. */
    for (unsigned i = 0; i < 8; i++) {
        FPReg *f = &env->fpregs[(env->fpstt + i) & 7];

        stq_le_p(buf + XS_FPREGS + i * 16, f->d.low);
        stq_le_p(buf + XS_FPREGS + i * 16 + 8, f->d.high);
    }
    stq_le_p(buf + XS_BV, mask);
    stq_le_p(buf + XS_COMP_BV, mask | XS_COMPACT);
    for (unsigned i = 2; i < XSAVE_STATE_AREA_COUNT; i++) {
        if (mask >> i & 1) {
            memcpy(buf + compact_offset(mask, i),
                   std + x86_ext_save_areas[i].offset,
                   x86_ext_save_areas[i].size);
        }
    }
}

static uint16_t xsave_set(EmuhvVp *vp, const uint8_t *buf, size_t size)
{
    X86CPU *cpu = vp->base.cpu;
    CPUX86State *env = &cpu->env;
    g_autofree uint8_t *std = NULL;
    uint64_t bv, comp;

    if (size < XS_EXTENDED) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    bv = ldq_le_p(buf + XS_BV);
    comp = ldq_le_p(buf + XS_COMP_BV);
    if (!(comp & XS_COMPACT) ||
        ((comp & ~XS_COMPACT) & ~emuhv_xsave_states(env->features)) ||
        (bv & ~comp) ||
        (ldl_le_p(buf + 24) & ~0xffffu) ||
        compact_offset(comp & ~XS_COMPACT, XSAVE_STATE_AREA_COUNT) > size) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    std = g_malloc0(sizeof(X86XSaveArea));
    /* What is not in XSTATE_BV has its initial state, zero but for these. */
    stw_le_p(std, 0x37f);
    stl_le_p(std + 24, 0x1f80);
    if (bv & XSTATE_FP_MASK) {
        memcpy(std, buf, 24);
        memcpy(std + XS_FPREGS, buf + XS_FPREGS, 128);
    }
    if (bv & (XSTATE_SSE_MASK | XSTATE_YMM_MASK)) {
        memcpy(std + 24, buf + 24, 4);
    }
    if (bv & XSTATE_SSE_MASK) {
        memcpy(std + 160, buf + 160, 256);
    }
    stq_le_p(std + XS_BV, bv);
    for (unsigned i = 2; i < XSAVE_STATE_AREA_COUNT; i++) {
        if (bv >> i & 1) {
            memcpy(std + x86_ext_save_areas[i].offset,
                   buf + compact_offset(comp, i), x86_ext_save_areas[i].size);
        }
    }
    x86_cpu_xrstor_all_areas(cpu, std, sizeof(X86XSaveArea));
    for (unsigned i = 0; i < 8; i++) {
        FPReg *f = &env->fpregs[(env->fpstt + i) & 7];

        f->d.low = ldq_le_p(std + XS_FPREGS + i * 16);
        f->d.high = lduw_le_p(std + XS_FPREGS + i * 16 + 8);
    }
    cpu_set_fpuc(env, lduw_le_p(std));
    cpu_set_mxcsr(env, ldl_le_p(std + 24));
    return HV_STATUS_SUCCESS;
}

typedef struct StateCall {
    EmuhvVp *vp;
    unsigned type;
    uint8_t *out;
    const uint8_t *in;
    size_t size;
    uint16_t status;
} StateCall;

static void *overlay(const StateCall *c)
{
    return emuhv_overlay_page(c->vp->slot, c->type == STATE_SIM
                              ? EMUHV_OVERLAY_SIM : EMUHV_OVERLAY_SIEF);
}

static void get_work(CPUState *cs, run_on_cpu_data data)
{
    StateCall *c = data.host_ptr;

    memset(c->out, 0, c->size);
    switch (c->type) {
    case STATE_LAPIC:
        emuhv_apic_get_page(c->vp, c->out);
        break;
    case STATE_XSAVE:
        xsave_get(c->vp, c->out, c->size);
        break;
    case STATE_SIM:
    case STATE_SIEF:
        memcpy(c->out, overlay(c), EMUHV_PAGE_SIZE);
        break;
    case STATE_TIMERS:
        emuhv_stimer_get(c->vp, c->out);
        break;
    }
}

static void set_work(CPUState *cs, run_on_cpu_data data)
{
    StateCall *c = data.host_ptr;

    switch (c->type) {
    case STATE_LAPIC:
        emuhv_apic_set_page(c->vp, c->in);
        break;
    case STATE_XSAVE:
        c->status = xsave_set(c->vp, c->in, c->size);
        break;
    case STATE_SIM:
    case STATE_SIEF:
        memcpy(overlay(c), c->in, EMUHV_PAGE_SIZE);
        break;
    case STATE_TIMERS:
        emuhv_stimer_set(c->vp, c->in);
        break;
    }
}

/* 0: no such state */
static size_t state_size(EmuhvVp *vp, unsigned type)
{
    switch (type) {
    case STATE_LAPIC:
        return vp->partition->cfg.lapic ? 4096 : 0;
    case STATE_SIM:
    case STATE_SIEF:
        return 4096;
    case STATE_XSAVE:
        return emuhv_xsave_size(emuhv_vp_env(vp)->features,
                                vp->partition->cfg.xsave_pad);
    case STATE_TIMERS:
        return EMUHV_STIMER_STATE_SIZE;
    default:
        return 0;
    }
}

uint16_t emuhv_vp_get_state(EmuhvVp *vp, unsigned type, uint8_t *buf,
                            size_t size, size_t *len)
{
    StateCall c = { .vp = vp, .type = type, .out = buf };

    *len = c.size = state_size(vp, type);
    if (!c.size) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (size < c.size) {
        return HV_STATUS_INSUFFICIENT_BUFFER;
    }
    emuhv_vp_sync(vp, get_work, &c);
    return c.status;
}

uint16_t emuhv_vp_set_state(EmuhvVp *vp, unsigned type, const uint8_t *buf,
                            size_t size)
{
    StateCall c = { .vp = vp, .type = type, .in = buf, .size = size };
    size_t need = state_size(vp, type);

    if (!need) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (type != STATE_XSAVE && size < need) {
        return HV_STATUS_INSUFFICIENT_BUFFER;
    }
    emuhv_vp_sync(vp, set_work, &c);
    return c.status;
}
