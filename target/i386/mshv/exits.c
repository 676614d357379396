/*
 * What the messages of exits mean, and who answers them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "mshv-x86.h"
#include "smm.h"

typedef struct Exit {
    uint32_t type;              /* of the message */
    const char *name;
    MshvExitHandler *handle;
} Exit;

static const Exit exits[] = {
    { HVMSG_UNMAPPED_GPA, "unmapped-gpa", mshv_exit_memory },
    { HVMSG_GPA_INTERCEPT, "gpa-intercept", mshv_exit_memory },
    { HVMSG_X64_IO_PORT_INTERCEPT, "io-port", mshv_exit_io_port },
    { HVMSG_X64_APIC_EOI, "apic-eoi", mshv_exit_apic_eoi },
    { HVMSG_X64_INTERRUPTION_DELIVERABLE, "interruption-deliverable",
      mshv_exit_deliverable },
    { HVMSG_X64_MSR_INTERCEPT, "msr", mshv_exit_msr },
    { HVMSG_X64_CPUID_INTERCEPT, "cpuid", mshv_exit_cpuid },
    { HVMSG_X64_EXCEPTION_INTERCEPT, "exception", mshv_exit_exception },
    { HVMSG_X64_APIC_SMI_INTERCEPT, "apic-smi", mshv_exit_apic_smi },
    { HVMSG_X64_HALT, "halt", mshv_exit_halt },
    { HVMSG_HYPERCALL_INTERCEPT, "hypercall", mshv_exit_hypercall },
    { HVMSG_UNRECOVERABLE_EXCEPTION, "triple-fault", mshv_exit_triple_fault },
    { HVMSG_INVALID_VP_REGISTER_VALUE, "invalid-vp-register",
      mshv_exit_invalid_register },
    { HVMSG_UNSUPPORTED_FEATURE, "unsupported-feature",
      mshv_exit_unsupported },
};

static const Exit *find_exit(uint32_t type)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(exits); i++) {
        if (exits[i].type == type) {
            return &exits[i];
        }
    }
    return NULL;
}

uint32_t mshv_arch_message_type(unsigned i)
{
    return i < ARRAY_SIZE(exits) ? exits[i].type : 0;
}

const char *mshv_arch_message_name(uint32_t type)
{
    const Exit *e = find_exit(type);

    return e ? e->name : NULL;
}

static int exit_unknown(CPUState *cs, const struct hv_message *msg,
                        Error **errp)
{
    error_setg(errp, "the hypervisor sent a message of unknown type 0x%x",
               msg->header.message_type);
    return -ENOTSUP;
}

MshvExitHandler *mshv_arch_exit_handler(uint32_t type)
{
    const Exit *e = find_exit(type);

    return e ? e->handle : exit_unknown;
}

int mshv_arch_pre_run(CPUState *cs, Error **errp)
{
    uint32_t requests = qatomic_read(&cs->interrupt_request);
    int ret = 0;

    if (requests & CPU_INTERRUPT_SMI) {
        ret = mshv_smm_pre_run(cs, errp);
    }
    /* It looks at all of the VP, which then has nothing of a debugger's. */
    if (unlikely(requests & CPU_INTERRUPT_MCE) && ret == 0) {
        ret = mshv_mce_deliver(cs, errp);
    }
    if (cs->accel->debugged && ret == 0) {
        ret = mshv_debug_pre_run(cs, errp);
    }
    if (requests & CPU_INTERRUPT_HARD && ret == 0 &&
        !mshv_x86(cs)->window_ordered && !mshv_debug_holds_interrupts(cs)) {
        ret = mshv_offer_pic_interrupt(cs, errp);
    }
    return ret;
}
