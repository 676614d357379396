/*
 * Hypervisor ABI: input and output of hypercalls that are about a partition,
 * its memory and its statistics.
 *
 * A structure that ends in an array without a size takes repeat elements or
 * a variable header there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_CALLS_PARTITION_H
#define MSHV_HVABI_CALLS_PARTITION_H

#include "mshv/hvabi-base.h"
#include "mshv/hvabi-partition.h"
#include "mshv/hvabi-vp.h"

struct hv_proximity_domain_flags {
    uint32_t proximity_preferred:1;
    uint32_t reserved:30;
    uint32_t proximity_info_valid:1;
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
        uint64_t isolation_type:5;    /* HV_PARTITION_ISOLATION_TYPE_* */
        uint64_t isolation_host_type:2;
        uint64_t rsvd_z:5;
        uint64_t shared_gpa_boundary_page_number:52;
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
        uint64_t clear_accessed:1;
        uint64_t set_accessed:1;
        uint64_t clear_dirty:1;
        uint64_t set_dirty:1;
        uint64_t reserved:60;
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
        uint8_t accessed:1;
        uint8_t dirty:1;
        uint8_t reserved:6;
    };
    uint8_t as_uint8;
};
HV_ASSERT_SIZE(union hv_gpa_page_access_state, 1);
HV_ASSERT_AT(union hv_gpa_page_access_state, as_uint8, 0);

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

#endif
