/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: run control of VPs, the part that all need.
 *
 * How a VP stops: inside cpu_exec it sets "parked", queues work on itself and
 * leaves cpu_exec; the work runs with the BQL, sets "stopped" and reports.
 * Others stop it by run_on_cpu().  While it is "stopped", whoever has the BQL
 * may touch the state of the CPU.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/vp/vp-int.h"

/* ---- Queued work ---- */

static void work(EmuhvVp *vp, unsigned what)
{
    if (qatomic_fetch_and(&vp->s->queued, ~(1u << what)) & (1u << what)) {
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

    if (!vp->s->parked) {
        vp->s->guest_halted = cs->halted;
        qatomic_set(&vp->s->parked, true);
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
    vp->s->exit_kind = kind;
    cs->exception_index = EXCP_HLT;
    emuhv_vp_queue(vp, VP_WORK_EXIT);
    cpu_loop_exit(cs);
}

void emuhv_vp_sync(EmuhvVp *vp, run_on_cpu_func fn, void *opaque)
{
    CPUState *cs = emuhv_vp_cs(vp);

    if (vp->stopped) {
        fn(cs, RUN_ON_CPU_HOST_PTR(opaque));
    } else {
        run_on_cpu(cs, fn, RUN_ON_CPU_HOST_PTR(opaque));
    }
}

/* ---- Go ---- */

void emuhv_vp_wake(EmuhvVp *vp)
{
    if (vp->s->idle) {
        vp->s->idle = false;
        emuhv_up.unblocked(vp);
    }
}

bool *emuhv_vp_suspend_bit(EmuhvVp *vp, uint32_t name)
{
    switch (name) {
    case HV_REGISTER_EXPLICIT_SUSPEND:
        return &vp->s->explicit_suspend;
    case HV_REGISTER_INTERCEPT_SUSPEND:
        return &vp->s->intercept_suspend;
    case HV_REGISTER_DISPATCH_SUSPEND:
        return &vp->s->dispatch_suspend;
    default:
        return NULL;
    }
}
