/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: partitions, parent CPUs, hypercalls.
 *
 * The machine's own CPUs run the parent partition; CPUs of a pool run the VPs
 * of its children (vp.h).  All state here is protected by the BQL.
 *
 * A function that "drops the BQL" may wait for a VP's thread; whatever was
 * looked up before must be looked up again, or be held by a reference.
 */
#ifndef HW_EMUHV_EMUHV_H
#define HW_EMUHV_EMUHV_H

#include "qemu/queue.h"
#include "qapi/error.h"
#include "hw/boards.h"
#include "hw/emuhv/vp.h"

#define EMUHV_PAGE_BITS         12
#define EMUHV_PAGE_SIZE         4096u
#define EMUHV_MAX_PARTITIONS    64
#define EMUHV_MAX_PARENT_CPUS   64
#define EMUHV_MAX_POOL          1024
/* GPA of the pre-provisioned SIMP and SIEFP pages, two for each parent CPU. */
#define EMUHV_OVERLAY_BASE      0xfef00000u
/* Number by which the parent's CPUID 0x40000002 names the hypervisor. */
#define EMUHV_BUILD             27744
#define EMUHV_SINTS             16
#define EMUHV_MSG_SIZE          256

typedef struct EmuHv EmuHv;
typedef struct EmuhvPartition EmuhvPartition;
typedef struct EmuhvParentCpu EmuhvParentCpu;
typedef struct EmuhvVpInfo EmuhvVpInfo;

typedef enum EmuhvScheduler {
    EMUHV_SCHED_CORE,           /* VPs run on threads of the hypervisor */
    EMUHV_SCHED_ROOT,           /* VPs run inside HvCallDispatchVp */
} EmuhvScheduler;

/* A SynIC message that waits for its slot. */
typedef struct EmuhvMsg {
    QSIMPLEQ_ENTRY(EmuhvMsg) next;
    uint8_t data[EMUHV_MSG_SIZE];
} EmuhvMsg;

typedef QSIMPLEQ_HEAD(, EmuhvMsg) EmuhvMsgQueue;

/* HvCallDispatchVp in progress on a parent CPU. */
typedef struct EmuhvDispatchSlot {
    EmuhvPartition *partition;  /* a reference; NULL: slot free */
    uint32_t vp_index;
    uint64_t rip;               /* of the hypercall instruction */
    bool done;                  /* the fields below are valid */
    uint16_t status;
    uint32_t state, event;
    hwaddr out_gpa;
} EmuhvDispatchSlot;

/* A CPU of the parent partition. */
struct EmuhvParentCpu {
    EmuhvCpu base;              /* must be first */
    unsigned index;             /* VP index of the parent */
    /* Synthetic MSRs that are per CPU */
    uint64_t vp_assist;
    uint64_t scontrol, simp, siefp, sirbp;
    uint64_t sint[EMUHV_SINTS];
    EmuhvMsgQueue queue;        /* for slot 0 of the SIMP */
    /* Ports that found the event ring full, and the next entry to write */
    uint8_t ring_head[EMUHV_SINTS];
    GArray *ring_pending;       /* of uint32_t: SINT << 24 | port */
    bool call_queued;           /* a hypercall waits to be handled */
    EmuhvDispatchSlot dispatch;
};

/* Mapped statistics pages of one object, by area (self, parent). */
typedef struct EmuhvStatsPages {
    uint64_t pfn[2];            /* EMUHV_NO_PFN: not mapped */
} EmuhvStatsPages;

/* What this layer knows of one VP, of a child or of the parent. */
struct EmuhvVpInfo {
    EmuhvVp *vp;                /* NULL for a CPU of the parent */
    uint32_t home;              /* parent CPU that ran it last */
    uint64_t signals;           /* root scheduler signals sent so far */
    bool wait_signal;           /* the parent waits for a signal */
    uint32_t dispatched_by;     /* parent CPU + 1; 0: not dispatched */
    uint64_t dispatches;
    EmuhvStatsPages stats;
};

typedef enum EmuhvPartitionState {
    EMUHV_PARTITION_CREATED,
    EMUHV_PARTITION_ACTIVE,
    EMUHV_PARTITION_FINALIZED,
    EMUHV_PARTITION_DELETED,    /* only references hold it */
} EmuhvPartitionState;

struct EmuhvPartition {
    QLIST_ENTRY(EmuhvPartition) next;
    uint64_t id;
    unsigned refs;
    EmuhvPartitionState state;
    uint64_t creation_flags;
    EmuhvDomain *domain;        /* NULL for the parent */
    EmuhvVpInfo *vps[EMUHV_MAX_VP_INDEX + 1];
    GHashTable *properties;     /* stored values by code */
    GArray *deposit;            /* of uint64_t: page numbers of the parent */
    EmuhvStatsPages stats;
    uint64_t hypercalls;        /* of the parent that name this partition */
    uint64_t mapped_pages, unmapped_pages, map_calls;
    uint64_t doorbells;
    uint64_t peak_deposit;
};

typedef struct EmuhvPort {
    QLIST_ENTRY(EmuhvPort) next;
    uint32_t id;
    uint64_t partition_id;      /* that may connect */
    uint32_t sint;
    uint32_t target_vp;         /* of the parent; ~0: any */
    bool connected;
    /* When connected: the doorbell */
    uint32_t connection_id;
    uint64_t gpa, value, flags;
} EmuhvPort;

struct EmuHv {
    MachineState *machine;
    /* Options */
    bool enabled;
    EmuhvScheduler scheduler;
    uint32_t pool_size;
    uint32_t xsave_pad;
    uint32_t odd_port;          /* above 0xffff: none */
    char *stats_file;
    /* Parent */
    EmuhvPartition *parent;
    EmuhvParentCpu *cpus[EMUHV_MAX_PARENT_CPUS];
    unsigned n_cpus;
    uint64_t guest_os_id, hypercall_msr, tsc_control;
    uint64_t crash[5];
    uint64_t tsc_hz;
    int64_t epoch_ns;           /* virtual clock at reset of the parent */
    EmuhvMsgQueue orphans;      /* messages while no SynIC is on */
    MemoryRegion overlay;
    /* Children */
    QLIST_HEAD(, EmuhvPartition) partitions;
    unsigned n_partitions;
    uint64_t next_id;
    QLIST_HEAD(, EmuhvPort) ports;
    GHashTable *deposited;      /* page numbers in any deposit (set) */
    /* Hypercalls that are being handled; a reset waits for them */
    unsigned calls_active;
    QemuCond calls_done;
    /* Totals since start (they survive a reset) */
    GHashTable *call_count;     /* code -> uint64_t: calls */
    GHashTable *call_errors;    /* code << 16 | status -> uint64_t */
    uint64_t exits[EMUHV_EXIT__MAX];
    uint64_t dispatches, signals, messages, doorbells, interrupts;
    uint64_t pages_mapped, partitions_created, vps_created;
};

extern EmuHv emuhv;

/* ---- emuhv.c ---- */


EmuhvParentCpu *emuhv_parent_cpu(X86CPU *cpu);
/* 100 ns units since the parent's last reset. */
uint64_t emuhv_parent_reftime(void);

/*
 * Copy between @buf and parent memory at @gpa; only RAM counts.  False, with
 * nothing promised about @buf, if any byte is not RAM (or is read-only and
 * written to).
 */
bool emuhv_ram_read(hwaddr gpa, void *buf, size_t len);
bool emuhv_ram_write(hwaddr gpa, const void *buf, size_t len);
/* Is the whole range RAM that may be written? */
bool emuhv_ram_valid(hwaddr gpa, size_t len);

/* ---- parent/cpuid.c, parent/msr.c: TCG helpers call these ---- */

/* @r: eax ebx ecx edx, in: what QEMU would answer. */
void emuhv_parent_cpuid(X86CPU *cpu, uint32_t leaf, uint32_t subleaf,
                        uint32_t r[4]);
/* False: not a synthetic MSR.  *gp: raise #GP(0). Takes the BQL. */
bool emuhv_parent_rdmsr(X86CPU *cpu, uint32_t msr, uint64_t *val, bool *gp);
bool emuhv_parent_wrmsr(X86CPU *cpu, uint32_t msr, uint64_t val, bool *gp);
void emuhv_parent_msr_init(void);
/* Frequency of the TSC; may take 20 ms to find out. */
uint64_t emuhv_tsc_hz(void);
/* INIT or reset of one parent CPU. */
void emuhv_parent_reset(X86CPU *cpu);

/* ---- parent/synic.c ---- */

void emuhv_synic_init(EmuhvParentCpu *pc);
void emuhv_synic_reset(EmuhvParentCpu *pc);
/* Forget all messages and reset every CPU's SynIC. */
void emuhv_synic_drop_all(void);
bool emuhv_synic_rdmsr(EmuhvParentCpu *pc, uint32_t msr, uint64_t *val);
/* False: #GP. */
bool emuhv_synic_wrmsr(EmuhvParentCpu *pc, uint32_t msr, uint64_t val);
/*
 * Send a message to the intercept SINT of parent CPU @cpu, or of another one if
 * that CPU's SynIC is off.
 */
void emuhv_synic_post(uint32_t cpu, uint32_t type, uint64_t sender,
                      const void *payload, size_t len);
/*
 * Drop queued messages of a partition that goes away: Linux would not take one
 * from a partition that it does not know, and slot 0 would stay full.
 */
void emuhv_synic_forget(uint64_t sender);
/* Put a port id into an event ring of ring @sint; cpu ~0: any CPU. */
void emuhv_synic_ring(uint32_t cpu, unsigned sint, uint32_t port);
/* HvCallNotifyPortRingEmpty */
uint16_t emuhv_synic_ring_empty(EmuhvParentCpu *pc, uint32_t sint);

/* ---- partition/partition.c ---- */

void emuhv_partitions_init(void);
/* System reset: delete all children, with the VP layer's part. */
void emuhv_partitions_reset(void);
/*
 * The partition with this id (HV_PARTITION_ID_SELF: the parent), with a
 * reference for the caller; NULL if there is none.
 */
EmuhvPartition *emuhv_partition_get(uint64_t id);
EmuhvPartition *emuhv_partition_ref(EmuhvPartition *p);
/* (drops the BQL) if it was the last one; NULL is fine. */
void emuhv_partition_unref(EmuhvPartition *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EmuhvPartition, emuhv_partition_unref)

typedef struct EmuhvCreateArgs {
    uint64_t flags;
    uint32_t compat;
    uint64_t disabled_features[2];
    uint64_t disabled_xsave;
    uint64_t isolation;
} EmuhvCreateArgs;

uint16_t emuhv_partition_create(const EmuhvCreateArgs *args, uint64_t *id);
uint16_t emuhv_partition_initialize(EmuhvPartition *p);
/* (drops the BQL) */
uint16_t emuhv_partition_finalize(EmuhvPartition *p);
/* (drops the BQL) */
uint16_t emuhv_partition_delete(EmuhvPartition *p);
/* (drops the BQL) */
uint16_t emuhv_partition_create_vp(EmuhvPartition *p, uint32_t index);
/* (drops the BQL) */
uint16_t emuhv_partition_delete_vp(EmuhvPartition *p, uint32_t index);
/* NULL: no such VP. */
EmuhvVpInfo *emuhv_partition_vp(EmuhvPartition *p, uint32_t index);

/* ---- partition/deposit.c ---- */

/* All or nothing. */
uint16_t emuhv_deposit(EmuhvPartition *p, const uint64_t *pfns, unsigned n);
/* Takes back up to @n pages; returns how many. */
unsigned emuhv_withdraw(EmuhvPartition *p, uint64_t *pfns, unsigned n);
void emuhv_deposit_forget(EmuhvPartition *p);

/* ---- partition/properties.c ---- */

uint16_t emuhv_property_get(EmuhvPartition *p, uint32_t code, uint64_t *val);
uint16_t emuhv_property_set(EmuhvPartition *p, uint32_t code, uint64_t val);
/* HvCallGetPartitionPropertyEx: @out is 4072 bytes, zeroed. */
uint16_t emuhv_property_get_ex(EmuhvPartition *p, uint32_t code, uint64_t arg,
                               uint8_t *out, size_t *len);

/* ---- partition/ports.c ---- */

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
/* Partition @p is gone: cut its connections and forget its ports. */
void emuhv_ports_drop(EmuhvPartition *p);
void emuhv_ports_reset(void);

/* ---- partition/scheduler.c ---- */

/* Outcome of a dispatch: HV_VP_DISPATCH_STATE_* and _EVENT_*. */
typedef struct EmuhvDispatchResult {
    bool pending;               /* the parent CPU waits inside the call */
    uint32_t state, event;
} EmuhvDispatchResult;

/* (drops the BQL) */
uint16_t emuhv_sched_dispatch(EmuhvParentCpu *pc, EmuhvPartition *p,
                              uint32_t vp_index, uint32_t flags,
                              hwaddr out_gpa, EmuhvDispatchResult *res);
/* The VP stops to exist: complete the dispatch and wait for nothing. */
void emuhv_sched_vp_gone(EmuhvPartition *p, EmuhvVpInfo *vi);
void emuhv_sched_reset(EmuhvParentCpu *pc);

/* ---- partition/stats.c ---- */

void emuhv_stats_init(void);
/* HvCallMapStatsPage2 and _UnmapStatsPage; @identity: 16 bytes. */
uint16_t emuhv_stats_map(uint32_t type, const uint8_t identity[16],
                         uint64_t pfn);
uint16_t emuhv_stats_unmap(uint32_t type, const uint8_t identity[16]);
/* Counter 202: the parent's thread of this VP must stay blocked. */
void emuhv_stats_blocked(EmuhvVpInfo *vi, bool blocked);
void emuhv_stats_call(uint16_t code, uint16_t status);
void emuhv_stats_exit(EmuhvExitKind kind);
/* Note the counters of a partition that goes away. */
void emuhv_stats_partition_gone(EmuhvPartition *p);
/* All counters as JSON; the caller frees it. */
char *emuhv_stats_json(void);

/* ---- hcall/hcall.c ---- */

/* VMCALL on a parent CPU. */
G_NORETURN void emuhv_parent_vmcall(CPUX86State *env, uintptr_t ra);
/* Finish a hypercall that waited: RAX = @result, RIP behind it. */
void emuhv_hcall_complete(EmuhvParentCpu *pc, uint64_t result);

#endif /* HW_EMUHV_EMUHV_H */
