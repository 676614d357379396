/*
 * Extended processor state: x87, SSE, AVX, AVX-512, PKRU, AMX.
 *
 * The hypervisor gives and takes it in the compacted form of XSAVES (SDM vol.
 * 1, 13.4.3); CPUX86State is filled from the standard form of XSAVE (13.4.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/memalign.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "mshv-x86.h"

#define XSAVE_BV                512     /* XSTATE_BV in the header */
#define XSAVE_COMP_BV           520     /* XCOMP_BV */
#define XSAVE_EXTENDED          576     /* first byte after the header */
#define XSAVE_COMPACTED         (1ull << 63)
#define XSAVE_FCW               0
#define XSAVE_MXCSR             24
#define XSAVE_MXCSR_MASK        28
#define XSAVE_ST0               32
#define XSAVE_XMM0              160
#define XSAVE_XMM_END           416
#define FCW_INIT                0x37f
#define XSAVE_ALIGN64           2       /* bit 1 of CPUID 0xD sub-leaf ECX */

void mshv_xsave_init_areas(void)
{
    int i;

    for (i = XSTATE_YMM_BIT; i < XSAVE_STATE_AREA_COUNT; i++) {
        ExtSaveArea *area = &x86_ext_save_areas[i];
        uint32_t size, offset, flags, unused;

        host_cpuid(0xd, i, &size, &offset, &flags, &unused);
        if (area->size && size == area->size) {
            area->offset = offset;
            area->ecx = flags;
        }
    }
}

/* Where a component of the compacted form @comp_bv lies; it must be in it. */
static uint32_t compacted_offset(uint64_t comp_bv, int component)
{
    uint32_t offset = XSAVE_EXTENDED;
    int i;

    for (i = XSTATE_YMM_BIT; i <= component; i++) {
        uint32_t size = 0, unused, flags = 0;

        if (!((comp_bv >> i) & 1)) {
            continue;
        }
        host_cpuid(0xd, i, &size, &unused, &flags, &unused);
        if (flags & XSAVE_ALIGN64) {
            offset = ROUND_UP(offset, 64);
        }
        if (i < component) {
            offset += size;
        }
    }
    return offset;
}

/*
 * Copy the components of @bv: out of the compacted form, or into it if not
 * @expand. What lies outside of a buffer does not exist in it.
 */
static void copy_extended(uint8_t *compacted, uint32_t compacted_size,
                          uint8_t *standard, uint32_t standard_size,
                          uint64_t bv, bool expand)
{
    uint64_t comp_bv = ldq_le_p(compacted + XSAVE_COMP_BV);
    int i;

    for (i = XSTATE_YMM_BIT; i < XSAVE_STATE_AREA_COUNT; i++) {
        const ExtSaveArea *area = &x86_ext_save_areas[i];
        uint32_t packed;

        if (!((comp_bv & bv) >> i & 1) || !area->size || !area->offset) {
            continue;
        }
        packed = compacted_offset(comp_bv, i);
        if (packed + area->size > compacted_size ||
            area->offset + area->size > standard_size) {
            continue;
        }
        if (expand) {
            memcpy(standard + area->offset, compacted + packed, area->size);
        } else {
            memcpy(compacted + packed, standard + area->offset, area->size);
        }
    }
}

/* The standard form may need more room than the compacted one. */
static uint32_t standard_size(MshvX86 *x86)
{
    return MAX(x86->xsave_size, xsave_area_size(~0ull, false));
}

/* Components that are not in XSTATE_BV are in their initial state. */
static void expand(MshvX86 *x86, uint8_t *standard, uint32_t size)
{
    uint8_t *compacted = x86->xsave;
    uint64_t bv = ldq_le_p(compacted + XSAVE_BV);

    stw_le_p(standard + XSAVE_FCW, FCW_INIT);
    if (bv & XSTATE_FP_MASK) {
        memcpy(standard, compacted, XSAVE_MXCSR);
        memcpy(standard + XSAVE_ST0, compacted + XSAVE_ST0,
               XSAVE_XMM0 - XSAVE_ST0);
    }
    if (bv & XSTATE_SSE_MASK) {
        memcpy(standard + XSAVE_XMM0, compacted + XSAVE_XMM0,
               XSAVE_XMM_END - XSAVE_XMM0);
    }
    memcpy(standard + XSAVE_MXCSR, compacted + XSAVE_MXCSR, 8);
    stq_le_p(standard + XSAVE_BV, bv);
    copy_extended(compacted, x86->xsave_size, standard, size, bv, true);
}

static bool any_set(const uint8_t *from, uint32_t len)
{
    return !buffer_is_zero(from, len);
}

/* The components of the standard form that are not in their initial state. */
static uint64_t components_in_use(const uint8_t *standard, uint32_t size)
{
    uint64_t bv = 0;
    int i;

    if (lduw_le_p(standard + XSAVE_FCW) != FCW_INIT ||
        any_set(standard + 2, XSAVE_MXCSR - 2) ||
        any_set(standard + XSAVE_ST0, XSAVE_XMM0 - XSAVE_ST0)) {
        bv |= XSTATE_FP_MASK;
    }
    if (any_set(standard + XSAVE_XMM0, XSAVE_XMM_END - XSAVE_XMM0)) {
        bv |= XSTATE_SSE_MASK;
    }
    for (i = XSTATE_YMM_BIT; i < XSAVE_STATE_AREA_COUNT; i++) {
        const ExtSaveArea *area = &x86_ext_save_areas[i];

        if (area->offset && area->offset + area->size <= size &&
            any_set(standard + area->offset, area->size)) {
            bv |= 1ull << i;
        }
    }
    return bv;
}

/*
 * The environment's state into the buffer, which holds an image of the VP: its
 * layout and MXCSR_MASK are kept.
 */
static void build(CPUState *cs)
{
    MshvX86 *x86 = mshv_x86(cs);
    uint8_t *compacted = x86->xsave;
    uint32_t size = standard_size(x86);
    g_autofree uint8_t *standard = g_malloc0(size);
    uint32_t mxcsr_mask = ldl_le_p(compacted + XSAVE_MXCSR_MASK);
    uint64_t bv;

    x86_cpu_xsave_all_areas(X86_CPU(cs), standard, size);
    bv = ldq_le_p(standard + XSAVE_BV) | components_in_use(standard, size);
    bv &= ldq_le_p(compacted + XSAVE_COMP_BV) & ~XSAVE_COMPACTED;
    memset(compacted + XSAVE_EXTENDED, 0, x86->xsave_size - XSAVE_EXTENDED);
    memcpy(compacted, standard, XSAVE_XMM_END);
    stl_le_p(compacted + XSAVE_MXCSR_MASK, mxcsr_mask);
    stq_le_p(compacted + XSAVE_BV, bv);
    copy_extended(compacted, x86->xsave_size, standard, size, bv, false);
}

static int read_state(CPUState *cs, Error **errp)
{
    const struct hv_vp_register_page *page = mshv_regpage(cs);
    MshvX86 *x86 = mshv_x86(cs);
    uint32_t size = x86->xsave_size;
    int ret;

    /* XMM registers that wait in the register page must be in it. */
    if (page && page->dirty) {
        ret = mshv_x86_set_regs(cs, NULL, 0, errp);
        if (ret < 0) {
            return ret;
        }
    }
    ret = mshv_vp_state(cs, false, MSHV_VP_STATE_XSAVE, x86->xsave, &size,
                        errp);
    if (ret == 0) {
        x86->xsave_len = x86->xsave_size;
    }
    return ret;
}

/* As large as the hypervisor wants it; the kernel answers that with EINVAL. */
int mshv_xsave_alloc(CPUState *cs, Error **errp)
{
    MshvX86 *x86 = mshv_x86(cs);
    uint32_t size = HV_HYP_PAGE_SIZE;
    Error *err = NULL;
    int ret;

    for (;;) {
        uint32_t wanted = size;

        x86->xsave_size = size;
        x86->xsave = qemu_memalign(HV_HYP_PAGE_SIZE, size);
        x86->xsave_read = qemu_memalign(HV_HYP_PAGE_SIZE, size);
        memset(x86->xsave, 0, size);
        ret = mshv_vp_state(cs, false, MSHV_VP_STATE_XSAVE, x86->xsave,
                            &wanted, &err);
        if (ret != -EINVAL || wanted <= size) {
            break;
        }
        error_free(err);
        err = NULL;
        mshv_xsave_free(cs);
        size = ROUND_UP(wanted, HV_HYP_PAGE_SIZE);
    }
    error_propagate(errp, err);
    return ret;
}

void mshv_xsave_free(CPUState *cs)
{
    MshvX86 *x86 = mshv_x86(cs);

    qemu_vfree(x86->xsave);
    qemu_vfree(x86->xsave_read);
    x86->xsave = NULL;
    x86->xsave_read = NULL;
    x86->xsave_len = 0;
}

int mshv_xsave_get(CPUState *cs, Error **errp)
{
    MshvX86 *x86 = mshv_x86(cs);
    uint32_t size = standard_size(x86);
    g_autofree uint8_t *standard = g_malloc0(size);
    int ret = read_state(cs, errp);

    if (ret < 0) {
        return ret;
    }
    expand(x86, standard, size);
    x86_cpu_xrstor_all_areas(X86_CPU(cs), standard, size);
    build(cs);
    memcpy(x86->xsave_read, x86->xsave, x86->xsave_size);
    return 0;
}

int mshv_xsave_put(CPUState *cs, MshvPutLevel level, Error **errp)
{
    MshvX86 *x86 = mshv_x86(cs);
    uint32_t size = x86->xsave_size;
    bool known = x86->xsave_len != 0;
    int ret;

    if (!known) {
        ret = read_state(cs, errp);
        if (ret < 0) {
            return ret;
        }
    }
    build(cs);
    if (level == MSHV_PUT_RUNTIME && known &&
        !memcmp(x86->xsave, x86->xsave_read, x86->xsave_size)) {
        return 0;
    }
    memcpy(x86->xsave_read, x86->xsave, x86->xsave_size);
    return mshv_vp_state(cs, true, MSHV_VP_STATE_XSAVE, x86->xsave, &size,
                         errp);
}
