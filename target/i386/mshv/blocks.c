/*
 * State of a VP that is moved as a block: the pages of the SynIC, which lie
 * over the guest's memory, and the synthetic timers. Nobody in QEMU looks into
 * them, so they are read only to be saved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/memalign.h"
#include "mshv-x86.h"

typedef struct Block {
    const char *text;
    uint8_t type;               /* MSHV_VP_STATE_* */
    uint32_t switched_by;       /* the register whose bit 0 lets it be; or 0 */
} Block;

static const Block blocks[MSHV_BLOCKS] = {
    [MSHV_BLOCK_MESSAGES] = { "the SynIC's message page", MSHV_VP_STATE_SIMP,
                              HV_REGISTER_SIMP },
    [MSHV_BLOCK_EVENTS] = { "the SynIC's event page", MSHV_VP_STATE_SIEFP,
                            HV_REGISTER_SIEFP },
    [MSHV_BLOCK_TIMERS] = { "the synthetic timers",
                            MSHV_VP_STATE_SYNTHETIC_TIMERS,
                            HV_REGISTER_STIMER0_CONFIG },
};

/* A partition need not have the SynIC or the timers at all. */
static bool is_there(CPUState *cs, const Block *block)
{
    union hv_register_value value;

    return mshv_vp_get_regs(cs, &block->switched_by, &value, 1, NULL) == 0 &&
           (block->type == MSHV_VP_STATE_SYNTHETIC_TIMERS ||
            (value.reg64 & 1));
}

static int move(CPUState *cs, unsigned i, bool set, void *buf, Error **errp)
{
    uint32_t size = HV_HYP_PAGE_SIZE;
    int ret = mshv_vp_state(cs, set, blocks[i].type, buf, &size, errp);

    if (ret < 0) {
        error_prepend(errp, "cannot %s %s: ", set ? "write" : "read",
                      blocks[i].text);
    }
    return ret;
}

int mshv_blocks_get(CPUState *cs, Error **errp)
{
    MshvX86 *x86 = mshv_x86(cs);
    unsigned i;
    int ret = 0;

    for (i = 0; i < MSHV_BLOCKS && ret == 0; i++) {
        x86->block_valid[i] = is_there(cs, &blocks[i]);
        if (x86->block_valid[i]) {
            ret = move(cs, i, false, x86->block[i], errp);
        }
    }
    return ret;
}

int mshv_blocks_put(CPUState *cs, Error **errp)
{
    MshvX86 *x86 = mshv_x86(cs);
    unsigned i;
    int ret = 0;

    for (i = 0; i < MSHV_BLOCKS && ret == 0; i++) {
        if (x86->block_valid[i]) {
            ret = move(cs, i, true, x86->block[i], errp);
        }
        x86->block_valid[i] = false;
    }
    return ret;
}

void mshv_blocks_clear(CPUState *cs)
{
    static const uint32_t names[] = { HV_REGISTER_SIMP, HV_REGISTER_SIEFP };
    static uint8_t QEMU_ALIGNED(HV_HYP_PAGE_SIZE) zeros[HV_HYP_PAGE_SIZE];
    union hv_register_value value[ARRAY_SIZE(names)];
    unsigned i;

    if (mshv_vp_get_regs(cs, names, value, ARRAY_SIZE(names), NULL) < 0) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(names); i++) {
        if (value[i].reg64 & 1) {
            /* At worst the next guest finds an old message. */
            move(cs, i, true, zeros, NULL);
        }
    }
}

void mshv_blocks_alloc(MshvX86 *x86)
{
    unsigned i;

    for (i = 0; i < MSHV_BLOCKS; i++) {
        x86->block[i] = qemu_memalign(HV_HYP_PAGE_SIZE, HV_HYP_PAGE_SIZE);
        memset(x86->block[i], 0, HV_HYP_PAGE_SIZE);
    }
}

void mshv_blocks_free(MshvX86 *x86)
{
    unsigned i;

    for (i = 0; i < MSHV_BLOCKS; i++) {
        qemu_vfree(x86->block[i]);
    }
}
