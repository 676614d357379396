/*
 * Exceptions that exit, and guest debugging.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "mshv-x86.h"

/* Nobody asked for it: the guest takes it as it would have. */
int mshv_exit_exception(CPUState *cs, const struct hv_message *msg,
                        Error **errp)
{
    const struct hv_x64_exception_intercept_message *m =
        (const void *)msg->u.payload;

    return mshv_inject_exception(cs, m->exception_vector,
                                 m->exception_info.error_code_valid,
                                 m->error_code, m->exception_parameter, errp);
}

bool mshv_arch_supports_guest_debug(void)
{
    return false;
}

int mshv_arch_update_guest_debug(CPUState *cpu)
{
    return -ENOSYS;
}

int mshv_arch_insert_breakpoint(CPUState *cpu, int type, vaddr addr, vaddr len)
{
    return -ENOSYS;
}

int mshv_arch_remove_breakpoint(CPUState *cpu, int type, vaddr addr, vaddr len)
{
    return -ENOSYS;
}

void mshv_arch_remove_all_breakpoints(CPUState *cpu)
{
}
