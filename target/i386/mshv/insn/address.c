/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: code fetch, ModRM addressing, linear addresses
 */

#include "internal.h"

/* Copy the code at linear address @gva to @buf: at least one byte of @max. */
static enum insn_status read_code(struct insn_ctx *c, uint64_t gva,
                                  unsigned max, uint8_t *buf, unsigned *n)
{
    unsigned in_page = INSN_PAGE_SIZE - (gva & ~INSN_PAGE_MASK);
    enum insn_status st;
    uint64_t gpa;
    void *host;
    int ret;

    st = insn_translate(c->cpu, c->ops, c->opaque, gva, INSN_FETCH, 0,
                        &gpa, c->res);
    if (st != INSN_DONE) {
        return st;
    }
    *n = max < in_page ? max : in_page;
    host = c->ops->map_gpa(c->opaque, gpa, *n, false);
    if (host) {
        memcpy(buf, host, *n);
        return INSN_DONE;
    }
    /* Code outside RAM: reads may have side effects, so no more than needed. */
    *n = 1;
    ret = c->ops->read_gpa(c->opaque, gpa, buf, 1);
    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

/* Get more of the instruction than the hypervisor gave. */
static enum insn_status fetch_more(struct insn_ctx *c)
{
    const struct insn_seg *cs = &c->cpu->seg[INSN_CS];
    unsigned max = INSN_MAX_LEN - c->nbytes, n;
    uint64_t gva = c->cpu->rip + c->nbytes;
    enum insn_status st;

    if (c->mode == 8) {
        if (!insn_canonical(c->cpu, gva)) {
            return insn_raise_ec0(c, INSN_VEC_GP);
        }
    } else {
        uint64_t off = (uint64_t)(uint32_t)c->cpu->rip + c->nbytes;

        if (off > cs->limit) {
            return insn_raise_ec0(c, INSN_VEC_GP);
        }
        if (max > cs->limit - off) {
            max = cs->limit - off + 1;
        }
        gva = (uint32_t)(cs->base + off);
    }
    st = read_code(c, gva, max, c->res->bytes + c->nbytes, &n);
    if (st == INSN_DONE) {
        c->nbytes += n;
    }
    return st;
}

/* As insn_fetch(), whether the bytes are there or not. */
enum insn_status insn_fetch_slowly(struct insn_ctx *c, unsigned n,
                                   uint64_t *val)
{
    unsigned i;

    *val = 0;
    for (i = 0; i < n; i++) {
        if (c->res->len == INSN_MAX_LEN) {
            return insn_raise_ec0(c, INSN_VEC_GP);
        }
        if (c->res->len == c->nbytes) {
            enum insn_status st = fetch_more(c);

            if (st != INSN_DONE) {
                return st;
            }
        }
        *val |= (uint64_t)c->res->bytes[c->res->len++] << (i * 8);
    }
    return INSN_DONE;
}

static enum insn_status fetch_disp(struct insn_ctx *c, unsigned size)
{
    enum insn_status st;
    uint64_t disp;

    st = insn_fetch(c, size, &disp);
    disp = insn_sign_extend(disp, size);
    c->ea += size == 1 ? disp * c->disp8_scale : disp;
    return st;
}

static enum insn_status modrm_address16(struct insn_ctx *c)
{
    static const struct {
        uint8_t base, index;
    } form[8] = {
        { INSN_RBX, INSN_RSI }, { INSN_RBX, INSN_RDI },
        { INSN_RBP, INSN_RSI }, { INSN_RBP, INSN_RDI },
        { INSN_RSI, INSN_R8 }, { INSN_RDI, INSN_R8 },
        { INSN_RBP, INSN_R8 }, { INSN_RBX, INSN_R8 },
    };
    unsigned rm = c->rm & 7;

    if (c->mod == 0 && rm == 6) {
        return fetch_disp(c, 2);
    }
    c->ea = c->cpu->gpr[form[rm].base];
    if (form[rm].index != INSN_R8) {
        c->ea += c->cpu->gpr[form[rm].index];
    }
    if (form[rm].base == INSN_RBP) {
        c->seg = INSN_SS;
    }
    return c->mod == 0 ? INSN_DONE : fetch_disp(c, c->mod == 1 ? 1 : 2);
}

static uint64_t base_register(struct insn_ctx *c, unsigned base)
{
    uint64_t val = c->cpu->gpr[base];

    if (base == INSN_RSP || base == INSN_RBP) {
        c->seg = INSN_SS;
    }
    if (base == INSN_RSP && (c->op->flags & IF_POPM)) {
        val += c->opsize;
    }
    return val;
}

/* SIB byte; true in *@disp32 if it has a displacement instead of a base. */
static enum insn_status modrm_sib(struct insn_ctx *c, bool *disp32)
{
    unsigned index, base;
    enum insn_status st;
    uint64_t sib;

    st = insn_fetch(c, 1, &sib);
    if (st != INSN_DONE) {
        return st;
    }
    base = sib & 7;
    index = (sib >> 3 & 7) | c->rex_x;
    *disp32 = base == 5 && c->mod == 0;
    if (!*disp32) {
        c->ea = base_register(c, base | c->rex_b);
    }
    if (index != INSN_RSP) {
        c->ea += c->cpu->gpr[index] << (sib >> 6);
    }
    return INSN_DONE;
}

static enum insn_status modrm_address32(struct insn_ctx *c)
{
    unsigned rm = c->rm & 7;
    bool disp32 = false;

    if (rm == 4) {
        enum insn_status st = modrm_sib(c, &disp32);

        if (st != INSN_DONE) {
            return st;
        }
    } else if (rm == 5 && c->mod == 0) {
        c->rip_relative = c->mode == 8;
        disp32 = true;
    } else {
        c->ea = base_register(c, rm | c->rex_b);
    }
    if (c->mod == 1) {
        return fetch_disp(c, 1);
    }
    return disp32 || c->mod == 2 ? fetch_disp(c, 4) : INSN_DONE;
}

/* The memory operand that the ModRM byte, already in @c, describes. */
enum insn_status insn_decode_modrm(struct insn_ctx *c)
{
    enum insn_status st;

    if (c->mod == 3) {
        return INSN_DONE;
    }
    c->mem = true;
    c->seg = INSN_DS;
    st = c->adsize == 2 ? modrm_address16(c) : modrm_address32(c);
    if (c->seg_override != INSN_NSEGS) {
        c->seg = c->seg_override;
    }
    return st;
}

/* Linear address masking: the metadata bits take the value of bit 63. */
static uint64_t untag(const struct insn_cpu *cpu, uint64_t gva)
{
    uint64_t meta = 0;

    if (!(gva >> 63)) {
        if (cpu->cr3 & INSN_CR3_LAM_U57) {
            meta = 0x3full << 57;
        } else if (cpu->cr3 & INSN_CR3_LAM_U48) {
            meta = 0x7fffull << 48;
        }
        return gva & ~meta;
    }
    if (cpu->cr4 & INSN_CR4_LAM_SUP) {
        meta = cpu->cr4 & INSN_CR4_LA57 ? 0x3full << 57 : 0x7fffull << 48;
    }
    return gva | meta;
}

static enum insn_status segment_fault(struct insn_ctx *c, unsigned seg)
{
    return insn_raise_ec0(c, seg == INSN_SS ? INSN_VEC_SS : INSN_VEC_GP);
}

static bool type_allows(const struct insn_seg *s, bool write)
{
    bool code = s->attr & 8, rw = s->attr & 2;

    if (!(s->attr & INSN_SEG_P)) {
        return false;
    }
    return code ? !write && rw : !write || rw;
}

static bool limit_allows(const struct insn_seg *s, bool real, uint64_t off,
                         unsigned len)
{
    uint64_t last = off + len - 1;

    /* expand-down data */
    if (!real && (s->attr & 0xc) == 4) {
        uint64_t top = s->attr & INSN_SEG_DB ? UINT32_MAX : UINT16_MAX;

        return off > s->limit && last <= top;
    }
    return last <= s->limit;
}

/* Check @len bytes at @seg:@off, and give their linear address. */
enum insn_status insn_linear(struct insn_ctx *c, unsigned seg, uint64_t off,
                             unsigned len, bool write, uint64_t *gva)
{
    const struct insn_seg *s = &c->cpu->seg[seg];

    if (c->mode == 8) {
        if (seg == INSN_FS || seg == INSN_GS) {
            off += s->base;
        }
        *gva = untag(c->cpu, off);
        if (!insn_canonical(c->cpu, *gva) ||
            !insn_canonical(c->cpu, *gva + len - 1)) {
            return segment_fault(c, seg);
        }
        return INSN_DONE;
    }
    if ((!c->real && !type_allows(s, write)) ||
        !limit_allows(s, c->real, off, len)) {
        return segment_fault(c, seg);
    }
    *gva = (uint32_t)(s->base + off);
    return INSN_DONE;
}
