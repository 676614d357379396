/*
 * What the guest is told of the hypervisor. The partition's synthetic features
 * are one set for all of its VPs and must be set before it is initialised, that
 * is before there are CPUs: a CPU like theirs is asked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "accel/mshv/partition.h"
#include "hw/boards.h"
#include "mshv/x86.h"
#include "mshv-x86.h"
#include "enlighten.h"
#include "hyperv.h"

QEMU_BUILD_BUG_ON((int)MSHV_ENL_RELAXED != HYPERV_FEAT_RELAXED);
QEMU_BUILD_BUG_ON((int)MSHV_ENL_STIMER != HYPERV_FEAT_STIMER);
QEMU_BUILD_BUG_ON((int)MSHV_ENL_IPI != HYPERV_FEAT_IPI);
QEMU_BUILD_BUG_ON((int)MSHV_ENL_SYNDBG != HYPERV_FEAT_SYNDBG);
QEMU_BUILD_BUG_ON((int)MSHV_ENL_TLBFLUSH_DIRECT != HYPERV_FEAT_TLBFLUSH_DIRECT);

#define QEMU_BITS       MAKE_64BIT_MASK(0, MSHV_ENL_QEMU_BITS)

/* QEMU's defaults of hv-version-id-* and hv-vendor-id */
#define DEFAULT_BUILD   0x3839
#define DEFAULT_MAJOR   10
#define DEFAULT_VENDOR  "Microsoft Hv"

static struct {
    MshvEnlHost host;
    MshvEnlRequest request;
    MshvEnlGrant grant;
} hyperv;

static MshvEnlRequest request_of(const X86CPU *cpu)
{
    MshvEnlRequest r = {
        .wanted = cpu->hyperv_features & QEMU_BITS,
        .all = cpu->hyperv_passthrough,
        .spin_retries = cpu->hyperv_spinlock_attempts,
    };

    if (r.spin_retries != HYPERV_SPINLOCK_NEVER_NOTIFY) {
        r.wanted |= 1ull << MSHV_ENL_SPINLOCKS;
    }
    if (cpu->hyperv_no_nonarch_cs == ON_OFF_AUTO_ON) {
        r.wanted |= 1ull << MSHV_ENL_CORESHARING;
    }
    return r;
}

/* ---- The host ---- */

/* What it shows its own partition, which is a guest of the same hypervisor */
static void look_at_own_leaves(MshvEnlHost *host)
{
    uint32_t max, n;

    host_cpuid(MSHV_HYPERV_FIRST, 0, &max, &n, &n, &n);
    for (n = 0; n < MSHV_ENL_LEAVES && MSHV_HYPERV_FIRST + n <= max; n++) {
        uint32_t *leaf = host->leaf[n];

        host_cpuid(MSHV_HYPERV_FIRST + n, 0, &leaf[0], &leaf[1], &leaf[2],
                   &leaf[3]);
    }
}

static int set_features(uint64_t features, Error **errp)
{
    return mshv_set_property(HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES,
                             features, errp);
}

/* A hypervisor that does not name what it has, and refuses all for one. */
static int find_assignable(uint64_t wanted, uint64_t *assignable, Error **errp)
{
    uint64_t has = HV_SYNTH_FEATURE_HYPERVISOR_PRESENT | HV_SYNTH_FEATURE_HV1 |
                   HV_SYNTH_FEATURE_HYPERCALL;
    uint64_t left;
    int ret = set_features(has, errp);

    for (left = wanted & ~has; ret == 0 && left; left &= left - 1) {
        uint64_t bit = left & -left;

        if (set_features(has | bit, NULL) == 0) {
            has |= bit;
        }
    }
    *assignable = has;
    return ret;
}

static void ask_assignable(uint64_t *assignable)
{
    struct hv_partition_property_banks banks = { 0 };

    if (mshv_host_property_ex(
            HV_PARTITION_PROPERTY_ASSIGNABLE_SYNTHETIC_PROC_FEATURES, 0,
            &banks, sizeof(banks), NULL) < 0) {
        *assignable = UINT64_MAX;
        return;
    }
    *assignable = banks.as_uint64[0];
}

/* ---- The partition ---- */

/* One line for each property that was asked for in vain. */
static bool name_refused(bool enforce, Error **errp)
{
    uint64_t refused = hyperv.request.wanted & ~hyperv.grant.given;

    for (; refused; refused &= refused - 1) {
        MshvEnl n = ctz64(refused);
        const char *never = mshv_enl_why_never(n);
        const char *lacks = mshv_enl_lacks(n, &hyperv.grant);
        g_autofree char *why =
            never ? g_strdup(never)
            : lacks ? g_strdup_printf("it needs %s", lacks)
            : g_strdup("this hypervisor does not have it for guests");

        if (enforce) {
            error_setg(errp, "%s is not possible: %s (hv-enforce-cpuid)",
                       mshv_enl_name(n), why);
            return false;
        }
        warn_report("mshv: %s is not possible, and left out: %s",
                    mshv_enl_name(n), why);
    }
    return true;
}

static int set_partition(Error **errp)
{
    int ret;

    ask_assignable(&hyperv.host.assignable);
    mshv_enl_decide(&hyperv.request, &hyperv.host, &hyperv.grant);
    ret = set_features(hyperv.grant.synthetic, NULL);
    if (ret < 0) {
        ret = find_assignable(hyperv.grant.synthetic, &hyperv.host.assignable,
                              errp);
        if (ret == 0) {
            mshv_enl_decide(&hyperv.request, &hyperv.host, &hyperv.grant);
            ret = set_features(hyperv.grant.synthetic, errp);
        }
    }
    return ret;
}

int mshv_hyperv_init(Error **errp)
{
    const char *type = MACHINE(qdev_get_machine())->cpu_type;
    bool enforce = false;
    int ret;

    hyperv.request.spin_retries = HYPERV_SPINLOCK_NEVER_NOTIFY;
    if (type) {
        Object *cpu = object_new(type);

        hyperv.request = request_of(X86_CPU(cpu));
        enforce = X86_CPU(cpu)->hyperv_enforce_cpuid;
        object_unref(cpu);
    }
    look_at_own_leaves(&hyperv.host);
    ret = set_partition(errp);
    if (ret == 0 && !name_refused(enforce, errp)) {
        ret = -EINVAL;
    }
    return ret;
}

/* ---- CPUs ---- */

void mshv_x86_expand_hyperv(X86CPU *cpu)
{
    MshvEnlRequest request = request_of(cpu);
    MshvEnlGrant grant;

    if (request.all) {
        mshv_enl_decide(&request, &hyperv.host, &grant);
        cpu->hyperv_features |= grant.given & QEMU_BITS;
    }
}

bool mshv_hyperv_check(X86CPU *cpu, Error **errp)
{
    MshvEnlRequest request = request_of(cpu);
    bool same = request.all == hyperv.request.all &&
                request.spin_retries == hyperv.request.spin_retries;

    if (request.all) {
        request.wanted &= ~hyperv.grant.given;
        same &= request.wanted == (hyperv.request.wanted &
                                   ~hyperv.grant.given);
    } else {
        same &= request.wanted == hyperv.request.wanted;
    }
    if (!same) {
        error_setg(errp, "mshv: all CPUs of a VM have the same hv-* "
                   "properties; this one has others");
    }
    return same;
}

static void version(const X86CPU *cpu, MshvHypervLeaf *l)
{
    if (cpu->hyperv_ver_id_build == DEFAULT_BUILD &&
        cpu->hyperv_ver_id_major == DEFAULT_MAJOR &&
        !cpu->hyperv_ver_id_minor && !cpu->hyperv_ver_id_sp &&
        !cpu->hyperv_ver_id_sb && !cpu->hyperv_ver_id_sn) {
        return;
    }
    l->value[0] = cpu->hyperv_ver_id_build;
    l->value[1] = (uint32_t)cpu->hyperv_ver_id_major << 16 |
                  cpu->hyperv_ver_id_minor;
    l->value[2] = cpu->hyperv_ver_id_sp;
    l->value[3] = (uint32_t)cpu->hyperv_ver_id_sb << 24 |
                  (cpu->hyperv_ver_id_sn & 0xffffff);
    memset(l->mask, 0xff, sizeof(l->mask));
}

MshvHypervLeaf mshv_hyperv_leaf(const X86CPU *cpu, uint32_t leaf)
{
    unsigned n = leaf - MSHV_HYPERV_FIRST;
    MshvHypervLeaf l = { };

    if (n >= MSHV_ENL_LEAVES) {
        return l;
    }
    memcpy(l.value, hyperv.grant.leaf[n].value, sizeof(l.value));
    memcpy(l.mask, hyperv.grant.leaf[n].mask, sizeof(l.mask));
    if (leaf == HYPERV_CPUID_VERSION) {
        version(cpu, &l);
    } else if (leaf == HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS &&
               !g_str_equal(cpu->hyperv_vendor, DEFAULT_VENDOR)) {
        memcpy(&l.value[1], cpu->hyperv_vendor_id,
               sizeof(cpu->hyperv_vendor_id));
        memset(&l.mask[1], 0xff, 3 * sizeof(l.mask[1]));
    }
    return l;
}
