/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what the parent wants to hear of a child, and
 * what it answers in advance: installed intercepts, CPUID and MSR results.
 */
#include "qemu/osdep.h"
#include "qemu/lockable.h"
#include "hw/i386/apic_internal.h"
#include "hw/emuhv/vp/vp-int.h"

EmuhvSettings *emuhv_settings_new(void)
{
    EmuhvSettings *s = g_new0(EmuhvSettings, 1);

    qemu_mutex_init(&s->lock);
    s->cpuid_icept = g_hash_table_new(NULL, NULL);
    s->msr_icept = g_hash_table_new(NULL, NULL);
    s->msr_actions = g_hash_table_new(NULL, NULL);
    s->cpuid_results = g_array_new(false, true, sizeof(EmuhvCpuidResult));
    return s;
}

void emuhv_settings_free(EmuhvSettings *s)
{
    g_hash_table_destroy(s->cpuid_icept);
    g_hash_table_destroy(s->msr_icept);
    g_hash_table_destroy(s->msr_actions);
    g_array_free(s->cpuid_results, true);
    qemu_mutex_destroy(&s->lock);
    g_free(s);
}

/* ---- Set by hypercalls ---- */

#define MSR_ACCESS  (HV_INTERCEPT_ACCESS_MASK_READ | \
                     HV_INTERCEPT_ACCESS_MASK_WRITE)

/* An emulator has no memory limit of its own: keep a broken parent small. */
#define MAX_SETTINGS 65536u
#define FEW_RESULTS  24u

static uint16_t set_or_clear(GHashTable *t, uint64_t key, uint32_t val)
{
    if (!val) {
        g_hash_table_remove(t, GSIZE_TO_POINTER(key));
    } else if (g_hash_table_size(t) >= MAX_SETTINGS &&
               !g_hash_table_contains(t, GSIZE_TO_POINTER(key))) {
        return HV_STATUS_NO_RESOURCES;
    } else {
        g_hash_table_insert(t, GSIZE_TO_POINTER(key), GUINT_TO_POINTER(val));
    }
    return HV_STATUS_SUCCESS;
}

static uint32_t look_up(GHashTable *t, uint64_t key)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(t, GSIZE_TO_POINTER(key)));
}

static void report_ipis(EmuhvSettings *s, uint32_t modes, uint32_t access)
{
    s->ipi_icepts = access ? s->ipi_icepts | modes : s->ipi_icepts & ~modes;
}

uint16_t emuhv_install_intercept(EmuhvPartition *p, uint32_t type,
                                 uint32_t access, uint64_t param)
{
    EmuhvSettings *s = p->settings;

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
        s->msr_all = access & MSR_ACCESS;
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_X64_MSR_INDEX:
        if (param > UINT32_MAX) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        return set_or_clear(s->msr_icept, param, access & MSR_ACCESS);
    case HV_INTERCEPT_TYPE_X64_CPUID:
        if (param > UINT32_MAX) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        return set_or_clear(s->cpuid_icept, param, access);
    case HV_INTERCEPT_TYPE_X64_GLOBAL_CPUID:
        s->cpuid_all = access != 0;
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_EXCEPTION:
        if (param > 31) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        s->exceptions = (s->exceptions & ~(1u << param)) |
                        (access ? 1u << param : 0);
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_HYPERCALL:
        s->hypercall_icept = access != 0;
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_X64_APIC_SMI:
        report_ipis(s, 1u << APIC_DM_SMI, access);
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_X64_APIC_INIT_SIPI:
        if (emuhv_answers(EMUHV_NO_INIT_SIPI_INTERCEPT)) {
            return HV_STATUS_OPERATION_DENIED;
        }
        if (!emuhv_answers(EMUHV_SILENT_INIT_SIPI_INTERCEPT)) {
            report_ipis(s, 1u << APIC_DM_INIT | 1u << APIC_DM_SIPI, access);
        }
        return HV_STATUS_SUCCESS;
    case HV_INTERCEPT_TYPE_X64_APIC_WRITE:
        return HV_STATUS_OPERATION_DENIED;
    default:
        return HV_STATUS_INVALID_PARAMETER;
    }
}

uint16_t emuhv_cpuid_result(EmuhvPartition *p, const EmuhvCpuidResult *r)
{
    GArray *a = p->settings->cpuid_results;

    QEMU_LOCK_GUARD(&p->settings->lock);
    for (unsigned i = 0; i < a->len; i++) {
        EmuhvCpuidResult *o = &g_array_index(a, EmuhvCpuidResult, i);

        if (o->eax == r->eax && o->vp_index == r->vp_index &&
            o->subleaf_specific == r->subleaf_specific &&
            (!r->subleaf_specific || o->ecx == r->ecx)) {
            *o = *r;
            return HV_STATUS_SUCCESS;
        }
    }
    if (a->len >= (emuhv_answers(EMUHV_FEW_CPUID_RESULTS) ? FEW_RESULTS
                                                          : MAX_SETTINGS)) {
        return HV_STATUS_NO_RESOURCES;
    }
    g_array_append_val(a, *r);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_msr_result(EmuhvPartition *p, uint32_t msr, bool write,
                          EmuhvMsrAction action)
{
    QEMU_LOCK_GUARD(&p->settings->lock);
    return set_or_clear(p->settings->msr_actions, (uint64_t)msr << 1 | write,
                        action + 1);
}

/* ---- Asked by VPs ---- */

bool emuhv_cpuid_intercepted(EmuhvPartition *p, uint32_t leaf)
{
    QEMU_LOCK_GUARD(&p->settings->lock);
    return p->settings->cpuid_all || look_up(p->settings->cpuid_icept, leaf);
}

static uint32_t access_mask(bool write)
{
    return write ? HV_INTERCEPT_ACCESS_MASK_WRITE
                 : HV_INTERCEPT_ACCESS_MASK_READ;
}

bool emuhv_msr_intercepted(EmuhvPartition *p, uint32_t msr, bool write)
{
    QEMU_LOCK_GUARD(&p->settings->lock);
    return look_up(p->settings->msr_icept, msr) & access_mask(write);
}

/* What to do with an MSR that the hypervisor does not have. */
EmuhvMsrAction emuhv_msr_action(EmuhvPartition *p, uint32_t msr, bool write)
{
    EmuhvSettings *s = p->settings;
    uint32_t action;

    QEMU_LOCK_GUARD(&s->lock);
    action = look_up(s->msr_actions, (uint64_t)msr << 1 | write);
    if (action) {
        return action - 1;
    }
    /* Who asks to ignore them does not want to hear of them either. */
    return s->msr_action ? EMUHV_MSR_IGNORE_ZERO :
           s->msr_all & access_mask(write) ? EMUHV_MSR_INTERCEPT
                                           : EMUHV_MSR_FAULT;
}
