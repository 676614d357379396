/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: descriptor tables, selectors, the machine status
 * word
 *
 * SGDT, SIDT, LGDT, LIDT, SLDT, STR, LLDT, LTR, SMSW, LMSW; LAR, LSL, VERR,
 * VERW and ARPL.
 */

#include "internal.h"

/* Kinds of system segments */
enum {
    TSS_16 = 1, LDT = 2, TSS_16_BUSY = 3, CALL_GATE_16 = 4, TASK_GATE = 5,
    TSS_32 = 9, TSS_32_BUSY = 11, CALL_GATE_32 = 12,
};

#define TYPE_BUSY       2

static enum insn_status needs_cpl0(struct insn_ctx *c)
{
    return c->cpu->cpl ? insn_raise_ec0(c, INSN_VEC_GP) : INSN_DONE;
}

/* User-mode instruction prevention */
static enum insn_status prevented(struct insn_ctx *c)
{
    return c->cpu->cr4 & INSN_CR4_UMIP ? needs_cpl0(c) : INSN_DONE;
}

/* A limit of two bytes, then a base of four or eight. */
static enum insn_status resolve_table(struct insn_ctx *c, bool write,
                                      struct insn_mem m[2])
{
    uint64_t base = (c->ea + 2) & insn_size_mask(c->adsize);
    enum insn_status st = insn_resolve_ea(c, 2, write, &m[0]);

    return st == INSN_DONE ? insn_resolve(c, c->seg, base, c->mode == 8 ? 8 : 4,
                                          write, &m[1]) : st;
}

/* .arg: enum insn_system */
enum insn_status insn_store_table(struct insn_ctx *c)
{
    enum insn_status st = prevented(c);
    struct insn_seg table;
    struct insn_mem m[2];
    int ret;

    if (st == INSN_DONE) {
        st = resolve_table(c, true, m);
    }
    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->read_system(c->opaque, c->op->arg, &table);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    st = insn_mem_write(c, &m[0], &table.limit);
    return st == INSN_DONE ? insn_mem_write(c, &m[1], &table.base) : st;
}

static enum insn_status write_system(struct insn_ctx *c, enum insn_system reg,
                                     const struct insn_seg *val)
{
    int ret = c->ops->write_system(c->opaque, reg, val);

    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

enum insn_status insn_load_table(struct insn_ctx *c)
{
    enum insn_status st = needs_cpl0(c);
    struct insn_seg table = { 0 };
    uint16_t limit = 0;
    struct insn_mem m[2];

    if (st == INSN_DONE) {
        st = resolve_table(c, false, m);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m[0], &limit);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m[1], &table.base);
    }
    if (st != INSN_DONE) {
        return st;
    }
    table.limit = limit;
    if (c->mode != 8 && c->opsize == 2) {
        table.base &= 0xffffff;
    }
    if (c->mode == 8 && !insn_canonical(c->cpu, table.base)) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    return write_system(c, c->op->arg, &table);
}

enum insn_status insn_smsw(struct insn_ctx *c)
{
    enum insn_status st = prevented(c);

    return st == INSN_DONE ? insn_rm_store(c, c->mem ? 2 : c->opsize,
                                           c->cpu->cr0) : st;
}

/* The low four bits; PE can be set, not cleared. */
enum insn_status insn_lmsw(struct insn_ctx *c)
{
    enum insn_status st = needs_cpl0(c);
    uint64_t val;

    if (st == INSN_DONE) {
        st = insn_rm_load(c, 2, &val);
    }
    if (st == INSN_DONE) {
        c->cpu->cr0 = (c->cpu->cr0 & ~0xeull) | (val & 0xf);
        c->cpu->dirty |= INSN_DIRTY_CR0;
    }
    return st;
}

/* SLDT, STR; .arg: enum insn_system */
enum insn_status insn_store_selector(struct insn_ctx *c)
{
    enum insn_status st = prevented(c);
    struct insn_seg seg;
    int ret;

    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->read_system(c->opaque, c->op->arg, &seg);
    return ret < 0 ? insn_error(c, ret)
                   : insn_rm_store(c, c->mem ? 2 : c->opsize, seg.selector);
}

/* The operand of LLDT and LTR: a system segment in the GDT. */
static enum insn_status load_system(struct insn_ctx *c, struct insn_desc *d,
                                    uint16_t kinds)
{
    bool lma = c->cpu->efer & INSN_EFER_LMA;
    struct insn_seg seg;
    enum insn_status st;

    if (d->sel & 4) {
        return insn_raise_selector(c, INSN_VEC_GP, d->sel);
    }
    st = insn_get_descriptor(c, d->sel, d);
    if (st != INSN_DONE) {
        return st;
    }
    seg = insn_desc_segment(d);
    if ((d->low & INSN_DESC_S) || !(kinds >> insn_desc_type(d) & 1) ||
        (lma && (d->high >> 40 & 0x1f))) {
        return insn_raise_selector(c, INSN_VEC_GP, d->sel);
    }
    if (!(d->low & INSN_DESC_PRESENT)) {
        return insn_raise_selector(c, INSN_VEC_NP, d->sel);
    }
    if (lma && !insn_canonical(c->cpu, seg.base)) {
        return insn_raise_selector(c, INSN_VEC_GP, d->sel);
    }
    return INSN_DONE;
}

enum insn_status insn_lldt(struct insn_ctx *c)
{
    struct insn_seg seg = { 0 };
    struct insn_desc d = { 0 };
    enum insn_status st = needs_cpl0(c);
    uint64_t sel = 0;

    if (st == INSN_DONE) {
        st = insn_rm_load(c, 2, &sel);
    }
    d.sel = seg.selector = sel;
    if (st == INSN_DONE && (sel & ~3ull)) {
        st = load_system(c, &d, 1 << LDT);
        seg = insn_desc_segment(&d);
    }
    return st == INSN_DONE ? write_system(c, INSN_LDTR, &seg) : st;
}

enum insn_status insn_ltr(struct insn_ctx *c)
{
    uint16_t kinds = 1 << TSS_32;
    struct insn_desc d = { 0 };
    struct insn_seg seg;
    enum insn_status st = needs_cpl0(c);
    uint64_t sel = 0;

    if (!(c->cpu->efer & INSN_EFER_LMA)) {
        kinds |= 1 << TSS_16;
    }
    if (st == INSN_DONE) {
        st = insn_rm_load(c, 2, &sel);
    }
    d.sel = sel;
    if (st == INSN_DONE) {
        st = load_system(c, &d, kinds);
    }
    if (st == INSN_DONE) {
        st = insn_mark_descriptor(c, &d, TYPE_BUSY);
    }
    seg = insn_desc_segment(&d);
    return st == INSN_DONE ? write_system(c, INSN_TR, &seg) : st;
}

static void set_zf(struct insn_ctx *c, bool zf)
{
    insn_set_flags(c, (c->cpu->rflags & ~(uint64_t)INSN_ZF) |
                      (zf ? INSN_ZF : 0));
}

/* The ModRM operand is a selector: is its descriptor of use to the program? */
static enum insn_status visible(struct insn_ctx *c, struct insn_desc *d,
                                uint16_t kinds, bool *yes)
{
    enum insn_status st;
    uint64_t sel;

    st = insn_rm_load(c, 2, &sel);
    if (st == INSN_DONE) {
        st = insn_find_descriptor(c, sel, d, yes);
    }
    if (st != INSN_DONE || !*yes) {
        return st;
    }
    *yes = insn_desc_data_allowed(c, d) &&
           ((d->low & INSN_DESC_S) || (kinds >> insn_desc_type(d) & 1));
    return INSN_DONE;
}

/* .arg: VERW */
enum insn_status insn_verify(struct insn_ctx *c)
{
    struct insn_desc d;
    bool yes;
    enum insn_status st = visible(c, &d, 0, &yes);

    if (st == INSN_DONE) {
        bool code = insn_desc_type(&d) & 8, rw = insn_desc_type(&d) & 2;

        set_zf(c, yes && (c->op->arg ? !code && rw : !code || rw));
    }
    return st;
}

enum insn_status insn_lar(struct insn_ctx *c)
{
    uint16_t kinds = 1 << LDT | 1 << TSS_32 | 1 << TSS_32_BUSY |
                     1 << CALL_GATE_32;
    struct insn_desc d;
    enum insn_status st;
    bool yes;

    if (!(c->cpu->efer & INSN_EFER_LMA)) {
        kinds |= 1 << TSS_16 | 1 << TSS_16_BUSY | 1 << CALL_GATE_16 |
                 1 << TASK_GATE;
    }
    st = visible(c, &d, kinds, &yes);
    if (st == INSN_DONE) {
        set_zf(c, yes);
        if (yes) {
            insn_gpr_set(c, c->reg, c->opsize, d.low >> 32 & 0xffff00);
        }
    }
    return st;
}

enum insn_status insn_lsl(struct insn_ctx *c)
{
    uint16_t kinds = 1 << LDT | 1 << TSS_32 | 1 << TSS_32_BUSY;
    struct insn_desc d;
    enum insn_status st;
    bool yes;

    if (!(c->cpu->efer & INSN_EFER_LMA)) {
        kinds |= 1 << TSS_16 | 1 << TSS_16_BUSY;
    }
    st = visible(c, &d, kinds, &yes);
    if (st == INSN_DONE) {
        set_zf(c, yes);
        if (yes) {
            insn_gpr_set(c, c->reg, c->opsize, insn_desc_limit(&d));
        }
    }
    return st;
}

static uint64_t adjust_rpl(uint64_t dst, uint64_t src, unsigned size,
                           uint64_t *rflags)
{
    bool below = (dst & 3) < (src & 3);

    (void)size;
    *rflags = (*rflags & ~(uint64_t)INSN_ZF) | (below ? INSN_ZF : 0);
    return below ? (dst & ~3ull) | (src & 3) : dst;
}

/* 63: MOVSXD in 64-bit mode, else ARPL */
enum insn_status insn_arpl_movsxd(struct insn_ctx *c)
{
    if (c->mode == 8) {
        return insn_movsxd(c);
    }
    if (c->real) {
        return insn_raise(c, INSN_VEC_UD);
    }
    return insn_rm_modify(c, 2, adjust_rpl, insn_reg_get(c, c->reg, 2), NULL);
}
