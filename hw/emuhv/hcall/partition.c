/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: hypercalls about partitions as a whole.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/emuhv/hcall/hcall-int.h"

/*
 * { u64 flags; u64 proximity; u32 compat; u32; u64 disabled_features[2];
 *   u64 disabled_xsave; u64 isolation } -> { u64 id }
 */
static uint16_t create_partition(EmuhvHcall *c)
{
    EmuhvCreateArgs args = {
        .flags = hcall_u64(c, 0),
        .compat = hcall_u32(c, 16),
        .disabled_features = { hcall_u64(c, 24), hcall_u64(c, 32) },
        .disabled_xsave = hcall_u64(c, 40),
        .isolation = hcall_u64(c, 48),
    };
    uint64_t id;
    uint16_t status = emuhv_partition_create(&args, &id);

    if (status == HV_STATUS_SUCCESS) {
        stq_le_p(c->out, id);
    }
    return status;
}

/* { u64 id } */
static uint16_t initialize_partition(EmuhvHcall *c)
{
    return emuhv_partition_initialize(c->p);
}

/* { u64 id } */
static uint16_t finalize_partition(EmuhvHcall *c)
{
    return emuhv_partition_finalize(c->p);
}

/* { u64 id } */
static uint16_t delete_partition(EmuhvHcall *c)
{
    return emuhv_partition_delete(c->p);
}

/* { u64 id; u32 code; u32 } -> { u64 } */
static uint16_t get_property(EmuhvHcall *c)
{
    uint64_t val;
    uint16_t status = emuhv_property_get(c->p, hcall_u32(c, 8), &val);

    if (status == HV_STATUS_SUCCESS) {
        stq_le_p(c->out, val);
    }
    return status;
}

/* ---- A call that is completed by a message ---- */

#define PENDING_MS 1

typedef struct Pending {
    QEMUTimer *timer;
    uint64_t partition;
    uint32_t cpu;               /* of the parent */
    uint16_t status;
} Pending;

static void complete(void *opaque)
{
    Pending *pending = opaque;
    EmuhvPartition *p = emuhv_partition_get(pending->partition);
    uint8_t payload[24] = { };

    if (p) {
        stq_le_p(payload, p->id);
        stl_le_p(payload + 8, pending->status);
        stl_le_p(payload + 12, 1);
        emuhv_parent_post(pending->cpu, HVMSG_ASYNC_CALL_COMPLETION, p->id,
                          payload, sizeof(payload));
        emuhv_partition_unref(p);
    }
    timer_free(pending->timer);
    g_free(pending);
}

static uint16_t complete_later(EmuhvHcall *c, uint16_t status)
{
    Pending *pending = g_new(Pending, 1);

    *pending = (Pending) {
        .timer = timer_new_ms(QEMU_CLOCK_REALTIME, complete, pending),
        .partition = c->p->id,
        .cpu = c->pc->index,
        .status = status,
    };
    timer_mod(pending->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                              PENDING_MS);
    return HV_STATUS_CALL_PENDING;
}

/* { u64 id; u32 code; u32; u64 value } */
static uint16_t set_property(EmuhvHcall *c)
{
    uint16_t status = emuhv_property_set(c->p, hcall_u32(c, 8),
                                         hcall_u64(c, 16));

    return emuhv_answers(EMUHV_PENDING_CALLS) ? complete_later(c, status)
                                              : status;
}

/* { u64 id; u32 code; u32; u64 arg } -> up to 4072 bytes */
static uint16_t get_property_ex(EmuhvHcall *c)
{
    return emuhv_property_get_ex(c->p, hcall_u32(c, 8), c->out, &c->out_len);
}

/* -> { u64 } */
static uint16_t get_partition_id(EmuhvHcall *c)
{
    stq_le_p(c->out, emuhv_partitions.parent->id);
    return HV_STATUS_SUCCESS;
}

/* Calls of a root partition are known, but not emulated. */
static uint16_t root_only(EmuhvHcall *c)
{
    return HV_STATUS_INVALID_HYPERCALL_CODE;
}

/* A hint; there is nothing to do */
static uint16_t notify_long_spin_wait(EmuhvHcall *c)
{
    return HV_STATUS_SUCCESS;
}

/* No host of this emulator offers the parent a VMBus connection */
static uint16_t no_connection(EmuhvHcall *c)
{
    return HV_STATUS_INVALID_CONNECTION_ID;
}

const EmuhvHcallDef emuhv_hcalls_partition[] = {
    { HVCALL_CREATE_PARTITION, HCALL_MEMORY, 56, 8, 0, 0,
      "CREATE_PARTITION", create_partition, HV_CREATE_PARTITIONS },
    { HVCALL_INITIALIZE_PARTITION, HCALL_CHILD | HCALL_MEMORY, 8, 0, 0, 0,
      "INITIALIZE_PARTITION", initialize_partition },
    { HVCALL_FINALIZE_PARTITION, HCALL_CHILD, 8, 0, 0, 0,
      "FINALIZE_PARTITION", finalize_partition },
    { HVCALL_DELETE_PARTITION, HCALL_CHILD, 8, 0, 0, 0,
      "DELETE_PARTITION", delete_partition },
    { HVCALL_GET_PARTITION_PROPERTY, HCALL_PARTITION, 16, 8, 0, 0,
      "GET_PARTITION_PROPERTY", get_property },
    { HVCALL_SET_PARTITION_PROPERTY, HCALL_CHILD | HCALL_MEMORY, 24, 0, 0, 0,
      "SET_PARTITION_PROPERTY", set_property },
    { HVCALL_GET_PARTITION_PROPERTY_EX, HCALL_PARTITION, 24, 4072, 0, 0,
      "GET_PARTITION_PROPERTY_EX", get_property_ex },
    { HVCALL_GET_PARTITION_ID, 0, 0, 8, 0, 0,
      "GET_PARTITION_ID", get_partition_id, HV_ACCESS_PARTITION_ID },
    { HVCALL_NOTIFY_LONG_SPIN_WAIT, 0, 8, 0, 0, 0,
      "NOTIFY_LONG_SPIN_WAIT", notify_long_spin_wait },
    { HVCALL_POST_MESSAGE, 0, 16, 0, 0, 0,
      "POST_MESSAGE", no_connection, HV_POST_MESSAGES },
    { HVCALL_SIGNAL_EVENT, 0, 8, 0, 0, 0,
      "SIGNAL_EVENT", no_connection, HV_SIGNAL_EVENTS },
    { HVCALL_GET_SYSTEM_PROPERTY, 0, 16, 8, 0, 0,
      "GET_SYSTEM_PROPERTY", root_only, HV_CPU_MANAGEMENT },
    { HVCALL_SET_SYSTEM_PROPERTY, 0, 72, 0, 0, 0,
      "SET_SYSTEM_PROPERTY", root_only, HV_CPU_MANAGEMENT },
    { HVCALL_ADD_LOGICAL_PROCESSOR, 0, 16, 56, 0, 0,
      "ADD_LOGICAL_PROCESSOR", root_only, HV_CPU_MANAGEMENT },
    { HVCALL_ENTER_SLEEP_STATE, 0, 4, 0, 0, 0,
      "ENTER_SLEEP_STATE", root_only, HV_CPU_MANAGEMENT },
    { HVCALL_NOTIFY_PARTITION_EVENT, 0, 8, 0, 0, 0,
      "NOTIFY_PARTITION_EVENT", root_only, HV_CPU_MANAGEMENT },
    {}
};
