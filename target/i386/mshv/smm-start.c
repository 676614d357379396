/*
 * INIT and SIPI of VPs that system management mode has to do with: an INIT
 * waits until RSM, and an SMI for a VP that waits for a SIPI is taken when that
 * comes, before the first instruction.
 *
 * The hypervisor knows nothing of this: it reports the two while a VP is in SMM
 * or waits with an SMI, and they are delivered here. One that does not report
 * them may still deliver them to a VP that does not run: so those that wait
 * look at that from time to time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "hw/i386/apic.h"
#include "hw/i386/apic_internal.h"
#include "system/hw_accel.h"
#include "accel/mshv/partition.h"
#include "accel/mshv/vcpu.h"
#include "smm.h"
#include "trace.h"

#define LOOK_AGAIN_MS   10

static bool possible;           /* the hypervisor can report them */
static bool reported;           /* and does now */
static unsigned waiting;        /* VPs that wait for a SIPI with an SMI */
static QEMUTimer *look_again;

static int report_starts(bool on, Error **errp)
{
    struct hv_input_install_intercept in = {
        .access_type = on ? HV_INTERCEPT_ACCESS_MASK_WRITE
                          : HV_INTERCEPT_ACCESS_MASK_NONE,
        .intercept_type = HV_INTERCEPT_TYPE_X64_APIC_INIT_SIPI,
    };

    return mshv_pt_hvcall(HVCALL_INSTALL_INTERCEPT, 0, &in, sizeof(in), NULL,
                          0, NULL, errp);
}

static void kick_waiting(void *opaque)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        if (cs->accel->arch && mshv_x86(cs)->smi_waits) {
            qemu_cpu_kick(cs);
        }
    }
    timer_mod(look_again, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                          LOOK_AGAIN_MS);
}

void mshv_smm_start_init(void)
{
    possible = report_starts(true, NULL) == 0 &&
               report_starts(false, NULL) == 0;
    look_again = timer_new_ms(QEMU_CLOCK_REALTIME, kick_waiting, NULL);
}

/* Whether somebody runs who may send one to a VP in SMM */
static bool may_be_sent(MshvTurn turn)
{
    unsigned inside = 0;
    CPUState *cs;

    CPU_FOREACH(cs) {
        inside += cs->accel->inside;
    }
    return turn == MSHV_TURN_OUTSIDE || inside > 1;
}

int mshv_smm_report_starts(MshvTurn turn, Error **errp)
{
    bool wanted = possible && (waiting || may_be_sent(turn));
    int ret = wanted == reported ? 0 : report_starts(wanted, errp);

    if (ret == 0) {
        reported = wanted;
    }
    return ret;
}

int mshv_smm_set_waits(CPUState *cs, bool waits, Error **errp)
{
    if (mshv_x86(cs)->smi_waits == waits) {
        return 0;
    }
    mshv_x86(cs)->smi_waits = waits;
    waiting += waits ? 1 : -1;
    trace_mshv_smm_waits(cs->cpu_index, waits);
    if (waiting) {
        timer_mod(look_again, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                              LOOK_AGAIN_MS);
    } else {
        timer_del(look_again);
    }
    return mshv_smm_report_starts(mshv_rendezvous_turn, errp);
}

/* Whether @cs waits for a SIPI now */
static int is_waiting(CPUState *cs, bool *waits, Error **errp)
{
    uint32_t name = HV_REGISTER_INTERNAL_ACTIVITY_STATE;
    union hv_register_value v;
    int ret = 0;

    if (cs->vcpu_dirty) {
        *waits = cpu_env(cs)->mp_state == MSHV_MP_WAIT_FOR_SIPI;
    } else {
        ret = mshv_x86_get_regs(cs, &name, &v, 1, errp);
        *waits = ret == 0 && v.internal_activity.startup_suspend;
    }
    return ret;
}

int mshv_smm_still_waits(CPUState *cs, bool *waits, Error **errp)
{
    int ret = is_waiting(cs, waits, errp);

    if (ret == 0 && !*waits) {
        bql_lock();
        ret = mshv_smm_set_waits(cs, false, errp);
        bql_unlock();
    }
    return ret;
}

/* ---- They arrive ---- */

/* On its thread, with the BQL */
static int init_arrives(CPUState *cs, Error **errp)
{
    bool waits = false;
    int ret;

    if (mshv_smm_is_in(cs)) {
        cpu_interrupt(cs, CPU_INTERRUPT_INIT);
        return 0;
    }
    ret = is_waiting(cs, &waits, errp);
    /* To one that waits it does nothing, and may come too late. */
    return ret < 0 || waits ? ret : mshv_apic_send(cs, APIC_DM_INIT, 0, errp);
}

static int sipi_arrives(CPUState *cs, uint8_t vector, Error **errp)
{
    bool waits = false;
    int ret;

    if (mshv_smm_is_in(cs)) {
        return 0;
    }
    ret = is_waiting(cs, &waits, errp);
    if (ret < 0) {
        return ret;
    }
    if (!waits || !(cs->interrupt_request & CPU_INTERRUPT_SMI)) {
        return mshv_apic_send(cs, APIC_DM_SIPI, vector, errp);
    }
    cpu_synchronize_state(cs);
    if (cs->vcpu_dirty) {
        /* The hypervisor hears of it only when the SMI has been taken. */
        cpu_x86_load_seg_cache_sipi(X86_CPU(cs), vector);
        cpu_env(cs)->mp_state = MSHV_MP_RUNNABLE;
    }
    return 0;
}

void mshv_smm_start_arrives(CPUState *cs, bool init, uint8_t vector)
{
    Error *err = NULL;

    trace_mshv_smm_start(cs->cpu_index, init, vector);
    if (init ? init_arrives(cs, &err) < 0
             : sipi_arrives(cs, vector, &err) < 0) {
        mshv_vcpu_stop_vm(cs, err, init ? "cannot take an INIT"
                                        : "cannot take a SIPI");
    }
}

int mshv_smm_take_init(CPUState *cs, Error **errp)
{
    if (cs->vcpu_dirty) {
        return 0;               /* after its state is the VP's */
    }
    cpu_reset_interrupt(cs, CPU_INTERRUPT_INIT);
    return mshv_apic_send(cs, APIC_DM_INIT, 0, errp);
}
