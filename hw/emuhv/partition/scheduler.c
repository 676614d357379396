/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: how the parent learns that a VP stopped.
 *
 * Core scheduler: the parent clears the suspend registers, the VP runs on a
 * thread of its own, and an intercept is announced by an OPAQUE_INTERCEPT
 * message on the CPU that let the VP run.
 *
 * Root scheduler: HvCallDispatchVp runs the VP.  The parent's CPU waits (as if
 * halted) on the hypercall instruction, so an interrupt of the parent is taken
 * there; the handler returns to the instruction, which then stops the VP and
 * answers READY without an event.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/core/cpu.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/emuhv.h"
#include "hw/emuhv/trace.h"

/* Offsets in HV_VP_SIGNAL_PAIR_SCHEDULER_MESSAGE */
#define PAIR_COUNT_OFFSET   4
#define PAIR_IDS_OFFSET     8
#define PAIR_VPS_OFFSET     (8 + 19 * 8)
#define PAIR_SIZE           240

static void signal_vp(EmuhvPartition *p, EmuhvVpInfo *vi)
{
    uint8_t payload[PAIR_SIZE] = {};

    vi->wait_signal = false;
    vi->signals++;
    emuhv.signals++;
    emuhv_stats_blocked(vi, false);
    payload[PAIR_COUNT_OFFSET] = 1;
    stq_le_p(payload + PAIR_IDS_OFFSET, p->id);
    stl_le_p(payload + PAIR_VPS_OFFSET, vi->vp->index);
    trace_emuhv_vp(p->id, vi->vp->index, "signal");
    emuhv_synic_post(vi->home, HVMSG_SCHEDULER_VP_SIGNAL_PAIR, 0, payload,
                     sizeof(payload));
}

/* The parent is told BLOCKED now and will wait for a signal. */
static void set_blocked(EmuhvVpInfo *vi)
{
    vi->wait_signal = true;
    emuhv_stats_blocked(vi, true);
}

/* ---- Dispatch ---- */

static void slot_free(EmuhvDispatchSlot *slot)
{
    EmuhvPartition *p = slot->partition;

    *slot = (EmuhvDispatchSlot) {};
    emuhv_partition_unref(p);
}

static bool slot_waits(EmuhvParentCpu *pc)
{
    return pc->dispatch.partition && CPU(pc->base.cpu)->halted &&
           pc->base.cpu->env.eip == pc->dispatch.rip;
}

/* On the parent CPU's own thread: end the wait, if it still waits. */
static void finish_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvParentCpu *pc = data.host_ptr;
    EmuhvDispatchSlot *slot = &pc->dispatch;
    uint16_t status = slot->status;

    if (!slot->done || !slot_waits(pc)) {
        return;
    }
    if (status == HV_STATUS_SUCCESS) {
        uint32_t out[2] = { cpu_to_le32(slot->state),
                            cpu_to_le32(slot->event) };

        emuhv_ram_write(slot->out_gpa, out, sizeof(out));
    }
    slot_free(slot);
    emuhv_stats_call(HVCALL_DISPATCH_VP, status);
    emuhv_hcall_complete(pc, status);
}

static void complete(EmuhvVpInfo *vi, uint16_t status, uint32_t state,
                     uint32_t event)
{
    EmuhvParentCpu *pc;

    if (!vi->dispatched_by) {
        return;
    }
    pc = emuhv.cpus[vi->dispatched_by - 1];
    vi->dispatched_by = 0;
    pc->dispatch.done = true;
    pc->dispatch.status = status;
    pc->dispatch.state = state;
    pc->dispatch.event = event;
    async_run_on_cpu(CPU(pc->base.cpu), finish_work, RUN_ON_CPU_HOST_PTR(pc));
}

/* Stop what this CPU dispatched; afterwards its slot is free. */
static void stop_dispatch(EmuhvParentCpu *pc, EmuhvDispatchSlot *result)
{
    EmuhvDispatchSlot *slot = &pc->dispatch;
    EmuhvVpInfo *vi = emuhv_partition_vp(slot->partition, slot->vp_index);

    if (!slot->done && vi && vi->dispatched_by == pc->index + 1) {
        emuhv_vp_undispatch(vi->vp);
        /* It may have stopped by itself, or have gone, meanwhile. */
        vi = emuhv_partition_vp(slot->partition, slot->vp_index);
        if (!slot->done && vi && vi->dispatched_by == pc->index + 1) {
            vi->dispatched_by = 0;
        }
    }
    if (!slot->done) {
        slot->status = HV_STATUS_SUCCESS;
        slot->state = HV_VP_DISPATCH_STATE_READY;
        slot->event = HV_VP_DISPATCH_EVENT_INVALID;
    }
    *result = *slot;
    slot_free(slot);
}

static uint16_t start_dispatch(EmuhvParentCpu *pc, EmuhvPartition *p,
                               EmuhvVpInfo *vi, uint32_t flags,
                               hwaddr out_gpa, EmuhvDispatchResult *res)
{
    bool clear = flags & HV_DISPATCH_VP_FLAG_CLEAR_INTERCEPT_SUSPEND;
    EmuhvDispatchSlot *slot = &pc->dispatch;

    vi->home = pc->index;
    vi->wait_signal = false;
    vi->dispatches++;
    emuhv.dispatches++;
    switch (emuhv_vp_dispatch(vi->vp, clear)) {
    case EMUHV_DISPATCH_RUNNING:
        vi->dispatched_by = pc->index + 1;
        slot->partition = emuhv_partition_ref(p);
        slot->vp_index = vi->vp->index;
        slot->rip = pc->base.cpu->env.eip;
        slot->done = false;
        slot->out_gpa = out_gpa;
        res->pending = true;
        break;
    case EMUHV_DISPATCH_SUSPENDED:
        res->state = HV_VP_DISPATCH_STATE_BLOCKED;
        res->event = HV_VP_DISPATCH_EVENT_SUSPEND;
        set_blocked(vi);
        break;
    case EMUHV_DISPATCH_INTERCEPT:
        res->state = HV_VP_DISPATCH_STATE_READY;
        res->event = HV_VP_DISPATCH_EVENT_INTERCEPT;
        break;
    case EMUHV_DISPATCH_IDLE:
        res->state = HV_VP_DISPATCH_STATE_BLOCKED;
        res->event = HV_VP_DISPATCH_EVENT_INVALID;
        set_blocked(vi);
        break;
    }
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_sched_dispatch(EmuhvParentCpu *pc, EmuhvPartition *p,
                              uint32_t vp_index, uint32_t flags,
                              hwaddr out_gpa, EmuhvDispatchResult *res)
{
    EmuhvDispatchSlot *slot = &pc->dispatch;
    EmuhvDispatchSlot old;
    EmuhvVpInfo *vi;

    if (slot->partition) {
        bool same = slot->partition == p && slot->vp_index == vp_index;

        stop_dispatch(pc, &old);
        if (same) {
            res->state = old.state;
            res->event = old.event;
            return old.status;
        }
    }
    if (emuhv.scheduler != EMUHV_SCHED_ROOT || p == emuhv.parent) {
        return HV_STATUS_OPERATION_DENIED;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    vi = emuhv_partition_vp(p, vp_index);
    if (!vi) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    if (vi->dispatched_by) {
        return HV_STATUS_INVALID_VP_STATE;
    }
    return start_dispatch(pc, p, vi, flags, out_gpa, res);
}

void emuhv_sched_vp_gone(EmuhvPartition *p, EmuhvVpInfo *vi)
{
    complete(vi, HV_STATUS_INVALID_VP_INDEX, 0, 0);
}

void emuhv_sched_reset(EmuhvParentCpu *pc)
{
    if (pc->dispatch.partition) {
        slot_free(&pc->dispatch);
    }
}

/* ---- Callbacks of the VP layer ---- */

void emuhv_vp_intercepted(EmuhvVp *vp, EmuhvExitKind kind,
                          const uint8_t msg[256])
{
    EmuhvVpInfo *vi = vp->owner;
    EmuhvPartition *p;
    uint8_t payload[8] = {};

    if (!vp->domain || !vi) {
        return;
    }
    p = vp->domain->cfg.owner;
    emuhv_stats_exit(kind);
    trace_emuhv_intercept(p->id, vp->index, ldl_le_p(msg), kind);
    if (emuhv.scheduler == EMUHV_SCHED_ROOT) {
        complete(vi, HV_STATUS_SUCCESS, HV_VP_DISPATCH_STATE_READY,
                 HV_VP_DISPATCH_EVENT_INTERCEPT);
    } else {
        stl_le_p(payload, vp->index);
        emuhv_synic_post(vi->home, HVMSG_OPAQUE_INTERCEPT, p->id, payload,
                         sizeof(payload));
    }
}

void emuhv_vp_blocked(EmuhvVp *vp)
{
    EmuhvVpInfo *vi = vp->owner;

    if (vi && vi->dispatched_by) {
        set_blocked(vi);
        complete(vi, HV_STATUS_SUCCESS, HV_VP_DISPATCH_STATE_BLOCKED,
                 HV_VP_DISPATCH_EVENT_INVALID);
    }
}

void emuhv_vp_unblocked(EmuhvVp *vp)
{
    EmuhvVpInfo *vi = vp->owner;

    if (vp->domain && vi && vi->wait_signal &&
        !emuhv_vp_dispatch_suspend(vp)) {
        signal_vp(vp->domain->cfg.owner, vi);
    }
}
