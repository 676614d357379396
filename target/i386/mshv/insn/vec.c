/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: MMX, SSE, AVX and AVX-512 moves
 */

#include "internal.h"

static unsigned vec_reg(const struct insn_ctx *c)
{
    return c->reg | c->evex_r2;
}

static unsigned mem_size(const struct insn_ctx *c)
{
    if ((c->op->arg2 & VA_W8) && c->mode == 8 && c->rex_w) {
        return 8;
    }
    return c->op->arg ? c->op->arg : c->vl;
}

static enum insn_status resolve(struct insn_ctx *c, unsigned len, bool write,
                                struct insn_mem *m)
{
    uint64_t gva;
    enum insn_status st;

    if (c->op->arg2 & VA_ALIGN) {
        st = insn_linear(c, c->seg, c->ea, len, write, &gva);
        if (st == INSN_DONE && (gva & (len - 1))) {
            st = insn_raise_ec0(c, INSN_VEC_GP);
        }
        if (st != INSN_DONE) {
            return st;
        }
    }
    return insn_resolve_ea(c, len, write, m);
}

static enum insn_status load(struct insn_ctx *c, unsigned len, void *buf)
{
    struct insn_mem m;
    enum insn_status st = resolve(c, len, false, &m);

    return st == INSN_DONE ? insn_mem_read(c, &m, buf) : st;
}

static enum insn_status store(struct insn_ctx *c, unsigned len,
                              const void *buf)
{
    struct insn_mem m;
    enum insn_status st = resolve(c, len, true, &m);

    return st == INSN_DONE ? insn_mem_write(c, &m, buf) : st;
}

static enum insn_status get(struct insn_ctx *c, unsigned reg, unsigned len,
                            void *buf)
{
    int ret = c->ops->read_vec(c->opaque, reg, buf, len);

    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

/* SSE leaves the register above 16 bytes alone, VEX and EVEX clear the rest. */
static enum insn_status put(struct insn_ctx *c, unsigned len, const void *buf)
{
    int ret = c->ops->write_vec(c->opaque, vec_reg(c), buf,
                                len < 16 ? 16 : len, c->vex);

    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

/* The first source: VEX.vvvv, or with SSE the destination itself. */
static unsigned first_source(const struct insn_ctx *c)
{
    if (!c->vex) {
        return c->reg;
    }
    return c->mode == 8 ? c->vvvv : c->vvvv & 7;
}

/*
 * Masked moves: elements that the mask does not select are not accessed at all;
 * the others are all resolved before the first is read or written.
 */
struct masked {
    unsigned size, n;
    uint64_t selected;
    struct insn_mem mem[64];
};

/*
 * Some processors name the last byte of a masked store, not the first that
 * faults: here as far as it lies in the page that faults.
 */
static void name_last_byte(struct insn_ctx *c, const struct masked *k)
{
    const struct insn_fault first = c->res->fault;
    unsigned last = 63 - __builtin_clzll(k->selected);
    uint64_t off = (c->ea + last * k->size) & insn_size_mask(c->adsize);
    uint64_t gva = 0;
    enum insn_status st = insn_linear(c, c->seg, off, k->size, true, &gva);

    c->res->fault = first;
    if (first.vector == INSN_VEC_PF) {
        gva += k->size - 1;
        c->res->fault.cr2 =
            st == INSN_DONE && !((gva ^ first.cr2) & INSN_PAGE_MASK)
            ? gva : first.cr2 | ~INSN_PAGE_MASK;
    }
}

static enum insn_status resolve_selected(struct insn_ctx *c, bool write,
                                         struct masked *k)
{
    enum insn_status st = INSN_DONE;
    unsigned i;

    for (i = 0; i < k->n && st == INSN_DONE; i++) {
        if (k->selected >> i & 1) {
            uint64_t off = (c->ea + i * k->size) & insn_size_mask(c->adsize);

            st = insn_resolve(c, c->seg, off, k->size, write, &k->mem[i]);
        }
    }
    if (st == INSN_FAULT && write &&
        insn_habits(c)->masked_store_cr2_is_last) {
        name_last_byte(c, k);
    }
    return st;
}

static enum insn_status read_selected(struct insn_ctx *c,
                                      const struct masked *k, uint8_t *buf)
{
    enum insn_status st = INSN_DONE;
    unsigned i;

    for (i = 0; i < k->n && st == INSN_DONE; i++) {
        if (k->selected >> i & 1) {
            st = insn_mem_read(c, &k->mem[i], buf + i * k->size);
        }
    }
    return st;
}

static enum insn_status write_selected(struct insn_ctx *c,
                                       const struct masked *k,
                                       const uint8_t *buf)
{
    enum insn_status st = INSN_DONE;
    unsigned i;

    for (i = 0; i < k->n && st == INSN_DONE; i++) {
        if (k->selected >> i & 1) {
            st = insn_mem_write(c, &k->mem[i], buf + i * k->size);
        }
    }
    return st;
}

/* Of AVX-512: the opmask register selects, and W and the prefix say what. */
static enum insn_status resolve_opmask(struct insn_ctx *c, bool write,
                                       struct masked *k)
{
    enum insn_status st = INSN_DONE;
    uint64_t gva;
    int ret = c->ops->read_opmask(c->opaque, c->evex_aaa, &k->selected);

    if (ret < 0) {
        return insn_error(c, ret);
    }
    k->size = c->rex_w ? 8 : 4;
    if (c->pp == PP_F2) {
        k->size = c->rex_w ? 2 : 1;
    }
    k->n = c->vl / k->size;
    if (k->n < 64) {
        k->selected &= (1ull << k->n) - 1;
    }
    /* AMD's check no alignment if nothing is selected; of Intel's who knows. */
    if ((c->op->arg2 & VA_ALIGN) && k->selected) {
        st = insn_linear(c, c->seg, c->ea, c->vl, write, &gva);
        if (st == INSN_DONE && (gva & (c->vl - 1))) {
            st = insn_raise_ec0(c, INSN_VEC_GP);
        }
    }
    return st == INSN_DONE ? resolve_selected(c, write, k) : st;
}

static enum insn_status opmask_load(struct insn_ctx *c)
{
    uint8_t buf[64] = { 0 };
    struct masked k;
    enum insn_status st = resolve_opmask(c, false, &k);

    if (st == INSN_DONE && !c->evex_z) {
        st = get(c, vec_reg(c), c->vl, buf);
    }
    if (st == INSN_DONE) {
        st = read_selected(c, &k, buf);
    }
    return st == INSN_DONE ? put(c, c->vl, buf) : st;
}

static enum insn_status opmask_store(struct insn_ctx *c)
{
    uint8_t buf[64];
    struct masked k;
    enum insn_status st = resolve_opmask(c, true, &k);

    if (st == INSN_DONE) {
        st = get(c, vec_reg(c), c->vl, buf);
    }
    return st == INSN_DONE ? write_selected(c, &k, buf) : st;
}

/* .arg: bytes of memory, 0 for the vector's length; the rest becomes zero. */
enum insn_status insn_vec_load(struct insn_ctx *c)
{
    unsigned len = mem_size(c);
    uint8_t buf[64] = { 0 };
    enum insn_status st;

    if (c->evex_aaa) {
        return opmask_load(c);
    }
    st = load(c, len, buf);
    return st == INSN_DONE ? put(c, len, buf) : st;
}

enum insn_status insn_vec_store(struct insn_ctx *c)
{
    unsigned len = mem_size(c);
    uint8_t buf[64];
    enum insn_status st;

    if (c->evex_aaa) {
        return opmask_store(c);
    }
    st = get(c, vec_reg(c), len < 16 ? 16 : len, buf);
    return st == INSN_DONE ? store(c, len, buf) : st;
}

/* MOVLPS, MOVHPS: .arg is the offset of the half, the other one stays. */
enum insn_status insn_vec_load_half(struct insn_ctx *c)
{
    uint8_t buf[16];
    uint64_t val = 0;
    struct insn_mem m;
    enum insn_status st = insn_resolve_ea(c, 8, false, &m);

    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m, &val);
    }
    if (st == INSN_DONE) {
        st = get(c, first_source(c), 16, buf);
    }
    if (st != INSN_DONE) {
        return st;
    }
    memcpy(buf + c->op->arg, &val, 8);
    return put(c, 16, buf);
}

enum insn_status insn_vec_store_half(struct insn_ctx *c)
{
    uint8_t buf[16];
    enum insn_status st = get(c, c->reg, 16, buf);

    return st == INSN_DONE ? store(c, 8, buf + c->op->arg) : st;
}

enum insn_status insn_mmx_load(struct insn_ctx *c)
{
    uint64_t val = 0;
    enum insn_status st = load(c, mem_size(c), &val);
    int ret;

    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->write_mmx(c->opaque, c->reg & 7, val);
    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

enum insn_status insn_mmx_store(struct insn_ctx *c)
{
    uint64_t val;
    int ret = c->ops->read_mmx(c->opaque, c->reg & 7, &val);

    return ret < 0 ? insn_error(c, ret) : store(c, mem_size(c), &val);
}

/*
 * MOVSLDUP, MOVSHDUP, MOVDDUP: .arg is the size of an element; the even ones
 * (with F3 0F 16 the odd ones) are doubled.
 */
enum insn_status insn_vec_dup(struct insn_ctx *c)
{
    unsigned size = c->op->arg, odd = c->opcode == 0x16 ? size : 0, i;
    uint8_t buf[32], out[32];
    /* MOVDDUP reads just the one element that 16 bytes need */
    unsigned len = size == 8 && c->vl == 16 ? 8 : c->vl;
    struct insn_mem m;
    enum insn_status st = INSN_DONE;
    uint64_t gva;

    if (!c->vex && len == 16) {
        st = insn_linear(c, c->seg, c->ea, len, false, &gva);
        if (st == INSN_DONE && (gva & 15)) {
            st = insn_raise_ec0(c, INSN_VEC_GP);
        }
    }
    if (st == INSN_DONE) {
        st = insn_resolve_ea(c, len, false, &m);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m, buf);
    }
    if (st != INSN_DONE) {
        return st;
    }
    for (i = 0; i < c->vl; i += 2 * size) {
        memcpy(out + i, buf + i + odd, size);
        memcpy(out + i + size, buf + i + odd, size);
    }
    return put(c, c->vl, out);
}

enum insn_status insn_vec_broadcast(struct insn_ctx *c)
{
    unsigned size = c->op->arg, i;
    uint8_t buf[32];
    enum insn_status st = load(c, size, buf);

    if (st != INSN_DONE) {
        return st;
    }
    for (i = size; i < c->vl; i += size) {
        memcpy(buf + i, buf, size);
    }
    return put(c, c->vl, buf);
}

/*
 * PMOVZX, PMOVSX: .arg is the size of a source element in the high four bits
 * and of a destination element in the low four.
 */
enum insn_status insn_vec_extend(struct insn_ctx *c)
{
    unsigned from = c->op->arg >> 4, to = c->op->arg & 15;
    unsigned n = c->vl / to, i;
    uint8_t buf[16], out[32];
    struct insn_mem m;
    enum insn_status st = insn_resolve_ea(c, n * from, false, &m);

    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m, buf);
    }
    if (st != INSN_DONE) {
        return st;
    }
    for (i = 0; i < n; i++) {
        uint64_t val = 0;

        memcpy(&val, buf + i * from, from);
        if (c->op->arg2 & VA_SIGN) {
            val = insn_sign_extend(val, from);
        }
        memcpy(out + i * to, &val, to);
    }
    return put(c, c->vl, out);
}

/* PEXTRB and so on: .arg is the size of the element. */
enum insn_status insn_vec_extract(struct insn_ctx *c)
{
    unsigned size = mem_size(c);
    uint8_t buf[16];
    enum insn_status st = get(c, c->reg, 16, buf);

    return st == INSN_DONE ? store(c, size, buf + (c->imm * size & 15)) : st;
}

enum insn_status insn_vec_insert(struct insn_ctx *c)
{
    unsigned size = mem_size(c);
    uint8_t buf[16], val[8];
    enum insn_status st = load(c, size, val);

    if (st == INSN_DONE) {
        st = get(c, first_source(c), 16, buf);
    }
    if (st != INSN_DONE) {
        return st;
    }
    memcpy(buf + (c->imm * size & 15), val, size);
    return put(c, 16, buf);
}

enum insn_status insn_vec_extract128(struct insn_ctx *c)
{
    uint8_t buf[32];
    enum insn_status st = get(c, c->reg, 32, buf);

    return st == INSN_DONE ? store(c, 16, buf + 16 * (c->imm & 1)) : st;
}

enum insn_status insn_vec_insert128(struct insn_ctx *c)
{
    uint8_t buf[32], val[16];
    enum insn_status st = load(c, 16, val);

    if (st == INSN_DONE) {
        st = get(c, first_source(c), 32, buf);
    }
    if (st != INSN_DONE) {
        return st;
    }
    memcpy(buf + 16 * (c->imm & 1), val, 16);
    return put(c, 32, buf);
}

/*
 * VMASKMOV, VPMASKMOV: .arg is the size of an element.  Those are selected
 * whose mask has the top bit set.
 */
static enum insn_status resolve_masked(struct insn_ctx *c, bool write,
                                       struct masked *k)
{
    uint8_t mask[32];
    enum insn_status st = get(c, first_source(c), c->vl, mask);
    unsigned i;

    k->size = mem_size(c);
    k->n = c->vl / k->size;
    k->selected = 0;
    for (i = 0; i < k->n; i++) {
        k->selected |= (uint64_t)(mask[(i + 1) * k->size - 1] >> 7) << i;
    }
    return st == INSN_DONE ? resolve_selected(c, write, k) : st;
}

enum insn_status insn_vec_maskmov_load(struct insn_ctx *c)
{
    uint8_t buf[32] = { 0 };
    struct masked k;
    enum insn_status st = resolve_masked(c, false, &k);

    if (st == INSN_DONE) {
        st = read_selected(c, &k, buf);
    }
    return st == INSN_DONE ? put(c, c->vl, buf) : st;
}

enum insn_status insn_vec_maskmov_store(struct insn_ctx *c)
{
    uint8_t buf[32];
    struct masked k;
    enum insn_status st = resolve_masked(c, true, &k);

    if (st == INSN_DONE) {
        st = get(c, c->reg, c->vl, buf);
    }
    return st == INSN_DONE ? write_selected(c, &k, buf) : st;
}

static uint64_t lane(unsigned op, uint64_t a, uint64_t b, unsigned size)
{
    int64_t sa = insn_sign_extend(a, size), sb = insn_sign_extend(b, size);

    switch (op) {
    case LANE_AND:
        return a & b;
    case LANE_ANDN:
        return ~a & b;
    case LANE_OR:
        return a | b;
    case LANE_XOR:
        return a ^ b;
    case LANE_ADD:
        return a + b;
    case LANE_SUB:
        return a - b;
    case LANE_EQ:
        return a == b ? UINT64_MAX : 0;
    case LANE_GT:
        return sa > sb ? UINT64_MAX : 0;
    case LANE_MINU:
        return a < b ? a : b;
    default:
        return a > b ? a : b;
    }
}

/*
 * What compilers and C libraries make of loops over bytes: the memory operand
 * is the second source of a lane-wise operation.  SSE demands alignment.
 */
enum insn_status insn_vec_lanes(struct insn_ctx *c)
{
    unsigned size = c->op->arg2, i;
    uint8_t a[32], b[32];
    struct insn_mem m;
    enum insn_status st;
    uint64_t gva;

    st = insn_linear(c, c->seg, c->ea, c->vl, false, &gva);
    if (st == INSN_DONE && !c->vex && (gva & 15)) {
        st = insn_raise_ec0(c, INSN_VEC_GP);
    }
    if (st == INSN_DONE) {
        st = insn_resolve_ea(c, c->vl, false, &m);
    }
    if (st == INSN_DONE) {
        st = insn_mem_read(c, &m, b);
    }
    if (st == INSN_DONE) {
        st = get(c, first_source(c), c->vl, a);
    }
    if (st != INSN_DONE) {
        return st;
    }
    for (i = 0; i < c->vl; i += size) {
        uint64_t va = 0, vb = 0, res;

        memcpy(&va, a + i, size);
        memcpy(&vb, b + i, size);
        res = lane(c->op->arg, va, vb, size);
        memcpy(a + i, &res, size);
    }
    return put(c, c->vl, a);
}
