/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the head of intercept messages (hvhdk.h of
 * Linux: hv_message_header, hv_x64_intercept_message_header).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "hw/i386/apic.h"
#include "hw/emuhv/vp/vp-int.h"

#define HEADER_SIZE     40

void emuhv_message_start(EmuhvVp *vp, uint32_t type, unsigned payload)
{
    uint8_t *m = vp->s->msg;

    memset(m, 0, sizeof(vp->s->msg));
    stl_le_p(m, type);
    m[4] = payload;
    stq_le_p(m + 8, vp->partition->id);
}

static uint16_t execution_state(EmuhvVp *vp)
{
    CPUX86State *env = emuhv_vp_env(vp);

    return (env->hflags & HF_CPL_MASK) |
           (env->cr[0] & CR0_PE_MASK ? 1 << 2 : 0) |
           (env->cr[0] & CR0_AM_MASK ? 1 << 3 : 0) |
           (env->efer & MSR_EFER_LMA ? 1 << 4 : 0) |
           (env->dr[7] & 0xff ? 1 << 5 : 0) |
           (vp->s->in_event ? 1 << 6 : 0) |
           (env->hflags & HF_INHIBIT_IRQ_MASK ? 1 << 12 : 0);
}

void emuhv_message_header(EmuhvVp *vp, uint32_t type, unsigned payload,
                          unsigned insn_len, EmuhvAccess access)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint8_t *h = vp->s->msg + 16;
    uint8_t cr8 = cpu_get_apic_tpr(vp->base.cpu->apic_state) & 0xf;

    emuhv_message_start(vp, type, HEADER_SIZE + payload);
    stl_le_p(h, vp->index);
    h[4] = (insn_len & 0xf) | cr8 << 4;
    h[5] = access;
    stw_le_p(h + 6, execution_state(vp));
    emuhv_put_segment(h + 8, &env->segs[R_CS]);
    stq_le_p(h + 24, env->eip);
    stq_le_p(h + 32, emuhv_rflags(vp));
}
