/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: virtual processors.
 *
 * How a VP stops: inside cpu_exec it sets "parked", queues exit_work() on
 * itself and leaves cpu_exec; exit_work() runs with the BQL, sets "stopped"
 * and reports.  Others stop it with run_on_cpu(stop_work).  While it is
 * "stopped", whoever has the BQL may touch the state of the CPU.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "exec/exec-all.h"
#include "exec/cputlb.h"
#include "hw/i386/apic.h"
#include "hw/qdev-core.h"
#include "system/cpu-timers.h"
#include "system/hw_accel.h"
#include "system/tcg.h"
#include "hw/emuhv/emuhv.h"
#include "hw/emuhv/vp-int.h"

/* ---- Stop and go ---- */

static bool has_work(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);
    int req = qatomic_read(&cs->interrupt_request);

    unsigned what;

    return x86_cpu_pending_interrupt(cs, req) != 0 ||
           ((req & CPU_INTERRUPT_EMUHV) && emuhv_deliverable(vp, &what));
}

bool emuhv_do_has_work(CPUX86State *env)
{
    EmuhvVp *vp = emuhv_vp_of(env);

    if (qatomic_read(&vp->s->parked) && !qatomic_read(&vp->s->idle)) {
        return false;
    }
    return has_work(vp);
}

/*
 * The thread found something to do while the VP was halted. What is parked runs
 * only after resume(): what comes after we looked must not start it, for its
 * parent would not know.
 */
bool emuhv_do_exec_halt(CPUX86State *env)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    CPUState *cs = env_cpu(env);

    if (!qatomic_read(&vp->s->idle)) {
        return !qatomic_read(&vp->s->parked);
    }
    bql_lock();
    if (vp->s->idle) {
        if (cs->interrupt_request & CPU_INTERRUPT_POLL) {
            cpu_reset_interrupt(cs, CPU_INTERRUPT_POLL);
            apic_poll_irq(vp->base.cpu->apic_state);
        }
        if (has_work(vp)) {
            vp->s->idle = false;
            vp->s->guest_halted = 0;
            emuhv_vp_unblocked(vp);
        }
    }
    bql_unlock();
    return false;
}

static void park(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (!vp->s->parked) {
        vp->s->guest_halted = cs->halted;
        qatomic_set(&vp->s->parked, true);
    }
    cs->halted = 1;
}

static void stopped(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (!vp->s->stopped) {
        vp->s->stopped = true;
        emuhv_event_disarm(vp);
        if (cs->watchpoint_hit && (cs->watchpoint_hit->flags & BP_CPU)) {
            /* Its instruction starts anew, maybe with other watchpoints. */
            cs->watchpoint_hit = NULL;
            cpu_reset_interrupt(cs, CPU_INTERRUPT_DEBUG);
        }
        vp->stats.run_ns += get_clock() - vp->s->resume_ns;
    }
}

static void report(EmuhvVp *vp)
{
    EmuhvVpState *s = vp->s;

    s->intercept_suspend = true;
    s->dispatched = false;
    vp->stats.exits[s->exit_kind]++;
    if (s->page[1] != EMUHV_NO_PFN) {
        address_space_write(&address_space_memory, s->page[1] << 12,
                            MEMTXATTRS_UNSPECIFIED, s->msg, sizeof(s->msg));
    }
    emuhv_regpage_store(vp);
    emuhv_vp_intercepted(vp, s->exit_kind, s->msg);
}

static void exit_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvVp *vp = data.host_ptr;

    if (vp->s->exit_pending) {
        vp->s->exit_pending = false;
        stopped(vp);
        report(vp);
    }
}

void emuhv_vp_exit(EmuhvVp *vp, EmuhvExitKind kind)
{
    CPUState *cs = emuhv_vp_cs(vp);
    CPUX86State *env = emuhv_vp_env(vp);

    /* TCG does not, if an atomic step ends here: the flags would be lost. */
    env->eflags = cpu_compute_eflags(env);
    park(vp);
    vp->s->exit_kind = kind;
    vp->s->exit_pending = true;
    cs->exception_index = EXCP_HLT;
    async_run_on_cpu(cs, exit_work, RUN_ON_CPU_HOST_PTR(vp));
    cpu_loop_exit(cs);
}

void emuhv_vp_exit_now(EmuhvVp *vp, EmuhvExitKind kind)
{
    park(vp);
    stopped(vp);
    vp->s->exit_kind = kind;
    report(vp);
}

static void stop_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvVp *vp = data.host_ptr;

    park(vp);
    stopped(vp);
}

/* (drops BQL) */
static void stop(EmuhvVp *vp)
{
    if (!vp->s->stopped) {
        run_on_cpu(emuhv_vp_cs(vp), stop_work, RUN_ON_CPU_HOST_PTR(vp));
    }
}

typedef struct SyncCall {
    run_on_cpu_func fn;
    void *opaque;
} SyncCall;

void emuhv_vp_sync(EmuhvVp *vp, run_on_cpu_func fn, void *opaque)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (vp->s->stopped) {
        fn(cs, RUN_ON_CPU_HOST_PTR(opaque));
    } else {
        run_on_cpu(cs, fn, RUN_ON_CPU_HOST_PTR(opaque));
    }
}

/* Root scheduler: a halted VP gives its parent CPU back. */
static void idle_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvVp *vp = data.host_ptr;
    EmuhvVpState *s = vp->s;

    s->idle_pending = false;
    if (!vp->domain || s->parked || !s->dispatched || !cs->halted) {
        return;
    }
    if (cs->interrupt_request & CPU_INTERRUPT_POLL) {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_POLL);
        apic_poll_irq(vp->base.cpu->apic_state);
    }
    if (has_work(vp)) {
        return;
    }
    park(vp);
    stopped(vp);
    s->dispatched = false;
    qatomic_set(&s->idle, true);
    emuhv_regpage_store(vp);
    emuhv_vp_blocked(vp);
}

void emuhv_vp_queue_idle(EmuhvVp *vp)
{
    if (vp->domain && vp->domain->cfg.root_scheduler && !vp->s->idle_pending) {
        vp->s->idle_pending = true;
        async_run_on_cpu(emuhv_vp_cs(vp), idle_work, RUN_ON_CPU_HOST_PTR(vp));
    }
}

static bool may_run(EmuhvVp *vp)
{
    EmuhvVpState *s = vp->s;

    return vp->domain && !s->explicit_suspend && !s->intercept_suspend &&
           !s->dispatch_suspend &&
           (s->dispatched || !vp->domain->cfg.root_scheduler);
}

/* Messages that do not come from an instruction */
static void post_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvVp *vp = data.host_ptr;

    vp->s->post_queued = false;
    if (!may_run(vp) || vp->s->exit_pending) {
        return;
    }
    if (emuhv_eoi_waits(vp)) {
        emuhv_post_eoi(vp);
    } else if (vp->s->stopped && !emuhv_state_valid(vp)) {
        emuhv_post_invalid_state(vp);
    }
}

static void queue_post(EmuhvVp *vp)
{
    if (!vp->s->post_queued) {
        vp->s->post_queued = true;
        async_run_on_cpu(emuhv_vp_cs(vp), post_work, RUN_ON_CPU_HOST_PTR(vp));
    }
}

void emuhv_do_apic_eoi(X86CPU *cpu, int vector)
{
    EmuhvVp *vp = container_of(cpu->emuhv, EmuhvVp, base);

    if (vp->domain && (vp->s->level[vector / 32] >> (vector % 32) & 1)) {
        vp->s->level[vector / 32] &= ~(1u << (vector % 32));
        vp->s->eoi[vector / 32] |= 1u << (vector % 32);
        queue_post(vp);
    }
}

static void flush_self_work(CPUState *cs, run_on_cpu_data data)
{
    emuhv_s2_flush_self(data.host_ptr);
}

static void resume(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);
    EmuhvVpState *s = vp->s;

    if (s->need_flush) {
        async_run_on_cpu(cs, flush_self_work, RUN_ON_CPU_HOST_PTR(vp));
    }
    if (emuhv_eoi_waits(vp)) {
        /* An EOI intercept comes first; it must come from its own thread. */
        queue_post(vp);
        return;
    }
    emuhv_regpage_load(vp);
    if (!emuhv_state_valid(vp)) {
        queue_post(vp);
        return;
    }
    emuhv_event_arm(vp);
    emuhv_deliverability_changed(vp);
    vp->stats.resumes++;
    s->resume_ns = get_clock();
    s->stopped = false;
    s->idle = false;
    cs->halted = s->guest_halted;
    qatomic_set(&s->parked, false);
    if (cs->halted) {
        emuhv_vp_queue_idle(vp);
    }
    qemu_cpu_kick(cs);
}

/* Let it run if nothing suspends it. */
static void update(EmuhvVp *vp)
{
    if (vp->s->stopped && may_run(vp)) {
        resume(vp);
    }
}

/* ---- Root scheduler ---- */

void emuhv_vp_wake(EmuhvVp *vp)
{
    if (vp->s->idle) {
        vp->s->idle = false;
        emuhv_vp_unblocked(vp);
    }
}

bool emuhv_vp_dispatch_suspend(EmuhvVp *vp)
{
    return vp->s->dispatch_suspend;
}

EmuhvDispatch emuhv_vp_dispatch(EmuhvVp *vp, bool clear_intercept)
{
    EmuhvVpState *s = vp->s;

    if (clear_intercept) {
        s->intercept_suspend = false;
    }
    if (s->intercept_suspend) {
        return EMUHV_DISPATCH_INTERCEPT;
    }
    if (s->explicit_suspend || s->dispatch_suspend) {
        return EMUHV_DISPATCH_SUSPENDED;
    }
    if (s->idle && !has_work(vp) && !emuhv_eoi_waits(vp) &&
        !(s->pending_interruption & PI_PENDING)) {
        return EMUHV_DISPATCH_IDLE;
    }
    s->dispatched = true;
    update(vp);
    return EMUHV_DISPATCH_RUNNING;
}

void emuhv_vp_undispatch(EmuhvVp *vp)
{
    vp->s->dispatched = false;
    stop(vp);
}

/* ---- Suspend registers, called by the register table ---- */

void emuhv_vp_set_suspend(EmuhvVp *vp, unsigned which, bool on)
{
    EmuhvVpState *s = vp->s;
    bool *bit = which == 0 ? &s->explicit_suspend :
                which == 1 ? &s->intercept_suspend :
                &s->dispatch_suspend;
    bool old = *bit;

    *bit = on;
    if (on) {
        stop(vp);
    } else {
        update(vp);
        /* Root scheduler: who waits for the VP must dispatch it now. */
        if (vp->domain && vp->domain->cfg.root_scheduler && old &&
            which != 1 && !s->explicit_suspend && !s->dispatch_suspend &&
            !s->intercept_suspend && !s->dispatched) {
            emuhv_vp_unblocked(vp);
        }
    }
}

/* ---- Reset, life ---- */

bool emuhv_is_child_dev(DeviceState *dev)
{
    X86CPU *cpu = (X86CPU *)object_dynamic_cast(OBJECT(dev), TYPE_X86_CPU);

    return cpu && emuhv_is_child(cpu);
}

void emuhv_do_reset(X86CPU *cpu)
{
    EmuhvVp *vp;

    if (!emuhv_is_child(cpu)) {
        emuhv_parent_reset(cpu);
        return;
    }
    vp = container_of(cpu->emuhv, EmuhvVp, base);
    cpu->env.hflags |= HF_GUEST_MASK;
    cpu->env.hflags2 |= HF2_NPT_MASK;
    /* TCG takes no busy TSS, as which reset leaves it. */
    cpu->env.tr.flags &= ~(2u << DESC_TYPE_SHIFT);
    cpu->env.tsc_offset = vp->s->tsc_offset;    /* INIT keeps the TSC */
    if (cpu->apic_state) {
        apic_designate_bsp(cpu->apic_state, vp->index == 0);
    }
    CPU(cpu)->halted = vp->s->parked || vp->index != 0;
    vp->s->in_event = false;
    if (!vp->s->parked) {
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
    device_cold_reset(cpu->apic_state);
    CPU(cpu)->interrupt_request = 0;
    CPU(cpu)->exception_index = -1;
    s->guest_halted = vp->domain->cfg.lapic && vp->index != 0;
    emuhv_set_tsc_offset(vp, -vp->domain->s->tsc_origin);
    s->explicit_suspend = true;
    s->intercept_suspend = s->dispatch_suspend = false;
    s->dispatched = s->idle = s->exit_pending = false;
    s->in_event = s->armed = s->extint = false;
    s->pending_interruption = s->deliverability = 0;
    memset(s->pending_event, 0, sizeof(s->pending_event));
    memset(s->eoi, 0, sizeof(s->eoi));
    memset(s->level, 0, sizeof(s->level));
    memset(s->misc_regs, 0, sizeof(s->misc_regs));
    s->page[0] = s->page[1] = EMUHV_NO_PFN;
    memset(&vp->stats, 0, sizeof(vp->stats));
    emuhv_synth_reset(vp);
}

static void init_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvVp *vp = data.host_ptr;

    if (vp->domain) {
        vp_init(vp);
    }
}

uint16_t emuhv_vp_create(EmuhvDomain *d, uint32_t index, EmuhvVp **out)
{
    EmuhvVp *vp;

    if (index > EMUHV_MAX_VP_INDEX || d->vps[index]) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    if (d->s->finalized) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    vp = emuhv_pool_take();
    if (!vp) {
        return HV_STATUS_NO_RESOURCES;
    }
    /* It dropped the BQL. */
    if (d->s->finalized || d->vps[index]) {
        return d->s->finalized ? HV_STATUS_INVALID_PARTITION_STATE
                               : HV_STATUS_INVALID_VP_INDEX;
    }
    vp->domain = d;
    vp->index = index;
    vp->owner = NULL;
    vp->s->explicit_suspend = true;
    d->vps[index] = vp;
    run_on_cpu(emuhv_vp_cs(vp), init_work, RUN_ON_CPU_HOST_PTR(vp));
    if (d->s->finalized) {
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
    EmuhvDomain *d = vp->domain;

    emuhv_apic_detach(vp);
    emuhv_synth_reset(vp);
    vp->s->exit_pending = false;
    vp->s->explicit_suspend = true;
    vp->s->dispatched = vp->s->idle = false;
    vp->s->page[0] = vp->s->page[1] = EMUHV_NO_PFN;
    d->vps[vp->index] = NULL;
    vp->domain = NULL;
    vp->owner = NULL;
    vp->s->need_flush = true;
}

void emuhv_vp_destroy(EmuhvVp *vp)
{
    EmuhvDomain *d = vp->domain;

    if (!d) {
        return;
    }
    vp->s->explicit_suspend = true;
    stop(vp);
    if (vp->domain == d) {
        vp_release(vp);
    }
}

/* ---- Domains ---- */

EmuhvDomain *emuhv_domain_new(const EmuhvDomainConfig *cfg)
{
    EmuhvDomain *d = g_new0(EmuhvDomain, 1);

    d->cfg = *cfg;
    d->s = g_new0(struct EmuhvDomainState, 1);
    d->s->s2 = emuhv_s2_new();
    d->s->synth_features = HV_SYNTH_FEATURE_HYPERVISOR_PRESENT |
                           HV_SYNTH_FEATURE_HV1;
    qemu_mutex_init(&d->s->lock);
    d->s->cpuid_icept = g_hash_table_new(NULL, NULL);
    d->s->msr_icept = g_hash_table_new(NULL, NULL);
    d->s->msr_actions = g_hash_table_new(NULL, NULL);
    d->s->cpuid_results = g_array_new(false, true, sizeof(EmuhvCpuidResult));
    emuhv_domain_synth_reset(d);
    return d;
}

void emuhv_domain_finalize(EmuhvDomain *d)
{
    d->s->finalized = true;
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        if (d->vps[i]) {
            emuhv_vp_destroy(d->vps[i]);
        }
    }
}

void emuhv_domain_free(EmuhvDomain *d)
{
    emuhv_domain_finalize(d);
    emuhv_s2_free(d->s->s2);
    g_hash_table_destroy(d->s->cpuid_icept);
    g_hash_table_destroy(d->s->msr_icept);
    g_hash_table_destroy(d->s->msr_actions);
    g_array_free(d->s->cpuid_results, true);
    qemu_mutex_destroy(&d->s->lock);
    g_free(d->s);
    g_free(d);
}

/* ---- Start-up and reset ---- */

bool emuhv_vp_layer_init(Error **errp)
{
    if (!tcg_enabled() || icount_enabled() || !qemu_tcg_mttcg_enabled()) {
        error_setg(errp, "the emulated hypervisor needs -accel tcg,thread=multi"
                   " without icount: each VP has its own thread");
        return false;
    }
    emuhv_pool_init();
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

void emuhv_vp_layer_reset(void)
{
    EmuhvVp *vp;

    for (unsigned i = 0; (vp = emuhv_pool_get(i)); i++) {
        /* All CPUs are paused: none is inside cpu_exec. */
        vp->s->parked = vp->s->stopped = true;
        CPU(vp->base.cpu)->halted = 1;
        if (vp->domain) {
            vp_release(vp);
        }
    }
}
