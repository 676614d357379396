/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Far JMP, CALL and RET, IRET, INT: with pointers and stacks in MMIO, in every
 * mode
 */

#include "guest.h"

#define TABLE   0x600000ull     /* gva of the page at GPA */
#define GPA     0x30000u
#define IDT     0x200u          /* in that page */
#define TSS     0x800u
#define STACK   (DEV + 0x800)

/* Selectors */
enum {
    CODE = 0x08, FLAT = 0x10, USER_CODE = 0x18, USER_DATA = 0x20, CODE32 = 0x28,
    CALL_GATE = 0x30, CONFORMING = 0x40, ABSENT = 0x48, TASK = 0x50,
    CODE16 = 0x60, END = 0x68,
};

static const uint64_t gdt[] = {
    [CODE / 8] = 0x00af9a000000ffff,
    [FLAT / 8] = 0x00cf92000000ffff,
    [USER_CODE / 8] = 0x00affa000000ffff,
    [USER_DATA / 8] = 0x00cff2000000ffff,
    [CODE32 / 8] = 0x00cf9a000000ffff,
    [CALL_GATE / 8] = 0x5678ec0000081234, [CALL_GATE / 8 + 1] = 0x1234,
    [CONFORMING / 8] = 0x00af9e000000ffff,
    [ABSENT / 8] = 0x00af1a000000ffff,
    [TASK / 8] = 0x0000890000000067,
    [CODE16 / 8] = 0x00009a000000ffff,
};

/* 0x10: the kernel's, 0x11: a trap with IST 2, 0x12: for users, 0x13: bad */
static const uint64_t idt[] = {
    0x56788e0000081234, 0x1234, 0x56788f0200081234, 0x1234,
    0x5678ee0000081234, 0x1234, 0x5678850000081234, 0x1234,
};

#define HANDLER 0x123456781234ull

static uint8_t *table;

static void far_guest(void)
{
    static const uint64_t rsp0 = STACK + 5, ist2 = STACK - 0x100;

    setup();
    table = m->ram + GPA;
    machine_map(m, TABLE, GPA, PTE_P | PTE_W);
    machine_map(m, TABLE + 0x1000, GPA + 0x1000, PTE_P | PTE_W | PTE_U);
    memcpy(table, gdt, sizeof(gdt));
    memcpy(table + IDT + 0x100, idt, sizeof(idt));
    memcpy(table + TSS + 4, &rsp0, 8);          /* INT aligns it */
    memcpy(table + TSS + 44, &ist2, 8);
    m->system[INSN_GDTR] = (struct insn_seg) {
        .base = TABLE, .limit = END - 1,
    };
    m->system[INSN_IDTR] = (struct insn_seg) {
        .base = TABLE + IDT, .limit = 0x13f,
    };
    m->system[INSN_TR] = (struct insn_seg) {
        .base = TABLE + TSS, .limit = 0x67, .attr = 0x8b, .selector = TASK,
    };
    m->cpu.seg[INSN_CS].selector = CODE;
    m->cpu.seg[INSN_SS].selector = FLAT;
    m->cpu.gpr[INSN_RBX] = DEV;
    m->cpu.gpr[INSN_RSP] = STACK;
    m->cpu.vendor = INSN_INTEL;
}

static void user(void)
{
    machine_map(m, DEV, MMIO_BASE, PTE_P | PTE_W | PTE_U);
    m->cpu.cpl = 3;
    m->cpu.seg[INSN_CS].selector = USER_CODE | 3;
    m->cpu.seg[INSN_SS].selector = USER_DATA | 3;
    m->cpu.seg[INSN_SS].attr = 0xc0f3;
}

static void put(unsigned at, uint64_t val)
{
    memcpy(m->mmio + at, &val, 8);
}

static uint64_t got(unsigned at)
{
    uint64_t val;

    memcpy(&val, m->mmio + at, 8);
    return val;
}

START_TEST(jump)
{
    put(0, 0x12345678);
    put(4, CODE32);
    expect_done("ff 2b");
    ck_assert_uint_eq(m->cpu.rip, 0x12345678);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].attr, 0xc09b);
    ck_assert_uint_eq(table[CODE32 + 5], 0x9b);
    /* With REX.W Intel's offset has 64 bits. */
    m->cpu.seg[INSN_CS].attr = 0xa09b;
    put(0, 0x123456789abc);
    put(8, CODE);
    expect_done("48 ff 2b");
    ck_assert_uint_eq(m->cpu.rip, 0x123456789abc);
    m->cpu.vendor = INSN_AMD;
    put(4, CONFORMING | 3);
    expect_done("48 ff 2b");
    ck_assert_uint_eq(m->cpu.rip, 0x56789abc);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].selector, CONFORMING);
    put(4, CALL_GATE);
    expect_done("ff 2b");
    ck_assert_uint_eq(m->cpu.rip, HANDLER);
    put(4, TASK);
    ck_assert_int_eq(run("ff 2b"), INSN_UNSUPPORTED);
    put(4, USER_CODE | 3);
    expect_fault("ff 2b", INSN_VEC_GP, USER_CODE);
    put(4, CODE | 1);
    expect_fault("ff 2b", INSN_VEC_GP, CODE);
    put(4, FLAT);
    expect_fault("ff 2b", INSN_VEC_GP, FLAT);
    put(4, ABSENT);
    expect_fault("ff 2b", INSN_VEC_NP, ABSENT);
    put(4, CODE16);
    put(0, (uint64_t)CODE16 << 32 | 0x10000);
    expect_fault("ff 2b", INSN_VEC_GP, 0);      /* beyond its limit */
    put(4, 0);
    expect_fault("ff 2b", INSN_VEC_GP, 0);
    m->cpu.cr4 |= INSN_CR4_CET;
    ck_assert_int_eq(run("ff 2b"), INSN_UNSUPPORTED);
}
END_TEST

START_TEST(call_and_return)
{
    m->cpu.rip = 0x1000;
    put(0, 0x12345678);
    put(4, CODE);
    expect_done("ff 1b");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], STACK - 8);
    ck_assert_uint_eq(got(0x7f8), (uint64_t)CODE << 32 | 0x1002);
    expect_done("ca 10 00");
    ck_assert_uint_eq(m->cpu.rip, 0x1002);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], STACK + 0x10);
    /* A gate's frame has 64-bit words. */
    put(4, CALL_GATE);
    expect_done("ff 1b");
    ck_assert_uint_eq(got(0x808), CODE);
    ck_assert_uint_eq(got(0x800), 0x1004);
    /* To an outer level, with registers that it may not have */
    put(0x800, 0x4000);
    put(0x808, USER_CODE | 3);
    put(0x810, 0x7000);
    put(0x818, USER_DATA | 3);
    m->cpu.seg[INSN_FS].attr = 0xc0f3;
    expect_done("48 cb");
    ck_assert_uint_eq(m->cpu.rip, 0x4000);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], 0x7000);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].selector, USER_CODE | 3);
    ck_assert_uint_eq(m->cpu.seg[INSN_SS].selector, USER_DATA | 3);
    ck_assert_uint_eq(m->cpu.seg[INSN_DS].attr, 0);
    ck_assert_uint_eq(m->cpu.seg[INSN_FS].attr, 0xc0f3);
    ck_assert_uint_eq(m->cpu.dirty_seg, 0x2f & ~(1 << INSN_FS));
}
END_TEST

START_TEST(return_faults)
{
    m->cpu.gpr[INSN_RSP] = STACK;
    put(0x800, 0x4000);
    put(0x808, USER_DATA | 3);
    expect_fault("48 cb", INSN_VEC_GP, USER_DATA);
    put(0x808, USER_CODE | 3);
    put(0x810, 0x7000);
    put(0x818, 3);
    expect_fault("48 cb", INSN_VEC_GP, 0);
    put(0x818, USER_DATA);
    expect_fault("48 cb", INSN_VEC_GP, USER_DATA);
    /* No way back to an inner level */
    user();
    put(0x808, CODE);
    expect_fault("48 cb", INSN_VEC_GP, CODE);
    /* A push that cannot be leaves CS alone. */
    put(0, 0x12345678);
    put(4, USER_CODE | 3);
    m->cpu.gpr[INSN_RSP] = HOLE + 4;
    expect_fault("ff 1b", INSN_VEC_PF, INSN_PF_W | INSN_PF_U);
}
END_TEST

START_TEST(iret)
{
    put(0x800, 0x4000);
    put(0x808, CODE);
    put(0x810, 0xffffffffffffffff);
    put(0x818, DATA + 0x700);
    put(0x820, FLAT);
    m->cpu.seg[INSN_CS].selector = CODE;
    expect_done("48 cf");
    ck_assert_uint_eq(m->cpu.rip, 0x4000);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], DATA + 0x700);
    ck_assert_uint_eq(m->cpu.rflags, 0x257fd7);         /* RF, too */
    ck_assert(m->cpu.dirty & INSN_DIRTY_NMI);
    /* In long mode NT forbids it. */
    m->cpu.rflags = 2 | INSN_NT;
    expect_fault("48 cf", INSN_VEC_GP, 0);
    /* A user keeps IF and IOPL. */
    user();
    m->cpu.rflags = 2 | INSN_IF;
    put(0x808, USER_CODE | 3);
    put(0x810, 0x3000);
    put(0x820, USER_DATA | 3);
    m->cpu.gpr[INSN_RSP] = STACK;
    expect_done("48 cf");
    ck_assert_uint_eq(m->cpu.rflags, 2 | INSN_IF);
}
END_TEST

START_TEST(interrupt)
{
    m->cpu.rflags = 2 | INSN_IF | INSN_CF;
    m->cpu.gpr[INSN_RSP] = STACK + 3;
    expect_done("cd 10");
    ck_assert_uint_eq(m->cpu.rip, HANDLER);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], STACK - 40);
    ck_assert_uint_eq(got(0x7f8), FLAT);
    ck_assert_uint_eq(got(0x7f0), STACK + 3);
    ck_assert_uint_eq(got(0x7e8), 2 | INSN_IF | INSN_CF);
    ck_assert_uint_eq(got(0x7e0), CODE);
    ck_assert_uint_eq(got(0x7d8), 0x1002);
    ck_assert_uint_eq(m->cpu.rflags, 2 | INSN_CF);
    /* A trap gate leaves IF; IST 2 */
    m->cpu.rflags = 2 | INSN_IF;
    expect_done("cd 11");
    ck_assert_uint_eq(m->cpu.rflags, 2 | INSN_IF);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], STACK - 0x100 - 40);
    expect_fault("cd 13", INSN_VEC_GP, 0x13 * 8 + 2);
    expect_fault("cd 14", INSN_VEC_GP, 0x14 * 8 + 2);   /* beyond the limit */
    /* Users: only gates for them, and a new stack, which is aligned */
    user();
    expect_fault("cd 10", INSN_VEC_GP, 0x10 * 8 + 2);
    m->cpu.rip = 0x1000;
    expect_done("cd 12");
    ck_assert_uint_eq(m->cpu.cpl, 0);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], STACK - 40);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].selector, CODE);
    ck_assert_uint_eq(m->cpu.seg[INSN_SS].selector, 0);
    ck_assert_uint_eq(got(0x7e0), USER_CODE | 3);
    ck_assert_uint_eq(got(0x7f8), USER_DATA | 3);
    table[IDT + 0x100 + 5] &= 0x7f;
    expect_fault("cd 10", INSN_VEC_NP, 0x10 * 8 + 2);
}
END_TEST

/* 32-bit: no stack is pushed at the same level, and SS comes from the TSS. */
START_TEST(interrupt32)
{
    static const uint64_t gates[] = {
        0x1234ee0000285678, 0x1234e60000285678, 0x0000850000500000,
    };
    static const uint32_t tss[] = { MMIO_BASE + 0x400, FLAT };

    machine_mode32(m);
    m->system[INSN_GDTR].base = GPA;
    m->system[INSN_IDTR].base = GPA + IDT;
    m->system[INSN_TR].base = GPA + TSS;
    m->cpu.vendor = INSN_INTEL;
    memcpy(table + IDT, gates, sizeof(gates));
    memcpy(table + TSS + 4, tss, sizeof(tss));
    m->cpu.gpr[INSN_RSP] = MMIO_BASE + 0x800;
    expect_done("cd 00");
    ck_assert_uint_eq(m->cpu.rip, 0x12345678);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x800 - 12);
    ck_assert_uint_eq(got(0x7f4) & UINT32_MAX, 0x1002);
    m->cpu.rip = 0x1000;
    m->cpu.gpr[INSN_RSP] = MMIO_BASE + 0x800;
    expect_done("cd 01");
    ck_assert_uint_eq(m->cpu.rip, 0x5678);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x800 - 6);
    ck_assert_int_eq(run("cd 02"), INSN_UNSUPPORTED);
    m->cpu.cpl = 3;
    m->cpu.seg[INSN_SS] = (struct insn_seg) { 0, UINT32_MAX, 0x23, 0xc0f3 };
    expect_done("cd 00");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x400 - 20);
    ck_assert_uint_eq(m->cpu.seg[INSN_SS].selector, FLAT);
    ck_assert_uint_eq(got(0x3fc) & UINT32_MAX, 0x23);
    m->system[INSN_TR].limit = 8;
    m->cpu.cpl = 3;
    expect_fault("cd 00", INSN_VEC_TS, TASK);
}
END_TEST

START_TEST(real)
{
    machine_real(m);
    m->system[INSN_IDTR] = (struct insn_seg) { .limit = 0x3ff };
    memcpy(m->ram + 4 * 0x21, "\x34\x12\x00\xf0", 4);
    m->cpu.seg[INSN_SS].base = MMIO_BASE;
    m->cpu.seg[INSN_CS].selector = 0x100;
    m->cpu.gpr[INSN_RSP] = 0x800;
    m->cpu.rflags = 2 | INSN_IF | INSN_TF;
    expect_done("cd 21");
    ck_assert_uint_eq(m->cpu.rip, 0x1234);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].base, 0xf0000);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], 0x7fa);
    ck_assert_uint_eq(got(0x7fa) & 0xffffffffffff,
                      0x030201001002);
    ck_assert_uint_eq(m->cpu.rflags, 2);
    expect_done("cf");
    ck_assert_uint_eq(m->cpu.rip, 0x1002);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].base, 0x1000);
    ck_assert_uint_eq(m->cpu.rflags, 2 | INSN_IF | INSN_TF);
    /* INTO only with OF */
    expect_done("ce");
    ck_assert_uint_eq(m->cpu.rip, 0x1003);
    expect_done("9a 56 00 00 20");
    ck_assert_uint_eq(m->cpu.rip, 0x56);
    ck_assert_uint_eq(got(0x7fc) & UINT32_MAX, 0x01001008);
    expect_done("cb");
    ck_assert_uint_eq(m->cpu.rip, 0x1008);
    m->cpu.rflags |= INSN_VM;
    m->cpu.cr0 |= INSN_CR0_PE;
    m->cpu.cpl = 3;
    expect_fault("cf", INSN_VEC_GP, 0);
    ck_assert_int_eq(run("cd 21"), INSN_UNSUPPORTED);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-far");
    TCase *tc = tcase_create("far");

    tcase_add_checked_fixture(tc, far_guest, teardown);
    tcase_add_test(tc, jump);
    tcase_add_test(tc, call_and_return);
    tcase_add_test(tc, return_faults);
    tcase_add_test(tc, iret);
    tcase_add_test(tc, interrupt);
    tcase_add_test(tc, interrupt32);
    tcase_add_test(tc, real);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
