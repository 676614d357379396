/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * String instructions and ports: REP in chunks, faults in the middle, INS, OUTS
 */

#include <check.h>
#include <string.h>

#include "guest.h"

START_TEST(rep_movs)
{
    m->cpu.gpr[INSN_RSI] = DATA;
    m->cpu.gpr[INSN_RDI] = DEV;
    m->cpu.gpr[INSN_RCX] = 100;
    expect_done("f3 48 a5");
    ck_assert_mem_eq(m->mmio, m->ram + DATA_RAM, 800);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 0);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSI], DATA + 800);
    ck_assert_uint_eq(m->nlog, 100);
    ck_assert_uint_eq(m->cpu.rip, 0x1003);
    /* An interrupt: at least one element is done, RIP stays. */
    m->cpu.gpr[INSN_RCX] = 10;
    m->stop_after = 3;
    ck_assert_int_eq(run("f3 a4"), INSN_PARTIAL);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 7);
    ck_assert_uint_eq(m->cpu.rip, 0x1003);
    ck_assert_int_eq(run("f3 a4"), INSN_PARTIAL);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 6);
    m->stop_after = 0;
    expect_done("f3 a4");
    /* Single step: one iteration a time. */
    m->cpu.gpr[INSN_RCX] = 3;
    m->cpu.rflags |= INSN_TF;
    ck_assert_int_eq(run("f3 a4"), INSN_PARTIAL);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 2);
    m->cpu.rflags &= ~(uint64_t)INSN_TF;
    /* A huge count ends the call, not the machine. */
    m->cpu.gpr[INSN_RDI] = DEV;
    m->cpu.gpr[INSN_RSI] = DATA;
    m->cpu.gpr[INSN_RCX] = ~0ull;
    ck_assert_int_eq(run("f3 a4"), INSN_PARTIAL);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], ~0ull - INSN_REP_MAX);
    /* RCX 0: nothing, not even a fault. */
    m->cpu.gpr[INSN_RCX] = 0;
    m->cpu.gpr[INSN_RDI] = HOLE;
    expect_done("f3 a4");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDI], HOLE);
}
END_TEST

/* A fault in the middle: what is done stays done, and the count says so. */
START_TEST(rep_fault)
{
    m->cpu.gpr[INSN_RSI] = DEV;
    m->cpu.gpr[INSN_RDI] = HOLE - 12;
    m->cpu.gpr[INSN_RCX] = 8;
    ck_assert_int_eq(run("f3 a5"), INSN_FAULT);
    ck_assert_uint_eq(res.fault.cr2, HOLE);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 5);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSI], DEV + 12);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDI], HOLE);
    ck_assert_uint_eq(m->cpu.rip, 0x1000);
    /* The source of the element that faults has not been read. */
    ck_assert_uint_eq(m->nlog, 3);
    /* Flags of a comparison that faults are those before it. */
    m->cpu.rflags = 2 | INSN_CF | INSN_OF;
    memset(m->ram + DATA_RAM + 0x3ff0, 0, 16);
    memset(m->mmio, 0, 32);
    m->cpu.gpr[INSN_RSI] = DEV;
    m->cpu.gpr[INSN_RDI] = HOLE - 8;
    m->cpu.gpr[INSN_RCX] = 10;
    ck_assert_int_eq(run("f3 a6"), INSN_FAULT);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 2);
    ck_assert_uint_eq(m->cpu.rflags, 2 | INSN_CF | INSN_OF);
}
END_TEST

START_TEST(rep_16bit)
{
    machine_real(m);
    m->cpu.seg[INSN_ES].base = DATA_RAM;
    m->cpu.seg[INSN_FS].base = MMIO_BASE;
    m->cpu.gpr[INSN_RSI] = 0xaaaa0010;
    m->cpu.gpr[INSN_RDI] = 0xbbbb0ffe;
    m->cpu.gpr[INSN_RCX] = 0xcccc0004;
    expect_done("64 f3 a5");
    ck_assert_mem_eq(m->ram + DATA_RAM + 0xffe, m->mmio + 0x10, 8);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSI], 0xaaaa0018);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDI], 0xbbbb1006);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 0xcccc0000);
    /* Down, and around the end of the 64 KiB */
    m->cpu.rflags |= INSN_DF;
    m->cpu.gpr[INSN_RDI] = 0xbbbb0001;
    m->cpu.gpr[INSN_RCX] = 3;
    m->cpu.gpr[INSN_RAX] = 0x5a;
    expect_done("f3 aa");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDI], 0xbbbbfffe);
    ck_assert_uint_eq(m->ram[DATA_RAM + 0xffff], 0x5a);
}
END_TEST

static enum insn_status string_io(const char *hex, uint16_t port,
                                  unsigned size, bool in)
{
    uint8_t bytes[INSN_MAX_LEN];
    struct insn_hints h = {
        .bytes = bytes, .nbytes = parse_hex(hex, bytes), .io_allowed = true,
    };

    return insn_string_io(&m->cpu, &machine_ops, m, &h, port, size, in, &res);
}

START_TEST(string_in)
{
    m->cpu.cpl = 3;
    m->cpu.gpr[INSN_RDX] = 0xabcd01f0;
    m->cpu.gpr[INSN_RDI] = DATA + 0x20;
    m->cpu.gpr[INSN_RCX] = 256;
    ck_assert_int_eq(string_io("f3 66 6d", 0x1f0, 2, true), INSN_DONE);
    ck_assert_mem_eq(m->ram + DATA_RAM + 0x20, m->port_data, 512);
    ck_assert_uint_eq(m->port_calls, 1);
    ck_assert_uint_eq(m->port, 0x1f0);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 0);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDI], DATA + 0x220);
    ck_assert_uint_eq(m->cpu.rip, 0x1003);
    /* An element that crosses a page, between two runs */
    m->port_pos = m->port_calls = 0;
    m->cpu.gpr[INSN_RDI] = DATA + 0xff2;
    m->cpu.gpr[INSN_RCX] = 8;
    ck_assert_int_eq(string_io("f3 6d", 0x1f0, 4, true), INSN_DONE);
    ck_assert_mem_eq(m->ram + DATA_RAM + 0xff2, m->port_data, 32);
    ck_assert_uint_eq(m->port_calls, 3);
    /* The port is not read for an element that cannot be stored. */
    m->port_pos = 0;
    m->cpu.gpr[INSN_RDI] = HOLE - 6;
    m->cpu.gpr[INSN_RCX] = 8;
    ck_assert_int_eq(string_io("f3 66 6d", 0x1f0, 2, true), INSN_FAULT);
    ck_assert_uint_eq(res.fault.cr2, HOLE);
    ck_assert_uint_eq(res.fault.error_code, INSN_PF_W | INSN_PF_U);
    ck_assert_uint_eq(m->port_pos, 6);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 5);
    /* Down: one by one. */
    m->port_pos = m->port_calls = 0;
    m->cpu.rflags |= INSN_DF;
    m->cpu.gpr[INSN_RDI] = DATA + 0x100;
    m->cpu.gpr[INSN_RCX] = 3;
    ck_assert_int_eq(string_io("f3 6c", 0x1f0, 1, true), INSN_DONE);
    ck_assert_uint_eq(m->port_calls, 3);
    ck_assert_uint_eq(m->ram[DATA_RAM + 0xff], m->port_data[1]);
}
END_TEST

START_TEST(string_out)
{
    m->cpu.gpr[INSN_RDX] = 0x3f8;
    m->cpu.gpr[INSN_RSI] = 0xaaaaaaaa00000000 | (DATA + 0x10);
    m->cpu.gpr[INSN_RCX] = 0xbbbbbbbb00000010;
    memset(m->port_data, 0, sizeof(m->port_data));
    ck_assert_int_eq(string_io("67 f3 6e", 0x3f8, 1, false), INSN_DONE);
    ck_assert_mem_eq(m->port_data, m->ram + DATA_RAM + 0x10, 16);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RSI], DATA + 0x20);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 0);
    /* Segment override */
    m->cpu.seg[INSN_GS].base = DATA;
    m->cpu.gpr[INSN_RSI] = 0x30;
    ck_assert_int_eq(string_io("65 6f", 0x3f8, 4, false), INSN_DONE);
    ck_assert_mem_eq(m->port_data + 16, m->ram + DATA_RAM + 0x30, 4);
    /* From MMIO, and with an interrupt */
    m->stop_after = 2;
    m->cpu.gpr[INSN_RSI] = DEV;
    m->cpu.gpr[INSN_RCX] = 4;
    ck_assert_int_eq(string_io("f3 6f", 0x3f8, 4, false), INSN_PARTIAL);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 2);
    /* Not this instruction any more: nothing happens. */
    m->port_calls = 0;
    ck_assert_int_eq(string_io("f3 6f", 0x3f9, 4, false), INSN_PARTIAL);
    ck_assert_int_eq(string_io("f3 6f", 0x3f8, 2, false), INSN_PARTIAL);
    ck_assert_int_eq(string_io("f3 6d", 0x3f8, 4, false), INSN_PARTIAL);
    ck_assert_int_eq(string_io("89 03", 0x3f8, 4, false), INSN_PARTIAL);
    ck_assert_uint_eq(m->port_calls, 0);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RCX], 2);
    /* Without the exit's word, IOPL decides. */
    m->cpu.cpl = 3;
    ck_assert_int_eq(run("6f"), INSN_UNSUPPORTED);
    m->cpu.gpr[INSN_RSI] = DATA;
    m->cpu.rflags |= 3 << INSN_IOPL_SHIFT;
    expect_done("6f");
}
END_TEST

/* A run of bytes ends where 16-bit addresses begin anew. */
START_TEST(string_in_wraps)
{
    machine_mode32(m);
    m->cpu.seg[INSN_ES].base = DATA_RAM + 8;
    m->cpu.gpr[INSN_RDX] = 0x1f0;
    m->cpu.gpr[INSN_RDI] = 0xfff8;
    m->cpu.gpr[INSN_RCX] = 16;
    memset(m->ram + DATA_RAM + 0x10000, 0, 16);
    ck_assert_int_eq(string_io("67 f3 6c", 0x1f0, 1, true), INSN_DONE);
    ck_assert_mem_eq(m->ram + DATA_RAM + 0x10000, m->port_data, 8);
    ck_assert_mem_eq(m->ram + DATA_RAM + 8, m->port_data + 8, 8);
    ck_assert_uint_eq(m->ram[DATA_RAM + 0x10009], 0);
    ck_assert_uint_eq(m->cpu.gpr[INSN_RDI], 8);
}
END_TEST

/* Half of a page is ROM: what is stored there goes to the machine. */
START_TEST(rep_into_rom)
{
    m->rom = DATA_RAM + 0x800;
    m->rom_end = DATA_RAM + 0x1000;
    memset(m->ram + DATA_RAM + 0x7f0, 0, 32);
    m->cpu.gpr[INSN_RDI] = DATA + 0x7f0;
    m->cpu.gpr[INSN_RCX] = 32;
    m->cpu.gpr[INSN_RAX] = 0x5a;
    expect_done("f3 aa");
    ck_assert_uint_eq(m->ram[DATA_RAM + 0x7ff], 0x5a);
    ck_assert_uint_eq(m->ram[DATA_RAM + 0x800], 0);
    ck_assert_uint_eq(m->nlog, 16);
    ck_assert_uint_eq(m->log[0].gpa, DATA_RAM + 0x800);
}
END_TEST

START_TEST(port)
{
    m->cpu.gpr[INSN_RDX] = 0x70;
    m->cpu.gpr[INSN_RAX] = 0x1122334455667788;
    memcpy(m->port_data, "\xaa\xbb\xcc\xdd\xee\x99\x11", 7);
    expect_done("ec");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RAX], 0x11223344556677aa);
    expect_done("66 e5 61");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RAX], 0x112233445566ccbb);
    ck_assert_uint_eq(m->port, 0x61);
    expect_done("48 ed");
    ck_assert_uint_eq(m->cpu.gpr[INSN_RAX], 0x1199eedd);
    m->port_pos = 0;
    expect_done("e7 80");
    ck_assert_mem_eq(m->port_data, "\xdd\xee\x99\x11", 4);
    ck_assert_uint_eq(m->port_size, 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-string");
    TCase *tc = tcase_create("string");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, rep_movs);
    tcase_add_test(tc, rep_fault);
    tcase_add_test(tc, rep_16bit);
    tcase_add_test(tc, string_in);
    tcase_add_test(tc, string_in_wraps);
    tcase_add_test(tc, rep_into_rom);
    tcase_add_test(tc, string_out);
    tcase_add_test(tc, port);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
