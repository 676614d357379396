/*
 * x86 instruction emulator: shifts and rotates
 *
 * Undefined flags (OF for counts other than 1, CF for counts above the
 * operand's size, AF) are given some value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

static uint64_t put(uint64_t rflags, uint64_t flag, bool val)
{
    return val ? rflags | flag : rflags & ~flag;
}

static bool bit(uint64_t val, unsigned n)
{
    return n < 64 && (val >> n & 1);
}

static unsigned mask_count(uint64_t count, unsigned size)
{
    return count & (size == 8 ? 63 : 31);
}

static uint64_t rol(uint64_t dst, uint64_t count, unsigned size,
                    uint64_t *rflags)
{
    unsigned bits = size * 8, masked = mask_count(count, size);
    unsigned n = masked % bits;
    uint64_t res = n ? dst << n | dst >> (bits - n) : dst;

    if (masked) {
        *rflags = put(*rflags, INSN_CF, res & 1);
        *rflags = put(*rflags, INSN_OF, bit(res, bits - 1) != (res & 1));
    }
    return res;
}

static uint64_t ror(uint64_t dst, uint64_t count, unsigned size,
                    uint64_t *rflags)
{
    unsigned bits = size * 8, masked = mask_count(count, size);
    unsigned n = masked % bits;
    uint64_t res = n ? dst >> n | dst << (bits - n) : dst;

    if (masked) {
        bool top = bit(res, bits - 1);

        *rflags = put(*rflags, INSN_CF, top);
        *rflags = put(*rflags, INSN_OF, top != bit(res, bits - 2));
    }
    return res;
}

/* Rotate through CF, one bit at a time: counts are below 64. */
static uint64_t rcl(uint64_t dst, uint64_t count, unsigned size,
                    uint64_t *rflags)
{
    unsigned bits = size * 8, n = mask_count(count, size) % (bits + 1);
    bool cf = *rflags & INSN_CF;

    if (!n) {
        return dst;
    }
    while (n--) {
        bool out = bit(dst, bits - 1);

        dst = dst << 1 | cf;
        cf = out;
    }
    *rflags = put(*rflags, INSN_CF, cf);
    *rflags = put(*rflags, INSN_OF, bit(dst, bits - 1) != cf);
    return dst;
}

static uint64_t rcr(uint64_t dst, uint64_t count, unsigned size,
                    uint64_t *rflags)
{
    unsigned bits = size * 8, n = mask_count(count, size) % (bits + 1);
    bool cf = *rflags & INSN_CF;

    if (!n) {
        return dst;
    }
    while (n--) {
        bool out = dst & 1;

        dst = dst >> 1 | (uint64_t)cf << (bits - 1);
        cf = out;
    }
    *rflags = put(*rflags, INSN_CF, cf);
    *rflags = put(*rflags, INSN_OF, bit(dst, bits - 1) != bit(dst, bits - 2));
    return dst;
}

static uint64_t shl(uint64_t dst, uint64_t count, unsigned size,
                    uint64_t *rflags)
{
    unsigned bits = size * 8, n = mask_count(count, size);
    uint64_t res;

    if (!n) {
        return dst;
    }
    res = dst << n & insn_size_mask(size);
    *rflags = put(*rflags, INSN_CF, n <= bits && bit(dst, bits - n));
    *rflags = put(*rflags, INSN_OF,
                  bit(res, bits - 1) != !!(*rflags & INSN_CF));
    *rflags = insn_flags_szp(res, size, *rflags);
    return res;
}

static uint64_t shr(uint64_t dst, uint64_t count, unsigned size,
                    uint64_t *rflags)
{
    unsigned n = mask_count(count, size);
    uint64_t res;

    if (!n) {
        return dst;
    }
    res = dst >> n;
    *rflags = put(*rflags, INSN_CF, bit(dst, n - 1));
    *rflags = put(*rflags, INSN_OF, bit(dst, size * 8 - 1));
    *rflags = insn_flags_szp(res, size, *rflags);
    return res;
}

static uint64_t sar(uint64_t dst, uint64_t count, unsigned size,
                    uint64_t *rflags)
{
    int64_t wide = insn_sign_extend(dst, size);
    unsigned n = mask_count(count, size);
    uint64_t res;

    if (!n) {
        return dst;
    }
    res = wide >> n & insn_size_mask(size);
    *rflags = put(*rflags, INSN_CF, wide >> (n - 1) & 1);
    *rflags = put(*rflags, INSN_OF, false);
    *rflags = insn_flags_szp(res, size, *rflags);
    return res;
}

/* By ModRM.reg; 6 is an alias of SHL. */
static insn_alu_fn *const shift[8] = {
    rol, ror, rcl, rcr, shl, shr, shl, sar,
};

static enum insn_status do_shift(struct insn_ctx *c, uint64_t count)
{
    return insn_rm_modify(c, c->opsize, shift[c->reg & 7], count, NULL);
}

enum insn_status insn_shift_imm(struct insn_ctx *c)
{
    return do_shift(c, c->imm);
}

enum insn_status insn_shift_one(struct insn_ctx *c)
{
    return do_shift(c, 1);
}

enum insn_status insn_shift_cl(struct insn_ctx *c)
{
    return do_shift(c, c->cpu->gpr[INSN_RCX] & 0xff);
}

/*
 * @dst shifted by @n, with bits of @src moving in.  More than 16 with 16-bit
 * operands is undefined; it gives zeroes here.
 */
static uint64_t shift_pair(uint64_t dst, uint64_t src, unsigned n,
                           unsigned size, bool left, uint64_t *rflags)
{
    unsigned bits = size * 8;
    unsigned __int128 wide;
    uint64_t res;
    bool cf;

    if (!n) {
        return dst;
    }
    if (left) {
        wide = (unsigned __int128)dst << bits | src;
        res = wide << n >> bits;
        cf = wide >> (2 * bits - n) & 1;
    } else {
        wide = (unsigned __int128)src << bits | dst;
        res = wide >> n;
        cf = wide >> (n - 1) & 1;
    }
    res &= insn_size_mask(size);
    *rflags = put(*rflags, INSN_CF, cf);
    *rflags = put(*rflags, INSN_OF, bit(res ^ dst, bits - 1));
    *rflags = insn_flags_szp(res, size, *rflags);
    return res;
}

/* These have three operands, too many for insn_rm_modify, and no LOCK. */
static enum insn_status double_shift(struct insn_ctx *c, uint64_t count,
                                     bool left)
{
    unsigned size = c->opsize;
    uint64_t src = insn_reg_get(c, c->reg, size), dst = 0;
    uint64_t rflags = c->cpu->rflags;
    struct insn_mem m;
    enum insn_status st = INSN_DONE;

    if (c->mem) {
        st = insn_resolve_ea(c, size, true, &m);
        if (st == INSN_DONE) {
            st = insn_mem_read(c, &m, &dst);
        }
        if (st != INSN_DONE) {
            return st;
        }
    } else {
        dst = insn_reg_get(c, c->rm, size);
    }
    dst = shift_pair(dst, src, mask_count(count, size), size, left, &rflags);
    if (c->mem) {
        st = insn_mem_write(c, &m, &dst);
    } else {
        insn_reg_set(c, c->rm, size, dst);
    }
    if (st == INSN_DONE) {
        insn_set_flags(c, rflags);
    }
    return st;
}

enum insn_status insn_shld_imm(struct insn_ctx *c)
{
    return double_shift(c, c->imm, true);
}

enum insn_status insn_shld_cl(struct insn_ctx *c)
{
    return double_shift(c, c->cpu->gpr[INSN_RCX], true);
}

enum insn_status insn_shrd_imm(struct insn_ctx *c)
{
    return double_shift(c, c->imm, false);
}

enum insn_status insn_shrd_cl(struct insn_ctx *c)
{
    return double_shift(c, c->cpu->gpr[INSN_RCX], false);
}
