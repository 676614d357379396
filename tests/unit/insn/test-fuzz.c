/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Random bytes and random states: the emulator must neither crash nor hang, and
 * keep its promises about what each status leaves behind
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "../runner.h"

#define RUNS    100000

/* Random descriptors and task states */
#define TABLES_AT       0x40000u
#define TABLES_LEN      0x20000u

static void random_mode(struct machine *m)
{
    unsigned i;

    switch (rnd() % 6) {
    case 0:
        machine_real(m);
        break;
    case 1:
        machine_mode16(m);
        break;
    case 2:
        machine_mode32(m);
        break;
    default:
        machine_mode64(m);
        break;
    }
    if (rnd() % 8 == 0) {
        m->cpu.cr0 = rnd();
        m->cpu.cr3 = rnd() % 2 ? m->cpu.cr3 : rnd();
        m->cpu.cr4 = rnd();
        m->cpu.efer = rnd();
        m->cpu.maxphyaddr = rnd();
        for (i = 0; i < INSN_NSEGS; i++) {
            m->cpu.seg[i] = (struct insn_seg) {
                rnd(), rnd(), rnd(), rnd()
            };
        }
    }
    for (i = 0; i < 4; i++) {
        m->system[i] = (struct insn_seg) {
            TABLES_AT + (rnd() & 0xfff), rnd() & 0xffff, rnd(), rnd()
        };
    }
    m->cpu.vendor = rnd() & 1;
    m->fx[0] = rnd();
    m->fx[2] = rnd() % 4 ? 0 : rnd();
    m->cpu.cpl = rnd() & 3;
    m->cpu.rflags = rnd() & 0x277fd7;
    for (i = 0; i < 16; i++) {
        m->cpu.gpr[i] = rnd() >> (rnd() % 64);
    }
    m->cpu.rip = rnd() >> (rnd() % 64);
    m->xcr0 = rnd() % 4 ? 0xe7 : rnd();
    m->stop_after = rnd() % 4 ? 0 : 1 + rnd() % 32;
    m->stop_asked = 0;
}

static unsigned random_bytes(uint8_t *bytes)
{
    static const uint8_t common[] = {
        0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x48, 0x41, 0x4f, 0x2e, 0x64, 0x0f,
        0x0f, 0xc4, 0xc5, 0x62,
    };
    unsigned i, n = rnd() % 2 ? INSN_MAX_LEN : rnd() % (INSN_MAX_LEN + 1);

    for (i = 0; i < n; i++) {
        bytes[i] = rnd() >> 32;
        if (i < 3 && rnd() % 3 == 0) {
            bytes[i] = common[rnd() % sizeof(common)];
        }
    }
    return n;
}

START_TEST(random_code)
{
    unsigned runs = from_environment("INSN_RUNS", RUNS);
    struct machine *m = machine_new();
    unsigned count[INSN_ERROR + 1] = { 0 }, i;
    uint64_t seed = 0xf022;

    machine_mode64(m);
    for (i = 0; i < 0x200; i++) {
        machine_map(m, (uint64_t)i << 12, i % 3 ? (uint64_t)i << 12
                                                : MMIO_BASE + (i & 63) * 4096,
                    PTE_P | (rnd() & (PTE_W | PTE_U)));
    }
    rnd_seed(seed);
    for (i = 0; i < TABLES_LEN; i++) {
        m->ram[TABLES_AT + i] = rnd();
    }
    for (i = 0; i < runs; i++) {
        /* Exactly as long as promised, so that ASan sees a byte too much. */
        uint8_t buf[INSN_MAX_LEN], *bytes;
        struct insn_result res;
        struct insn_cpu before;
        enum insn_status st;
        unsigned n;

        seed = rnd_state();
        random_mode(m);
        n = random_bytes(buf);
        bytes = malloc(n);
        memcpy(bytes, buf, n);
        m->nlog = 0;
        before = m->cpu;
        before.dirty = before.dirty_gpr = m->cpu.dirty = m->cpu.dirty_gpr = 0;
        st = machine_run(m, bytes, n, &res);
        free(bytes);
        ck_assert_msg(st <= INSN_ERROR && res.len <= INSN_MAX_LEN,
                      "seed 0x%lx: status %d length %u", seed, st, res.len);
        count[st]++;
        ck_assert_msg(m->nlog <= 2 * (INSN_REP_MAX + 64),
                      "seed 0x%lx: %u accesses", seed, m->nlog);
        if (st == INSN_UNSUPPORTED) {
            ck_assert_msg(res.why && !memcmp(&before, &m->cpu, sizeof(before)),
                          "seed 0x%lx: not supported, but changed", seed);
        } else if (st != INSN_DONE) {
            ck_assert_msg(m->cpu.rip == before.rip,
                          "seed 0x%lx: status %d moves RIP", seed, st);
        }
    }
    fprintf(stderr,
            "%u runs: %u done, %u partial, %u faults, %u not supported\n", runs,
            count[INSN_DONE], count[INSN_PARTIAL], count[INSN_FAULT],
           count[INSN_UNSUPPORTED]);
    ck_assert_uint_gt(count[INSN_DONE], runs / 20);
    machine_free(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-fuzz");
    TCase *tc = tcase_create("fuzz");

    tcase_add_test(tc, random_code);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
