/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: loads of segment registers
 */

#include "internal.h"

#define DESC_ACCESSED   1       /* of its type */

static void changed(struct insn_ctx *c, unsigned n)
{
    c->cpu->dirty_seg |= 1u << n;
}

void insn_set_segment(struct insn_ctx *c, unsigned n,
                      const struct insn_seg *seg)
{
    c->cpu->seg[n] = *seg;
    changed(c, n);
}

/* Real mode changes the base alone. */
static struct insn_seg real_segment(const struct insn_ctx *c, unsigned n,
                                    uint16_t sel)
{
    struct insn_seg seg = c->cpu->seg[n];

    seg.selector = sel;
    seg.base = sel << 4;
    return seg;
}

/* A null selector makes a data segment unusable. */
static enum insn_status null_segment(struct insn_ctx *c, unsigned n,
                                     uint16_t sel, struct insn_seg *seg)
{
    const struct insn_cpu *cpu = c->cpu;

    *seg = (struct insn_seg) { .selector = sel };
    if (n == INSN_SS) {
        if (c->mode != 8 || cpu->cpl == 3 || (sel & 3) != cpu->cpl) {
            return insn_raise_ec0(c, INSN_VEC_GP);
        }
        seg->attr = cpu->cpl << INSN_SEG_DPL_SHIFT;
    } else if (insn_habits(c)->null_keeps_base && !cpu->null_clears_base) {
        seg->base = cpu->seg[n].base;
        seg->limit = cpu->seg[n].limit;
    }
    return INSN_DONE;
}

/* May a descriptor go into SS, or into another data segment register? */
static bool allowed(const struct insn_ctx *c, unsigned n,
                    const struct insn_desc *d)
{
    unsigned type = insn_desc_type(d), cpl = c->cpu->cpl;
    bool code = type & 8, rw = type & 2;

    if (!(d->low & INSN_DESC_S)) {
        return false;
    }
    if (n == INSN_SS) {
        return !code && rw && (d->sel & 3) == cpl && insn_desc_dpl(d) == cpl;
    }
    return (!code || rw) && insn_desc_data_allowed(c, d);
}

/* All checks, and the accessed bit; the register is the caller's to set. */
enum insn_status insn_load_data_segment(struct insn_ctx *c, unsigned n,
                                        uint16_t sel, struct insn_seg *seg)
{
    struct insn_desc d;
    enum insn_status st;

    if (c->real) {
        *seg = real_segment(c, n, sel);
        return INSN_DONE;
    }
    if (!(sel & ~3u)) {
        return null_segment(c, n, sel, seg);
    }
    st = insn_get_descriptor(c, sel, &d);
    if (st != INSN_DONE) {
        return st;
    }
    if (!allowed(c, n, &d)) {
        return insn_raise_selector(c, INSN_VEC_GP, sel);
    }
    if (!(d.low & INSN_DESC_PRESENT)) {
        return insn_raise_selector(c, n == INSN_SS ? INSN_VEC_SS : INSN_VEC_NP,
                                   sel);
    }
    st = insn_mark_descriptor(c, &d, DESC_ACCESSED);
    *seg = insn_desc_segment(&d);
    return st;
}

static enum insn_status load(struct insn_ctx *c, unsigned n, uint16_t sel)
{
    struct insn_seg seg;
    enum insn_status st = insn_load_data_segment(c, n, sel, &seg);

    if (st == INSN_DONE) {
        insn_set_segment(c, n, &seg);
    }
    return st;
}

/* 8E */
enum insn_status insn_mov_sreg_rm(struct insn_ctx *c)
{
    unsigned n = c->reg & 7;
    enum insn_status st;
    uint64_t sel;

    if (n == INSN_CS || n >= INSN_NSEGS) {
        return insn_raise(c, INSN_VEC_UD);
    }
    st = insn_rm_load(c, 2, &sel);
    if (st == INSN_DONE) {
        st = load(c, n, sel);
    }
    if (st == INSN_DONE && n == INSN_SS) {
        c->cpu->dirty |= INSN_DIRTY_SHADOW;
    }
    return st;
}

/* .arg: the register; it has 16 bits, and what else is written differs. */
enum insn_status insn_push_sreg(struct insn_ctx *c)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP] - c->opsize;
    unsigned len = c->opsize;
    uint64_t sel = c->cpu->seg[c->op->arg].selector;
    struct insn_mem m;
    enum insn_status st;

    if (len == 4 && insn_habits(c)->push_sreg_writes_16) {
        len = 2;
    }
    st = insn_stack_resolve(c, sp, len, true, &m);
    if (st == INSN_DONE) {
        st = insn_mem_write(c, &m, &sel);
    }
    if (st == INSN_DONE) {
        insn_set_sp(c, sp);
    }
    return st;
}

enum insn_status insn_pop_sreg(struct insn_ctx *c)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP], sel = 0;
    unsigned n = c->op->arg;
    struct insn_mem m;
    enum insn_status st;

    /* Only the selector is read. */
    st = insn_stack_resolve(c, sp, 2, false, &m);
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m, &sel);
    }
    if (st == INSN_DONE) {
        st = load(c, n, sel);
    }
    if (st == INSN_DONE) {
        insn_set_sp(c, sp + c->opsize);
        c->cpu->dirty |= n == INSN_SS ? INSN_DIRTY_SHADOW : 0;
    }
    return st;
}

/* A selector is behind the offset; AMD's is never of 64 bits. */
enum insn_status insn_load_far(struct insn_ctx *c, uint64_t *off,
                               uint64_t *sel)
{
    struct insn_mem m[2];
    enum insn_status st;
    uint64_t at;

    if (c->opsize == 8 && !insn_habits(c)->far_pointer_64) {
        c->opsize = 4;
    }
    at = (c->ea + c->opsize) & insn_size_mask(c->adsize);
    *off = *sel = 0;
    st = insn_resolve_ea(c, c->opsize, false, &m[0]);
    if (st == INSN_DONE) {
        st = insn_resolve(c, c->seg, at, 2, false, &m[1]);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m[0], off);
    }
    return st == INSN_DONE ? insn_mem_read(c, &m[1], sel) : st;
}

/* LES, LDS, LSS, LFS, LGS; .arg: the register */
enum insn_status insn_load_pointer(struct insn_ctx *c)
{
    uint64_t off, sel;
    enum insn_status st = insn_load_far(c, &off, &sel);

    if (st == INSN_DONE) {
        st = load(c, c->op->arg, sel);
    }
    if (st == INSN_DONE) {
        insn_gpr_set(c, c->reg, c->opsize, off);
    }
    return st;
}
