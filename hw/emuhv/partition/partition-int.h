/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what the files of partition/ share.
 */
#ifndef HW_EMUHV_PARTITION_INT_H
#define HW_EMUHV_PARTITION_INT_H

#include "hw/emuhv/partition/partition.h"
#include "hw/emuhv/trace.h"

/* ---- partition.c ---- */

/* A partition without parts of the rooms below */
EmuhvPartition *emuhv_partition_new(uint64_t id);

static inline void emuhv_stats_pages_clear(EmuhvStatsPages *sp)
{
    sp->pfn[0] = sp->pfn[1] = EMUHV_NO_PFN;
}

/* ---- deposit.c, ports.c, scheduler.c, stats.c: a partition or VP goes ---- */

void emuhv_deposit_forget(EmuhvPartition *p);
/* Cut its connections and forget its ports. */
void emuhv_ports_drop(EmuhvPartition *p);
void emuhv_ports_reset(void);
/* The VP stops to exist: complete the dispatch and wait for nothing. */
void emuhv_sched_vp_gone(EmuhvVp *vp);
void emuhv_stats_init(void);
void emuhv_stats_reset(void);
/* Counter 202: the parent's thread of this VP must stay blocked. */
void emuhv_stats_blocked(EmuhvVp *vp, bool blocked);
/* Note the counters of a partition that goes away. */
void emuhv_report_gone(EmuhvPartition *p);

#endif /* HW_EMUHV_PARTITION_INT_H */
