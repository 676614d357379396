/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that watches its own state, while the test looks at it from outside
 * in every way, stops it and lets it go on. Nothing of that may be seen here.
 * Devices: VGA.
 */
#include "guest.h"

#define ROUNDS          80
#define SPIN            20000u
#define AREA            (512 + 64 + 256)
#define TIMER           0x61
#define VGA             0xa0000u

GUEST_CODE(spin, "1: dec %ecx\n jnz 1b");
/* Each iteration exits: a byte of a port, a word of MMIO. */
GUEST_CODE(spin_exits,
           "1: out %al, $0x80\n lock incl (%rdi)\n dec %ecx\n jnz 1b");

static const uint32_t msrs[] = {
    0xc0000081, 0xc0000082, 0xc0000083, 0xc0000100, 0xc0000101, 0xc0000102,
    0x174, 0x175, 0x176, 0x277, 0x1b, 0xc0000080,
};
static const uint16_t lapic_regs[] = {
    LAPIC_ID, LAPIC_TPR, 0xd0, 0xe0, LAPIC_SVR, LAPIC_LINT0, LAPIC_LINT1,
    LAPIC_DIVIDE, LAPIC_LVT_TIMER,
};

static uint8_t in[AREA] __attribute__((aligned(64)));
static uint8_t out[AREA] __attribute__((aligned(64)));
static bool have_avx;
/* Changed by interrupts, and by the other processor */
static volatile unsigned timer_count;
static volatile uint64_t last_tsc;      /* too */
static uint32_t tsc_lock;
static volatile uint64_t tsc_back[2];   /* too */

static void set_up_vectors(void)
{
    uint32_t *legacy = (uint32_t *)in;
    unsigned i;

    have_avx = enable_avx();
    for (i = 160; i < AREA; i++) {
        in[i] = i >= 416 && i < 576 ? 0 : random64();
    }
    for (i = 0; i < 8; i++) {
        uint64_t mantissa = random64() | 1ull << 63;

        memcpy(&in[32 + i * 16], &mantissa, 8);
        in[32 + i * 16 + 8] = i;
        in[32 + i * 16 + 9] = 0x40;
    }
    legacy[0] = 0x027f | 0x2800 << 16;      /* precision; TOP 5 */
    legacy[1] = 0x9f;
    legacy[6] = 0x5f80;                     /* rounding */
    in[512] = 7;
}

static bool check_registers(const uint8_t *code, uint64_t rdi, unsigned n)
{
    struct regs r = random_regs(), old;
    unsigned i;
    bool good = true;

    r.rflags |= 0x600 | (random64() & 0x8d5);
    r.gpr[RCX] = n;
    r.gpr[RDI] = rdi;
    old = r;
    if (have_avx) {
        asm volatile("xrstor %0" : : "m"(in), "a"(7), "d"(0));
    } else {
        asm volatile("fxrstor %0" : : "m"(in));
    }
    run(&r, code);
    if (have_avx) {
        asm volatile("xsave %0" : : "m"(out), "a"(7), "d"(0) : "memory");
    } else {
        asm volatile("fxsave %0" : : "m"(out) : "memory");
    }
    for (i = 0; i < 16; i++) {
        if (i != RSP && i != RCX && r.gpr[i] != old.gpr[i]) {
            print("# register %u: 0x%lx, was 0x%lx\n", i, r.gpr[i],
                  old.gpr[i]);
            good = false;
        }
    }
    if (!(r.rflags & 0x400)) {
        print("# DF: flags 0x%lx\n", r.rflags);
        good = false;
    }
    memset(out + 464, 0, 48);
    memset(out + 28, 0, 4);                 /* MXCSR_MASK */
    for (i = 0; i < (have_avx ? AREA : 512); i++) {
        if (out[i] != in[i] && (i < 512 || i >= 576)) {
            print("# extended state at %u: 0x%x, was 0x%x\n", i, out[i],
                  in[i]);
            return false;
        }
    }
    return good;
}

/* What stands still: @fill notes it, and without, compares. */
static bool check_rest(bool fill)
{
    static uint64_t saved[64];
    uint64_t now[64] = { 0 };
    unsigned n = 0, i;

    for (i = 0; i < ARRAY_SIZE(msrs); i++) {
        now[n++] = rdmsr(msrs[i]);
    }
    for (i = 0; i < ARRAY_SIZE(lapic_regs); i++) {
        now[n++] = read32(LAPIC + lapic_regs[i]);
    }
    now[n++] = READ_REG("dr0");
    now[n++] = READ_REG("dr1");
    now[n++] = READ_REG("dr2");
    now[n++] = READ_REG("dr3");
    now[n++] = READ_REG("dr6");
    now[n++] = READ_REG("dr7");
    now[n++] = READ_REG("cr0");
    now[n++] = READ_REG("cr2");
    now[n++] = READ_REG("cr3");
    now[n++] = READ_REG("cr4");
    now[n++] = READ_REG("cr8");
    now[n++] = READ_REG("ds");
    now[n++] = READ_REG("fs");
    asm volatile("sgdt %0" : "=m"(now[n]));
    n += 2;
    asm volatile("sidt %0" : "=m"(now[n]));
    n += 2;
    asm volatile("str %w0" : "=r"(now[n]));
    n++;
    if (fill) {
        memcpy(saved, now, sizeof(now));
        return true;
    }
    for (i = 0; i < n; i++) {
        if (now[i] != saved[i]) {
            print("# item %u: 0x%lx, was 0x%lx\n", i, now[i], saved[i]);
            return false;
        }
    }
    return true;
}

static void set_up_rest(void)
{
    unsigned i;

    for (i = 0; i < 6; i++) {
        wrmsr(msrs[i], i == 0 ? 0x0023001000000000 : 0x00007f0011223300 + i);
    }
    wrmsr(0x174, KERNEL_CS);
    wrmsr(0x175, 0x12345678);
    wrmsr(0x176, 0x23456789);
    wrmsr(0x277, 0x0007010600070106);
    WRITE_REG("dr0", 0x1234);
    WRITE_REG("dr1", 0x2345);
    WRITE_REG("dr2", 0x3456);
    WRITE_REG("dr3", 0x4567);
    WRITE_REG("cr2", 0x123456789abc);
    WRITE_REG("cr8", 3);
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    write32(LAPIC + LAPIC_LINT0, 0x10000);
    write32(LAPIC + LAPIC_LINT1, 0x400);
    write32(LAPIC + 0xd0, 0x01000000);
    write32(LAPIC + LAPIC_DIVIDE, 0xb);
    write32(LAPIC + LAPIC_LVT_TIMER, TIMER);
}

static void on_timer(struct frame *f)
{
    timer_count++;
    write32(LAPIC + LAPIC_EOI, 0);
}

/* HLT ends by the timer, and by nothing else; and the timer comes once. */
static bool check_halt(void)
{
    unsigned i;

    for (i = 0; i < 3; i++) {
        unsigned old = timer_count;

        write32(LAPIC + LAPIC_INITIAL, 3000000);
        asm volatile("sti; hlt; cli" : : : "memory");
        if (timer_count != old + 1) {
            print("# HLT ended after %u interrupts\n", timer_count - old);
            return false;
        }
    }
    return true;
}

/* Its counter runs down, and is not loaded again. */
static bool check_timer(void)
{
    uint32_t old = 0xffffffff, now;
    unsigned i;

    write32(LAPIC + LAPIC_INITIAL, 0xf0000000);
    for (i = 0; i < 300; i++) {
        now = read32(LAPIC + LAPIC_COUNT);
        if (now > old) {
            print("# timer counter: 0x%x after 0x%x\n", now, old);
            return false;
        }
        old = now;
    }
    write32(LAPIC + LAPIC_INITIAL, 0);
    return true;
}

/* Each processor sees its clock behind that of the other one. */
static bool check_tsc(unsigned who)
{
    unsigned i;

    for (i = 0; i < 200; i++) {
        uint64_t now;

        while (__atomic_exchange_n(&tsc_lock, 1, __ATOMIC_ACQUIRE)) {
            pause();
        }
        asm volatile("lfence" : : : "memory");
        now = rdtsc();
        if (now < last_tsc) {
            tsc_back[who] = last_tsc - now;
        }
        last_tsc = now;
        __atomic_store_n(&tsc_lock, 0, __ATOMIC_RELEASE);
    }
    return !tsc_back[0] && !tsc_back[1];
}

void guest_cpu(unsigned number)
{
    for (;;) {
        check_tsc(1);
        inb(0x80);
    }
}

void guest_main(void)
{
    bool registers = true, exits = true, rest = true, halt = true;
    bool timer = true, tsc = true, memory = true;
    /* A device */
    volatile uint32_t *at = (void *)(VGA + 0x100ull);
    unsigned i;

    vga_is_memory();
    trap_handlers[TIMER] = on_timer;
    set_up_vectors();
    if (cpuid(1, 0).ebx >> 16 & 0xfe) {
        start_cpus(1);
    }
    set_up_rest();
    check_rest(true);
    print("# please storm\n");
    for (i = 0; i < ROUNDS; i++) {
        registers &= check_registers(CODE_OF(spin), 0, SPIN);
        *at = i;
        exits &= check_registers(CODE_OF(spin_exits), (uint64_t)at, 200);
        memory &= *at == i + 200;
        rest &= check_rest(false);
        halt &= check_halt();
        timer &= check_timer();
        tsc &= check_tsc(0);
    }
    ok(registers, "registers, with no exit");
    ok(exits, "registers, with exits");
    ok(memory, "each access to a device is done once");
    ok(rest, "MSRs, local APIC, control, debug and table registers");
    ok(halt, "HLT ends by an interrupt alone");
    ok(timer, "the local APIC's timer runs on");
    ok(tsc, "the TSC goes forward on all processors (0x%lx, 0x%lx)",
       tsc_back[0], tsc_back[1]);
}
