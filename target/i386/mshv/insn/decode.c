/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: prefixes, opcode lookup, operands
 */

#include "internal.h"

static bool apply_prefix(struct insn_ctx *c, uint8_t byte)
{
    switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
        /* In 64-bit mode these four have no effect. */
        if (c->mode != 8) {
            c->seg_override = byte >> 3 & 3;
        }
        break;
    case 0x64:
    case 0x65:
        c->seg_override = byte - 0x64 + INSN_FS;
        break;
    case 0x66:
        c->pfx |= PFX_66;
        break;
    case 0x67:
        c->pfx |= PFX_67;
        break;
    case 0xf0:
        c->pfx |= PFX_LOCK;
        break;
    case 0xf2:
        c->pfx = (c->pfx & ~PFX_REP) | PFX_REPNE;
        break;
    case 0xf3:
        c->pfx = (c->pfx & ~PFX_REPNE) | PFX_REP;
        break;
    default:
        return false;
    }
    return true;
}

static void apply_rex(struct insn_ctx *c, uint8_t rex)
{
    c->pfx |= PFX_REX;
    c->rex_w = rex & 8;
    c->rex_r = rex << 1 & 8;
    c->rex_x = rex << 2 & 8;
    c->rex_b = rex << 3 & 8;
}

/* Legacy prefixes and REX; *@byte is the first byte that is neither. */
static enum insn_status decode_prefixes(struct insn_ctx *c, uint64_t *byte)
{
    uint8_t rex = 0;

    for (;;) {
        enum insn_status st = insn_fetch(c, 1, byte);

        if (st != INSN_DONE) {
            return st;
        }
        if (apply_prefix(c, *byte)) {
            rex = 0;            /* REX counts only right before the opcode */
        } else if (c->mode == 8 && (*byte & 0xf0) == 0x40) {
            rex = *byte;
        } else {
            break;
        }
    }
    if (rex) {
        apply_rex(c, rex);
    }
    if (c->pfx & PFX_REP) {
        c->pp = PP_F3;
    } else if (c->pfx & PFX_REPNE) {
        c->pp = PP_F2;
    } else {
        c->pp = c->pfx & PFX_66 ? PP_66 : PP_NONE;
    }
    c->adsize = c->mode;
    if (c->pfx & PFX_67) {
        c->adsize = c->mode == 4 ? 2 : 4;
    }
    return INSN_DONE;
}

/*
 * Are C4, C5 and 62 the first byte of a VEX or EVEX prefix here?  Outside
 * 64-bit mode they are LES, LDS and BOUND, unless the next byte would make
 * their ModRM operand a register.
 */
static enum insn_status is_vex(struct insn_ctx *c, uint8_t byte, bool *vex)
{
    uint64_t next;
    enum insn_status st;

    *vex = false;
    if (byte != 0xc4 && byte != 0xc5 && byte != 0x62) {
        return INSN_DONE;
    }
    st = insn_fetch(c, 1, &next);
    if (st == INSN_DONE) {
        c->res->len--;
        *vex = c->mode == 8 || next >= 0xc0;
    }
    return st;
}

/* The fields that VEX.3 and EVEX share: R, X, B and the map in @b1. */
static void vex_rxb(struct insn_ctx *c, uint8_t b1)
{
    if (c->mode == 8) {
        c->rex_r = b1 & 0x80 ? 0 : 8;
        c->rex_x = b1 & 0x40 ? 0 : 8;
        c->rex_b = b1 & 0x20 ? 0 : 8;
    }
}

/* W, vvvv and pp, as in the last byte of VEX and the third of EVEX. */
static void vex_wvp(struct insn_ctx *c, uint8_t b)
{
    c->rex_w = b & 0x80;
    c->vvvv = ~b >> 3 & 15;
    c->pp = b & 3;
}

static enum insn_status decode_evex(struct insn_ctx *c, uint8_t *map)
{
    enum insn_status st;
    uint64_t b;

    st = insn_fetch(c, 3, &b);
    if (st != INSN_DONE) {
        return st;
    }
    if ((b & 0x08) || !(b & 0x0400)) {
        return insn_raise(c, INSN_VEC_UD);
    }
    c->evex = true;
    *map = b & 7;
    vex_rxb(c, b);
    vex_wvp(c, b >> 8);
    if (c->mode == 8) {
        c->evex_r2 = b & 0x10 ? 0 : 16;
    }
    b >>= 16;
    c->evex_z = b & 0x80;
    c->evex_b = b & 0x10;
    c->evex_v2 = !(b & 0x08);
    c->evex_aaa = b & 7;
    if ((b >> 5 & 3) == 3) {
        return insn_raise(c, INSN_VEC_UD);
    }
    c->vl = 16 << (b >> 5 & 3);
    return INSN_DONE;
}

static enum insn_status decode_vex(struct insn_ctx *c, uint8_t byte,
                                   uint8_t *map)
{
    enum insn_status st;
    uint64_t b;

    if (c->real ||
        (c->pfx & (PFX_66 | PFX_LOCK | PFX_REP | PFX_REPNE | PFX_REX))) {
        return insn_raise(c, INSN_VEC_UD);
    }
    c->vex = true;
    if (byte == 0x62) {
        return decode_evex(c, map);
    }
    st = insn_fetch(c, byte == 0xc5 ? 1 : 2, &b);
    if (st != INSN_DONE) {
        return st;
    }
    if (byte == 0xc5) {
        *map = 1;
        vex_rxb(c, b | 0x60);
        vex_wvp(c, b & 0x7f);
    } else {
        *map = b & 0x1f;
        vex_rxb(c, b);
        b >>= 8;
        vex_wvp(c, b);
    }
    c->vl = b & 4 ? 32 : 16;
    return INSN_DONE;
}

static bool row_matches(const struct insn_ctx *c, const struct insn_row *r,
                        uint8_t map)
{
    unsigned encoding = IR_LEG;

    if (c->evex) {
        encoding = IR_EVEX;
    } else if (c->vex) {
        encoding = c->vl == 32 ? IR_V256 : IR_V128;
    }
    return r->map == map && r->opcode == c->opcode &&
           (r->pp >> c->pp & 1) && (r->row & encoding) &&
           !((r->row & IR_W0) && c->rex_w) && !((r->row & IR_W1) && !c->rex_w);
}

/* The entry for opcode byte c->opcode of @map (0: one-byte opcodes). */
static const struct insn_opcode *lookup(struct insn_ctx *c, uint8_t map)
{
    unsigned i;

    if (map == 0) {
        return &insn_map1[c->opcode];
    }
    if (map == 1 && !c->vex && insn_map0f[c->opcode].flags) {
        return &insn_map0f[c->opcode];
    }
    for (i = 0; i < insn_nrows; i++) {
        if (row_matches(c, &insn_rows[i], map)) {
            c->row = insn_rows[i].row;
            return &insn_rows[i].op;
        }
    }
    return NULL;
}

static enum insn_status decode_opcode(struct insn_ctx *c)
{
    enum insn_status st;
    uint8_t map = 0;
    uint64_t byte;
    bool vex;

    st = decode_prefixes(c, &byte);
    if (st == INSN_DONE) {
        st = is_vex(c, byte, &vex);
    }
    if (st != INSN_DONE) {
        return st;
    }
    if (vex) {
        st = decode_vex(c, byte, &map);
        if (st == INSN_DONE) {
            st = insn_fetch(c, 1, &byte);
        }
    } else if (byte == 0x0f) {
        map = 1;
        st = insn_fetch(c, 1, &byte);
        if (st == INSN_DONE && (byte == 0x38 || byte == 0x3a)) {
            map = byte == 0x38 ? 2 : 3;
            st = insn_fetch(c, 1, &byte);
        }
    }
    if (st != INSN_DONE) {
        return st;
    }
    c->opcode = byte;
    c->op = lookup(c, map);
    if (c->op && (c->op->flags & IF_NOT64) && c->mode == 8) {
        return insn_raise(c, INSN_VEC_UD);
    }
    if (!c->op || !(c->op->fn || (c->op->flags & IF_GROUP))) {
        return insn_unsupported(c, "unknown opcode");
    }
    return INSN_DONE;
}

static enum insn_status decode_modrm_byte(struct insn_ctx *c)
{
    enum insn_status st;
    uint64_t modrm;

    st = insn_fetch(c, 1, &modrm);
    if (st != INSN_DONE) {
        return st;
    }
    c->mod = modrm >> 6;
    c->reg = (modrm >> 3 & 7) | c->rex_r;
    c->rm = (modrm & 7) | c->rex_b;
    if (c->op->flags & IF_GROUP) {
        c->op = &c->op->group[c->reg & 7];
        if (!c->op->fn) {
            return insn_unsupported(c, "unknown opcode in group");
        }
    }
    if ((c->op->flags & IF_MEM) && c->mod == 3) {
        return insn_unsupported(c, "register form without memory operand");
    }
    return INSN_DONE;
}

static void set_operand_size(struct insn_ctx *c)
{
    unsigned flags = c->op->flags;

    if (flags & IF_BYTE) {
        c->opsize = 1;
    } else if (c->mode == 8 && c->rex_w) {
        c->opsize = 8;
    } else if (c->mode == 8 && (flags & (IF_D64 | IF_NEAR))) {
        bool ignored = (flags & IF_NEAR) &&
                       insn_habits(c)->near_branch_ignores_66;

        c->opsize = (c->pfx & PFX_66) && !ignored ? 2 : 8;
    } else {
        c->opsize = (c->mode == 2) == !(c->pfx & PFX_66) ? 2 : 4;
    }
}

static enum insn_status decode_moffs(struct insn_ctx *c)
{
    c->mem = true;
    c->seg = c->seg_override != INSN_NSEGS ? c->seg_override : INSN_DS;
    return insn_fetch(c, c->adsize, &c->ea);
}

static enum insn_status decode_immediate(struct insn_ctx *c)
{
    unsigned flags = c->op->flags, size;
    enum insn_status st;

    if ((flags & IF_IMM8) && (flags & IF_IMM16)) {
        size = 3;               /* ENTER has both */
    } else if (flags & IF_IMM8) {
        size = 1;
    } else if (flags & IF_IMM16) {
        size = 2;
    } else if (flags & IF_IMMZ) {
        size = c->opsize == 8 ? 4 : c->opsize;
    } else {
        return INSN_DONE;
    }
    st = insn_fetch(c, size, &c->imm);
    c->imm = insn_sign_extend(c->imm, size);
    return st;
}

/* What is illegal whatever the operands are. */
static enum insn_status check_encoding(struct insn_ctx *c)
{
    unsigned flags = c->op->flags;

    if (((c->pfx & PFX_LOCK) && !(c->mem && (flags & IF_LOCK))) ||
        ((flags & IF_ONLY64) && c->mode != 8) ||
        ((flags & IF_PROT) && c->real) ||
        (c->vex && !(c->row & IR_VVVV) && (c->vvvv || c->evex_v2))) {
        return insn_raise(c, INSN_VEC_UD);
    }
    return INSN_DONE;
}

/* Decode the instruction at CS:RIP into @c. */
enum insn_status insn_decode_bytes(struct insn_ctx *c)
{
    enum insn_status st = decode_opcode(c);

    if (st == INSN_DONE && (c->op->flags & IF_MODRM)) {
        st = decode_modrm_byte(c);
    }
    if (st != INSN_DONE) {
        return st;
    }
    set_operand_size(c);
    c->disp8_scale = c->evex ? c->vl : 1;
    if (c->op->flags & IF_MODRM) {
        st = insn_decode_modrm(c);
    } else if (c->op->flags & IF_MOFFS) {
        st = decode_moffs(c);
    }
    if (st == INSN_DONE) {
        st = decode_immediate(c);
    }
    if (st != INSN_DONE) {
        return st;
    }
    c->next_rip = c->cpu->rip + c->res->len;
    if (c->mode != 8) {
        c->next_rip = (uint32_t)c->next_rip;
    }
    if (c->rip_relative) {
        c->ea += c->next_rip;
    }
    c->ea &= insn_size_mask(c->adsize);
    return check_encoding(c);
}
