/*
 * What the accelerator asks of the architecture it runs (target/i386/mshv).
 *
 * Functions that return int answer 0 or -errno and then set @errp, if not
 * said otherwise. "On the vCPU's thread" includes "while the VP is stopped".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_ARCH_H
#define ACCEL_MSHV_ARCH_H

#include "hw/core/cpu.h"
#include "mshv/hvabi.h"
#include "mshv/uapi.h"

/* How much of a CPU's state a write to its VP must carry. */
typedef enum MshvPutLevel {
    MSHV_PUT_RUNTIME,   /* what somebody may have changed while it ran */
    MSHV_PUT_RESET,     /* the state after a reset, or of a new VP */
    MSHV_PUT_FULL,      /* everything, clocks too: a loaded snapshot */
} MshvPutLevel;

/* Whose turn it is to run, while hidden memory is in use: rendezvous.h */
typedef enum MshvTurn {
    MSHV_TURN_ALL,              /* Nobody is inside. */
    MSHV_TURN_INSIDE,
    MSHV_TURN_OUTSIDE,
} MshvTurn;

/*
 * Choose what a new partition gets: flags (1 << MSHV_PT_BIT_*) and the
 * disabled feature banks. mshv_host_property() works already, nothing else.
 */
int mshv_arch_creation(struct mshv_create_partition_v2 *args, Error **errp);

/* Properties that must be set before MSHV_INITIALIZE_PARTITION, and after. */
int mshv_arch_partition_early(Error **errp);
int mshv_arch_partition_late(Error **errp);

/* The width of a guest's physical addresses; 64 before the first CPU. */
unsigned mshv_arch_address_bits(void);

/* The VP index that @cpu shall have: unique, below MSHV_MAX_VPS. */
uint32_t mshv_arch_vp_index(CPUState *cpu);

/*
 * The VP exists and its register page is mapped; it may have served another
 * CPUState before (hot-unplug). On the vCPU's thread, with the BQL.
 */
int mshv_arch_vp_init(CPUState *cpu, Error **errp);
void mshv_arch_vp_destroy(CPUState *cpu);

/*
 * All of the VP's state into CPUState's subclass, or back. On the vCPU's
 * thread, with the BQL. The caller looks after cpu->vcpu_dirty.
 */
int mshv_arch_get_state(CPUState *cpu, Error **errp);
int mshv_arch_put_state(CPUState *cpu, MshvPutLevel level, Error **errp);

/*
 * A loaded state is in all VPs: set their clocks, as of one moment. With the
 * BQL, while no VP runs.
 */
int mshv_arch_put_clocks(Error **errp);

/*
 * For developers and tests: each register that is kept, saved and migrated,
 * and each one that is not, with the reason.
 */
char *mshv_arch_state_list(void);

/*
 * Why the VM cannot be saved or migrated, of what the architecture knows: NULL
 * if nothing speaks against it. All CPUs are there.
 */
char *mshv_arch_migration_obstacle(void);

/*
 * Of a rendezvous (rendezvous.h): @turn begins, or a VP has gone inside or
 * left. With the BQL.
 */
int mshv_arch_rendezvous(MshvTurn turn, Error **errp);

/*
 * Hidden memory is about to be mapped, and no VP runs. *@may is false if it
 * would not be found there; what follows from that has been done.
 */
int mshv_arch_may_show(bool *may, Error **errp);

/*
 * Before a run if @cpu is debugged or has an interrupt request. Without the
 * BQL. Returns 0 to run, an EXCP_* to leave the loop, or -errno with @errp
 * set.
 */
int mshv_arch_pre_run(CPUState *cpu, Error **errp);

/*
 * Answer the message of an exit. Without the BQL. Returns 0 to run again, an
 * EXCP_* to leave the loop (EXCP_DEBUG: stop for gdb), or -errno with @errp
 * set: the VM then stops as internal-error.
 */
typedef int MshvExitHandler(CPUState *cpu, const struct hv_message *msg,
                            Error **errp);

/* Who answers messages of @type; never NULL. */
MshvExitHandler *mshv_arch_exit_handler(uint32_t type);

/*
 * Tell the guest that its memory at @gpa is broken; if @required, @cpu has just
 * touched it. False if it cannot be told. With the BQL.
 */
bool mshv_arch_machine_check(CPUState *cpu, uint64_t gpa, bool required);

/*
 * Guest debugging. update is called on the vCPU's thread, pre_resume before all
 * are started: @step: one will be single-stepped.
 */
bool mshv_arch_supports_guest_debug(void);
int mshv_arch_update_guest_debug(CPUState *cpu);
int mshv_arch_insert_breakpoint(CPUState *cpu, int type, vaddr addr,
                                vaddr len);
int mshv_arch_remove_breakpoint(CPUState *cpu, int type, vaddr addr,
                                vaddr len);
void mshv_arch_remove_all_breakpoints(CPUState *cpu);
void mshv_arch_pre_resume(bool step);

/*
 * Can the kernel's route table carry the MSI? Not vector 0, nor an APIC id
 * that it would cut off (mshv_copy_girq_info in mshv_irq.c) or that no VP has.
 */
bool mshv_arch_msi_routable(uint64_t address, uint32_t data);

#endif
