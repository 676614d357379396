/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: partitions, from their creation to their end,
 * and what belongs to one as a whole: deposits, properties, ports, the schedule
 * of its VPs, statistics.
 */
#ifndef HW_EMUHV_PARTITION_H
#define HW_EMUHV_PARTITION_H

#include "hw/emuhv/base/base.h"
#include "hw/emuhv/parent/parent.h"

#define EMUHV_MAX_PARTITIONS    64

/* Mapped statistics pages of one object, by area (self, parent). */
typedef struct EmuhvStatsPages {
    uint64_t pfn[2];            /* EMUHV_NO_PFN: not mapped */
} EmuhvStatsPages;

/* What this room knows of a VP. */
typedef struct EmuhvVpSched {
    uint32_t home;              /* parent CPU that ran it last */
    uint64_t signals;           /* root scheduler signals sent so far */
    bool wait_signal;           /* the parent waits for a signal */
    uint32_t dispatched_by;     /* parent CPU + 1; 0: not dispatched */
    uint64_t dispatches;
    EmuhvStatsPages stats;
} EmuhvVpSched;

/* and of a partition */
typedef struct EmuhvAccount {
    GHashTable *properties;     /* stored values by code */
    GArray *deposit;            /* of uint64_t: page numbers of the parent */
    EmuhvStatsPages stats;
    uint64_t hypercalls;        /* of the parent that name this partition */
    uint64_t mapped_pages, unmapped_pages, map_calls;
    uint64_t doorbells;
    uint64_t peak_deposit;
    unsigned demands;           /* of memory, that a call failed for */
} EmuhvAccount;

typedef struct EmuhvPartitions {
    EmuhvPartition *parent;
    QLIST_HEAD(, EmuhvPartition) list;  /* children */
    unsigned n;
} EmuhvPartitions;

extern EmuhvPartitions emuhv_partitions;

/* ---- partition.c ---- */

/*
 * The partition with this id (HV_PARTITION_ID_SELF: the parent), with a
 * reference for the caller; NULL if there is none.
 */
EmuhvPartition *emuhv_partition_get(uint64_t id);
EmuhvPartition *emuhv_partition_ref(EmuhvPartition *p);
/* (drops the BQL) if it was the last one; NULL is fine. */
void emuhv_partition_unref(EmuhvPartition *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EmuhvPartition, emuhv_partition_unref)
/* NULL: no such VP. */
EmuhvVp *emuhv_partition_vp(EmuhvPartition *p, uint32_t index);

/* ---- life.c ---- */

void emuhv_partitions_init(void);
/* System reset: delete all children. */
void emuhv_partitions_reset(void);

typedef struct EmuhvCreateArgs {
    uint64_t flags;
    uint32_t compat;
    uint64_t disabled_features[2];
    uint64_t disabled_xsave;
    uint64_t isolation;
} EmuhvCreateArgs;

uint16_t emuhv_partition_create(const EmuhvCreateArgs *args, uint64_t *id);
/* From here on @p is a child. */
uint16_t emuhv_partition_initialize(EmuhvPartition *p);
/* (drops the BQL) */
uint16_t emuhv_partition_finalize(EmuhvPartition *p);
/* (drops the BQL) */
uint16_t emuhv_partition_delete(EmuhvPartition *p);
/* (drops the BQL) @p is active. */
uint16_t emuhv_partition_create_vp(EmuhvPartition *p, uint32_t index);
uint16_t emuhv_partition_delete_vp(EmuhvPartition *p, uint32_t index);

/* ---- deposit.c ---- */

/* All or nothing. */
uint16_t emuhv_deposit(EmuhvPartition *p, const uint64_t *pfns, unsigned n);
/* Takes back up to @n pages; returns how many. */
unsigned emuhv_withdraw(EmuhvPartition *p, uint64_t *pfns, unsigned n);
/* Pages in all deposits together */
uint64_t emuhv_deposited(void);

/* ---- properties.c ---- */

uint16_t emuhv_property_get(EmuhvPartition *p, uint32_t code, uint64_t *val);
/* (drops the BQL) of a child */
uint16_t emuhv_property_set(EmuhvPartition *p, uint32_t code, uint64_t val);
/* HvCallGetPartitionPropertyEx: @out is 4072 bytes, zeroed. */
uint16_t emuhv_property_get_ex(EmuhvPartition *p, uint32_t code, uint8_t *out,
                               size_t *len);

/* ---- ports.c ---- */

uint16_t emuhv_port_create(uint32_t id, uint64_t partition_id, uint32_t sint,
                           uint32_t target_vp);
/* (drops the BQL) */
uint16_t emuhv_port_delete(uint32_t id);
/* (drops the BQL) */
uint16_t emuhv_port_connect(EmuhvPartition *p, uint32_t connection_id,
                            uint32_t port_id, uint64_t gpa, uint64_t value,
                            uint64_t flags);
/* (drops the BQL) */
uint16_t emuhv_port_disconnect(EmuhvPartition *p, uint32_t connection_id);
/* emuhv_up.doorbell */
bool emuhv_ports_doorbell(EmuhvPartition *p, uint64_t gpa, unsigned size,
                          uint64_t value);

/* ---- scheduler.c ---- */

/* Outcome of a dispatch: HV_VP_DISPATCH_STATE_* and _EVENT_*. */
typedef struct EmuhvDispatchResult {
    bool pending;               /* the parent CPU waits inside the call */
    uint32_t state, event;
} EmuhvDispatchResult;

/* (drops the BQL) */
uint16_t emuhv_sched_dispatch(EmuhvParentCpu *pc, EmuhvPartition *p,
                              uint32_t vp_index, uint32_t flags,
                              hwaddr out_gpa, EmuhvDispatchResult *res);
void emuhv_sched_reset(void);
/* emuhv_up.intercepted and so on */
void emuhv_sched_intercepted(EmuhvVp *vp, EmuhvExitKind kind, uint32_t type);
void emuhv_sched_blocked(EmuhvVp *vp);
void emuhv_sched_unblocked(EmuhvVp *vp);

/* ---- stats.c: statistics pages ---- */

/* HvCallMapStatsPage2 and _UnmapStatsPage; @identity: 16 bytes. */
uint16_t emuhv_stats_map(uint32_t type, const uint8_t identity[16],
                         uint64_t pfn);
uint16_t emuhv_stats_unmap(uint32_t type, const uint8_t identity[16]);

/* ---- report.c: counters of partitions for people ---- */

void emuhv_report_exits(struct QDict *d, const uint64_t *exits);
void emuhv_report_partitions(struct QDict *d);

#endif /* HW_EMUHV_PARTITION_H */
