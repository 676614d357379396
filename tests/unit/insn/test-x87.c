/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the differential test cannot see of x87: conditions, exceptions that are
 * not masked, the environment, FXSAVE and FXRSTOR
 */

#include "guest.h"

static uint16_t word(const uint8_t *at)
{
    uint16_t val;

    memcpy(&val, at, 2);
    return val;
}

static void fpu_guest(void)
{
    setup();
    m->cpu.gpr[INSN_RBX] = DEV;
}

START_TEST(conditions)
{
    m->cpu.cr0 |= INSN_CR0_TS;
    expect_fault("d9 03", INSN_VEC_NM, -1);
    expect_fault("0f ae 03", INSN_VEC_NM, -1);
    expect_fault("0f ae 13", INSN_VEC_NM, -1);
    m->cpu.cr0 ^= INSN_CR0_TS | INSN_CR0_EM;
    expect_fault("d9 03", INSN_VEC_NM, -1);
    expect_fault("0f ae 13", INSN_VEC_UD, -1);
    m->cpu.cr0 &= ~INSN_CR0_EM;
    expect_fault("d9 0b", INSN_VEC_UD, -1);     /* no such instruction */
    /*
     * Invalid operation, not masked, and ES, which follows from them, is not
     * there: the next one waits, but FNSTSW does not.
     */
    m->fx[0] = 0x7e;
    m->fx[2] = 0x01;
    m->cpu.cr0 |= INSN_CR0_NE;
    expect_fault("d9 03", INSN_VEC_MF, -1);
    expect_fault("d9 2b", INSN_VEC_MF, -1);
    expect_done("dd 3b");
    ck_assert_uint_eq(word(m->mmio) & 0x7fff, 0x81);
    m->cpu.cr0 &= ~INSN_CR0_NE;
    ck_assert_int_eq(run("d9 03"), INSN_UNSUPPORTED);
}
END_TEST

START_TEST(unmasked)
{
    /* FISTP of infinity stores nothing, and pops nothing. */
    m->fx[4] = 1;
    memcpy(m->fx + 2, "\0\0", 2);
    memcpy(m->fx + 32, "\0\0\0\0\0\0\0\x80\xff\x7f", 10);
    m->fx[0] = 0x7e;
    expect_done("db 1b");
    ck_assert_uint_eq(m->nlog, 0);
    ck_assert_uint_eq(word(m->fx + 2) & 0x3881, 0x81);
    /* Masked, it stores the indefinite integer. */
    memcpy(m->fx + 2, "\0\0", 2);
    m->fx[0] = 0x7f;
    expect_done("db 1b");
    ck_assert_mem_eq(m->mmio, "\0\0\0\x80", 4);
    ck_assert_uint_eq(word(m->fx + 2) & 0x3881, 0x0801);
    /* What it was, and where: not where the emulator has it */
    ck_assert_uint_eq(word(m->fx + 6), 0x31b);
    ck_assert_mem_eq(m->fx + 8, &(uint64_t){ 0x1002 }, 8);
    ck_assert_mem_eq(m->fx + 16, &(uint64_t){ DEV }, 8);
}
END_TEST

START_TEST(environment)
{
    static const uint8_t env[] = {
        0x7f, 3, 0xff, 0xff, 0, 0x08, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff,
        0x78, 0x56, 0x34, 0x12, 0, 0, 0x1b, 3, 0x21, 0x43, 0x65, 0x87, 0, 0,
        0xff, 0xff,
    };

    memcpy(m->fx + 32 + 7 * 16, "\1\2\3\4\5\6\7\x88\x12\x34", 10);
    memcpy(m->mmio, env, sizeof(env));
    expect_done("d9 23");               /* FLDENV */
    ck_assert_mem_eq(m->fx, "\x7f\3\0\x08\x80\0\x1b\3\x78\x56\x34\x12", 12);
    ck_assert_mem_eq(m->fx + 16, "\x21\x43\x65\x87", 4);
    memset(m->mmio, 0xee, 0x100);
    expect_done("d9 33");               /* FNSTENV masks all exceptions */
    ck_assert_mem_eq(m->mmio + 4, env + 4, 2);
    ck_assert_mem_eq(m->mmio + 8, env + 8, 2);
    ck_assert_mem_eq(m->mmio + 12, env + 12, 14);
    ck_assert_uint_eq(m->mmio[28], 0xee);
    expect_done("66 d9 33");
    ck_assert_mem_eq(m->mmio + 4, "\xff\x3f\x78\x56\0\0\x21\x43\0\0", 10);
    /* FNSAVE initializes, FRSTOR brings all back. */
    memcpy(m->fx + 32, "\1\2\3\4\5\6\7\x88\x12\x34", 10);
    expect_done("dd 33");
    ck_assert_mem_eq(m->fx, "\x7f\3\0\0\0\0\0\0\0", 9);
    ck_assert_mem_eq(m->mmio + 28, "\1\2\3\4\5\6\7\x88\x12\x34", 10);
    memset(m->fx + 32, 0, 10);
    expect_done("dd 23");
    ck_assert_mem_eq(m->fx, "\x7f\3\0\x08\x80\0\x1b\3\x78\x56\x34\x12", 12);
    ck_assert_mem_eq(m->fx + 32, "\1\2\3\4\5\6\7\x88\x12\x34", 10);
    machine_real(m);
    m->cpu.gpr[INSN_RBX] = 0;
    ck_assert_int_eq(run("d9 37"), INSN_UNSUPPORTED);
}
END_TEST

START_TEST(fxsave)
{
    unsigned i;

    for (i = 0; i < 16 * 16; i++) {
        m->vec[i / 16][i % 16] = i;
    }
    memset(m->fx + 8, 0x77, 16);
    memcpy(m->fx + 32, "\1\2\3\4\5\6\7\x88\x12\x34", 10);
    memset(m->mmio, 0xee, 512);
    expect_done("0f ae 03");
    ck_assert_uint_eq(word(m->mmio), 0x37f);
    ck_assert_mem_eq(m->mmio + 8, "\x77\x77\x77\x77\0\0\0\0\x77", 9);
    ck_assert_mem_eq(m->mmio + 24, "\x80\x1f\0\0\xff\xff\0\0\1\2\3\4", 12);
    for (i = 0; i < 256; i++) {
        ck_assert_uint_eq(m->mmio[160 + i], i);
    }
    ck_assert_uint_eq(m->mmio[416], 0xee);
    expect_done("48 0f ae 03");
    ck_assert_mem_eq(m->mmio + 8, m->fx + 8, 16);
    /* Back */
    memset(m->vec, 0, sizeof(m->vec));
    memset(m->fx + 32, 0, 128);
    m->mmio[0] = 0x7a;
    m->mmio[25] = 0x3f;
    expect_done("48 0f ae 0b");
    ck_assert_uint_eq(m->vec[15][15], 255);
    ck_assert_uint_eq(m->fx[32], 1);
    ck_assert_uint_eq(word(m->fx), 0x37a);
    ck_assert_uint_eq(word(m->fx + 24), 0x3f80);
    m->mmio[26] = 1;                    /* a reserved bit of MXCSR */
    expect_fault("0f ae 0b", INSN_VEC_GP, 0);
    memcpy(m->mmio + 24, "\0\0\1\0", 4);
    m->cpu.gpr[INSN_RBX] = DEV + 24;
    expect_fault("0f ae 13", INSN_VEC_GP, 0);   /* LDMXCSR */
    expect_fault("0f ae 03", INSN_VEC_GP, 0);   /* not aligned */
    /* 32-bit code has eight XMM registers, and none without CR4.OSFXSR. */
    machine_mode32(m);
    m->cpu.gpr[INSN_RBX] = MMIO_BASE;
    memset(m->mmio, 0xee, 512);
    expect_done("0f ae 03");
    ck_assert_uint_eq(m->mmio[287], 127);
    ck_assert_uint_eq(m->mmio[288], 0xee);
    memset(m->mmio, 0xee, 512);
    m->cpu.cr4 = 0;
    expect_done("0f ae 03");
    ck_assert_uint_eq(m->mmio[160], 0xee);
    expect_fault("0f ae 13", INSN_VEC_UD, -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-x87");
    TCase *tc = tcase_create("x87");

    tcase_add_checked_fixture(tc, fpu_guest, teardown);
    tcase_add_test(tc, conditions);
    tcase_add_test(tc, unmasked);
    tcase_add_test(tc, environment);
    tcase_add_test(tc, fxsave);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
