/*
 * Guest debugging: what its files share.
 *
 * debug.c      what gdb has ordered of all VPs, and the exits that it takes
 * debug-vp.c   a VP that is debugged: before its runs, and its debug events
 * debug-step.c how the next instruction is run alone
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MSHV_DEBUG_H
#define TARGET_I386_MSHV_DEBUG_H

#include "cpu.h"

#define MSHV_DR_ADDRESSES   4       /* DR0 to DR3 */

/*
 * How the next instruction is run alone: with TF, or up to where it leads. TF
 * would be seen by an instruction that stores the flags, and some ignore it.
 */
typedef struct MshvStep {
    bool planned;
    bool trap;                  /* with TF */
    bool loads_flags;           /* TF is then what it has loaded */
    bool moves_debug_regs;      /* which must be the guest's */
    bool holds_interrupts;
    bool was_halted;            /* no instruction but the end of HLT */
    bool guest_tf;              /* TF as the guest has it */
    uint64_t rip;               /* where it begins */
    unsigned n_ends;
    vaddr ends[2];              /* without TF: linear addresses */
} MshvStep;

/* What debugging keeps for a VP. */
typedef struct MshvDebug {
    MshvStep step;
    /*
     * While it is armed the VP has debug registers, TF and CR8 of ours. It is
     * disarmed before anybody reads its state, so that nobody else sees them.
     */
    bool armed;
    bool uses_regs;             /* all debug registers are ours */
    bool clears_dr6;            /* that one is */
    bool traps;                 /* TF is set by us */
    bool holds;                 /* CR8 is ours */
    unsigned version;           /* of gdb's points */
    uint64_t ours[8], guests[8];    /* debug registers */
    uint64_t guest_cr8;
    uint64_t seen;              /* causes in DR6 when it was disarmed */
    CPUWatchpoint hit;          /* for gdb */
} MshvDebug;

/* ---- debug.c ---- */

/*
 * Debug registers for gdb's hardware breakpoints and watchpoints; returns how
 * many. The version changes with them.
 */
unsigned mshv_debug_points(uint64_t *regs);
unsigned mshv_debug_points_version(void);

/* Tell gdb which watchpoint debug register @i is, if it is one. */
void mshv_debug_report(CPUState *cs, unsigned i);

/* Whether #DB exits; without it nothing can be stepped. */
bool mshv_debug_can_step(void);

/* ---- debug-vp.c ---- */

/*
 * #DB, by an exit or an emulated instruction; DR6's bits for it are in @causes
 * or in the VP. As an exit's handler.
 */
int mshv_debug_event(CPUState *cs, uint64_t causes, Error **errp);

/* EXCP_DEBUG: stop for gdb. */
int mshv_debug_stop(CPUState *cs);

/* ---- debug-step.c: with CPUX86State up to date, and the BQL ---- */

void mshv_step_plan(CPUState *cs, MshvStep *step);

/* The step ends where the handler of exception @vector begins. */
void mshv_step_into_handler(CPUState *cs, MshvStep *step, unsigned vector);

/*
 * The instruction is MOV from or to a debug register: do it with those in
 * CPUX86State. False: it is not, or it faults.
 */
bool mshv_step_move_debug_reg(CPUState *cs);

#endif
