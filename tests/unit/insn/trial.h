/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One instruction of the differential test, and the state that it starts from
 */

#ifndef TESTS_UNIT_INSN_TRIAL_H
#define TESTS_UNIT_INSN_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "encodings.h"
#include "insn.h"
#include "native.h"

struct trial {
    const struct encoding *e;
    uint8_t bytes[INSN_MAX_LEN];
    unsigned n;
    unsigned opsize;
    unsigned vl;                /* 0: no VEX */
    bool vex, locked, mem;
    bool evex;
    bool addr32;                /* 67 */
    uint64_t target;            /* address of the memory operand */
    uint32_t undef;
    struct native_state in, out;
    uint8_t data[NATIVE_DATA_LEN], after[NATIVE_DATA_LEN];
};

/* A random instruction of @e's, with operands that it can do something with */
void trial_make(struct trial *t, const struct encoding *e);

#endif
