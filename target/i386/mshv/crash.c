/*
 * The MSRs by which a guest says that it has crashed: five parameters, and a
 * command. With HV_CRASH_CTL_CRASH_NOTIFY_MSG the fourth is the address of a
 * text and the fifth its size.
 *
 * The parameters are the hypervisor's, where it has these MSRs; else, and when
 * all accesses exit, QEMU's. The command always exits, if the hypervisor lets
 * it be intercepted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/qapi-types-run-state.h"
#include "qemu/main-loop.h"
#include "exec/cpu-common.h"
#include "system/runstate.h"
#include "accel/mshv/lifecycle.h"
#include "accel/mshv/vp.h"
#include "mshv-x86.h"

#define PARAMS      5
/* A page is what Linux and Windows send. */
#define MAX_TEXT    4096

bool mshv_crash_read(const CPUX86State *env, uint32_t msr, uint64_t *value)
{
    *value = msr == HV_X64_MSR_CRASH_CTL
             ? HV_CRASH_CTL_CRASH_NOTIFY | HV_CRASH_CTL_CRASH_NOTIFY_MSG
             : env->msr_hv_crash_params[msr - HV_X64_MSR_CRASH_P0];
    return true;
}

/* Where the hypervisor has the register, it is what migration takes. */
static void set_param(CPUX86State *env, unsigned i, uint64_t value)
{
    struct hv_register_assoc reg = {
        .name = HV_REGISTER_GUEST_CRASH_P0 + i,
        .value.reg64 = value,
    };

    env->msr_hv_crash_params[i] = value;
    mshv_vp_set_regs(env_cpu(env), &reg, 1, NULL);
}

static void fetch_params(CPUX86State *env)
{
    union hv_register_value values[PARAMS];
    uint32_t names[PARAMS];
    unsigned i;

    for (i = 0; i < PARAMS; i++) {
        names[i] = HV_REGISTER_GUEST_CRASH_P0 + i;
    }
    if (mshv_vp_get_regs(env_cpu(env), names, values, PARAMS, NULL) < 0) {
        return;
    }
    for (i = 0; i < PARAMS; i++) {
        env->msr_hv_crash_params[i] = values[i].reg64;
    }
}

/* What the guest has to say, up to a NUL; to be freed. */
static char *read_text(uint64_t address, uint64_t size)
{
    char *text = g_malloc0(MAX_TEXT + 1);

    cpu_physical_memory_read(address, text, MIN(size, MAX_TEXT));
    return text;
}

static void panic(CPUX86State *env, bool has_text)
{
    const uint64_t *p = env->msr_hv_crash_params;
    GuestPanicInformation *info = g_new0(GuestPanicInformation, 1);
    g_autofree char *text = has_text ? read_text(p[3], p[4]) : g_strdup("");

    info->type = GUEST_PANIC_INFORMATION_TYPE_HYPER_V;
    info->u.hyper_v.arg1 = p[0];
    info->u.hyper_v.arg2 = p[1];
    info->u.hyper_v.arg3 = p[2];
    info->u.hyper_v.arg4 = p[3];
    info->u.hyper_v.arg5 = p[4];
    mshv_lifecycle_guest_crash(p, text);
    bql_lock();
    qemu_system_guest_panicked(info);
    bql_unlock();
}

bool mshv_crash_write(CPUX86State *env, uint32_t msr, uint64_t value)
{
    if (msr != HV_X64_MSR_CRASH_CTL) {
        set_param(env, msr - HV_X64_MSR_CRASH_P0, value);
    } else if (value & HV_CRASH_CTL_CRASH_NOTIFY) {
        fetch_params(env);
        panic(env, value & HV_CRASH_CTL_CRASH_NOTIFY_MSG);
    }
    return true;
}
