/*
 * Hypervisor ABI: input and output of the hypercalls.
 *
 * A structure that ends in an array without a size takes repeat elements or
 * a variable header there. A call without a structure here takes or gives
 * one partition id, alone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_CALLS_H
#define MSHV_HVABI_CALLS_H

#include "mshv/hvabi-base.h"
#include "mshv/hvabi-msgs.h"
#include "mshv/hvabi-partition.h"
#include "mshv/hvabi-regvals.h"
#include "mshv/hvabi-vp.h"

#define HV_NORMAL_VTL                           0

/* Without use_target_vtl: the VTL that the VP is in */
union hv_input_vtl {
    uint8_t as_uint8;
    struct {
        uint8_t target_vtl : 4;
        uint8_t use_target_vtl : 1;
        uint8_t reserved_z : 3;
    };
};
HV_ASSERT_SIZE(union hv_input_vtl, 1);
HV_ASSERT_AT(union hv_input_vtl, as_uint8, 0);

struct hv_proximity_domain_flags {
    uint32_t proximity_preferred : 1;
    uint32_t reserved : 30;
    uint32_t proximity_info_valid : 1;
};
HV_ASSERT_SIZE(struct hv_proximity_domain_flags, 4);

struct hv_proximity_domain_info {
    uint32_t domain_id;
    struct hv_proximity_domain_flags flags;
};
HV_ASSERT_SIZE(struct hv_proximity_domain_info, 8);
HV_ASSERT_AT(struct hv_proximity_domain_info, domain_id, 0);
HV_ASSERT_AT(struct hv_proximity_domain_info, flags, 4);

/* CREATE_PARTITION */
union hv_partition_isolation_properties {
    uint64_t as_uint64;
    struct {
        uint64_t isolation_type : 5;    /* HV_PARTITION_ISOLATION_TYPE_* */
        uint64_t isolation_host_type : 2;
        uint64_t rsvd_z : 5;
        uint64_t shared_gpa_boundary_page_number : 52;
    };
};
HV_ASSERT_SIZE(union hv_partition_isolation_properties, 8);
HV_ASSERT_AT(union hv_partition_isolation_properties, as_uint64, 0);

struct hv_partition_creation_properties {
    uint64_t disabled_processor_features[HV_PARTITION_PROCESSOR_FEATURES_BANKS];
    uint64_t disabled_processor_xsave_features;
};
HV_ASSERT_SIZE(struct hv_partition_creation_properties, 24);
HV_ASSERT_AT(struct hv_partition_creation_properties,
             disabled_processor_features, 0);
HV_ASSERT_AT(struct hv_partition_creation_properties,
             disabled_processor_xsave_features, 16);

struct hv_input_create_partition {
    uint64_t flags;                     /* HV_PARTITION_CREATION_FLAG_* */
    struct hv_proximity_domain_info proximity_domain_info;
    uint32_t compatibility_version;
    uint32_t padding;
    struct hv_partition_creation_properties partition_creation_properties;
    union hv_partition_isolation_properties isolation_properties;
};
HV_ASSERT_SIZE(struct hv_input_create_partition, 56);
HV_ASSERT_AT(struct hv_input_create_partition, flags, 0);
HV_ASSERT_AT(struct hv_input_create_partition, proximity_domain_info, 8);
HV_ASSERT_AT(struct hv_input_create_partition, compatibility_version, 16);
HV_ASSERT_AT(struct hv_input_create_partition, padding, 20);
HV_ASSERT_AT(struct hv_input_create_partition,
             partition_creation_properties, 24);
HV_ASSERT_AT(struct hv_input_create_partition, isolation_properties, 48);

struct hv_output_create_partition {
    uint64_t partition_id;
};
HV_ASSERT_SIZE(struct hv_output_create_partition, 8);
HV_ASSERT_AT(struct hv_output_create_partition, partition_id, 0);

/* INITIALIZE_, FINALIZE_, DELETE_PARTITION, all fast */
struct hv_input_initialize_partition {
    uint64_t partition_id;
};
HV_ASSERT_SIZE(struct hv_input_initialize_partition, 8);
HV_ASSERT_AT(struct hv_input_initialize_partition, partition_id, 0);

struct hv_input_finalize_partition {
    uint64_t partition_id;
};
HV_ASSERT_SIZE(struct hv_input_finalize_partition, 8);
HV_ASSERT_AT(struct hv_input_finalize_partition, partition_id, 0);

struct hv_input_delete_partition {
    uint64_t partition_id;
};
HV_ASSERT_SIZE(struct hv_input_delete_partition, 8);
HV_ASSERT_AT(struct hv_input_delete_partition, partition_id, 0);

/* GET_PARTITION_ID */
struct hv_output_get_partition_id {
    uint64_t partition_id;
};
HV_ASSERT_SIZE(struct hv_output_get_partition_id, 8);
HV_ASSERT_AT(struct hv_output_get_partition_id, partition_id, 0);

/* GET_PARTITION_PROPERTY */
struct hv_input_get_partition_property {
    uint64_t partition_id;
    uint32_t property_code;             /* enum hv_partition_property_code */
    uint32_t padding;
};
HV_ASSERT_SIZE(struct hv_input_get_partition_property, 16);
HV_ASSERT_AT(struct hv_input_get_partition_property, partition_id, 0);
HV_ASSERT_AT(struct hv_input_get_partition_property, property_code, 8);
HV_ASSERT_AT(struct hv_input_get_partition_property, padding, 12);

struct hv_output_get_partition_property {
    uint64_t property_value;
};
HV_ASSERT_SIZE(struct hv_output_get_partition_property, 8);
HV_ASSERT_AT(struct hv_output_get_partition_property, property_value, 0);

/* SET_PARTITION_PROPERTY */
struct hv_input_set_partition_property {
    uint64_t partition_id;
    uint32_t property_code;
    uint32_t padding;
    uint64_t property_value;
};
HV_ASSERT_SIZE(struct hv_input_set_partition_property, 24);
HV_ASSERT_AT(struct hv_input_set_partition_property, partition_id, 0);
HV_ASSERT_AT(struct hv_input_set_partition_property, property_code, 8);
HV_ASSERT_AT(struct hv_input_set_partition_property, padding, 12);
HV_ASSERT_AT(struct hv_input_set_partition_property, property_value, 16);

/* GET_PARTITION_PROPERTY_EX; output is the property, up to MAX_VAR_SIZE */
struct hv_input_get_partition_property_ex {
    uint64_t partition_id;
    uint32_t property_code;
    uint32_t padding;
    uint64_t arg;
};
HV_ASSERT_SIZE(struct hv_input_get_partition_property_ex, 24);
HV_ASSERT_AT(struct hv_input_get_partition_property_ex, partition_id, 0);
HV_ASSERT_AT(struct hv_input_get_partition_property_ex, property_code, 8);
HV_ASSERT_AT(struct hv_input_get_partition_property_ex, padding, 12);
HV_ASSERT_AT(struct hv_input_get_partition_property_ex, arg, 16);
#define HV_PARTITION_PROPERTY_EX_MAX_VAR_SIZE   4072

/* DEPOSIT_MEMORY: rep, a PFN each */
struct hv_deposit_memory {
    uint64_t partition_id;
    uint64_t gpa_page_list[];
};
HV_ASSERT_SIZE(struct hv_deposit_memory, 8);
HV_ASSERT_AT(struct hv_deposit_memory, partition_id, 0);
HV_ASSERT_AT(struct hv_deposit_memory, gpa_page_list, 8);

/* WITHDRAW_MEMORY: rep, output is a PFN each */
struct hv_input_withdraw_memory {
    uint64_t partition_id;
    struct hv_proximity_domain_info proximity_domain_info;
};
HV_ASSERT_SIZE(struct hv_input_withdraw_memory, 16);
HV_ASSERT_AT(struct hv_input_withdraw_memory, partition_id, 0);
HV_ASSERT_AT(struct hv_input_withdraw_memory, proximity_domain_info, 8);

/* MAP_GPA_PAGES: rep, a source PFN each */
struct hv_input_map_gpa_pages {
    uint64_t target_partition_id;
    uint64_t target_gpa_base;           /* GFN */
    uint32_t map_flags;                 /* HV_MAP_GPA_* */
    uint32_t padding;
    uint64_t source_gpa_page_list[];
};
HV_ASSERT_SIZE(struct hv_input_map_gpa_pages, 24);
HV_ASSERT_AT(struct hv_input_map_gpa_pages, target_partition_id, 0);
HV_ASSERT_AT(struct hv_input_map_gpa_pages, target_gpa_base, 8);
HV_ASSERT_AT(struct hv_input_map_gpa_pages, map_flags, 16);
HV_ASSERT_AT(struct hv_input_map_gpa_pages, padding, 20);
HV_ASSERT_AT(struct hv_input_map_gpa_pages, source_gpa_page_list, 24);

/* UNMAP_GPA_PAGES: rep without elements */
struct hv_input_unmap_gpa_pages {
    uint64_t target_partition_id;
    uint64_t target_gpa_base;           /* GFN */
    uint32_t unmap_flags;               /* HV_UNMAP_GPA_LARGE_PAGE */
    uint32_t padding;
};
HV_ASSERT_SIZE(struct hv_input_unmap_gpa_pages, 24);
HV_ASSERT_AT(struct hv_input_unmap_gpa_pages, target_partition_id, 0);
HV_ASSERT_AT(struct hv_input_unmap_gpa_pages, target_gpa_base, 8);
HV_ASSERT_AT(struct hv_input_unmap_gpa_pages, unmap_flags, 16);
HV_ASSERT_AT(struct hv_input_unmap_gpa_pages, padding, 20);

/* GET_GPA_PAGES_ACCESS_STATES: rep, output one hv_gpa_page_access_state each */
union hv_gpa_page_access_state_flags {
    struct {
        uint64_t clear_accessed : 1;
        uint64_t set_accessed : 1;
        uint64_t clear_dirty : 1;
        uint64_t set_dirty : 1;
        uint64_t reserved : 60;
    };
    uint64_t as_uint64;
};
HV_ASSERT_SIZE(union hv_gpa_page_access_state_flags, 8);
HV_ASSERT_AT(union hv_gpa_page_access_state_flags, as_uint64, 0);

struct hv_input_get_gpa_pages_access_state {
    uint64_t partition_id;
    union hv_gpa_page_access_state_flags flags;
    uint64_t hv_gpa_page_number;
};
HV_ASSERT_SIZE(struct hv_input_get_gpa_pages_access_state, 24);
HV_ASSERT_AT(struct hv_input_get_gpa_pages_access_state, partition_id, 0);
HV_ASSERT_AT(struct hv_input_get_gpa_pages_access_state, flags, 8);
HV_ASSERT_AT(struct hv_input_get_gpa_pages_access_state,
             hv_gpa_page_number, 16);

union hv_gpa_page_access_state {
    struct {
        uint8_t accessed : 1;
        uint8_t dirty : 1;
        uint8_t reserved : 6;
    };
    uint8_t as_uint8;
};
HV_ASSERT_SIZE(union hv_gpa_page_access_state, 1);
HV_ASSERT_AT(union hv_gpa_page_access_state, as_uint8, 0);

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
        uint32_t cache_type : 8;        /* enum hv_cache_type */
        uint32_t overlay_page : 1;
        uint32_t reserved : 23;
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
        uint32_t level_triggered : 1;
        uint32_t logical_dest_mode : 1;
        uint32_t rsvd : 30;
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
        uint32_t id : 24;
        uint32_t reserved : 8;
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
        uint32_t is_doorbell : 1;
        uint32_t reserved : 31;
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

/* MAP_STATS_PAGE, MAP_STATS_PAGE2 (caller gives the page), UNMAP_STATS_PAGE */
struct hv_input_map_stats_page {
    uint32_t type;                      /* enum hv_stats_object_type */
    uint32_t padding;
    union hv_stats_object_identity identity;
};
HV_ASSERT_SIZE(struct hv_input_map_stats_page, 24);
HV_ASSERT_AT(struct hv_input_map_stats_page, type, 0);
HV_ASSERT_AT(struct hv_input_map_stats_page, padding, 4);
HV_ASSERT_AT(struct hv_input_map_stats_page, identity, 8);

struct hv_output_map_stats_page {
    uint64_t map_location;              /* PFN */
};
HV_ASSERT_SIZE(struct hv_output_map_stats_page, 8);
HV_ASSERT_AT(struct hv_output_map_stats_page, map_location, 0);

struct hv_input_map_stats_page2 {
    uint32_t type;
    uint32_t padding;
    union hv_stats_object_identity identity;
    uint64_t map_location;
};
HV_ASSERT_SIZE(struct hv_input_map_stats_page2, 32);
HV_ASSERT_AT(struct hv_input_map_stats_page2, type, 0);
HV_ASSERT_AT(struct hv_input_map_stats_page2, padding, 4);
HV_ASSERT_AT(struct hv_input_map_stats_page2, identity, 8);
HV_ASSERT_AT(struct hv_input_map_stats_page2, map_location, 24);

struct hv_input_unmap_stats_page {
    uint32_t type;
    uint32_t padding;
    union hv_stats_object_identity identity;
};
HV_ASSERT_SIZE(struct hv_input_unmap_stats_page, 24);
HV_ASSERT_AT(struct hv_input_unmap_stats_page, type, 0);
HV_ASSERT_AT(struct hv_input_unmap_stats_page, padding, 4);
HV_ASSERT_AT(struct hv_input_unmap_stats_page, identity, 8);

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
            uint8_t map_location_provided : 1;
            uint8_t reserved : 7;
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
