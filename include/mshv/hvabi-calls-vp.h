/*
 * Hypervisor ABI: input and output of hypercalls that are about a VP.
 *
 * A structure that ends in an array without a size takes repeat elements or
 * a variable header there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_CALLS_VP_H
#define MSHV_HVABI_CALLS_VP_H

#include "mshv/hvabi-base.h"
#include "mshv/hvabi-calls-partition.h"
#include "mshv/hvabi-regvals.h"
#include "mshv/hvabi-vp.h"

#define HV_NORMAL_VTL                           0

/* Without use_target_vtl: the VTL that the VP is in */
union hv_input_vtl {
    uint8_t as_uint8;
    struct {
        uint8_t target_vtl:4;
        uint8_t use_target_vtl:1;
        uint8_t reserved_z:3;
    };
};
HV_ASSERT_SIZE(union hv_input_vtl, 1);
HV_ASSERT_AT(union hv_input_vtl, as_uint8, 0);

/* CREATE_VP */
enum hv_subnode_type {
    HV_SUBNODE_ANY = 0,
    HV_SUBNODE_SOCKET,
    HV_SUBNODE_CLUSTER,
    HV_SUBNODE_L3,
    HV_SUBNODE_COUNT
};

struct hv_create_vp {
    uint64_t partition_id;
    uint32_t vp_index;
    uint8_t padding[3];
    uint8_t subnode_type;
    uint64_t subnode_id;
    struct hv_proximity_domain_info proximity_domain_info;
    uint64_t flags;
};
HV_ASSERT_SIZE(struct hv_create_vp, 40);
HV_ASSERT_AT(struct hv_create_vp, partition_id, 0);
HV_ASSERT_AT(struct hv_create_vp, vp_index, 8);
HV_ASSERT_AT(struct hv_create_vp, padding, 12);
HV_ASSERT_AT(struct hv_create_vp, subnode_type, 15);
HV_ASSERT_AT(struct hv_create_vp, subnode_id, 16);
HV_ASSERT_AT(struct hv_create_vp, proximity_domain_info, 24);
HV_ASSERT_AT(struct hv_create_vp, flags, 32);

/* DELETE_VP, fast */
union hv_input_delete_vp {
    uint64_t as_uint64[2];
    struct {
        uint64_t partition_id;
        uint32_t vp_index;
        uint8_t reserved[4];
    };
};
HV_ASSERT_SIZE(union hv_input_delete_vp, 16);
HV_ASSERT_AT(union hv_input_delete_vp, as_uint64, 0);
HV_ASSERT_AT(union hv_input_delete_vp, partition_id, 0);
HV_ASSERT_AT(union hv_input_delete_vp, vp_index, 8);
HV_ASSERT_AT(union hv_input_delete_vp, reserved, 12);

/* GET_VP_REGISTERS: rep, output one hv_register_value each */
struct hv_input_get_vp_registers {
    uint64_t partition_id;
    uint32_t vp_index;
    union hv_input_vtl input_vtl;
    uint8_t rsvd_z8;
    uint16_t rsvd_z16;
    uint32_t names[];
};
HV_ASSERT_SIZE(struct hv_input_get_vp_registers, 16);
HV_ASSERT_AT(struct hv_input_get_vp_registers, partition_id, 0);
HV_ASSERT_AT(struct hv_input_get_vp_registers, vp_index, 8);
HV_ASSERT_AT(struct hv_input_get_vp_registers, input_vtl, 12);
HV_ASSERT_AT(struct hv_input_get_vp_registers, rsvd_z8, 13);
HV_ASSERT_AT(struct hv_input_get_vp_registers, rsvd_z16, 14);
HV_ASSERT_AT(struct hv_input_get_vp_registers, names, 16);

/* SET_VP_REGISTERS: rep, applied in order */
struct hv_input_set_vp_registers {
    uint64_t partition_id;
    uint32_t vp_index;
    union hv_input_vtl input_vtl;
    uint8_t rsvd_z8;
    uint16_t rsvd_z16;
    struct hv_register_assoc elements[];
};
HV_ASSERT_SIZE(struct hv_input_set_vp_registers, 16);
HV_ASSERT_AT(struct hv_input_set_vp_registers, partition_id, 0);
HV_ASSERT_AT(struct hv_input_set_vp_registers, vp_index, 8);
HV_ASSERT_AT(struct hv_input_set_vp_registers, input_vtl, 12);
HV_ASSERT_AT(struct hv_input_set_vp_registers, rsvd_z8, 13);
HV_ASSERT_AT(struct hv_input_set_vp_registers, rsvd_z16, 14);
HV_ASSERT_AT(struct hv_input_set_vp_registers, elements, 16);

/* INSTALL_INTERCEPT */
enum hv_intercept_type {
    HV_INTERCEPT_TYPE_X64_IO_PORT = 0,
    HV_INTERCEPT_TYPE_X64_MSR = 1,
    HV_INTERCEPT_TYPE_X64_CPUID = 2,
    HV_INTERCEPT_TYPE_EXCEPTION = 3,
    HV_INTERCEPT_TYPE_MMIO = 5,
    HV_INTERCEPT_TYPE_X64_GLOBAL_CPUID = 6,
    HV_INTERCEPT_TYPE_X64_APIC_SMI = 7,
    HV_INTERCEPT_TYPE_HYPERCALL = 8,
    HV_INTERCEPT_TYPE_X64_APIC_INIT_SIPI = 9,
    HV_INTERCEPT_MC_UPDATE_PATCH_LEVEL_MSR_READ = 0xa,
    HV_INTERCEPT_TYPE_X64_APIC_WRITE = 0xb,
    HV_INTERCEPT_TYPE_X64_MSR_INDEX = 0xc,
};

#define HV_INTERCEPT_ACCESS_MASK_NONE           0x0
#define HV_INTERCEPT_ACCESS_MASK_READ           0x1
#define HV_INTERCEPT_ACCESS_MASK_WRITE          0x2
#define HV_INTERCEPT_ACCESS_MASK_EXECUTE        0x4

union hv_intercept_parameters {
    uint64_t as_uint64;
    uint16_t io_port;
    uint32_t cpuid_index;
    uint32_t apic_write_mask;
    uint16_t exception_vector;
    uint32_t msr_index;
};
HV_ASSERT_SIZE(union hv_intercept_parameters, 8);
HV_ASSERT_AT(union hv_intercept_parameters, as_uint64, 0);
HV_ASSERT_AT(union hv_intercept_parameters, io_port, 0);
HV_ASSERT_AT(union hv_intercept_parameters, cpuid_index, 0);
HV_ASSERT_AT(union hv_intercept_parameters, apic_write_mask, 0);
HV_ASSERT_AT(union hv_intercept_parameters, exception_vector, 0);
HV_ASSERT_AT(union hv_intercept_parameters, msr_index, 0);

struct hv_input_install_intercept {
    uint64_t partition_id;
    uint32_t access_type;               /* HV_INTERCEPT_ACCESS_MASK_* */
    uint32_t intercept_type;            /* enum hv_intercept_type */
    union hv_intercept_parameters intercept_parameter;
};
HV_ASSERT_SIZE(struct hv_input_install_intercept, 24);
HV_ASSERT_AT(struct hv_input_install_intercept, partition_id, 0);
HV_ASSERT_AT(struct hv_input_install_intercept, access_type, 8);
HV_ASSERT_AT(struct hv_input_install_intercept, intercept_type, 12);
HV_ASSERT_AT(struct hv_input_install_intercept, intercept_parameter, 16);

/* REGISTER_INTERCEPT_RESULT: what the hypervisor answers by itself */
struct hv_register_x64_cpuid_result_parameters {
    struct {
        uint32_t eax;
        uint32_t ecx;
        uint8_t subleaf_specific;
        uint8_t always_override;
        uint16_t padding;
    } input;
    struct {
        uint32_t eax;
        uint32_t eax_mask;
        uint32_t ebx;
        uint32_t ebx_mask;
        uint32_t ecx;
        uint32_t ecx_mask;
        uint32_t edx;
        uint32_t edx_mask;
    } result;
};
HV_ASSERT_SIZE(struct hv_register_x64_cpuid_result_parameters, 44);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, input, 0);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, input.eax, 0);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, input.ecx, 4);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters,
             input.subleaf_specific, 8);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters,
             input.always_override, 9);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, input.padding, 10);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, result, 12);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, result.eax, 12);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters,
             result.eax_mask, 16);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, result.ebx, 20);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters,
             result.ebx_mask, 24);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, result.ecx, 28);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters,
             result.ecx_mask, 32);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters, result.edx, 36);
HV_ASSERT_AT(struct hv_register_x64_cpuid_result_parameters,
             result.edx_mask, 40);

struct hv_register_x64_msr_result_parameters {
    uint32_t msr_index;
    uint32_t access_type;               /* HV_INTERCEPT_ACCESS_MASK_* */
    uint32_t action;                    /* HV_UNIMPLEMENTED_MSR_ACTION_* */
};
HV_ASSERT_SIZE(struct hv_register_x64_msr_result_parameters, 12);
HV_ASSERT_AT(struct hv_register_x64_msr_result_parameters, msr_index, 0);
HV_ASSERT_AT(struct hv_register_x64_msr_result_parameters, access_type, 4);
HV_ASSERT_AT(struct hv_register_x64_msr_result_parameters, action, 8);

struct hv_input_register_intercept_result {
    uint64_t partition_id;
    uint32_t vp_index;                  /* or HV_ANY_VP */
    uint32_t intercept_type;            /* enum hv_intercept_type */
    union {
        struct hv_register_x64_cpuid_result_parameters cpuid;
        struct hv_register_x64_msr_result_parameters msr;
    } parameters;
};
HV_ASSERT_SIZE(struct hv_input_register_intercept_result, 64);
HV_ASSERT_AT(struct hv_input_register_intercept_result, partition_id, 0);
HV_ASSERT_AT(struct hv_input_register_intercept_result, vp_index, 8);
HV_ASSERT_AT(struct hv_input_register_intercept_result, intercept_type, 12);
HV_ASSERT_AT(struct hv_input_register_intercept_result, parameters, 16);
HV_ASSERT_AT(struct hv_input_register_intercept_result, parameters.cpuid, 16);
HV_ASSERT_AT(struct hv_input_register_intercept_result, parameters.msr, 16);

/* TRANSLATE_VIRTUAL_ADDRESS */
#define HV_TRANSLATE_GVA_VALIDATE_READ          0x0001
#define HV_TRANSLATE_GVA_VALIDATE_WRITE         0x0002
#define HV_TRANSLATE_GVA_VALIDATE_EXECUTE       0x0004
#define HV_TRANSLATE_GVA_PRIVILEGE_EXEMPT       0x0008
#define HV_TRANSLATE_GVA_SET_PAGE_TABLE_BITS    0x0010
#define HV_TRANSLATE_GVA_TLB_FLUSH_INHIBIT      0x0020
#define HV_TRANSLATE_GVA_SUPERVISOR_ACCESS      0x0040
#define HV_TRANSLATE_GVA_USER_ACCESS            0x0080
#define HV_TRANSLATE_GVA_ENFORCE_SMAP           0x0100
#define HV_TRANSLATE_GVA_OVERRIDE_SMAP          0x0200

enum hv_translate_gva_result_code {
    HV_TRANSLATE_GVA_SUCCESS = 0,
    HV_TRANSLATE_GVA_PAGE_NOT_PRESENT = 1,
    HV_TRANSLATE_GVA_PRIVILEGE_VIOLATION = 2,
    HV_TRANSLATE_GVA_INVALID_PAGE_TABLE_FLAGS = 3,
    HV_TRANSLATE_GVA_GPA_UNMAPPED = 4,
    HV_TRANSLATE_GVA_GPA_NO_READ_ACCESS = 5,
    HV_TRANSLATE_GVA_GPA_NO_WRITE_ACCESS = 6,
    HV_TRANSLATE_GVA_GPA_ILLEGAL_OVERLAY_ACCESS = 7,
    HV_TRANSLATE_GVA_INTERCEPT = 8,
};

struct hv_input_translate_virtual_address {
    uint64_t partition_id;
    uint32_t vp_index;
    uint32_t padding;
    uint64_t control_flags;             /* HV_TRANSLATE_GVA_VALIDATE_READ... */
    uint64_t gva_page;
};
HV_ASSERT_SIZE(struct hv_input_translate_virtual_address, 32);
HV_ASSERT_AT(struct hv_input_translate_virtual_address, partition_id, 0);
HV_ASSERT_AT(struct hv_input_translate_virtual_address, vp_index, 8);
HV_ASSERT_AT(struct hv_input_translate_virtual_address, padding, 12);
HV_ASSERT_AT(struct hv_input_translate_virtual_address, control_flags, 16);
HV_ASSERT_AT(struct hv_input_translate_virtual_address, gva_page, 24);

union hv_translate_gva_result {
    uint64_t as_uint64;
    struct {
        uint32_t result_code;           /* enum hv_translate_gva_result_code */
        uint32_t cache_type:8;        /* enum hv_cache_type */
        uint32_t overlay_page:1;
        uint32_t reserved:23;
    };
};
HV_ASSERT_SIZE(union hv_translate_gva_result, 8);
HV_ASSERT_AT(union hv_translate_gva_result, as_uint64, 0);
HV_ASSERT_AT(union hv_translate_gva_result, result_code, 0);

struct hv_output_translate_virtual_address {
    union hv_translate_gva_result translation_result;
    uint64_t gpa_page;
};
HV_ASSERT_SIZE(struct hv_output_translate_virtual_address, 16);
HV_ASSERT_AT(struct hv_output_translate_virtual_address, translation_result, 0);
HV_ASSERT_AT(struct hv_output_translate_virtual_address, gpa_page, 8);

/* DISPATCH_VP: the root scheduler runs a VP on the calling processor */
#define HV_DISPATCH_VP_FLAG_CLEAR_INTERCEPT_SUSPEND     0x1
#define HV_DISPATCH_VP_FLAG_ENABLE_CALLER_INTERRUPTS    0x2
#define HV_DISPATCH_VP_FLAG_SET_CALLER_SPEC_CTRL        0x4
#define HV_DISPATCH_VP_FLAG_SKIP_VP_SPEC_FLUSH          0x8
#define HV_DISPATCH_VP_FLAG_SKIP_CALLER_SPEC_FLUSH      0x10
#define HV_DISPATCH_VP_FLAG_SKIP_CALLER_USER_SPEC_FLUSH 0x20
#define HV_DISPATCH_VP_FLAG_SCAN_INTERRUPT_INJECTION    0x40

struct hv_input_dispatch_vp {
    uint64_t partition_id;
    uint32_t vp_index;
    uint32_t flags;                     /* HV_DISPATCH_VP_FLAG_* */
    uint64_t time_slice;                /* in 100 ns; 0: no limit */
    uint64_t spec_ctrl;
};
HV_ASSERT_SIZE(struct hv_input_dispatch_vp, 32);
HV_ASSERT_AT(struct hv_input_dispatch_vp, partition_id, 0);
HV_ASSERT_AT(struct hv_input_dispatch_vp, vp_index, 8);
HV_ASSERT_AT(struct hv_input_dispatch_vp, flags, 12);
HV_ASSERT_AT(struct hv_input_dispatch_vp, time_slice, 16);
HV_ASSERT_AT(struct hv_input_dispatch_vp, spec_ctrl, 24);

enum hv_vp_dispatch_state {
    HV_VP_DISPATCH_STATE_INVALID = 0,
    HV_VP_DISPATCH_STATE_BLOCKED = 1,
    HV_VP_DISPATCH_STATE_READY = 2,
};

enum hv_vp_dispatch_event {
    HV_VP_DISPATCH_EVENT_INVALID = 0,
    HV_VP_DISPATCH_EVENT_SUSPEND = 1,
    HV_VP_DISPATCH_EVENT_INTERCEPT = 2,
};

struct hv_output_dispatch_vp {
    uint32_t dispatch_state;            /* enum hv_vp_dispatch_state */
    uint32_t dispatch_event;            /* enum hv_vp_dispatch_event */
};
HV_ASSERT_SIZE(struct hv_output_dispatch_vp, 8);
HV_ASSERT_AT(struct hv_output_dispatch_vp, dispatch_state, 0);
HV_ASSERT_AT(struct hv_output_dispatch_vp, dispatch_event, 4);

/* MAP_VP_STATE_PAGE: output always names the page, also when it was given */
struct hv_input_map_vp_state_page {
    uint64_t partition_id;
    uint32_t vp_index;
    uint16_t type;                      /* enum hv_vp_state_page_type */
    union hv_input_vtl input_vtl;
    union {
        uint8_t as_uint8;
        struct {
            uint8_t map_location_provided:1;
            uint8_t reserved:7;
        };
    } flags;
    uint64_t requested_map_location;    /* PFN */
};
HV_ASSERT_SIZE(struct hv_input_map_vp_state_page, 24);
HV_ASSERT_AT(struct hv_input_map_vp_state_page, partition_id, 0);
HV_ASSERT_AT(struct hv_input_map_vp_state_page, vp_index, 8);
HV_ASSERT_AT(struct hv_input_map_vp_state_page, type, 12);
HV_ASSERT_AT(struct hv_input_map_vp_state_page, input_vtl, 14);
HV_ASSERT_AT(struct hv_input_map_vp_state_page, flags, 15);
HV_ASSERT_AT(struct hv_input_map_vp_state_page, flags.as_uint8, 15);
HV_ASSERT_AT(struct hv_input_map_vp_state_page, requested_map_location, 16);

struct hv_output_map_vp_state_page {
    uint64_t map_location;              /* PFN */
};
HV_ASSERT_SIZE(struct hv_output_map_vp_state_page, 8);
HV_ASSERT_AT(struct hv_output_map_vp_state_page, map_location, 0);

struct hv_input_unmap_vp_state_page {
    uint64_t partition_id;
    uint32_t vp_index;
    uint16_t type;
    union hv_input_vtl input_vtl;
    uint8_t reserved0;
};
HV_ASSERT_SIZE(struct hv_input_unmap_vp_state_page, 16);
HV_ASSERT_AT(struct hv_input_unmap_vp_state_page, partition_id, 0);
HV_ASSERT_AT(struct hv_input_unmap_vp_state_page, vp_index, 8);
HV_ASSERT_AT(struct hv_input_unmap_vp_state_page, type, 12);
HV_ASSERT_AT(struct hv_input_unmap_vp_state_page, input_vtl, 14);
HV_ASSERT_AT(struct hv_input_unmap_vp_state_page, reserved0, 15);

/* GET_VP_STATE: PFNs are a variable header; output for types without PFNs */
struct hv_input_get_vp_state {
    uint64_t partition_id;
    uint32_t vp_index;
    uint8_t input_vtl;
    uint8_t rsvd0;
    uint16_t rsvd1;
    struct hv_vp_state_data state_data;
    uint64_t output_data_pfns[];
};
HV_ASSERT_SIZE(struct hv_input_get_vp_state, 40);
HV_ASSERT_AT(struct hv_input_get_vp_state, partition_id, 0);
HV_ASSERT_AT(struct hv_input_get_vp_state, vp_index, 8);
HV_ASSERT_AT(struct hv_input_get_vp_state, input_vtl, 12);
HV_ASSERT_AT(struct hv_input_get_vp_state, rsvd0, 13);
HV_ASSERT_AT(struct hv_input_get_vp_state, rsvd1, 14);
HV_ASSERT_AT(struct hv_input_get_vp_state, state_data, 16);
HV_ASSERT_AT(struct hv_input_get_vp_state, output_data_pfns, 40);

union hv_output_get_vp_state {
    struct hv_synthetic_timers_state synthetic_timers_state;
};
HV_ASSERT_SIZE(union hv_output_get_vp_state, 200);
HV_ASSERT_AT(union hv_output_get_vp_state, synthetic_timers_state, 0);

/* SET_VP_STATE: the variable header is PFNs or the data themselves */
struct hv_input_set_vp_state {
    uint64_t partition_id;
    uint32_t vp_index;
    uint8_t input_vtl;
    uint8_t rsvd0;
    uint16_t rsvd1;
    struct hv_vp_state_data state_data;
    uint64_t data[];
};
HV_ASSERT_SIZE(struct hv_input_set_vp_state, 40);
HV_ASSERT_AT(struct hv_input_set_vp_state, partition_id, 0);
HV_ASSERT_AT(struct hv_input_set_vp_state, vp_index, 8);
HV_ASSERT_AT(struct hv_input_set_vp_state, input_vtl, 12);
HV_ASSERT_AT(struct hv_input_set_vp_state, rsvd0, 13);
HV_ASSERT_AT(struct hv_input_set_vp_state, rsvd1, 14);
HV_ASSERT_AT(struct hv_input_set_vp_state, state_data, 16);
HV_ASSERT_AT(struct hv_input_set_vp_state, data, 40);

/* GET_VP_CPUID_VALUES: rep, output one hv_cpuid_result each */
#define HV_GET_VP_CPUID_FLAG_USE_VP_XFEM_XSS            0x1
#define HV_GET_VP_CPUID_FLAG_APPLY_REGISTERED_VALUES    0x2

struct hv_cpuid_leaf_info {
    uint32_t eax;
    uint32_t ecx;
};
HV_ASSERT_SIZE(struct hv_cpuid_leaf_info, 8);
HV_ASSERT_AT(struct hv_cpuid_leaf_info, eax, 0);
HV_ASSERT_AT(struct hv_cpuid_leaf_info, ecx, 4);

struct hv_input_get_vp_cpuid_values {
    uint64_t partition_id;
    uint32_t vp_index;
    uint32_t flags;                     /* HV_GET_VP_CPUID_FLAG_* */
    uint32_t reserved;
    uint32_t padding;
    struct hv_cpuid_leaf_info cpuid_leaf_info[];
};
HV_ASSERT_SIZE(struct hv_input_get_vp_cpuid_values, 24);
HV_ASSERT_AT(struct hv_input_get_vp_cpuid_values, partition_id, 0);
HV_ASSERT_AT(struct hv_input_get_vp_cpuid_values, vp_index, 8);
HV_ASSERT_AT(struct hv_input_get_vp_cpuid_values, flags, 12);
HV_ASSERT_AT(struct hv_input_get_vp_cpuid_values, reserved, 16);
HV_ASSERT_AT(struct hv_input_get_vp_cpuid_values, padding, 20);
HV_ASSERT_AT(struct hv_input_get_vp_cpuid_values, cpuid_leaf_info, 24);

struct hv_cpuid_result {
    uint32_t eax;
    uint32_t ebx;
    uint32_t ecx;
    uint32_t edx;
};
HV_ASSERT_SIZE(struct hv_cpuid_result, 16);
HV_ASSERT_AT(struct hv_cpuid_result, eax, 0);
HV_ASSERT_AT(struct hv_cpuid_result, ebx, 4);
HV_ASSERT_AT(struct hv_cpuid_result, ecx, 8);
HV_ASSERT_AT(struct hv_cpuid_result, edx, 12);

#endif
