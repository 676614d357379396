/*
 * Tests of the table of hv-* properties: what each one makes of a partition and
 * of CPUID, by itself and with others, on hosts that have it and that do not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include "enlighten.h"
#include "../runner.h"

#define BIT(n)      (1ull << (n))
#define F(n)        BIT(n)      /* by the bit numbers of Linux's header */
#define NEVER       0xffffffffu
#define BASE        (F(0) | F(1) | F(7))
#define EVERYTHING  UINT64_MAX

enum { EAX, EBX, ECX, EDX };

/* What one property does, and which others it needs */
static const struct {
    const char *name;
    MshvEnl n;
    uint64_t needs, synthetic;
    unsigned leaf[2], reg[2];
    uint32_t bits[2];
} rows[] = {
    { "hv-relaxed", MSHV_ENL_RELAXED, 0, 0, { 4 }, { EAX }, { 0x20 } },
    { "hv-vapic", MSHV_ENL_VAPIC, 0, F(6), { 3 }, { EAX }, { 0x10 } },
    { "hv-time", MSHV_ENL_TIME, 0, F(3) | F(9), { 3 }, { EAX }, { 0x202 } },
    { "hv-crash", MSHV_ENL_CRASH, 0, 0, { 3 }, { EDX }, { 0x400 } },
    { "hv-vpindex", MSHV_ENL_VPINDEX, 0, F(8), { 3 }, { EAX }, { 0x40 } },
    { "hv-runtime", MSHV_ENL_RUNTIME, 0, F(2), { 3 }, { EAX }, { 1 } },
    { "hv-synic", MSHV_ENL_SYNIC, 0, F(4), { 3 }, { EAX }, { 4 } },
    { "hv-stimer", MSHV_ENL_STIMER, BIT(MSHV_ENL_SYNIC) | BIT(MSHV_ENL_TIME),
      F(5), { 3 }, { EAX }, { 8 } },
    { "hv-frequencies", MSHV_ENL_FREQUENCIES, 0, F(11), { 3, 3 },
      { EAX, EDX }, { 0x800, 0x100 } },
    { "hv-tlbflush", MSHV_ENL_TLBFLUSH, BIT(MSHV_ENL_VPINDEX), F(25) | F(24),
      { 4 }, { EAX }, { 0x804 } },
    { "hv-ipi", MSHV_ENL_IPI, BIT(MSHV_ENL_VPINDEX), F(26) | F(24),
      { 4 }, { EAX }, { 0xc00 } },
    { "hv-stimer-direct", MSHV_ENL_STIMER_DIRECT,
      BIT(MSHV_ENL_STIMER) | BIT(MSHV_ENL_SYNIC) | BIT(MSHV_ENL_TIME), F(22),
      { 3 }, { EDX }, { 0x80000 } },
    { "hv-avic", MSHV_ENL_AVIC, 0, 0, { 0 }, { 0 }, { 0 } },
    { "hv-xmm-input", MSHV_ENL_XMM_INPUT, 0, 0, { 3 }, { EDX }, { 0x10 } },
    { "hv-tlbflush-ext", MSHV_ENL_TLBFLUSH_EXT,
      BIT(MSHV_ENL_TLBFLUSH) | BIT(MSHV_ENL_VPINDEX), F(15), { 3 }, { EDX },
      { 0x4000 } },
    { "hv-spinlocks", MSHV_ENL_SPINLOCKS, 0, F(27), { 4 }, { EBX },
      { 0x1fff } },
};

#define ROWS    (sizeof(rows) / sizeof(rows[0]))

static const MshvEnl never[] = {
    MSHV_ENL_RESET, MSHV_ENL_REENLIGHTENMENT, MSHV_ENL_EVMCS, MSHV_ENL_SYNDBG,
    MSHV_ENL_EMSR_BITMAP, MSHV_ENL_TLBFLUSH_DIRECT, MSHV_ENL_CORESHARING,
};

static MshvEnlHost host_with(uint64_t assignable)
{
    MshvEnlHost host = { .assignable = assignable };

    memset(host.leaf, 0xff, sizeof(host.leaf));
    return host;
}

static MshvEnlGrant decide(uint64_t wanted, bool all, const MshvEnlHost *host)
{
    MshvEnlRequest request = {
        .wanted = wanted, .all = all,
        .spin_retries = wanted & BIT(MSHV_ENL_SPINLOCKS) ? 0x1fff : NEVER,
    };
    MshvEnlGrant grant;

    mshv_enl_decide(&request, host, &grant);
    return grant;
}

/* What a guest sees whose hypervisor would show @own in all registers */
static uint32_t seen(const MshvEnlGrant *g, unsigned leaf, unsigned reg,
                     uint32_t own)
{
    return (own & ~g->leaf[leaf].mask[reg]) |
           (g->leaf[leaf].value[reg] & g->leaf[leaf].mask[reg]);
}

START_TEST(every_property_has_a_row)
{
    for (unsigned n = 0; n < MSHV_ENL_COUNT; n++) {
        unsigned found = 0;

        ck_assert_ptr_nonnull(mshv_enl_name(n));
        for (unsigned i = 0; i < ROWS; i++) {
            found += rows[i].n == n;
        }
        for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
            found += never[i] == n;
        }
        ck_assert_msg(found == 1, "%s: %u times", mshv_enl_name(n), found);
    }
}
END_TEST

START_TEST(each_alone)
{
    MshvEnlHost host = host_with(EVERYTHING);

    for (unsigned i = 0; i < ROWS; i++) {
        MshvEnlGrant before = decide(rows[i].needs, false, &host);
        MshvEnlGrant g = decide(rows[i].needs | BIT(rows[i].n), false, &host);
        uint32_t same[MSHV_ENL_LEAVES][MSHV_ENL_REGS];

        ck_assert_str_eq(mshv_enl_name(rows[i].n), rows[i].name);
        ck_assert_msg(g.given & BIT(rows[i].n), "%s", rows[i].name);
        ck_assert_msg(!rows[i].needs || (g.synthetic & ~before.synthetic &
                                         ~rows[i].synthetic) == 0,
                      "%s", rows[i].name);
        ck_assert_msg((g.synthetic & rows[i].synthetic) == rows[i].synthetic,
                      "%s", rows[i].name);
        if (!rows[i].needs) {
            ck_assert_msg(g.synthetic == (BASE | rows[i].synthetic),
                          "%s: 0x%lx", rows[i].name,
                          (unsigned long)g.synthetic);
        }
        /* The needed ones' bits, and these */
        for (unsigned l = 0; l < MSHV_ENL_LEAVES; l++) {
            for (unsigned r = 0; r < MSHV_ENL_REGS; r++) {
                same[l][r] = rows[i].needs ? seen(&before, l, r, 0) : 0;
            }
        }
        same[4][EBX] = NEVER;
        for (unsigned k = 0; k < 2 && rows[i].bits[k]; k++) {
            if (rows[i].n == MSHV_ENL_SPINLOCKS) {
                same[4][EBX] = 0;
            }
            same[rows[i].leaf[k]][rows[i].reg[k]] |= rows[i].bits[k];
        }
        for (unsigned l = 0; l < MSHV_ENL_LEAVES; l++) {
            for (unsigned r = 0; r < MSHV_ENL_REGS; r++) {
                ck_assert_msg(seen(&g, l, r, 0) == same[l][r],
                              "%s: leaf %u register %u: 0x%x", rows[i].name, l,
                              r, seen(&g, l, r, 0));
            }
        }
    }
}
END_TEST

/* Each feature of a partition is missing once, and who stands on it is out. */
START_TEST(what_cannot_be_had)
{
    for (unsigned i = 0; i < ROWS; i++) {
        uint64_t must = rows[i].synthetic & ~F(24);     /* a better way only */
        MshvEnlHost host = host_with(EVERYTHING & ~must);
        MshvEnlGrant g = decide(rows[i].needs | BIT(rows[i].n), false, &host);

        ck_assert_msg(!(g.synthetic & must), "%s", rows[i].name);
        if (must) {
            ck_assert_msg(!(g.given & BIT(rows[i].n)), "%s", rows[i].name);
            ck_assert_uint_eq(seen(&g, rows[i].leaf[0], rows[i].reg[0],
                                   rows[i].n == MSHV_ENL_SPINLOCKS
                                   ? 0 : rows[i].bits[0]) & rows[i].bits[0],
                              rows[i].n == MSHV_ENL_SPINLOCKS
                              ? rows[i].bits[0] : 0);
        }
        if (rows[i].needs) {
            host = host_with(EVERYTHING);
            g = decide(BIT(rows[i].n), false, &host);
            ck_assert_msg(!(g.given & BIT(rows[i].n)), "%s", rows[i].name);
            ck_assert_ptr_nonnull(mshv_enl_lacks(rows[i].n, &g));
            ck_assert_ptr_null(mshv_enl_why_never(rows[i].n));
        }
    }
    for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        MshvEnlHost host = host_with(EVERYTHING);
        MshvEnlGrant g = decide(BIT(never[i]), false, &host);

        ck_assert_uint_eq(g.given, 0);
        ck_assert_uint_eq(g.synthetic, BASE);
        ck_assert_ptr_nonnull(mshv_enl_why_never(never[i]));
    }
}
END_TEST

/* Processor masks of more than 64 VPs are not needed for the hypercalls. */
START_TEST(without_processor_masks)
{
    MshvEnlHost host = host_with(EVERYTHING & ~F(24));
    MshvEnlGrant g = decide(BIT(MSHV_ENL_TLBFLUSH) | BIT(MSHV_ENL_IPI) |
                            BIT(MSHV_ENL_VPINDEX), false, &host);

    ck_assert(g.given & BIT(MSHV_ENL_TLBFLUSH));
    ck_assert_uint_eq(seen(&g, 4, EAX, 0), 0x404);
    ck_assert_uint_eq(seen(&g, 4, EAX, NEVER) & 0x800, 0);
}
END_TEST

/* The hypervisor has these or not; its own partition sees it. */
START_TEST(what_the_host_sees)
{
    static const MshvEnl own[] = { MSHV_ENL_CRASH, MSHV_ENL_XMM_INPUT,
                                   MSHV_ENL_AVIC };
    MshvEnlHost host = { .assignable = EVERYTHING };

    for (unsigned i = 0; i < 3; i++) {
        MshvEnlGrant g = decide(BIT(own[i]), false, &host);

        ck_assert_uint_eq(g.given, 0);
    }
    host = host_with(0);
    for (unsigned i = 0; i < 3; i++) {
        MshvEnlGrant g = decide(BIT(own[i]), false, &host);

        ck_assert_uint_eq(g.given, BIT(own[i]));
        /* Whether auto-EOI is bad is not for us to say. */
        ck_assert_uint_eq(seen(&g, 4, EAX, 0x200), 0x200);
        ck_assert_uint_eq(seen(&g, 4, EAX, 0), 0);
    }
}
END_TEST

START_TEST(nothing_and_everything)
{
    MshvEnlHost host = host_with(EVERYTHING);
    MshvEnlGrant g = decide(0, false, &host);
    uint64_t all = 0;

    /* Nothing asked for: CPUID is the hypervisor's. */
    for (unsigned l = 0; l < MSHV_ENL_LEAVES; l++) {
        for (unsigned r = 0; r < MSHV_ENL_REGS; r++) {
            ck_assert_uint_eq(g.leaf[l].mask[r], 0);
        }
    }
    ck_assert_uint_eq(g.synthetic, 0x7400bff & ~F(10));
    host.assignable = F(0) | F(4) | F(63);
    ck_assert_uint_eq(decide(0, false, &host).synthetic, F(0) | F(4));

    host = host_with(EVERYTHING);
    g = decide(0, true, &host);
    for (unsigned i = 0; i < ROWS; i++) {
        all |= rows[i].n == MSHV_ENL_SPINLOCKS ? 0 : BIT(rows[i].n);
    }
    ck_assert_uint_eq(g.given, all);
    ck_assert_uint_eq(g.leaf[4].mask[EBX], 0);
    /* What is not asked for is not hidden. */
    ck_assert_uint_eq(seen(&g, 3, EAX, NEVER), NEVER);
    g = decide(BIT(MSHV_ENL_SPINLOCKS), true, &host);
    ck_assert_uint_eq(seen(&g, 4, EBX, 0), 0x1fff);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("enlighten");
    TCase *test = tcase_create("table");

    tcase_add_test(test, every_property_has_a_row);
    tcase_add_test(test, each_alone);
    tcase_add_test(test, what_cannot_be_had);
    tcase_add_test(test, without_processor_masks);
    tcase_add_test(test, what_the_host_sees);
    tcase_add_test(test, nothing_and_everything);
    suite_add_tcase(suite, test);
    return run_suite(suite);
}
