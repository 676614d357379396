/*
 * SMIs that a processor or a device sends through the local APICs. The
 * hypervisor's deliver none: it reports the command, and QEMU finds those whom
 * it is for. So it is, for a while, with INITs and SIPIs (smm-start.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "hw/i386/apic_internal.h"
#include "system/hw_accel.h"
#include "accel/mshv/partition.h"
#include "accel/mshv/vcpu.h"
#include "smm.h"
#include "trace.h"

/* The interrupt command register: SDM vol. 3, 12.6.1 */
#define ICR_VECTOR              0xffu
#define ICR_ASSERT              (1u << 14)
#define ICR_TRIGGER_LEVEL       (1u << 15)
#define ICR_SHORTHAND_SHIFT     18
#define ICR_RESERVED            0xfff32000u     /* but the status, bit 12 */
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

/* A command on its way */
typedef struct Sent {
    uint64_t icr;
    uint32_t dest;
    bool x2apic;
    bool look;                  /* The local APIC knows whether it is meant. */
} Sent;

static unsigned mode_of(uint64_t icr)
{
    return icr >> MSHV_ICR_MODE_SHIFT & 7;
}

static bool is_meant(CPUState *cs, const Sent *sent)
{
    APICCommonState *s = APIC_COMMON(X86_CPU(cs)->apic_state);
    uint32_t id = X86_CPU(cs)->apic_id, dest = sent->dest;

    cpu_synchronize_state(cs);
    if (sent->x2apic) {
        return dest >> 16 == id >> 4 && (dest & 1u << (id & 0xf));
    }
    if (s->dest_mode == 0xf) {
        return dest & s->log_dest;
    }
    return (dest >> 4 == 0xf || dest >> 4 == s->log_dest >> 4) &&
           (dest & s->log_dest & 0xf);
}

/* With the BQL. From now on it matters to @cs what else it is sent. */
static void smi_arrives(CPUState *cs)
{
    Error *err = NULL;

    cpu_interrupt(cs, CPU_INTERRUPT_SMI);
    if (mshv_smm_report_starts(mshv_rendezvous_turn, &err) < 0) {
        mshv_vcpu_stop_vm(cs, err, "cannot take an SMI");
    }
}

/* @cs's own thread */
static void arrive(CPUState *cs, run_on_cpu_data data)
{
    g_autofree Sent *sent = data.host_ptr;

    if (!cs->accel->usable || (sent->look && !is_meant(cs, sent))) {
        return;
    }
    if (mode_of(sent->icr) == APIC_DM_SMI) {
        smi_arrives(cs);
    } else {
        mshv_smm_start_arrives(cs, mode_of(sent->icr) == APIC_DM_INIT,
                               sent->icr & ICR_VECTOR);
    }
}

/* With the BQL. @self: who sends it, NULL: a device */
static void deliver(CPUState *self, uint64_t icr, bool x2apic)
{
    unsigned shorthand = icr >> ICR_SHORTHAND_SHIFT & 3;
    Sent sent = {
        .icr = icr, .dest = x2apic ? icr >> 32 : icr >> 56, .x2apic = x2apic,
    };
    bool all = sent.dest == (x2apic ? UINT32_MAX : 0xff);
    CPUState *cs;

    trace_mshv_smm_send(icr);
    if (mode_of(icr) == APIC_DM_INIT && (icr & ICR_TRIGGER_LEVEL) &&
        !(icr & ICR_ASSERT)) {
        return;                 /* no INIT, but its end */
    }
    sent.look = shorthand == SHORTHAND_NONE && !all && (icr & MSHV_ICR_LOGICAL);
    CPU_FOREACH(cs) {
        if (shorthand != SHORTHAND_NONE
            ? shorthand != SHORTHAND_ALL &&
              (shorthand == SHORTHAND_SELF) != (cs == self)
            : !all && !sent.look && X86_CPU(cs)->apic_id != sent.dest) {
            continue;
        }
        if (mode_of(icr) == APIC_DM_SMI && !sent.look) {
            smi_arrives(cs);
        } else {
            async_run_on_cpu(cs, arrive, RUN_ON_CPU_HOST_PTR(
                             g_memdup2(&sent, sizeof(sent))));
        }
    }
}

void mshv_smm_send(uint64_t icr)
{
    BQL_LOCK_GUARD();
    deliver(NULL, icr, false);
}

/* Nothing else that is intercepted has such a value there. */
bool mshv_smm_is_sent(const struct hv_message *msg)
{
    const struct hv_x64_apic_ipi_message *m = (const void *)msg->u.payload;
    unsigned mode = mode_of(m->apic_icr);

    return mshv_smm_is_on() && msg->header.payload_size >= sizeof(*m) &&
           (mode == APIC_DM_SMI || mode == APIC_DM_INIT ||
            mode == APIC_DM_SIPI) && !(m->apic_icr & ICR_RESERVED);
}

int mshv_exit_apic_ipi(CPUState *cs, const struct hv_message *msg,
                       Error **errp)
{
    const struct hv_x64_apic_ipi_message *m = (const void *)msg->u.payload;
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

/* Only of a SIPI, and with whom it is for */
int mshv_exit_sipi(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    const struct hv_x64_sipi_intercept_message *m =
        (const void *)msg->u.payload;
    uint32_t vector = m->interrupt_vector & ICR_VECTOR;

    bql_lock();
    deliver(cs, (uint64_t)m->target_vp_index << 32 |
                APIC_DM_SIPI << MSHV_ICR_MODE_SHIFT | vector, true);
    bql_unlock();
    return 0;
}
