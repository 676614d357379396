/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what every room stands on.
 *
 * A partition and a VP are one object each; each room keeps its part of them
 * and is the only one that knows what is in it.  The rooms, from the top:
 *
 *   hcall/  partition/  vp/ and parent/  interrupts/  memory/  base/
 *
 * A room calls those below it.  What it has to tell those above it goes through
 * emuhv_up, the only way up (tests/style/rooms holds it).
 *
 * Rules for all of them, unless a function says something else:
 *  - All state is protected by the BQL; functions are called with it, outside
 *    cpu_exec (main loop or queued CPU work), never inside a TCG helper.
 *  - A function that "drops the BQL" may wait for a VP's thread; whatever was
 *    looked up before must be looked up again, or be held by a reference.
 *    A VP that was passed in stays valid, but may have been given back (test
 *    ->partition).
 *  - Functions that return uint16_t return an HV_STATUS.
 */
#ifndef HW_EMUHV_BASE_H
#define HW_EMUHV_BASE_H

#include "qemu/queue.h"
#include "qapi/error.h"
#include "exec/hwaddr.h"
#include "hw/core/cpu.h"
#include "hw/i386/apic_internal.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/emuhv-hooks.h"

#define EMUHV_PAGE_BITS         12
#define EMUHV_PAGE_SIZE         4096u
#define EMUHV_MAX_PARENT_CPUS   64
#define EMUHV_MAX_POOL          1024
#define EMUHV_MAX_VP_INDEX      255     /* APIC ids have 8 bits by default */
#define EMUHV_ANY_VP            0xffffffffu
#define EMUHV_NO_PFN            UINT64_MAX
#define EMUHV_SINTS             16
#define EMUHV_MSG_SIZE          256
/*
 * Number by which CPUID 0x40000002 names the hypervisor: one that Linux's
 * driver has been tried with, and one that hosts were seen with.
 */
#define EMUHV_BUILD             (emuhv_answers(EMUHV_OTHER_BUILD) ? 26102 \
                                                                  : 27744)

/* ---- Options of the machine ---- */

typedef enum EmuhvScheduler {
    EMUHV_SCHED_CORE,           /* VPs run on threads of the hypervisor */
    EMUHV_SCHED_ROOT,           /* VPs run inside HvCallDispatchVp */
} EmuhvScheduler;

/* Answers that a real hypervisor may give, and this one does if asked to */
typedef enum EmuhvAnswer {
    EMUHV_NO_REGISTER_PAGE,
    EMUHV_STALE_REGISTER_PAGE,
    EMUHV_NO_INSTRUCTION_BYTES,
    EMUHV_NO_GVA,
    EMUHV_PAGE_ALIGNED_GPA,
    EMUHV_NO_MSR_INTERCEPTS,
    EMUHV_NO_EXCEPTION_INTERCEPTS,
    EMUHV_NO_HOST_PROPERTIES,
    EMUHV_FIXED_REGISTERS,
    EMUHV_NO_CRASH_MSRS,
    EMUHV_NO_INIT_SIPI_INTERCEPT,
    EMUHV_SILENT_INIT_SIPI_INTERCEPT,
    EMUHV_OTHER_IPI_MESSAGES,
    EMUHV_LATE_STARTS,
    EMUHV_WANTS_MEMORY,
    EMUHV_WANTS_CONTIGUOUS_MEMORY,
    EMUHV_OWNS_DEPOSITS,
    EMUHV_PENDING_CALLS,
    EMUHV_SLOW_SUSPEND,
    EMUHV_NO_CPUID_RESULTS,
    EMUHV_FEW_CPUID_RESULTS,
    EMUHV_NO_ANY_VP,
    EMUHV_NO_CPUID_INTERCEPTS,
    EMUHV_NO_BROADCAST,
    EMUHV_NO_PAGE_TRACKING,
    EMUHV_PICKY_FEATURES,
    EMUHV_FEW_FEATURES,
    EMUHV_FEW_ADDRESS_BITS,
    EMUHV_FEW_PARTITIONS,
    EMUHV_FEW_VPS,
    EMUHV_FEW_PORTS,
    EMUHV_OTHER_BUILD,
    EMUHV_NO_GUEST_CALLS,
    EMUHV_ANSWERS
} EmuhvAnswer;

QEMU_BUILD_BUG_ON(EMUHV_ANSWERS >= 64);

typedef struct EmuhvOptions {
    uint64_t answers;           /* a bit for each EmuhvAnswer */
    uint32_t seed;              /* of those that are given now and then */
    bool enabled;
    EmuhvScheduler scheduler;
    uint32_t pool_size;
    uint32_t xsave_pad;
    uint32_t odd_port;          /* above 0xffff: none */
    bool dispatch_interrupts;   /* DISPATCH_VP injects from the register page */
    char *stats_file;
} EmuhvOptions;

extern EmuhvOptions emuhv_options;

static inline bool emuhv_answers(EmuhvAnswer answer)
{
    return emuhv_options.answers >> answer & 1;
}

/* Answers by their words, with '+' between them, or "all". */
bool emuhv_set_answers(const char *words, Error **errp);
char *emuhv_answer_words(void);
/* Whether an answer that is given now and then, by emuhv-seed, is given now. */
bool emuhv_answers_now(EmuhvAnswer answer);

/* ---- Counters ---- */

typedef enum EmuhvExitKind {
    EMUHV_EXIT_UNMAPPED_GPA, EMUHV_EXIT_GPA, EMUHV_EXIT_IO, EMUHV_EXIT_MSR,
    EMUHV_EXIT_CPUID, EMUHV_EXIT_EXCEPTION, EMUHV_EXIT_HYPERCALL,
    EMUHV_EXIT_HALT, EMUHV_EXIT_TRIPLE_FAULT, EMUHV_EXIT_DELIVERABLE,
    EMUHV_EXIT_APIC_EOI, EMUHV_EXIT_OTHER,
    EMUHV_EXIT__MAX,
} EmuhvExitKind;

/* Totals since start (they survive a reset) */
typedef struct EmuhvCounters {
    GHashTable *calls;          /* code -> uint64_t: calls */
    GHashTable *call_errors;    /* code << 16 | status -> uint64_t */
    uint64_t exits[EMUHV_EXIT__MAX];
    uint64_t dispatches, signals, messages, doorbells, interrupts;
    uint64_t pages_mapped, partitions_created, vps_created;
    uint64_t illegal_runs;      /* transitions of VPs that must not happen */
} EmuhvCounters;

extern EmuhvCounters emuhv_counters;

void emuhv_count_call(uint16_t code, uint16_t status);

/* ---- Partitions and VPs ---- */

typedef struct EmuhvPartition EmuhvPartition;
typedef struct EmuhvVp EmuhvVp;

typedef enum EmuhvPartitionState {
    EMUHV_PARTITION_CREATED,
    EMUHV_PARTITION_ACTIVE,
    EMUHV_PARTITION_FINALIZED,
    EMUHV_PARTITION_DELETED,    /* only references hold it */
} EmuhvPartitionState;

/* What a child partition is made of; constant. */
typedef struct EmuhvPartitionConfig {
    bool lapic;                 /* creation flag LAPIC */
    bool x2apic;                /* creation flag X2APIC */
    bool root_scheduler;        /* VPs run only while dispatched */
    uint64_t disabled_features[2]; /* processor features, 1: not for child */
    uint64_t disabled_xsave;    /* XSAVE features, 1: not for child */
    unsigned xsave_pad;         /* pad XSAVE state to so many bytes (0: no) */
} EmuhvPartitionConfig;

struct EmuhvPartition {
    QLIST_ENTRY(EmuhvPartition) next;
    uint64_t id;
    unsigned refs;
    EmuhvPartitionState state;
    EmuhvPartitionConfig cfg;
    EmuhvVp *vps[EMUHV_MAX_VP_INDEX + 1];   /* of a child */
    /* The rooms' parts; the parent has only the last. */
    struct EmuhvStage2 *s2;                 /* memory/ */
    struct EmuhvPartitionIrq *irq;          /* interrupts/ */
    struct EmuhvSettings *settings;         /* vp/ */
    struct EmuhvAccount *account;           /* partition/ */
};

/* MSRs of a local APIC, or in its place, that a guest writes all the time */
typedef enum EmuhvMsrKind {
    EMUHV_MSR_EOI, EMUHV_MSR_ICR, EMUHV_MSR_TIMER, EMUHV_MSR_KINDS,
} EmuhvMsrKind;

typedef struct EmuhvVpStats {
    uint64_t exits[EMUHV_EXIT__MAX];
    uint64_t hlts;              /* HLT handled here */
    uint64_t cpuid, msr;        /* handled here */
    uint64_t msr_kinds[EMUHV_MSR_KINDS];    /* of them */
    uint64_t hypercalls;        /* of the child, handled here */
    uint64_t interrupts;        /* interrupts and NMIs delivered */
    uint64_t stage2_fills;
    uint64_t resumes;           /* entries into the VP */
    int64_t run_ns;             /* time between entry and exit, up to now */
    int64_t entered;            /* and when the last entry was */
} EmuhvVpStats;

/* Where a VP is (vp/run.c has the transitions) */
typedef enum EmuhvRun {
    /* At rest: who has the BQL may touch the CPU's state. */
    EMUHV_RUN_POOL,             /* of no partition */
    EMUHV_RUN_STOPPED,
    EMUHV_RUN_IDLE,             /* root scheduler: stopped by HLT */
    /* Not at rest */
    EMUHV_RUN_RUNNING,
    EMUHV_RUN_STOPPING,         /* runs, but is asked to stop */
    EMUHV_RUN_LEAVING,          /* leaves cpu_exec with an intercept */
    EMUHV_RUN__MAX,
} EmuhvRun;

/* A VP of a child: a CPU of the pool that is lent to a partition. */
struct EmuhvVp {
    EmuhvCpu base;              /* must be first */
    unsigned slot;              /* number in the pool */
    bool ready;                 /* false: the CPU is being made */
    FeatureWordArray features;  /* without any child's restrictions */
    EmuhvPartition *partition;  /* NULL: in the pool */
    uint32_t index;             /* VP index */
    EmuhvRun run;
    EmuhvVpStats stats;
    /* The rooms' parts */
    struct EmuhvVpMemory *mem;              /* memory/ */
    struct EmuhvVpIrq *irq;                 /* interrupts/ */
    struct EmuhvVpState *s;                 /* vp/ */
    struct EmuhvVpSched *sched; /* partition/; NULL: no hypercall finds it */
};

static inline bool emuhv_vp_at_rest(const EmuhvVp *vp)
{
    return qatomic_read(&vp->run) <= EMUHV_RUN_IDLE;
}

static inline EmuhvVp *emuhv_vp_of(CPUX86State *env)
{
    return container_of(env_archcpu(env)->emuhv, EmuhvVp, base);
}

static inline CPUState *emuhv_vp_cs(EmuhvVp *vp)
{
    return CPU(vp->base.cpu);
}

static inline CPUX86State *emuhv_vp_env(EmuhvVp *vp)
{
    return &vp->base.cpu->env;
}

static inline APICCommonState *emuhv_vp_apic(EmuhvVp *vp)
{
    return APIC_COMMON(vp->base.cpu->apic_state);
}

/* ---- The way up ---- */

typedef struct EmuhvCallbacks {
    /* memory/: */
    /*
     * A child writes to a doorbell page.  Called INSIDE a TCG helper with BQL:
     * must not wait; may only queue work, post messages and raise interrupts.
     * False: no port matches, the access becomes an intercept.
     */
    bool (*doorbell)(EmuhvPartition *p, uint64_t gpa, unsigned size,
                     uint64_t value);
    /* ... by this. */
    void (*refused_store)(EmuhvVp *vp, vaddr gva, uintptr_t ra);
    /* vp/run.c: on the VP's thread, outside cpu_exec: work that was queued */
    void (*vp_work)(EmuhvVp *vp, unsigned what);
    /* vp/: */
    /*
     * The message is in the intercept page (and the register page is fresh),
     * INTERCEPT_SUSPEND is set.
     */
    void (*intercepted)(EmuhvVp *vp, EmuhvExitKind kind, uint32_t type);
    /* Root scheduler: a dispatched VP went idle (HLT, wait for SIPI). */
    void (*blocked)(EmuhvVp *vp);
    /* Root scheduler: a VP that is not dispatched has become runnable. */
    void (*unblocked)(EmuhvVp *vp);
} EmuhvCallbacks;

/* Set once, at start-up, in emuhv.c */
extern EmuhvCallbacks emuhv_up;

/* ---- ram.c: the parent's memory ---- */

/*
 * Copy between @buf and parent memory at @gpa; only RAM counts.  False, with
 * nothing promised about @buf, if any byte is not RAM (or is read-only and
 * written to).
 */
bool emuhv_ram_read(hwaddr gpa, void *buf, size_t len);
bool emuhv_ram_write(hwaddr gpa, const void *buf, size_t len);
/* Is the whole range RAM that may be written? */
bool emuhv_ram_valid(hwaddr gpa, size_t len);

/* ---- taken.c: pages that the parent has given away ---- */

void emuhv_taken_init(void);
/* False: it is taken already. */
bool emuhv_take_page(uint64_t pfn);
/* after some were taken */
void emuhv_pages_taken(void);
void emuhv_give_page_back(uint64_t pfn);
/* Inside TCG: a CPU is about to access @pa. */
void emuhv_check_taken(vaddr gva, hwaddr pa);
/* How often the parent accessed one all the same */
uint64_t emuhv_taken_touched(void);

/* ---- clock.c ---- */

void emuhv_clock_init(void);
/* Frequency of the TSC; may take 20 ms to find out. */
uint64_t emuhv_tsc_hz(void);

/* ---- pool.c: the CPUs on which VPs run ---- */

/*
 * @make: a new VP with all its parts, whose CPU is still to be made;
 * @unmake: this could not be.
 */
void emuhv_pool_init(EmuhvVp *(*make)(void), void (*unmake)(EmuhvVp *vp));
/* (drops BQL) A free CPU, made if there is none; NULL: no more. */
EmuhvVp *emuhv_pool_take(void);
/* The @i-th that was made, NULL behind the last. */
EmuhvVp *emuhv_pool_get(unsigned i);
/* CPUs of the pool that are free now, made or not yet made. */
unsigned emuhv_pool_free(void);
/* The first one: what CPUs of the pool have. */
EmuhvVp *emuhv_pool_model(void);
/* The width of a child's physical addresses */
unsigned emuhv_child_address_bits(void);

/*
 * What a hypercall is given in one register, HV_HYPERCALL_INPUT: of the parent
 * (hcall/) and of its children (vp/calls.c).
 */
#define CONTROL_CODE(c)     extract64(c, 0, 16)
#define CONTROL_FAST(c)     extract64(c, 16, 1)
#define CONTROL_VARHEAD(c)  extract64(c, 17, 10)
#define CONTROL_COUNT(c)    extract64(c, 32, 12)
#define CONTROL_START(c)    extract64(c, 48, 12)
#define CONTROL_RESERVED    (MAKE_64BIT_MASK(27, 5) | MAKE_64BIT_MASK(44, 4) | \
                             MAKE_64BIT_MASK(60, 4))

/* Where the result has how many elements are done */
#define RAX_REPS_SHIFT      32

/* Registers of XMM, and bytes in all, that a fast call has */
#define FAST_XMM            6
#define FAST_MAX            (16 + 16 * FAST_XMM)

#endif /* HW_EMUHV_BASE_H */
