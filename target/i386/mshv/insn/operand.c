/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: general registers and the ModRM operand
 */

#include "internal.h"

/* Without REX, byte registers 4 to 7 are AH, CH, DH and BH. */
static bool high_byte(const struct insn_ctx *c, unsigned reg, unsigned size)
{
    return size == 1 && reg >= 4 && reg < 8 && !(c->pfx & PFX_REX);
}

uint64_t insn_reg_get(struct insn_ctx *c, unsigned reg, unsigned size)
{
    if (high_byte(c, reg, size)) {
        return c->cpu->gpr[reg - 4] >> 8 & 0xff;
    }
    return insn_gpr_get(c, reg, size);
}

void insn_reg_set(struct insn_ctx *c, unsigned reg, unsigned size,
                  uint64_t val)
{
    if (high_byte(c, reg, size)) {
        uint64_t *r = &c->cpu->gpr[reg - 4];

        *r = (*r & ~0xff00ull) | (val & 0xff) << 8;
        c->cpu->dirty_gpr |= 1u << (reg - 4);
    } else {
        insn_gpr_set(c, reg, size, val);
    }
}

void insn_set_flags(struct insn_ctx *c, uint64_t rflags)
{
    if (rflags != c->cpu->rflags) {
        c->cpu->rflags = rflags;
        c->cpu->dirty |= INSN_DIRTY_RFLAGS;
    }
}

enum insn_status insn_rm_load(struct insn_ctx *c, unsigned size,
                              uint64_t *val)
{
    struct insn_mem m;
    enum insn_status st;

    *val = 0;
    if (!c->mem) {
        *val = insn_reg_get(c, c->rm, size);
        return INSN_DONE;
    }
    st = insn_resolve_ea(c, size, false, &m);
    return st == INSN_DONE ? insn_mem_read(c, &m, val) : st;
}

enum insn_status insn_rm_store(struct insn_ctx *c, unsigned size,
                               uint64_t val)
{
    struct insn_mem m;
    enum insn_status st;

    if (!c->mem) {
        insn_reg_set(c, c->rm, size, val);
        return INSN_DONE;
    }
    st = insn_resolve_ea(c, size, true, &m);
    return st == INSN_DONE ? insn_mem_write(c, &m, &val) : st;
}

enum insn_status insn_rm_modify(struct insn_ctx *c, unsigned size,
                                insn_alu_fn *fn, uint64_t src, uint64_t *old)
{
    bool locked = c->pfx & PFX_LOCK, done = true;
    uint64_t dst = 0, val, rflags;
    struct insn_mem m;
    enum insn_status st;

    if (c->mem) {
        st = insn_resolve_ea(c, size, true, &m);
        if (st != INSN_DONE) {
            return st;
        }
    }
    do {
        if (c->mem) {
            st = insn_mem_read(c, &m, &dst);
            if (st != INSN_DONE) {
                return st;
            }
        } else {
            dst = insn_reg_get(c, c->rm, size);
        }
        rflags = c->cpu->rflags;
        val = fn(dst, src, size, &rflags) & insn_size_mask(size);
        if (!c->mem) {
            insn_reg_set(c, c->rm, size, val);
        } else if (locked) {
            st = insn_mem_cas(c, &m, &dst, &val, &done);
        } else {
            st = insn_mem_write(c, &m, &val);
        }
        if (c->mem && st != INSN_DONE) {
            return st;
        }
    } while (!done);
    insn_set_flags(c, rflags);
    if (old) {
        *old = dst;
    }
    return INSN_DONE;
}
