/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "randcode.h"

#define HANDLERS        (GUEST_GDT + 0x100)
#define CODE_SIZE       0x7000u
#define MAX_PIECE       64u
#define ARRAY(a)        (sizeof(a) / sizeof((a)[0]))

void random_seed(Random *r, uint64_t seed)
{
    r->state = (seed + 1) * 0x9e3779b97f4a7c15ull | 1;
    for (unsigned i = 0; i < 4; i++) {
        random_u64(r);
    }
}

uint64_t random_u64(Random *r)
{
    r->state ^= r->state >> 12;
    r->state ^= r->state << 25;
    r->state ^= r->state >> 27;
    return r->state * 0x2545f4914f6cdd1dull;
}

uint64_t random_below(Random *r, uint64_t n)
{
    return (random_u64(r) >> 11) % n;
}

uint64_t random_value(Random *r)
{
    static const uint64_t edges[] = {
        0, 1, 2, 0xff, 0x100, 0xfff, 0x1000, 0xffff, 0x7fffffff, 0x80000000,
        0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, ~0ull,
        0xfffffffffffff000, 0x00007fffffffffff, 0xffff800000000000,
        0xfee00000, 0xfee00300, 0xfffffff0,
    };

    switch (random_below(r, 5)) {
    case 0:
        return edges[random_below(r, ARRAY(edges))];
    case 1:
        return 1ull << random_below(r, 64);
    case 2:
        return random_below(r, 256);
    case 3:
        return random_below(r, GUEST_PAGES * 3 * 4096);
    default:
        return random_u64(r) >> random_below(r, 64);
    }
}

uint32_t random_msr(Random *r)
{
    static const uint32_t known[] = {
        0x10, 0x1b, 0x3a, 0x3b, 0x48, 0x49, 0x8b, 0xfe, 0x174, 0x175, 0x176,
        0x179, 0x17a, 0x1a0, 0x1d9, 0x200, 0x201, 0x250, 0x268, 0x277, 0x2ff,
        0x400, 0x6e0, 0x6e1, 0xc80, 0xda0, 0xc0000080, 0xc0000081, 0xc0000082,
        0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
        0xc0000103, 0xc0010015, 0xc0010114, 0xc0010117,
    };

    switch (random_below(r, 6)) {
    case 0:
        return known[random_below(r, ARRAY(known))];
    case 1:
        return 0x800 + random_below(r, 0x40);
    case 2:
        return random_u64(r);
    case 3:
        return 0x40000080 + random_below(r, 0x40);
    default:
        return 0x40000000 + random_below(r, 0x120);
    }
}

/* ---- Code ---- */

typedef struct Out {
    Random *r;
    uint8_t *image;
    uint32_t at;
} Out;

static void b(Out *o, uint8_t v)
{
    o->image[o->at++] = v;
}

static void bytes(Out *o, const char *s, unsigned n)
{
    while (n--) {
        b(o, *s++);
    }
}
#define CODE(o, s) bytes(o, s, sizeof(s) - 1)

static void imm(Out *o, uint64_t v, unsigned n)
{
    while (n--) {
        b(o, v);
        v >>= 8;
    }
}

/* mov $value, %reg (0 RAX, 1 RCX, 2 RDX, 3 RBX, 6 RSI, 7 RDI) */
static void mov(Out *o, unsigned reg, uint64_t v)
{
    b(o, 0x48);
    b(o, 0xb8 + reg);
    imm(o, v, 8);
}

static uint64_t value(Out *o)
{
    return random_value(o->r);
}

static uint64_t below(Out *o, uint64_t n)
{
    return random_below(o->r, n);
}

/* A linear address: of the image, beside it, of the APIC, anywhere */
static uint64_t address(Out *o)
{
    switch (below(o, 6)) {
    case 0:
        return 0xfee00000 + below(o, 0x400);
    case 1:
        return value(o);
    case 2:
        return 0x40000 + below(o, 0x8000);
    default:
        return below(o, 0x40000);
    }
}

static void msr(Out *o)
{
    mov(o, 1, random_msr(o->r));
    mov(o, 0, value(o));
    mov(o, 2, below(o, 2) ? 0 : value(o));
    b(o, 0x0f);
    b(o, below(o, 3) ? 0x30 : 0x32);
}

static void cpuid(Out *o)
{
    static const uint32_t first[] = { 0, 0x40000000, 0x80000000 };

    mov(o, 0, below(o, 8) ? first[below(o, 3)] + below(o, 0x22) : value(o));
    mov(o, 1, below(o, 4) ? below(o, 20) : value(o));
    CODE(o, "\x0f\xa2");
}

static void port_io(Out *o)
{
    static const char ops[][3] = {
        "\xec", "\xed", "\xee", "\xef", "\x66\xed", "\x66\xef", "\x6c", "\x6d",
        "\x6e", "\x6f",
    };

    mov(o, 2, value(o) & 0xffff);
    mov(o, 1, below(o, 4) ? below(o, 5) : value(o));
    mov(o, 6, address(o));
    mov(o, 7, address(o));
    if (below(o, 3) == 0) {
        b(o, below(o, 2) ? 0xf3 : 0x67);
    }
    for (const char *s = ops[below(o, ARRAY(ops))]; *s; s++) {
        b(o, *s);
    }
}

static void hypercall(Out *o)
{
    mov(o, 1, below(o, 2) ? below(o, 0x140) : value(o));
    mov(o, 2, value(o));
    mov(o, 0, value(o));
    if (below(o, 8) == 0) {
        b(o, 0x66);
    }
    CODE(o, "\x0f\x01");
    b(o, below(o, 2) ? 0xc1 : 0xd9);
}

static void apic(Out *o)
{
    static const uint16_t regs[] = {
        0x20, 0x30, 0x80, 0x90, 0xa0, 0xb0, 0xc0, 0xd0, 0xe0, 0xf0, 0x100,
        0x280, 0x2f0, 0x300, 0x310, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370,
        0x380, 0x390, 0x3e0, 0x3f0,
    };
    uint32_t v = value(o);

    mov(o, 7, 0xfee00000 + (below(o, 8) ? regs[below(o, ARRAY(regs))]
                                        : below(o, 0x1000)));
    switch (below(o, 4)) {
    case 0:
        CODE(o, "\x8b\x07");                /* mov (%rdi), %eax */
        break;
    case 1:
        CODE(o, "\x48\x89\x07");            /* mov %rax, (%rdi) */
        break;
    default:
        CODE(o, "\xc7\x07");                /* movl $v, (%rdi) */
        imm(o, v, 4);
    }
}

static void control_register(Out *o)
{
    static const uint8_t number[] = { 0, 2, 3, 4 };
    unsigned n = below(o, 5);

    if (n == 4) {                           /* CR8 */
        mov(o, 0, below(o, 20));
        CODE(o, "\x44\x0f\x22\xc0");
        return;
    }
    CODE(o, "\x0f\x20");                    /* mov %crN, %rax */
    b(o, 0xc0 | number[n] << 3);
    CODE(o, "\x48\x0f\xba\xf8");            /* btc $bit, %rax */
    b(o, below(o, 4) ? below(o, 32) : below(o, 64));
    CODE(o, "\x0f\x22");
    b(o, 0xc0 | number[n] << 3);
}

static void memory(Out *o)
{
    static const char *const ops[] = {
        "\x8a\x07", "\x88\x07", "\x48\x8b\x07", "\x48\x89\x07", "\xff\x07",
        "\xf0\xff\x07", "\xf0\x0f\xb1\x0f", "\xf0\x48\x0f\xb1\x0f",
        "\xf0\x48\x0f\xc7\x0f", "\xf3\xa4", "\xf3\xaa", "\xf3\x48\xab",
        "\xf3\xa6", "\x66\x0f\x6f\x07", "\x66\x0f\x7f\x07", "\x0f\xae\x07",
        "\x0f\xae\x0f", "\x0f\xae\x27", "\x0f\xae\x2f", "\x0f\x01\x07",
        "\x0f\x01\x3f", "\xff\xe7", "\xff\xd7", "\xf0\x0f\xba\x2f\x05",
        "\xff\x37", "\x8f\x07", "\x0f\x0d\x0f", "\x87\x07",
    };

    mov(o, 7, address(o));
    mov(o, 6, address(o));
    mov(o, 1, below(o, 4) ? below(o, 40) : value(o));
    mov(o, 0, value(o));
    for (const char *s = ops[below(o, ARRAY(ops))]; *s; s++) {
        b(o, *s);
    }
}

static void table(Out *o)
{
    static const uint8_t group[] = { 0x00, 0x01, 0x01 };
    static const uint8_t op[] = { 0xd0, 0x17, 0x1f };   /* lldt, lgdt, lidt */
    unsigned i = below(o, 3);

    mov(o, 0, below(o, 32));
    mov(o, 7, GUEST_CODE + below(o, 0x100));
    b(o, 0x0f);
    b(o, group[i]);
    b(o, op[i]);
}

static void other(Out *o)
{
    static const char *const ops[] = {
        "\xf4", "\xfb\xf4", "\xfa", "\xfb", "\xcc", "\xf1", "\x0f\x0b",
        "\xcd\x80", "\xcd\x03", "\xcd\x02", "\x0f\x05", "\x0f\x34", "\xcf",
        "\x48\xcf", "\x0f\x07", "\x0f\x35", "\x0f\x01\xf8", "\x0f\x01\xf9",
        "\x0f\x31", "\x0f\x33", "\xf3\x90", "\x0f\x06", "\x0f\x08", "\x0f\x09",
        "\x0f\x01\xd0", "\x0f\x01\xd1", "\x0f\x01\xd8", "\x0f\x01\xda",
        "\x0f\x01\xdc", "\x0f\x01\xdd", "\x0f\x01\xdf", "\x0f\xaa",
        "\x0f\x01\xc8", "\x0f\x01\xc9", "\x0f\x01\xca", "\x0f\x01\xcb",
        "\x0f\xa2", "\x9d", "\x9c", "\x0f\x21\xf8", "\x0f\x23\xf8",
        "\x0f\x23\xc0", "\x8e\xd8", "\x8e\xd0",
        "\xf3\x0f\xae\xd0", "\x66\x0f\x38\x82\x07", "\x0f\xc7\xf0", "\xdb\xe3",
        "\x9b", "\x0f\x78\xc0", "\xf3\x0f\xc7\x37", "\x48\xcb",
    };

    mov(o, 0, value(o));
    for (const char *s = ops[below(o, ARRAY(ops))]; *s; s++) {
        b(o, *s);
    }
}

static void noise(Out *o)
{
    for (unsigned n = 1 + below(o, 15); n; n--) {
        b(o, random_u64(o->r) >> 32);
    }
}

static void piece(Out *o)
{
    static void (*const kinds[])(Out *) = {
        msr, msr, cpuid, port_io, hypercall, apic, apic, control_register,
        memory, memory, table, other, other, noise,
    };
    uint32_t patch;

    CODE(o, "\x41\xbf");                    /* mov $next, %r15d */
    patch = o->at;
    imm(o, 0, 4);
    kinds[below(o, ARRAY(kinds))](o);
    for (unsigned i = 0; i < 4; i++) {
        o->image[patch + i] = o->at >> (8 * i);
    }
}

/* ---- What is around it ---- */

static void put64(uint8_t *image, uint32_t at, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++) {
        image[at + i] = v >> (8 * i);
    }
}

static void tables(uint8_t *image)
{
    enum { PDPT = 0x3000, PD = 0x4000, PD_APIC = 0x5000 };

    put64(image, GUEST_PML4, PDPT | 7);
    put64(image, PDPT, PD | 7);
    put64(image, PDPT + 8 * 3, PD_APIC | 7);
    for (unsigned i = 0; i < 512; i++) {
        put64(image, PD + 8 * i, (uint64_t)i << 21 | 0x87);
    }
    put64(image, PD_APIC + 8 * (0xfee00000 >> 21 & 511), 0xfee00000 | 0x83);
    put64(image, GUEST_GDT + 8, 0x00af9b000000ffff);
    put64(image, GUEST_GDT + 16, 0x00cf93000000ffff);
}

static void handlers(Out *o)
{
    uint32_t skip, interrupt;

    o->at = skip = HANDLERS;
    b(o, 0xbc);                             /* mov $GUEST_STACK, %esp */
    imm(o, GUEST_STACK, 4);
    CODE(o, "\x41\xff\xe7");                /* jmp *%r15 */
    interrupt = o->at;
    b(o, 0x50);                             /* push %rax */
    b(o, 0xb8);                             /* mov $EOI, %eax */
    imm(o, 0xfee000b0, 4);
    CODE(o, "\xc7\x00\0\0\0\0\x58\x48\xcf"); /* movl; pop %rax; iretq */
    for (unsigned i = 0; i < 256; i++) {
        uint32_t to = i < 32 ? skip : interrupt;

        put64(o->image, GUEST_IDT + 16 * i, (to & 0xffff) | 8 << 16 |
              0x8e00ull << 32);
        put64(o->image, GUEST_IDT + 16 * i + 8, 0);
    }
}

void random_guest(Random *r, uint8_t *image)
{
    Out o = { .r = r, .image = image };

    for (unsigned i = 0; i < GUEST_PAGES * 4096; i += 8) {
        put64(image, i, 0);
    }
    tables(image);
    handlers(&o);
    o.at = GUEST_CODE;
    while (o.at < GUEST_CODE + CODE_SIZE - MAX_PIECE) {
        piece(&o);
        if (below(&o, 200) == 0) {
            break;
        }
    }
    CODE(&o, "\xe6");                       /* out %al, $GUEST_END_PORT */
    b(&o, GUEST_END_PORT);
    CODE(&o, "\xeb\xfc");                   /* and again */
}
