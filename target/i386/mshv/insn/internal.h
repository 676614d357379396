/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: what its files share
 */

#ifndef TARGET_I386_MSHV_INSN_INTERNAL_H
#define TARGET_I386_MSHV_INSN_INTERNAL_H

#include <errno.h>
#include <string.h>

#include "insn.h"
#include "vendor.h"

#define INSN_PAGE_SIZE      4096u
#define INSN_PAGE_MASK      (~(uint64_t)(INSN_PAGE_SIZE - 1))

#define INSN_ARITH_FLAGS    (INSN_CF | INSN_PF | INSN_AF | INSN_ZF | \
                             INSN_SF | INSN_OF)

struct insn_ctx;
struct insn_opcode;

typedef enum insn_status insn_fn(struct insn_ctx *c);

/* How an opcode's bytes continue, and what its prefixes mean. */
enum {
    IF_MODRM    = 1 << 0,
    IF_BYTE     = 1 << 1,   /* operands of one byte */
    IF_IMM8     = 1 << 2,   /* immediate byte, sign-extended */
    IF_IMMZ     = 1 << 3,   /* immediate of min(operand size, 4) bytes */
    IF_IMM16    = 1 << 4,
    IF_MOFFS    = 1 << 5,   /* offset of address size instead of ModRM */
    IF_LOCK     = 1 << 6,   /* LOCK is allowed with a memory operand */
    IF_D64      = 1 << 7,   /* operand size is 64 bits in 64-bit mode */
    IF_ONLY64   = 1 << 8,   /* exists in 64-bit mode only */
    IF_POPM     = 1 << 9,   /* RSP as base is what it is after the pop */
    IF_GROUP    = 1 << 10,  /* .group has 8 entries, by ModRM.reg */
    IF_MEM      = 1 << 11,  /* emulated with a memory operand only */
    IF_NOT64    = 1 << 12,  /* does not exist in 64-bit mode */
    IF_NEAR     = 1 << 13,  /* near branch: 64 bits, but for AMD's 66 */
    IF_SYSTEM   = 1 << 14,  /* looks at descriptors, whatever CPL is */
    IF_PROT     = 1 << 15,  /* #UD in real and virtual-8086 mode */
};

/* .arg2 of the vector moves */
enum {
    VA_ALIGN    = 1 << 0,   /* the memory operand must be aligned */
    VA_W8       = 1 << 1,   /* of 8 bytes with REX.W or VEX.W in 64-bit mode */
    VA_SIGN     = 1 << 2,
    VA_MASK     = 1 << 3,   /* EVEX: an opmask register may select elements */
};

/* .arg of insn_vec_lanes; .arg2 is the size of a lane in bytes */
enum {
    LANE_AND, LANE_ANDN, LANE_OR, LANE_XOR,
    LANE_ADD, LANE_SUB, LANE_EQ, LANE_GT, LANE_MINU, LANE_MAXU,
};

/* For the entries of the sparse table (struct insn_row). */
enum {
    /* encodings in which the row exists */
    IR_LEG      = 1 << 0,   /* no VEX */
    IR_V128     = 1 << 1,   /* VEX.L = 0 */
    IR_V256     = 1 << 2,   /* VEX.L = 1 */
    IR_VEX      = IR_V128 | IR_V256,
    IR_EVEX     = 1 << 3,
    /* restrictions */
    IR_W0       = 1 << 4,   /* VEX.W (EVEX.W, REX.W) must be 0 */
    IR_W1       = 1 << 5,
    IR_VVVV     = 1 << 6,   /* VEX.vvvv is an operand (else it must be 1111) */
    /* registers that it uses */
    IR_MMX      = 1 << 7,
    IR_XMM      = 1 << 8,
};

/* Mandatory prefix, as VEX.pp has it; in rows a mask of 1 << pp. */
enum { PP_NONE, PP_66, PP_F3, PP_F2 };

struct insn_opcode {
    insn_fn *fn;                        /* NULL: not emulated */
    uint16_t flags;                     /* IF_* */
    uint8_t arg;                        /* the handler's own */
    uint8_t arg2;
    const struct insn_opcode *group;
};

struct insn_row {
    uint8_t map;                        /* 1: 0F, 2: 0F38, 3: 0F3A */
    uint8_t opcode;
    uint8_t pp;                         /* mask of 1 << PP_* */
    uint16_t row;                       /* IR_* */
    struct insn_opcode op;
};

/* Prefixes seen. */
enum {
    PFX_66      = 1 << 0,
    PFX_67      = 1 << 1,
    PFX_LOCK    = 1 << 2,
    PFX_REP     = 1 << 3,   /* F3 */
    PFX_REPNE   = 1 << 4,   /* F2 */
    PFX_REX     = 1 << 5,
};

struct insn_xlat {
    bool valid;
    uint64_t gva;                       /* of the page */
    uint64_t gpa;
};

/* A page of RAM, mapped as a whole. */
struct insn_ram {
    uint64_t gpa;
    uint8_t *host;                      /* NULL: none yet */
};

struct insn_ctx {
    struct insn_cpu *cpu;
    const struct insn_ops *ops;
    void *opaque;
    const struct insn_hints *hints;
    struct insn_result *res;

    /* The mode: default operand size of the code (2, 4, 8), no protection. */
    uint8_t mode;
    bool real;                          /* real or virtual-8086 mode */
    bool implicit;                      /* a supervisor's access, at any CPL */

    /* The bytes: res->bytes[0..nbytes) are there, res->len are decoded. */
    uint8_t nbytes;

    /* Decoded */
    const struct insn_opcode *op;
    uint8_t pfx;                        /* PFX_* */
    uint8_t pp;                         /* PP_* */
    uint8_t seg_override;               /* INSN_NSEGS: none */
    uint8_t opcode;                     /* last opcode byte */
    uint8_t opsize;                     /* 1, 2, 4, 8 */
    uint8_t adsize;                     /* 2, 4, 8 */
    bool rex_w;
    uint8_t rex_r, rex_x, rex_b;        /* 0 or 8, to be or-ed */
    bool mem;                           /* ModRM or moffs memory operand */
    uint8_t mod, reg, rm;               /* reg and rm with REX */
    uint64_t imm;
    uint16_t row;                       /* IR_* of a sparse entry */

    /* VEX and EVEX */
    bool vex, evex;
    uint8_t vvvv;
    uint8_t vl;                         /* vector length: 16, 32, 64 bytes */
    uint8_t evex_r2;                    /* 0 or 16 */
    uint8_t evex_aaa;
    bool evex_z, evex_b, evex_v2;

    /* Memory operand */
    uint8_t seg;
    bool rip_relative;
    uint8_t disp8_scale;                /* 1, but for EVEX */
    uint64_t ea;                        /* offset in the segment */

    struct insn_xlat xlat[2];           /* last page read, last page written */
    struct insn_ram ram[2];             /* the same, of repeated instructions */
    uint64_t next_rip;
    bool keep_rf;                       /* IRET has set RFLAGS.RF itself */
};

/* A memory operand whose address is checked and translated. */
struct insn_mem {
    unsigned len;
    unsigned nparts;
    struct {
        uint64_t gpa;
        unsigned len;
        void *host;                     /* NULL: not RAM */
    } part[2];
};

static inline uint64_t insn_size_mask(unsigned size)
{
    return size == 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

/* Whole registers, without the AH..BH encoding: addresses and counters. */
static inline uint64_t insn_gpr_get(const struct insn_ctx *c, unsigned reg,
                                    unsigned size)
{
    return c->cpu->gpr[reg] & insn_size_mask(size);
}

/* 32-bit results clear the upper half, smaller ones leave the rest. */
static inline void insn_gpr_set(struct insn_ctx *c, unsigned reg,
                                unsigned size, uint64_t val)
{
    uint64_t mask = insn_size_mask(size);
    uint64_t *r = &c->cpu->gpr[reg];

    *r = size >= 4 ? val & mask : (*r & ~mask) | (val & mask);
    c->cpu->dirty_gpr |= 1u << reg;
}

static inline const struct insn_habits *insn_habits(const struct insn_ctx *c)
{
    return &insn_vendor_habits[c->cpu->vendor % INSN_NVENDORS];
}

/* execute.c: faults */
enum insn_status insn_raise(struct insn_ctx *c, enum insn_vector vector);
enum insn_status insn_raise_ec0(struct insn_ctx *c, enum insn_vector vector);
enum insn_status insn_unsupported(struct insn_ctx *c, const char *why);
enum insn_status insn_error(struct insn_ctx *c, int err);

/* decode.c, tables.c, rows.c */
enum insn_status insn_decode_bytes(struct insn_ctx *c);
extern const struct insn_opcode insn_map1[256];
extern const struct insn_opcode insn_map0f[256];
extern const struct insn_row insn_rows[];
extern const unsigned insn_nrows;

/* address.c: effective and linear addresses */
enum insn_status insn_decode_modrm(struct insn_ctx *c);
enum insn_status insn_fetch_slowly(struct insn_ctx *c, unsigned n,
                                   uint64_t *val);

/* The next byte of the instruction. */
static inline enum insn_status insn_fetch_byte(struct insn_ctx *c,
                                               uint64_t *val)
{
    if (c->res->len < c->nbytes) {
        *val = c->res->bytes[c->res->len++];
        return INSN_DONE;
    }
    return insn_fetch_slowly(c, 1, val);
}

/* The next @n bytes of the instruction as a little-endian number. */
static inline enum insn_status insn_fetch(struct insn_ctx *c, unsigned n,
                                          uint64_t *val)
{
    return n == 1 ? insn_fetch_byte(c, val) : insn_fetch_slowly(c, n, val);
}

enum insn_status insn_linear(struct insn_ctx *c, unsigned seg, uint64_t off,
                             unsigned len, bool write, uint64_t *gva);
bool insn_canonical(const struct insn_cpu *cpu, uint64_t gva);

/* memory.c */
enum insn_status insn_resolve(struct insn_ctx *c, unsigned seg, uint64_t off,
                              unsigned len, bool write, struct insn_mem *m);
/* The same by linear address, whatever the segments say. */
enum insn_status insn_resolve_linear(struct insn_ctx *c, uint64_t gva,
                                     unsigned len, bool write,
                                     struct insn_mem *m);
enum insn_status insn_resolve_ea(struct insn_ctx *c, unsigned len, bool write,
                                 struct insn_mem *m);
enum insn_status insn_mem_read(struct insn_ctx *c, const struct insn_mem *m,
                               void *buf);
enum insn_status insn_mem_write(struct insn_ctx *c, const struct insn_mem *m,
                                const void *buf);
/*
 * Replace @old by @val; atomically if the operand is RAM in one page.
 * *@done is false if the operand is no longer @old.
 */
enum insn_status insn_mem_cas(struct insn_ctx *c, const struct insn_mem *m,
                              const void *old, const void *val, bool *done);

/* The processor's own access, to a descriptor or a task's state. */
enum insn_status insn_resolve_system(struct insn_ctx *c, uint64_t gva,
                                     unsigned len, bool write,
                                     struct insn_mem *m);

/* descriptor.c */
#define INSN_DESC_CODE      (1ull << 43)
#define INSN_DESC_S         (1ull << 44)    /* code or data */
#define INSN_DESC_PRESENT   (1ull << 47)

struct insn_desc {
    uint64_t gva;                       /* where it is */
    uint64_t low, high;                 /* high: of system segments, EFER.LMA */
    uint16_t sel;
};

static inline unsigned insn_desc_dpl(const struct insn_desc *d)
{
    return d->low >> 45 & 3;
}

/* Four bits; of a system segment its kind. */
static inline unsigned insn_desc_type(const struct insn_desc *d)
{
    return d->low >> 40 & 15;
}

enum insn_status insn_raise_selector(struct insn_ctx *c,
                                     enum insn_vector vector, uint16_t sel);
/* *@found is false if @sel is null, or beyond its table: no fault. */
enum insn_status insn_find_descriptor(struct insn_ctx *c, uint16_t sel,
                                      struct insn_desc *d, bool *found);
/* The same, but a fault if it is not there. */
enum insn_status insn_get_descriptor(struct insn_ctx *c, uint16_t sel,
                                     struct insn_desc *d);
/* Or @bits into its type: accessed, busy. */
enum insn_status insn_mark_descriptor(struct insn_ctx *c, struct insn_desc *d,
                                      uint8_t bits);
uint32_t insn_desc_limit(const struct insn_desc *d);
struct insn_seg insn_desc_segment(const struct insn_desc *d);
/* May a program of this CPL and RPL use it as data? */
bool insn_desc_data_allowed(const struct insn_ctx *c,
                            const struct insn_desc *d);

/* segment.c */
void insn_set_segment(struct insn_ctx *c, unsigned n,
                      const struct insn_seg *seg);
/* The far pointer that is the memory operand */
enum insn_status insn_load_far(struct insn_ctx *c, uint64_t *off,
                               uint64_t *sel);
enum insn_status insn_load_data_segment(struct insn_ctx *c, unsigned n,
                                        uint16_t sel, struct insn_seg *seg);

/* stack.c: SS:sp */
unsigned insn_stack_size(const struct insn_ctx *c);
void insn_set_sp(struct insn_ctx *c, uint64_t sp);
enum insn_status insn_stack_resolve(struct insn_ctx *c, uint64_t sp,
                                    unsigned len, bool write,
                                    struct insn_mem *m);
enum insn_status insn_push(struct insn_ctx *c, uint64_t val);
/* Read the top of the stack at @sp; the stack pointer stays. */
enum insn_status insn_top(struct insn_ctx *c, uint64_t sp, uint64_t *val);

/* x87.c: code, for itself */
extern const uint8_t insn_x87_stubs[];

/* frame.c: the flags that POPF may change */
uint64_t insn_popf_mask(const struct insn_ctx *c);

/* far.c */
#define INSN_MAX_WORDS  5
/* Push @n words of the operand's size: all of them or none. */
enum insn_status insn_push_words(struct insn_ctx *c, unsigned n,
                                 const uint64_t *val);
/* Load CS, at level @cpl; other checks than of the level are its own. */
enum insn_status insn_enter_code(struct insn_ctx *c, struct insn_desc *d,
                                 uint64_t off, unsigned cpl);
/* @st; if it is not good, all registers are as they were. */
enum insn_status insn_or_undo(struct insn_ctx *c,
                              const struct insn_cpu *before,
                              enum insn_status st);

/* atomic.c: host memory */
void insn_host_load(const void *host, void *buf, unsigned len);
void insn_host_store(void *host, const void *buf, unsigned len);
bool insn_host_cas(void *host, unsigned len, const void *old, const void *val);

/* operand.c: general registers and the ModRM operand as integers */
uint64_t insn_reg_get(struct insn_ctx *c, unsigned reg, unsigned size);
void insn_reg_set(struct insn_ctx *c, unsigned reg, unsigned size,
                  uint64_t val);
void insn_set_flags(struct insn_ctx *c, uint64_t rflags);
enum insn_status insn_rm_load(struct insn_ctx *c, unsigned size,
                              uint64_t *val);
enum insn_status insn_rm_store(struct insn_ctx *c, unsigned size,
                               uint64_t val);
/* A result from the two operands and the flags, which it updates. */
typedef uint64_t insn_alu_fn(uint64_t dst, uint64_t src, unsigned size,
                             uint64_t *rflags);
/* ModRM operand = fn(ModRM operand, src); @old (if any) is what it was. */
enum insn_status insn_rm_modify(struct insn_ctx *c, unsigned size,
                                insn_alu_fn *fn, uint64_t src, uint64_t *old);

/* flags.c */
uint64_t insn_sign_extend(uint64_t val, unsigned size);
uint64_t insn_flags_logic(uint64_t res, unsigned size, uint64_t rflags);
uint64_t insn_flags_szp(uint64_t res, unsigned size, uint64_t rflags);
bool insn_condition(uint64_t rflags, unsigned cc);
insn_alu_fn insn_alu_add, insn_alu_or, insn_alu_adc, insn_alu_sbb;
insn_alu_fn insn_alu_and, insn_alu_sub, insn_alu_xor;

/* string.c: what the string instructions and string I/O share */
typedef enum insn_status insn_step_fn(struct insn_ctx *c, unsigned max,
                                      unsigned *n);
enum insn_status insn_string_repeat(struct insn_ctx *c, insn_step_fn *step,
                                    bool compares);
void insn_string_advance(struct insn_ctx *c, unsigned reg, unsigned size,
                         unsigned n);

/* Handlers, one a family; tables.c and rows.c name them. */
insn_fn insn_alu_rm_reg, insn_alu_reg_rm, insn_alu_rm_imm, insn_alu_acc_imm;
insn_fn insn_test_rm_reg, insn_test_rm_imm, insn_test_acc_imm;
insn_fn insn_inc, insn_dec, insn_neg, insn_not;
insn_fn insn_adcx, insn_adox;
insn_fn insn_xchg, insn_xadd, insn_cmpxchg, insn_cmpxchg8b;
insn_fn insn_mov_rm_reg, insn_mov_reg_rm, insn_mov_rm_imm;
insn_fn insn_mov_acc_moffs, insn_mov_moffs_acc, insn_mov_rm_sreg;
insn_fn insn_movzx, insn_movsx, insn_movsxd, insn_movnti, insn_movbe;
insn_fn insn_movdir64b, insn_xlatb, insn_nop, insn_clflush, insn_clwb;
insn_fn insn_setcc, insn_cmovcc;
insn_fn insn_shift_imm, insn_shift_one, insn_shift_cl;
insn_fn insn_shld_imm, insn_shld_cl, insn_shrd_imm, insn_shrd_cl;
insn_fn insn_bt_reg, insn_bt_imm, insn_bitscan, insn_popcnt, insn_crc32;
insn_fn insn_mul, insn_imul, insn_div, insn_idiv;
insn_fn insn_imul_reg, insn_imul_imm, insn_mulx;
insn_fn insn_andn, insn_bls, insn_bzhi, insn_pext, insn_pdep, insn_bextr;
insn_fn insn_shiftx, insn_rorx;
insn_fn insn_push_reg, insn_push_imm, insn_push_rm, insn_pushf;
insn_fn insn_pop_reg, insn_pop_rm, insn_leave;
insn_fn insn_call_rel, insn_call_rm, insn_jmp_rm, insn_ret, insn_ret_imm;
insn_fn insn_mov_sreg_rm, insn_pop_sreg, insn_push_sreg, insn_load_pointer;
insn_fn insn_far_imm, insn_far_mem, insn_ret_far, insn_iret, insn_int;
insn_fn insn_enter, insn_pusha, insn_popa, insn_popf;
insn_fn insn_store_table, insn_load_table, insn_smsw, insn_lmsw;
insn_fn insn_store_selector, insn_lldt, insn_ltr, insn_verify;
insn_fn insn_lar, insn_lsl, insn_arpl_movsxd;
insn_fn insn_x87, insn_fxsave, insn_fxrstor, insn_ldmxcsr, insn_stmxcsr;
insn_fn insn_movs, insn_stos, insn_lods, insn_cmps, insn_scas;
insn_fn insn_ins, insn_outs, insn_in, insn_out;
insn_fn insn_vec_load, insn_vec_store, insn_vec_load_half, insn_vec_store_half;
insn_fn insn_mmx_load, insn_mmx_store;
insn_fn insn_vec_dup, insn_vec_broadcast, insn_vec_extend;
insn_fn insn_vec_extract, insn_vec_insert;
insn_fn insn_vec_extract128, insn_vec_insert128;
insn_fn insn_vec_maskmov_load, insn_vec_maskmov_store, insn_vec_lanes;

#endif
