/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction decoder, executor and page walker: the public interface
 *
 * Plain C11, no QEMU header, no allocation and no state of its own: everything
 * lives in struct insn_cpu, in the caller's callbacks and on the stack.  Any
 * number of VPs may be emulated at the same time.
 *
 * Facts are from the Intel SDM and the AMD APM; where the two differ, the
 * implementation says which one it follows.
 */

#ifndef TARGET_I386_MSHV_INSN_H
#define TARGET_I386_MSHV_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_MAX_LEN        15      /* bytes of the longest instruction */

/* One call executes at most this many elements of a REP instruction. */
#define INSN_REP_MAX        4096

/* Index into insn_cpu.gpr: hardware order. */
enum insn_gpr {
    INSN_RAX, INSN_RCX, INSN_RDX, INSN_RBX,
    INSN_RSP, INSN_RBP, INSN_RSI, INSN_RDI,
    INSN_R8, INSN_R9, INSN_R10, INSN_R11,
    INSN_R12, INSN_R13, INSN_R14, INSN_R15,
};

/* Index into insn_cpu.seg: hardware order. */
enum insn_sreg {
    INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS, INSN_NSEGS
};

/* struct insn_seg.attr: bits as in the descriptor's second word, shifted. */
#define INSN_SEG_TYPE       0x000f
#define INSN_SEG_S          0x0010  /* code or data, not system */
#define INSN_SEG_DPL_SHIFT  5
#define INSN_SEG_P          0x0080  /* clear for an unusable (null) segment */
#define INSN_SEG_L          0x2000
#define INSN_SEG_DB         0x4000
#define INSN_SEG_G          0x8000

/*
 * A segment register.  Same order, sizes and attribute bits as the
 * hypervisor's segment register (TLFS "HV_X64_SEGMENT_REGISTER").
 */
struct insn_seg {
    uint64_t base;
    uint32_t limit;             /* in bytes, whatever G says */
    uint16_t selector;
    uint16_t attr;
};

/* The other registers that have a base and a limit */
enum insn_system { INSN_GDTR, INSN_IDTR, INSN_LDTR, INSN_TR };

/* The legacy region of the XSAVE area: SDM volume 1, 10.5.1 */
#define INSN_FX_SIZE        512

/* The control and flag bits that the emulator looks at. */
#define INSN_CR0_PE         (1u << 0)
#define INSN_CR0_MP         (1u << 1)
#define INSN_CR0_EM         (1u << 2)
#define INSN_CR0_TS         (1u << 3)
#define INSN_CR0_NE         (1u << 5)
#define INSN_CR0_WP         (1u << 16)
#define INSN_CR0_PG         (1u << 31)

#define INSN_CR3_LAM_U57    (1ull << 61)
#define INSN_CR3_LAM_U48    (1ull << 62)

#define INSN_CR4_PSE        (1u << 4)
#define INSN_CR4_PAE        (1u << 5)
#define INSN_CR4_OSFXSR     (1u << 9)
#define INSN_CR4_UMIP       (1u << 11)
#define INSN_CR4_LA57       (1u << 12)
#define INSN_CR4_OSXSAVE    (1u << 18)
#define INSN_CR4_SMEP       (1u << 20)
#define INSN_CR4_SMAP       (1u << 21)
#define INSN_CR4_PKE        (1u << 22)
#define INSN_CR4_CET        (1u << 23)
#define INSN_CR4_LAM_SUP    (1u << 28)

#define INSN_EFER_LMA       (1u << 10)
#define INSN_EFER_NXE       (1u << 11)

#define INSN_CF             (1u << 0)
#define INSN_PF             (1u << 2)
#define INSN_AF             (1u << 4)
#define INSN_ZF             (1u << 6)
#define INSN_SF             (1u << 7)
#define INSN_TF             (1u << 8)
#define INSN_IF             (1u << 9)
#define INSN_DF             (1u << 10)
#define INSN_OF             (1u << 11)
#define INSN_IOPL_SHIFT     12
#define INSN_NT             (1u << 14)
#define INSN_RF             (1u << 16)
#define INSN_VM             (1u << 17)
#define INSN_AC             (1u << 18)
#define INSN_ID             (1u << 21)

/* Whose processor it is; insn_vendor_of() tells. */
enum insn_vendor { INSN_INTEL, INSN_AMD, INSN_NVENDORS };

/* From EBX, ECX and EDX of CPUID leaf 0: processors of others do as Intel's. */
enum insn_vendor insn_vendor_of(uint32_t ebx, uint32_t ecx, uint32_t edx);

/*
 * A VP's state.  The caller fills all of it, and writes back what @dirty_gpr
 * and @dirty say; the emulator changes nothing else.  The masks are only ever
 * added to: the caller clears them.
 */
struct insn_cpu {
    uint64_t gpr[16];
    uint64_t rip;
    uint64_t rflags;
    struct insn_seg seg[INSN_NSEGS];
    uint64_t cr0, cr3, cr4, efer;
    uint8_t cpl;                /* SS.DPL; 3 in virtual-8086 mode */
    uint8_t maxphyaddr;         /* CPUID 0x80000008 EAX[7:0]; 0 means 52 */
    uint8_t vendor;             /* enum insn_vendor */
    bool null_clears_base;      /* AMD: CPUID 0x80000021 EAX[6] */

    uint16_t dirty_gpr;         /* bit i: gpr[i] changed */
    uint16_t dirty;             /* INSN_DIRTY_* */
    uint8_t dirty_seg;          /* bit i: seg[i] changed */
};

#define INSN_DIRTY_RIP      0x1
#define INSN_DIRTY_RFLAGS   0x2
#define INSN_DIRTY_CR0      0x8
/* Not a register: no interrupt before the next instruction is done. */
#define INSN_DIRTY_SHADOW   0x4
/* Neither: NMIs are no longer blocked. */
#define INSN_DIRTY_NMI      0x10

/*
 * What the emulator needs from outside.  Functions that return int return 0,
 * or a negative errno that ends the call with INSN_ERROR.
 *
 * A guest-physical range given to a callback never crosses a 4 KiB page.
 */
struct insn_ops {
    /*
     * A host pointer to @len bytes of RAM at @gpa, valid until the call of the
     * emulator returns; NULL if they are not RAM (or, for @write, may not be
     * written directly).  NULL makes the emulator use read_gpa/write_gpa.
     */
    void *(*map_gpa)(void *opaque, uint64_t gpa, unsigned len, bool write);

    /* The emulator has stored to such a pointer.  May be NULL. */
    void (*dirty_gpa)(void *opaque, uint64_t gpa, unsigned len);

    /*
     * Access what map_gpa did not map.  @len is exactly the size of the
     * operand: 1, 2, 4, 8, 16, 32 or 64, or any smaller number of bytes for
     * each part of an operand that crosses a page.  @gpa has any alignment.
     * Nothing there is not an error: a read gives ones, a write goes nowhere.
     */
    int (*read_gpa)(void *opaque, uint64_t gpa, void *buf, unsigned len);
    int (*write_gpa)(void *opaque, uint64_t gpa, const void *buf,
                     unsigned len);

    /* @count elements of @size (1, 2, 4) bytes from or to one port. */
    int (*io_read)(void *opaque, uint16_t port, unsigned size,
                   unsigned count, void *buf);
    int (*io_write)(void *opaque, uint16_t port, unsigned size,
                    unsigned count, const void *buf);

    /*
     * Vector registers: the low @len bytes (16, 32 or 64) of register @idx.
     * @idx is 0-15; 16-31, and a @len of 64, come only if XCR0 allows AVX-512.
     * A write with @zero_upper clears the rest of the register, up to the
     * widest that the VP has (a VEX or EVEX write); else the rest stays (SSE).
     */
    int (*read_vec)(void *opaque, unsigned idx, void *buf, unsigned len);
    int (*write_vec)(void *opaque, unsigned idx, const void *buf,
                     unsigned len, bool zero_upper);

    /* Opmask register @idx; asked only if XCR0 allows AVX-512. */
    int (*read_opmask)(void *opaque, unsigned idx, uint64_t *val);

    /*
     * MMX registers 0-7.  Each MMX instruction also sets the x87 TOP to 0 and
     * all tags to valid; a write sets bits 79:64 of that register.
     */
    int (*read_mmx)(void *opaque, unsigned idx, uint64_t *val);
    int (*write_mmx)(void *opaque, unsigned idx, uint64_t val);

    /* XCR0; asked only for VEX and EVEX instructions. */
    int (*read_xcr0)(void *opaque, uint64_t *val);

    /* PKRU; asked only by a walk that ends at a user page with CR4.PKE set. */
    int (*read_pkru)(void *opaque, uint32_t *val);

    /*
     * GDTR and IDTR (base and limit alone), LDTR and TR; asked only by what
     * needs them.  A write comes when nothing can fail any more.
     */
    int (*read_system)(void *opaque, enum insn_system reg,
                       struct insn_seg *val);
    int (*write_system)(void *opaque, enum insn_system reg,
                        const struct insn_seg *val);

    /*
     * The x87 and SSE state as FXSAVE64 has it, MXCSR_MASK included: all of it
     * is read, but only registers that an x87 instruction or FXRSTOR changes
     * are different when it is written.
     */
    int (*read_fpu)(void *opaque, uint8_t image[INSN_FX_SIZE]);
    int (*write_fpu)(void *opaque, const uint8_t image[INSN_FX_SIZE]);

    /*
     * Asked between two elements of a REP instruction: true to stop there,
     * for an interrupt or an exit request.  May be NULL.
     */
    bool (*should_stop)(void *opaque);
};

enum insn_status {
    /* Executed.  RIP is past it, RFLAGS.RF is clear. */
    INSN_DONE,
    /*
     * Some elements of a REP instruction (at least one) are done and the
     * registers say how far; RIP still points to it.  Deliver what is pending
     * and go on: call again, or let the guest run.
     */
    INSN_PARTIAL,
    /*
     * Inject insn_result.fault.  RIP points to the instruction.  Registers and
     * memory are as before it, but for finished elements of a REP instruction.
     */
    INSN_FAULT,
    /* Not emulated; nothing changed.  See insn_result.why, bytes and len. */
    INSN_UNSUPPORTED,
    /* A callback failed; insn_result.error is its errno. */
    INSN_ERROR,
};

/* Vectors that the emulator injects. */
enum insn_vector {
    INSN_VEC_DE = 0,
    INSN_VEC_UD = 6,
    INSN_VEC_NM = 7,
    INSN_VEC_TS = 10,
    INSN_VEC_NP = 11,
    INSN_VEC_SS = 12,
    INSN_VEC_GP = 13,
    INSN_VEC_PF = 14,
    INSN_VEC_MF = 16,
};

/* Bits of a page fault's error code. */
#define INSN_PF_P           0x01
#define INSN_PF_W           0x02
#define INSN_PF_U           0x04
#define INSN_PF_RSVD        0x08
#define INSN_PF_I           0x10
#define INSN_PF_PK          0x20

struct insn_fault {
    uint8_t vector;
    bool has_error_code;
    uint32_t error_code;
    uint64_t cr2;               /* for #PF only; else 0 */
};

struct insn_result {
    struct insn_fault fault;    /* INSN_FAULT */
    int error;                  /* INSN_ERROR: negative errno */
    const char *why;            /* INSN_UNSUPPORTED: static, one phrase */
    uint8_t len;                /* bytes of the instruction that were decoded */
    uint8_t bytes[INSN_MAX_LEN];
};

/*
 * What the exit's message already says.  All of it is optional: zeroes are
 * right, only slower.
 */
struct insn_hints {
    const uint8_t *bytes;       /* at CS:RIP, as the VP fetched them */
    unsigned nbytes;            /* more are fetched from the guest if needed */

    /*
     * The hypervisor has translated linear address @gva to @gpa and the guest's
     * page tables allow the access (for writing too if @gva_write): accesses to
     * that page are not translated again.
     */
    bool gva_valid;
    bool gva_write;
    uint64_t gva;
    uint64_t gpa;

    /*
     * The exit was the port's: IOPL and the I/O permission bitmap allow it.
     * Without this, IN/OUT/INS/OUTS are emulated only if CPL <= IOPL or in real
     * mode.
     */
    bool io_allowed;
};

/*
 * Decode and execute the instruction at CS:RIP.
 *
 * Not part of an instruction's emulation, and left to the caller after
 * INSN_DONE: ending an interrupt shadow, and the #DB trap if RFLAGS.TF is set
 * (INSN_PARTIAL: as well, one iteration counts as one instruction).
 */
enum insn_status insn_execute(struct insn_cpu *cpu, const struct insn_ops *ops,
                              void *opaque, const struct insn_hints *hints,
                              struct insn_result *res);

/*
 * As insn_execute, for the exit of a string I/O instruction (INS, OUTS, with
 * or without REP) at @port of @size bytes, @in for INS.  If the bytes at
 * CS:RIP are no longer such an instruction (the guest has changed them since
 * the exit), nothing is done and INSN_PARTIAL is returned: let the VP run.
 */
enum insn_status insn_string_io(struct insn_cpu *cpu,
                                const struct insn_ops *ops, void *opaque,
                                const struct insn_hints *hints,
                                uint16_t port, unsigned size, bool in,
                                struct insn_result *res);

/*
 * Decode only: the length in bytes of the instruction at CS:RIP to res->len.
 * INSN_DONE says that insn_execute knows it in the current mode.
 */
enum insn_status insn_decode(struct insn_cpu *cpu, const struct insn_ops *ops,
                             void *opaque, const struct insn_hints *hints,
                             struct insn_result *res);

/* A move between a register, or an immediate, and memory. */
struct insn_move {
    uint64_t displacement;
    uint64_t base_mask;         /* all ones; 0 if there is no such register */
    uint64_t index_mask;
    uint64_t immediate;         /* what it writes, if has_immediate */
    uint8_t base;               /* enum insn_gpr */
    uint8_t index;
    uint8_t scale;              /* a shift */
    uint8_t length;             /* of the instruction */
    uint8_t size;               /* bytes of memory: 1, 2, 4, 8 */
    uint8_t reg_size;           /* of the register; larger: zero-extended */
    uint8_t reg;                /* enum insn_gpr */
    bool write;
    bool has_immediate;
};

/*
 * A short cut: decode @bytes, code of 64-bit mode, if they are MOV or MOVZX
 * with a memory operand in its usual forms.  False: take insn_execute(), which
 * knows all that this does not.  @nbytes: at least INSN_MAX_LEN, or false.
 */
bool insn_decode_move(const uint8_t *bytes, unsigned nbytes,
                      struct insn_move *m);

/*
 * The linear address of the operand, if no segment with a base is involved:
 * compare it with what the hypervisor says.
 */
static inline uint64_t insn_move_address(const struct insn_move *m,
                                         const uint64_t gpr[16])
{
    return m->displacement + (gpr[m->base] & m->base_mask) +
           ((gpr[m->index] & m->index_mask) << m->scale);
}

/* What a store writes: the low @m->size bytes of it. */
static inline uint64_t insn_move_value(const struct insn_move *m,
                                       const uint64_t gpr[16])
{
    return m->has_immediate ? m->immediate : gpr[m->reg];
}

/* The register @m->reg, which was @old, after a load of @value. */
static inline uint64_t insn_move_result(const struct insn_move *m,
                                        uint64_t old, uint64_t value)
{
    uint64_t mask = m->reg_size == 1 ? 0xff : 0xffff;

    return m->reg_size >= 4 ? value : (old & ~mask) | value;
}

enum insn_access {
    INSN_READ,
    INSN_WRITE,                 /* also for read-modify-write */
    INSN_FETCH,
};

/* Flags of insn_translate. */
#define INSN_XLAT_IMPLICIT  0x1 /* supervisor access whatever CPL and AC say */
#define INSN_XLAT_NO_AD     0x2 /* do not set accessed and dirty bits */
#define INSN_XLAT_DEBUG     0x4 /* no rights checks, implies NO_AD */

/*
 * Walk the guest's page tables: linear address @gva to *@gpa, for an access
 * that lies within the 4 KiB page of @gva, with the rights of cpu->cpl.
 *
 * Knows: no paging, 32-bit (with PSE and 40-bit PSE), PAE, 4 and 5 levels, all
 * page sizes; WP, NX, SMEP, SMAP, PKU, reserved bits; sets accessed and dirty
 * bits by compare-exchange.  PAE reads the PDPTEs from memory, as AMD
 * processors do with nested paging, not from the copy made by MOV to CR3.
 *
 * Returns INSN_DONE; INSN_FAULT with #PF, or with #GP(0) if @gva is not
 * canonical; or INSN_ERROR.
 */
enum insn_status insn_translate(const struct insn_cpu *cpu,
                                const struct insn_ops *ops, void *opaque,
                                uint64_t gva, enum insn_access access,
                                unsigned flags, uint64_t *gpa,
                                struct insn_result *res);

#endif
