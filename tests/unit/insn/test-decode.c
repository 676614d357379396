/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Encodings in 16, 32 and 64-bit mode, with and without each prefix: length,
 * address, size and value of the one memory access
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "../runner.h"

enum mode { REAL, PROT16, PROT32, LONG64, NMODES };

static const uint64_t gpr[16] = {
    0x1122334455667788, 0x0000000900000003, 0x99aabbccddeeff00,
    0x0000000b00001000, 0x0000000000005000, 0x0000000c00004000,
    0x0000000d00000200, 0x0000000e00000300, 0x0000000000008000,
    0xfffffffffffffff0, 0xa, 0xb, 0xc000, 0xd000, 0xe, 0xf,
};

static struct machine *m;

/* Linear addresses tell the segment: each has another base. */
static uint64_t base(enum mode mode, unsigned seg)
{
    if (mode == LONG64 && seg != INSN_FS && seg != INSN_GS) {
        return 0;
    }
    return 0x100000 * (seg + 1);
}

static void set_mode(enum mode mode)
{
    unsigned i;

    switch (mode) {
    case REAL:
        machine_real(m);
        break;
    case PROT16:
        machine_mode16(m);
        break;
    case PROT32:
        machine_mode32(m);
        break;
    default:
        /* No processor has this, but it saves page tables. */
        machine_mode64(m);
        m->cpu.cr0 = INSN_CR0_PE;
        break;
    }
    for (i = 0; i < INSN_NSEGS; i++) {
        m->cpu.seg[i].base = base(mode, i);
        m->cpu.seg[i].limit = UINT32_MAX;
    }
    memcpy(m->cpu.gpr, gpr, sizeof(gpr));
    m->cpu.rip = 0x7000;
    m->nlog = 0;
}

static void setup(void)
{
    unsigned i;

    m = machine_new();
    m->no_ram = true;
    for (i = 0; i < MMIO_SIZE; i++) {
        m->mmio[i] = i * 7 + (i >> 8);
    }
}

static void teardown(void)
{
    machine_free(m);
}

/* One choice of prefixes. */
struct prefixes {
    enum mode mode;
    bool o66, a67, rexw;
    int seg;                    /* -1: none */
    uint8_t extra;              /* F2, F3 or 0 */
    unsigned opsize, adsize;
    uint8_t bytes[INSN_MAX_LEN];
    unsigned n;
};

static void choose(struct prefixes *p, unsigned choice)
{
    static const uint8_t seg[6] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
    static const uint8_t extra[3] = { 0, 0xf2, 0xf3 };
    bool wide = p->mode >= PROT32;

    p->n = 0;
    p->o66 = choice & 1;
    p->a67 = choice & 2;
    p->rexw = (choice & 4) && p->mode == LONG64;
    p->seg = (int)(choice >> 3) % 7 - 1;
    p->extra = extra[choice / 56 % 3];
    p->opsize = p->rexw ? 8 : wide != p->o66 ? 4 : 2;
    p->adsize = p->mode == LONG64 ? (p->a67 ? 4 : 8) : wide != p->a67 ? 4 : 2;
    if (p->extra) {
        p->bytes[p->n++] = p->extra;
    }
    if (p->seg >= 0) {
        p->bytes[p->n++] = seg[p->seg];
    }
    if (p->o66) {
        p->bytes[p->n++] = 0x66;
    }
    if (p->a67) {
        p->bytes[p->n++] = 0x67;
    }
    if (p->rexw) {
        p->bytes[p->n++] = 0x48;
    }
}

static uint64_t mask(unsigned size)
{
    return size == 8 ? ~0ull : (1ull << size * 8) - 1;
}

/* Linear address of @off in DS, or @dflt, or what the prefix says. */
static uint64_t linear(const struct prefixes *p, unsigned dflt, uint64_t off)
{
    unsigned seg = p->seg < 0 ? dflt : (unsigned)p->seg;

    if (p->mode == LONG64 && p->seg >= 0 && p->seg < INSN_FS) {
        seg = dflt;
    }
    return base(p->mode, seg) + (off & mask(p->adsize));
}

static void check(const struct prefixes *p, uint64_t addr, bool write,
                  uint64_t val)
{
    struct insn_result res;
    enum insn_status st = machine_run(m, p->bytes, p->n, &res);
    char hex[64] = "";
    unsigned i;

    for (i = 0; i < p->n; i++) {
        sprintf(hex + 3 * i, "%02x ", p->bytes[i]);
    }
    if (write && p->seg == INSN_CS &&
        (p->mode == PROT16 || p->mode == PROT32)) {
        ck_assert_int_eq(st, INSN_FAULT);       /* code is not writable */
        ck_assert_int_eq(res.fault.vector, INSN_VEC_GP);
        return;
    }
    ck_assert_msg(st == INSN_DONE, "mode %d, %s: status %d vector %d %s",
                  p->mode, hex, st, res.fault.vector, res.why);
    ck_assert_msg(res.len == p->n && m->cpu.rip == 0x7000 + p->n,
                  "mode %d, %s: length %u", p->mode, hex, res.len);
    ck_assert_msg(m->nlog == 1 && m->log[0].gpa == addr &&
                  m->log[0].len == p->opsize && m->log[0].write == write,
                  "mode %d, %s: %u accesses, %u bytes at 0x%lx, not %u at 0x%lx",
                  p->mode, hex, m->nlog, m->log[0].len, m->log[0].gpa,
                  p->opsize, addr);
    if (write) {
        ck_assert_msg(m->log[0].val == (val & mask(p->opsize)),
                      "mode %d, %s: wrote 0x%lx", p->mode, hex, m->log[0].val);
    } else {
        uint64_t keep = p->opsize == 2 ? gpr[0] & ~0xffffull : 0;

        ck_assert_msg(m->cpu.gpr[0] == (keep | m->log[0].val),
                      "mode %d, %s: RAX is 0x%lx", p->mode, hex,
                      m->cpu.gpr[0]);
        ck_assert_uint_eq(m->cpu.dirty_gpr, 1);
    }
}

static void append(struct prefixes *p, uint64_t val, unsigned n)
{
    memcpy(p->bytes + p->n, &val, n);
    p->n += n;
}

/* ModRM 03 is [BP+DI] with 16-bit addresses, [EBX] or [RBX] with others. */
static uint64_t address_rm3(const struct prefixes *p, uint64_t disp)
{
    if (p->adsize == 2) {
        return linear(p, INSN_SS, gpr[INSN_RBP] + gpr[INSN_RDI] + disp);
    }
    return linear(p, INSN_DS, gpr[INSN_RBX] + disp);
}

static void try_all(enum mode mode, unsigned choice)
{
    struct prefixes p = { .mode = mode };
    unsigned imm;

    /* MOV [rm3], eAX */
    choose(&p, choice);
    append(&p, 0x0389, 2);
    set_mode(mode);
    check(&p, address_rm3(&p, 0), true, gpr[0]);
    /* MOV eAX, [rm3 - 0x120], 16 or 32 bits of displacement */
    choose(&p, choice);
    append(&p, 0x838b, 2);
    append(&p, -0x120ull, p.adsize == 2 ? 2 : 4);
    set_mode(mode);
    m->cpu.dirty_gpr = 0;
    check(&p, address_rm3(&p, -0x120ull), false, 0);
    /* MOV [rm3 - 8], imm */
    choose(&p, choice);
    imm = p.opsize == 2 ? 2 : 4;
    append(&p, 0xf843c7, 3);
    append(&p, 0xfedcba98, imm);
    set_mode(mode);
    check(&p, address_rm3(&p, -8ull), true, 0xfffffffffedcba98);
    /* MOV eAX, moffs */
    choose(&p, choice);
    append(&p, 0xa1, 1);
    append(&p, 0x3456, p.adsize);
    set_mode(mode);
    m->cpu.dirty_gpr = 0;
    check(&p, linear(&p, INSN_DS, 0x3456), false, 0);
}

START_TEST(prefix)
{
    unsigned choice;

    for (choice = 0; choice < 56 * 3; choice++) {
        try_all(_i, choice);
    }
}
END_TEST

/* LOCK is refused where it is not allowed, whatever else is there. */
START_TEST(lock_prefix)
{
    static const struct {
        const char *hex;
        bool allowed;
    } t[] = {
        { "f0 89 07", false }, { "f0 8b 07", false }, { "f0 01 07", true },
        { "f0 01 c7", false }, { "f0 03 07", false }, { "f0 39 07", false },
        { "f0 f7 17", true }, { "f0 f7 1f", true }, { "f0 f7 27", false },
        { "f0 ff 07", true }, { "f0 ff 0f", true }, { "f0 ff 37", false },
        { "f0 fe 07", true }, { "f0 80 3f 01", false }, { "f0 80 37 01", true },
        { "f0 81 0f 01 00 00 00", true }, { "f0 87 07", true },
        { "f0 0f c1 07", true }, { "f0 0f b1 07", true },
        { "f0 0f c7 0f", true }, { "f0 0f a3 07", false },
        { "f0 0f ab 07", true }, { "f0 0f ba 27 01", false },
        { "f0 0f ba 3f 01", true }, { "f0 0f a4 07 01", false },
        { "f0 a4", false }, { "f0 0f 6f 07", false }, { "f0 c1 27 01", false },
    };
    struct insn_result res;
    unsigned i;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        uint8_t bytes[INSN_MAX_LEN];
        unsigned n = parse_hex(t[i].hex, bytes);
        enum insn_status st;

        set_mode(PROT32);
        st = machine_run(m, bytes, n, &res);
        ck_assert_msg(t[i].allowed ? st == INSN_DONE
                                   : st == INSN_FAULT &&
                                     res.fault.vector == INSN_VEC_UD,
                      "%s: status %d vector %d", t[i].hex, st,
                      res.fault.vector);
    }
}
END_TEST

/* Addressing forms: the address of one access, and the length */
static const struct {
    enum mode mode;
    const char *hex;
    uint64_t addr;
} forms[] = {
    /* 16-bit: each of the eight, and the special case */
    { REAL, "8a 00", 0x401200 }, { REAL, "8a 01", 0x401300 },
    { REAL, "8a 02", 0x304200 }, { REAL, "8a 03", 0x304300 },
    { REAL, "8a 04", 0x400200 }, { REAL, "8a 05", 0x400300 },
    { REAL, "8a 06 34 12", 0x401234 }, { REAL, "8a 07", 0x401000 },
    { REAL, "8a 46 fe", 0x303ffe }, { REAL, "8a 86 00 f0", 0x303000 },
    { REAL, "8a 47 80", 0x400f80 }, { PROT16, "8a 84 00 ff", 0x400100 },
    /* 16-bit offsets wrap */
    { REAL, "8a 87 00 ff", 0x400f00 },
    /* 32-bit: SIB with and without base and index */
    { PROT32, "8a 03", 0x401000 }, { PROT32, "8a 04 24", 0x305000 },
    { PROT32, "8a 45 08", 0x304008 }, { PROT32, "8a 04 33", 0x401200 },
    { PROT32, "8a 04 b3", 0x401800 }, { PROT32, "8a 04 b4", 0x305800 },
    { PROT32, "8a 05 78 56 34 12", 0x12745678 },
    { PROT32, "8a 04 25 78 56 34 12", 0x12745678 },
    { PROT32, "8a 04 b5 10 00 00 00", 0x400810 },
    { PROT32, "8a 44 b5 10", 0x304810 },
    { PROT32, "8a 84 b5 00 01 00 00", 0x304900 },
    { PROT32, "8a 44 dd 00", 0x30c000 },
    { PROT32, "64 8a 03", 0x501000 },
    { PROT32, "d7", 0x401088 },
    /* 64-bit: RIP-relative (with an immediate behind), REX, disp32 only */
    { LONG64, "8a 05 00 01 00 00", 0x7106 },
    { LONG64, "c6 05 00 01 00 00 55", 0x7107 },
    { LONG64, "66 c7 05 00 01 00 00 55 66", 0x7109 },
    { LONG64, "c7 05 00 01 00 00 55 66 77 88", 0x710a },
    { LONG64, "67 8a 05 00 01 00 00", 0x7107 },
    { LONG64, "67 8a 05 00 00 ff ff", 0xffff7007 },
    { LONG64, "8a 04 25 78 56 34 12", 0x12345678 },
    { LONG64, "8a 04 25 00 00 ff ff", 0xffffffffffff0000 },
    { LONG64, "41 8a 00", 0x8000 }, { LONG64, "41 8a 04 24", 0xc000 },
    { LONG64, "41 8a 45 00", 0xd000 }, { LONG64, "42 8a 04 03", 0xb00009000 },
    { LONG64, "42 8a 04 23", 0xb0000d000 }, { LONG64, "8a 04 23", 0xb00001000 },
    { LONG64, "43 8a 04 c8", 0x7f80 },
    { LONG64, "67 42 8a 04 03", 0x9000 },
    { LONG64, "65 8a 04 25 10 00 00 00", 0x600010 },
    { LONG64, "64 41 8a 00", 0x508000 },
    { LONG64, "3e 8a 45 00", 0xc00004000 },
    /* REX only counts right before the opcode */
    { LONG64, "41 3e 8a 03", 0xb00001000 },
};

START_TEST(form)
{
    uint8_t bytes[INSN_MAX_LEN];
    unsigned n = parse_hex(forms[_i].hex, bytes);
    struct insn_hints hints = { .bytes = bytes, .nbytes = n };
    struct insn_result res;

    set_mode(forms[_i].mode);
    ck_assert_int_eq(insn_decode(&m->cpu, &machine_ops, m, &hints, &res),
                     INSN_DONE);
    ck_assert_msg(res.len == n && m->nlog == 0 && m->cpu.rip == 0x7000,
                  "%s: decoding gives length %u", forms[_i].hex, res.len);
    ck_assert_int_eq(machine_run(m, bytes, n, &res), INSN_DONE);
    ck_assert_msg(res.len == n && m->nlog == 1 &&
                  m->log[0].gpa == forms[_i].addr,
                  "%s: length %u, %u accesses, 0x%lx not 0x%lx", forms[_i].hex,
                  res.len, m->nlog, m->log[0].gpa, forms[_i].addr);
}
END_TEST

/* Opcodes whose meaning depends on the mode */
START_TEST(by_mode)
{
    static const struct {
        const char *hex;
        enum insn_status st[NMODES];
        int vector;
    } t[] = {
        /* alias of 80 */
        { "82 07 01", { 0, 0, 0, INSN_FAULT }, INSN_VEC_UD },
        /* VEX in real mode; C5 with a memory operand is LDS */
        { "c5 fa 6f 07", { INSN_FAULT, 0, 0, 0 }, INSN_VEC_UD },
        { "c5 07 90 90", { 0, INSN_FAULT, INSN_FAULT, INSN_UNSUPPORTED },
          INSN_VEC_GP },
        { "66 c5 fa 6f 07", { INSN_FAULT, INSN_FAULT, INSN_FAULT,
                              INSN_FAULT }, INSN_VEC_UD },
        { "f2 c5 fa 6f 07", { INSN_FAULT, INSN_FAULT, INSN_FAULT,
                              INSN_FAULT }, INSN_VEC_UD },
        /* VEX.vvvv must be 1111 */
        { "c5 c2 6f 07", { INSN_FAULT, INSN_FAULT, INSN_FAULT, INSN_FAULT },
          INSN_VEC_UD },
        /* ARPL; MOVSXD */
        { "63 07", { INSN_FAULT, 0, 0, 0 }, INSN_VEC_UD },
        /* MOV from the sixth and seventh segment register */
        { "8c 37", { INSN_FAULT, INSN_FAULT, INSN_FAULT, INSN_FAULT },
          INSN_VEC_UD },
    };
    struct insn_result res;
    unsigned i, mode;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        for (mode = 0; mode < NMODES; mode++) {
            uint8_t bytes[INSN_MAX_LEN];
            unsigned n = parse_hex(t[i].hex, bytes);
            enum insn_status st;

            set_mode(mode);
            st = machine_run(m, bytes, n, &res);
            ck_assert_msg(st == t[i].st[mode] &&
                          (st != INSN_FAULT ||
                           res.fault.vector == t[i].vector),
                          "mode %d, %s: status %d vector %d", mode, t[i].hex,
                          st, res.fault.vector);
        }
    }
}
END_TEST

START_TEST(length_limit)
{
    uint8_t bytes[16];
    struct insn_result res;

    memset(bytes, 0x66, sizeof(bytes));
    memcpy(bytes + 12, "\xc6\x07\x01", 3);
    set_mode(LONG64);
    ck_assert_int_eq(machine_run(m, bytes, 15, &res), INSN_DONE);
    ck_assert_uint_eq(res.len, 15);
    memset(bytes, 0x66, sizeof(bytes));
    memcpy(bytes + 13, "\xc6\x07\x01", 3);
    set_mode(LONG64);
    ck_assert_int_eq(machine_run(m, bytes, 16, &res), INSN_FAULT);
    ck_assert_int_eq(res.fault.vector, INSN_VEC_GP);
    ck_assert_uint_eq(res.fault.error_code, 0);
    ck_assert_uint_eq(m->nlog, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-decode");
    TCase *tc = tcase_create("decode");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, prefix, 0, NMODES);
    tcase_add_test(tc, lock_prefix);
    tcase_add_loop_test(tc, form, 0, sizeof(forms) / sizeof(forms[0]));
    tcase_add_test(tc, by_mode);
    tcase_add_test(tc, length_limit);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
