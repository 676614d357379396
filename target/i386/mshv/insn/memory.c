/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: memory operands
 *
 * An operand is resolved first: segment, paging, both pages if it crosses into
 * a second one.  Only then is it read or written, so a fault leaves no trace.
 */

#include "internal.h"

/* Has the hypervisor, or an earlier element, translated this page already? */
static bool known_page(struct insn_ctx *c, uint64_t page, bool write,
                       uint64_t *gpa)
{
    const struct insn_hints *h = c->hints;
    unsigned i;

    /*
     * An access of the processor's own says nothing about what a program may
     * do, and the exit may have been for such a one.
     */
    if (c->implicit) {
        return false;
    }
    if (h->gva_valid && !(c->op->flags & IF_SYSTEM) &&
        (h->gva & INSN_PAGE_MASK) == page && (!write || h->gva_write)) {
        *gpa = h->gpa & INSN_PAGE_MASK;
        return true;
    }
    /* What may be written may be read. */
    for (i = write; i < 2; i++) {
        if (c->xlat[i].valid && c->xlat[i].gva == page) {
            *gpa = c->xlat[i].gpa;
            return true;
        }
    }
    return false;
}

static enum insn_status translate(struct insn_ctx *c, uint64_t gva,
                                  bool write, uint64_t *gpa)
{
    uint64_t page = gva & INSN_PAGE_MASK, base;
    enum insn_status st;

    if (!known_page(c, page, write, &base)) {
        st = insn_translate(c->cpu, c->ops, c->opaque, gva,
                            write ? INSN_WRITE : INSN_READ,
                            c->implicit ? INSN_XLAT_IMPLICIT : 0, &base,
                            c->res);
        if (st != INSN_DONE) {
            return st;
        }
        base &= INSN_PAGE_MASK;
        if (!c->implicit) {
            c->xlat[write] = (struct insn_xlat) { true, page, base };
        }
    }
    *gpa = base | (gva & ~INSN_PAGE_MASK);
    return INSN_DONE;
}

/* Elements of a repeated instruction share a page, and ask for it once. */
static void *map(struct insn_ctx *c, uint64_t gpa, unsigned len, bool write)
{
    struct insn_ram *ram = &c->ram[write];
    uint64_t page = gpa & INSN_PAGE_MASK;
    void *host;

    if (ram->host && ram->gpa == page) {
        return ram->host + (gpa - page);
    }
    host = c->ops->map_gpa(c->opaque, gpa, len, write);
    if (host && (c->pfx & (PFX_REP | PFX_REPNE))) {
        ram->gpa = page;
        ram->host = c->ops->map_gpa(c->opaque, page, INSN_PAGE_SIZE, write);
    }
    return host;
}

enum insn_status insn_resolve_linear(struct insn_ctx *c, uint64_t gva,
                                     unsigned len, bool write,
                                     struct insn_mem *m)
{
    unsigned done = 0, i;
    enum insn_status st;

    m->len = len;
    if ((gva & ~INSN_PAGE_MASK) + len <= INSN_PAGE_SIZE) {
        m->nparts = 1;
        m->part[0].len = len;
        st = translate(c, gva, write, &m->part[0].gpa);
        if (st == INSN_DONE) {
            m->part[0].host = map(c, m->part[0].gpa, len, write);
        }
        return st;
    }
    for (m->nparts = 0; done < len; m->nparts++) {
        unsigned left = INSN_PAGE_SIZE - (gva & ~INSN_PAGE_MASK);
        unsigned n = len - done < left ? len - done : left;

        st = translate(c, gva, write, &m->part[m->nparts].gpa);
        if (st != INSN_DONE) {
            return st;
        }
        m->part[m->nparts].len = n;
        done += n;
        gva += n;
        if (c->mode != 8) {
            gva = (uint32_t)gva;
        }
    }
    for (i = 0; i < m->nparts; i++) {
        m->part[i].host = map(c, m->part[i].gpa, m->part[i].len, write);
    }
    return INSN_DONE;
}

enum insn_status insn_resolve_system(struct insn_ctx *c, uint64_t gva,
                                     unsigned len, bool write,
                                     struct insn_mem *m)
{
    enum insn_status st;

    c->implicit = true;
    st = insn_resolve_linear(c, gva, len, write, m);
    c->implicit = false;
    return st;
}

enum insn_status insn_resolve(struct insn_ctx *c, unsigned seg, uint64_t off,
                              unsigned len, bool write, struct insn_mem *m)
{
    enum insn_status st;
    uint64_t gva;

    st = insn_linear(c, seg, off, len, write, &gva);
    return st == INSN_DONE ? insn_resolve_linear(c, gva, len, write, m) : st;
}

enum insn_status insn_resolve_ea(struct insn_ctx *c, unsigned len, bool write,
                                 struct insn_mem *m)
{
    return insn_resolve(c, c->seg, c->ea, len, write, m);
}

enum insn_status insn_mem_read(struct insn_ctx *c, const struct insn_mem *m,
                               void *buf)
{
    uint8_t *p = buf;
    unsigned i;

    for (i = 0; i < m->nparts; i++) {
        unsigned len = m->part[i].len;

        if (m->part[i].host) {
            insn_host_load(m->part[i].host, p, len);
        } else {
            int ret = c->ops->read_gpa(c->opaque, m->part[i].gpa, p, len);

            if (ret < 0) {
                return insn_error(c, ret);
            }
        }
        p += len;
    }
    return INSN_DONE;
}

static void stored(struct insn_ctx *c, uint64_t gpa, unsigned len)
{
    if (c->ops->dirty_gpa) {
        c->ops->dirty_gpa(c->opaque, gpa, len);
    }
}

enum insn_status insn_mem_write(struct insn_ctx *c, const struct insn_mem *m,
                                const void *buf)
{
    const uint8_t *p = buf;
    unsigned i;

    for (i = 0; i < m->nparts; i++) {
        unsigned len = m->part[i].len;

        if (m->part[i].host) {
            insn_host_store(m->part[i].host, p, len);
            stored(c, m->part[i].gpa, len);
        } else {
            int ret = c->ops->write_gpa(c->opaque, m->part[i].gpa, p, len);

            if (ret < 0) {
                return insn_error(c, ret);
            }
        }
        p += len;
    }
    return INSN_DONE;
}

enum insn_status insn_mem_cas(struct insn_ctx *c, const struct insn_mem *m,
                              const void *old, const void *val, bool *done)
{
    *done = true;
    if (m->nparts != 1 || !m->part[0].host) {
        return insn_mem_write(c, m, val);
    }
    *done = insn_host_cas(m->part[0].host, m->len, old, val);
    if (*done) {
        stored(c, m->part[0].gpa, m->len);
    }
    return INSN_DONE;
}
