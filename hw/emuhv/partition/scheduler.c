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
#include "cpu.h"
#include "hw/emuhv/partition/partition-int.h"
#include "hw/emuhv/vp/vp.h"

/* Offsets in HV_VP_SIGNAL_PAIR_SCHEDULER_MESSAGE */
#define PAIR_COUNT_OFFSET   4
#define PAIR_IDS_OFFSET     8
#define PAIR_VPS_OFFSET     (8 + 19 * 8)
#define PAIR_SIZE           240

/* HvCallDispatchVp in progress on a parent CPU. */
typedef struct Slot {
    EmuhvPartition *partition;  /* a reference; NULL: slot free */
    uint32_t vp_index;
    uint64_t rip;               /* of the hypercall instruction */
    bool done;                  /* the fields below are valid */
    uint16_t status;
    uint32_t state, event;
    hwaddr out_gpa;
} Slot;

static Slot slots[EMUHV_MAX_PARENT_CPUS];

static void signal_vp(EmuhvVp *vp)
{
    EmuhvPartition *p = vp->partition;
    uint8_t payload[PAIR_SIZE] = {};

    vp->sched->wait_signal = false;
    vp->sched->signals++;
    emuhv_counters.signals++;
    emuhv_stats_blocked(vp, false);
    payload[PAIR_COUNT_OFFSET] = 1;
    stq_le_p(payload + PAIR_IDS_OFFSET, p->id);
    stl_le_p(payload + PAIR_VPS_OFFSET, vp->index);
    trace_emuhv_vp(p->id, vp->index, "signal");
    emuhv_parent_post(vp->sched->home, HVMSG_SCHEDULER_VP_SIGNAL_PAIR, 0,
                      payload, sizeof(payload));
}

/* The parent is told BLOCKED now and will wait for a signal. */
static void set_blocked(EmuhvVp *vp)
{
    vp->sched->wait_signal = true;
    emuhv_stats_blocked(vp, true);
}

/* ---- Dispatch ---- */

static void slot_free(Slot *slot)
{
    EmuhvPartition *p = slot->partition;

    *slot = (Slot) {};
    emuhv_partition_unref(p);
}

static bool slot_waits(EmuhvParentCpu *pc)
{
    const Slot *slot = &slots[pc->index];

    return slot->partition && CPU(pc->base.cpu)->halted &&
           pc->base.cpu->env.eip == slot->rip;
}

/* On the parent CPU's own thread: end the wait, if it still waits. */
static void finish_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvParentCpu *pc = data.host_ptr;
    Slot *slot = &slots[pc->index];
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
    emuhv_count_call(HVCALL_DISPATCH_VP, status);
    emuhv_parent_answer(pc, status);
}

static void complete(EmuhvVp *vp, uint16_t status, uint32_t state,
                     uint32_t event)
{
    EmuhvParentCpu *pc;
    Slot *slot;

    if (!vp->sched->dispatched_by) {
        return;
    }
    pc = emuhv_parent.cpus[vp->sched->dispatched_by - 1];
    vp->sched->dispatched_by = 0;
    slot = &slots[pc->index];
    slot->done = true;
    slot->status = status;
    slot->state = state;
    slot->event = event;
    async_run_on_cpu(CPU(pc->base.cpu), finish_work, RUN_ON_CPU_HOST_PTR(pc));
}

/* Stop what this CPU dispatched; afterwards its slot is free. */
static void stop_dispatch(EmuhvParentCpu *pc, Slot *result)
{
    Slot *slot = &slots[pc->index];
    EmuhvVp *vp = emuhv_partition_vp(slot->partition, slot->vp_index);

    if (!slot->done && vp && vp->sched->dispatched_by == pc->index + 1) {
        emuhv_vp_undispatch(vp);
        /* It may have stopped by itself, or have gone, meanwhile. */
        vp = emuhv_partition_vp(slot->partition, slot->vp_index);
        if (!slot->done && vp && vp->sched->dispatched_by == pc->index + 1) {
            vp->sched->dispatched_by = 0;
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
                               EmuhvVp *vp, uint32_t flags,
                               hwaddr out_gpa, EmuhvDispatchResult *res)
{
    bool clear = flags & HV_DISPATCH_VP_FLAG_CLEAR_INTERCEPT_SUSPEND;
    Slot *slot = &slots[pc->index];

    vp->sched->home = pc->index;
    vp->sched->wait_signal = false;
    vp->sched->dispatches++;
    emuhv_counters.dispatches++;
    if (emuhv_options.dispatch_interrupts &&
        (flags & HV_DISPATCH_VP_FLAG_SCAN_INTERRUPT_INJECTION)) {
        emuhv_vp_scan_interrupts(vp);
    }
    switch (emuhv_vp_dispatch(vp, clear)) {
    case EMUHV_DISPATCH_RUNNING:
        vp->sched->dispatched_by = pc->index + 1;
        slot->partition = emuhv_partition_ref(p);
        slot->vp_index = vp->index;
        slot->rip = pc->base.cpu->env.eip;
        slot->done = false;
        slot->out_gpa = out_gpa;
        res->pending = true;
        break;
    case EMUHV_DISPATCH_SUSPENDED:
        res->state = HV_VP_DISPATCH_STATE_BLOCKED;
        res->event = HV_VP_DISPATCH_EVENT_SUSPEND;
        set_blocked(vp);
        break;
    case EMUHV_DISPATCH_INTERCEPT:
        res->state = HV_VP_DISPATCH_STATE_READY;
        res->event = HV_VP_DISPATCH_EVENT_INTERCEPT;
        break;
    case EMUHV_DISPATCH_IDLE:
        res->state = HV_VP_DISPATCH_STATE_BLOCKED;
        res->event = HV_VP_DISPATCH_EVENT_INVALID;
        set_blocked(vp);
        break;
    }
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_sched_dispatch(EmuhvParentCpu *pc, EmuhvPartition *p,
                              uint32_t vp_index, uint32_t flags,
                              hwaddr out_gpa, EmuhvDispatchResult *res)
{
    Slot *slot = &slots[pc->index];
    Slot old;
    EmuhvVp *vp;

    if (slot->partition) {
        bool same = slot->partition == p && slot->vp_index == vp_index;

        stop_dispatch(pc, &old);
        if (same) {
            res->state = old.state;
            res->event = old.event;
            return old.status;
        }
    }
    if (emuhv_options.scheduler != EMUHV_SCHED_ROOT) {
        return HV_STATUS_OPERATION_DENIED;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    vp = emuhv_partition_vp(p, vp_index);
    if (!vp) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    if (vp->sched->dispatched_by) {
        return HV_STATUS_INVALID_VP_STATE;
    }
    return start_dispatch(pc, p, vp, flags, out_gpa, res);
}

void emuhv_sched_vp_gone(EmuhvVp *vp)
{
    complete(vp, HV_STATUS_INVALID_VP_INDEX, 0, 0);
}

void emuhv_sched_reset(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
        if (slots[i].partition) {
            slot_free(&slots[i]);
        }
    }
}

/* ---- What vp/ tells ---- */

void emuhv_sched_intercepted(EmuhvVp *vp, EmuhvExitKind kind, uint32_t type)
{
    EmuhvPartition *p = vp->partition;
    uint8_t payload[8] = {};

    if (!vp->sched) {
        return;
    }
    emuhv_counters.exits[kind]++;
    trace_emuhv_intercept(p->id, vp->index, type, kind);
    if (emuhv_options.scheduler == EMUHV_SCHED_ROOT) {
        complete(vp, HV_STATUS_SUCCESS, HV_VP_DISPATCH_STATE_READY,
                 HV_VP_DISPATCH_EVENT_INTERCEPT);
    } else {
        stl_le_p(payload, vp->index);
        emuhv_parent_post(vp->sched->home, HVMSG_OPAQUE_INTERCEPT, p->id,
                          payload, sizeof(payload));
    }
}

void emuhv_sched_blocked(EmuhvVp *vp)
{
    if (vp->sched && vp->sched->dispatched_by) {
        set_blocked(vp);
        complete(vp, HV_STATUS_SUCCESS, HV_VP_DISPATCH_STATE_BLOCKED,
                 HV_VP_DISPATCH_EVENT_INVALID);
    }
}

void emuhv_sched_unblocked(EmuhvVp *vp)
{
    if (vp->sched && vp->sched->wait_signal &&
        !emuhv_vp_dispatch_suspended(vp)) {
        signal_vp(vp);
    }
}
