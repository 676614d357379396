/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: run control of VPs, the part that all need.
 *
 * A VP stops by itself: inside cpu_exec it queues work and leaves; the work
 * runs on its thread with the BQL, brings it to rest and reports.  Others ask
 * it to stop and wait.  It goes on when nothing holds it.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/vp/vp-int.h"
#include "hw/emuhv/trace.h"

/* ---- States ---- */

#define TO(state)   (EMUHV_RUN_##state + 1)
#define FROM(state) [EMUHV_RUN_##state]

/* Where each event leads; whatever is not here must not happen. */
static const uint8_t transitions[RUN__MAX][EMUHV_RUN__MAX] = {
    [RUN_CREATE] = { FROM(POOL) = TO(STOPPED) },
    [RUN_RESUME] = { FROM(STOPPED) = TO(RUNNING), FROM(IDLE) = TO(RUNNING) },
    /* Somebody asks it to stop. */
    [RUN_ASK] = { FROM(RUNNING) = TO(STOPPING), FROM(STOPPING) = TO(STOPPING),
                  FROM(LEAVING) = TO(LEAVING) },
    /* An instruction is intercepted. */
    [RUN_EXIT] = { FROM(RUNNING) = TO(LEAVING), FROM(STOPPING) = TO(LEAVING) },
    /* Its thread is out of cpu_exec; RUNNING: to report the end of an IRQ. */
    [RUN_REST] = { FROM(RUNNING) = TO(STOPPED), FROM(STOPPING) = TO(STOPPED),
                   FROM(LEAVING) = TO(STOPPED) },
    /* Root scheduler: it is out of it, halted, and has nothing to do. */
    [RUN_HALT] = { FROM(RUNNING) = TO(IDLE), FROM(STOPPING) = TO(IDLE) },
    /* Something came for which it runs on once it is dispatched. */
    [RUN_WAKE] = { FROM(IDLE) = TO(STOPPED) },
    [RUN_RELEASE] = { FROM(STOPPED) = TO(POOL), FROM(IDLE) = TO(POOL) },
    /* System reset: all threads stand still. */
    [RUN_RESET] = { FROM(STOPPED) = TO(STOPPED), FROM(IDLE) = TO(STOPPED),
                    FROM(RUNNING) = TO(STOPPED), FROM(STOPPING) = TO(STOPPED),
                    FROM(LEAVING) = TO(STOPPED) },
};

void emuhv_vp_event(EmuhvVp *vp, RunEvent event)
{
    EmuhvRun old, seen = qatomic_read(&vp->run);
    unsigned to;

    do {
        old = seen;
        to = transitions[event][old];
        if (!to || (event == RUN_RESUME && vp->s->holds)) {
            qatomic_inc(&emuhv_counters.illegal_runs);
            trace_emuhv_vp_illegal(vp->slot, old, event, vp->s->holds);
            return;
        }
        /* Its own thread may leave at this moment. */
        seen = qatomic_cmpxchg(&vp->run, old, to - 1);
    } while (seen != old);
}

bool emuhv_vp_executes(const EmuhvVp *vp)
{
    EmuhvRun run = qatomic_read(&vp->run);

    return run == EMUHV_RUN_RUNNING || run == EMUHV_RUN_STOPPING;
}

/* ---- Queued work ---- */

bool emuhv_vp_unqueue(EmuhvVp *vp, unsigned what)
{
    return qatomic_fetch_and(&vp->s->queued, ~(1u << what)) & (1u << what);
}

static void work(EmuhvVp *vp, unsigned what)
{
    if (emuhv_vp_unqueue(vp, what)) {
        emuhv_up.vp_work(vp, what);
    }
}

static void exit_work(CPUState *cs, run_on_cpu_data data)
{
    work(data.host_ptr, VP_WORK_EXIT);
}

static void idle_work(CPUState *cs, run_on_cpu_data data)
{
    work(data.host_ptr, VP_WORK_IDLE);
}

static void post_work(CPUState *cs, run_on_cpu_data data)
{
    work(data.host_ptr, VP_WORK_POST);
}

void emuhv_vp_queue(EmuhvVp *vp, unsigned what)
{
    static const run_on_cpu_func fn[] = {
        [VP_WORK_EXIT] = exit_work, [VP_WORK_IDLE] = idle_work,
        [VP_WORK_POST] = post_work,
    };

    if (!(qatomic_fetch_or(&vp->s->queued, 1u << what) & (1u << what))) {
        async_run_on_cpu(emuhv_vp_cs(vp), fn[what], RUN_ON_CPU_HOST_PTR(vp));
    }
}

void emuhv_vp_queue_idle(EmuhvVp *vp)
{
    if (vp->partition && vp->partition->cfg.root_scheduler) {
        emuhv_vp_queue(vp, VP_WORK_IDLE);
    }
}

/* ---- Stop ---- */

void emuhv_vp_park(EmuhvVp *vp)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (emuhv_vp_executes(vp)) {
        vp->s->guest_halted = cs->halted;
    }
    cs->halted = 1;
}

void emuhv_vp_exit(EmuhvVp *vp, EmuhvExitKind kind)
{
    CPUState *cs = emuhv_vp_cs(vp);
    CPUX86State *env = emuhv_vp_env(vp);

    /* TCG does not, if an atomic step ends here: the flags would be lost. */
    env->eflags = cpu_compute_eflags(env);
    emuhv_vp_park(vp);
    emuhv_vp_event(vp, RUN_EXIT);
    vp->s->exit_kind = kind;
    cs->exception_index = EXCP_HLT;
    emuhv_vp_queue(vp, VP_WORK_EXIT);
    cpu_loop_exit(cs);
}

void emuhv_vp_sync(EmuhvVp *vp, run_on_cpu_func fn, void *opaque)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (emuhv_vp_at_rest(vp)) {
        fn(cs, RUN_ON_CPU_HOST_PTR(opaque));
    } else {
        run_on_cpu(cs, fn, RUN_ON_CPU_HOST_PTR(opaque));
    }
}

/* ---- Go ---- */

void emuhv_vp_wake(EmuhvVp *vp)
{
    if (vp->run == EMUHV_RUN_IDLE) {
        emuhv_vp_event(vp, RUN_WAKE);
        emuhv_up.unblocked(vp);
    }
}

unsigned emuhv_vp_hold(uint32_t name)
{
    switch (name) {
    case HV_REGISTER_EXPLICIT_SUSPEND:
        return HOLD_EXPLICIT;
    case HV_REGISTER_INTERCEPT_SUSPEND:
        return HOLD_INTERCEPT;
    case HV_REGISTER_DISPATCH_SUSPEND:
        return HOLD_DISPATCH;
    default:
        return 0;
    }
}
