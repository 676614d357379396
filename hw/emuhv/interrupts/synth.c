/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: synthetic MSRs of a child, and registers of
 * the same meaning.  Source: TLFS chapters 3 (hypercall interface), 11
 * (interrupts) and 12 (timers).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "mshv-compat/memory.h"
#include "hw/emuhv/interrupts/interrupts.h"
#include "hw/emuhv/memory/memory.h"

#define PAGE_ENABLE         1ull
/* QEMU's LAPIC counts nanoseconds of the virtual clock. */
#define APIC_HZ             NANOSECONDS_PER_SECOND

/* ---- Reference TSC page ---- */

static void reference_tsc_update(EmuhvVp *vp)
{
    EmuhvPartition *p = vp->partition;
    uint8_t page[24] = { };
    uint64_t tsc;

    if (!(p->irq->reference_tsc & PAGE_ENABLE) || p->irq->time_frozen) {
        return;
    }
    tsc = emuhv_raw_tsc(p);
    stl_le_p(page, 1);
    stq_le_p(page + 8, emuhv_reftime_scale());
    stq_le_p(page + 16, emuhv_reftime_of(tsc) - p->irq->time_origin -
             emuhv_reftime_of(tsc + emuhv_vp_env(vp)->tsc_offset));
    /* Through the memory API, so that translated code goes away. */
    emuhv_ram_write(emuhv_overlay_pa(p->irq->tsc_slot, EMUHV_OVERLAY_TSC),
                    page, sizeof(page));
}

void emuhv_synth_freeze(EmuhvPartition *p, bool freeze)
{
    if (freeze == p->irq->time_frozen) {
        return;
    }
    if (freeze) {
        emuhv_clock_freeze(p);
    } else {
        emuhv_clock_thaw(p);
        for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
            if (p->vps[i]) {
                reference_tsc_update(p->vps[i]);
            }
        }
    }
    emuhv_stimers_restart(p);
    emuhv_apic_timers_freeze(p, freeze);
}

/* ---- MSRs ---- */

static void set_overlay(EmuhvVp *vp, unsigned place, uint64_t val,
                        EmuhvOverlay kind)
{
    emuhv_stage2_overlay(vp->partition, place, val >> 12,
                         emuhv_overlay_pa(vp->slot, kind),
                         place >= EMUHV_PLACE_VP0, val & PAGE_ENABLE);
}

static void set_hypercall(EmuhvVp *vp, uint64_t val)
{
    static const uint8_t code[] = { 0x0f, 0x01, 0xc1, 0xc3 };
    EmuhvPartitionIrq *irq = vp->partition->irq;

    if ((irq->hypercall & 2) || !irq->guest_os_id) {
        return;                 /* locked, or no guest OS id yet */
    }
    irq->hypercall = val;
    if (val & PAGE_ENABLE) {
        emuhv_ram_write(emuhv_overlay_pa(vp->slot, EMUHV_OVERLAY_HYPERCALL),
                        code, sizeof(code));
    }
    set_overlay(vp, EMUHV_PLACE_HYPERCALL, val, EMUHV_OVERLAY_HYPERCALL);
}

static void set_reference_tsc(EmuhvVp *vp, uint64_t val)
{
    vp->partition->irq->reference_tsc = val;
    vp->partition->irq->tsc_slot = vp->slot;
    reference_tsc_update(vp);
    set_overlay(vp, EMUHV_PLACE_TSC, val, EMUHV_OVERLAY_TSC);
}

static void apic_write(unsigned reg, uint32_t val)
{
    address_space_stl(&address_space_memory, APIC_DEFAULT_ADDRESS + reg, val,
                      MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint32_t apic_read(unsigned reg)
{
    return address_space_ldl(&address_space_memory, APIC_DEFAULT_ADDRESS + reg,
                             MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint64_t feature_of(uint32_t msr)
{
    switch (msr) {
    case HV_X64_MSR_GUEST_OS_ID:
    case HV_X64_MSR_HYPERCALL:
        return HV_SYNTH_FEATURE_HYPERCALL;
    case HV_X64_MSR_VP_INDEX:
        return HV_SYNTH_FEATURE_VP_INDEX;
    case HV_X64_MSR_VP_RUNTIME:
        return HV_SYNTH_FEATURE_VP_RUN_TIME;
    case HV_X64_MSR_TIME_REF_COUNT:
        return HV_SYNTH_FEATURE_REFERENCE_COUNTER;
    case HV_X64_MSR_REFERENCE_TSC:
        return HV_SYNTH_FEATURE_REFERENCE_TSC;
    case HV_X64_MSR_TSC_FREQUENCY:
    case HV_X64_MSR_APIC_FREQUENCY:
        return HV_SYNTH_FEATURE_FREQUENCY;
    case HV_X64_MSR_EOI ... HV_X64_MSR_VP_ASSIST_PAGE:
        return HV_SYNTH_FEATURE_INTR_CTRL;
    case HV_X64_MSR_SCONTROL ... HV_X64_MSR_EOM:
    case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
        return HV_SYNTH_FEATURE_SYNIC;
    case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
        return HV_SYNTH_FEATURE_SYNTHETIC_TIMERS;
    case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_CTL:
        return emuhv_answers(EMUHV_NO_CRASH_MSRS)
               ? 0 : HV_SYNTH_FEATURE_HYPERVISOR_PRESENT;
    default:
        return 0;
    }
}

bool emuhv_synth_is_msr(EmuhvVp *vp, uint32_t msr)
{
    uint64_t f = vp->partition->irq->synth_features;
    uint64_t need = feature_of(msr);

    return need && (f & HV_SYNTH_FEATURE_HYPERVISOR_PRESENT) &&
           (f & need) == need;
}

/* Each timer has two MSRs: its configuration and its count. */
static EmuhvStimer *stimer_of(EmuhvVp *vp, uint32_t msr)
{
    return &vp->irq->stimer[(msr - HV_X64_MSR_STIMER0_CONFIG) / 2];
}

static bool set_sint(EmuhvVp *vp, unsigned n, uint64_t val)
{
    if (!(val & HV_SYNIC_SINT_MASKED) &&
        (val & HV_SYNIC_SINT_VECTOR_MASK) < HV_SYNIC_FIRST_VALID_VECTOR) {
        return false;
    }
    vp->irq->sint[n] = val & 0x700ff;
    return true;
}

bool emuhv_synth_wrmsr(EmuhvVp *vp, uint32_t msr, uint64_t val)
{
    EmuhvVpIrq *y = vp->irq;
    EmuhvPartitionIrq *ds = vp->partition->irq;

    switch (msr) {
    case HV_X64_MSR_GUEST_OS_ID:
        ds->guest_os_id = val;
        if (!val) {
            ds->hypercall &= ~PAGE_ENABLE;
            set_overlay(vp, EMUHV_PLACE_HYPERCALL, 0,
                        EMUHV_OVERLAY_HYPERCALL);
        }
        return true;
    case HV_X64_MSR_HYPERCALL:
        set_hypercall(vp, val);
        return true;
    case HV_X64_MSR_REFERENCE_TSC:
        set_reference_tsc(vp, val);
        return true;
    case HV_X64_MSR_EOI:
        apic_write(0xb0, 0);
        return true;
    case HV_X64_MSR_ICR:
        apic_write(0x310, val >> 32);
        apic_write(0x300, val);
        return true;
    case HV_X64_MSR_TPR:
        apic_write(0x80, val & 0xff);
        return true;
    case HV_X64_MSR_VP_ASSIST_PAGE:
        y->vp_assist = val;
        return true;
    case HV_X64_MSR_SCONTROL:
        y->scontrol = val & 1;
        return true;
    case HV_X64_MSR_SIEFP:
        y->siefp = val;
        set_overlay(vp, EMUHV_PLACE_VP0 + 2 * vp->index + 1, val,
                    EMUHV_OVERLAY_SIEF);
        return true;
    case HV_X64_MSR_SIMP:
        y->simp = val;
        set_overlay(vp, EMUHV_PLACE_VP0 + 2 * vp->index, val,
                    EMUHV_OVERLAY_SIM);
        return true;
    case HV_X64_MSR_EOM:
        emuhv_stimers_eom(vp);
        return true;
    case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
        return set_sint(vp, msr - HV_X64_MSR_SINT0, val);
    case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
        if (msr & 1) {
            emuhv_stimer_set_count(stimer_of(vp, msr), val);
        } else {
            emuhv_stimer_set_config(stimer_of(vp, msr), val);
        }
        return true;
    case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_CTL - 1:
        ds->crash[msr - HV_X64_MSR_CRASH_P0] = val;
        return !emuhv_answers(EMUHV_NO_CRASH_MSRS);
    case HV_X64_MSR_CRASH_CTL:
        /* Whom it may concern intercepts it. */
        return !emuhv_answers(EMUHV_NO_CRASH_MSRS);
    default:
        return false;           /* read-only or unknown */
    }
}

bool emuhv_synth_rdmsr(EmuhvVp *vp, uint32_t msr, uint64_t *val)
{
    EmuhvVpIrq *y = vp->irq;
    EmuhvPartitionIrq *ds = vp->partition->irq;

    switch (msr) {
    case HV_X64_MSR_GUEST_OS_ID:
        *val = ds->guest_os_id;
        return true;
    case HV_X64_MSR_HYPERCALL:
        *val = ds->hypercall;
        return true;
    case HV_X64_MSR_VP_INDEX:
        *val = vp->index;
        return true;
    case HV_X64_MSR_VP_RUNTIME:
        *val = (vp->stats.run_ns +
                (emuhv_vp_at_rest(vp) ? 0 : get_clock() -
                                            vp->stats.entered)) / 100 +
               vp->irq->runtime_before;
        return true;
    case HV_X64_MSR_TIME_REF_COUNT:
        *val = emuhv_reftime(vp->partition);
        return true;
    case HV_X64_MSR_REFERENCE_TSC:
        *val = ds->reference_tsc;
        return true;
    case HV_X64_MSR_TSC_FREQUENCY:
        *val = emuhv_tsc_hz();
        return true;
    case HV_X64_MSR_APIC_FREQUENCY:
        *val = APIC_HZ;
        return true;
    case HV_X64_MSR_ICR:
        *val = (uint64_t)apic_read(0x310) << 32 | apic_read(0x300);
        return true;
    case HV_X64_MSR_TPR:
        *val = apic_read(0x80);
        return true;
    case HV_X64_MSR_VP_ASSIST_PAGE:
        *val = y->vp_assist;
        return true;
    case HV_X64_MSR_SCONTROL:
        *val = y->scontrol;
        return true;
    case HV_X64_MSR_SVERSION:
        *val = 1;
        return true;
    case HV_X64_MSR_SIEFP:
        *val = y->siefp;
        return true;
    case HV_X64_MSR_SIMP:
        *val = y->simp;
        return true;
    case HV_X64_MSR_EOM:
        *val = 0;
        return true;
    case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
        *val = y->sint[msr - HV_X64_MSR_SINT0];
        return true;
    case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
        *val = msr & 1 ? stimer_of(vp, msr)->count : stimer_of(vp, msr)->config;
        return true;
    case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_CTL - 1:
        *val = ds->crash[msr - HV_X64_MSR_CRASH_P0];
        return !emuhv_answers(EMUHV_NO_CRASH_MSRS);
    case HV_X64_MSR_CRASH_CTL:
        *val = HV_CRASH_CTL_CRASH_NOTIFY | HV_CRASH_CTL_CRASH_NOTIFY_MSG;
        return !emuhv_answers(EMUHV_NO_CRASH_MSRS);
    default:
        return false;
    }
}

uint32_t emuhv_synth_msr_of_reg(uint32_t name)
{
    static const uint32_t base[] = {
        HV_X64_MSR_VP_RUNTIME, HV_X64_MSR_HYPERCALL, HV_X64_MSR_GUEST_OS_ID,
        HV_X64_MSR_VP_INDEX, HV_X64_MSR_TIME_REF_COUNT
    };
    static const uint32_t synic[] = {
        HV_X64_MSR_SCONTROL, HV_X64_MSR_SVERSION, HV_X64_MSR_SIEFP,
        HV_X64_MSR_SIMP, HV_X64_MSR_EOM
    };

    switch (name) {
    case HV_REGISTER_GUEST_CRASH_P0 ... HV_REGISTER_GUEST_CRASH_CTL:
        return HV_X64_MSR_CRASH_P0 + name - HV_REGISTER_GUEST_CRASH_P0;
    case HV_REGISTER_VP_RUNTIME ... HV_REGISTER_TIME_REF_COUNT:
        return base[name - HV_REGISTER_VP_RUNTIME];
    case HV_REGISTER_VP_ASSIST_PAGE:
        return HV_X64_MSR_VP_ASSIST_PAGE;
    case HV_REGISTER_REFERENCE_TSC:
        return HV_X64_MSR_REFERENCE_TSC;
    case HV_REGISTER_SINT0 ... HV_REGISTER_SINT15:
        return HV_X64_MSR_SINT0 + name - HV_REGISTER_SINT0;
    case HV_REGISTER_SCONTROL ... HV_REGISTER_EOM:
        return synic[name - HV_REGISTER_SCONTROL];
    case HV_REGISTER_STIMER0_CONFIG ... HV_REGISTER_STIMER3_COUNT:
        return HV_X64_MSR_STIMER0_CONFIG + name - HV_REGISTER_STIMER0_CONFIG;
    default:
        return 0;
    }
}

/* ---- Life cycle ---- */

void emuhv_synth_reset(EmuhvVp *vp)
{
    EmuhvVpIrq *y = vp->irq;

    emuhv_stimers_reset(vp);
    y->runtime_before = 0;
    for (unsigned i = 0; i < EMUHV_SINTS; i++) {
        y->sint[i] = HV_SYNIC_SINT_MASKED;
    }
    y->scontrol = y->siefp = y->simp = y->vp_assist = 0;
    for (unsigned i = 0; i < 2; i++) {
        memset(emuhv_overlay_page(vp->slot, EMUHV_OVERLAY_SIM + i), 0,
               EMUHV_PAGE_SIZE);
        set_overlay(vp, EMUHV_PLACE_VP0 + 2 * vp->index + i, 0,
                    EMUHV_OVERLAY_SIM + i);
    }
}

void emuhv_irq_vp_new(EmuhvVp *vp)
{
    vp->irq = g_new0(EmuhvVpIrq, 1);
    emuhv_stimers_init(vp);
}

void emuhv_irq_vp_free(EmuhvVp *vp)
{
    emuhv_stimers_free(vp);
    g_free(vp->irq);
}
