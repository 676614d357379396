/*
 * The instruction emulator (insn/) with a stopped VP under it: registers come
 * from the register page, memory is reached through our own mapping of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "mshv-compat/memory.h"
#include "system/hw_accel.h"
#include "accel/mshv/access.h"
#include "emulate.h"
#include "trace.h"

/* In the order of struct insn_cpu. */
static const uint32_t cpu_names[] = {
    HV_X64_REGISTER_RAX, HV_X64_REGISTER_RCX, HV_X64_REGISTER_RDX,
    HV_X64_REGISTER_RBX, HV_X64_REGISTER_RSP, HV_X64_REGISTER_RBP,
    HV_X64_REGISTER_RSI, HV_X64_REGISTER_RDI, HV_X64_REGISTER_R8,
    HV_X64_REGISTER_R9, HV_X64_REGISTER_R10, HV_X64_REGISTER_R11,
    HV_X64_REGISTER_R12, HV_X64_REGISTER_R13, HV_X64_REGISTER_R14,
    HV_X64_REGISTER_R15, HV_X64_REGISTER_RIP, HV_X64_REGISTER_RFLAGS,
    HV_X64_REGISTER_ES, HV_X64_REGISTER_CS, HV_X64_REGISTER_SS,
    HV_X64_REGISTER_DS, HV_X64_REGISTER_FS, HV_X64_REGISTER_GS,
    HV_X64_REGISTER_CR0, HV_X64_REGISTER_CR3, HV_X64_REGISTER_CR4,
    HV_X64_REGISTER_EFER,
};
#define FIRST_SEGMENT   18
#define FIRST_CONTROL   (FIRST_SEGMENT + INSN_NSEGS)

QEMU_BUILD_BUG_ON(sizeof(struct insn_seg) !=
                  sizeof(struct hv_x64_segment_register));
QEMU_BUILD_BUG_ON(sizeof_field(struct insn_cpu, gpr) !=
                  sizeof_field(struct hv_vp_register_page, gp_registers));
QEMU_BUILD_BUG_ON(sizeof_field(struct insn_cpu, seg) !=
                  sizeof_field(struct hv_vp_register_page,
                               segment_registers));

static uint8_t current_privilege(const struct insn_cpu *cpu)
{
    if (!(cpu->cr0 & INSN_CR0_PE)) {
        return 0;
    }
    if (cpu->rflags & INSN_VM) {
        return 3;
    }
    return (cpu->seg[INSN_SS].attr >> INSN_SEG_DPL_SHIFT) & 3;
}

/* From the register page, as every exit has it. */
static void load_page(struct insn_cpu *cpu,
                      const struct hv_vp_register_page *page)
{
    memcpy(cpu->gpr, page->gp_registers, sizeof(cpu->gpr));
    memcpy(cpu->seg, page->segment_registers, sizeof(cpu->seg));
    cpu->rip = page->rip;
    cpu->rflags = page->rflags;
    cpu->cr0 = page->cr0;
    cpu->cr3 = page->cr3;
    cpu->cr4 = page->cr4;
    cpu->efer = page->efer;
}

static int load_registers(struct insn_cpu *cpu, CPUState *cs, Error **errp)
{
    union hv_register_value v[ARRAY_SIZE(cpu_names)];
    unsigned i;
    int ret = mshv_x86_get_regs(cs, cpu_names, v, ARRAY_SIZE(cpu_names),
                                errp);

    if (ret < 0) {
        return ret;
    }
    for (i = 0; i < 16; i++) {
        cpu->gpr[i] = v[i].reg64;
    }
    cpu->rip = v[16].reg64;
    cpu->rflags = v[17].reg64;
    for (i = 0; i < INSN_NSEGS; i++) {
        memcpy(&cpu->seg[i], &v[FIRST_SEGMENT + i], sizeof(cpu->seg[i]));
    }
    cpu->cr0 = v[FIRST_CONTROL].reg64;
    cpu->cr3 = v[FIRST_CONTROL + 1].reg64;
    cpu->cr4 = v[FIRST_CONTROL + 2].reg64;
    cpu->efer = v[FIRST_CONTROL + 3].reg64;
    return 0;
}

int mshv_emulation_begin(MshvEmulation *e, CPUState *cs, Error **errp)
{
    const struct hv_vp_register_page *page = mshv_regpage(cs);
    const CPUX86State *env = cpu_env(cs);
    struct insn_cpu *cpu = &e->cpu;
    int ret;

    e->cs = cs;
    e->err = NULL;
    e->access_version = qatomic_read(&mshv_access_version);
    cpu->dirty_gpr = 0;
    cpu->dirty = 0;
    cpu->dirty_seg = 0;
    if (likely(page)) {
        load_page(cpu, page);
    } else {
        ret = load_registers(cpu, cs, errp);
        if (ret < 0) {
            return ret;
        }
    }
    cpu->cpl = current_privilege(cpu);
    cpu->maxphyaddr = env_archcpu(cpu_env(cs))->phys_bits;
    cpu->vendor = insn_vendor_of(env->cpuid_vendor1, env->cpuid_vendor3,
                                 env->cpuid_vendor2);
    cpu->null_clears_base = env->features[FEAT_8000_0021_EAX] &
                            CPUID_8000_0021_EAX_NULL_SEL_CLR_BASE;
    return 0;
}

/* ---- Memory ---- */

static void *map_gpa(void *opaque, uint64_t gpa, unsigned len, bool write)
{
    MshvEmulation *e = opaque;
    const MshvAccess *a = mshv_access_find(e->cs, false, gpa, len, write);

    return a->kind == MSHV_ACCESS_RAM
           ? (uint8_t *)memory_region_get_ram_ptr(a->mr) + a->offset : NULL;
}

static void dirty_gpa(void *opaque, uint64_t gpa, unsigned len)
{
    MshvEmulation *e = opaque;
    const MshvAccess *a = mshv_access_find(e->cs, false, gpa, len, true);

    if (a->kind == MSHV_ACCESS_RAM) {
        memory_region_set_dirty(a->mr, a->offset, len);
    }
}

static int read_gpa(void *opaque, uint64_t gpa, void *buf, unsigned len)
{
    MshvEmulation *e = opaque;

    trace_mshv_mmio(e->cs->cpu_index, false, gpa, len);
    mshv_access_read(e->cs, false, gpa, buf, len, 1);
    return 0;
}

static int write_gpa(void *opaque, uint64_t gpa, const void *buf, unsigned len)
{
    MshvEmulation *e = opaque;

    trace_mshv_mmio(e->cs->cpu_index, true, gpa, len);
    mshv_access_write(e->cs, false, gpa, buf, len, 1);
    return 0;
}

/* ---- Ports ---- */

static int io_read(void *opaque, uint16_t port, unsigned size, unsigned count,
                   void *buf)
{
    MshvEmulation *e = opaque;

    mshv_access_read(e->cs, true, port, buf, size, count);
    return 0;
}

static int io_write(void *opaque, uint16_t port, unsigned size, unsigned count,
                    const void *buf)
{
    MshvEmulation *e = opaque;

    mshv_access_write(e->cs, true, port, buf, size, count);
    return 0;
}

/* ---- Vector registers ---- */

/*
 * The low 128 bits of registers are registers of their own; for more, all of
 * the state is fetched, and from then on CPUX86State is what counts.
 */
static CPUX86State *all_state(MshvEmulation *e)
{
    bql_lock();
    cpu_synchronize_state(e->cs);
    bql_unlock();
    return &X86_CPU(e->cs)->env;
}

static int read_vec(void *opaque, unsigned idx, void *buf, unsigned len)
{
    MshvEmulation *e = opaque;
    uint32_t name = HV_X64_REGISTER_XMM0 + idx;
    union hv_register_value value;
    int ret;

    if (e->cs->vcpu_dirty || len > 16 || idx > 15) {
        memcpy(buf, &all_state(e)->xmm_regs[idx], len);
        return 0;
    }
    ret = mshv_x86_get_regs(e->cs, &name, &value, 1, &e->err);
    memcpy(buf, &value, len);
    return ret;
}

static int write_vec(void *opaque, unsigned idx, const void *buf, unsigned len,
                     bool zero_upper)
{
    MshvEmulation *e = opaque;
    struct hv_register_assoc reg = { .name = HV_X64_REGISTER_XMM0 + idx };

    if (e->cs->vcpu_dirty || len > 16 || idx > 15 || zero_upper) {
        ZMMReg *zmm = &all_state(e)->xmm_regs[idx];

        if (zero_upper) {
            memset(zmm, 0, sizeof(*zmm));
        }
        memcpy(zmm, buf, len);
        return 0;
    }
    memcpy(&reg.value, buf, len);
    if (mshv_regpage_set(e->cs, reg.name, &reg.value)) {
        return 0;
    }
    return mshv_x86_set_regs(e->cs, &reg, 1, &e->err);
}

static int read_opmask(void *opaque, unsigned idx, uint64_t *val)
{
    *val = all_state(opaque)->opmask_regs[idx];
    return 0;
}

/*
 * An MMX instruction sets TOP to 0 and marks all registers as used. fpregs[i]
 * is ST(i), so the registers move when TOP does.
 */
static CPUX86State *mmx_state(MshvEmulation *e)
{
    CPUX86State *env = all_state(e);
    FPReg old[8];
    unsigned i;

    memcpy(old, env->fpregs, sizeof(old));
    for (i = 0; i < 8; i++) {
        env->fpregs[i] = old[(i - env->fpstt) & 7];
    }
    env->fpstt = 0;
    memset(env->fptags, 0, sizeof(env->fptags));
    return env;
}

static int read_mmx(void *opaque, unsigned idx, uint64_t *val)
{
    *val = mmx_state(opaque)->fpregs[idx].mmx.MMX_Q(0);
    return 0;
}

static int write_mmx(void *opaque, unsigned idx, uint64_t val)
{
    FPReg *reg = &mmx_state(opaque)->fpregs[idx];

    reg->mmx.MMX_Q(0) = val;
    reg->d.high = 0xffff;
    return 0;
}

static int read_xcr0(void *opaque, uint64_t *val)
{
    MshvEmulation *e = opaque;
    uint32_t name = HV_X64_REGISTER_XFEM;
    union hv_register_value value = { 0 };
    int ret = mshv_x86_get_regs(e->cs, &name, &value, 1, &e->err);

    *val = value.reg64;
    return ret;
}

static int read_pkru(void *opaque, uint32_t *val)
{
    *val = all_state(opaque)->pkru;
    return 0;
}

static int read_fpu(void *opaque, uint8_t image[INSN_FX_SIZE])
{
    mshv_fpu_to_image(all_state(opaque), image);
    return 0;
}

static int write_fpu(void *opaque, const uint8_t image[INSN_FX_SIZE])
{
    mshv_fpu_from_image(all_state(opaque), image);
    return 0;
}

/* ---- System registers ---- */

static const uint32_t system_names[] = {
    [INSN_GDTR] = HV_X64_REGISTER_GDTR, [INSN_IDTR] = HV_X64_REGISTER_IDTR,
    [INSN_LDTR] = HV_X64_REGISTER_LDTR, [INSN_TR] = HV_X64_REGISTER_TR,
};

static int read_system(void *opaque, enum insn_system reg,
                       struct insn_seg *val)
{
    MshvEmulation *e = opaque;
    union hv_register_value v;
    int ret = mshv_x86_get_regs(e->cs, &system_names[reg], &v, 1, &e->err);

    if (reg == INSN_GDTR || reg == INSN_IDTR) {
        *val = (struct insn_seg) {
            .base = v.table.base, .limit = v.table.limit,
        };
    } else {
        memcpy(val, &v, sizeof(*val));
    }
    return ret;
}

static int write_system(void *opaque, enum insn_system reg,
                        const struct insn_seg *val)
{
    struct hv_register_assoc assoc = { .name = system_names[reg] };
    MshvEmulation *e = opaque;
    int ret = mshv_x86_flush_env(e->cs, &e->err);

    if (reg == INSN_GDTR || reg == INSN_IDTR) {
        assoc.value.table.base = val->base;
        assoc.value.table.limit = val->limit;
    } else {
        memcpy(&assoc.value, val, sizeof(*val));
    }
    return ret < 0 ? ret : mshv_x86_set_regs(e->cs, &assoc, 1, &e->err);
}

static bool should_stop(void *opaque)
{
    MshvEmulation *e = opaque;

    /* Mappings of RAM are kept from one element to the next. */
    return qatomic_read(&e->cs->exit_request) ||
           qatomic_read(&e->cs->accel->kicked) ||
           qatomic_read(&mshv_access_version) != e->access_version;
}

const struct insn_ops mshv_insn_ops = {
    .map_gpa = map_gpa,
    .dirty_gpa = dirty_gpa,
    .read_gpa = read_gpa,
    .write_gpa = write_gpa,
    .io_read = io_read,
    .io_write = io_write,
    .read_vec = read_vec,
    .write_vec = write_vec,
    .read_opmask = read_opmask,
    .read_mmx = read_mmx,
    .write_mmx = write_mmx,
    .read_xcr0 = read_xcr0,
    .read_pkru = read_pkru,
    .read_system = read_system,
    .write_system = write_system,
    .read_fpu = read_fpu,
    .write_fpu = write_fpu,
    .should_stop = should_stop,
};

/* ---- The end ---- */

static void write_back_env(MshvEmulation *e)
{
    CPUX86State *env = &X86_CPU(e->cs)->env;
    unsigned i;

    for (i = 0; i < 16; i++) {
        if (e->cpu.dirty_gpr & (1u << i)) {
            env->regs[i] = e->cpu.gpr[i];
        }
    }
    if (e->cpu.dirty & INSN_DIRTY_RIP) {
        env->eip = e->cpu.rip;
    }
    if (e->cpu.dirty & INSN_DIRTY_RFLAGS) {
        env->eflags = e->cpu.rflags;
    }
}

static void write_back_page(const struct insn_cpu *cpu,
                            struct hv_vp_register_page *page)
{
    if (cpu->dirty_gpr) {
        memcpy(page->gp_registers, cpu->gpr, sizeof(cpu->gpr));
        page->dirty |= 1u << HV_X64_REGISTER_CLASS_GENERAL;
    }
    if (cpu->dirty & INSN_DIRTY_RIP) {
        page->rip = cpu->rip;
        page->dirty |= 1u << HV_X64_REGISTER_CLASS_IP;
    }
    if (cpu->dirty & INSN_DIRTY_RFLAGS) {
        page->rflags = cpu->rflags;
        page->dirty |= 1u << HV_X64_REGISTER_CLASS_FLAGS;
    }
}

/* Any registers, to wherever they are. */
static int write_back_all(MshvEmulation *e, Error **errp)
{
    struct hv_register_assoc regs[19 + INSN_NSEGS] = { 0 };
    unsigned i, n = 0;
    int ret = mshv_x86_flush_env(e->cs, errp);

    if (ret < 0) {
        return ret;
    }
    for (i = 0; i < 16; i++) {
        if (e->cpu.dirty_gpr & (1u << i)) {
            regs[n].name = HV_X64_REGISTER_RAX + i;
            regs[n++].value.reg64 = e->cpu.gpr[i];
        }
    }
    if (e->cpu.dirty & INSN_DIRTY_RIP) {
        regs[n].name = HV_X64_REGISTER_RIP;
        regs[n++].value.reg64 = e->cpu.rip;
    }
    if (e->cpu.dirty & INSN_DIRTY_RFLAGS) {
        regs[n].name = HV_X64_REGISTER_RFLAGS;
        regs[n++].value.reg64 = e->cpu.rflags;
    }
    if (e->cpu.dirty & INSN_DIRTY_CR0) {
        regs[n].name = HV_X64_REGISTER_CR0;
        regs[n++].value.reg64 = e->cpu.cr0;
    }
    for (i = 0; i < INSN_NSEGS; i++) {
        if (e->cpu.dirty_seg & (1u << i)) {
            regs[n].name = cpu_names[FIRST_SEGMENT + i];
            memcpy(&regs[n++].value, &e->cpu.seg[i], sizeof(e->cpu.seg[i]));
        }
    }
    return mshv_x86_store_regs(e->cs, regs, n, errp);
}

static int write_back(MshvEmulation *e, Error **errp)
{
    struct hv_vp_register_page *page = mshv_regpage(e->cs);

    if (unlikely(e->cpu.dirty_seg || (e->cpu.dirty & INSN_DIRTY_CR0))) {
        return write_back_all(e, errp);
    }
    if (unlikely(e->cs->vcpu_dirty)) {
        write_back_env(e);
        return 0;
    }
    if (unlikely(!page)) {
        return write_back_all(e, errp);
    }
    write_back_page(&e->cpu, page);
    return 0;
}

/* IRET ends it */
static int unblock_nmi(CPUState *cs, Error **errp)
{
    struct hv_register_assoc state = { .name = HV_REGISTER_INTERRUPT_STATE };
    int ret = mshv_x86_get_regs(cs, &state.name, &state.value, 1, errp);

    if (ret < 0 || !state.value.interrupt_state.nmi_masked) {
        return ret;
    }
    state.value.interrupt_state.nmi_masked = 0;
    return mshv_x86_set_regs(cs, &state, 1, errp);
}

static int set_shadow(CPUState *cs, bool shadow, Error **errp)
{
    struct hv_register_assoc state = { .name = HV_REGISTER_INTERRUPT_STATE };
    int ret = mshv_x86_get_regs(cs, &state.name, &state.value, 1, errp);

    state.value.interrupt_state.interrupt_shadow = shadow;
    return ret < 0 ? ret : mshv_x86_set_regs(cs, &state, 1, errp);
}

int mshv_end_shadow_and_trap(CPUState *cs,
                             const struct hv_x64_intercept_message_header
                                 *header, Error **errp)
{
    int ret = mshv_x86_flush_env(cs, errp);

    if (ret == 0 && header->execution_state.interrupt_shadow) {
        ret = set_shadow(cs, false, errp);
    }
    if (ret == 0 && (header->rflags & TF_MASK)) {
        ret = mshv_debug_event(cs, DR6_BS, errp);
    }
    return ret;
}

int mshv_refuse_to_user(CPUState *cs,
                        const struct hv_x64_intercept_message_header *header,
                        Error **errp)
{
    int ret = mshv_x86_flush_env(cs, errp);

    trace_mshv_refuse_to_user(cs->cpu_index, header->cs_segment.selector,
                              header->rip);
    return ret < 0 ? ret : mshv_inject_exception(cs, EXCP06_ILLOP, false, 0, 0,
                                                 errp);
}

static int unsupported(MshvEmulation *e, const struct insn_result *result,
                       const struct hv_x64_intercept_message_header *header,
                       Error **errp)
{
    g_autoptr(GString) bytes = g_string_new(NULL);
    unsigned i;

    if (e->cpu.cpl == 3) {
        return mshv_refuse_to_user(e->cs, header, errp);
    }
    for (i = 0; i < INSN_MAX_LEN; i++) {
        g_string_append_printf(bytes, " %02x", result->bytes[i]);
    }
    error_setg(errp, "cannot emulate the instruction at %04x:%016" PRIx64
               " (%s), which starts with the bytes%s",
               e->cpu.seg[INSN_CS].selector, e->cpu.rip,
               result->why ? result->why : "unknown", bytes->str);
    return -ENOTSUP;
}

int mshv_emulation_end(MshvEmulation *e, enum insn_status status,
                       const struct insn_result *result,
                       const struct hv_x64_intercept_message_header *header,
                       Error **errp)
{
    const struct insn_fault *fault = &result->fault;
    int ret;

    if (status == INSN_UNSUPPORTED) {
        return unsupported(e, result, header, errp);
    }
    if (status == INSN_ERROR) {
        if (e->err) {
            error_propagate(errp, e->err);
        } else {
            error_setg_errno(errp, -result->error, "instruction emulation");
        }
        return result->error;
    }
    ret = write_back(e, errp);
    if (ret < 0) {
        return ret;
    }
    if (status == INSN_FAULT) {
        ret = mshv_x86_flush_env(e->cs, errp);
        return ret < 0 ? ret
               : mshv_inject_exception(e->cs, fault->vector,
                                       fault->has_error_code,
                                       fault->error_code, fault->cr2, errp);
    }
    if (status == INSN_DONE || (header->rflags & TF_MASK)) {
        ret = mshv_after_instruction(e->cs, header, errp);
    }
    if (ret == 0 && (e->cpu.dirty & INSN_DIRTY_NMI)) {
        ret = unblock_nmi(e->cs, errp);
    }
    if (ret == 0 && (e->cpu.dirty & INSN_DIRTY_SHADOW)) {
        ret = set_shadow(e->cs, true, errp);
    }
    return ret;
}
