/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Operands in memory: segment checks, page faults, sizes of accesses, locked
 * access by two threads, hints
 */

#include <check.h>
#include <pthread.h>
#include <string.h>

#include "guest.h"

/* Segments: type, limit, null, expand-down; 32-bit mode, operand DS:[ebx] */
START_TEST(segment)
{
    static const struct {
        uint16_t attr;
        uint32_t limit;
        uint32_t off;
        bool read, write;       /* four bytes allowed? */
    } t[] = {
        { 0xc093, 0xffff, 0xfffc, true, true },
        { 0xc093, 0xffff, 0xfffd, false, false },
        { 0xc091, 0xffff, 0x10, true, false },          /* read-only */
        { 0xc09b, 0xffff, 0x10, true, false },          /* code */
        { 0xc099, 0xffff, 0x10, false, false },         /* execute-only */
        { 0xc013, 0xffffffff, 0x10, false, false },     /* not present, null */
        { 0xc097, 0xffff, 0x10000, true, true },        /* expand-down */
        { 0xc097, 0xffff, 0xffff, false, false },
        { 0xc097, 0xffff, 0xfffffffc, true, true },
        { 0xc097, 0xffff, 0xfffffffd, false, false },
        { 0x8097, 0x0fff, 0x1000, true, true },         /* 64K, expand-down */
        { 0x8097, 0x0fff, 0xfffd, false, false },
    };
    unsigned i;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        machine_mode32(m);
        m->cpu.seg[INSN_DS].attr = m->cpu.seg[INSN_SS].attr = t[i].attr;
        m->cpu.seg[INSN_DS].limit = m->cpu.seg[INSN_SS].limit = t[i].limit;
        m->cpu.gpr[INSN_RBX] = m->cpu.gpr[INSN_RBP] = t[i].off;
        ck_assert_int_eq(run("8b 03"), t[i].read ? INSN_DONE : INSN_FAULT);
        ck_assert(t[i].read || res.fault.vector == INSN_VEC_GP);
        ck_assert_int_eq(run("89 03"), t[i].write ? INSN_DONE : INSN_FAULT);
        ck_assert(t[i].write || res.fault.vector == INSN_VEC_GP);
        ck_assert_int_eq(run("89 45 00"), t[i].write ? INSN_DONE : INSN_FAULT);
        ck_assert(t[i].write || res.fault.vector == INSN_VEC_SS);
        /* Real mode has limits, but no types. */
        machine_real(m);
        m->cpu.seg[INSN_DS].attr = 0;
        m->cpu.gpr[INSN_RBX] = 0xfffd;
        ck_assert_int_eq(run("66 89 07"), INSN_FAULT);
        m->cpu.gpr[INSN_RBX] = 0xfffc;
        ck_assert_int_eq(run("66 89 07"), INSN_DONE);
    }
}
END_TEST

START_TEST(canonical)
{
    m->cpu.gpr[INSN_RBX] = m->cpu.gpr[INSN_RBP] = 0x800000000000;
    expect_fault("8b 03", INSN_VEC_GP, 0);
    expect_fault("8b 45 00", INSN_VEC_SS, 0);
    m->cpu.gpr[INSN_RBX] = 0x7ffffffffffe;
    expect_fault("8b 03", INSN_VEC_GP, 0);
    /* Address masking: bits 62:57 of a user pointer are the program's. */
    m->cpu.gpr[INSN_RBX] = DATA | 0x2aull << 57;
    expect_fault("8b 03", INSN_VEC_GP, 0);
    m->cpu.cr3 |= INSN_CR3_LAM_U57;
    expect_done("8b 03");
    m->cpu.gpr[INSN_RBX] = DATA | 1ull << 50;
    expect_fault("8b 03", INSN_VEC_GP, 0);
    m->cpu.cr3 = (m->cpu.cr3 & ~INSN_CR3_LAM_U57) | INSN_CR3_LAM_U48;
    expect_done("8b 03");
}
END_TEST

/* Both pages are checked before anything is written. */
START_TEST(page_crossing)
{
    uint8_t before[8];

    memcpy(before, m->ram + DATA_RAM + 0x3ff8, 8);
    m->cpu.gpr[INSN_RBX] = HOLE - 4;
    expect_fault("48 89 03", INSN_VEC_PF, INSN_PF_W);
    ck_assert_uint_eq(res.fault.cr2, HOLE);
    expect_fault("48 01 03", INSN_VEC_PF, INSN_PF_W);
    expect_fault("48 8b 03", INSN_VEC_PF, 0);
    expect_fault("f3 0f 7f 03", INSN_VEC_PF, INSN_PF_W);
    ck_assert_mem_eq(before, m->ram + DATA_RAM + 0x3ff8, 8);
    /* MOVDIR64B is refused if it would not be one access. */
    m->cpu.gpr[INSN_RBX] = DEV;
    m->cpu.gpr[INSN_RAX] = DATA + 8;
    expect_fault("66 0f 38 f8 03", INSN_VEC_GP, 0);
    /* From the end of one device page into the next: each its own part. */
    m->cpu.gpr[INSN_RBX] = DEV + 4096 - 3;
    expect_done("48 89 03");
    ck_assert_uint_eq(m->nlog, 2);
    ck_assert_uint_eq(m->log[0].gpa, MMIO_BASE + 4093);
    ck_assert_uint_eq(m->log[0].len, 3);
    ck_assert_uint_eq(m->log[1].gpa, MMIO_BASE + 4096);
    ck_assert_uint_eq(m->log[1].len, 5);
}
END_TEST

START_TEST(page_rights)
{
    m->cpu.gpr[INSN_RBX] = m->cpu.gpr[INSN_RDI] = DEV;
    m->cpu.gpr[INSN_RSI] = DATA;
    m->cpu.gpr[INSN_RCX] = 4;
    m->cpu.cpl = 3;
    /* A process must not reach the kernel's pages through the emulator. */
    expect_fault("f3 a4", INSN_VEC_PF, INSN_PF_P | INSN_PF_W | INSN_PF_U);
    ck_assert_uint_eq(m->nlog, 0);
    expect_fault("48 8b 03", INSN_VEC_PF, INSN_PF_P | INSN_PF_U);
    /* CMPXCHG needs write access even if it will not change anything. */
    machine_map(m, DEV, MMIO_BASE, PTE_P | PTE_U);
    expect_done("8b 03");
    expect_done("0f ae 3b");    /* CLFLUSH only reads */
    /* To have read from a page is no leave to write there. */
    m->cpu.gpr[INSN_RSI] = DEV;
    m->cpu.gpr[INSN_RDI] = DEV + 8;
    expect_fault("a4", INSN_VEC_PF, INSN_PF_P | INSN_PF_W | INSN_PF_U);
    expect_fault("0f b1 0b", INSN_VEC_PF, INSN_PF_P | INSN_PF_W | INSN_PF_U);
    m->cpu.cpl = 0;
    m->cpu.cr4 |= INSN_CR4_SMAP;
    expect_fault("8b 03", INSN_VEC_PF, INSN_PF_P);
    m->cpu.rflags |= INSN_AC;
    expect_done("8b 03");
}
END_TEST

/* One operand is one request, of its size. */
START_TEST(access_size)
{
    static const struct {
        const char *hex;
        unsigned len;
        bool write;
    } t[] = {
        { "8a 03", 1, false }, { "66 89 03", 2, true }, { "8b 03", 4, false },
        { "48 89 03", 8, true }, { "48 a5", 8, false }, { "8c 1b", 2, true },
        { "48 8c 1b", 2, true }, { "0f 6f 03", 8, false },
        { "66 0f 6f 03", 16, false }, { "f3 0f 11 03", 4, true },
        { "f2 0f 11 03", 8, true }, { "66 0f 7e 03", 4, true },
        { "c5 fe 7f 03", 32, true }, { "c5 fa 6f 03", 16, false },
        { "62 f1 fe 48 7f 03", 64, true }, { "66 0f 38 f8 03", 64, false },
        { "0f c7 0b", 8, false }, { "48 0f c7 0b", 16, false },
        { "66 0f 38 30 03", 8, false }, { "0f 38 f9 03", 4, true },
    };
    unsigned i;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        m->cpu.gpr[INSN_RBX] = m->cpu.gpr[INSN_RSI] = DEV + 64;
        m->cpu.gpr[INSN_RAX] = m->cpu.gpr[INSN_RDI] = DATA;
        m->nlog = 0;
        expect_done(t[i].hex);
        ck_assert_msg(m->nlog >= 1 && m->log[0].len == t[i].len &&
                      m->log[0].write == t[i].write &&
                      m->log[0].gpa == MMIO_BASE + 64,
                      "%s: %u accesses, %u bytes", t[i].hex, m->nlog,
                      m->log[0].len);
    }
}
END_TEST

static void *increment(void *arg)
{
    static const char *const hex[] = {
        "f0 48 ff 03", "f0 48 0f c1 0b", "f0 48 83 03 01",
    };
    struct machine self = *m;
    struct insn_result r;
    unsigned i;

    (void)arg;
    for (i = 0; i < 30000; i++) {
        uint8_t bytes[INSN_MAX_LEN];
        unsigned n = parse_hex(hex[i % 3], bytes);

        self.cpu.gpr[INSN_RCX] = 1;
        if (machine_run(&self, bytes, n, &r) != INSN_DONE) {
            return (void *)1;
        }
    }
    return NULL;
}

/* Two VPs on one counter: none of the increments may be lost. */
static void count_at(uint64_t off)
{
    void *bad[2];
    pthread_t t[2];
    uint64_t sum;
    unsigned i;

    memset(m->ram + DATA_RAM + off, 0, 8);
    m->cpu.gpr[INSN_RBX] = DATA + off;
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(pthread_create(&t[i], NULL, increment, NULL), 0);
    }
    for (i = 0; i < 2; i++) {
        pthread_join(t[i], &bad[i]);
        ck_assert_ptr_null(bad[i]);
    }
    memcpy(&sum, m->ram + DATA_RAM + off, 8);
    ck_assert_uint_eq(sum, 60000);
}

START_TEST(locked)
{
    count_at(0x100);
    count_at(0x203);
    /* Of MMIO: one read and one write */
    m->cpu.gpr[INSN_RBX] = DEV;
    m->nlog = 0;
    expect_done("f0 ff 03");
    ck_assert_uint_eq(m->nlog, 2);
    ck_assert(!m->log[0].write && m->log[1].write);
}
END_TEST

START_TEST(hint)
{
    static const uint8_t load[] = { 0x8b, 0x03 }, store[] = { 0x89, 0x03 };
    struct insn_hints h = {
        .bytes = load, .nbytes = 2, .gva_valid = true,
        .gva = 0x700123, .gpa = MMIO_BASE + 0x123,
    };

    m->cpu.gpr[INSN_RBX] = 0x700040;
    ck_assert_int_eq(insn_execute(&m->cpu, &machine_ops, m, &h, &res),
                     INSN_DONE);
    ck_assert_uint_eq(m->log[0].gpa, MMIO_BASE + 0x40);
    /* Leave to read is not leave to write. */
    h.bytes = store;
    ck_assert_int_eq(insn_execute(&m->cpu, &machine_ops, m, &h, &res),
                     INSN_FAULT);
    h.gva_write = true;
    ck_assert_int_eq(insn_execute(&m->cpu, &machine_ops, m, &h, &res),
                     INSN_DONE);
    /* The page beside it is not covered. */
    m->cpu.gpr[INSN_RBX] = 0x700ffe;
    ck_assert_int_eq(insn_execute(&m->cpu, &machine_ops, m, &h, &res),
                     INSN_FAULT);
    ck_assert_uint_eq(res.fault.cr2, 0x701000);
}
END_TEST

/* In compatibility mode paging knows more than 32 bits, segments do not. */
START_TEST(compatibility_mode)
{
    uint32_t seen;

    m->cpu.seg[INSN_CS].attr = 0xc09b;
    m->cpu.seg[INSN_DS].base = 0xfffff000;
    m->cpu.gpr[INSN_RBX] = DATA + 0x1010;
    expect_done("8b 03");
    memcpy(&seen, m->ram + DATA_RAM + 0x10, 4);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RAX], seen);
    /* An operand from the last page into the first */
    machine_map(m, 0xfffff000, DATA_RAM, PTE_P | PTE_W | PTE_U);
    machine_map(m, 0, DATA_RAM, PTE_P | PTE_W | PTE_U);
    m->cpu.gpr[INSN_RBX] = 0xffe;
    expect_done("8b 03");
    memcpy(&seen, m->ram + DATA_RAM + 0xffe, 2);
    memcpy((uint8_t *)&seen + 2, m->ram + DATA_RAM, 2);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RAX], seen);
}
END_TEST

/* MOV EAX, [0x2000] at 0x1000, of which CS has @n bytes */
static enum insn_status fetch_within(unsigned n)
{
    machine_mode32(m);
    memcpy(m->ram + 0x1000, "\x8b\x05\x00\x20\x00\x00", 6);
    m->cpu.rip = 0x1000;
    m->cpu.seg[INSN_CS].limit = 0x1000 + n - 1;
    return run("");
}

START_TEST(code_limit)
{
    unsigned n;

    for (n = 1; n < 6; n++) {
        ck_assert_int_eq(fetch_within(n), INSN_FAULT);
        ck_assert_int_eq(res.fault.vector, INSN_VEC_GP);
    }
    ck_assert_int_eq(fetch_within(6), INSN_DONE);
}
END_TEST

/* Who migrates the guest must hear of every byte. */
START_TEST(dirty)
{
    static const struct {
        const char *hex;
        unsigned len;
    } t[] = {
        { "48 89 03", 8 }, { "66 ff 03", 2 }, { "f0 48 ff 03", 8 },
        { "87 0b", 4 }, { "f0 0f b1 0b", 4 }, { "48 0f c7 0b", 16 },
        { "0f 7f 03", 8 }, { "aa", 1 }, { "48 8b 03", 0 },
    };
    unsigned i;

    m->cpu.gpr[INSN_RBX] = DATA;
    expect_done("88 03");       /* accessed and dirty in the page tables */
    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        m->cpu.gpr[INSN_RDI] = DATA;
        m->dirtied = 0;
        expect_done(t[i].hex);
        ck_assert_msg(m->dirtied == t[i].len, "%s: %u bytes dirty", t[i].hex,
                      m->dirtied);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-memory");
    TCase *tc = tcase_create("memory");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, segment);
    tcase_add_test(tc, canonical);
    tcase_add_test(tc, page_crossing);
    tcase_add_test(tc, page_rights);
    tcase_add_test(tc, access_size);
    tcase_add_test(tc, locked);
    tcase_add_test(tc, hint);
    tcase_add_test(tc, compatibility_mode);
    tcase_add_test(tc, code_limit);
    tcase_add_test(tc, dirty);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
