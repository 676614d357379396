/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: MOV to a segment register, far JMP
 *
 * A processor marks the descriptor as accessed. If firmware has its GDT in ROM,
 * that is a write to ROM, which exits; and as ROM is, it goes nowhere.
 */

#include "internal.h"

/* A descriptor as one number */
#define DESC_ACCESSED       (1ull << 40)
#define DESC_WRITABLE       (1ull << 41)    /* of code: readable */
#define DESC_CONFORMING     (1ull << 42)
#define DESC_CODE           (1ull << 43)
#define DESC_CODE_OR_DATA   (1ull << 44)
#define DESC_PRESENT        (1ull << 47)
#define DESC_G              (1ull << 55)

static unsigned desc_dpl(uint64_t desc)
{
    return desc >> 45 & 3;
}

static enum insn_status raise_selector(struct insn_ctx *c,
                                       enum insn_vector vector, uint16_t sel)
{
    enum insn_status st = insn_raise_ec0(c, vector);

    c->res->fault.error_code = sel & ~3;
    return st;
}

/* Find the descriptor of @sel, which is not null. */
static enum insn_status load_descriptor(struct insn_ctx *c, uint16_t sel,
                                        uint64_t *gva, uint64_t *desc)
{
    struct insn_mem m;
    enum insn_status st;
    uint64_t base;
    uint32_t limit;
    int ret;

    if (c->cpu->cpl) {
        return insn_unsupported(c, "load of a segment register at CPL > 0");
    }
    if (sel & 4) {
        return insn_unsupported(c, "selector in the LDT");
    }
    ret = c->ops->read_gdt(c->opaque, &base, &limit);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    if ((sel | 7u) > limit) {
        return raise_selector(c, INSN_VEC_GP, sel);
    }
    *gva = base + (sel & ~7u);
    st = insn_resolve_linear(c, *gva, sizeof(*desc), false, &m);
    return st == INSN_DONE ? insn_mem_read(c, &m, desc) : st;
}

static enum insn_status mark_accessed(struct insn_ctx *c, uint64_t gva,
                                      uint64_t desc)
{
    uint8_t type = (desc | DESC_ACCESSED) >> 40;
    struct insn_mem m;
    enum insn_status st;

    if (desc & DESC_ACCESSED) {
        return INSN_DONE;
    }
    st = insn_resolve_linear(c, gva + 5, sizeof(type), true, &m);
    return st == INSN_DONE ? insn_mem_write(c, &m, &type) : st;
}

static void changed(struct insn_ctx *c, unsigned n)
{
    c->cpu->dirty_seg |= 1u << n;
    if (n == INSN_SS) {
        c->cpu->dirty |= INSN_DIRTY_SHADOW;
    }
}

static void set_segment(struct insn_ctx *c, unsigned n, uint16_t sel,
                        uint64_t desc)
{
    uint32_t limit = (desc & 0xffff) | (desc >> 32 & 0xf0000);

    c->cpu->seg[n] = (struct insn_seg) {
        .base = (desc >> 16 & 0xffffff) | (desc >> 32 & 0xff000000),
        .limit = desc & DESC_G ? limit << 12 | 0xfff : limit,
        .selector = sel,
        .attr = (desc | DESC_ACCESSED) >> 40 & 0xf0ff,
    };
    changed(c, n);
}

/* Real mode changes the base alone. */
static void set_real_segment(struct insn_ctx *c, unsigned n, uint16_t sel)
{
    c->cpu->seg[n].selector = sel;
    c->cpu->seg[n].base = sel << 4;
    changed(c, n);
}

/* A null selector makes a data segment unusable. */
static enum insn_status set_null(struct insn_ctx *c, unsigned n, uint16_t sel)
{
    if (n == INSN_SS && (c->mode != 8 || (sel & 3) != c->cpu->cpl)) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    c->cpu->seg[n] = (struct insn_seg) { .selector = sel };
    changed(c, n);
    return INSN_DONE;
}

/* May a descriptor go into SS, or into another data segment register? */
static bool data_allowed(const struct insn_ctx *c, unsigned n, uint16_t sel,
                         uint64_t desc)
{
    unsigned cpl = c->cpu->cpl, rpl = sel & 3;
    bool code = desc & DESC_CODE, rw = desc & DESC_WRITABLE;

    if (!(desc & DESC_CODE_OR_DATA)) {
        return false;
    }
    if (n == INSN_SS) {
        return !code && rw && rpl == cpl && desc_dpl(desc) == cpl;
    }
    if (code && (!rw || (desc & DESC_CONFORMING))) {
        return rw;
    }
    return desc_dpl(desc) >= cpl && desc_dpl(desc) >= rpl;
}

/* 8E */
enum insn_status insn_mov_sreg_rm(struct insn_ctx *c)
{
    unsigned n = c->reg & 7;
    enum insn_status st;
    uint64_t sel, gva = 0, desc = 0;

    if (n == INSN_CS || n >= INSN_NSEGS) {
        return insn_raise(c, INSN_VEC_UD);
    }
    st = insn_rm_load(c, 2, &sel);
    if (st != INSN_DONE) {
        return st;
    }
    if (c->real) {
        set_real_segment(c, n, sel);
        return INSN_DONE;
    }
    if (!(sel & ~3ull)) {
        return set_null(c, n, sel);
    }
    st = load_descriptor(c, sel, &gva, &desc);
    if (st != INSN_DONE) {
        return st;
    }
    if (!data_allowed(c, n, sel, desc)) {
        return raise_selector(c, INSN_VEC_GP, sel);
    }
    if (!(desc & DESC_PRESENT)) {
        return raise_selector(c, n == INSN_SS ? INSN_VEC_SS : INSN_VEC_NP,
                              sel);
    }
    st = mark_accessed(c, gva, desc);
    if (st == INSN_DONE) {
        set_segment(c, n, sel, desc);
    }
    return st;
}

/* EA: JMP to a far pointer that follows the opcode */
enum insn_status insn_jmp_far(struct insn_ctx *c)
{
    uint64_t off, sel, gva = 0, desc = 0;
    enum insn_status st;
    bool same;

    st = insn_fetch(c, c->opsize, &off);
    if (st == INSN_DONE) {
        st = insn_fetch(c, 2, &sel);
    }
    if (st != INSN_DONE) {
        return st;
    }
    c->next_rip = off;
    if (c->real) {
        if (off > c->cpu->seg[INSN_CS].limit) {
            return insn_raise_ec0(c, INSN_VEC_GP);
        }
        set_real_segment(c, INSN_CS, sel);
        return INSN_DONE;
    }
    if (!(sel & ~3ull)) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    st = load_descriptor(c, sel, &gva, &desc);
    if (st != INSN_DONE) {
        return st;
    }
    if (!(desc & DESC_CODE_OR_DATA) || (c->cpu->efer & INSN_EFER_LMA)) {
        return insn_unsupported(c, "far JMP through a gate or in long mode");
    }
    /* At CPL 0 */
    same = desc_dpl(desc) == 0 && ((desc & DESC_CONFORMING) || !(sel & 3));
    if (!(desc & DESC_CODE) || !same) {
        return raise_selector(c, INSN_VEC_GP, sel);
    }
    if (!(desc & DESC_PRESENT)) {
        return raise_selector(c, INSN_VEC_NP, sel);
    }
    st = mark_accessed(c, gva, desc);
    if (st == INSN_DONE) {
        set_segment(c, INSN_CS, sel & ~3, desc);
    }
    return st;
}
