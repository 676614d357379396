/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fuzzer: values and input lists that the hypervisor might take. */
#include "fuzz.h"

static volatile uint64_t next_port = 1;     /* volatile: of both CPUs */

/* ---- Values ---- */

static uint64_t pick(Random *r, const uint64_t *from, unsigned n)
{
    return from[random_below(r, n)];
}

static uint64_t a_partition(const Call *c)
{
    Random *r = c->r;
    uint64_t id = c->live[random_below(r, MAX_LIVE)];

    switch (random_below(r, 24)) {
    case 0:
        return SELF;
    case 1:
        return random_value(r);
    default:
        return id ? id : c->live[0];
    }
}

static uint32_t a_vp(Random *r)
{
    return random_below(r, 30) ? random_below(r, 3) : random_value(r);
}

uint64_t a_pfn(Random *r)
{
    static const uint64_t odd[] = {
        0xfee00, 0xfffff, 0xfec00, 0xfef00, NO_RAM / PAGE, 1ull << 38,
        1ull << 37, (1ull << 37) + 5, 0xa0, 0xb0000, 0xfed00, 0xe0000,
    };
    uint64_t v;

    switch (random_below(r, 20)) {
    case 0:
        return pick(r, odd, ARRAY(odd));
    case 1:
        v = random_value(r);
        return v < 0x1000 ? v + 0x1000 : v;
    default:
        return ARENA / PAGE + random_below(r, ARENA_PAGES);
    }
}

static uint64_t a_gfn(Random *r)
{
    switch (random_below(r, 12)) {
    case 0:
        return random_value(r);
    case 1:
        return 512 * random_below(r, 64);
    case 2:
        return 0xfee00;
    default:
        return random_below(r, GUEST_PAGES * 3);
    }
}

static uint32_t a_register(Random *r)
{
    static const struct {
        uint32_t first, n;
    } known[] = {
        { 0x0, 5 }, { 0x100, 1 }, { 0x200, 0x16 }, { 0x10002, 5 },
        { 0x20000, 18 }, { 0x30000, 26 }, { 0x40000, 6 }, { 0x41000, 5 },
        { 0x50000, 6 }, { 0x60000, 8 }, { 0x70000, 2 }, { 0x80000, 0xb3 },
        { 0x84802, 1 }, { 0x90000, 0x1d }, { 0xa0000, 0x16 }, { 0xb0000, 8 },
    };
    unsigned i = random_below(r, ARRAY(known) + 1);

    if (i == ARRAY(known)) {
        return random_u64(r);
    }
    return known[i].first + random_below(r, known[i].n);
}

static uint32_t a_property(Random *r)
{
    static const uint64_t known[] = {
        0x10000, 0x10001, 0x20000, 0x20005, 0x30003, 0x30005, 0x50003, 0x50005,
        0x50010, 0x50017, 0x60000, 0x60002, 0x60005, 0x60006, 0x60007, 0x60008,
        0x60009, 0x6000a, 0x6000b, 0x70000, 0x80000, 0x90007, 0x90009,
    };

    return random_below(r, 8) ? pick(r, known, ARRAY(known)) : random_u64(r);
}

/* ---- Input lists ---- */

static void reps(Call *c, unsigned n)
{
    c->control |= (uint64_t)n << 32;
}

static void partition(Call *c)
{
    u64(c, a_partition(c));
}

static void vp(Call *c)
{
    partition(c);
    u32(c, a_vp(c->r));
}

void build_create(Call *c)
{
    u64(c, 1 << 8 | 1 << 19 | (random_below(c->r, 8) ? 1 << 13 : 0) |
        (random_below(c->r, 2) ? 1 << 22 : 0) | (random_u64(c->r) & 0x11));
    u64(c, 0);
    u64(c, 0x609);
    u64(c, random_below(c->r, 3) ? 0 : random_value(c->r));
    u64(c, random_below(c->r, 3) ? 0 : random_value(c->r));
    u64(c, random_below(c->r, 3) ? 0 : random_value(c->r));
    u64(c, 0);
}

static void build_property(Call *c)
{
    partition(c);
    u64(c, a_property(c->r));
    u64(c, random_value(c->r));
}

static void build_pfns(Call *c)
{
    unsigned n = 1 + random_below(c->r, 20);

    partition(c);
    reps(c, n);
    while (n--) {
        u64(c, a_pfn(c->r));
    }
}

static void build_withdraw(Call *c)
{
    partition(c);
    u64(c, 0);
    reps(c, 1 + random_below(c->r, 512));
}

static void build_map(Call *c)
{
    static const uint64_t flags[] = {
        0x800f, 0x800d, 0x8009, 0x10000, 0x10000, 0xf, 0x8000800f, 0x80010000,
        0x20000b, 0x200003, 0x8003,
    };
    uint64_t f = pick(c->r, flags, ARRAY(flags)), pfn = a_pfn(c->r);
    unsigned n = 1 + random_below(c->r, random_below(c->r, 50) ? 32 : 508);

    partition(c);
    u64(c, f & 0x80000000 ? a_gfn(c->r) & ~511ull : a_gfn(c->r));
    u64(c, f);
    reps(c, n);
    for (unsigned i = 0; i < n; i++) {
        u64(c, f & 0x80000000 ? pfn & ~511ull : pfn + i);
    }
}

static void build_unmap(Call *c)
{
    partition(c);
    u64(c, a_gfn(c->r));
    u64(c, random_below(c->r, 4) ? 0 : 2);
    reps(c, 1 + random_below(c->r, random_below(c->r, 20) ? 16 : 512));
}

static void build_intercept(Call *c)
{
    partition(c);
    u32(c, random_below(c->r, 8));
    u32(c, random_below(c->r, 14));
    u64(c, random_below(c->r, 2) ? random_below(c->r, 32)
                                 : random_msr(c->r));
}

static void build_vp(Call *c)
{
    vp(c);
    for (unsigned i = 0; i < 7; i++) {
        u32(c, 0);
    }
}

static void build_get_regs(Call *c)
{
    unsigned n = 1 + random_below(c->r, 30);

    vp(c);
    u32(c, 0);
    reps(c, n);
    while (n--) {
        u32(c, a_register(c->r));
    }
}

static void build_set_regs(Call *c)
{
    unsigned n = 1 + random_below(c->r, 12);

    vp(c);
    u32(c, 0);
    reps(c, n);
    while (n--) {
        u32(c, a_register(c->r));
        u32(c, 0);
        u64(c, 0);
        u64(c, random_value(c->r));
        u64(c, random_value(c->r));
    }
}

static void build_translate(Call *c)
{
    vp(c);
    u32(c, 0);
    u64(c, random_u64(c->r) & 0x3df);
    u64(c, a_gfn(c->r));
}

static void build_partition(Call *c)
{
    partition(c);
}

void build_create_port(Call *c)
{
    u64(c, SELF);
    u64(c, next_port++ & 0xfffff);
    partition(c);
    u64(c, 4);
    u32(c, random_below(c->r, 20) ? 5 : random_below(c->r, 18));
    u32(c, random_below(c->r, 4) ? ~0u : random_below(c->r, 4));
    u64(c, 0);
    u64(c, 0);
}

static void build_connect(Call *c)
{
    uint64_t port = next_port - random_below(c->r, 8);

    partition(c);
    u64(c, port & 0xfffff);
    u64(c, SELF);
    u64(c, port & 0xfffff);
    u64(c, 4);
    u64(c, a_gfn(c->r) << 12 | random_below(c->r, 0x1000));
    u64(c, random_value(c->r));
    u64(c, random_below(c->r, 5) |
        (random_below(c->r, 2) ? 0x80000000 : 0));
    u64(c, 0);
}

static void build_port(Call *c)
{
    if (random_below(c->r, 2)) {
        u64(c, SELF);
    } else {
        partition(c);
    }
    u32(c, (next_port - random_below(c->r, 16)) & 0xfffff);
    u32(c, 1);
}

static void build_stats(Call *c)
{
    u64(c, 0x10001 + random_below(c->r, 2));
    partition(c);
    u32(c, a_vp(c->r));
    u32(c, random_below(c->r, 2) << 24);
    u64(c, a_pfn(c->r));
}

static void build_sint(Call *c)
{
    u64(c, random_below(c->r, 20));
}

static void build_result(Call *c)
{
    partition(c);
    u32(c, random_below(c->r, 2) ? ~0u : a_vp(c->r));
    u32(c, random_below(c->r, 3) ? 2 : random_below(c->r, 14));
    for (unsigned i = 0; i < 11; i++) {
        u32(c, i ? random_value(c->r) : random_below(c->r, 0x20));
    }
}

static void build_assert(Call *c)
{
    partition(c);
    u32(c, random_below(c->r, 11));
    u32(c, random_below(c->r, 4));
    u64(c, random_below(c->r, 8) ? random_below(c->r, 3) : random_value(c->r));
    u32(c, random_below(c->r, 8) ? random_below(c->r, 256)
                                 : random_value(c->r));
    u32(c, 0);
}

static void build_event(Call *c)
{
    vp(c);
    put(c, 0, 1);
    put(c, random_below(c->r, 17), 1);
    put(c, random_value(c->r), 2);
}

static void build_message(Call *c)
{
    vp(c);
    u32(c, 0);
    u32(c, random_below(c->r, 17));
    for (unsigned i = 0; i < 65; i++) {
        u32(c, random_value(c->r));
    }
}

static void build_dispatch(Call *c)
{
    vp(c);
    u32(c, random_below(c->r, 4) ? 1 : random_value(c->r));
    u64(c, 0);
    u64(c, 0);
}

static void build_access(Call *c)
{
    partition(c);
    u64(c, random_below(c->r, 16));
    u64(c, a_gfn(c->r));
    reps(c, 1 + random_below(c->r, random_below(c->r, 8) ? 96 : 4095));
}

static void build_state_page(Call *c)
{
    vp(c);
    put(c, random_below(c->r, 3), 2);
    put(c, 0, 1);
    put(c, 1, 1);
    u64(c, a_pfn(c->r));
}

static void build_state(Call *c)
{
    static const uint64_t types[] = {
        0x80000000, 0x80000001, 0x80000002, 0x80000003, 4, 0x80000004, 1, 9,
    };
    uint64_t type = pick(c->r, types, ARRAY(types));
    bool pages = type & 0x80000000;
    unsigned n = pages ? 1 + random_below(c->r, 4) : random_below(c->r, 2) * 25;

    vp(c);
    u32(c, 0);
    u64(c, type);
    u64(c, random_value(c->r));
    u64(c, random_value(c->r));
    c->control |= n << 17;
    while (n--) {
        u64(c, pages ? a_pfn(c->r) : random_value(c->r));
    }
}

static void build_cpuid(Call *c)
{
    unsigned n = 1 + random_below(c->r, 40);

    vp(c);
    u32(c, 0);
    u64(c, 0);
    reps(c, n);
    while (n--) {
        u32(c, random_below(c->r, 2) ? random_below(c->r, 0x24)
                                     : random_value(c->r));
        u32(c, random_below(c->r, 2) ? random_below(c->r, 20)
                                     : random_value(c->r));
    }
}

static const struct {
    uint16_t code;
    uint8_t weight;
    void (*build)(Call *);
} table[] = {
    { INITIALIZE, 16, build_partition }, { FINALIZE, 1, build_partition },
    { DELETE, 1, build_partition }, { TRANSLATE, 40, build_translate },
    { GET_PROPERTY, 16, build_property }, { SET_PROPERTY, 32, build_property },
    { GET_PROPERTY_EX, 8, build_property }, { DEPOSIT, 16, build_pfns },
    { WITHDRAW, 16, build_withdraw }, { MAP_GPA, 64, build_map },
    { UNMAP_GPA, 24, build_unmap }, { INSTALL_INTERCEPT, 32, build_intercept },
    { CREATE_VP, 32, build_vp }, { DELETE_VP, 1, build_vp },
    { GET_REGS, 48, build_get_regs }, { SET_REGS, 112, build_set_regs },
    { CLEAR_INTERRUPT, 8, build_partition },
    { DELETE_PORT, 8, build_port }, { DISCONNECT, 8, build_port },
    { CREATE_PORT, 24, build_create_port }, { CONNECT_PORT, 24, build_connect },
    { MAP_STATS, 8, build_stats }, { MAP_STATS2, 16, build_stats },
    { UNMAP_STATS, 8, build_stats }, { RING_EMPTY, 8, build_sint },
    { RESULT, 24, build_result }, { ASSERT, 64, build_assert },
    { SIGNAL_EVENT, 16, build_event }, { POST_MESSAGE, 16, build_message },
    { DISPATCH, 80, build_dispatch }, { ACCESS_STATES, 32, build_access },
    { MAP_STATE_PAGE, 24, build_state_page },
    { UNMAP_STATE_PAGE, 8, build_state_page }, { GET_STATE, 24, build_state },
    { SET_STATE, 32, build_state }, { CPUID_VALUES, 16, build_cpuid },
};

bool is_fast(uint16_t code)
{
    return (code >= INITIALIZE && code <= DELETE) || code == DELETE_VP ||
           code == CLEAR_INTERRUPT || code == DELETE_PORT ||
           code == DISCONNECT || code == RING_EMPTY;
}

uint16_t a_code(Random *r)
{
    unsigned i, n, total = 0;

    for (i = 0; i < ARRAY(table); i++) {
        total += table[i].weight;
    }
    n = random_below(r, total);
    for (i = 0; n >= table[i].weight; i++) {
        n -= table[i].weight;
    }
    return table[i].code;
}

void build(Call *c)
{
    for (unsigned i = 0; i < ARRAY(table); i++) {
        if (table[i].code == (uint16_t)c->control) {
            table[i].build(c);
            return;
        }
    }
}

uint32_t before_pages(const Call *c)
{
    switch ((uint16_t)c->control) {
    case MAP_STATE_PAGE:
        return 16;
    case MAP_GPA:
    case MAP_STATS2:
        return 24;
    case GET_STATE:
        return 40;
    default:
        return PAGE;
    }
}
