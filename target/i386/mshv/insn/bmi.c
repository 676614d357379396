/*
 * x86 instruction emulator: BMI1 and BMI2
 *
 * Destination registers may be ModRM.reg or VEX.vvvv; AF and PF, undefined
 * after most of these, stay as they are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

static unsigned vvvv(const struct insn_ctx *c)
{
    return c->mode == 8 ? c->vvvv : c->vvvv & 7;
}

/* SF and ZF of @res, OF clear, and @cf. */
static void set_flags(struct insn_ctx *c, uint64_t res, bool cf)
{
    uint64_t keep = c->cpu->rflags & (INSN_PF | INSN_AF);
    uint64_t rflags = insn_flags_logic(res, c->opsize, c->cpu->rflags);

    rflags &= ~(uint64_t)(INSN_PF | INSN_AF);
    insn_set_flags(c, rflags | keep | (cf ? INSN_CF : 0));
}

enum insn_status insn_andn(struct insn_ctx *c)
{
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);

    if (st == INSN_DONE) {
        src &= ~insn_gpr_get(c, vvvv(c), c->opsize);
        insn_gpr_set(c, c->reg, c->opsize, src);
        set_flags(c, src, false);
    }
    return st;
}

/* ModRM.reg 1: BLSR, 2: BLSMSK, 3: BLSI */
enum insn_status insn_bls(struct insn_ctx *c)
{
    uint64_t src, res = 0;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);
    bool cf = false;

    if (st != INSN_DONE) {
        return st;
    }
    switch (c->reg & 7) {
    case 1:
        res = src & (src - 1);
        cf = !src;
        break;
    case 2:
        res = src ^ (src - 1);
        cf = !src;
        break;
    case 3:
        res = src & -src;
        cf = src;
        break;
    }
    res &= insn_size_mask(c->opsize);
    insn_gpr_set(c, vvvv(c), c->opsize, res);
    set_flags(c, res, cf);
    return INSN_DONE;
}

enum insn_status insn_bzhi(struct insn_ctx *c)
{
    unsigned bits = c->opsize * 8, n = c->cpu->gpr[vvvv(c)] & 0xff;
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);

    if (st == INSN_DONE) {
        if (n < bits) {
            src &= (1ull << n) - 1;
        }
        insn_gpr_set(c, c->reg, c->opsize, src);
        set_flags(c, src, n >= bits);
    }
    return st;
}

enum insn_status insn_bextr(struct insn_ctx *c)
{
    unsigned start = c->cpu->gpr[vvvv(c)] & 0xff;
    unsigned len = c->cpu->gpr[vvvv(c)] >> 8 & 0xff;
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);

    if (st == INSN_DONE) {
        src = start < 64 ? src >> start : 0;
        if (len < 64) {
            src &= (1ull << len) - 1;
        }
        insn_gpr_set(c, c->reg, c->opsize, src);
        set_flags(c, src, false);
    }
    return st;
}

enum insn_status insn_pdep(struct insn_ctx *c)
{
    uint64_t src = insn_gpr_get(c, vvvv(c), c->opsize), mask, res = 0;
    enum insn_status st = insn_rm_load(c, c->opsize, &mask);

    if (st == INSN_DONE) {
        for (; mask; mask &= mask - 1, src >>= 1) {
            res |= src & 1 ? mask & -mask : 0;
        }
        insn_gpr_set(c, c->reg, c->opsize, res);
    }
    return st;
}

enum insn_status insn_pext(struct insn_ctx *c)
{
    uint64_t src = insn_gpr_get(c, vvvv(c), c->opsize), mask, res = 0;
    enum insn_status st = insn_rm_load(c, c->opsize, &mask);
    unsigned n;

    if (st == INSN_DONE) {
        for (n = 0; mask; mask &= mask - 1, n++) {
            res |= src & mask & -mask ? 1ull << n : 0;
        }
        insn_gpr_set(c, c->reg, c->opsize, res);
    }
    return st;
}

/* High half to ModRM.reg, low half to vvvv: the high one wins if they agree. */
enum insn_status insn_mulx(struct insn_ctx *c)
{
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);
    unsigned __int128 product;

    if (st == INSN_DONE) {
        product = (unsigned __int128)src *
                  insn_gpr_get(c, INSN_RDX, c->opsize);
        insn_gpr_set(c, vvvv(c), c->opsize, product);
        insn_gpr_set(c, c->reg, c->opsize, product >> (c->opsize * 8));
    }
    return st;
}

/* SHLX (66), SARX (F3), SHRX (F2) */
enum insn_status insn_shiftx(struct insn_ctx *c)
{
    unsigned n = c->cpu->gpr[vvvv(c)] & (c->opsize * 8 - 1);
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);

    if (st != INSN_DONE) {
        return st;
    }
    if (c->pp == PP_66) {
        src <<= n;
    } else if (c->pp == PP_F2) {
        src >>= n;
    } else {
        src = (int64_t)insn_sign_extend(src, c->opsize) >> n;
    }
    insn_gpr_set(c, c->reg, c->opsize, src);
    return INSN_DONE;
}

enum insn_status insn_rorx(struct insn_ctx *c)
{
    unsigned bits = c->opsize * 8, n = c->imm & (bits - 1);
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);

    if (st == INSN_DONE) {
        insn_gpr_set(c, c->reg, c->opsize,
                     n ? src >> n | src << (bits - n) : src);
    }
    return st;
}
