/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what the files of the VP layer share.
 */
#ifndef HW_EMUHV_VP_INT_H
#define HW_EMUHV_VP_INT_H

#include "qemu/timer.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/core/cpu.h"
#include "hw/i386/apic_internal.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/vp.h"

/* Target specific interrupt request: a deliverability notification waits. */
#define CPU_INTERRUPT_EMUHV CPU_INTERRUPT_TGT_EXT_0

/* Where the doorbell region is: above every GPA that a child can have. */
#define EMUHV_IO_BASE       (1ull << 50)
#define EMUHV_GPA_BITS      46
/* Where the pages are that lie over a child's memory. */
#define EMUHV_OVERLAY_PA    (1ull << 49)

/*
 * Shortest time between two expirations of a periodic timer: with a shorter
 * one a guest could keep QEMU's main loop busy for ever.
 */
#define EMUHV_MIN_PERIOD_NS (200 * SCALE_US)

#define EMUHV_SINT_COUNT    16
#define EMUHV_STIMERS       4

/* An event (interrupt, NMI, exception, INT n) on its way into the VP. */
typedef struct EmuhvEvent {
    int vector;
    bool soft;                  /* INT n, INT3, INTO */
    bool hw;                    /* external interrupt or NMI */
    int error_code;
    target_ulong next_eip;
} EmuhvEvent;

/* Pending interruption register (HV_X64_REGISTER_PENDING_INTERRUPTION). */
#define PI_PENDING          1ull
#define PI_TYPE_SHIFT       1
#define PI_TYPE_EXTINT      0
#define PI_TYPE_NMI         2
#define PI_TYPE_EXCEPTION   3
#define PI_TYPE_SOFT        4
#define PI_TYPE_PRIV_SOFT   5
#define PI_TYPE_SOFT_EXC    6
#define PI_DELIVER_EC       (1ull << 4)
#define PI_LEN_SHIFT        5
#define PI_VECTOR_SHIFT     16

typedef struct EmuhvStimer {
    struct EmuhvVp *vp;
    unsigned index;
    QEMUTimer *timer;
    uint64_t config, count;
    uint64_t expiry;            /* reference time, 100 ns */
    bool msg_waiting;           /* its message waits for a free slot */
} EmuhvStimer;

typedef struct EmuhvVpSynic {
    uint64_t scontrol, siefp, simp;
    uint64_t sint[EMUHV_SINT_COUNT];
    EmuhvStimer stimer[EMUHV_STIMERS];
    uint64_t vp_assist;
} EmuhvVpSynic;

typedef struct EmuhvVpState EmuhvVpState;

struct EmuhvVpState {
    unsigned slot;              /* number in the pool */
    bool ready;                 /* false: the CPU is being made */
    FeatureWordArray base_features;

    /*
     * Run control.  parked: may not run; stopped: parked and outside
     * cpu_exec, so that whoever has the BQL may touch the CPU's state.
     */
    bool parked, stopped;
    bool explicit_suspend, intercept_suspend, dispatch_suspend;
    bool dispatched;
    bool idle;                  /* root scheduler: parked by HLT */
    bool exit_pending;          /* exit work is queued */
    bool idle_pending;          /* idle work is queued */
    bool post_queued;           /* a message that resuming it gives */
    bool need_flush;
    uint32_t guest_halted;
    int64_t resume_ns;

    /* The intercept that is being reported */
    EmuhvExitKind exit_kind;
    uint8_t msg[256];
    uint64_t page[2];           /* by type: register page, intercept page */

    /* Events */
    bool in_event, armed;
    EmuhvEvent event;
    uint64_t pending_interruption;
    EmuhvRegVal pending_event[2];
    uint64_t deliverability;
    uint32_t level[8];          /* vectors in service that came as level */
    uint32_t eoi[8];            /* level EOIs to report, by vector */
    bool extint;
    uint8_t extint_vector;

    /* The second stage's last refusal, and a doorbell's linear address */
    uint64_t tsc_offset;        /* copy: reset clears QEMU's */
    hwaddr s2_gpa;
    bool s2_mapped;
    vaddr io_gva;

    uint64_t misc_regs[8];      /* registers that only keep their value */
    EmuhvVpSynic synic;
};

typedef struct EmuhvOverlay {
    uint64_t gfn;
    hwaddr pa;
    bool write;
    bool used;
} EmuhvOverlay;

struct EmuhvDomainState {
    EmuhvStage2 *s2;
    APICCommonState *bus[EMUHV_APIC_IDS];
    bool finalized;

    /* Properties */
    uint64_t synth_features;
    uint64_t msr_action;        /* unimplemented MSRs: 0 #GP, 1 ignore */
    uint64_t guest_os_id, hypercall, reference_tsc, crash[5], crash_ctl;
    bool time_frozen;
    uint64_t frozen_at;         /* reference time when it was frozen */
    int64_t time_origin;        /* virtual clock at reference time 0 */
    uint64_t tsc_origin;        /* machine's TSC when the child's was 0 */
    uint64_t frozen_tsc;        /* machine's TSC when time was frozen */

    /* Intercepts and results; VPs read them without the BQL */
    QemuMutex lock;
    bool cpuid_all, msr_all, hypercall_icept;
    uint32_t exceptions;
    GHashTable *cpuid_icept;    /* leaf -> present */
    GHashTable *msr_icept;      /* index -> access mask + 1 */
    GArray *cpuid_results;      /* EmuhvCpuidResult */
    GHashTable *msr_actions;    /* index -> action + 1 */

    /* Overlay pages: slot 0 hypercall page, 1 reference TSC page */
    EmuhvOverlay overlay[2 + 2 * (EMUHV_MAX_VP_INDEX + 1)];
    unsigned n_overlays;
    uint32_t overlay_slot[2];   /* pages of the overlay memory */
};

/* vp/vp.c */
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
static inline void emuhv_set_tsc_offset(EmuhvVp *vp, uint64_t offset)
{
    vp->s->tsc_offset = emuhv_vp_env(vp)->tsc_offset = offset;
}
static inline APICCommonState *emuhv_vp_apic(EmuhvVp *vp)
{
    return APIC_COMMON(vp->base.cpu->apic_state);
}
/* Run @fn with the state of the VP at rest. (drops BQL) if it runs. */
void emuhv_vp_sync(EmuhvVp *vp, run_on_cpu_func fn, void *opaque);
/* Leave cpu_exec with an intercept; vp->s->msg is filled. */
G_NORETURN void emuhv_vp_exit(EmuhvVp *vp, EmuhvExitKind kind);
/* Post an intercept from queued work: the VP is parked by this. */
void emuhv_vp_exit_now(EmuhvVp *vp, EmuhvExitKind kind);
/*
 * Root scheduler: something else than an interrupt lets a halted VP run on.
 * Its parent waits for a signal and would not dispatch it.
 */
void emuhv_vp_wake(EmuhvVp *vp);
void emuhv_vp_queue_idle(EmuhvVp *vp);
/* which: 0 explicit, 1 intercept, 3 dispatch. (drops BQL) */
void emuhv_vp_set_suspend(EmuhvVp *vp, unsigned which, bool on);

/* memory/stage2.c */
EmuhvStage2 *emuhv_s2_new(void);
void emuhv_s2_free(EmuhvStage2 *s2);
/* Second-stage result for hypervisor and VP accesses. */
typedef enum EmuhvS2Result { S2R_OK, S2R_DENIED, S2R_UNMAPPED } EmuhvS2Result;
EmuhvS2Result emuhv_s2_translate(EmuhvVp *vp, hwaddr gpa, MMUAccessType access,
                                 bool touch, hwaddr *pa, int *prot);
void emuhv_s2_flush_self(EmuhvVp *vp);
void emuhv_stage2_init(void);
void emuhv_s2_flush_async(EmuhvDomain *d);
void emuhv_s2_set_overlay(EmuhvDomain *d, unsigned slot, uint64_t gfn,
                          hwaddr pa, bool write, bool on);

/* vp/intercept.c, vp/event.c, vp/msr.c */
bool emuhv_deliverable(EmuhvVp *vp, unsigned *what);
bool emuhv_has_error_code(int vector);
void emuhv_message_header(EmuhvVp *vp, uint32_t type, unsigned payload,
                          unsigned insn_len, unsigned access);
void emuhv_event_arm(EmuhvVp *vp);
void emuhv_event_disarm(EmuhvVp *vp);
void emuhv_deliverability_changed(EmuhvVp *vp);
void emuhv_post_eoi(EmuhvVp *vp);
void emuhv_post_invalid_state(EmuhvVp *vp);
bool emuhv_eoi_waits(EmuhvVp *vp);
G_NORETURN void emuhv_msr_intercept(EmuhvVp *vp, uint32_t msr, bool write,
                                    uintptr_t ra);
G_NORETURN void emuhv_raise_gp(CPUX86State *env, uintptr_t ra);

/* vp/regpage.c */
void emuhv_regpage_store(EmuhvVp *vp);
void emuhv_regpage_load(EmuhvVp *vp);

/* vp/regs.c, vp/regs-user.c */
uint16_t emuhv_reg_get(EmuhvVp *vp, uint32_t name, EmuhvRegVal *v);
uint16_t emuhv_reg_set(EmuhvVp *vp, uint32_t name, const EmuhvRegVal *v);
bool emuhv_state_valid(EmuhvVp *vp);
uint64_t emuhv_rflags(EmuhvVp *vp);
void emuhv_put_segment(uint8_t *p, const SegmentCache *sc);

/* interrupts/apic.c */
void emuhv_apic_attach(EmuhvVp *vp);
void emuhv_apic_detach(EmuhvVp *vp);
uint16_t emuhv_apic_set_id(EmuhvVp *vp, uint32_t id);
uint16_t emuhv_apic_get_page(EmuhvVp *vp, uint8_t *buf);
uint16_t emuhv_apic_set_page(EmuhvVp *vp, const uint8_t *buf);
void emuhv_apic_raise(EmuhvVp *vp, uint8_t vector);

/* vp/walk.c */
unsigned emuhv_fetch_insn(EmuhvVp *vp, uint8_t *buf, unsigned max);
/* Iterations that a REP string instruction at RIP has left. */
uint64_t emuhv_rep_count(EmuhvVp *vp);
/*
 * Length of the instruction at RIP if its opcode after the prefixes is @op,
 * else 0; _len: as _is, but never 0.
 */
unsigned emuhv_insn_is(EmuhvVp *vp, const uint8_t *op, unsigned op_len);
unsigned emuhv_insn_len(EmuhvVp *vp, const uint8_t *op, unsigned op_len);

/* base/pool.c */
void emuhv_pool_init(void);
/* (drops BQL) A free CPU, made if there is none; NULL: no more. */
EmuhvVp *emuhv_pool_take(void);
/* The @i-th that was made, NULL behind the last. */
EmuhvVp *emuhv_pool_get(unsigned i);

/* interrupts/timer.c */
void emuhv_stimers_init(EmuhvVp *vp);
void emuhv_stimers_reset(EmuhvVp *vp);
void emuhv_stimer_set_config(EmuhvStimer *t, uint64_t config);
void emuhv_stimer_set_count(EmuhvStimer *t, uint64_t count);
/* The guest freed a message slot: post what waits for it. */
void emuhv_stimers_eom(EmuhvVp *vp);
/* Time was frozen or goes on. */
void emuhv_stimers_restart(EmuhvDomain *d);
/* The VP state, EMUHV_STIMER_STATE_SIZE bytes */
void emuhv_stimer_get(EmuhvVp *vp, uint8_t *buf);
void emuhv_stimer_set(EmuhvVp *vp, const uint8_t *buf);
#define EMUHV_STIMER_STATE_SIZE 200

/* interrupts/synic.c */
void emuhv_synth_reset(EmuhvVp *vp);
void emuhv_domain_synth_reset(EmuhvDomain *d);
bool emuhv_synth_is_msr(EmuhvVp *vp, uint32_t msr);
/* False: #GP.  BQL needed. */
bool emuhv_synth_wrmsr(EmuhvVp *vp, uint32_t msr, uint64_t val);
bool emuhv_synth_rdmsr(EmuhvVp *vp, uint32_t msr, uint64_t *val);
void emuhv_synth_auto_eoi(EmuhvVp *vp, int vector);
/* MSR that the register name stands for, 0: none. */
uint32_t emuhv_synth_msr_of_reg(uint32_t name);
uint64_t emuhv_domain_reftime(EmuhvDomain *d);
void emuhv_domain_freeze(EmuhvDomain *d, bool freeze);
void emuhv_domain_set_reftime(EmuhvDomain *d, uint64_t t);
/* The machine's TSC as it counts for this domain (stands while frozen). */
uint64_t emuhv_domain_raw_tsc(EmuhvDomain *d);
/* The overlay page of the VP (0 SIM, 1 SIEF) in host memory. */
void *emuhv_overlay_page(unsigned page);
bool emuhv_overlay_init(Error **errp);
static inline unsigned emuhv_vp_overlay(EmuhvVp *vp, unsigned which)
{
    return vp->s->slot * 4 + which;
}

/* vp/settings.c: what a VP asks, inside a TCG helper */
bool emuhv_cpuid_intercepted(EmuhvDomain *d, uint32_t leaf);
bool emuhv_msr_intercepted(EmuhvDomain *d, uint32_t msr, bool write);
EmuhvMsrAction emuhv_msr_action(EmuhvDomain *d, uint32_t msr);

/* vp/cpuid.c */
void emuhv_cpuid_setup(EmuhvVp *vp);
uint64_t emuhv_processor_features(unsigned bank);
uint64_t emuhv_xsave_features(void);
/* The features of a CPU of the pool, without any child's restrictions. */
X86CPU *emuhv_model_cpu(void);
const uint64_t *emuhv_model_features(void);

/* vp/state.c */
size_t emuhv_xsave_size(const FeatureWordArray features, unsigned pad);
uint64_t emuhv_xsave_states(const FeatureWordArray features);

#endif /* HW_EMUHV_VP_INT_H */
