/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: VPs come and go.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "hw/i386/apic.h"
#include "hw/qdev-core.h"
#include "system/cpu-timers.h"
#include "system/hw_accel.h"
#include "system/tcg.h"
#include "hw/emuhv/vp/vp-int.h"

void emuhv_vp_cpu_reset(EmuhvVp *vp)
{
    X86CPU *cpu = vp->base.cpu;

    cpu->env.hflags |= HF_GUEST_MASK;
    cpu->env.hflags2 |= HF2_NPT_MASK;
    /* TCG takes no busy TSS, as which reset leaves it. */
    cpu->env.tr.flags &= ~(2u << DESC_TYPE_SHIFT);
    cpu->env.tsc_offset = vp->irq->tsc_offset;    /* INIT keeps the TSC */
    if (cpu->apic_state) {
        apic_designate_bsp(cpu->apic_state, vp->index == 0);
    }
    CPU(cpu)->halted = !emuhv_vp_executes(vp) || vp->index != 0;
    vp->s->in_event = false;
    if (emuhv_vp_executes(vp)) {
        emuhv_vp_queue_idle(vp);
    }
}

/* To the hypervisor's initial state of a VP.  It is parked. */
static void vp_init(EmuhvVp *vp)
{
    X86CPU *cpu = vp->base.cpu;
    EmuhvVpState *s = vp->s;

    emuhv_cpuid_setup(vp);
    cpu_reset(CPU(cpu));
    device_cold_reset(DEVICE(cpu->apic_state));
    CPU(cpu)->interrupt_request = 0;
    CPU(cpu)->exception_index = -1;
    s->guest_halted = vp->partition->cfg.lapic && vp->index != 0;
    emuhv_set_tsc_offset(vp, -vp->partition->irq->tsc_origin);
    s->holds = HOLD_EXPLICIT |
               (vp->partition->cfg.root_scheduler ? HOLD_PARENT : 0);
    emuhv_vp_unqueue(vp, VP_WORK_EXIT);
    s->in_event = s->armed = vp->irq->extint = false;
    s->pending_interruption = s->deliverability = 0;
    memset(s->pending_event, 0, sizeof(s->pending_event));
    memset(vp->irq->eoi, 0, sizeof(vp->irq->eoi));
    vp->irq->ipis = 0;
    memset(vp->irq->level, 0, sizeof(vp->irq->level));
    memset(s->misc_regs, 0, sizeof(s->misc_regs));
    s->page[0] = s->page[1] = EMUHV_NO_PFN;
    memset(&vp->stats, 0, sizeof(vp->stats));
    emuhv_synth_reset(vp);
}

static void init_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvVp *vp = data.host_ptr;

    if (vp->partition) {
        vp_init(vp);
    }
}

#define FEW_VPS 4

static bool has_room(const EmuhvPartition *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        n += p->vps[i] != NULL;
    }
    return n < FEW_VPS || !emuhv_answers(EMUHV_FEW_VPS);
}

uint16_t emuhv_vp_create(EmuhvPartition *p, uint32_t index, EmuhvVp **out)
{
    EmuhvVp *vp;

    if (index > EMUHV_MAX_VP_INDEX || p->vps[index]) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    vp = has_room(p) ? emuhv_pool_take() : NULL;
    if (!vp) {
        return HV_STATUS_NO_RESOURCES;
    }
    /* It dropped the BQL. */
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    if (p->vps[index]) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    vp->partition = p;
    vp->index = index;
    vp->s->holds = HOLD_EXPLICIT;
    emuhv_vp_event(vp, RUN_CREATE);
    p->vps[index] = vp;
    run_on_cpu(emuhv_vp_cs(vp), init_work, RUN_ON_CPU_HOST_PTR(vp));
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        /* and the VP is given back */
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    emuhv_apic_attach(vp);
    *out = vp;
    return HV_STATUS_SUCCESS;
}

/* VP at rest: nothing of it may happen any more. */
static void vp_release(EmuhvVp *vp)
{
    EmuhvPartition *p = vp->partition;

    emuhv_apic_detach(vp);
    emuhv_synth_reset(vp);
    emuhv_vp_unqueue(vp, VP_WORK_EXIT);
    vp->s->holds = HOLD_EXPLICIT;
    emuhv_vp_event(vp, RUN_RELEASE);
    vp->s->page[0] = vp->s->page[1] = EMUHV_NO_PFN;
    p->vps[vp->index] = NULL;
    vp->partition = NULL;
    vp->mem->need_flush = true;
}

void emuhv_vp_destroy(EmuhvVp *vp)
{
    EmuhvPartition *p = vp->partition;

    if (!p) {
        return;
    }
    vp->s->holds |= HOLD_EXPLICIT;
    emuhv_vp_stop(vp);
    if (vp->partition == p) {
        vp_release(vp);
    }
}

/* ---- Start-up and reset ---- */

/* A VP without a CPU */
static EmuhvVp *vp_new(void)
{
    EmuhvVp *vp = g_new0(EmuhvVp, 1);

    vp->mem = g_new0(EmuhvVpMemory, 1);
    emuhv_irq_vp_new(vp);
    vp->s = g_new0(EmuhvVpState, 1);
    vp->s->holds = HOLD_EXPLICIT;
    vp->s->page[0] = vp->s->page[1] = EMUHV_NO_PFN;
    return vp;
}

static void vp_free(EmuhvVp *vp)
{
    g_free(vp->s);
    emuhv_irq_vp_free(vp);
    g_free(vp->mem);
    g_free(vp);
}

bool emuhv_vps_init(Error **errp)
{
    if (!tcg_enabled() || icount_enabled() || !qemu_tcg_mttcg_enabled()) {
        error_setg(errp, "the emulated hypervisor needs -accel tcg,thread=multi"
                   " without icount: each VP has its own thread");
        return false;
    }
    emuhv_pool_init(vp_new, vp_free);
    emuhv_stage2_init();
    if (!emuhv_overlay_init(errp)) {
        return false;
    }
    if (!emuhv_pool_take()) {
        error_setg(errp, "the emulated hypervisor cannot make a CPU for child"
                   " partitions");
        return false;
    }
    return true;
}

void emuhv_vps_reset(void)
{
    EmuhvVp *vp;

    for (unsigned i = 0; (vp = emuhv_pool_get(i)); i++) {
        /* All CPUs are paused: none is inside cpu_exec. */
        CPU(vp->base.cpu)->halted = 1;
        if (vp->partition) {
            emuhv_vp_event(vp, RUN_RESET);
            vp_release(vp);
        }
    }
}
