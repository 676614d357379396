/*
 * CPUID as the guest sees it: what -cpu and -smp say, registered with the
 * hypervisor, which then answers without an exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "accel/mshv/partition.h"
#include "emulate.h"
#include "hyperv.h"

#define CPUID_7_0_ECX_OSPKE_BIT     (1u << 4)

/* Bits that follow the VP's registers: the hypervisor keeps them. */
typedef struct LiveBits {
    uint32_t leaf, subleaf;
    uint32_t eax, ebx, ecx, edx;
} LiveBits;

static const LiveBits live_bits[] = {
    { .leaf = 1, .ecx = CPUID_EXT_OSXSAVE, .edx = CPUID_APIC },
    { .leaf = 7, .ecx = CPUID_7_0_ECX_OSPKE_BIT },
    /* Size of the XSAVE area for what XCR0, and XSS, enable now */
    { .leaf = 0xd, .subleaf = 0, .ebx = ~0u },
    { .leaf = 0xd, .subleaf = 1, .ebx = ~0u },
};

static const LiveBits *find_live_bits(const CPUX86State *env, uint32_t leaf,
                                      uint32_t subleaf)
{
    static const LiveBits none;
    unsigned i;

    if (leaf == 0xd && !(env->features[FEAT_1_ECX] & CPUID_EXT_XSAVE)) {
        return &none;
    }
    for (i = 0; i < ARRAY_SIZE(live_bits); i++) {
        if (live_bits[i].leaf == leaf && live_bits[i].subleaf == subleaf) {
            return &live_bits[i];
        }
    }
    return &none;
}

/* What the guest sees: the bits of @mask are as in @value. */
static MshvHypervLeaf result_of(CPUState *cs, uint32_t leaf, uint32_t subleaf)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    const LiveBits *live = find_live_bits(env, leaf, subleaf);
    MshvHypervLeaf l;

    if (leaf >= MSHV_HYPERV_FIRST && leaf <= HYPERV_CPUID_MAX) {
        return mshv_hyperv_leaf(X86_CPU(cs), leaf);
    }
    cpu_x86_cpuid(env, leaf, subleaf, &l.value[0], &l.value[1], &l.value[2],
                  &l.value[3]);
    l.mask[0] = ~live->eax;
    l.mask[1] = ~live->ebx;
    l.mask[2] = ~live->ecx;
    l.mask[3] = ~live->edx;
    return l;
}

static int register_result(CPUState *cs, uint32_t leaf, uint32_t subleaf,
                           bool specific, Error **errp)
{
    MshvHypervLeaf l = result_of(cs, leaf, subleaf);
    struct hv_input_register_intercept_result in = {
        .vp_index = cs->accel->vp_index,
        .intercept_type = HV_INTERCEPT_TYPE_X64_CPUID,
    };
    struct hv_register_x64_cpuid_result_parameters *p = &in.parameters.cpuid;

    p->input.eax = leaf;
    p->input.ecx = subleaf;
    p->input.subleaf_specific = specific;
    p->input.always_override = 1;
    p->result.eax_mask = l.mask[0];
    p->result.ebx_mask = l.mask[1];
    p->result.ecx_mask = l.mask[2];
    p->result.edx_mask = l.mask[3];
    p->result.eax = l.value[0] & l.mask[0];
    p->result.ebx = l.value[1] & l.mask[1];
    p->result.ecx = l.value[2] & l.mask[2];
    p->result.edx = l.value[3] & l.mask[3];
    return mshv_pt_hvcall(HVCALL_REGISTER_INTERCEPT_RESULT, 0, &in,
                          sizeof(in), NULL, 0, NULL, errp);
}

/* All of the partition's CPUID with @leaf exits. */
static int intercept_leaf(uint32_t leaf, Error **errp)
{
    static GHashTable *intercepted;
    struct hv_input_install_intercept in = {
        .access_type = HV_INTERCEPT_ACCESS_MASK_EXECUTE,
        .intercept_type = HV_INTERCEPT_TYPE_X64_CPUID,
        .intercept_parameter.cpuid_index = leaf,
    };
    int ret;

    if (!intercepted) {
        intercepted = g_hash_table_new(NULL, NULL);
    }
    if (g_hash_table_contains(intercepted, GUINT_TO_POINTER(leaf))) {
        return 0;
    }
    ret = mshv_pt_hvcall(HVCALL_INSTALL_INTERCEPT, 0, &in, sizeof(in), NULL, 0,
                         NULL, errp);
    if (ret == 0) {
        g_hash_table_add(intercepted, GUINT_TO_POINTER(leaf));
    }
    return ret;
}

/* What the hypervisor does not take, it must ask for. */
static int register_or_intercept(CPUState *cs, uint32_t leaf, uint32_t subleaf,
                                 bool specific, Error **errp)
{
    Error *err = NULL;
    int ret = register_result(cs, leaf, subleaf, specific, &err);

    if (ret < 0) {
        if (intercept_leaf(leaf, NULL) == 0) {
            error_free(err);
            return 0;
        }
        error_propagate(errp, err);
    }
    return ret;
}

/* How many sub-leaves a leaf has; 1: it has none. */
static uint32_t count_subleaves(CPUX86State *env, uint32_t leaf)
{
    uint32_t eax, ebx, ecx, edx, n;

    switch (leaf) {
    case 7:
        cpu_x86_cpuid(env, leaf, 0, &eax, &ebx, &ecx, &edx);
        return MAX(eax + 1, 2);
    case 0xd:
        return 64;
    case 0xf: case 0x10: case 0x12: case 0x14: case 0x1d: case 0x1e: case 0x24:
        return 2;
    case 4: case 0xb: case 0x1f: case 0x8000001d:
        /* Up to the first that says "no more" */
        for (n = 0; n < 16; n++) {
            cpu_x86_cpuid(env, leaf, n, &eax, &ebx, &ecx, &edx);
            if (leaf == 4 || leaf == 0x8000001d ? !(eax & 0x1f) : !ebx) {
                break;
            }
        }
        return n + 1;
    default:
        return 1;
    }
}

static int register_range(CPUState *cs, uint32_t first, uint32_t last,
                          Error **errp)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    uint32_t leaf, n, subleaf;
    int ret = 0;

    for (leaf = first; ret == 0 && leaf <= last; leaf++) {
        n = count_subleaves(env, leaf);
        for (subleaf = 0; ret == 0 && subleaf < n; subleaf++) {
            ret = register_or_intercept(cs, leaf, subleaf, n > 1, errp);
        }
    }
    if (ret < 0) {
        error_prepend(errp, "CPUID leaf 0x%x: ", leaf - 1);
    }
    return ret;
}

/* Of the hypervisor's own leaves, those that the guest sees otherwise */
static void register_hypervisor(CPUState *cs)
{
    Error *err = NULL;

    for (uint32_t leaf = MSHV_HYPERV_FIRST; leaf <= MSHV_HYPERV_LAST; leaf++) {
        MshvHypervLeaf l = mshv_hyperv_leaf(X86_CPU(cs), leaf);

        if (mshv_hyperv_has(&l) &&
            register_or_intercept(cs, leaf, 0, false, &err) < 0) {
            warn_reportf_err(err, "mshv: the guest sees the hypervisor's own "
                             "CPUID leaf 0x%x, whatever hv-* says: ", leaf);
            err = NULL;
        }
    }
}

int mshv_cpuid_register(CPUState *cs, Error **errp)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    int ret = register_range(cs, 0, env->cpuid_level, errp);

    if (ret == 0) {
        ret = register_range(cs, 0x80000000, env->cpuid_xlevel, errp);
    }
    if (ret == 0) {
        register_hypervisor(cs);
    }
    return ret;
}

/* A leaf that the hypervisor did not take. */
int mshv_exit_cpuid(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    const struct hv_x64_cpuid_intercept_message *m =
        (const void *)msg->u.payload;
    const uint64_t own[] = {
        m->default_result_rax, m->default_result_rbx, m->default_result_rcx,
        m->default_result_rdx,
    };
    /* In the order of the hypervisor's names of RAX and so on */
    static const uint8_t order[] = { 0, 2, 3, 1 };
    MshvHypervLeaf l = result_of(cs, m->rax, m->rcx);
    struct hv_register_assoc regs[5];
    int ret;

    memset(regs, 0, sizeof(regs));
    for (unsigned i = 0; i < 4; i++) {
        unsigned n = order[i];

        regs[i].name = HV_X64_REGISTER_RAX + i;
        regs[i].value.reg64 = (uint32_t)((own[n] & ~l.mask[n]) |
                                         (l.value[n] & l.mask[n]));
    }
    regs[4].name = HV_X64_REGISTER_RIP;
    regs[4].value.reg64 = m->header.rip + m->header.instruction_length;
    ret = mshv_x86_store_regs(cs, regs, ARRAY_SIZE(regs), errp);
    return ret < 0 ? ret : mshv_after_instruction(cs, &m->header, errp);
}
