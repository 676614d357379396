/*
 * The instruction emulator (insn/) with a stopped VP under it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MSHV_EMULATE_H
#define TARGET_I386_MSHV_EMULATE_H

#include "mshv-x86.h"
#include "insn/insn.h"

/* One emulation: the "opaque" of the emulator's callbacks. */
typedef struct MshvEmulation {
    CPUState *cs;
    struct insn_cpu cpu;
    uint32_t access_version;    /* at its start */
    Error *err;                 /* why a callback failed */
} MshvEmulation;

/* The callbacks, for code that only wants to read the guest. */
extern const struct insn_ops mshv_insn_ops;

/* Between CPUX86State and the image of FXSAVE64 */
void mshv_fpu_to_image(const CPUX86State *env, uint8_t *image);
void mshv_fpu_from_image(CPUX86State *env, const uint8_t *image);

/* Fill @e->cpu from the stopped VP. */
int mshv_emulation_begin(MshvEmulation *e, CPUState *cs, Error **errp);

/*
 * Take over what the emulator answered: write registers back, inject a fault,
 * trap if the guest single-steps. @header: of the exit's message.
 */
int mshv_emulation_end(MshvEmulation *e, enum insn_status status,
                       const struct insn_result *result,
                       const struct hv_x64_intercept_message_header *header,
                       Error **errp);

/*
 * What the guest's kernel would be stopped for, its programs cannot stop the VM
 * with: they get #UD.
 */
int mshv_refuse_to_user(CPUState *cs,
                        const struct hv_x64_intercept_message_header *header,
                        Error **errp);

/*
 * What the processor does after any instruction: the interrupt shadow ends, and
 * TF traps. @header: of the message, from before the instruction.
 */
int mshv_end_shadow_and_trap(CPUState *cs,
                             const struct hv_x64_intercept_message_header
                                 *header, Error **errp);

static inline int
mshv_after_instruction(CPUState *cs,
                       const struct hv_x64_intercept_message_header *header,
                       Error **errp)
{
    if (likely(!header->execution_state.interrupt_shadow &&
               !(header->rflags & TF_MASK))) {
        return 0;
    }
    return mshv_end_shadow_and_trap(cs, header, errp);
}

#endif
