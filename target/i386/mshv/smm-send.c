/*
 * SMIs that a processor or a device sends through the local APICs. The
 * hypervisor's deliver none: it reports the command, and QEMU finds those whom
 * it is for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "hw/i386/apic_internal.h"
#include "system/hw_accel.h"
#include "accel/mshv/partition.h"
#include "smm.h"
#include "trace.h"

/* The interrupt command register: SDM vol. 3, 12.6.1 */
#define ICR_SHORTHAND_SHIFT     18
enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

int mshv_smm_report_sent(bool on, Error **errp)
{
    struct hv_input_install_intercept in = {
        .access_type = on ? HV_INTERCEPT_ACCESS_MASK_WRITE
                          : HV_INTERCEPT_ACCESS_MASK_NONE,
        .intercept_type = HV_INTERCEPT_TYPE_X64_APIC_SMI,
    };

    return mshv_pt_hvcall(HVCALL_INSTALL_INTERCEPT, 0, &in, sizeof(in), NULL,
                          0, NULL, errp);
}

/* Where a command goes, in one word for queued work */
#define DESTINATION_X2APIC      (1ull << 32)

/* @cs's own thread: its local APIC knows whether it is meant. */
static void look_whether_meant(CPUState *cs, run_on_cpu_data data)
{
    uint64_t to = *(uint64_t *)data.host_ptr;
    uint32_t dest = to;
    APICCommonState *s = APIC_COMMON(X86_CPU(cs)->apic_state);
    uint32_t id = X86_CPU(cs)->apic_id;
    bool meant;

    g_free(data.host_ptr);
    cpu_synchronize_state(cs);
    if (to & DESTINATION_X2APIC) {
        meant = dest >> 16 == id >> 4 && (dest & 1u << (id & 0xf));
    } else if (s->dest_mode == 0xf) {
        meant = dest & s->log_dest;
    } else {
        meant = (dest >> 4 == 0xf || dest >> 4 == s->log_dest >> 4) &&
                (dest & s->log_dest & 0xf);
    }
    if (meant) {
        cpu_interrupt(cs, CPU_INTERRUPT_SMI);
    }
}

static void send_logical(uint32_t dest, bool x2apic)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        uint64_t *to = g_new(uint64_t, 1);

        *to = dest | (x2apic ? DESTINATION_X2APIC : 0);
        async_run_on_cpu(cs, look_whether_meant, RUN_ON_CPU_HOST_PTR(to));
    }
}

/* With the BQL. @self: who sends it, NULL: a device */
static void deliver(CPUState *self, uint64_t icr, bool x2apic)
{
    unsigned shorthand = icr >> ICR_SHORTHAND_SHIFT & 3;
    uint32_t dest = x2apic ? icr >> 32 : icr >> 56;
    bool all = dest == (x2apic ? UINT32_MAX : 0xff);
    CPUState *cs;

    trace_mshv_smm_send(icr);
    if (shorthand == SHORTHAND_NONE && !all && (icr & MSHV_ICR_LOGICAL)) {
        send_logical(dest, x2apic);
        return;
    }
    CPU_FOREACH(cs) {
        if (shorthand == SHORTHAND_NONE ? all || X86_CPU(cs)->apic_id == dest
            : shorthand == SHORTHAND_ALL ||
              (shorthand == SHORTHAND_SELF) == (cs == self)) {
            cpu_interrupt(cs, CPU_INTERRUPT_SMI);
        }
    }
}

void mshv_smm_send(uint64_t icr)
{
    BQL_LOCK_GUARD();
    deliver(NULL, icr, false);
}

int mshv_exit_apic_smi(CPUState *cs, const struct hv_message *msg,
                       Error **errp)
{
    const struct hv_x64_apic_smi_message *m = (const void *)msg->u.payload;
    uint32_t name = HV_X64_REGISTER_APIC_BASE;
    union hv_register_value base;
    int ret = mshv_x86_get_regs(cs, &name, &base, 1, errp);

    if (ret == 0) {
        bql_lock();
        deliver(cs, m->apic_icr, base.reg64 & MSR_IA32_APICBASE_EXTD);
        bql_unlock();
    }
    return ret;
}
