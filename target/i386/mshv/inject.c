/*
 * Events that QEMU gives to a VP: exceptions of emulated instructions, and
 * interrupts of the PIC, which do not pass through the local APIC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "hw/intc/i8259.h"
#include "hw/intc/kvm_irqcount.h"
#include "accel/mshv/counters.h"
#include "mshv/x86.h"
#include "mshv-x86.h"
#include "trace.h"

static int inject(CPUState *cs,
                  union hv_x64_pending_interruption_register pending,
                  uint64_t cr2, Error **errp)
{
    struct hv_register_assoc regs[2] = {
        { .name = HV_REGISTER_PENDING_INTERRUPTION,
          .value.pending_interruption = pending },
        { .name = HV_X64_REGISTER_CR2, .value.reg64 = cr2 },
    };
    unsigned vector = pending.interruption_vector;
    int ret = mshv_debug_before_handler(cs, vector, errp);

    trace_mshv_inject_exception(cs->cpu_index, vector, pending.error_code,
                                cr2);
    return ret < 0 ? ret
           : mshv_x86_set_regs(cs, regs, vector == EXCP0E_PAGE ? 2 : 1, errp);
}

int mshv_inject_exception(CPUState *cs, uint8_t vector, bool has_error_code,
                          uint32_t error_code, uint64_t cr2, Error **errp)
{
    union hv_x64_pending_interruption_register pending = {
        .interruption_pending = 1,
        .interruption_type = HV_X64_PENDING_EXCEPTION,
        .deliver_error_code = has_error_code,
        .interruption_vector = vector,
        .error_code = has_error_code ? error_code : 0,
    };

    return inject(cs, pending, cr2, errp);
}

int mshv_inject_software_exception(CPUState *cs, uint8_t vector,
                                   unsigned length, Error **errp)
{
    union hv_x64_pending_interruption_register pending = {
        .interruption_pending = 1,
        .interruption_type = HV_X64_PENDING_SOFTWARE_EXCEPTION,
        .instruction_length = length,
        .interruption_vector = vector,
    };

    return inject(cs, pending, 0, errp);
}

/* ---- The PIC ---- */

void mshv_x86_pic_output(bool level)
{
    CPUState *cs = first_cpu;

    if (level) {
        kvm_report_irq_delivered(1);
        cpu_interrupt(cs, CPU_INTERRUPT_HARD);
    } else {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_HARD);
    }
}

/* An exit as soon as the VP can take an interrupt. */
static int order_window(CPUState *cs, Error **errp)
{
    struct hv_register_assoc reg = {
        .name = HV_REGISTER_DELIVERABILITY_NOTIFICATIONS,
        .value.deliverability_notifications.interrupt_notification = 1,
    };
    int ret;

    if (mshv_x86(cs)->window_ordered) {
        return 0;
    }
    ret = mshv_x86_set_regs(cs, &reg, 1, errp);
    mshv_x86(cs)->window_ordered = ret == 0;
    return ret;
}

/*
 * Give the vector as an interruption in progress. The VP may wait in HLT: it
 * goes on.
 */
static int deliver(CPUState *cs, Error **errp)
{
    union hv_x64_pending_interruption_register pending = {
        .interruption_pending = 1,
        .interruption_type = HV_X64_PENDING_INTERRUPT,
        .interruption_vector = pic_read_irq(isa_pic),
    };
    struct hv_register_assoc regs[] = {
        { .name = HV_REGISTER_INTERNAL_ACTIVITY_STATE },
        { .name = HV_REGISTER_PENDING_INTERRUPTION,
          .value.pending_interruption = pending },
    };

    trace_mshv_pic_interrupt(cs->cpu_index, pending.interruption_vector);
    mshv_counters_add(&mshv_counters->vm.pic_interrupts, 1);
    return mshv_x86_set_regs(cs, regs, ARRAY_SIZE(regs), errp);
}

static int can_take_interrupt(CPUState *cs, bool *can, Error **errp)
{
    static const uint32_t names[] = {
        HV_X64_REGISTER_RFLAGS, HV_REGISTER_INTERRUPT_STATE,
        HV_REGISTER_PENDING_INTERRUPTION,
    };
    union hv_register_value v[ARRAY_SIZE(names)];
    int ret = mshv_x86_get_regs(cs, names, v, ARRAY_SIZE(names), errp);

    *can = ret == 0 && (v[0].reg64 & IF_MASK) &&
           !v[1].interrupt_state.interrupt_shadow &&
           !v[2].pending_interruption.interruption_pending;
    return ret;
}

/* With the BQL. */
static int offer(CPUState *cs, Error **errp)
{
    bool can, accepts;
    int ret;

    if (!(cs->interrupt_request & CPU_INTERRUPT_HARD)) {
        return 0;
    }
    ret = mshv_apic_accepts_pic(cs, &accepts, errp);
    if (ret < 0) {
        return ret;
    }
    if (accepts) {
        ret = can_take_interrupt(cs, &can, errp);
        if (ret < 0) {
            return ret;
        }
        if (!can) {
            return order_window(cs, errp);
        }
    }
    /*
     * Whatever happens now, the PIC raises its output again if need be. For an
     * interrupt that will not come, no exit: it would end a HLT.
     */
    cpu_reset_interrupt(cs, CPU_INTERRUPT_HARD);
    return accepts ? deliver(cs, errp) : 0;
}

int mshv_offer_pic_interrupt(CPUState *cs, Error **errp)
{
    int ret;

    bql_lock();
    ret = offer(cs, errp);
    bql_unlock();
    return ret;
}

/* The notification is spent; mshv_arch_pre_run() does the rest. */
int mshv_exit_deliverable(CPUState *cs, const struct hv_message *msg,
                          Error **errp)
{
    mshv_x86(cs)->window_ordered = false;
    return 0;
}
