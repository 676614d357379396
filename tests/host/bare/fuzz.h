/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fuzzer: hypercalls with input that is random, but mostly half right. */
#ifndef TESTS_HOST_FUZZ_H
#define TESTS_HOST_FUZZ_H

#include "bare.h"
#include "../lib/randcode.h"

#define ARRAY(a)    (sizeof(a) / sizeof((a)[0]))
#define SELF        (~0ull)
#define MAX_LIVE    6u

/* Hypercalls */
enum {
    CREATE = 0x40, INITIALIZE, FINALIZE, DELETE, GET_PROPERTY, SET_PROPERTY,
    DEPOSIT = 0x48, WITHDRAW, MAP_GPA = 0x4b, UNMAP_GPA, INSTALL_INTERCEPT,
    CREATE_VP, DELETE_VP, GET_REGS, SET_REGS, TRANSLATE,
    CLEAR_INTERRUPT = 0x56, DELETE_PORT = 0x58, DISCONNECT = 0x5b,
    MAP_STATS = 0x6c, UNMAP_STATS, RING_EMPTY = 0x8b, RESULT = 0x91,
    ASSERT = 0x94, CREATE_PORT, CONNECT_PORT, SIGNAL_EVENT = 0xc0,
    POST_MESSAGE, DISPATCH, ACCESS_STATES = 0xc9, MAP_STATE_PAGE = 0xe1,
    UNMAP_STATE_PAGE, GET_STATE, SET_STATE, CPUID_VALUES = 0xf4,
    GET_PROPERTY_EX = 0x101, MAP_STATS2 = 0x131,
};

/* One CPU's hypercall, before it is made */
typedef struct Call {
    Random *r;
    /* Partitions that are there, or 0. volatile: both CPUs change them */
    const volatile uint64_t *live;
    uint64_t control;
    uint32_t at;                /* bytes of input so far */
    uint8_t *in;
} Call;

static inline void put(Call *c, uint64_t v, unsigned size)
{
    if (c->at + size <= PAGE) {
        memcpy(c->in + c->at, &v, size);
        c->at += size;
    }
}

static inline void u64(Call *c, uint64_t v)
{
    put(c, v, 8);
}

static inline void u32(Call *c, uint32_t v)
{
    put(c, v, 4);
}

/* A page of the arena; now and then something else, but nothing of ours */
uint64_t a_pfn(Random *r);
/* Some hypercall but CREATE; the common ones more often */
uint16_t a_code(Random *r);
bool is_fast(uint16_t code);
/* The input that its code asks for, at c->at */
void build(Call *c);
void build_create(Call *c);
/* Size of the input before the page numbers that may not become ours */
uint32_t before_pages(const Call *c);

#endif
