/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parent that does what no kernel would: random and half right hypercalls,
 * synthetic MSRs and CPUID, while its children run random code. The hypervisor
 * must survive. One seed is one life of the machine; it is printed first.
 */
#include "fuzz.h"

/* Not reset with the machine: the seed that is next */
#define STATE       ((volatile uint64_t *)0x7800)
#define STATE_MAGIC 0x656d756866757a7aull

typedef struct Cpu {
    Random r;
    uint64_t calls, good;
    uint8_t in[PAGE] __attribute__((aligned(PAGE)));
} Cpu;

static Cpu cpus[2];
/* volatile: both CPUs read and write these */
static volatile uint64_t live[MAX_LIVE];
static volatile bool ap_done;               /* volatile: as live */

/* ---- Calls ---- */

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

static void remember(uint64_t id)
{
    for (unsigned i = 0; i < MAX_LIVE; i++) {
        if (!live[i]) {
            live[i] = id;
            return;
        }
    }
}

static void start_call(Cpu *cpu, Call *c, uint16_t code)
{
    *c = (Call) {
        .r = &cpu->r, .live = live, .control = code, .in = cpu->in
    };
    memset(cpu->in, 0, 64);
    if (is_fast(code)) {
        c->control |= 1 << 16;
    }
}

static void one_call(Cpu *cpu)
{
    Call c;

    start_call(cpu, &c, a_code(&cpu->r));
    build(&c);
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
    remember(id);
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
