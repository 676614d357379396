/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: RDMSR and WRMSR of a child.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "exec/cputlb.h"
#include "hw/i386/apic.h"
#include "hw/emuhv/vp/vp-int.h"

#define MSR_HV_FIRST    0x40000000u
#define MSR_HV_LAST     0x400001ffu

typedef struct MsrRange {
    uint32_t first, last;
} MsrRange;

/* MSRs that TCG implements; all else must not silently read as 0. */
static const MsrRange in_tcg[] = {
    { 0x34, 0x35 },                 /* SMI count, core and thread count */
    { 0x8b, 0x8b },                 /* microcode revision */
    { 0xfe, 0xfe },                 /* MTRRcap */
    { 0x174, 0x176 },               /* SYSENTER */
    { 0x179, 0x17b },               /* machine check */
    { 0x198, 0x198 },               /* PERF_STATUS */
    { 0x1a0, 0x1a0 },               /* MISC_ENABLE */
    { 0x200, 0x20f }, { 0x250, 0x250 }, { 0x258, 0x259 },
    { 0x268, 0x26f }, { 0x2ff, 0x2ff },         /* MTRRs */
    { 0x277, 0x277 },               /* PAT */
    { 0x400, 0x400 + 4 * MCE_BANKS_DEF - 1 },
    { 0x6e1, 0x6e1 },               /* PKRS */
    { 0x800, 0x8ff },               /* x2APIC */
    { 0xc0000080, 0xc0000084 },     /* EFER, SYSCALL */
    { 0xc0000100, 0xc0000103 },     /* FS, GS, kernel GS, TSC_AUX */
};

static bool tcg_has(uint32_t msr)
{
    for (unsigned i = 0; i < ARRAY_SIZE(in_tcg); i++) {
        if (msr >= in_tcg[i].first && msr <= in_tcg[i].last) {
            return true;
        }
    }
    return false;
}

/* MSRs that only keep their value: slot in misc_regs. */
static int kept_slot(uint32_t msr)
{
    return msr == 0x1d9 ? 0 : msr == 0x3b ? 1 : -1;
}

static void count(EmuhvVp *vp, uint32_t msr)
{
    EmuhvMsrKind kind;

    vp->stats.msr++;
    switch (msr) {
    case 0x80b:
    case HV_X64_MSR_EOI:
        kind = EMUHV_MSR_EOI;
        break;
    case 0x830:
    case HV_X64_MSR_ICR:
        kind = EMUHV_MSR_ICR;
        break;
    case 0x838:
    case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
        kind = EMUHV_MSR_TIMER;
        break;
    default:
        return;
    }
    vp->stats.msr_kinds[kind]++;
}

/* Returns for IGNORE_ZERO only. */
static void unknown_msr(EmuhvVp *vp, uint32_t msr, bool write, uintptr_t ra)
{
    switch (emuhv_msr_action(vp->partition, msr, write)) {
    case EMUHV_MSR_INTERCEPT:
        emuhv_msr_intercept(vp, msr, write, ra);
    case EMUHV_MSR_FAULT:
        emuhv_raise_gp(emuhv_vp_env(vp), ra);
    default:
        break;
    }
}

bool emuhv_vp_insn_wrmsr(EmuhvVp *vp, uint32_t msr, uint64_t val,
                         uintptr_t ra)
{
    CPUX86State *env = emuhv_vp_env(vp);
    bool ok = true;

    if (emuhv_msr_intercepted(vp->partition, msr, true)) {
        emuhv_msr_intercept(vp, msr, true, ra);
    }
    count(vp, msr);
    if (msr == MSR_IA32_APICBASE) {
        bql_lock();
        ok = vp->partition->cfg.lapic && !(val & MSR_IA32_APICBASE_RESERVED) &&
             cpu_set_apic_base(vp->base.cpu->apic_state, val) >= 0;
        tlb_flush(env_cpu(env));
        bql_unlock();
    } else if (msr == MSR_IA32_TSC) {
        emuhv_set_tsc_offset(vp, val - cpu_get_tsc(env));
    } else if (kept_slot(msr) >= 0) {
        if (msr == MSR_TSC_ADJUST) {
            emuhv_set_tsc_offset(vp, vp->irq->tsc_offset + val -
                                 vp->s->misc_regs[kept_slot(msr)]);
        }
        vp->s->misc_regs[kept_slot(msr)] = val;
    } else if (msr >= MSR_HV_FIRST && msr <= MSR_HV_LAST &&
               emuhv_synth_is_msr(vp, msr)) {
        bql_lock();
        ok = emuhv_synth_wrmsr(vp, msr, val);
        bql_unlock();
    } else if (tcg_has(msr)) {
        return false;
    } else {
        unknown_msr(vp, msr, true, ra);
    }
    if (!ok) {
        emuhv_raise_gp(env, ra);
    }
    return true;
}

bool emuhv_vp_insn_rdmsr(EmuhvVp *vp, uint32_t msr, uint64_t *val,
                         uintptr_t ra)
{
    CPUX86State *env = emuhv_vp_env(vp);
    bool ok = true;

    if (emuhv_msr_intercepted(vp->partition, msr, false)) {
        emuhv_msr_intercept(vp, msr, false, ra);
    }
    vp->stats.msr++;
    if (msr == MSR_IA32_APICBASE) {
        if (!vp->partition->cfg.lapic) {
            unknown_msr(vp, msr, false, ra);
        }
        return false;
    } else if (msr == MSR_IA32_TSC) {
        *val = cpu_get_tsc(env) + env->tsc_offset;
    } else if (kept_slot(msr) >= 0) {
        *val = vp->s->misc_regs[kept_slot(msr)];
    } else if (msr >= MSR_HV_FIRST && msr <= MSR_HV_LAST &&
               emuhv_synth_is_msr(vp, msr)) {
        bql_lock();
        ok = emuhv_synth_rdmsr(vp, msr, val);
        bql_unlock();
    } else if (tcg_has(msr)) {
        return false;
    } else {
        unknown_msr(vp, msr, false, ra);
        *val = 0;
    }
    if (!ok) {
        emuhv_raise_gp(env, ra);
    }
    return true;
}
