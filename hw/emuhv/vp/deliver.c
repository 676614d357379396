/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what waits for a VP: interrupts, notifications
 * that one can be delivered, ends of interrupt that its parent must hear of.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "hw/i386/apic.h"
#include "hw/i386/apic_internal.h"
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
    return vp->irq->ipis || emuhv_eoi_waits(vp);
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

/* ---- SMI, INIT and SIPI ---- */

#define ICR_MODE(icr)   ((icr) >> 8 & 7)
#define ICR_ASSERT      (1u << 14)
#define ICR_LEVEL       (1u << 15)

/*
 * A parent that asked gets them in place of those whom they are for. No VP has
 * SMM: else nobody hears of an SMI.
 */
bool emuhv_do_apic_ipi(X86CPU *cpu, uint64_t icr)
{
    EmuhvVp *vp = emuhv_vp_of(&cpu->env);
    unsigned mode = ICR_MODE(icr);

    if (!vp->partition || (mode == APIC_DM_INIT && (icr & ICR_LEVEL) &&
                           !(icr & ICR_ASSERT))) {
        return false;
    }
    if ((vp->partition->settings->ipi_icepts >> mode & 1) &&
        vp->irq->ipis < EMUHV_IPIS) {
        vp->irq->ipi[vp->irq->ipis++] = icr;
        emuhv_vp_queue(vp, VP_WORK_POST);
        return true;
    }
    return mode == APIC_DM_SMI;
}

/*
 * A VP at rest has got a SIPI: whoever looks sees what it did. While it waits
 * for one, an INIT changes nothing.
 */
void emuhv_vp_settle(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (emuhv_answers(EMUHV_LATE_STARTS) || !emuhv_vp_at_rest(vp) ||
        !emuhv_vp_apic(vp)->wait_for_sipi ||
        !(cs->interrupt_request & CPU_INTERRUPT_SIPI)) {
        return;
    }
    cpu_reset_interrupt(cs, CPU_INTERRUPT_INIT | CPU_INTERRUPT_SIPI);
    apic_sipi(vp->base.cpu->apic_state);
    cs->halted = 1;
    vp->s->guest_halted = 0;
    emuhv_vp_wake(vp);
}
