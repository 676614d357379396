/*
 * Hypervisor ABI: messages, and the SynIC pages that carry them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_MSGS_H
#define MSHV_HVABI_MSGS_H

#include "mshv/hvabi-base.h"
#include "mshv/hvabi-msr.h"
#include "mshv/hvabi-regvals.h"

#define HV_MESSAGE_SIZE                         256
#define HV_MESSAGE_PAYLOAD_BYTE_COUNT           240
#define HV_MESSAGE_PAYLOAD_QWORD_COUNT          30

#define HVMSG_NONE                              0x00000000u

/* Intercepts; payload begins with struct hv_x64_intercept_message_header */
#define HVMSG_UNMAPPED_GPA                      0x80000000u
#define HVMSG_GPA_INTERCEPT                     0x80000001u
#define HVMSG_UNRECOVERABLE_EXCEPTION           0x80000021u
#define HVMSG_HYPERCALL_INTERCEPT               0x80000050u
#define HVMSG_SYNIC_SINT_DELIVERABLE            0x80000062u
#define HVMSG_X64_IO_PORT_INTERCEPT             0x80010000u
#define HVMSG_X64_MSR_INTERCEPT                 0x80010001u
#define HVMSG_X64_CPUID_INTERCEPT               0x80010002u
#define HVMSG_X64_EXCEPTION_INTERCEPT           0x80010003u
#define HVMSG_X64_HALT                          0x80010007u
#define HVMSG_X64_INTERRUPTION_DELIVERABLE      0x80010008u
#define HVMSG_X64_SIPI_INTERCEPT                0x80010009u
#define HVMSG_X64_APIC_SMI_INTERCEPT            0x8001000Bu
#define HVMSG_X64_APIC_INIT_SIPI_INTERCEPT      0x8001000Du

/* Exits and notifications with a payload of their own */
#define HVMSG_TIMER_EXPIRED                     0x80000010u
#define HVMSG_INVALID_VP_REGISTER_VALUE         0x80000020u
#define HVMSG_UNSUPPORTED_FEATURE               0x80000022u
#define HVMSG_OPAQUE_INTERCEPT                  0x8000003Fu
#define HVMSG_EVENTLOG_BUFFERCOMPLETE           0x80000040u
#define HVMSG_SYNIC_EVENT_INTERCEPT             0x80000060u
#define HVMSG_SYNIC_SINT_INTERCEPT              0x80000061u
#define HVMSG_ASYNC_CALL_COMPLETION             0x80000070u
#define HVMSG_SCHEDULER_VP_SIGNAL_BITSET        0x80000100u
#define HVMSG_SCHEDULER_VP_SIGNAL_PAIR          0x80000101u
#define HVMSG_X64_APIC_EOI                      0x80010004u
#define HVMSG_X64_LEGACY_FP_ERROR               0x80010005u
#define HVMSG_X64_IOMMU_PRQ                     0x80010006u

union hv_port_id {
    uint32_t asu32;
    struct {
        uint32_t id:24;
        uint32_t reserved:8;
    } u;
};
HV_ASSERT_SIZE(union hv_port_id, 4);
HV_ASSERT_AT(union hv_port_id, asu32, 0);
HV_ASSERT_AT(union hv_port_id, u, 0);

union hv_message_flags {
    uint8_t asu8;
    struct {
        uint8_t msg_pending:1;
        uint8_t reserved:7;
    };
};
HV_ASSERT_SIZE(union hv_message_flags, 1);
HV_ASSERT_AT(union hv_message_flags, asu8, 0);

struct hv_message_header {
    uint32_t message_type;
    uint8_t payload_size;
    union hv_message_flags message_flags;
    uint8_t reserved[2];
    union {
        uint64_t sender;                /* partition id */
        union hv_port_id port;
    };
};
HV_ASSERT_SIZE(struct hv_message_header, 16);
HV_ASSERT_AT(struct hv_message_header, message_type, 0);
HV_ASSERT_AT(struct hv_message_header, payload_size, 4);
HV_ASSERT_AT(struct hv_message_header, message_flags, 5);
HV_ASSERT_AT(struct hv_message_header, reserved, 6);
HV_ASSERT_AT(struct hv_message_header, sender, 8);
HV_ASSERT_AT(struct hv_message_header, port, 8);

struct hv_message {
    struct hv_message_header header;
    union {
        uint64_t payload[HV_MESSAGE_PAYLOAD_QWORD_COUNT];
    } u;
};
HV_ASSERT_SIZE(struct hv_message, 256);
HV_ASSERT_AT(struct hv_message, header, 0);
HV_ASSERT_AT(struct hv_message, u, 16);
HV_ASSERT_AT(struct hv_message, u.payload, 16);

/* Page behind SIMP */
struct hv_message_page {
    struct hv_message sint_message[HV_SYNIC_SINT_COUNT];
};
HV_ASSERT_SIZE(struct hv_message_page, 4096);
HV_ASSERT_AT(struct hv_message_page, sint_message, 0);

/* Page behind SIEFP */
#define HV_EVENT_FLAGS_COUNT                    (256 * 8)
#define HV_EVENT_FLAGS_BYTE_COUNT               256

union hv_synic_event_flags {
    uint8_t flags8[HV_EVENT_FLAGS_BYTE_COUNT];
    uint32_t flags32[HV_EVENT_FLAGS_BYTE_COUNT / sizeof(uint32_t)];
};
HV_ASSERT_SIZE(union hv_synic_event_flags, 256);
HV_ASSERT_AT(union hv_synic_event_flags, flags8, 0);
HV_ASSERT_AT(union hv_synic_event_flags, flags32, 0);

struct hv_synic_event_flags_page {
    union hv_synic_event_flags event_flags[HV_SYNIC_SINT_COUNT];
};
HV_ASSERT_SIZE(struct hv_synic_event_flags_page, 4096);
HV_ASSERT_AT(struct hv_synic_event_flags_page, event_flags, 0);

/*
 * Page behind SIRBP: for each SINT a ring of port ids, written by the
 * hypervisor and zeroed by the reader; 0 is a free entry.
 */
#define HV_SYNIC_EVENT_RING_MESSAGE_COUNT       63

struct hv_synic_event_ring {
    uint8_t signal_masked;
    uint8_t ring_full;
    uint16_t reserved_z;
    uint32_t data[HV_SYNIC_EVENT_RING_MESSAGE_COUNT];
};
HV_ASSERT_SIZE(struct hv_synic_event_ring, 256);
HV_ASSERT_AT(struct hv_synic_event_ring, signal_masked, 0);
HV_ASSERT_AT(struct hv_synic_event_ring, ring_full, 1);
HV_ASSERT_AT(struct hv_synic_event_ring, reserved_z, 2);
HV_ASSERT_AT(struct hv_synic_event_ring, data, 4);

struct hv_synic_event_ring_page {
    struct hv_synic_event_ring sint_event_ring[HV_SYNIC_SINT_COUNT];
};
HV_ASSERT_SIZE(struct hv_synic_event_ring_page, 4096);
HV_ASSERT_AT(struct hv_synic_event_ring_page, sint_event_ring, 0);

/* Head of an intercept message on x86 */
enum hv_intercept_access_type {
    HV_INTERCEPT_ACCESS_READ = 0,
    HV_INTERCEPT_ACCESS_WRITE = 1,
    HV_INTERCEPT_ACCESS_EXECUTE = 2,
};

union hv_x64_vp_execution_state {
    uint16_t as_uint16;
    struct {
        uint16_t cpl:2;
        uint16_t cr0_pe:1;
        uint16_t cr0_am:1;
        uint16_t efer_lma:1;
        uint16_t debug_active:1;
        uint16_t interruption_pending:1;
        uint16_t vtl:4;
        uint16_t enclave_mode:1;
        uint16_t interrupt_shadow:1;
        uint16_t virtualization_fault_active:1;
        uint16_t reserved:2;
    };
};
HV_ASSERT_SIZE(union hv_x64_vp_execution_state, 2);
HV_ASSERT_AT(union hv_x64_vp_execution_state, as_uint16, 0);

struct hv_x64_intercept_message_header {
    uint32_t vp_index;
    uint8_t instruction_length:4;
    uint8_t cr8:4;
    uint8_t intercept_access_type;      /* enum hv_intercept_access_type */
    union hv_x64_vp_execution_state execution_state;
    struct hv_x64_segment_register cs_segment;
    uint64_t rip;
    uint64_t rflags;
};
HV_ASSERT_SIZE(struct hv_x64_intercept_message_header, 40);
HV_ASSERT_AT(struct hv_x64_intercept_message_header, vp_index, 0);
HV_ASSERT_AT(struct hv_x64_intercept_message_header, intercept_access_type, 5);
HV_ASSERT_AT(struct hv_x64_intercept_message_header, execution_state, 6);
HV_ASSERT_AT(struct hv_x64_intercept_message_header, cs_segment, 8);
HV_ASSERT_AT(struct hv_x64_intercept_message_header, rip, 24);
HV_ASSERT_AT(struct hv_x64_intercept_message_header, rflags, 32);

/* UNMAPPED_GPA, GPA_INTERCEPT */
union hv_x64_memory_access_info {
    uint8_t as_uint8;
    struct {
        uint8_t gva_valid:1;
        uint8_t gva_gpa_valid:1;
        uint8_t hypercall_output_pending:1;
        uint8_t tlb_locked_no_overlay:1;
        uint8_t reserved:4;
    };
};
HV_ASSERT_SIZE(union hv_x64_memory_access_info, 1);
HV_ASSERT_AT(union hv_x64_memory_access_info, as_uint8, 0);

struct hv_x64_memory_intercept_message {
    struct hv_x64_intercept_message_header header;
    uint32_t cache_type;                /* enum hv_cache_type */
    uint8_t instruction_byte_count;
    union hv_x64_memory_access_info memory_access_info;
    uint8_t tpr_priority;
    uint8_t reserved1;
    uint64_t guest_virtual_address;
    uint64_t guest_physical_address;
    uint8_t instruction_bytes[16];
};
HV_ASSERT_SIZE(struct hv_x64_memory_intercept_message, 80);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message, header, 0);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message, cache_type, 40);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message,
             instruction_byte_count, 44);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message, memory_access_info, 45);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message, tpr_priority, 46);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message, reserved1, 47);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message, guest_virtual_address, 48);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message,
             guest_physical_address, 56);
HV_ASSERT_AT(struct hv_x64_memory_intercept_message, instruction_bytes, 64);

/* X64_IO_PORT_INTERCEPT */
union hv_x64_io_port_access_info {
    uint8_t as_uint8;
    struct {
        uint8_t access_size:3;        /* bytes */
        uint8_t string_op:1;
        uint8_t rep_prefix:1;
        uint8_t reserved:3;
    };
};
HV_ASSERT_SIZE(union hv_x64_io_port_access_info, 1);
HV_ASSERT_AT(union hv_x64_io_port_access_info, as_uint8, 0);

struct hv_x64_io_port_intercept_message {
    struct hv_x64_intercept_message_header header;
    uint16_t port_number;
    union hv_x64_io_port_access_info access_info;
    uint8_t instruction_byte_count;
    uint32_t reserved;
    uint64_t rax;
    uint8_t instruction_bytes[16];
    struct hv_x64_segment_register ds_segment;
    struct hv_x64_segment_register es_segment;
    uint64_t rcx;
    uint64_t rsi;
    uint64_t rdi;
};
HV_ASSERT_SIZE(struct hv_x64_io_port_intercept_message, 128);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, header, 0);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, port_number, 40);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, access_info, 42);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message,
             instruction_byte_count, 43);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, reserved, 44);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, rax, 48);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, instruction_bytes, 56);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, ds_segment, 72);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, es_segment, 88);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, rcx, 104);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, rsi, 112);
HV_ASSERT_AT(struct hv_x64_io_port_intercept_message, rdi, 120);

/* X64_MSR_INTERCEPT */
struct hv_x64_msr_intercept_message {
    struct hv_x64_intercept_message_header header;
    uint32_t msr_number;
    uint32_t reserved;
    uint64_t rdx;
    uint64_t rax;
};
HV_ASSERT_SIZE(struct hv_x64_msr_intercept_message, 64);
HV_ASSERT_AT(struct hv_x64_msr_intercept_message, header, 0);
HV_ASSERT_AT(struct hv_x64_msr_intercept_message, msr_number, 40);
HV_ASSERT_AT(struct hv_x64_msr_intercept_message, reserved, 44);
HV_ASSERT_AT(struct hv_x64_msr_intercept_message, rdx, 48);
HV_ASSERT_AT(struct hv_x64_msr_intercept_message, rax, 56);

/* X64_CPUID_INTERCEPT */
struct hv_x64_cpuid_intercept_message {
    struct hv_x64_intercept_message_header header;
    uint64_t rax;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t rbx;
    uint64_t default_result_rax;
    uint64_t default_result_rcx;
    uint64_t default_result_rdx;
    uint64_t default_result_rbx;
};
HV_ASSERT_SIZE(struct hv_x64_cpuid_intercept_message, 104);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, header, 0);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, rax, 40);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, rcx, 48);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, rdx, 56);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, rbx, 64);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, default_result_rax, 72);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, default_result_rcx, 80);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, default_result_rdx, 88);
HV_ASSERT_AT(struct hv_x64_cpuid_intercept_message, default_result_rbx, 96);

/* X64_EXCEPTION_INTERCEPT */
union hv_x64_exception_info {
    uint8_t as_uint8;
    struct {
        uint8_t error_code_valid:1;
        uint8_t software_exception:1;
        uint8_t reserved:6;
    };
};
HV_ASSERT_SIZE(union hv_x64_exception_info, 1);
HV_ASSERT_AT(union hv_x64_exception_info, as_uint8, 0);

struct hv_x64_exception_intercept_message {
    struct hv_x64_intercept_message_header header;
    uint16_t exception_vector;
    union hv_x64_exception_info exception_info;
    uint8_t instruction_byte_count;
    uint32_t error_code;
    uint64_t exception_parameter;
    uint64_t reserved;
    uint8_t instruction_bytes[16];
    struct hv_x64_segment_register ds_segment;
    struct hv_x64_segment_register ss_segment;
    uint64_t gp_registers[16];          /* in the order of their encoding */
};
HV_ASSERT_SIZE(struct hv_x64_exception_intercept_message, 240);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, header, 0);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, exception_vector, 40);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, exception_info, 42);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message,
             instruction_byte_count, 43);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, error_code, 44);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message,
             exception_parameter, 48);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, reserved, 56);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, instruction_bytes, 64);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, ds_segment, 80);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, ss_segment, 96);
HV_ASSERT_AT(struct hv_x64_exception_intercept_message, gp_registers, 112);

/* HYPERCALL_INTERCEPT */
struct hv_x64_hypercall_intercept_message {
    struct hv_x64_intercept_message_header header;
    uint64_t rax;
    uint64_t rbx;
    uint64_t rcx;
    uint64_t rdx;
    uint64_t r8;
    uint64_t rsi;
    uint64_t rdi;
    struct hv_u128 xmm_registers[HV_HYPERCALL_MAX_XMM_REGISTERS];
    uint32_t flags;
    uint32_t reserved;
};
HV_ASSERT_SIZE(struct hv_x64_hypercall_intercept_message, 200);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, header, 0);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, rax, 40);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, rbx, 48);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, rcx, 56);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, rdx, 64);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, r8, 72);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, rsi, 80);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, rdi, 88);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, xmm_registers, 96);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, flags, 192);
HV_ASSERT_AT(struct hv_x64_hypercall_intercept_message, reserved, 196);

/* X64_INTERRUPTION_DELIVERABLE */
struct hv_x64_interruption_deliverable_message {
    struct hv_x64_intercept_message_header header;
    uint32_t deliverable_type;          /* HV_X64_PENDING_INTERRUPT or _NMI */
    uint32_t reserved;
};
HV_ASSERT_SIZE(struct hv_x64_interruption_deliverable_message, 48);
HV_ASSERT_AT(struct hv_x64_interruption_deliverable_message, header, 0);
HV_ASSERT_AT(struct hv_x64_interruption_deliverable_message,
             deliverable_type, 40);
HV_ASSERT_AT(struct hv_x64_interruption_deliverable_message, reserved, 44);

/* SYNIC_SINT_DELIVERABLE */
struct hv_x64_synic_sint_deliverable_message {
    struct hv_x64_intercept_message_header header;
    uint16_t deliverable_sints;
    uint16_t reserved1;
    uint32_t reserved2;
};
HV_ASSERT_SIZE(struct hv_x64_synic_sint_deliverable_message, 48);
HV_ASSERT_AT(struct hv_x64_synic_sint_deliverable_message, header, 0);
HV_ASSERT_AT(struct hv_x64_synic_sint_deliverable_message,
             deliverable_sints, 40);
HV_ASSERT_AT(struct hv_x64_synic_sint_deliverable_message, reserved1, 42);
HV_ASSERT_AT(struct hv_x64_synic_sint_deliverable_message, reserved2, 44);

/* X64_SIPI_INTERCEPT */
struct hv_x64_sipi_intercept_message {
    struct hv_x64_intercept_message_header header;
    uint32_t target_vp_index;
    uint32_t interrupt_vector;
};
HV_ASSERT_SIZE(struct hv_x64_sipi_intercept_message, 48);
HV_ASSERT_AT(struct hv_x64_sipi_intercept_message, header, 0);
HV_ASSERT_AT(struct hv_x64_sipi_intercept_message, target_vp_index, 40);
HV_ASSERT_AT(struct hv_x64_sipi_intercept_message, interrupt_vector, 44);

/* X64_APIC_SMI_INTERCEPT, X64_APIC_INIT_SIPI_INTERCEPT: a VP has sent one */
struct hv_x64_apic_ipi_message {
    struct hv_x64_intercept_message_header header;
    uint64_t apic_icr;
};
HV_ASSERT_SIZE(struct hv_x64_apic_ipi_message, 48);
HV_ASSERT_AT(struct hv_x64_apic_ipi_message, header, 0);
HV_ASSERT_AT(struct hv_x64_apic_ipi_message, apic_icr, 40);

/* X64_APIC_EOI */
struct hv_x64_apic_eoi_message {
    uint32_t vp_index;
    uint32_t interrupt_vector;
};
HV_ASSERT_SIZE(struct hv_x64_apic_eoi_message, 8);
HV_ASSERT_AT(struct hv_x64_apic_eoi_message, vp_index, 0);
HV_ASSERT_AT(struct hv_x64_apic_eoi_message, interrupt_vector, 4);

/* INVALID_VP_REGISTER_VALUE */
struct hv_x64_invalid_vp_register_message {
    uint32_t vp_index;
    uint32_t reserved;
};
HV_ASSERT_SIZE(struct hv_x64_invalid_vp_register_message, 8);
HV_ASSERT_AT(struct hv_x64_invalid_vp_register_message, vp_index, 0);
HV_ASSERT_AT(struct hv_x64_invalid_vp_register_message, reserved, 4);

/* UNSUPPORTED_FEATURE */
struct hv_x64_unsupported_feature_message {
    uint32_t vp_index;
    uint32_t feature_code;
    uint64_t feature_parameter;
};
HV_ASSERT_SIZE(struct hv_x64_unsupported_feature_message, 16);
HV_ASSERT_AT(struct hv_x64_unsupported_feature_message, vp_index, 0);
HV_ASSERT_AT(struct hv_x64_unsupported_feature_message, feature_code, 4);
HV_ASSERT_AT(struct hv_x64_unsupported_feature_message, feature_parameter, 8);

/* OPAQUE_INTERCEPT: the message itself is in the intercept page of the VP */
struct hv_opaque_intercept_message {
    uint32_t vp_index;
};
HV_ASSERT_SIZE(struct hv_opaque_intercept_message, 4);
HV_ASSERT_AT(struct hv_opaque_intercept_message, vp_index, 0);

/* SYNIC_SINT_INTERCEPT: ring sint_index has entries */
struct hv_notification_message_payload {
    uint32_t sint_index;
};
HV_ASSERT_SIZE(struct hv_notification_message_payload, 4);
HV_ASSERT_AT(struct hv_notification_message_payload, sint_index, 0);

/* TIMER_EXPIRED; times in 100 ns */
struct hv_timer_message_payload {
    uint32_t timer_index;
    uint32_t reserved;
    uint64_t expiration_time;
    uint64_t delivery_time;
};
HV_ASSERT_SIZE(struct hv_timer_message_payload, 24);
HV_ASSERT_AT(struct hv_timer_message_payload, timer_index, 0);
HV_ASSERT_AT(struct hv_timer_message_payload, reserved, 4);
HV_ASSERT_AT(struct hv_timer_message_payload, expiration_time, 8);
HV_ASSERT_AT(struct hv_timer_message_payload, delivery_time, 16);

/* ASYNC_CALL_COMPLETION: end of a call that answered CALL_PENDING */
struct hv_async_completion_message_payload {
    uint64_t partition_id;
    uint32_t status;
    uint32_t completion_count;
    uint64_t sub_status;
};
HV_ASSERT_SIZE(struct hv_async_completion_message_payload, 24);
HV_ASSERT_AT(struct hv_async_completion_message_payload, partition_id, 0);
HV_ASSERT_AT(struct hv_async_completion_message_payload, status, 8);
HV_ASSERT_AT(struct hv_async_completion_message_payload, completion_count, 12);
HV_ASSERT_AT(struct hv_async_completion_message_payload, sub_status, 16);

/*
 * Set of VP indices: bank n is 64 VPs from index n * 64, present if bit n of
 * valid_bank_mask is set; banks that are not present take no room.
 */
#define HV_GENERIC_SET_SPARSE_4K                0
#define HV_GENERIC_SET_ALL                      1
#define HV_VCPUS_PER_SPARSE_BANK                64
#define HV_MAX_SPARSE_VCPU_BANKS                64

struct hv_vpset {
    uint64_t format;
    uint64_t valid_bank_mask;
    uint64_t bank_contents[];
};
HV_ASSERT_SIZE(struct hv_vpset, 16);
HV_ASSERT_AT(struct hv_vpset, format, 0);
HV_ASSERT_AT(struct hv_vpset, valid_bank_mask, 8);
HV_ASSERT_AT(struct hv_vpset, bank_contents, 16);

/* SCHEDULER_VP_SIGNAL_BITSET: VPs of one partition; a hv_vpset in full */
#define HV_ROOT_SCHEDULER_MAX_VPS_PER_CHILD_PARTITION 1024
#define HV_VP_SIGNAL_BITSET_BANK_COUNT \
    (HV_ROOT_SCHEDULER_MAX_VPS_PER_CHILD_PARTITION / HV_VCPUS_PER_SPARSE_BANK)

struct hv_vp_signal_bitset_scheduler_message {
    uint64_t partition_id;
    uint32_t overflow_count;
    uint16_t vp_count;
    uint16_t reserved;
    uint64_t format;
    uint64_t valid_bank_mask;
    uint64_t bank_contents[HV_VP_SIGNAL_BITSET_BANK_COUNT];
};
HV_ASSERT_SIZE(struct hv_vp_signal_bitset_scheduler_message, 160);
HV_ASSERT_AT(struct hv_vp_signal_bitset_scheduler_message, partition_id, 0);
HV_ASSERT_AT(struct hv_vp_signal_bitset_scheduler_message, overflow_count, 8);
HV_ASSERT_AT(struct hv_vp_signal_bitset_scheduler_message, vp_count, 12);
HV_ASSERT_AT(struct hv_vp_signal_bitset_scheduler_message, reserved, 14);
HV_ASSERT_AT(struct hv_vp_signal_bitset_scheduler_message, format, 16);
HV_ASSERT_AT(struct hv_vp_signal_bitset_scheduler_message, valid_bank_mask, 24);
HV_ASSERT_AT(struct hv_vp_signal_bitset_scheduler_message, bank_contents, 32);

/* SCHEDULER_VP_SIGNAL_PAIR: VPs of any partitions */
#define HV_MESSAGE_MAX_PARTITION_VP_PAIR_COUNT  19

struct hv_vp_signal_pair_scheduler_message {
    uint32_t overflow_count;
    uint8_t vp_count;
    uint8_t reserved1[3];
    uint64_t partition_ids[HV_MESSAGE_MAX_PARTITION_VP_PAIR_COUNT];
    uint32_t vp_indexes[HV_MESSAGE_MAX_PARTITION_VP_PAIR_COUNT];
    uint8_t reserved2[4];
};
HV_ASSERT_SIZE(struct hv_vp_signal_pair_scheduler_message, 240);
HV_ASSERT_AT(struct hv_vp_signal_pair_scheduler_message, overflow_count, 0);
HV_ASSERT_AT(struct hv_vp_signal_pair_scheduler_message, vp_count, 4);
HV_ASSERT_AT(struct hv_vp_signal_pair_scheduler_message, reserved1, 5);
HV_ASSERT_AT(struct hv_vp_signal_pair_scheduler_message, partition_ids, 8);
HV_ASSERT_AT(struct hv_vp_signal_pair_scheduler_message, vp_indexes, 160);
HV_ASSERT_AT(struct hv_vp_signal_pair_scheduler_message, reserved2, 236);

#endif
