/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each instruction does to device memory what it does to RAM. The device memory
 * is plane 0 of a VGA, which holds bytes. Operands lie in one page or in two,
 * and of two pages one may be RAM.
 */
#include "guest.h"

#define VGA             0xa0000u
#define ALL_FLAGS       0x08d5
#define STATES          2
#define MEMORY          128             /* bytes around RDI and RSI */
#define AREA            (512 + 64 + 256)        /* x87, SSE, header, AVX */

enum { REFERENCE = 0, SOURCE = 8, BOTH_MMIO = 16, THEN_MMIO = 24,
       MMIO_THEN = 32 };

static uint8_t vectors_in[AREA] __attribute__((aligned(64)));
static uint8_t vectors_out[2][AREA] __attribute__((aligned(64)));
static bool have_avx;
static uint8_t *ram;            /* two pages, and two more for the source */

static void set_up_vectors(void)
{
    unsigned i;
    uint32_t *legacy = (uint32_t *)vectors_in;

    have_avx = enable_avx();
    for (i = 160; i < 512 - 96; i++) {
        vectors_in[i] = random64();
    }
    for (i = 0; i < 8; i++) {
        uint64_t mantissa = random64() | 1ull << 63;

        memcpy(&vectors_in[32 + i * 16], &mantissa, 8);
        vectors_in[32 + i * 16 + 8] = 0xff;
        vectors_in[32 + i * 16 + 9] = 0xff;
    }
    legacy[0] = 0x37f;
    legacy[1] = 0xff;           /* all registers in use, TOP 0 */
    legacy[6] = 0x1f80;
    for (i = 576; i < AREA; i++) {
        vectors_in[i] = random64();
    }
    vectors_in[512] = 7;
}

static void load_vectors(void)
{
    if (have_avx) {
        asm volatile("xrstor %0" : : "m"(vectors_in), "a"(7), "d"(0));
    } else {
        asm volatile("fxrstor %0" : : "m"(vectors_in));
    }
}

static void store_vectors(uint8_t *out)
{
    memset(out, 0, AREA);
    if (have_avx) {
        asm volatile("xsave %0" : : "m"(*out), "a"(7), "d"(0) : "memory");
    } else {
        asm volatile("fxsave %0" : : "m"(*out) : "memory");
    }
    memset(out + 6, 0, 18);     /* where the last x87 instruction was */
    memset(out + 464, 0, 48);
    memset(out + 512, 0, 64);
}

struct outcome {
    struct regs regs;
    uint8_t at_rdi[MEMORY], at_rsi[MEMORY];
};

/* Few accesses, for each to MMIO is an exit. */
static void copy(volatile void *to, const volatile void *from)
{
    volatile uint64_t *p = to;                  /* a device */
    const volatile uint64_t *q = from;          /* a device */
    unsigned i;

    for (i = 0; i < MEMORY / 8; i++) {
        p[i] = q[i];
    }
}

/* Run with the operands in the pages from @rdi and @rsi on. */
static void execute(const struct snippet *s, const struct outcome *before,
                    unsigned rdi, unsigned rsi, unsigned offset,
                    struct outcome *after, uint8_t *vectors)
{
    struct regs r = before->regs;
    uint64_t to = at(rdi, offset), from = at(rsi, 0x700);

    copy((void *)(to - MEMORY / 2), before->at_rdi);
    copy((void *)(from - MEMORY / 2), before->at_rsi);
    r.gpr[RDI] = to;
    r.gpr[RSI] = from;
    load_vectors();
    run(&r, s->code);
    store_vectors(vectors);
    r.gpr[RDI] -= to;
    r.gpr[RSI] -= from;
    r.rflags &= s->flags & 0xffff;
    after->regs = r;
    copy(after->at_rdi, (void *)(to - MEMORY / 2));
    copy(after->at_rsi, (void *)(from - MEMORY / 2));
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    unsigned i;
    bool good = true;

    if (a->regs.trapped != b->regs.trapped) {
        print("# trap: vector %u\n", b->regs.vector);
        return false;
    }
    for (i = 0; i < 16; i++) {
        if (i != RSP && a->regs.gpr[i] != b->regs.gpr[i]) {
            print("# register %u: 0x%lx, wanted 0x%lx\n", i, b->regs.gpr[i],
                  a->regs.gpr[i]);
            good = false;
        }
    }
    if (a->regs.rflags != b->regs.rflags) {
        print("# flags: 0x%lx, wanted 0x%lx\n", b->regs.rflags,
              a->regs.rflags);
        good = false;
    }
    for (i = 0; i < MEMORY && good; i++) {
        if (a->at_rdi[i] != b->at_rdi[i] || a->at_rsi[i] != b->at_rsi[i]) {
            print("# memory at %d: 0x%x and 0x%x, wanted 0x%x and 0x%x\n",
                  (int)i - MEMORY / 2, b->at_rdi[i], b->at_rsi[i], a->at_rdi[i],
                  a->at_rsi[i]);
            good = false;
        }
    }
    return good;
}

static const struct place {
    const char *name;
    uint8_t rdi, rsi;
    uint16_t offset;
} places[] = {
    { "MMIO", BOTH_MMIO, SOURCE, 0x803 },
    { "from MMIO", REFERENCE, BOTH_MMIO, 0x803 },
    { "two pages of MMIO", BOTH_MMIO, SOURCE, 0xfff },
    { "RAM, then MMIO", THEN_MMIO, SOURCE, 0xfff },
    { "MMIO, then RAM", MMIO_THEN, SOURCE, 0xffd },
};

static bool try_place(const struct snippet *s, const struct place *p)
{
    static struct outcome before, wanted, got;
    unsigned i;

    for (i = 0; i < sizeof(before.at_rdi); i++) {
        before.at_rdi[i] = random64();
        before.at_rsi[i] = random64() & 1 ? before.at_rdi[i] : random64();
    }
    before.regs = random_regs();
    before.regs.gpr[RCX] &= 7;
    before.regs.rflags |= random64() & ALL_FLAGS;
    execute(s, &before, REFERENCE, SOURCE, p->offset, &wanted,
            vectors_out[0]);
    execute(s, &before, p->rdi, p->rsi, p->offset, &got, vectors_out[1]);
    if (!same(&wanted, &got)) {
        return false;
    }
    for (i = 0; i < AREA; i++) {
        if (vectors_out[0][i] != vectors_out[1][i]) {
            print("# vector state at %u: 0x%x, wanted 0x%x\n", i,
                  vectors_out[1][i], vectors_out[0][i]);
            return false;
        }
    }
    return true;
}

static bool uses_rsi(const char *text)
{
    for (; *text; text++) {
        if (text[0] == 's' && (text[1] == 'b' || text[1] == 'w' ||
                               text[1] == 'l' || text[1] == 'q')) {
            return true;
        }
    }
    return false;
}

static void try_snippet(const struct snippet *s)
{
    unsigned i, n;
    bool good = true;

    if ((s->flags & NEEDS_AVX) && !have_avx) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(places); i++) {
        const struct place *p = &places[i];

        for (n = 0; n < STATES; n++) {
            if ((p->rsi == SOURCE || uses_rsi(s->text)) &&
                !try_place(s, p)) {
                print("# in place: %s\n", p->name);
                good = false;
            }
        }
    }
    ok(good, "%s", s->text);
}

static void set_up_pages(void)
{
    unsigned i;

    ram = new_page();
    for (i = 1; i < 8; i++) {
        new_page();
    }
    for (i = 0; i < 2; i++) {
        uint64_t page = (uint64_t)ram + i * 4096;
        uint64_t mmio = VGA + i * 4096;

        map_page(REFERENCE + i, page, PTE_P | PTE_W);
        map_page(SOURCE + i, page + 2 * 4096, PTE_P | PTE_W);
        map_page(BOTH_MMIO + i, mmio, PTE_P | PTE_W);
        map_page(THEN_MMIO + i, i ? mmio : page + 4 * 4096, PTE_P | PTE_W);
        map_page(MMIO_THEN + i, i ? page + 5 * 4096 : mmio + 2 * 4096,
                 PTE_P | PTE_W);
    }
}

void guest_main(void)
{
    const struct snippet *s;

    vga_is_memory();
    set_up_pages();
    set_up_vectors();
    print("# AVX: %u, LA57: %u\n", have_avx, READ_REG("cr4") >> 12 & 1);
    for (s = snippets_begin; s < snippets_end; s++) {
        try_snippet(s);
    }
}
