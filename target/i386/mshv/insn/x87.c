/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: x87 instructions with a memory operand
 *
 * Guest and host are both x86, so the host's own x87 does the work: with the
 * guest's registers in it, and a copy of the operand.  It has a stub for each
 * instruction, as code cannot be made at run time.
 */

#include "internal.h"

/* Offsets in the image of FXSAVE64 */
enum { FCW = 0, FSW = 2, FOP = 6, FIP = 8, FDP = 16, MXCSR = 24, ST = 32,
       XMM = 160 };

#define FSW_UNSTORED    0x19    /* IE, OE, UE: unmasked, they store nothing */
#define FSW_EXCEPTIONS  0x3f
#define STUB_SIZE       16

/* insn_x87_stubs: without and with 66, 8 opcodes by 8 of ModRM.reg each */
__asm__(".pushsection .text\n"
        ".balign 16\n"
        ".globl insn_x87_stubs\n"
        ".hidden insn_x87_stubs\n"
        "insn_x87_stubs:\n"
        /* The first prefix, DS, has no effect in 64-bit mode. */
        ".irp prefix, 0x3e, 0x66\n"
        ".irp opcode, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf\n"
        ".irp reg, 0, 1, 2, 3, 4, 5, 6, 7\n"
        ".balign 16\n"
        "endbr64\n"
        ".byte \\prefix, \\opcode, \\reg * 8 + 7\n"    /* (%rdi) */
        "ret\n"
        ".endr\n"
        ".endr\n"
        ".endr\n"
        ".popsection\n");

/* Bytes of the operand, and whether it is written; 0: no such instruction */
#define W       0x80
#define ENV     28
#define SAVE    108
static const uint8_t operands[8][8] = {
    { 4, 4, 4, 4, 4, 4, 4, 4 },
    { 4, 0, W | 4, W | 4, ENV, 2, W | ENV, W | 2 },
    { 4, 4, 4, 4, 4, 4, 4, 4 },
    { 4, W | 4, W | 4, W | 4, 0, 10, 0, W | 10 },
    { 8, 8, 8, 8, 8, 8, 8, 8 },
    { 8, W | 8, W | 8, W | 8, SAVE, 0, W | SAVE, W | 2 },
    { 2, 2, 2, 2, 2, 2, 2, 2 },
    { 2, W | 2, W | 2, W | 2, 10, 8, W | 10, W | 8 },
};

/* FLDENV, FLDCW, FNSTENV, FNSTCW, FRSTOR, FNSAVE, FNSTSW */
static bool is_control(const struct insn_ctx *c)
{
    unsigned reg = c->reg & 7;

    return (c->opcode == 0xd9 && reg >= 4) ||
           (c->opcode == 0xdd && (reg == 4 || reg >= 6));
}

/* Let the host's x87 execute it, on the registers of @image. */
static void execute(const struct insn_ctx *c, uint8_t *image, uint8_t *operand)
{
    unsigned set = c->opsize == 2 ? 64 : 0;
    const uint8_t *stub = insn_x87_stubs + STUB_SIZE *
                          (set + (c->opcode & 7) * 8 + (c->reg & 7));
    uint8_t host[INSN_FX_SIZE] __attribute__((aligned(16)));
    uint8_t guest[INSN_FX_SIZE] __attribute__((aligned(16)));

    __asm__ volatile("fxsave64 %0" : "=m" (host));
    memcpy(guest, host, sizeof(guest));
    memcpy(guest, image, FOP);
    memcpy(guest + ST, image + ST, XMM - ST);
    /* Nothing in between may wait for exceptions, which are the guest's. */
    __asm__ volatile("fxrstor64 (%[guest])\n\t"
                     "lea -128(%%rsp), %%rsp\n\t"   /* the red zone */
                     "call *%[stub]\n\t"
                     "lea 128(%%rsp), %%rsp\n\t"
                     "fxsave64 (%[guest])\n\t"
                     "fninit\n\t"
                     "fxrstor64 (%[host])"
                     : : [guest] "r" (guest), [host] "r" (host),
                       [stub] "r" (stub), "D" (operand)
                     : "memory", "cc");
    memcpy(image, guest, FOP);
    memcpy(image + ST, guest + ST, XMM - ST);
}

/* Copy between two places, one of which is the environment's. */
static void pointer(bool store, uint8_t *env, uint8_t *image, unsigned len)
{
    memcpy(store ? env : image, store ? image : env, len);
}

/*
 * Where the last instruction and its operand are: the guest's, whatever the
 * host's x87 says.
 */
static void copy_pointers(const struct insn_ctx *c, bool store, uint8_t *env,
                          uint8_t *image)
{
    if (!store) {
        memset(image + FOP, 0, MXCSR - FOP);
    }
    if (c->opsize == 2) {
        pointer(store, env + 6, image + FIP, 2);
        pointer(store, env + 10, image + FDP, 2);
    } else {
        pointer(store, env + 12, image + FIP, 4);
        pointer(store, env + 18, image + FOP, 2);
        pointer(store, env + 20, image + FDP, 4);
    }
    if (c->mode != 8) {
        pointer(store, env + (c->opsize == 2 ? 8 : 16), image + FIP + 4, 2);
        pointer(store, env + (c->opsize == 2 ? 12 : 24), image + FDP + 4, 2);
    } else if (store) {
        memset(env + (c->opsize == 2 ? 8 : 16), 0, 2);
        memset(env + (c->opsize == 2 ? 12 : 24), 0, 2);
    }
}

static void set_pointers(const struct insn_ctx *c, uint8_t *image)
{
    const struct insn_cpu *cpu = c->cpu;
    uint64_t ip = cpu->rip, dp = c->ea;
    uint16_t op = (c->opcode & 7) << 8 | c->mod << 6 | (c->reg & 7) << 3 |
                  (c->rm & 7);

    if (c->mode != 8) {
        ip = (uint32_t)ip | (uint64_t)cpu->seg[INSN_CS].selector << 32;
        dp = (uint32_t)dp | (uint64_t)cpu->seg[c->seg].selector << 32;
    }
    memcpy(image + FOP, &op, 2);
    memcpy(image + FIP, &ip, 8);
    memcpy(image + FDP, &dp, 8);
}

/*
 * May it run now?  The control instructions that store do not wait.  What
 * counts is what the host's x87 would see: not ES, which follows from that.
 */
static enum insn_status check(struct insn_ctx *c, const uint8_t *image,
                              bool write)
{
    if ((image[FSW] & ~image[FCW] & FSW_EXCEPTIONS) &&
        !(is_control(c) && write)) {
        return c->cpu->cr0 & INSN_CR0_NE
               ? insn_raise(c, INSN_VEC_MF)
               : insn_unsupported(c, "x87 error without CR0.NE");
    }
    return INSN_DONE;
}

/* Did it store nothing, because of an exception that is not masked? */
static bool stored_nothing(const uint8_t *image)
{
    return image[FSW] & ~image[FCW] & FSW_UNSTORED;
}

static enum insn_status run(struct insn_ctx *c, unsigned len, bool write)
{
    uint8_t image[INSN_FX_SIZE], operand[SAVE] = { 0 };
    bool env = is_control(c) && len >= 14;
    struct insn_mem m;
    enum insn_status st;
    int ret = c->ops->read_fpu(c->opaque, image);

    if (ret < 0) {
        return insn_error(c, ret);
    }
    st = check(c, image, write);
    if (st == INSN_DONE) {
        st = insn_resolve_ea(c, len, write, &m);
    }
    if (st == INSN_DONE && !write) {
        st = insn_mem_read(c, &m, operand);
    }
    if (st != INSN_DONE) {
        return st;
    }
    if (env && write) {
        uint8_t pointers[INSN_FX_SIZE];

        memcpy(pointers, image, sizeof(pointers));
        execute(c, image, operand);
        copy_pointers(c, true, operand, pointers);
    } else {
        execute(c, image, operand);
    }
    if (env && !write) {
        copy_pointers(c, false, operand, image);
    } else if (env && len > ENV) {
        memset(image + FOP, 0, MXCSR - FOP);    /* FNSAVE initializes */
    } else if (!is_control(c)) {
        set_pointers(c, image);
    }
    if (write && (is_control(c) || !stored_nothing(image))) {
        st = insn_mem_write(c, &m, operand);
    }
    if (st != INSN_DONE) {
        return st;
    }
    ret = c->ops->write_fpu(c->opaque, image);
    return ret < 0 ? insn_error(c, ret) : INSN_DONE;
}

/* D8 to DF */
enum insn_status insn_x87(struct insn_ctx *c)
{
    uint8_t operand = operands[c->opcode & 7][c->reg & 7];
    unsigned len = operand & ~W;

    if (!operand) {
        return insn_raise(c, INSN_VEC_UD);
    }
    if (c->cpu->cr0 & (INSN_CR0_EM | INSN_CR0_TS)) {
        return insn_raise(c, INSN_VEC_NM);
    }
    if (len >= ENV) {
        if (c->real) {
            return insn_unsupported(c, "x87 environment in real mode");
        }
        len -= c->opsize == 2 ? 14 : 0;
    }
    return run(c, len, operand & W);
}
