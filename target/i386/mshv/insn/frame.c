/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: ENTER, PUSHA, POPA, POPF
 */

#include "internal.h"

/* All of it is resolved before the first is read or written. */
struct frame {
    unsigned n;
    struct insn_mem word[33];
};

/* Words from @sp up (or, below @sp, down), of the operand's size */
static enum insn_status resolve_word(struct insn_ctx *c, struct frame *f,
                                     uint64_t at, bool write)
{
    return insn_stack_resolve(c, at, c->opsize, write, &f->word[f->n++]);
}

/* RAX, RCX, RDX, RBX, RSP as it was, RBP, RSI, RDI */
enum insn_status insn_pusha(struct insn_ctx *c)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP];
    struct frame f = { 0 };
    enum insn_status st = INSN_DONE;
    unsigned i;

    for (i = 0; i < 8 && st == INSN_DONE; i++) {
        st = resolve_word(c, &f, sp - (i + 1) * c->opsize, true);
    }
    for (i = 0; i < 8 && st == INSN_DONE; i++) {
        st = insn_mem_write(c, &f.word[i], &c->cpu->gpr[i]);
    }
    if (st == INSN_DONE) {
        insn_set_sp(c, sp - 8 * c->opsize);
    }
    return st;
}

enum insn_status insn_popa(struct insn_ctx *c)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP], val[8] = { 0 };
    struct frame f = { 0 };
    enum insn_status st = INSN_DONE;
    unsigned i;

    for (i = 0; i < 8 && st == INSN_DONE; i++) {
        st = resolve_word(c, &f, sp + (7 - i) * c->opsize, false);
    }
    for (i = 0; i < 8 && st == INSN_DONE; i++) {
        st = insn_mem_read(c, &f.word[i], &val[i]);
    }
    if (st != INSN_DONE) {
        return st;
    }
    for (i = 0; i < 8; i++) {
        if (i != INSN_RSP) {
            insn_gpr_set(c, i, c->opsize, val[i]);
        }
    }
    insn_set_sp(c, sp + 8 * c->opsize);
    return INSN_DONE;
}

uint64_t insn_popf_mask(const struct insn_ctx *c)
{
    unsigned iopl = c->cpu->rflags >> INSN_IOPL_SHIFT & 3;
    uint64_t mask = INSN_ARITH_FLAGS | INSN_TF | INSN_DF | INSN_NT | INSN_AC |
                    INSN_ID;

    if (c->cpu->cpl <= iopl) {
        mask |= INSN_IF;
    }
    if (!c->cpu->cpl) {
        mask |= 3u << INSN_IOPL_SHIFT;
    }
    return c->opsize == 2 ? mask & 0xffff : mask;
}

enum insn_status insn_popf(struct insn_ctx *c)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP], mask = insn_popf_mask(c), val;
    enum insn_status st;

    if ((c->cpu->rflags & INSN_VM) &&
        (c->cpu->rflags >> INSN_IOPL_SHIFT & 3) != 3) {
        return insn_unsupported(c, "POPF in virtual-8086 mode");
    }
    st = insn_top(c, sp, &val);
    if (st == INSN_DONE) {
        insn_set_sp(c, sp + c->opsize);
        insn_set_flags(c, (c->cpu->rflags & ~mask) | (val & mask));
    }
    return st;
}

/*
 * ENTER: save RBP, copy the frame pointers of @level - 1 outer procedures, add
 * the own one, and leave room.  The new top must be writable.
 */
enum insn_status insn_enter(struct insn_ctx *c)
{
    unsigned size = c->opsize, level = c->imm >> 16 & 31, n = 1 + level, i;
    uint64_t sp = c->cpu->gpr[INSN_RSP], bp = c->cpu->gpr[INSN_RBP];
    uint64_t own = sp - size, end = sp - n * size - (c->imm & 0xffff);
    uint64_t val[33] = { bp };
    struct frame f = { 0 };
    struct insn_mem m;
    enum insn_status st = INSN_DONE;

    for (i = 1; i < level && st == INSN_DONE; i++) {
        st = insn_top(c, bp - i * size, &val[i]);
    }
    val[level ? level : 0] = level ? own : bp;
    for (i = 0; i < n && st == INSN_DONE; i++) {
        st = resolve_word(c, &f, sp - (i + 1) * size, true);
    }
    if (st == INSN_DONE) {
        st = insn_stack_resolve(c, end, size, true, &m);
    }
    for (i = 0; i < n && st == INSN_DONE; i++) {
        st = insn_mem_write(c, &f.word[i], &val[i]);
    }
    if (st == INSN_DONE) {
        insn_gpr_set(c, INSN_RBP, size, own);
        insn_set_sp(c, end);
    }
    return st;
}
