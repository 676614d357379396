/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A guest machine for the tests of the instruction emulator
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

static void *map_gpa(void *opaque, uint64_t gpa, unsigned len, bool write)
{
    struct machine *m = opaque;

    if (m->no_ram || gpa >= RAM_SIZE || len > RAM_SIZE - gpa) {
        return NULL;
    }
    if (write && gpa < m->rom_end && gpa + len > m->rom) {
        return NULL;
    }
    if (write && m->lost == m->ram + gpa) {
        memset(m->lost, 0, len);
        m->lost = NULL;
    }
    return m->ram + gpa;
}

static void dirty_gpa(void *opaque, uint64_t gpa, unsigned len)
{
    struct machine *m = opaque;

    (void)gpa;
    m->dirtied += len;
}

static uint8_t *device(struct machine *m, uint64_t gpa, unsigned len)
{
    if (m->no_ram) {
        return m->mmio + gpa % (MMIO_SIZE - 4096);
    }
    if (gpa >= MMIO_BASE && gpa - MMIO_BASE <= MMIO_SIZE - len) {
        return m->mmio + (gpa - MMIO_BASE);
    }
    return NULL;
}

static void keep(struct machine *m, uint64_t gpa, unsigned len, bool write,
                 const void *buf)
{
    struct access *a = &m->log[m->nlog % MAX_LOG];

    *a = (struct access) { .gpa = gpa, .len = len, .write = write };
    memcpy(&a->val, buf, len < 8 ? len : 8);
    m->nlog++;
}

static int read_gpa(void *opaque, uint64_t gpa, void *buf, unsigned len)
{
    struct machine *m = opaque;
    uint8_t *p = device(m, gpa, len);

    if (m->fail) {
        return m->fail;
    }
    if (p) {
        memcpy(buf, p, len);
    } else {
        memset(buf, 0xff, len);
    }
    keep(m, gpa, len, false, buf);
    return 0;
}

static int write_gpa(void *opaque, uint64_t gpa, const void *buf, unsigned len)
{
    struct machine *m = opaque;
    uint8_t *p = device(m, gpa, len);

    if (m->fail) {
        return m->fail;
    }
    if (p) {
        memcpy(p, buf, len);
    }
    keep(m, gpa, len, true, buf);
    return 0;
}

static int io_read(void *opaque, uint16_t port, unsigned size, unsigned count,
                   void *buf)
{
    struct machine *m = opaque;
    uint8_t *p = buf;
    unsigned i;

    for (i = 0; i < size * count; i++) {
        p[i] = m->port_data[m->port_pos++ % sizeof(m->port_data)];
    }
    m->port = port;
    m->port_size = size;
    m->port_calls++;
    return 0;
}

static int io_write(void *opaque, uint16_t port, unsigned size,
                    unsigned count, const void *buf)
{
    struct machine *m = opaque;
    const uint8_t *p = buf;
    unsigned i;

    for (i = 0; i < size * count; i++) {
        m->port_data[m->port_pos++ % sizeof(m->port_data)] = p[i];
    }
    m->port = port;
    m->port_size = size;
    m->port_calls++;
    return 0;
}

static int read_vec(void *opaque, unsigned idx, void *buf, unsigned len)
{
    struct machine *m = opaque;

    memcpy(buf, m->vec[idx], len);
    return 0;
}

static int write_vec(void *opaque, unsigned idx, const void *buf, unsigned len,
                     bool zero_upper)
{
    struct machine *m = opaque;

    memcpy(m->vec[idx], buf, len);
    if (zero_upper) {
        memset(m->vec[idx] + len, 0, 64 - len);
    }
    return 0;
}

static int read_opmask(void *opaque, unsigned idx, uint64_t *val)
{
    struct machine *m = opaque;

    *val = m->opmask[idx];
    return 0;
}

static int read_mmx(void *opaque, unsigned idx, uint64_t *val)
{
    struct machine *m = opaque;

    memcpy(val, m->fx + 32 + 16 * idx, 8);
    return 0;
}

static int write_mmx(void *opaque, unsigned idx, uint64_t val)
{
    struct machine *m = opaque;

    memcpy(m->fx + 32 + 16 * idx, &val, 8);
    return 0;
}

static int read_xcr0(void *opaque, uint64_t *val)
{
    struct machine *m = opaque;

    *val = m->xcr0;
    return 0;
}

static int read_pkru(void *opaque, uint32_t *val)
{
    struct machine *m = opaque;

    *val = m->pkru;
    m->pkru_asked++;
    return 0;
}

static int read_system(void *opaque, enum insn_system reg,
                       struct insn_seg *val)
{
    struct machine *m = opaque;

    *val = m->system[reg];
    return 0;
}

static int write_system(void *opaque, enum insn_system reg,
                        const struct insn_seg *val)
{
    struct machine *m = opaque;

    m->system[reg] = *val;
    return 0;
}

static int read_fpu(void *opaque, uint8_t image[INSN_FX_SIZE])
{
    struct machine *m = opaque;
    unsigned i;

    memcpy(image, m->fx, INSN_FX_SIZE);
    for (i = 0; i < 16; i++) {
        memcpy(image + 160 + 16 * i, m->vec[i], 16);
    }
    return 0;
}

static int write_fpu(void *opaque, const uint8_t image[INSN_FX_SIZE])
{
    struct machine *m = opaque;
    unsigned i;

    memcpy(m->fx, image, 160);
    for (i = 0; i < 16; i++) {
        memcpy(m->vec[i], image + 160 + 16 * i, 16);
    }
    return 0;
}

static bool should_stop(void *opaque)
{
    struct machine *m = opaque;

    return m->stop_after && ++m->stop_asked >= m->stop_after;
}

const struct insn_ops machine_ops = {
    .map_gpa = map_gpa,
    .dirty_gpa = dirty_gpa,
    .read_gpa = read_gpa,
    .write_gpa = write_gpa,
    .io_read = io_read,
    .io_write = io_write,
    .read_vec = read_vec,
    .write_vec = write_vec,
    .read_opmask = read_opmask,
    .read_mmx = read_mmx,
    .write_mmx = write_mmx,
    .read_xcr0 = read_xcr0,
    .read_pkru = read_pkru,
    .read_system = read_system,
    .write_system = write_system,
    .read_fpu = read_fpu,
    .write_fpu = write_fpu,
    .should_stop = should_stop,
};

struct machine *machine_new(void)
{
    static const uint32_t mxcsr[2] = { 0x1f80, 0xffff };    /* and its mask */
    static const uint16_t fcw = 0x37f;
    struct machine *m = calloc(1, sizeof(*m));

    m->ram = aligned_alloc(4096, RAM_SIZE);
    m->mmio = aligned_alloc(4096, MMIO_SIZE);
    memset(m->ram, 0, RAM_SIZE);
    memset(m->mmio, 0, MMIO_SIZE);
    m->next_table = TABLES;
    m->xcr0 = 0xe7;
    memcpy(m->fx, &fcw, 2);
    memcpy(m->fx + 24, mxcsr, 8);
    return m;
}

void machine_free(struct machine *m)
{
    free(m->ram);
    free(m->mmio);
    free(m);
}

static void segments(struct machine *m, uint16_t cs_attr, uint16_t attr,
                     uint32_t limit)
{
    unsigned i;

    for (i = 0; i < INSN_NSEGS; i++) {
        m->cpu.seg[i] = (struct insn_seg) {
            .limit = limit, .selector = 0x10 + 8 * i,
            .attr = i == INSN_CS ? cs_attr : attr,
        };
    }
    m->cpu.rflags = 2;
    m->cpu.cpl = 0;
    m->cpu.maxphyaddr = 46;
}

void machine_mode64(struct machine *m)
{
    segments(m, 0xa09b, 0xc093, UINT32_MAX);
    m->cpu.cr0 = 0x80010001;
    m->cpu.cr4 = INSN_CR4_PAE | INSN_CR4_OSFXSR | INSN_CR4_OSXSAVE;
    m->cpu.efer = 0x501 | INSN_EFER_NXE;
    if (!m->cpu.cr3) {
        m->cpu.cr3 = m->next_table;
        m->next_table += 4096;
    }
}

void machine_mode32(struct machine *m)
{
    segments(m, 0xc09b, 0xc093, UINT32_MAX);
    m->cpu.cr0 = 1;
    m->cpu.cr4 = INSN_CR4_OSFXSR | INSN_CR4_OSXSAVE;
    m->cpu.efer = 0;
}

void machine_mode16(struct machine *m)
{
    segments(m, 0x009b, 0x0093, UINT16_MAX);
    m->cpu.cr0 = 1;
    m->cpu.cr4 = INSN_CR4_OSFXSR | INSN_CR4_OSXSAVE;
    m->cpu.efer = 0;
}

void machine_real(struct machine *m)
{
    machine_mode16(m);
    m->cpu.cr0 = 0;
}

void machine_map(struct machine *m, uint64_t gva, uint64_t gpa, uint64_t flags)
{
    uint64_t table = m->cpu.cr3;
    int level;

    for (level = 4; level > 1; level--) {
        uint64_t *e = (uint64_t *)(m->ram + table +
                                   (gva >> (12 + 9 * (level - 1)) & 511) * 8);

        if (!(*e & PTE_P)) {
            *e = m->next_table | PTE_P | PTE_W | PTE_U;
            m->next_table += 4096;
        }
        table = *e & 0xffffff000ull;
    }
    *(uint64_t *)(m->ram + table + (gva >> 12 & 511) * 8) = gpa | flags;
}

enum insn_status machine_run(struct machine *m, const uint8_t *bytes,
                             unsigned n, struct insn_result *res)
{
    struct insn_hints hints = { .bytes = bytes, .nbytes = n };

    return insn_execute(&m->cpu, &machine_ops, m, &hints, res);
}

unsigned parse_hex(const char *hex, uint8_t *bytes)
{
    unsigned n = 0, byte;
    int used;

    while (sscanf(hex, "%x%n", &byte, &used) == 1) {
        bytes[n++] = byte;
        hex += used;
    }
    return n;
}

unsigned from_environment(const char *name, unsigned dflt)
{
    const char *val = getenv(name);

    return val ? (unsigned)atoi(val) : dflt;
}

static uint64_t state = 1;

void rnd_seed(uint64_t seed)
{
    state = seed ? seed : 1;
}

uint64_t rnd_state(void)
{
    return state;
}

/* xorshift64* */
uint64_t rnd(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull;
}
