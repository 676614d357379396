/*
 * What a guest is told of the hypervisor. What a property makes the guest see
 * is what it sees under KVM.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stddef.h>
#include <string.h>
#include "enlighten.h"

enum { EAX, EBX, ECX, EDX };
enum { FEATURES = 3, HINTS = 4 };

#define BIT(n)          (1ull << (n))

#define PARTS           2
#define ROOT(x)         HV_SYNTH_FEATURE_##x

/* A part of an enlightenment: what it stands on, and where the guest sees it */
typedef struct Part {
    uint64_t synthetic;         /* features of the partition */
    uint8_t leaf, reg;
    uint32_t bits;
    bool optional;              /* it works without, too */
} Part;

typedef struct Row {
    const char *name;
    Part part[PARTS];           /* without bits: none */
    uint64_t needs;             /* other enlightenments, all of them above */
    /*
     * No feature of a partition: the hypervisor has it or not. The host is a
     * guest of the same, and sees it, too.
     */
    bool seen_by_host;
    /* Advice that nobody else can give: as the hypervisor says */
    bool left_alone;
    const char *never;          /* why it cannot be had on any host */
} Row;

#define NO_NESTING      "nested virtualization is not offered"

static const Row rows[MSHV_ENL_COUNT] = {
    [MSHV_ENL_RELAXED] = {
        "hv-relaxed",
        { { 0, HINTS, EAX, HV_X64_RELAXED_TIMING_RECOMMENDED } },
    },
    [MSHV_ENL_VAPIC] = {
        "hv-vapic",
        { { ROOT(INTR_CTRL), FEATURES, EAX, HV_MSR_APIC_ACCESS_AVAILABLE } },
    },
    [MSHV_ENL_TIME] = {
        "hv-time",
        { { ROOT(REFERENCE_COUNTER) | ROOT(REFERENCE_TSC), FEATURES, EAX,
            HV_MSR_TIME_REF_COUNT_AVAILABLE |
            HV_MSR_REFERENCE_TSC_AVAILABLE } },
    },
    [MSHV_ENL_CRASH] = {
        "hv-crash",
        { { 0, FEATURES, EDX, HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE } },
        .seen_by_host = true,
    },
    [MSHV_ENL_RESET] = {
        "hv-reset", .never = "the hypervisor lets no guest reset itself",
    },
    [MSHV_ENL_VPINDEX] = {
        "hv-vpindex",
        { { ROOT(VP_INDEX), FEATURES, EAX, HV_MSR_VP_INDEX_AVAILABLE } },
    },
    [MSHV_ENL_RUNTIME] = {
        "hv-runtime",
        { { ROOT(VP_RUN_TIME), FEATURES, EAX, HV_MSR_VP_RUNTIME_AVAILABLE } },
    },
    [MSHV_ENL_SYNIC] = {
        "hv-synic",
        { { ROOT(SYNIC), FEATURES, EAX, HV_MSR_SYNIC_AVAILABLE } },
    },
    [MSHV_ENL_STIMER] = {
        "hv-stimer",
        { { ROOT(SYNTHETIC_TIMERS), FEATURES, EAX,
            HV_MSR_SYNTIMER_AVAILABLE } },
        .needs = BIT(MSHV_ENL_SYNIC) | BIT(MSHV_ENL_TIME),
    },
    [MSHV_ENL_FREQUENCIES] = {
        "hv-frequencies",
        { { ROOT(FREQUENCY), FEATURES, EAX, HV_ACCESS_FREQUENCY_MSRS },
          { ROOT(FREQUENCY), FEATURES, EDX,
            HV_FEATURE_FREQUENCY_MSRS_AVAILABLE } },
    },
    [MSHV_ENL_REENLIGHTENMENT] = {
        "hv-reenlightenment",
        .never = "the hypervisor cannot tell a guest of another TSC frequency",
    },
    [MSHV_ENL_TLBFLUSH] = {
        "hv-tlbflush",
        { { ROOT(TB_FLUSH_HYPERCALLS), HINTS, EAX,
            HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED },
          { ROOT(EXTENDED_PROCESSOR_MASKS), HINTS, EAX,
            HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED, .optional = true } },
        .needs = BIT(MSHV_ENL_VPINDEX),
    },
    [MSHV_ENL_EVMCS] = { "hv-evmcs", .never = NO_NESTING },
    [MSHV_ENL_IPI] = {
        "hv-ipi",
        { { ROOT(CLUSTER_IPI), HINTS, EAX, HV_X64_CLUSTER_IPI_RECOMMENDED },
          { ROOT(EXTENDED_PROCESSOR_MASKS), HINTS, EAX,
            HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED, .optional = true } },
        .needs = BIT(MSHV_ENL_VPINDEX),
    },
    [MSHV_ENL_STIMER_DIRECT] = {
        "hv-stimer-direct",
        { { ROOT(DIRECT_TIMERS), FEATURES, EDX,
            HV_STIMER_DIRECT_MODE_AVAILABLE } },
        .needs = BIT(MSHV_ENL_STIMER),
    },
    [MSHV_ENL_AVIC] = {
        "hv-avic",
        { { 0, HINTS, EAX, HV_DEPRECATING_AEOI_RECOMMENDED } },
        .seen_by_host = true, .left_alone = true,
    },
    [MSHV_ENL_SYNDBG] = {
        "hv-syndbg", .never = "the hypervisor has no debugger's channel",
    },
    [MSHV_ENL_EMSR_BITMAP] = { "hv-emsr-bitmap", .never = NO_NESTING },
    [MSHV_ENL_XMM_INPUT] = {
        "hv-xmm-input",
        { { 0, FEATURES, EDX, HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE } },
        .seen_by_host = true,
    },
    [MSHV_ENL_TLBFLUSH_EXT] = {
        "hv-tlbflush-ext",
        { { ROOT(EXTENDED_GVA_RANGES), FEATURES, EDX,
            HV_FEATURE_EXT_GVA_RANGES_FLUSH } },
        .needs = BIT(MSHV_ENL_TLBFLUSH),
    },
    [MSHV_ENL_TLBFLUSH_DIRECT] = { "hv-tlbflush-direct", .never = NO_NESTING },
    [MSHV_ENL_SPINLOCKS] = {
        "hv-spinlocks", { { ROOT(LONG_SPIN_WAIT), HINTS, EBX, UINT32_MAX } },
    },
    [MSHV_ENL_CORESHARING] = {
        "hv-no-nonarch-coresharing=on",
        .never = "only the hypervisor knows which VPs share a core",
    },
};

/* Without these there is no Hyper-V. */
#define BASE    (ROOT(HYPERVISOR_PRESENT) | ROOT(HV1) | ROOT(HYPERCALL))
/* Not asked for anything: what every guest gets on with */
#define SAFE    (BASE | ROOT(VP_RUN_TIME) | ROOT(REFERENCE_COUNTER) | \
                 ROOT(SYNIC) | ROOT(SYNTHETIC_TIMERS) | ROOT(INTR_CTRL) | \
                 ROOT(VP_INDEX) | ROOT(REFERENCE_TSC) | ROOT(FREQUENCY) | \
                 ROOT(EXTENDED_PROCESSOR_MASKS) | ROOT(TB_FLUSH_HYPERCALLS) | \
                 ROOT(CLUSTER_IPI) | ROOT(DIRECT_TIMERS))

static bool part_works(const Row *row, const Part *part,
                       const MshvEnlHost *host)
{
    if (row->seen_by_host) {
        return (host->leaf[part->leaf][part->reg] & part->bits) == part->bits;
    }
    return (part->synthetic & ~host->assignable) == 0;
}

static bool works(const Row *row, const MshvEnlHost *host, uint64_t given)
{
    if (row->never || (row->needs & ~given)) {
        return false;
    }
    for (unsigned i = 0; i < PARTS; i++) {
        if (!row->part[i].optional && !part_works(row, &row->part[i], host)) {
            return false;
        }
    }
    return true;
}

static void give(MshvEnl n, const MshvEnlRequest *request,
                 const MshvEnlHost *host, MshvEnlGrant *grant)
{
    const Row *row = &rows[n];

    grant->given |= BIT(n);
    for (unsigned i = 0; i < PARTS; i++) {
        const Part *part = &row->part[i];
        uint32_t value = n == MSHV_ENL_SPINLOCKS ? request->spin_retries
                                                 : part->bits;

        if (part_works(row, part, host)) {
            grant->synthetic |= part->synthetic;
            if (!row->left_alone) {
                grant->leaf[part->leaf].value[part->reg] |= value;
                grant->leaf[part->leaf].mask[part->reg] |= part->bits;
            }
        }
    }
}

/* What was not asked for is not shown. */
static void hide_the_rest(MshvEnlGrant *grant)
{
    for (unsigned n = 0; n < MSHV_ENL_COUNT; n++) {
        for (unsigned i = 0; i < PARTS; i++) {
            const Part *part = &rows[n].part[i];

            if (!rows[n].left_alone) {
                grant->leaf[part->leaf].mask[part->reg] |= part->bits;
            }
        }
    }
    if (!(grant->given & BIT(MSHV_ENL_SPINLOCKS))) {
        grant->leaf[HINTS].value[EBX] = HV_LONG_SPIN_WAIT_NEVER;
    }
}

void mshv_enl_decide(const MshvEnlRequest *request, const MshvEnlHost *host,
                     MshvEnlGrant *grant)
{
    memset(grant, 0, sizeof(*grant));
    if (!request->wanted && !request->all) {
        grant->synthetic = SAFE & host->assignable;
        return;
    }
    grant->synthetic = BASE & host->assignable;
    for (unsigned n = 0; n < MSHV_ENL_COUNT; n++) {
        /* How long to spin is nobody's wish if all is wanted. */
        bool wanted = request->all && n != MSHV_ENL_SPINLOCKS;

        if ((wanted || (request->wanted & BIT(n))) &&
            works(&rows[n], host, grant->given)) {
            give(n, request, host, grant);
        }
    }
    if (!request->all) {
        hide_the_rest(grant);
    }
}

const char *mshv_enl_name(MshvEnl n)
{
    return rows[n].name;
}

const char *mshv_enl_lacks(MshvEnl n, const MshvEnlGrant *grant)
{
    for (unsigned i = 0; i < MSHV_ENL_COUNT; i++) {
        if (rows[n].needs & ~grant->given & BIT(i)) {
            return rows[i].name;
        }
    }
    return NULL;
}

const char *mshv_enl_why_never(MshvEnl n)
{
    return rows[n].never;
}
