/*
 * x86 instruction emulator: bit test, bit scan, POPCNT, CRC32
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

/* .arg, and ModRM.reg of the immediate form less 4 */
enum { BT, BTS, BTR, BTC };

static uint64_t set_carry(uint64_t rflags, bool cf)
{
    return cf ? rflags | INSN_CF : rflags & ~(uint64_t)INSN_CF;
}

/* @src is the number of the bit, below the operand's size. */
static uint64_t bts(uint64_t dst, uint64_t src, unsigned size,
                    uint64_t *rflags)
{
    (void)size;
    *rflags = set_carry(*rflags, dst >> src & 1);
    return dst | 1ull << src;
}

static uint64_t btr(uint64_t dst, uint64_t src, unsigned size,
                    uint64_t *rflags)
{
    (void)size;
    *rflags = set_carry(*rflags, dst >> src & 1);
    return dst & ~(1ull << src);
}

static uint64_t btc(uint64_t dst, uint64_t src, unsigned size,
                    uint64_t *rflags)
{
    (void)size;
    *rflags = set_carry(*rflags, dst >> src & 1);
    return dst ^ 1ull << src;
}

static enum insn_status bit_test(struct insn_ctx *c, uint64_t number)
{
    static insn_alu_fn *const modify[4] = { NULL, bts, btr, btc };
    uint64_t dst;
    enum insn_status st;

    number &= c->opsize * 8 - 1;
    if (c->op->arg != BT) {
        return insn_rm_modify(c, c->opsize, modify[c->op->arg], number, NULL);
    }
    st = insn_rm_load(c, c->opsize, &dst);
    if (st == INSN_DONE) {
        insn_set_flags(c, set_carry(c->cpu->rflags, dst >> number & 1));
    }
    return st;
}

/* A register's bit number is signed, and reaches beyond a memory operand. */
enum insn_status insn_bt_reg(struct insn_ctx *c)
{
    uint64_t number = insn_reg_get(c, c->reg, c->opsize);

    if (c->mem) {
        int64_t wide = insn_sign_extend(number, c->opsize);

        unsigned shift = c->opsize == 8 ? 6 : c->opsize == 4 ? 5 : 4;

        c->ea += (uint64_t)(wide >> shift) * c->opsize;
        c->ea &= insn_size_mask(c->adsize);
    }
    return bit_test(c, number);
}

enum insn_status insn_bt_imm(struct insn_ctx *c)
{
    return bit_test(c, c->imm);
}

static uint64_t put_zero(uint64_t rflags, bool zf)
{
    return zf ? rflags | INSN_ZF : rflags & ~(uint64_t)INSN_ZF;
}

/*
 * BSF, BSR (.arg), and with F3 TZCNT, LZCNT.  A scan of zero leaves the
 * destination of BSF and BSR as it is (AMD says so, Intel does so).
 */
enum insn_status insn_bitscan(struct insn_ctx *c)
{
    bool reverse = c->op->arg, count = c->pp == PP_F3;
    unsigned bits = c->opsize * 8;
    uint64_t src, val, rflags = c->cpu->rflags;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);

    if (st != INSN_DONE) {
        return st;
    }
    if (!src) {
        val = bits;
    } else if (reverse) {
        val = 63 - __builtin_clzll(src);
        val = count ? bits - 1 - val : val;
    } else {
        val = __builtin_ctzll(src);
    }
    if (count) {
        rflags = put_zero(set_carry(rflags, !src), !val);
    } else {
        rflags = put_zero(rflags, !src);
    }
    if (src || count) {
        insn_gpr_set(c, c->reg, c->opsize, val);
    }
    insn_set_flags(c, rflags);
    return INSN_DONE;
}

enum insn_status insn_popcnt(struct insn_ctx *c)
{
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);

    if (st == INSN_DONE) {
        insn_gpr_set(c, c->reg, c->opsize, __builtin_popcountll(src));
        insn_set_flags(c, put_zero(c->cpu->rflags &
                                   ~(uint64_t)INSN_ARITH_FLAGS, !src));
    }
    return st;
}

/* CRC-32C (polynomial 0x11EDC6F41, reflected) of the operand's bytes. */
enum insn_status insn_crc32(struct insn_ctx *c)
{
    uint32_t crc = c->cpu->gpr[c->reg];
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);
    unsigned i, j;

    if (st != INSN_DONE) {
        return st;
    }
    for (i = 0; i < c->opsize; i++) {
        crc ^= src >> (i * 8) & 0xff;
        for (j = 0; j < 8; j++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    insn_gpr_set(c, c->reg, 8, crc);
    return INSN_DONE;
}
