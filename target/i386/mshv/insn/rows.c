/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: opcodes that depend on prefixes (sparse table)
 *
 * The 0F, 0F38 and 0F3A maps where 66, F3 and F2 choose the instruction, legacy
 * and VEX/EVEX.  An instruction is the first row that matches.
 */

#include "internal.h"

/* Prefixes a row is for */
enum {
    NP = 1 << PP_NONE, P66 = 1 << PP_66, PF3 = 1 << PP_F3, PF2 = 1 << PP_F2,
};

enum {
    MEM = IF_MODRM | IF_MEM,
    IMM = IF_MODRM | IF_MEM | IF_IMM8,

    SSE = IR_LEG | IR_XMM,
    AVX = IR_VEX | IR_XMM,
    AVX256 = IR_V256 | IR_XMM,
    BOTH = IR_LEG | IR_VEX | IR_XMM,
    BOTH128 = IR_LEG | IR_V128 | IR_XMM,
    EVEX = IR_EVEX | IR_XMM,
    MMX = IR_LEG | IR_MMX,
    GPR = IR_LEG,
    BMI = IR_V128,
    NDS = IR_VVVV,

    ALIGN = VA_ALIGN,
    W8 = VA_W8,
    SIGN = VA_SIGN,
    MASK = VA_MASK,
};

static const struct insn_opcode vex_group15[8] = {
    [2] = { insn_ldmxcsr, MEM },
    [3] = { insn_stmxcsr, MEM },
};

const struct insn_row insn_rows[] = {
    /* 0F: MOVUPS, MOVUPD, MOVSS, MOVSD */
    { 1, 0x10, NP | P66, BOTH, { insn_vec_load, MEM, 0, 0 } },
    { 1, 0x10, PF3, BOTH, { insn_vec_load, MEM, 4, 0 } },
    { 1, 0x10, PF2, BOTH, { insn_vec_load, MEM, 8, 0 } },
    { 1, 0x11, NP | P66, BOTH, { insn_vec_store, MEM, 0, 0 } },
    { 1, 0x11, PF3, BOTH, { insn_vec_store, MEM, 4, 0 } },
    { 1, 0x11, PF2, BOTH, { insn_vec_store, MEM, 8, 0 } },
    /* MOVLPS, MOVHPS, MOVSLDUP, MOVSHDUP, MOVDDUP */
    { 1, 0x12, NP | P66, BOTH128 | NDS, { insn_vec_load_half, MEM, 0 } },
    { 1, 0x12, PF3, BOTH, { insn_vec_dup, MEM, 4 } },
    { 1, 0x12, PF2, BOTH, { insn_vec_dup, MEM, 8 } },
    { 1, 0x13, NP | P66, BOTH128, { insn_vec_store_half, MEM, 0 } },
    { 1, 0x16, NP | P66, BOTH128 | NDS, { insn_vec_load_half, MEM, 8 } },
    { 1, 0x16, PF3, BOTH, { insn_vec_dup, MEM, 4 } },
    { 1, 0x17, NP | P66, BOTH128, { insn_vec_store_half, MEM, 8 } },
    /* MOVAPS, MOVAPD, MOVNTPS, MOVNTPD */
    { 1, 0x28, NP | P66, BOTH, { insn_vec_load, MEM, 0, ALIGN } },
    { 1, 0x29, NP | P66, BOTH, { insn_vec_store, MEM, 0, ALIGN } },
    { 1, 0x2b, NP | P66, BOTH, { insn_vec_store, MEM, 0, ALIGN } },
    /* ANDPS, ANDNPS, ORPS, XORPS and PD */
    { 1, 0x54, NP | P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_AND, 8 } },
    { 1, 0x55, NP | P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_ANDN, 8 } },
    { 1, 0x56, NP | P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_OR, 8 } },
    { 1, 0x57, NP | P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_XOR, 8 } },
    /* MOVD, MOVQ, MOVDQA, MOVDQU */
    { 1, 0x6e, NP, MMX, { insn_mmx_load, MEM, 4, W8 } },
    { 1, 0x6e, P66, BOTH128, { insn_vec_load, MEM, 4, W8 } },
    { 1, 0x6f, NP, MMX, { insn_mmx_load, MEM, 8, 0 } },
    { 1, 0x6f, P66, BOTH, { insn_vec_load, MEM, 0, ALIGN } },
    { 1, 0x6f, PF3, BOTH, { insn_vec_load, MEM, 0, 0 } },
    { 1, 0x7e, NP, MMX, { insn_mmx_store, MEM, 4, W8 } },
    { 1, 0x7e, P66, BOTH128, { insn_vec_store, MEM, 4, W8 } },
    { 1, 0x7e, PF3, BOTH128, { insn_vec_load, MEM, 8, 0 } },
    { 1, 0x7f, NP, MMX, { insn_mmx_store, MEM, 8, 0 } },
    { 1, 0x7f, P66, BOTH, { insn_vec_store, MEM, 0, ALIGN } },
    { 1, 0x7f, PF3, BOTH, { insn_vec_store, MEM, 0, 0 } },
    { 1, 0xd6, P66, BOTH128, { insn_vec_store, MEM, 8, 0 } },
    { 1, 0xe7, NP, MMX, { insn_mmx_store, MEM, 8, 0 } },
    { 1, 0xe7, P66, BOTH, { insn_vec_store, MEM, 0, ALIGN } },
    { 1, 0xf0, PF2, BOTH, { insn_vec_load, MEM, 0, 0 } },
    { 1, 0xc4, P66, BOTH128 | NDS, { insn_vec_insert, IMM, 2, 0 } },
    /* PCMPGT, PCMPEQ, PADD, PSUB, PMINUB, PMAXUB, PAND and so on */
    { 1, 0x64, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_GT, 1 } },
    { 1, 0x65, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_GT, 2 } },
    { 1, 0x66, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_GT, 4 } },
    { 1, 0x74, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_EQ, 1 } },
    { 1, 0x75, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_EQ, 2 } },
    { 1, 0x76, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_EQ, 4 } },
    { 1, 0xd4, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_ADD, 8 } },
    { 1, 0xda, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_MINU, 1 } },
    { 1, 0xdb, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_AND, 8 } },
    { 1, 0xde, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_MAXU, 1 } },
    { 1, 0xdf, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_ANDN, 8 } },
    { 1, 0xeb, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_OR, 8 } },
    { 1, 0xef, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_XOR, 8 } },
    { 1, 0xf8, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_SUB, 1 } },
    { 1, 0xf9, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_SUB, 2 } },
    { 1, 0xfa, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_SUB, 4 } },
    { 1, 0xfb, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_SUB, 8 } },
    { 1, 0xfc, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_ADD, 1 } },
    { 1, 0xfd, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_ADD, 2 } },
    { 1, 0xfe, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_ADD, 4 } },
    /* VLDMXCSR, VSTMXCSR */
    { 1, 0xae, NP, IR_V128 | IR_XMM, { NULL, IF_MODRM | IF_GROUP,
                                       .group = vex_group15 } },
    /* POPCNT, and MOVNTI, which has no other prefix */
    { 1, 0xb8, PF3, GPR, { insn_popcnt, IF_MODRM } },
    { 1, 0xc3, NP, GPR, { insn_movnti, MEM } },

    /* 0F38: PMOVSX, PMOVZX */
    { 2, 0x20, P66, BOTH, { insn_vec_extend, MEM, 0x12, SIGN } },
    { 2, 0x21, P66, BOTH, { insn_vec_extend, MEM, 0x14, SIGN } },
    { 2, 0x22, P66, BOTH, { insn_vec_extend, MEM, 0x18, SIGN } },
    { 2, 0x23, P66, BOTH, { insn_vec_extend, MEM, 0x24, SIGN } },
    { 2, 0x24, P66, BOTH, { insn_vec_extend, MEM, 0x28, SIGN } },
    { 2, 0x25, P66, BOTH, { insn_vec_extend, MEM, 0x48, SIGN } },
    { 2, 0x30, P66, BOTH, { insn_vec_extend, MEM, 0x12, 0 } },
    { 2, 0x31, P66, BOTH, { insn_vec_extend, MEM, 0x14, 0 } },
    { 2, 0x32, P66, BOTH, { insn_vec_extend, MEM, 0x18, 0 } },
    { 2, 0x33, P66, BOTH, { insn_vec_extend, MEM, 0x24, 0 } },
    { 2, 0x34, P66, BOTH, { insn_vec_extend, MEM, 0x28, 0 } },
    { 2, 0x35, P66, BOTH, { insn_vec_extend, MEM, 0x48, 0 } },
    /* MOVNTDQA */
    { 2, 0x2a, P66, BOTH, { insn_vec_load, MEM, 0, ALIGN } },
    /* VMASKMOV, VPMASKMOV */
    { 2, 0x2c, P66, AVX | NDS | IR_W0, { insn_vec_maskmov_load, MEM, 4 } },
    { 2, 0x2d, P66, AVX | NDS | IR_W0, { insn_vec_maskmov_load, MEM, 8 } },
    { 2, 0x2e, P66, AVX | NDS | IR_W0, { insn_vec_maskmov_store, MEM, 4 } },
    { 2, 0x2f, P66, AVX | NDS | IR_W0, { insn_vec_maskmov_store, MEM, 8 } },
    { 2, 0x8c, P66, AVX | NDS | IR_W0, { insn_vec_maskmov_load, MEM, 4 } },
    { 2, 0x8c, P66, AVX | NDS | IR_W1, { insn_vec_maskmov_load, MEM, 8 } },
    { 2, 0x8e, P66, AVX | NDS | IR_W0, { insn_vec_maskmov_store, MEM, 4 } },
    { 2, 0x8e, P66, AVX | NDS | IR_W1, { insn_vec_maskmov_store, MEM, 8 } },
    /* VBROADCAST, VPBROADCAST */
    { 2, 0x18, P66, AVX | IR_W0, { insn_vec_broadcast, MEM, 4, 0 } },
    { 2, 0x19, P66, AVX256 | IR_W0, { insn_vec_broadcast, MEM, 8, 0 } },
    { 2, 0x1a, P66, AVX256 | IR_W0, { insn_vec_broadcast, MEM, 16, 0 } },
    { 2, 0x58, P66, AVX | IR_W0, { insn_vec_broadcast, MEM, 4, 0 } },
    { 2, 0x59, P66, AVX | IR_W0, { insn_vec_broadcast, MEM, 8, 0 } },
    { 2, 0x5a, P66, AVX256 | IR_W0, { insn_vec_broadcast, MEM, 16, 0 } },
    { 2, 0x78, P66, AVX | IR_W0, { insn_vec_broadcast, MEM, 1, 0 } },
    { 2, 0x79, P66, AVX | IR_W0, { insn_vec_broadcast, MEM, 2, 0 } },
    { 2, 0x29, P66, BOTH | NDS, { insn_vec_lanes, MEM, LANE_EQ, 8 } },
    /* CRC32, MOVBE, ADCX, ADOX, MOVDIRI, MOVDIR64B */
    { 2, 0xf0, PF2, GPR, { insn_crc32, IF_MODRM | IF_BYTE } },
    { 2, 0xf1, PF2, GPR, { insn_crc32, IF_MODRM } },
    { 2, 0xf0, NP | P66, GPR, { insn_movbe, MEM, 0 } },
    { 2, 0xf1, NP | P66, GPR, { insn_movbe, MEM, 1 } },
    { 2, 0xf6, P66, GPR, { insn_adcx, IF_MODRM } },
    { 2, 0xf6, PF3, GPR, { insn_adox, IF_MODRM } },
    { 2, 0xf9, NP, GPR, { insn_movnti, MEM } },
    { 2, 0xf8, P66, GPR, { insn_movdir64b, MEM } },
    /* BMI1, BMI2 */
    { 2, 0xf2, NP, BMI | NDS, { insn_andn, IF_MODRM } },
    { 2, 0xf3, NP, BMI | NDS, { insn_bls, IF_MODRM } },
    { 2, 0xf5, NP, BMI | NDS, { insn_bzhi, IF_MODRM } },
    { 2, 0xf5, PF3, BMI | NDS, { insn_pext, IF_MODRM } },
    { 2, 0xf5, PF2, BMI | NDS, { insn_pdep, IF_MODRM } },
    { 2, 0xf6, PF2, BMI | NDS, { insn_mulx, IF_MODRM } },
    { 2, 0xf7, NP, BMI | NDS, { insn_bextr, IF_MODRM } },
    { 2, 0xf7, P66 | PF3 | PF2, BMI | NDS, { insn_shiftx, IF_MODRM } },

    /* 0F3A: PEXTR, EXTRACTPS, PINSR, VINSERT128, VEXTRACT128, RORX */
    { 3, 0x14, P66, BOTH128, { insn_vec_extract, IMM, 1, 0 } },
    { 3, 0x15, P66, BOTH128, { insn_vec_extract, IMM, 2, 0 } },
    { 3, 0x16, P66, BOTH128, { insn_vec_extract, IMM, 4, W8 } },
    { 3, 0x17, P66, BOTH128, { insn_vec_extract, IMM, 4, 0 } },
    { 3, 0x20, P66, BOTH128 | NDS, { insn_vec_insert, IMM, 1, 0 } },
    { 3, 0x22, P66, BOTH128 | NDS, { insn_vec_insert, IMM, 4, W8 } },
    { 3, 0x18, P66, AVX256 | NDS | IR_W0, { insn_vec_insert128, IMM } },
    { 3, 0x38, P66, AVX256 | NDS | IR_W0, { insn_vec_insert128, IMM } },
    { 3, 0x19, P66, AVX256 | IR_W0, { insn_vec_extract128, IMM } },
    { 3, 0x39, P66, AVX256 | IR_W0, { insn_vec_extract128, IMM } },
    { 3, 0xf0, PF2, BMI, { insn_rorx, IF_MODRM | IF_IMM8 } },

    /* EVEX: whole vectors, all of them or what a mask selects */
    { 1, 0x10, NP, EVEX | IR_W0, { insn_vec_load, MEM, 0, MASK } },
    { 1, 0x10, P66, EVEX | IR_W1, { insn_vec_load, MEM, 0, MASK } },
    { 1, 0x11, NP, EVEX | IR_W0, { insn_vec_store, MEM, 0, MASK } },
    { 1, 0x11, P66, EVEX | IR_W1, { insn_vec_store, MEM, 0, MASK } },
    { 1, 0x28, NP, EVEX | IR_W0, { insn_vec_load, MEM, 0, ALIGN | MASK } },
    { 1, 0x28, P66, EVEX | IR_W1, { insn_vec_load, MEM, 0, ALIGN | MASK } },
    { 1, 0x29, NP, EVEX | IR_W0, { insn_vec_store, MEM, 0, ALIGN | MASK } },
    { 1, 0x29, P66, EVEX | IR_W1, { insn_vec_store, MEM, 0, ALIGN | MASK } },
    { 1, 0x2b, NP, EVEX | IR_W0, { insn_vec_store, MEM, 0, ALIGN } },
    { 1, 0x2b, P66, EVEX | IR_W1, { insn_vec_store, MEM, 0, ALIGN } },
    { 1, 0x6f, P66, EVEX, { insn_vec_load, MEM, 0, ALIGN | MASK } },
    { 1, 0x6f, PF3 | PF2, EVEX, { insn_vec_load, MEM, 0, MASK } },
    { 1, 0x7f, P66, EVEX, { insn_vec_store, MEM, 0, ALIGN | MASK } },
    { 1, 0x7f, PF3 | PF2, EVEX, { insn_vec_store, MEM, 0, MASK } },
    { 1, 0xe7, P66, EVEX | IR_W0, { insn_vec_store, MEM, 0, ALIGN } },
    { 2, 0x2a, P66, EVEX | IR_W0, { insn_vec_load, MEM, 0, ALIGN } },
};

const unsigned insn_nrows = sizeof(insn_rows) / sizeof(insn_rows[0]);
