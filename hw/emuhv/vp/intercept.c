/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: from what happens in a VP to the message that
 * its parent gets.  Layouts: hvhdk.h of Linux, and for those that Linux does
 * not have, the TLFS.
 *
 * These functions run inside TCG helpers, mostly without the BQL.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "cpu.h"
#include "mshv-compat/translation.h"
#include "hw/i386/apic.h"
#include "target/i386/tcg/helper-tcg.h"
#include "hw/emuhv/vp/vp-int.h"

static const uint8_t op_cpuid[] = { 0x0f, 0xa2 };
static const uint8_t op_rdmsr[] = { 0x0f, 0x32 };
static const uint8_t op_wrmsr[] = { 0x0f, 0x30 };
static const uint8_t op_hlt[] = { 0xf4 };

/* Their number, up to 16. */
static unsigned fetch_insn(EmuhvVp *vp, uint8_t *bytes)
{
    return emuhv_answers(EMUHV_NO_INSTRUCTION_BYTES)
           ? 0 : emuhv_fetch_insn(vp, bytes, 16);
}

/* ---- Memory ---- */

void emuhv_do_raise_stage2(CPUX86State *env, vaddr gva, bool in_walk,
                           MMUAccessType access, int mmu_idx, uintptr_t ra)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    uint8_t *b = vp->s->msg + MESSAGE_BODY;
    bool mapped = vp->mem->refused_mapped;
    hwaddr gpa = vp->mem->refused_gpa;
    unsigned kind = in_walk ? ACCESS_READ :
                    access == MMU_DATA_STORE ? ACCESS_WRITE :
                    access == MMU_INST_FETCH ? ACCESS_EXECUTE : ACCESS_READ;

    cpu_restore_state(env_cpu(env), ra);
    emuhv_message_header(vp, mapped ? HVMSG_GPA_INTERCEPT : HVMSG_UNMAPPED_GPA,
                         40, 0, kind);
    stl_le_p(b, mapped ? 6 : 0);        /* write back : uncached */
    if (access != MMU_INST_FETCH) {
        b[4] = fetch_insn(vp, b + 24);
    }
    /* The address is that of a table when the walk itself failed. */
    if (mmu_idx != MMU_NESTED_IDX && !emuhv_answers(EMUHV_NO_GVA)) {
        b[5] = 1 | (in_walk ? 0 : 2);
        stq_le_p(b + 8, gva);
    }
    if (emuhv_answers(EMUHV_PAGE_ALIGNED_GPA)) {
        gpa &= TARGET_PAGE_MASK;
    }
    b[6] = cpu_get_apic_tpr(vp->base.cpu->apic_state) & 0xf;
    stq_le_p(b + 16, gpa);
    emuhv_vp_exit(vp, mapped ? EMUHV_EXIT_GPA : EMUHV_EXIT_UNMAPPED_GPA);
}

bool emuhv_child_read(EmuhvVp *vp, hwaddr gpa, uint8_t *buf, size_t len)
{
    hwaddr pa;
    int prot;

    switch (emuhv_stage2_translate(vp, gpa, MMU_DATA_LOAD, true, &pa, &prot)) {
    case S2R_OK:
        return emuhv_ram_read(pa, buf, len);
    case S2R_DENIED:
        vp->mem->refused_gpa = gpa;
        vp->mem->refused_mapped = true;
        emuhv_do_raise_stage2(emuhv_vp_env(vp), 0, false, MMU_DATA_LOAD,
                              MMU_NESTED_IDX, 0);
    default:
        return false;
    }
}

void emuhv_vp_refused_store(EmuhvVp *vp, vaddr gva, uintptr_t ra)
{
    emuhv_do_raise_stage2(emuhv_vp_env(vp), gva, false, MMU_DATA_STORE, 0, ra);
}

/* ---- Port I/O ---- */

/* The type of a message that no client knows. */
#define ODD_MESSAGE 0x8001ffffu

/* OUT to the odd port: AL says which message it is, of those that are rare. */
static G_NORETURN void odd_exit(EmuhvVp *vp, uint32_t insn_len)
{
    CPUX86State *env = emuhv_vp_env(vp);
    EmuhvExitKind kind = EMUHV_EXIT_OTHER;

    switch (env->regs[R_EAX] & 0xff) {
    case 1:
        env->eip += insn_len;
        emuhv_message_header(vp, HVMSG_X64_HALT, 0, 0, ACCESS_EXECUTE);
        kind = EMUHV_EXIT_HALT;
        break;
    case 2:
        emuhv_message_header(vp, HVMSG_HYPERCALL_INTERCEPT, 156, insn_len,
                             ACCESS_EXECUTE);
        kind = EMUHV_EXIT_HYPERCALL;
        break;
    case 3:
        emuhv_message_start(vp, HVMSG_UNSUPPORTED_FEATURE, 16);
        stl_le_p(vp->s->msg + 16, vp->index);
        stl_le_p(vp->s->msg + 20, 7);
        stq_le_p(vp->s->msg + 24, 0x1234);
        break;
    case 4:
        emuhv_message_start(vp, HVMSG_INVALID_VP_REGISTER_VALUE, 8);
        stl_le_p(vp->s->msg + 16, vp->index);
        break;
    default:
        emuhv_message_header(vp, ODD_MESSAGE, 0, insn_len, ACCESS_WRITE);
        break;
    }
    emuhv_vp_exit(vp, kind);
}

void emuhv_do_check_io(CPUX86State *env, uint32_t port, uint32_t param,
                       uint32_t insn_len, uintptr_t ra)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    uint8_t *b = vp->s->msg + MESSAGE_BODY;
    bool rep = param & SVM_IOIO_REP_MASK, string = param & SVM_IOIO_STR_MASK;

    cpu_restore_state(env_cpu(env), ra);
    if (string && rep && !emuhv_rep_count(vp)) {
        return;                 /* nothing is transferred */
    }
    if (port == emuhv_options.odd_port) {
        odd_exit(vp, insn_len);
    }
    emuhv_message_header(vp, HVMSG_X64_IO_PORT_INTERCEPT, 88, insn_len,
                         param & SVM_IOIO_TYPE_MASK ? ACCESS_READ
                                                    : ACCESS_WRITE);
    stw_le_p(b, port);
    b[2] = ((param >> SVM_IOIO_SIZE_SHIFT) & 7) | (string ? 8 : 0) |
           (rep ? 16 : 0);
    stq_le_p(b + 8, env->regs[R_EAX]);
    b[3] = fetch_insn(vp, b + 16);
    emuhv_put_segment(b + 32, &env->segs[R_DS]);
    emuhv_put_segment(b + 48, &env->segs[R_ES]);
    stq_le_p(b + 64, env->regs[R_ECX]);
    stq_le_p(b + 72, env->regs[R_ESI]);
    stq_le_p(b + 80, env->regs[R_EDI]);
    emuhv_vp_exit(vp, EMUHV_EXIT_IO);
}

/* ---- MSR, CPUID ---- */

void emuhv_msr_intercept(EmuhvVp *vp, uint32_t msr, bool write, uintptr_t ra)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint8_t *b = vp->s->msg + MESSAGE_BODY;

    cpu_restore_state(env_cpu(env), ra);
    emuhv_message_header(vp, HVMSG_X64_MSR_INTERCEPT, 24,
                         emuhv_insn_len(vp, write ? op_wrmsr : op_rdmsr, 2),
                         write ? ACCESS_WRITE : ACCESS_READ);
    stl_le_p(b, msr);
    stq_le_p(b + 8, env->regs[R_EDX]);
    stq_le_p(b + 16, env->regs[R_EAX]);
    emuhv_vp_exit(vp, EMUHV_EXIT_MSR);
}

void emuhv_vp_insn_cpuid(EmuhvVp *vp, uint32_t r[4], uintptr_t ra)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint32_t leaf = env->regs[R_EAX];
    uint8_t *b = vp->s->msg + MESSAGE_BODY;

    emuhv_vp_cpuid(vp, leaf, env->regs[R_ECX], r);
    if (!emuhv_cpuid_intercepted(vp->partition, leaf)) {
        vp->stats.cpuid++;
        return;
    }
    cpu_restore_state(env_cpu(env), ra);
    emuhv_message_header(vp, HVMSG_X64_CPUID_INTERCEPT, 64,
                         emuhv_insn_len(vp, op_cpuid, 2), ACCESS_EXECUTE);
    stq_le_p(b, env->regs[R_EAX]);
    stq_le_p(b + 8, env->regs[R_ECX]);
    stq_le_p(b + 16, env->regs[R_EDX]);
    stq_le_p(b + 24, env->regs[R_EBX]);
    stq_le_p(b + 32, r[0]);
    stq_le_p(b + 40, r[2]);
    stq_le_p(b + 48, r[3]);
    stq_le_p(b + 56, r[1]);
    emuhv_vp_exit(vp, EMUHV_EXIT_CPUID);
}

/* ---- Exceptions and all else that SVM would intercept ---- */

static void exception(EmuhvVp *vp, int vector, uint32_t error_code,
                      uintptr_t ra)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint8_t *b = vp->s->msg + MESSAGE_BODY;

    if (!(vp->partition->settings->exceptions & (1u << vector))) {
        return;
    }
    cpu_restore_state(env_cpu(env), ra);
    emuhv_message_header(vp, HVMSG_X64_EXCEPTION_INTERCEPT, 200, 0,
                         ACCESS_EXECUTE);
    stw_le_p(b, vector);
    b[2] = emuhv_has_error_code(vector);
    stl_le_p(b + 4, error_code);
    if (vector == EXCP0E_PAGE) {
        stq_le_p(b + 8, env->cr[2]);
    } else if (vector == EXCP01_DB) {
        stq_le_p(b + 8, env->dr[6]);
    }
    b[3] = fetch_insn(vp, b + 24);
    emuhv_put_segment(b + 40, &env->segs[R_DS]);
    emuhv_put_segment(b + 56, &env->segs[R_SS]);
    for (int i = 0; i < 16; i++) {
        stq_le_p(b + 72 + i * 8, env->regs[i]);
    }
    env->old_exception = -1;
    emuhv_vp_exit(vp, EMUHV_EXIT_EXCEPTION);
}

/* INT3 and INTO are exceptions, but TCG counts them as INT n. */
static void software_exception(EmuhvVp *vp, uintptr_t ra)
{
    static const uint8_t op_int3[] = { 0xcc }, op_into[] = { 0xce };

    if (!(vp->partition->settings->exceptions & (1u << EXCP03_INT3 |
                                       1u << EXCP04_INTO))) {
        return;
    }
    cpu_restore_state(emuhv_vp_cs(vp), ra);
    if (emuhv_insn_is(vp, op_int3, 1)) {
        exception(vp, EXCP03_INT3, 0, 0);
    } else if (emuhv_insn_is(vp, op_into, 1)) {
        exception(vp, EXCP04_INTO, 0, 0);
    }
}

static void halt(EmuhvVp *vp, uintptr_t ra)
{
    if (vp->partition->cfg.lapic) {
        vp->stats.hlts++;
        emuhv_vp_queue_idle(vp);
        return;
    }
    cpu_restore_state(emuhv_vp_cs(vp), ra);
    emuhv_message_header(vp, HVMSG_X64_HALT, 0, emuhv_insn_len(vp, op_hlt, 1),
                         ACCESS_EXECUTE);
    emuhv_vp_exit(vp, EMUHV_EXIT_HALT);
}

void emuhv_do_check_intercept(CPUX86State *env, uint32_t type,
                              uint64_t param, uintptr_t ra)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    CPUState *cs = env_cpu(env);

    switch (type) {
    case SVM_EXIT_HLT:
        halt(vp, ra);
        break;
    case SVM_EXIT_EXCP_BASE ... SVM_EXIT_EXCP_BASE + 31:
        exception(vp, type - SVM_EXIT_EXCP_BASE, param, ra);
        break;
    case SVM_EXIT_SWINT:
        software_exception(vp, ra);
        break;
    case SVM_EXIT_SMI:
        /* Children have no SMM: its memory would be the parent's. */
        cpu_reset_interrupt(cs, CPU_INTERRUPT_SMI);
        cpu_loop_exit(cs);
    default:
        break;
    }
}

void emuhv_raise_gp(CPUX86State *env, uintptr_t ra)
{
    raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
}

void emuhv_do_vmexit(CPUX86State *env, uint64_t code, uintptr_t ra)
{
    EmuhvVp *vp = emuhv_vp_of(env);

    if (code != SVM_EXIT_SHUTDOWN) {
        /* Reserved bits of a control register */
        emuhv_raise_gp(env, ra);
    }
    cpu_restore_state(env_cpu(env), ra);
    vp->s->in_event = false;
    env->old_exception = -1;
    emuhv_message_header(vp, HVMSG_UNRECOVERABLE_EXCEPTION, 0, 0,
                         ACCESS_EXECUTE);
    emuhv_vp_exit(vp, EMUHV_EXIT_TRIPLE_FAULT);
}
