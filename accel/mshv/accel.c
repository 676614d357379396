/*
 * The accelerator as QEMU knows it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-visit-common.h"
#include "qapi/visitor.h"
#include "qobject/qdict.h"
#include "qemu/config-file.h"
#include "qemu/error-report.h"
#include "qemu/option.h"
#include "hw/boards.h"
#include "hw/qdev-core.h"
#include "migration/blocker.h"
#include "mshv/mshv.h"
#include "mshv-compat/accel.h"
#include "system/system.h"
#include "access.h"
#include "arch.h"
#include "counters.h"
#include "device.h"
#include "dirty.h"
#include "ioctl.h"
#include "lifecycle.h"
#include "memory.h"
#include "partition.h"
#include "stats.h"
#include "reftime.h"
#include "userfault.h"
#include "vcpu.h"
#include "vp.h"

#define TYPE_MSHV_ACCEL ACCEL_CLASS_NAME("mshv")
OBJECT_DECLARE_SIMPLE_TYPE(MshvState, MSHV_ACCEL)

struct MshvState {
    AccelState parent_obj;

    char *device;               /* path */
    OnOffSplit kernel_irqchip;
};

bool mshv_allowed;

/* Whether @opts, of the list "accel", is the last one that QEMU will try. */
static int note_last_accel(void *opaque, QemuOpts *opts, Error **errp)
{
    const char **last = opaque;

    *last = qemu_opt_get(opts, "accel");
    return 0;
}

/* A user who named another accelerator after this one wants no complaint. */
static bool another_one_follows(void)
{
    const char *last = NULL;

    qemu_opts_foreach(qemu_find_opts("accel"), note_last_accel, &last, NULL);
    return last && !g_str_equal(last, "mshv");
}

/*
 * What is made for KVM, and cannot work with another hypervisor's means: these
 * would start, and end QEMU when a guest uses them.
 */
static const struct {
    const char *type;
    const char *needs;
} refused_devices[] = {
    { "hyperv-testdev", "KVM's emulation of the Hyper-V SynIC" },
    { "vmbus-bridge", "KVM's emulation of the Hyper-V SynIC" },
    { "hv-syndbg", "KVM's emulation of the Hyper-V SynIC" },
    { "hv-balloon", "a vmbus-bridge, which KVM alone can have" },
};

/* QEMU asks here about each -device and device_add. It hides none. */
static bool check_device(DeviceListener *listener, const QDict *opts,
                         bool from_json, Error **errp)
{
    const char *type = qdict_get_try_str(opts, "driver");
    unsigned i;

    for (i = 0; type && i < ARRAY_SIZE(refused_devices); i++) {
        if (g_str_equal(type, refused_devices[i].type)) {
            error_setg(errp, "mshv: the device '%s' needs %s", type,
                       refused_devices[i].needs);
        }
    }
    return false;
}

/* Options that would change nothing must not seem to do so. */
static void name_ignored_options(const MshvState *s)
{
    if (s->kernel_irqchip == ON_OFF_SPLIT_ON) {
        warn_report("mshv: kernel-irqchip=on is taken as 'split': only the "
                    "local APICs are the hypervisor's");
    }
    if (enable_cpu_pm) {
        warn_report("mshv: -overcommit cpu-pm=on is ignored: the hypervisor "
                    "lets no guest put the processor to sleep");
    }
}

static int init(MshvState *s, const MachineState *ms, Error **errp)
{
    int ret;

    if (ms->smp.max_cpus > MSHV_MAX_VPS) {
        error_setg(errp, "%u CPUs are too many: the kernel knows %u VPs in a "
                   "partition", ms->smp.max_cpus, MSHV_MAX_VPS);
        return -EINVAL;
    }
    mshv_counters_init();
    ret = mshv_device_open(s->device, errp);
    if (ret >= 0) {
        ret = mshv_partition_create(ret, errp);
    }
    return ret;
}

int mshv_accel_init_machine(AccelState *accel, MachineState *ms)
{
    Error *err = NULL;
    int ret = init(MSHV_ACCEL(accel), ms, &err);

    if (ret >= 0) {
        static DeviceListener device_listener = { .hide_device = check_device };

        name_ignored_options(MSHV_ACCEL(accel));
        device_listener_register(&device_listener);
        /* Tests make calls fail at run time. */
        object_property_add_child(OBJECT(ms), "accel", OBJECT(accel));
        return 0;
    }
    if (another_one_follows()) {
        error_free(err);
    } else {
        error_reportf_err(err, "mshv: ");
    }
    return ret;
}

/*
 * What needs the command line's CPUs, which QEMU knows only after it has chosen
 * the accelerator.
 */
void mshv_accel_start(void)
{
    Error *err = NULL;

    if (mshv_partition_initialize(&err) < 0 || mshv_memory_init(&err) < 0) {
        error_reportf_err(err, "mshv: ");
        exit(1);
    }
    mshv_access_init();
    mshv_vcpu_init_signal();
    mshv_stats_init();
    mshv_counters_publish();
    mshv_lifecycle_init();
    mshv_time_init();
    mshv_userfault_init();
}

/* Why the VM can be neither saved nor migrated on this host, or NULL. */
static char *migration_obstacle(void)
{
    uint64_t now;

    if (!mshv_dirty_supported()) {
        return g_strdup("this hypervisor does not tell which pages a guest "
                        "has written");
    }
    if (!mshv_time_can_stand_still() || mshv_time_get(&now, NULL) < 0) {
        return g_strdup("this hypervisor does not let the guest's time stand "
                        "still");
    }
    return mshv_arch_migration_obstacle();
}

void mshv_accel_setup_post(AccelState *accel)
{
    static Error *blocker;
    g_autofree char *obstacle = migration_obstacle();
    Error *err = NULL;

    if (!obstacle) {
        return;
    }
    error_setg(&blocker, "mshv: %s", obstacle);
    if (migrate_add_blocker(&blocker, &err) < 0) {
        error_report_err(err);
        exit(1);
    }
}

int mshv_accel_sstep_flags(AccelState *accel)
{
    /* Timers are the hypervisor's: they cannot stand still (SSTEP_NOTIMER). */
    return mshv_arch_supports_guest_debug() ? SSTEP_ENABLE | SSTEP_NOIRQ : 0;
}

void mshv_accel_pre_resume(bool step_pending)
{
    mshv_arch_pre_resume(step_pending);
}

static char *get_device(Object *obj, Error **errp)
{
    return g_strdup(MSHV_ACCEL(obj)->device);
}

/* What the partition was made with does not change any more. */
static bool before_start(const char *name, Error **errp)
{
    if (mshv_partition_fd() >= 0) {
        error_setg(errp, "mshv: the property '%s' can be set only on the "
                   "command line", name);
        return false;
    }
    return true;
}

static void set_device(Object *obj, const char *value, Error **errp)
{
    MshvState *s = MSHV_ACCEL(obj);

    if (before_start("device", errp)) {
        g_free(s->device);
        s->device = g_strdup(value);
    }
}

static void set_fail_ioctl(Object *obj, const char *value, Error **errp)
{
    mshv_fail_ioctl(value, errp);
}

static char *get_state_list(Object *obj, Error **errp)
{
    return mshv_arch_state_list();
}

static char *get_log(Object *obj, Error **errp)
{
    return g_strdup(mshv_lifecycle_log ? "lifecycle" : "off");
}

static void set_log(Object *obj, const char *value, Error **errp)
{
    mshv_lifecycle_log = g_str_equal(value, "lifecycle");
    if (!mshv_lifecycle_log && !g_str_equal(value, "off")) {
        error_setg(errp, "mshv: log=%s is neither 'off' nor 'lifecycle'",
                   value);
    }
}

static char *get_stop_reason(Object *obj, Error **errp)
{
    return mshv_lifecycle_stop_reason();
}

static bool get_ignore_msrs(Object *obj, Error **errp)
{
    return mshv_ignore_msrs;
}

static void set_ignore_msrs(Object *obj, bool value, Error **errp)
{
    if (before_start("ignore-msrs", errp)) {
        mshv_ignore_msrs = value;
    }
}

static void get_kernel_irqchip(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    visit_type_OnOffSplit(v, name, &MSHV_ACCEL(obj)->kernel_irqchip, errp);
}

static void set_kernel_irqchip(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    OnOffSplit value;

    if (!visit_type_OnOffSplit(v, name, &value, errp) ||
        !before_start(name, errp)) {
        return;
    }
    if (value == ON_OFF_SPLIT_OFF) {
        error_setg(errp, "mshv: kernel-irqchip=off is not possible: the local "
                   "APICs are the hypervisor's (use 'split', the default)");
        return;
    }
    MSHV_ACCEL(obj)->kernel_irqchip = value;
}

static void mshv_accel_instance_init(Object *obj)
{
    MSHV_ACCEL(obj)->kernel_irqchip = ON_OFF_SPLIT_SPLIT;
    MSHV_ACCEL(obj)->device = g_strdup(MSHV_DEVICE_PATH);
}

static void mshv_accel_instance_finalize(Object *obj)
{
    g_free(MSHV_ACCEL(obj)->device);
}

static void mshv_accel_class_init(ObjectClass *oc, MshvClassData *data)
{
    AccelClass *ac = ACCEL_CLASS(oc);

    ac->name = "mshv";
    mshv_set_hooks(ac);
    ac->cpu_common_realize = mshv_cpu_realize;
    ac->cpu_common_unrealize = mshv_cpu_unrealize;
    ac->reports_init_error = true;
    ac->allowed = &mshv_allowed;

    object_class_property_add_str(oc, "device", get_device, set_device);
    object_class_property_set_description(oc, "device",
        "Path of the device node (default: " MSHV_DEVICE_PATH ")");
    object_class_property_add(oc, "kernel-irqchip", "on|off|split",
                              get_kernel_irqchip, set_kernel_irqchip, NULL,
                              NULL);
    object_class_property_set_description(oc, "kernel-irqchip",
        "As with KVM; only 'split' is possible, and 'on' means it");
    object_class_property_add_bool(oc, "ignore-msrs", get_ignore_msrs,
                                   set_ignore_msrs);
    object_class_property_set_description(oc, "ignore-msrs",
        "MSRs that nobody implements read as 0 in the guest, in place of #GP");
    object_class_property_add_str(oc, "log", get_log, set_log);
    object_class_property_set_description(oc, "log",
        "'lifecycle': a line for each thing that becomes of the VM; 'off'");
    object_class_property_add_str(oc, "stop-reason", get_stop_reason, NULL);
    object_class_property_set_description(oc, "stop-reason",
        "Why the VM has stopped by itself (internal-error, io-error); or empty");
    object_class_property_add_str(oc, "x-fail-ioctl", NULL, set_fail_ioctl);
    object_class_property_set_description(oc, "x-fail-ioctl",
        "For tests: NAME:N[:ERRNO] lets the N-th call of that name fail");
    object_class_property_add_str(oc, "x-state-list", get_state_list, NULL);
    object_class_property_set_description(oc, "x-state-list",
        "The registers that are kept, and those that are not, and why");
}

static const TypeInfo mshv_accel_type = {
    .name = TYPE_MSHV_ACCEL,
    .parent = TYPE_ACCEL,
    .instance_size = sizeof(MshvState),
    .instance_init = mshv_accel_instance_init,
    .instance_finalize = mshv_accel_instance_finalize,
    .class_init = mshv_accel_class_init,
};

static void mshv_accel_register(void)
{
    type_register_static(&mshv_accel_type);
}
type_init(mshv_accel_register);
