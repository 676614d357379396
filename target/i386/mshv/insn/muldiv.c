/*
 * x86 instruction emulator: multiply and divide
 *
 * SF, ZF, AF and PF are undefined after a multiplication, all six flags after a
 * division: they stay as they are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

typedef unsigned __int128 u128;
typedef __int128 s128;

static void set_overflow(struct insn_ctx *c, bool overflow)
{
    uint64_t rflags = c->cpu->rflags & ~(uint64_t)(INSN_CF | INSN_OF);

    insn_set_flags(c, overflow ? rflags | INSN_CF | INSN_OF : rflags);
}

/* The double-width accumulator: AX, DX:AX, EDX:EAX, RDX:RAX. */
static u128 wide_get(struct insn_ctx *c)
{
    if (c->opsize == 1) {
        return insn_gpr_get(c, INSN_RAX, 2);
    }
    return (u128)insn_gpr_get(c, INSN_RDX, c->opsize) << (c->opsize * 8) |
           insn_gpr_get(c, INSN_RAX, c->opsize);
}

static void wide_set(struct insn_ctx *c, uint64_t low, uint64_t high)
{
    if (c->opsize == 1) {
        insn_gpr_set(c, INSN_RAX, 2, (low & 0xff) | (high & 0xff) << 8);
    } else {
        insn_gpr_set(c, INSN_RAX, c->opsize, low);
        insn_gpr_set(c, INSN_RDX, c->opsize, high);
    }
}

static s128 sign_extend(uint64_t val, unsigned size)
{
    return (int64_t)insn_sign_extend(val, size);
}

enum insn_status insn_mul(struct insn_ctx *c)
{
    uint64_t src, high;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);
    u128 product;

    if (st == INSN_DONE) {
        product = (u128)insn_gpr_get(c, INSN_RAX, c->opsize) * src;
        high = product >> (c->opsize * 8);
        wide_set(c, product, high);
        set_overflow(c, high);
    }
    return st;
}

enum insn_status insn_imul(struct insn_ctx *c)
{
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);
    s128 product;

    if (st == INSN_DONE) {
        product = sign_extend(insn_gpr_get(c, INSN_RAX, c->opsize),
                              c->opsize) * sign_extend(src, c->opsize);
        wide_set(c, product, product >> (c->opsize * 8));
        set_overflow(c, product != sign_extend(product, c->opsize));
    }
    return st;
}

/* reg = @factor * ModRM operand */
static enum insn_status imul_to_reg(struct insn_ctx *c, uint64_t factor)
{
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);
    s128 product;

    if (st == INSN_DONE) {
        product = sign_extend(factor, c->opsize) * sign_extend(src, c->opsize);
        insn_gpr_set(c, c->reg, c->opsize, product);
        set_overflow(c, product != sign_extend(product, c->opsize));
    }
    return st;
}

enum insn_status insn_imul_reg(struct insn_ctx *c)
{
    return imul_to_reg(c, insn_gpr_get(c, c->reg, c->opsize));
}

enum insn_status insn_imul_imm(struct insn_ctx *c)
{
    return imul_to_reg(c, c->imm);
}

enum insn_status insn_div(struct insn_ctx *c)
{
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);
    u128 dividend = wide_get(c), quotient;

    if (st != INSN_DONE) {
        return st;
    }
    if (!src) {
        return insn_raise(c, INSN_VEC_DE);
    }
    quotient = dividend / src;
    if (quotient > insn_size_mask(c->opsize)) {
        return insn_raise(c, INSN_VEC_DE);
    }
    wide_set(c, quotient, dividend % src);
    return INSN_DONE;
}

/* By magnitudes: the most negative dividend has no positive counterpart. */
enum insn_status insn_idiv(struct insn_ctx *c)
{
    unsigned bits = c->opsize * 8;
    uint64_t src, limit, quotient, remainder;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);
    u128 dividend = wide_get(c), divisor, q;
    bool negative, negative_q;

    if (st != INSN_DONE) {
        return st;
    }
    if (!src) {
        return insn_raise(c, INSN_VEC_DE);
    }
    negative = dividend >> (2 * bits - 1) & 1;
    negative_q = negative != (src >> (bits - 1) & 1);
    if (negative) {
        dividend = -dividend;
        if (bits < 64) {
            dividend &= ((u128)1 << 2 * bits) - 1;
        }
    }
    divisor = src >> (bits - 1) & 1 ? -src & insn_size_mask(c->opsize) : src;
    q = dividend / divisor;
    limit = (1ull << (bits - 1)) - !negative_q;
    if (q > limit) {
        return insn_raise(c, INSN_VEC_DE);
    }
    quotient = negative_q ? -(uint64_t)q : (uint64_t)q;
    remainder = dividend % divisor;
    wide_set(c, quotient, negative ? -remainder : remainder);
    return INSN_DONE;
}
