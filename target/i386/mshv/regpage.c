/*
 * The VP register page: registers of a stopped VP without a hypercall.
 *
 * The page is the hypervisor's copy (hvhdk.h: struct hv_vp_register_page). It
 * is good while isvalid is set; what is stored in it counts from the next run
 * on if the dirty bit of its class is set. Some fields can only be read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "mshv-x86.h"

#define READ_ONLY       (-1)

typedef struct PageField {
    uint32_t name;
    uint16_t offset;            /* in the page */
    uint16_t size;              /* 8 or 16 bytes */
    int8_t class;               /* HV_X64_REGISTER_CLASS_* or READ_ONLY */
} PageField;

#define PAGE(n, f, c) \
    { .name = HV_##n, \
      .offset = offsetof(struct hv_vp_register_page, f), \
      .size = sizeof_field(struct hv_vp_register_page, f), .class = c }
#define GENERAL(n, f)   PAGE(X64_REGISTER_##n, f, HV_X64_REGISTER_CLASS_GENERAL)
#define XMM(n, f)       PAGE(X64_REGISTER_##n, f, HV_X64_REGISTER_CLASS_XMM)
#define SEGMENT(n, f)   PAGE(X64_REGISTER_##n, f, HV_X64_REGISTER_CLASS_SEGMENT)

static const PageField page_fields[] = {
    GENERAL(RAX, rax), GENERAL(RCX, rcx), GENERAL(RDX, rdx),
    GENERAL(RBX, rbx), GENERAL(RSP, rsp), GENERAL(RBP, rbp),
    GENERAL(RSI, rsi), GENERAL(RDI, rdi), GENERAL(R8, r8), GENERAL(R9, r9),
    GENERAL(R10, r10), GENERAL(R11, r11), GENERAL(R12, r12),
    GENERAL(R13, r13), GENERAL(R14, r14), GENERAL(R15, r15),
    PAGE(X64_REGISTER_RIP, rip, HV_X64_REGISTER_CLASS_IP),
    PAGE(X64_REGISTER_RFLAGS, rflags, HV_X64_REGISTER_CLASS_FLAGS),
    XMM(XMM0, xmm0), XMM(XMM1, xmm1), XMM(XMM2, xmm2),
    XMM(XMM3, xmm3), XMM(XMM4, xmm4), XMM(XMM5, xmm5),
    SEGMENT(ES, es), SEGMENT(CS, cs), SEGMENT(SS, ss),
    SEGMENT(DS, ds), SEGMENT(FS, fs), SEGMENT(GS, gs),
    PAGE(X64_REGISTER_CR0, cr0, READ_ONLY),
    PAGE(X64_REGISTER_CR3, cr3, READ_ONLY),
    PAGE(X64_REGISTER_CR4, cr4, READ_ONLY),
    PAGE(X64_REGISTER_CR8, cr8, READ_ONLY),
    PAGE(X64_REGISTER_EFER, efer, READ_ONLY),
    PAGE(X64_REGISTER_DR7, dr7, READ_ONLY),
    PAGE(REGISTER_PENDING_INTERRUPTION, pending_interruption, READ_ONLY),
    PAGE(REGISTER_INTERRUPT_STATE, interrupt_state, READ_ONLY),
    PAGE(X64_REGISTER_XFEM, xfem, READ_ONLY),
};

static const PageField *find_field(uint32_t name)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(page_fields); i++) {
        if (page_fields[i].name == name) {
            return &page_fields[i];
        }
    }
    return NULL;
}

bool mshv_regpage_get(CPUState *cs, uint32_t name,
                      union hv_register_value *value)
{
    const struct hv_vp_register_page *page = mshv_regpage(cs);
    const PageField *field = page ? find_field(name) : NULL;

    if (!field) {
        return false;
    }
    memset(value, 0, sizeof(*value));
    memcpy(value, (const uint8_t *)page + field->offset, field->size);
    return true;
}

bool mshv_regpage_set(CPUState *cs, uint32_t name,
                      const union hv_register_value *value)
{
    struct hv_vp_register_page *page = mshv_regpage(cs);
    const PageField *field = page ? find_field(name) : NULL;

    if (!field || field->class == READ_ONLY) {
        return false;
    }
    memcpy((uint8_t *)page + field->offset, value, field->size);
    page->dirty |= 1u << field->class;
    return true;
}

int mshv_x86_set_regs(CPUState *cs, const struct hv_register_assoc *regs,
                      unsigned n, Error **errp)
{
    struct hv_register_assoc all[ARRAY_SIZE(page_fields) + 32] = { 0 };
    struct hv_vp_register_page *page = mshv_regpage(cs);
    uint32_t dirty = page ? page->dirty : 0;
    unsigned i, count = 0;
    int ret;

    if (!dirty) {
        return mshv_vp_set_regs(cs, regs, n, errp);
    }
    for (i = 0; i < ARRAY_SIZE(page_fields); i++) {
        const PageField *field = &page_fields[i];

        if (field->class != READ_ONLY && (dirty & (1u << field->class))) {
            all[count].name = field->name;
            mshv_regpage_get(cs, field->name, &all[count].value);
            count++;
        }
    }
    if (n <= ARRAY_SIZE(all) - count) {
        memcpy(&all[count], regs, n * sizeof(*regs));
        count += n;
        n = 0;
    }
    ret = mshv_vp_set_regs(cs, all, count, errp);
    if (ret == 0) {
        page->dirty = 0;
        if (n) {
            ret = mshv_vp_set_regs(cs, regs, n, errp);
        }
    }
    return ret;
}

int mshv_x86_store_regs(CPUState *cs, const struct hv_register_assoc *regs,
                        unsigned n, Error **errp)
{
    g_autofree struct hv_register_assoc *rest = NULL;
    unsigned i, count = 0;

    for (i = 0; i < n; i++) {
        if (!mshv_regpage_set(cs, regs[i].name, &regs[i].value)) {
            if (!rest) {
                rest = g_new(struct hv_register_assoc, n);
            }
            rest[count++] = regs[i];
        }
    }
    return count ? mshv_x86_set_regs(cs, rest, count, errp) : 0;
}

int mshv_x86_get_regs(CPUState *cs, const uint32_t *names,
                      union hv_register_value *values, unsigned n,
                      Error **errp)
{
    g_autofree uint32_t *missing = g_new(uint32_t, n);
    g_autofree unsigned *place = g_new(unsigned, n);
    g_autofree union hv_register_value *read = NULL;
    unsigned i, count = 0;
    int ret;

    for (i = 0; i < n; i++) {
        if (!mshv_regpage_get(cs, names[i], &values[i])) {
            missing[count] = names[i];
            place[count++] = i;
        }
    }
    if (!count) {
        return 0;
    }
    read = g_new(union hv_register_value, count);
    ret = mshv_vp_get_regs(cs, missing, read, count, errp);
    for (i = 0; ret == 0 && i < count; i++) {
        values[place[i]] = read[i];
    }
    return ret;
}

int mshv_x86_finish_elsewhere(CPUState *cs, uint64_t rip, bool set,
                              unsigned reg, uint64_t value, Error **errp)
{
    CPUX86State *env = cpu_env(cs);
    struct hv_register_assoc regs[2] = {
        { .name = HV_X64_REGISTER_RIP, .value.reg64 = rip },
        { .name = HV_X64_REGISTER_RAX + reg, .value.reg64 = value },
    };

    if (cs->vcpu_dirty) {
        env->eip = rip;
        if (set) {
            env->regs[reg] = value;
        }
        return 0;
    }
    return mshv_x86_store_regs(cs, regs, set ? 2 : 1, errp);
}
