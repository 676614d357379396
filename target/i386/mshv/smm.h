/*
 * System management mode, which the hypervisor does not have; see
 * docs/devel/smm.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MSHV_SMM_H
#define TARGET_I386_MSHV_SMM_H

#include "accel/mshv/rendezvous.h"
#include "mshv-x86.h"

static inline bool mshv_smm_is_in(CPUState *cs)
{
    return cpu_env(cs)->hflags & HF_SMM_MASK;
}

/* ---- smm.c ---- */

/* The partition is there: see whether its hypervisor lets us do it. */
void mshv_smm_init(void);

/* Whether the machine has it. After the machine is done. */
bool mshv_smm_is_on(void);

/* @cs is being made: it gets an address space for SMM. */
void mshv_smm_add_cpu(CPUState *cs);

/*
 * An SMI or an INIT waits for @cs, which is about to run. As
 * mshv_arch_pre_run()
 */
int mshv_smm_pre_run(CPUState *cs, Error **errp);

/* If this #UD of @cs is the way out of SMM, take it. False: it is not. */
bool mshv_smm_is_rsm(CPUState *cs,
                     const struct hv_x64_exception_intercept_message *m);
int mshv_smm_return(CPUState *cs);

/* @cs is unplugged. It may be in SMM. */
void mshv_smm_remove_cpu(CPUState *cs);

/* A state was loaded, or the CPU reset: it may be in SMM or not. */
int mshv_smm_follow(CPUState *cs, Error **errp);

/* ---- smm-save.c ---- */

/* What the processor saves, and where: at SMBASE + MSHV_SMM_SAVE */
#define MSHV_SMM_SAVE           0xfe00
#define MSHV_SMM_SAVE_SIZE      0x200

/* What @cpu saves when it enters SMM. */
void mshv_smm_save(X86CPU *cpu, uint8_t area[MSHV_SMM_SAVE_SIZE]);

/* The state that SMM begins with, there. */
#define MSHV_SMM_ENTRY          0x8000
void mshv_smm_begin(X86CPU *cpu);

/* What RSM makes of @area. False: it is a shutdown, and nothing was done. */
bool mshv_smm_load(X86CPU *cpu, const uint8_t area[MSHV_SMM_SAVE_SIZE]);

/* ---- smm-send.c ---- */

/* Have the VPs' SMIs to each other reported. */
int mshv_smm_report_sent(bool on, Error **errp);

/*
 * Linux's headers have the intercepts, but not the numbers of their messages:
 * whether one with a number that nobody knows is about such a command.
 */
bool mshv_smm_is_sent(const struct hv_message *msg);

/*
 * A device sends one, or an INIT: as a command of a local APIC in xAPIC mode.
 */
#define MSHV_ICR_MODE_SHIFT     8
#define MSHV_ICR_LOGICAL        (1u << 11)
void mshv_smm_send(uint64_t icr);

/* ---- smm-missing.c ---- */

/*
 * The machine is done, and has it or not: notice a firmware that needs it and
 * finds none, and say so.
 */
void mshv_smm_watch_missing(bool smm);

/* ---- smm-start.c ---- */

/* See whether the hypervisor reports INITs and SIPIs that VPs send. */
void mshv_smm_start_init(void);

/* Have them reported if any could be for a VP in SMM, or for one that waits. */
int mshv_smm_report_starts(MshvTurn turn, Error **errp);

/* @cs has come into SMM, or left it. With the BQL */
void mshv_smm_set_fresh(CPUState *cs, bool fresh);

/* @cs waits for a SIPI, and so does its SMI; or it does not. With the BQL */
int mshv_smm_set_waits(CPUState *cs, bool waits, Error **errp);

/* Does it still? On its thread */
int mshv_smm_still_waits(CPUState *cs, bool *waits, Error **errp);

/* An INIT or a SIPI was sent to @cs, whose thread this is. With the BQL */
void mshv_smm_start_arrives(CPUState *cs, bool init, uint8_t vector);

/*
 * A SIPI came before the SMI of @cs, which waits for one, was taken: take it.
 * With the BQL, and its state
 */
bool mshv_smm_take_sipi(CPUState *cs);

/* An INIT came in SMM, and @cs is about to run outside. */
int mshv_smm_take_init(CPUState *cs, Error **errp);

#endif
