/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: the one-byte and 0F opcode maps
 */

#include "internal.h"

enum {
    M = IF_MODRM,
    B = IF_BYTE,
    L = IF_LOCK,
    IB = IF_IMM8,
    IZ = IF_IMMZ,
    G = IF_MODRM | IF_GROUP,
    S = IF_MODRM | IF_MEM,
    D = IF_MODRM | IF_SYSTEM | IF_PROT,
};

/* 80 to 83: by ModRM.reg; CMP cannot be locked */
static const struct insn_opcode group1_byte[8] = {
    { insn_alu_rm_imm, M | B | L | IB, 0 },
    { insn_alu_rm_imm, M | B | L | IB, 1 },
    { insn_alu_rm_imm, M | B | L | IB, 2 },
    { insn_alu_rm_imm, M | B | L | IB, 3 },
    { insn_alu_rm_imm, M | B | L | IB, 4 },
    { insn_alu_rm_imm, M | B | L | IB, 5 },
    { insn_alu_rm_imm, M | B | L | IB, 6 },
    { insn_alu_rm_imm, M | B | IB, 7 },
};

static const struct insn_opcode group1_immz[8] = {
    { insn_alu_rm_imm, M | L | IZ, 0 },
    { insn_alu_rm_imm, M | L | IZ, 1 },
    { insn_alu_rm_imm, M | L | IZ, 2 },
    { insn_alu_rm_imm, M | L | IZ, 3 },
    { insn_alu_rm_imm, M | L | IZ, 4 },
    { insn_alu_rm_imm, M | L | IZ, 5 },
    { insn_alu_rm_imm, M | L | IZ, 6 },
    { insn_alu_rm_imm, M | IZ, 7 },
};

static const struct insn_opcode group1_imm8[8] = {
    { insn_alu_rm_imm, M | L | IB, 0 },
    { insn_alu_rm_imm, M | L | IB, 1 },
    { insn_alu_rm_imm, M | L | IB, 2 },
    { insn_alu_rm_imm, M | L | IB, 3 },
    { insn_alu_rm_imm, M | L | IB, 4 },
    { insn_alu_rm_imm, M | L | IB, 5 },
    { insn_alu_rm_imm, M | L | IB, 6 },
    { insn_alu_rm_imm, M | IB, 7 },
};

static const struct insn_opcode group1a[8] = {
    [0] = { insn_pop_rm, M | IF_D64 | IF_POPM },
};

static const struct insn_opcode group3_byte[8] = {
    { insn_test_rm_imm, M | B | IB },
    { insn_test_rm_imm, M | B | IB },
    { insn_not, M | B | L },
    { insn_neg, M | B | L },
    { insn_mul, M | B },
    { insn_imul, M | B },
    { insn_div, M | B },
    { insn_idiv, M | B },
};

static const struct insn_opcode group3[8] = {
    { insn_test_rm_imm, M | IZ },
    { insn_test_rm_imm, M | IZ },
    { insn_not, M | L },
    { insn_neg, M | L },
    { insn_mul, M },
    { insn_imul, M },
    { insn_div, M },
    { insn_idiv, M },
};

static const struct insn_opcode group4[8] = {
    { insn_inc, M | B | L },
    { insn_dec, M | B | L },
};

static const struct insn_opcode group5[8] = {
    [0] = { insn_inc, M | L },
    [1] = { insn_dec, M | L },
    [2] = { insn_call_rm, M | IF_NEAR },
    [3] = { insn_far_mem, S | IF_SYSTEM, 1 },
    [4] = { insn_jmp_rm, M | IF_NEAR },
    [5] = { insn_far_mem, S | IF_SYSTEM, 0 },
    [6] = { insn_push_rm, M | IF_D64 },
};

/* 0F 00: SLDT, STR, LLDT, LTR, VERR, VERW */
static const struct insn_opcode group6[8] = {
    { insn_store_selector, M | IF_PROT, INSN_LDTR },
    { insn_store_selector, M | IF_PROT, INSN_TR },
    { insn_lldt, D },
    { insn_ltr, D },
    { insn_verify, D, 0 },
    { insn_verify, D, 1 },
};

/* 0F 01 with a memory operand: SGDT, SIDT, LGDT, LIDT, SMSW, LMSW */
static const struct insn_opcode group7[8] = {
    [0] = { insn_store_table, S, INSN_GDTR },
    [1] = { insn_store_table, S, INSN_IDTR },
    [2] = { insn_load_table, S, INSN_GDTR },
    [3] = { insn_load_table, S, INSN_IDTR },
    [4] = { insn_smsw, S },
    [6] = { insn_lmsw, S },
};

/* 0F BA */
static const struct insn_opcode group8[8] = {
    [4] = { insn_bt_imm, M | IB, 0 },
    [5] = { insn_bt_imm, M | L | IB, 1 },
    [6] = { insn_bt_imm, M | L | IB, 2 },
    [7] = { insn_bt_imm, M | L | IB, 3 },
};

/* 0F C7 */
static const struct insn_opcode group9[8] = {
    [1] = { insn_cmpxchg8b, S | L },
};

static const struct insn_opcode group11_byte[8] = {
    [0] = { insn_mov_rm_imm, M | B | IB },
};

static const struct insn_opcode group11[8] = {
    [0] = { insn_mov_rm_imm, M | IZ },
};

/*
 * 0F AE: FXSAVE, FXRSTOR, LDMXCSR, STMXCSR, CLWB (with 66), CLFLUSH,
 * CLFLUSHOPT (with 66)
 */
static const struct insn_opcode group15[8] = {
    [0] = { insn_fxsave, S },
    [1] = { insn_fxrstor, S },
    [2] = { insn_ldmxcsr, S },
    [3] = { insn_stmxcsr, S },
    [6] = { insn_clwb, S },
    [7] = { insn_clflush, S },
};

const struct insn_opcode insn_map1[256] = {
    [0x00] = { insn_alu_rm_reg, M | B | L, 0 },
    [0x01] = { insn_alu_rm_reg, M | L, 0 },
    [0x02] = { insn_alu_reg_rm, M | B, 0 },
    [0x03] = { insn_alu_reg_rm, M, 0 },
    [0x04] = { insn_alu_acc_imm, B | IB, 0 },
    [0x05] = { insn_alu_acc_imm, IZ, 0 },
    [0x06] = { insn_push_sreg, IF_NOT64, INSN_ES },
    [0x07] = { insn_pop_sreg, IF_NOT64 | IF_SYSTEM, INSN_ES },
    [0x08] = { insn_alu_rm_reg, M | B | L, 1 },
    [0x09] = { insn_alu_rm_reg, M | L, 1 },
    [0x0a] = { insn_alu_reg_rm, M | B, 1 },
    [0x0b] = { insn_alu_reg_rm, M, 1 },
    [0x0c] = { insn_alu_acc_imm, B | IB, 1 },
    [0x0d] = { insn_alu_acc_imm, IZ, 1 },
    [0x0e] = { insn_push_sreg, IF_NOT64, INSN_CS },
    [0x10] = { insn_alu_rm_reg, M | B | L, 2 },
    [0x11] = { insn_alu_rm_reg, M | L, 2 },
    [0x12] = { insn_alu_reg_rm, M | B, 2 },
    [0x13] = { insn_alu_reg_rm, M, 2 },
    [0x14] = { insn_alu_acc_imm, B | IB, 2 },
    [0x15] = { insn_alu_acc_imm, IZ, 2 },
    [0x16] = { insn_push_sreg, IF_NOT64, INSN_SS },
    [0x17] = { insn_pop_sreg, IF_NOT64 | IF_SYSTEM, INSN_SS },
    [0x18] = { insn_alu_rm_reg, M | B | L, 3 },
    [0x19] = { insn_alu_rm_reg, M | L, 3 },
    [0x1a] = { insn_alu_reg_rm, M | B, 3 },
    [0x1b] = { insn_alu_reg_rm, M, 3 },
    [0x1c] = { insn_alu_acc_imm, B | IB, 3 },
    [0x1d] = { insn_alu_acc_imm, IZ, 3 },
    [0x1e] = { insn_push_sreg, IF_NOT64, INSN_DS },
    [0x1f] = { insn_pop_sreg, IF_NOT64 | IF_SYSTEM, INSN_DS },
    [0x20] = { insn_alu_rm_reg, M | B | L, 4 },
    [0x21] = { insn_alu_rm_reg, M | L, 4 },
    [0x22] = { insn_alu_reg_rm, M | B, 4 },
    [0x23] = { insn_alu_reg_rm, M, 4 },
    [0x24] = { insn_alu_acc_imm, B | IB, 4 },
    [0x25] = { insn_alu_acc_imm, IZ, 4 },
    [0x28] = { insn_alu_rm_reg, M | B | L, 5 },
    [0x29] = { insn_alu_rm_reg, M | L, 5 },
    [0x2a] = { insn_alu_reg_rm, M | B, 5 },
    [0x2b] = { insn_alu_reg_rm, M, 5 },
    [0x2c] = { insn_alu_acc_imm, B | IB, 5 },
    [0x2d] = { insn_alu_acc_imm, IZ, 5 },
    [0x30] = { insn_alu_rm_reg, M | B | L, 6 },
    [0x31] = { insn_alu_rm_reg, M | L, 6 },
    [0x32] = { insn_alu_reg_rm, M | B, 6 },
    [0x33] = { insn_alu_reg_rm, M, 6 },
    [0x34] = { insn_alu_acc_imm, B | IB, 6 },
    [0x35] = { insn_alu_acc_imm, IZ, 6 },
    [0x38] = { insn_alu_rm_reg, M | B, 7 },
    [0x39] = { insn_alu_rm_reg, M, 7 },
    [0x3a] = { insn_alu_reg_rm, M | B, 7 },
    [0x3b] = { insn_alu_reg_rm, M, 7 },
    [0x3c] = { insn_alu_acc_imm, B | IB, 7 },
    [0x3d] = { insn_alu_acc_imm, IZ, 7 },
    [0x50 ... 0x57] = { insn_push_reg, IF_D64 },
    [0x58 ... 0x5f] = { insn_pop_reg, IF_D64 },
    [0x60] = { insn_pusha, IF_NOT64 },
    [0x61] = { insn_popa, IF_NOT64 },
    [0x63] = { insn_arpl_movsxd, M },
    [0x68] = { insn_push_imm, IZ | IF_D64 },
    [0x69] = { insn_imul_imm, M | IZ },
    [0x6a] = { insn_push_imm, IB | IF_D64 },
    [0x6b] = { insn_imul_imm, M | IB },
    [0x6c] = { insn_ins, B },
    [0x6d] = { insn_ins, 0 },
    [0x6e] = { insn_outs, B },
    [0x6f] = { insn_outs, 0 },
    [0x80] = { NULL, G, .group = group1_byte },
    [0x81] = { NULL, G, .group = group1_immz },
    [0x82] = { NULL, G | IF_NOT64, .group = group1_byte },
    [0x83] = { NULL, G, .group = group1_imm8 },
    [0x84] = { insn_test_rm_reg, M | B },
    [0x85] = { insn_test_rm_reg, M },
    [0x86] = { insn_xchg, M | B | L },
    [0x87] = { insn_xchg, M | L },
    [0x88] = { insn_mov_rm_reg, M | B },
    [0x89] = { insn_mov_rm_reg, M },
    [0x8a] = { insn_mov_reg_rm, M | B },
    [0x8b] = { insn_mov_reg_rm, M },
    [0x8c] = { insn_mov_rm_sreg, M },
    [0x8e] = { insn_mov_sreg_rm, M | IF_SYSTEM },
    [0x8f] = { NULL, G, .group = group1a },
    [0x9a] = { insn_far_imm, IF_NOT64 | IF_SYSTEM, 1 },
    [0x9c] = { insn_pushf, IF_D64 },
    [0x9d] = { insn_popf, IF_D64 },
    [0xa0] = { insn_mov_acc_moffs, IF_MOFFS | B },
    [0xa1] = { insn_mov_acc_moffs, IF_MOFFS },
    [0xa2] = { insn_mov_moffs_acc, IF_MOFFS | B },
    [0xa3] = { insn_mov_moffs_acc, IF_MOFFS },
    [0xa4] = { insn_movs, B },
    [0xa5] = { insn_movs, 0 },
    [0xa6] = { insn_cmps, B },
    [0xa7] = { insn_cmps, 0 },
    [0xa8] = { insn_test_acc_imm, B | IB },
    [0xa9] = { insn_test_acc_imm, IZ },
    [0xaa] = { insn_stos, B },
    [0xab] = { insn_stos, 0 },
    [0xac] = { insn_lods, B },
    [0xad] = { insn_lods, 0 },
    [0xae] = { insn_scas, B },
    [0xaf] = { insn_scas, 0 },
    [0xc0] = { insn_shift_imm, M | B | IB },
    [0xc1] = { insn_shift_imm, M | IB },
    [0xc2] = { insn_ret_imm, IF_IMM16 | IF_NEAR },
    [0xc3] = { insn_ret, IF_NEAR },
    /* In 64-bit mode these two are VEX. */
    [0xc4] = { insn_load_pointer, S | IF_SYSTEM | IF_NOT64, INSN_ES },
    [0xc5] = { insn_load_pointer, S | IF_SYSTEM | IF_NOT64, INSN_DS },
    [0xc6] = { NULL, G, .group = group11_byte },
    [0xc7] = { NULL, G, .group = group11 },
    [0xc8] = { insn_enter, IF_IMM16 | IF_IMM8 | IF_D64 },
    [0xc9] = { insn_leave, IF_D64 },
    [0xca] = { insn_ret_far, IF_IMM16 | IF_SYSTEM },
    [0xcb] = { insn_ret_far, IF_SYSTEM },
    [0xcc] = { insn_int, IF_SYSTEM, 3 },
    [0xcd] = { insn_int, IB | IF_SYSTEM, 0 },
    [0xce] = { insn_int, IF_NOT64 | IF_SYSTEM, 4 },
    [0xcf] = { insn_iret, IF_SYSTEM },
    [0xd0] = { insn_shift_one, M | B },
    [0xd1] = { insn_shift_one, M },
    [0xd2] = { insn_shift_cl, M | B },
    [0xd3] = { insn_shift_cl, M },
    [0xd7] = { insn_xlatb, B },
    [0xd8 ... 0xdf] = { insn_x87, S },
    [0xe4] = { insn_in, B | IB, 0 },
    [0xe5] = { insn_in, IB, 0 },
    [0xe6] = { insn_out, B | IB, 0 },
    [0xe7] = { insn_out, IB, 0 },
    [0xe8] = { insn_call_rel, IZ | IF_NEAR },
    [0xea] = { insn_far_imm, IF_NOT64 | IF_SYSTEM, 0 },
    [0xec] = { insn_in, B, 1 },
    [0xed] = { insn_in, 0, 1 },
    [0xee] = { insn_out, B, 1 },
    [0xef] = { insn_out, 0, 1 },
    [0xf6] = { NULL, G, .group = group3_byte },
    [0xf7] = { NULL, G, .group = group3 },
    [0xfe] = { NULL, G, .group = group4 },
    [0xff] = { NULL, G, .group = group5 },
};

const struct insn_opcode insn_map0f[256] = {
    [0x00] = { NULL, G, .group = group6 },
    [0x01] = { NULL, G, .group = group7 },
    [0x02] = { insn_lar, D },
    [0x03] = { insn_lsl, D },
    [0x0d] = { insn_nop, S },
    [0x18] = { insn_nop, S },
    [0x1c ... 0x1f] = { insn_nop, S },
    [0x40 ... 0x4f] = { insn_cmovcc, M },
    [0x90 ... 0x9f] = { insn_setcc, M | B },
    [0xa0] = { insn_push_sreg, IF_D64, INSN_FS },
    [0xa1] = { insn_pop_sreg, IF_D64 | IF_SYSTEM, INSN_FS },
    [0xa3] = { insn_bt_reg, M, 0 },
    [0xa4] = { insn_shld_imm, M | IB },
    [0xa5] = { insn_shld_cl, M },
    [0xa8] = { insn_push_sreg, IF_D64, INSN_GS },
    [0xa9] = { insn_pop_sreg, IF_D64 | IF_SYSTEM, INSN_GS },
    [0xab] = { insn_bt_reg, M | L, 1 },
    [0xac] = { insn_shrd_imm, M | IB },
    [0xad] = { insn_shrd_cl, M },
    [0xae] = { NULL, G, .group = group15 },
    [0xaf] = { insn_imul_reg, M },
    [0xb0] = { insn_cmpxchg, M | B | L },
    [0xb1] = { insn_cmpxchg, M | L },
    [0xb2] = { insn_load_pointer, S | IF_SYSTEM, INSN_SS },
    [0xb3] = { insn_bt_reg, M | L, 2 },
    [0xb4] = { insn_load_pointer, S | IF_SYSTEM, INSN_FS },
    [0xb5] = { insn_load_pointer, S | IF_SYSTEM, INSN_GS },
    [0xb6] = { insn_movzx, M, 1 },
    [0xb7] = { insn_movzx, M, 2 },
    [0xba] = { NULL, G, .group = group8 },
    [0xbb] = { insn_bt_reg, M | L, 3 },
    [0xbc] = { insn_bitscan, M, 0 },
    [0xbd] = { insn_bitscan, M, 1 },
    [0xbe] = { insn_movsx, M, 1 },
    [0xbf] = { insn_movsx, M, 2 },
    [0xc0] = { insn_xadd, M | B | L },
    [0xc1] = { insn_xadd, M | L },
    [0xc7] = { NULL, G, .group = group9 },
};
