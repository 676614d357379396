/*
 * Hypervisor ABI: synthetic MSRs of x86 and the values that they hold.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_MSR_H
#define MSHV_HVABI_MSR_H

#include "mshv/hvabi-base.h"

#define HV_X64_MSR_GUEST_OS_ID                  0x40000000
#define HV_X64_MSR_HYPERCALL                    0x40000001
#define HV_X64_MSR_VP_INDEX                     0x40000002
#define HV_X64_MSR_RESET                        0x40000003
#define HV_X64_MSR_VP_RUNTIME                   0x40000010
#define HV_X64_MSR_TIME_REF_COUNT               0x40000020
#define HV_X64_MSR_REFERENCE_TSC                0x40000021
#define HV_X64_MSR_TSC_FREQUENCY                0x40000022
#define HV_X64_MSR_APIC_FREQUENCY               0x40000023

#define HV_X64_MSR_EOI                          0x40000070
#define HV_X64_MSR_ICR                          0x40000071
#define HV_X64_MSR_TPR                          0x40000072
#define HV_X64_MSR_VP_ASSIST_PAGE               0x40000073

#define HV_X64_MSR_SCONTROL                     0x40000080
#define HV_X64_MSR_SVERSION                     0x40000081
#define HV_X64_MSR_SIEFP                        0x40000082
#define HV_X64_MSR_SIMP                         0x40000083
#define HV_X64_MSR_EOM                          0x40000084
#define HV_X64_MSR_SIRBP                        0x40000085
#define HV_X64_MSR_SINT0                        0x40000090
#define HV_X64_MSR_SINT1                        0x40000091
#define HV_X64_MSR_SINT2                        0x40000092
#define HV_X64_MSR_SINT3                        0x40000093
#define HV_X64_MSR_SINT4                        0x40000094
#define HV_X64_MSR_SINT5                        0x40000095
#define HV_X64_MSR_SINT6                        0x40000096
#define HV_X64_MSR_SINT7                        0x40000097
#define HV_X64_MSR_SINT8                        0x40000098
#define HV_X64_MSR_SINT9                        0x40000099
#define HV_X64_MSR_SINT10                       0x4000009A
#define HV_X64_MSR_SINT11                       0x4000009B
#define HV_X64_MSR_SINT12                       0x4000009C
#define HV_X64_MSR_SINT13                       0x4000009D
#define HV_X64_MSR_SINT14                       0x4000009E
#define HV_X64_MSR_SINT15                       0x4000009F

#define HV_X64_MSR_STIMER0_CONFIG               0x400000B0
#define HV_X64_MSR_STIMER0_COUNT                0x400000B1
#define HV_X64_MSR_STIMER1_CONFIG               0x400000B2
#define HV_X64_MSR_STIMER1_COUNT                0x400000B3
#define HV_X64_MSR_STIMER2_CONFIG               0x400000B4
#define HV_X64_MSR_STIMER2_COUNT                0x400000B5
#define HV_X64_MSR_STIMER3_CONFIG               0x400000B6
#define HV_X64_MSR_STIMER3_COUNT                0x400000B7

#define HV_X64_MSR_GUEST_IDLE                   0x400000F0

#define HV_X64_MSR_CRASH_P0                     0x40000100
#define HV_X64_MSR_CRASH_P1                     0x40000101
#define HV_X64_MSR_CRASH_P2                     0x40000102
#define HV_X64_MSR_CRASH_P3                     0x40000103
#define HV_X64_MSR_CRASH_P4                     0x40000104
#define HV_X64_MSR_CRASH_CTL                    0x40000105

#define HV_X64_MSR_REENLIGHTENMENT_CONTROL      0x40000106
#define HV_X64_MSR_TSC_EMULATION_CONTROL        0x40000107
#define HV_X64_MSR_TSC_EMULATION_STATUS         0x40000108
#define HV_X64_MSR_TSC_INVARIANT_CONTROL        0x40000118

/* HYPERCALL, REFERENCE_TSC and VP_ASSIST_PAGE: bit 0 and a page number */
#define HV_X64_MSR_HYPERCALL_ENABLE             0x00000001
/* of HYPERCALL alone: no more writes until the partition is reset */
#define HV_X64_MSR_HYPERCALL_LOCKED             0x00000002
#define HV_X64_MSR_HYPERCALL_PAGE_ADDRESS_SHIFT 12
#define HV_X64_MSR_TSC_REFERENCE_ENABLE         0x00000001
#define HV_X64_MSR_TSC_REFERENCE_ADDRESS_SHIFT  12
#define HV_X64_MSR_VP_ASSIST_PAGE_ENABLE        0x00000001
#define HV_X64_MSR_VP_ASSIST_PAGE_ADDRESS_SHIFT 12

/* TSC_INVARIANT_CONTROL: CPUID 0x80000007 may show the invariant TSC */
#define HV_EXPOSE_INVARIANT_TSC                 (1ull << 0)

/* CRASH_CTL */
#define HV_CRASH_CTL_CRASH_NOTIFY_MSG           (1ull << 62)
#define HV_CRASH_CTL_CRASH_NOTIFY               (1ull << 63)

#define HV_SYNIC_SINT_COUNT                     16
#define HV_SYNIC_STIMER_COUNT                   4
#define HV_SYNIC_VERSION_1                      1
#define HV_SYNIC_FIRST_VALID_VECTOR             16

/* SCONTROL, SIMP and SIEFP: bit 0 enables */
#define HV_SYNIC_CONTROL_ENABLE                 (1ull << 0)
#define HV_SYNIC_SIMP_ENABLE                    (1ull << 0)
#define HV_SYNIC_SIEFP_ENABLE                   (1ull << 0)
/* SINTx as masks, for those who do not want union hv_synic_sint */
#define HV_SYNIC_SINT_MASKED                    (1ull << 16)
#define HV_SYNIC_SINT_AUTO_EOI                  (1ull << 17)
#define HV_SYNIC_SINT_POLLING                   (1ull << 18)
#define HV_SYNIC_SINT_AS_INTERCEPT              (1ull << 19)
#define HV_SYNIC_SINT_VECTOR_MASK               0xff

/* What the SINTs of a parent are for */
#define HV_SYNIC_INTERCEPTION_SINT_INDEX        0
#define HV_SYNIC_IOMMU_FAULT_SINT_INDEX         1
#define HV_SYNIC_VMBUS_SINT_INDEX               2
#define HV_SYNIC_FIRST_UNUSED_SINT_INDEX        5
#define HV_SYNIC_DOORBELL_SINT_INDEX            5

union hv_x64_msr_hypercall_contents {
    uint64_t as_uint64;
    struct {
        uint64_t enable:1;
        uint64_t reserved:11;
        uint64_t guest_physical_address:52; /* page number */
    };
};
HV_ASSERT_SIZE(union hv_x64_msr_hypercall_contents, 8);

union hv_reference_tsc_msr {
    uint64_t as_uint64;
    struct {
        uint64_t enable:1;
        uint64_t reserved:11;
        uint64_t pfn:52;
    };
};
HV_ASSERT_SIZE(union hv_reference_tsc_msr, 8);

union hv_vp_assist_msr_contents {
    uint64_t as_uint64;
    struct {
        uint64_t enable:1;
        uint64_t reserved:11;
        uint64_t pfn:52;
    };
};
HV_ASSERT_SIZE(union hv_vp_assist_msr_contents, 8);

union hv_synic_scontrol {
    uint64_t as_uint64;
    struct {
        uint64_t enable:1;
        uint64_t reserved:63;
    };
};
HV_ASSERT_SIZE(union hv_synic_scontrol, 8);

/* The three pages of a SynIC; base_..._gpa is a page number */
union hv_synic_simp {
    uint64_t as_uint64;
    struct {
        uint64_t simp_enabled:1;
        uint64_t preserved:11;
        uint64_t base_simp_gpa:52;
    };
};
HV_ASSERT_SIZE(union hv_synic_simp, 8);

union hv_synic_siefp {
    uint64_t as_uint64;
    struct {
        uint64_t siefp_enabled:1;
        uint64_t preserved:11;
        uint64_t base_siefp_gpa:52;
    };
};
HV_ASSERT_SIZE(union hv_synic_siefp, 8);

union hv_synic_sirbp {
    uint64_t as_uint64;
    struct {
        uint64_t sirbp_enabled:1;
        uint64_t preserved:11;
        uint64_t base_sirbp_gpa:52;
    };
};
HV_ASSERT_SIZE(union hv_synic_sirbp, 8);

union hv_synic_sint {
    uint64_t as_uint64;
    struct {
        uint64_t vector:8;
        uint64_t reserved1:8;
        uint64_t masked:1;
        uint64_t auto_eoi:1;
        uint64_t polling:1;
        uint64_t as_intercept:1;
        uint64_t proxy:1;
        uint64_t reserved2:43;
    };
};
HV_ASSERT_SIZE(union hv_synic_sint, 8);

union hv_stimer_config {
    uint64_t as_uint64;
    struct {
        uint64_t enable:1;
        uint64_t periodic:1;
        uint64_t lazy:1;
        uint64_t auto_enable:1;
        uint64_t apic_vector:8;   /* with direct_mode */
        uint64_t direct_mode:1;
        uint64_t reserved_z0:3;
        uint64_t sintx:4;         /* without direct_mode */
        uint64_t reserved_z1:44;
    };
};
HV_ASSERT_SIZE(union hv_stimer_config, 8);

/*
 * Page behind REFERENCE_TSC: time in 100 ns is
 * ((tsc * tsc_scale) >> 64) + tsc_offset, unless tsc_sequence is 0.
 */
struct ms_hyperv_tsc_page {
    uint32_t tsc_sequence;
    uint32_t reserved1;
    uint64_t tsc_scale;
    int64_t tsc_offset;
};
HV_ASSERT_SIZE(struct ms_hyperv_tsc_page, 24);
HV_ASSERT_AT(struct ms_hyperv_tsc_page, tsc_sequence, 0);
HV_ASSERT_AT(struct ms_hyperv_tsc_page, reserved1, 4);
HV_ASSERT_AT(struct ms_hyperv_tsc_page, tsc_scale, 8);
HV_ASSERT_AT(struct ms_hyperv_tsc_page, tsc_offset, 16);

#endif
