/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: descriptor tables, control and debug
 * registers, MSRs.
 */
#include "qemu/osdep.h"
#include "hw/i386/apic.h"
#include "hw/emuhv/vp/regs.h"

static uint16_t get_u32(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    v->u64[0] = *(uint32_t *)reg_field(vp, r, i);
    return HV_STATUS_SUCCESS;
}

static uint16_t set_u32(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    *(uint32_t *)reg_field(vp, r, i) = v->u32[0];
    return HV_STATUS_SUCCESS;
}

static uint16_t get_table(EmuhvVp *vp, const Reg *r, unsigned i,
                          EmuhvRegVal *v)
{
    SegmentCache *sc = reg_field(vp, r, i);

    v->u64[0] = 0;
    v->u16[3] = sc->limit;
    v->u64[1] = sc->base;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_table(EmuhvVp *vp, const Reg *r, unsigned i,
                          const EmuhvRegVal *v)
{
    SegmentCache *sc = reg_field(vp, r, i);

    sc->limit = v->u16[3];
    sc->base = v->u64[1];
    return HV_STATUS_SUCCESS;
}

/* ---- Control and debug registers ---- */

static uint16_t set_cr0(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    if (v->u64[0] >> 32) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    emuhv_vp_env(vp)->cr[0] = v->u64[0] | CR0_ET_MASK;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_cr4(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    if (v->u64[0] & cr4_reserved_bits(emuhv_vp_env(vp))) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    emuhv_vp_env(vp)->cr[4] = v->u64[0];
    return HV_STATUS_SUCCESS;
}

static uint16_t get_cr8(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    v->u64[0] = cpu_get_apic_tpr(vp->base.cpu->apic_state);
    return HV_STATUS_SUCCESS;
}

static uint16_t set_cr8(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    if (v->u64[0] > 15) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    cpu_set_apic_tpr(vp->base.cpu->apic_state, v->u64[0]);
    return HV_STATUS_SUCCESS;
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
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    env->xcr0 = val;
    return HV_STATUS_SUCCESS;
}

/* TCG takes an address over when its breakpoint is enabled. */
static uint16_t set_dr(EmuhvVp *vp, const Reg *r, unsigned i,
                       const EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint64_t dr7 = env->dr[7];

    cpu_x86_update_dr7(env, dr7 & ~(3ull << (2 * i)));
    env->dr[i] = v->u64[0];
    cpu_x86_update_dr7(env, dr7);
    return HV_STATUS_SUCCESS;
}

static uint16_t set_dr7(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    if (v->u64[0] >> 32) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    cpu_x86_update_dr7(emuhv_vp_env(vp), v->u64[0]);
    return HV_STATUS_SUCCESS;
}

static uint16_t set_dr6(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    emuhv_vp_env(vp)->dr[6] = (v->u64[0] & 0xe00f) | DR6_FIXED_1;
    return HV_STATUS_SUCCESS;
}

/* ---- MSRs ---- */

static uint16_t get_tsc(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);

    v->u64[0] = emuhv_raw_tsc(vp->partition) + env->tsc_offset;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_tsc(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v)
{
    emuhv_set_tsc_offset(vp, v->u64[0] - emuhv_raw_tsc(vp->partition));
    return HV_STATUS_SUCCESS;
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
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    env->efer = v->u64[0];
    return HV_STATUS_SUCCESS;
}

static uint16_t get_apic_base(EmuhvVp *vp, const Reg *r, unsigned i,
                              EmuhvRegVal *v)
{
    v->u64[0] = cpu_get_apic_base(vp->base.cpu->apic_state);
    return HV_STATUS_SUCCESS;
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
                !vp->partition->cfg.x2apic))) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    a->apicbase = val;
    return HV_STATUS_SUCCESS;
}

static uint16_t get_apic_id(EmuhvVp *vp, const Reg *r, unsigned i,
                            EmuhvRegVal *v)
{
    v->u64[0] = emuhv_vp_apic(vp)->initial_apic_id;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_apic_id(EmuhvVp *vp, const Reg *r, unsigned i,
                            const EmuhvRegVal *v)
{
    return v->u64[0] > UINT32_MAX ? HV_STATUS_INVALID_REGISTER_VALUE
                                  : emuhv_apic_set_id(vp, v->u64[0]);
}

static uint16_t get_mtrr_cap(EmuhvVp *vp, const Reg *r, unsigned i,
                             EmuhvRegVal *v)
{
    v->u64[0] = MSR_MTRRcap_VCNT | MSR_MTRRcap_FIXRANGE_SUPPORT |
                MSR_MTRRcap_WC_SUPPORTED;
    return HV_STATUS_SUCCESS;
}

/* Registers of features that TCG does not have: keep the value. */
static uint16_t get_kept(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    v->u64[0] = vp->s->misc_regs[r->offset];
    return HV_STATUS_SUCCESS;
}

static uint16_t set_kept(EmuhvVp *vp, const Reg *r, unsigned i,
                         const EmuhvRegVal *v)
{
    vp->s->misc_regs[r->offset] = v->u64[0];
    return HV_STATUS_SUCCESS;
}

/* Exist, are 0, and stay 0. */
static uint16_t get_zero(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v)
{
    return HV_STATUS_SUCCESS;
}

static uint16_t set_zero(EmuhvVp *vp, const Reg *r, unsigned i,
                         const EmuhvRegVal *v)
{
    return v->u64[0] ? HV_STATUS_INVALID_REGISTER_VALUE : HV_STATUS_SUCCESS;
}

#define U32(f)          .get = get_u32, .set = set_u32, ENV(f)
#define KEPT(slot)      .get = get_kept, .set = set_kept, .offset = (slot)
#define ZERO            .get = get_zero, .set = set_zero

static const Reg regs[] = {
    { X64(CR0), 1, U64_SET(cr[0], set_cr0), .after = F_HFLAGS | F_FLUSH },
    { X64(CR2), 1, U64(cr[2]) },
    { X64(CR3), 1, U64(cr[3]), .after = F_FLUSH },
    { X64(CR4), 1, U64_SET(cr[4], set_cr4), .after = F_HFLAGS | F_FLUSH },
    { X64(CR8), 1, get_cr8, set_cr8 },
    { X64(XFEM), 1, U64_SET(xcr0, set_xfem), .after = F_HFLAGS },
    { X64(INTERMEDIATE_CR0), 1, U64_SET(cr[0], set_cr0),
      .after = F_HFLAGS | F_FLUSH },
    { X64(INTERMEDIATE_CR3), 1, U64(cr[3]), .after = F_FLUSH },
    { X64(INTERMEDIATE_CR4), 1, U64_SET(cr[4], set_cr4),
      .after = F_HFLAGS | F_FLUSH },
    { X64(INTERMEDIATE_CR8), 1, get_cr8, set_cr8 },
    { X64(DR0), 4, U64_SET(dr, set_dr), .stride = 8 },
    { X64(DR6), 1, U64_SET(dr[6], set_dr6) },
    { X64(DR7), 1, U64_SET(dr[7], set_dr7) },
    { X64(IDTR), 1, get_table, set_table, ENV(idt) },
    { X64(GDTR), 1, get_table, set_table, ENV(gdt) },
    { X64(TSC), 1, get_tsc, set_tsc },
    { X64(EFER), 1, U64_SET(efer, set_efer), .after = F_HFLAGS | F_FLUSH },
    { X64(KERNEL_GS_BASE), 1, U64(kernelgsbase) },
    { X64(APIC_BASE), 1, get_apic_base, set_apic_base, .after = F_FLUSH },
    { X64(PAT), 1, U64(pat) },
    { X64(SYSENTER_CS), 1, U32(sysenter_cs) },
    { X64(SYSENTER_EIP), 1, U64(sysenter_eip) },
    { X64(SYSENTER_ESP), 1, U64(sysenter_esp) },
    { X64(STAR), 1, U64(star) },
    { X64(LSTAR), 1, U64(lstar) },
    { X64(CSTAR), 1, U64(cstar) },
    { X64(SFMASK), 1, U64(fmask) },
    { X64(INITIAL_APIC_ID), 1, get_apic_id, set_apic_id },
    { X64(MSR_MTRR_CAP), 1, get_mtrr_cap },
    { X64(MSR_MTRR_DEF_TYPE), 1, U64(mtrr_deftype) },
    { X64(MSR_MTRR_PHYS_BASE0), 8, U64(mtrr_var[0].base),
      .stride = sizeof(MTRRVar) },
    { X64(MSR_MTRR_PHYS_BASE8), 8, ZERO },
    { X64(MSR_MTRR_PHYS_MASK0), 8, U64(mtrr_var[0].mask),
      .stride = sizeof(MTRRVar) },
    { X64(MSR_MTRR_PHYS_MASK8), 8, ZERO },
    { X64(MSR_MTRR_FIX64K00000), 11, U64(mtrr_fixed), .stride = 8 },
    { X64(TSC_AUX), 1, U64(tsc_aux) },
    { X64(BNDCFGS), 1, KEPT(5) },
    { X64(DEBUG_CTL), 1, KEPT(0) },
    { X64(SPEC_CTRL), 1, KEPT(2) },
    { X64(PRED_CMD), 1, ZERO },
    { X64(XSS), 1, ZERO },
    { X64(U_CET), 8, ZERO },
    { X64(TSC_ADJUST), 1, KEPT(1) },
    { X64(MSR_IA32_MISC_ENABLE), 1, U64(msr_ia32_misc_enable) },
    { X64(IA32_FEATURE_CONTROL), 1, KEPT(3) },
    { X64(IA32_VMX_BASIC), 17, ZERO },
    { X64(APIC_ID), 1, get_apic_id, set_apic_id },
};

const RegTable emuhv_system_regs = { regs, ARRAY_SIZE(regs) };
