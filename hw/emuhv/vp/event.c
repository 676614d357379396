/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: events on their way into a VP.
 *
 * An event whose delivery is interrupted by a second-stage fault (the stack or
 * the IDT is not mapped yet) is kept in the pending-interruption register and
 * delivered when the VP runs again, as VMX does with IDT-vectoring information.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "mshv-compat/translation.h"
#include "hw/i386/apic.h"
#include "target/i386/tcg/helper-tcg.h"
#include "hw/emuhv/vp/vp-int.h"

#define EVENT_EXCEPTION     0
#define EVENT_EXTINT        5

bool emuhv_has_error_code(int vector)
{
    return vector == EXCP08_DBLE || (vector >= EXCP0A_TSS &&
           vector <= EXCP0E_PAGE) || vector == EXCP11_ALGN || vector == 21;
}

/*
 * The trigger mode may change while a vector is in service: its EOI has the
 * mode of its delivery.
 */
static void note_trigger_mode(EmuhvVp *vp, int vector)
{
    uint32_t bit = 1u << (vector % 32);

    if (emuhv_vp_apic(vp)->tmr[vector / 32] & bit) {
        vp->irq->level[vector / 32] |= bit;
    } else {
        vp->irq->level[vector / 32] &= ~bit;
    }
}

void emuhv_do_event_begin(CPUX86State *env, int intno, int is_int,
                          int error_code, target_ulong next_eip, int *is_hw)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    EmuhvVpState *s = vp->s;

    if (unlikely(qatomic_read(&vp->mem->need_flush))) {
        emuhv_stage2_flush_self(vp);
    }
    if (s->armed) {
        unsigned type = (s->pending_interruption >> PI_TYPE_SHIFT) & 7;

        s->armed = false;
        *is_hw = type == PI_TYPE_EXTINT || type == PI_TYPE_NMI;
    }
    if (*is_hw) {
        vp->stats.interrupts++;
        note_trigger_mode(vp, intno & 0xff);
    }
    s->event = (EmuhvEvent) {
        .vector = intno, .soft = is_int, .hw = *is_hw,
        .error_code = error_code, .next_eip = next_eip,
    };
    s->in_event = true;
}

void emuhv_do_event_end(CPUX86State *env)
{
    EmuhvVp *vp = emuhv_vp_of(env);

    vp->s->in_event = false;
    vp->s->pending_interruption = 0;
    if (vp->s->event.hw) {
        emuhv_synic_auto_eoi(vp, vp->s->event.vector);
    }
}

bool emuhv_do_in_event(X86CPU *cpu)
{
    return emuhv_vp_of(&cpu->env)->s->in_event;
}

static uint64_t encode(CPUX86State *env, const EmuhvEvent *e)
{
    uint64_t v = PI_PENDING | (uint64_t)(e->vector & 0xff) << PI_VECTOR_SHIFT;
    unsigned type = PI_TYPE_EXCEPTION;

    if (e->soft) {
        type = e->vector == EXCP03_INT3 || e->vector == EXCP04_INTO
               ? PI_TYPE_SOFT_EXC : PI_TYPE_SOFT;
        v |= ((e->next_eip - env->eip) & 0xf) << PI_LEN_SHIFT;
    } else if (e->hw) {
        type = e->vector == EXCP02_NMI ? PI_TYPE_NMI : PI_TYPE_EXTINT;
    } else if ((env->cr[0] & CR0_PE_MASK) && emuhv_has_error_code(e->vector)) {
        v |= PI_DELIVER_EC | (uint64_t)(uint32_t)e->error_code << 32;
    }
    return v | type << PI_TYPE_SHIFT;
}

/* The VP has stopped: no event may wait in QEMU's fields. */
void emuhv_event_disarm(EmuhvVp *vp)
{
    EmuhvVpState *s = vp->s;

    if (s->in_event) {
        s->pending_interruption = encode(emuhv_vp_env(vp), &s->event);
        s->in_event = false;
    }
    if (s->armed) {
        emuhv_vp_cs(vp)->exception_index = -1;
        s->armed = false;
    }
}

/*
 * A pending event (exception with parameter, external interrupt) becomes the
 * pending interruption.
 */
static void take_pending_event(EmuhvVp *vp)
{
    EmuhvVpState *s = vp->s;
    uint64_t v = s->pending_event[0].u64[0];
    unsigned type = (v >> 1) & 7, vector;

    if (!(v & 1) || (s->pending_interruption & PI_PENDING)) {
        return;
    }
    s->pending_event[0].u64[0] = 0;
    if (type == EVENT_EXTINT) {
        vector = (v >> 8) & 0xff;
        s->pending_interruption = PI_PENDING |
                                  PI_TYPE_EXTINT << PI_TYPE_SHIFT |
                                  (uint64_t)vector << PI_VECTOR_SHIFT;
    } else if (type == EVENT_EXCEPTION) {
        vector = (v >> 16) & 0xff;
        s->pending_interruption = PI_PENDING |
                                  PI_TYPE_EXCEPTION << PI_TYPE_SHIFT |
                                  (v & (1 << 8) ? PI_DELIVER_EC : 0) |
                                  (uint64_t)vector << PI_VECTOR_SHIFT |
                                  (v & 0xffffffff00000000ull);
        if (vector == EXCP0E_PAGE) {
            emuhv_vp_env(vp)->cr[2] = s->pending_event[0].u64[1];
        } else if (vector == EXCP01_DB) {
            emuhv_vp_env(vp)->dr[6] |= s->pending_event[0].u64[1];
        }
    }
}

/* The VP is about to run: hand its pending event to cpu_exec. */
void emuhv_event_arm(EmuhvVp *vp)
{
    EmuhvVpState *s = vp->s;
    CPUX86State *env = emuhv_vp_env(vp);
    uint64_t v;
    unsigned type, vector;

    take_pending_event(vp);
    v = s->pending_interruption;
    if (!(v & PI_PENDING)) {
        return;
    }
    type = (v >> PI_TYPE_SHIFT) & 7;
    vector = (v >> PI_VECTOR_SHIFT) & 0xff;
    emuhv_vp_cs(vp)->exception_index = vector;
    env->error_code = v & PI_DELIVER_EC ? v >> 32 : 0;
    env->exception_is_int = type >= PI_TYPE_SOFT;
    env->exception_next_eip = env->eip;
    if (env->exception_is_int) {
        env->exception_next_eip += (v >> PI_LEN_SHIFT) & 0xf;
    }
    /* For double faults */
    env->old_exception = -1;
    if (type == PI_TYPE_EXCEPTION &&
        (vector == 0 || vector == EXCP08_DBLE ||
         (vector >= EXCP0A_TSS && vector <= EXCP0E_PAGE))) {
        env->old_exception = vector;
    }
    if (type == PI_TYPE_NMI) {
        env->hflags2 |= HF2_NMI_MASK;
    }
    s->guest_halted = 0;
    s->armed = true;
}

/*
 * A breakpoint that TCG does not find among the guest's: it compares with RIP,
 * not with the linear address.
 */
void emuhv_do_debug_event(X86CPU *cpu)
{
    CPUX86State *env = &cpu->env;
    vaddr pc = env->segs[R_CS].base + env->eip;

    if (CPU(cpu)->singlestep_enabled ||
        cpu_breakpoint_test(CPU(cpu), pc, BP_GDB)) {
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (env->dr[i] == pc && (env->dr[7] >> (2 * i) & 3)) {
            env->dr[6] |= 1u << i;
        }
    }
    raise_exception_ra(env, EXCP01_DB, 0);
}

static bool irq_pending(EmuhvVp *vp)
{
    APICCommonState *s = emuhv_vp_apic(vp);
    int irr = apic_get_highest_priority_irr(vp->base.cpu->apic_state);

    return vp->irq->extint ||
           ((s->spurious_vec & APIC_SV_ENABLE) && irr >= 0 &&
            (irr & 0xf0) > (apic_get_ppr(s) & 0xf0));
}

/* Inside cpu_exec, with the BQL.  Returns the requests that QEMU may see. */
int emuhv_do_exec_interrupt(CPUX86State *env, int request)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    CPUState *cs = env_cpu(env);
    unsigned what;

    if ((request & CPU_INTERRUPT_EMUHV) && emuhv_deliverable(vp, &what)) {
        vp->s->deliverability &= ~(uint64_t)what;
        emuhv_deliverability_changed(vp);
        emuhv_message_header(vp, HVMSG_X64_INTERRUPTION_DELIVERABLE, 8, 0,
                             ACCESS_EXECUTE);
        stl_le_p(vp->s->msg + MESSAGE_BODY, what == DELIVERABLE_NMI ? 2 : 0);
        emuhv_vp_exit(vp, EMUHV_EXIT_DELIVERABLE);
    }
    if ((request & CPU_INTERRUPT_HARD) &&
        !(request & CPU_INTERRUPT_POLL) && !irq_pending(vp)) {
        /* What was pending has been taken back or masked by the TPR. */
        cpu_reset_interrupt(cs, CPU_INTERRUPT_HARD);
        request &= ~CPU_INTERRUPT_HARD;
    }
    return request & ~CPU_INTERRUPT_EMUHV;
}
