/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The guest of the tests that execute single instructions: 64-bit mode, RAM,
 * MMIO, and a hole behind the RAM
 */

#ifndef TESTS_UNIT_INSN_GUEST_H
#define TESTS_UNIT_INSN_GUEST_H

#include <check.h>
#include <string.h>

#include "machine.h"
#include "../runner.h"

#define DATA    0x400000ull     /* gva of four pages of RAM at DATA_RAM */
#define DATA_RAM 0x20000u
#define DEV     0x500000ull     /* gva of two pages of MMIO */
#define HOLE    0x404000ull     /* not present */

/* A program of tests has one guest. */
static struct machine *m;
static struct insn_result res;

static inline void setup(void)
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

static inline void teardown(void)
{
    machine_free(m);
}

/* What the emulator does not call changed is never given to the VP. */
static inline void expect_told(const struct insn_cpu *before, const char *hex)
{
    unsigned i;

    for (i = 0; i < 16; i++) {
        ck_assert_msg(m->cpu.gpr[i] == before->gpr[i] ||
                      (m->cpu.dirty_gpr & 1u << i),
                      "%s: register %u changed without a word", hex, i);
    }
    for (i = 0; i < INSN_NSEGS; i++) {
        ck_assert_msg(!memcmp(&m->cpu.seg[i], &before->seg[i],
                              sizeof(before->seg[i])) ||
                      (m->cpu.dirty_seg & 1u << i),
                      "%s: segment %u changed without a word", hex, i);
    }
    ck_assert_msg((m->cpu.rip == before->rip ||
                   (m->cpu.dirty & INSN_DIRTY_RIP)) &&
                  (m->cpu.rflags == before->rflags ||
                   (m->cpu.dirty & INSN_DIRTY_RFLAGS)),
                  "%s: RIP or RFLAGS changed without a word", hex);
}

static inline enum insn_status run(const char *hex)
{
    struct insn_cpu before = m->cpu;
    uint8_t bytes[INSN_MAX_LEN];
    enum insn_status st;

    m->cpu.dirty = m->cpu.dirty_gpr = m->cpu.dirty_seg = 0;
    st = machine_run(m, bytes, parse_hex(hex, bytes), &res);
    expect_told(&before, hex);
    return st;
}

static inline void expect_fault(const char *hex, int vector, int code)
{
    struct insn_cpu before = m->cpu;
    enum insn_status st = run(hex);

    before.dirty = m->cpu.dirty;
    before.dirty_gpr = m->cpu.dirty_gpr;
    before.dirty_seg = m->cpu.dirty_seg;
    ck_assert_msg(st == INSN_FAULT && res.fault.vector == vector &&
                  res.fault.has_error_code == (code >= 0) &&
                  (code < 0 || res.fault.error_code == (uint32_t)code),
                  "%s: status %d vector %d code 0x%x", hex, st,
                  res.fault.vector, res.fault.error_code);
    ck_assert_msg(memcmp(&before, &m->cpu, sizeof(before)) == 0,
                  "%s: registers changed", hex);
}

static inline void expect_done(const char *hex)
{
    enum insn_status st = run(hex);

    ck_assert_msg(st == INSN_DONE, "%s: status %d vector %d why %s", hex, st,
                  res.fault.vector, res.why);
}

#endif
