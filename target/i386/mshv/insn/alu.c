/*
 * x86 instruction emulator: ADD to CMP, TEST, INC, DEC, NEG, NOT, ADCX, ADOX
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

#define ALU_CMP 7

/* By the number that opcodes and ModRM.reg have for them; CMP stores nothing */
static insn_alu_fn *const alu[8] = {
    insn_alu_add, insn_alu_or, insn_alu_adc, insn_alu_sbb,
    insn_alu_and, insn_alu_sub, insn_alu_xor, insn_alu_sub,
};

/* ModRM operand = ModRM operand OP src */
static enum insn_status to_rm(struct insn_ctx *c, uint64_t src)
{
    uint64_t dst, rflags = c->cpu->rflags;
    enum insn_status st;

    src &= insn_size_mask(c->opsize);
    if (c->op->arg != ALU_CMP) {
        return insn_rm_modify(c, c->opsize, alu[c->op->arg], src, NULL);
    }
    st = insn_rm_load(c, c->opsize, &dst);
    if (st == INSN_DONE) {
        insn_alu_sub(dst, src, c->opsize, &rflags);
        insn_set_flags(c, rflags);
    }
    return st;
}

/* reg = reg OP src */
static enum insn_status to_reg(struct insn_ctx *c, unsigned reg, uint64_t src)
{
    uint64_t rflags = c->cpu->rflags, val;

    val = alu[c->op->arg](insn_reg_get(c, reg, c->opsize),
                          src & insn_size_mask(c->opsize), c->opsize, &rflags);
    if (c->op->arg != ALU_CMP) {
        insn_reg_set(c, reg, c->opsize, val);
    }
    insn_set_flags(c, rflags);
    return INSN_DONE;
}

enum insn_status insn_alu_rm_reg(struct insn_ctx *c)
{
    return to_rm(c, insn_reg_get(c, c->reg, c->opsize));
}

enum insn_status insn_alu_rm_imm(struct insn_ctx *c)
{
    return to_rm(c, c->imm);
}

enum insn_status insn_alu_reg_rm(struct insn_ctx *c)
{
    uint64_t src;
    enum insn_status st = insn_rm_load(c, c->opsize, &src);

    return st == INSN_DONE ? to_reg(c, c->reg, src) : st;
}

enum insn_status insn_alu_acc_imm(struct insn_ctx *c)
{
    return to_reg(c, INSN_RAX, c->imm);
}

static enum insn_status test(struct insn_ctx *c, uint64_t a, uint64_t b)
{
    insn_set_flags(c, insn_flags_logic(a & b, c->opsize, c->cpu->rflags));
    return INSN_DONE;
}

enum insn_status insn_test_rm_reg(struct insn_ctx *c)
{
    uint64_t val;
    enum insn_status st = insn_rm_load(c, c->opsize, &val);

    return st == INSN_DONE
           ? test(c, val, insn_reg_get(c, c->reg, c->opsize)) : st;
}

enum insn_status insn_test_rm_imm(struct insn_ctx *c)
{
    uint64_t val;
    enum insn_status st = insn_rm_load(c, c->opsize, &val);

    return st == INSN_DONE ? test(c, val, c->imm) : st;
}

enum insn_status insn_test_acc_imm(struct insn_ctx *c)
{
    return test(c, insn_reg_get(c, INSN_RAX, c->opsize), c->imm);
}

static uint64_t alu_inc(uint64_t dst, uint64_t src, unsigned size,
                        uint64_t *rflags)
{
    uint64_t cf = *rflags & INSN_CF;
    uint64_t res = insn_alu_add(dst, src, size, rflags);

    *rflags = (*rflags & ~(uint64_t)INSN_CF) | cf;
    return res;
}

static uint64_t alu_dec(uint64_t dst, uint64_t src, unsigned size,
                        uint64_t *rflags)
{
    uint64_t cf = *rflags & INSN_CF;
    uint64_t res = insn_alu_sub(dst, src, size, rflags);

    *rflags = (*rflags & ~(uint64_t)INSN_CF) | cf;
    return res;
}

static uint64_t alu_neg(uint64_t dst, uint64_t src, unsigned size,
                        uint64_t *rflags)
{
    return insn_alu_sub(src, dst, size, rflags);
}

static uint64_t alu_not(uint64_t dst, uint64_t src, unsigned size,
                        uint64_t *rflags)
{
    (void)src;
    (void)size;
    (void)rflags;
    return ~dst;
}

enum insn_status insn_inc(struct insn_ctx *c)
{
    return insn_rm_modify(c, c->opsize, alu_inc, 1, NULL);
}

enum insn_status insn_dec(struct insn_ctx *c)
{
    return insn_rm_modify(c, c->opsize, alu_dec, 1, NULL);
}

enum insn_status insn_neg(struct insn_ctx *c)
{
    return insn_rm_modify(c, c->opsize, alu_neg, 0, NULL);
}

enum insn_status insn_not(struct insn_ctx *c)
{
    return insn_rm_modify(c, c->opsize, alu_not, 0, NULL);
}

/* reg += src + @flag, with the carry out to @flag and no other flag changed. */
static enum insn_status add_with(struct insn_ctx *c, uint64_t flag)
{
    uint64_t rflags, src, val;
    enum insn_status st;

    c->opsize = c->opsize == 8 ? 8 : 4;     /* 66 is part of the opcode */
    st = insn_rm_load(c, c->opsize, &src);
    if (st != INSN_DONE) {
        return st;
    }
    rflags = c->cpu->rflags & flag ? INSN_CF : 0;
    val = insn_alu_adc(insn_reg_get(c, c->reg, c->opsize), src, c->opsize,
                       &rflags);
    insn_reg_set(c, c->reg, c->opsize, val);
    insn_set_flags(c, (c->cpu->rflags & ~flag) |
                      (rflags & INSN_CF ? flag : 0));
    return INSN_DONE;
}

enum insn_status insn_adcx(struct insn_ctx *c)
{
    return add_with(c, INSN_CF);
}

enum insn_status insn_adox(struct insn_ctx *c)
{
    return add_with(c, INSN_OF);
}
