/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bad hypercalls: what the tables of calls and of mistakes, the state that may
 * not change, and the questions share.
 */
#ifndef TESTS_HOST_REFUSE_H
#define TESTS_HOST_REFUSE_H

#include "bare.h"

#define ARRAY(a)    (sizeof(a) / sizeof((a)[0]))
#define SELF        (~0ull)
#define REG_PAGES   256u            /* first page of A's memory, in the arena */
#define PFN(n)      (ARENA / PAGE + (n))
#define NO_PFN      (NO_RAM / PAGE)
#define ROM         0xfffff000ull

/* The part of HV_STATUS that is asked for */
enum {
    BAD_CODE = 2, BAD_INPUT = 3, BAD_ALIGNMENT = 4, BAD_PARAMETER = 5,
    DENIED = 6, BAD_STATE = 7, NOT_ALLOWED = 8, UNKNOWN_PROPERTY = 9,
    BAD_PARTITION = 0xd, BAD_VP = 0xe, BAD_PORT = 0x11, BAD_CONNECTION = 0x12,
    BAD_SYNIC = 0x18, NO_FEATURE = 0x20, BAD_VALUE = 0x50,
};

/* What a call needs, and so can be refused for */
enum {
    PARTITION = 1,                  /* u64 id at 0 */
    CHILD = 2 | PARTITION,          /* not the caller's own */
    ACTIVE = 4 | CHILD,             /* initialized, not finalized */
    VP = 8 | ACTIVE,                /* u32 VP index at 8 */
    FAST = 16,
};

/* Children: the one that all is done to, and two that only few calls take */
typedef struct Ids {
    uint64_t a, created, finalized;
} Ids;

/* A call: sizes of its lists in bytes, and for how many repetitions */
typedef struct Def {
    const char *name;
    uint16_t code, flags, in_size, out_size, reps, rep_in, rep_out;
    uint8_t var;                    /* variable header, u64s */
    uint8_t vtl;                    /* its offset, 0: none */
    void (*fill)(uint8_t *in, const Ids *ids);
    uint16_t status;                /* of the good input */
} Def;

/* What is put where in the good input, and the status that it must get */
typedef struct Edit {
    uint16_t code, at, size, status;
    uint64_t value;
    const char *what;
} Edit;

/* A value of a register that must be refused */
typedef struct BadValue {
    uint32_t name;
    uint64_t value;
    const char *what;
} BadValue;

extern const Def defs[];
extern const unsigned n_defs;
extern const Def dispatch, unknown;
extern const Edit edits[];
extern const unsigned n_edits;
extern const BadValue bad_values[];
extern const unsigned n_bad_values;

static inline void put(uint8_t *in, unsigned at, unsigned size, uint64_t v)
{
    memcpy(in + at, &v, size);
}

/* Of all that a refused call might have changed */
uint64_t digest(const Ids *ids);

#endif
