/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the differential test cannot see: faults with their priorities, segment
 * checks, REP in chunks, string I/O, locked access by two threads, hints
 */

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "runner.h"

#define DATA    0x400000ull     /* gva of four pages of RAM at DATA_RAM */
#define DATA_RAM 0x20000u
#define DEV     0x500000ull     /* gva of two pages of MMIO */
#define HOLE    0x404000ull     /* not present */

static struct machine *m;
static struct insn_result res;

static void setup(void)
{
    unsigned i;

    m = machine_new();
    machine_mode64(m);
    for (i = 0; i < 4; i++) {
        machine_map(m, DATA + i * 4096, DATA_RAM + i * 4096,
                    PTE_P | PTE_W | PTE_U);
    }
    machine_map(m, DEV, MMIO_BASE, PTE_P | PTE_W);
    machine_map(m, DEV + 4096, MMIO_BASE + 4096, PTE_P | PTE_W);
    for (i = 0; i < 0x4000; i++) {
        m->ram[DATA_RAM + i] = i * 13;
        m->mmio[i] = i * 11;
    }
    for (i = 0; i < sizeof(m->port_data); i++) {
        m->port_data[i] = i * 3;
    }
    m->cpu.rip = 0x1000;
}

static void teardown(void)
{
    machine_free(m);
}

static enum insn_status run(const char *hex)
{
    uint8_t bytes[INSN_MAX_LEN];

    return machine_run(m, bytes, parse_hex(hex, bytes), &res);
}

static void expect_fault(const char *hex, int vector, int code)
{
    struct insn_cpu before = m->cpu;
    enum insn_status st = run(hex);

    before.dirty = m->cpu.dirty;
    before.dirty_gpr = m->cpu.dirty_gpr;
    ck_assert_msg(st == INSN_FAULT && res.fault.vector == vector &&
                  res.fault.has_error_code == (code >= 0) &&
                  (code < 0 || res.fault.error_code == (uint32_t)code),
                  "%s: status %d vector %d code 0x%x", hex, st,
                  res.fault.vector, res.fault.error_code);
    ck_assert_msg(memcmp(&before, &m->cpu, sizeof(before)) == 0,
                  "%s: registers changed", hex);
}

static void expect_done(const char *hex)
{
    enum insn_status st = run(hex);

    ck_assert_msg(st == INSN_DONE, "%s: status %d vector %d why %s", hex, st,
                  res.fault.vector, res.why);
}

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
    expect_fault("0f b1 0b", INSN_VEC_PF, INSN_PF_P | INSN_PF_W | INSN_PF_U);
    m->cpu.cpl = 0;
    m->cpu.cr4 |= INSN_CR4_SMAP;
    expect_fault("8b 03", INSN_VEC_PF, INSN_PF_P);
    m->cpu.rflags |= INSN_AC;
    expect_done("8b 03");
}
END_TEST

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
    ck_assert_int_eq(run("62 f1 fe 49 6f 03"), INSN_UNSUPPORTED);
    ck_assert_str_eq(res.why, "AVX-512 with a mask");
    expect_fault("62 f1 fe 58 6f 03", INSN_VEC_UD, -1);
}
END_TEST

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
    /* Shadow stacks, and where processors differ */
    memset(m->mmio, 0, 8);
    m->cpu.cr4 |= INSN_CR4_CET;
    ck_assert_int_eq(run("ff 13"), INSN_UNSUPPORTED);
    m->cpu.cr4 &= ~INSN_CR4_CET;
    ck_assert_int_eq(run("66 ff 13"), INSN_UNSUPPORTED);
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
    ck_assert_int_eq(run("0f 01 03"), INSN_UNSUPPORTED);
    ck_assert_str_eq(res.why, "unknown opcode");
    ck_assert_mem_eq(res.bytes, "\x0f\x01\x03", 3);
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
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, segment);
    tcase_add_test(tc, canonical);
    tcase_add_test(tc, page_crossing);
    tcase_add_test(tc, page_rights);
    tcase_add_test(tc, vector_conditions);
    tcase_add_test(tc, access_size);
    tcase_add_test(tc, evex);
    tcase_add_test(tc, rep_movs);
    tcase_add_test(tc, rep_fault);
    tcase_add_test(tc, rep_16bit);
    tcase_add_test(tc, string_in);
    tcase_add_test(tc, string_out);
    tcase_add_test(tc, port);
    tcase_add_test(tc, locked);
    tcase_add_test(tc, stack);
    tcase_add_test(tc, hint);
    tcase_add_test(tc, fetch);
    tcase_add_test(tc, outcome);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
