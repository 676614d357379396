/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: CPUID of a child, and the processor features
 * that the hypervisor can give it.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/lockable.h"
#include "hw/emuhv/vp/vp-int.h"

/* Bits of HV_PARTITION_PROCESSOR_FEATURES, and what QEMU calls them. */
typedef struct Feature {
    uint8_t bank, bit;
    uint16_t word;              /* FeatureWord */
    uint64_t mask;
} Feature;

static const Feature features[] = {
    { 0, 0, FEAT_1_ECX, CPUID_EXT_SSE3 },
    { 0, 1, FEAT_8000_0001_ECX, CPUID_EXT3_LAHF_LM },
    { 0, 2, FEAT_1_ECX, CPUID_EXT_SSSE3 },
    { 0, 3, FEAT_1_ECX, CPUID_EXT_SSE41 },
    { 0, 4, FEAT_1_ECX, CPUID_EXT_SSE42 },
    { 0, 5, FEAT_8000_0001_ECX, CPUID_EXT3_SSE4A },
    { 0, 6, FEAT_8000_0001_ECX, CPUID_EXT3_XOP },
    { 0, 7, FEAT_1_ECX, CPUID_EXT_POPCNT },
    { 0, 8, FEAT_1_ECX, CPUID_EXT_CX16 },
    { 0, 9, FEAT_8000_0001_ECX, CPUID_EXT3_CR8LEG },
    { 0, 10, FEAT_8000_0001_ECX, CPUID_EXT3_ABM },
    { 0, 11, FEAT_8000_0001_ECX, CPUID_EXT3_MISALIGNSSE },
    { 0, 12, FEAT_8000_0001_EDX, CPUID_EXT2_MMXEXT },
    { 0, 13, FEAT_8000_0001_EDX, CPUID_EXT2_3DNOW },
    { 0, 14, FEAT_8000_0001_EDX, CPUID_EXT2_3DNOWEXT },
    { 0, 15, FEAT_8000_0001_EDX, CPUID_EXT2_PDPE1GB },
    { 0, 16, FEAT_1_ECX, CPUID_EXT_AES },
    { 0, 17, FEAT_1_ECX, CPUID_EXT_PCLMULQDQ },
    { 0, 18, FEAT_1_ECX, CPUID_EXT_PCID },
    { 0, 19, FEAT_8000_0001_ECX, CPUID_EXT3_FMA4 },
    { 0, 20, FEAT_1_ECX, CPUID_EXT_F16C },
    { 0, 21, FEAT_1_ECX, CPUID_EXT_RDRAND },
    { 0, 22, FEAT_7_0_EBX, CPUID_7_0_EBX_FSGSBASE },
    { 0, 23, FEAT_7_0_EBX, CPUID_7_0_EBX_SMEP },
    { 0, 24, FEAT_7_0_EBX, CPUID_7_0_EBX_ERMS },
    { 0, 25, FEAT_7_0_EBX, CPUID_7_0_EBX_BMI1 },
    { 0, 26, FEAT_7_0_EBX, CPUID_7_0_EBX_BMI2 },
    { 0, 29, FEAT_1_ECX, CPUID_EXT_MOVBE },
    { 0, 32, FEAT_7_0_EBX, CPUID_7_0_EBX_RDSEED },
    { 0, 33, FEAT_7_0_EBX, CPUID_7_0_EBX_ADX },
    { 0, 34, FEAT_8000_0001_ECX, CPUID_EXT3_3DNOWPREFETCH },
    { 0, 35, FEAT_7_0_EBX, CPUID_7_0_EBX_SMAP },
    { 0, 36, FEAT_7_0_EBX, CPUID_7_0_EBX_HLE },
    { 0, 37, FEAT_7_0_EBX, CPUID_7_0_EBX_RTM },
    { 0, 38, FEAT_8000_0001_EDX, CPUID_EXT2_RDTSCP },
    { 0, 39, FEAT_7_0_EBX, CPUID_7_0_EBX_CLFLUSHOPT },
    { 0, 40, FEAT_7_0_EBX, CPUID_7_0_EBX_CLWB },
    { 0, 41, FEAT_7_0_EBX, CPUID_7_0_EBX_SHA_NI },
    { 0, 43, FEAT_7_0_EBX, CPUID_7_0_EBX_INVPCID },
    { 0, 49, FEAT_7_0_EDX, CPUID_7_0_EDX_FSRM },
    { 0, 57, FEAT_7_0_ECX, CPUID_7_0_ECX_RDPID },
    { 0, 58, FEAT_7_0_ECX, CPUID_7_0_ECX_UMIP },
    { 1, 1, FEAT_8000_0007_EDX, CPUID_APM_INVTSC },
    { 1, 4, FEAT_7_0_ECX, CPUID_7_0_ECX_LA57 },
    { 1, 13, FEAT_7_0_ECX, CPUID_7_0_ECX_MOVDIRI },
    { 1, 14, FEAT_7_0_ECX, CPUID_7_0_ECX_MOVDIR64B },
    { 1, 18, FEAT_7_0_EBX, 1u << 1 },       /* TSC_ADJUST */
};

static const Feature xsave_features[] = {
    { 0, 0, FEAT_1_ECX, CPUID_EXT_XSAVE },
    { 0, 1, FEAT_XSAVE, CPUID_XSAVE_XSAVEOPT },
    { 0, 2, FEAT_1_ECX, CPUID_EXT_AVX },
    { 0, 3, FEAT_7_0_EBX, CPUID_7_0_EBX_AVX2 },
    { 0, 4, FEAT_1_ECX, CPUID_EXT_FMA },
    { 0, 5, FEAT_7_0_EBX, 1u << 14 },       /* MPX */
    { 0, 19, FEAT_7_0_ECX, CPUID_7_0_ECX_GFNI },
    { 0, 20, FEAT_7_0_ECX, CPUID_7_0_ECX_VAES },
    { 0, 22, FEAT_7_0_ECX, CPUID_7_0_ECX_VPCLMULQDQ },
};

/*
 * What a host may keep from its children: RDRAND, BMI1, BMI2, MOVBE, RDSEED,
 * ADX, SMAP, ERMS, CLFLUSHOPT, PCID, pages of 1 GiB, SHA; AVX2, FMA, VAES
 */
static const uint64_t withheld[2] = {
    1ull << 21 | 1ull << 25 | 1ull << 26 | 1ull << 29 | 1ull << 32 |
    1ull << 33 | 1ull << 35 | 1ull << 24 | 1ull << 39 | 1ull << 18 |
    1ull << 15 | 1ull << 41,
};
static const uint64_t withheld_xsave = 1ull << 3 | 1ull << 4 | 1ull << 20;

static uint64_t if_few(uint64_t bits)
{
    return emuhv_answers(EMUHV_FEW_FEATURES) ? bits : 0;
}

static uint64_t collect(const Feature *f, unsigned n, unsigned bank)
{
    const uint64_t *have = emuhv_pool_model()->features;
    uint64_t bits = 0;

    for (unsigned i = 0; i < n; i++) {
        if (f[i].bank == bank && (have[f[i].word] & f[i].mask)) {
            bits |= 1ull << f[i].bit;
        }
    }
    return bits;
}

uint64_t emuhv_processor_features(unsigned bank)
{
    return collect(features, ARRAY_SIZE(features), bank) &
           ~if_few(withheld[bank]);
}

uint64_t emuhv_xsave_features(void)
{
    return collect(xsave_features, ARRAY_SIZE(xsave_features), 0) &
           ~if_few(withheld_xsave);
}

/*
 * The features of a VP: those of the pool's CPUs without what its partition
 * does not have.  TCG decodes instructions by them.
 */
void emuhv_cpuid_setup(EmuhvVp *vp)
{
    CPUX86State *env = emuhv_vp_env(vp);
    EmuhvPartitionConfig *cfg = &vp->partition->cfg;
    uint64_t xcr0;

    vp->base.cpu->phys_bits = emuhv_child_address_bits();
    memcpy(env->features, vp->features, sizeof(FeatureWordArray));
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        const Feature *f = &features[i];

        if ((cfg->disabled_features[f->bank] | if_few(withheld[f->bank])) >>
            f->bit & 1) {
            env->features[f->word] &= ~f->mask;
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(xsave_features); i++) {
        const Feature *f = &xsave_features[i];

        if ((cfg->disabled_xsave | if_few(withheld_xsave)) >> f->bit & 1) {
            env->features[f->word] &= ~f->mask;
        }
    }
    xcr0 = XSTATE_FP_MASK | XSTATE_SSE_MASK;
    if (env->features[FEAT_1_ECX] & CPUID_EXT_AVX) {
        xcr0 |= XSTATE_YMM_MASK;
    }
    if (env->features[FEAT_7_0_EBX] & (1u << 14)) {
        xcr0 |= XSTATE_BNDREGS_MASK | XSTATE_BNDCSR_MASK;
    }
    if (env->features[FEAT_7_0_ECX] & CPUID_7_0_ECX_PKU) {
        xcr0 |= XSTATE_PKRU_MASK;
    }
    env->features[FEAT_XSAVE_XCR0_LO] &=
        env->features[FEAT_1_ECX] & CPUID_EXT_XSAVE ? xcr0 : 0;
    if (!cfg->x2apic) {
        env->features[FEAT_1_ECX] &= ~CPUID_EXT_X2APIC;
    }
    if (!cfg->lapic) {
        env->features[FEAT_1_EDX] &= ~CPUID_APIC;
    }
    env->features[FEAT_1_ECX] &= ~(CPUID_EXT_HYPERVISOR | CPUID_EXT_MONITOR);
    if (vp->partition->irq->synth_features &
        HV_SYNTH_FEATURE_HYPERVISOR_PRESENT) {
        env->features[FEAT_1_ECX] |= CPUID_EXT_HYPERVISOR;
    }
}

/* ---- Hypervisor leaves ---- */

/* How often a guest shall try before it says that it waits */
#define SPIN_RETRIES    4096

/* Bits that are shown for synthetic features */
typedef struct Shown {
    uint64_t feature;
    uint32_t bit;
} Shown;

static const Shown features_edx[] = {
    { HV_SYNTH_FEATURE_FREQUENCY, HV_FEATURE_FREQUENCY_MSRS_AVAILABLE },
    { HV_SYNTH_FEATURE_DIRECT_TIMERS, HV_STIMER_DIRECT_MODE_AVAILABLE },
    { HV_SYNTH_FEATURE_EXTENDED_GVA_RANGES, HV_FEATURE_EXT_GVA_RANGES_FLUSH },
};

static const Shown hints_eax[] = {
    { HV_SYNTH_FEATURE_TB_FLUSH_HYPERCALLS,
      HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED },
    { HV_SYNTH_FEATURE_CLUSTER_IPI, HV_X64_CLUSTER_IPI_RECOMMENDED },
    { HV_SYNTH_FEATURE_EXTENDED_PROCESSOR_MASKS,
      HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED },
};

static uint32_t bits_of(uint64_t features, const Shown *s, unsigned n)
{
    uint32_t bits = 0;

    for (unsigned i = 0; i < n; i++) {
        bits |= features & s[i].feature ? s[i].bit : 0;
    }
    return bits;
}

static void hypervisor_leaf(EmuhvVp *vp, uint32_t leaf, uint32_t r[4])
{
    uint64_t f = vp->partition->irq->synth_features;

    memset(r, 0, 4 * sizeof(*r));
    if (!(f & HV_SYNTH_FEATURE_HYPERVISOR_PRESENT)) {
        return;
    }
    if (leaf > 0x40000000 && !(f & HV_SYNTH_FEATURE_HV1)) {
        return;
    }
    switch (leaf) {
    case 0x40000000:
        r[0] = f & HV_SYNTH_FEATURE_HV1 ? 0x40000006 : 0x40000000;
        memcpy(&r[1], "Microsoft Hv", 12);
        break;
    case 0x40000001:
        memcpy(&r[0], "Hv#1", 4);
        break;
    case 0x40000002:
        r[0] = EMUHV_BUILD;
        r[1] = 10 << 16;
        break;
    case 0x40000003:
        /*
         * Privileges: synthetic feature bits 2 to 11 moved down by two, with
         * a gap of two bits before the reference TSC.
         */
        r[0] = ((f >> 2) & 0x7f) | (f & 0xe00);
        r[3] = bits_of(f, features_edx, ARRAY_SIZE(features_edx)) |
               (emuhv_answers(EMUHV_NO_CRASH_MSRS)
                ? 0 : HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE) |
               HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE;
        break;
    case 0x40000004:
        r[0] = bits_of(f, hints_eax, ARRAY_SIZE(hints_eax)) |
               HV_DEPRECATING_AEOI_RECOMMENDED;
        r[1] = f & HV_SYNTH_FEATURE_LONG_SPIN_WAIT ? SPIN_RETRIES
                                                   : HV_LONG_SPIN_WAIT_NEVER;
        break;
    case 0x40000005:
        r[0] = r[1] = EMUHV_MAX_VP_INDEX + 1;
        break;
    default:
        break;
    }
}

/* ---- Topology: one package, one thread per core, unless overridden ---- */

static void topology(EmuhvVp *vp, uint32_t leaf, uint32_t subleaf,
                     uint32_t r[4])
{
    uint32_t id = vp->base.cpu->apic_id, n = 0;

    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        n += qatomic_read(&vp->partition->vps[i]) != NULL;
    }
    switch (leaf) {
    case 1:
        r[1] = (r[1] & 0x0000ffff) | MIN(n, 255) << 16 | id << 24;
        r[3] = (r[3] & ~(uint32_t)CPUID_HT) | (n > 1 ? CPUID_HT : 0);
        break;
    case 0xb:
    case 0x1f:
        r[0] = subleaf == 1 ? 8 : 0;
        r[1] = subleaf == 0 ? 1 : subleaf == 1 ? n : 0;
        r[2] = subleaf | (subleaf < 2 ? (subleaf + 1) << 8 : 0);
        r[3] = id;
        break;
    case 0x80000008:
        r[2] = (r[2] & ~0xffffu) | MIN(n - 1, 255) | 8 << 12;
        break;
    case 0x8000001e:
        r[0] = r[1] = id;
        r[2] = 0;
        break;
    default:
        break;
    }
}

/* ---- Results that the partition's owner registered ---- */

static const EmuhvCpuidResult *find_result(EmuhvVp *vp, uint32_t leaf,
                                           uint32_t subleaf)
{
    GArray *a = vp->partition->settings->cpuid_results;
    const EmuhvCpuidResult *best = NULL;

    for (unsigned i = 0; i < a->len; i++) {
        EmuhvCpuidResult *r = &g_array_index(a, EmuhvCpuidResult, i);

        if (r->eax != leaf || (r->subleaf_specific && r->ecx != subleaf) ||
            (r->vp_index != EMUHV_ANY_VP && r->vp_index != vp->index)) {
            continue;
        }
        if (!best || (best->vp_index == EMUHV_ANY_VP &&
                      r->vp_index != EMUHV_ANY_VP) ||
            (best->vp_index == r->vp_index && r->subleaf_specific)) {
            best = r;
        }
    }
    return best;
}

/* Bits that follow the VP's state, whatever the registered result says. */
static void dynamic(EmuhvVp *vp, const EmuhvCpuidResult *o, uint32_t leaf,
                    uint32_t subleaf, uint32_t r[4])
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint32_t id = vp->base.cpu->apic_id;

    if (leaf == 1) {
        r[2] &= ~(uint32_t)CPUID_EXT_OSXSAVE;
        if ((r[2] & CPUID_EXT_XSAVE) && (env->cr[4] & CR4_OSXSAVE_MASK)) {
            r[2] |= CPUID_EXT_OSXSAVE;
        }
        if (o->vp_index == EMUHV_ANY_VP) {
            r[1] = (r[1] & 0x00ffffff) | id << 24;
        }
    } else if (leaf == 7 && subleaf == 0) {
        r[2] &= ~(uint32_t)CPUID_7_0_ECX_OSPKE;
        r[2] |= env->cr[4] & CR4_PKE_MASK ? CPUID_7_0_ECX_OSPKE : 0;
    } else if (o->vp_index == EMUHV_ANY_VP && (leaf == 0xb || leaf == 0x1f)) {
        r[3] = id;
    } else if (o->vp_index == EMUHV_ANY_VP && leaf == 0x8000001e) {
        r[0] = id;
    }
}

void emuhv_vp_cpuid(EmuhvVp *vp, uint32_t leaf, uint32_t subleaf,
                    uint32_t out[4])
{
    const EmuhvCpuidResult *o;

    if (leaf >= 0x40000000 && leaf <= 0x4000ffff) {
        hypervisor_leaf(vp, leaf, out);
    } else {
        cpu_x86_cpuid(emuhv_vp_env(vp), leaf, subleaf, &out[0], &out[1],
                      &out[2], &out[3]);
        topology(vp, leaf, subleaf, out);
    }
    QEMU_LOCK_GUARD(&vp->partition->settings->lock);
    o = find_result(vp, leaf, subleaf);
    if (o) {
        uint32_t size = out[1];

        for (unsigned i = 0; i < 4; i++) {
            out[i] = (out[i] & ~o->mask[i]) | (o->val[i] & o->mask[i]);
        }
        if (!o->always_override) {
            dynamic(vp, o, leaf, subleaf, out);
        }
        if (leaf == 0xd && subleaf == 0) {
            out[1] = size;      /* of the components enabled in XCR0 */
        }
    }
}
