/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls that a guest makes for itself: flushes of other processors' TLBs,
 * IPIs, long waits; what is wrong with them is answered as the specification
 * says, and what the guest was not given is refused, be it a call or an MSR.
 * Needs four processors.
 */
#include "guest.h"

#define VECTOR          0x62
#define CPUS            4
#define ROUNDS          8
/* Any page that is not mapped */
#define NOWHERE         0xd0000000ull

/* Hypercalls, and parts of their control word */
#define FLUSH_SPACE     0x02ull
#define FLUSH_LIST      0x03ull
#define SPIN_WAIT       0x08ull
#define SEND_IPI        0x0bull
#define FLUSH_SPACE_EX  0x13ull
#define FLUSH_LIST_EX   0x14ull
#define SEND_IPI_EX     0x15ull
#define FAST            (1ull << 16)
#define BANKS(n)        ((uint64_t)(n) << 17)
#define REPS(n)         ((uint64_t)(n) << 32)
#define FROM(n)         ((uint64_t)(n) << 48)

enum { ALL_VPS = 1, ALL_SPACES = 2, NO_GLOBALS = 4, EXTENDED = 8 };
enum { SUCCESS = 0, BAD_CODE = 2, BAD_INPUT = 3, BAD_ALIGNMENT = 4,
       BAD_PARAMETER = 5, DENIED = 6 };

static uint8_t hypercall_page[4096] __attribute__((aligned(4096)));
static uint64_t input[512] __attribute__((aligned(4096)));

static uint64_t call(uint64_t control, uint64_t a, uint64_t b)
{
    register uint64_t r8 asm("r8") = b;
    uint64_t status;

    asm volatile("call *%[page]" : "=a"(status), "+c"(control), "+d"(a),
                 "+r"(r8) : [page] "r"(hypercall_page)
                 : "memory", "cc", "r9", "r10", "r11");
    return status;
}

/* With the third and fourth word of the input in XMM0 */
static uint64_t call_xmm(uint64_t control, const uint64_t word[4])
{
    asm volatile("movdqu (%0), %%xmm0" : : "r"(word + 2) : "memory");
    return call(control | FAST, word[0], word[1]);
}

static uint64_t slow(uint64_t control)
{
    return call(control, (uint64_t)input, 0);
}

static void switch_on(void)
{
    wrmsr(0x40000000, 1ull << 48 | 0x1234);
    wrmsr(0x40000001, (uint64_t)hypercall_page | 1);
}

/* ---- Flushes ---- */

/* Which page the others must see in the window, by its number */
static uint64_t must_see;
static uint32_t stale, looks[CPUS], looking;
static uint64_t *pages[2];

static void look(unsigned cpu)
{
    uint64_t must = __atomic_load_n(&must_see, __ATOMIC_SEQ_CST);
    /* Another processor changes the page table */
    uint64_t saw = *(volatile uint64_t *)at(1, 0);

    if (saw < must) {
        __atomic_fetch_add(&stale, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_fetch_add(&looks[cpu], 1, __ATOMIC_SEQ_CST);
}

static void wait_for_looks(void)
{
    uint32_t before[CPUS];
    unsigned i;

    for (i = 1; i < CPUS; i++) {
        before[i] = __atomic_load_n(&looks[i], __ATOMIC_SEQ_CST);
    }
    for (i = 1; i < CPUS; i++) {
        while (__atomic_load_n(&looks[i], __ATOMIC_SEQ_CST) - before[i] < 2) {
            pause();
        }
    }
}

enum { SPACE, SPACE_ALL, SPACE_XMM, LIST, SPACE_EX, SPACE_EX_ALL, LIST_EX,
       LIST_EX_XMM, EXTENDED_LIST, FLUSHES };

static const char *const flush_names[] = {
    "a space", "all VPs", "a space, by XMM", "a list", "a space of a set",
    "of all", "a list of a set", "a list of a set, by XMM", "large ranges",
};

static uint64_t flush(unsigned how)
{
    uint64_t words[4] = { 0, ALL_SPACES, 0xe };

    memset(input, 0, 64);
    input[1] = ALL_SPACES;
    input[2] = 0xe;
    switch (how) {
    case SPACE:
        return slow(FLUSH_SPACE);
    case SPACE_ALL:
        input[1] |= ALL_VPS;
        input[2] = 0;
        return slow(FLUSH_SPACE);
    case SPACE_XMM:
        return call_xmm(FLUSH_SPACE, words);
    case LIST:
    case EXTENDED_LIST:
        input[1] |= how == LIST ? 0 : EXTENDED;
        input[3] = at(1, 0);
        input[4] = at(2, 0) | 1;
        return slow(FLUSH_LIST | REPS(2));
    default:
        break;
    }
    input[2] = how == SPACE_EX_ALL;
    input[3] = how == SPACE_EX_ALL ? 0 : 1;
    input[4] = 0xe;
    switch (how) {
    case SPACE_EX:
        return slow(FLUSH_SPACE_EX | BANKS(1));
    case SPACE_EX_ALL:
        return slow(FLUSH_SPACE_EX);
    case LIST_EX_XMM:
        words[1] |= ALL_VPS;
        words[2] = 0;
        words[3] = 0;
        return call_xmm(FLUSH_LIST_EX | REPS(1), words);
    default:
        input[5] = at(1, 0);
        return slow(FLUSH_LIST_EX | BANKS(1) | REPS(1));
    }
}

static uint64_t reps_of(unsigned how)
{
    return how == LIST || how == EXTENDED_LIST ? REPS(2)
         : how == LIST_EX || how == LIST_EX_XMM ? REPS(1) : 0;
}

/* The window shows the next page; after the flush nobody sees the old one. */
static void test_flush(unsigned how)
{
    uint64_t status = SUCCESS, number;
    unsigned i;

    stale = 0;
    for (i = 0; i < ROUNDS && status == SUCCESS; i++) {
        number = must_see + 1;
        *pages[number & 1] = number;
        map_page(1, (uint64_t)pages[number & 1], PTE_P | PTE_W);
        status = flush(how) ^ reps_of(how);
        __atomic_store_n(&must_see, number, __ATOMIC_SEQ_CST);
        wait_for_looks();
    }
    equal(status, SUCCESS, "flush of %s", flush_names[how]);
    equal(stale, 0, "and nobody sees what was there before");
}

/* ---- IPIs ---- */

static uint32_t got[CPUS], ready;

static void on_ipi(struct frame *f)
{
    __atomic_fetch_add(&got[read32(LAPIC + LAPIC_ID) >> 24], 1,
                       __ATOMIC_SEQ_CST);
    write32(LAPIC + LAPIC_EOI, 0);
}

static void expect_ipis(unsigned mask, uint32_t wanted[CPUS])
{
    unsigned i;

    for (i = 0; i < CPUS; i++) {
        wanted[i] += mask >> i & 1;
        while (__atomic_load_n(&got[i], __ATOMIC_SEQ_CST) < wanted[i]) {
            pause();
        }
    }
}

static void test_ipis(void)
{
    const uint64_t sparse[] = { VECTOR, 0, 1, 0xd };
    uint32_t wanted[CPUS];
    uint64_t status = 0;
    unsigned i;

    memcpy(wanted, got, sizeof(got));
    asm volatile("sti");
    for (i = 0; i < ROUNDS; i++) {
        status |= call(SEND_IPI | FAST, VECTOR, 0x6);
        expect_ipis(0x6, wanted);
        memset(input, 0, 64);
        input[0] = VECTOR;
        input[1] = 0x9;
        status |= slow(SEND_IPI);
        expect_ipis(0x9, wanted);
        status |= call_xmm(SEND_IPI_EX | BANKS(1), sparse);
        expect_ipis(0xd, wanted);
        input[1] = 1;
        status |= slow(SEND_IPI_EX);
        expect_ipis(0xf, wanted);
    }
    asm volatile("cli");
    equal(status, SUCCESS, "IPIs to some and to all");
    ok(!memcmp(got, wanted, sizeof(got)), "go to each of them, once");
}

/* ---- What is wrong ---- */

static const struct {
    const char *what;
    uint64_t control, status;
    uint64_t word[5];
    bool fast;
} wrong[] = {
    { "a call that there is not", 0x7ffe, BAD_CODE },
    { "a parent's call", 0x40, BAD_CODE },
    { "reserved bit 27", FLUSH_SPACE | 1ull << 27, BAD_INPUT },
    { "reserved bit 63", FLUSH_SPACE | 1ull << 63, BAD_INPUT },
    { "reps of a simple call", FLUSH_SPACE | REPS(1), BAD_INPUT },
    { "a start of a simple call", FLUSH_SPACE | FROM(1), BAD_INPUT },
    { "a list without reps", FLUSH_LIST, BAD_INPUT },
    { "a start behind the list", FLUSH_LIST | REPS(1) | FROM(1), BAD_INPUT },
    { "a variable header of none", FLUSH_SPACE | BANKS(1), BAD_INPUT },
    { "more than fits into registers", FLUSH_LIST | REPS(12), BAD_INPUT,
      { 0, 1 }, true },
    { "fewer banks than their mask", FLUSH_SPACE_EX, BAD_INPUT,
      { 0, 0, 0, 1 } },
    { "more banks than their mask", FLUSH_SPACE_EX | BANKS(2), BAD_INPUT,
      { 0, 0, 0, 1 } },
    { "no format of a set", FLUSH_SPACE_EX, BAD_PARAMETER, { 0, 0, 2 } },
    { "flags of a flush", FLUSH_SPACE, BAD_PARAMETER, { 0, 1 | EXTENDED } },
    { "flags of a list", FLUSH_LIST | REPS(1), BAD_PARAMETER, { 0, 0x10 } },
    { "vector 15", SEND_IPI, BAD_PARAMETER, { 15, 1 }, true },
    { "vector 256", SEND_IPI, BAD_PARAMETER, { 256, 1 }, true },
    { "another VTL", SEND_IPI, BAD_PARAMETER, { VECTOR | 1ull << 32, 1 },
      true },
    { "no format of a set of IPIs", SEND_IPI_EX, BAD_PARAMETER,
      { VECTOR, 2 } },
    { "nobody to flush", FLUSH_SPACE_EX, SUCCESS, { 0, 0, 0, 0 } },
    { "VPs that there are not", FLUSH_SPACE, SUCCESS, { 0, 0, 0xff00 } },
    { "IPIs to VPs that there are not", SEND_IPI, SUCCESS,
      { VECTOR, 0xff00 }, true },
};

static void test_wrong(void)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(wrong); i++) {
        uint64_t status;

        memset(input, 0, 256);
        memcpy(input, wrong[i].word, sizeof(wrong[i].word));
        status = wrong[i].fast ? call(wrong[i].control | FAST, input[0],
                                      input[1])
                               : slow(wrong[i].control);
        equal(status, wrong[i].status, "%s", wrong[i].what);
    }
    memset(input, 0, 256);
    equal(call(FLUSH_SPACE, (uint64_t)input + 4, 0), BAD_ALIGNMENT,
          "input that is not aligned");
    equal(call(FLUSH_SPACE, (uint64_t)input + 4080, 0), BAD_ALIGNMENT,
          "input beyond its page");
    equal(call(FLUSH_SPACE, NOWHERE, 0), BAD_ALIGNMENT,
          "input where there is no memory");
    equal(call(FLUSH_SPACE, 1ull << 52, 0), BAD_ALIGNMENT,
          "input beyond all memory");
}

/* ---- What was not given ---- */

static volatile bool faulted;      /* by a handler */

static void on_gp(struct frame *f)
{
    faulted = true;
    f->rip += 2;                /* RDMSR */
}

/* The MSRs of each bit of CPUID 0x40000003, EAX */
static const struct {
    unsigned bit;
    uint32_t msr;
} msrs[] = {
    { 0, 0x40000010 }, { 1, 0x40000020 }, { 2, 0x40000080 }, { 2, 0x40000090 },
    { 3, 0x400000b0 }, { 3, 0x400000b7 }, { 4, 0x40000071 }, { 4, 0x40000073 },
    { 5, 0x40000000 }, { 5, 0x40000001 }, { 6, 0x40000002 }, { 9, 0x40000021 },
    { 11, 0x40000022 }, { 11, 0x40000023 },
};

static void test_msrs(uint32_t given)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(msrs); i++) {
        bool has = given >> msrs[i].bit & 1;

        faulted = false;
        rdmsr(msrs[i].msr);
        ok(faulted != has, "MSR %x %s", msrs[i].msr,
           has ? "can be read" : "is not there");
    }
}

static void test_denied(bool flushes, bool ipis)
{
    if (!flushes) {
        memset(input, 0, 256);
        equal(slow(FLUSH_SPACE), DENIED, "a flush is denied");
        equal(slow(FLUSH_LIST | REPS(1)), DENIED, "one of a list");
        equal(slow(FLUSH_SPACE_EX), DENIED, "one of a set");
        equal(slow(FLUSH_LIST_EX | REPS(1)), DENIED, "one of a set, a list");
    }
    if (!ipis) {
        equal(call(SEND_IPI | FAST, VECTOR, 1), DENIED, "an IPI is denied");
        memset(input, 0, 256);
        input[0] = VECTOR;
        equal(slow(SEND_IPI_EX), DENIED, "to a set, too");
    }
}

static void flushes_and_ipis(bool extended)
{
    unsigned how;

    for (how = 0; how < FLUSHES; how++) {
        if (how != EXTENDED_LIST || extended) {
            test_flush(how);
        }
    }
    __atomic_store_n(&looking, 0, __ATOMIC_SEQ_CST);
    test_ipis();
    test_wrong();
}

void guest_cpu(unsigned number)
{
    unsigned cpu = read32(LAPIC + LAPIC_ID) >> 24;

    write32(LAPIC + LAPIC_SVR, 0x1ff);
    __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&looking, __ATOMIC_SEQ_CST)) {
        look(cpu);
    }
    for (;;) {
        asm volatile("sti; hlt");
    }
}

void guest_main(void)
{
    struct cpuid features = cpuid(0x40000003, 0), hints = cpuid(0x40000004, 0);
    bool flushes = hints.eax >> 2 & 1, ipis = hints.eax >> 10 & 1;

    trap_handlers[13] = on_gp;
    trap_handlers[VECTOR] = on_ipi;
    pages[0] = new_page();
    pages[1] = new_page();
    map_page(1, (uint64_t)pages[0], PTE_P | PTE_W);
    looking = flushes;
    start_cpus(CPUS - 1);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < CPUS - 1) {
        pause();
    }
    test_msrs(features.eax);
    switch_on();
    equal(call(SPIN_WAIT | FAST, 100, 0), SUCCESS, "a long wait");
    if (flushes && ipis) {
        flushes_and_ipis(features.edx >> 14 & 1);
    }
    test_denied(flushes, ipis);
    print("# CPUID 0x40000003 %x %x, 0x40000004 %x %x\n", features.eax,
          features.edx, hints.eax, hints.ebx);
}
