/*
 * x86 instruction emulator: flags, conditions and the eight basic operations
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

uint64_t insn_sign_extend(uint64_t val, unsigned size)
{
    unsigned shift = 64 - size * 8;

    return (uint64_t)((int64_t)(val << shift) >> shift);
}

static bool top_bit(uint64_t val, unsigned size)
{
    return val >> (size * 8 - 1) & 1;
}

/* SF, ZF and PF of @res. */
uint64_t insn_flags_szp(uint64_t res, unsigned size, uint64_t rflags)
{
    res &= insn_size_mask(size);
    rflags &= ~(uint64_t)(INSN_SF | INSN_ZF | INSN_PF);
    if (top_bit(res, size)) {
        rflags |= INSN_SF;
    }
    if (res == 0) {
        rflags |= INSN_ZF;
    }
    if (!__builtin_parity(res & 0xff)) {
        rflags |= INSN_PF;
    }
    return rflags;
}

/* CF and OF clear; AF, which is undefined, clear as on every processor. */
uint64_t insn_flags_logic(uint64_t res, unsigned size, uint64_t rflags)
{
    rflags &= ~(uint64_t)(INSN_CF | INSN_OF | INSN_AF);
    return insn_flags_szp(res, size, rflags);
}

/*
 * All six flags from a result and the carries (or borrows) out of each bit;
 * @overflow has OF as its top bit.
 */
static uint64_t flags_carry(uint64_t res, uint64_t carries, uint64_t overflow,
                            unsigned size, uint64_t rflags)
{
    rflags &= ~(uint64_t)INSN_ARITH_FLAGS;
    if (top_bit(carries, size)) {
        rflags |= INSN_CF;
    }
    if (carries & 8) {
        rflags |= INSN_AF;
    }
    if (top_bit(overflow, size)) {
        rflags |= INSN_OF;
    }
    return insn_flags_szp(res, size, rflags);
}

static uint64_t add_carry(uint64_t dst, uint64_t src, unsigned carry,
                          unsigned size, uint64_t *rflags)
{
    uint64_t res = dst + src + carry;

    *rflags = flags_carry(res, (dst & src) | ((dst | src) & ~res),
                          (dst ^ res) & (src ^ res), size, *rflags);
    return res;
}

static uint64_t sub_borrow(uint64_t dst, uint64_t src, unsigned borrow,
                           unsigned size, uint64_t *rflags)
{
    uint64_t res = dst - src - borrow;

    *rflags = flags_carry(res, (~dst & src) | ((~dst | src) & res),
                          (dst ^ src) & (dst ^ res), size, *rflags);
    return res;
}

uint64_t insn_alu_add(uint64_t dst, uint64_t src, unsigned size,
                      uint64_t *rflags)
{
    return add_carry(dst, src, 0, size, rflags);
}

uint64_t insn_alu_adc(uint64_t dst, uint64_t src, unsigned size,
                      uint64_t *rflags)
{
    return add_carry(dst, src, *rflags & INSN_CF, size, rflags);
}

uint64_t insn_alu_sub(uint64_t dst, uint64_t src, unsigned size,
                      uint64_t *rflags)
{
    return sub_borrow(dst, src, 0, size, rflags);
}

uint64_t insn_alu_sbb(uint64_t dst, uint64_t src, unsigned size,
                      uint64_t *rflags)
{
    return sub_borrow(dst, src, *rflags & INSN_CF, size, rflags);
}

uint64_t insn_alu_or(uint64_t dst, uint64_t src, unsigned size,
                     uint64_t *rflags)
{
    *rflags = insn_flags_logic(dst | src, size, *rflags);
    return dst | src;
}

uint64_t insn_alu_and(uint64_t dst, uint64_t src, unsigned size,
                      uint64_t *rflags)
{
    *rflags = insn_flags_logic(dst & src, size, *rflags);
    return dst & src;
}

uint64_t insn_alu_xor(uint64_t dst, uint64_t src, unsigned size,
                      uint64_t *rflags)
{
    *rflags = insn_flags_logic(dst ^ src, size, *rflags);
    return dst ^ src;
}

/* Condition @cc: the low four bits of Jcc, SETcc and CMOVcc. */
bool insn_condition(uint64_t rflags, unsigned cc)
{
    bool sf = rflags & INSN_SF, of = rflags & INSN_OF;
    bool zf = rflags & INSN_ZF, cf = rflags & INSN_CF;
    bool val = false;

    switch (cc >> 1 & 7) {
    case 0:
        val = of;
        break;
    case 1:
        val = cf;
        break;
    case 2:
        val = zf;
        break;
    case 3:
        val = cf || zf;
        break;
    case 4:
        val = sf;
        break;
    case 5:
        val = rflags & INSN_PF;
        break;
    case 6:
        val = sf != of;
        break;
    case 7:
        val = zf || sf != of;
        break;
    }
    return val != (cc & 1);
}
