/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: segment descriptors in the GDT and the LDT
 *
 * A processor marks what it loads, as accessed or as busy. If firmware has its
 * GDT in ROM, that is a write to ROM, which exits; and as ROM is, it goes
 * nowhere.
 */

#include "internal.h"

#define DESC_G              (1ull << 55)

enum insn_status insn_raise_selector(struct insn_ctx *c,
                                     enum insn_vector vector, uint16_t sel)
{
    enum insn_status st = insn_raise_ec0(c, vector);

    c->res->fault.error_code = sel & ~3;
    return st;
}

/* The table that @sel is in; an LDT that is not loaded has no limit. */
static enum insn_status find_table(struct insn_ctx *c, uint16_t sel,
                                   struct insn_seg *table, bool *exists)
{
    bool ldt = sel & 4;
    int ret = c->ops->read_system(c->opaque, ldt ? INSN_LDTR : INSN_GDTR,
                                  table);

    *exists = !ldt || (table->attr & INSN_SEG_P);
    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

static enum insn_status read_part(struct insn_ctx *c, uint64_t gva,
                                  uint64_t *val)
{
    struct insn_mem m;
    enum insn_status st = insn_resolve_system(c, gva, sizeof(*val), false, &m);

    return st == INSN_DONE ? insn_mem_read(c, &m, val) : st;
}

enum insn_status insn_find_descriptor(struct insn_ctx *c, uint16_t sel,
                                      struct insn_desc *d, bool *found)
{
    bool lma = c->cpu->efer & INSN_EFER_LMA;
    struct insn_seg table;
    enum insn_status st;

    *d = (struct insn_desc) { .sel = sel };
    *found = false;
    if (!(sel & ~3u)) {
        return INSN_DONE;
    }
    st = find_table(c, sel, &table, found);
    if (st != INSN_DONE || !*found) {
        return st;
    }
    if ((sel | 7u) > table.limit) {
        *found = false;
        return INSN_DONE;
    }
    d->gva = table.base + (sel & ~7u);
    if (!lma) {
        d->gva = (uint32_t)d->gva;
    }
    st = read_part(c, d->gva, &d->low);
    if (st != INSN_DONE || !lma || (d->low & INSN_DESC_S)) {
        return st;
    }
    /* System segments and gates of long mode are twice as long. */
    if ((sel | 7u) + 8 > table.limit) {
        *found = false;
        return INSN_DONE;
    }
    return read_part(c, d->gva + 8, &d->high);
}

enum insn_status insn_get_descriptor(struct insn_ctx *c, uint16_t sel,
                                     struct insn_desc *d)
{
    bool found;
    enum insn_status st = insn_find_descriptor(c, sel, d, &found);

    if (st == INSN_DONE && !found) {
        return insn_raise_selector(c, INSN_VEC_GP, sel);
    }
    return st;
}

enum insn_status insn_mark_descriptor(struct insn_ctx *c, struct insn_desc *d,
                                      uint8_t bits)
{
    uint8_t type = d->low >> 40 | bits;
    struct insn_mem m;
    enum insn_status st;

    if ((d->low >> 40 & bits) == bits) {
        return INSN_DONE;
    }
    st = insn_resolve_system(c, d->gva + 5, sizeof(type), true, &m);
    if (st == INSN_DONE) {
        st = insn_mem_write(c, &m, &type);
    }
    d->low |= (uint64_t)bits << 40;
    return st;
}

uint32_t insn_desc_limit(const struct insn_desc *d)
{
    uint32_t limit = (d->low & 0xffff) | (d->low >> 32 & 0xf0000);

    return d->low & DESC_G ? limit << 12 | 0xfff : limit;
}

struct insn_seg insn_desc_segment(const struct insn_desc *d)
{
    return (struct insn_seg) {
        .base = (d->low >> 16 & 0xffffff) | (d->low >> 32 & 0xff000000) |
                d->high << 32,
        .limit = insn_desc_limit(d),
        .selector = d->sel,
        .attr = d->low >> 40 & 0xf0ff,
    };
}

bool insn_desc_data_allowed(const struct insn_ctx *c,
                            const struct insn_desc *d)
{
    unsigned type = insn_desc_type(d), dpl = insn_desc_dpl(d);
    bool conforming = (d->low & INSN_DESC_S) && (type & 12) == 12;

    return conforming || (dpl >= c->cpu->cpl && dpl >= (d->sel & 3u));
}
