/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSRs that guests touch without asking whether they are there: what KVM
 * answers to a guest without performance monitoring.
 */
#include "guest.h"

#define MISC_ENABLE     0x1a0
#define HWCR            0xc0010015
#define MC0_CTL         0x400
#define MC0_STATUS      0x401

static volatile bool faulted;      /* by a handler */

static void on_gp(struct frame *f)
{
    faulted = true;
    f->rip += 2;                /* RDMSR or WRMSR */
}

/* False: #GP. */
static bool try_read(uint32_t msr, uint64_t *value)
{
    faulted = false;
    *value = rdmsr(msr);
    return !faulted;
}

static bool try_write(uint32_t msr, uint64_t value)
{
    faulted = false;
    wrmsr(msr, value);
    return !faulted;
}

/* Without a bit in @how the access raises #GP. */
enum { R = 1, W = 2, ZERO = 4 /* only this may be written */ };

static const struct {
    uint32_t first, last;
    uint8_t how;
    uint64_t value;
} rows[] = {
    { 0x00, 0x01, R }, { 0x17, 0x17, R }, { 0x2a, 0x2a, R },
    { 0x2c, 0x2c, R, 1 << 24 }, { 0x34, 0x34, R }, { 0x79, 0x79, W },
    { 0xc1, 0xc2, R | W }, { 0xc3, 0xc4 }, { 0xcd, 0xcd, R, 3 },
    { 0x11e, 0x11e, R | W, 0xbe702111 }, { 0x140, 0x140, R | ZERO },
    { 0x186, 0x187, R | W }, { 0x188, 0x189 },
    { 0x198, 0x198, R, 1000 | 4ull << 40 }, { 0x199, 0x199, R },
    { 0x1a2, 0x1a2 }, { 0x1db, 0x1de, R }, { 0x280, 0x289 },
    { 0x309, 0x30b }, { 0x345, 0x345 }, { 0x38d, 0x390 },
    { 0x428, 0x42b }, { 0x606, 0x606, R }, { 0x611, 0x611, R },
    { 0x64e, 0x64e }, { 0xc0000104, 0xc0000104 },
    { 0xc0010000, 0xc0010007, R | W }, { 0xc001001b, 0xc001001b, R | W,
                                         0x20000000 },
    { 0xc0010020, 0xc0010020, W }, { 0xc0010058, 0xc0010058, R | ZERO },
    { 0xc0010140, 0xc0010141 }, { 0xc0010200, 0xc001020b },
    { 0xc001102a, 0xc001102a, R | W }, { 0x12345678, 0x12345678 },
};

static void table(void)
{
    unsigned i;
    uint32_t msr;
    uint64_t v;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        uint8_t how = rows[i].how;
        bool good = true;

        for (msr = rows[i].first; msr <= rows[i].last; msr++) {
            bool read = try_read(msr, &v);

            if (read != !!(how & R) || (read && v != rows[i].value)) {
                print("# %x: read %d, 0x%lx\n", msr, read, v);
                good = false;
            }
            if (try_write(msr, 0) != !!(how & (W | ZERO)) ||
                try_write(msr, 0x10) != !!(how & W)) {
                print("# %x: a write is not as wanted\n", msr);
                good = false;
            }
        }
        ok(good, "MSR %x to %x", rows[i].first, rows[i].last);
    }
}

/* What is written is kept, but for what tells of performance monitoring. */
static void misc_enable(void)
{
    uint64_t old = rdmsr(MISC_ENABLE), v;

    ok(try_write(MISC_ENABLE, old | 1ull << 34) &&
       try_read(MISC_ENABLE, &v) && v == (old | 1ull << 34),
       "MISC_ENABLE keeps what is written");
    ok(try_write(MISC_ENABLE, old ^ 1 << 7) && try_read(MISC_ENABLE, &v) &&
       v == old, "but not whether there is performance monitoring");
    ok(!try_write(MISC_ENABLE, old ^ 1 << 11), "nor BTS");
    wrmsr(MISC_ENABLE, old);
}

static void machine_check(void)
{
    uint64_t cap = rdmsr(0x179), v;
    unsigned i;

    equal(cap & 0xff, 10, "machine check banks");
    ok(!try_write(0x179, cap), "their number cannot be written");
    ok(try_write(0x17b, 0) && !try_write(0x17b, 1) && try_write(0x17b, ~0ull),
       "MCG_CTL: all or nothing");
    for (i = 0; i < 10; i++) {
        if (!try_write(MC0_CTL + 4 * i, 0) ||
            !try_write(MC0_CTL + 4 * i, ~0ull) ||
            try_write(MC0_CTL + 4 * i, 2) ||
            !try_write(MC0_STATUS + 4 * i, 0) ||
            try_write(MC0_STATUS + 4 * i, 1) ||
            !try_write(MC0_STATUS + 1 + 4 * i, i) ||
            !try_read(MC0_STATUS + 1 + 4 * i, &v) || v != i) {
            break;
        }
    }
    equal(i, 10, "each bank is as a processor's");
    ok(try_write(HWCR, 1 << 18) && try_write(MC0_STATUS, 1) &&
       try_read(MC0_STATUS, &v) && v == 1 && try_write(MC0_STATUS, 0),
       "HWCR: the status of a bank can be set");
    ok(!try_write(HWCR, 1), "HWCR: what is unknown cannot");
    wrmsr(HWCR, 0);
}

void guest_main(void)
{
    trap_handlers[13] = on_gp;
    table();
    misc_enable();
    machine_check();
}
