/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: MOV and its relatives, SETcc, CMOVcc, cache hints
 */

#include "internal.h"

enum insn_status insn_mov_rm_reg(struct insn_ctx *c)
{
    return insn_rm_store(c, c->opsize, insn_reg_get(c, c->reg, c->opsize));
}

enum insn_status insn_mov_reg_rm(struct insn_ctx *c)
{
    uint64_t val;
    enum insn_status st = insn_rm_load(c, c->opsize, &val);

    if (st == INSN_DONE) {
        insn_reg_set(c, c->reg, c->opsize, val);
    }
    return st;
}

enum insn_status insn_mov_rm_imm(struct insn_ctx *c)
{
    return insn_rm_store(c, c->opsize, c->imm);
}

enum insn_status insn_mov_acc_moffs(struct insn_ctx *c)
{
    uint64_t val;
    enum insn_status st = insn_rm_load(c, c->opsize, &val);

    if (st == INSN_DONE) {
        insn_gpr_set(c, INSN_RAX, c->opsize, val);
    }
    return st;
}

enum insn_status insn_mov_moffs_acc(struct insn_ctx *c)
{
    return insn_rm_store(c, c->opsize,
                         insn_gpr_get(c, INSN_RAX, c->opsize));
}

/* In memory a selector is always 16 bits; in a register it is zero-extended. */
enum insn_status insn_mov_rm_sreg(struct insn_ctx *c)
{
    unsigned sreg = c->reg & 7;

    if (sreg >= INSN_NSEGS) {
        return insn_raise(c, INSN_VEC_UD);
    }
    return insn_rm_store(c, c->mem ? 2 : c->opsize,
                         c->cpu->seg[sreg].selector);
}

/* .arg: size of the source in bytes */
enum insn_status insn_movzx(struct insn_ctx *c)
{
    uint64_t val;
    enum insn_status st = insn_rm_load(c, c->op->arg, &val);

    if (st == INSN_DONE) {
        insn_gpr_set(c, c->reg, c->opsize, val);
    }
    return st;
}

enum insn_status insn_movsx(struct insn_ctx *c)
{
    uint64_t val;
    enum insn_status st = insn_rm_load(c, c->op->arg, &val);

    if (st == INSN_DONE) {
        insn_gpr_set(c, c->reg, c->opsize,
                     insn_sign_extend(val, c->op->arg));
    }
    return st;
}

/* With 66 the source is of 16 or of 32 bits. */
enum insn_status insn_movsxd(struct insn_ctx *c)
{
    unsigned size = c->opsize == 2 && insn_habits(c)->movsxd_reads_16 ? 2 : 4;
    uint64_t val;
    enum insn_status st;

    st = insn_rm_load(c, size, &val);
    if (st == INSN_DONE) {
        insn_gpr_set(c, c->reg, c->opsize, insn_sign_extend(val, size));
    }
    return st;
}

/* MOVNTI and MOVDIRI: the size is that of REX.W alone. */
enum insn_status insn_movnti(struct insn_ctx *c)
{
    unsigned size = c->opsize == 8 ? 8 : 4;

    return insn_rm_store(c, size, insn_gpr_get(c, c->reg, size));
}

static uint64_t swap_bytes(uint64_t val, unsigned size)
{
    return __builtin_bswap64(val) >> (64 - size * 8);
}

/* .arg: the memory operand is the destination */
enum insn_status insn_movbe(struct insn_ctx *c)
{
    enum insn_status st;
    uint64_t val;

    if (c->op->arg) {
        val = insn_gpr_get(c, c->reg, c->opsize);
        return insn_rm_store(c, c->opsize, swap_bytes(val, c->opsize));
    }
    st = insn_rm_load(c, c->opsize, &val);
    if (st == INSN_DONE) {
        insn_gpr_set(c, c->reg, c->opsize, swap_bytes(val, c->opsize));
    }
    return st;
}

/* 64 bytes from the ModRM operand to ES:reg, which must be aligned. */
enum insn_status insn_movdir64b(struct insn_ctx *c)
{
    uint64_t dst = insn_gpr_get(c, c->reg, c->adsize), gva;
    struct insn_mem from, to;
    enum insn_status st;
    uint8_t buf[64];

    st = insn_resolve_ea(c, 64, false, &from);
    if (st == INSN_DONE) {
        st = insn_linear(c, INSN_ES, dst, 64, true, &gva);
    }
    if (st == INSN_DONE && (gva & 63)) {
        st = insn_raise_ec0(c, INSN_VEC_GP);
    }
    if (st == INSN_DONE) {
        st = insn_resolve(c, INSN_ES, dst, 64, true, &to);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &from, buf);
    }
    return st == INSN_DONE ? insn_mem_write(c, &to, buf) : st;
}

enum insn_status insn_xlatb(struct insn_ctx *c)
{
    uint64_t off = c->cpu->gpr[INSN_RBX] + (c->cpu->gpr[INSN_RAX] & 0xff);

    c->mem = true;
    c->seg = c->seg_override != INSN_NSEGS ? c->seg_override : INSN_DS;
    c->ea = off & insn_size_mask(c->adsize);
    return insn_mov_acc_moffs(c);
}

enum insn_status insn_setcc(struct insn_ctx *c)
{
    return insn_rm_store(c, 1, insn_condition(c->cpu->rflags, c->opcode));
}

/* The source is read, and may fault, whatever the condition is. */
enum insn_status insn_cmovcc(struct insn_ctx *c)
{
    uint64_t val;
    enum insn_status st = insn_rm_load(c, c->opsize, &val);

    if (st == INSN_DONE) {
        if (!insn_condition(c->cpu->rflags, c->opcode)) {
            val = insn_gpr_get(c, c->reg, c->opsize);
        }
        insn_gpr_set(c, c->reg, c->opsize, val);
    }
    return st;
}

/* NOP and PREFETCH do not touch their operand, not even to translate it. */
enum insn_status insn_nop(struct insn_ctx *c)
{
    (void)c;
    return INSN_DONE;
}

/* CLFLUSH, CLFLUSHOPT and CLWB fault like a load of one byte. */
enum insn_status insn_clflush(struct insn_ctx *c)
{
    struct insn_mem m;

    return insn_resolve_ea(c, 1, false, &m);
}

/* Without 66 this is XSAVEOPT. */
enum insn_status insn_clwb(struct insn_ctx *c)
{
    return c->pp == PP_66 ? insn_clflush(c)
                          : insn_unsupported(c, "XSAVEOPT");
}
