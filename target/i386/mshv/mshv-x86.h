/*
 * x86 under the accelerator mshv: what its files share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MSHV_X86_H
#define TARGET_I386_MSHV_X86_H

#include "cpu.h"
#include "accel/mshv/arch.h"
#include "accel/mshv/vp.h"
#include "debug.h"
#include "insn/insn.h"

/* env->mp_state, with the numbers that migration streams already have. */
enum {
    MSHV_MP_RUNNABLE = 0,
    MSHV_MP_WAIT_FOR_SIPI = 1,
    MSHV_MP_HALTED = 3,
    MSHV_MP_IDLE = 16,          /* our own: waits in the MSR GUEST_IDLE */
};

/* A decoded move, and the bytes that it was; see mmio.c. */
typedef struct MshvMove {
    uint64_t code[2];
    struct insn_move move;      /* length 0: this one is free */
} MshvMove;

#define MSHV_MOVES 32

/* State that is moved as a block; blocks.c */
enum {
    MSHV_BLOCK_MESSAGES,        /* the SynIC's message page */
    MSHV_BLOCK_EVENTS,          /* its event flags page */
    MSHV_BLOCK_TIMERS,          /* the synthetic timers */
    MSHV_BLOCKS,
};

/* Registers that hold pending events; smm.c */
#define MSHV_SMM_EVENTS 3

/* Registers in our own section of a migration stream; migrate.c */
#define MSHV_STREAM_REGS 32
typedef struct MshvStreamReg {
    uint32_t name;
    uint64_t low, high;
} MshvStreamReg;

/* What x86 keeps for a VP: AccelCPUState.arch. */
typedef struct MshvX86 {
    CPUState *cs;

    /*
     * The registers as they were last read, one a row of the state table, so
     * that a write takes only what somebody has changed.
     */
    union hv_register_value *read;
    bool read_valid;
    /* Of rows that CPUX86State has no place for, as in it. */
    union hv_register_value *raw;

    /* Extended state: page-aligned, as the hypervisor has it, and as read */
    uint8_t *xsave;
    uint8_t *xsave_read;
    uint32_t xsave_size;        /* of each buffer, a multiple of the page */
    uint32_t xsave_len;         /* of the data read; 0: nothing read yet */

    /* A page for the local APIC's state, and the state that QEMU was given */
    uint8_t *lapic;
    struct hv_local_interrupt_controller_state lapic_read;
    bool lapic_read_valid;
    bool lapic_loaded;          /* lapic_read is from a migration stream */

    /* A page each; read only to be saved, and written only when loaded */
    uint8_t *block[MSHV_BLOCKS];
    bool block_valid[MSHV_BLOCKS];

    uint32_t stream_count;
    MshvStreamReg stream[MSHV_STREAM_REGS];

    MshvDebug debug;

    /* An exit is ordered for when an interrupt can be taken. */
    bool window_ordered;

    /* smm.c: CPUX86State is in another mode than the VP. */
    bool mode_changed;
    bool smi_waits;             /* an SMI and the VP wait for a SIPI */
    /* In SMM, but not seen to run there yet: in how many looks it will be */
    uint8_t smm_fresh;
    bool smm_started;           /* It came there by a SIPI. */
    /* A SIPI that came with an SMI pending counts if an INIT was before. */
    bool sipi_latched;
    uint8_t sipi_vector;
    /* Of a VP in SMM: events that were pending when it went there */
    union hv_register_value smm_events[MSHV_SMM_EVENTS];

    /* The instructions that exits are about are few: each is decoded once. */
    MshvMove moves[MSHV_MOVES];
} MshvX86;

static inline MshvX86 *mshv_x86(CPUState *cs)
{
    return cs->accel->arch;
}

/* ---- regpage.c: the register page ---- */

/*
 * The page if it holds the stopped VP's registers, else NULL. Whoever stores
 * there sets the dirty bit of the register's class.
 */
static inline struct hv_vp_register_page *mshv_regpage(CPUState *cs)
{
    struct hv_vp_register_page *page = cs->accel->regpage;

    /* With a dirty bit still set, the VP has not run since we stored there. */
    return page->isvalid &&
           page->version == HV_VP_REGISTER_PAGE_VERSION_1 &&
           (cs->accel->page_fresh || page->dirty) ? page : NULL;
}

/*
 * One of the page's registers by its name: fetch it, or store it for the next
 * run. False: the page does not have it, or it may not be stored there.
 */
bool mshv_regpage_get(CPUState *cs, uint32_t name,
                      union hv_register_value *value);
bool mshv_regpage_set(CPUState *cs, uint32_t name,
                      const union hv_register_value *value);

/*
 * Write registers by hypercall, and with them what waits in the page, which
 * the hypervisor may fill anew after such a call.
 */
int mshv_x86_set_regs(CPUState *cs, const struct hv_register_assoc *regs,
                      unsigned n, Error **errp);

/* Read registers: from the page where it has them, else by hypercall. */
int mshv_x86_get_regs(CPUState *cs, const uint32_t *names,
                      union hv_register_value *values, unsigned n,
                      Error **errp);

/* Write registers: into the page where that may be, else by hypercall. */
int mshv_x86_store_regs(CPUState *cs, const struct hv_register_assoc *regs,
                        unsigned n, Error **errp);

/*
 * The end of an instruction: RIP and, if @set, general register @reg. The
 * second one takes the long way: a device may have asked for the CPU's state,
 * and what counts is then CPUX86State (vmport).
 */
int mshv_x86_finish_elsewhere(CPUState *cs, uint64_t rip, bool set,
                              unsigned reg, uint64_t value, Error **errp);

static inline int mshv_x86_finish_instruction(CPUState *cs, uint64_t rip,
                                              bool set, unsigned reg,
                                              uint64_t value, Error **errp)
{
    struct hv_vp_register_page *page = mshv_regpage(cs);

    if (unlikely(!page || cs->vcpu_dirty)) {
        return mshv_x86_finish_elsewhere(cs, rip, set, reg, value, errp);
    }
    page->rip = rip;
    page->dirty |= 1u << HV_X64_REGISTER_CLASS_IP;
    if (set) {
        page->gp_registers[reg] = value;
        page->dirty |= 1u << HV_X64_REGISTER_CLASS_GENERAL;
    }
    return 0;
}

/* ---- state.c ---- */

/* Let the VP have what CPUX86State has, so that more can be added to it. */
int mshv_x86_flush_env(CPUState *cs, Error **errp);

/* ---- exits ---- */

/* One kind of message each. */
MshvExitHandler mshv_exit_memory;           /* mmio.c */
MshvExitHandler mshv_exit_io_port;          /* pio.c */
MshvExitHandler mshv_exit_msr;              /* msr.c */
MshvExitHandler mshv_exit_cpuid;            /* cpuid.c */
MshvExitHandler mshv_exit_apic_eoi;         /* apic.c */
MshvExitHandler mshv_exit_deliverable;      /* inject.c */
MshvExitHandler mshv_exit_exception;        /* debug.c */
MshvExitHandler mshv_exit_apic_ipi;         /* smm-send.c */
MshvExitHandler mshv_exit_sipi;             /* smm-send.c */
MshvExitHandler mshv_exit_triple_fault;     /* reset.c */
MshvExitHandler mshv_exit_halt;             /* reset.c */
MshvExitHandler mshv_exit_hypercall;        /* reset.c */
MshvExitHandler mshv_exit_invalid_register; /* reset.c */
MshvExitHandler mshv_exit_unsupported;      /* reset.c */

/* ---- inject.c ---- */

/*
 * Make the VP take exception @vector next. @error_code is used if
 * @has_error_code; @cr2 is loaded for a page fault.
 */
int mshv_inject_exception(CPUState *cs, uint8_t vector, bool has_error_code,
                          uint32_t error_code, uint64_t cr2, Error **errp);

/* Offer the PIC's interrupt, which it has. */
int mshv_offer_pic_interrupt(CPUState *cs, Error **errp);

/* The same for INT3 and INTO, which are @length bytes long. */
int mshv_inject_software_exception(CPUState *cs, uint8_t vector,
                                   unsigned length, Error **errp);

/* ---- debug-vp.c ---- */

/* Before a run, if the VP is debugged. As mshv_arch_pre_run(). */
int mshv_debug_pre_run(CPUState *cs, Error **errp);

/* A step must not be one into an interrupt's handler. */
bool mshv_debug_holds_interrupts(CPUState *cs);

/* The VP is about to be given exception @vector. */
int mshv_debug_before_handler(CPUState *cs, unsigned vector, Error **errp);

/* The VP has nothing of a debugger's any more, but what the guest has. */
int mshv_debug_disarm(CPUState *cs, Error **errp);

/* All of its state is written anew. */
void mshv_debug_forget(CPUState *cs);

/* ---- apic.c ---- */

/* Local APIC state between the hypervisor and cpu->apic_state. */
int mshv_apic_get(CPUState *cs, Error **errp);
int mshv_apic_put(CPUState *cs, MshvPutLevel level, Error **errp);

/* Whether the local APIC lets an interrupt of the PIC through. */
int mshv_apic_accepts_pic(CPUState *cs, bool *accepts, Error **errp);

/* Send @cs an interrupt of that delivery mode. */
int mshv_apic_send(CPUState *cs, unsigned mode, uint8_t vector, Error **errp);

/* ---- blocks.c ---- */

void mshv_blocks_alloc(MshvX86 *x86);
void mshv_blocks_free(MshvX86 *x86);

/* Read what is there of them; write those that were loaded, and forget them. */
int mshv_blocks_get(CPUState *cs, Error **errp);
int mshv_blocks_put(CPUState *cs, Error **errp);

/* A reset: they hold nothing when the guest has them again. */
void mshv_blocks_clear(CPUState *cs);

/* ---- clocks.c ---- */

/* Read the TSCs of all VPs into their states as of one moment. */
int mshv_clocks_sample(Error **errp);

/* ---- migrate.c, needs.c ---- */

void mshv_migrate_add_vp(CPUState *cs);
void mshv_migrate_remove_vp(CPUState *cs);
void mshv_migrate_init(void);
void mshv_needs_init(void);

/* ---- xsave.c ---- */

int mshv_xsave_alloc(CPUState *cs, Error **errp);
void mshv_xsave_free(CPUState *cs);
int mshv_xsave_get(CPUState *cs, Error **errp);
int mshv_xsave_put(CPUState *cs, MshvPutLevel level, Error **errp);

/* Fill the sizes and offsets of x86_ext_save_areas, once. */
void mshv_xsave_init_areas(void);

/* ---- cpuid.c, msr.c ---- */

/* Make the VP see the CPUID that -cpu and -smp say. */
int mshv_cpuid_register(CPUState *cs, Error **errp);

/* Ask for the MSR exits that msr.c answers. */
int mshv_msr_install(Error **errp);

/* ---- mce.c: machine checks ---- */

/* AMD's HWCR: the guest may set the status of a bank. */
#define MSHV_HWCR_MC_STATUS_WR_EN   (1ull << 18)

/* The hypervisor leaves these MSRs to us. */
extern bool mshv_mce_is_ours;

/* #MC, for CPU_INTERRUPT_MCE. */
int mshv_mce_deliver(CPUState *cs, Error **errp);

/* The MSRs of banks and of all of them. False: #GP. */
bool mshv_mce_read(const CPUX86State *env, uint32_t msr, uint64_t *value);
bool mshv_mce_write(CPUX86State *env, uint32_t msr, uint64_t value);

/* ---- crash.c: a guest that says that it has crashed ---- */

/* HV_X64_MSR_CRASH_*; never refused. */
bool mshv_crash_read(const CPUX86State *env, uint32_t msr, uint64_t *value);
bool mshv_crash_write(CPUX86State *env, uint32_t msr, uint64_t value);

/* ---- wake.c ---- */

/*
 * Keep what a guest has told the hypervisor of itself for a wake-up from S3:
 * before the reset of the first CPU, which is @cs, takes it away.
 */
void mshv_wake_keep(CPUState *cs);
void mshv_wake_init(void);

#endif
