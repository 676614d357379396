/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: VPs run and stop.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "mshv-compat/memory.h"
#include "hw/i386/apic.h"
#include "hw/i386/apic_internal.h"
#include "hw/emuhv/vp/vp-int.h"

#define SLOW_SUSPEND_US 5000
#define OTHER_MESSAGE   0x10            /* what nothing else is named by */

/* ---- Halted ---- */

bool emuhv_do_has_work(CPUX86State *env)
{
    EmuhvVp *vp = emuhv_vp_of(env);

    return (emuhv_vp_executes(vp) ||
            qatomic_read(&vp->run) == EMUHV_RUN_IDLE) && emuhv_vp_has_work(vp);
}

static void poll(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (cs->interrupt_request & CPU_INTERRUPT_POLL) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_POLL);
        apic_poll_irq(vp->base.cpu->apic_state);
    }
}

/*
 * The thread found something to do while the VP was halted. What is at rest
 * runs only after resume(): what comes after we looked must not start it, for
 * its parent would not know.
 */
bool emuhv_do_exec_halt(CPUX86State *env)
{
    EmuhvVp *vp = emuhv_vp_of(env);

    if (qatomic_read(&vp->run) != EMUHV_RUN_IDLE) {
        return emuhv_vp_executes(vp);
    }
    bql_lock();
    if (vp->run == EMUHV_RUN_IDLE) {
        poll(vp);
        if (emuhv_vp_has_work(vp)) {
            vp->s->guest_halted = 0;
            emuhv_vp_wake(vp);
        }
    }
    bql_unlock();
    return false;
}

/* ---- Stop ---- */

/* On its thread, outside cpu_exec */
static void come_to_rest(EmuhvVp *vp, RunEvent event)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (emuhv_vp_at_rest(vp)) {
        return;
    }
    emuhv_vp_park(vp);
    emuhv_vp_event(vp, event);
    emuhv_event_disarm(vp);
    if (cs->watchpoint_hit && (cs->watchpoint_hit->flags & BP_CPU)) {
        /* Its instruction starts anew, maybe with other watchpoints. */
        cs->watchpoint_hit = NULL;
        cpu_reset_interrupt(cs, CPU_INTERRUPT_DEBUG);
    }
    vp->stats.run_ns += get_clock() - vp->stats.entered;
}

/* The parent has it no longer dispatched. */
static void undispatched(EmuhvVp *vp)
{
    if (vp->partition->cfg.root_scheduler) {
        vp->s->holds |= HOLD_PARENT;
    }
}

static bool fills_page(uint32_t message_type)
{
    return !emuhv_answers(EMUHV_STALE_REGISTER_PAGE) ||
           (message_type != HVMSG_X64_APIC_EOI &&
            message_type != HVMSG_INVALID_VP_REGISTER_VALUE &&
            message_type != HVMSG_UNSUPPORTED_FEATURE);
}

static void report(EmuhvVp *vp)
{
    EmuhvVpState *s = vp->s;

    come_to_rest(vp, RUN_REST);
    s->holds |= HOLD_INTERCEPT;
    undispatched(vp);
    vp->stats.exits[s->exit_kind]++;
    if (s->page[1] != EMUHV_NO_PFN) {
        address_space_write(&address_space_memory, s->page[1] << 12,
                            MEMTXATTRS_UNSPECIFIED, s->msg, sizeof(s->msg));
    }
    if (fills_page(ldl_le_p(s->msg))) {
        emuhv_regpage_store(vp);
    }
    emuhv_up.intercepted(vp, s->exit_kind, ldl_le_p(s->msg));
}

static void stop_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvVp *vp = data.host_ptr;

    if (emuhv_vp_unqueue(vp, VP_WORK_EXIT)) {
        report(vp);
    } else {
        come_to_rest(vp, RUN_REST);
    }
}

void emuhv_vp_stop(EmuhvVp *vp)
{
    if (!emuhv_vp_at_rest(vp)) {
        emuhv_vp_event(vp, RUN_ASK);
        run_on_cpu(emuhv_vp_cs(vp), stop_work, RUN_ON_CPU_HOST_PTR(vp));
    }
}

/* Root scheduler: a halted VP gives its parent CPU back. */
static void go_idle(EmuhvVp *vp)
{
    if (!emuhv_vp_executes(vp) || (vp->s->holds & HOLD_PARENT) ||
        !emuhv_vp_cs(vp)->halted) {
        return;
    }
    poll(vp);
    if (emuhv_vp_has_work(vp)) {
        return;
    }
    come_to_rest(vp, RUN_HALT);
    undispatched(vp);
    emuhv_regpage_store(vp);
    emuhv_up.blocked(vp);
}

static bool may_run(EmuhvVp *vp)
{
    return vp->partition && !vp->s->holds;
}

/* ---- Messages that do not come from an instruction ---- */

static void post(EmuhvVp *vp, uint32_t type, uint32_t arg, EmuhvExitKind kind)
{
    emuhv_message_start(vp, type, 8);
    stl_le_p(vp->s->msg + 16, vp->index);
    stl_le_p(vp->s->msg + 20, arg);
    vp->s->exit_kind = kind;
    report(vp);
}

/* After the instruction that sent it */
static void post_ipi(EmuhvVp *vp)
{
    EmuhvVpIrq *irq = vp->irq;
    bool smi = (irq->ipi[0] >> 8 & 7) == APIC_DM_SMI;
    uint32_t type = smi ? HVMSG_X64_APIC_SMI_INTERCEPT
                        : HVMSG_X64_APIC_INIT_SIPI_INTERCEPT;

    emuhv_message_header(vp, emuhv_answers(EMUHV_OTHER_IPI_MESSAGES)
                             ? type + OTHER_MESSAGE : type,
                         8, 0, ACCESS_WRITE);
    stq_le_p(vp->s->msg + MESSAGE_BODY, irq->ipi[0]);
    irq->ipis--;
    memmove(irq->ipi, irq->ipi + 1, irq->ipis * sizeof(irq->ipi[0]));
    vp->s->exit_kind = EMUHV_EXIT_OTHER;
    report(vp);
}

static void post_waiting(EmuhvVp *vp)
{
    uint32_t *eoi = vp->irq->eoi;
    unsigned vector;

    if (!may_run(vp) || (qatomic_read(&vp->s->queued) & 1u << VP_WORK_EXIT)) {
        return;
    }
    if (emuhv_eoi_waits(vp)) {
        vector = find_first_bit((unsigned long *)eoi, 256);
        eoi[vector / 32] &= ~(1u << (vector % 32));
        post(vp, HVMSG_X64_APIC_EOI, vector, EMUHV_EXIT_APIC_EOI);
    } else if (vp->irq->ipis) {
        post_ipi(vp);
    } else if (emuhv_vp_at_rest(vp) && !emuhv_state_valid(vp)) {
        post(vp, HVMSG_INVALID_VP_REGISTER_VALUE, 0, EMUHV_EXIT_OTHER);
    }
}

void emuhv_vp_work(EmuhvVp *vp, unsigned what)
{
    switch (what) {
    case VP_WORK_EXIT:
        report(vp);
        break;
    case VP_WORK_IDLE:
        go_idle(vp);
        break;
    case VP_WORK_POST:
        post_waiting(vp);
        break;
    }
}

/* ---- Go ---- */

static void resume(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);

    emuhv_stage2_flush_late(vp);
    if (emuhv_report_waits(vp)) {
        /* An EOI intercept comes first; it must come from its own thread. */
        emuhv_vp_queue(vp, VP_WORK_POST);
        return;
    }
    emuhv_regpage_load(vp);
    if (!emuhv_state_valid(vp)) {
        emuhv_vp_queue(vp, VP_WORK_POST);
        return;
    }
    emuhv_event_arm(vp);
    emuhv_deliverability_changed(vp);
    vp->stats.resumes++;
    vp->stats.entered = get_clock();
    /*
     * Its thread may be about to look at whether it is halted, as it is at
     * rest, and runs as soon as it is not: by then it must be RUNNING, or its
     * next intercept is taken for one of a VP at rest, and this for a HLT.
     */
    emuhv_vp_event(vp, RUN_RESUME);
    if (vp->s->guest_halted) {
        emuhv_vp_queue_idle(vp);
    } else {
        cs->halted = 0;
    }
    qemu_cpu_kick(cs);
}

/* Let it run if nothing suspends it. */
static void update(EmuhvVp *vp)
{
    if (emuhv_vp_at_rest(vp) && may_run(vp)) {
        resume(vp);
    }
}

/* ---- Root scheduler ---- */

bool emuhv_vp_dispatch_suspended(EmuhvVp *vp)
{
    return vp->s->holds & HOLD_DISPATCH;
}

EmuhvDispatch emuhv_vp_dispatch(EmuhvVp *vp, bool clear_intercept)
{
    EmuhvVpState *s = vp->s;

    if (clear_intercept) {
        s->holds &= ~HOLD_INTERCEPT;
    }
    if (s->holds & HOLD_INTERCEPT) {
        return EMUHV_DISPATCH_INTERCEPT;
    }
    if (s->holds & (HOLD_EXPLICIT | HOLD_DISPATCH)) {
        return EMUHV_DISPATCH_SUSPENDED;
    }
    if (vp->run == EMUHV_RUN_IDLE && !emuhv_vp_has_work(vp) &&
        !emuhv_report_waits(vp) && !(s->pending_interruption & PI_PENDING)) {
        return EMUHV_DISPATCH_IDLE;
    }
    s->holds &= ~HOLD_PARENT;
    update(vp);
    return EMUHV_DISPATCH_RUNNING;
}

void emuhv_vp_undispatch(EmuhvVp *vp)
{
    undispatched(vp);
    emuhv_vp_stop(vp);
}

/* ---- Suspend registers ---- */

/* The VP runs on meanwhile, unless it is stopped already, or may be gone. */
static void take_time(EmuhvVp *vp)
{
    if (!emuhv_vp_at_rest(vp)) {
        bql_unlock();
        g_usleep(SLOW_SUSPEND_US);
        bql_lock();
    }
}

void emuhv_vp_set_suspend(EmuhvVp *vp, uint32_t name, bool on)
{
    EmuhvVpState *s = vp->s;
    unsigned hold = emuhv_vp_hold(name), old = s->holds;

    if (on) {
        if (hold == HOLD_EXPLICIT && emuhv_answers(EMUHV_SLOW_SUSPEND)) {
            take_time(vp);
        }
        s->holds |= hold;
        emuhv_vp_stop(vp);
        return;
    }
    s->holds &= ~hold;
    update(vp);
    /* Root scheduler: who waits for the VP must dispatch it now. */
    if (vp->partition && (old & hold) && hold != HOLD_INTERCEPT &&
        s->holds == HOLD_PARENT) {
        emuhv_up.unblocked(vp);
    }
}
