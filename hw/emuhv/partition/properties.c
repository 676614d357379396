/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: partition properties.
 *
 * One row a property.  What a property does to VPs (time, CPUID, MSRs) is that
 * of vp/; when it may be set, and by whom, is decided here.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/emuhv/memory/memory.h"
#include "hw/emuhv/partition/partition-int.h"
#include "hw/emuhv/vp/vp.h"

typedef enum PropertyHome {
    HOME_VP,        /* vp/ keeps it */
    HOME_MEMORY,    /* memory/ does */
    HOME_HERE,        /* kept in the account */
} PropertyHome;

/* When it may be set */
#define SET_NEVER   0
#define SET_EARLY   1   /* before HvCallInitializePartition */
#define SET_LATE    2   /* while the partition is active */
#define SET_ALWAYS  (SET_EARLY | SET_LATE)

typedef struct Property {
    uint32_t code;
    PropertyHome home;
    uint8_t set;
    bool host;              /* may be asked for SELF */
    uint64_t initial;       /* HOME_HERE */
    uint64_t max;           /* HOME_HERE: largest value that can be set */
} Property;

#define PROP(name)  HV_PARTITION_PROPERTY_##name

#define VMM_CAP_OVERLAY_GPFN        (1ull << 1)
#define VMM_CAP_ASSIGNABLE_FEATURES (1ull << 4)
#define VMM_CAP_ROOT_SCHEDULER      (1ull << 6)

static const Property table[] = {
    { PROP(PRIVILEGE_FLAGS), HOME_HERE, SET_EARLY, false, 0, UINT64_MAX },
    { PROP(SYNTHETIC_PROC_FEATURES), HOME_VP, SET_EARLY, true },
    { PROP(TIME_FREEZE), HOME_VP, SET_ALWAYS, false },
    { PROP(REFERENCE_TIME), HOME_VP, SET_ALWAYS, false },
    { PROP(PROCESSORS_PER_SOCKET), HOME_HERE, SET_EARLY, false, 1,
      EMUHV_MAX_VP_INDEX + 1 },
    { PROP(GPA_PAGE_ACCESS_TRACKING), HOME_MEMORY, SET_ALWAYS, false, 0, 1 },
    { PROP(UNIMPLEMENTED_MSR_ACTION), HOME_VP, SET_ALWAYS, false },
    { PROP(PROCESSOR_VENDOR), HOME_VP, SET_NEVER, true },
    { PROP(PROCESSOR_XSAVE_FEATURES), HOME_VP, SET_NEVER, true },
    { PROP(PROCESSOR_CL_FLUSH_SIZE), HOME_VP, SET_NEVER, true },
    { PROP(COMPATIBILITY_VERSION), HOME_HERE, SET_NEVER, true,
      HV_COMPATIBILITY_21_H2, 0 },
    { PROP(PHYSICAL_ADDRESS_WIDTH), HOME_VP, SET_NEVER, true },
    { PROP(XSAVE_STATES), HOME_VP, SET_NEVER, true },
    { PROP(MAX_XSAVE_DATA_SIZE), HOME_VP, SET_NEVER, true },
    { PROP(PROCESSOR_CLOCK_FREQUENCY), HOME_VP, SET_NEVER, true },
    { PROP(PROCESSOR_FEATURES0), HOME_VP, SET_NEVER, true },
    { PROP(PROCESSOR_FEATURES1), HOME_VP, SET_NEVER, true },
    { PROP(GUEST_OS_ID), HOME_VP, SET_NEVER, false },
    { PROP(PROCESSOR_VIRTUALIZATION_FEATURES), HOME_HERE, SET_NEVER, true,
      0, 0 },
};

static const Property *find(uint32_t code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(table); i++) {
        if (table[i].code == code) {
            return &table[i];
        }
    }
    return NULL;
}

uint16_t emuhv_property_get(EmuhvPartition *p, uint32_t code, uint64_t *val)
{
    bool parent = p == emuhv_partitions.parent;
    const Property *prop = find(code);
    uint64_t *stored;

    if (parent && code == PROP(INTEGRATED_SCHEDULER_ENABLED)) {
        *val = emuhv_options.scheduler == EMUHV_SCHED_ROOT;
        return HV_STATUS_SUCCESS;
    }
    if (!prop) {
        return HV_STATUS_UNKNOWN_PROPERTY;
    }
    if (parent && (!prop->host || emuhv_answers(EMUHV_NO_HOST_PROPERTIES))) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (prop->home == HOME_VP) {
        return parent ? emuhv_vp_property_host(code, val)
                      : emuhv_vp_property_get(p, code, val);
    }
    if (prop->home == HOME_MEMORY) {
        if (emuhv_answers(EMUHV_NO_PAGE_TRACKING)) {
            return HV_STATUS_ACCESS_DENIED;
        }
        *val = emuhv_stage2_tracks(p);
        return HV_STATUS_SUCCESS;
    }
    stored = g_hash_table_lookup(p->account->properties,
                                 GUINT_TO_POINTER(code));
    *val = stored ? *stored : prop->initial;
    return HV_STATUS_SUCCESS;
}

static bool settable(const EmuhvPartition *p, const Property *prop)
{
    switch (p->state) {
    case EMUHV_PARTITION_CREATED:
        return prop->set & SET_EARLY;
    case EMUHV_PARTITION_ACTIVE:
        return prop->set & SET_LATE;
    default:
        return false;
    }
}

uint16_t emuhv_property_set(EmuhvPartition *p, uint32_t code, uint64_t val)
{
    const Property *prop = find(code);

    if (!prop) {
        return HV_STATUS_UNKNOWN_PROPERTY;
    }
    if (prop->set == SET_NEVER) {
        return HV_STATUS_OPERATION_DENIED;
    }
    if (!settable(p, prop)) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    trace_emuhv_property(p->id, code, val);
    if (prop->home == HOME_VP) {
        return emuhv_vp_property_set(p, code, val);
    }
    if (val > prop->max) {
        return HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE;
    }
    if (prop->home == HOME_MEMORY) {
        if (emuhv_answers(EMUHV_NO_PAGE_TRACKING)) {
            return HV_STATUS_ACCESS_DENIED;
        }
        if (!emuhv_stage2_track(p, val)) {
            return HV_STATUS_OPERATION_DENIED;
        }
        emuhv_stage2_commit(p);
        return HV_STATUS_SUCCESS;
    }
    g_hash_table_insert(p->account->properties, GUINT_TO_POINTER(code),
                        g_memdup2(&val, sizeof(val)));
    return HV_STATUS_SUCCESS;
}

/* { u16 bank_count = 1; u16 reserved[3]; u64 bank } */
static size_t one_bank(uint8_t *out, uint64_t bank)
{
    stw_le_p(out, 1);
    stq_le_p(out + 8, bank);
    return 16;
}

uint16_t emuhv_property_get_ex(EmuhvPartition *p, uint32_t code, uint8_t *out,
                               size_t *len)
{
    uint64_t val;
    uint16_t status;

    switch (code) {
    case PROP(VMM_CAPABILITIES):
        val = VMM_CAP_OVERLAY_GPFN | VMM_CAP_ASSIGNABLE_FEATURES;
        if (emuhv_options.scheduler == EMUHV_SCHED_ROOT) {
            val |= VMM_CAP_ROOT_SCHEDULER;
        }
        *len = one_bank(out, val);
        return HV_STATUS_SUCCESS;
    case PROP(ASSIGNABLE_SYNTHETIC_PROC_FEATURES):
        if (emuhv_answers(EMUHV_NO_HOST_PROPERTIES)) {
            return HV_STATUS_ACCESS_DENIED;
        }
        status = emuhv_vp_property_host(PROP(SYNTHETIC_PROC_FEATURES), &val);
        if (status == HV_STATUS_SUCCESS) {
            *len = one_bank(out, val);
        }
        return status;
    default:
        status = emuhv_property_get(p, code, &val);
        if (status == HV_STATUS_SUCCESS) {
            stq_le_p(out, val);
            *len = sizeof(val);
        }
        return status;
    }
}
