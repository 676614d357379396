/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The short cut for moves: where it answers, it answers as the emulator does
 */

#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "../runner.h"

#define RUNS    200000

/* Mostly moves, with the prefixes that they may have and some they may not. */
static void random_move(uint8_t *bytes)
{
    static const uint8_t prefixes[] = {
        0x66, 0x48, 0x41, 0x44, 0x4f, 0x40, 0x67, 0xf0, 0xf3, 0x64,
    };
    static const uint8_t opcodes[] = {
        0x88, 0x89, 0x8a, 0x8b, 0xc6, 0xc7, 0x0f, 0x8c, 0xa1, 0x00,
    };
    unsigned i, n = 0;

    for (i = 0; i < INSN_MAX_LEN; i++) {
        bytes[i] = rnd() >> 32;
    }
    while (n < 3 && rnd() % 2) {
        bytes[n++] = prefixes[rnd() % sizeof(prefixes)];
    }
    bytes[n++] = opcodes[rnd() % sizeof(opcodes)];
    if (bytes[n - 1] == 0x0f) {
        bytes[n++] = 0xb6 + rnd() % 4;
    }
}

static void random_registers(struct machine *m)
{
    unsigned i;

    for (i = 0; i < 16; i++) {
        m->cpu.gpr[i] = rnd() >> (18 + rnd() % 40);
    }
    m->cpu.rip = rnd() >> 20;
    m->cpu.rflags = 2;
    m->cpu.dirty = m->cpu.dirty_gpr = 0;
    m->nlog = 0;
}

/* The emulator has executed what @move says, from @before to @m. */
static void compare(const struct machine *m, const struct insn_cpu *before,
                    const struct insn_move *move, uint64_t seed)
{
    const struct access *a = &m->log[0];
    uint64_t mask = move->size == 8 ? UINT64_MAX
                                    : (1ull << move->size * 8) - 1;
    uint64_t address = insn_move_address(move, before->gpr);
    uint64_t value = insn_move_value(move, before->gpr) & mask;
    uint64_t gpr[16];

    memcpy(gpr, before->gpr, sizeof(gpr));
    ck_assert_msg(m->nlog == 1 && a->gpa == address &&
                  a->len == move->size && a->write == move->write,
                  "seed 0x%lx: %u accesses, of %u bytes at 0x%lx; not %u at "
                  "0x%lx", seed, m->nlog, a->len, a->gpa, move->size,
                  address);
    ck_assert_msg(m->cpu.rip == before->rip + move->length,
                  "seed 0x%lx: length %lu, not %u", seed,
                  m->cpu.rip - before->rip, move->length);
    if (move->write) {
        ck_assert_msg(a->val == value, "seed 0x%lx: wrote 0x%lx, not 0x%lx",
                      seed, a->val, value);
    } else {
        gpr[move->reg] = insn_move_result(move, gpr[move->reg], a->val);
    }
    ck_assert_msg(!memcmp(gpr, m->cpu.gpr, sizeof(gpr)),
                  "seed 0x%lx: registers differ", seed);
    ck_assert_uint_eq(m->cpu.rflags, before->rflags);
}

START_TEST(as_the_emulator)
{
    unsigned runs = from_environment("INSN_RUNS", RUNS), i, same = 0;
    struct machine *m = machine_new();

    machine_mode64(m);
    m->cpu.cr0 = 1;             /* no paging: addresses are what they are */
    m->no_ram = true;
    rnd_seed(0x30fe);
    for (i = 0; i < runs; i++) {
        uint64_t seed = rnd_state();
        uint8_t bytes[INSN_MAX_LEN];
        struct insn_result res;
        struct insn_move move;
        struct insn_cpu before;
        uint64_t address;

        random_move(bytes);
        random_registers(m);
        before = m->cpu;
        if (!insn_decode_move(bytes, sizeof(bytes), &move)) {
            continue;
        }
        address = insn_move_address(&move, before.gpr);
        if ((address & 4095) + move.size > 4096 || address >> 47) {
            continue;
        }
        ck_assert_msg(machine_run(m, bytes, sizeof(bytes), &res) == INSN_DONE,
                      "seed 0x%lx: the emulator does not", seed);
        compare(m, &before, &move, seed);
        same++;
    }
    fprintf(stderr, "%u runs: %u are moves\n", runs, same);
    ck_assert_uint_gt(same, runs / 20);
    machine_free(m);
}
END_TEST

/* What the short cut must leave to the emulator. */
START_TEST(not_known)
{
    static const char *const codes[] = {
        "8b 05 00 00 00 00", "8b c3", "64 8b 03", "f0 89 03", "f3 89 03",
        "67 8b 03", "c7 4b 00 00 00 00 00", "88 23", "8a 3b", "03 03",
        "0f be 03", "48 66 8b 03",
    };
    struct insn_move move;
    unsigned i;

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        uint8_t bytes[INSN_MAX_LEN] = { 0 };

        parse_hex(codes[i], bytes);
        ck_assert_msg(!insn_decode_move(bytes, sizeof(bytes), &move),
                      "%s", codes[i]);
        ck_assert(!insn_decode_move((uint8_t[]) { 0x8b, 0x03 }, 2, &move));
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("insn-move");
    TCase *tc = tcase_create("move");

    tcase_add_test(tc, as_the_emulator);
    tcase_add_test(tc, not_known);
    suite_add_tcase(s, tc);
    return run_suite(s);
}
