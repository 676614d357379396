/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: life cycle of partitions and their VPs.
 *
 * CREATED -> initialize -> ACTIVE -> finalize -> FINALIZED -> delete.  DELETE
 * is also taken in CREATED.  Unmap and withdraw come after finalize
 * (drivers/hv/mshv_root_main.c:destroy_partition()).
 */
#include "qemu/osdep.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/emuhv.h"
#include "hw/emuhv/trace.h"

#define FLAG_NESTED HV_PARTITION_CREATION_FLAG_NESTED_VIRTUALIZATION_CAPABLE
#define FLAGS_REQUIRED \
    (HV_PARTITION_CREATION_FLAG_EXO_PARTITION | \
     HV_PARTITION_CREATION_FLAG_INTERCEPT_MESSAGE_PAGE_ENABLED)
#define FLAGS_ALLOWED \
    (FLAGS_REQUIRED | FLAG_NESTED | \
     HV_PARTITION_CREATION_FLAG_SMT_ENABLED_GUEST | \
     HV_PARTITION_CREATION_FLAG_GPA_SUPER_PAGES_ENABLED | \
     HV_PARTITION_CREATION_FLAG_LAPIC_ENABLED | \
     HV_PARTITION_CREATION_FLAG_X2APIC_CAPABLE)
#define FIRST_CHILD_ID 2
#define PARENT_ID      1

static EmuhvPartition *partition_new(uint64_t id)
{
    EmuhvPartition *p = g_new0(EmuhvPartition, 1);

    p->id = id;
    p->refs = 1;
    p->properties = g_hash_table_new_full(g_direct_hash, g_direct_equal,
                                          NULL, g_free);
    p->deposit = g_array_new(false, false, sizeof(uint64_t));
    p->stats.pfn[0] = p->stats.pfn[1] = EMUHV_NO_PFN;
    return p;
}

static EmuhvVpInfo *vp_info_new(EmuhvVp *vp)
{
    EmuhvVpInfo *vi = g_new0(EmuhvVpInfo, 1);

    vi->vp = vp;
    vi->stats.pfn[0] = vi->stats.pfn[1] = EMUHV_NO_PFN;
    return vi;
}

void emuhv_partitions_init(void)
{
    emuhv.next_id = FIRST_CHILD_ID;
    emuhv.deposited = g_hash_table_new_full(g_int64_hash, g_int64_equal,
                                            g_free, NULL);
    QLIST_INIT(&emuhv.partitions);
    QLIST_INIT(&emuhv.ports);
    emuhv.parent = partition_new(PARENT_ID);
    emuhv.parent->state = EMUHV_PARTITION_ACTIVE;
    for (unsigned i = 0; i < emuhv.machine->smp.cpus; i++) {
        emuhv.parent->vps[i] = vp_info_new(NULL);
    }
}

static void clear_stats_pages(EmuhvPartition *p)
{
    p->stats.pfn[0] = p->stats.pfn[1] = EMUHV_NO_PFN;
    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (p->vps[i]) {
            p->vps[i]->stats.pfn[0] = p->vps[i]->stats.pfn[1] = EMUHV_NO_PFN;
        }
    }
}

/* The upper half of a VP is gone; the VP layer still has the CPU. */
static void forget_vps(EmuhvPartition *p)
{
    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (p->vps[i]) {
            p->vps[i]->vp->owner = NULL;
            g_clear_pointer(&p->vps[i], g_free);
        }
    }
}

void emuhv_partitions_reset(void)
{
    EmuhvPartition *p;

    emuhv_ports_reset();
    QLIST_FOREACH(p, &emuhv.partitions, next) {
        emuhv_stats_partition_gone(p);
        forget_vps(p);
    }
    emuhv_vp_layer_reset();
    while ((p = QLIST_FIRST(&emuhv.partitions))) {
        QLIST_REMOVE(p, next);
        emuhv.n_partitions--;
        p->state = EMUHV_PARTITION_DELETED;
        emuhv_deposit_forget(p);
        emuhv_partition_unref(p);
    }
    emuhv_deposit_forget(emuhv.parent);
    clear_stats_pages(emuhv.parent);
}

EmuhvPartition *emuhv_partition_ref(EmuhvPartition *p)
{
    p->refs++;
    return p;
}

void emuhv_partition_unref(EmuhvPartition *p)
{
    if (!p || --p->refs) {
        return;
    }
    assert(p->state == EMUHV_PARTITION_DELETED);
    if (p->domain) {
        emuhv_domain_free(p->domain);
    }
    g_array_free(p->deposit, true);
    g_hash_table_destroy(p->properties);
    g_free(p);
}

EmuhvPartition *emuhv_partition_get(uint64_t id)
{
    EmuhvPartition *p;

    if (id == HV_PARTITION_ID_SELF) {
        return emuhv_partition_ref(emuhv.parent);
    }
    QLIST_FOREACH(p, &emuhv.partitions, next) {
        if (p->id == id) {
            return emuhv_partition_ref(p);
        }
    }
    return NULL;
}

uint16_t emuhv_partition_create(const EmuhvCreateArgs *args, uint64_t *id)
{
    EmuhvDomainConfig cfg = {
        .lapic = args->flags & HV_PARTITION_CREATION_FLAG_LAPIC_ENABLED,
        .x2apic = args->flags & HV_PARTITION_CREATION_FLAG_X2APIC_CAPABLE,
        .root_scheduler = emuhv.scheduler == EMUHV_SCHED_ROOT,
        .disabled_features = { args->disabled_features[0],
                               args->disabled_features[1] },
        .disabled_xsave = args->disabled_xsave,
        .xsave_pad = emuhv.xsave_pad,
    };
    EmuhvPartition *p;

    if ((args->flags & ~FLAGS_ALLOWED) ||
        (args->flags & FLAGS_REQUIRED) != FLAGS_REQUIRED ||
        !args->compat || args->compat > HV_COMPATIBILITY_21_H2) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (args->isolation || (args->flags & FLAG_NESTED)) {
        return HV_STATUS_PROCESSOR_FEATURE_NOT_SUPPORTED;
    }
    if (emuhv.n_partitions >= EMUHV_MAX_PARTITIONS) {
        return HV_STATUS_NO_RESOURCES;
    }
    p = partition_new(emuhv.next_id++);
    p->creation_flags = args->flags;
    cfg.partition_id = p->id;
    cfg.owner = p;
    p->domain = emuhv_domain_new(&cfg);
    QLIST_INSERT_HEAD(&emuhv.partitions, p, next);
    emuhv.n_partitions++;
    emuhv.partitions_created++;
    trace_emuhv_partition(p->id, "created");
    *id = p->id;
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_partition_initialize(EmuhvPartition *p)
{
    if (p == emuhv.parent) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (p->state != EMUHV_PARTITION_CREATED) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    p->state = EMUHV_PARTITION_ACTIVE;
    trace_emuhv_partition(p->id, "initialized");
    return HV_STATUS_SUCCESS;
}

EmuhvVpInfo *emuhv_partition_vp(EmuhvPartition *p, uint32_t index)
{
    return index < ARRAY_SIZE(p->vps) ? p->vps[index] : NULL;
}

static void free_vp_info(EmuhvPartition *p, uint32_t index)
{
    EmuhvVpInfo *vi = p->vps[index];

    p->vps[index] = NULL;
    emuhv_sched_vp_gone(p, vi);
    vi->vp->owner = NULL;
    g_free(vi);
}

uint16_t emuhv_partition_finalize(EmuhvPartition *p)
{
    if (p == emuhv.parent) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    /* From here on no other CPU's hypercall finds a VP of it. */
    p->state = EMUHV_PARTITION_FINALIZED;
    emuhv_stats_partition_gone(p);
    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (p->vps[i]) {
            free_vp_info(p, i);
        }
    }
    clear_stats_pages(p);
    emuhv_ports_drop(p);
    emuhv_domain_finalize(p->domain);
    emuhv_synic_forget(p->id);
    trace_emuhv_partition(p->id, "finalized");
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_partition_delete(EmuhvPartition *p)
{
    if (p == emuhv.parent) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (p->state != EMUHV_PARTITION_CREATED &&
        p->state != EMUHV_PARTITION_FINALIZED) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    p->state = EMUHV_PARTITION_DELETED;
    QLIST_REMOVE(p, next);
    emuhv.n_partitions--;
    emuhv_ports_drop(p);
    emuhv_deposit_forget(p);
    trace_emuhv_partition(p->id, "deleted");
    emuhv_partition_unref(p);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_partition_create_vp(EmuhvPartition *p, uint32_t index)
{
    EmuhvVp *vp;
    uint16_t status;

    if (p == emuhv.parent) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    status = emuhv_vp_create(p->domain, index, &vp);
    if (status != HV_STATUS_SUCCESS) {
        return status;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        /* Finalized meanwhile, and the VP with it. */
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    p->vps[index] = vp_info_new(vp);
    vp->owner = p->vps[index];
    emuhv.vps_created++;
    trace_emuhv_vp(p->id, index, "created");
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_partition_delete_vp(EmuhvPartition *p, uint32_t index)
{
    EmuhvVpInfo *vi = emuhv_partition_vp(p, index);
    EmuhvVp *vp;

    if (p == emuhv.parent) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    if (!vi) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    vp = vi->vp;
    free_vp_info(p, index);
    emuhv_vp_destroy(vp);
    trace_emuhv_vp(p->id, index, "deleted");
    return HV_STATUS_SUCCESS;
}
