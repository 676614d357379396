/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: life cycle of partitions and their VPs.
 *
 * CREATED -> initialize -> ACTIVE -> finalize -> FINALIZED -> delete.  DELETE
 * is also taken in CREATED.  Unmap and withdraw come after finalize
 * (drivers/hv/mshv_root_main.c:destroy_partition()).
 */
#include "qemu/osdep.h"
#include "hw/boards.h"
#include "hw/emuhv/interrupts/interrupts.h"
#include "hw/emuhv/memory/memory.h"
#include "hw/emuhv/partition/partition-int.h"
#include "hw/emuhv/vp/vp.h"

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

static uint64_t next_id = FIRST_CHILD_ID;

void emuhv_partitions_init(void)
{
    QLIST_INIT(&emuhv_partitions.list);
    emuhv_partitions.parent = emuhv_partition_new(PARENT_ID);
    emuhv_partitions.parent->state = EMUHV_PARTITION_ACTIVE;
    emuhv_stats_init();
}

static void sched_free(EmuhvVp *vp)
{
    g_clear_pointer(&vp->sched, g_free);
}

void emuhv_partitions_reset(void)
{
    EmuhvPartition *p;

    emuhv_sched_reset();
    emuhv_ports_reset();
    QLIST_FOREACH(p, &emuhv_partitions.list, next) {
        emuhv_report_gone(p);
        for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
            if (p->vps[i]) {
                sched_free(p->vps[i]);
            }
        }
    }
    emuhv_vps_reset();
    while ((p = QLIST_FIRST(&emuhv_partitions.list))) {
        QLIST_REMOVE(p, next);
        emuhv_partitions.n--;
        p->state = EMUHV_PARTITION_DELETED;
        emuhv_deposit_forget(p);
        emuhv_partition_unref(p);
    }
    emuhv_deposit_forget(emuhv_partitions.parent);
    emuhv_stats_reset();
}

uint16_t emuhv_partition_create(const EmuhvCreateArgs *args, uint64_t *id)
{
    EmuhvPartition *p;

    if ((args->flags & ~FLAGS_ALLOWED) ||
        (args->flags & FLAGS_REQUIRED) != FLAGS_REQUIRED ||
        !args->compat || args->compat > HV_COMPATIBILITY_21_H2) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (args->isolation || (args->flags & FLAG_NESTED)) {
        return HV_STATUS_PROCESSOR_FEATURE_NOT_SUPPORTED;
    }
    if (emuhv_partitions.n >= (emuhv_answers(EMUHV_FEW_PARTITIONS)
                               ? 1 : EMUHV_MAX_PARTITIONS)) {
        return HV_STATUS_NO_RESOURCES;
    }
    p = emuhv_partition_new(next_id++);
    p->cfg = (EmuhvPartitionConfig) {
        .lapic = args->flags & HV_PARTITION_CREATION_FLAG_LAPIC_ENABLED,
        .x2apic = args->flags & HV_PARTITION_CREATION_FLAG_X2APIC_CAPABLE,
        .root_scheduler = emuhv_options.scheduler == EMUHV_SCHED_ROOT,
        .disabled_features = { args->disabled_features[0],
                               args->disabled_features[1] },
        .disabled_xsave = args->disabled_xsave,
        .xsave_pad = emuhv_options.xsave_pad,
    };
    p->s2 = emuhv_stage2_new();
    p->irq = emuhv_irq_new();
    p->settings = emuhv_settings_new();
    QLIST_INSERT_HEAD(&emuhv_partitions.list, p, next);
    emuhv_partitions.n++;
    emuhv_counters.partitions_created++;
    trace_emuhv_partition(p->id, "created");
    *id = p->id;
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_partition_initialize(EmuhvPartition *p)
{
    if (p->state != EMUHV_PARTITION_CREATED) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    p->state = EMUHV_PARTITION_ACTIVE;
    trace_emuhv_partition(p->id, "initialized");
    return HV_STATUS_SUCCESS;
}

/* From here on no other CPU's hypercall finds the VP. */
static void vp_gone(EmuhvVp *vp)
{
    emuhv_sched_vp_gone(vp);
    sched_free(vp);
}

uint16_t emuhv_partition_finalize(EmuhvPartition *p)
{
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    p->state = EMUHV_PARTITION_FINALIZED;
    emuhv_report_gone(p);
    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (emuhv_partition_vp(p, i)) {
            vp_gone(p->vps[i]);
        }
    }
    emuhv_stats_pages_clear(&p->account->stats);
    emuhv_ports_drop(p);
    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (p->vps[i]) {
            emuhv_vp_destroy(p->vps[i]);
        }
    }
    emuhv_parent_forget(p->id);
    trace_emuhv_partition(p->id, "finalized");
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_partition_delete(EmuhvPartition *p)
{
    if (p->state != EMUHV_PARTITION_CREATED &&
        p->state != EMUHV_PARTITION_FINALIZED) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    p->state = EMUHV_PARTITION_DELETED;
    QLIST_REMOVE(p, next);
    emuhv_partitions.n--;
    emuhv_ports_drop(p);
    emuhv_deposit_forget(p);
    trace_emuhv_partition(p->id, "deleted");
    emuhv_partition_unref(p);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_partition_create_vp(EmuhvPartition *p, uint32_t index)
{
    EmuhvVp *vp;
    uint16_t status = emuhv_vp_create(p, index, &vp);

    if (status != HV_STATUS_SUCCESS) {
        return status;
    }
    vp->sched = g_new0(EmuhvVpSched, 1);
    emuhv_stats_pages_clear(&vp->sched->stats);
    emuhv_counters.vps_created++;
    trace_emuhv_vp(p->id, index, "created");
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_partition_delete_vp(EmuhvPartition *p, uint32_t index)
{
    EmuhvVp *vp = emuhv_partition_vp(p, index);

    if (!vp) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    vp_gone(vp);
    emuhv_vp_destroy(vp);
    trace_emuhv_vp(p->id, index, "deleted");
    return HV_STATUS_SUCCESS;
}
