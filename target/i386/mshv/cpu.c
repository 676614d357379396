/*
 * What the accelerator adds to QEMU's CPU models, and the partition's
 * properties that are about processors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "accel/accel-cpu-target.h"
#include "accel/mshv/partition.h"
#include "hyperv.h"
#include "mshv/x86.h"
#include "mshv-compat/accel.h"
#include "mshv-compat/x86-cpu.h"
#include "mshv-x86.h"
#include "smm.h"

/* ---- CPU models ---- */

/* For -cpu NAME: what a virtual machine has, or cannot have. */
static PropValue default_props[] = {
    { "x2apic", "on" },
    { "acpi", "off" },
    { "monitor", "off" },
    { "svm", "off" },
    { NULL, NULL },
};

/*
 * With all features: one that a model may ask for on any host, but that Linux
 * takes for a single core in a socket, only if the host says the same.
 */
static void without_cmp_legacy(X86CPU *cpu)
{
    uint32_t unused, ecx;

    host_cpuid(0x80000001, 0, &unused, &unused, &ecx, &unused);
    if (!(ecx & CPUID_EXT3_CMP_LEG)) {
        object_property_set_bool(OBJECT(cpu), "cmp-legacy", false,
                                 &error_abort);
    }
}

static void cpu_instance_init(CPUState *cs)
{
    X86CPU *cpu = X86_CPU(cs);
    CPUX86State *env = &cpu->env;

    host_cpu_instance_init(cpu);
    if (X86_CPU_GET_CLASS(cpu)->model) {
        x86_cpu_apply_props(cpu, default_props);
    }
    if (mshv_cpu_has_all_features(cpu)) {
        mshv_cpu_take_identity(cpu);
        without_cmp_legacy(cpu);
        env->cpuid_min_level = mshv_x86_supported_cpuid(0, 0, R_EAX);
        env->cpuid_min_xlevel =
            mshv_x86_supported_cpuid(0x80000000, 0, R_EAX);
    }
    mshv_xsave_init_areas();
}

/* What KVM, too, takes as the same frequency */
#define TSC_TOLERANCE_PPM 250

/* The guest's TSC is the host's: another frequency cannot be had. */
static bool check_tsc_frequency(X86CPU *cpu, Error **errp)
{
    int64_t wanted = cpu->env.user_tsc_khz;
    uint64_t hz = 0;
    int64_t has;

    if (!wanted) {
        return true;
    }
    if (mshv_get_property(HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY, &hz,
                          errp) < 0) {
        error_prepend(errp, "mshv: tsc-frequency cannot be checked: ");
        return false;
    }
    has = hz / 1000;
    if (llabs(wanted - has) > has * TSC_TOLERANCE_PPM / 1000000) {
        error_setg(errp, "mshv: tsc-frequency is not possible: the guest's "
                   "TSC has %" PRId64 " kHz, as the host's, not %" PRId64
                   " kHz", has, wanted);
        return false;
    }
    return true;
}

/* What a model has that does not say how many */
#define USUAL_ADDRESS_BITS 40

/* As wide as the host's processors, unless the hypervisor gives less. */
static void limit_address_bits(X86CPU *cpu, uint64_t most)
{
    if (cpu->host_phys_bits) {
        cpu->host_phys_bits_limit = MIN(cpu->host_phys_bits_limit ?: 64, most);
    } else if (cpu->phys_bits > most) {
        warn_report_once("mshv: phys-bits=%u is more than the %" PRIu64 " that "
                         "the hypervisor gives: what the guest puts above "
                         "does not work", cpu->phys_bits, most);
    }
}

static bool set_address_bits(CPUState *cs, Error **errp)
{
    X86CPU *cpu = X86_CPU(cs);
    uint64_t most;

    if (mshv_get_property(HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH, &most,
                          NULL) < 0) {
        most = 64;
    }
    limit_address_bits(cpu, most);
    if (!host_cpu_realizefn(cs, errp)) {
        return false;
    }
    if (!cpu->phys_bits && most < USUAL_ADDRESS_BITS) {
        cpu->phys_bits = most;
    }
    return true;
}

static bool cpu_realize(CPUState *cs, Error **errp)
{
    X86CPU *cpu = X86_CPU(cs);

    /* All that there is, as -cpu host has it, does not ask for what is not. */
    if (cpu->enable_pmu && !mshv_cpu_has_all_features(cpu)) {
        warn_report_once("mshv: the CPU property pmu=on is ignored: there is "
                         "no performance monitoring");
    }
    if (!mshv_hyperv_check(cpu, errp) || !check_tsc_frequency(cpu, errp) ||
        !set_address_bits(cs, errp)) {
        return false;
    }
    mshv_smm_add_cpu(cs);
    return true;
}

static void cpu_accel_class_init(ObjectClass *oc, MshvClassData *data)
{
    AccelCPUClass *acc = ACCEL_CPU_CLASS(oc);

    acc->cpu_target_realize = cpu_realize;
    acc->cpu_instance_init = cpu_instance_init;
}

static const TypeInfo cpu_accel_type = {
    .name = ACCEL_CPU_NAME("mshv"),
    .parent = TYPE_ACCEL_CPU,
    .class_init = cpu_accel_class_init,
    .abstract = true,
};

static void cpu_accel_register(void)
{
    type_register_static(&cpu_accel_type);
}
type_init(cpu_accel_register);

unsigned mshv_arch_address_bits(void)
{
    /* All have the same; pc machines have one before they have memory. */
    return (first_cpu ? X86_CPU(first_cpu)->phys_bits : 0) ?: 64;
}

/* ---- The partition ---- */

int mshv_arch_creation(struct mshv_create_partition_v2 *args, Error **errp)
{
    args->pt_flags = 1ull << MSHV_PT_BIT_LAPIC |
                     1ull << MSHV_PT_BIT_X2APIC |
                     1ull << MSHV_PT_BIT_GPA_SUPER_PAGES |
                     1ull << MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES;
    args->pt_num_cpu_fbanks = MSHV_NUM_CPU_FEATURES_BANKS;
    /* Nothing is disabled: CPUID says what the guest shall use. */
    return 0;
}

int mshv_arch_partition_early(Error **errp)
{
    return mshv_hyperv_init(errp);
}

int mshv_arch_partition_late(Error **errp)
{
    mshv_smm_init();
    mshv_wake_init();
    mshv_migrate_init();
    mshv_needs_init();
    return mshv_msr_install(errp);
}
