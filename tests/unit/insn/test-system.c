/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Descriptor tables, LDTR and TR, the machine status word, and what asks about
 * selectors
 */

#include "guest.h"

#define GDT     0x30000u
#define TABLE   0x600000ull     /* gva of the GDT */

/* Selectors and their descriptors; system segments of 64-bit mode take two. */
enum {
    CODE = 0x08, FLAT = 0x10, USER = 0x18, LDT = 0x20, TSS = 0x30, GATE = 0x40,
    ABSENT_TSS = 0x50, EXECUTE_ONLY = 0x60, CONFORMING = 0x68, TSS16 = 0x70,
    END = 0x80,
};

static const uint64_t gdt[] = {
    [CODE / 8] = 0x00af9a000000ffff,
    [FLAT / 8] = 0x00cf92000000ffff,
    [USER / 8] = 0x00cff0000000ffff,
    [LDT / 8] = 0x0000823456789abc, [LDT / 8 + 1] = 0xffff8000,
    [TSS / 8] = 0x1240893456780067, [TSS / 8 + 1] = 0xffff8000,
    [GATE / 8] = 0x00008c0000080000,
    [ABSENT_TSS / 8] = 0x0000090000000067,
    [EXECUTE_ONLY / 8] = 0x00af98000000ffff,
    [CONFORMING / 8] = 0x00af9e000000ffff,
    [TSS16 / 8] = 0x000081000000002b,
};

static void with_gdt(void)
{
    setup();
    machine_map(m, TABLE, GDT, PTE_P | PTE_W);
    memcpy(m->ram + GDT, gdt, sizeof(gdt));
    m->system[INSN_GDTR] = (struct insn_seg) {
        .base = TABLE, .limit = END - 1,
    };
    m->system[INSN_IDTR] = (struct insn_seg) {
        .base = 0x123456789abcdef0, .limit = 0xfff,
    };
    m->cpu.gpr[INSN_RBX] = DEV;
}

START_TEST(tables)
{
    expect_done("0f 01 0b");            /* SIDT */
    ck_assert_mem_eq(m->mmio, "\xff\x0f\xf0\xde\xbc\x9a\x78\x56\x34\x12", 10);
    memcpy(m->mmio, "\x34\x12\xf0\xde\xbc\x9a\x78\x56\0\0", 10);
    expect_done("0f 01 13");            /* LGDT */
    ck_assert_uint_eq(m->system[INSN_GDTR].base, 0x56789abcdef0);
    ck_assert_uint_eq(m->system[INSN_GDTR].limit, 0x1234);
    m->mmio[9] = 0x40;
    expect_fault("0f 01 1b", INSN_VEC_GP, 0);
    ck_assert_uint_eq(m->system[INSN_IDTR].limit, 0xfff);
    m->cpu.cpl = 3;
    m->mmio[9] = 0;
    expect_fault("0f 01 1b", INSN_VEC_GP, 0);
    /* User-mode instruction prevention */
    machine_map(m, DEV, MMIO_BASE, PTE_P | PTE_W | PTE_U);
    expect_done("0f 01 03");
    m->cpu.cr4 |= INSN_CR4_UMIP;
    expect_fault("0f 01 03", INSN_VEC_GP, 0);
    expect_fault("0f 01 23", INSN_VEC_GP, 0);
    expect_fault("0f 00 03", INSN_VEC_GP, 0);
    m->cpu.cpl = 0;
    expect_done("0f 01 03");
    /* 16-bit code loads 24 bits of the base. */
    machine_mode16(m);
    m->cpu.gpr[INSN_RBX] = 0;
    m->cpu.seg[INSN_DS].base = MMIO_BASE;
    memcpy(m->mmio, "\x34\x12\x11\x22\x33\x44", 6);
    expect_done("0f 01 17");
    ck_assert_uint_eq(m->system[INSN_GDTR].base, 0x332211);
    expect_done("66 0f 01 17");
    ck_assert_uint_eq(m->system[INSN_GDTR].base, 0x44332211);
    expect_done("0f 01 07");
    ck_assert_mem_eq(m->mmio, "\x34\x12\x11\x22\x33\x44", 6);
}
END_TEST

START_TEST(status_word)
{
    m->cpu.cr0 = 0x8001003b;
    expect_done("0f 01 23");            /* SMSW */
    ck_assert_mem_eq(m->mmio, "\x3b\0\x16", 3);
    ck_assert_uint_eq(m->nlog, 1);
    ck_assert_uint_eq(m->log[0].len, 2);
    /* LMSW sets four bits, but does not clear PE. */
    m->mmio[0] = 0xf4;
    expect_done("0f 01 33");
    ck_assert_uint_eq(m->cpu.cr0, 0x80010035);
    ck_assert(m->cpu.dirty & INSN_DIRTY_CR0);
    m->mmio[0] = 0xff;
    expect_done("0f 01 33");
    ck_assert_uint_eq(m->cpu.cr0, 0x8001003f);
    m->cpu.cpl = 1;
    expect_fault("0f 01 33", INSN_VEC_GP, 0);
}
END_TEST

START_TEST(ldt_and_task)
{
    struct insn_seg *ldtr = &m->system[INSN_LDTR], *tr = &m->system[INSN_TR];

    m->mmio[0] = LDT;
    m->mmio[1] = 0;
    expect_done("0f 00 13");            /* LLDT */
    ck_assert_uint_eq(ldtr->base, 0xffff800000345678);
    ck_assert_uint_eq(ldtr->limit, 0x9abc);
    ck_assert_uint_eq(ldtr->attr, 0x82);
    m->mmio[0] = TSS;
    expect_done("0f 00 1b");            /* LTR */
    ck_assert_uint_eq(tr->base, 0xffff800012345678);
    ck_assert_uint_eq(tr->attr, 0x408b);
    ck_assert_uint_eq(tr->selector, TSS);
    ck_assert_uint_eq(m->ram[GDT + TSS + 5], 0x8b);
    expect_fault("0f 00 1b", INSN_VEC_GP, TSS);         /* it is busy */
    m->mmio[0] = ABSENT_TSS;
    expect_fault("0f 00 1b", INSN_VEC_NP, ABSENT_TSS);
    m->mmio[0] = LDT;
    expect_fault("0f 00 1b", INSN_VEC_GP, LDT);
    m->mmio[0] = TSS16;
    expect_fault("0f 00 1b", INSN_VEC_GP, TSS16);
    m->mmio[0] = LDT | 4;
    expect_fault("0f 00 13", INSN_VEC_GP, LDT | 4);
    m->mmio[0] = 3;
    expect_fault("0f 00 1b", INSN_VEC_GP, 0);
    expect_done("0f 00 13");
    ck_assert_uint_eq(ldtr->attr, 0);
    ck_assert_uint_eq(ldtr->selector, 3);
    expect_done("0f 00 0b");            /* STR */
    ck_assert_mem_eq(m->mmio, "\x30\0\x16", 3);
    expect_done("0f 00 03");            /* SLDT */
    ck_assert_mem_eq(m->mmio, "\3\0\x16", 3);
    m->cpu.cpl = 3;
    expect_fault("0f 00 d0", INSN_VEC_GP, 0);
    machine_real(m);
    expect_fault("0f 00 d0", INSN_VEC_UD, -1);
    expect_fault("0f 02 c0", INSN_VEC_UD, -1);
}
END_TEST

/* ZF, and the result in EDX; 0: it keeps what it had. */
static void ask(const char *hex, unsigned selector, bool zf, uint64_t result)
{
    m->mmio[0] = selector;
    m->cpu.gpr[INSN_RDX] = 0x5555;
    m->cpu.rflags = zf ? 2 : 2 | INSN_ZF;
    expect_done(hex);
    ck_assert_msg(!!(m->cpu.rflags & INSN_ZF) == zf &&
                  m->cpu.gpr[INSN_RDX] == (result ? result : 0x5555),
                  "%s of 0x%x: flags 0x%lx, RDX 0x%lx", hex, selector,
                  m->cpu.rflags, m->cpu.gpr[INSN_RDX]);
}

START_TEST(selectors)
{
    static const char lar[] = "0f 02 13", lsl[] = "0f 03 13";
    static const char verr[] = "0f 00 23", verw[] = "0f 00 2b";

    m->mmio[1] = 0;
    ask(lar, CODE, true, 0x00af9a00);
    ask(lar, TSS, true, 0x00408900);
    ask(lar, GATE, true, 0x00008c00);
    ask(lar, TSS16, false, 0);          /* not in long mode */
    ask(lar, 0, false, 0);
    ask(lar, END, false, 0);
    ask(lar, CODE | 4, false, 0);
    ask(lar, CODE | 1, false, 0);
    ask(lar, CONFORMING | 3, true, 0x00af9e00);
    ask("66 0f 02 13", CODE, true, 0x9a00);
    ask(lsl, CODE, true, 0xffffffff);
    ask(lsl, LDT, true, 0x9abc);
    ask(lsl, GATE, false, 0);
    ask(verr, CODE, true, 0);
    ask(verr, EXECUTE_ONLY, false, 0);
    ask(verr, FLAT, true, 0);
    ask(verr, TSS, false, 0);
    ask(verw, FLAT, true, 0);
    ask(verw, CODE, false, 0);
    ask(verw, USER | 3, false, 0);
    ask(verr, USER | 3, true, 0);
    machine_map(m, DEV, MMIO_BASE, PTE_P | PTE_W | PTE_U);
    m->cpu.cpl = 3;
    ask(verr, FLAT, false, 0);
    ask(verr, USER, true, 0);
    /* Legacy modes know more kinds. */
    machine_mode32(m);
    m->cpu.gpr[INSN_RBX] = MMIO_BASE;
    m->system[INSN_GDTR].base = GDT;
    ask(lar, TSS16, true, 0x00008100);
    ask(lsl, TSS16, true, 0x2b);
}
END_TEST

START_TEST(arpl)
{
    machine_mode32(m);
    m->cpu.gpr[INSN_RBX] = MMIO_BASE;
    m->cpu.gpr[INSN_RDX] = 3;
    memcpy(m->mmio, "\x31\x12\x16", 3);
    expect_done("63 13");
    ck_assert_mem_eq(m->mmio, "\x33\x12\x16", 3);
    ck_assert_uint_eq(m->cpu.rflags, 2 | INSN_ZF);
    m->cpu.gpr[INSN_RDX] = 2;
    expect_done("63 13");
    ck_assert_mem_eq(m->mmio, "\x33\x12\x16", 3);
    ck_assert_uint_eq(m->cpu.rflags, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-system");
    TCase *tc = tcase_create("system");

    tcase_add_checked_fixture(tc, with_gdt, teardown);
    tcase_add_test(tc, tables);
    tcase_add_test(tc, status_word);
    tcase_add_test(tc, ldt_and_task);
    tcase_add_test(tc, selectors);
    tcase_add_test(tc, arpl);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
