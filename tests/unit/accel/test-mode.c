/*
 * Tests of the change from one mode of the processor to another: a processor
 * that takes only what a real one takes, write by write, goes from each mode to
 * each other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <check.h>
#include <string.h>
#include "mode.h"
#include "../runner.h"

#define PE      1ull
#define WP      (1ull << 16)
#define NW      (1ull << 29)
#define CD      (1ull << 30)
#define PG      (1ull << 31)
#define PAE     (1ull << 5)
#define LA57    (1ull << 12)
#define PCIDE   (1ull << 17)
#define CET     (1ull << 23)
#define LME     (1ull << 8)
#define LMA     (1ull << 10)
#define X2      (1ull << 10)
#define ENABLE  (1ull << 11)
#define BASE    0xfee00000ull

static const struct hv_x64_segment_register code16 = {
    .base = 0xffff0000, .limit = 0xffff, .selector = 0xf000,
    .attributes = 0x9b,
}, code32 = {
    .limit = UINT32_MAX, .selector = 8, .attributes = 0xc09b,
}, code64 = {
    .limit = UINT32_MAX, .selector = 16, .attributes = 0xa09b,
}, user64 = {
    .limit = UINT32_MAX, .selector = 0x33, .attributes = 0xa0fb,
};

static const struct {
    const char *name;
    MshvMode mode;
} modes[] = {
    { "reset", { .cr0 = CD | NW | 0x10, .apic_base = BASE | ENABLE,
                 .cs = code16 } },
    { "real, APIC off", { .cr0 = 0x10, .apic_base = BASE, .cs = code16 } },
    { "protected", { .cr0 = PE | 0x10, .apic_base = BASE | ENABLE,
                     .cs = code32 } },
    { "paging", { .cr0 = PG | PE | WP, .cr3 = 0x1000, .apic_base =
                  BASE | ENABLE | X2, .cs = code32 } },
    { "PAE", { .cr0 = PG | PE, .cr3 = 0x20, .cr4 = PAE, .apic_base = BASE,
               .cs = code32 } },
    { "long", { .cr0 = PG | PE | WP, .cr3 = 0x3000, .cr4 = PAE,
                .efer = LME | LMA | 1, .apic_base = BASE | ENABLE | X2,
                .cs = code64 } },
    { "long, user", { .cr0 = PG | PE | WP, .cr3 = 0x3007, .cr4 = PAE | PCIDE |
                      CET, .efer = LME | LMA | 1,
                      .apic_base = BASE | ENABLE | X2, .cs = user64 } },
    { "compatibility, 5 levels", { .cr0 = PG | PE | WP, .cr3 = 0x4000,
                                   .cr4 = PAE | LA57 | CET,
                                   .efer = LME | LMA, .apic_base =
                                   BASE | ENABLE, .cs = code32 } },
    { "EFER without paging", { .cr0 = PE, .cr4 = PAE | LA57,
                               .efer = LME, .apic_base = BASE | ENABLE,
                               .cs = code32 } },
};

/* Why a processor would refuse it, or NULL. */
static const char *set_cr0(MshvMode *p, uint64_t v)
{
    if ((v & PG && !(v & PE)) || (v & NW && !(v & CD))) {
        return "CR0 that does not exist";
    }
    if (!(v & PG) && p->cr0 & PG) {
        if (p->cr4 & PCIDE) {
            return "paging off with PCIDs";
        }
        if (p->efer & LMA && p->cs._long) {
            return "paging off in 64-bit code";
        }
        p->efer &= ~LMA;
    }
    if (v & PG && !(p->cr0 & PG) && p->efer & LME) {
        if (!(p->cr4 & PAE)) {
            return "IA-32e mode without PAE";
        }
        if (p->cs._long) {
            return "IA-32e mode on in 64-bit code";
        }
        p->efer |= LMA;
    }
    if (!(v & WP) && p->cr4 & CET) {
        return "CET without WP";
    }
    p->cr0 = v;
    return NULL;
}

static const char *set_cr4(MshvMode *p, uint64_t v)
{
    if (p->efer & LMA && (!(v & PAE) || ((v ^ p->cr4) & LA57))) {
        return "PAE or LA57 changed in IA-32e mode";
    }
    if (v & PCIDE && !(p->cr4 & PCIDE) &&
        (!(p->efer & LMA) || p->cr3 & 0xfff)) {
        return "PCIDs out of season";
    }
    if (v & CET && !(p->cr0 & WP)) {
        return "CET without WP";
    }
    p->cr4 = v;
    return NULL;
}

static const char *set_efer(MshvMode *p, uint64_t v)
{
    if ((v ^ p->efer) & LMA) {
        return "LMA is the processor's";
    }
    if (p->cr0 & PG && (v ^ p->efer) & LME) {
        return "LME with paging on";
    }
    p->efer = v;
    return NULL;
}

static const char *set_apic_base(MshvMode *p, uint64_t v)
{
    bool x2 = v & X2, on = v & ENABLE;

    if ((x2 && !on) || (p->apic_base & X2 && !x2 && on) ||
        (!(p->apic_base & ENABLE) && x2)) {
        return "a transition of the APIC that does not exist";
    }
    p->apic_base = v;
    return NULL;
}

static const char *do_write(MshvMode *p, const struct hv_register_assoc *w)
{
    switch (w->name) {
    case HV_X64_REGISTER_CR0:
        return set_cr0(p, w->value.reg64);
    case HV_X64_REGISTER_CR3:
        p->cr3 = w->value.reg64;
        return NULL;
    case HV_X64_REGISTER_CR4:
        return set_cr4(p, w->value.reg64);
    case HV_X64_REGISTER_EFER:
        return set_efer(p, w->value.reg64);
    case HV_X64_REGISTER_APIC_BASE:
        return set_apic_base(p, w->value.reg64);
    case HV_X64_REGISTER_CS:
        p->cs = w->value.segment;
        return p->cs.present && p->cs.non_system_segment ? NULL : "bad CS";
    default:
        return "no register of a mode";
    }
}

START_TEST(each_write_is_one_that_a_processor_takes)
{
    size_t n = sizeof(modes) / sizeof(modes[0]);

    for (size_t i = 0; i < n * n; i++) {
        const MshvMode *from = &modes[i / n].mode, *to = &modes[i % n].mode;
        struct hv_register_assoc writes[MSHV_MODE_WRITES];
        MshvMode p = *from;
        unsigned count = mshv_mode_change(from, to, writes);

        ck_assert_uint_le(count, MSHV_MODE_WRITES);
        for (unsigned w = 0; w < count; w++) {
            const char *why = do_write(&p, &writes[w]);

            ck_assert_msg(!why, "from %s to %s, write %u: %s",
                          modes[i / n].name, modes[i % n].name, w, why);
        }
        p.cs = to->cs;
        ck_assert_msg(!memcmp(&p, to, sizeof(p)), "from %s to %s",
                      modes[i / n].name, modes[i % n].name);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mode");
    TCase *test = tcase_create("changes");

    tcase_add_test(test, each_write_is_one_that_a_processor_takes);
    suite_add_tcase(suite, test);
    return run_suite(suite);
}
