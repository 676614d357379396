/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: partition properties that say what a child's
 * processors have, or act on its VPs.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/vp/vp-int.h"

#define PROP(name)  HV_PARTITION_PROPERTY_##name

#define VENDOR_AMD      0
#define VENDOR_INTEL    1

/* Synthetic features that a child can really use */
#define SYNTHETIC_CALLS         \
    (HV_SYNTH_FEATURE_EXTENDED_GVA_RANGES | \
     HV_SYNTH_FEATURE_EXTENDED_PROCESSOR_MASKS | \
     HV_SYNTH_FEATURE_TB_FLUSH_HYPERCALLS | HV_SYNTH_FEATURE_CLUSTER_IPI | \
     HV_SYNTH_FEATURE_LONG_SPIN_WAIT)
#define SYNTHETIC_SUPPORTED     \
    (HV_SYNTH_FEATURE_HYPERVISOR_PRESENT | HV_SYNTH_FEATURE_HV1 | \
     HV_SYNTH_FEATURE_VP_RUN_TIME | HV_SYNTH_FEATURE_REFERENCE_COUNTER | \
     HV_SYNTH_FEATURE_SYNIC | HV_SYNTH_FEATURE_SYNTHETIC_TIMERS | \
     HV_SYNTH_FEATURE_INTR_CTRL | HV_SYNTH_FEATURE_HYPERCALL | \
     HV_SYNTH_FEATURE_VP_INDEX | HV_SYNTH_FEATURE_REFERENCE_TSC | \
     HV_SYNTH_FEATURE_FREQUENCY | HV_SYNTH_FEATURE_DIRECT_TIMERS | \
     SYNTHETIC_CALLS)

static uint64_t vendor(X86CPU *cpu)
{
    CPUX86State *env = &cpu->env;

    return IS_INTEL_CPU(env) ? VENDOR_INTEL : VENDOR_AMD;
}

static uint64_t synthetic_supported(void)
{
    return emuhv_answers(EMUHV_NO_GUEST_CALLS)
           ? SYNTHETIC_SUPPORTED & ~SYNTHETIC_CALLS : SYNTHETIC_SUPPORTED;
}

/* What is not served is not given, or else the whole word is refused. */
static uint16_t set_synthetic(EmuhvPartition *p, uint64_t val)
{
    uint64_t has = synthetic_supported();

    if ((val & ~has) && emuhv_answers(EMUHV_PICKY_FEATURES)) {
        return HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE;
    }
    p->irq->synth_features = val & has;
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_vp_property_host(uint32_t code, uint64_t *val)
{
    EmuhvVp *model = emuhv_pool_model();
    X86CPU *cpu = model->base.cpu;

    switch (code) {
    case PROP(SYNTHETIC_PROC_FEATURES):
        *val = synthetic_supported();
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
        *val = emuhv_child_address_bits();
        return HV_STATUS_SUCCESS;
    case PROP(XSAVE_STATES):
        *val = emuhv_xsave_states(model->features);
        return HV_STATUS_SUCCESS;
    case PROP(MAX_XSAVE_DATA_SIZE):
        *val = emuhv_xsave_size(model->features, emuhv_options.xsave_pad);
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

uint16_t emuhv_vp_property_get(EmuhvPartition *p, uint32_t code,
                                   uint64_t *val)
{
    uint16_t status;

    switch (code) {
    case PROP(SYNTHETIC_PROC_FEATURES):
        *val = p->irq->synth_features;
        return HV_STATUS_SUCCESS;
    case PROP(TIME_FREEZE):
        *val = p->irq->time_frozen;
        return HV_STATUS_SUCCESS;
    case PROP(REFERENCE_TIME):
        *val = emuhv_reftime(p);
        return HV_STATUS_SUCCESS;
    case PROP(UNIMPLEMENTED_MSR_ACTION):
        *val = p->settings->msr_action;
        return HV_STATUS_SUCCESS;
    case PROP(GUEST_OS_ID):
        *val = p->irq->guest_os_id;
        return HV_STATUS_SUCCESS;
    case PROP(PROCESSOR_FEATURES0):
    case PROP(PROCESSOR_FEATURES1):
        status = emuhv_vp_property_host(code, val);
        *val &= ~p->cfg.disabled_features[code - PROP(PROCESSOR_FEATURES0)];
        return status;
    case PROP(PROCESSOR_XSAVE_FEATURES):
        status = emuhv_vp_property_host(code, val);
        *val &= ~p->cfg.disabled_xsave;
        return status;
    case PROP(MAX_XSAVE_DATA_SIZE):
        *val = emuhv_xsave_size(emuhv_pool_model()->features, p->cfg.xsave_pad);
        return HV_STATUS_SUCCESS;
    default:
        return emuhv_vp_property_host(code, val);
    }
}

uint16_t emuhv_vp_property_set(EmuhvPartition *p, uint32_t code, uint64_t val)
{
    switch (code) {
    case PROP(SYNTHETIC_PROC_FEATURES):
        return set_synthetic(p, val);
    case PROP(TIME_FREEZE):
        if (val > 1) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        emuhv_synth_freeze(p, val);
        return HV_STATUS_SUCCESS;
    case PROP(REFERENCE_TIME):
        if (!p->irq->time_frozen) {
            return HV_STATUS_INVALID_PARTITION_STATE;
        }
        p->irq->frozen_at = val;
        return HV_STATUS_SUCCESS;
    case PROP(UNIMPLEMENTED_MSR_ACTION):
        if (val > 1) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        p->settings->msr_action = val;
        return HV_STATUS_SUCCESS;
    default:
        return HV_STATUS_OPERATION_DENIED;
    }
}
