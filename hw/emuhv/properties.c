/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: partition properties.
 *
 * One row a property.  What a property does to VPs (time, CPUID, MSRs) is the
 * VP layer's; when it may be set, and by whom, is decided here.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/emuhv.h"
#include "trace.h"

typedef enum PropertyHome {
    HOME_DOMAIN,    /* the VP layer keeps it */
    HOME_HERE,      /* kept in EmuhvPartition.properties */
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

/* Kernel and client names: HV_PARTITION_PROPERTY_<name>. */
#define PROP_PRIVILEGE_FLAGS        0x00010000
#define PROP_SYNTHETIC_FEATURES     0x00010001
#define PROP_INTEGRATED_SCHEDULER   0x00020005
#define PROP_TIME_FREEZE            0x00030003
#define PROP_REFERENCE_TIME         0x00030005
#define PROP_PROCESSORS_PER_SOCKET  0x00050003
#define PROP_ACCESS_TRACKING        0x00050005
#define PROP_PA_BITS                0x00050010
#define PROP_UNIMPLEMENTED_MSR      0x00050017
#define PROP_VENDOR                 0x00060000
#define PROP_FEATURES               0x00060001
#define PROP_XSAVE_FEATURES         0x00060002
#define PROP_CL_FLUSH_SIZE          0x00060003
#define PROP_COMPAT_VERSION         0x00060005
#define PROP_PA_WIDTH               0x00060006
#define PROP_XSAVE_STATES           0x00060007
#define PROP_MAX_XSAVE_SIZE         0x00060008
#define PROP_CLOCK_FREQUENCY        0x00060009
#define PROP_FEATURES0              0x0006000a
#define PROP_FEATURES1              0x0006000b
#define PROP_GUEST_OS_ID            0x00070000
#define PROP_VIRT_FEATURES          0x00080000
#define PROP_VMM_CAPABILITIES       0x00090007
#define PROP_ASSIGNABLE_FEATURES    0x00090009

#define VMM_CAP_OVERLAY_GPFN        (1ull << 1)
#define VMM_CAP_ASSIGNABLE_FEATURES (1ull << 4)
#define VMM_CAP_ROOT_SCHEDULER      (1ull << 6)

static const Property table[] = {
    { PROP_PRIVILEGE_FLAGS,       HOME_HERE,   SET_EARLY,  false, 0,
      UINT64_MAX },
    { PROP_SYNTHETIC_FEATURES,    HOME_DOMAIN, SET_EARLY,  true },
    { PROP_TIME_FREEZE,           HOME_DOMAIN, SET_ALWAYS, false },
    { PROP_REFERENCE_TIME,        HOME_DOMAIN, SET_ALWAYS, false },
    { PROP_PROCESSORS_PER_SOCKET, HOME_HERE,   SET_EARLY,  false, 1,
      EMUHV_MAX_VP_INDEX + 1 },
    { PROP_ACCESS_TRACKING,       HOME_HERE,   SET_ALWAYS, false, 0, 1 },
    { PROP_PA_BITS,               HOME_DOMAIN, SET_NEVER,  true },
    { PROP_UNIMPLEMENTED_MSR,     HOME_DOMAIN, SET_ALWAYS, false },
    { PROP_VENDOR,                HOME_DOMAIN, SET_NEVER,  true },
    { PROP_FEATURES,              HOME_DOMAIN, SET_NEVER,  true },
    { PROP_XSAVE_FEATURES,        HOME_DOMAIN, SET_NEVER,  true },
    { PROP_CL_FLUSH_SIZE,         HOME_DOMAIN, SET_NEVER,  true },
    { PROP_COMPAT_VERSION,        HOME_HERE,   SET_NEVER,  true,
      HV_COMPATIBILITY_21_H2, 0 },
    { PROP_PA_WIDTH,              HOME_DOMAIN, SET_NEVER,  true },
    { PROP_XSAVE_STATES,          HOME_DOMAIN, SET_NEVER,  true },
    { PROP_MAX_XSAVE_SIZE,        HOME_DOMAIN, SET_NEVER,  true },
    { PROP_CLOCK_FREQUENCY,       HOME_DOMAIN, SET_NEVER,  true },
    { PROP_FEATURES0,             HOME_DOMAIN, SET_NEVER,  true },
    { PROP_FEATURES1,             HOME_DOMAIN, SET_NEVER,  true },
    { PROP_GUEST_OS_ID,           HOME_DOMAIN, SET_NEVER,  false },
    { PROP_VIRT_FEATURES,         HOME_HERE,   SET_NEVER,  true, 0, 0 },
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
    const Property *prop = find(code);
    uint64_t *stored;

    if (p == emuhv.parent && code == PROP_INTEGRATED_SCHEDULER) {
        *val = emuhv.scheduler == EMUHV_SCHED_ROOT;
        return HV_STATUS_SUCCESS;
    }
    if (!prop) {
        return HV_STATUS_UNKNOWN_PROPERTY;
    }
    if (p == emuhv.parent && !prop->host) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (prop->home == HOME_DOMAIN) {
        return p == emuhv.parent ?
               emuhv_host_get_property(code, val) :
               emuhv_domain_get_property(p->domain, code, val);
    }
    stored = g_hash_table_lookup(p->properties, GUINT_TO_POINTER(code));
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

    if (p == emuhv.parent) {
        return HV_STATUS_ACCESS_DENIED;
    }
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
    if (prop->home == HOME_DOMAIN) {
        return emuhv_domain_set_property(p->domain, code, val);
    }
    if (val > prop->max) {
        return HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE;
    }
    g_hash_table_insert(p->properties, GUINT_TO_POINTER(code),
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

uint16_t emuhv_property_get_ex(EmuhvPartition *p, uint32_t code, uint64_t arg,
                               uint8_t *out, size_t *len)
{
    uint64_t val;
    uint16_t status;

    switch (code) {
    case PROP_VMM_CAPABILITIES:
        val = VMM_CAP_OVERLAY_GPFN | VMM_CAP_ASSIGNABLE_FEATURES;
        if (emuhv.scheduler == EMUHV_SCHED_ROOT) {
            val |= VMM_CAP_ROOT_SCHEDULER;
        }
        *len = one_bank(out, val);
        return HV_STATUS_SUCCESS;
    case PROP_ASSIGNABLE_FEATURES:
        status = emuhv_host_get_property(PROP_SYNTHETIC_FEATURES, &val);
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
