/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: partitions as objects.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/interrupts/interrupts.h"
#include "hw/emuhv/memory/memory.h"
#include "hw/emuhv/partition/partition-int.h"
#include "hw/emuhv/vp/vp.h"

EmuhvPartitions emuhv_partitions;

EmuhvPartition *emuhv_partition_new(uint64_t id)
{
    EmuhvPartition *p = g_new0(EmuhvPartition, 1);

    p->id = id;
    p->refs = 1;
    p->account = g_new0(EmuhvAccount, 1);
    p->account->properties = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    p->account->deposit = g_array_new(false, false, sizeof(uint64_t));
    emuhv_stats_pages_clear(&p->account->stats);
    return p;
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
    /* Only a child, and without VPs */
    emuhv_stage2_free(p->s2);
    g_free(p->irq);
    emuhv_settings_free(p->settings);
    g_array_free(p->account->deposit, true);
    g_hash_table_destroy(p->account->properties);
    g_free(p->account);
    g_free(p);
}

EmuhvPartition *emuhv_partition_get(uint64_t id)
{
    EmuhvPartition *p;

    if (id == HV_PARTITION_ID_SELF) {
        return emuhv_partition_ref(emuhv_partitions.parent);
    }
    QLIST_FOREACH(p, &emuhv_partitions.list, next) {
        if (p->id == id) {
            return emuhv_partition_ref(p);
        }
    }
    return NULL;
}

EmuhvVp *emuhv_partition_vp(EmuhvPartition *p, uint32_t index)
{
    EmuhvVp *vp = index < ARRAY_SIZE(p->vps) ? p->vps[index] : NULL;

    return vp && vp->sched ? vp : NULL;
}
