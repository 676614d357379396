/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: machine options, start-up and reset.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "exec/address-spaces.h"
#include "hw/core/cpu.h"
#include "hw/i386/x86.h"
#include "hw/i386/e820_memory_layout.h"
#include "migration/blocker.h"
#include "exec/memory.h"
#include "system/reset.h"
#include "system/system.h"
#include "system/tcg.h"
#include "hw/emuhv/emuhv.h"

EmuHv emuhv = {
    .pool_size = 64,
    .odd_port = UINT32_MAX,
};

static bool option_seen;
static Notifier init_done;
static Error *migration_blocker;

bool emuhv_enabled(void)
{
    return emuhv.enabled;
}

unsigned emuhv_pool_size(void)
{
    return emuhv.enabled ? emuhv.pool_size : 0;
}

EmuhvParentCpu *emuhv_parent_cpu(X86CPU *cpu)
{
    assert(cpu->emuhv && cpu->emuhv->kind == EMUHV_CPU_PARENT);
    return container_of(cpu->emuhv, EmuhvParentCpu, base);
}

uint64_t emuhv_parent_reftime(void)
{
    return (qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - emuhv.epoch_ns) / 100;
}

/* ---- Parent memory ---- */

/* Length of the RAM at @gpa, @len at most; 0: not RAM. */
static hwaddr ram_run(hwaddr gpa, hwaddr len, bool is_write)
{
    hwaddr xlat, run = len;
    MemoryRegion *mr;

    mr = address_space_translate(&address_space_memory, gpa, &xlat, &run,
                                 is_write, MEMTXATTRS_UNSPECIFIED);
    if (!memory_region_is_ram(mr) || memory_region_is_ram_device(mr) ||
        (is_write && memory_region_is_rom(mr))) {
        return 0;
    }
    return run;
}

static bool ram_rw(hwaddr gpa, void *buf, size_t len, bool is_write)
{
    uint8_t *p = buf;

    RCU_READ_LOCK_GUARD();
    while (len) {
        hwaddr run = gpa + len < gpa ? 0 : ram_run(gpa, len, is_write);

        if (!run || address_space_rw(&address_space_memory, gpa,
                                     MEMTXATTRS_UNSPECIFIED, p, run,
                                     is_write) != MEMTX_OK) {
            return false;
        }
        gpa += run;
        p += run;
        len -= run;
    }
    return true;
}

bool emuhv_ram_read(hwaddr gpa, void *buf, size_t len)
{
    return ram_rw(gpa, buf, len, false);
}

bool emuhv_ram_write(hwaddr gpa, const void *buf, size_t len)
{
    return ram_rw(gpa, (void *)buf, len, true);
}

bool emuhv_ram_valid(hwaddr gpa, size_t len)
{
    RCU_READ_LOCK_GUARD();
    while (len) {
        hwaddr run = gpa + len < gpa ? 0 : ram_run(gpa, len, true);

        if (!run) {
            return false;
        }
        gpa += run;
        len -= run;
    }
    return true;
}

/* ---- Start-up ---- */

static void make_parent_cpus(void)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        EmuhvParentCpu *pc = g_new0(EmuhvParentCpu, 1);

        pc->base.kind = EMUHV_CPU_PARENT;
        pc->base.cpu = X86_CPU(cs);
        pc->index = emuhv.n_cpus;
        pc->ring_pending = g_array_new(false, false, sizeof(uint32_t));
        QSIMPLEQ_INIT(&pc->queue);
        emuhv.cpus[emuhv.n_cpus++] = pc;
        emuhv_synic_init(pc);
        X86_CPU(cs)->emuhv = &pc->base;
    }
}

static void make_overlay(void)
{
    uint64_t size = 2 * EMUHV_PAGE_SIZE * emuhv.n_cpus;

    memory_region_init_ram(&emuhv.overlay, NULL, "emuhv.synic-pages", size,
                           &error_fatal);
    memory_region_add_subregion_overlap(get_system_memory(),
                                        EMUHV_OVERLAY_BASE, &emuhv.overlay, 1);
    e820_add_entry(EMUHV_OVERLAY_BASE, size, E820_RESERVED);
}

static void emuhv_reset(void *opaque)
{
    while (emuhv.calls_active) {
        qemu_cond_wait_bql(&emuhv.calls_done);
    }
    for (unsigned i = 0; i < emuhv.n_cpus; i++) {
        emuhv_sched_reset(emuhv.cpus[i]);
        emuhv_parent_reset(emuhv.cpus[i]->base.cpu);
    }
    emuhv_synic_drop_all();
    emuhv_partitions_reset();
    emuhv.guest_os_id = 0;
    emuhv.hypercall_msr = 0;
    emuhv.tsc_control = 0;
    memset(emuhv.crash, 0, sizeof(emuhv.crash));
    emuhv.epoch_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void emuhv_init_done(Notifier *n, void *data)
{
    Error *err = NULL;

    if (!emuhv_vp_layer_init(&err)) {
        error_report_err(err);
        exit(EXIT_FAILURE);
    }
}

void emuhv_machine_init(MachineState *machine)
{
    if (!emuhv.enabled) {
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
    emuhv.machine = machine;
    QSIMPLEQ_INIT(&emuhv.orphans);
    qemu_cond_init(&emuhv.calls_done);
    emuhv_stats_init();
    emuhv_partitions_init();
    make_parent_cpus();
    make_overlay();
    emuhv_parent_msr_init();
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
    return emuhv.enabled;
}

static void set_enabled(Object *obj, bool value, Error **errp)
{
    emuhv.enabled = value;
    tcg_extra_cpus = emuhv_pool_size();
}

static char *get_scheduler(Object *obj, Error **errp)
{
    return g_strdup(emuhv.scheduler == EMUHV_SCHED_ROOT ? "root" : "core");
}

static void set_scheduler(Object *obj, const char *value, Error **errp)
{
    option_seen = true;
    if (g_str_equal(value, "core")) {
        emuhv.scheduler = EMUHV_SCHED_CORE;
    } else if (g_str_equal(value, "root")) {
        emuhv.scheduler = EMUHV_SCHED_ROOT;
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
    emuhv.pool_size = value;
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
    emuhv.xsave_pad = value;
}

static void set_odd_port(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    uint16_t value;

    option_seen = true;
    if (visit_type_uint16(v, name, &value, errp)) {
        emuhv.odd_port = value;
    }
}

static char *get_stats_file(Object *obj, Error **errp)
{
    return g_strdup(emuhv.stats_file);
}

static void set_stats_file(Object *obj, const char *value, Error **errp)
{
    option_seen = true;
    g_free(emuhv.stats_file);
    emuhv.stats_file = g_strdup(value);
}

static char *get_counters(Object *obj, Error **errp)
{
    if (!emuhv.machine) {
        error_setg(errp, "the machine runs without emuhv=on");
        return NULL;
    }
    return emuhv_stats_json();
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
                              NULL, &emuhv.pool_size);
    object_class_property_set_description(oc, "emuhv-vps",
        "VPs that all child partitions together may have");
    object_class_property_add(oc, "emuhv-xsave-pad", "uint32", get_number,
                              set_xsave_pad, NULL, &emuhv.xsave_pad);
    object_class_property_set_description(oc, "emuhv-xsave-pad",
        "Pad the XSAVE state of child VPs to at least so many bytes");
    object_class_property_add(oc, "emuhv-odd-port", "uint32", get_number,
                              set_odd_port, NULL, &emuhv.odd_port);
    object_class_property_set_description(oc, "emuhv-odd-port",
        "I/O port of children at which they exit by a message of no known type");
    object_class_property_add_str(oc, "emuhv-stats", get_stats_file,
                                  set_stats_file);
    object_class_property_set_description(oc, "emuhv-stats",
        "File that gets the hypervisor's counters as JSON at exit");
    object_class_property_add_str(oc, "emuhv-counters", get_counters, NULL);
    object_class_property_set_description(oc, "emuhv-counters",
        "The hypervisor's counters now, as JSON (read-only)");
}
