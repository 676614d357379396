/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: registers of a VP by name.
 *
 * One table: the hypervisor's names and where QEMU keeps the value.  Names:
 * enum hv_register_name of Linux (hvgdk_mini.h) and the TLFS.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "exec/cputlb.h"
#include "hw/i386/apic.h"
#include "emuhv.h"
#include "vp-int.h"

#define REG_EXPLICIT_SUSPEND    0x00000
#define REG_INTERCEPT_SUSPEND   0x00001
#define REG_DISPATCH_SUSPEND    0x00003
#define NAME_END                0xfffffffe

/* What a write makes necessary */
#define F_HFLAGS    1u          /* QEMU's summary of the CPU mode */
#define F_FLUSH     2u          /* the TLB */

typedef struct Reg Reg;
typedef uint16_t RegGet(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v);
typedef uint16_t RegSet(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v);

struct Reg {
    uint32_t name;
    unsigned n;                 /* consecutive names */
    RegGet *get;
    RegSet *set;                /* NULL: refused as OPERATION_DENIED */
    size_t offset, stride;      /* in CPUX86State, for get_u64 etc. */
    unsigned after;             /* F_* */
    uint64_t reserved;          /* bits that must be 0 */
};

uint64_t emuhv_rflags(EmuhvVp *vp)
{
    return cpu_compute_eflags(emuhv_vp_env(vp));
}

static void *field(EmuhvVp *vp, const Reg *r, unsigned i)
{
    return (char *)emuhv_vp_env(vp) + r->offset + i * r->stride;
}

static uint16_t get_u64(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    v->u64[0] = *(uint64_t *)field(vp, r, i);
    return ST_SUCCESS;
}

static uint16_t set_u64(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    *(uint64_t *)field(vp, r, i) = v->u64[0];
    return ST_SUCCESS;
}

static uint16_t get_u32(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    v->u64[0] = *(uint32_t *)field(vp, r, i);
    return ST_SUCCESS;
}

static uint16_t set_u32(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    *(uint32_t *)field(vp, r, i) = v->u32[0];
    return ST_SUCCESS;
}

/* ---- Flags, segments, tables ---- */

/* Number of TR, and its type's busy bit, which TCG does not keep. */
#define SEG_TR      7
#define TSS_BUSY    2u

static uint16_t get_rflags(EmuhvVp *vp, const Reg *r, unsigned i,
                           EmuhvRegVal *v)
{
    v->u64[0] = emuhv_vp_env(vp)->eflags | 2;
    return ST_SUCCESS;
}

static uint16_t set_rflags(EmuhvVp *vp, const Reg *r, unsigned i,
                           const EmuhvRegVal *v)
{
    emuhv_vp_env(vp)->eflags = (v->u64[0] & 0x3f7fd5) | 2;
    return ST_SUCCESS;
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
    return ST_SUCCESS;
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
    return ST_SUCCESS;
}

static uint16_t get_table(EmuhvVp *vp, const Reg *r, unsigned i,
                          EmuhvRegVal *v)
{
    SegmentCache *sc = field(vp, r, i);

    v->u64[0] = 0;
    v->u16[3] = sc->limit;
    v->u64[1] = sc->base;
    return ST_SUCCESS;
}

static uint16_t set_table(EmuhvVp *vp, const Reg *r, unsigned i,
                          const EmuhvRegVal *v)
{
    SegmentCache *sc = field(vp, r, i);

    sc->limit = v->u16[3];
    sc->base = v->u64[1];
    return ST_SUCCESS;
}

/* ---- Floating point ---- */

static uint16_t get_xmm(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    ZMMReg *z = &emuhv_vp_env(vp)->xmm_regs[i];

    v->u64[0] = z->ZMM_Q(0);
    v->u64[1] = z->ZMM_Q(1);
    return ST_SUCCESS;
}

static uint16_t set_xmm(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    ZMMReg *z = &emuhv_vp_env(vp)->xmm_regs[i];

    z->ZMM_Q(0) = v->u64[0];
    z->ZMM_Q(1) = v->u64[1];
    return ST_SUCCESS;
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
    return ST_SUCCESS;
}

static uint16_t set_st(EmuhvVp *vp, const Reg *r, unsigned i,
                       const EmuhvRegVal *v)
{
    FPReg *f = st(vp, i);

    f->d.low = v->u64[0];
    f->d.high = v->u16[4];
    return ST_SUCCESS;
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
    return ST_SUCCESS;
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
    return ST_SUCCESS;
}

static uint16_t get_xmm_control(EmuhvVp *vp, const Reg *r, unsigned i,
                                EmuhvRegVal *v)
{
    v->u64[0] = emuhv_vp_env(vp)->fpdp;
    v->u32[2] = emuhv_vp_env(vp)->mxcsr;
    v->u32[3] = 0xffff;
    return ST_SUCCESS;
}

static uint16_t set_xmm_control(EmuhvVp *vp, const Reg *r, unsigned i,
                                const EmuhvRegVal *v)
{
    if (v->u32[2] & ~0xffffu) {
        return ST_INVALID_REGISTER_VALUE;
    }
    emuhv_vp_env(vp)->fpdp = v->u64[0];
    cpu_set_mxcsr(emuhv_vp_env(vp), v->u32[2]);
    return ST_SUCCESS;
}

/* ---- Control and debug registers ---- */

static uint16_t set_cr0(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    if (v->u64[0] >> 32) {
        return ST_INVALID_REGISTER_VALUE;
    }
    emuhv_vp_env(vp)->cr[0] = v->u64[0] | CR0_ET_MASK;
    return ST_SUCCESS;
}

static uint16_t set_cr4(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    if (v->u64[0] & cr4_reserved_bits(emuhv_vp_env(vp))) {
        return ST_INVALID_REGISTER_VALUE;
    }
    emuhv_vp_env(vp)->cr[4] = v->u64[0];
    return ST_SUCCESS;
}

static uint16_t get_cr8(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    v->u64[0] = cpu_get_apic_tpr(vp->base.cpu->apic_state);
    return ST_SUCCESS;
}

static uint16_t set_cr8(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    if (v->u64[0] > 15) {
        return ST_INVALID_REGISTER_VALUE;
    }
    cpu_set_apic_tpr(vp->base.cpu->apic_state, v->u64[0]);
    return ST_SUCCESS;
}

static uint16_t set_xfem(EmuhvVp *vp, const Reg *r, unsigned i,
                         const EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint64_t can = env->features[FEAT_XSAVE_XCR0_LO] |
                   (uint64_t)env->features[FEAT_XSAVE_XCR0_HI] << 32;
    uint64_t val = v->u64[0];

    if (!(val & XSTATE_FP_MASK) || (val & ~(can | XSTATE_FP_MASK)) ||
        ((val & XSTATE_YMM_MASK) && !(val & XSTATE_SSE_MASK))) {
        return ST_INVALID_REGISTER_VALUE;
    }
    env->xcr0 = val;
    return ST_SUCCESS;
}

static uint16_t set_dr7(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    if (v->u64[0] >> 32) {
        return ST_INVALID_REGISTER_VALUE;
    }
    cpu_x86_update_dr7(emuhv_vp_env(vp), v->u64[0]);
    return ST_SUCCESS;
}

static uint16_t set_dr6(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    emuhv_vp_env(vp)->dr[6] = (v->u64[0] & 0xe00f) | DR6_FIXED_1;
    return ST_SUCCESS;
}

/* ---- MSRs ---- */

static uint16_t get_tsc(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);

    v->u64[0] = emuhv_domain_raw_tsc(vp->domain) + env->tsc_offset;
    return ST_SUCCESS;
}

static uint16_t set_tsc(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    emuhv_set_tsc_offset(vp, v->u64[0] - emuhv_domain_raw_tsc(vp->domain));
    return ST_SUCCESS;
}

static uint16_t set_efer(EmuhvVp *vp, const Reg *r, unsigned i,
                         const EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint32_t edx = env->features[FEAT_8000_0001_EDX];
    uint64_t can = (edx & CPUID_EXT2_SYSCALL ? MSR_EFER_SCE : 0) |
                   (edx & CPUID_EXT2_LM ? MSR_EFER_LME | MSR_EFER_LMA : 0) |
                   (edx & CPUID_EXT2_NX ? MSR_EFER_NXE : 0) |
                   (edx & CPUID_EXT2_FFXSR ? MSR_EFER_FFXSR : 0);

    if (v->u64[0] & ~can) {
        return ST_INVALID_REGISTER_VALUE;
    }
    env->efer = v->u64[0];
    return ST_SUCCESS;
}

static uint16_t get_apic_base(EmuhvVp *vp, const Reg *r, unsigned i,
                              EmuhvRegVal *v)
{
    v->u64[0] = cpu_get_apic_base(vp->base.cpu->apic_state);
    return ST_SUCCESS;
}

static uint16_t set_apic_base(EmuhvVp *vp, const Reg *r, unsigned i,
                              const EmuhvRegVal *v)
{
    APICCommonState *a = emuhv_vp_apic(vp);
    uint64_t ok = MSR_IA32_APICBASE_BASE | MSR_IA32_APICBASE_ENABLE |
                  MSR_IA32_APICBASE_EXTD | MSR_IA32_APICBASE_BSP;
    uint64_t val = v->u64[0];
    bool x2 = val & MSR_IA32_APICBASE_EXTD;

    if ((val & ~ok) || (val >> 32) ||
        (x2 && (!(val & MSR_IA32_APICBASE_ENABLE) ||
                !vp->domain->cfg.x2apic))) {
        return ST_INVALID_REGISTER_VALUE;
    }
    a->apicbase = val;
    return ST_SUCCESS;
}

static uint16_t get_apic_id(EmuhvVp *vp, const Reg *r, unsigned i,
                            EmuhvRegVal *v)
{
    v->u64[0] = emuhv_vp_apic(vp)->initial_apic_id;
    return ST_SUCCESS;
}

static uint16_t set_apic_id(EmuhvVp *vp, const Reg *r, unsigned i,
                            const EmuhvRegVal *v)
{
    return v->u64[0] > UINT32_MAX ? ST_INVALID_REGISTER_VALUE
                                  : emuhv_apic_set_id(vp, v->u64[0]);
}

static uint16_t get_mtrr_cap(EmuhvVp *vp, const Reg *r, unsigned i,
                             EmuhvRegVal *v)
{
    v->u64[0] = MSR_MTRRcap_VCNT | MSR_MTRRcap_FIXRANGE_SUPPORT |
                MSR_MTRRcap_WC_SUPPORTED;
    return ST_SUCCESS;
}

/* Registers of features that TCG does not have: keep the value. */
static uint16_t get_kept(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    v->u64[0] = vp->s->misc_regs[r->offset];
    return ST_SUCCESS;
}

static uint16_t set_kept(EmuhvVp *vp, const Reg *r, unsigned i,
                         const EmuhvRegVal *v)
{
    vp->s->misc_regs[r->offset] = v->u64[0];
    return ST_SUCCESS;
}

/* Exist, are 0, and stay 0. */
static uint16_t get_zero(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    return ST_SUCCESS;
}

static uint16_t set_zero(EmuhvVp *vp, const Reg *r, unsigned i,
                         const EmuhvRegVal *v)
{
    return v->u64[0] ? ST_INVALID_REGISTER_VALUE : ST_SUCCESS;
}

/* ---- Hypervisor state ---- */

static uint16_t get_activity(EmuhvVp *vp, const Reg *r, unsigned i,
                             EmuhvRegVal *v)
{
    bool halted = vp->s->stopped ? vp->s->guest_halted
                                 : emuhv_vp_cs(vp)->halted;

    if (halted) {
        v->u64[0] = emuhv_vp_apic(vp)->wait_for_sipi ? 1 : 2;
    }
    return ST_SUCCESS;
}

static uint16_t set_activity(EmuhvVp *vp, const Reg *r, unsigned i,
                             const EmuhvRegVal *v)
{
    bool halted = v->u64[0] & 7;

    if (v->u64[0] & ~7ull) {
        return ST_INVALID_REGISTER_VALUE;
    }
    emuhv_vp_apic(vp)->wait_for_sipi = v->u64[0] & 1;
    if (vp->s->stopped) {
        vp->s->guest_halted = halted;
        if (!halted) {
            emuhv_vp_wake(vp);
        }
    } else {
        emuhv_vp_cs(vp)->halted = halted;
    }
    return ST_SUCCESS;
}

static uint16_t get_pending_interruption(EmuhvVp *vp, const Reg *r, unsigned i,
                                         EmuhvRegVal *v)
{
    v->u64[0] = vp->s->pending_interruption;
    return ST_SUCCESS;
}

static uint16_t set_pending_interruption(EmuhvVp *vp, const Reg *r, unsigned i,
                                         const EmuhvRegVal *v)
{
    unsigned type = (v->u64[0] >> PI_TYPE_SHIFT) & 7;

    if ((v->u64[0] & PI_PENDING) &&
        (type == 1 || type == 7 || (v->u64[0] >> PI_VECTOR_SHIFT & 0xff00))) {
        return ST_INVALID_REGISTER_VALUE;
    }
    vp->s->pending_interruption = v->u64[0] & PI_PENDING ? v->u64[0] : 0;
    if (vp->s->pending_interruption) {
        emuhv_vp_wake(vp);
    }
    return ST_SUCCESS;
}

static uint16_t get_interrupt_state(EmuhvVp *vp, const Reg *r, unsigned i,
                                    EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);

    v->u64[0] = (env->hflags & HF_INHIBIT_IRQ_MASK ? 1 : 0) |
                (env->hflags2 & HF2_NMI_MASK ? 2 : 0);
    return ST_SUCCESS;
}

static uint16_t set_interrupt_state(EmuhvVp *vp, const Reg *r, unsigned i,
                                    const EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);

    env->hflags = (env->hflags & ~HF_INHIBIT_IRQ_MASK) |
                  (v->u64[0] & 1 ? HF_INHIBIT_IRQ_MASK : 0);
    env->hflags2 = (env->hflags2 & ~HF2_NMI_MASK) |
                   (v->u64[0] & 2 ? HF2_NMI_MASK : 0);
    return ST_SUCCESS;
}

static uint16_t get_pending_event(EmuhvVp *vp, const Reg *r, unsigned i,
                                  EmuhvRegVal *v)
{
    *v = vp->s->pending_event[i];
    return ST_SUCCESS;
}

static uint16_t set_pending_event(EmuhvVp *vp, const Reg *r, unsigned i,
                                  const EmuhvRegVal *v)
{
    vp->s->pending_event[i] = *v;
    if (v->u64[0] & 1) {
        emuhv_vp_wake(vp);
    }
    return ST_SUCCESS;
}

static uint16_t get_deliverability(EmuhvVp *vp, const Reg *r, unsigned i,
                                   EmuhvRegVal *v)
{
    v->u64[0] = vp->s->deliverability;
    return ST_SUCCESS;
}

static uint16_t set_deliverability(EmuhvVp *vp, const Reg *r, unsigned i,
                                   const EmuhvRegVal *v)
{
    vp->s->deliverability = v->u64[0];
    if (!vp->s->stopped) {
        emuhv_deliverability_changed(vp);
    } else if (v->u64[0]) {
        emuhv_vp_wake(vp);
    }
    return ST_SUCCESS;
}

static uint16_t get_version(EmuhvVp *vp, const Reg *r, unsigned i,
                            EmuhvRegVal *v)
{
    static const uint32_t leaf[] = { 0x40000003, 0x40000004, 0x40000005,
                                     0x40000006 };
    if (r->name == 0x100) {
        v->u32[0] = EMUHV_BUILD;
        v->u32[1] = 10 << 16;
    } else {
        emuhv_vp_cpuid(vp, leaf[i], 0, v->u32);
    }
    return ST_SUCCESS;
}

static uint16_t get_synth(EmuhvVp *vp, const Reg *r, unsigned i,
                          EmuhvRegVal *v)
{
    uint32_t msr = emuhv_synth_msr_of_reg(r->name + i);

    return emuhv_synth_rdmsr(vp, msr, &v->u64[0]) ? ST_SUCCESS
                                                  : ST_INVALID_PARAMETER;
}

static uint16_t set_synth(EmuhvVp *vp, const Reg *r, unsigned i,
                          const EmuhvRegVal *v)
{
    uint32_t msr = emuhv_synth_msr_of_reg(r->name + i);

    return emuhv_synth_wrmsr(vp, msr, v->u64[0]) ? ST_SUCCESS
                                                 : ST_INVALID_REGISTER_VALUE;
}

#define ENV(f)          .offset = offsetof(CPUX86State, f)
#define U64(f)          .get = get_u64, .set = set_u64, ENV(f)
#define U32(f)          .get = get_u32, .set = set_u32, ENV(f)
#define KEPT(slot)      .get = get_kept, .set = set_kept, .offset = (slot)
#define ZERO            .get = get_zero, .set = set_zero
#define SYNTH           .get = get_synth, .set = set_synth

static const Reg regs[] = {
    { 0x00004, 1, get_activity, set_activity },
    { 0x00100, 1, get_version },
    { 0x00200, 4, get_version },
    { 0x00210, 6, SYNTH },                              /* crash */
    { 0x10002, 1, get_pending_interruption, set_pending_interruption },
    { 0x10003, 1, get_interrupt_state, set_interrupt_state },
    { 0x10004, 2, get_pending_event, set_pending_event },
    { 0x10006, 1, get_deliverability, set_deliverability },
    { 0x20000, 16, U64(regs), .stride = 8 },
    { 0x20010, 1, U64(eip) },
    { 0x20011, 1, get_rflags, set_rflags, .after = F_HFLAGS },
    { 0x30000, 16, get_xmm, set_xmm },
    { 0x30010, 8, get_st, set_st },
    { 0x30018, 1, get_fp_control, set_fp_control },
    { 0x30019, 1, get_xmm_control, set_xmm_control },
    { 0x40000, 1, get_u64, set_cr0, ENV(cr[0]), .after = F_HFLAGS | F_FLUSH },
    { 0x40001, 1, U64(cr[2]) },
    { 0x40002, 1, U64(cr[3]), .after = F_FLUSH },
    { 0x40003, 1, get_u64, set_cr4, ENV(cr[4]), .after = F_HFLAGS | F_FLUSH },
    { 0x40004, 1, get_cr8, set_cr8 },
    { 0x40005, 1, get_u64, set_xfem, ENV(xcr0), .after = F_HFLAGS },
    { 0x41000, 1, get_u64, set_cr0, ENV(cr[0]), .after = F_HFLAGS | F_FLUSH },
    { 0x41002, 1, U64(cr[3]), .after = F_FLUSH },
    { 0x41003, 1, get_u64, set_cr4, ENV(cr[4]), .after = F_HFLAGS | F_FLUSH },
    { 0x41004, 1, get_cr8, set_cr8 },
    { 0x50000, 4, U64(dr), .stride = 8 },
    { 0x50004, 1, get_u64, set_dr6, ENV(dr[6]) },
    { 0x50005, 1, get_u64, set_dr7, ENV(dr[7]) },
    { 0x60000, 8, get_segment, set_segment, .after = F_HFLAGS | F_FLUSH },
    { 0x70000, 1, get_table, set_table, ENV(idt) },
    { 0x70001, 1, get_table, set_table, ENV(gdt) },
    { 0x80000, 1, get_tsc, set_tsc },
    { 0x80001, 1, get_u64, set_efer, ENV(efer), .after = F_HFLAGS | F_FLUSH },
    { 0x80002, 1, U64(kernelgsbase) },
    { 0x80003, 1, get_apic_base, set_apic_base, .after = F_FLUSH },
    { 0x80004, 1, U64(pat) },
    { 0x80005, 1, U32(sysenter_cs) },
    { 0x80006, 1, U64(sysenter_eip) },
    { 0x80007, 1, U64(sysenter_esp) },
    { 0x80008, 1, U64(star) },
    { 0x80009, 1, U64(lstar) },
    { 0x8000a, 1, U64(cstar) },
    { 0x8000b, 1, U64(fmask) },
    { 0x8000c, 1, get_apic_id, set_apic_id },
    { 0x8000d, 1, get_mtrr_cap },
    { 0x8000e, 1, U64(mtrr_deftype) },
    { 0x80010, 8, U64(mtrr_var[0].base), .stride = sizeof(MTRRVar) },
    { 0x80018, 8, ZERO },
    { 0x80040, 8, U64(mtrr_var[0].mask), .stride = sizeof(MTRRVar) },
    { 0x80048, 8, ZERO },
    { 0x80070, 11, U64(mtrr_fixed), .stride = 8 },
    { 0x8007b, 1, U64(tsc_aux) },
    { 0x8007c, 1, KEPT(5) },                            /* BNDCFGS */
    { 0x8007d, 1, KEPT(0) },                            /* DEBUGCTL */
    { 0x80084, 1, KEPT(2) },                            /* SPEC_CTRL */
    { 0x80085, 1, ZERO },                               /* PRED_CMD */
    { 0x8008b, 1, ZERO },                               /* XSS */
    { 0x8008c, 8, ZERO },                               /* CET */
    { 0x80096, 1, KEPT(1) },                            /* TSC_ADJUST */
    { 0x800a0, 1, U64(msr_ia32_misc_enable) },
    { 0x800a1, 1, KEPT(3) },                            /* FEATURE_CONTROL */
    { 0x800a2, 17, ZERO },                              /* VMX capabilities */
    { 0x84802, 1, get_apic_id, set_apic_id },
    { 0x90000, 5, SYNTH },
    { 0x90013, 1, SYNTH },
    { 0x90017, 1, SYNTH },
    { 0xa0000, 21, SYNTH },
    { 0xb0000, 8, SYNTH },
};

static const Reg *reg_find(uint32_t name)
{
    unsigned lo = 0, hi = ARRAY_SIZE(regs);

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (name < regs[mid].name) {
            hi = mid;
        } else if (name >= regs[mid].name + regs[mid].n) {
            lo = mid + 1;
        } else {
            return &regs[mid];
        }
    }
    return NULL;
}

static bool *suspend_bit(EmuhvVp *vp, uint32_t name)
{
    return name == REG_EXPLICIT_SUSPEND ? &vp->s->explicit_suspend :
           name == REG_INTERCEPT_SUSPEND ? &vp->s->intercept_suspend :
           name == REG_DISPATCH_SUSPEND ? &vp->s->dispatch_suspend : NULL;
}

uint16_t emuhv_reg_get(EmuhvVp *vp, uint32_t name, EmuhvRegVal *v)
{
    const Reg *r = reg_find(name);
    bool *bit = suspend_bit(vp, name);

    memset(v, 0, sizeof(*v));
    if (bit) {
        v->u64[0] = *bit;
        return ST_SUCCESS;
    }
    return r ? r->get(vp, r, name - r->name, v) : ST_INVALID_PARAMETER;
}

static void mode_changed(EmuhvVp *vp, unsigned what)
{
    CPUX86State *env = emuhv_vp_env(vp);

    if (what & F_HFLAGS) {
        env->efer &= ~(uint64_t)MSR_EFER_LMA;
        if ((env->efer & MSR_EFER_LME) && (env->cr[0] & CR0_PG_MASK)) {
            env->efer |= MSR_EFER_LMA;
        }
        x86_update_hflags(env);
        cpu_x86_update_cr4(env, env->cr[4]);
    }
    if (what & F_FLUSH) {
        tlb_flush(emuhv_vp_cs(vp));
    }
}

uint16_t emuhv_reg_set(EmuhvVp *vp, uint32_t name, const EmuhvRegVal *v)
{
    const Reg *r = reg_find(name);
    uint16_t status;

    if (!r) {
        return ST_INVALID_PARAMETER;
    }
    if (!r->set) {
        return ST_OPERATION_DENIED;
    }
    status = r->set(vp, r, name - r->name, v);
    if (status == ST_SUCCESS && r->after) {
        mode_changed(vp, r->after);
    }
    return status;
}

/*
 * Can the VP run like this?  The checks are those of a VM entry (SDM, volume
 * 3, "checks on the guest state area") that matter for TCG.
 */
bool emuhv_state_valid(EmuhvVp *vp)
{
    CPUX86State *env = emuhv_vp_env(vp);
    unsigned tss = (env->tr.flags >> DESC_TYPE_SHIFT) & 0xf;
    bool pe = env->cr[0] & CR0_PE_MASK, lma = env->efer & MSR_EFER_LMA;

    return (pe || !(env->cr[0] & CR0_PG_MASK)) &&
           (!lma || (env->cr[4] & CR4_PAE_MASK)) &&
           (!(env->eflags & VM_MASK) || (pe && !lma)) &&
           (env->tr.flags & DESC_P_MASK) && !(env->tr.flags & DESC_S_MASK) &&
           (tss & 7) == 1;
}

/* ---- Lists ---- */

typedef struct RegCall {
    EmuhvVp *vp;
    const uint32_t *names;
    const EmuhvRegAssoc *assoc;
    EmuhvRegVal *vals;
    unsigned n, done;
    uint16_t status;
} RegCall;

static void get_work(CPUState *cs, run_on_cpu_data data)
{
    RegCall *c = data.host_ptr;

    for (; c->done < c->n && c->status == ST_SUCCESS; c->done++) {
        c->status = emuhv_reg_get(c->vp, c->names[c->done],
                                  &c->vals[c->done]);
        c->done -= c->status != ST_SUCCESS;
    }
}

uint16_t emuhv_vp_get_regs(EmuhvVp *vp, const uint32_t *names,
                           EmuhvRegVal *vals, unsigned n, unsigned *done)
{
    RegCall c = { .vp = vp, .names = names, .vals = vals, .n = n };
    unsigned i;

    for (i = 0; i < n && suspend_bit(vp, names[i]); i++) {
        continue;
    }
    if (i == n) {
        get_work(emuhv_vp_cs(vp), RUN_ON_CPU_HOST_PTR(&c));
    } else {
        emuhv_vp_sync(vp, get_work, &c);
    }
    *done = c.done;
    return c.status;
}

/* Up to the next suspend register */
static void set_work(CPUState *cs, run_on_cpu_data data)
{
    RegCall *c = data.host_ptr;

    if (c->vp->s->stopped) {
        emuhv_regpage_load(c->vp);
    }
    while (c->done < c->n && c->status == ST_SUCCESS &&
           !suspend_bit(c->vp, c->assoc[c->done].name)) {
        c->status = emuhv_reg_set(c->vp, c->assoc[c->done].name,
                                  &c->assoc[c->done].val);
        c->done += c->status == ST_SUCCESS;
    }
    if (c->vp->s->stopped) {
        emuhv_regpage_store(c->vp);
    }
}

uint16_t emuhv_vp_set_regs(EmuhvVp *vp, const EmuhvRegAssoc *list, unsigned n,
                           unsigned *done)
{
    RegCall c = { .vp = vp, .assoc = list, .n = n };
    EmuhvDomain *d = vp->domain;

    while (c.done < n && c.status == ST_SUCCESS) {
        uint32_t name = list[c.done].name;

        if (suspend_bit(vp, name)) {
            c.done++;
            emuhv_vp_set_suspend(vp, name, list[c.done - 1].val.u64[0] & 1);
        } else {
            emuhv_vp_sync(vp, set_work, &c);
        }
        if (vp->domain != d) {
            c.status = ST_INVALID_VP_INDEX;     /* destroyed meanwhile */
        }
    }
    *done = c.done;
    return c.status;
}
