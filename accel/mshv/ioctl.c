/*
 * The one door to the kernel: every ioctl(2) of the accelerator.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/ioctl.h>
#include "qemu/atomic.h"
#include "qemu/cutils.h"
#include "qapi/error.h"
#include "counters.h"
#include "hvstatus.h"
#include "ioctl.h"
#include "trace.h"

typedef struct MshvCallInfo {
    const char *name;
    unsigned long request;
    uint16_t hypercall;         /* if request is MSHV_ROOT_HVCALL */
} MshvCallInfo;

#define IOCTL(name) \
    [MSHV_CALL_##name] = { #name, MSHV_##name, 0 }
#define HVCALL(name) \
    [MSHV_CALL_##name] = { #name, MSHV_ROOT_HVCALL, HVCALL_##name }

static const MshvCallInfo calls[MSHV_CALL__MAX] = {
    IOCTL(CREATE_PARTITION),
    IOCTL(INITIALIZE_PARTITION),
    IOCTL(CREATE_VP),
    IOCTL(SET_GUEST_MEMORY),
    IOCTL(IRQFD),
    IOCTL(IOEVENTFD),
    IOCTL(SET_MSI_ROUTING),
    IOCTL(GET_GPAP_ACCESS_BITMAP),
    IOCTL(RUN_VP),
    IOCTL(GET_VP_STATE),
    IOCTL(SET_VP_STATE),
    [MSHV_CALL_OTHER_HVCALL] = { "OTHER_HVCALL", MSHV_ROOT_HVCALL, 0 },
    HVCALL(GET_PARTITION_PROPERTY),
    HVCALL(GET_PARTITION_PROPERTY_EX),
    HVCALL(SET_PARTITION_PROPERTY),
    HVCALL(INSTALL_INTERCEPT),
    HVCALL(GET_VP_REGISTERS),
    HVCALL(SET_VP_REGISTERS),
    HVCALL(TRANSLATE_VIRTUAL_ADDRESS),
    HVCALL(CLEAR_VIRTUAL_INTERRUPT),
    HVCALL(REGISTER_INTERCEPT_RESULT),
    HVCALL(ASSERT_VIRTUAL_INTERRUPT),
    HVCALL(GET_GPA_PAGES_ACCESS_STATES),
    HVCALL(SIGNAL_EVENT_DIRECT),
    HVCALL(POST_MESSAGE_DIRECT),
    HVCALL(GET_VP_CPUID_VALUES),
};

/* Whether a test wants something to fail. */
bool mshv_injection_armed;

/* What it is. May change while other threads make calls. */
static struct {
    MshvCall call;              /* MSHV_CALL__MAX: any */
    uint64_t countdown;
    int error;
} injection;

int mshv_injected_error(MshvCall call)
{
    if ((injection.call != MSHV_CALL__MAX && injection.call != call) ||
        qatomic_fetch_dec(&injection.countdown) != 1) {
        return 0;
    }
    return injection.error;
}

static int account(MshvCall call, int fd, int ret)
{
    MshvCallCounters *counts = &mshv_counters->calls[call];

    qatomic_inc(&counts->made);
    if (ret < 0) {
        qatomic_inc(&counts->failed);
    } else if (call == MSHV_CALL_ASSERT_VIRTUAL_INTERRUPT) {
        mshv_counters_first(&mshv_counters->vm.first_interrupt_time);
    }
    trace_mshv_ioctl(calls[call].name, fd, ret);
    return ret;
}

/* The only place, besides the run window, that enters the kernel. */
static int enter(MshvCall call, int fd, void *arg)
{
    int ret = mshv_call_error(call);

    if (!ret) {
        do {
            ret = ioctl(fd, calls[call].request, arg);
        } while (ret < 0 && errno == EINTR);
        if (ret < 0) {
            ret = -errno;
        }
    }
    return account(call, fd, ret);
}

int mshv_ioctl(MshvCall call, int fd, void *arg, Error **errp)
{
    int ret = enter(call, fd, arg);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "MSHV_%s failed", calls[call].name);
    }
    return ret;
}

void mshv_ioctl_run_failed(void)
{
    qatomic_inc(&mshv_counters->calls[MSHV_CALL_RUN_VP].failed);
}

static MshvCall call_of_hypercall(uint16_t code)
{
    MshvCall call;

    for (call = 0; call < MSHV_CALL__MAX; call++) {
        if (calls[call].hypercall == code && code) {
            return call;
        }
    }
    return MSHV_CALL_OTHER_HVCALL;
}

static void set_hvcall_error(Error **errp, MshvCall call, int err,
                             const struct mshv_root_hvcall *args,
                             uint16_t reps)
{
    const char *status = mshv_hv_status_name(args->status);

    if (!args->status) {
        error_setg_errno(errp, err, "hypercall %s (0x%x) failed",
                         calls[call].name, args->code);
    } else if (reps) {
        error_setg(errp, "hypercall %s (0x%x) failed: HV_STATUS_%s (0x%x) "
                   "after %u of %u elements", calls[call].name, args->code,
                   status ?: "?", args->status, args->reps, reps);
    } else {
        error_setg(errp, "hypercall %s (0x%x) failed: HV_STATUS_%s (0x%x)",
                   calls[call].name, args->code, status ?: "?",
                   args->status);
    }
}

int mshv_hvcall(int fd, uint16_t code, uint16_t reps,
                const void *in, size_t in_size, void *out, size_t out_size,
                uint16_t *done, Error **errp)
{
    MshvCall call = call_of_hypercall(code);
    struct mshv_root_hvcall args = {
        .code = code,
        .reps = reps,
        .in_sz = in_size,
        .in_ptr = (uintptr_t)in,
        .out_sz = out_size,
        .out_ptr = (uintptr_t)out,
    };
    int ret = enter(call, fd, &args);

    if (done) {
        /* The kernel tells progress only if it made the hypercall. */
        *done = ret < 0 && !args.status ? 0 : args.reps;
    }
    if (ret < 0) {
        set_hvcall_error(errp, call, -ret, &args, reps);
    }
    return ret;
}

uint64_t mshv_call_count(MshvCall call)
{
    return qatomic_read(&mshv_counters->calls[call].made);
}

uint64_t mshv_call_errors(MshvCall call)
{
    return qatomic_read(&mshv_counters->calls[call].failed);
}

static bool find_call(const char *name, MshvCall *call)
{
    for (*call = 0; *call < MSHV_CALL__MAX; (*call)++) {
        if (!g_ascii_strcasecmp(name, calls[*call].name)) {
            return true;
        }
    }
    /* Here *call is MSHV_CALL__MAX. */
    return g_str_equal(name, "any");
}

bool mshv_fail_ioctl(const char *spec, Error **errp)
{
    g_auto(GStrv) part = g_strsplit(spec, ":", 3);
    uint64_t number;
    int error = EIO;
    MshvCall call;

    if (g_strv_length(part) < 2 || !find_call(part[0], &call) ||
        !g_ascii_isdigit(part[1][0]) ||
        qemu_strtou64(part[1], NULL, 10, &number) || !number ||
        (part[2] && (qemu_strtoi(part[2], NULL, 10, &error) || error <= 0))) {
        error_setg(errp, "'%s' is not NAME:N[:ERRNO] with the name of a call "
                   "in upper case, or \"any\"", spec);
        return false;
    }
    qatomic_set_mb(&mshv_injection_armed, false);
    injection.call = call;
    injection.error = error;
    qatomic_set(&injection.countdown, number);
    qatomic_store_release(&mshv_injection_armed, true);
    return true;
}
