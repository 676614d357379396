/*
 * Hypervisor ABI: CPUID leaves of the hypervisor and their bits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_CPUID_H
#define MSHV_HVABI_CPUID_H

#include "mshv/hvabi-base.h"

/* Leaf 1, ECX */
#define HYPERV_HYPERVISOR_PRESENT_BIT           0x80000000

#define HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS   0x40000000
#define HYPERV_CPUID_INTERFACE                  0x40000001
#define HYPERV_CPUID_VERSION                    0x40000002
#define HYPERV_CPUID_FEATURES                   0x40000003
#define HYPERV_CPUID_ENLIGHTMENT_INFO           0x40000004
#define HYPERV_CPUID_IMPLEMENT_LIMITS           0x40000005
#define HYPERV_CPUID_IMPLEMENT_FEATURES         0x40000006
#define HYPERV_CPUID_CPU_MANAGEMENT_FEATURES    0x40000007
#define HYPERV_CPUID_NESTED_FEATURES            0x4000000A
#define HYPERV_CPUID_ISOLATION_CONFIG           0x4000000C
#define HYPERV_CPUID_VIRT_STACK_MAX_FUNCTIONS   0x40000080
#define HYPERV_CPUID_VIRT_STACK_INTERFACE       0x40000081
#define HYPERV_CPUID_VIRT_STACK_PROPERTIES      0x40000082

/* Range of the highest leaf number that EAX of the first leaf may report. */
#define HYPERV_CPUID_MIN                        0x40000005
#define HYPERV_CPUID_MAX                        0x4000ffff

/* Leaf 0x40000000: EBX, ECX, EDX spell "Microsoft Hv". */
#define HV_CPUID_SIGNATURE_EBX                  0x7263694d
#define HV_CPUID_SIGNATURE_ECX                  0x666f736f
#define HV_CPUID_SIGNATURE_EDX                  0x76482074

/* Leaf 0x40000001, EAX: "Hv#1" */
#define HV_CPUID_INTERFACE_EAX                  0x31237648
/* Leaf 0x40000081, EAX: "VS#1" */
#define HYPERV_VS_INTERFACE_EAX_SIGNATURE       0x31235356
/* Leaf 0x40000082, EAX */
#define HYPERV_VS_PROPERTIES_EAX_EXTENDED_IOAPIC_RTE (1u << 2)
#define HYPERV_VS_PROPERTIES_EAX_CONFIDENTIAL_VMBUS_AVAILABLE (1u << 3)

/* Leaf 0x40000003, EAX: which synthetic MSRs may be used */
#define HV_MSR_VP_RUNTIME_AVAILABLE             (1u << 0)
#define HV_MSR_TIME_REF_COUNT_AVAILABLE         (1u << 1)
#define HV_MSR_SYNIC_AVAILABLE                  (1u << 2)
#define HV_MSR_SYNTIMER_AVAILABLE               (1u << 3)
#define HV_MSR_APIC_ACCESS_AVAILABLE            (1u << 4)
#define HV_MSR_HYPERCALL_AVAILABLE              (1u << 5)
#define HV_MSR_VP_INDEX_AVAILABLE               (1u << 6)
#define HV_MSR_RESET_AVAILABLE                  (1u << 7)
#define HV_MSR_STAT_PAGES_AVAILABLE             (1u << 8)
#define HV_MSR_REFERENCE_TSC_AVAILABLE          (1u << 9)
#define HV_MSR_GUEST_IDLE_AVAILABLE             (1u << 10)
#define HV_ACCESS_FREQUENCY_MSRS                (1u << 11)
#define HV_ACCESS_REENLIGHTENMENT               (1u << 13)
#define HV_ACCESS_TSC_INVARIANT                 (1u << 15)

/* Leaf 0x40000003, EBX: which hypercalls may be made */
#define HV_CREATE_PARTITIONS                    (1u << 0)
#define HV_ACCESS_PARTITION_ID                  (1u << 1)
#define HV_ACCESS_MEMORY_POOL                   (1u << 2)
#define HV_ADJUST_MESSAGE_BUFFERS               (1u << 3)
#define HV_POST_MESSAGES                        (1u << 4)
#define HV_SIGNAL_EVENTS                        (1u << 5)
#define HV_CREATE_PORT                          (1u << 6)
#define HV_CONNECT_PORT                         (1u << 7)
#define HV_ACCESS_STATS                         (1u << 8)
#define HV_DEBUGGING                            (1u << 11)
#define HV_CPU_MANAGEMENT                       (1u << 12)
#define HV_ENABLE_EXTENDED_HYPERCALLS           (1u << 20)
#define HV_ISOLATION                            (1u << 22)

/* Leaf 0x40000003, ECX */
#define HV_VP_DISPATCH_INTERRUPT_INJECTION_AVAILABLE (1u << 9)
#define HV_VP_GHCB_ROOT_MAPPING_AVAILABLE       (1u << 10)

/* Leaf 0x40000003, EDX */
#define HV_X64_MWAIT_AVAILABLE                  (1u << 0)
#define HV_X64_GUEST_DEBUGGING_AVAILABLE        (1u << 1)
#define HV_X64_PERF_MONITOR_AVAILABLE           (1u << 2)
#define HV_X64_CPU_DYNAMIC_PARTITIONING_AVAILABLE (1u << 3)
#define HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE    (1u << 4)
#define HV_X64_GUEST_IDLE_STATE_AVAILABLE       (1u << 5)
#define HV_FEATURE_FREQUENCY_MSRS_AVAILABLE     (1u << 8)
#define HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE    (1u << 10)
#define HV_FEATURE_DEBUG_MSRS_AVAILABLE         (1u << 11)
#define HV_FEATURE_EXT_GVA_RANGES_FLUSH         (1u << 14)
#define HV_X64_HYPERCALL_XMM_OUTPUT_AVAILABLE   (1u << 15)
#define HV_STIMER_DIRECT_MODE_AVAILABLE         (1u << 19)

/* Leaf 0x40000004, EAX: what the guest had better do; EBX: spin retries */
#define HV_X64_AS_SWITCH_RECOMMENDED            (1u << 0)
#define HV_X64_LOCAL_TLB_FLUSH_RECOMMENDED      (1u << 1)
#define HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED     (1u << 2)
#define HV_X64_APIC_ACCESS_RECOMMENDED          (1u << 3)
#define HV_X64_SYSTEM_RESET_RECOMMENDED         (1u << 4)
#define HV_X64_RELAXED_TIMING_RECOMMENDED       (1u << 5)
#define HV_DEPRECATING_AEOI_RECOMMENDED         (1u << 9)
#define HV_X64_CLUSTER_IPI_RECOMMENDED          (1u << 10)
#define HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED   (1u << 11)
#define HV_X64_HYPERV_NESTED                    (1u << 12)
#define HV_X64_ENLIGHTENED_VMCS_RECOMMENDED     (1u << 14)
#define HV_X64_NO_NONARCH_CORESHARING           (1u << 18)
#define HV_X64_USE_MMIO_HYPERCALLS              (1u << 21)
#define HV_LONG_SPIN_WAIT_NEVER                 0xffffffffu

#endif
