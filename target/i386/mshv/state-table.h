/*
 * The table of a VP's registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MSHV_STATE_TABLE_H
#define TARGET_I386_MSHV_STATE_TABLE_H

#include "mshv-x86.h"

/* How a register's value lies in CPUX86State. */
typedef enum MshvRegForm {
    MSHV_FORM_U64,
    MSHV_FORM_U32,
    MSHV_FORM_SEGMENT,          /* SegmentCache */
    MSHV_FORM_TABLE,            /* SegmentCache: base and limit */
    MSHV_FORM_FUNCTION,         /* get and set of the row */
    MSHV_FORM_RAW,              /* not there, but in MshvX86.raw */
} MshvRegForm;

/* The least MshvPutLevel that writes the register. */
typedef enum MshvRegWhen {
    MSHV_WHEN_RUNTIME = MSHV_PUT_RUNTIME,
    MSHV_WHEN_RESET = MSHV_PUT_RESET,
    MSHV_WHEN_FULL = MSHV_PUT_FULL,
} MshvRegWhen;

/*
 * One piece of a VP's state. What it is after a reset is what CPUX86State
 * says then; of those in raw, 0.
 */
typedef struct MshvReg {
    const char *text;           /* for errors */
    uint32_t name;              /* HV_X64_REGISTER_* or HV_REGISTER_* */
    MshvRegForm form;
    MshvRegWhen when;
    uint32_t offset;            /* in CPUX86State */
    /* It exists if the guest's CPUID has one of these bits; none: always. */
    FeatureWord word;
    uint64_t bits;
    FeatureWord other_word;     /* or one of these: the other vendor's */
    uint64_t other_bits;
    /*
     * It may be missing, because a partition need not have the privilege or
     * the hypervisor the register: it is tried once.
     */
    bool optional;
    bool mode;                  /* but at run time, mode.c writes it */
    /* The partition's: all VPs show it, and the first CPU writes it. */
    bool partition;
    /*
     * A clock, or what waits for one: of a loaded state clocks.c writes it,
     * when all VPs are there.
     */
    bool clock;
    /* Where the hypervisor does not take a loaded value, nothing is lost. */
    bool may_refuse;
    /* QEMU's sections of a migration stream have no place for all of it. */
    bool own_stream;
    void (*get)(X86CPU *cpu, const union hv_register_value *value);
    void (*set)(X86CPU *cpu, union hv_register_value *value);
} MshvReg;

extern const MshvReg mshv_reg_table[];
extern const unsigned mshv_reg_count;

/* Registers that are no state of their own, in order of their names. */
typedef struct MshvRegLeftOut {
    uint32_t first, last;
    const char *why;
} MshvRegLeftOut;

extern const MshvRegLeftOut mshv_reg_left_out[];
extern const unsigned mshv_reg_left_out_count;

/* Does this VP have the register of that row? */
bool mshv_reg_exists(X86CPU *cpu, unsigned row);

/* Whether the hypervisor has taken all that were to be written. */
bool mshv_reg_all_can_be_set(void);

/* Between the register of a row and where QEMU keeps it. */
void mshv_reg_to_env(X86CPU *cpu, unsigned row,
                     const union hv_register_value *value);
void mshv_reg_from_env(X86CPU *cpu, unsigned row,
                       union hv_register_value *value);

/* Between a SegmentCache and the hypervisor's form of a segment register. */
void mshv_segment_to_env(SegmentCache *seg,
                         const struct hv_x64_segment_register *hv);
void mshv_segment_from_env(const SegmentCache *seg,
                           struct hv_x64_segment_register *hv);

#endif
