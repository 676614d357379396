/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The encodings that the differential test tries
 */

#ifndef TESTS_UNIT_INSN_ENCODINGS_H
#define TESTS_UNIT_INSN_ENCODINGS_H

#include <stdint.h>

/* How the encoding may vary, and what its operands need */
enum {
    E_LOCK      = 1 << 0,
    E_66        = 1 << 1,   /* 66 selects 16 bits */
    E_W         = 1 << 2,   /* REX.W or VEX.W selects 64 bits */
    E_REG       = 1 << 3,   /* register form too */
    E_CC        = 1 << 4,   /* the opcode's low four bits: a condition */
    E_SHIFT     = 1 << 5,
    E_BTREG     = 1 << 6,   /* a bit number that may reach far */
    E_NOMODRM   = 1 << 7,
    E_STRING    = 1 << 8,
    E_STACK     = 1 << 9,   /* RSP and RBP point into the data */
    E_TARGET    = 1 << 10,  /* the operand, or stack top, is a branch target */
    E_EQUAL     = 1 << 11,  /* often equal to the accumulator */
    E_DIV       = 1 << 12,
    E_LEG       = 1 << 13,  /* legacy, VEX.128 and VEX.256 encodings exist */
    E_V128      = 1 << 14,
    E_V256      = 1 << 15,
    E_NDS       = 1 << 16,  /* VEX.vvvv is an operand */
    E_W1        = 1 << 17,  /* VEX.W is 1 */
    E_MULTI     = 1 << 18,  /* more than one access of memory */
    E_MOFFS     = 1 << 19,
    E_DEST      = 1 << 20,  /* ModRM.reg is an address (MOVDIR64B) */
    E_CR2PAGE   = 1 << 21,  /* CR2 may be any address of the faulting page */
    E_X87       = 1 << 22,
    E_EVEX      = 1 << 23,  /* EVEX instead of VEX, with any opmask register */
};

/* CPUID feature: leaf 1 ECX, 7 EBX, 7 ECX, 0x80000001 ECX, and the bit */
enum { C1 = 32, B7 = 64, C7 = 96, C8 = 128 };

#define U_AF    0x010u
#define U_OSAP  0x894u      /* OF SF AF PF */
#define U_SZAP  0x0d4u
#define U_AP    0x014u
#define U_ALL   0x8d5u

struct encoding {
    const char *name;
    uint8_t map;            /* 0: one byte, 1: 0F, 2: 0F38, 3: 0F3A */
    uint8_t op;
    uint8_t pp;             /* mandatory prefix: 0 none, 1 66, 2 F3, 3 F2 */
    int8_t reg;             /* ModRM.reg; -1: any */
    uint8_t imm;            /* bytes; 4: operand size, at most 4 */
    uint32_t flags;
    uint32_t undef;         /* undefined flags */
    uint8_t align;          /* of memory; 1: vector length */
    uint8_t feature;
};

extern const struct encoding encodings[];
extern const unsigned nencodings;

#endif
