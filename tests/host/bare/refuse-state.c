/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bad hypercalls: the state that may not change. */
#include "refuse.h"

#define PROBE       ((uint8_t *)(ARENA + 0x20 * PAGE))

static uint64_t mix(uint64_t h, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n--) {
        h = (h ^ *p++) * 0x100000001b3ull;
    }
    return h;
}

static uint64_t probe(uint64_t h, uint64_t control, uint64_t in0, uint64_t in1,
                      uint64_t in2, size_t out)
{
    uint64_t list[48] __attribute__((aligned(512))) = { in0, in1, in2 }, rax;

    memset(PROBE, 0, PAGE);
    rax = hypercall(control, (uint64_t)list, (uint64_t)PROBE);
    return mix(mix(h, &rax, sizeof(rax)), PROBE, out);
}

static uint64_t probe_fast(uint64_t h, uint16_t code, uint64_t in0,
                           uint64_t in1)
{
    uint64_t rax = hypercall(code | 1 << 16, in0, in1);

    return mix(h, &rax, sizeof(rax));
}

static uint64_t probe_registers(uint64_t h, uint64_t id, uint32_t vp)
{
    static const struct {
        uint32_t first, n;
    } sets[] = {
        { 0, 2 }, { 3, 2 }, { 0x210, 6 }, { 0x10002, 5 }, { 0x20000, 18 },
        { 0x30000, 26 }, { 0x40000, 6 }, { 0x50000, 6 }, { 0x60000, 8 },
        { 0x70000, 2 }, { 0x80000, 15 }, { 0x80010, 8 }, { 0x80040, 8 },
        { 0x80070, 12 }, { 0x90001, 4 }, { 0xa0000, 21 }, { 0xb0000, 8 },
    };

    for (unsigned i = 0; i < ARRAY(sets); i++) {
        struct {
            uint64_t id;
            uint32_t vp, vtl, name[32];
        } in __attribute__((aligned(256))) = { id, vp, 0, { 0 } };

        for (unsigned j = 0; j < sets[i].n; j++) {
            in.name[j] = sets[i].first + j;
        }
        memset(PROBE, 0, PAGE);
        hypercall(0x50 | (uint64_t)sets[i].n << 32, (uint64_t)&in,
                  (uint64_t)PROBE);
        h = mix(h, PROBE, 16 * sets[i].n);
    }
    return h;
}

uint64_t digest(const Ids *ids)
{
    static const uint32_t properties[] = {
        0x10000, 0x10001, 0x30003, 0x50003, 0x50005, 0x50017, 0x70000,
    };
    uint64_t h = 0xcbf29ce484222325ull, *counters = (void *)PROBE;
    uint64_t a = ids->a;

    for (unsigned i = 0; i < ARRAY(properties); i++) {
        h = probe(h, 0x44, a, properties[i], 0, 8);
        h = probe(h, 0x44, ids->created, properties[i], 0, 8);
    }
    h = probe(h, 0x44, a, 0x30005, 0, 8);
    h = probe_registers(h, a, 0);
    h = probe_registers(h, a, 1);
    h = probe(h, 0xc9 | 45ull << 32, a, 0, 0, 45);
    h = probe(h, 0xf4 | 1ull << 32, a, 0, 0, 16);
    /* VPs, ports and connections that must not exist */
    h = probe(h, 0x4f, a, 2, 0, 0);
    h = probe(h, 0x4f, a, 3, 0, 0);
    h = probe_fast(h, 0x58, SELF, 6);
    h = probe_fast(h, 0x5b, a, 6 | 1ull << 32);
    /* The local APIC, by page, and the timers */
    h = probe(h, 0xe3 | 1 << 17, a, 0, 0x80000000, 0);
    h = probe(h, 0xe3, a, 0, 4, 200);
    /* Counters: VPs, deposited pages, mapped pages; children of the parent */
    probe(0, 0x131, 0x10002, a, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct {
            uint64_t type, id, vp, pfn;
        } in __attribute__((aligned(32))) = {
            0x10001, i ? SELF : a, 0, (uint64_t)PROBE / PAGE
        };

        hypercall(0x131, (uint64_t)&in, 0);
        h = mix(h, counters + 1, 8);
        h = mix(h, counters + 5, 16);
        h = mix(h, counters + 46, 8);
        hypercall(0x6d, (uint64_t)&in, 0);
    }
    return h;
}
