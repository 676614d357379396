/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: entry points and faults
 */

#include "internal.h"

enum insn_status insn_raise(struct insn_ctx *c, enum insn_vector vector)
{
    c->res->fault = (struct insn_fault) { .vector = vector };
    return INSN_FAULT;
}

enum insn_status insn_raise_ec0(struct insn_ctx *c, enum insn_vector vector)
{
    c->res->fault = (struct insn_fault) {
        .vector = vector, .has_error_code = true,
    };
    return INSN_FAULT;
}

enum insn_status insn_unsupported(struct insn_ctx *c, const char *why)
{
    c->res->why = why;
    return INSN_UNSUPPORTED;
}

enum insn_status insn_error(struct insn_ctx *c, int err)
{
    c->res->error = err;
    return INSN_ERROR;
}

static void init(struct insn_ctx *c, struct insn_cpu *cpu,
                 const struct insn_ops *ops, void *opaque,
                 const struct insn_hints *hints, struct insn_result *res)
{
    const uint16_t cs = cpu->seg[INSN_CS].attr;

    *res = (struct insn_result) { 0 };
    *c = (struct insn_ctx) {
        .cpu = cpu, .ops = ops, .opaque = opaque, .hints = hints, .res = res,
        .seg_override = INSN_NSEGS,
        .vl = 16,
        .real = !(cpu->cr0 & INSN_CR0_PE) || (cpu->rflags & INSN_VM),
    };
    if ((cpu->efer & INSN_EFER_LMA) && (cs & INSN_SEG_L)) {
        c->mode = 8;
    } else {
        c->mode = cs & INSN_SEG_DB ? 4 : 2;
    }
    c->nbytes = hints->nbytes < INSN_MAX_LEN ? hints->nbytes : INSN_MAX_LEN;
    if (c->nbytes) {
        memcpy(res->bytes, hints->bytes, c->nbytes);
    }
}

/*
 * May the instruction use its vector registers?  VEX needs the XCR0 bits of
 * SSE and AVX, EVEX also those of AVX-512; legacy SSE needs CR4.OSFXSR.
 */
static enum insn_status check_vector(struct insn_ctx *c)
{
    const uint64_t need = c->evex ? 0xe6 : 0x06;
    const struct insn_cpu *cpu = c->cpu;
    uint64_t xcr0 = 0;
    int ret;

    if (!(c->row & (IR_MMX | IR_XMM))) {
        return INSN_DONE;
    }
    if (c->evex && (c->evex_b || (c->evex_z && !c->evex_aaa) ||
                    (c->evex_z && c->op->fn == insn_vec_store) ||
                    (c->evex_aaa && !(c->op->arg2 & VA_MASK)))) {
        return insn_raise(c, INSN_VEC_UD);
    }
    if (c->vex) {
        if (!(cpu->cr4 & INSN_CR4_OSXSAVE)) {
            return insn_raise(c, INSN_VEC_UD);
        }
        ret = c->ops->read_xcr0(c->opaque, &xcr0);
        if (ret < 0) {
            return insn_error(c, ret);
        }
        if ((xcr0 & need) != need) {
            return insn_raise(c, INSN_VEC_UD);
        }
    } else if ((cpu->cr0 & INSN_CR0_EM) ||
               ((c->row & IR_XMM) && !(cpu->cr4 & INSN_CR4_OSFXSR))) {
        return insn_raise(c, INSN_VEC_UD);
    }
    if (cpu->cr0 & INSN_CR0_TS) {
        return insn_raise(c, INSN_VEC_NM);
    }
    return INSN_DONE;
}

static enum insn_status run(struct insn_ctx *c)
{
    enum insn_status st = check_vector(c);

    if (st == INSN_DONE) {
        st = c->op->fn(c);
    }
    if (st == INSN_DONE) {
        c->cpu->rip = c->next_rip;
        c->cpu->dirty |= INSN_DIRTY_RIP;
        if (!c->keep_rf) {
            insn_set_flags(c, c->cpu->rflags & ~(uint64_t)INSN_RF);
        }
    }
    return st;
}

enum insn_status insn_execute(struct insn_cpu *cpu, const struct insn_ops *ops,
                              void *opaque, const struct insn_hints *hints,
                              struct insn_result *res)
{
    struct insn_ctx c;
    enum insn_status st;

    init(&c, cpu, ops, opaque, hints, res);
    st = insn_decode_bytes(&c);
    return st == INSN_DONE ? run(&c) : st;
}

enum insn_status insn_string_io(struct insn_cpu *cpu,
                                const struct insn_ops *ops, void *opaque,
                                const struct insn_hints *hints,
                                uint16_t port, unsigned size, bool in,
                                struct insn_result *res)
{
    struct insn_ctx c;
    enum insn_status st;

    init(&c, cpu, ops, opaque, hints, res);
    st = insn_decode_bytes(&c);
    if (st != INSN_DONE) {
        return st;
    }
    if (c.op->fn != (in ? insn_ins : insn_outs) ||
        (c.opsize > 4 ? 4 : c.opsize) != size ||
        (uint16_t)cpu->gpr[INSN_RDX] != port) {
        return INSN_PARTIAL;
    }
    return run(&c);
}

enum insn_status insn_decode(struct insn_cpu *cpu, const struct insn_ops *ops,
                             void *opaque, const struct insn_hints *hints,
                             struct insn_result *res)
{
    struct insn_ctx c;

    init(&c, cpu, ops, opaque, hints, res);
    return insn_decode_bytes(&c);
}
