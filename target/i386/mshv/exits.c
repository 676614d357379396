/*
 * What the messages of exits mean, and who answers them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "mshv/names.h"
#include "mshv-x86.h"
#include "smm.h"

typedef struct Exit {
    uint32_t type;              /* of the message */
    MshvExitHandler *handle;
} Exit;

static const Exit exits[] = {
    { HVMSG_UNMAPPED_GPA, mshv_exit_memory },
    { HVMSG_GPA_INTERCEPT, mshv_exit_memory },
    { HVMSG_X64_IO_PORT_INTERCEPT, mshv_exit_io_port },
    { HVMSG_X64_APIC_EOI, mshv_exit_apic_eoi },
    { HVMSG_X64_INTERRUPTION_DELIVERABLE, mshv_exit_deliverable },
    { HVMSG_X64_MSR_INTERCEPT, mshv_exit_msr },
    { HVMSG_X64_CPUID_INTERCEPT, mshv_exit_cpuid },
    { HVMSG_X64_EXCEPTION_INTERCEPT, mshv_exit_exception },
    { HVMSG_X64_APIC_SMI_INTERCEPT, mshv_exit_apic_ipi },
    { HVMSG_X64_APIC_INIT_SIPI_INTERCEPT, mshv_exit_apic_ipi },
    { HVMSG_X64_SIPI_INTERCEPT, mshv_exit_sipi },
    { HVMSG_X64_HALT, mshv_exit_halt },
    { HVMSG_HYPERCALL_INTERCEPT, mshv_exit_hypercall },
    { HVMSG_UNRECOVERABLE_EXCEPTION, mshv_exit_triple_fault },
    { HVMSG_INVALID_VP_REGISTER_VALUE, mshv_exit_invalid_register },
    { HVMSG_UNSUPPORTED_FEATURE, mshv_exit_unsupported },
};

static const Exit *find_exit(uint32_t type)
{
    unsigned i;

    /* Each has a name: see mshv/names.h. */
    QEMU_BUILD_BUG_ON(ARRAY_SIZE(exits) != MSHV_EXIT_KINDS);
    for (i = 0; i < ARRAY_SIZE(exits); i++) {
        if (exits[i].type == type) {
            return &exits[i];
        }
    }
    return NULL;
}

static int exit_unknown(CPUState *cs, const struct hv_message *msg,
                        Error **errp)
{
    if (mshv_smm_is_sent(msg)) {
        return mshv_exit_apic_ipi(cs, msg, errp);
    }
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

    if (requests & (CPU_INTERRUPT_SMI | CPU_INTERRUPT_INIT)) {
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
