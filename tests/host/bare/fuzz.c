/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parent that does what no kernel would: random and half right hypercalls,
 * synthetic MSRs and CPUID, while its children run random code. The hypervisor
 * must survive. One seed is one life of the machine; it is printed first.
 */
#include "bare.h"
#include "../lib/randcode.h"

#define ARRAY(a)    (sizeof(a) / sizeof((a)[0]))
#define SELF        (~0ull)
#define MAX_LIVE    6u
/* Not reset with the machine: the seed that is next */
#define STATE       ((volatile uint64_t *)0x7800)
#define STATE_MAGIC 0x656d756866757a7aull

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
    uint64_t control, fast[2];
    uint32_t at;                /* bytes of input so far */
    uint8_t *in;
} Call;

typedef struct Cpu {
    Random r;
    uint64_t calls, good;
    uint8_t in[PAGE] __attribute__((aligned(PAGE)));
} Cpu;

static Cpu cpus[2];
/* volatile: both CPUs read and write these */
static volatile uint64_t live[MAX_LIVE];
static volatile uint64_t next_port = 1;     /* volatile: as live */
static volatile bool ap_done;               /* volatile: as live */

/* ---- Values ---- */

static uint64_t pick(Random *r, const uint64_t *from, unsigned n)
{
    return from[random_below(r, n)];
}

static uint64_t a_partition(Random *r)
{
    uint64_t id = live[random_below(r, MAX_LIVE)];

    switch (random_below(r, 24)) {
    case 0:
        return SELF;
    case 1:
        return random_value(r);
    default:
        return id ? id : live[0];
    }
}

static uint32_t a_vp(Random *r)
{
    return random_below(r, 30) ? random_below(r, 3) : random_value(r);
}

/* A page of the arena; now and then something else, but nothing of ours */
static uint64_t a_pfn(Random *r)
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

static void put(Call *c, uint64_t v, unsigned size)
{
    if (c->at + size <= PAGE) {
        memcpy(c->in + c->at, &v, size);
        c->at += size;
    }
}

static void u64(Call *c, uint64_t v)
{
    put(c, v, 8);
}

static void u32(Call *c, uint32_t v)
{
    put(c, v, 4);
}

static void reps(Call *c, unsigned n)
{
    c->control |= (uint64_t)n << 32;
}

static void partition(Call *c)
{
    u64(c, a_partition(c->r));
}

static void vp(Call *c)
{
    partition(c);
    u32(c, a_vp(c->r));
}

static void build_create(Call *c)
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

static void build_create_port(Call *c)
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
    { CREATE, 1, build_create }, { INITIALIZE, 16, build_partition },
    { FINALIZE, 1, build_partition }, { DELETE, 1, build_partition },
    { GET_PROPERTY, 16, build_property }, { SET_PROPERTY, 32, build_property },
    { GET_PROPERTY_EX, 8, build_property }, { DEPOSIT, 16, build_pfns },
    { WITHDRAW, 16, build_withdraw }, { MAP_GPA, 64, build_map },
    { UNMAP_GPA, 24, build_unmap }, { INSTALL_INTERCEPT, 32, build_intercept },
    { CREATE_VP, 32, build_vp }, { DELETE_VP, 1, build_vp },
    { GET_REGS, 48, build_get_regs }, { SET_REGS, 112, build_set_regs },
    { TRANSLATE, 40, build_translate }, { CLEAR_INTERRUPT, 8, build_partition },
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

/* ---- Calls ---- */

static bool is_fast(uint16_t code)
{
    return (code >= INITIALIZE && code <= DELETE) || code == DELETE_VP ||
           code == CLEAR_INTERRUPT || code == DELETE_PORT ||
           code == DISCONNECT || code == RING_EMPTY;
}

static uint64_t an_output(Random *r)
{
    uint64_t page = ARENA + random_below(r, ARENA_PAGES) * PAGE;

    switch (random_below(r, 30)) {
    case 0:
        return page + random_below(r, PAGE);
    case 1:
        return a_pfn(r) << 12;
    default:
        return page;
    }
}

static uint64_t make_call(Cpu *cpu, Call *c)
{
    uint64_t in = (uint64_t)c->in, out = an_output(&cpu->r), rax;

    if (c->control & 1 << 16) {
        memcpy(&in, c->in, 8);
        memcpy(&out, c->in + 8, 8);
    } else if (random_below(&cpu->r, 60) == 0) {
        in = random_below(&cpu->r, 2) ? an_output(&cpu->r)
                                      : random_value(&cpu->r);
    }
    rax = hypercall(c->control, in, out);
    cpu->calls++;
    cpu->good += STATUS(rax) == 0;
    return rax;
}

/* Input before the page numbers that may not become ours */
static uint32_t before_pages(const Call *c)
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

static void spoil(Random *r, Call *c)
{
    uint32_t n = c->at < before_pages(c) ? c->at : before_pages(c);

    if (random_below(r, 6)) {
        return;
    }
    switch (random_below(r, 4)) {
    case 0:
        c->control ^= 1ull << (16 + random_below(r, 48));
        break;
    case 1:
        c->control = (c->control & 0xffff) | random_u64(r) << 16;
        break;
    default:
        for (unsigned i = random_below(r, 4); i < 4 && n; i++) {
            c->in[random_below(r, n)] = random_value(r);
        }
    }
}

static void remember(uint64_t rax, uint64_t id)
{
    for (unsigned i = 0; i < MAX_LIVE && STATUS(rax) == 0; i++) {
        if (!live[i]) {
            live[i] = id;
            return;
        }
    }
}

static unsigned choose(Random *r)
{
    static unsigned total;
    unsigned i, n;

    if (!total) {
        for (i = 0; i < ARRAY(table); i++) {
            total += table[i].weight;
        }
    }
    n = random_below(r, total);
    for (i = 0; n >= table[i].weight; i++) {
        n -= table[i].weight;
    }
    return i;
}

static void start_call(Cpu *cpu, Call *c, uint16_t code)
{
    *c = (Call) { .r = &cpu->r, .control = code, .in = cpu->in };
    memset(cpu->in, 0, 64);
    if (is_fast(code)) {
        c->control |= 1 << 16;
    }
}

static void one_call(Cpu *cpu)
{
    unsigned i = choose(&cpu->r);
    Call c;

    if (table[i].code == CREATE) {
        return;                 /* see new_child() */
    }
    start_call(cpu, &c, table[i].code);
    table[i].build(&c);
    spoil(&cpu->r, &c);
    make_call(cpu, &c);
}

static void any_call(Cpu *cpu)
{
    Call c;

    start_call(cpu, &c, random_below(&cpu->r, 4) ? random_below(&cpu->r, 0x140)
                                                 : random_u64(&cpu->r));
    if (before_pages(&c) < PAGE) {
        return;
    }
    c.control |= random_u64(&cpu->r) << random_below(&cpu->r, 64) & ~0xffffull;
    for (unsigned i = 0; i < 32; i++) {
        u64(&c, random_value(&cpu->r));
    }
    make_call(cpu, &c);
}

/* ---- Children ---- */

static uint64_t simple(Cpu *cpu, uint16_t code, uint64_t a, uint64_t b)
{
    cpu->calls++;
    return hypercall(code | 1 << 16, a, b);
}

static void set_register(Cpu *cpu, uint64_t id, uint32_t index, uint32_t name,
                         uint64_t low, uint64_t high)
{
    Call c;

    start_call(cpu, &c, SET_REGS);
    u64(&c, id);
    u64(&c, index);
    u32(&c, name);
    u32(&c, 0);
    u64(&c, 0);
    u64(&c, low);
    u64(&c, high);
    hypercall(c.control | 1ull << 32, (uint64_t)c.in, 0);
}

/* 64-bit mode at the start of random code */
static void arm(Cpu *cpu, uint64_t id, uint32_t index)
{
    static const uint32_t data[] = { 0x60000, 0x60002, 0x60003 };

    set_register(cpu, id, index, 0, 1, 0);
    set_register(cpu, id, index, 0x40002, GUEST_PML4, 0);
    set_register(cpu, id, index, 0x40003, 0x620, 0);
    set_register(cpu, id, index, 0x80001, 0xd01, 0);
    set_register(cpu, id, index, 0x40000, 0x80000031, 0);
    set_register(cpu, id, index, 0x60001, 0, 0xa09b0008ffffffffull);
    for (unsigned i = 0; i < ARRAY(data); i++) {
        set_register(cpu, id, index, data[i], 0, 0xc0930010ffffffffull);
    }
    set_register(cpu, id, index, 0x70000, 0x0fffull << 48, GUEST_IDT);
    set_register(cpu, id, index, 0x70001, 0x17ull << 48, GUEST_GDT);
    set_register(cpu, id, index, 0x20004, GUEST_STACK, 0);
    set_register(cpu, id, index, 0x20011, 2, 0);
    set_register(cpu, id, index, 0x20010, GUEST_CODE, 0);
    set_register(cpu, id, index, 4, 0, 0);
}

static void run(Cpu *cpu, uint64_t id, uint32_t index)
{
    set_register(cpu, id, index, 1, 0, 0);
    set_register(cpu, id, index, 0, 0, 0);
    if (PARAMS->root_scheduler) {
        Call c;

        start_call(cpu, &c, DISPATCH);
        u64(&c, id);
        u32(&c, index);
        u32(&c, 1);
        u64(&c, 0);
        u64(&c, 0);
        hypercall(c.control, (uint64_t)c.in, ARENA + 0x800000);
    }
}

static void map_image(Cpu *cpu, uint64_t id, uint64_t pfn)
{
    Call c;

    start_call(cpu, &c, MAP_GPA);
    u64(&c, id);
    u64(&c, 0);
    u64(&c, 0x800f);
    for (unsigned i = 0; i < GUEST_PAGES; i++) {
        u64(&c, pfn + i);
    }
    hypercall(c.control | (uint64_t)GUEST_PAGES << 32, (uint64_t)c.in, 0);
}

static void new_child(Cpu *cpu)
{
    Random *r = &cpu->r;
    uint64_t rax, id, out = ARENA + this_cpu() * PAGE;
    Call c;

    start_call(cpu, &c, CREATE);
    build_create(&c);
    rax = hypercall(c.control, (uint64_t)c.in, out);
    if (STATUS(rax)) {
        return;
    }
    /* volatile: the hypervisor wrote it */
    id = *(volatile uint64_t *)out;
    if (random_below(r, 16)) {
        start_call(cpu, &c, SET_PROPERTY);
        u64(&c, id);
        u64(&c, 0x10001);
        u64(&c, random_below(r, 4) ? 0x4400fff : random_value(r));
        hypercall(c.control, (uint64_t)c.in, 0);
        simple(cpu, INITIALIZE, id, 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        start_call(cpu, &c, CREATE_VP);
        u64(&c, id);
        u64(&c, i);
        u64(&c, 0);
        u64(&c, 0);
        u64(&c, 0);
        hypercall(c.control, (uint64_t)c.in, 0);
    }
    remember(0, id);
}

/* A child with fresh code; its VPs start on it. */
static void fresh_code(Cpu *cpu)
{
    uint64_t id = live[random_below(&cpu->r, MAX_LIVE)];
    uint64_t page = 16 + 64 * random_below(&cpu->r, 30);

    if (!id) {
        return;
    }
    random_guest(&cpu->r, (uint8_t *)ARENA + page * PAGE);
    map_image(cpu, id, ARENA / PAGE + page);
    for (unsigned i = 0; i < 2; i++) {
        arm(cpu, id, i);
        run(cpu, id, i);
    }
}

static void run_again(Cpu *cpu)
{
    uint64_t id = live[random_below(&cpu->r, MAX_LIVE)];
    unsigned index = random_below(&cpu->r, 2);

    if (random_below(&cpu->r, 3) == 0) {
        arm(cpu, id, index);
    }
    run(cpu, id, index);
}

/* Give everything back. Where VPs stopped must not matter. */
static void destroy(Cpu *cpu, unsigned slot)
{
    uint64_t id = live[slot];
    Call c;

    if (!id) {
        return;
    }
    live[slot] = 0;
    simple(cpu, FINALIZE, id, 0);
    start_call(cpu, &c, WITHDRAW);
    u64(&c, id);
    u64(&c, 0);
    hypercall(c.control | 512ull << 32, (uint64_t)c.in, ARENA);
    simple(cpu, DELETE, id, 0);
}

/* ---- MSRs and CPUID ---- */

static void an_msr(Cpu *cpu)
{
    Random *r = &cpu->r;
    uint32_t msr = 0x40000000 + random_below(r, 0x140);
    uint64_t v = random_value(r);

    if (random_below(r, 2)) {
        try_rdmsr(msr, &v);
        return;
    }
    if (msr == 0x40000001 || (msr >= 0x40000082 && msr <= 0x40000085) ||
        msr == 0x40000073) {
        v = a_pfn(r) << 12 | random_below(r, 2);
    } else if (msr >= 0x40000090 && msr <= 0x4000009f) {
        v = random_below(r, 4) ? 0xf3 | (random_u64(r) & 0xd0000) : v;
        if ((v & 0xff) < 32) {
            v |= 0x10000;       /* exceptions are for real ones */
        }
    }
    try_wrmsr(msr, v);
    if (msr <= 0x40000001 && random_below(r, 4)) {
        hv_start();
    }
}

static void a_cpuid(Cpu *cpu)
{
    uint32_t a = random_below(&cpu->r, 2) ? 0x40000000 +
                 random_below(&cpu->r, 0x100) : random_value(&cpu->r), b, d;
    uint32_t c = random_value(&cpu->r);

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

/* Take the message out of slot 0, as a kernel does; sometimes do not. */
static void take_message(unsigned vector)
{
    uint64_t simp;
    volatile uint32_t *slot;    /* volatile: the hypervisor writes it */

    if (vector != 0xf3 || !try_rdmsr(0x40000083, &simp) || !(simp & 1) ||
        simp >> 12 < ARENA / PAGE || simp >> 12 > 0xfeff0 ||
        (simp >= NO_RAM && simp < 0xfef00000)) {
        return;
    }
    /* volatile: as declared */
    slot = (volatile uint32_t *)(simp & ~0xfffull);
    *slot = 0;
    __sync_synchronize();
    try_wrmsr(0x40000084, 0);
}

/* ---- One life ---- */

static void step(Cpu *cpu)
{
    Random *r = &cpu->r;

    switch (random_below(r, 40)) {
    case 0:
        new_child(cpu);
        break;
    case 1:
        fresh_code(cpu);
        break;
    case 2:
    case 3:
    case 4:
        run_again(cpu);
        break;
    case 5:
    case 6:
        an_msr(cpu);
        break;
    case 7:
        a_cpuid(cpu);
        break;
    case 8:
    case 9:
        any_call(cpu);
        break;
    case 10:
        if (random_below(r, 4) == 0) {
            destroy(cpu, random_below(r, MAX_LIVE));
        }
        break;
    case 11:
        idle(random_below(r, 2000));
        break;
    case 12:
        hv_start();
        break;
    default:
        one_call(cpu);
    }
}

static void live_once(Cpu *cpu)
{
    timer_us(500);
    interrupts_on();
    for (uint64_t i = 0; i < PARAMS->steps; i++) {
        step(cpu);
    }
}

static void ap_life(void)
{
    live_once(&cpus[1]);
    ap_done = true;
    for (;;) {
        __asm__ volatile("hlt");
    }
}

static void one_seed(uint64_t seed)
{
    print("seed %u\n", seed);
    random_seed(&cpus[0].r, seed);
    random_seed(&cpus[1].r, ~seed);
    hv_start();
    on_interrupt = take_message;
    /* A dispatched VP that never exits ends with an interrupt only. */
    timer_us(500);
    interrupts_on();
    for (unsigned i = 0; i < 3; i++) {
        new_child(&cpus[0]);
        fresh_code(&cpus[0]);
    }
    if (PARAMS->cpus > 1) {
        start_ap(ap_life);
    }
    live_once(&cpus[0]);
    while (PARAMS->cpus > 1 && !ap_done) {
        idle(1000);
    }
    print("  %u calls, %u of them good, %u messages\n",
          cpus[0].calls + cpus[1].calls, cpus[0].good + cpus[1].good,
          interrupts[0xf3]);
}

int main(void)
{
    uint64_t seed;

    if (STATE[0] != STATE_MAGIC) {
        STATE[0] = STATE_MAGIC;
        STATE[1] = PARAMS->first;
    }
    seed = STATE[1];
    one_seed(seed);
    STATE[1] = seed + 1;
    if (seed + 1 < PARAMS->first + PARAMS->count) {
        reboot();               /* whatever the children are doing */
    }
    for (unsigned i = 0; i < MAX_LIVE; i++) {
        destroy(&cpus[0], i);
    }
    print("ok - the hypervisor survived\n");
    return 0;
}
