/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: settings of a child partition that act on its
 * VPs: properties, installed intercepts, CPUID and MSR results.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "hw/emuhv/emuhv.h"
#include "hw/emuhv/vp-int.h"


#define PROP(name)  HV_PARTITION_PROPERTY_##name

#define VENDOR_AMD      0
#define VENDOR_INTEL    1

/* Synthetic features that a child can really use. */
#define SYNTHETIC_SUPPORTED     \
    (HV_SYNTH_FEATURE_HYPERVISOR_PRESENT | HV_SYNTH_FEATURE_HV1 | \
     HV_SYNTH_FEATURE_VP_RUN_TIME | HV_SYNTH_FEATURE_REFERENCE_COUNTER | \
     HV_SYNTH_FEATURE_SYNIC | HV_SYNTH_FEATURE_SYNTHETIC_TIMERS | \
     HV_SYNTH_FEATURE_INTR_CTRL | HV_SYNTH_FEATURE_HYPERCALL | \
     HV_SYNTH_FEATURE_VP_INDEX | HV_SYNTH_FEATURE_REFERENCE_TSC | \
     HV_SYNTH_FEATURE_FREQUENCY | HV_SYNTH_FEATURE_DIRECT_TIMERS)

static uint64_t vendor(X86CPU *cpu)
{
    CPUX86State *env = &cpu->env;

    return IS_INTEL_CPU(env) ? VENDOR_INTEL : VENDOR_AMD;
}

uint16_t emuhv_host_get_property(uint32_t code, uint64_t *val)
{
    X86CPU *cpu = emuhv_model_cpu();

    switch (code) {
    case PROP(SYNTHETIC_PROC_FEATURES):
        *val = SYNTHETIC_SUPPORTED;
        return HV_STATUS_SUCCESS;
    case PROP(PROCESSOR_VENDOR):
        *val = vendor(cpu);
        return HV_STATUS_SUCCESS;
    case PROP(PROCESSOR_XSAVE_FEATURES):
        *val = emuhv_xsave_features();
        return HV_STATUS_SUCCESS;
    case PROP(PROCESSOR_CL_FLUSH_SIZE):
        *val = 8;
        return HV_STATUS_SUCCESS;
    case PROP(PHYSICAL_ADDRESS_WIDTH):
        *val = cpu->phys_bits;
        return HV_STATUS_SUCCESS;
    case PROP(XSAVE_STATES):
        *val = emuhv_xsave_states(emuhv_model_features());
        return HV_STATUS_SUCCESS;
    case PROP(MAX_XSAVE_DATA_SIZE):
        *val = emuhv_xsave_size(emuhv_model_features(), emuhv.xsave_pad);
        return HV_STATUS_SUCCESS;
    case PROP(PROCESSOR_CLOCK_FREQUENCY):
        *val = emuhv_tsc_hz();
        return HV_STATUS_SUCCESS;
    case PROP(PROCESSOR_FEATURES0):
    case PROP(PROCESSOR_FEATURES1):
        *val = emuhv_processor_features(code - PROP(PROCESSOR_FEATURES0));
        return HV_STATUS_SUCCESS;
    default:
        return HV_STATUS_UNKNOWN_PROPERTY;
    }
}

uint16_t emuhv_domain_get_property(EmuhvDomain *d, uint32_t code,
                                   uint64_t *val)
{
    uint16_t status;

    switch (code) {
    case PROP(SYNTHETIC_PROC_FEATURES):
        *val = d->s->synth_features;
        return HV_STATUS_SUCCESS;
    case PROP(TIME_FREEZE):
        *val = d->s->time_frozen;
        return HV_STATUS_SUCCESS;
    case PROP(REFERENCE_TIME):
        *val = emuhv_domain_reftime(d);
        return HV_STATUS_SUCCESS;
    case PROP(UNIMPLEMENTED_MSR_ACTION):
        *val = d->s->msr_action;
        return HV_STATUS_SUCCESS;
    case PROP(GUEST_OS_ID):
        *val = d->s->guest_os_id;
        return HV_STATUS_SUCCESS;
    case PROP(PROCESSOR_FEATURES0):
    case PROP(PROCESSOR_FEATURES1):
        status = emuhv_host_get_property(code, val);
        *val &= ~d->cfg.disabled_features[code - PROP(PROCESSOR_FEATURES0)];
        return status;
    case PROP(PROCESSOR_XSAVE_FEATURES):
        status = emuhv_host_get_property(code, val);
        *val &= ~d->cfg.disabled_xsave;
        return status;
    case PROP(MAX_XSAVE_DATA_SIZE):
        *val = emuhv_xsave_size(emuhv_model_features(), d->cfg.xsave_pad);
        return HV_STATUS_SUCCESS;
    default:
        return emuhv_host_get_property(code, val);
    }
}

uint16_t emuhv_domain_set_property(EmuhvDomain *d, uint32_t code, uint64_t val)
{
    switch (code) {
    case PROP(SYNTHETIC_PROC_FEATURES):
        d->s->synth_features = val;
        return HV_STATUS_SUCCESS;
    case PROP(TIME_FREEZE):
        if (val > 1) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        emuhv_domain_freeze(d, val);
        return HV_STATUS_SUCCESS;
    case PROP(REFERENCE_TIME):
        if (!d->s->time_frozen) {
            return HV_STATUS_INVALID_PARTITION_STATE;
        }
        emuhv_domain_set_reftime(d, val);
        return HV_STATUS_SUCCESS;
    case PROP(UNIMPLEMENTED_MSR_ACTION):
        if (val > 1) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        d->s->msr_action = val;
        return HV_STATUS_SUCCESS;
    default:
        return HV_STATUS_OPERATION_DENIED;
    }
}

/* ---- Intercepts ---- */

/* An emulator has no memory limit of its own: keep a broken parent small. */
#define MAX_SETTINGS 65536u

static uint16_t set_or_clear(GHashTable *t, uint32_t key, uint32_t val)
{
    if (!val) {
        g_hash_table_remove(t, GUINT_TO_POINTER(key));
    } else if (g_hash_table_size(t) >= MAX_SETTINGS &&
               !g_hash_table_contains(t, GUINT_TO_POINTER(key))) {
        return HV_STATUS_NO_RESOURCES;
    } else {
        g_hash_table_insert(t, GUINT_TO_POINTER(key), GUINT_TO_POINTER(val));
    }
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_domain_install_intercept(EmuhvDomain *d, uint32_t type,
                                        uint32_t access, uint64_t param)
{
    struct EmuhvDomainState *s = d->s;

    if (access & ~7u) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    QEMU_LOCK_GUARD(&s->lock);
    switch (type) {
    case HV_INTERCEPT_TYPE_X64_IO_PORT:
    case HV_INTERCEPT_TYPE_MMIO:
        /* Children have no devices: these are always intercepted. */
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_X64_MSR:
        s->msr_all = access;
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_X64_MSR_INDEX:
        if (param > UINT32_MAX) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        return set_or_clear(s->msr_icept, param, access & 3);
    case HV_INTERCEPT_TYPE_X64_CPUID:
        if (param > UINT32_MAX) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        return set_or_clear(s->cpuid_icept, param, access);
    case HV_INTERCEPT_TYPE_X64_GLOBAL_CPUID:
        s->cpuid_all = access;
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_EXCEPTION:
        if (param > 31) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        s->exceptions = (s->exceptions & ~(1u << param)) |
                        (access ? 1u << param : 0);
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_HYPERCALL:
        s->hypercall_icept = access;
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_X64_APIC_SMI:
    case HV_INTERCEPT_TYPE_X64_APIC_INIT_SIPI:
    case HV_INTERCEPT_TYPE_X64_APIC_WRITE:
        return HV_STATUS_OPERATION_DENIED;
    default:
        return HV_STATUS_INVALID_PARAMETER;
    }
}

uint16_t emuhv_domain_cpuid_result(EmuhvDomain *d, const EmuhvCpuidResult *r)
{
    GArray *a = d->s->cpuid_results;

    QEMU_LOCK_GUARD(&d->s->lock);
    for (unsigned i = 0; i < a->len; i++) {
        EmuhvCpuidResult *o = &g_array_index(a, EmuhvCpuidResult, i);

        if (o->eax == r->eax && o->vp_index == r->vp_index &&
            o->subleaf_specific == r->subleaf_specific &&
            (!r->subleaf_specific || o->ecx == r->ecx)) {
            *o = *r;
            return HV_STATUS_SUCCESS;
        }
    }
    if (a->len >= MAX_SETTINGS) {
        return HV_STATUS_NO_RESOURCES;
    }
    g_array_append_val(a, *r);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_domain_msr_result(EmuhvDomain *d, uint32_t msr, uint32_t access,
                                 EmuhvMsrAction action)
{
    QEMU_LOCK_GUARD(&d->s->lock);
    return set_or_clear(d->s->msr_actions, msr, action + 1);
}

/* ---- Asked by VPs ---- */

bool emuhv_cpuid_intercepted(EmuhvDomain *d, uint32_t leaf)
{
    QEMU_LOCK_GUARD(&d->s->lock);
    return d->s->cpuid_all ||
           g_hash_table_contains(d->s->cpuid_icept, GUINT_TO_POINTER(leaf));
}

bool emuhv_msr_intercepted(EmuhvDomain *d, uint32_t msr, bool write)
{
    guint mask;

    QEMU_LOCK_GUARD(&d->s->lock);
    mask = GPOINTER_TO_UINT(g_hash_table_lookup(d->s->msr_icept,
                                                GUINT_TO_POINTER(msr)));
    return mask & (write ? 2 : 1);
}

/* What to do with an MSR that the hypervisor does not have. */
EmuhvMsrAction emuhv_msr_action(EmuhvDomain *d, uint32_t msr)
{
    guint action;

    QEMU_LOCK_GUARD(&d->s->lock);
    action = GPOINTER_TO_UINT(g_hash_table_lookup(d->s->msr_actions,
                                                  GUINT_TO_POINTER(msr)));
    if (action) {
        return action - 1;
    }
    /* Who asks to ignore them does not want to hear of them either. */
    return d->s->msr_action ? EMUHV_MSR_IGNORE_ZERO :
           d->s->msr_all ? EMUHV_MSR_INTERCEPT : EMUHV_MSR_FAULT;
}
