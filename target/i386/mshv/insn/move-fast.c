/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: a short cut for the moves that drivers make
 *
 * Nearly all exits by memory are a MOV of 64-bit code between a register or an
 * immediate and a device's register.  This knows those forms and no others:
 * what it does not know goes the long way, with the same result.
 */

#include "internal.h"

/* REX and 0x66 are what these forms may have before the opcode. */
struct prefixes {
    uint8_t rex;
    bool word;
};

static unsigned parse_prefixes(const uint8_t *b, struct prefixes *p)
{
    unsigned n = 0;

    p->word = b[0] == 0x66;
    n += p->word;
    p->rex = (b[n] & 0xf0) == 0x40 ? b[n] : 0;
    return n + (p->rex != 0);
}

static int32_t disp32(const uint8_t *b)
{
    int32_t disp;

    memcpy(&disp, b, sizeof(disp));
    return disp;
}

/*
 * The address of the memory operand whose ModRM is at @b; returns the bytes
 * that it takes, 0 for a register or an address that needs RIP.
 */
static unsigned parse_address(const uint8_t *b, uint8_t rex,
                              struct insn_move *m)
{
    unsigned mod = b[0] >> 6, rm = b[0] & 7, base = rm, n = 1;

    m->displacement = 0;
    m->base_mask = UINT64_MAX;
    m->index = m->scale = 0;
    m->index_mask = 0;
    if (mod == 3 || (mod == 0 && rm == 5)) {
        return 0;
    }
    if (rm == 4) {
        m->index = (b[1] >> 3 & 7) | (rex & 2) << 2;
        m->index_mask = m->index == INSN_RSP ? 0 : UINT64_MAX;
        m->scale = b[1] >> 6;
        base = b[1] & 7;
        n = 2;
    }
    if (mod == 0 && base == 5) {
        mod = 2;                /* a displacement and no base */
        m->base_mask = 0;
    }
    m->base = base | (rex & 1) << 3;
    if (mod == 1) {
        m->displacement = (int8_t)b[n];
        n += 1;
    } else if (mod == 2) {
        m->displacement = (int64_t)disp32(b + n);
        n += 4;
    }
    return n;
}

/* The register field as the 8-bit register that it is without REX, or not. */
static bool byte_register(struct insn_move *m, uint8_t rex)
{
    return m->size != 1 || rex || m->reg < 4;
}

bool insn_decode_move(const uint8_t *bytes, unsigned nbytes,
                      struct insn_move *m)
{
    struct prefixes p;
    unsigned n, used;
    uint8_t opcode;

    if (nbytes < INSN_MAX_LEN) {
        return false;           /* no test for the end below */
    }
    n = parse_prefixes(bytes, &p);
    opcode = bytes[n++];
    m->size = p.rex & 8 ? 8 : p.word ? 2 : 4;
    m->reg_size = m->size;
    m->has_immediate = false;
    switch (opcode) {
    case 0x88:
    case 0x8a:
        m->size = m->reg_size = 1;
        break;
    case 0x89:
    case 0x8b:
        break;
    case 0xc6:
        m->size = 1;
        m->has_immediate = true;
        break;
    case 0xc7:
        m->has_immediate = true;
        break;
    case 0x0f:                  /* MOVZX */
        opcode = bytes[n++];
        if (opcode != 0xb6 && opcode != 0xb7) {
            return false;
        }
        m->size = opcode == 0xb6 ? 1 : 2;
        break;
    default:
        return false;
    }
    m->write = opcode == 0x88 || opcode == 0x89 || m->has_immediate;
    m->reg = (bytes[n] >> 3 & 7) | (p.rex & 4) << 1;
    used = parse_address(bytes + n, p.rex, m);
    if (!used || (m->has_immediate && (m->reg & 7)) ||
        (m->reg_size == 1 && !m->has_immediate && !byte_register(m, p.rex))) {
        return false;
    }
    n += used;
    if (m->has_immediate) {
        m->immediate = m->size == 1 ? bytes[n] :
                   m->size == 2 ? (uint16_t)(bytes[n] | bytes[n + 1] << 8) :
                   (uint64_t)(int64_t)disp32(bytes + n);
        n += m->size > 4 ? 4 : m->size;
    }
    m->length = n;
    return n <= INSN_MAX_LEN;
}
