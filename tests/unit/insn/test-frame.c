/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * ENTER, PUSHA, POPA, POPF with the stack in MMIO
 */

#include "guest.h"

START_TEST(all_registers)
{
    unsigned i;

    machine_mode32(m);
    for (i = 0; i < 8; i++) {
        m->cpu.gpr[i] = 0x01010101 * (i + 1);
    }
    m->cpu.gpr[INSN_RSP] = MMIO_BASE + 0x40;
    expect_done("60");
    ck_assert_uint_eq(m->nlog, 8);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x20);
    ck_assert_mem_eq(m->mmio + 0x3c, "\1\1\1\1", 4);
    ck_assert_mem_eq(m->mmio + 0x2c, "\x40\0\x20\0", 4);
    ck_assert_mem_eq(m->mmio + 0x20, "\x08\x08\x08\x08\x07", 5);
    for (i = 0; i < 8; i++) {
        m->cpu.gpr[i] = i == INSN_RSP ? MMIO_BASE + 0x20 : 0x77777777;
    }
    expect_done("66 61");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDI], 0x77770808);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], MMIO_BASE + 0x30);
    /* All or nothing: the last of eight does not fit below the limit. */
    m->cpu.seg[INSN_SS].limit = MMIO_BASE + 0x3f;
    expect_fault("61", INSN_VEC_SS, 0);
    m->cpu.gpr[INSN_RSP] = MMIO_BASE + 0x40;
    m->nlog = 0;
    m->cpu.seg[INSN_SS].attr |= 4;      /* expands down */
    m->cpu.seg[INSN_SS].limit = MMIO_BASE + 0x20;
    expect_fault("60", INSN_VEC_SS, 0);
    ck_assert_uint_eq(m->nlog, 0);
}
END_TEST

static void pop_flags(const char *hex, unsigned cpl, unsigned iopl,
                      uint64_t val, uint64_t wanted)
{
    memcpy(m->mmio + 0x40, &val, 8);
    m->cpu.gpr[INSN_RSP] = DEV + 0x40;
    m->cpu.cpl = cpl;
    m->cpu.rflags = 2 | iopl << INSN_IOPL_SHIFT;
    expect_done(hex);
    ck_assert_msg(m->cpu.rflags == wanted, "%s at CPL %u, IOPL %u: 0x%lx", hex,
                  cpl, iopl, m->cpu.rflags);
}

START_TEST(popf)
{
    machine_map(m, DEV, MMIO_BASE, PTE_P | PTE_W | PTE_U);
    pop_flags("9d", 0, 0, 0xffffffffffffffff, 0x00247fd7);
    pop_flags("9d", 3, 3, 0xffffffffffffffff, 0x00247fd7);
    pop_flags("9d", 3, 0, 0xffffffffffffffff, 0x00244dd7);
    pop_flags("9d", 1, 1, 0, 0x1002);
    pop_flags("66 9d", 0, 0, 0xffffffffffffffff, 0x7fd7);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], DEV + 0x42);
    machine_real(m);
    m->cpu.cr0 |= 1;
    m->cpu.rflags |= INSN_VM;
    ck_assert_int_eq(run("9d"), INSN_UNSUPPORTED);
}
END_TEST

START_TEST(enter)
{
    const uint64_t sp = DEV + 0x800, bp = DEV + 0xa00;

    m->cpu.gpr[INSN_RSP] = sp;
    m->cpu.gpr[INSN_RBP] = bp;
    memset(m->mmio + 0x900, 0x11, 0x100);
    expect_done("c8 20 00 03");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RBP], sp - 8);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], sp - 4 * 8 - 0x20);
    ck_assert_mem_eq(m->mmio + 0x7f8, &bp, 8);
    ck_assert_mem_eq(m->mmio + 0x7e8, m->mmio + 0x9f0, 16);
    ck_assert_mem_eq(m->mmio + 0x7e0, &(uint64_t){ sp - 8 }, 8);
    /* The room must be there: nothing is changed if it is not. */
    m->nlog = 0;
    m->cpu.gpr[INSN_RSP] = DEV + 0x10;
    expect_fault("c8 20 00 00", INSN_VEC_PF, INSN_PF_W);
    ck_assert_uint_eq(m->nlog, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-frame");
    TCase *tc = tcase_create("frame");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, all_registers);
    tcase_add_test(tc, popf);
    tcase_add_test(tc, enter);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
