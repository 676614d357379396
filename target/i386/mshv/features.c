/*
 * Which CPU features a guest can be given.
 *
 * A feature must be listed here, the host's CPUID must show it, and the
 * partition must be allowed to have it: processor features, XSAVE features and
 * XSAVE states are properties of the partition, or of the host's own if there
 * is no partition yet. A host that refuses to tell is taken to allow what its
 * CPUID shows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "accel/mshv/partition.h"
#include "mshv/x86.h"
#include "mshv-x86.h"

/* Feature bits that virtual machines can have at all. */
typedef struct MshvFeatureMask {
    uint32_t leaf, subleaf;
    int reg;
    uint32_t mask;              /* what the host has of these */
    uint32_t always;            /* virtual: whatever the host has */
} MshvFeatureMask;

/* Newer QEMUs have it. */
#ifndef CPUID_7_0_EDX_MD_CLEAR
#define CPUID_7_0_EDX_MD_CLEAR      (1u << 10)
#endif
#define CPUID_8000_0007_EDX_INVTSC  (1u << 8)

static const MshvFeatureMask feature_masks[] = {
    { 1, 0, R_EDX,
      CPUID_FP87 | CPUID_VME | CPUID_DE | CPUID_PSE | CPUID_TSC | CPUID_MSR |
      CPUID_PAE | CPUID_MCE | CPUID_CX8 | CPUID_APIC | CPUID_SEP | CPUID_MTRR |
      CPUID_PGE | CPUID_MCA | CPUID_CMOV | CPUID_PAT | CPUID_PSE36 |
      CPUID_CLFLUSH | CPUID_MMX | CPUID_FXSR | CPUID_SSE | CPUID_SSE2 |
      CPUID_SS | CPUID_HT, CPUID_APIC | CPUID_HT },
    { 1, 0, R_ECX,
      CPUID_EXT_SSE3 | CPUID_EXT_PCLMULQDQ | CPUID_EXT_SSSE3 | CPUID_EXT_FMA |
      CPUID_EXT_CX16 | CPUID_EXT_PCID | CPUID_EXT_SSE41 | CPUID_EXT_SSE42 |
      CPUID_EXT_MOVBE | CPUID_EXT_POPCNT | CPUID_EXT_TSC_DEADLINE_TIMER |
      CPUID_EXT_AES | CPUID_EXT_XSAVE | CPUID_EXT_AVX | CPUID_EXT_F16C |
      CPUID_EXT_RDRAND, CPUID_EXT_X2APIC | CPUID_EXT_HYPERVISOR },
    { 6, 0, R_EAX, 0, CPUID_6_EAX_ARAT },
    { 7, 0, R_EBX,
      CPUID_7_0_EBX_FSGSBASE | CPUID_7_0_EBX_TSC_ADJUST | CPUID_7_0_EBX_BMI1 |
      CPUID_7_0_EBX_HLE | CPUID_7_0_EBX_AVX2 | CPUID_7_0_EBX_FDP_EXCPTN_ONLY |
      CPUID_7_0_EBX_SMEP | CPUID_7_0_EBX_BMI2 | CPUID_7_0_EBX_ERMS |
      CPUID_7_0_EBX_INVPCID | CPUID_7_0_EBX_RTM | CPUID_7_0_EBX_ZERO_FCS_FDS |
      CPUID_7_0_EBX_AVX512F | CPUID_7_0_EBX_AVX512DQ | CPUID_7_0_EBX_RDSEED |
      CPUID_7_0_EBX_ADX | CPUID_7_0_EBX_SMAP | CPUID_7_0_EBX_AVX512IFMA |
      CPUID_7_0_EBX_CLFLUSHOPT | CPUID_7_0_EBX_CLWB | CPUID_7_0_EBX_AVX512CD |
      CPUID_7_0_EBX_SHA_NI | CPUID_7_0_EBX_AVX512BW | CPUID_7_0_EBX_AVX512VL,
      0 },
    { 7, 0, R_ECX,
      CPUID_7_0_ECX_AVX512_VBMI | CPUID_7_0_ECX_UMIP | CPUID_7_0_ECX_PKU |
      CPUID_7_0_ECX_WAITPKG | CPUID_7_0_ECX_AVX512_VBMI2 | CPUID_7_0_ECX_GFNI |
      CPUID_7_0_ECX_VAES | CPUID_7_0_ECX_VPCLMULQDQ |
      CPUID_7_0_ECX_AVX512VNNI | CPUID_7_0_ECX_AVX512BITALG |
      CPUID_7_0_ECX_AVX512_VPOPCNTDQ | CPUID_7_0_ECX_LA57 |
      CPUID_7_0_ECX_RDPID | CPUID_7_0_ECX_CLDEMOTE | CPUID_7_0_ECX_MOVDIRI |
      CPUID_7_0_ECX_MOVDIR64B, 0 },
    { 7, 0, R_EDX,
      CPUID_7_0_EDX_FSRM | CPUID_7_0_EDX_AVX512_VP2INTERSECT |
      CPUID_7_0_EDX_MD_CLEAR | CPUID_7_0_EDX_SERIALIZE |
      CPUID_7_0_EDX_AMX_BF16 | CPUID_7_0_EDX_AVX512_FP16 |
      CPUID_7_0_EDX_AMX_TILE | CPUID_7_0_EDX_AMX_INT8 |
      CPUID_7_0_EDX_SPEC_CTRL | CPUID_7_0_EDX_STIBP |
      CPUID_7_0_EDX_FLUSH_L1D | CPUID_7_0_EDX_SPEC_CTRL_SSBD, 0 },
    { 7, 1, R_EAX,
      CPUID_7_1_EAX_SHA512 | CPUID_7_1_EAX_AVX_VNNI |
      CPUID_7_1_EAX_AVX512_BF16 | CPUID_7_1_EAX_FZRM | CPUID_7_1_EAX_FSRS |
      CPUID_7_1_EAX_FSRC | CPUID_7_1_EAX_AVX_IFMA | CPUID_7_1_EAX_AMX_FP16,
      0 },
    { 0xd, 1, R_EAX,
      CPUID_XSAVE_XSAVEOPT | CPUID_XSAVE_XSAVEC | CPUID_XSAVE_XGETBV1 |
      CPUID_XSAVE_XSAVES, 0 },
    { 0x80000001, 0, R_EDX,
      CPUID_EXT2_AMD_ALIASES | CPUID_EXT2_SYSCALL | CPUID_EXT2_NX |
      CPUID_EXT2_MMXEXT | CPUID_EXT2_FFXSR | CPUID_EXT2_PDPE1GB |
      CPUID_EXT2_RDTSCP | CPUID_EXT2_LM | CPUID_EXT2_3DNOWEXT |
      CPUID_EXT2_3DNOW, 0 },
    { 0x80000001, 0, R_ECX,
      CPUID_EXT3_LAHF_LM | CPUID_EXT3_CR8LEG | CPUID_EXT3_ABM |
      CPUID_EXT3_SSE4A | CPUID_EXT3_MISALIGNSSE | CPUID_EXT3_3DNOWPREFETCH |
      CPUID_EXT3_XOP | CPUID_EXT3_FMA4,
      CPUID_EXT3_CMP_LEG | CPUID_EXT3_TOPOEXT },
    { 0x80000007, 0, R_EDX, CPUID_8000_0007_EDX_INVTSC, 0 },
    { 0x80000008, 0, R_EBX,
      CPUID_8000_0008_EBX_CLZERO | CPUID_8000_0008_EBX_XSAVEERPTR |
      CPUID_8000_0008_EBX_WBNOINVD | CPUID_8000_0008_EBX_IBPB |
      CPUID_8000_0008_EBX_IBRS | CPUID_8000_0008_EBX_STIBP |
      CPUID_8000_0008_EBX_STIBP_ALWAYS_ON | CPUID_8000_0008_EBX_AMD_SSBD |
      CPUID_8000_0008_EBX_VIRT_SSBD | CPUID_8000_0008_EBX_AMD_PSFD, 0 },
    { 0x80000021, 0, R_EAX,
      CPUID_8000_0021_EAX_NO_NESTED_DATA_BP |
      CPUID_8000_0021_EAX_LFENCE_ALWAYS_SERIALIZING |
      CPUID_8000_0021_EAX_NULL_SEL_CLR_BASE, 0 },
    /* Whole registers that are no feature bits */
    { 0, 0, R_EAX, ~0u, 0 },
    { 0x80000000, 0, R_EAX, ~0u, 0 },
    { 0x24, 0, R_EBX, ~0u, 0 },
};

/* A feature that the partition must have been granted. */
typedef struct FeatureGrant {
    uint32_t leaf, subleaf;
    int reg;
    uint32_t bits;
    unsigned feature;           /* HV_PROC_FEATURE_* */
} FeatureGrant;

#define GRANT(l, s, r, b, f)    { l, s, R_##r, b, HV_PROC_FEATURE_##f }

static const FeatureGrant grants[] = {
    GRANT(1, 0, ECX, CPUID_EXT_SSE3, SSE3),
    GRANT(1, 0, ECX, CPUID_EXT_PCLMULQDQ, PCLMULQDQ),
    GRANT(1, 0, ECX, CPUID_EXT_SSSE3, SSSE3),
    GRANT(1, 0, ECX, CPUID_EXT_CX16, CMPXCHG16B),
    GRANT(1, 0, ECX, CPUID_EXT_PCID, PCID),
    GRANT(1, 0, ECX, CPUID_EXT_SSE41, SSE4_1),
    GRANT(1, 0, ECX, CPUID_EXT_SSE42, SSE4_2),
    GRANT(1, 0, ECX, CPUID_EXT_MOVBE, MOVBE),
    GRANT(1, 0, ECX, CPUID_EXT_POPCNT, POPCNT),
    GRANT(1, 0, ECX, CPUID_EXT_TSC_DEADLINE_TIMER, TSC_DEADLINE),
    GRANT(1, 0, ECX, CPUID_EXT_AES, AES),
    GRANT(1, 0, ECX, CPUID_EXT_F16C, F16C),
    GRANT(1, 0, ECX, CPUID_EXT_RDRAND, RDRAND),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_FSGSBASE, FSGSBASE),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_TSC_ADJUST, TSC_ADJUST),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_BMI1, BMI1),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_HLE, HLE),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_SMEP, SMEP),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_BMI2, BMI2),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_ERMS, ERMS),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_INVPCID, INVPCID),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_RTM, RTM),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_RDSEED, RDSEED),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_ADX, ADX),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_SMAP, SMAP),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_CLFLUSHOPT, CLFLUSHOPT),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_CLWB, CLWB),
    GRANT(7, 0, EBX, CPUID_7_0_EBX_SHA_NI, SHA),
    GRANT(7, 0, ECX, CPUID_7_0_ECX_UMIP, UMIP),
    GRANT(7, 0, ECX, CPUID_7_0_ECX_WAITPKG, UMWAIT_TPAUSE),
    GRANT(7, 0, ECX, CPUID_7_0_ECX_LA57, LA57),
    GRANT(7, 0, ECX, CPUID_7_0_ECX_RDPID, RDPID),
    GRANT(7, 0, ECX, CPUID_7_0_ECX_CLDEMOTE, CLDEMOTE),
    GRANT(7, 0, ECX, CPUID_7_0_ECX_MOVDIRI, MOVDIRI),
    GRANT(7, 0, ECX, CPUID_7_0_ECX_MOVDIR64B, MOVDIR64B),
    GRANT(7, 0, EDX, CPUID_7_0_EDX_FSRM, FSRM),
    GRANT(7, 0, EDX, CPUID_7_0_EDX_MD_CLEAR, MD_CLEAR),
    GRANT(7, 0, EDX, CPUID_7_0_EDX_SERIALIZE, SERIALIZE),
    GRANT(7, 0, EDX, CPUID_7_0_EDX_SPEC_CTRL, IBRS),
    GRANT(7, 0, EDX, CPUID_7_0_EDX_STIBP, STIBP),
    GRANT(7, 0, EDX, CPUID_7_0_EDX_FLUSH_L1D, L1D_FLUSH),
    GRANT(7, 0, EDX, CPUID_7_0_EDX_SPEC_CTRL_SSBD, SSBD),
    GRANT(7, 1, EAX, CPUID_7_1_EAX_FZRM, FZLREP_MOVSB),
    GRANT(7, 1, EAX, CPUID_7_1_EAX_FSRS, FSREP_STOSB),
    GRANT(7, 1, EAX, CPUID_7_1_EAX_FSRC, FSREP_CMPSB),
    GRANT(0x80000001, 0, EDX, CPUID_EXT2_MMXEXT, MMX_EXT),
    GRANT(0x80000001, 0, EDX, CPUID_EXT2_PDPE1GB, PAGE_1GB),
    GRANT(0x80000001, 0, EDX, CPUID_EXT2_RDTSCP, RDTSCP),
    GRANT(0x80000001, 0, EDX, CPUID_EXT2_3DNOWEXT, 3DNOW_EXT),
    GRANT(0x80000001, 0, EDX, CPUID_EXT2_3DNOW, 3DNOW),
    GRANT(0x80000001, 0, ECX, CPUID_EXT3_LAHF_LM, LAHF_SAHF),
    GRANT(0x80000001, 0, ECX, CPUID_EXT3_CR8LEG, ALTMOVCR8),
    GRANT(0x80000001, 0, ECX, CPUID_EXT3_ABM, LZCNT),
    GRANT(0x80000001, 0, ECX, CPUID_EXT3_SSE4A, SSE4A),
    GRANT(0x80000001, 0, ECX, CPUID_EXT3_MISALIGNSSE, MISALIGN_SSE),
    GRANT(0x80000001, 0, ECX, CPUID_EXT3_3DNOWPREFETCH, PREFETCHW),
    GRANT(0x80000001, 0, ECX, CPUID_EXT3_XOP, XOP),
    GRANT(0x80000001, 0, ECX, CPUID_EXT3_FMA4, FMA4),
    GRANT(0x80000007, 0, EDX, CPUID_8000_0007_EDX_INVTSC, TSC_INVARIANT),
    GRANT(0x80000008, 0, EBX, CPUID_8000_0008_EBX_CLZERO, CLZERO),
    GRANT(0x80000008, 0, EBX, CPUID_8000_0008_EBX_IBPB, IBPB),
    GRANT(0x80000008, 0, EBX, CPUID_8000_0008_EBX_IBRS, IBRS),
    GRANT(0x80000008, 0, EBX, CPUID_8000_0008_EBX_STIBP, STIBP),
    GRANT(0x80000008, 0, EBX, CPUID_8000_0008_EBX_AMD_SSBD, SSBD),
    GRANT(0x80000008, 0, EBX, CPUID_8000_0008_EBX_VIRT_SSBD, VIRT_SPEC_CTRL),
    GRANT(0x80000008, 0, EBX, CPUID_8000_0008_EBX_AMD_PSFD, PSFD),
};

/* One of those that have to do with the XSAVE state: all these are needed. */
typedef struct XsaveGrant {
    uint32_t leaf, subleaf;
    int reg;
    uint32_t bits;
    uint64_t features;          /* HV_XSAVE_FEATURE_* */
} XsaveGrant;

#define XGRANT(l, s, r, b, f)   { l, s, R_##r, b, HV_XSAVE_FEATURE_##f }
/* One that widens what AVX has */
#define XGRANT_AVX(l, s, r, b, f)                                   \
    { l, s, R_##r, b, HV_XSAVE_FEATURE_XSAVE | HV_XSAVE_FEATURE_AVX | \
                      HV_XSAVE_FEATURE_##f }

static const XsaveGrant xsave_grants[] = {
    XGRANT(1, 0, ECX, CPUID_EXT_XSAVE, XSAVE),
    XGRANT_AVX(1, 0, ECX, CPUID_EXT_AVX | CPUID_EXT_F16C, AVX),
    XGRANT_AVX(1, 0, ECX, CPUID_EXT_FMA, FMA),
    XGRANT_AVX(7, 0, EBX, CPUID_7_0_EBX_AVX2, AVX2),
    XGRANT(7, 0, EBX, CPUID_7_0_EBX_AVX512F, AVX512F),
    XGRANT(7, 0, EBX, CPUID_7_0_EBX_AVX512DQ, AVX512DQ),
    XGRANT(7, 0, EBX, CPUID_7_0_EBX_AVX512IFMA, AVX512_IFMA),
    XGRANT(7, 0, EBX, CPUID_7_0_EBX_AVX512CD, AVX512CD),
    XGRANT(7, 0, EBX, CPUID_7_0_EBX_AVX512BW, AVX512BW),
    XGRANT(7, 0, EBX, CPUID_7_0_EBX_AVX512VL, AVX512VL),
    XGRANT(7, 0, ECX, CPUID_7_0_ECX_AVX512_VBMI, AVX512_VBMI),
    XGRANT(7, 0, ECX, CPUID_7_0_ECX_AVX512_VBMI2, AVX512_VBMI2),
    XGRANT(7, 0, ECX, CPUID_7_0_ECX_GFNI, GFNI),
    XGRANT_AVX(7, 0, ECX, CPUID_7_0_ECX_VAES, VAES),
    XGRANT_AVX(7, 0, ECX, CPUID_7_0_ECX_VPCLMULQDQ, VPCLMULQDQ),
    XGRANT(7, 0, ECX, CPUID_7_0_ECX_AVX512VNNI, AVX512_VNNI),
    XGRANT(7, 0, ECX, CPUID_7_0_ECX_AVX512BITALG, AVX512_BITALG),
    XGRANT(7, 0, ECX, CPUID_7_0_ECX_AVX512_VPOPCNTDQ, AVX512_VPOPCNTDQ),
    XGRANT(7, 0, EDX, CPUID_7_0_EDX_AVX512_VP2INTERSECT, AVX512_VP2INTERSECT),
    XGRANT(7, 0, EDX, CPUID_7_0_EDX_AVX512_FP16, AVX512_FP16),
    XGRANT(7, 0, EDX, CPUID_7_0_EDX_AMX_TILE, AMX_TILE),
    XGRANT(7, 0, EDX, CPUID_7_0_EDX_AMX_BF16, AMX_BF16),
    XGRANT(7, 0, EDX, CPUID_7_0_EDX_AMX_INT8, AMX_INT8),
    XGRANT_AVX(7, 1, EAX, CPUID_7_1_EAX_AVX_VNNI, AVX_VNNI),
    XGRANT_AVX(7, 1, EAX, CPUID_7_1_EAX_AVX_IFMA, AVX_IFMA),
    XGRANT(7, 1, EAX, CPUID_7_1_EAX_AVX512_BF16, AVX512_BF16),
    XGRANT(7, 1, EAX, CPUID_7_1_EAX_AMX_FP16, AMX_FP16),
    XGRANT(0xd, 1, EAX, CPUID_XSAVE_XSAVEOPT, XSAVEOPT),
    XGRANT(0xd, 1, EAX, CPUID_XSAVE_XSAVEC, XSAVEC),
    XGRANT(0xd, 1, EAX, CPUID_XSAVE_XSAVES, XSAVES),
};

/* Features that work only with a component of the XSAVE state. */
typedef struct FeatureState {
    uint32_t leaf, subleaf;
    int reg;
    uint32_t bits;
    uint64_t states;
} FeatureState;

#define STATES_AVX512   (XSTATE_OPMASK_MASK | XSTATE_ZMM_Hi256_MASK | \
                         XSTATE_Hi16_ZMM_MASK)
#define STATES_AMX      (XSTATE_XTILE_CFG_MASK | XSTATE_XTILE_DATA_MASK)

static const FeatureState feature_states[] = {
    { 1, 0, R_ECX, CPUID_EXT_AVX | CPUID_EXT_F16C | CPUID_EXT_FMA,
      XSTATE_YMM_MASK },
    { 7, 0, R_EBX, CPUID_7_0_EBX_AVX2, XSTATE_YMM_MASK },
    { 7, 0, R_EBX,
      CPUID_7_0_EBX_AVX512F | CPUID_7_0_EBX_AVX512DQ |
      CPUID_7_0_EBX_AVX512IFMA | CPUID_7_0_EBX_AVX512CD |
      CPUID_7_0_EBX_AVX512BW | CPUID_7_0_EBX_AVX512VL, STATES_AVX512 },
    { 7, 0, R_ECX, CPUID_7_0_ECX_VAES | CPUID_7_0_ECX_VPCLMULQDQ,
      XSTATE_YMM_MASK },
    { 7, 0, R_ECX,
      CPUID_7_0_ECX_AVX512_VBMI | CPUID_7_0_ECX_AVX512_VBMI2 |
      CPUID_7_0_ECX_AVX512VNNI | CPUID_7_0_ECX_AVX512BITALG |
      CPUID_7_0_ECX_AVX512_VPOPCNTDQ, STATES_AVX512 },
    { 7, 0, R_ECX, CPUID_7_0_ECX_PKU, XSTATE_PKRU_MASK },
    { 7, 0, R_EDX,
      CPUID_7_0_EDX_AVX512_VP2INTERSECT | CPUID_7_0_EDX_AVX512_FP16,
      STATES_AVX512 },
    { 7, 0, R_EDX,
      CPUID_7_0_EDX_AMX_BF16 | CPUID_7_0_EDX_AMX_TILE |
      CPUID_7_0_EDX_AMX_INT8, STATES_AMX },
    { 7, 1, R_EAX,
      CPUID_7_1_EAX_SHA512 | CPUID_7_1_EAX_AVX_VNNI | CPUID_7_1_EAX_AVX_IFMA,
      XSTATE_YMM_MASK },
    { 7, 1, R_EAX, CPUID_7_1_EAX_AVX512_BF16, STATES_AVX512 },
    { 7, 1, R_EAX, CPUID_7_1_EAX_AMX_FP16, STATES_AMX },
};

/* ---- What the partition is allowed ---- */

typedef struct Allowed {
    bool known;
    uint64_t features[HV_PARTITION_PROCESSOR_FEATURES_BANKS];
    uint64_t xsave_features;
    uint64_t xsave_states;
} Allowed;

static uint64_t read_property(uint32_t code, uint64_t unknown)
{
    Error *err = NULL;
    uint64_t value;
    int ret;

    if (mshv_partition_fd() >= 0) {
        ret = mshv_get_property(code, &value, &err);
    } else {
        ret = mshv_host_property(code, &value, &err);
    }
    if (ret < 0) {
        error_free(err);
        return unknown;
    }
    return value;
}

/* Without being told: AVX is what everybody has, the rest is not given. */
static const Allowed *allowed(void)
{
    static Allowed a;

    if (!a.known) {
        a.features[0] =
            read_property(HV_PARTITION_PROPERTY_PROCESSOR_FEATURES0, ~0ull);
        a.features[1] =
            read_property(HV_PARTITION_PROPERTY_PROCESSOR_FEATURES1, ~0ull);
        a.xsave_features =
            read_property(HV_PARTITION_PROPERTY_PROCESSOR_XSAVE_FEATURES,
                          ~0ull);
        a.xsave_states =
            read_property(HV_PARTITION_PROPERTY_XSAVE_STATES,
                          XSTATE_FP_MASK | XSTATE_SSE_MASK | XSTATE_YMM_MASK);
        a.known = mshv_partition_fd() >= 0;
    }
    return &a;
}

static uint32_t without_grants(uint32_t leaf, uint32_t subleaf, int reg,
                               uint32_t bits)
{
    const Allowed *a = allowed();
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(grants); i++) {
        const FeatureGrant *g = &grants[i];

        if (g->leaf == leaf && g->subleaf == subleaf && g->reg == reg &&
            !(a->features[g->feature / 64] >> (g->feature % 64) & 1)) {
            bits &= ~g->bits;
        }
    }
    for (i = 0; i < ARRAY_SIZE(feature_states); i++) {
        const FeatureState *s = &feature_states[i];

        if (s->leaf == leaf && s->subleaf == subleaf && s->reg == reg &&
            (a->xsave_states & s->states) != s->states) {
            bits &= ~s->bits;
        }
    }
    return bits;
}

static uint32_t without_xsave(uint32_t leaf, uint32_t subleaf, int reg,
                              uint32_t bits)
{
    const Allowed *a = allowed();
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(xsave_grants); i++) {
        const XsaveGrant *g = &xsave_grants[i];

        if (g->leaf == leaf && g->subleaf == subleaf && g->reg == reg &&
            (a->xsave_features & g->features) != g->features) {
            bits &= ~g->bits;
        }
    }
    return bits;
}

static uint32_t host_register(uint32_t leaf, uint32_t subleaf, int reg)
{
    uint32_t max, unused, v[4];

    host_cpuid(leaf & 0x80000000, 0, &max, &unused, &unused, &unused);
    if (leaf > max) {
        return 0;
    }
    host_cpuid(leaf, subleaf, &v[R_EAX], &v[R_EBX], &v[R_ECX], &v[R_EDX]);
    return v[reg];
}

uint32_t mshv_x86_supported_cpuid(uint32_t leaf, uint32_t subleaf, int reg)
{
    unsigned i;

    if (leaf == 0xd && subleaf == 0 && (reg == R_EAX || reg == R_EDX)) {
        return host_register(leaf, subleaf, reg) &
               (allowed()->xsave_states >> (reg == R_EDX ? 32 : 0));
    }
    for (i = 0; i < ARRAY_SIZE(feature_masks); i++) {
        const MshvFeatureMask *m = &feature_masks[i];

        if (m->leaf == leaf && m->subleaf == subleaf && m->reg == reg) {
            uint32_t bits = host_register(leaf, subleaf, reg) & m->mask;

            bits = without_grants(leaf, subleaf, reg, bits);
            return without_xsave(leaf, subleaf, reg, bits) | m->always;
        }
    }
    return 0;
}
