/*
 * Hypervisor ABI: values of VP registers. Each is 16 bytes on the wire;
 * what is shorter stands at the low end, the rest is 0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_REGVALS_H
#define MSHV_HVABI_REGVALS_H

#include "mshv/hvabi-base.h"

struct hv_x64_segment_register {
    uint64_t base;
    uint32_t limit;
    uint16_t selector;
    union {
        struct {
            uint16_t segment_type:4;
            uint16_t non_system_segment:1;
            uint16_t descriptor_privilege_level:2;
            uint16_t present:1;
            uint16_t reserved:4;
            uint16_t available:1;
            uint16_t _long:1;
            uint16_t _default:1;
            uint16_t granularity:1;
        };
        uint16_t attributes;
    };
};
HV_ASSERT_SIZE(struct hv_x64_segment_register, 16);
HV_ASSERT_AT(struct hv_x64_segment_register, base, 0);
HV_ASSERT_AT(struct hv_x64_segment_register, limit, 8);
HV_ASSERT_AT(struct hv_x64_segment_register, selector, 12);
HV_ASSERT_AT(struct hv_x64_segment_register, attributes, 14);

struct hv_x64_table_register {
    uint16_t pad[3];
    uint16_t limit;
    uint64_t base;
};
HV_ASSERT_SIZE(struct hv_x64_table_register, 16);
HV_ASSERT_AT(struct hv_x64_table_register, pad, 0);
HV_ASSERT_AT(struct hv_x64_table_register, limit, 6);
HV_ASSERT_AT(struct hv_x64_table_register, base, 8);

/* FP_MMX0 to 7: an 80-bit number */
union hv_x64_fp_register {
    struct hv_u128 as_uint128;
    struct {
        uint64_t mantissa;
        uint64_t biased_exponent:15;
        uint64_t sign:1;
        uint64_t reserved:48;
    };
};
HV_ASSERT_SIZE(union hv_x64_fp_register, 16);
HV_ASSERT_AT(union hv_x64_fp_register, mantissa, 0);

/* The instruction and data pointers have the two forms of FXSAVE. */
union hv_x64_fp_control_status_register {
    struct hv_u128 as_uint128;
    struct {
        uint16_t fp_control;
        uint16_t fp_status;
        uint8_t fp_tag;             /* abridged: one bit a register */
        uint8_t reserved;
        uint16_t last_fp_op;
        union {
            uint64_t last_fp_rip;
            struct {
                uint32_t last_fp_eip;
                uint16_t last_fp_cs;
                uint16_t padding;
            };
        };
    };
};
HV_ASSERT_SIZE(union hv_x64_fp_control_status_register, 16);
HV_ASSERT_AT(union hv_x64_fp_control_status_register, fp_control, 0);
HV_ASSERT_AT(union hv_x64_fp_control_status_register, fp_status, 2);
HV_ASSERT_AT(union hv_x64_fp_control_status_register, fp_tag, 4);
HV_ASSERT_AT(union hv_x64_fp_control_status_register, last_fp_op, 6);
HV_ASSERT_AT(union hv_x64_fp_control_status_register, last_fp_rip, 8);
HV_ASSERT_AT(union hv_x64_fp_control_status_register, last_fp_eip, 8);
HV_ASSERT_AT(union hv_x64_fp_control_status_register, last_fp_cs, 12);

union hv_x64_xmm_control_status_register {
    struct hv_u128 as_uint128;
    struct {
        union {
            uint64_t last_fp_rdp;
            struct {
                uint32_t last_fp_dp;
                uint16_t last_fp_ds;
                uint16_t padding;
            };
        };
        uint32_t xmm_status_control;        /* MXCSR */
        uint32_t xmm_status_control_mask;
    };
};
HV_ASSERT_SIZE(union hv_x64_xmm_control_status_register, 16);
HV_ASSERT_AT(union hv_x64_xmm_control_status_register, last_fp_rdp, 0);
HV_ASSERT_AT(union hv_x64_xmm_control_status_register, last_fp_dp, 0);
HV_ASSERT_AT(union hv_x64_xmm_control_status_register, last_fp_ds, 4);
HV_ASSERT_AT(union hv_x64_xmm_control_status_register, xmm_status_control, 8);
HV_ASSERT_AT(union hv_x64_xmm_control_status_register,
             xmm_status_control_mask, 12);

/* XFEM (XCR0) and the states mask of XSAVE data */
union hv_x64_xsave_xfem_register {
    uint64_t as_uint64;
    struct {
        uint32_t low_uint32;
        uint32_t high_uint32;
    };
    struct {
        uint64_t legacy_x87:1;
        uint64_t legacy_sse:1;
        uint64_t avx:1;
        uint64_t mpx_bndreg:1;
        uint64_t mpx_bndcsr:1;
        uint64_t avx_512_op_mask:1;
        uint64_t avx_512_zmmhi:1;
        uint64_t avx_512_zmm16_31:1;
        uint64_t rsvd8_9:2;
        uint64_t pasid:1;
        uint64_t cet_u:1;
        uint64_t cet_s:1;
        uint64_t rsvd13_16:4;
        uint64_t xtile_cfg:1;
        uint64_t xtile_data:1;
        uint64_t rsvd19_63:45;
    };
};
HV_ASSERT_SIZE(union hv_x64_xsave_xfem_register, 8);
HV_ASSERT_AT(union hv_x64_xsave_xfem_register, high_uint32, 4);

union hv_explicit_suspend_register {
    uint64_t as_uint64;
    struct {
        uint64_t suspended:1;
        uint64_t reserved:63;
    };
};
HV_ASSERT_SIZE(union hv_explicit_suspend_register, 8);

union hv_intercept_suspend_register {
    uint64_t as_uint64;
    struct {
        uint64_t suspended:1;
        uint64_t reserved:63;
    };
};
HV_ASSERT_SIZE(union hv_intercept_suspend_register, 8);

union hv_dispatch_suspend_register {
    uint64_t as_uint64;
    struct {
        uint64_t suspended:1;
        uint64_t reserved:63;
    };
};
HV_ASSERT_SIZE(union hv_dispatch_suspend_register, 8);

/* Not running for a reason of the architecture */
union hv_internal_activity_register {
    uint64_t as_uint64;
    struct {
        uint64_t startup_suspend:1;   /* waits for SIPI */
        uint64_t halt_suspend:1;      /* HLT */
        uint64_t idle_suspend:1;      /* read of MSR GUEST_IDLE */
        uint64_t reserved_z:61;
    };
};
HV_ASSERT_SIZE(union hv_internal_activity_register, 8);

union hv_x64_interrupt_state_register {
    uint64_t as_uint64;
    struct {
        uint64_t interrupt_shadow:1;
        uint64_t nmi_masked:1;
        uint64_t reserved:62;
    };
};
HV_ASSERT_SIZE(union hv_x64_interrupt_state_register, 8);

enum hv_x64_pending_interruption_type {
    HV_X64_PENDING_INTERRUPT = 0,
    HV_X64_PENDING_NMI = 2,
    HV_X64_PENDING_EXCEPTION = 3,
    HV_X64_PENDING_SOFTWARE_INTERRUPT = 4,
    HV_X64_PENDING_PRIVILEGED_SOFTWARE_EXCEPTION = 5,
    HV_X64_PENDING_SOFTWARE_EXCEPTION = 6,
};

/* An event whose delivery has begun: it is delivered at the next resume. */
union hv_x64_pending_interruption_register {
    uint64_t as_uint64;
    struct {
        uint32_t interruption_pending:1;
        uint32_t interruption_type:3;
        uint32_t deliver_error_code:1;
        uint32_t instruction_length:4;
        uint32_t nested_event:1;
        uint32_t reserved:6;
        uint32_t interruption_vector:16;
        uint32_t error_code;
    };
};
HV_ASSERT_SIZE(union hv_x64_pending_interruption_register, 8);
HV_ASSERT_AT(union hv_x64_pending_interruption_register, error_code, 4);

enum hv_x64_pending_event_type {
    HV_X64_PENDING_EVENT_EXCEPTION = 0,
    HV_X64_PENDING_EVENT_MEMORY_INTERCEPT = 1,
    HV_X64_PENDING_EVENT_NESTED_MEMORY_INTERCEPT = 2,
    HV_X64_PENDING_EVENT_VIRTUALIZATION_FAULT = 3,
    HV_X64_PENDING_EVENT_HYPERCALL_OUTPUT = 4,
    HV_X64_PENDING_EVENT_EXT_INT = 5,
};

/* PENDING_EVENT0 when its type is EXCEPTION */
union hv_x64_pending_exception_event {
    uint64_t as_uint64[2];
    struct {
        uint32_t event_pending:1;
        uint32_t event_type:3;
        uint32_t reserved0:4;
        uint32_t deliver_error_code:1;
        uint32_t reserved1:7;
        uint32_t vector:16;
        uint32_t error_code;
        uint64_t exception_parameter;   /* CR2 for #PF, DR6 for #DB */
    };
};
HV_ASSERT_SIZE(union hv_x64_pending_exception_event, 16);
HV_ASSERT_AT(union hv_x64_pending_exception_event, error_code, 4);
HV_ASSERT_AT(union hv_x64_pending_exception_event, exception_parameter, 8);

/* PENDING_EVENT0 when its type is EXT_INT: an interrupt of the 8259 */
union hv_x64_pending_ext_int_event {
    uint64_t as_uint64[2];
    struct {
        uint64_t event_pending:1;
        uint64_t event_type:3;
        uint64_t reserved0:4;
        uint64_t vector:8;
        uint64_t reserved1:48;
        uint64_t reserved2;
    };
};
HV_ASSERT_SIZE(union hv_x64_pending_ext_int_event, 16);
HV_ASSERT_AT(union hv_x64_pending_ext_int_event, reserved2, 8);

/* Which things becoming deliverable shall cause an intercept */
union hv_x64_deliverability_notifications_register {
    uint64_t as_uint64;
    struct {
        uint64_t nmi_notification:1;
        uint64_t interrupt_notification:1;
        uint64_t interrupt_priority:4;    /* 0: any */
        uint64_t reserved:42;
        uint64_t sint:16;
    };
};
HV_ASSERT_SIZE(union hv_x64_deliverability_notifications_register, 8);

union hv_register_value {
    struct hv_u128 reg128;
    uint64_t reg64;
    uint32_t reg32;
    uint16_t reg16;
    uint8_t reg8;
    struct hv_x64_segment_register segment;
    struct hv_x64_table_register table;
    union hv_x64_fp_register fp;
    union hv_x64_fp_control_status_register fp_control_status;
    union hv_x64_xmm_control_status_register xmm_control_status;
    union hv_x64_xsave_xfem_register xfem;
    union hv_explicit_suspend_register explicit_suspend;
    union hv_intercept_suspend_register intercept_suspend;
    union hv_dispatch_suspend_register dispatch_suspend;
    union hv_internal_activity_register internal_activity;
    union hv_x64_interrupt_state_register interrupt_state;
    union hv_x64_pending_interruption_register pending_interruption;
    union hv_x64_pending_exception_event pending_exception_event;
    union hv_x64_pending_ext_int_event pending_ext_int_event;
    union hv_x64_deliverability_notifications_register
        deliverability_notifications;
};
HV_ASSERT_SIZE(union hv_register_value, 16);

/* One register with its name, as SET_VP_REGISTERS takes it */
struct hv_register_assoc {
    uint32_t name;                  /* enum hv_register_name */
    uint32_t reserved1;
    uint64_t reserved2;
    union hv_register_value value;
};
HV_ASSERT_SIZE(struct hv_register_assoc, 32);
HV_ASSERT_AT(struct hv_register_assoc, name, 0);
HV_ASSERT_AT(struct hv_register_assoc, reserved1, 4);
HV_ASSERT_AT(struct hv_register_assoc, reserved2, 8);
HV_ASSERT_AT(struct hv_register_assoc, value, 16);

#endif
