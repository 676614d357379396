/*
 * Hypervisor ABI: state of a VP that is not a register: the register page,
 * local APIC, synthetic timers, statistics.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_VP_H
#define MSHV_HVABI_VP_H

#include "mshv/hvabi-base.h"
#include "mshv/hvabi-msr.h"
#include "mshv/hvabi-regvals.h"

/* Pages of a VP that its parent maps */
enum hv_vp_state_page_type {
    HV_VP_STATE_PAGE_REGISTERS = 0,
    HV_VP_STATE_PAGE_INTERCEPT_MESSAGE = 1,
    HV_VP_STATE_PAGE_GHCB = 2,
    HV_VP_STATE_PAGE_COUNT
};

/*
 * Register page: the registers that an exit usually needs. The hypervisor
 * fills it at each intercept; at resume it loads the classes whose bit is set
 * in dirty. Control registers and what follows them are for reading only.
 */
#define HV_VP_REGISTER_PAGE_VERSION_1           1

/* Bit numbers in dirty */
#define HV_X64_REGISTER_CLASS_GENERAL           0
#define HV_X64_REGISTER_CLASS_IP                1
#define HV_X64_REGISTER_CLASS_XMM               2
#define HV_X64_REGISTER_CLASS_SEGMENT           3
#define HV_X64_REGISTER_CLASS_FLAGS             4

#define HV_VP_REGISTER_PAGE_MAX_VECTOR_COUNT    7

/* Interrupts for DISPATCH_VP with SCAN_INTERRUPT_INJECTION to inject */
union hv_vp_register_page_interrupt_vectors {
    uint64_t as_uint64;
    struct {
        uint8_t vector_count;
        uint8_t vector[HV_VP_REGISTER_PAGE_MAX_VECTOR_COUNT];
    };
};
HV_ASSERT_SIZE(union hv_vp_register_page_interrupt_vectors, 8);
HV_ASSERT_AT(union hv_vp_register_page_interrupt_vectors, as_uint64, 0);
HV_ASSERT_AT(union hv_vp_register_page_interrupt_vectors, vector_count, 0);
HV_ASSERT_AT(union hv_vp_register_page_interrupt_vectors, vector, 1);

struct hv_vp_register_page {
    uint16_t version;
    uint8_t isvalid;
    uint8_t rsvdz;
    uint32_t dirty;
    union {
        struct {
            uint64_t rax;
            uint64_t rcx;
            uint64_t rdx;
            uint64_t rbx;
            uint64_t rsp;
            uint64_t rbp;
            uint64_t rsi;
            uint64_t rdi;
            uint64_t r8;
            uint64_t r9;
            uint64_t r10;
            uint64_t r11;
            uint64_t r12;
            uint64_t r13;
            uint64_t r14;
            uint64_t r15;
            uint64_t rip;
            uint64_t rflags;
        };
        uint64_t gp_registers[16];
        uint64_t registers[18];
    };
    uint8_t reserved[8];
    union {
        struct {
            struct hv_u128 xmm0;
            struct hv_u128 xmm1;
            struct hv_u128 xmm2;
            struct hv_u128 xmm3;
            struct hv_u128 xmm4;
            struct hv_u128 xmm5;
        };
        struct hv_u128 xmm_registers[6];
    };
    union {
        struct {
            struct hv_x64_segment_register es;
            struct hv_x64_segment_register cs;
            struct hv_x64_segment_register ss;
            struct hv_x64_segment_register ds;
            struct hv_x64_segment_register fs;
            struct hv_x64_segment_register gs;
        };
        struct hv_x64_segment_register segment_registers[6];
    };
    uint64_t cr0;
    uint64_t cr3;
    uint64_t cr4;
    uint64_t cr8;
    uint64_t efer;
    uint64_t dr7;
    union hv_x64_pending_interruption_register pending_interruption;
    union hv_x64_interrupt_state_register interrupt_state;
    uint64_t instruction_emulation_hints;
    uint64_t xfem;
    uint8_t reserved1[0x100];
    union hv_vp_register_page_interrupt_vectors interrupt_vectors;
};
HV_ASSERT_SIZE(struct hv_vp_register_page, 696);
HV_ASSERT_AT(struct hv_vp_register_page, version, 0);
HV_ASSERT_AT(struct hv_vp_register_page, isvalid, 2);
HV_ASSERT_AT(struct hv_vp_register_page, rsvdz, 3);
HV_ASSERT_AT(struct hv_vp_register_page, dirty, 4);
HV_ASSERT_AT(struct hv_vp_register_page, rax, 8);
HV_ASSERT_AT(struct hv_vp_register_page, rcx, 16);
HV_ASSERT_AT(struct hv_vp_register_page, rdx, 24);
HV_ASSERT_AT(struct hv_vp_register_page, rbx, 32);
HV_ASSERT_AT(struct hv_vp_register_page, rsp, 40);
HV_ASSERT_AT(struct hv_vp_register_page, rbp, 48);
HV_ASSERT_AT(struct hv_vp_register_page, rsi, 56);
HV_ASSERT_AT(struct hv_vp_register_page, rdi, 64);
HV_ASSERT_AT(struct hv_vp_register_page, r8, 72);
HV_ASSERT_AT(struct hv_vp_register_page, r9, 80);
HV_ASSERT_AT(struct hv_vp_register_page, r10, 88);
HV_ASSERT_AT(struct hv_vp_register_page, r11, 96);
HV_ASSERT_AT(struct hv_vp_register_page, r12, 104);
HV_ASSERT_AT(struct hv_vp_register_page, r13, 112);
HV_ASSERT_AT(struct hv_vp_register_page, r14, 120);
HV_ASSERT_AT(struct hv_vp_register_page, r15, 128);
HV_ASSERT_AT(struct hv_vp_register_page, rip, 136);
HV_ASSERT_AT(struct hv_vp_register_page, rflags, 144);
HV_ASSERT_AT(struct hv_vp_register_page, gp_registers, 8);
HV_ASSERT_AT(struct hv_vp_register_page, registers, 8);
HV_ASSERT_AT(struct hv_vp_register_page, reserved, 152);
HV_ASSERT_AT(struct hv_vp_register_page, xmm0, 160);
HV_ASSERT_AT(struct hv_vp_register_page, xmm1, 176);
HV_ASSERT_AT(struct hv_vp_register_page, xmm2, 192);
HV_ASSERT_AT(struct hv_vp_register_page, xmm3, 208);
HV_ASSERT_AT(struct hv_vp_register_page, xmm4, 224);
HV_ASSERT_AT(struct hv_vp_register_page, xmm5, 240);
HV_ASSERT_AT(struct hv_vp_register_page, xmm_registers, 160);
HV_ASSERT_AT(struct hv_vp_register_page, es, 256);
HV_ASSERT_AT(struct hv_vp_register_page, cs, 272);
HV_ASSERT_AT(struct hv_vp_register_page, ss, 288);
HV_ASSERT_AT(struct hv_vp_register_page, ds, 304);
HV_ASSERT_AT(struct hv_vp_register_page, fs, 320);
HV_ASSERT_AT(struct hv_vp_register_page, gs, 336);
HV_ASSERT_AT(struct hv_vp_register_page, segment_registers, 256);
HV_ASSERT_AT(struct hv_vp_register_page, cr0, 352);
HV_ASSERT_AT(struct hv_vp_register_page, cr3, 360);
HV_ASSERT_AT(struct hv_vp_register_page, cr4, 368);
HV_ASSERT_AT(struct hv_vp_register_page, cr8, 376);
HV_ASSERT_AT(struct hv_vp_register_page, efer, 384);
HV_ASSERT_AT(struct hv_vp_register_page, dr7, 392);
HV_ASSERT_AT(struct hv_vp_register_page, pending_interruption, 400);
HV_ASSERT_AT(struct hv_vp_register_page, interrupt_state, 408);
HV_ASSERT_AT(struct hv_vp_register_page, instruction_emulation_hints, 416);
HV_ASSERT_AT(struct hv_vp_register_page, xfem, 424);
HV_ASSERT_AT(struct hv_vp_register_page, reserved1, 432);
HV_ASSERT_AT(struct hv_vp_register_page, interrupt_vectors, 688);

/*
 * Local APIC, as GET_VP_STATE and SET_VP_STATE have it: registers of the
 * APIC page without the gaps. No TPR: that is register CR8. Not of the
 * architecture: bit 2 of apic_irr[0] is a pending NMI.
 */
struct hv_local_interrupt_controller_state {
    uint32_t apic_id;
    uint32_t apic_version;
    uint32_t apic_ldr;
    uint32_t apic_dfr;
    uint32_t apic_spurious;
    uint32_t apic_isr[8];
    uint32_t apic_tmr[8];
    uint32_t apic_irr[8];
    uint32_t apic_esr;
    uint32_t apic_icr_high;
    uint32_t apic_icr_low;
    uint32_t apic_lvt_timer;
    uint32_t apic_lvt_thermal;
    uint32_t apic_lvt_perfmon;
    uint32_t apic_lvt_lint0;
    uint32_t apic_lvt_lint1;
    uint32_t apic_lvt_error;
    uint32_t apic_lvt_cmci;
    uint32_t apic_error_status;
    uint32_t apic_initial_count;
    uint32_t apic_counter_value;
    uint32_t apic_divide_configuration;
    uint32_t apic_remote_read;
};
HV_ASSERT_SIZE(struct hv_local_interrupt_controller_state, 176);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_id, 0);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_version, 4);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_ldr, 8);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_dfr, 12);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_spurious, 16);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_isr, 20);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_tmr, 52);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_irr, 84);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_esr, 116);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_icr_high, 120);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_icr_low, 124);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_lvt_timer, 128);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_lvt_thermal, 132);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_lvt_perfmon, 136);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_lvt_lint0, 140);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_lvt_lint1, 144);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_lvt_error, 148);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_lvt_cmci, 152);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state,
             apic_error_status, 156);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state,
             apic_initial_count, 160);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state,
             apic_counter_value, 164);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state,
             apic_divide_configuration, 168);
HV_ASSERT_AT(struct hv_local_interrupt_controller_state, apic_remote_read, 172);
#define HV_LAPIC_IRR0_NMI_PENDING               (1u << 2)

struct hv_stimer_state {
    struct {
        uint32_t undelivered_msg_pending:1;
        uint32_t reserved:31;
    } flags;
    uint32_t resvd;
    uint64_t config;                    /* union hv_stimer_config */
    uint64_t count;
    uint64_t adjustment;
    uint64_t undelivered_exp_time;
};
HV_ASSERT_SIZE(struct hv_stimer_state, 40);
HV_ASSERT_AT(struct hv_stimer_state, flags, 0);
HV_ASSERT_AT(struct hv_stimer_state, resvd, 4);
HV_ASSERT_AT(struct hv_stimer_state, config, 8);
HV_ASSERT_AT(struct hv_stimer_state, count, 16);
HV_ASSERT_AT(struct hv_stimer_state, adjustment, 24);
HV_ASSERT_AT(struct hv_stimer_state, undelivered_exp_time, 32);

struct hv_synthetic_timers_state {
    struct hv_stimer_state timers[HV_SYNIC_STIMER_COUNT];
    uint64_t reserved[5];
};
HV_ASSERT_SIZE(struct hv_synthetic_timers_state, 200);
HV_ASSERT_AT(struct hv_synthetic_timers_state, timers, 0);
HV_ASSERT_AT(struct hv_synthetic_timers_state, reserved, 160);

/* Types of GET_VP_STATE: with TYPE_PFN, data are in pages named by PFN */
#define HV_GET_SET_VP_STATE_TYPE_PFN            0x80000000u
#define HV_GET_SET_VP_STATE_LAPIC_STATE         0x80000000u
#define HV_GET_SET_VP_STATE_XSAVE               0x80000001u
#define HV_GET_SET_VP_STATE_SIM_PAGE            0x80000002u
#define HV_GET_SET_VP_STATE_SIEF_PAGE           0x80000003u
#define HV_GET_SET_VP_STATE_SYNTHETIC_TIMERS    0x00000004u

/* XSAVE: states to take; data are in the compacted format */
struct hv_vp_state_data_xsave {
    uint64_t flags;
    union hv_x64_xsave_xfem_register states;
};
HV_ASSERT_SIZE(struct hv_vp_state_data_xsave, 16);
HV_ASSERT_AT(struct hv_vp_state_data_xsave, flags, 0);
HV_ASSERT_AT(struct hv_vp_state_data_xsave, states, 8);

struct hv_vp_state_data {
    uint32_t type;                      /* HV_GET_SET_VP_STATE_* */
    uint32_t rsvd;
    struct hv_vp_state_data_xsave xsave;
};
HV_ASSERT_SIZE(struct hv_vp_state_data, 24);
HV_ASSERT_AT(struct hv_vp_state_data, type, 0);
HV_ASSERT_AT(struct hv_vp_state_data, rsvd, 4);
HV_ASSERT_AT(struct hv_vp_state_data, xsave, 8);

/* Statistics pages: an array of 64-bit counters */
enum hv_stats_object_type {
    HV_STATS_OBJECT_HYPERVISOR = 0x00000001,
    HV_STATS_OBJECT_LOGICAL_PROCESSOR = 0x00000002,
    HV_STATS_OBJECT_PARTITION = 0x00010001,
    HV_STATS_OBJECT_VP = 0x00010002,
};

enum hv_stats_area_type {
    HV_STATS_AREA_SELF = 0,
    HV_STATS_AREA_PARENT = 1,
    HV_STATS_AREA_INTERNAL = 2,
    HV_STATS_AREA_COUNT
};

/* Which object; stats_area_type is the last byte in each form */
union hv_stats_object_identity {
    struct {
        uint8_t reserved[15];
        uint8_t stats_area_type;
    } hv;
    struct {
        uint32_t lp_index;
        uint8_t reserved[11];
        uint8_t stats_area_type;
    } lp;
    struct {
        uint64_t partition_id;
        uint8_t reserved[7];
        uint8_t stats_area_type;
    } partition;
    struct {
        uint64_t partition_id;
        uint32_t vp_index;
        uint16_t flags;
        uint8_t reserved;
        uint8_t stats_area_type;
    } vp;
};
HV_ASSERT_SIZE(union hv_stats_object_identity, 16);
HV_ASSERT_AT(union hv_stats_object_identity, hv, 0);
HV_ASSERT_AT(union hv_stats_object_identity, hv.reserved, 0);
HV_ASSERT_AT(union hv_stats_object_identity, hv.stats_area_type, 15);
HV_ASSERT_AT(union hv_stats_object_identity, lp, 0);
HV_ASSERT_AT(union hv_stats_object_identity, lp.lp_index, 0);
HV_ASSERT_AT(union hv_stats_object_identity, lp.reserved, 4);
HV_ASSERT_AT(union hv_stats_object_identity, lp.stats_area_type, 15);
HV_ASSERT_AT(union hv_stats_object_identity, partition, 0);
HV_ASSERT_AT(union hv_stats_object_identity, partition.partition_id, 0);
HV_ASSERT_AT(union hv_stats_object_identity, partition.reserved, 8);
HV_ASSERT_AT(union hv_stats_object_identity, partition.stats_area_type, 15);
HV_ASSERT_AT(union hv_stats_object_identity, vp, 0);
HV_ASSERT_AT(union hv_stats_object_identity, vp.partition_id, 0);
HV_ASSERT_AT(union hv_stats_object_identity, vp.vp_index, 8);
HV_ASSERT_AT(union hv_stats_object_identity, vp.flags, 12);
HV_ASSERT_AT(union hv_stats_object_identity, vp.reserved, 14);
HV_ASSERT_AT(union hv_stats_object_identity, vp.stats_area_type, 15);

struct hv_stats_page {
    uint64_t data[HV_HYP_PAGE_SIZE / sizeof(uint64_t)];
};
HV_ASSERT_SIZE(struct hv_stats_page, 4096);
HV_ASSERT_AT(struct hv_stats_page, data, 0);

/* VP counter: not 0 while the root scheduler's thread of the VP may sleep */
#define HV_VP_COUNTER_ROOT_DISPATCH_THREAD_BLOCKED 202

#endif
