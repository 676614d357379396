/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: SynIC of a child: messages and event flags.
 * Source: TLFS chapter 11.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "hw/i386/apic.h"
#include "hw/emuhv/interrupts/interrupts.h"
#include "hw/emuhv/memory/memory.h"

static void sint_raise(EmuhvVp *vp, unsigned sint)
{
    uint64_t v = vp->irq->sint[sint];

    if (!(v & (HV_SYNIC_SINT_MASKED | HV_SYNIC_SINT_POLLING))) {
        emuhv_apic_raise(vp, v & 0xff);
    }
}

void emuhv_synic_auto_eoi(EmuhvVp *vp, int vector)
{
    APICCommonState *a = emuhv_vp_apic(vp);

    if (!(vp->irq->scontrol & HV_SYNIC_CONTROL_ENABLE)) {
        return;
    }
    for (unsigned i = 0; i < EMUHV_SINTS; i++) {
        uint64_t v = vp->irq->sint[i];

        if ((v & HV_SYNIC_SINT_AUTO_EOI) && !(v & HV_SYNIC_SINT_MASKED) &&
            (v & 0xff) == vector) {
            a->isr[vector / 32] &= ~(1u << (vector % 32));
            apic_poll_irq(vp->base.cpu->apic_state);
            return;
        }
    }
}

uint16_t emuhv_synic_message(EmuhvVp *vp, unsigned sint,
                             const uint8_t msg[EMUHV_MSG_SIZE])
{
    EmuhvVpIrq *y = vp->irq;
    uint8_t *slot;

    if (sint >= EMUHV_SINTS) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (!(y->scontrol & HV_SYNIC_CONTROL_ENABLE) ||
        !(y->simp & HV_SYNIC_SIMP_ENABLE)) {
        return HV_STATUS_INVALID_SYNIC_STATE;
    }
    slot = (uint8_t *)emuhv_overlay_page(vp->slot, EMUHV_OVERLAY_SIM) +
           sint * EMUHV_MSG_SIZE;
    if (qatomic_read((uint32_t *)slot)) {
        qatomic_or(slot + 5, 1);        /* message pending */
        smp_mb();
        if (qatomic_read((uint32_t *)slot)) {
            return HV_STATUS_INSUFFICIENT_BUFFERS;
        }
    }
    memcpy(slot + 4, msg + 4, 252);
    slot[5] &= ~1;
    qatomic_store_release((uint32_t *)slot, ldl_he_p(msg));
    sint_raise(vp, sint);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_synic_signal(EmuhvVp *vp, unsigned sint, unsigned flag,
                            bool *newly)
{
    EmuhvVpIrq *y = vp->irq;
    uint32_t *flags, bit;

    if (sint >= EMUHV_SINTS || flag >= 2048) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (!(y->scontrol & HV_SYNIC_CONTROL_ENABLE) ||
        !(y->siefp & HV_SYNIC_SIEFP_ENABLE)) {
        return HV_STATUS_INVALID_SYNIC_STATE;
    }
    flags = (uint32_t *)emuhv_overlay_page(vp->slot, EMUHV_OVERLAY_SIEF) +
            sint * 64 + flag / 32;
    bit = 1u << (flag % 32);
    *newly = !(qatomic_fetch_or(flags, bit) & bit);
    if (*newly) {
        sint_raise(vp, sint);
    }
    return HV_STATUS_SUCCESS;
}
