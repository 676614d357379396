/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what a child sees as its Hyper-V interface:
 * synthetic MSRs, SynIC, reference time.  Source: TLFS chapters 3 (hypercall
 * interface), 11 (interrupts) and 12 (timers).
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/host-utils.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "hw/i386/apic.h"
#include "hw/emuhv/emuhv.h"
#include "hw/emuhv/vp-int.h"


#define SINT_MASKED         (1ull << 16)
#define SINT_AUTO_EOI       (1ull << 17)
#define SINT_POLLING        (1ull << 18)

#define PAGE_ENABLE         1ull
/* QEMU's LAPIC counts nanoseconds of the virtual clock. */
#define APIC_HZ             1000000000ull

/* ---- Overlay memory ---- */

static MemoryRegion overlay;

bool emuhv_overlay_init(Error **errp)
{
    if (!memory_region_init_ram_nomigrate(&overlay,
                                          OBJECT(qdev_get_machine()),
                                          "emuhv-child-overlay",
                                          (uint64_t)emuhv_pool_size() * 4 *
                                          4096, errp)) {
        return false;
    }
    memory_region_add_subregion(get_system_memory(), EMUHV_OVERLAY_PA,
                                &overlay);
    return true;
}

static hwaddr overlay_pa(unsigned page)
{
    return EMUHV_OVERLAY_PA + page * 4096ull;
}

void *emuhv_overlay_page(unsigned page)
{
    return (uint8_t *)memory_region_get_ram_ptr(&overlay) + page * 4096ull;
}

/* Through the memory API, so that translated code goes away. */
static void overlay_write(unsigned page, const void *buf, size_t len)
{
    emuhv_ram_write(overlay_pa(page), buf, len);
}

/* ---- Time ---- */

static uint64_t machine_tsc(void)
{
    return cpu_get_tsc(NULL);
}

uint64_t emuhv_domain_raw_tsc(EmuhvDomain *d)
{
    return d->s->time_frozen ? d->s->frozen_tsc : machine_tsc();
}

uint64_t emuhv_domain_reftime(EmuhvDomain *d)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    return d->s->time_frozen ? d->s->frozen_at
                             : (now - d->s->time_origin) / 100;
}

static void reference_tsc_update(EmuhvVp *vp)
{
    EmuhvDomain *d = vp->domain;
    uint8_t page[24] = { };
    uint64_t scale, low, tsc, high;

    if (!(d->s->reference_tsc & PAGE_ENABLE) || d->s->time_frozen) {
        return;
    }
    /* 2^64 * 10 MHz / TSC frequency */
    low = 0;
    high = 10000000;
    divu128(&low, &high, emuhv_tsc_hz());
    scale = low;
    tsc = machine_tsc() + emuhv_vp_env(vp)->tsc_offset;
    mulu64(&low, &high, tsc, scale);
    stl_le_p(page, 1);
    stq_le_p(page + 8, scale);
    stq_le_p(page + 16, emuhv_domain_reftime(d) - high);
    overlay_write(d->s->overlay_slot[1], page, sizeof(page));
}

/* ---- SynIC ---- */

static void sint_raise(EmuhvVp *vp, unsigned sint)
{
    uint64_t v = vp->s->synic.sint[sint];

    if (!(v & (SINT_MASKED | SINT_POLLING))) {
        emuhv_apic_raise(vp, v & 0xff);
    }
}

void emuhv_synth_auto_eoi(EmuhvVp *vp, int vector)
{
    APICCommonState *a = emuhv_vp_apic(vp);

    if (!(vp->s->synic.scontrol & 1)) {
        return;
    }
    for (unsigned i = 0; i < EMUHV_SINT_COUNT; i++) {
        uint64_t v = vp->s->synic.sint[i];

        if ((v & SINT_AUTO_EOI) && !(v & SINT_MASKED) &&
            (v & 0xff) == vector) {
            a->isr[vector / 32] &= ~(1u << (vector % 32));
            apic_poll_irq(DEVICE(a));
            return;
        }
    }
}

uint16_t emuhv_vp_post_message(EmuhvVp *vp, unsigned sint,
                               const uint8_t msg[256])
{
    EmuhvVpSynic *y = &vp->s->synic;
    uint8_t *slot;

    if (sint >= EMUHV_SINT_COUNT) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (!(y->scontrol & 1) || !(y->simp & PAGE_ENABLE)) {
        return HV_STATUS_INVALID_SYNIC_STATE;
    }
    slot = (uint8_t *)emuhv_overlay_page(emuhv_vp_overlay(vp, 0)) + sint * 256;
    if (qatomic_read((uint32_t *)slot)) {
        qatomic_or(slot + 5, 1);        /* message pending */
        smp_mb();
        if (qatomic_read((uint32_t *)slot)) {
            return HV_STATUS_INSUFFICIENT_BUFFERS;
        }
    }
    memcpy(slot + 4, msg + 4, 252);
    slot[5] &= ~1;
    qatomic_store_release((uint32_t *)slot, ldl_he_p(msg));
    sint_raise(vp, sint);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_vp_signal_event(EmuhvVp *vp, unsigned sint, unsigned flag,
                               bool *newly)
{
    EmuhvVpSynic *y = &vp->s->synic;
    uint32_t *flags, bit;

    if (sint >= EMUHV_SINT_COUNT || flag >= 2048) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (!(y->scontrol & 1) || !(y->siefp & PAGE_ENABLE)) {
        return HV_STATUS_INVALID_SYNIC_STATE;
    }
    flags = (uint32_t *)emuhv_overlay_page(emuhv_vp_overlay(vp, 1)) +
            sint * 64 + flag / 32;
    bit = 1u << (flag % 32);
    *newly = !(qatomic_fetch_or(flags, bit) & bit);
    if (*newly) {
        sint_raise(vp, sint);
    }
    return HV_STATUS_SUCCESS;
}

/* ---- Time freeze ---- */

void emuhv_domain_freeze(EmuhvDomain *d, bool freeze)
{
    if (freeze == d->s->time_frozen) {
        return;
    }
    if (freeze) {
        d->s->frozen_at = emuhv_domain_reftime(d);
        d->s->frozen_tsc = machine_tsc();
        d->s->time_frozen = true;
    } else {
        uint64_t gone = machine_tsc() - d->s->frozen_tsc;

        d->s->time_frozen = false;
        d->s->time_origin = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) -
                            d->s->frozen_at * 100;
        d->s->tsc_origin += gone;
        for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
            if (d->vps[i]) {
                emuhv_set_tsc_offset(d->vps[i],
                                     d->vps[i]->s->tsc_offset - gone);
                reference_tsc_update(d->vps[i]);
            }
        }
    }
    emuhv_stimers_restart(d);
}

void emuhv_domain_set_reftime(EmuhvDomain *d, uint64_t t)
{
    d->s->frozen_at = t;
}

/* ---- MSRs ---- */

static void set_overlay(EmuhvVp *vp, unsigned slot, uint64_t val,
                        unsigned page, bool write)
{
    emuhv_s2_set_overlay(vp->domain, slot, val >> 12, overlay_pa(page),
                         write, val & PAGE_ENABLE);
    emuhv_s2_flush_async(vp->domain);
}

static void set_hypercall(EmuhvVp *vp, uint64_t val)
{
    static const uint8_t code[] = { 0x0f, 0x01, 0xc1, 0xc3 };
    struct EmuhvDomainState *ds = vp->domain->s;
    unsigned page = emuhv_vp_overlay(vp, 2);

    if ((ds->hypercall & 2) || !ds->guest_os_id) {
        return;                 /* locked, or no guest OS id yet */
    }
    ds->hypercall = val;
    ds->overlay_slot[0] = page;
    if (val & PAGE_ENABLE) {
        overlay_write(page, code, sizeof(code));
    }
    set_overlay(vp, 0, val, page, false);
}

static void set_reference_tsc(EmuhvVp *vp, uint64_t val)
{
    vp->domain->s->reference_tsc = val;
    vp->domain->s->overlay_slot[1] = emuhv_vp_overlay(vp, 3);
    reference_tsc_update(vp);
    set_overlay(vp, 1, val, emuhv_vp_overlay(vp, 3), false);
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
        return HV_SYNTH_FEATURE_HYPERVISOR_PRESENT;
    default:
        return 0;
    }
}

bool emuhv_synth_is_msr(EmuhvVp *vp, uint32_t msr)
{
    uint64_t f = vp->domain->s->synth_features;
    uint64_t need = feature_of(msr);

    return need && (f & HV_SYNTH_FEATURE_HYPERVISOR_PRESENT) &&
           (f & need) == need;
}

/* Each timer has two MSRs: its configuration and its count. */
static EmuhvStimer *stimer_of(EmuhvVp *vp, uint32_t msr)
{
    return &vp->s->synic.stimer[(msr - HV_X64_MSR_STIMER0_CONFIG) / 2];
}

static bool set_sint(EmuhvVp *vp, unsigned n, uint64_t val)
{
    if (!(val & SINT_MASKED) && (val & 0xff) < 16) {
        return false;
    }
    vp->s->synic.sint[n] = val & 0x700ff;
    return true;
}

bool emuhv_synth_wrmsr(EmuhvVp *vp, uint32_t msr, uint64_t val)
{
    EmuhvVpSynic *y = &vp->s->synic;
    struct EmuhvDomainState *ds = vp->domain->s;

    switch (msr) {
    case HV_X64_MSR_GUEST_OS_ID:
        ds->guest_os_id = val;
        if (!val) {
            ds->hypercall &= ~PAGE_ENABLE;
            set_overlay(vp, 0, 0, 0, false);
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
        set_overlay(vp, 3 + 2 * vp->index, val, emuhv_vp_overlay(vp, 1), true);
        return true;
    case HV_X64_MSR_SIMP:
        y->simp = val;
        set_overlay(vp, 2 + 2 * vp->index, val, emuhv_vp_overlay(vp, 0), true);
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
        return true;
    case HV_X64_MSR_CRASH_CTL:
        ds->crash_ctl = val;
        return true;
    default:
        return false;           /* read-only or unknown */
    }
}

bool emuhv_synth_rdmsr(EmuhvVp *vp, uint32_t msr, uint64_t *val)
{
    EmuhvVpSynic *y = &vp->s->synic;
    struct EmuhvDomainState *ds = vp->domain->s;

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
                (vp->s->stopped ? 0 : get_clock() - vp->s->resume_ns)) / 100;
        return true;
    case HV_X64_MSR_TIME_REF_COUNT:
        *val = emuhv_domain_reftime(vp->domain);
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
        return true;
    case HV_X64_MSR_CRASH_CTL:
        *val = ds->crash_ctl;
        return true;
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
    EmuhvVpSynic *y = &vp->s->synic;

    emuhv_stimers_reset(vp);
    for (unsigned i = 0; i < EMUHV_SINT_COUNT; i++) {
        y->sint[i] = SINT_MASKED;
    }
    y->scontrol = y->siefp = y->simp = y->vp_assist = 0;
    for (unsigned i = 0; i < 2 && vp->domain; i++) {
        memset(emuhv_overlay_page(emuhv_vp_overlay(vp, i)), 0, 4096);
        emuhv_s2_set_overlay(vp->domain, 2 + 2 * vp->index + i, 0, 0, false,
                             false);
    }
}

void emuhv_domain_synth_reset(EmuhvDomain *d)
{
    d->s->time_origin = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    d->s->tsc_origin = machine_tsc();
}
