/*
 * What is exported: one table, of which the reference is made, too
 * (docs/system/metrics.rst).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include "host.h"
#include "metrics.h"
#include "names.h"
#include "startup.h"
#include "text.h"

typedef struct Metric {
    const char *name;
    const char *type;
    const char *labels;         /* for the reference; "VM": those of a VM */
    const char *help;
    void (*write)(Text *text, const Host *host);
} Metric;

/* ---- Of each VM ---- */

static void vm_begin(Text *text, const Vm *vm)
{
    text_begin(text, "");
    text_label(text, "namespace", vm->namespace);
    text_label(text, "name", vm->name);
    text_label_number(text, "pid", vm->pid);
}

static void each_vm(Text *text, const Host *host,
                    void (*write)(Text *text, const Vm *vm))
{
    unsigned i;

    for (i = 0; i < host->scan->vms->len; i++) {
        write(text, g_ptr_array_index(host->scan->vms, i));
    }
}

/* A writer of all VMs, from what is said of one. */
#define OF_EACH_VM(function) \
    static void function##s(Text *text, const Host *host) \
    { \
        each_vm(text, host, function); \
    }

static void vm_number(Text *text, const Vm *vm, uint64_t value)
{
    vm_begin(text, vm);
    text_value(text, value);
}

static void vm_row(Text *text, const Vm *vm, const char *label,
                   const char *name, uint64_t value)
{
    vm_begin(text, vm);
    text_label(text, label, name);
    text_value(text, value);
}

static void vm_info(Text *text, const Vm *vm)
{
    vm_begin(text, vm);
    text_label(text, "uuid", vm->snapshot->uuid);
    text_value(text, 1);
}
OF_EACH_VM(vm_info)

static void vm_state(Text *text, const Vm *vm)
{
    vm_row(text, vm, "state", state_names[vm->snapshot->vm.state], 1);
}
OF_EACH_VM(vm_state)

static void vm_startup(Text *text, const Vm *vm)
{
    unsigned stage;

    for (stage = 0; stage < STARTUP__MAX; stage++) {
        uint64_t time = startup_time(vm, stage);

        if (time) {
            vm_begin(text, vm);
            text_label(text, "stage", startup_stages[stage]);
            text_value_scaled(text, time, 9);
        }
    }
}
OF_EACH_VM(vm_startup)

static void vm_vcpu(Text *text, const Vm *vm)
{
    vm_number(text, vm, vm->snapshot->vp_count);
}
OF_EACH_VM(vm_vcpu)

static void vm_exit(Text *text, const Vm *vm)
{
    const Snapshot *s = vm->snapshot;
    unsigned kind, i;

    for (kind = 0; exit_name(kind); kind++) {
        uint64_t sum = 0;

        for (i = 0; i < s->vp_count; i++) {
            sum += s->vps[i].exits[kind];
        }
        vm_row(text, vm, "kind", exit_name(kind), sum);
    }
}
OF_EACH_VM(vm_exit)

static void vm_vcpu_exit(Text *text, const Vm *vm)
{
    const Snapshot *s = vm->snapshot;
    unsigned kind, i;

    for (i = 0; i < s->vp_count; i++) {
        uint64_t sum = 0;

        for (kind = 0; exit_name(kind); kind++) {
            sum += s->vps[i].exits[kind];
        }
        vm_begin(text, vm);
        text_label_number(text, "vcpu", s->vps[i].index);
        text_value(text, sum);
    }
}
OF_EACH_VM(vm_vcpu_exit)

static void vm_kick(Text *text, const Vm *vm)
{
    uint64_t sum = 0;
    unsigned i;

    for (i = 0; i < vm->snapshot->vp_count; i++) {
        sum += vm->snapshot->vps[i].kicks;
    }
    vm_number(text, vm, sum);
}
OF_EACH_VM(vm_kick)

/* Those that a VM makes at all: how often, or how often in vain */
static void calls_of_vm(Text *text, const Vm *vm, bool failed)
{
    const MshvCallCounters *row;
    unsigned i;

    for (i = 0; i < MSHV_CALL__MAX; i++) {
        row = &vm->snapshot->calls[i];
        if (row->made) {
            vm_row(text, vm, "call", mshv_call_names[i],
                   failed ? row->failed : row->made);
        }
    }
}

static void vm_call(Text *text, const Vm *vm)
{
    calls_of_vm(text, vm, false);
}
OF_EACH_VM(vm_call)

static void vm_error(Text *text, const Vm *vm)
{
    calls_of_vm(text, vm, true);
}
OF_EACH_VM(vm_error)

static void vm_interrupt(Text *text, const Vm *vm)
{
    const MshvCallCounters *row =
        &vm->snapshot->calls[MSHV_CALL_ASSERT_VIRTUAL_INTERRUPT];

    vm_row(text, vm, "by", "apic", row->made - MIN(row->failed, row->made));
    vm_row(text, vm, "by", "pic", vm->snapshot->vm.pic_interrupts);
}
OF_EACH_VM(vm_interrupt)

static void vm_mapped_byte(Text *text, const Vm *vm)
{
    vm_number(text, vm, vm->snapshot->vm.memory_bytes);
}
OF_EACH_VM(vm_mapped_byte)

static void vm_region(Text *text, const Vm *vm)
{
    vm_number(text, vm, vm->snapshot->vm.memory_regions);
}
OF_EACH_VM(vm_region)

static void vm_resident(Text *text, const Vm *vm)
{
    vm_row(text, vm, "type", "anon", vm->rss_anon);
    vm_row(text, vm, "type", "file", vm->rss_file);
    vm_row(text, vm, "type", "shmem", vm->rss_shmem);
}
OF_EACH_VM(vm_resident)

static void vm_dirty_pass(Text *text, const Vm *vm)
{
    vm_number(text, vm, vm->snapshot->vm.dirty_passes);
}
OF_EACH_VM(vm_dirty_pass)

static void vm_dirty_page(Text *text, const Vm *vm)
{
    vm_number(text, vm, vm->snapshot->vm.dirty_pages);
}
OF_EACH_VM(vm_dirty_page)

static void vm_irqfd(Text *text, const Vm *vm)
{
    vm_number(text, vm, vm->snapshot->vm.irqfds);
}
OF_EACH_VM(vm_irqfd)

static void vm_ioeventfd(Text *text, const Vm *vm)
{
    vm_number(text, vm, vm->snapshot->vm.ioeventfds);
}
OF_EACH_VM(vm_ioeventfd)

static void vm_fallback(Text *text, const Vm *vm)
{
    unsigned i;

    for (i = 0; i < MSHV_FALLBACK__MAX; i++) {
        vm_row(text, vm, "kind", fallback_names[i],
               vm->snapshot->vm.fallbacks[i]);
    }
}
OF_EACH_VM(vm_fallback)

static void vm_refusal(Text *text, const Vm *vm)
{
    unsigned i;

    for (i = 0; i < MSHV_REFUSED__MAX; i++) {
        vm_row(text, vm, "kind", mshv_refusal_names[i],
               vm->snapshot->vm.refused[i]);
    }
}
OF_EACH_VM(vm_refusal)

/* A guest may try as many as it likes: only some have a label of their own. */
#define MSR_LABELS 16

static void vm_msr(Text *text, const Vm *vm)
{
    const Snapshot *s = vm->snapshot;
    uint64_t others = s->vm.other_msrs;
    unsigned i;

    for (i = 0; i < s->msr_count; i++) {
        g_autofree char *msr = g_strdup_printf("0x%x", s->msrs[i].number);

        if (i < MSR_LABELS) {
            vm_row(text, vm, "msr", msr, s->msrs[i].count);
        } else {
            others += s->msrs[i].count;
        }
    }
    vm_row(text, vm, "msr", "other", others);
}
OF_EACH_VM(vm_msr)

static void vm_device(Text *text, const Vm *vm)
{
    vm_number(text, vm, vm->snapshot->vm.passthrough_devices);
}
OF_EACH_VM(vm_device)

/* ---- Of the host ---- */

static void number(Text *text, uint64_t value)
{
    text_begin(text, "");
    text_value(text, value);
}

static void vm_total(Text *text, const Host *host)
{
    number(text, host->scan->vms->len);
}

static void startup(Text *text, const Host *host)
{
    startup_write(text);
}

static void device_present(Text *text, const Host *host)
{
    number(text, host->device_present);
}

static void device_usable(Text *text, const Host *host)
{
    if (!host->device_unknown) {
        number(text, host->device_usable);
    }
}

static void module_info(Text *text, const Host *host)
{
    text_begin(text, "");
    text_label(text, "version", host->module);
    text_label(text, "kernel", host->kernel);
    text_value(text, 1);
}

static void memory_total(Text *text, const Host *host)
{
    number(text, host->memory_total);
}

static void memory_available(Text *text, const Host *host)
{
    number(text, host->memory_available);
}

/* ---- Of the hypervisor ---- */

#define PAGE 4096

/* Units of 100 ns */
static void times(Text *text, const char *label, const HvTimes *of)
{
    text_begin(text, "");
    text_label_number(text, label, of->id);
    text_label(text, "mode", "total");
    text_value_scaled(text, of->total, 7);
    text_begin(text, "");
    text_label_number(text, label, of->id);
    text_label(text, "mode", "hypervisor");
    text_value_scaled(text, of->hypervisor, 7);
}

static void lp_times(Text *text, const Host *host)
{
    unsigned i;

    for (i = 0; host->hv && i < host->hv->lps->len; i++) {
        times(text, "lp", &g_array_index(host->hv->lps, HvTimes, i));
    }
}

static void each_partition(Text *text, const Host *host,
                           void (*write)(Text *text, const HvPartition *p))
{
    unsigned i;

    for (i = 0; host->hv && i < host->hv->partitions->len; i++) {
        write(text, &g_array_index(host->hv->partitions, HvPartition, i));
    }
}

static void partition_time(Text *text, const HvPartition *p)
{
    times(text, "partition", &p->times);
}

static void partition_times(Text *text, const Host *host)
{
    each_partition(text, host, partition_time);
}

static void partition_deposit(Text *text, const HvPartition *p)
{
    text_begin(text, "");
    text_label_number(text, "partition", p->times.id);
    text_value(text, p->deposited_pages * PAGE);
}

static void partition_deposits(Text *text, const Host *host)
{
    each_partition(text, host, partition_deposit);
}

static void partition_page(Text *text, const HvPartition *p)
{
    text_begin(text, "");
    text_label_number(text, "partition", p->times.id);
    text_value(text, p->gpa_pages * PAGE);
}

static void partition_pages(Text *text, const Host *host)
{
    each_partition(text, host, partition_page);
}

/* ---- Of the exporter ---- */

static void collector(Text *text, const char *name, bool good)
{
    text_begin(text, "");
    text_label(text, "collector", name);
    text_value(text, good);
}

static void collectors(Text *text, const Host *host)
{
    collector(text, "counters", host->scan->entitled || !host->scan->denied);
    collector(text, "device", !host->device_unknown);
    collector(text, "hypervisor", host->hv != NULL);
}

static void processes_denied(Text *text, const Host *host)
{
    number(text, host->scan->denied);
}

static void vms_refused(Text *text, const Host *host)
{
    number(text, host->scan->refused);
}

static void vms_left_out(Text *text, const Host *host)
{
    number(text, host->scan->left_out);
}

static const Metric metrics[] = {
    { "kubevirt_hyperv_HyperVLayered_vms_total", "gauge", "",
      "VMs on this node that run on -accel mshv now", vm_total },
    { "kubevirt_hyperv_HyperVLayered_vm_startup_duration_seconds", "histogram",
      "stage", "From the start of QEMU's process to the guest's first exit and "
      "to its first interrupt through a local APIC, which firmware does not "
      "use; each VM that was seen by this exporter counts once, but for those "
      "that come by migration", startup },
    { "kubevirt_hyperv_HyperVLayered_device_errors_total", "counter",
      "VM, call", "Calls to /dev/mshv that failed", vm_errors },
    { "kubevirt_HyperVLayered_hardware_passthrough_total", "gauge", "VM",
      "Devices of the host that the VM has by VFIO now", vm_devices },
    { "mshv_vm_info", "gauge", "VM, uuid", "Always 1", vm_infos },
    { "mshv_vm_state", "gauge", "VM, state",
      "1 for the state that the VM is in", vm_states },
    { "mshv_vm_startup_seconds", "gauge", "VM, stage",
      "From the start of QEMU's process to the guest's first exit and to its "
      "first interrupt through a local APIC", vm_startups },
    { "mshv_vm_vcpus", "gauge", "VM", "Virtual processors created",
      vm_vcpus },
    { "mshv_vm_exits_total", "counter", "VM, kind",
      "Exits to QEMU by kind of the hypervisor's message", vm_exits },
    { "mshv_vm_vcpu_exits_total", "counter", "VM, vcpu",
      "Exits to QEMU by virtual processor", vm_vcpu_exits },
    { "mshv_vm_kicks_total", "counter", "VM",
      "Runs of virtual processors that QEMU ended", vm_kicks },
    { "mshv_vm_calls_total", "counter", "VM, call",
      "Calls to the kernel by name; those that were made at all", vm_calls },
    { "mshv_vm_call_errors_total", "counter", "VM, call",
      "Calls to the kernel that failed", vm_errors },
    { "mshv_vm_interrupts_total", "counter", "VM, by",
      "Interrupts that QEMU gave to the guest through a local APIC or the PIC; "
      "those of irqfds do not pass through QEMU", vm_interrupts },
    { "mshv_vm_memory_mapped_bytes", "gauge", "VM",
      "Memory mapped in the partition", vm_mapped_bytes },
    { "mshv_vm_memory_regions", "gauge", "VM",
      "Regions of memory mapped in the partition", vm_regions },
    { "mshv_vm_resident_memory_bytes", "gauge", "VM, type",
      "Resident memory of QEMU's process, with what the guest has touched",
      vm_residents },
    { "mshv_vm_dirty_log_passes_total", "counter", "VM",
      "How often the dirty pages of a region were read", vm_dirty_passs },
    { "mshv_vm_dirty_log_pages_total", "counter", "VM",
      "Dirty pages that these found", vm_dirty_pages },
    { "mshv_vm_irqfds", "gauge", "VM",
      "Events that the kernel turns into interrupts", vm_irqfds },
    { "mshv_vm_ioeventfds", "gauge", "VM",
      "Writes of the guest that the kernel turns into events", vm_ioeventfds },
    { "mshv_vm_fallbacks", "gauge", "VM, kind",
      "What QEMU does itself because the kernel or the hypervisor has refused",
      vm_fallbacks },
    { "mshv_vm_refusals_total", "counter", "VM, kind",
      "What the kernel or the hypervisor has refused, and the VM goes on "
      "without", vm_refusals },
    { "mshv_vm_unknown_msr_accesses_total", "counter", "VM, msr",
      "Accesses to MSRs that neither the hypervisor nor QEMU implements: the "
      "first 16 of a VM, and all others", vm_msrs },
    { "mshv_vm_passthrough_devices", "gauge", "VM",
      "Devices of the host that the VM has by VFIO now", vm_devices },
    { "mshv_device_present", "gauge", "",
      "Whether there is a device node /dev/mshv", device_present },
    { "mshv_device_usable", "gauge", "",
      "Whether it can be opened; missing if the exporter may not try",
      device_usable },
    { "mshv_module_info", "gauge", "version, kernel",
      "Version of the driver mshv_root, if it has one, and of the kernel",
      module_info },
    { "mshv_host_memory_bytes", "gauge", "", "Memory of the host",
      memory_total },
    { "mshv_host_memory_available_bytes", "gauge", "",
      "Memory that the host could still give to guests and the hypervisor",
      memory_available },
    { "mshv_hypervisor_lp_seconds_total", "counter", "lp, mode",
      "Time that a logical processor ran, and of it in the hypervisor; on a "
      "root partition only",
      lp_times },
    { "mshv_hypervisor_vp_seconds_total", "counter", "partition, mode",
      "Time that the virtual processors of a partition ran, and of it in the "
      "hypervisor", partition_times },
    { "mshv_hypervisor_deposited_bytes", "gauge", "partition",
      "Memory that the host has given to the hypervisor for a partition",
      partition_deposits },
    { "mshv_hypervisor_mapped_bytes", "gauge", "partition",
      "Memory mapped in a partition", partition_pages },
    { "mshv_exporter_collector_success", "gauge", "collector",
      "0 if the exporter has not the right to read something: the counters of "
      "all processes, the device node, the hypervisor's statistics",
      collectors },
    { "mshv_exporter_processes_denied", "gauge", "",
      "Processes that the exporter may not look at; VMs may be among them",
      processes_denied },
    { "mshv_exporter_vms_refused", "gauge", "",
      "VMs whose counters cannot be used", vms_refused },
    { "mshv_exporter_vms_left_out", "gauge", "",
      "VMs beyond the number that the exporter reads", vms_left_out },
};

GString *metrics_page(void)
{
    g_autoptr(Host) host = host_look();
    Text text = { .out = g_string_new(NULL) };
    unsigned i;

    startup_observe(host->scan);
    for (i = 0; i < G_N_ELEMENTS(metrics); i++) {
        text_metric(&text, metrics[i].name, metrics[i].type, metrics[i].help);
        metrics[i].write(&text, host);
    }
    return text.out;
}

GString *metrics_reference(void)
{
    GString *out = g_string_new(
        ".. SPDX-License-" "Identifier: GPL-2.0-or-later\n"
        ".. Made by mshv-exporter --reference: do not edit.\n\n"
        "Metrics of mshv-exporter\n"
        "========================\n\n"
        "Those of a VM have the labels ``namespace`` (empty if it is not "
        "KubeVirt's),\n``name`` and ``pid``.\n");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(metrics); i++) {
        const Metric *m = &metrics[i];

        g_string_append_printf(out, "\n``%s`` (%s%s%s)\n    %s.\n", m->name,
                               m->type, *m->labels ? "; labels: " : "",
                               m->labels, m->help);
    }
    return out;
}
