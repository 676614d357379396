/*
 * Guest debugging: software breakpoints and single-stepping, by exits for #BP
 * and #DB, which only exist while they are needed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "exec/cpu-common.h"
#include "exec/gdbstub.h"
#include "gdbstub/enums.h"
#include "system/hw_accel.h"
#include "accel/mshv/partition.h"
#include "mshv-x86.h"

#define INT3    0xcc

typedef struct Breakpoint {
    vaddr addr;
    unsigned users;
    uint8_t original;           /* byte that INT3 replaces */
    QTAILQ_ENTRY(Breakpoint) next;
} Breakpoint;

/* Changed under the BQL while all vCPUs are stopped. */
static QTAILQ_HEAD(, Breakpoint) breakpoints =
    QTAILQ_HEAD_INITIALIZER(breakpoints);

static Breakpoint *find_breakpoint(vaddr addr)
{
    Breakpoint *b;

    QTAILQ_FOREACH(b, &breakpoints, next) {
        if (b->addr == addr) {
            return b;
        }
    }
    return NULL;
}

/* Exits for an exception, in all of the partition. */
static int intercept_exception(unsigned vector, bool on)
{
    struct hv_input_install_intercept in = {
        .access_type = on ? HV_INTERCEPT_ACCESS_MASK_EXECUTE
                          : HV_INTERCEPT_ACCESS_MASK_NONE,
        .intercept_type = HV_INTERCEPT_TYPE_EXCEPTION,
        .intercept_parameter.exception_vector = vector,
    };
    Error *err = NULL;
    int ret = mshv_pt_hvcall(HVCALL_INSTALL_INTERCEPT, 0, &in, sizeof(in),
                             NULL, 0, NULL, &err);

    if (ret < 0) {
        error_reportf_err(err, "mshv: debugging the guest: ");
    }
    return ret;
}

bool mshv_arch_supports_guest_debug(void)
{
    return true;
}

static bool anybody_steps(void)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        if (cs->singlestep_enabled) {
            return true;
        }
    }
    return false;
}

/* TF is set before each run, and cleared when the step is done. */
int mshv_arch_update_guest_debug(CPUState *cs)
{
    return intercept_exception(EXCP01_DB, anybody_steps());
}

int mshv_debug_pre_run(CPUState *cs, Error **errp)
{
    struct hv_register_assoc flags = { .name = HV_X64_REGISTER_RFLAGS };
    int ret = mshv_x86_get_regs(cs, &flags.name, &flags.value, 1, errp);

    if (ret < 0) {
        return ret;
    }
    flags.value.reg64 |= TF_MASK;
    return mshv_x86_store_regs(cs, &flags, 1, errp);
}

/* gdb reads CPUX86State without asking for it. */
static int stop_for_gdb(CPUState *cs)
{
    bql_lock();
    cpu_synchronize_state(cs);
    bql_unlock();
    return EXCP_DEBUG;
}

int mshv_debug_end_of_step(CPUState *cs, Error **errp)
{
    struct hv_register_assoc flags = { .name = HV_X64_REGISTER_RFLAGS };
    int ret = mshv_x86_get_regs(cs, &flags.name, &flags.value, 1, errp);

    if (ret == 0) {
        flags.value.reg64 &= ~(uint64_t)TF_MASK;
        ret = mshv_x86_store_regs(cs, &flags, 1, errp);
    }
    return ret < 0 ? ret : stop_for_gdb(cs);
}

int mshv_arch_insert_breakpoint(CPUState *cs, int type, vaddr addr, vaddr len)
{
    Breakpoint *b = find_breakpoint(addr);
    uint8_t int3 = INT3, original;
    int ret = 0;

    if (type != GDB_BREAKPOINT_SW) {
        return -ENOSYS;
    }
    if (b) {
        b->users++;
        return 0;
    }
    if (cpu_memory_rw_debug(cs, addr, &original, 1, false) ||
        cpu_memory_rw_debug(cs, addr, &int3, 1, true)) {
        return -EINVAL;
    }
    if (QTAILQ_EMPTY(&breakpoints)) {
        ret = intercept_exception(EXCP03_INT3, true);
    }
    b = g_new0(Breakpoint, 1);
    b->addr = addr;
    b->users = 1;
    b->original = original;
    QTAILQ_INSERT_TAIL(&breakpoints, b, next);
    return ret;
}

static int forget_breakpoint(CPUState *cs, Breakpoint *b)
{
    uint8_t now;
    int ret = 0;

    /* The guest may have put something else there. */
    if (cpu_memory_rw_debug(cs, b->addr, &now, 1, false) == 0 && now == INT3 &&
        cpu_memory_rw_debug(cs, b->addr, &b->original, 1, true)) {
        ret = -EINVAL;
    }
    QTAILQ_REMOVE(&breakpoints, b, next);
    g_free(b);
    if (QTAILQ_EMPTY(&breakpoints)) {
        intercept_exception(EXCP03_INT3, false);
    }
    return ret;
}

int mshv_arch_remove_breakpoint(CPUState *cs, int type, vaddr addr, vaddr len)
{
    Breakpoint *b = find_breakpoint(addr);

    if (type != GDB_BREAKPOINT_SW) {
        return -ENOSYS;
    }
    if (!b) {
        return -ENOENT;
    }
    return --b->users ? 0 : forget_breakpoint(cs, b);
}

void mshv_arch_remove_all_breakpoints(CPUState *cs)
{
    Breakpoint *b, *next;

    QTAILQ_FOREACH_SAFE(b, &breakpoints, next, next) {
        forget_breakpoint(cs, b);
    }
}

/* The guest's own exception: it takes it as it would have. */
static int reflect(CPUState *cs,
                   const struct hv_x64_exception_intercept_message *m,
                   Error **errp)
{
    union hv_x64_pending_interruption_register pending = {
        .interruption_pending = 1,
        .interruption_type = m->exception_vector == EXCP03_INT3
                             ? HV_X64_PENDING_SOFTWARE_EXCEPTION
                             : HV_X64_PENDING_EXCEPTION,
        .deliver_error_code = m->exception_info.error_code_valid,
        .interruption_vector = m->exception_vector,
        .error_code = m->error_code,
        .instruction_length = m->exception_vector == EXCP03_INT3 ? 1 : 0,
    };
    struct hv_register_assoc regs[2] = {
        { .name = HV_REGISTER_PENDING_INTERRUPTION,
          .value.pending_interruption = pending },
        { .value.reg64 = m->exception_parameter },
    };
    unsigned n = 1;

    if (m->exception_vector == EXCP01_DB) {
        regs[n++].name = HV_X64_REGISTER_DR6;
    } else if (m->exception_vector == EXCP0E_PAGE) {
        regs[n++].name = HV_X64_REGISTER_CR2;
    }
    return mshv_x86_set_regs(cs, regs, n, errp);
}

int mshv_exit_exception(CPUState *cs, const struct hv_message *msg,
                        Error **errp)
{
    const struct hv_x64_exception_intercept_message *m =
        (const void *)msg->u.payload;
    vaddr at = m->header.cs_segment.base + m->header.rip;

    if (m->exception_vector == EXCP01_DB && cs->singlestep_enabled) {
        return mshv_debug_end_of_step(cs, errp);
    }
    if (m->exception_vector == EXCP03_INT3 && find_breakpoint(at)) {
        return stop_for_gdb(cs);
    }
    return reflect(cs, m, errp);
}
