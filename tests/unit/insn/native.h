/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Execute one instruction on this machine's own processor
 */

#ifndef TESTS_UNIT_INSN_NATIVE_H
#define TESTS_UNIT_INSN_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#define NATIVE_CODE     0x10000000ull
#define NATIVE_DATA     0x20000000ull
#define NATIVE_DATA_LEN 0x4000u

struct native_state {
    uint64_t gpr[16];
    uint64_t rip;
    uint64_t rflags;
    uint8_t vec[16][32];
    uint64_t opmask[8];     /* only set, if there are any */
    uint8_t fx[160];        /* head of FXSAVE's image: x87, MXCSR, ST or MMX */
    int vector;             /* 3 if it ended at the breakpoint behind it */
    uint64_t cr2;
};

/* False, with the reason in *@why, if this machine cannot do it. */
bool native_init(const char **why);

/* Run the @n bytes at NATIVE_CODE from @s, and leave the result in @s. */
void native_run(struct native_state *s, const uint8_t *bytes, unsigned n);

#endif
