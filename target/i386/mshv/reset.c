/*
 * Exits that end a VP's run: triple fault, HLT, and what should never come.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "exec/cpu-common.h"
#include "system/runstate.h"
#include "accel/mshv/lifecycle.h"
#include "emulate.h"

/* Shutdown of the processor resets the machine, as -action reboot= says. */
int mshv_exit_triple_fault(CPUState *cs, const struct hv_message *msg,
                           Error **errp)
{
    mshv_lifecycle_triple_fault(cs->cpu_index);
    bql_lock();
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
    bql_unlock();
    return EXCP_INTERRUPT;
}

/*
 * HLT waits in the hypervisor. A message about it is only a report: go on, and
 * the VP waits there.
 */
int mshv_exit_halt(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    return 0;
}

/* The guest's hypercalls are the hypervisor's; this one it did not know. */
int mshv_exit_hypercall(CPUState *cs, const struct hv_message *msg,
                        Error **errp)
{
    const struct hv_x64_hypercall_intercept_message *m =
        (const void *)msg->u.payload;
    struct hv_register_assoc regs[2] = {
        { .name = HV_X64_REGISTER_RIP,
          .value.reg64 = m->header.rip + m->header.instruction_length },
        { .name = HV_X64_REGISTER_RAX,
          .value.reg64 = HV_STATUS_INVALID_HYPERCALL_CODE },
    };

    int ret = mshv_x86_store_regs(cs, regs, ARRAY_SIZE(regs), errp);

    return ret < 0 ? ret : mshv_after_instruction(cs, &m->header, errp);
}

int mshv_exit_invalid_register(CPUState *cs, const struct hv_message *msg,
                               Error **errp)
{
    cs->accel->page_fresh = false;
    error_setg(errp, "the hypervisor refuses the VP's registers: their values "
               "do not go together");
    return -EINVAL;
}

int mshv_exit_unsupported(CPUState *cs, const struct hv_message *msg,
                          Error **errp)
{
    const struct hv_x64_unsupported_feature_message *m =
        (const void *)msg->u.payload;

    cs->accel->page_fresh = false;
    error_setg(errp, "the guest uses a feature that the hypervisor does not "
               "support: code %u, parameter 0x%" PRIx64, m->feature_code,
               m->feature_parameter);
    return -ENOTSUP;
}
