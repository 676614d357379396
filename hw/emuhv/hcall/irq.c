/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: hypercalls about interrupts and intercepts.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/hcall/hcall-int.h"
#include "hw/emuhv/interrupts/interrupts.h"
#include "hw/emuhv/vp/vp.h"

#define CONTROL_LEVEL       1u
#define CONTROL_LOGICAL     2u
#define MESSAGE_OFFSET      20      /* in HV_INPUT_POST_MESSAGE_DIRECT */

/* HV_UNIMPLEMENTED_MSR_ACTION */
#define MSR_ACTION_FAULT    0
#define MSR_ACTION_IGNORE   1

/* { u64 id; u32 type; u32 control; u64 dest; u32 vector; u8 vtl; u8[3] } */
static uint16_t assert_interrupt(EmuhvHcall *c)
{
    uint32_t type = hcall_u32(c, 8), control = hcall_u32(c, 12);

    if (!hcall_vtl0(c, 28)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    trace_emuhv_assert(c->p->id, type, control, hcall_u64(c, 16),
                       hcall_u32(c, 24));
    return emuhv_apic_assert(c->p, type, control & CONTROL_LEVEL,
                               control & CONTROL_LOGICAL, hcall_u64(c, 16),
                               hcall_u32(c, 24));
}

/* { u64 id } */
static uint16_t clear_interrupt(EmuhvHcall *c)
{
    return emuhv_apic_clear_extint(c->p);
}

/* { u64 id; u32 access; u32 type; u64 parameter } */
static uint16_t install_intercept(EmuhvHcall *c)
{
    uint32_t type = hcall_u32(c, 12);
    bool msr = type == HV_INTERCEPT_TYPE_X64_MSR ||
               type == HV_INTERCEPT_TYPE_X64_MSR_INDEX;

    if ((msr && emuhv_answers(EMUHV_NO_MSR_INTERCEPTS)) ||
        (type == HV_INTERCEPT_TYPE_EXCEPTION &&
         emuhv_answers(EMUHV_NO_EXCEPTION_INTERCEPTS)) ||
        (type == HV_INTERCEPT_TYPE_X64_CPUID &&
         emuhv_answers(EMUHV_NO_CPUID_INTERCEPTS))) {
        return HV_STATUS_OPERATION_DENIED;
    }
    return emuhv_install_intercept(c->p, type, hcall_u32(c, 8),
                                   hcall_u64(c, 16));
}

static uint16_t cpuid_result(EmuhvHcall *c)
{
    EmuhvCpuidResult r = {
        .vp_index = hcall_u32(c, 8),
        .eax = hcall_u32(c, 16),
        .ecx = hcall_u32(c, 20),
        .subleaf_specific = hcall_u8(c, 24),
        .always_override = hcall_u8(c, 25),
    };

    if (emuhv_answers(EMUHV_NO_CPUID_RESULTS)) {
        return HV_STATUS_OPERATION_DENIED;
    }
    if (r.vp_index == EMUHV_ANY_VP && emuhv_answers(EMUHV_NO_ANY_VP)) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    for (unsigned i = 0; i < 4; i++) {
        r.val[i] = hcall_u32(c, 28 + 8 * i);
        r.mask[i] = hcall_u32(c, 32 + 8 * i);
    }
    return emuhv_cpuid_result(c->p, &r);
}

/* { ... u32 msr; u32 access (read 0, write 1); u32 action } */
static uint16_t msr_result(EmuhvHcall *c)
{
    uint32_t access = hcall_u32(c, 20), action = hcall_u32(c, 24);

    if (access > 1 || action > MSR_ACTION_IGNORE) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return emuhv_msr_result(c->p, hcall_u32(c, 16), access == 1,
                            action == MSR_ACTION_FAULT ? EMUHV_MSR_FAULT
                                                       : EMUHV_MSR_IGNORE_ZERO);
}

/* { u64 id; u32 vp; u32 type; union of results } */
static uint16_t register_intercept_result(EmuhvHcall *c)
{
    uint32_t vp = hcall_u32(c, 8);

    if (vp != EMUHV_ANY_VP && !emuhv_partition_vp(c->p, vp)) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    switch (hcall_u32(c, 12)) {
    case HV_INTERCEPT_TYPE_X64_CPUID:
        return cpuid_result(c);
    case HV_INTERCEPT_TYPE_X64_MSR:
    case HV_INTERCEPT_TYPE_X64_MSR_INDEX:
        return msr_result(c);
    default:
        return HV_STATUS_INVALID_PARAMETER;
    }
}

/* { u64 id; u32 vp; u8 vtl; u8 sint; u16 flag } -> { u8 newly } */
static uint16_t signal_event_direct(EmuhvHcall *c)
{
    uint8_t sint = hcall_u8(c, 13);
    uint16_t flag = hcall_u16(c, 14), status;
    bool newly = false;

    if (!hcall_vtl0(c, 12)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    status = emuhv_synic_signal(c->vp, sint, flag, &newly);
    c->out[0] = newly;
    return status;
}

/* { u64 id; u32 vp; u8 vtl; u8[3]; u32 sint; 256 bytes; u32 } */
static uint16_t post_message_direct(EmuhvHcall *c)
{
    uint32_t sint = hcall_u32(c, 16);

    if (!hcall_vtl0(c, 12)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    return emuhv_synic_message(c->vp, sint, c->in + MESSAGE_OFFSET);
}

const EmuhvHcallDef emuhv_hcalls_irq[] = {
    { HVCALL_ASSERT_VIRTUAL_INTERRUPT, HCALL_ACTIVE, 32, 0, 0, 0,
      "ASSERT_VIRTUAL_INTERRUPT", assert_interrupt },
    { HVCALL_CLEAR_VIRTUAL_INTERRUPT, HCALL_ACTIVE, 8, 0, 0, 0,
      "CLEAR_VIRTUAL_INTERRUPT", clear_interrupt },
    { HVCALL_INSTALL_INTERCEPT, HCALL_ACTIVE | HCALL_MEMORY, 24, 0, 0, 0,
      "INSTALL_INTERCEPT", install_intercept },
    { HVCALL_REGISTER_INTERCEPT_RESULT, HCALL_ACTIVE | HCALL_MEMORY,
      60, 0, 0, 0, "REGISTER_INTERCEPT_RESULT", register_intercept_result },
    { HVCALL_SIGNAL_EVENT_DIRECT, HCALL_VP | HCALL_MEMORY, 16, 1, 0, 0,
      "SIGNAL_EVENT_DIRECT", signal_event_direct },
    { HVCALL_POST_MESSAGE_DIRECT, HCALL_VP | HCALL_MEMORY, 280, 0, 0, 0,
      "POST_MESSAGE_DIRECT", post_message_direct },
    {}
};
