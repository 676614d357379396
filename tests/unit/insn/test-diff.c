/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The emulator against this machine's processor: the same bytes from the same
 * state must give the same registers, flags, memory and faults
 */

#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "native.h"
#include "trial.h"

#define CASES       40          /* of each encoding, unless INSN_CASES says */

static void describe(const struct trial *t, const char *where)
{
    unsigned i;

    fprintf(stderr, "%s (%s):", t->e->name, where);
    for (i = 0; i < t->n; i++) {
        fprintf(stderr, " %02x", t->bytes[i]);
    }
    fprintf(stderr, "\n  operand at 0x%lx, flags 0x%lx\n", t->target,
            t->in.rflags);
    for (i = 0; i < 16; i++) {
        fprintf(stderr, "  gpr %2u: %016lx -> %016lx\n", i, t->in.gpr[i],
                t->out.gpr[i]);
    }
    fprintf(stderr,
            "  processor: vector %d, rip 0x%lx, flags 0x%lx, cr2 0x%lx\n",
            t->out.vector, t->out.rip, t->out.rflags, t->out.cr2);
}

/* REP with count 0 and addresses of 32 bits: nothing is done, in two ways. */
static bool nothing_to_repeat(const struct trial *t)
{
    bool rep = t->bytes[0] >= 0xf2 || t->bytes[1] >= 0xf2 ||
               t->bytes[2] >= 0xf2;

    return (t->e->flags & E_STRING) && t->e->op != 0xd7 && t->addr32 && rep &&
           !(uint32_t)t->in.gpr[INSN_RCX];
}

/* Is it one of the values that no manual promises, but processors leave? */
static bool either(const struct trial *t, unsigned reg, uint64_t val)
{
    return nothing_to_repeat(t) &&
           (reg == INSN_RCX || reg == INSN_RSI || reg == INSN_RDI) &&
           (val == t->in.gpr[reg] || val == (uint32_t)t->in.gpr[reg]);
}

static unsigned compare_faults(const struct trial *t,
                               const struct insn_result *res, int vector)
{
    uint64_t cr2 = res->fault.cr2 ^ t->out.cr2;

    if (t->e->flags & E_CR2PAGE) {
        cr2 &= ~4095ull;
    }
    if (vector != t->out.vector || (vector == INSN_VEC_PF && cr2)) {
        fprintf(stderr, "  vector %d cr2 0x%lx\n", vector, res->fault.cr2);
        return 1;
    }
    return 0;
}

static unsigned compare_registers(const struct trial *t,
                                  const struct machine *m)
{
    unsigned bad = 0, i;

    for (i = 0; i < 16; i++) {
        if (m->cpu.gpr[i] != t->out.gpr[i] &&
            !(either(t, i, m->cpu.gpr[i]) && either(t, i, t->out.gpr[i]))) {
            fprintf(stderr, "  emulator: gpr %u is 0x%lx\n", i, m->cpu.gpr[i]);
            bad++;
        }
        if (memcmp(m->vec[i], t->out.vec[i], 32)) {
            fprintf(stderr, "  vector register %u differs\n", i);
            bad++;
        }
    }
    if (m->cpu.rip != t->out.rip) {
        fprintf(stderr, "  emulator: rip 0x%lx\n", m->cpu.rip);
        bad++;
    }
    /* Not where the last x87 instruction was; MMX ones also set more. */
    for (i = 0; i < sizeof(t->out.fx); i++) {
        bool x87 = t->e->flags & E_X87;

        if (m->fx[i] != t->out.fx[i] &&
            (x87 ? i < 6 || (i >= 24 && i < 28) || i >= 32
                 : i >= 32 && (i & 15) < 8)) {
            fprintf(stderr, "  x87, MMX: byte %u is %02x, not %02x\n", i,
                    m->fx[i], t->out.fx[i]);
            bad++;
        }
    }
    return bad;
}

static bool is_enter(const struct trial *t)
{
    return t->e->map == 0 && t->e->op == 0xc8;
}

static unsigned compare(const struct trial *t, const struct machine *m,
                        const uint8_t *data, enum insn_status st,
                        const struct insn_result *res)
{
    const uint64_t flags = 0xcd5 & ~(uint64_t)t->undef;
    int vector = st == INSN_FAULT ? res->fault.vector : 3;
    unsigned bad, i;

    if (st != INSN_DONE && st != INSN_FAULT) {
        fprintf(stderr, "  status %d, %s\n", st, res->why ? res->why : "");
        return 1;
    }
    if (compare_faults(t, res, vector)) {
        return 1;
    }
    bad = compare_registers(t, m);
    if (vector == 3 && ((m->cpu.rflags ^ t->out.rflags) & flags)) {
        fprintf(stderr, "  emulator: flags 0x%lx\n", m->cpu.rflags);
        bad++;
    }
    /* Of an ENTER that faults, processors leave what they have pushed. */
    for (i = 0; i < NATIVE_DATA_LEN && !(vector != 3 && is_enter(t)); i++) {
        if (data[i] != t->after[i]) {
            fprintf(stderr, "  emulator: byte 0x%x is %02x, not %02x\n", i,
                    data[i], t->after[i]);
            bad++;
            break;
        }
    }
    return bad;
}

/* One operand of MMIO is one read, one write, or one of each. */
static unsigned check_accesses(const struct trial *t, const struct machine *m)
{
    unsigned reads = 0, writes = 0, i;

    if ((t->e->flags & E_MULTI)) {
        return 0;
    }
    for (i = 0; i < m->nlog; i++) {
        unsigned off = m->log[i].gpa & 0xfff;

        if (off == 0 || off + m->log[i].len == 4096) {
            return 0;           /* may be a part of an operand */
        }
        *(m->log[i].write ? &writes : &reads) += 1;
    }
    if (reads > 1 || writes > 1) {
        fprintf(stderr, "  %u reads and %u writes of MMIO\n", reads, writes);
        return 1;
    }
    return 0;
}

static unsigned emulate(const struct trial *t, struct machine *m, bool mmio)
{
    uint64_t gpa = mmio ? MMIO_BASE : 0x10000;
    uint8_t *data = mmio ? m->mmio : m->ram + gpa;
    struct insn_result res;
    enum insn_status st;
    unsigned i, bad;

    for (i = 0; i < NATIVE_DATA_LEN; i += 4096) {
        machine_map(m, NATIVE_DATA + i, gpa + i, PTE_P | PTE_W | PTE_U);
    }
    memcpy(m->cpu.gpr, t->in.gpr, sizeof(m->cpu.gpr));
    m->cpu.rip = NATIVE_CODE;
    m->cpu.rflags = t->in.rflags;
    m->cpu.cpl = 3;
    for (i = 0; i < 16; i++) {
        memcpy(m->vec[i], t->in.vec[i], 32);
        memset(m->vec[i] + 32, 0, 32);
    }
    memcpy(m->opmask, t->in.opmask, sizeof(m->opmask));
    memcpy(m->fx, t->in.fx, 28);
    memcpy(m->fx + 28, t->out.fx + 28, 4);      /* this processor's */
    memcpy(m->fx + 32, t->in.fx + 32, sizeof(t->in.fx) - 32);
    memcpy(data, t->data, NATIVE_DATA_LEN);
    memcpy(m->ram + 0x8000, t->bytes, t->n);
    m->nlog = 0;
    /* Sometimes the emulator must fetch some of the bytes, or all. */
    st = machine_run(m, t->bytes, rnd() & 1 ? t->n : rnd() % (t->n + 1), &res);
    bad = compare(t, m, data, st, &res);
    if (mmio) {
        bad += check_accesses(t, m);
    }
    if (bad) {
        describe(t, mmio ? "MMIO" : "RAM");
    }
    return bad;
}

static enum insn_vendor machine_vendor;

static bool skip_result(const struct trial *t)
{
    /* May an opmask of zeroes hide that an operand is not aligned? */
    if (t->evex && t->e->align && (t->target & (t->vl - 1)) &&
        machine_vendor != INSN_AMD) {
        return true;
    }
    /* 16-bit SHLD and SHRD by more than 16: all is undefined. */
    return (t->e->flags & E_SHIFT) && t->e->map == 1 &&
           (t->undef & U_ALL) == U_ALL;
}

static struct {
    struct machine *m;
    unsigned cases, run, faults, skipped;
} all;

static bool one_case(const struct encoding *e)
{
    static struct trial t;

    trial_make(&t, e);
    if (skip_result(&t)) {
        return true;
    }
    t.out = t.in;
    memcpy((void *)NATIVE_DATA, t.data, NATIVE_DATA_LEN);
    native_run(&t.out, t.bytes, t.n);
    if (t.out.vector == INSN_VEC_UD) {
        /*
         * None of the encodings is undefined, but in some virtual machines code
         * that has just changed is seldom seen too late: ask once more.
         */
        t.out = t.in;
        memcpy((void *)NATIVE_DATA, t.data, NATIVE_DATA_LEN);
        native_run(&t.out, t.bytes, t.n);
    }
    memcpy(t.after, (void *)NATIVE_DATA, NATIVE_DATA_LEN);
    all.faults += t.out.vector != 3;
    all.run++;
    return !emulate(&t, all.m, false) && !emulate(&t, all.m, true);
}

static bool has_feature(uint8_t feature)
{
    unsigned a, b = 0, c = 0, d, val = 0;

    switch (feature & 0xe0) {
    case 0:
        return true;
    case C1:
        __get_cpuid(1, &a, &b, &c, &d);
        val = c;
        break;
    case B7:
    case C7:
        __get_cpuid_count(7, 0, &a, &b, &c, &d);
        val = (feature & 0xe0) == B7 ? b : c;
        break;
    case C8:
        __get_cpuid(0x80000001, &a, &b, &c, &d);
        val = c;
        break;
    }
    return val >> (feature & 31) & 1;
}

/* A line of TAP for encoding @i */
static bool differential(unsigned i)
{
    const struct encoding *e = &encodings[i];
    unsigned n;

    if (!has_feature(e->feature)) {
        printf("ok %u - %s # SKIP machine: its processor does not have it\n",
               i + 1, e->name);
        all.skipped++;
        return true;
    }
    rnd_seed(from_environment("INSN_SEED", 0x1234567) + i);
    for (n = 0; n < all.cases; n++) {
        uint64_t seed = rnd_state();

        if (!one_case(e)) {
            printf("not ok %u - %s: case %u, seed 0x%lx: see above\n", i + 1,
                   e->name, n, seed);
            return false;
        }
    }
    printf("ok %u - %s\n", i + 1, e->name);
    return true;
}

int main(void)
{
    unsigned a, b, c, d, i, failed = 0;
    const char *why;

    if (!native_init(&why)) {
        printf("1..0 # SKIP machine: %s\n", why);
        return EXIT_SUCCESS;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    all.cases = from_environment("INSN_CASES", CASES);
    all.m = machine_new();
    machine_mode64(all.m);
    machine_map(all.m, NATIVE_CODE, 0x8000, PTE_P | PTE_U);
    __cpuid(0, a, b, c, d);
    machine_vendor = all.m->cpu.vendor = insn_vendor_of(b, c, d);
    /* as Linux has it */
    all.m->cpu.seg[INSN_FS].selector = all.m->cpu.seg[INSN_GS].selector = 0;
    printf("1..%u\n", nencodings);
    for (i = 0; i < nencodings; i++) {
        failed += !differential(i);
    }
    machine_free(all.m);
    fprintf(stderr, "%u encodings (%u skipped), %u cases (%u of them faults), "
            "each as RAM and as MMIO\n", nencodings, all.skipped, all.run,
            all.faults);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
