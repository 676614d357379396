/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: registers of the hypervisor's own: activity,
 * pending events, versions, SynIC and synthetic timers.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/vp/regs.h"

static uint16_t get_activity(EmuhvVp *vp, const Reg *r, unsigned i,
                             EmuhvRegVal *v)
{
    bool halted = emuhv_vp_at_rest(vp) ? vp->s->guest_halted
                                       : emuhv_vp_cs(vp)->halted;

    if (halted) {
        v->u64[0] = emuhv_vp_apic(vp)->wait_for_sipi ? 1 : 2;
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t set_activity(EmuhvVp *vp, const Reg *r, unsigned i,
                             const EmuhvRegVal *v)
{
    bool halted = v->u64[0] & 7;

    if (v->u64[0] & ~7ull) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    emuhv_vp_apic(vp)->wait_for_sipi = v->u64[0] & 1;
    if (emuhv_vp_at_rest(vp)) {
        vp->s->guest_halted = halted;
        if (!halted) {
            emuhv_vp_wake(vp);
        }
    } else {
        emuhv_vp_cs(vp)->halted = halted;
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t get_pending_interruption(EmuhvVp *vp, const Reg *r, unsigned i,
                                         EmuhvRegVal *v)
{
    v->u64[0] = vp->s->pending_interruption;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_pending_interruption(EmuhvVp *vp, const Reg *r, unsigned i,
                                         const EmuhvRegVal *v)
{
    unsigned type = (v->u64[0] >> PI_TYPE_SHIFT) & 7;

    if ((v->u64[0] & PI_PENDING) &&
        (type == 1 || type == 7 || (v->u64[0] >> PI_VECTOR_SHIFT & 0xff00))) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    vp->s->pending_interruption = v->u64[0] & PI_PENDING ? v->u64[0] : 0;
    if (vp->s->pending_interruption) {
        emuhv_vp_wake(vp);
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t get_interrupt_state(EmuhvVp *vp, const Reg *r, unsigned i,
                                    EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);

    v->u64[0] = (env->hflags & HF_INHIBIT_IRQ_MASK ? 1 : 0) |
                (env->hflags2 & HF2_NMI_MASK ? 2 : 0);
    return HV_STATUS_SUCCESS;
}

static uint16_t set_interrupt_state(EmuhvVp *vp, const Reg *r, unsigned i,
                                    const EmuhvRegVal *v)
{
    CPUX86State *env = emuhv_vp_env(vp);

    env->hflags = (env->hflags & ~HF_INHIBIT_IRQ_MASK) |
                  (v->u64[0] & 1 ? HF_INHIBIT_IRQ_MASK : 0);
    env->hflags2 = (env->hflags2 & ~HF2_NMI_MASK) |
                   (v->u64[0] & 2 ? HF2_NMI_MASK : 0);
    return HV_STATUS_SUCCESS;
}

static uint16_t get_pending_event(EmuhvVp *vp, const Reg *r, unsigned i,
                                  EmuhvRegVal *v)
{
    *v = vp->s->pending_event[i];
    return HV_STATUS_SUCCESS;
}

static uint16_t set_pending_event(EmuhvVp *vp, const Reg *r, unsigned i,
                                  const EmuhvRegVal *v)
{
    vp->s->pending_event[i] = *v;
    if (v->u64[0] & 1) {
        emuhv_vp_wake(vp);
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t get_deliverability(EmuhvVp *vp, const Reg *r, unsigned i,
                                   EmuhvRegVal *v)
{
    v->u64[0] = vp->s->deliverability;
    return HV_STATUS_SUCCESS;
}

static uint16_t set_deliverability(EmuhvVp *vp, const Reg *r, unsigned i,
                                   const EmuhvRegVal *v)
{
    vp->s->deliverability = v->u64[0];
    if (!emuhv_vp_at_rest(vp)) {
        emuhv_deliverability_changed(vp);
    } else if (v->u64[0]) {
        emuhv_vp_wake(vp);
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t get_version(EmuhvVp *vp, const Reg *r, unsigned i,
                            EmuhvRegVal *v)
{
    static const uint32_t leaf[] = { 0x40000003, 0x40000004, 0x40000005,
                                     0x40000006 };
    if (r->name == HV(HYPERVISOR_VERSION)) {
        v->u32[0] = EMUHV_BUILD;
        v->u32[1] = 10 << 16;
    } else {
        emuhv_vp_cpuid(vp, leaf[i], 0, v->u32);
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t get_synth(EmuhvVp *vp, const Reg *r, unsigned i,
                          EmuhvRegVal *v)
{
    uint32_t msr = emuhv_synth_msr_of_reg(r->name + i);

    return emuhv_synth_rdmsr(vp, msr, &v->u64[0]) ? HV_STATUS_SUCCESS
                                                  : HV_STATUS_INVALID_PARAMETER;
}

static uint16_t set_synth(EmuhvVp *vp, const Reg *r, unsigned i,
                          const EmuhvRegVal *v)
{
    uint32_t msr = emuhv_synth_msr_of_reg(r->name + i);

    return emuhv_synth_wrmsr(vp, msr, v->u64[0])
           ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_REGISTER_VALUE;
}

/* The guest cannot; a parent brings it along when a VM moves. */
static uint16_t set_runtime(EmuhvVp *vp, const Reg *r, unsigned i,
                            const EmuhvRegVal *v)
{
    uint64_t now;

    emuhv_synth_rdmsr(vp, HV_X64_MSR_VP_RUNTIME, &now);
    vp->irq->runtime_before += v->u64[0] - now;
    return HV_STATUS_SUCCESS;
}

#define SYNTH           .get = get_synth, .set = set_synth

static const Reg regs[] = {
    { HV(INTERNAL_ACTIVITY_STATE), 1, get_activity, set_activity },
    { HV(HYPERVISOR_VERSION), 1, get_version },
    { HV(PRIVILEGES_AND_FEATURES_INFO), 4, get_version },
    { HV(GUEST_CRASH_P0), 6, SYNTH },
    { HV(PENDING_INTERRUPTION), 1, get_pending_interruption,
      set_pending_interruption },
    { HV(INTERRUPT_STATE), 1, get_interrupt_state, set_interrupt_state },
    { HV(PENDING_EVENT0), 2, get_pending_event, set_pending_event },
    { HV(DELIVERABILITY_NOTIFICATIONS), 1, get_deliverability,
      set_deliverability },
    { HV(VP_RUNTIME), 1, get_synth, set_runtime },
    { HV_X64_REGISTER_HYPERCALL, 4, SYNTH },
    { HV(VP_ASSIST_PAGE), 1, SYNTH },
    { HV(REFERENCE_TSC), 1, SYNTH },
    { HV(SINT0), 21, SYNTH },
    { HV(STIMER0_CONFIG), 8, SYNTH },
};

const RegTable emuhv_synth_regs = { regs, ARRAY_SIZE(regs) };
