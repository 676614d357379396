/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Make a random instruction of an encoding, and registers and memory to match
 */

#include <string.h>

#include "machine.h"
#include "trial.h"

static void emit(struct trial *t, uint64_t val, unsigned n)
{
    memcpy(t->bytes + t->n, &val, n);
    t->n += n;
}

static uint64_t interesting(void)
{
    static const uint64_t val[] = {
        0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
        0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
        0xffffffffffffffff, 0x8080808080808080,
    };

    return rnd() & 1 ? rnd() : val[rnd() % 16];
}

static void put16(uint8_t *at, uint16_t val)
{
    memcpy(at, &val, 2);
}

/* As MMX instructions need it, or anything that the x87 may be in */
static void random_fpu(struct trial *t)
{
    static const uint16_t exponents[] = {
        0, 1, 0x3f80, 0x3fff, 0x4000, 0x403d, 0x43fe, 0x7ffe, 0x7fff, 0xffff,
    };
    bool x87 = t->e->flags & E_X87;
    uint8_t *fx = t->in.fx;
    unsigned i;

    put16(fx, 0x37f);
    put16(fx + 24, 0x1f80);
    fx[4] = 0xff;               /* all registers in use */
    if (x87) {
        /* Rounding and precision; sometimes an exception is not masked. */
        put16(fx, 0x7f | (rnd() & 0xf00));
        if (rnd() % 4 == 0) {
            fx[0] &= ~(1u << rnd() % 6);
        }
        put16(fx + 2, (rnd() & 0x7f00) | (rnd() & 0x7f & fx[0]));
        fx[4] = rnd() | rnd() | rnd();
    }
    for (i = 0; i < 8; i++) {
        uint64_t mantissa = rnd() | (x87 ? 1ull << 63 : 0);
        uint16_t exponent = 0xffff;

        if (x87) {
            exponent = rnd() & 1 ? rnd() : exponents[rnd() % 10];
            mantissa = rnd() % 4 ? mantissa : interesting();
        }
        memcpy(fx + 32 + 16 * i, &mantissa, 8);
        put16(fx + 40 + 16 * i, exponent);
    }
}

static void random_state(struct trial *t)
{
    bool similar = t->e->flags & E_STRING;
    unsigned i;

    for (i = 0; i < 16; i++) {
        t->in.gpr[i] = interesting();
    }
    /* Some hypervisors refuse to return to a stack pointer of no use. */
    t->in.gpr[INSN_RSP] = rnd() & 0x7fffffffffff;
    for (i = 0; i < sizeof(t->in.vec); i++) {
        ((uint8_t *)t->in.vec)[i] = rnd() >> 32;
    }
    for (i = 0; i < 8; i++) {
        t->in.opmask[i] = rnd();
    }
    random_fpu(t);
    t->in.rip = NATIVE_CODE;
    t->in.rflags = (rnd() & 0x8d5) | 0x202;
    for (i = 0; i < NATIVE_DATA_LEN; i += 8) {
        uint64_t v = similar ? (rnd() % 8 ? 0 : 1) : interesting();

        memcpy(t->data + i, &v, 8);
    }
}

/* An address in the data: sometimes across a page, seldom beyond the end. */
static uint64_t pick_target(struct trial *t)
{
    unsigned align = t->e->align == 1 ? (t->vl ? t->vl : 16) : t->e->align;
    uint64_t off = 0x1000 + rnd() % 0x1800;
    unsigned how = rnd() % 16;

    if (t->vex && t->e->align == 16 && !(t->e->flags & E_W1)) {
        align = 0;              /* VEX has no such rule */
    }
    if (how < 2) {
        off = 0x2000 - rnd() % 16;
    } else if (how == 2) {
        off = NATIVE_DATA_LEN - rnd() % 8;
    }
    if (align && how != 3) {
        off &= ~(uint64_t)(align - 1);
    }
    return NATIVE_DATA + off;
}

/* Zeroing, which is for loads alone, needs a mask other than that of all. */
static void emit_evex(struct trial *t, unsigned rex, bool w)
{
    bool load = t->e->op == 0x10 || t->e->op == 0x28 || t->e->op == 0x6f;
    unsigned aaa = rnd() % 8, z = load && aaa && (rnd() & 1);

    emit(t, 0x62, 1);
    emit(t, (~rex & 7) << 5 | 0x10 | t->e->map, 1);
    emit(t, w << 7 | 0x7c | t->e->pp, 1);
    emit(t, z << 7 | (t->vl == 32) << 5 | 8 | aaa, 1);
}

/* Prefixes, VEX and opcode; ModRM's registers are @reg, @index and @rm. */
static void emit_opcode(struct trial *t, unsigned reg, unsigned index,
                        unsigned rm, bool addr32)
{
    static const uint8_t prefix[4] = { 0, 0x66, 0xf3, 0xf2 };
    const struct encoding *e = t->e;
    bool w = t->opsize == 8 || (e->flags & E_W1);
    unsigned rex = 0x40 | w << 3 | reg >> 3 << 2 | index >> 3 << 1 | rm >> 3;
    unsigned op = e->op + (e->flags & E_CC ? rnd() % 16 : 0);

    if (addr32) {
        t->addr32 = true;
        emit(t, 0x67, 1);
    }
    if (t->evex) {
        emit_evex(t, rex, w);
        emit(t, op, 1);
        return;
    }
    if (t->vex) {
        unsigned vvvv = e->flags & E_NDS ? rnd() % 16 : 0;
        unsigned last = w << 7 | (vvvv ^ 15) << 3 | (t->vl == 32) << 2 | e->pp;

        if (e->map == 1 && !w && !(rex & 3) && (rnd() & 1)) {
            emit(t, 0xc5, 1);
            emit(t, (last & 0x7f) | (reg & 8 ? 0 : 0x80), 1);
        } else {
            emit(t, 0xc4, 1);
            emit(t, ((~rex & 7) << 5) | e->map, 1);
            emit(t, last, 1);
        }
        emit(t, op, 1);
        return;
    }
    if (t->opsize == 2 && (e->flags & E_66)) {
        emit(t, 0x66, 1);
    }
    if (t->locked) {
        emit(t, 0xf0, 1);
    }
    if (e->pp) {
        emit(t, prefix[e->pp], 1);
    }
    if ((e->flags & E_STRING) && e->op != 0xd7) {
        static const uint8_t rep[3] = { 0xf3, 0xf2, 0 };
        uint8_t r = rep[rnd() % 3];

        if (r) {
            emit(t, r, 1);
        }
    }
    if (rex != 0x40 || (rnd() & 3) == 0) {
        emit(t, rex, 1);
    }
    if (e->map) {
        emit(t, 0x0f, 1);
        if (e->map > 1) {
            emit(t, e->map == 2 ? 0x38 : 0x3a, 1);
        }
    }
    emit(t, op, 1);
}

static unsigned imm_size(const struct trial *t)
{
    return t->e->imm == 4 && t->opsize == 2 ? 2 : t->e->imm;
}

/* The five forms of a memory operand */
enum { BASE_DISP8, SIB_DISP32, RIP_RELATIVE, ABSOLUTE, ADDR32 };

/* ModRM, SIB and displacement */
static void emit_mem(struct trial *t, unsigned form, unsigned reg,
                     unsigned base, unsigned index, unsigned scale,
                     int64_t disp)
{
    reg = (reg & 7) << 3;
    base &= 7;
    switch (form) {
    case BASE_DISP8:
    case ADDR32:
        emit(t, (form == ADDR32 ? 0x80 : 0x40) | reg | base, 1);
        if (base == 4) {
            emit(t, 0x24, 1);
        }
        emit(t, disp, form == ADDR32 ? 4 : 1);
        break;
    case SIB_DISP32:
        emit(t, 0x84 | reg, 1);
        emit(t, scale << 6 | (index & 7) << 3 | base, 1);
        emit(t, disp, 4);
        break;
    case RIP_RELATIVE:
        emit(t, 0x05 | reg, 1);
        emit(t, t->target - (NATIVE_CODE + t->n + 4 + imm_size(t)), 4);
        break;
    case ABSOLUTE:
        emit(t, 0x04 | reg, 1);
        emit(t, 0x25, 1);
        emit(t, t->target, 4);
        break;
    }
}

/* A memory operand at t->target, with registers to match */
static void build_mem(struct trial *t)
{
    unsigned form = rnd() % 5, scale = rnd() % 4;
    unsigned reg = t->e->reg >= 0 ? (unsigned)t->e->reg : rnd() % 16;
    unsigned base = rnd() % 16, index;
    bool stack = t->e->flags & E_STACK;
    int64_t disp = (int8_t)rnd();
    uint64_t *gpr = t->in.gpr;

    while (t->e->reg < 0 && (t->e->flags & (E_BTREG | E_DEST)) &&
           (reg == base || reg == 4)) {
        reg = rnd() % 16;
    }
    while (stack && base == 4) {
        base = rnd() % 16;
    }
    do {
        index = rnd() % 16;
    } while (index == 4 || index == base || index == reg);
    if (t->e->flags & E_BTREG) {
        gpr[reg] = (int64_t)(rnd() % 0x8000) - 0x4000;
    } else if (t->e->flags & E_DEST) {
        gpr[reg] = NATIVE_DATA + 0x800 + (rnd() % 8 ? 64 * (rnd() % 32) : 8);
    }
    if (form == SIB_DISP32) {
        disp = (int32_t)rnd() >> 4;
        gpr[index] = (int32_t)rnd() >> 4;
        gpr[base] = t->target - disp - (gpr[index] << scale);
    } else if (form == BASE_DISP8) {
        gpr[base] = t->target - disp * (t->evex ? t->vl : 1);
    } else if (form == ADDR32) {
        disp = 0;
        gpr[base] = t->target;
        if (base != INSN_RSP) {
            gpr[base] |= rnd() << 32;   /* ignored: address size 32 */
        }
    } else {
        base = 0;
    }
    emit_opcode(t, reg, form == SIB_DISP32 ? index : 0, base, form == ADDR32);
    emit_mem(t, form, reg, base, index, scale, disp);
}

static void build_implicit(struct trial *t)
{
    bool addr32 = (t->e->flags & (E_STRING | E_MOFFS)) && rnd() % 4 == 0;
    uint64_t *gpr = t->in.gpr;

    if (t->e->flags & E_STRING) {
        gpr[INSN_RSI] = NATIVE_DATA + 0x1000 + rnd() % 0x2000;
        gpr[INSN_RDI] = NATIVE_DATA + 0x1000 + rnd() % 0x2000;
        gpr[INSN_RBX] = NATIVE_DATA + rnd() % 0x2000;
        gpr[INSN_RCX] = rnd() % 20;
        if (rnd() % 16 == 0) {
            gpr[INSN_RDI] = NATIVE_DATA + NATIVE_DATA_LEN - rnd() % 64;
        }
        gpr[INSN_RAX] &= rnd() & 1 ? 0xff : ~0ull;
        if (addr32) {
            gpr[INSN_RSI] |= rnd() << 32;
            gpr[INSN_RDI] |= rnd() << 32;
            gpr[INSN_RBX] |= rnd() << 32;
            gpr[INSN_RCX] |= rnd() << 32;
        }
        t->in.rflags |= rnd() & INSN_DF;
    }
    emit_opcode(t, 0, 0, 0, addr32);
    if (t->e->flags & E_MOFFS) {
        emit(t, t->target, addr32 ? 4 : 8);
    }
}

static void put_target(struct trial *t, uint64_t where)
{
    uint64_t target = NATIVE_CODE + 0x80 + rnd() % 64;

    if (where - NATIVE_DATA <= NATIVE_DATA_LEN - 8) {
        memcpy(t->data + (where - NATIVE_DATA), &target, 8);
    }
}

/* What particular instructions need to be more than a fault */
static void prepare(struct trial *t)
{
    const struct encoding *e = t->e;
    uint64_t *gpr = t->in.gpr;
    uint64_t off = t->target - NATIVE_DATA;

    if ((e->flags & E_EQUAL) && (rnd() & 1) && off + 16 <= NATIVE_DATA_LEN) {
        if (e->op == 0xc7) {
            unsigned half = e->flags & E_W1 ? 8 : 4;

            memcpy(t->data + off, &gpr[INSN_RAX], half);
            memcpy(t->data + off + half, &gpr[INSN_RDX], half);
        } else {
            memcpy(t->data + off, &gpr[INSN_RAX], 8);
        }
    }
    if (e->map == 0 && e->op == 0xc8) {
        /* Little room, for what is written before a fault stays. */
        t->bytes[t->n - 2] = 0;
        if (gpr[INSN_RSP] >= NATIVE_DATA + 0x100) {
            gpr[INSN_RSP] += 0x1000;
        }
    }
    if (e->map == 0 && e->op == 0x9d) {
        /* None that traps here, or that the signal's handler could not bear */
        uint64_t rflags = (rnd() & 0x200cd5) | 0x202;

        off = gpr[INSN_RSP] - NATIVE_DATA;
        if (off + 8 <= NATIVE_DATA_LEN) {
            memcpy(t->data + off, &rflags, 8);
        }
    }
    if (e->flags & E_TARGET) {
        put_target(t, e->flags & E_NOMODRM ? gpr[INSN_RSP] : t->target);
    }
}

static uint32_t shift_undefined(const struct trial *t, unsigned count)
{
    unsigned bits = t->opsize * 8, masked = count & (bits == 64 ? 63 : 31);
    bool rotate = t->e->map == 0 && t->e->reg < 4;
    uint32_t undef = 0;

    if (masked == 0) {
        return 0;
    }
    if (masked != 1) {
        undef |= INSN_OF;
    }
    if (!rotate) {
        undef |= INSN_AF;
        if (masked > bits || (masked == bits && t->e->map == 0)) {
            undef |= INSN_CF;
        }
        if (t->e->map == 1 && masked > bits) {
            undef |= U_ALL;
        }
    }
    return undef;
}

static void undefined_flags(struct trial *t)
{
    unsigned count = 1;

    t->undef = t->e->undef;
    if (t->e->flags & E_SHIFT) {
        if (t->e->imm) {
            count = t->bytes[t->n - 1];
        } else if (t->e->map == 1 || t->e->op >= 0xd2) {
            count = t->in.gpr[INSN_RCX] & 0xff;
        }
        t->undef |= shift_undefined(t, count);
    }
}

static void choose_form(struct trial *t)
{
    uint32_t f = t->e->flags;
    unsigned how = rnd() % 3, vex = 0;

    t->opsize = 4;
    if (t->e->map == 0 && !(t->e->op & 1) && !(f & (E_66 | E_W))) {
        t->opsize = 1;
    } else if (t->e->op == 0x90 || t->e->op == 0xb0 || t->e->op == 0xc0) {
        t->opsize = f & (E_66 | E_W) ? 4 : 1;
    }
    if (how == 1 && (f & E_66)) {
        t->opsize = 2;
    } else if (how == 2 && (f & E_W)) {
        t->opsize = 8;
    }
    if (f & (E_LEG | E_V128 | E_V256)) {
        do {
            vex = 1u << (13 + rnd() % 3);
        } while (!(f & vex));
        t->vex = vex != E_LEG;
        t->vl = vex == E_V256 ? 32 : 16;
        t->evex = f & E_EVEX;
    }
}

void trial_make(struct trial *t, const struct encoding *e)
{
    unsigned imm;

    memset(t, 0, sizeof(*t));
    t->e = e;
    random_state(t);
    choose_form(t);
    t->mem = !(e->flags & E_NOMODRM) && !((e->flags & E_REG) && rnd() % 5 == 0);
    t->locked = t->mem && (e->flags & E_LOCK) && (rnd() & 1);
    t->target = pick_target(t);
    if (e->flags & E_STACK) {
        t->in.gpr[INSN_RSP] = NATIVE_DATA + 0x100 + rnd() % 0x600;
        t->in.gpr[INSN_RBP] = NATIVE_DATA + 0x100 + rnd() % 0x600;
        if (rnd() % 16 == 0) {
            t->in.gpr[INSN_RSP] = NATIVE_DATA + rnd() % 8;
        }
    }
    if ((e->flags & E_DIV) && rnd() % 8) {
        t->in.gpr[INSN_RDX] = rnd() & 1 ? 0 : rnd() & 0xff;
        t->in.gpr[INSN_RAX] >>= rnd() % 60;
    }
    if (t->mem) {
        build_mem(t);
    } else if (e->flags & E_NOMODRM) {
        build_implicit(t);
    } else {
        unsigned reg = e->reg >= 0 ? (unsigned)e->reg : rnd() % 16;
        unsigned rm = rnd() % 16;

        emit_opcode(t, reg, 0, rm, false);
        emit(t, 0xc0 | (reg & 7) << 3 | (rm & 7), 1);
    }
    imm = imm_size(t);
    if (e->op == 0xe8 && e->map == 0) {
        emit(t, rnd() % 64, 4);
    } else {
        emit(t, rnd(), imm);
    }
    prepare(t);
    undefined_flags(t);
}
