/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: synthetic MSRs of the parent.
 *
 * Used by arch/x86/hyperv/hv_init.c, drivers/hv/hv_common.c and
 * arch/x86/kernel/cpu/mshyperv.c.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/parent/parent-int.h"
#include "hw/emuhv/trace.h"

#define SYNTHETIC_FIRST         0x40000000u
#define SYNTHETIC_LAST          0x40001fffu
#define PAGE_MASK               (~0xfffull)
/* TCG's local APIC counts nanoseconds. */
#define APIC_HZ                 NANOSECONDS_PER_SECOND

/* Code that the parent calls to enter the hypervisor: VMCALL; RET. */
static bool set_hypercall_page(uint64_t val)
{
    static const uint8_t code[] = { 0x0f, 0x01, 0xc1, 0xc3 };
    g_autofree uint8_t *page = NULL;

    if (!emuhv_parent.guest_os_id) {
        val &= ~HV_X64_MSR_HYPERCALL_ENABLE;
    }
    if (val & HV_X64_MSR_HYPERCALL_ENABLE) {
        page = g_malloc(EMUHV_PAGE_SIZE);
        memset(page, 0xcc, EMUHV_PAGE_SIZE);
        memcpy(page, code, sizeof(code));
        if (!emuhv_ram_valid(val & PAGE_MASK, EMUHV_PAGE_SIZE)) {
            return false;
        }
        emuhv_ram_write(val & PAGE_MASK, page, EMUHV_PAGE_SIZE);
    }
    emuhv_parent.hypercall_msr = val;
    return true;
}

static bool set_vp_assist(EmuhvParentCpu *pc, uint64_t val)
{
    if ((val & HV_X64_MSR_VP_ASSIST_PAGE_ENABLE) &&
        !emuhv_ram_valid(val & PAGE_MASK, EMUHV_PAGE_SIZE)) {
        return false;
    }
    pc->vp_assist = val;
    /*
     * Linux writes this MSR when a CPU goes online, just after it made new
     * event ring positions that start at 0 (hv_common_cpu_init()).
     */
    memset(pc->ring_head, 0, sizeof(pc->ring_head));
    return true;
}

/* The MSR's value; *gp if there is no such MSR. */
static uint64_t read_msr(EmuhvParentCpu *pc, uint32_t msr, bool *gp)
{
    uint64_t val = 0;

    switch (msr) {
    case HV_X64_MSR_GUEST_OS_ID:
        return emuhv_parent.guest_os_id;
    case HV_X64_MSR_HYPERCALL:
        return emuhv_parent.hypercall_msr;
    case HV_X64_MSR_VP_INDEX:
        return pc->index;
    case HV_X64_MSR_TIME_REF_COUNT:
        return (qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) -
                emuhv_parent.epoch_ns) / 100;
    case HV_X64_MSR_TSC_FREQUENCY:
        return emuhv_tsc_hz();
    case HV_X64_MSR_APIC_FREQUENCY:
        return APIC_HZ;
    case HV_X64_MSR_VP_ASSIST_PAGE:
        return pc->vp_assist;
    case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_P4:
        return emuhv_parent.crash[msr - HV_X64_MSR_CRASH_P0];
    case HV_X64_MSR_CRASH_CTL:
        return HV_CRASH_CTL_CRASH_NOTIFY;
    case HV_X64_MSR_TSC_INVARIANT_CONTROL:
        return emuhv_parent.tsc_control;
    default:
        *gp = !emuhv_parent_synic_rdmsr(pc, msr, &val);
        return val;
    }
}

/* False: #GP. */
static bool write_msr(EmuhvParentCpu *pc, uint32_t msr, uint64_t val)
{
    switch (msr) {
    case HV_X64_MSR_GUEST_OS_ID:
        emuhv_parent.guest_os_id = val;
        if (!val) {
            emuhv_parent.hypercall_msr &= ~HV_X64_MSR_HYPERCALL_ENABLE;
        }
        return true;
    case HV_X64_MSR_HYPERCALL:
        return set_hypercall_page(val);
    case HV_X64_MSR_VP_ASSIST_PAGE:
        return set_vp_assist(pc, val);
    case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_P4:
        emuhv_parent.crash[msr - HV_X64_MSR_CRASH_P0] = val;
        return true;
    case HV_X64_MSR_CRASH_CTL:
        trace_emuhv_parent_crash(val, emuhv_parent.crash[0],
                                 emuhv_parent.crash[1]);
        return true;
    case HV_X64_MSR_TSC_INVARIANT_CONTROL:
        if (val & ~HV_EXPOSE_INVARIANT_TSC) {
            return false;
        }
        qatomic_set(&emuhv_parent.tsc_control, val);
        return true;
    default:
        return emuhv_parent_synic_wrmsr(pc, msr, val);
    }
}

bool emuhv_parent_rdmsr(X86CPU *cpu, uint32_t msr, uint64_t *val, bool *gp)
{
    if (msr < SYNTHETIC_FIRST || msr > SYNTHETIC_LAST) {
        return false;
    }
    *gp = false;
    BQL_LOCK_GUARD();
    *val = read_msr(emuhv_parent_cpu(cpu), msr, gp);
    return true;
}

bool emuhv_parent_wrmsr(X86CPU *cpu, uint32_t msr, uint64_t val, bool *gp)
{
    if (msr < SYNTHETIC_FIRST || msr > SYNTHETIC_LAST) {
        return false;
    }
    BQL_LOCK_GUARD();
    *gp = !write_msr(emuhv_parent_cpu(cpu), msr, val);
    trace_emuhv_parent_wrmsr(cpu->apic_id, msr, val, *gp);
    return true;
}
