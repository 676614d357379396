/*
 * What a processor saves when it enters system management mode, in the format
 * of 64-bit processors that firmware knows by revision 0x20064 (AMD64
 * Architecture Programmer's Manual, vol. 2, 10.2.3), and what it loads again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "smm.h"

#define REVISION                0x20064u
#define REVISION_RELOCATES      0x20000u    /* RSM loads SMBASE */

/* Offsets in the area */
#define AT(offset)              ((offset) - MSHV_SMM_SAVE)
#define AT_AUTO_HALT            AT(0xfec9)
#define AT_SHADOW               AT(0xfecb)  /* reserved: ours */
#define AT_EFER                 AT(0xfed0)
#define AT_REVISION             AT(0xfefc)
#define AT_SMBASE               AT(0xff00)
#define AT_CR0                  AT(0xff58)
#define AT_CR3                  AT(0xff50)
#define AT_CR4                  AT(0xff48)

/* SegmentCache.flags are the descriptor's second word, attributes its 8.. */
#define ATTRIBUTES_SHIFT        8
#define ATTRIBUTES_MASK         0xf0ffu

#define ENV(field)              offsetof(CPUX86State, field)

static const struct {
    uint16_t at;
    uint32_t env;
} segments[] = {
    { AT(0xfe00), ENV(segs[R_ES]) }, { AT(0xfe10), ENV(segs[R_CS]) },
    { AT(0xfe20), ENV(segs[R_SS]) }, { AT(0xfe30), ENV(segs[R_DS]) },
    { AT(0xfe40), ENV(segs[R_FS]) }, { AT(0xfe50), ENV(segs[R_GS]) },
    { AT(0xfe60), ENV(gdt) }, { AT(0xfe70), ENV(ldt) },
    { AT(0xfe80), ENV(idt) }, { AT(0xfe90), ENV(tr) },
}, registers[] = {              /* of 64 bits */
    { AT_EFER, ENV(efer) },
    { AT_CR4, ENV(cr[4]) }, { AT_CR3, ENV(cr[3]) }, { AT_CR0, ENV(cr[0]) },
    { AT(0xff60), ENV(dr[7]) }, { AT(0xff68), ENV(dr[6]) },
    { AT(0xff70), ENV(eflags) }, { AT(0xff78), ENV(eip) },
    { AT(0xff80), ENV(regs[15]) }, { AT(0xff88), ENV(regs[14]) },
    { AT(0xff90), ENV(regs[13]) }, { AT(0xff98), ENV(regs[12]) },
    { AT(0xffa0), ENV(regs[11]) }, { AT(0xffa8), ENV(regs[10]) },
    { AT(0xffb0), ENV(regs[9]) }, { AT(0xffb8), ENV(regs[8]) },
    { AT(0xffc0), ENV(regs[R_EDI]) }, { AT(0xffc8), ENV(regs[R_ESI]) },
    { AT(0xffd0), ENV(regs[R_EBP]) }, { AT(0xffd8), ENV(regs[R_ESP]) },
    { AT(0xffe0), ENV(regs[R_EBX]) }, { AT(0xffe8), ENV(regs[R_EDX]) },
    { AT(0xfff0), ENV(regs[R_ECX]) }, { AT(0xfff8), ENV(regs[R_EAX]) },
};

static void *field(CPUX86State *env, uint32_t offset)
{
    return (uint8_t *)env + offset;
}

void mshv_smm_save(X86CPU *cpu, uint8_t area[MSHV_SMM_SAVE_SIZE])
{
    CPUX86State *env = &cpu->env;
    unsigned i;

    memset(area, 0, MSHV_SMM_SAVE_SIZE);
    for (i = 0; i < ARRAY_SIZE(segments); i++) {
        const SegmentCache *seg = field(env, segments[i].env);
        uint8_t *p = area + segments[i].at;

        stw_le_p(p, seg->selector);
        stw_le_p(p + 2, seg->flags >> ATTRIBUTES_SHIFT & ATTRIBUTES_MASK);
        stl_le_p(p + 4, seg->limit);
        stq_le_p(p + 8, seg->base);
    }
    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        stq_le_p(area + registers[i].at,
                 *(uint64_t *)field(env, registers[i].env));
    }
    area[AT_AUTO_HALT] = env->mp_state == MSHV_MP_HALTED;
    area[AT_SHADOW] = !!(env->hflags & HF_INHIBIT_IRQ_MASK);
    stl_le_p(area + AT_REVISION, REVISION);
    stl_le_p(area + AT_SMBASE, env->smbase);
}

static SegmentCache flat_segment(uint16_t selector, target_ulong base)
{
    return (SegmentCache) {
        .selector = selector, .base = base, .limit = UINT32_MAX,
        .flags = DESC_G_MASK | DESC_P_MASK | DESC_S_MASK | DESC_W_MASK |
                 DESC_A_MASK,
    };
}

void mshv_smm_begin(X86CPU *cpu)
{
    CPUX86State *env = &cpu->env;
    unsigned i;

    env->msr_smi_count++;
    env->hflags &= ~HF_INHIBIT_IRQ_MASK;
    env->hflags |= HF_SMM_MASK;
    env->hflags2 &= ~HF2_SMM_INSIDE_NMI_MASK;
    if (env->hflags2 & HF2_NMI_MASK) {
        env->hflags2 |= HF2_SMM_INSIDE_NMI_MASK;
    }
    env->hflags2 |= HF2_NMI_MASK;
    env->mp_state = MSHV_MP_RUNNABLE;
    CPU(cpu)->halted = 0;

    for (i = 0; i < 6; i++) {
        env->segs[i] = flat_segment(0, 0);
    }
    env->segs[R_CS] = flat_segment(env->smbase >> 4, env->smbase);
    env->idt.base = 0;
    env->idt.limit = 0;
    env->eip = MSHV_SMM_ENTRY;
    env->eflags = 2;
    env->dr[7] = DR7_FIXED_1;
    env->cr[0] &= ~(CR0_PE_MASK | CR0_EM_MASK | CR0_TS_MASK | CR0_PG_MASK);
    env->cr[4] = 0;
    env->efer = 0;
    x86_update_hflags(env);
}

/* SDM vol. 3, 32.5, and AMD64 vol. 2, 10.3.3: otherwise a shutdown */
static bool is_valid(CPUX86State *env, const uint8_t *area)
{
    uint64_t cr0 = ldq_le_p(area + AT_CR0), cr4 = ldq_le_p(area + AT_CR4);
    uint64_t efer = ldq_le_p(area + AT_EFER);
    bool paging = cr0 & CR0_PG_MASK, long_mode = efer & MSR_EFER_LME;

    return !(cr0 >> 32) && (!paging || (cr0 & CR0_PE_MASK)) &&
           (!(cr0 & CR0_NW_MASK) || (cr0 & CR0_CD_MASK)) &&
           !(cr4 & cr4_reserved_bits(env)) &&
           !(efer & MSR_EFER_RESERVED) &&
           (!paging || !long_mode || (cr4 & CR4_PAE_MASK)) &&
           (!(cr4 & CR4_PCIDE_MASK) || (paging && long_mode)) &&
           !!(efer & MSR_EFER_LMA) == (paging && long_mode);
}

bool mshv_smm_load(X86CPU *cpu, const uint8_t area[MSHV_SMM_SAVE_SIZE])
{
    CPUX86State *env = &cpu->env;
    unsigned i;

    if (!is_valid(env, area)) {
        return false;
    }
    for (i = 0; i < ARRAY_SIZE(segments); i++) {
        SegmentCache *seg = field(env, segments[i].env);
        const uint8_t *p = area + segments[i].at;

        seg->selector = lduw_le_p(p);
        seg->flags = (lduw_le_p(p + 2) & ATTRIBUTES_MASK) << ATTRIBUTES_SHIFT;
        seg->limit = ldl_le_p(p + 4);
        seg->base = ldq_le_p(p + 8);
    }
    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        *(uint64_t *)field(env, registers[i].env) =
            ldq_le_p(area + registers[i].at);
    }
    env->eflags |= 2;
    if (ldl_le_p(area + AT_REVISION) & REVISION_RELOCATES) {
        env->smbase = ldl_le_p(area + AT_SMBASE);
    }
    env->mp_state = area[AT_AUTO_HALT] & 1 ? MSHV_MP_HALTED
                                           : MSHV_MP_RUNNABLE;
    CPU(cpu)->halted = env->mp_state != MSHV_MP_RUNNABLE;
    env->hflags &= ~(HF_SMM_MASK | HF_INHIBIT_IRQ_MASK);
    if (area[AT_SHADOW] & 1) {
        env->hflags |= HF_INHIBIT_IRQ_MASK;
    }
    if (!(env->hflags2 & HF2_SMM_INSIDE_NMI_MASK)) {
        env->hflags2 &= ~HF2_NMI_MASK;
    } else {
        env->hflags2 |= HF2_NMI_MASK;
    }
    env->hflags2 &= ~HF2_SMM_INSIDE_NMI_MASK;
    x86_update_hflags(env);
    return true;
}
