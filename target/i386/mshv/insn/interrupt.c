/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: INT, INT3, INTO
 */

#include "internal.h"

/* Kinds of gates in the IDT */
enum { TASK_GATE = 5, INT_GATE_16 = 6, TRAP_GATE_16 = 7, INT_GATE_32 = 14,
       TRAP_GATE_32 = 15 };

#define CONFORMING      4

static bool long_mode(const struct insn_ctx *c)
{
    return c->cpu->efer & INSN_EFER_LMA;
}

/* A fault that a vector's gate is to blame for */
static enum insn_status bad_gate(struct insn_ctx *c, enum insn_vector fault,
                                 unsigned vector)
{
    enum insn_status st = insn_raise_ec0(c, fault);

    c->res->fault.error_code = vector * 8 + 2;
    return st;
}

/* @len bytes at @off in a table or a task's state, 0 if it is not so long */
static enum insn_status read_at(struct insn_ctx *c, const struct insn_seg *t,
                                uint64_t off, unsigned len, void *val,
                                bool *there)
{
    uint64_t gva = t->base + off;
    struct insn_mem m;
    enum insn_status st;

    *there = off + len - 1 <= t->limit;
    if (!*there) {
        return INSN_DONE;
    }
    if (!long_mode(c)) {
        gva = (uint32_t)gva;
    }
    st = insn_resolve_system(c, gva, len, false, &m);
    return st == INSN_DONE ? insn_mem_read(c, &m, val) : st;
}

static enum insn_status find_gate(struct insn_ctx *c, unsigned vector,
                                  struct insn_desc *gate)
{
    unsigned size = c->real ? 4 : long_mode(c) ? 16 : 8;
    uint64_t val[2] = { 0 };
    struct insn_seg idt;
    enum insn_status st;
    bool there;
    int ret = c->ops->read_system(c->opaque, INSN_IDTR, &idt);

    if (ret < 0) {
        return insn_error(c, ret);
    }
    st = read_at(c, &idt, vector * size, size, val, &there);
    if (st == INSN_DONE && !there) {
        return bad_gate(c, INSN_VEC_GP, vector);
    }
    *gate = (struct insn_desc) { .low = val[0], .high = val[1] };
    return st;
}

static enum insn_status real_interrupt(struct insn_ctx *c, unsigned vector)
{
    const struct insn_cpu before = *c->cpu;
    struct insn_seg *cs = &c->cpu->seg[INSN_CS];
    const uint64_t frame[] = { before.rflags, cs->selector, c->next_rip };
    struct insn_desc gate;
    enum insn_status st = find_gate(c, vector, &gate);

    c->opsize = 2;
    if (st == INSN_DONE) {
        st = insn_push_words(c, 3, frame);
    }
    if (st == INSN_DONE) {
        cs->selector = gate.low >> 16 & 0xffff;
        cs->base = cs->selector << 4;
        c->cpu->dirty_seg |= 1u << INSN_CS;
        c->next_rip = gate.low & 0xffff;
        insn_set_flags(c, before.rflags & ~(uint64_t)(INSN_IF | INSN_TF |
                                                      INSN_AC | INSN_RF));
    }
    return insn_or_undo(c, &before, st);
}

/* The stack that the task's state has for level @cpl, or for @ist */
static enum insn_status new_stack(struct insn_ctx *c, unsigned cpl,
                                  unsigned ist, uint64_t *sp, uint16_t *ss)
{
    struct insn_seg tss;
    enum insn_status st;
    bool there, there2 = true, wide;
    int ret = c->ops->read_system(c->opaque, INSN_TR, &tss);

    if (ret < 0) {
        return insn_error(c, ret);
    }
    *sp = *ss = 0;
    wide = (tss.attr & INSN_SEG_TYPE) == 11;
    if (long_mode(c)) {
        st = read_at(c, &tss, ist ? 28 + 8 * ist : 4 + 8 * cpl, 8, sp, &there);
    } else {
        unsigned at = wide ? 4 + 8 * cpl : 2 + 4 * cpl, len = wide ? 4 : 2;

        st = read_at(c, &tss, at, len, sp, &there);
        if (st == INSN_DONE) {
            st = read_at(c, &tss, at + len, 2, ss, &there2);
        }
    }
    if (st == INSN_DONE && !(there && there2)) {
        return insn_raise_selector(c, INSN_VEC_TS, tss.selector);
    }
    return st;
}

static enum insn_status load_stack(struct insn_ctx *c, unsigned cpl,
                                   uint16_t sel)
{
    struct insn_seg seg = {
        .selector = cpl, .attr = cpl << INSN_SEG_DPL_SHIFT,
    };
    enum insn_status st = INSN_DONE;

    c->cpu->cpl = cpl;
    if (!long_mode(c)) {
        st = insn_load_data_segment(c, INSN_SS, sel, &seg);
        if (st == INSN_FAULT && c->res->fault.vector == INSN_VEC_GP) {
            st = insn_raise_selector(c, INSN_VEC_TS, sel);
        }
    }
    if (st == INSN_DONE) {
        insn_set_segment(c, INSN_SS, &seg);
    }
    return st;
}

/* To the handler: its code, its stack, and what is pushed onto it. */
static enum insn_status enter_handler(struct insn_ctx *c,
                                      const struct insn_desc *gate,
                                      struct insn_desc *code, unsigned cpl)
{
    const struct insn_cpu *cpu = c->cpu;
    unsigned ist = long_mode(c) ? gate->low >> 32 & 7 : 0;
    bool inner = cpl < cpu->cpl, all = inner || long_mode(c);
    const uint64_t frame[] = {
        cpu->seg[INSN_SS].selector, cpu->gpr[INSN_RSP], cpu->rflags,
        cpu->seg[INSN_CS].selector, c->next_rip,
    };
    uint64_t off = (gate->low & 0xffff) | gate->high << 32, sp;
    bool wide = insn_desc_type(gate) & 8;
    enum insn_status st = INSN_DONE;
    uint16_t ss;

    off |= wide ? gate->low >> 32 & 0xffff0000 : 0;
    c->opsize = wide ? 4 : 2;
    if (long_mode(c)) {
        c->mode = 8;            /* the handler's */
        c->opsize = 8;
    }
    if (inner || ist) {
        st = new_stack(c, cpl, ist, &sp, &ss);
        if (st == INSN_DONE && inner) {
            st = load_stack(c, cpl, ss);
        }
        if (st == INSN_DONE) {
            insn_set_sp(c, sp);
        }
    }
    if (st == INSN_DONE) {
        st = insn_enter_code(c, code, off, cpl);
    }
    if (st != INSN_DONE) {
        return st;
    }
    if (long_mode(c)) {
        insn_set_sp(c, cpu->gpr[INSN_RSP] & ~15ull);
    }
    return insn_push_words(c, all ? 5 : 3, all ? frame : frame + 2);
}

static enum insn_status interrupt(struct insn_ctx *c, unsigned vector)
{
    const struct insn_cpu before = *c->cpu;
    uint64_t clear = INSN_TF | INSN_NT | INSN_RF;
    struct insn_desc gate, code;
    unsigned type, cpl = before.cpl;
    enum insn_status st = find_gate(c, vector, &gate);

    if (st != INSN_DONE) {
        return st;
    }
    type = insn_desc_type(&gate);
    if (type == TASK_GATE && !long_mode(c)) {
        return insn_unsupported(c, "task switch");
    }
    if ((type | 8 | 1) != TRAP_GATE_32 || (long_mode(c) && !(type & 8)) ||
        (gate.low & INSN_DESC_S) || insn_desc_dpl(&gate) < before.cpl) {
        return bad_gate(c, INSN_VEC_GP, vector);
    }
    if (!(gate.low & INSN_DESC_PRESENT)) {
        return bad_gate(c, INSN_VEC_NP, vector);
    }
    st = insn_get_descriptor(c, gate.low >> 16 & 0xffff, &code);
    if (st != INSN_DONE) {
        return st;
    }
    if (!(code.low & INSN_DESC_S) || !(code.low & INSN_DESC_CODE) ||
        insn_desc_dpl(&code) > before.cpl ||
        (long_mode(c) && !(code.low >> 53 & 1))) {
        return insn_raise_selector(c, INSN_VEC_GP, code.sel);
    }
    if (!(insn_desc_type(&code) & CONFORMING)) {
        cpl = insn_desc_dpl(&code);
    }
    st = enter_handler(c, &gate, &code, cpl);
    if (st == INSN_DONE) {
        clear |= type & 1 ? 0 : INSN_IF;
        insn_set_flags(c, before.rflags & ~clear);
    }
    return insn_or_undo(c, &before, st);
}

/* .arg: the vector, 0 for an immediate */
enum insn_status insn_int(struct insn_ctx *c)
{
    unsigned vector = c->op->arg ? c->op->arg : c->imm & 0xff;

    if (c->op->arg == 4 && !(c->cpu->rflags & INSN_OF)) {
        return INSN_DONE;               /* INTO */
    }
    if (c->cpu->rflags & INSN_VM) {
        return insn_unsupported(c, "INT in virtual-8086 mode");
    }
    if (c->cpu->cr4 & INSN_CR4_CET) {
        return insn_unsupported(c, "INT with CR4.CET set");
    }
    return c->real ? real_interrupt(c, vector) : interrupt(c, vector);
}
