/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What processors of different vendors do differently: every row of the table,
 * each under each vendor
 */

#include <cpuid.h>

#include "guest.h"

#define TOP     0xaaaaaaaa00000000ull   /* of registers that hold 32 bits */

START_TEST(vendors)
{
    unsigned a, b, c, d;

    ck_assert_int_eq(insn_vendor_of(0x68747541, 0x444d4163, 0x69746e65),
                     INSN_AMD);
    ck_assert_int_eq(insn_vendor_of(0x6f677948, 0x656e6975, 0x6e65476e),
                     INSN_AMD);
    ck_assert_int_eq(insn_vendor_of(0x756e6547, 0x6c65746e, 0x49656e69),
                     INSN_INTEL);
    ck_assert_int_eq(insn_vendor_of(0, 0, 0), INSN_INTEL);
    /* as the processor itself gives them, in this order */
    __cpuid(0, a, b, c, d);
    if (b == 0x68747541) {
        ck_assert_int_eq(insn_vendor_of(b, c, d), INSN_AMD);
    }
}
END_TEST

/* REP with 67, and ECX 0; which of RCX, RSI and RDI lose their upper half? */
static void rep_zero(const char *hex, enum insn_vendor vendor, unsigned lost)
{
    static const uint8_t reg[] = { INSN_RCX, INSN_RSI, INSN_RDI };
    const uint64_t val[] = { TOP, TOP | DATA, TOP | DEV };
    unsigned i;

    for (i = 0; i < 3; i++) {
        m->cpu.gpr[reg[i]] = val[i];
    }
    m->cpu.vendor = vendor;
    m->cpu.dirty_gpr = 0;
    expect_done(hex);
    for (i = 0; i < 3; i++) {
        bool gone = lost >> i & 1;

        ck_assert_msg(m->cpu.gpr[reg[i]] == (gone ? (uint32_t)val[i] : val[i]),
                      "%s: register %u is 0x%lx", hex, reg[i],
                      m->cpu.gpr[reg[i]]);
        ck_assert_int_eq(m->cpu.dirty_gpr >> reg[i] & 1, gone);
    }
}

START_TEST(rep_zero_count)
{
    static const struct {
        const char *hex;
        unsigned lost;          /* bits: RCX, RSI, RDI */
    } all[] = {
        { "67 f3 a4", 7 }, { "67 f3 a5", 7 }, { "67 f3 aa", 5 },
        { "67 f3 48 ab", 5 }, { "67 f3 a6", 1 }, { "67 f2 a7", 1 },
        { "67 f3 ac", 1 }, { "67 f3 ad", 1 }, { "67 f3 ae", 1 },
        { "67 f2 af", 1 },
    };
    unsigned i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        rep_zero(all[i].hex, INSN_INTEL, all[i].lost);
        rep_zero(all[i].hex, INSN_AMD, 0);
    }
    /* Not without 67 */
    m->cpu.gpr[INSN_RCX] = 0;
    m->cpu.gpr[INSN_RSI] = TOP;
    m->cpu.vendor = INSN_INTEL;
    expect_done("f3 a4");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSI], TOP);
}
END_TEST

START_TEST(masked_store)
{
    unsigned i;

    /* vmaskmovps %ymm2, %ymm1, (%rbx): elements 1 and 5, of 0 to 7 */
    for (i = 0; i < 32; i++) {
        m->vec[1][i] = i / 4 == 1 || i / 4 == 5 ? 0x80 : 0;
    }
    m->cpu.gpr[INSN_RBX] = HOLE - 2;
    m->cpu.vendor = INSN_AMD;
    expect_fault("c4 e2 75 2e 13", INSN_VEC_PF, INSN_PF_W);
    ck_assert_uint_eq(res.fault.cr2, HOLE + 2);
    m->cpu.vendor = INSN_INTEL;
    expect_fault("c4 e2 75 2e 13", INSN_VEC_PF, INSN_PF_W);
    ck_assert_uint_eq(res.fault.cr2, HOLE + 21);
    /* Never an address of another page than the one that faults. */
    m->cpu.gpr[INSN_RBX] = HOLE + 0xff0;
    machine_map(m, HOLE + 0x1000, DATA_RAM, PTE_P | PTE_W);
    expect_fault("c4 e2 75 2e 13", INSN_VEC_PF, INSN_PF_W);
    ck_assert_uint_eq(res.fault.cr2, HOLE + 0xfff);
    /* A load names the first. */
    m->cpu.gpr[INSN_RBX] = HOLE - 2;
    expect_fault("c4 e2 75 2c 13", INSN_VEC_PF, 0);
    ck_assert_uint_eq(res.fault.cr2, HOLE + 2);
}
END_TEST

START_TEST(movsxd)
{
    m->cpu.gpr[INSN_RBX] = DEV;
    m->cpu.vendor = INSN_AMD;
    expect_done("66 63 03");
    ck_assert_uint_eq(m->log[0].len, 4);
    m->cpu.vendor = INSN_INTEL;
    expect_done("66 63 03");
    ck_assert_uint_eq(m->log[1].len, 2);
}
END_TEST

/* CALL *(%rbx), then RET, with 66 */
START_TEST(near_branch)
{
    static const uint64_t target = 0x123456789abc;

    memcpy(m->mmio, &target, 8);
    m->cpu.gpr[INSN_RBX] = DEV;
    m->cpu.gpr[INSN_RSP] = DATA + 0x100;
    m->cpu.vendor = INSN_INTEL;
    expect_done("66 ff 13");
    ck_assert_uint_eq(m->cpu.rip, target);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], DATA + 0xf8);
    expect_done("66 c3");
    ck_assert_uint_eq(m->cpu.rip, 0x1003);
    m->cpu.vendor = INSN_AMD;
    expect_done("66 ff 13");
    ck_assert_uint_eq(m->cpu.rip, 0x9abc);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSP], DATA + 0xfe);
    expect_done("66 c3");
    ck_assert_uint_eq(m->cpu.rip, 0x1006);
    /* Two bytes of displacement, or four */
    m->cpu.rip = 0x1000;
    expect_done("66 e8 10 00 00 00");
    ck_assert_uint_eq(m->cpu.rip, 0x1014);
    m->cpu.vendor = INSN_INTEL;
    m->cpu.rip = 0x1000;
    expect_done("66 e8 10 00 00 00");
    ck_assert_uint_eq(m->cpu.rip, 0x1016);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-vendor");
    TCase *tc = tcase_create("vendor");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, vendors);
    tcase_add_test(tc, rep_zero_count);
    tcase_add_test(tc, masked_store);
    tcase_add_test(tc, movsxd);
    tcase_add_test(tc, near_branch);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
