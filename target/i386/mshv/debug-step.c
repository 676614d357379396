/*
 * How a guest's next instruction is run alone.
 *
 * Most are run with TF. But PUSHF, INT and SYSCALL would store it where the
 * guest finds it, and it does not trap after SYSRET, in HLT, or where the
 * hypervisor does the work. For these a breakpoint waits where they lead; so
 * it does at the handler of an exception.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "exec/cpu-common.h"
#include "debug.h"
#include "mshv-x86.h"

#define MAX_LENGTH      15
#define MSR_X2APIC_TPR  0x808

typedef enum Kind {
    KIND_PLAIN,
    KIND_LOADS_FLAGS,           /* POPF, IRET */
    KIND_NEXT,                  /* a breakpoint at the next instruction */
    KIND_MSR,                   /* the same */
    KIND_WAIT,                  /* for an interrupt, then the same */
    KIND_MOVE_CR,
    KIND_MOVE_DR,
    KIND_INT3,
    KIND_INT,
    KIND_INTO,
    KIND_SYSCALL,
    KIND_SYSRET,
    KIND_SYSENTER,
    KIND_SYSEXIT,
} Kind;

typedef struct Instruction {
    uint8_t bytes[MAX_LENGTH + 3];      /* zeros behind the end */
    unsigned prefixes;          /* how many bytes */
    bool wide;                  /* REX.W */
    uint8_t rex;
    bool lock;
    Kind kind;
    unsigned length;            /* if the kind needs it */
} Instruction;

typedef struct Opcode {
    uint16_t code;              /* 0x0f00 + the second byte, or the one byte */
    uint8_t length;             /* without prefixes */
    Kind kind;
} Opcode;

static const Opcode opcodes[] = {
    { 0x9c, 1, KIND_NEXT },             /* PUSHF */
    { 0x9d, 1, KIND_LOADS_FLAGS },      /* POPF */
    { 0xcc, 1, KIND_INT3 },
    { 0xcd, 2, KIND_INT },
    { 0xce, 1, KIND_INTO },
    { 0xcf, 1, KIND_LOADS_FLAGS },      /* IRET */
    { 0xf1, 1, KIND_NEXT },             /* INT1 */
    { 0xf4, 1, KIND_WAIT },             /* HLT */
    { 0x0f05, 2, KIND_SYSCALL },
    { 0x0f07, 2, KIND_SYSRET },
    { 0x0f20, 3, KIND_MOVE_CR },
    { 0x0f21, 3, KIND_MOVE_DR },
    { 0x0f22, 3, KIND_MOVE_CR },
    { 0x0f23, 3, KIND_MOVE_DR },
    { 0x0f30, 2, KIND_MSR },            /* WRMSR */
    { 0x0f32, 2, KIND_MSR },            /* RDMSR */
    { 0x0f34, 2, KIND_SYSENTER },
    { 0x0f35, 2, KIND_SYSEXIT },
    { 0x0fa2, 2, KIND_NEXT },           /* CPUID */
};

/* The third byte of those that begin with 0f 01 */
static const Opcode opcodes_0f01[] = {
    { 0xc1, 3, KIND_NEXT },             /* VMCALL */
    { 0xc9, 3, KIND_WAIT },             /* MWAIT */
    { 0xd9, 3, KIND_NEXT },             /* VMMCALL */
};

static bool in_64bit_code(const CPUX86State *env)
{
    return env->hflags & HF_CS64_MASK;
}

/* The linear address of CS:@ip */
static vaddr linear(const CPUX86State *env, uint64_t ip)
{
    if (in_64bit_code(env)) {
        return ip;
    }
    if (!(env->segs[R_CS].flags & DESC_B_MASK)) {
        ip = (uint16_t)ip;
    }
    return (uint32_t)(env->segs[R_CS].base + ip);
}

static bool read_guest(CPUState *cs, vaddr at, void *buf, size_t len)
{
    return cpu_memory_rw_debug(cs, at, buf, len, false) == 0;
}

static bool is_prefix(uint8_t byte)
{
    static const uint8_t all[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66,
                                   0x67, 0xf0, 0xf2, 0xf3 };

    return memchr(all, byte, sizeof(all)) != NULL;
}

static void find_kind(Instruction *in, const Opcode *table, unsigned n,
                      uint16_t code)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        if (table[i].code == code) {
            in->kind = table[i].kind;
            in->length = in->prefixes + table[i].length;
        }
    }
}

static void decode(CPUState *cs, Instruction *in)
{
    CPUX86State *env = cpu_env(cs);
    vaddr at = linear(env, env->eip);
    const uint8_t *p;
    unsigned n;

    *in = (Instruction) { .kind = KIND_PLAIN };
    /* The last bytes may be in a page that is not there. */
    for (n = MAX_LENGTH; n && !read_guest(cs, at, in->bytes, n); n--) {
        memset(in->bytes, 0, sizeof(in->bytes));
    }
    for (p = in->bytes; in->prefixes < MAX_LENGTH; p++, in->prefixes++) {
        if (in_64bit_code(env) && (*p & 0xf0) == 0x40) {
            in->rex = *p;
        } else if (is_prefix(*p)) {
            in->lock |= *p == 0xf0;
            in->rex = 0;
        } else {
            break;
        }
    }
    in->wide = in->rex & 8;
    if (p[0] == 0x0f && p[1] == 0x01) {
        find_kind(in, opcodes_0f01, ARRAY_SIZE(opcodes_0f01), p[2]);
    } else if (p[0] == 0x0f) {
        find_kind(in, opcodes, ARRAY_SIZE(opcodes), 0x0f00 | p[1]);
    } else {
        find_kind(in, opcodes, ARRAY_SIZE(opcodes), p[0]);
    }
}

/* ---- Where it ends ---- */

static void ends_at(MshvStep *step, vaddr at)
{
    step->trap = false;
    step->ends[step->n_ends++] = at;
}

static bool descriptor_base(CPUState *cs, uint16_t selector, vaddr *base)
{
    CPUX86State *env = cpu_env(cs);
    const SegmentCache *table = selector & 4 ? &env->ldt : &env->gdt;
    uint32_t e[2];

    if (!read_guest(cs, table->base + (selector & ~7), e, sizeof(e))) {
        return false;
    }
    *base = le32_to_cpu(e[0]) >> 16 | (le32_to_cpu(e[1]) & 0xff) << 16 |
            (le32_to_cpu(e[1]) & 0xff000000);
    return true;
}

/* False: there is no handler, or it is a task. */
static bool find_handler(CPUState *cs, unsigned vector, vaddr *at)
{
    CPUX86State *env = cpu_env(cs);
    bool lma = env->hflags & HF_LMA_MASK;
    unsigned size = !(env->cr[0] & CR0_PE_MASK) ? 4 : lma ? 16 : 8;
    uint32_t e[4] = { 0 };
    vaddr base = 0;

    if (vector * size + size - 1 > env->idt.limit ||
        !read_guest(cs, env->idt.base + vector * size, e, size)) {
        return false;
    }
    *at = le32_to_cpu(e[0]) & 0xffff;
    if (size == 4) {
        *at += (vaddr)(le32_to_cpu(e[0]) >> 16) << 4;
        return true;
    }
    switch (le32_to_cpu(e[1]) >> 8 & 0xf) {
    case 6: case 7:
        break;
    case 14: case 15:
        *at |= le32_to_cpu(e[1]) & 0xffff0000;
        break;
    default:
        return false;
    }
    if (lma) {
        *at |= (vaddr)le32_to_cpu(e[2]) << 32;
        return true;
    }
    if (!descriptor_base(cs, le32_to_cpu(e[0]) >> 16, &base)) {
        return false;
    }
    *at = (uint32_t)(*at + base);
    return true;
}

void mshv_step_into_handler(CPUState *cs, MshvStep *step, unsigned vector)
{
    vaddr at;

    step->n_ends = 0;
    step->trap = false;
    step->was_halted = false;
    step->holds_interrupts = cs->singlestep_enabled & SSTEP_NOIRQ;
    if (find_handler(cs, vector, &at)) {
        ends_at(step, at);
    }
    /* Else where it came from, for want of better */
    ends_at(step, linear(cpu_env(cs), cpu_env(cs)->eip));
}

static void plan_interrupt(CPUState *cs, MshvStep *step, unsigned vector,
                           unsigned length)
{
    vaddr at;

    if (find_handler(cs, vector, &at)) {
        ends_at(step, at);
    }
    /* INTO may do nothing; a task comes back. */
    ends_at(step, linear(cpu_env(cs), cpu_env(cs)->eip + length));
}

static vaddr syscall_target(const CPUX86State *env)
{
    if (!(env->hflags & HF_LMA_MASK)) {
        return (uint32_t)env->star;
    }
    return in_64bit_code(env) ? env->lstar : env->cstar;
}

static vaddr return_target(const CPUX86State *env, const Instruction *in,
                           unsigned reg)
{
    return in->wide ? env->regs[reg] : (uint32_t)env->regs[reg];
}

/* CR8, which LOCK MOV from or to CR0 means as well */
static bool moves_cr8(const Instruction *in)
{
    unsigned reg = in->bytes[in->prefixes + 2] >> 3 & 7;

    return reg == 0 && (in->rex & 4 || in->lock);
}

void mshv_step_plan(CPUState *cs, MshvStep *step)
{
    CPUX86State *env = cpu_env(cs);
    Instruction in;
    bool sees_priority = false;

    *step = (MshvStep) {
        .planned = true,
        .trap = true,
        .guest_tf = env->eflags & TF_MASK,
        .rip = env->eip,
    };
    if (env->mp_state == MSHV_MP_HALTED) {
        step->was_halted = true;
        ends_at(step, linear(env, env->eip));
        return;
    }
    decode(cs, &in);
    switch (in.kind) {
    case KIND_PLAIN:
        break;
    case KIND_LOADS_FLAGS:
        step->loads_flags = true;
        break;
    case KIND_MOVE_CR:
        sees_priority = moves_cr8(&in);
        break;
    case KIND_MOVE_DR:
        step->moves_debug_regs = true;
        break;
    case KIND_MSR:
        sees_priority = (uint32_t)env->regs[R_ECX] == MSR_X2APIC_TPR;
        /* fall through */
    case KIND_NEXT:
    case KIND_WAIT:
        ends_at(step, linear(env, env->eip + in.length));
        break;
    case KIND_INT3:
    case KIND_INTO:
        plan_interrupt(cs, step, in.kind == KIND_INT3 ? EXCP03_INT3
                                                      : EXCP04_INTO,
                       in.length);
        break;
    case KIND_INT:
        plan_interrupt(cs, step, in.bytes[in.prefixes + 1], in.length);
        break;
    case KIND_SYSCALL:
        ends_at(step, syscall_target(env));
        break;
    case KIND_SYSENTER:
        ends_at(step, env->hflags & HF_LMA_MASK ? env->sysenter_eip
                                                : (uint32_t)env->sysenter_eip);
        break;
    case KIND_SYSRET:
        ends_at(step, return_target(env, &in, R_ECX));
        break;
    case KIND_SYSEXIT:
        ends_at(step, return_target(env, &in, R_EDX));
        break;
    }
    /* With IF clear, what is run with TF ends before an interrupt can come. */
    step->holds_interrupts = (cs->singlestep_enabled & SSTEP_NOIRQ) &&
        in.kind != KIND_WAIT && !sees_priority &&
        (!step->trap || (env->eflags & IF_MASK));
}

/* ---- Debug registers of the guest ---- */

bool mshv_step_move_debug_reg(CPUState *cs)
{
    CPUX86State *env = cpu_env(cs);
    Instruction in;
    unsigned modrm, number;
    target_ulong *gpr, mask;

    decode(cs, &in);
    modrm = in.bytes[in.prefixes + 2];
    number = modrm >> 3 & 7;
    gpr = &env->regs[(modrm & 7) | (in.rex & 1) << 3];
    mask = in_64bit_code(env) ? ~(target_ulong)0 : UINT32_MAX;
    if (in.kind != KIND_MOVE_DR || (in.rex & 4)) {
        return false;
    }
    if (number == 4 || number == 5) {
        if (env->cr[4] & CR4_DE_MASK) {
            return false;
        }
        number += 2;
    }
    if (in.bytes[in.prefixes + 1] == 0x21) {
        *gpr = env->dr[number] & mask;
    } else if (number < MSHV_DR_ADDRESSES) {
        env->dr[number] = *gpr & mask;
    } else if ((*gpr & mask) >> 32) {
        return false;
    } else if (number == 6) {
        env->dr[6] = (*gpr & (DR6_BT | DR6_BS | DR6_BD | 0xf)) | DR6_FIXED_1;
    } else {
        env->dr[7] = (*gpr & 0xffff23ff) | DR7_FIXED_1;
    }
    env->eip += in.length;
    return true;
}
