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
} MshvRegForm;

/* The least MshvPutLevel that writes the register. */
typedef enum MshvRegWhen {
    MSHV_WHEN_RUNTIME = MSHV_PUT_RUNTIME,
    MSHV_WHEN_RESET = MSHV_PUT_RESET,
    MSHV_WHEN_FULL = MSHV_PUT_FULL,
} MshvRegWhen;

typedef struct MshvReg {
    const char *text;           /* for errors */
    uint32_t name;              /* HV_X64_REGISTER_* or HV_REGISTER_* */
    MshvRegForm form;
    MshvRegWhen when;
    uint32_t offset;            /* in CPUX86State */
    /* It exists if the guest's CPUID has one of these bits; none: always. */
    FeatureWord word;
    uint64_t bits;
    /*
     * It may be missing, because a partition need not have the privilege or
     * the hypervisor the register: it is tried once.
     */
    bool optional;
    void (*get)(X86CPU *cpu, const union hv_register_value *value);
    void (*set)(X86CPU *cpu, union hv_register_value *value);
} MshvReg;

extern const MshvReg mshv_reg_table[];
extern const unsigned mshv_reg_count;

/* Between a SegmentCache and the hypervisor's form of a segment register. */
void mshv_segment_to_env(SegmentCache *seg,
                         const struct hv_x64_segment_register *hv);
void mshv_segment_from_env(const SegmentCache *seg,
                           struct hv_x64_segment_register *hv);

#endif
