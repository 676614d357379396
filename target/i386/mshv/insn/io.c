/*
 * x86 instruction emulator: IN, OUT, INS, OUTS
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

/*
 * The hypervisor has checked the permission bitmap if the exit was the port's.
 * An exit for another reason with IOPL too low would need the bitmap read here;
 * it cannot happen as long as every port is intercepted.
 */
static enum insn_status check_permission(struct insn_ctx *c)
{
    const struct insn_cpu *cpu = c->cpu;
    unsigned iopl = cpu->rflags >> INSN_IOPL_SHIFT & 3;

    if (c->hints->io_allowed || !(cpu->cr0 & INSN_CR0_PE) ||
        (!(cpu->rflags & INSN_VM) && cpu->cpl <= iopl)) {
        return INSN_DONE;
    }
    return insn_unsupported(c, "port I/O through the permission bitmap");
}

/* There is no 64-bit port I/O. */
static unsigned io_size(const struct insn_ctx *c)
{
    return c->opsize == 8 ? 4 : c->opsize;
}

/*
 * How many of @max elements from offset @off on are one run of bytes in the
 * page of RAM in which @m, the first of them, lies.
 */
static unsigned batch(struct insn_ctx *c, const struct insn_mem *m,
                      uint64_t off, unsigned max)
{
    uint64_t n;

    if (m->nparts != 1 || !m->part[0].host || (c->cpu->rflags & INSN_DF)) {
        return 1;
    }
    n = (INSN_PAGE_SIZE - (m->part[0].gpa & ~INSN_PAGE_MASK)) / m->len;
    if (off + n * m->len - 1 > insn_size_mask(c->adsize)) {
        return 1;
    }
    return n < max ? n : max;
}

/*
 * Resolve as many of @max elements at @seg:@reg as one call of the port can
 * do.  Only the first one may fault now: if the others do not fit the segment,
 * or are not RAM, they are left for later.
 */
static enum insn_status resolve_batch(struct insn_ctx *c, unsigned seg,
                                      unsigned reg, bool write, unsigned max,
                                      struct insn_mem *m, unsigned *n)
{
    uint64_t off = insn_gpr_get(c, reg, c->adsize);
    unsigned size = io_size(c);
    struct insn_mem all;
    enum insn_status st;

    *n = 1;
    st = insn_resolve(c, seg, off, size, write, m);
    if (st == INSN_DONE) {
        *n = batch(c, m, off, max);
    }
    if (*n == 1) {
        return st;
    }
    if (insn_resolve(c, seg, off, *n * size, write, &all) == INSN_DONE &&
        all.nparts == 1 && all.part[0].host) {
        *m = all;
    } else {
        *n = 1;
    }
    return INSN_DONE;
}

static enum insn_status ins_step(struct insn_ctx *c, unsigned max, unsigned *n)
{
    uint8_t buf[INSN_PAGE_SIZE];
    struct insn_mem m;
    enum insn_status st;
    int ret;

    /* The port is read only once it is sure that the data can be stored. */
    st = resolve_batch(c, INSN_ES, INSN_RDI, true, max, &m, n);
    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->io_read(c->opaque, c->cpu->gpr[INSN_RDX], io_size(c), *n,
                          buf);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    st = insn_mem_write(c, &m, buf);
    if (st == INSN_DONE) {
        insn_string_advance(c, INSN_RDI, io_size(c), *n);
    }
    return st;
}

static enum insn_status outs_step(struct insn_ctx *c, unsigned max,
                                  unsigned *n)
{
    unsigned seg = c->seg_override != INSN_NSEGS ? c->seg_override : INSN_DS;
    uint8_t buf[INSN_PAGE_SIZE];
    struct insn_mem m;
    enum insn_status st;
    int ret;

    st = resolve_batch(c, seg, INSN_RSI, false, max, &m, n);
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m, buf);
    }
    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->io_write(c->opaque, c->cpu->gpr[INSN_RDX], io_size(c), *n,
                           buf);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    insn_string_advance(c, INSN_RSI, io_size(c), *n);
    return INSN_DONE;
}

enum insn_status insn_ins(struct insn_ctx *c)
{
    enum insn_status st = check_permission(c);

    return st == INSN_DONE ? insn_string_repeat(c, ins_step, false) : st;
}

enum insn_status insn_outs(struct insn_ctx *c)
{
    enum insn_status st = check_permission(c);

    return st == INSN_DONE ? insn_string_repeat(c, outs_step, false) : st;
}

/* .arg: the port is DX, not the immediate */
static uint16_t port(const struct insn_ctx *c)
{
    return c->op->arg ? c->cpu->gpr[INSN_RDX] : c->imm & 0xff;
}

enum insn_status insn_in(struct insn_ctx *c)
{
    enum insn_status st = check_permission(c);
    uint64_t val = 0;
    int ret;

    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->io_read(c->opaque, port(c), io_size(c), 1, &val);
    if (ret < 0) {
        return insn_error(c, ret);
    }
    insn_gpr_set(c, INSN_RAX, io_size(c), val);
    return INSN_DONE;
}

enum insn_status insn_out(struct insn_ctx *c)
{
    enum insn_status st = check_permission(c);
    uint64_t val = c->cpu->gpr[INSN_RAX];
    int ret;

    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->io_write(c->opaque, port(c), io_size(c), 1, &val);
    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}
