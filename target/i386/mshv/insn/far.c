/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: far JMP, CALL and RET, IRET
 *
 * Registers are changed on the way, and put back if it ends in a fault; memory
 * is written when nothing can fault any more, but for accessed bits.
 */

#include "internal.h"

#define ACCESSED        1       /* of a descriptor's type */
#define CONFORMING      4
#define CALL_GATE_16    4
#define CALL_GATE_32    12

static bool long_mode(const struct insn_ctx *c)
{
    return c->cpu->efer & INSN_EFER_LMA;
}

enum insn_status insn_or_undo(struct insn_ctx *c,
                              const struct insn_cpu *before,
                              enum insn_status st)
{
    if (st != INSN_DONE) {
        *c->cpu = *before;
    }
    return st;
}

enum insn_status insn_push_words(struct insn_ctx *c, unsigned n,
                                 const uint64_t *val)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP];
    struct insn_mem m[INSN_MAX_WORDS];
    enum insn_status st = INSN_DONE;
    unsigned i;

    for (i = 0; i < n && st == INSN_DONE; i++) {
        st = insn_stack_resolve(c, sp - (i + 1) * c->opsize, c->opsize, true,
                                &m[i]);
    }
    for (i = 0; i < n && st == INSN_DONE; i++) {
        st = insn_mem_write(c, &m[i], &val[i]);
    }
    if (st == INSN_DONE) {
        insn_set_sp(c, sp - n * c->opsize);
    }
    return st;
}

/* The first is the stack's top; the stack pointer stays. */
static enum insn_status top_words(struct insn_ctx *c, uint64_t sp, unsigned n,
                                  uint64_t *val)
{
    enum insn_status st = INSN_DONE;
    unsigned i;

    for (i = 0; i < n && st == INSN_DONE; i++) {
        st = insn_top(c, sp + i * c->opsize, &val[i]);
    }
    return st;
}

enum insn_status insn_enter_code(struct insn_ctx *c, struct insn_desc *d,
                                 uint64_t off, unsigned cpl)
{
    struct insn_seg seg = insn_desc_segment(d);
    bool l = long_mode(c) && (seg.attr & INSN_SEG_L);
    enum insn_status st;

    if (l && (seg.attr & INSN_SEG_DB)) {
        return insn_raise_selector(c, INSN_VEC_GP, d->sel);
    }
    if (!(d->low & INSN_DESC_PRESENT)) {
        return insn_raise_selector(c, INSN_VEC_NP, d->sel);
    }
    if (l ? !insn_canonical(c->cpu, off) : off > seg.limit) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    st = insn_mark_descriptor(c, d, ACCESSED);
    if (st == INSN_DONE) {
        seg = insn_desc_segment(d);
        seg.selector = (seg.selector & ~3) | cpl;
        insn_set_segment(c, INSN_CS, &seg);
        c->next_rip = off;
    }
    return st;
}

/* Real and virtual-8086 mode */
static enum insn_status enter_real(struct insn_ctx *c, uint16_t sel,
                                   uint64_t off)
{
    struct insn_seg *cs = &c->cpu->seg[INSN_CS];

    if (off > cs->limit) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    cs->selector = sel;
    cs->base = sel << 4;
    c->cpu->dirty_seg |= 1u << INSN_CS;
    c->next_rip = off;
    return INSN_DONE;
}

static bool is_code(const struct insn_desc *d)
{
    return (d->low & INSN_DESC_S) && (d->low & INSN_DESC_CODE);
}

/* A call gate, in *@d, becomes the code segment and offset that it names. */
static enum insn_status through_gate(struct insn_ctx *c, struct insn_desc *d,
                                     uint64_t *off)
{
    unsigned type = insn_desc_type(d);
    struct insn_desc gate = *d;
    enum insn_status st;

    if (type != CALL_GATE_32 && (type != CALL_GATE_16 || long_mode(c))) {
        return insn_unsupported(c, "task switch");
    }
    if (!insn_desc_data_allowed(c, &gate)) {
        return insn_raise_selector(c, INSN_VEC_GP, gate.sel);
    }
    if (!(gate.low & INSN_DESC_PRESENT)) {
        return insn_raise_selector(c, INSN_VEC_NP, gate.sel);
    }
    *off = (gate.low & 0xffff) | (gate.low >> 32 & 0xffff0000) |
           gate.high << 32;
    if (type == CALL_GATE_16) {
        *off &= 0xffff;
    }
    c->opsize = long_mode(c) ? 8 : type == CALL_GATE_32 ? 4 : 2;
    st = insn_get_descriptor(c, gate.low >> 16 & 0xffff, d);
    if (st != INSN_DONE) {
        return st;
    }
    if (!is_code(d) || insn_desc_dpl(d) > c->cpu->cpl ||
        (long_mode(c) && !(d->low >> 53 & 1))) {
        return insn_raise_selector(c, INSN_VEC_GP, d->sel);
    }
    if (!(insn_desc_type(d) & CONFORMING) &&
        insn_desc_dpl(d) < c->cpu->cpl) {
        return insn_unsupported(c, "call gate to an inner level");
    }
    return INSN_DONE;
}

/* What JMP and CALL may go to at this CPL */
static enum insn_status find_code(struct insn_ctx *c, uint16_t sel,
                                  struct insn_desc *d, uint64_t *off)
{
    enum insn_status st = insn_get_descriptor(c, sel, d);
    unsigned dpl = insn_desc_dpl(d), cpl = c->cpu->cpl;

    if (st != INSN_DONE) {
        return st;
    }
    if (!(d->low & INSN_DESC_S)) {
        return through_gate(c, d, off);
    }
    if (!is_code(d) ||
        (insn_desc_type(d) & CONFORMING ? dpl > cpl
                                        : dpl != cpl || (sel & 3u) > cpl)) {
        return insn_raise_selector(c, INSN_VEC_GP, sel);
    }
    return INSN_DONE;
}

static enum insn_status branch(struct insn_ctx *c, uint16_t sel, uint64_t off,
                               bool call)
{
    const struct insn_cpu before = *c->cpu;
    const uint64_t back[] = { before.seg[INSN_CS].selector, c->next_rip };
    struct insn_desc d;
    enum insn_status st;

    if (c->cpu->cr4 & INSN_CR4_CET) {
        return insn_unsupported(c, "far branch with CR4.CET set");
    }
    if (c->real) {
        st = enter_real(c, sel, off);
    } else {
        st = find_code(c, sel, &d, &off);
        if (st == INSN_DONE) {
            st = insn_enter_code(c, &d, off, c->cpu->cpl);
        }
    }
    if (st == INSN_DONE && call) {
        st = insn_push_words(c, 2, back);
    }
    return insn_or_undo(c, &before, st);
}

/* EA, 9A: a far pointer that follows the opcode; .arg: CALL */
enum insn_status insn_far_imm(struct insn_ctx *c)
{
    uint64_t off, sel;
    enum insn_status st;

    st = insn_fetch(c, c->opsize, &off);
    if (st == INSN_DONE) {
        st = insn_fetch(c, 2, &sel);
    }
    if (st != INSN_DONE) {
        return st;
    }
    c->next_rip = (uint32_t)(c->cpu->rip + c->res->len);
    return branch(c, sel, off, c->op->arg);
}

/* FF /5, FF /3: a far pointer in memory; .arg: CALL */
enum insn_status insn_far_mem(struct insn_ctx *c)
{
    uint64_t off, sel;
    enum insn_status st = insn_load_far(c, &off, &sel);

    return st == INSN_DONE ? branch(c, sel, off, c->op->arg) : st;
}

/* The stack segment of an outer level */
static enum insn_status find_stack(struct insn_ctx *c, uint16_t sel,
                                   unsigned cpl)
{
    bool l = long_mode(c) && (c->cpu->seg[INSN_CS].attr & INSN_SEG_L);
    struct insn_seg seg = {
        .selector = sel, .attr = cpl << INSN_SEG_DPL_SHIFT,
    };
    enum insn_status st = INSN_DONE;

    c->cpu->cpl = cpl;
    if ((sel & ~3u) || !l || cpl == 3 || (sel & 3u) != cpl) {
        /* as the outer level would load it */
        unsigned mode = c->mode;

        c->mode = 4;
        st = insn_load_data_segment(c, INSN_SS, sel, &seg);
        c->mode = mode;
    }
    if (st == INSN_DONE) {
        insn_set_segment(c, INSN_SS, &seg);
    }
    return st;
}

/* What the outer level may not use is unloaded. */
static void drop_segments(struct insn_ctx *c)
{
    static const uint8_t data[] = { INSN_ES, INSN_DS, INSN_FS, INSN_GS };
    unsigned i;

    for (i = 0; i < sizeof(data); i++) {
        struct insn_seg *s = &c->cpu->seg[data[i]];
        bool conforming = (s->attr & 0x1c) == 0x1c;

        if ((s->attr & INSN_SEG_P) && !conforming &&
            (s->attr >> INSN_SEG_DPL_SHIFT & 3u) < c->cpu->cpl) {
            s->attr = s->selector = 0;
            c->cpu->dirty_seg |= 1u << data[i];
        }
    }
}

/*
 * Go back to @sel:@off; the stack pointer is then @sp, where an outer level's
 * stack pointer and SS are.  @stack: they are in any case.
 */
static enum insn_status go_back(struct insn_ctx *c, uint16_t sel, uint64_t off,
                                uint64_t sp, unsigned release, bool stack)
{
    unsigned rpl = sel & 3, cpl = c->cpu->cpl;
    uint64_t outer[2];
    struct insn_desc d;
    enum insn_status st = insn_get_descriptor(c, sel, &d);

    if (st != INSN_DONE) {
        return st;
    }
    if (!is_code(&d) || rpl < cpl ||
        (insn_desc_type(&d) & CONFORMING ? insn_desc_dpl(&d) > rpl
                                         : insn_desc_dpl(&d) != rpl)) {
        return insn_raise_selector(c, INSN_VEC_GP, sel);
    }
    stack |= rpl > cpl;
    if (stack) {
        st = top_words(c, sp, 2, outer);
    }
    if (st == INSN_DONE) {
        st = insn_enter_code(c, &d, off, rpl);
    }
    if (st != INSN_DONE || !stack) {
        insn_set_sp(c, sp);
        return st;
    }
    st = find_stack(c, outer[1], rpl);
    if (st == INSN_DONE) {
        c->mode = long_mode(c) && (c->cpu->seg[INSN_CS].attr & INSN_SEG_L)
                  ? 8 : 4;
        insn_set_sp(c, outer[0] + release);
        if (rpl > cpl) {
            drop_segments(c);
        }
    }
    return st;
}

/* CB, CA: RET; what it releases is an immediate. */
enum insn_status insn_ret_far(struct insn_ctx *c)
{
    const struct insn_cpu before = *c->cpu;
    unsigned release = c->imm & 0xffff;
    uint64_t sp = before.gpr[INSN_RSP] + 2 * c->opsize + release, val[2];
    enum insn_status st = top_words(c, before.gpr[INSN_RSP], 2, val);

    if (st == INSN_DONE && (c->cpu->cr4 & INSN_CR4_CET)) {
        return insn_unsupported(c, "far branch with CR4.CET set");
    }
    if (st == INSN_DONE && c->real) {
        st = enter_real(c, val[1], val[0]);
        insn_set_sp(c, sp);
    } else if (st == INSN_DONE) {
        st = go_back(c, val[1], val[0], sp, release, false);
    }
    return insn_or_undo(c, &before, st);
}

/* The flags that IRET takes from the stack, at the level that it leaves */
static uint64_t flags_mask(const struct insn_ctx *c)
{
    uint64_t mask = insn_popf_mask(c);

    return c->opsize == 2 ? mask : mask | INSN_RF;
}

enum insn_status insn_iret(struct insn_ctx *c)
{
    const struct insn_cpu before = *c->cpu;
    uint64_t sp = before.gpr[INSN_RSP], val[3], mask = flags_mask(c);
    bool vm = before.rflags & INSN_VM;
    enum insn_status st;

    if ((before.cr4 & INSN_CR4_CET) || (!c->real && !long_mode(c) &&
                                        (before.rflags & INSN_NT))) {
        return insn_unsupported(c, "IRET with CR4.CET or RFLAGS.NT set");
    }
    if (vm && (before.rflags >> INSN_IOPL_SHIFT & 3) != 3) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    if (before.rflags & INSN_NT && long_mode(c)) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    st = top_words(c, sp, 3, val);
    sp += 3 * c->opsize;
    if (st == INSN_DONE && !c->real && !long_mode(c) && c->opsize == 4 &&
        before.cpl == 0 && (val[2] & INSN_VM)) {
        return insn_unsupported(c, "IRET to virtual-8086 mode");
    }
    if (st == INSN_DONE && c->real) {
        st = enter_real(c, val[1], val[0]);
        insn_set_sp(c, sp);
    } else if (st == INSN_DONE) {
        st = go_back(c, val[1], val[0], sp, 0, c->mode == 8);
    }
    if (st == INSN_DONE) {
        insn_set_flags(c, (before.rflags & ~mask) | (val[2] & mask));
        c->keep_rf = true;
        c->cpu->dirty |= INSN_DIRTY_NMI;
    }
    return insn_or_undo(c, &before, st);
}
