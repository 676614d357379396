/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what the files of vp/ share.  Those below call
 * none of those above:
 *
 *   life.c, reglist.c
 *   go.c
 *   calls.c
 *   intercept.c, event.c, msr.c, features.c
 *   message.c, walk.c, state.c
 *   regpage.c
 *   regs.c
 *   regs-user.c, regs-system.c, regs-synth.c
 *   cpuid.c, settings.c, deliver.c, run.c
 */
#ifndef HW_EMUHV_VP_INT_H
#define HW_EMUHV_VP_INT_H

#include "cpu.h"
#include "mshv-compat/translation.h"
#include "hw/emuhv/interrupts/interrupts.h"
#include "hw/emuhv/memory/memory.h"
#include "hw/emuhv/vp/vp.h"

/* Target specific interrupt request: a deliverability notification waits. */
#define CPU_INTERRUPT_EMUHV CPU_INTERRUPT_TGT_EXT_0

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

/* What this room knows of a VP. */
typedef struct EmuhvVpState {
    unsigned holds;             /* HOLD_*: what keeps it from running */
    unsigned queued;            /* VP_WORK_* that are queued, by bit */
    uint32_t guest_halted;      /* while it does not run */

    /* The intercept that is being reported */
    EmuhvExitKind exit_kind;
    uint8_t msg[EMUHV_MSG_SIZE];
    uint64_t page[2];           /* by type: register page, intercept page */

    /* Events */
    bool in_event, armed;
    EmuhvEvent event;
    uint64_t pending_interruption;
    EmuhvRegVal pending_event[2];
    uint64_t deliverability;

    uint64_t misc_regs[8];      /* registers that only keep their value */
} EmuhvVpState;

/* and of a partition.  VPs read it without the BQL, but with the lock. */
typedef struct EmuhvSettings {
    uint64_t msr_action;        /* unimplemented MSRs: 0 #GP, 1 ignore */
    QemuMutex lock;
    bool cpuid_all, hypercall_icept;
    uint32_t ipi_icepts;        /* bits: delivery modes */
    uint32_t msr_all;           /* access mask, for those nobody knows */
    uint32_t exceptions;
    GHashTable *cpuid_icept;    /* leaf -> present */
    GHashTable *msr_icept;      /* index -> access mask */
    GArray *cpuid_results;      /* EmuhvCpuidResult */
    GHashTable *msr_actions;    /* index << 1 | write -> action + 1 */
} EmuhvSettings;

/* ---- run.c: run control, the part that all need ---- */

/* Why a VP does not run: its suspend registers, and under the root scheduler */
#define HOLD_EXPLICIT       1u
#define HOLD_INTERCEPT      2u
#define HOLD_DISPATCH       4u
#define HOLD_PARENT         8u  /* that the parent does not dispatch it */

/* What moves a VP from one state to another */
typedef enum RunEvent {
    RUN_CREATE, RUN_RESUME, RUN_ASK, RUN_EXIT, RUN_REST, RUN_HALT, RUN_WAKE,
    RUN_RELEASE, RUN_RESET,
    RUN__MAX,
} RunEvent;

void emuhv_vp_event(EmuhvVp *vp, RunEvent event);
/* May its CPU execute the guest's code? */
bool emuhv_vp_executes(const EmuhvVp *vp);

/* Work that waits to be done on the VP's thread, outside cpu_exec */
enum {
    VP_WORK_EXIT,               /* report the intercept */
    VP_WORK_IDLE,               /* root scheduler: it may have gone idle */
    VP_WORK_POST,               /* a message that resuming it gives */
};

void emuhv_vp_queue(EmuhvVp *vp, unsigned what);
/* It will not be done; was it queued? */
bool emuhv_vp_unqueue(EmuhvVp *vp, unsigned what);
/* Run @fn with the state of the VP at rest. (drops BQL) if it runs. */
void emuhv_vp_sync(EmuhvVp *vp, run_on_cpu_func fn, void *opaque);
/* Its CPU halts, whether the guest did or not. */
void emuhv_vp_park(EmuhvVp *vp);
/* Leave cpu_exec with an intercept; vp->s->msg is filled. */
G_NORETURN void emuhv_vp_exit(EmuhvVp *vp, EmuhvExitKind kind);
/*
 * Root scheduler: something else than an interrupt lets a halted VP run on.
 * Its parent waits for a signal and would not dispatch it.
 */
void emuhv_vp_wake(EmuhvVp *vp);
void emuhv_vp_queue_idle(EmuhvVp *vp);
/* HOLD_* of a suspend register, 0: another register */
unsigned emuhv_vp_hold(uint32_t name);

/* ---- deliver.c: what waits for the VP ---- */

/* Bits of the notification register */
#define DELIVERABLE_NMI     1u
#define DELIVERABLE_IRQ     2u

bool emuhv_deliverable(EmuhvVp *vp, unsigned *what);
void emuhv_deliverability_changed(EmuhvVp *vp);
/* Is there something for which a halted VP runs on? */
bool emuhv_vp_has_work(EmuhvVp *vp);
bool emuhv_eoi_waits(EmuhvVp *vp);
/* That, or an SMI, INIT or SIPI that it has sent */
bool emuhv_report_waits(EmuhvVp *vp);
void emuhv_vp_settle(EmuhvVp *vp);

/* ---- cpuid.c ---- */

void emuhv_cpuid_setup(EmuhvVp *vp);
uint64_t emuhv_processor_features(unsigned bank);
uint64_t emuhv_xsave_features(void);

/* ---- settings.c: what a VP asks, inside a TCG helper ---- */

bool emuhv_cpuid_intercepted(EmuhvPartition *p, uint32_t leaf);
bool emuhv_msr_intercepted(EmuhvPartition *p, uint32_t msr, bool write);
EmuhvMsrAction emuhv_msr_action(EmuhvPartition *p, uint32_t msr, bool write);

/* ---- go.c ---- */

/* (drops BQL) */
void emuhv_vp_stop(EmuhvVp *vp);
/* A suspend register is written. (drops BQL) */
void emuhv_vp_set_suspend(EmuhvVp *vp, uint32_t name, bool on);

/* ---- regs*.c ---- */

uint16_t emuhv_reg_get(EmuhvVp *vp, uint32_t name, EmuhvRegVal *v);
uint16_t emuhv_reg_set(EmuhvVp *vp, uint32_t name, const EmuhvRegVal *v);
bool emuhv_state_valid(EmuhvVp *vp);
uint64_t emuhv_rflags(EmuhvVp *vp);
void emuhv_put_segment(uint8_t *p, const SegmentCache *sc);

/* ---- regpage.c ---- */

void emuhv_regpage_store(EmuhvVp *vp);
void emuhv_regpage_load(EmuhvVp *vp);

/* ---- state.c ---- */

size_t emuhv_xsave_size(const FeatureWordArray features, unsigned pad);
uint64_t emuhv_xsave_states(const FeatureWordArray features);

/* ---- walk.c ---- */

unsigned emuhv_fetch_insn(EmuhvVp *vp, uint8_t *buf, unsigned max);
/* Iterations that a REP string instruction at RIP has left. */
uint64_t emuhv_rep_count(EmuhvVp *vp);
/*
 * Length of the instruction at RIP if its opcode after the prefixes is @op,
 * else 0; _len: as _is, but never 0.
 */
unsigned emuhv_insn_is(EmuhvVp *vp, const uint8_t *op, unsigned op_len);
unsigned emuhv_insn_len(EmuhvVp *vp, const uint8_t *op, unsigned op_len);

/* ---- message.c: the message in vp->s->msg ---- */

#define MESSAGE_BODY    56      /* message header + intercept header */

void emuhv_message_start(EmuhvVp *vp, uint32_t type, unsigned payload);
/* What HV_X64_INTERCEPT_MESSAGE_HEADER has; access: read, write, execute */
typedef enum EmuhvAccess { ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE }
        EmuhvAccess;
void emuhv_message_header(EmuhvVp *vp, uint32_t type, unsigned payload,
                          unsigned insn_len, EmuhvAccess access);

/* ---- event.c ---- */

bool emuhv_has_error_code(int vector);
void emuhv_event_arm(EmuhvVp *vp);
void emuhv_event_disarm(EmuhvVp *vp);

/* ---- intercept.c ---- */

/*
 * Read @vp's memory, within a page, by GPA.  Inside a TCG helper: does not
 * return if the parent must bring it in.  False: there is none.
 */
bool emuhv_child_read(EmuhvVp *vp, hwaddr gpa, uint8_t *buf, size_t len);

G_NORETURN void emuhv_msr_intercept(EmuhvVp *vp, uint32_t msr, bool write,
                                    uintptr_t ra);
G_NORETURN void emuhv_raise_gp(CPUX86State *env, uintptr_t ra);

#endif /* HW_EMUHV_VP_INT_H */
