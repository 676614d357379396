/*
 * What becomes of the VM, one line each: -accel mshv,log=lifecycle.
 *
 * A line is a plain sentence, then key=value for machines: event= first. Texts
 * that others have chosen are in quotes, with escapes as in C.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/notify.h"
#include "qemu/timer.h"
#include "hw/qdev-core.h"
#include "migration/misc.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "system/system.h"
#include "counters.h"
#include "lifecycle.h"
#include "trace.h"

bool mshv_lifecycle_log;

G_LOCK_DEFINE_STATIC(stop_reason);
static char *stop_reason;       /* NULL: none */

static struct {
    int64_t began;              /* ms */
    uint64_t passes;
    uint64_t pages;
} migration;

static void G_GNUC_PRINTF(3, 4) tell(const char *sentence, const char *event,
                                     const char *format, ...)
{
    g_autofree char *values = NULL;
    va_list args;

    if (!mshv_lifecycle_log &&
        !trace_event_get_state_backends(TRACE_MSHV_LIFECYCLE)) {
        return;
    }
    va_start(args, format);
    values = g_strdup_vprintf(format, args);
    va_end(args);
    trace_mshv_lifecycle(event, values);
    if (mshv_lifecycle_log) {
        info_report("mshv: %s event=%s%s%s", sentence, event,
                    *values ? " " : "", values);
    }
}

static char *quote(const char *text)
{
    g_autofree char *escaped = g_strescape(text, NULL);

    return g_strdup_printf("\"%s\"", escaped);
}

void mshv_lifecycle_first_exit(void)
{
    const MshvVmCounters *vm = &mshv_counters->vm;

    tell("the guest runs", "first-exit", "since_start_ms=%" PRIu64,
         (vm->first_exit_time - vm->start_time) / SCALE_MS);
}

void mshv_lifecycle_guest_crash(const uint64_t *params, const char *text)
{
    g_autofree char *quoted = quote(text);

    tell("the guest says that it has crashed", "guest-crash",
         "arg1=0x%" PRIx64 " arg2=0x%" PRIx64 " arg3=0x%" PRIx64
         " arg4=0x%" PRIx64 " arg5=0x%" PRIx64 " message=%s",
         params[0], params[1], params[2], params[3], params[4], quoted);
}

static void set_stop_reason(const char *reason)
{
    G_LOCK(stop_reason);
    g_free(stop_reason);
    stop_reason = g_strdup(reason);
    G_UNLOCK(stop_reason);
}

void mshv_lifecycle_stops(Error *err)
{
    set_stop_reason(error_get_pretty(err));
    error_report_err(err);
}

char *mshv_lifecycle_stop_reason(void)
{
    char *reason;

    G_LOCK(stop_reason);
    reason = g_strdup(stop_reason ?: "");
    G_UNLOCK(stop_reason);
    return reason;
}

void mshv_lifecycle_triple_fault(int cpu)
{
    tell("a CPU of the guest met a triple fault", "triple-fault", "cpu=%d",
         cpu);
}

static void state_changed(void *opaque, bool running, RunState state)
{
    g_autofree char *reason = NULL, *quoted = NULL;

    if (running) {
        set_stop_reason(NULL);
        tell("the VM runs", "run", "state=%s", RunState_str(state));
        return;
    }
    reason = mshv_lifecycle_stop_reason();
    quoted = quote(reason);
    tell("the VM has stopped", "stop", "state=%s%s%s", RunState_str(state),
         *reason ? " reason=" : "", *reason ? quoted : "");
}

/* Machines are reset before they run for the first time, too. */
static void on_reset(void *opaque)
{
    if (!mshv_counters->vm.first_exit_time) {
        return;
    }
    tell("the VM is reset", "reset", "state=%s", RunState_str(runstate_get()));
}

static void tell_device(DeviceState *dev, bool assigned)
{
    g_autofree char *host = NULL, *id = NULL, *quoted = NULL;

    if (!object_dynamic_cast(OBJECT(dev), "vfio-pci")) {
        return;
    }
    host = object_property_get_str(OBJECT(dev), "host", NULL);
    id = quote(dev->id ?: "");
    quoted = quote(host ?: "");
    tell(assigned ? "a device of the host is the guest's"
                  : "a device of the host is given back",
         assigned ? "device-assigned" : "device-released",
         "id=%s host=%s", id, quoted);
}

static void device_realized(DeviceListener *listener, DeviceState *dev)
{
    tell_device(dev, true);
}

static void device_unrealized(DeviceListener *listener, DeviceState *dev)
{
    tell_device(dev, false);
}

static DeviceListener device_listener = {
    .realize = device_realized,
    .unrealize = device_unrealized,
};

static void tell_migrated(bool good)
{
    const MshvVmCounters *vm = &mshv_counters->vm;
    /* It may fail before it has begun. */
    bool began = migration.began;

    tell(good ? "the VM was sent" : "the VM was not sent",
         good ? "migration-done" : "migration-failed",
         "took_ms=%" PRId64 " dirty_passes=%" PRIu64 " dirty_pages=%" PRIu64,
         began ? qemu_clock_get_ms(QEMU_CLOCK_REALTIME) - migration.began : 0,
         began ? vm->dirty_passes - migration.passes : 0,
         began ? vm->dirty_pages - migration.pages : 0);
    migration.began = 0;
}

static int on_migration(NotifierWithReturn *notify, MigrationEvent *event,
                        Error **errp)
{
    const MshvVmCounters *vm = &mshv_counters->vm;

    if (event->type == MIG_EVENT_PRECOPY_SETUP) {
        migration.began = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
        migration.passes = vm->dirty_passes;
        migration.pages = vm->dirty_pages;
        tell("the VM is being sent", "migration-begun",
             "memory_bytes=%" PRIu64, vm->memory_bytes);
    } else {
        tell_migrated(event->type == MIG_EVENT_PRECOPY_DONE);
    }
    return 0;
}

static void on_exit_of_qemu(Notifier *notifier, void *opaque)
{
    tell("the partition goes with QEMU", "partition-destroyed", "vps=%" PRIu64,
         mshv_counters->vm.vps);
}

void mshv_lifecycle_init(void)
{
    static NotifierWithReturn migration_notifier;
    static Notifier exit_notifier = { .notify = on_exit_of_qemu };
    g_autofree char *name = quote(qemu_get_vm_name() ?: "");

    tell("a partition was created", "partition-created", "name=%s pid=%d", name,
         getpid());
    qemu_add_vm_change_state_handler(state_changed, NULL);
    qemu_register_reset(on_reset, NULL);
    device_listener_register(&device_listener);
    migration_add_notifier(&migration_notifier, on_migration);
    qemu_add_exit_notifier(&exit_notifier);
}
