/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * MOV to a segment register and far JMP: registers, faults, accessed bits
 */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "../runner.h"

#define GDT     0x20000u

/* Selectors and their descriptors */
enum {
    CODE = 0x08, DATA = 0x10, READ_ONLY = 0x18, ABSENT = 0x20, USER = 0x28,
    CODE_ABSENT = 0x30, SYSTEM = 0x38, BASED = 0x40, END = 0x48,
};

static const uint64_t gdt[] = {
    [CODE / 8] = 0x00cf9a000000ffff,
    [DATA / 8] = 0x00cf92000000ffff,
    [READ_ONLY / 8] = 0x00cf90000000ffff,
    [ABSENT / 8] = 0x00cf12000000ffff,
    [USER / 8] = 0x00cff2000000ffff,
    [CODE_ABSENT / 8] = 0x00cf1a000000ffff,
    [SYSTEM / 8] = 0x0000890000000067,
    [BASED / 8] = 0x12409334567889ab,
};

static struct machine *m;
static struct insn_result res;

static void setup(void)
{
    m = machine_new();
    machine_mode32(m);
    memcpy(m->ram + GDT, gdt, sizeof(gdt));
    memcpy(m->mmio, gdt, sizeof(gdt));
    m->gdt_base = GDT;
    m->gdt_limit = END - 1;
    m->cpu.rip = 0x1000;
}

static void teardown(void)
{
    machine_free(m);
}

static enum insn_status run(const char *hex, uint16_t selector)
{
    uint8_t bytes[INSN_MAX_LEN];

    m->cpu.dirty = m->cpu.dirty_seg = 0;
    m->cpu.gpr[INSN_RAX] = selector;
    return machine_run(m, bytes, parse_hex(hex, bytes), &res);
}

static void expect_done(const char *hex, uint16_t selector)
{
    enum insn_status st = run(hex, selector);

    ck_assert_msg(st == INSN_DONE, "%s %x: status %d vector %d why %s", hex,
                  selector, st, res.fault.vector, res.why);
}

static void expect_fault(const char *hex, uint16_t selector, int vector,
                         uint32_t code)
{
    struct insn_cpu before = m->cpu;
    enum insn_status st = run(hex, selector);

    ck_assert_msg(st == INSN_FAULT && res.fault.vector == vector &&
                  res.fault.has_error_code && res.fault.error_code == code,
                  "%s %x: status %d vector %d code 0x%x", hex, selector, st,
                  res.fault.vector, res.fault.error_code);
    ck_assert_mem_eq(before.seg, m->cpu.seg, sizeof(before.seg));
    ck_assert_uint_eq(before.rip, m->cpu.rip);
    ck_assert_uint_eq(m->cpu.dirty_seg, 0);
    ck_assert_mem_eq(m->ram + GDT, gdt, sizeof(gdt));
}

START_TEST(data)
{
    const struct insn_seg *ds = &m->cpu.seg[INSN_DS];

    expect_done("8e d8", BASED);
    ck_assert_uint_eq(ds->selector, BASED);
    ck_assert_uint_eq(ds->base, 0x12345678);
    ck_assert_uint_eq(ds->limit, 0x089ab);
    ck_assert_uint_eq(ds->attr, 0x4093);
    ck_assert_uint_eq(m->cpu.dirty_seg, 1 << INSN_DS);
    ck_assert_uint_eq(m->cpu.dirty, INSN_DIRTY_RIP);
    /* The descriptor is marked, only if it is not yet. */
    ck_assert_mem_eq(m->ram + GDT, gdt, sizeof(gdt));
    expect_done("8e d8", DATA);
    ck_assert_uint_eq(ds->limit, UINT32_MAX);
    ck_assert_uint_eq(ds->attr, 0xc093);
    ck_assert_uint_eq(m->ram[GDT + DATA + 5], 0x93);
    /* One that is in no RAM is marked by one write of a byte. */
    m->gdt_base = MMIO_BASE;
    expect_done("8e c0", CODE);
    ck_assert_uint_eq(m->nlog, 2);
    ck_assert(m->log[1].write);
    ck_assert_uint_eq(m->log[1].len, 1);
    ck_assert_uint_eq(m->log[1].gpa, MMIO_BASE + CODE + 5);
    /* Null */
    expect_done("8e e8", 3);
    ck_assert_uint_eq(m->cpu.seg[INSN_GS].attr, 0);
    ck_assert_uint_eq(m->cpu.seg[INSN_GS].selector, 3);
}
END_TEST

START_TEST(stack)
{
    expect_done("8e d0", DATA);
    ck_assert_uint_eq(m->cpu.dirty_seg, 1 << INSN_SS);
    ck_assert_uint_eq(m->cpu.dirty, INSN_DIRTY_RIP | INSN_DIRTY_SHADOW);
}
END_TEST

START_TEST(faults)
{
    expect_fault("8e d8", END, INSN_VEC_GP, END);
    /* All of a descriptor must be within the table. */
    m->gdt_limit = DATA + 6;
    expect_fault("8e d8", DATA, INSN_VEC_GP, DATA);
    m->gdt_limit = END - 1;
    expect_fault("8e d8", SYSTEM, INSN_VEC_GP, SYSTEM);
    expect_fault("8e d8", ABSENT, INSN_VEC_NP, ABSENT);
    expect_fault("8e d0", ABSENT, INSN_VEC_SS, ABSENT);
    expect_fault("8e d0", READ_ONLY, INSN_VEC_GP, READ_ONLY);
    expect_fault("8e d0", CODE, INSN_VEC_GP, CODE);
    expect_fault("8e d0", USER, INSN_VEC_GP, USER);
    expect_fault("8e d0", DATA | 1, INSN_VEC_GP, DATA);
    expect_fault("8e d8", DATA | 1, INSN_VEC_GP, DATA);
    expect_fault("8e d0", 0, INSN_VEC_GP, 0);
    ck_assert_int_eq(run("8e c8", CODE), INSN_FAULT);
    ck_assert_int_eq(res.fault.vector, INSN_VEC_UD);
    ck_assert_int_eq(run("8e d8", DATA | 4), INSN_UNSUPPORTED);
    m->cpu.cpl = 3;
    ck_assert_int_eq(run("8e d8", DATA), INSN_UNSUPPORTED);
}
END_TEST

START_TEST(jump)
{
    /* From 16-bit code, as firmware does when it has set CR0.PE */
    m->cpu.seg[INSN_CS].attr = 0x9b;
    expect_done("66 ea 78 56 34 12 08 00", 0);
    ck_assert_uint_eq(m->cpu.rip, 0x12345678);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].selector, CODE);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].attr, 0xc09b);
    ck_assert_uint_eq(m->ram[GDT + CODE + 5], 0x9b);
    memcpy(m->ram + GDT, gdt, sizeof(gdt));
    expect_fault("ea 00 00 00 00 00 00", 0, INSN_VEC_GP, 0);
    expect_fault("ea 00 00 00 00 10 00", 0, INSN_VEC_GP, DATA);
    expect_fault("ea 00 00 00 00 09 00", 0, INSN_VEC_GP, CODE);
    expect_fault("ea 00 00 00 00 30 00", 0, INSN_VEC_NP, CODE_ABSENT);
    ck_assert_int_eq(run("ea 00 00 00 00 38 00", 0), INSN_UNSUPPORTED);
}
END_TEST

START_TEST(real)
{
    machine_real(m);
    m->cpu.seg[INSN_DS].limit = UINT32_MAX;
    expect_done("8e d8", 0x1234);
    ck_assert_uint_eq(m->cpu.seg[INSN_DS].base, 0x12340);
    ck_assert_uint_eq(m->cpu.seg[INSN_DS].limit, UINT32_MAX);
    expect_done("ea 34 12 00 f0", 0);
    ck_assert_uint_eq(m->cpu.rip, 0x1234);
    ck_assert_uint_eq(m->cpu.seg[INSN_CS].base, 0xf0000);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-segment");
    TCase *tc = tcase_create("segment");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, data);
    tcase_add_test(tc, stack);
    tcase_add_test(tc, faults);
    tcase_add_test(tc, jump);
    tcase_add_test(tc, real);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
