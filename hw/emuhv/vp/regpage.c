/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: state pages of a VP, that is the register page
 * (struct hv_vp_register_page) and the place of the intercept message.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "mshv-compat/memory.h"
#include "hw/emuhv/vp/vp-int.h"

#define AT(field)   offsetof(struct hv_vp_register_page, field)
/* Up to what only the kernel uses */
#define RP_SIZE     AT(reserved1)

/* What the parent may change: the bit of each in "dirty" */
static const struct {
    uint16_t at;
    uint8_t n, size;
    uint32_t name;
} classes[] = {
    [HV_X64_REGISTER_CLASS_GENERAL] = { AT(rax), 16, 8, HV_X64_REGISTER_RAX },
    [HV_X64_REGISTER_CLASS_IP] = { AT(rip), 1, 8, HV_X64_REGISTER_RIP },
    [HV_X64_REGISTER_CLASS_XMM] = { AT(xmm0), 6, 16, HV_X64_REGISTER_XMM0 },
    [HV_X64_REGISTER_CLASS_SEGMENT] = { AT(es), 6, 16, HV_X64_REGISTER_ES },
    [HV_X64_REGISTER_CLASS_FLAGS] = { AT(rflags), 1, 8,
                                      HV_X64_REGISTER_RFLAGS },
};

/* What it may only read */
static const struct {
    uint16_t at;
    uint32_t name;
} read_only[] = {
    { AT(cr0), HV_X64_REGISTER_CR0 },
    { AT(cr3), HV_X64_REGISTER_CR3 },
    { AT(cr4), HV_X64_REGISTER_CR4 },
    { AT(cr8), HV_X64_REGISTER_CR8 },
    { AT(efer), HV_X64_REGISTER_EFER },
    { AT(dr7), HV_X64_REGISTER_DR7 },
    { AT(pending_interruption), HV_REGISTER_PENDING_INTERRUPTION },
    { AT(interrupt_state), HV_REGISTER_INTERRUPT_STATE },
    { AT(xfem), HV_X64_REGISTER_XFEM },
};

void emuhv_regpage_store(EmuhvVp *vp)
{
    uint8_t p[RP_SIZE] = { };
    EmuhvRegVal v;

    if (vp->s->page[0] == EMUHV_NO_PFN) {
        return;
    }
    stw_le_p(p + AT(version), HV_VP_REGISTER_PAGE_VERSION_1);
    p[AT(isvalid)] = !emuhv_answers(EMUHV_NO_REGISTER_PAGE);
    for (unsigned i = 0; i < 16; i++) {
        stq_le_p(p + AT(rax) + i * 8, emuhv_vp_env(vp)->regs[i]);
    }
    stq_le_p(p + AT(rip), emuhv_vp_env(vp)->eip);
    emuhv_reg_get(vp, HV_X64_REGISTER_RFLAGS, &v);
    stq_le_p(p + AT(rflags), v.u64[0]);
    for (unsigned i = 0; i < 6; i++) {
        emuhv_reg_get(vp, HV_X64_REGISTER_XMM0 + i, &v);
        memcpy(p + AT(xmm0) + i * 16, v.u8, 16);
        emuhv_put_segment(p + AT(es) + i * 16, &emuhv_vp_env(vp)->segs[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(read_only); i++) {
        emuhv_reg_get(vp, read_only[i].name, &v);
        stq_le_p(p + read_only[i].at, v.u64[0]);
    }
    emuhv_ram_write(vp->s->page[0] << 12, p, sizeof(p));
}

static void load_class(EmuhvVp *vp, const uint8_t *page, unsigned class)
{
    const uint8_t *p = page + classes[class].at;
    unsigned size = classes[class].size;
    EmuhvRegVal v = { };

    for (unsigned i = 0; i < classes[class].n; i++) {
        memcpy(v.u8, p + i * size, size);
        emuhv_reg_set(vp, classes[class].name + i, &v);
    }
}

void emuhv_regpage_load(EmuhvVp *vp)
{
    static const uint8_t clean[4];
    uint8_t p[RP_SIZE];
    uint32_t dirty;
    hwaddr at = vp->s->page[0] << 12;

    if (vp->s->page[0] == EMUHV_NO_PFN || !emuhv_ram_read(at, p, 8)) {
        return;
    }
    dirty = ldl_le_p(p + AT(dirty));
    if (!p[AT(isvalid)] || !dirty || !emuhv_ram_read(at, p, sizeof(p))) {
        return;
    }
    emuhv_ram_write(at + AT(dirty), clean, sizeof(clean));
    for (unsigned i = 0; i < ARRAY_SIZE(classes); i++) {
        if (dirty >> i & 1) {
            load_class(vp, p, i);
        }
    }
}

/*
 * Take the interrupts that wait in the page. The parent's kernel adds to them
 * meanwhile, by cmpxchg.
 */
void emuhv_vp_scan_interrupts(EmuhvVp *vp)
{
    union hv_vp_register_page_interrupt_vectors vectors;
    hwaddr at = (vp->s->page[0] << 12) + AT(interrupt_vectors);
    hwaddr len = sizeof(vectors);
    void *host;

    if (vp->s->page[0] == EMUHV_NO_PFN) {
        return;
    }
    host = address_space_map(&address_space_memory, at, &len, true,
                             MEMTXATTRS_UNSPECIFIED);
    if (!host || len < sizeof(vectors)) {
        return;
    }
    vectors.as_uint64 = qatomic_xchg((uint64_t *)host, 0);
    address_space_unmap(&address_space_memory, host, len, true, len);
    for (unsigned i = 0; i < MIN(vectors.vector_count,
                                 ARRAY_SIZE(vectors.vector)); i++) {
        emuhv_apic_raise(vp, vectors.vector[i]);
    }
}

uint16_t emuhv_vp_map_page(EmuhvVp *vp, unsigned type, uint64_t pfn)
{
    static const uint8_t zero[4096];

    if (type > 1) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    /* Linux does not clear it, but reads the interrupt vectors in it. */
    if (pfn != EMUHV_NO_PFN) {
        emuhv_ram_write(pfn << 12, zero, sizeof(zero));
    }
    vp->s->page[type] = pfn;
    if (type == 0 && emuhv_vp_at_rest(vp)) {
        emuhv_regpage_store(vp);
    }
    return HV_STATUS_SUCCESS;
}

uint64_t emuhv_vp_page(EmuhvVp *vp, unsigned type)
{
    return type > 1 ? EMUHV_NO_PFN : vp->s->page[type];
}
