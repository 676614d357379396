/*
 * Hypervisor ABI: input and output of hypercalls that assert interrupts, make
 * ports and send messages.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_CALLS_SYNIC_H
#define MSHV_HVABI_CALLS_SYNIC_H

#include "mshv/hvabi-base.h"
#include "mshv/hvabi-calls-partition.h"
#include "mshv/hvabi-msgs.h"

/* CLEAR_VIRTUAL_INTERRUPT, fast */
struct hv_input_clear_virtual_interrupt {
    uint64_t partition_id;
};
HV_ASSERT_SIZE(struct hv_input_clear_virtual_interrupt, 8);
HV_ASSERT_AT(struct hv_input_clear_virtual_interrupt, partition_id, 0);

/* ASSERT_VIRTUAL_INTERRUPT */
enum hv_interrupt_type {
    HV_X64_INTERRUPT_TYPE_FIXED = 0,
    HV_X64_INTERRUPT_TYPE_LOWESTPRIORITY = 1,
    HV_X64_INTERRUPT_TYPE_SMI = 2,
    HV_X64_INTERRUPT_TYPE_REMOTEREAD = 3,
    HV_X64_INTERRUPT_TYPE_NMI = 4,
    HV_X64_INTERRUPT_TYPE_INIT = 5,
    HV_X64_INTERRUPT_TYPE_SIPI = 6,
    HV_X64_INTERRUPT_TYPE_EXTINT = 7,
    HV_X64_INTERRUPT_TYPE_LOCALINT0 = 8,
    HV_X64_INTERRUPT_TYPE_LOCALINT1 = 9,
    HV_X64_INTERRUPT_TYPE_MAXIMUM = 10,
};

union hv_interrupt_control {
    uint64_t as_uint64;
    struct {
        uint32_t interrupt_type;        /* enum hv_interrupt_type */
        uint32_t level_triggered:1;
        uint32_t logical_dest_mode:1;
        uint32_t rsvd:30;
    };
};
HV_ASSERT_SIZE(union hv_interrupt_control, 8);
HV_ASSERT_AT(union hv_interrupt_control, as_uint64, 0);
HV_ASSERT_AT(union hv_interrupt_control, interrupt_type, 0);

struct hv_input_assert_virtual_interrupt {
    uint64_t partition_id;
    union hv_interrupt_control control;
    uint64_t dest_addr;                 /* APIC id, or logical destination */
    uint32_t vector;
    uint8_t target_vtl;
    uint8_t rsvd_z0;
    uint16_t rsvd_z1;
};
HV_ASSERT_SIZE(struct hv_input_assert_virtual_interrupt, 32);
HV_ASSERT_AT(struct hv_input_assert_virtual_interrupt, partition_id, 0);
HV_ASSERT_AT(struct hv_input_assert_virtual_interrupt, control, 8);
HV_ASSERT_AT(struct hv_input_assert_virtual_interrupt, dest_addr, 16);
HV_ASSERT_AT(struct hv_input_assert_virtual_interrupt, vector, 24);
HV_ASSERT_AT(struct hv_input_assert_virtual_interrupt, target_vtl, 28);
HV_ASSERT_AT(struct hv_input_assert_virtual_interrupt, rsvd_z0, 29);
HV_ASSERT_AT(struct hv_input_assert_virtual_interrupt, rsvd_z1, 30);

/* CREATE_PORT */
enum hv_port_type {
    HV_PORT_TYPE_MESSAGE = 1,
    HV_PORT_TYPE_EVENT = 2,
    HV_PORT_TYPE_MONITOR = 3,
    HV_PORT_TYPE_DOORBELL = 4,
};

struct hv_port_info {
    uint32_t port_type;                 /* enum hv_port_type */
    uint32_t padding;
    union {
        struct {
            uint32_t target_sint;
            uint32_t target_vp;
            uint64_t rsvdz;
        } message_port_info;
        struct {
            uint32_t target_sint;
            uint32_t target_vp;
            uint16_t base_flag_number;
            uint16_t flag_count;
            uint32_t rsvdz;
        } event_port_info;
        struct {
            uint64_t monitor_address;
            uint64_t rsvdz;
        } monitor_port_info;
        struct {
            uint32_t target_sint;
            uint32_t target_vp;
            uint64_t rsvdz;
        } doorbell_port_info;
    };
};
HV_ASSERT_SIZE(struct hv_port_info, 24);
HV_ASSERT_AT(struct hv_port_info, port_type, 0);
HV_ASSERT_AT(struct hv_port_info, padding, 4);
HV_ASSERT_AT(struct hv_port_info, message_port_info, 8);
HV_ASSERT_AT(struct hv_port_info, message_port_info.target_sint, 8);
HV_ASSERT_AT(struct hv_port_info, message_port_info.target_vp, 12);
HV_ASSERT_AT(struct hv_port_info, message_port_info.rsvdz, 16);
HV_ASSERT_AT(struct hv_port_info, event_port_info, 8);
HV_ASSERT_AT(struct hv_port_info, event_port_info.target_sint, 8);
HV_ASSERT_AT(struct hv_port_info, event_port_info.target_vp, 12);
HV_ASSERT_AT(struct hv_port_info, event_port_info.base_flag_number, 16);
HV_ASSERT_AT(struct hv_port_info, event_port_info.flag_count, 18);
HV_ASSERT_AT(struct hv_port_info, event_port_info.rsvdz, 20);
HV_ASSERT_AT(struct hv_port_info, monitor_port_info, 8);
HV_ASSERT_AT(struct hv_port_info, monitor_port_info.monitor_address, 8);
HV_ASSERT_AT(struct hv_port_info, monitor_port_info.rsvdz, 16);
HV_ASSERT_AT(struct hv_port_info, doorbell_port_info, 8);
HV_ASSERT_AT(struct hv_port_info, doorbell_port_info.target_sint, 8);
HV_ASSERT_AT(struct hv_port_info, doorbell_port_info.target_vp, 12);
HV_ASSERT_AT(struct hv_port_info, doorbell_port_info.rsvdz, 16);

struct hv_input_create_port {
    uint64_t port_partition_id;
    union hv_port_id port_id;
    uint8_t port_vtl;
    uint8_t min_connection_vtl;
    uint16_t padding;
    uint64_t connection_partition_id;
    struct hv_port_info port_info;
    struct hv_proximity_domain_info proximity_domain_info;
};
HV_ASSERT_SIZE(struct hv_input_create_port, 56);
HV_ASSERT_AT(struct hv_input_create_port, port_partition_id, 0);
HV_ASSERT_AT(struct hv_input_create_port, port_id, 8);
HV_ASSERT_AT(struct hv_input_create_port, port_vtl, 12);
HV_ASSERT_AT(struct hv_input_create_port, min_connection_vtl, 13);
HV_ASSERT_AT(struct hv_input_create_port, padding, 14);
HV_ASSERT_AT(struct hv_input_create_port, connection_partition_id, 16);
HV_ASSERT_AT(struct hv_input_create_port, port_info, 24);
HV_ASSERT_AT(struct hv_input_create_port, proximity_domain_info, 48);

/* DELETE_PORT, fast */
union hv_input_delete_port {
    uint64_t as_uint64[2];
    struct {
        uint64_t port_partition_id;
        union hv_port_id port_id;
        uint32_t reserved;
    };
};
HV_ASSERT_SIZE(union hv_input_delete_port, 16);
HV_ASSERT_AT(union hv_input_delete_port, as_uint64, 0);
HV_ASSERT_AT(union hv_input_delete_port, port_partition_id, 0);
HV_ASSERT_AT(union hv_input_delete_port, port_id, 8);
HV_ASSERT_AT(union hv_input_delete_port, reserved, 12);

/* CONNECT_PORT */
#define HV_DOORBELL_FLAG_TRIGGER_SIZE_MASK      0x00000007
#define HV_DOORBELL_FLAG_TRIGGER_SIZE_ANY       0x00000000
#define HV_DOORBELL_FLAG_TRIGGER_SIZE_BYTE      0x00000001
#define HV_DOORBELL_FLAG_TRIGGER_SIZE_WORD      0x00000002
#define HV_DOORBELL_FLAG_TRIGGER_SIZE_DWORD     0x00000003
#define HV_DOORBELL_FLAG_TRIGGER_SIZE_QWORD     0x00000004
#define HV_DOORBELL_FLAG_TRIGGER_ANY_VALUE      0x80000000

union hv_connection_id {
    uint32_t asu32;
    struct {
        uint32_t id:24;
        uint32_t reserved:8;
    } u;
};
HV_ASSERT_SIZE(union hv_connection_id, 4);
HV_ASSERT_AT(union hv_connection_id, asu32, 0);
HV_ASSERT_AT(union hv_connection_id, u, 0);

struct hv_connection_info {
    uint32_t port_type;                 /* enum hv_port_type */
    uint32_t padding;
    union {
        struct {
            uint64_t rsvdz;
        } message_connection_info;
        struct {
            uint64_t rsvdz;
        } event_connection_info;
        struct {
            uint64_t monitor_address;
        } monitor_connection_info;
        struct {
            uint64_t gpa;
            uint64_t trigger_value;
            uint64_t flags;             /* HV_DOORBELL_FLAG_* */
        } doorbell_connection_info;
    };
};
HV_ASSERT_SIZE(struct hv_connection_info, 32);
HV_ASSERT_AT(struct hv_connection_info, port_type, 0);
HV_ASSERT_AT(struct hv_connection_info, padding, 4);
HV_ASSERT_AT(struct hv_connection_info, message_connection_info, 8);
HV_ASSERT_AT(struct hv_connection_info, message_connection_info.rsvdz, 8);
HV_ASSERT_AT(struct hv_connection_info, event_connection_info, 8);
HV_ASSERT_AT(struct hv_connection_info, event_connection_info.rsvdz, 8);
HV_ASSERT_AT(struct hv_connection_info, monitor_connection_info, 8);
HV_ASSERT_AT(struct hv_connection_info,
             monitor_connection_info.monitor_address, 8);
HV_ASSERT_AT(struct hv_connection_info, doorbell_connection_info, 8);
HV_ASSERT_AT(struct hv_connection_info, doorbell_connection_info.gpa, 8);
HV_ASSERT_AT(struct hv_connection_info,
             doorbell_connection_info.trigger_value, 16);
HV_ASSERT_AT(struct hv_connection_info, doorbell_connection_info.flags, 24);

struct hv_input_connect_port {
    uint64_t connection_partition_id;
    union hv_connection_id connection_id;
    uint8_t connection_vtl;
    uint8_t rsvdz0;
    uint16_t rsvdz1;
    uint64_t port_partition_id;
    union hv_port_id port_id;
    uint32_t reserved2;
    struct hv_connection_info connection_info;
    struct hv_proximity_domain_info proximity_domain_info;
};
HV_ASSERT_SIZE(struct hv_input_connect_port, 72);
HV_ASSERT_AT(struct hv_input_connect_port, connection_partition_id, 0);
HV_ASSERT_AT(struct hv_input_connect_port, connection_id, 8);
HV_ASSERT_AT(struct hv_input_connect_port, connection_vtl, 12);
HV_ASSERT_AT(struct hv_input_connect_port, rsvdz0, 13);
HV_ASSERT_AT(struct hv_input_connect_port, rsvdz1, 14);
HV_ASSERT_AT(struct hv_input_connect_port, port_partition_id, 16);
HV_ASSERT_AT(struct hv_input_connect_port, port_id, 24);
HV_ASSERT_AT(struct hv_input_connect_port, reserved2, 28);
HV_ASSERT_AT(struct hv_input_connect_port, connection_info, 32);
HV_ASSERT_AT(struct hv_input_connect_port, proximity_domain_info, 64);

/* DISCONNECT_PORT, fast */
union hv_input_disconnect_port {
    uint64_t as_uint64[2];
    struct {
        uint64_t connection_partition_id;
        union hv_connection_id connection_id;
        uint32_t is_doorbell:1;
        uint32_t reserved:31;
    };
};
HV_ASSERT_SIZE(union hv_input_disconnect_port, 16);
HV_ASSERT_AT(union hv_input_disconnect_port, as_uint64, 0);
HV_ASSERT_AT(union hv_input_disconnect_port, connection_partition_id, 0);
HV_ASSERT_AT(union hv_input_disconnect_port, connection_id, 8);

/* NOTIFY_PORT_RING_EMPTY, fast: ring of the calling VP */
union hv_input_notify_port_ring_empty {
    uint64_t as_uint64;
    struct {
        uint32_t sint_index;
        uint32_t reserved;
    };
};
HV_ASSERT_SIZE(union hv_input_notify_port_ring_empty, 8);
HV_ASSERT_AT(union hv_input_notify_port_ring_empty, as_uint64, 0);
HV_ASSERT_AT(union hv_input_notify_port_ring_empty, sint_index, 0);
HV_ASSERT_AT(union hv_input_notify_port_ring_empty, reserved, 4);

/* SIGNAL_EVENT_DIRECT */
struct hv_input_signal_event_direct {
    uint64_t target_partition;
    uint32_t target_vp;
    uint8_t target_vtl;
    uint8_t target_sint;
    uint16_t flag_number;
};
HV_ASSERT_SIZE(struct hv_input_signal_event_direct, 16);
HV_ASSERT_AT(struct hv_input_signal_event_direct, target_partition, 0);
HV_ASSERT_AT(struct hv_input_signal_event_direct, target_vp, 8);
HV_ASSERT_AT(struct hv_input_signal_event_direct, target_vtl, 12);
HV_ASSERT_AT(struct hv_input_signal_event_direct, target_sint, 13);
HV_ASSERT_AT(struct hv_input_signal_event_direct, flag_number, 14);

struct hv_output_signal_event_direct {
    uint8_t newly_signaled;
    uint8_t reserved[7];
};
HV_ASSERT_SIZE(struct hv_output_signal_event_direct, 8);
HV_ASSERT_AT(struct hv_output_signal_event_direct, newly_signaled, 0);
HV_ASSERT_AT(struct hv_output_signal_event_direct, reserved, 1);

/* POST_MESSAGE_DIRECT */
struct hv_input_post_message_direct {
    uint64_t partition_id;
    uint32_t vp_index;
    uint8_t vtl;
    uint8_t padding[3];
    uint32_t sint_index;
    uint8_t message[HV_MESSAGE_SIZE];   /* struct hv_message, not aligned */
    uint32_t padding2;
};
HV_ASSERT_SIZE(struct hv_input_post_message_direct, 280);
HV_ASSERT_AT(struct hv_input_post_message_direct, partition_id, 0);
HV_ASSERT_AT(struct hv_input_post_message_direct, vp_index, 8);
HV_ASSERT_AT(struct hv_input_post_message_direct, vtl, 12);
HV_ASSERT_AT(struct hv_input_post_message_direct, padding, 13);
HV_ASSERT_AT(struct hv_input_post_message_direct, sint_index, 16);
HV_ASSERT_AT(struct hv_input_post_message_direct, message, 20);
HV_ASSERT_AT(struct hv_input_post_message_direct, padding2, 276);

#endif
