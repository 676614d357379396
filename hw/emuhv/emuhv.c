/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: machine options, start-up and reset.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/boards.h"
#include "migration/blocker.h"
#include "system/reset.h"
#include "system/system.h"
#include "system/tcg.h"
#include "hw/emuhv/hcall/hcall.h"
#include "hw/emuhv/parent/parent.h"
#include "hw/emuhv/partition/partition.h"
#include "hw/emuhv/vp/vp.h"

static bool option_seen;
static bool started;
static Notifier init_done, stats_file;
static Error *migration_blocker;

bool emuhv_enabled(void)
{
    return emuhv_options.enabled;
}

unsigned emuhv_pool_size(void)
{
    return emuhv_options.enabled ? emuhv_options.pool_size : 0;
}

/* ---- Start-up ---- */

static void emuhv_reset(void *opaque)
{
    emuhv_hcall_wait();
    emuhv_parent_reset();
    emuhv_partitions_reset();
}

static void write_stats_file(Notifier *n, void *data)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) err = NULL;

    if (!emuhv_options.stats_file) {
        return;
    }
    text = emuhv_report_json();
    if (!g_file_set_contents(emuhv_options.stats_file, text, -1, &err)) {
        error_report("emuhv-stats: %s", err->message);
    }
}

static void emuhv_init_done(Notifier *n, void *data)
{
    Error *err = NULL;

    if (!emuhv_vps_init(&err)) {
        error_report_err(err);
        exit(EXIT_FAILURE);
    }
}

void emuhv_machine_init(MachineState *machine)
{
    if (!emuhv_options.enabled) {
        if (option_seen) {
            error_report("emuhv-* machine options need emuhv=on");
            exit(EXIT_FAILURE);
        }
        return;
    }
    if (!tcg_enabled()) {
        error_report("emuhv=on needs -accel tcg: the hypervisor is emulated "
                     "in TCG only");
        exit(EXIT_FAILURE);
    }
    if (machine->smp.cpus != machine->smp.max_cpus) {
        error_report("emuhv=on does not support CPU hotplug: "
                     "-smp cpus=%u must equal maxcpus=%u",
                     machine->smp.cpus, machine->smp.max_cpus);
        exit(EXIT_FAILURE);
    }
    if (machine->smp.cpus > EMUHV_MAX_PARENT_CPUS) {
        error_report("emuhv=on supports %u CPUs at most, not %u",
                     EMUHV_MAX_PARENT_CPUS, machine->smp.cpus);
        exit(EXIT_FAILURE);
    }
    started = true;
    emuhv_up = (EmuhvCallbacks) {
        .doorbell = emuhv_ports_doorbell,
        .refused_store = emuhv_vp_refused_store,
        .vp_work = emuhv_vp_work,
        .intercepted = emuhv_sched_intercepted,
        .blocked = emuhv_sched_blocked,
        .unblocked = emuhv_sched_unblocked,
    };
    emuhv_clock_init();
    emuhv_taken_init();
    emuhv_parent_init();
    emuhv_partitions_init();
    emuhv_hcall_init();
    stats_file.notify = write_stats_file;
    qemu_add_exit_notifier(&stats_file);
    error_setg(&migration_blocker,
               "emuhv: a machine with the emulated hypervisor cannot be "
               "saved or migrated");
    if (migrate_add_blocker(&migration_blocker, &error_fatal) < 0) {
        exit(EXIT_FAILURE);
    }
    qemu_register_reset(emuhv_reset, NULL);
    init_done.notify = emuhv_init_done;
    qemu_add_machine_init_done_notifier(&init_done);
}

/* ---- Machine options ---- */

static bool get_enabled(Object *obj, Error **errp)
{
    return emuhv_options.enabled;
}

static void set_enabled(Object *obj, bool value, Error **errp)
{
    emuhv_options.enabled = value;
    tcg_extra_cpus = emuhv_pool_size();
}

static char *get_scheduler(Object *obj, Error **errp)
{
    return g_strdup(emuhv_options.scheduler == EMUHV_SCHED_ROOT ? "root"
                                                                : "core");
}

static void set_scheduler(Object *obj, const char *value, Error **errp)
{
    option_seen = true;
    if (g_str_equal(value, "core")) {
        emuhv_options.scheduler = EMUHV_SCHED_CORE;
    } else if (g_str_equal(value, "root")) {
        emuhv_options.scheduler = EMUHV_SCHED_ROOT;
    } else {
        error_setg(errp, "emuhv-scheduler must be 'core' or 'root', not '%s'",
                   value);
    }
}

/* @opaque: where in emuhv the number is. */
static void get_number(Object *obj, Visitor *v, const char *name, void *opaque,
                       Error **errp)
{
    visit_type_uint32(v, name, opaque, errp);
}

static void set_vps(Object *obj, Visitor *v, const char *name, void *opaque,
                    Error **errp)
{
    uint32_t value;

    option_seen = true;
    if (!visit_type_uint32(v, name, &value, errp)) {
        return;
    }
    if (value < 1 || value > EMUHV_MAX_POOL) {
        error_setg(errp, "emuhv-vps must be 1 to %u, not %u", EMUHV_MAX_POOL,
                   value);
        return;
    }
    emuhv_options.pool_size = value;
    tcg_extra_cpus = emuhv_pool_size();
}

static void set_xsave_pad(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    uint32_t value;

    option_seen = true;
    if (!visit_type_uint32(v, name, &value, errp)) {
        return;
    }
    if (value > 64 * EMUHV_PAGE_SIZE) {
        error_setg(errp, "emuhv-xsave-pad must be %u bytes at most, not %u",
                   64 * EMUHV_PAGE_SIZE, value);
        return;
    }
    emuhv_options.xsave_pad = value;
}

static void set_odd_port(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    uint16_t value;

    option_seen = true;
    if (visit_type_uint16(v, name, &value, errp)) {
        emuhv_options.odd_port = value;
    }
}

static bool get_dispatch_interrupts(Object *obj, Error **errp)
{
    return emuhv_options.dispatch_interrupts;
}

static void set_dispatch_interrupts(Object *obj, bool value, Error **errp)
{
    option_seen = true;
    emuhv_options.dispatch_interrupts = value;
}

static char *get_strict(Object *obj, Error **errp)
{
    return emuhv_answer_words();
}

static void set_strict(Object *obj, const char *value, Error **errp)
{
    option_seen = true;
    emuhv_set_answers(value, errp);
}

static void set_seed(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    option_seen = true;
    visit_type_uint32(v, name, opaque, errp);
}

static char *get_stats_file(Object *obj, Error **errp)
{
    return g_strdup(emuhv_options.stats_file);
}

static void set_stats_file(Object *obj, const char *value, Error **errp)
{
    option_seen = true;
    g_free(emuhv_options.stats_file);
    emuhv_options.stats_file = g_strdup(value);
}

static char *get_counters(Object *obj, Error **errp)
{
    if (!started) {
        error_setg(errp, "the machine runs without emuhv=on");
        return NULL;
    }
    return emuhv_report_json();
}

void emuhv_machine_class_init(ObjectClass *oc)
{
    object_class_property_add_bool(oc, "emuhv", get_enabled, set_enabled);
    object_class_property_set_description(oc, "emuhv",
        "Emulate a Microsoft hypervisor; the guest is its L1VH parent");
    object_class_property_add_str(oc, "emuhv-scheduler", get_scheduler,
                                  set_scheduler);
    object_class_property_set_description(oc, "emuhv-scheduler",
        "Who schedules child VPs: core (the hypervisor) or root (the parent)");
    object_class_property_add(oc, "emuhv-vps", "uint32", get_number, set_vps,
                              NULL, &emuhv_options.pool_size);
    object_class_property_set_description(oc, "emuhv-vps",
        "VPs that all child partitions together may have");
    object_class_property_add(oc, "emuhv-xsave-pad", "uint32", get_number,
                              set_xsave_pad, NULL, &emuhv_options.xsave_pad);
    object_class_property_set_description(oc, "emuhv-xsave-pad",
        "Pad the XSAVE state of child VPs to at least so many bytes");
    object_class_property_add(oc, "emuhv-odd-port", "uint32", get_number,
                              set_odd_port, NULL, &emuhv_options.odd_port);
    object_class_property_set_description(oc, "emuhv-odd-port",
        "I/O port of children at which they exit by a rare message");
    object_class_property_add_bool(oc, "emuhv-dispatch-interrupts",
                                   get_dispatch_interrupts,
                                   set_dispatch_interrupts);
    object_class_property_set_description(oc, "emuhv-dispatch-interrupts",
        "DISPATCH_VP injects what waits in the register page (CPUID tells)");
    object_class_property_add_str(oc, "emuhv-strict", get_strict, set_strict);
    object_class_property_set_description(oc, "emuhv-strict",
        "Answers that real hypervisors may give: WORD[+WORD]..., or all");
    object_class_property_add(oc, "emuhv-seed", "uint32", get_number, set_seed,
                              NULL, &emuhv_options.seed);
    object_class_property_set_description(oc, "emuhv-seed",
        "Number that decides when emuhv-strict's rare answers are given");
    object_class_property_add_str(oc, "emuhv-stats", get_stats_file,
                                  set_stats_file);
    object_class_property_set_description(oc, "emuhv-stats",
        "File that gets the hypervisor's counters as JSON at exit");
    object_class_property_add_str(oc, "emuhv-counters", get_counters, NULL);
    object_class_property_set_description(oc, "emuhv-counters",
        "The hypervisor's counters now, as JSON (read-only)");
}
