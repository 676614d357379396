/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what waits for a VP: interrupts, notifications
 * that one can be delivered, ends of interrupt that its parent must hear of.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "hw/i386/apic.h"
#include "hw/emuhv/vp/vp-int.h"

bool emuhv_deliverable(EmuhvVp *vp, unsigned *what)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint64_t want = vp->s->deliverability;
    unsigned prio = (want >> 2) & 0xf;

    if (env->hflags & HF_INHIBIT_IRQ_MASK) {
        return false;
    }
    if ((want & DELIVERABLE_NMI) && !(env->hflags2 & HF2_NMI_MASK)) {
        *what = DELIVERABLE_NMI;
        return true;
    }
    if ((want & DELIVERABLE_IRQ) && (env->eflags & IF_MASK) &&
        (!prio || prio > apic_get_ppr(emuhv_vp_apic(vp)) >> 4)) {
        *what = DELIVERABLE_IRQ;
        return true;
    }
    return false;
}

void emuhv_deliverability_changed(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (vp->s->deliverability & (DELIVERABLE_NMI | DELIVERABLE_IRQ)) {
        cpu_interrupt(cs, CPU_INTERRUPT_EMUHV);
    } else {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_EMUHV);
    }
}

bool emuhv_vp_has_work(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);
    int req = qatomic_read(&cs->interrupt_request);
    unsigned what;

    return x86_cpu_pending_interrupt(cs, req) != 0 ||
           ((req & CPU_INTERRUPT_EMUHV) && emuhv_deliverable(vp, &what));
}

/* ---- End of interrupt ---- */

bool emuhv_eoi_waits(EmuhvVp *vp)
{
    return !buffer_is_zero(vp->irq->eoi, sizeof(vp->irq->eoi));
}

bool emuhv_report_waits(EmuhvVp *vp)
{
    return vp->irq->smis || emuhv_eoi_waits(vp);
}

void emuhv_do_apic_eoi(X86CPU *cpu, int vector)
{
    EmuhvVp *vp = emuhv_vp_of(&cpu->env);

    if (vp->partition && (vp->irq->level[vector / 32] >> (vector % 32) & 1)) {
        vp->irq->level[vector / 32] &= ~(1u << (vector % 32));
        vp->irq->eoi[vector / 32] |= 1u << (vector % 32);
        emuhv_vp_queue(vp, VP_WORK_POST);
    }
}

/* ---- SMIs ---- */

/* No VP has SMM: only a parent that asked hears of them. */
void emuhv_do_apic_smi(X86CPU *cpu, uint64_t icr)
{
    EmuhvVp *vp = emuhv_vp_of(&cpu->env);

    if (vp->partition && vp->partition->settings->smi_icept &&
        vp->irq->smis < EMUHV_SMIS) {
        vp->irq->smi[vp->irq->smis++] = icr;
        emuhv_vp_queue(vp, VP_WORK_POST);
    }
}
