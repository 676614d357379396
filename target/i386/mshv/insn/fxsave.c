/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: FXSAVE, FXRSTOR, LDMXCSR, STMXCSR
 */

#include "internal.h"

/* Offsets in the image */
enum { FIP = 8, FDP = 16, MXCSR = 24, MXCSR_MASK = 28, ST = 32, XMM = 160 };

#define EFER_FFXSR      (1u << 14)
#define CHUNK           32

static enum insn_status available(struct insn_ctx *c)
{
    if (c->cpu->cr0 & (INSN_CR0_EM | INSN_CR0_TS)) {
        return insn_raise(c, INSN_VEC_NM);
    }
    return INSN_DONE;
}

/* Up to where the image is copied: what this mode has of XMM registers */
static unsigned image_end(const struct insn_ctx *c)
{
    const struct insn_cpu *cpu = c->cpu;

    if (!(cpu->cr4 & INSN_CR4_OSFXSR) ||
        ((cpu->efer & EFER_FFXSR) && c->mode == 8 && cpu->cpl == 0)) {
        return XMM;
    }
    return XMM + 16 * (c->mode == 8 ? 16 : 8);
}

/* All of the operand, in parts; it must be aligned. */
static enum insn_status resolve(struct insn_ctx *c, bool write, unsigned len,
                                struct insn_mem *m)
{
    enum insn_status st;
    uint64_t gva;
    unsigned i;

    st = insn_linear(c, c->seg, c->ea, INSN_FX_SIZE, write, &gva);
    if (st == INSN_DONE && (gva & 15)) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    for (i = 0; i < len / CHUNK && st == INSN_DONE; i++) {
        uint64_t off = c->ea + i * CHUNK;

        st = insn_resolve(c, c->seg, off & insn_size_mask(c->adsize), CHUNK,
                          write, &m[i]);
    }
    return st;
}

enum insn_status insn_fxsave(struct insn_ctx *c)
{
    struct insn_mem m[INSN_FX_SIZE / CHUNK];
    uint8_t image[INSN_FX_SIZE];
    unsigned end = image_end(c), i;
    enum insn_status st = available(c);
    int ret;

    if (st == INSN_DONE) {
        st = resolve(c, true, end, m);
    }
    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->read_fpu(c->opaque, image);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    if (c->mode == 8 && !c->rex_w) {
        memset(image + FIP + 4, 0, 4);
        memset(image + FDP + 4, 0, 4);
    }
    for (i = 0; i < end / CHUNK && st == INSN_DONE; i++) {
        st = insn_mem_write(c, &m[i], image + i * CHUNK);
    }
    return st;
}

static enum insn_status check_mxcsr(struct insn_ctx *c, const uint8_t *val,
                                    const uint8_t *image)
{
    uint32_t mxcsr, mask;

    memcpy(&mxcsr, val, 4);
    memcpy(&mask, image + MXCSR_MASK, 4);
    return mxcsr & ~mask ? insn_raise_ec0(c, INSN_VEC_GP) : INSN_DONE;
}

enum insn_status insn_fxrstor(struct insn_ctx *c)
{
    uint8_t image[INSN_FX_SIZE], from[INSN_FX_SIZE] = { 0 };
    struct insn_mem m[INSN_FX_SIZE / CHUNK];
    unsigned end = image_end(c), i;
    enum insn_status st = available(c);
    int ret;

    if (st == INSN_DONE) {
        st = resolve(c, false, end, m);
    }
    for (i = 0; i < end / CHUNK && st == INSN_DONE; i++) {
        st = insn_mem_read(c, &m[i], from + i * CHUNK);
    }
    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->read_fpu(c->opaque, image);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    if (c->cpu->cr4 & INSN_CR4_OSFXSR) {
        st = check_mxcsr(c, from + MXCSR, image);
        if (st != INSN_DONE) {
            return st;
        }
        memcpy(image + MXCSR, from + MXCSR, 4);
    }
    memcpy(image, from, MXCSR);
    if (c->mode == 8 && !c->rex_w) {
        memset(image + FIP + 4, 0, 4);
        memset(image + FDP + 4, 0, 4);
    }
    memcpy(image + ST, from + ST, end - ST);
    ret = c->ops->write_fpu(c->opaque, image);
    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

/* With VEX, the registers have been checked. */
static enum insn_status mxcsr_available(struct insn_ctx *c)
{
    if (!c->vex && ((c->cpu->cr0 & INSN_CR0_EM) ||
                    !(c->cpu->cr4 & INSN_CR4_OSFXSR))) {
        return insn_raise(c, INSN_VEC_UD);
    }
    return c->cpu->cr0 & INSN_CR0_TS ? insn_raise(c, INSN_VEC_NM) : INSN_DONE;
}

enum insn_status insn_ldmxcsr(struct insn_ctx *c)
{
    enum insn_status st = mxcsr_available(c);
    uint8_t image[INSN_FX_SIZE];
    uint64_t val;
    int ret;

    if (st == INSN_DONE) {
        st = insn_rm_load(c, 4, &val);
    }
    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->read_fpu(c->opaque, image);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    st = check_mxcsr(c, (uint8_t *)&val, image);
    if (st != INSN_DONE) {
        return st;
    }
    memcpy(image + MXCSR, &val, 4);
    ret = c->ops->write_fpu(c->opaque, image);
    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

enum insn_status insn_stmxcsr(struct insn_ctx *c)
{
    enum insn_status st = mxcsr_available(c);
    uint8_t image[INSN_FX_SIZE];
    uint64_t val = 0;
    int ret;

    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->read_fpu(c->opaque, image);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    memcpy(&val, image + MXCSR, 4);
    return insn_rm_store(c, 4, val);
}
