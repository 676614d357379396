/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: CPUID of the parent.
 *
 * Leaves that arch/x86/kernel/cpu/mshyperv.c:ms_hyperv_init_platform() reads
 * and drivers/hv/hv_common.c:hv_identify_partition_type() decides by.
 */
#include "qemu/osdep.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/parent/parent.h"

#define CPUID_1_ECX_HYPERVISOR          (1u << 31)
#define CPUID_APM_EDX_INVARIANT_TSC     (1u << 8)
#define LEAF_FIRST                      0x40000000u
#define LEAF_MAX                        0x4000000au
#define LEAF_LAST                       0x4000ffffu

#define FEATURES_EAX (HV_MSR_TIME_REF_COUNT_AVAILABLE | \
                      HV_MSR_SYNIC_AVAILABLE | HV_MSR_HYPERCALL_AVAILABLE | \
                      HV_MSR_VP_INDEX_AVAILABLE | HV_ACCESS_FREQUENCY_MSRS | \
                      HV_ACCESS_TSC_INVARIANT)
#define FEATURES_EDX (HV_FEATURE_FREQUENCY_MSRS_AVAILABLE | \
                      HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE | \
                      HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE)
#define HINTS_EAX    (HV_DEPRECATING_AEOI_RECOMMENDED)
#define NO_SPIN_HINT 0xffffffffu

static void set(uint32_t r[4], uint32_t eax, uint32_t ebx, uint32_t ecx,
                uint32_t edx)
{
    r[0] = eax;
    r[1] = ebx;
    r[2] = ecx;
    r[3] = edx;
}

void emuhv_parent_cpuid(uint32_t leaf, uint32_t r[4])
{
    static const char vendor[] = "Microsoft Hv";

    switch (leaf) {
    case 1:
        r[2] |= CPUID_1_ECX_HYPERVISOR;
        return;
    case 0x80000007:
        r[3] &= ~CPUID_APM_EDX_INVARIANT_TSC;
        if (qatomic_read(&emuhv_parent.tsc_control) & HV_EXPOSE_INVARIANT_TSC) {
            r[3] |= CPUID_APM_EDX_INVARIANT_TSC;
        }
        return;
    case LEAF_FIRST ... LEAF_LAST:
        break;
    default:
        return;
    }

    set(r, 0, 0, 0, 0);
    switch (leaf) {
    case HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS:
        set(r, LEAF_MAX, ldl_le_p(vendor), ldl_le_p(vendor + 4),
            ldl_le_p(vendor + 8));
        break;
    case HYPERV_CPUID_INTERFACE:
        r[0] = ldl_le_p("Hv#1");
        break;
    case HYPERV_CPUID_VERSION:
        set(r, EMUHV_BUILD, 10 << 16, 0, 0);
        break;
    case HYPERV_CPUID_FEATURES:
        set(r, FEATURES_EAX, EMUHV_PARENT_PRIVILEGES,
            emuhv_options.dispatch_interrupts
            ? HV_VP_DISPATCH_INTERRUPT_INJECTION_AVAILABLE : 0, FEATURES_EDX);
        break;
    case HYPERV_CPUID_ENLIGHTMENT_INFO:
        set(r, HINTS_EAX, NO_SPIN_HINT, 0, 0);
        break;
    case HYPERV_CPUID_IMPLEMENT_LIMITS:
        set(r, EMUHV_MAX_PARENT_CPUS, EMUHV_MAX_PARENT_CPUS, 0, 0);
        break;
    default:
        break;
    }
}
