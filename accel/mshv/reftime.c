/*
 * The partition's time: reference time, and what the hypervisor derives from
 * it, stand still while the VM does. So nothing fires meanwhile, and what a
 * guest has not seen of a pause it need not explain.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "system/runstate.h"
#include "counters.h"
#include "lifecycle.h"
#include "partition.h"
#include "reftime.h"
#include "trace.h"

static bool stands_still;
static bool can_stand_still;

static void freeze(bool on)
{
    Error *err = NULL;
    int ret;

    if (on == stands_still) {
        return;
    }
    ret = mshv_set_property(HV_PARTITION_PROPERTY_TIME_FREEZE, on, &err);
    trace_mshv_time_freeze(on, ret);
    mshv_counters_fallback(MSHV_FALLBACK_CLOCK, on && ret);
    if (ret == 0) {
        stands_still = on;
        return;
    }
    if (!on) {
        /* Without timers the guest would only seem to run. */
        error_prepend(&err, "mshv: the guest's time does not go on: ");
        mshv_lifecycle_stops(err);
        qemu_system_vmstop_request_prepare();
        qemu_system_vmstop_request(RUN_STATE_INTERNAL_ERROR);
        return;
    }
    warn_report_once("mshv: the guest's time runs on while the VM is stopped: "
                     "%s", error_get_pretty(err));
    error_free(err);
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    freeze(!running);
}

void mshv_time_init(void)
{
    freeze(true);
    can_stand_still = stands_still;
    qemu_add_vm_change_state_handler(vm_state_changed, NULL);
}

bool mshv_time_can_stand_still(void)
{
    return can_stand_still;
}

int mshv_time_get(uint64_t *time, Error **errp)
{
    return mshv_get_property(HV_PARTITION_PROPERTY_REFERENCE_TIME, time, errp);
}

int mshv_time_set(uint64_t time, Error **errp)
{
    return mshv_set_property(HV_PARTITION_PROPERTY_REFERENCE_TIME, time, errp);
}
