/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Loads of segment registers and far JMP: registers, faults, accessed bits
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
    m->system[INSN_GDTR].base = GDT;
    m->system[INSN_GDTR].limit = END - 1;
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
    m->system[INSN_GDTR].base = MMIO_BASE;
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
    m->system[INSN_GDTR].limit = DATA + 6;
    expect_fault("8e d8", DATA, INSN_VEC_GP, DATA);
    m->system[INSN_GDTR].limit = END - 1;
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
    /* No LDT; then one that has only the first */
    expect_fault("8e d8", DATA | 4, INSN_VEC_GP, DATA | 4);
    m->system[INSN_LDTR] = (struct insn_seg) { .base = GDT, .limit = END - 1 };
    expect_fault("8e d8", DATA | 4, INSN_VEC_GP, DATA | 4);
    m->system[INSN_LDTR] = (struct insn_seg) {
        .base = GDT + DATA - CODE, .limit = CODE + 7, .attr = 0x82,
    };
    expect_fault("8e d8", DATA | 4, INSN_VEC_GP, DATA | 4);
    expect_done("8e d8", CODE | 4);
    ck_assert_uint_eq(m->cpu.seg[INSN_DS].attr, 0xc093);
    memcpy(m->ram + GDT, gdt, sizeof(gdt));
    m->cpu.cpl = 3;
    expect_fault("8e d8", DATA, INSN_VEC_GP, DATA);
    expect_done("8e d8", USER | 3);
}
END_TEST

/*
 * The descriptor is read as the supervisor, the operand is not: not even if the
 * exit's page is the same.
 */
START_TEST(implicit)
{
    struct insn_hints hints = { .bytes = (const uint8_t *)"\x8e\x1b",
                                .nbytes = 2, .gva_valid = true,
                                .gva = GDT, .gpa = GDT };

    machine_mode64(m);
    machine_map(m, GDT, GDT, PTE_P | PTE_W);
    machine_map(m, 0x30000, 0x30000, PTE_P | PTE_U);
    m->ram[0x30000] = USER | 3;
    m->cpu.cpl = 3;
    m->cpu.gpr[INSN_RBX] = 0x30000;
    ck_assert_int_eq(insn_execute(&m->cpu, &machine_ops, m, &hints, &res),
                     INSN_DONE);
    m->cpu.gpr[INSN_RBX] = GDT;
    ck_assert_int_eq(insn_execute(&m->cpu, &machine_ops, m, &hints, &res),
                     INSN_FAULT);
    ck_assert_int_eq(res.fault.vector, INSN_VEC_PF);
    ck_assert_uint_eq(res.fault.error_code, INSN_PF_P | INSN_PF_U);
    /* SMAP forbids the processor itself a user's page, whatever AC says. */
    machine_map(m, GDT, GDT, PTE_P | PTE_W | PTE_U);
    m->cpu.cr4 |= INSN_CR4_SMAP;
    m->cpu.rflags |= INSN_AC;
    m->cpu.cpl = 0;
    m->cpu.gpr[INSN_RBX] = 0x30000;
    ck_assert_int_eq(insn_execute(&m->cpu, &machine_ops, m, &hints, &res),
                     INSN_FAULT);
    ck_assert_uint_eq(res.fault.cr2, GDT + USER);
}
END_TEST

/* POP to DS, and FS with 66; LDS and LSS */
START_TEST(from_memory)
{
    static const uint8_t far[] = { 0x78, 0x56, 0x34, 0x12, DATA, 0 };

    m->cpu.gpr[INSN_RSP] = MMIO_BASE + 0x100;
    m->mmio[0x100] = DATA;
    expect_done("1f", 0);
    ck_assert_uint_eq(m->cpu.seg[INSN_DS].attr, 0xc093);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x104);
    ck_assert_uint_eq(m->nlog, 1);
    m->mmio[0x104] = BASED;
    expect_done("66 0f a1", 0);
    ck_assert_uint_eq(m->cpu.seg[INSN_FS].base, 0x12345678);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x106);
    /* A fault leaves the stack pointer. */
    memcpy(m->ram + GDT, gdt, sizeof(gdt));
    m->mmio[0x106] = SYSTEM;
    expect_fault("07", 0, INSN_VEC_GP, SYSTEM);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x106);
    memcpy(m->mmio + 0x106, "\x10", 2);
    m->cpu.dirty = 0;
    expect_done("17", 0);
    ck_assert(m->cpu.dirty & INSN_DIRTY_SHADOW);
    memcpy(m->mmio + 0x200, far, sizeof(far));
    m->cpu.gpr[INSN_RBX] = MMIO_BASE + 0x200;
    m->cpu.seg[INSN_DS].attr = 0x93;
    expect_done("c5 13", 0);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDX], 0x12345678);
    ck_assert_uint_eq(m->cpu.seg[INSN_DS].attr, 0xc093);
    expect_done("0f b2 23", 0);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], 0x12345678);
    ck_assert(!(m->cpu.dirty & INSN_DIRTY_SHADOW));
    /* The register stays if the selector cannot be loaded. */
    m->mmio[0x204] = ABSENT;
    memcpy(m->ram + GDT, gdt, sizeof(gdt));
    expect_fault("c4 13", 0, INSN_VEC_NP, ABSENT);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDX], 0x12345678);
}
END_TEST

/* Null: what is left of FS, and of SS in 64-bit mode */
START_TEST(null)
{
    struct insn_seg *fs = &m->cpu.seg[INSN_FS];

    m->cpu.vendor = INSN_INTEL;
    expect_done("8e e0", BASED);
    expect_done("8e e0", 1);
    ck_assert_uint_eq(fs->base, 0);
    ck_assert_uint_eq(fs->attr, 0);
    m->cpu.vendor = INSN_AMD;
    expect_done("8e e0", BASED);
    expect_done("8e e0", 1);
    ck_assert_uint_eq(fs->base, 0x12345678);
    ck_assert_uint_eq(fs->limit, 0x089ab);
    ck_assert_uint_eq(fs->selector, 1);
    ck_assert_uint_eq(fs->attr, 0);
    m->cpu.null_clears_base = true;
    expect_done("8e e0", 1);
    ck_assert_uint_eq(fs->base, 0);
    machine_mode64(m);
    m->cpu.cpl = 1;
    expect_done("8e d0", 1);
    ck_assert_uint_eq(m->cpu.seg[INSN_SS].attr, 0x20);
    expect_fault("8e d0", 2, INSN_VEC_GP, 0);
    m->cpu.cpl = 3;
    expect_fault("8e d0", 3, INSN_VEC_GP, 0);
}
END_TEST

/* PUSH of a segment register */
START_TEST(push)
{
    m->cpu.seg[INSN_DS].selector = 0x1234;
    memset(m->mmio, 0xaa, 0x100);
    m->cpu.gpr[INSN_RSP] = MMIO_BASE + 0x40;
    m->cpu.vendor = INSN_AMD;
    expect_done("1e", 0);
    ck_assert_mem_eq(m->mmio + 0x3c, "\x34\x12\0\0\xaa", 5);
    m->cpu.vendor = INSN_INTEL;
    expect_done("1e", 0);
    ck_assert_mem_eq(m->mmio + 0x38, "\x34\x12\xaa\xaa\x34", 5);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x38);
    expect_done("66 0e", 0);
    ck_assert_mem_eq(m->mmio + 0x36, "\x18\0\x34", 3);
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
    tcase_add_test(tc, implicit);
    tcase_add_test(tc, from_memory);
    tcase_add_test(tc, null);
    tcase_add_test(tc, push);
    tcase_add_test(tc, jump);
    tcase_add_test(tc, real);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
