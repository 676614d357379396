/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: general registers, segments and floating
 * point.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/emuhv/vp/regs.h"

/* ---- Those that are one field ---- */

uint16_t emuhv_reg_get_u64(EmuhvVp *vp, const Reg *r, unsigned i,
                           EmuhvRegVal *v)
{
    v->u64[0] = *(uint64_t *)reg_field(vp, r, i);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_reg_set_u64(EmuhvVp *vp, const Reg *r, unsigned i,
                           const EmuhvRegVal *v)
{
    *(uint64_t *)reg_field(vp, r, i) = v->u64[0];
    return HV_STATUS_SUCCESS;
}

/* ---- Flags and segments ---- */

uint64_t emuhv_rflags(EmuhvVp *vp)
{
    return cpu_compute_eflags(emuhv_vp_env(vp));
}

/* Number of TR, and its type's busy bit, which TCG does not keep. */
#define SEG_TR      7
#define TSS_BUSY    2u

static uint16_t get_rflags(EmuhvVp *vp, const Reg *r, unsigned i,
                           EmuhvRegVal *v)
{
    v->u64[0] = emuhv_vp_env(vp)->eflags | 2;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_rflags(EmuhvVp *vp, const Reg *r, unsigned i,
                           const EmuhvRegVal *v)
{
    emuhv_vp_env(vp)->eflags = (v->u64[0] & 0x3f7fd5) | 2;
    return HV_STATUS_SUCCESS;
}

void emuhv_put_segment(uint8_t *p, const SegmentCache *sc)
{
    stq_le_p(p, sc->base);
    stl_le_p(p + 8, sc->limit);
    stw_le_p(p + 12, sc->selector);
    stw_le_p(p + 14, (sc->flags >> 8) & 0xf0ff);
}

static SegmentCache *segment(EmuhvVp *vp, unsigned i)
{
    CPUX86State *env = emuhv_vp_env(vp);

    return i == 6 ? &env->ldt : i == SEG_TR ? &env->tr : &env->segs[i];
}

static uint16_t get_segment(EmuhvVp *vp, const Reg *r, unsigned i,
                            EmuhvRegVal *v)
{
    emuhv_put_segment(v->u8, segment(vp, i));
    if (i == SEG_TR) {
        v->u8[14] |= TSS_BUSY;
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t set_segment(EmuhvVp *vp, const Reg *r, unsigned i,
                            const EmuhvRegVal *v)
{
    SegmentCache *sc = segment(vp, i);

    sc->base = ldq_le_p(v->u8);
    sc->limit = ldl_le_p(v->u8 + 8);
    sc->selector = lduw_le_p(v->u8 + 12);
    sc->flags = (uint32_t)(lduw_le_p(v->u8 + 14) & 0xf0ff) << 8;
    if (i == SEG_TR) {
        sc->flags &= ~(TSS_BUSY << 8);
    }
    return HV_STATUS_SUCCESS;
}

/* ---- Floating point ---- */

static uint16_t get_xmm(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    ZMMReg *z = &emuhv_vp_env(vp)->xmm_regs[i];

    v->u64[0] = z->ZMM_Q(0);
    v->u64[1] = z->ZMM_Q(1);
    return HV_STATUS_SUCCESS;
}

static uint16_t set_xmm(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    ZMMReg *z = &emuhv_vp_env(vp)->xmm_regs[i];

    z->ZMM_Q(0) = v->u64[0];
    z->ZMM_Q(1) = v->u64[1];
    return HV_STATUS_SUCCESS;
}

static FPReg *st(EmuhvVp *vp, unsigned i)
{
    CPUX86State *env = emuhv_vp_env(vp);

    return &env->fpregs[(env->fpstt + i) & 7];
}

static uint16_t get_st(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    FPReg *f = st(vp, i);

    v->u64[0] = f->d.low;
    v->u64[1] = f->d.high;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_st(EmuhvVp *vp, const Reg *r, unsigned i,
                       const EmuhvRegVal *v)
{
    FPReg *f = st(vp, i);

    f->d.low = v->u64[0];
    f->d.high = v->u16[4];
    return HV_STATUS_SUCCESS;
}

static uint16_t get_fp_control(EmuhvVp *vp, const Reg *r, unsigned i,
                               EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);

    v->u64[0] = v->u64[1] = 0;
    v->u16[0] = env->fpuc;
    v->u16[1] = (env->fpus & ~(7 << 11)) | (env->fpstt & 7) << 11;
    for (unsigned j = 0; j < 8; j++) {
        v->u8[4] |= !env->fptags[j] << j;
    }
    v->u16[3] = env->fpop;
    v->u64[1] = env->fpip;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_fp_control(EmuhvVp *vp, const Reg *r, unsigned i,
                               const EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);

    env->fpstt = (v->u16[1] >> 11) & 7;
    env->fpus = v->u16[1] & ~(7 << 11);
    for (unsigned j = 0; j < 8; j++) {
        env->fptags[j] = !(v->u8[4] >> j & 1);
    }
    env->fpop = v->u16[3];
    env->fpip = v->u64[1];
    cpu_set_fpuc(env, v->u16[0]);
    return HV_STATUS_SUCCESS;
}

static uint16_t get_xmm_control(EmuhvVp *vp, const Reg *r, unsigned i,
                                EmuhvRegVal *v)
{
    v->u64[0] = emuhv_vp_env(vp)->fpdp;
    v->u32[2] = emuhv_vp_env(vp)->mxcsr;
    v->u32[3] = 0xffff;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_xmm_control(EmuhvVp *vp, const Reg *r, unsigned i,
                                const EmuhvRegVal *v)
{
    if (v->u32[2] & ~0xffffu) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    emuhv_vp_env(vp)->fpdp = v->u64[0];
    cpu_set_mxcsr(emuhv_vp_env(vp), v->u32[2]);
    return HV_STATUS_SUCCESS;
}

static const Reg regs[] = {
    { X64(RAX), 16, U64(regs), .stride = 8 },
    { X64(RIP), 1, U64(eip) },
    { X64(RFLAGS), 1, get_rflags, set_rflags, .after = F_HFLAGS },
    { X64(XMM0), 16, get_xmm, set_xmm },
    { X64(FP_MMX0), 8, get_st, set_st },
    { X64(FP_CONTROL_STATUS), 1, get_fp_control, set_fp_control },
    { X64(XMM_CONTROL_STATUS), 1, get_xmm_control, set_xmm_control },
    { X64(ES), 8, get_segment, set_segment, .after = F_HFLAGS | F_FLUSH },
};

const RegTable emuhv_user_regs = { regs, ARRAY_SIZE(regs) };
