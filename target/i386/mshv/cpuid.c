/*
 * CPUID as the guest sees it: what -cpu and -smp say, registered with the
 * hypervisor, which then answers without an exit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "accel/mshv/partition.h"
#include "emulate.h"

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

static int register_result(CPUState *cs, uint32_t leaf, uint32_t subleaf,
                           bool specific, Error **errp)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    const LiveBits *live = find_live_bits(env, leaf, subleaf);
    struct hv_input_register_intercept_result in = {
        .vp_index = cs->accel->vp_index,
        .intercept_type = HV_INTERCEPT_TYPE_X64_CPUID,
    };
    struct hv_register_x64_cpuid_result_parameters *p = &in.parameters.cpuid;

    p->input.eax = leaf;
    p->input.ecx = subleaf;
    p->input.subleaf_specific = specific;
    p->input.always_override = 1;
    cpu_x86_cpuid(env, leaf, subleaf, &p->result.eax, &p->result.ebx,
                  &p->result.ecx, &p->result.edx);
    p->result.eax_mask = ~live->eax;
    p->result.ebx_mask = ~live->ebx;
    p->result.ecx_mask = ~live->ecx;
    p->result.edx_mask = ~live->edx;
    p->result.eax &= p->result.eax_mask;
    p->result.ebx &= p->result.ebx_mask;
    p->result.ecx &= p->result.ecx_mask;
    p->result.edx &= p->result.edx_mask;
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

int mshv_cpuid_register(CPUState *cs, Error **errp)
{
    CPUX86State *env = &X86_CPU(cs)->env;
    int ret = register_range(cs, 0, env->cpuid_level, errp);

    if (ret == 0) {
        ret = register_range(cs, 0x80000000, env->cpuid_xlevel, errp);
    }
    return ret;
}

/* A leaf that the hypervisor did not take. */
int mshv_exit_cpuid(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    const struct hv_x64_cpuid_intercept_message *m =
        (const void *)msg->u.payload;
    uint32_t leaf = m->rax, subleaf = m->rcx;
    CPUX86State *env = &X86_CPU(cs)->env;
    const LiveBits *live = find_live_bits(env, leaf, subleaf);
    uint32_t v[4];
    struct hv_register_assoc regs[5];
    int ret;

    if ((leaf & 0xf0000000) == 0x40000000) {
        v[R_EAX] = m->default_result_rax;
        v[R_EBX] = m->default_result_rbx;
        v[R_ECX] = m->default_result_rcx;
        v[R_EDX] = m->default_result_rdx;
    } else {
        cpu_x86_cpuid(env, leaf, subleaf, &v[R_EAX], &v[R_EBX], &v[R_ECX],
                      &v[R_EDX]);
        v[R_EAX] = (v[R_EAX] & ~live->eax) |
                   (m->default_result_rax & live->eax);
        v[R_EBX] = (v[R_EBX] & ~live->ebx) |
                   (m->default_result_rbx & live->ebx);
        v[R_ECX] = (v[R_ECX] & ~live->ecx) |
                   (m->default_result_rcx & live->ecx);
        v[R_EDX] = (v[R_EDX] & ~live->edx) |
                   (m->default_result_rdx & live->edx);
    }
    memset(regs, 0, sizeof(regs));
    for (unsigned i = 0; i < 4; i++) {
        /* R_EAX.. and the hypervisor's names have the same order */
        regs[i].name = HV_X64_REGISTER_RAX + i;
        regs[i].value.reg64 = v[i];
    }
    regs[4].name = HV_X64_REGISTER_RIP;
    regs[4].value.reg64 = m->header.rip + m->header.instruction_length;
    ret = mshv_x86_store_regs(cs, regs, ARRAY_SIZE(regs), errp);
    return ret < 0 ? ret : mshv_after_instruction(cs, &m->header, errp);
}
