/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The page walker: paging modes, rights, error codes, accessed and dirty bits
 */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "../runner.h"

enum mode { M32, M32NOPSE, MPAE, M4, M5, NMODES };

/* Where the tables of each level are; level 1 is the page table. */
static const uint64_t table[6] = {
    0, 0x101000, 0x102000, 0x103000, 0x104000, 0x105000,
};

static struct machine *m;

static void setup(void)
{
    m = machine_new();
}

static void teardown(void)
{
    machine_free(m);
}

static unsigned levels(enum mode mode)
{
    static const unsigned n[NMODES] = { 2, 2, 3, 4, 5 };

    return n[mode];
}

static unsigned entry_size(enum mode mode)
{
    return mode <= M32NOPSE ? 4 : 8;
}

static void set_mode(enum mode mode)
{
    if (mode >= M4) {
        machine_mode64(m);
        m->cpu.cr4 |= mode == M5 ? INSN_CR4_LA57 : 0;
    } else {
        machine_mode32(m);
        m->cpu.cr0 |= INSN_CR0_PG | INSN_CR0_WP;
        if (mode == MPAE) {
            m->cpu.cr4 |= INSN_CR4_PAE;
            m->cpu.efer = INSN_EFER_NXE;
        } else if (mode == M32) {
            m->cpu.cr4 |= INSN_CR4_PSE;
        }
    }
    m->cpu.cr3 = table[levels(mode)];
}

static uint8_t *entry(enum mode mode, unsigned level, uint64_t gva)
{
    unsigned bits = entry_size(mode) == 4 ? 10 : 9;
    uint64_t index = gva >> (12 + bits * (level - 1)) & ((1u << bits) - 1);

    if (mode == MPAE && level == 3) {
        index &= 3;
    }
    return m->ram + table[level] + index * entry_size(mode);
}

static uint64_t get_entry(enum mode mode, unsigned level, uint64_t gva)
{
    uint64_t val = 0;

    memcpy(&val, entry(mode, level, gva), entry_size(mode));
    return val;
}

static void set_entry(enum mode mode, unsigned level, uint64_t gva,
                      uint64_t val)
{
    memcpy(entry(mode, level, gva), &val, entry_size(mode));
}

/* Map @gva by an entry of @leaf; all levels above grant everything. */
static void map(enum mode mode, unsigned leaf, uint64_t gva, uint64_t val)
{
    unsigned level;

    for (level = levels(mode); level > leaf; level--) {
        uint64_t rights = mode == MPAE && level == 3 ? PTE_P
                                                     : PTE_P | PTE_W | PTE_U;

        set_entry(mode, level, gva, table[level - 1] | rights);
    }
    set_entry(mode, leaf, gva, val);
}

static enum insn_status walk(uint64_t gva, enum insn_access access,
                             unsigned flags, uint64_t *gpa,
                             struct insn_result *res)
{
    *gpa = ~0ull;
    memset(res, 0, sizeof(*res));
    return insn_translate(&m->cpu, &machine_ops, m, gva, access, flags, gpa,
                          res);
}

/* Expect a #PF with @code, or with -1 a translation. */
static void expect(uint64_t gva, enum insn_access access, unsigned flags,
                   int code, const char *what)
{
    struct insn_result res;
    uint64_t gpa;
    enum insn_status st = walk(gva, access, flags, &gpa, &res);

    if (code < 0) {
        ck_assert_msg(st == INSN_DONE, "%s: access %d: status %d code 0x%x",
                      what, access, st, res.fault.error_code);
        return;
    }
    ck_assert_msg(st == INSN_FAULT && res.fault.vector == INSN_VEC_PF &&
                  res.fault.has_error_code &&
                  res.fault.error_code == (uint32_t)code &&
                  res.fault.cr2 == gva,
                  "%s: access %d: status %d vector %d code 0x%x, not 0x%x, "
                  "cr2 0x%lx", what, access, st, res.fault.vector,
                  res.fault.error_code, code, res.fault.cr2);
}

static const struct {
    const char *what;
    enum mode mode;
    unsigned leaf;
    uint64_t gva, entry, gpa;
} addresses[] = {
    { "32 bits, 4K", M32, 1, 0xc0801234, 0x12345000, 0x12345234 },
    { "32 bits, 4M", M32, 2, 0xc0801234, 0x12400080, 0x12401234 },
    { "32 bits, 4M above 4G", M32, 2, 0xc0bfffff, 0x1240e080, 0x7127fffffull },
    { "32 bits, PS without PSE", M32NOPSE, 1, 0xc0801234, 0x5000, 0x5234 },
    { "PAE, 4K", MPAE, 1, 0xffe01234, 0x312345000, 0x312345234 },
    { "PAE, 2M", MPAE, 2, 0x7fe01234, 0x312200080, 0x312201234 },
    { "4 levels, 4K", M4, 1, 0xffff800012345678, 0x312345678000,
      0x312345678678 },
    { "4 levels, 2M", M4, 2, 0x00007fffffffffff, 0x7ffe00080, 0x7ffffffff },
    { "4 levels, 2M with PAT", M4, 2, 0x400000, 0x200000 | 0x1080, 0x200000 },
    { "4 levels, 1G", M4, 3, 0x00007fffffffffff, 0x740000080, 0x77fffffff },
    { "5 levels, 4K", M5, 1, 0xff00000012345678, 0x45000, 0x45678 },
    { "5 levels, 1G", M5, 3, 0x00ffffffffffffff, 0x740000080, 0x77fffffff },
    { "ignored bits", M4, 1, 0x1000, 0x7ff0000000045e00, 0x45000 },
};

START_TEST(address)
{
    struct insn_result res;
    uint64_t gpa, gva = addresses[_i].gva, want = addresses[_i].gpa;
    enum mode mode = addresses[_i].mode;
    enum insn_status st;

    set_mode(mode);
    map(mode, addresses[_i].leaf, gva,
        addresses[_i].entry | PTE_P | PTE_W | PTE_U);
    st = walk(gva, INSN_WRITE, 0, &gpa, &res);
    ck_assert_msg(st == INSN_DONE && gpa == want,
                  "%s: status %d, error code 0x%x, 0x%lx is not 0x%lx",
                  addresses[_i].what, st, res.fault.error_code, gpa, want);
}
END_TEST

START_TEST(no_paging)
{
    struct insn_result res;
    uint64_t gpa;

    machine_mode32(m);
    ck_assert_int_eq(walk(0x1fedcba98, INSN_WRITE, 0, &gpa, &res), INSN_DONE);
    ck_assert_uint_eq(gpa, 0xfedcba98);
}
END_TEST

START_TEST(not_canonical)
{
    struct insn_result res;
    uint64_t gpa;

    set_mode(M4);
    ck_assert_int_eq(walk(0x800000000000, INSN_READ, 0, &gpa, &res),
                     INSN_FAULT);
    ck_assert_int_eq(res.fault.vector, INSN_VEC_GP);
    set_mode(M5);
    expect(0x800000000000, INSN_READ, 0, 0, "canonical with 5 levels");
    ck_assert_int_eq(walk(0x100000000000000, INSN_READ, 0, &gpa, &res),
                     INSN_FAULT);
    ck_assert_int_eq(res.fault.vector, INSN_VEC_GP);
}
END_TEST

/*
 * Rights.  The right of a page is the same whichever level takes it away, so
 * each row is tried at each level.  Columns: error codes for reading, writing
 * and fetching, -1 for none.
 */
#define CR0_WP      1
#define CR4_SMEP    2
#define CR4_SMAP    4
#define EFLAGS_AC   8
#define EFER_NXE    16
#define IMPLICIT    32

static const struct {
    const char *what;
    bool user;
    unsigned set;
    uint64_t deny;              /* bits to clear; PTE_NX: to set */
    int read, write, fetch;
} rights[] = {
    { "supervisor, all", false, CR0_WP, 0, -1, -1, -1 },
    { "supervisor, read-only, WP", false, CR0_WP, PTE_W, -1, 3, -1 },
    { "supervisor, read-only, no WP", false, 0, PTE_W, -1, -1, -1 },
    { "user, all", true, CR0_WP, 0, -1, -1, -1 },
    { "user, read-only, no WP", true, 0, PTE_W, -1, 7, -1 },
    { "user, supervisor page", true, CR0_WP, PTE_U, 5, 7, 5 },
    { "user, supervisor page, NXE", true, EFER_NXE, PTE_U, 5, 7, 0x15 },
    { "user, supervisor page, SMEP", true, CR4_SMEP, PTE_U, 5, 7, 0x15 },
    { "implicit by user, supervisor page", true, IMPLICIT, PTE_U, -1, -1, -1 },
    { "implicit by user, user page, SMAP, AC", true,
      IMPLICIT | CR4_SMAP | EFLAGS_AC, 0, 1, 3, -1 },
    { "supervisor, SMEP, user page", false, CR4_SMEP, 0, -1, -1, 0x11 },
    { "supervisor, SMEP, supervisor page", false, CR4_SMEP, PTE_U,
      -1, -1, -1 },
    { "supervisor, SMAP, user page", false, CR4_SMAP, 0, 1, 3, -1 },
    { "supervisor, SMAP, AC", false, CR4_SMAP | EFLAGS_AC, 0, -1, -1, -1 },
    { "implicit, SMAP, AC", false, IMPLICIT | CR4_SMAP | EFLAGS_AC, 0,
      1, 3, -1 },
    { "user, SMAP, user page", true, CR4_SMAP, 0, -1, -1, -1 },
    { "supervisor, NX", false, EFER_NXE, PTE_NX, -1, -1, 0x11 },
    { "user, NX", true, EFER_NXE, PTE_NX, -1, -1, 0x15 },
    { "NX without NXE is reserved", false, 0, PTE_NX, 9, 0xb, 9 },
    { "not present", true, EFER_NXE, PTE_P, 4, 6, 0x14 },
    { "not present, supervisor", false, 0, PTE_P, 0, 2, 0 },
};

static void check_rights_at(unsigned i, enum mode mode, unsigned leaf,
                            unsigned level)
{
    uint64_t gva = 0x12345000, val;
    unsigned set = rights[i].set;
    unsigned flags = set & IMPLICIT ? INSN_XLAT_IMPLICIT : 0;

    set_mode(mode);
    map(mode, leaf, gva, PTE_P | PTE_W | PTE_U | (leaf > 1 ? PTE_PS : 0));
    val = get_entry(mode, level, gva);
    val = rights[i].deny == PTE_NX ? val | PTE_NX : val & ~rights[i].deny;
    set_entry(mode, level, gva, val);
    m->cpu.cpl = rights[i].user ? 3 : 0;
    m->cpu.cr0 &= set & CR0_WP ? ~0ull : ~(uint64_t)INSN_CR0_WP;
    m->cpu.cr4 |= (set & CR4_SMEP ? INSN_CR4_SMEP : 0) |
                  (set & CR4_SMAP ? INSN_CR4_SMAP : 0);
    m->cpu.rflags |= set & EFLAGS_AC ? INSN_AC : 0;
    if (!(set & EFER_NXE)) {
        m->cpu.efer &= ~(uint64_t)INSN_EFER_NXE;
    }
    expect(gva, INSN_READ, flags, rights[i].read, rights[i].what);
    expect(gva, INSN_WRITE, flags, rights[i].write, rights[i].what);
    expect(gva, INSN_FETCH, flags, rights[i].fetch, rights[i].what);
}

START_TEST(right)
{
    unsigned mode, leaf, level;

    for (mode = 0; mode < NMODES; mode++) {
        unsigned leaves = mode == M32NOPSE ? 1 : mode >= M4 ? 3 : 2;

        if (entry_size(mode) == 4 &&
            ((rights[_i].deny == PTE_NX) || (rights[_i].set & EFER_NXE))) {
            continue;
        }
        for (leaf = 1; leaf <= leaves; leaf++) {
            for (level = leaf; level <= levels(mode); level++) {
                /* PDPTEs of PAE have no rights. */
                if (mode == MPAE && level == 3 && rights[_i].deny != PTE_P) {
                    continue;
                }
                check_rights_at(_i, mode, leaf, level);
            }
        }
    }
}
END_TEST

static const struct {
    const char *what;
    enum mode mode;
    unsigned leaf, level;
    uint64_t bits;
    bool reserved;
} reserved[] = {
    { "4M page, bit 21", M32, 2, 2, 1 << 21, true },
    { "4M page, bit 20", M32, 2, 2, 1 << 20, false },
    { "PAE PTE, bit 52", MPAE, 1, 1, 1ull << 52, true },
    { "PAE PTE, bit 62", MPAE, 1, 1, 1ull << 62, true },
    { "PAE PDPTE, bit 1", MPAE, 1, 3, 2, true },
    { "PAE PDPTE, bit 5", MPAE, 1, 3, 0x20, true },
    { "PAE PDPTE, bit 63", MPAE, 1, 3, 1ull << 63, true },
    { "PAE PDPTE, bit 9", MPAE, 1, 3, 0x200, false },
    { "PAE 2M page, bit 13", MPAE, 2, 2, 1 << 13, true },
    { "PAE PTE, MAXPHYADDR", MPAE, 1, 1, 1ull << 46, true },
    { "PTE, MAXPHYADDR", M4, 1, 1, 1ull << 46, true },
    { "PTE, below MAXPHYADDR", M4, 1, 1, 1ull << 45, false },
    { "PTE, bit 51", M4, 1, 1, 1ull << 51, true },
    { "PTE, bit 52", M4, 1, 1, 1ull << 52, false },
    { "PDE, MAXPHYADDR", M4, 1, 2, 1ull << 46, true },
    { "2M page, bit 13", M4, 2, 2, 1 << 13, true },
    { "2M page, bit 20", M4, 2, 2, 1 << 20, true },
    { "1G page, bit 29", M4, 3, 3, 1 << 29, true },
    { "PML4E, PS", M4, 1, 4, PTE_PS, true },
    { "PML5E, PS", M5, 1, 5, PTE_PS, true },
    { "PML4E with 5 levels, PS", M5, 1, 4, PTE_PS, true },
};

START_TEST(reserved_bit)
{
    enum mode mode = reserved[_i].mode;
    unsigned leaf = reserved[_i].leaf, level = reserved[_i].level;
    bool bad = reserved[_i].reserved;
    uint64_t gva = 0x12345000;

    set_mode(mode);
    map(mode, leaf, gva, PTE_P | PTE_W | PTE_U | (leaf > 1 ? PTE_PS : 0));
    set_entry(mode, level, gva,
              get_entry(mode, level, gva) | reserved[_i].bits);
    expect(gva, INSN_READ, 0, bad ? 9 : -1, reserved[_i].what);
    m->cpu.cpl = 3;
    expect(gva, INSN_WRITE, 0, bad ? 0xf : -1, reserved[_i].what);
}
END_TEST

START_TEST(protection_key)
{
    uint64_t gva = 0x12345000;
    uint64_t page = PTE_P | PTE_W | PTE_U | 5ull << 59;

    set_mode(M4);
    m->cpu.cr4 |= INSN_CR4_PKE;
    map(M4, 1, gva, page);
    m->cpu.cpl = 3;
    expect(gva, INSN_WRITE, 0, -1, "PKRU 0");
    m->pkru = 1u << 10;
    expect(gva, INSN_READ, 0, 0x25, "AD");
    expect(gva, INSN_WRITE, 0, 0x27, "AD");
    expect(gva, INSN_FETCH, 0, -1, "AD");
    m->pkru = 2u << 10;
    expect(gva, INSN_READ, 0, -1, "WD");
    expect(gva, INSN_WRITE, 0, 0x27, "WD");
    m->cpu.cpl = 0;
    expect(gva, INSN_WRITE, 0, 0x23, "WD, supervisor with WP");
    m->cpu.cr0 &= ~(uint64_t)INSN_CR0_WP;
    expect(gva, INSN_WRITE, 0, -1, "WD, supervisor without WP");
    m->pkru = ~(3u << 10);
    expect(gva, INSN_WRITE, 0, -1, "other keys");
    m->pkru = ~0u;
    m->pkru_asked = 0;
    map(M4, 1, gva, page & ~PTE_U);
    expect(gva, INSN_WRITE, 0, -1, "supervisor page");
    m->cpu.cr4 &= ~INSN_CR4_PKE;
    map(M4, 1, gva, page);
    expect(gva, INSN_WRITE, 0, -1, "no PKE");
    ck_assert_uint_eq(m->pkru_asked, 0);
    /* Denied for another reason too: PK is reported as well. */
    m->cpu.cr4 |= INSN_CR4_PKE;
    m->cpu.cpl = 3;
    map(M4, 1, gva, page & ~PTE_W);
    expect(gva, INSN_WRITE, 0, 0x27, "read-only and AD");
}
END_TEST

START_TEST(accessed_dirty)
{
    enum mode mode = _i;
    unsigned leaf, level, top = levels(mode) - (mode == MPAE);
    unsigned leaves = mode == M32NOPSE ? 1 : mode >= M4 ? 3 : 2;
    uint64_t gva = 0x12345000;

    set_mode(mode);
    for (leaf = 1; leaf <= leaves; leaf++) {
        uint64_t val = PTE_P | PTE_W | PTE_U | (leaf > 1 ? PTE_PS : 0);

        map(mode, leaf, gva, val);
        expect(gva, INSN_READ, INSN_XLAT_NO_AD, -1, "no A/D");
        expect(gva, INSN_WRITE, INSN_XLAT_DEBUG, -1, "debug");
        ck_assert_uint_eq(get_entry(mode, leaf, gva), val);
        m->dirtied = 0;
        expect(gva, INSN_READ, 0, -1, "read");
        for (level = leaf; level <= top; level++) {
            ck_assert_uint_eq(get_entry(mode, level, gva) & (PTE_A | PTE_D),
                              PTE_A);
        }
        ck_assert_uint_eq(m->dirtied,
                          (top - leaf + 1) * entry_size(mode));
        expect(gva, INSN_WRITE, 0, -1, "write");
        ck_assert_uint_eq(get_entry(mode, leaf, gva), val | PTE_A | PTE_D);
        for (level = leaf + 1; level <= top; level++) {
            ck_assert_uint_eq(get_entry(mode, level, gva) & PTE_D, 0);
        }
        m->dirtied = 0;
        expect(gva, INSN_WRITE, 0, -1, "again");
        ck_assert_uint_eq(m->dirtied, 0);
    }
    /* A fault leaves no trace. */
    map(mode, 1, gva, PTE_P | PTE_U);
    expect(gva, INSN_WRITE, 0, 3, "read-only");
    ck_assert_uint_eq(get_entry(mode, 1, gva), PTE_P | PTE_U);
}
END_TEST

/* An entry that another processor takes away meanwhile maps nothing. */
START_TEST(race)
{
    uint64_t gva = 0x12345000;

    set_mode(M4);
    m->cpu.cpl = 3;
    map(M4, 1, gva, PTE_P | PTE_W | PTE_U);
    m->lost = entry(M4, 1, gva);
    expect(gva, INSN_READ, 0, 4, "lost");
    ck_assert_ptr_null(m->lost);
    ck_assert_uint_eq(get_entry(M4, 1, gva), 0);
}
END_TEST

START_TEST(debug_walk)
{
    uint64_t gva = 0x12345000;

    set_mode(M4);
    m->cpu.cpl = 3;
    map(M4, 1, gva, PTE_P | PTE_NX);
    expect(gva, INSN_WRITE, INSN_XLAT_DEBUG, -1, "no rights needed");
    map(M4, 1, gva, 0);
    expect(gva, INSN_READ, INSN_XLAT_DEBUG, 4, "not present");
}
END_TEST

/* Page tables outside RAM are read, and never written. */
START_TEST(tables_in_mmio)
{
    struct insn_result res;
    uint64_t gpa;
    unsigned i;

    set_mode(M4);
    m->cpu.cr3 = MMIO_BASE;
    for (i = 0; i < 3; i++) {
        uint64_t e = (MMIO_BASE + 0x1000 * (i + 1)) | PTE_P;

        memcpy(m->mmio + 0x1000 * i, &e, 8);
    }
    memcpy(m->mmio + 0x3000, &(uint64_t){ 0x5000 | PTE_P }, 8);
    ck_assert_int_eq(walk(0x123, INSN_READ, 0, &gpa, &res), INSN_DONE);
    ck_assert_uint_eq(gpa, 0x5123);
    ck_assert_uint_eq(m->nlog, 4);
    for (i = 0; i < m->nlog; i++) {
        ck_assert(!m->log[i].write);
    }
    m->fail = -EFAULT;
    ck_assert_int_eq(walk(0x123, INSN_READ, 0, &gpa, &res), INSN_ERROR);
    ck_assert_int_eq(res.error, -EFAULT);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-walk");
    TCase *tc = tcase_create("walk");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, address, 0,
                        sizeof(addresses) / sizeof(addresses[0]));
    tcase_add_test(tc, no_paging);
    tcase_add_test(tc, not_canonical);
    tcase_add_loop_test(tc, right, 0, sizeof(rights) / sizeof(rights[0]));
    tcase_add_loop_test(tc, reserved_bit, 0,
                        sizeof(reserved) / sizeof(reserved[0]));
    tcase_add_test(tc, protection_key);
    tcase_add_loop_test(tc, accessed_dirty, 0, NMODES);
    tcase_add_test(tc, race);
    tcase_add_test(tc, debug_walk);
    tcase_add_test(tc, tables_in_mmio);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
