/*
 * The table of a VP's registers: reading, writing and reset all walk it.
 *
 * The order is the order of writing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "state-table.h"
#include "hw/i386/apic_internal.h"

/* SegmentCache.flags are the descriptor's second word, attributes its 8.. */
#define ATTRIBUTES_SHIFT        8
#define ATTRIBUTES_MASK         0xf0ff

void mshv_segment_to_env(SegmentCache *seg,
                         const struct hv_x64_segment_register *hv)
{
    seg->base = hv->base;
    seg->limit = hv->limit;
    seg->selector = hv->selector;
    seg->flags = (uint32_t)(hv->attributes & ATTRIBUTES_MASK)
                 << ATTRIBUTES_SHIFT;
}

void mshv_segment_from_env(const SegmentCache *seg,
                           struct hv_x64_segment_register *hv)
{
    hv->base = seg->base;
    hv->limit = seg->limit;
    hv->selector = seg->selector;
    hv->attributes = (seg->flags >> ATTRIBUTES_SHIFT) & ATTRIBUTES_MASK;
}

/* ---- Registers that are no plain field ---- */

static void get_cr8(X86CPU *cpu, const union hv_register_value *value)
{
    cpu_set_apic_tpr(cpu->apic_state, value->reg64);
}

static void set_cr8(X86CPU *cpu, union hv_register_value *value)
{
    value->reg64 = cpu_get_apic_tpr(cpu->apic_state);
}

static void get_apic_base(X86CPU *cpu, const union hv_register_value *value)
{
    cpu_set_apic_base(cpu->apic_state, value->reg64);
}

static void set_apic_base(X86CPU *cpu, union hv_register_value *value)
{
    value->reg64 = cpu_get_apic_base(cpu->apic_state);
}

static void get_activity(X86CPU *cpu, const union hv_register_value *value)
{
    if (value->internal_activity.startup_suspend) {
        cpu->env.mp_state = MSHV_MP_WAIT_FOR_SIPI;
    } else if (value->internal_activity.halt_suspend) {
        cpu->env.mp_state = MSHV_MP_HALTED;
    } else if (value->internal_activity.idle_suspend) {
        cpu->env.mp_state = MSHV_MP_IDLE;
    } else {
        cpu->env.mp_state = MSHV_MP_RUNNABLE;
    }
    /* Only to be shown: waiting is the hypervisor's. */
    CPU(cpu)->halted = cpu->env.mp_state != MSHV_MP_RUNNABLE;
}

static void set_activity(X86CPU *cpu, union hv_register_value *value)
{
    value->internal_activity.startup_suspend =
        cpu->env.mp_state == MSHV_MP_WAIT_FOR_SIPI;
    value->internal_activity.halt_suspend =
        cpu->env.mp_state == MSHV_MP_HALTED;
    value->internal_activity.idle_suspend =
        cpu->env.mp_state == MSHV_MP_IDLE;
}

static void get_interrupt_state(X86CPU *cpu,
                                const union hv_register_value *value)
{
    CPUX86State *env = &cpu->env;

    env->hflags &= ~HF_INHIBIT_IRQ_MASK;
    env->hflags2 &= ~HF2_NMI_MASK;
    if (value->interrupt_state.interrupt_shadow) {
        env->hflags |= HF_INHIBIT_IRQ_MASK;
    }
    if (value->interrupt_state.nmi_masked) {
        env->hflags2 |= HF2_NMI_MASK;
    }
}

static void set_interrupt_state(X86CPU *cpu, union hv_register_value *value)
{
    value->interrupt_state.interrupt_shadow =
        !!(cpu->env.hflags & HF_INHIBIT_IRQ_MASK);
    value->interrupt_state.nmi_masked =
        !!(cpu->env.hflags2 & HF2_NMI_MASK);
}

/* An event whose delivery has begun; it comes before any other. */
static void get_pending_interruption(X86CPU *cpu,
                                     const union hv_register_value *value)
{
    CPUX86State *env = &cpu->env;
    union hv_x64_pending_interruption_register p = value->pending_interruption;

    env->interrupt_injected = -1;
    env->soft_interrupt = 0;
    env->nmi_injected = false;
    env->exception_injected = 0;
    env->exception_nr = -1;
    env->has_error_code = 0;
    env->error_code = 0;
    env->ins_len = 0;
    if (!p.interruption_pending) {
        return;
    }
    switch (p.interruption_type) {
    case HV_X64_PENDING_INTERRUPT:
        env->interrupt_injected = p.interruption_vector;
        break;
    case HV_X64_PENDING_NMI:
        env->nmi_injected = true;
        break;
    case HV_X64_PENDING_SOFTWARE_INTERRUPT:
        env->interrupt_injected = p.interruption_vector;
        env->soft_interrupt = 1;
        env->ins_len = p.instruction_length;
        break;
    default:
        env->exception_injected = 1;
        env->exception_nr = p.interruption_vector;
        env->has_error_code = p.deliver_error_code;
        env->error_code = p.error_code;
        env->ins_len = p.instruction_length;
        break;
    }
}

static void set_pending_interruption(X86CPU *cpu,
                                     union hv_register_value *value)
{
    CPUX86State *env = &cpu->env;
    union hv_x64_pending_interruption_register p = { .as_uint64 = 0 };

    if (env->exception_injected) {
        p.interruption_pending = 1;
        p.interruption_type = HV_X64_PENDING_EXCEPTION;
        p.interruption_vector = env->exception_nr;
        p.deliver_error_code = env->has_error_code;
        p.error_code = env->has_error_code ? env->error_code : 0;
        p.instruction_length = env->ins_len;
    } else if (env->nmi_injected) {
        p.interruption_pending = 1;
        p.interruption_type = HV_X64_PENDING_NMI;
        p.interruption_vector = EXCP02_NMI;
    } else if (env->interrupt_injected >= 0) {
        p.interruption_pending = 1;
        p.interruption_type = env->soft_interrupt
                              ? HV_X64_PENDING_SOFTWARE_INTERRUPT
                              : HV_X64_PENDING_INTERRUPT;
        p.interruption_vector = env->interrupt_injected;
        p.instruction_length = env->soft_interrupt ? env->ins_len : 0;
    }
    value->pending_interruption = p;
}

/* ---- The table ---- */

#define ENV(f)                offsetof(CPUX86State, f)
#define PLAIN(n, f, frm, w) \
    { .text = #n, .name = HV_X64_REGISTER_##n, .form = frm, .when = w, \
      .offset = ENV(f) }
#define RUN64(n, f)             PLAIN(n, f, MSHV_FORM_U64, MSHV_WHEN_RUNTIME)
#define RUN32(n, f)             PLAIN(n, f, MSHV_FORM_U32, MSHV_WHEN_RUNTIME)
#define SEGMENT(n, f)           PLAIN(n, f, MSHV_FORM_SEGMENT, \
                                      MSHV_WHEN_RUNTIME)
#define TABLE(n, f)             PLAIN(n, f, MSHV_FORM_TABLE, MSHV_WHEN_RUNTIME)
#define FUNCTION(n, g, s) \
    { .text = #n, .name = HV_##n, .form = MSHV_FORM_FUNCTION, \
      .when = MSHV_WHEN_RUNTIME, .get = g, .set = s }
/* An event that waits, of any type */
#define EVENT(n) \
    { .text = #n, .name = HV_REGISTER_##n, .form = MSHV_FORM_RAW, \
      .when = MSHV_WHEN_RUNTIME, .optional = true, .own_stream = true }
#define MODE64(n, f) \
    { .text = #n, .name = HV_X64_REGISTER_##n, .form = MSHV_FORM_U64, \
      .when = MSHV_WHEN_RUNTIME, .offset = ENV(f), .mode = true }
/* If the guest has the feature. */
#define FEATURE64(n, f, w, b) \
    { .text = #n, .name = HV_X64_REGISTER_##n, .form = MSHV_FORM_U64, \
      .when = MSHV_WHEN_RUNTIME, .offset = ENV(f), .word = w, .bits = b, \
      .optional = true }
/* MTRRs: the hypervisor need not have all, or any. */
#define MTRR(n, f) \
    { .text = #n, .name = HV_X64_REGISTER_MSR_MTRR_##n, \
      .form = MSHV_FORM_U64, .when = MSHV_WHEN_RESET, .offset = ENV(f), \
      .word = FEAT_1_EDX, .bits = CPUID_MTRR, .optional = true }
/* The hypervisor's own MSRs: if the partition has the privilege. */
#define SYNTHETIC(n, f) \
    { .text = #n, .name = HV_REGISTER_##n, .form = MSHV_FORM_U64, \
      .when = MSHV_WHEN_RESET, .offset = ENV(f), .optional = true }
/* What the guest said when it died: nobody needs it to go on. */
#define CRASH(n) \
    { .text = "GUEST_CRASH_P" #n, .name = HV_REGISTER_GUEST_CRASH_P##n, \
      .form = MSHV_FORM_U64, .when = MSHV_WHEN_RESET, \
      .offset = ENV(msr_hv_crash_params[n]), .optional = true, \
      .partition = true, .may_refuse = true }
#define PARTITION(n, f) \
    { .text = #n, .name = HV_##n, .form = MSHV_FORM_U64, \
      .when = MSHV_WHEN_RESET, .offset = ENV(f), .optional = true, \
      .partition = true }
#define SINT(n)                 SYNTHETIC(SINT##n, msr_hv_synic_sint[n])

const MshvReg mshv_reg_table[] = {
    RUN64(RAX, regs[R_EAX]),
    RUN64(RCX, regs[R_ECX]),
    RUN64(RDX, regs[R_EDX]),
    RUN64(RBX, regs[R_EBX]),
    RUN64(RSP, regs[R_ESP]),
    RUN64(RBP, regs[R_EBP]),
    RUN64(RSI, regs[R_ESI]),
    RUN64(RDI, regs[R_EDI]),
    RUN64(R8, regs[8]),
    RUN64(R9, regs[9]),
    RUN64(R10, regs[10]),
    RUN64(R11, regs[11]),
    RUN64(R12, regs[12]),
    RUN64(R13, regs[13]),
    RUN64(R14, regs[14]),
    RUN64(R15, regs[15]),
    RUN64(RIP, eip),
    RUN64(RFLAGS, eflags),

    MODE64(EFER, efer),
    MODE64(CR4, cr[4]),
    MODE64(CR3, cr[3]),
    MODE64(CR0, cr[0]),
    RUN64(CR2, cr[2]),
    FUNCTION(X64_REGISTER_CR8, get_cr8, set_cr8),
    FEATURE64(XFEM, xcr0, FEAT_1_ECX, CPUID_EXT_XSAVE),

    SEGMENT(ES, segs[R_ES]),
    SEGMENT(CS, segs[R_CS]),
    SEGMENT(SS, segs[R_SS]),
    SEGMENT(DS, segs[R_DS]),
    SEGMENT(FS, segs[R_FS]),
    SEGMENT(GS, segs[R_GS]),
    SEGMENT(LDTR, ldt),
    SEGMENT(TR, tr),
    TABLE(IDTR, idt),
    TABLE(GDTR, gdt),

    RUN64(DR0, dr[0]),
    RUN64(DR1, dr[1]),
    RUN64(DR2, dr[2]),
    RUN64(DR3, dr[3]),
    RUN64(DR6, dr[6]),
    RUN64(DR7, dr[7]),

    RUN64(KERNEL_GS_BASE, kernelgsbase),
    RUN64(PAT, pat),
    RUN32(SYSENTER_CS, sysenter_cs),
    RUN64(SYSENTER_EIP, sysenter_eip),
    RUN64(SYSENTER_ESP, sysenter_esp),
    RUN64(STAR, star),
    RUN64(LSTAR, lstar),
    RUN64(CSTAR, cstar),
    RUN64(SFMASK, fmask),
    FEATURE64(TSC_AUX, tsc_aux, FEAT_8000_0001_EDX, CPUID_EXT2_RDTSCP),
    FEATURE64(XSS, xss, FEAT_XSAVE, CPUID_XSAVE_XSAVES),
    { .text = "SPEC_CTRL", .name = HV_X64_REGISTER_SPEC_CTRL,
      .form = MSHV_FORM_U64, .when = MSHV_WHEN_RUNTIME,
      .offset = ENV(spec_ctrl), .optional = true, .word = FEAT_7_0_EDX,
      .bits = CPUID_7_0_EDX_SPEC_CTRL | CPUID_7_0_EDX_STIBP |
              CPUID_7_0_EDX_SPEC_CTRL_SSBD,
      .other_word = FEAT_8000_0008_EBX,
      .other_bits = CPUID_8000_0008_EBX_IBRS | CPUID_8000_0008_EBX_STIBP |
                    CPUID_8000_0008_EBX_AMD_SSBD },
    FEATURE64(VIRT_SPEC_CTRL, virt_ssbd, FEAT_8000_0008_EBX,
              CPUID_8000_0008_EBX_VIRT_SSBD),
    FEATURE64(BNDCFGS, msr_bndcfgs, FEAT_7_0_EBX, CPUID_7_0_EBX_MPX),
    { .text = "DEBUG_CTL", .name = HV_X64_REGISTER_DEBUG_CTL,
      .form = MSHV_FORM_RAW, .when = MSHV_WHEN_RUNTIME, .optional = true,
      .own_stream = true },
    { .text = "APIC_BASE", .name = HV_X64_REGISTER_APIC_BASE,
      .form = MSHV_FORM_FUNCTION, .when = MSHV_WHEN_RUNTIME, .mode = true,
      .get = get_apic_base, .set = set_apic_base },

    MTRR(DEF_TYPE, mtrr_deftype),
    MTRR(PHYS_BASE0, mtrr_var[0].base),
    MTRR(PHYS_MASK0, mtrr_var[0].mask),
    MTRR(PHYS_BASE1, mtrr_var[1].base),
    MTRR(PHYS_MASK1, mtrr_var[1].mask),
    MTRR(PHYS_BASE2, mtrr_var[2].base),
    MTRR(PHYS_MASK2, mtrr_var[2].mask),
    MTRR(PHYS_BASE3, mtrr_var[3].base),
    MTRR(PHYS_MASK3, mtrr_var[3].mask),
    MTRR(PHYS_BASE4, mtrr_var[4].base),
    MTRR(PHYS_MASK4, mtrr_var[4].mask),
    MTRR(PHYS_BASE5, mtrr_var[5].base),
    MTRR(PHYS_MASK5, mtrr_var[5].mask),
    MTRR(PHYS_BASE6, mtrr_var[6].base),
    MTRR(PHYS_MASK6, mtrr_var[6].mask),
    MTRR(PHYS_BASE7, mtrr_var[7].base),
    MTRR(PHYS_MASK7, mtrr_var[7].mask),
    MTRR(FIX64K00000, mtrr_fixed[0]),
    MTRR(FIX16K80000, mtrr_fixed[1]),
    MTRR(FIX16KA0000, mtrr_fixed[2]),
    MTRR(FIX4KC0000, mtrr_fixed[3]),
    MTRR(FIX4KC8000, mtrr_fixed[4]),
    MTRR(FIX4KD0000, mtrr_fixed[5]),
    MTRR(FIX4KD8000, mtrr_fixed[6]),
    MTRR(FIX4KE0000, mtrr_fixed[7]),
    MTRR(FIX4KE8000, mtrr_fixed[8]),
    MTRR(FIX4KF0000, mtrr_fixed[9]),
    MTRR(FIX4KF8000, mtrr_fixed[10]),

    /*
     * Writing TSC_ADJUST moves the TSC, and TSC_DEADLINE waits for it. The TSC
     * runs: it is never written back to a VP that has been running.
     */
    { .text = "TSC_ADJUST", .name = HV_X64_REGISTER_TSC_ADJUST,
      .form = MSHV_FORM_U64, .when = MSHV_WHEN_RUNTIME,
      .offset = ENV(tsc_adjust), .word = FEAT_7_0_EBX,
      .bits = CPUID_7_0_EBX_TSC_ADJUST, .optional = true, .clock = true },
    { .text = "TSC", .name = HV_X64_REGISTER_TSC, .form = MSHV_FORM_U64,
      .when = MSHV_WHEN_FULL, .offset = ENV(tsc), .clock = true },
    { .text = "TSC_DEADLINE", .name = HV_X64_REGISTER_TSC_DEADLINE,
      .form = MSHV_FORM_U64, .when = MSHV_WHEN_RESET,
      .offset = ENV(tsc_deadline), .word = FEAT_1_ECX,
      .bits = CPUID_EXT_TSC_DEADLINE_TIMER, .optional = true, .clock = true },
    { .text = "VP_RUNTIME", .name = HV_REGISTER_VP_RUNTIME,
      .form = MSHV_FORM_U64, .when = MSHV_WHEN_FULL,
      .offset = ENV(msr_hv_runtime), .optional = true, .may_refuse = true,
      .own_stream = true },

    /* The hypercall page exists only if the guest has said what it is. */
    PARTITION(REGISTER_GUEST_OS_ID, msr_hv_guest_os_id),
    PARTITION(REGISTER_REFERENCE_TSC, msr_hv_tsc),
    PARTITION(X64_REGISTER_HYPERCALL, msr_hv_hypercall),
    CRASH(0), CRASH(1), CRASH(2), CRASH(3), CRASH(4),
    SYNTHETIC(VP_ASSIST_PAGE, msr_hv_vapic),
    SYNTHETIC(SCONTROL, msr_hv_synic_control),
    SYNTHETIC(SIEFP, msr_hv_synic_evt_page),
    SYNTHETIC(SIMP, msr_hv_synic_msg_page),
    SINT(0), SINT(1), SINT(2), SINT(3), SINT(4), SINT(5), SINT(6), SINT(7),
    SINT(8), SINT(9), SINT(10), SINT(11), SINT(12), SINT(13), SINT(14),
    SINT(15),
    SYNTHETIC(STIMER0_CONFIG, msr_hv_stimer_config[0]),
    SYNTHETIC(STIMER0_COUNT, msr_hv_stimer_count[0]),
    SYNTHETIC(STIMER1_CONFIG, msr_hv_stimer_config[1]),
    SYNTHETIC(STIMER1_COUNT, msr_hv_stimer_count[1]),
    SYNTHETIC(STIMER2_CONFIG, msr_hv_stimer_config[2]),
    SYNTHETIC(STIMER2_COUNT, msr_hv_stimer_count[2]),
    SYNTHETIC(STIMER3_CONFIG, msr_hv_stimer_config[3]),
    SYNTHETIC(STIMER3_COUNT, msr_hv_stimer_count[3]),

    FUNCTION(REGISTER_INTERRUPT_STATE,
             get_interrupt_state, set_interrupt_state),
    { .text = "PENDING_INTERRUPTION", .name = HV_REGISTER_PENDING_INTERRUPTION,
      .form = MSHV_FORM_FUNCTION, .when = MSHV_WHEN_RUNTIME,
      .own_stream = true, .get = get_pending_interruption,
      .set = set_pending_interruption },
    EVENT(PENDING_EVENT0),
    EVENT(PENDING_EVENT1),
    FUNCTION(REGISTER_INTERNAL_ACTIVITY_STATE, get_activity, set_activity),
};

const unsigned mshv_reg_count = ARRAY_SIZE(mshv_reg_table);

#define ONE(n, w)       { HV_##n, HV_##n, w }
#define UP_TO(a, b, w)  { HV_##a, HV_##b, w }

const MshvRegLeftOut mshv_reg_left_out[] = {
    UP_TO(REGISTER_EXPLICIT_SUSPEND, REGISTER_DISPATCH_SUSPEND,
          "how the kernel runs and stops the VP"),
    ONE(REGISTER_HYPERVISOR_VERSION, "the hypervisor's own"),
    UP_TO(REGISTER_PRIVILEGES_AND_FEATURES_INFO,
          REGISTER_IPT_FEATURES_INFO, "the hypervisor's own"),
    ONE(REGISTER_GUEST_CRASH_CTL, "a command, not a state"),
    ONE(REGISTER_DELIVERABILITY_NOTIFICATIONS,
        "ordered anew when an interrupt of the PIC waits"),
    UP_TO(X64_REGISTER_XMM0, X64_REGISTER_XMM_CONTROL_STATUS,
          "in the extended state"),
    UP_TO(X64_REGISTER_INTERMEDIATE_CR0, X64_REGISTER_INTERMEDIATE_CR8,
          "other names of CR0 to CR8"),
    UP_TO(X64_REGISTER_INITIAL_APIC_ID, X64_REGISTER_MSR_MTRR_CAP,
          "what the VP was made with"),
    UP_TO(X64_REGISTER_MSR_MTRR_PHYS_BASE8, X64_REGISTER_MSR_MTRR_PHYS_BASEF,
          "QEMU's processors have eight"),
    UP_TO(X64_REGISTER_MSR_MTRR_PHYS_MASK8, X64_REGISTER_MSR_MTRR_PHYS_MASKF,
          "QEMU's processors have eight"),
    ONE(X64_REGISTER_PRED_CMD, "a command, not a state"),
    UP_TO(X64_REGISTER_U_CET, X64_REGISTER_INTERRUPT_SSP_TABLE_ADDR,
          "CET is not offered"),
    ONE(X64_REGISTER_MSR_IA32_MISC_ENABLE, "QEMU's own"),
    UP_TO(X64_REGISTER_IA32_FEATURE_CONTROL,
          X64_REGISTER_IA32_VMX_TRUE_ENTRY_CTLS,
          "nested virtualization is not offered"),
    ONE(X64_REGISTER_APIC_ID, "what the VP was made with"),
    UP_TO(REGISTER_VP_INDEX, REGISTER_CPU_MANAGEMENT_VERSION,
          "what the VP was made with, and the partition's time"),
    ONE(REGISTER_VP_ROOT_SIGNAL_COUNT, "how the kernel runs the VP"),
    ONE(X64_REGISTER_REG_PAGE, "how the kernel runs the VP"),
    ONE(REGISTER_SVERSION, "the hypervisor's own"),
    UP_TO(REGISTER_EOM, REGISTER_SIRBP,
          "a command; and event rings are for parents"),
    UP_TO(REGISTER_VSM_CODE_PAGE_OFFSETS, REGISTER_VSM_PARTITION_CONFIG,
          "virtual trust levels are not offered"),
};

const unsigned mshv_reg_left_out_count = ARRAY_SIZE(mshv_reg_left_out);
