/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: MOVS, STOS, LODS, CMPS, SCAS
 */

#include "internal.h"

/* RSI or RDI to the next of @n elements. */
void insn_string_advance(struct insn_ctx *c, unsigned reg, unsigned size,
                         unsigned n)
{
    uint64_t step = (uint64_t)n * size;
    uint64_t val = c->cpu->gpr[reg];

    insn_gpr_set(c, reg, c->adsize,
                 c->cpu->rflags & INSN_DF ? val - step : val + step);
}

static enum insn_status string_source(struct insn_ctx *c, unsigned size,
                                      struct insn_mem *m)
{
    unsigned seg = c->seg_override != INSN_NSEGS ? c->seg_override : INSN_DS;

    return insn_resolve(c, seg, insn_gpr_get(c, INSN_RSI, c->adsize), size,
                        false, m);
}

static enum insn_status string_dest(struct insn_ctx *c, unsigned size,
                                    bool write, struct insn_mem *m)
{
    return insn_resolve(c, INSN_ES, insn_gpr_get(c, INSN_RDI, c->adsize),
                        size, write, m);
}

/* With TF set, each iteration traps. */
static bool stop(struct insn_ctx *c, unsigned total)
{
    return total >= INSN_REP_MAX || (c->cpu->rflags & INSN_TF) ||
           (c->ops->should_stop && c->ops->should_stop(c->opaque));
}

/*
 * REP with nothing to do, and addresses of 32 bits in 64-bit mode: some
 * processors write registers that they need not.
 */
static void nothing_to_repeat(struct insn_ctx *c)
{
    const struct insn_habits *h = insn_habits(c);
    bool stos = c->op->fn == insn_stos, movs = c->op->fn == insn_movs;

    if (c->mode != 8 || c->adsize != 4) {
        return;
    }
    if (h->rep_zero_count) {
        insn_gpr_set(c, INSN_RCX, 4, 0);
    }
    if (h->rep_zero_pointers && (stos || movs)) {
        insn_string_advance(c, INSN_RDI, 0, 0);
    }
    if (h->rep_zero_pointers && movs) {
        insn_string_advance(c, INSN_RSI, 0, 0);
    }
}

/*
 * Repeat @step, which does up to @max elements and says how many, as the
 * prefixes ask; if it @compares, ZF may end the loop early.
 *
 * Every finished element is in the registers, so a fault or a stop between two
 * elements needs nothing more.
 */
enum insn_status insn_string_repeat(struct insn_ctx *c, insn_step_fn *step,
                                    bool compares)
{
    unsigned total = 0, n;
    enum insn_status st;

    if (!(c->pfx & (PFX_REP | PFX_REPNE))) {
        return step(c, 1, &n);
    }
    for (;;) {
        uint64_t left = insn_gpr_get(c, INSN_RCX, c->adsize);

        if (!left) {
            if (!total) {
                nothing_to_repeat(c);
            }
            return INSN_DONE;
        }
        if (total && stop(c, total)) {
            return INSN_PARTIAL;
        }
        st = step(c, left < INSN_REP_MAX ? left : INSN_REP_MAX, &n);
        if (st != INSN_DONE) {
            return st;
        }
        insn_gpr_set(c, INSN_RCX, c->adsize, left - n);
        total += n;
        if (compares &&
            !!(c->cpu->rflags & INSN_ZF) != !!(c->pfx & PFX_REP)) {
            return INSN_DONE;
        }
    }
}

static enum insn_status movs_step(struct insn_ctx *c, unsigned max,
                                  unsigned *n)
{
    unsigned size = c->opsize;
    struct insn_mem from, to;
    enum insn_status st;
    uint64_t val;

    (void)max;
    *n = 1;
    st = string_source(c, size, &from);
    if (st == INSN_DONE) {
        st = string_dest(c, size, true, &to);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &from, &val);
    }
    if (st == INSN_DONE) {
        st = insn_mem_write(c, &to, &val);
    }
    if (st == INSN_DONE) {
        insn_string_advance(c, INSN_RSI, size, 1);
        insn_string_advance(c, INSN_RDI, size, 1);
    }
    return st;
}

enum insn_status insn_movs(struct insn_ctx *c)
{
    return insn_string_repeat(c, movs_step, false);
}

static enum insn_status stos_step(struct insn_ctx *c, unsigned max,
                                  unsigned *n)
{
    struct insn_mem to;
    enum insn_status st;

    (void)max;
    *n = 1;
    st = string_dest(c, c->opsize, true, &to);
    if (st == INSN_DONE) {
        st = insn_mem_write(c, &to, &c->cpu->gpr[INSN_RAX]);
    }
    if (st == INSN_DONE) {
        insn_string_advance(c, INSN_RDI, c->opsize, 1);
    }
    return st;
}

enum insn_status insn_stos(struct insn_ctx *c)
{
    return insn_string_repeat(c, stos_step, false);
}

static enum insn_status lods_step(struct insn_ctx *c, unsigned max,
                                  unsigned *n)
{
    struct insn_mem from;
    enum insn_status st;
    uint64_t val = 0;

    (void)max;
    *n = 1;
    st = string_source(c, c->opsize, &from);
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &from, &val);
    }
    if (st == INSN_DONE) {
        insn_gpr_set(c, INSN_RAX, c->opsize, val);
        insn_string_advance(c, INSN_RSI, c->opsize, 1);
    }
    return st;
}

enum insn_status insn_lods(struct insn_ctx *c)
{
    return insn_string_repeat(c, lods_step, false);
}

static enum insn_status compare(struct insn_ctx *c, uint64_t a, uint64_t b)
{
    uint64_t rflags = c->cpu->rflags;

    insn_alu_sub(a, b, c->opsize, &rflags);
    insn_set_flags(c, rflags);
    return INSN_DONE;
}

static enum insn_status cmps_step(struct insn_ctx *c, unsigned max,
                                  unsigned *n)
{
    struct insn_mem a, b;
    uint64_t va = 0, vb = 0;
    enum insn_status st;

    (void)max;
    *n = 1;
    st = string_source(c, c->opsize, &a);
    if (st == INSN_DONE) {
        st = string_dest(c, c->opsize, false, &b);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &a, &va);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &b, &vb);
    }
    if (st != INSN_DONE) {
        return st;
    }
    insn_string_advance(c, INSN_RSI, c->opsize, 1);
    insn_string_advance(c, INSN_RDI, c->opsize, 1);
    return compare(c, va, vb);
}

static enum insn_status scas_step(struct insn_ctx *c, unsigned max,
                                  unsigned *n)
{
    enum insn_status st;
    struct insn_mem b;
    uint64_t val = 0;

    (void)max;
    *n = 1;
    st = string_dest(c, c->opsize, false, &b);
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &b, &val);
    }
    if (st != INSN_DONE) {
        return st;
    }
    insn_string_advance(c, INSN_RDI, c->opsize, 1);
    return compare(c, insn_gpr_get(c, INSN_RAX, c->opsize), val);
}

/*
 * A fault in the middle leaves the flags as they were before the instruction
 * (SDM volume 2, "REP"); only a finished comparison may set them.
 */
static enum insn_status repeat_compare(struct insn_ctx *c, insn_step_fn *step)
{
    uint64_t before = c->cpu->rflags;
    enum insn_status st = insn_string_repeat(c, step, true);

    if (st != INSN_DONE) {
        insn_set_flags(c, before);
    }
    return st;
}

enum insn_status insn_cmps(struct insn_ctx *c)
{
    return repeat_compare(c, cmps_step);
}

enum insn_status insn_scas(struct insn_ctx *c)
{
    return repeat_compare(c, scas_step);
}
