/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions of instructions that are emulated because one operand is device
 * memory: vector, error code, CR2, and that nothing else has changed.
 */
#include "guest.h"

#define DEVICE_MEMORY   0xa0000u
#define CR0_WP          (1ull << 16)
#define CR4_SMAP        (1ull << 21)
#define CR4_PKE         (1ull << 22)
#define NONE            0xff

enum { MMIO = 0, USER_MMIO = 1, USER_CODE = 2, RAM = 4, ABSENT = 6,
       SPARE = 8 };

/* The longest instruction of a user's */
#define USER_ROOM       8

GUEST_CODE(movsb, "movsb");
GUEST_CODE(movsq, "movsq");
GUEST_CODE(rep_movsb, "rep movsb");
GUEST_CODE(rep_stosb, "rep stosb");
GUEST_CODE(push_memory, "mov %rdx, %rsp; push (%rdi)");
GUEST_CODE(movaps, "movaps (%rdi), %xmm0");
GUEST_CODE(div_memory, "divl (%rdi)");
GUEST_CODE(divb_memory, "divb (%rdi)");
GUEST_CODE(stac_movsb, "stac; movsb; clac");
GUEST_CODE(nop, "nop");

static struct regs start(uint64_t rdi, uint64_t rsi, uint64_t rcx)
{
    struct regs r = random_regs();

    r.gpr[RCX] = rcx;
    r.gpr[RDI] = rdi;
    r.gpr[RSI] = rsi;
    return r;
}

static void check(const struct regs *r, uint8_t vector, uint32_t error,
                  uint64_t cr2, const char *name)
{
    bool good = vector == NONE ? !r->trapped
                : r->trapped && r->vector == vector && r->error == error &&
                  (vector != 14 || r->cr2 == cr2);

    if (!ok(good, "%s", name)) {
        print("# got %d, vector %u, error 0x%x, CR2 0x%lx, RIP 0x%lx;"
              " wanted vector %u, error 0x%x, CR2 0x%lx\n", r->trapped,
              r->vector, r->error, r->cr2, r->rip, vector, error, cr2);
    }
}

/* One element, from @rsi to @rdi: what happens, and that it leaves no trace. */
static void move(const void *code, uint64_t rdi, uint64_t rsi, uint8_t vector,
                 uint32_t error, uint64_t cr2, const char *name)
{
    struct regs r = start(rdi, rsi, 1), old = r;
    unsigned i;
    bool same = true;

    run(&r, code);
    check(&r, vector, error, cr2, name);
    if (vector == NONE) {
        return;
    }
    for (i = 0; i < 16; i++) {
        same &= i == RSP || r.gpr[i] == old.gpr[i];
    }
    ok(same && r.rip == (uint64_t)code, "%s: no trace, RIP at it", name);
}

/* The same at privilege level 3. */
static void move_user(const uint8_t *code, unsigned length, uint64_t rdi,
                      uint64_t rsi, uint8_t vector, uint32_t error,
                      uint64_t cr2, const char *name)
{
    uint8_t page[USER_ROOM + 2] = { [USER_ROOM] = 0xcd, 0x80 };  /* INT 0x80 */
    struct regs r = start(rdi, rsi, 1);

    memcpy(page + USER_ROOM - length, code, length);
    memcpy((void *)0x700000, page, sizeof(page));
    map_page(USER_CODE, 0x700000, PTE_P | PTE_U);
    run_user(&r, at(USER_CODE, USER_ROOM - length), 0);
    check(&r, vector, error, cr2, name);
}

static void page_faults(uint64_t page)
{
    uint64_t ram = at(RAM, 0x10), mmio = at(MMIO, 0);
    unsigned bits = cpuid(0x80000008, 0).eax & 0xff;
    /* Written by code that the compiler does not see */
    volatile uint8_t *byte = (void *)page;

    move(CODE_OF(movsb), at(ABSENT, 5), mmio, 14, 2, at(ABSENT, 5),
         "write to a page that is not present");
    move(CODE_OF(movsb), mmio, at(ABSENT, 7), 14, 0, at(ABSENT, 7),
         "read from a page that is not present");
    move(CODE_OF(movsq), at(ABSENT - 1, 4093), mmio, 14, 2, at(ABSENT, 0),
         "write into the next page, which is not present");
    map_page(SPARE, page, PTE_P);
    move(CODE_OF(movsb), at(SPARE, 0), mmio, 14, 3, at(SPARE, 0),
         "write to a page that is read-only");
    WRITE_REG("cr0", READ_REG("cr0") & ~CR0_WP);
    move(CODE_OF(movsb), at(SPARE, 0), mmio, NONE, 0, 0,
         "the same without CR0.WP");
    WRITE_REG("cr0", READ_REG("cr0") | CR0_WP);
    if (bits < 52) {
        map_page(SPARE, page | 1ull << 51, PTE_P | PTE_W);
        move(CODE_OF(movsb), at(SPARE, 0), mmio, 14, 0xb, at(SPARE, 0),
             "write through an entry with a reserved bit");
    }
    map_page(SPARE, page, PTE_P | PTE_W | PTE_NX);
    move(CODE_OF(movsb), at(SPARE, 0), mmio, NONE, 0, 0,
         "write to a page with NX");

    map_page(USER_MMIO, DEVICE_MEMORY, PTE_P | PTE_W | PTE_U);
    move_user(CODE_OF(movsb), 1, ram, at(USER_MMIO, 0), 14, 7, ram,
              "a user's write to the supervisor's page");
    move_user(CODE_OF(rep_movsb), 2, ram, at(USER_MMIO, 0), 14, 7, ram,
              "a user's REP MOVS to it");
    move_user(CODE_OF(movsb), 1, at(USER_MMIO, 0), ram, 14, 5, ram,
              "a user's read of it");
    move_user(CODE_OF(movsb), 1, at(ABSENT, 0), at(USER_MMIO, 0), 14, 6,
              at(ABSENT, 0),
              "a user's write to a page that is not present");
    map_page(SPARE, page, PTE_P | PTE_W | PTE_U);
    *byte = 0x11;
    move_user(CODE_OF(rep_movsb), 2, at(SPARE, 0), at(USER_MMIO, 0), 128, 0, 0,
              "a user's write to its own page");
    ok(*byte != 0x11, "it arrives");
}

static void smap(uint64_t page)
{
    uint64_t mmio = at(MMIO, 0);

    if (!(cpuid(7, 0).ebx >> 20 & 1)) {
        print("# no SMAP\n");
        return;
    }
    map_page(SPARE, page, PTE_P | PTE_W | PTE_U);
    WRITE_REG("cr4", READ_REG("cr4") | CR4_SMAP);
    move(CODE_OF(movsb), at(SPARE, 0), mmio, 14, 3, at(SPARE, 0),
         "SMAP: the supervisor's write to a user's page");
    move(CODE_OF(movsb), mmio, at(SPARE, 0), 14, 1, at(SPARE, 0),
         "SMAP: its read");
    move(CODE_OF(stac_movsb), at(SPARE, 0), mmio, NONE, 0, 0,
         "SMAP: with AC set");
    WRITE_REG("cr4", READ_REG("cr4") & ~CR4_SMAP);
}

static void protection_keys(uint64_t page)
{
    if (!(cpuid(7, 0).ecx >> 3 & 1)) {
        print("# no protection keys\n");
        return;
    }
    WRITE_REG("cr4", READ_REG("cr4") | CR4_PKE);
    map_page(SPARE, page, PTE_P | PTE_W | PTE_U | 5ull << 59);
    asm volatile("wrpkru" : : "a"(2u << 10), "c"(0), "d"(0));
    move(CODE_OF(movsb), at(SPARE, 0), at(MMIO, 0), 14, 0x23, at(SPARE, 0),
         "write to a page whose key denies it");
    asm volatile("wrpkru" : : "a"(1u << 10), "c"(0), "d"(0));
    move(CODE_OF(movsb), at(MMIO, 0), at(SPARE, 0), 14, 0x21, at(SPARE, 0),
         "read from a page whose key denies it");
    asm volatile("wrpkru" : : "a"(0), "c"(0), "d"(0));
    move(CODE_OF(movsb), at(SPARE, 0), at(MMIO, 0), NONE, 0, 0,
         "key that allows it");
    WRITE_REG("cr4", READ_REG("cr4") & ~CR4_PKE);
}

static void accessed_and_dirty(uint64_t page)
{
    const uint64_t bits = PTE_A | PTE_D;

    map_page(SPARE, page, PTE_P | PTE_W);
    move(CODE_OF(movsb), at(MMIO, 0), at(SPARE, 0), NONE, 0, 0,
         "read from RAM");
    equal(page_entry(SPARE) & bits, PTE_A, "it sets the accessed bit");
    map_page(SPARE, page, PTE_P | PTE_W);
    move(CODE_OF(movsb), at(SPARE, 0), at(MMIO, 0), NONE, 0, 0,
         "write to RAM");
    equal(page_entry(SPARE) & bits, bits, "it sets accessed and dirty bits");
    map_page(SPARE, page, PTE_P);
    move(CODE_OF(movsb), at(SPARE, 0), at(MMIO, 0), 14, 3, at(SPARE, 0),
         "write that is refused");
    equal(page_entry(SPARE) & PTE_D, 0, "it sets no dirty bit");
}

static void string_progress(uint64_t page)
{
    struct regs r = start(at(SPARE, 4096 - 5), at(MMIO, 0), 100);

    map_page(SPARE, page, PTE_P | PTE_W);
    run(&r, CODE_OF(rep_movsb));
    check(&r, 14, 2, at(SPARE + 1, 0), "REP MOVSB that runs off its page");
    equal(r.gpr[RCX], 95, "RCX counts what is done");
    equal(r.gpr[RDI], at(SPARE + 1, 0), "RDI points to what is not");
    equal(r.gpr[RSI], at(MMIO, 5), "RSI, too");
    ok(r.rip == (uint64_t)CODE_OF(rep_movsb), "RIP at the instruction");
}

static void other_faults(void)
{
    const uint64_t bad = 0x1234000000000000;
    struct regs r;

    move(CODE_OF(movsb), bad, at(MMIO, 0), 13, 0, 0,
         "write to no canonical address");
    move(CODE_OF(movsb), at(MMIO, 0), bad, 13, 0, 0, "read from one");
    move(CODE_OF(movaps), at(MMIO, 8), 0, 13, 0, 0, "MOVAPS, not aligned");
    r = start(at(MMIO, 0), 0, 0);
    r.gpr[RDX] = bad;
    run(&r, CODE_OF(push_memory));
    check(&r, 12, 0, 0, "PUSH to no canonical address");
    r = start(at(MMIO, 0), 0, 0);
    r.gpr[RDX] = at(ABSENT + 1, 4);
    run(&r, CODE_OF(push_memory));
    ok(r.trapped && r.vector == 14 && r.error == 2 && r.cr2 == at(ABSENT,
        4092),
       "PUSH to a page that is not present (vector %u, 0x%x, 0x%lx)",
       r.vector, r.error, r.cr2);
    write32(at(MMIO, 0x40), 0);
    move(CODE_OF(div_memory), at(MMIO, 0x40), 0, 0, 0, 0, "division by zero");
    write32(at(MMIO, 0x40), 0x01010101);
    r = start(at(MMIO, 0x40), 0, 0);
    r.gpr[RAX] = 0xffff;
    run(&r, CODE_OF(divb_memory));
    check(&r, 0, 0, 0, "a quotient that is too large");
}

static void single_step(uint64_t page)
{
    struct regs r = start(at(MMIO, 0), 0, 3);

    map_page(SPARE, page, PTE_P | PTE_W);
    WRITE_REG("dr6", 0xffff0ff0);
    run_stepping(&r, CODE_OF(nop));
    ok(r.trapped && r.vector == 1, "single step without emulation");
    r = start(at(SPARE, 0), at(MMIO, 0), 3);
    run_stepping(&r, CODE_OF(movsb));
    check(&r, 1, 0, 0, "a single step over an emulated instruction");
    equal(r.rip, (uint64_t)CODE_OF(movsb) + 1, "RIP behind it");
    equal(READ_REG("dr6") & 0x4000, 0x4000, "DR6.BS");
    r = start(at(SPARE, 0), at(MMIO, 0), 3);
    run_stepping(&r, CODE_OF(rep_movsb));
    check(&r, 1, 0, 0, "a single step into REP MOVSB");
    equal(r.gpr[RCX], 2, "it is one element long");
    r = start(at(MMIO, 0), 0, 3);
    run_stepping(&r, CODE_OF(rep_stosb));
    equal(r.gpr[RCX], 2, "so is that of REP STOSB");
}

/*
 * A program can neither stop the VM with an instruction that is not emulated,
 * nor by jumping into a device: it gets #UD, and the kernel goes on.
 */
static void refused_to_users(uint64_t page)
{
    static const uint8_t aesenc[] = { 0x66, 0x0f, 0x38, 0xdc, 0x07 };
    static const uint8_t jump[] = { 0xff, 0xe7 };       /* jmp *%rdi */
    uint64_t mmio = at(USER_MMIO, 0);

    map_page(USER_MMIO, DEVICE_MEMORY, PTE_P | PTE_W | PTE_U);
    move_user(aesenc, sizeof(aesenc), mmio, 0, 6, 0, 0,
              "a user's instruction that is not emulated");
    move_user(jump, sizeof(jump), mmio, 0, 6, 0, 0,
              "a user's jump into device memory");
    map_page(USER_MMIO, DEVICE_MEMORY, PTE_P | PTE_W | PTE_U | PTE_NX);
    move_user(jump, sizeof(jump), mmio, 0, 14, 0x15, mmio,
              "a user's jump into device memory that NX forbids");
    map_page(SPARE, page, PTE_P | PTE_W);
    move(CODE_OF(movsb), at(SPARE, 0), at(MMIO, 0), NONE, 0, 0,
         "the VM goes on");
}

/* An instruction in two pages that are no neighbours in memory */
static void split_instruction(uint64_t page)
{
    static const uint8_t code[] = { 0xc6, 0x07, 0x5a, 0xc3 };  /* movb; ret */
    unsigned in_first, i;

    for (in_first = 1; in_first < 3; in_first++) {
        uint8_t *first = (void *)page, *second = (void *)(page + 3 * 4096);

        for (i = 0; i < sizeof(code); i++) {
            if (i < in_first) {
                first[4096 - in_first + i] = code[i];
            } else {
                second[i - in_first] = code[i];
            }
        }
        map_page(SPARE, page, PTE_P);
        map_page(SPARE + 1, page + 3 * 4096, PTE_P);
        write32(at(MMIO, 0x80), 0);
        struct regs r = start(at(MMIO, 0x80), 0, 0);
        run(&r, (void *)at(SPARE, 4096 - in_first));
        ok(!r.trapped && (read32(at(MMIO, 0x80)) & 0xff) == 0x5a,
           "an instruction that begins %u bytes before the page's end",
           in_first);
    }
    map_page(SPARE + 1, 0, 0);
}

void guest_main(void)
{
    uint64_t page = (uint64_t)new_page();
    unsigned i;

    for (i = 0; i < 6; i++) {
        new_page();
    }
    vga_is_memory();
    map_page(MMIO, DEVICE_MEMORY, PTE_P | PTE_W);
    map_page(RAM, page + 4096, PTE_P | PTE_W);
    map_page(ABSENT - 1, page + 2 * 4096, PTE_P | PTE_W);
    page_faults(page);
    smap(page);
    protection_keys(page);
    accessed_and_dirty(page);
    string_progress(page);
    other_faults();
    single_step(page);
    split_instruction(page);
    refused_to_users(page);
}
