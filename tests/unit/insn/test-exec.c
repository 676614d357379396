/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the differential test cannot see: faults with their priorities, AVX-512,
 * stacks, code that must be fetched, outcomes
 */

#include <check.h>
#include <errno.h>
#include <string.h>

#include "guest.h"

START_TEST(vector_conditions)
{
    static const char *const sse = "0f 10 03", *const avx = "c5 f8 10 03";
    static const char *const mmx = "0f 6f 03", *const bmi = "c4 e2 78 f3 0b";
    uint64_t cr0 = m->cpu.cr0, cr4 = m->cpu.cr4;

    m->cpu.gpr[INSN_RBX] = DEV;
    expect_done(sse);
    expect_done(avx);
    expect_done(mmx);
    m->cpu.cr0 = cr0 | INSN_CR0_TS;
    expect_fault(sse, INSN_VEC_NM, -1);
    expect_fault(avx, INSN_VEC_NM, -1);
    expect_fault(mmx, INSN_VEC_NM, -1);
    m->cpu.cr0 = cr0 | INSN_CR0_TS | INSN_CR0_EM;
    expect_fault(sse, INSN_VEC_UD, -1);
    expect_fault(mmx, INSN_VEC_UD, -1);
    expect_fault(avx, INSN_VEC_NM, -1);
    m->cpu.cr0 = cr0;
    m->cpu.cr4 = cr4 & ~INSN_CR4_OSFXSR;
    expect_fault(sse, INSN_VEC_UD, -1);
    expect_done(mmx);
    m->cpu.cr4 = cr4 & ~INSN_CR4_OSXSAVE;
    expect_fault(avx, INSN_VEC_UD, -1);
    expect_done(sse);
    expect_done(bmi);
    m->cpu.cr4 = cr4;
    m->xcr0 = 3;
    expect_fault(avx, INSN_VEC_UD, -1);
    m->xcr0 = 7;
    expect_done(avx);
    expect_fault("62 f1 7c 48 10 03", INSN_VEC_UD, -1);
    m->xcr0 = 0xe7;
    expect_done("62 f1 7c 48 10 03");
    /* Alignment: of SSE and aligned moves only. */
    m->cpu.gpr[INSN_RBX] = DEV + 8;
    expect_fault("0f 28 03", INSN_VEC_GP, 0);
    expect_fault("66 0f e7 03", INSN_VEC_GP, 0);
    expect_fault("66 0f ef 03", INSN_VEC_GP, 0);
    expect_done("c5 f9 ef 03");
    m->cpu.gpr[INSN_RBX] = DEV + 16;
    expect_done("c5 f8 28 03");
    expect_fault("c5 fc 28 03", INSN_VEC_GP, 0);
    m->cpu.gpr[INSN_RBX] = DEV + 32;
    expect_fault("62 f1 7c 48 28 03", INSN_VEC_GP, 0);
    expect_fault("48 0f c7 4b 08", INSN_VEC_GP, 0);
}
END_TEST

START_TEST(evex)
{
    unsigned i;

    /* vmovdqu64 zmm17, [rbx + 1 * 64]; vmovdqu8 [rbx + 2 * 32], ymm30 */
    m->cpu.gpr[INSN_RBX] = DEV;
    expect_done("62 e1 fe 48 6f 4b 01");
    ck_assert_mem_eq(m->vec[17], m->mmio + 64, 64);
    for (i = 0; i < 64; i++) {
        m->vec[30][i] = i + 100;
    }
    expect_done("62 61 7f 28 7f 73 02");
    ck_assert_mem_eq(m->mmio + 64, m->vec[30], 32);
    expect_fault("62 f1 fe 58 6f 03", INSN_VEC_UD, -1);
    /* vmovdqu64 zmm1 {k1}{z}, [rbx], and with the rest of zmm1 as it was */
    m->cpu.vendor = INSN_AMD;
    m->opmask[1] = 0xff41;
    memset(m->vec[1], 0x99, 64);
    m->nlog = 0;
    expect_done("62 f1 fe 49 6f 0b");
    ck_assert_uint_eq(m->nlog, 2);
    ck_assert_uint_eq(m->log[1].gpa, MMIO_BASE + 48);
    ck_assert_uint_eq(m->log[1].len, 8);
    ck_assert_mem_eq(m->vec[1], m->mmio, 8);
    ck_assert_uint_eq(m->vec[1][8], 0x99);
    ck_assert_mem_eq(m->vec[1] + 48, m->mmio + 48, 8);
    expect_done("62 f1 fe c9 6f 0b");
    ck_assert_uint_eq(m->vec[1][8], 0);
    ck_assert_mem_eq(m->vec[1] + 48, m->mmio + 48, 8);
    /* A store may not zero, streaming moves take no mask. */
    expect_fault("62 f1 fe c9 7f 0b", INSN_VEC_UD, -1);
    expect_fault("62 f1 7c 49 2b 0b", INSN_VEC_UD, -1);
    /* What is not selected does not fault. */
    m->opmask[1] = 1;
    m->cpu.gpr[INSN_RBX] = HOLE - 8;
    expect_done("62 f1 fe 49 7f 0b");
    m->opmask[1] = 3;
    expect_fault("62 f1 fe 49 7f 0b", INSN_VEC_PF, INSN_PF_W);
    ck_assert_uint_eq(res.fault.cr2, HOLE);
}
END_TEST

START_TEST(stack)
{
    m->cpu.gpr[INSN_RSP] = HOLE + 4;
    m->cpu.gpr[INSN_RBX] = DEV;
    memset(m->mmio, 0, 8);
    expect_fault("ff 33", INSN_VEC_PF, INSN_PF_W);
    expect_fault("ff 13", INSN_VEC_PF, INSN_PF_W);
    /* POP with RSP as base: its value after the pop */
    m->cpu.gpr[INSN_RSP] = DEV + 0x40;
    expect_done("8f 44 24 08");
    ck_assert_mem_eq(m->mmio + 0x50, m->mmio + 0x40, 8);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], DEV + 0x48);
    /* CALL to an address that is not canonical pushes nothing. */
    memset(m->mmio, 0x55, 8);
    expect_fault("ff 13", INSN_VEC_GP, 0);
    /* Shadow stacks */
    memset(m->mmio, 0, 8);
    m->cpu.cr4 |= INSN_CR4_CET;
    ck_assert_int_eq(run("ff 13"), INSN_UNSUPPORTED);
    m->cpu.cr4 &= ~INSN_CR4_CET;
    /* 16-bit stack in 32-bit code */
    machine_mode32(m);
    m->cpu.seg[INSN_SS].attr &= ~INSN_SEG_DB;
    m->cpu.seg[INSN_SS].base = DATA_RAM;
    m->cpu.gpr[INSN_RSP] = 0xaaaa0002;
    m->cpu.gpr[INSN_RAX] = 0x12345678;
    expect_done("50");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], 0xaaaafffe);
    /* Its branch targets are checked against the limit of CS. */
    m->cpu.seg[INSN_CS].limit = 0x2000;
    m->cpu.gpr[INSN_RBX] = MMIO_BASE;
    memcpy(m->mmio, "\x01\x20\0\0", 4);
    expect_fault("ff 23", INSN_VEC_GP, 0);
    memcpy(m->mmio, "\x00\x20\0\0", 4);
    expect_done("ff 23");
    ck_assert_uint_eq(m->cpu.rip, 0x2000);
}
END_TEST

START_TEST(fetch)
{
    static const uint8_t code[] = { 0x66, 0xc7, 0x03, 0x34, 0x12 };

    /* No bytes with the exit, and code on both sides of a page's end */
    memcpy(m->ram + DATA_RAM + 0xffd, code, sizeof(code));
    m->cpu.rip = DATA + 0xffd;
    m->cpu.gpr[INSN_RBX] = DEV;
    ck_assert_int_eq(machine_run(m, NULL, 0, &res), INSN_DONE);
    ck_assert_uint_eq(m->cpu.rip, DATA + 0x1002);
    ck_assert_uint_eq(m->log[0].val, 0x1234);
    /* The second half is not there. */
    memcpy(m->ram + DATA_RAM + 0x3ffd, code, 3);
    m->cpu.rip = DATA + 0x3ffd;
    ck_assert_int_eq(machine_run(m, code, 3, &res), INSN_FAULT);
    ck_assert_uint_eq(res.fault.cr2, HOLE);
    ck_assert_uint_eq(res.fault.error_code, INSN_PF_I);
    /* Code in a device is read byte by byte, no more than there is. */
    memcpy(m->mmio + 0x10, code, sizeof(code));
    m->cpu.rip = DEV + 0x10;
    m->nlog = 0;
    ck_assert_int_eq(machine_run(m, NULL, 0, &res), INSN_DONE);
    ck_assert_uint_eq(m->nlog, 6);
    /* Beyond the limit of CS */
    machine_real(m);
    m->cpu.rip = 0xfffe;
    ck_assert_int_eq(machine_run(m, code, 2, &res), INSN_FAULT);
    ck_assert_int_eq(res.fault.vector, INSN_VEC_GP);
}
END_TEST

START_TEST(outcome)
{
    /* Unknown: the bytes and the reason, and no change */
    m->cpu.gpr[INSN_RBX] = DEV;
    ck_assert_int_eq(run("0f fc 03"), INSN_UNSUPPORTED);
    ck_assert_str_eq(res.why, "unknown opcode");
    ck_assert_mem_eq(res.bytes, "\x0f\xfc\x03", 3);
    ck_assert_uint_eq(m->cpu.rip, 0x1000);
    ck_assert_uint_eq(m->cpu.dirty, 0);
    ck_assert_int_eq(run("0f 10 c1"), INSN_UNSUPPORTED);
    /* RF is clear after an instruction, TF is the caller's. */
    m->cpu.rflags = 2 | INSN_RF | INSN_TF;
    expect_done("8b 03");
    ck_assert_uint_eq(m->cpu.rflags, 2 | INSN_TF);
    ck_assert_uint_eq(m->cpu.dirty, INSN_DIRTY_RIP | INSN_DIRTY_RFLAGS);
    /* Divide error */
    memset(m->mmio, 0, 8);
    expect_fault("f7 33", INSN_VEC_DE, -1);
    /* A callback that fails */
    m->fail = -EIO;
    ck_assert_int_eq(run("8b 03"), INSN_ERROR);
    ck_assert_int_eq(res.error, -EIO);
    ck_assert_int_eq(run("89 03"), INSN_ERROR);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-exec");
    TCase *tc = tcase_create("exec");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, vector_conditions);
    tcase_add_test(tc, evex);
    tcase_add_test(tc, stack);
    tcase_add_test(tc, fetch);
    tcase_add_test(tc, outcome);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
