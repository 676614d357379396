/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that runs for ever and looks whether it is still what it was: its
 * registers on each processor, its clocks, timers, interrupts, hypercalls and
 * the hypervisor's pages, and each page of a part of its memory, which it
 * changes all the time. The test stops, saves and moves it meanwhile, and reads
 * what it has to say at REPORT. It comes to a stand if a timer, an interrupt or
 * a message is lost.
 */
#include "guest.h"

/* What the test reads there, in this order (carried.py). Interrupts write. */
#define REPORT          ((volatile struct report *)0x600)
struct report {
    uint32_t passes, errors, cpus, ticks, direct, messages, hypercalls, rounds;
};

#define MEMORY          0x1000000ull
#define PAGES           1024
#define MSR_OS_ID       0x40000000
#define MSR_HYPERCALL   0x40000001
#define MSR_RUNTIME     0x40000010
#define MSR_TIME        0x40000020
#define MSR_TSC_PAGE    0x40000021
#define MSR_ASSIST      0x40000073
#define MSR_SCONTROL    0x40000080
#define MSR_SIEFP       0x40000082
#define MSR_SIMP        0x40000083
#define MSR_EOM         0x40000084
#define MSR_SINT(n)     (0x40000090 + (n))
#define MSR_CONFIG(n)   (0x400000b0 + 2 * (n))
#define MSR_COUNT(n)    (0x400000b1 + 2 * (n))
#define MSR_CRASH(n)    (0x40000100 + (n))
#define STIMER_DIRECT(v) (1 << 12 | (v) << 4)
#define STIMER_ENABLE   1
#define STIMER_PERIODIC 2
#define TIMER_EXPIRED   0x80000010
#define SINT            2
#define PERIOD          100000          /* of 100 ns */

enum { TICK = 0x61, CALL, DIRECT, MESSAGE, ONE_SHOT };

/* The trampoline's processors have no number of their own in a handler. */
struct kept {
    uint64_t msrs[32], control[12];
    uint8_t area[832] __attribute__((aligned(64)));
};

static struct kept kept[MAX_CPUS];
static uint32_t answers, time_lock;
static uint64_t last_time, last_tsc, last_page_time;
/* Changed by interrupts */
static volatile uint64_t last_expiry, one_shot_at;
static volatile uint32_t one_shots;     /* too */
static uint8_t *hypercall_page, *sim, *sief, *assist;
/* The hypervisor writes it. */
static const volatile struct {
    uint32_t sequence, reserved;
    uint64_t scale;
    int64_t offset;
} *tsc_page;
static bool have_avx;

static const uint32_t msrs[] = {
    0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0xc0000080,
    0x174, 0x175, 0x176, 0x277, 0x1b, 0x1d9,
    MSR_OS_ID, MSR_HYPERCALL, MSR_TSC_PAGE, MSR_ASSIST, MSR_SCONTROL,
    MSR_SIEFP, MSR_SIMP, MSR_SINT(SINT), MSR_SINT(7), MSR_CONFIG(0),
    MSR_COUNT(0), MSR_CONFIG(1), MSR_COUNT(1), MSR_CRASH(0), MSR_CRASH(4),
};

static void error(const char *what, unsigned cpu, uint64_t got,
                  uint64_t wanted)
{
    if (__atomic_fetch_add(&REPORT->errors, 1, __ATOMIC_SEQ_CST) < 20) {
        print("# cpu %u, %s: 0x%lx, wanted 0x%lx\n", cpu, what, got, wanted);
    }
}

static void expect(const char *what, unsigned cpu, uint64_t got,
                   uint64_t wanted)
{
    if (got != wanted) {
        error(what, cpu, got, wanted);
    }
}

/* ---- Interrupts ---- */

static void end_of_interrupt(void)
{
    write32(LAPIC + LAPIC_EOI, 0);
}

static void on_tick(struct frame *f)
{
    REPORT->ticks++;
    end_of_interrupt();
}

static void on_call(struct frame *f)
{
    __atomic_fetch_add(&answers, 1, __ATOMIC_SEQ_CST);
    end_of_interrupt();
}

static void on_direct(struct frame *f)
{
    REPORT->direct++;
    end_of_interrupt();
}

static void on_message(struct frame *f)
{
    /* The hypervisor writes it. */
    volatile uint32_t *slot = (volatile uint32_t *)(sim + SINT * 256);
    uint64_t expiry = slot[6] | (uint64_t)slot[7] << 32;
    uint64_t delivery = slot[8] | (uint64_t)slot[9] << 32;

    expect("type of message", 0, slot[0], TIMER_EXPIRED);
    expect("timer of message", 0, slot[4], 1);
    if (expiry <= last_expiry) {
        error("message comes twice", 0, expiry, last_expiry);
    }
    if (last_expiry && (expiry - last_expiry) % PERIOD) {
        error("message out of its period", 0, expiry, last_expiry);
    }
    if (delivery < expiry) {
        error("message comes early", 0, delivery, expiry);
    }
    last_expiry = expiry;
    REPORT->messages++;
    __atomic_store_n(&slot[0], 0, __ATOMIC_SEQ_CST);
    if (slot[1] >> 8 & 1) {
        wrmsr(MSR_EOM, 0);
    }
    end_of_interrupt();
}

static void on_one_shot(struct frame *f)
{
    uint64_t now = rdmsr(MSR_TIME);

    if (now < one_shot_at) {
        error("timer fires early", 0, now, one_shot_at);
    }
    one_shots++;
    end_of_interrupt();
}

/* An interrupt counts there. */
static void halt_until(const volatile uint32_t *what, uint32_t wanted)
{
    for (;;) {
        asm volatile("cli" : : : "memory");
        if ((int32_t)(*what - wanted) >= 0) {
            asm volatile("sti" : : : "memory");
            return;
        }
        asm volatile("sti; hlt" : : : "memory");
    }
}

/* ---- What stands still ---- */

static void read_kept(struct kept *k)
{
    unsigned i, n = 0;

    memset(k, 0, sizeof(*k));
    for (i = 0; i < ARRAY_SIZE(msrs); i++) {
        k->msrs[i] = rdmsr(msrs[i]);
    }
    k->control[n++] = READ_REG("dr0");
    k->control[n++] = READ_REG("dr1");
    k->control[n++] = READ_REG("dr2");
    k->control[n++] = READ_REG("dr3");
    k->control[n++] = READ_REG("dr6");
    k->control[n++] = READ_REG("dr7");
    k->control[n++] = READ_REG("cr0");
    k->control[n++] = READ_REG("cr2");
    k->control[n++] = READ_REG("cr3");
    k->control[n++] = READ_REG("cr4");
    k->control[n++] = READ_REG("cr8");
    k->control[n++] = read32(LAPIC + LAPIC_SVR) |
                      (uint64_t)read32(LAPIC + LAPIC_LVT_TIMER) << 32;
    if (have_avx) {
        asm volatile("xsave %0" : "=m"(k->area) : "a"(7), "d"(0) : "memory");
    } else {
        asm volatile("fxsave %0" : "=m"(k->area) : : "memory");
    }
    /* MXCSR_MASK, what is the program's own, and the header */
    memset(k->area + 28, 0, 4);
    memset(k->area + 464, 0, 576 - 464);
}

static void check_kept(unsigned cpu)
{
    static uint64_t last_runtime[MAX_CPUS];
    uint64_t runtime = rdmsr(MSR_RUNTIME);
    struct kept now;
    unsigned i;

    if (runtime < last_runtime[cpu]) {
        error("run time goes back", cpu, runtime, last_runtime[cpu]);
    }
    last_runtime[cpu] = runtime;
    read_kept(&now);
    for (i = 0; i < ARRAY_SIZE(msrs); i++) {
        if (now.msrs[i] != kept[cpu].msrs[i]) {
            print("# MSR 0x%x\n", msrs[i]);
            error("an MSR", cpu, now.msrs[i], kept[cpu].msrs[i]);
        }
    }
    for (i = 0; i < ARRAY_SIZE(now.control); i++) {
        expect("a control register", cpu, now.control[i],
               kept[cpu].control[i]);
    }
    for (i = 0; i < sizeof(now.area); i++) {
        if (now.area[i] != kept[cpu].area[i]) {
            error("extended state", cpu, now.area[i], kept[cpu].area[i]);
            return;
        }
    }
}

static void fill_vectors(unsigned cpu)
{
    static uint8_t area[832] __attribute__((aligned(64)));
    uint32_t *legacy = (uint32_t *)area;
    unsigned i;

    for (i = 160; i < 832; i++) {
        area[i] = i >= 416 && i < 576 ? 0 : i * 7 + cpu;
    }
    for (i = 0; i < 8; i++) {
        uint64_t mantissa = 1ull << 63 | (cpu + 1) * 0x1234567;

        memcpy(&area[32 + i * 16], &mantissa, 8);
        area[32 + i * 16 + 8] = i;
        area[32 + i * 16 + 9] = 0x40;
    }
    legacy[0] = 0x027f | 0x2800 << 16;      /* precision; TOP 5 */
    legacy[1] = 0x9f;
    legacy[6] = 0x5f80;                     /* rounding */
    area[512] = 7;
    if (have_avx) {
        asm volatile("xrstor %0" : : "m"(area), "a"(7), "d"(0));
    } else {
        asm volatile("fxrstor %0" : : "m"(area));
    }
}

/* Of each processor something else */
static void set_up_processor(unsigned cpu)
{
    have_avx = enable_avx();
    fill_vectors(cpu);
    wrmsr(0xc0000081, 0x0023001000000000);
    wrmsr(0xc0000082, 0x7f0011223300 + cpu);
    wrmsr(0xc0000083, 0x7f0022334400 + cpu);
    wrmsr(0xc0000084, 0x47700);
    wrmsr(0xc0000102, 0x7f0033445500 + cpu);
    wrmsr(0x174, KERNEL_CS);
    wrmsr(0x175, 0x12345678 + cpu);
    wrmsr(0x176, 0x23456789 + cpu);
    wrmsr(0x277, 0x0007010600070106);
    wrmsr(0x1d9, 1);
    WRITE_REG("dr0", 0x1234 + cpu);
    WRITE_REG("dr1", 0x2345 + cpu);
    WRITE_REG("dr2", 0x3456 + cpu);
    WRITE_REG("dr3", 0x4567 + cpu);
    WRITE_REG("cr2", 0x123456789000 + cpu);
    WRITE_REG("cr8", 3);
    write32(LAPIC + LAPIC_SVR, 0x1ff);
}

/* ---- Clocks: each reading, on any processor, is behind those before ---- */

static void check_clock(const char *what, unsigned cpu, uint64_t now,
                        uint64_t *last)
{
    if (now < *last) {
        error(what, cpu, now, *last);
    }
    *last = now;
}

static void check_clocks(unsigned cpu)
{
    uint32_t sequence;
    uint64_t high;

    asm volatile("cli" : : : "memory");
    while (__atomic_exchange_n(&time_lock, 1, __ATOMIC_ACQUIRE)) {
        pause();
    }
    asm volatile("lfence" : : : "memory");
    check_clock("reference time goes back", cpu, rdmsr(MSR_TIME), &last_time);
    check_clock("TSC goes back", cpu, rdtsc(), &last_tsc);
    do {
        sequence = tsc_page->sequence;
        high = ((unsigned __int128)rdtsc() * tsc_page->scale >> 64) +
               tsc_page->offset;
    } while (sequence != tsc_page->sequence);
    if (sequence) {
        check_clock("reference TSC goes back", cpu, high, &last_page_time);
    }
    __atomic_store_n(&time_lock, 0, __ATOMIC_RELEASE);
    asm volatile("sti" : : : "memory");
}

/* ---- The hypervisor's pages ---- */

static void set_up_hypervisor(void)
{
    unsigned i;

    hypercall_page = new_page();
    tsc_page = new_page();
    sim = new_page();
    sief = new_page();
    assist = new_page();
    wrmsr(MSR_OS_ID, 0x8100000000000001);
    wrmsr(MSR_HYPERCALL, (uint64_t)hypercall_page | 1);
    wrmsr(MSR_TSC_PAGE, (uint64_t)tsc_page | 1);
    wrmsr(MSR_ASSIST, (uint64_t)assist | 1);
    wrmsr(MSR_SIMP, (uint64_t)sim | 1);
    wrmsr(MSR_SIEFP, (uint64_t)sief | 1);
    wrmsr(MSR_SCONTROL, 1);
    wrmsr(MSR_SINT(SINT), MESSAGE);
    wrmsr(MSR_SINT(7), 1 << 16 | 0x77);
    for (i = 0; i < 5; i++) {
        wrmsr(MSR_CRASH(i), 0xc0a5000 + i);
    }
    /* Of SINTs that nobody else uses */
    memset(sim + 9 * 256, 0x59, 256);
    memset(sief + 7 * 256, 0xa6, 256);
}

static void check_page(const char *what, const uint8_t *at, uint8_t wanted)
{
    unsigned i;

    for (i = 0; i < 256; i++) {
        if (at[i] != wanted) {
            error(what, 0, at[i], wanted);
            return;
        }
    }
}

/* "I spin for long" asks for nothing. */
static void check_hypercall(void)
{
    uint64_t result;

    asm volatile("call *%1" : "=a"(result)
                 : "r"(hypercall_page), "c"(8ull | 1 << 16), "d"(1000)
                 : "r8", "r9", "r10", "r11", "memory");
    expect("result of a hypercall", 0, result, 0);
    REPORT->hypercalls++;
}

/* ---- Memory ---- */

static void check_memory(uint32_t pass)
{
    unsigned i;

    for (i = 0; i < PAGES; i++) {
        uint64_t *page = (void *)(MEMORY + i * 4096ull);

        asm volatile("" : : : "memory");
        if (page[0] != pass || page[511] != (pass ^ ~(uint64_t)i)) {
            print("# page %u\n", i);
            error("memory", 0, page[0], pass);
        }
        page[0] = pass + 1;
        page[511] = (pass + 1) ^ ~(uint64_t)i;
        if (i % 64 == 0) {
            check_clocks(0);
        }
    }
}

static void fill_memory(void)
{
    unsigned i;

    for (i = 0; i < PAGES; i++) {
        uint64_t *page = (void *)(MEMORY + i * 4096ull);

        page[0] = 0;
        page[511] = ~(uint64_t)i;
    }
}

/* ---- The processors ---- */

void guest_cpu(unsigned number)
{
    set_up_processor(number);
    read_kept(&kept[number]);
    __atomic_fetch_add(&REPORT->cpus, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        asm volatile("sti; hlt" : : : "memory");
        check_kept(number);
        check_clocks(number);
        __atomic_fetch_add(&REPORT->rounds, 1, __ATOMIC_SEQ_CST);
    }
}

static void call_others(unsigned others)
{
    answers = 0;
    write32(LAPIC + LAPIC_ICR, 0xc4000 | CALL);
    while (__atomic_load_n(&answers, __ATOMIC_SEQ_CST) < others) {
        pause();
    }
}

static void check_one_shot(void)
{
    uint32_t old = one_shots;

    one_shot_at = rdmsr(MSR_TIME) + PERIOD;
    wrmsr(MSR_COUNT(2), one_shot_at);
    wrmsr(MSR_CONFIG(2), STIMER_DIRECT(ONE_SHOT) | STIMER_ENABLE);
    halt_until(&one_shots, old + 1);
    expect("timers that fired", 0, one_shots, old + 1);
}

static void start_timers(void)
{
    trap_handlers[TICK] = on_tick;
    trap_handlers[CALL] = on_call;
    trap_handlers[DIRECT] = on_direct;
    trap_handlers[MESSAGE] = on_message;
    trap_handlers[ONE_SHOT] = on_one_shot;
    write32(LAPIC + LAPIC_DIVIDE, 0xb);
    write32(LAPIC + LAPIC_LVT_TIMER, TICK | 1 << 17);
    write32(LAPIC + LAPIC_INITIAL, 20000000);
    wrmsr(MSR_COUNT(0), PERIOD);
    wrmsr(MSR_CONFIG(0), STIMER_DIRECT(DIRECT) | STIMER_PERIODIC |
          STIMER_ENABLE);
    wrmsr(MSR_COUNT(1), PERIOD);
    wrmsr(MSR_CONFIG(1), SINT << 16 | STIMER_PERIODIC | STIMER_ENABLE);
}

void guest_main(void)
{
    unsigned others;
    uint32_t pass;

    outw(0x510, 5);             /* fw_cfg's key FW_CFG_NB_CPUS */
    others = inb(0x511);
    others |= inb(0x511) << 8;
    others--;
    memset((void *)REPORT, 0, sizeof(*REPORT));
    set_up_processor(0);
    set_up_hypervisor();
    fill_memory();
    start_timers();
    if (others) {
        start_cpus(others);
        while (REPORT->cpus < others) {
            pause();
        }
    }
    read_kept(&kept[0]);
    for (pass = 0;; pass++) {
        check_memory(pass);
        check_hypercall();
        check_page("message page", sim + 9 * 256, 0x59);
        check_page("event page", sief + 7 * 256, 0xa6);
        call_others(others);
        check_one_shot();
        halt_until(&REPORT->ticks, REPORT->ticks + 1);
        halt_until(&REPORT->direct, REPORT->direct + 1);
        halt_until(&REPORT->messages, REPORT->messages + 1);
        check_kept(0);
        REPORT->passes = pass + 1;
    }
}
