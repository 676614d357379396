/*
 * What a guest was given and needs on, wherever it goes: a section that stands
 * at the beginning of a migration stream, so that a host that lacks something
 * says so while the guest still runs at the source.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "accel/mshv/partition.h"
#include "accel/mshv/stream.h"
#include "migration/vmstate.h"
#include "mshv-x86.h"
#include "target/i386/cpu-internal.h"

/* A clock may be that much off, as under KVM: a guest's NTP corrects it. */
#define TSC_TOLERANCE_PPM       250

#define XSAVE_LEAF              0xd

/* Numbers of the stream */
enum {
    NEED_CPUID = 1,             /* @a: leaf; @b: sub-leaf << 8 | register */
    NEED_MSR = 2,               /* @a: index of a feature MSR */
    NEED_SYNTHETIC = 3,         /* features of the hypervisor */
    NEED_VENDOR = 4,            /* @a: which four letters */
    NEED_ADDRESS_BITS = 5,
    NEED_TSC_HZ = 6,
};

typedef struct Need {
    uint32_t kind, a, b;
    uint64_t value;
} Need;

#define MAX_NEEDS               256

static struct Needs {
    uint32_t count;
    Need list[MAX_NEEDS];
} needs;

QEMU_BUILD_BUG_ON(FEATURE_WORDS + 8 > MAX_NEEDS);

static void add(uint32_t kind, uint32_t a, uint32_t b, uint64_t value)
{
    needs.list[needs.count++] = (Need) {
        .kind = kind, .a = a, .b = b, .value = value,
    };
}

static void add_property(uint32_t kind, uint32_t code)
{
    uint64_t value;

    /* Hosts that do not tell cannot be compared. */
    if (mshv_get_property(code, &value, NULL) == 0) {
        add(kind, 0, 0, value);
    }
}

static void word_key(FeatureWord w, uint32_t *kind, uint32_t *a, uint32_t *b)
{
    const FeatureWordInfo *f = &feature_word_info[w];

    if (f->type == MSR_FEATURE_WORD) {
        *kind = NEED_MSR;
        *a = f->msr.index;
        *b = 0;
    } else {
        *kind = NEED_CPUID;
        *a = f->cpuid.eax;
        *b = f->cpuid.ecx << 8 | f->cpuid.reg;
    }
}

static int save(void *opaque)
{
    X86CPU *cpu = X86_CPU(first_cpu);
    CPUX86State *env = &cpu->env;
    uint32_t kind, a, b;
    FeatureWord w;

    needs.count = 0;
    for (w = 0; w < FEATURE_WORDS; w++) {
        if (env->features[w]) {
            word_key(w, &kind, &a, &b);
            add(kind, a, b, env->features[w]);
        }
    }
    add(NEED_VENDOR, 0, 0, env->cpuid_vendor1);
    add(NEED_VENDOR, 1, 0, env->cpuid_vendor2);
    add(NEED_VENDOR, 2, 0, env->cpuid_vendor3);
    add(NEED_ADDRESS_BITS, 0, 0, cpu->phys_bits);
    add_property(NEED_SYNTHETIC, HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES);
    add_property(NEED_TSC_HZ, HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY);
    return 0;
}

/* ---- Comparison: what is missing goes into @missing, by its name ---- */

static void say(GString *missing, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
static void say(GString *missing, const char *format, ...)
{
    va_list args;

    g_string_append(missing, missing->len ? ", " : "");
    va_start(args, format);
    g_string_append_vprintf(missing, format, args);
    va_end(args);
}

static void compare_word(const Need *need, GString *missing)
{
    const CPUX86State *env = cpu_env(first_cpu);
    uint64_t lacks = need->value;
    const char *const *names = NULL;
    FeatureWord w;

    for (w = 0; w < FEATURE_WORDS; w++) {
        uint32_t kind, a, b;

        word_key(w, &kind, &a, &b);
        if (kind == need->kind && a == need->a && b == need->b) {
            lacks &= ~env->features[w];
            names = feature_word_info[w].feat_names;
        }
    }
    for (; lacks; lacks &= lacks - 1) {
        unsigned bit = ctz64(lacks);

        if (names && names[bit]) {
            say(missing, "CPU feature %s", names[bit]);
        } else if (need->kind == NEED_CPUID && need->a == XSAVE_LEAF &&
                   need->b >> 8 == 0) {
            say(missing, "XSAVE component %u",
                bit + 32 * ((need->b & 0xff) == R_EDX));
        } else {
            say(missing, "bit %u of %s 0x%x.%u register %u", bit,
                need->kind == NEED_MSR ? "MSR" : "CPUID leaf", need->a,
                need->b >> 8, need->b & 0xff);
        }
    }
}

static void compare_synthetic(const Need *need, uint64_t here,
                              GString *missing)
{
    static const struct {
        uint64_t feature;
        const char *name;
    } names[] = {
        { HV_SYNTH_FEATURE_VP_RUN_TIME, "run time of a VP" },
        { HV_SYNTH_FEATURE_REFERENCE_COUNTER, "reference counter" },
        { HV_SYNTH_FEATURE_SYNIC, "SynIC" },
        { HV_SYNTH_FEATURE_SYNTHETIC_TIMERS, "synthetic timers" },
        { HV_SYNTH_FEATURE_INTR_CTRL, "APIC MSRs" },
        { HV_SYNTH_FEATURE_HYPERCALL, "hypercalls" },
        { HV_SYNTH_FEATURE_VP_INDEX, "VP index" },
        { HV_SYNTH_FEATURE_REFERENCE_TSC, "reference TSC" },
        { HV_SYNTH_FEATURE_FREQUENCY, "frequencies" },
        { HV_SYNTH_FEATURE_DIRECT_TIMERS, "direct timers" },
        { HV_SYNTH_FEATURE_EXTENDED_PROCESSOR_MASKS, "processor masks" },
        { HV_SYNTH_FEATURE_TB_FLUSH_HYPERCALLS, "TLB flush hypercalls" },
        { HV_SYNTH_FEATURE_CLUSTER_IPI, "IPI hypercalls" },
        { HV_SYNTH_FEATURE_EXTENDED_GVA_RANGES, "TLB flushes of large ranges" },
        { HV_SYNTH_FEATURE_LONG_SPIN_WAIT, "long spin waits" },
    };
    uint64_t lacks = need->value & ~here;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(names); i++) {
        if (lacks & names[i].feature) {
            say(missing, "the hypervisor's feature '%s'", names[i].name);
            lacks &= ~names[i].feature;
        }
    }
    if (lacks) {
        say(missing, "the hypervisor's features 0x%" PRIx64, lacks);
    }
}

static void compare_tsc(uint64_t there, uint64_t here, GString *missing)
{
    uint64_t off = there > here ? there - here : here - there;

    /* Neither is 2^44 Hz. */
    if (off >= (here >> 20) * TSC_TOLERANCE_PPM) {
        say(missing, "a TSC of %" PRIu64 " Hz (here it has %" PRIu64 ")",
            there, here);
    }
}

static void compare_vendor(const Need *need, GString *missing)
{
    const CPUX86State *env = cpu_env(first_cpu);
    const uint32_t here[] = {
        env->cpuid_vendor1, env->cpuid_vendor2, env->cpuid_vendor3,
    };

    if (need->a >= ARRAY_SIZE(here) || need->value != here[need->a]) {
        say(missing, "a CPU of another vendor");
    }
}

static void compare(const Need *need, GString *missing)
{
    uint64_t here;

    switch (need->kind) {
    case NEED_CPUID:
    case NEED_MSR:
        compare_word(need, missing);
        break;
    case NEED_SYNTHETIC:
        if (mshv_get_property(HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES,
                              &here, NULL) == 0) {
            compare_synthetic(need, here, missing);
        }
        break;
    case NEED_VENDOR:
        compare_vendor(need, missing);
        break;
    case NEED_ADDRESS_BITS:
        if (need->value > X86_CPU(first_cpu)->phys_bits) {
            say(missing, "%" PRIu64 " physical address bits (here it has %u)",
                need->value, X86_CPU(first_cpu)->phys_bits);
        }
        break;
    case NEED_TSC_HZ:
        if (mshv_get_property(HV_PARTITION_PROPERTY_PROCESSOR_CLOCK_FREQUENCY,
                              &here, NULL) == 0) {
            compare_tsc(need->value, here, missing);
        }
        break;
    default:
        say(missing, "what only a newer version knows (%u)", need->kind);
    }
}

static int load(void *opaque, int version)
{
    g_autoptr(GString) missing = g_string_new("");
    unsigned i;

    mshv_stream_is_ours();
    for (i = 0; i < needs.count; i++) {
        compare(&needs.list[i], missing);
    }
    if (missing->len) {
        error_report("mshv: the guest cannot come here, for it was given what "
                     "is not here: %s", missing->str);
        return -EINVAL;
    }
    return 0;
}

static bool is_count_good(void *opaque, int version)
{
    return needs.count <= MAX_NEEDS;
}

static const VMStateDescription vmstate_need = {
    .name = "mshv-need",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(kind, Need),
        VMSTATE_UINT32(a, Need),
        VMSTATE_UINT32(b, Need),
        VMSTATE_UINT64(value, Need),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_needs = {
    .name = "mshv-needs",
    .version_id = 1,
    .minimum_version_id = 1,
    .early_setup = true,
    .pre_save = save,
    .post_load = load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(count, struct Needs),
        VMSTATE_VALIDATE("number of needs", is_count_good),
        VMSTATE_STRUCT_VARRAY_UINT32(list, struct Needs, count, 0,
                                     vmstate_need, Need),
        VMSTATE_END_OF_LIST()
    },
};

void mshv_needs_init(void)
{
    vmstate_register(NULL, 0, &vmstate_needs, &needs);
}
