/*
 * x86 instruction emulator: XCHG, XADD, CMPXCHG, CMPXCHG8B, CMPXCHG16B
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

static uint64_t alu_replace(uint64_t dst, uint64_t src, unsigned size,
                            uint64_t *rflags)
{
    (void)dst;
    (void)size;
    (void)rflags;
    return src;
}

enum insn_status insn_xchg(struct insn_ctx *c)
{
    uint64_t src = insn_reg_get(c, c->reg, c->opsize), old;
    enum insn_status st;

    c->pfx |= PFX_LOCK;         /* always, with a memory operand */
    st = insn_rm_modify(c, c->opsize, alu_replace, src, &old);
    if (st == INSN_DONE) {
        insn_reg_set(c, c->reg, c->opsize, old);
    }
    return st;
}

enum insn_status insn_xadd(struct insn_ctx *c)
{
    uint64_t src = insn_reg_get(c, c->reg, c->opsize), old, sum;
    enum insn_status st;

    st = insn_rm_modify(c, c->opsize, insn_alu_add, src, &old);
    if (st == INSN_DONE) {
        sum = insn_reg_get(c, c->rm, c->opsize);
        insn_reg_set(c, c->reg, c->opsize, old);
        if (!c->mem) {
            insn_reg_set(c, c->rm, c->opsize, sum);
        }
    }
    return st;
}

/*
 * Compare the operand with @expected and replace it by @val if equal, else
 * write it back, as processors do.  *@old is what it was.
 */
static enum insn_status compare_exchange(struct insn_ctx *c, unsigned size,
                                         const void *expected,
                                         const void *val, void *old)
{
    struct insn_mem m;
    enum insn_status st;
    bool done;

    st = insn_resolve_ea(c, size, true, &m);
    if (st != INSN_DONE) {
        return st;
    }
    do {
        const void *store;

        st = insn_mem_read(c, &m, old);
        if (st != INSN_DONE) {
            return st;
        }
        store = memcmp(old, expected, size) == 0 ? val : old;
        done = true;
        if (c->pfx & PFX_LOCK) {
            st = insn_mem_cas(c, &m, old, store, &done);
        } else {
            st = insn_mem_write(c, &m, store);
        }
    } while (st == INSN_DONE && !done);
    return st;
}

enum insn_status insn_cmpxchg(struct insn_ctx *c)
{
    uint64_t acc = insn_reg_get(c, INSN_RAX, c->opsize);
    uint64_t src = insn_reg_get(c, c->reg, c->opsize);
    uint64_t old = 0, rflags = c->cpu->rflags;
    enum insn_status st;

    if (c->mem) {
        st = compare_exchange(c, c->opsize, &acc, &src, &old);
        if (st != INSN_DONE) {
            return st;
        }
    } else {
        old = insn_reg_get(c, c->rm, c->opsize);
        if (old == acc) {
            insn_reg_set(c, c->rm, c->opsize, src);
        }
    }
    insn_alu_sub(acc, old, c->opsize, &rflags);
    if (old != acc) {
        insn_reg_set(c, INSN_RAX, c->opsize, old);
    }
    insn_set_flags(c, rflags);
    return INSN_DONE;
}

enum insn_status insn_cmpxchg8b(struct insn_ctx *c)
{
    unsigned half = c->opsize == 8 ? 8 : 4, i;
    uint8_t expected[16], val[16], old[16];
    struct {
        uint64_t acc[2], src[2], old[2];
    } r = {
        .acc = { insn_gpr_get(c, INSN_RAX, half),
                 insn_gpr_get(c, INSN_RDX, half) },
        .src = { insn_gpr_get(c, INSN_RBX, half),
                 insn_gpr_get(c, INSN_RCX, half) },
    };
    enum insn_status st;
    bool equal;

    if (half == 8 && (c->ea + (c->seg >= INSN_FS ? c->cpu->seg[c->seg].base
                                                 : 0)) & 15) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    for (i = 0; i < 2; i++) {
        memcpy(expected + i * half, &r.acc[i], half);
        memcpy(val + i * half, &r.src[i], half);
    }
    st = compare_exchange(c, 2 * half, expected, val, old);
    if (st != INSN_DONE) {
        return st;
    }
    equal = memcmp(old, expected, 2 * half) == 0;
    if (!equal) {
        for (i = 0; i < 2; i++) {
            memcpy(&r.old[i], old + i * half, half);
        }
        insn_gpr_set(c, INSN_RAX, half, r.old[0]);
        insn_gpr_set(c, INSN_RDX, half, r.old[1]);
    }
    insn_set_flags(c, (c->cpu->rflags & ~(uint64_t)INSN_ZF) |
                      (equal ? INSN_ZF : 0));
    return INSN_DONE;
}
