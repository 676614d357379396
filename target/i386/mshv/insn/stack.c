/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: PUSH, POP, near CALL, JMP and RET
 *
 * For stacks in MMIO, operands in MMIO, and pointers in MMIO.
 */

#include "internal.h"

/* Size of the stack pointer: SP, ESP or RSP. */
unsigned insn_stack_size(const struct insn_ctx *c)
{
    if (c->mode == 8) {
        return 8;
    }
    return c->cpu->seg[INSN_SS].attr & INSN_SEG_DB ? 4 : 2;
}

void insn_set_sp(struct insn_ctx *c, uint64_t sp)
{
    unsigned size = insn_stack_size(c);
    uint64_t mask = insn_size_mask(size);
    uint64_t *rsp = &c->cpu->gpr[INSN_RSP];

    *rsp = size == 2 ? (*rsp & ~mask) | (sp & mask) : sp & mask;
    c->cpu->dirty_gpr |= 1u << INSN_RSP;
}

enum insn_status insn_stack_resolve(struct insn_ctx *c, uint64_t sp,
                                    unsigned len, bool write,
                                    struct insn_mem *m)
{
    return insn_resolve(c, INSN_SS, sp & insn_size_mask(insn_stack_size(c)),
                        len, write, m);
}

enum insn_status insn_push(struct insn_ctx *c, uint64_t val)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP] - c->opsize;
    struct insn_mem m;
    enum insn_status st = insn_stack_resolve(c, sp, c->opsize, true, &m);

    if (st == INSN_DONE) {
        st = insn_mem_write(c, &m, &val);
    }
    if (st == INSN_DONE) {
        insn_set_sp(c, sp);
    }
    return st;
}

enum insn_status insn_top(struct insn_ctx *c, uint64_t sp, uint64_t *val)
{
    struct insn_mem m;
    enum insn_status st = insn_stack_resolve(c, sp, c->opsize, false, &m);

    *val = 0;
    return st == INSN_DONE ? insn_mem_read(c, &m, val) : st;
}

static unsigned opcode_reg(const struct insn_ctx *c)
{
    return (c->opcode & 7) | c->rex_b;
}

enum insn_status insn_push_reg(struct insn_ctx *c)
{
    return insn_push(c, insn_gpr_get(c, opcode_reg(c), c->opsize));
}

enum insn_status insn_push_imm(struct insn_ctx *c)
{
    return insn_push(c, c->imm);
}

enum insn_status insn_push_rm(struct insn_ctx *c)
{
    uint64_t val;
    enum insn_status st = insn_rm_load(c, c->opsize, &val);

    return st == INSN_DONE ? insn_push(c, val) : st;
}

/* RF and VM are pushed as zero. */
enum insn_status insn_pushf(struct insn_ctx *c)
{
    if ((c->cpu->rflags & INSN_VM) &&
        (c->cpu->rflags >> INSN_IOPL_SHIFT & 3) != 3) {
        return insn_unsupported(c, "PUSHF in virtual-8086 mode");
    }
    return insn_push(c, c->cpu->rflags & ~(uint64_t)(INSN_RF | INSN_VM));
}

enum insn_status insn_pop_reg(struct insn_ctx *c)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP], val;
    enum insn_status st = insn_top(c, sp, &val);

    if (st == INSN_DONE) {
        insn_set_sp(c, sp + c->opsize);
        insn_gpr_set(c, opcode_reg(c), c->opsize, val);
    }
    return st;
}

enum insn_status insn_pop_rm(struct insn_ctx *c)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP], val;
    enum insn_status st = insn_top(c, sp, &val);

    if (st != INSN_DONE) {
        return st;
    }
    if (!c->mem) {
        insn_set_sp(c, sp + c->opsize);
        return insn_rm_store(c, c->opsize, val);
    }
    st = insn_rm_store(c, c->opsize, val);
    if (st == INSN_DONE) {
        insn_set_sp(c, sp + c->opsize);
    }
    return st;
}

enum insn_status insn_leave(struct insn_ctx *c)
{
    uint64_t sp = c->cpu->gpr[INSN_RBP], val;
    enum insn_status st = insn_top(c, sp, &val);

    if (st == INSN_DONE) {
        insn_set_sp(c, sp + c->opsize);
        insn_gpr_set(c, INSN_RBP, c->opsize, val);
    }
    return st;
}

/* May a near branch go to @target?  Shadow stacks are not emulated. */
static enum insn_status check_target(struct insn_ctx *c, uint64_t target)
{
    if (c->cpu->cr4 & INSN_CR4_CET) {
        return insn_unsupported(c, "near branch with CR4.CET set");
    }
    if (c->mode == 8 ? !insn_canonical(c->cpu, target)
                     : target > c->cpu->seg[INSN_CS].limit) {
        return insn_raise_ec0(c, INSN_VEC_GP);
    }
    return INSN_DONE;
}

static enum insn_status call(struct insn_ctx *c, uint64_t target)
{
    enum insn_status st = check_target(c, target);

    if (st == INSN_DONE) {
        st = insn_push(c, c->next_rip);
    }
    if (st == INSN_DONE) {
        c->next_rip = target;
    }
    return st;
}

enum insn_status insn_call_rel(struct insn_ctx *c)
{
    return call(c, (c->next_rip + c->imm) & insn_size_mask(c->opsize));
}

enum insn_status insn_call_rm(struct insn_ctx *c)
{
    uint64_t target;
    enum insn_status st = insn_rm_load(c, c->opsize, &target);

    return st == INSN_DONE ? call(c, target) : st;
}

enum insn_status insn_jmp_rm(struct insn_ctx *c)
{
    uint64_t target;
    enum insn_status st = insn_rm_load(c, c->opsize, &target);

    if (st == INSN_DONE) {
        st = check_target(c, target);
    }
    if (st == INSN_DONE) {
        c->next_rip = target;
    }
    return st;
}

static enum insn_status ret(struct insn_ctx *c, unsigned release)
{
    uint64_t sp = c->cpu->gpr[INSN_RSP], target;
    enum insn_status st = insn_top(c, sp, &target);

    if (st == INSN_DONE) {
        st = check_target(c, target);
    }
    if (st == INSN_DONE) {
        insn_set_sp(c, sp + c->opsize + release);
        c->next_rip = target;
    }
    return st;
}

enum insn_status insn_ret(struct insn_ctx *c)
{
    return ret(c, 0);
}

enum insn_status insn_ret_imm(struct insn_ctx *c)
{
    return ret(c, c->imm & 0xffff);
}
