/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A guest machine for the tests of the instruction emulator: RAM, MMIO that
 * keeps a log, page tables, vector registers, ports
 */

#ifndef TESTS_UNIT_INSN_MACHINE_H
#define TESTS_UNIT_INSN_MACHINE_H

#include "insn.h"

#define RAM_SIZE        0x200000u       /* at guest-physical 0 */
#define TABLES          0x180000u       /* page tables are made from here up */
#define MMIO_BASE       0x200000u       /* as many bytes as RAM */
#define MMIO_SIZE       0x100000u

#define PTE_P           1ull
#define PTE_W           2ull
#define PTE_U           4ull
#define PTE_A           0x20ull
#define PTE_D           0x40ull
#define PTE_PS          0x80ull
#define PTE_NX          (1ull << 63)

#define MAX_LOG         8192

struct access {
    uint64_t gpa;
    unsigned len;
    bool write;
    uint64_t val;                       /* the low 8 bytes */
};

struct machine {
    struct insn_cpu cpu;
    uint8_t *ram;
    uint8_t *mmio;
    struct access log[MAX_LOG];         /* of MMIO */
    unsigned nlog;
    uint8_t vec[32][64];
    uint64_t opmask[8];
    uint8_t fx[INSN_FX_SIZE];           /* but for the XMM registers */
    uint64_t xcr0;
    uint32_t pkru;
    unsigned pkru_asked;
    struct insn_seg system[4];          /* by enum insn_system */
    uint64_t next_table;
    unsigned stop_after;                /* should_stop: true from here on */
    unsigned stop_asked;
    bool no_ram;                        /* everything is MMIO, gpa modulo */
    int fail;                           /* what MMIO returns */
    unsigned dirtied;                   /* bytes told by dirty_gpa */
    uint64_t rom, rom_end;              /* of RAM: can only be read */
    uint8_t *lost;                      /* becomes 0 when it is to be written */
    uint8_t port_data[8192];            /* what INS reads, what OUTS wrote */
    unsigned port_pos, port_calls;
    uint16_t port;
    unsigned port_size;
};

extern const struct insn_ops machine_ops;

struct machine *machine_new(void);
void machine_free(struct machine *m);

/* Modes; all of them with a flat address space. */
void machine_mode64(struct machine *m);         /* 4-level paging, ring 0 */
void machine_mode32(struct machine *m);         /* no paging */
void machine_mode16(struct machine *m);         /* protected, no paging */
void machine_real(struct machine *m);

/* Map one 4 KiB page with 4-level paging. */
void machine_map(struct machine *m, uint64_t gva, uint64_t gpa,
                 uint64_t flags);

enum insn_status machine_run(struct machine *m, const uint8_t *bytes,
                             unsigned n, struct insn_result *res);

/* "48 8b 03" to bytes; returns how many. */
unsigned parse_hex(const char *hex, uint8_t *bytes);

/* A number from the environment: how long to test */
unsigned from_environment(const char *name, unsigned dflt);

/* A small generator with a seed, so that a failure can be repeated. */
uint64_t rnd(void);
void rnd_seed(uint64_t seed);
uint64_t rnd_state(void);

#endif
