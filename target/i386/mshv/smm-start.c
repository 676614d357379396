/*
 * INIT and SIPI of VPs that system management mode has to do with: an INIT
 * waits until RSM, and an SMI for a VP that waits for a SIPI is taken when that
 * comes, before the first instruction.
 *
 * The hypervisor knows nothing of this: it reports the two while a VP is in SMM
 * or has an SMI to take, and they are delivered here. One that does not report
 * them may still deliver them to a VP that does not run: so those that wait
 * look at that from time to time. An INIT that the hypervisor had before may
 * hit a VP when it runs for the first time in SMM, which is looked at, too.
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
#define FRESH_LOOKS     5               /* Few SMIs take as long as that. */

static bool possible;           /* the hypervisor can report them */
static bool reported;           /* and does now */
static unsigned waiting;        /* VPs that wait for a SIPI with an SMI */
static QEMUTimer *look_again;   /* at those, and at VPs that are new in SMM */

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

static void look_soon(void)
{
    if (!timer_pending(look_again)) {
        timer_mod(look_again, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                              LOOK_AGAIN_MS);
    }
}

/*
 * Whether somebody runs who may send one to a VP in SMM, or to one that will be
 * there when it arrives
 */
static bool may_be_sent(MshvTurn turn)
{
    unsigned inside = 0, to_come = 0;
    CPUState *cs;

    CPU_FOREACH(cs) {
        inside += cs->accel->inside;
        to_come += !cs->accel->inside &&
                   (cs->interrupt_request & CPU_INTERRUPT_SMI);
    }
    return turn == MSHV_TURN_OUTSIDE || inside > 1 || to_come;
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
    look_soon();
    return mshv_smm_report_starts(mshv_rendezvous_turn, errp);
}

/* Whether @cs waits for a SIPI now, and where it is */
static int look_at(CPUState *cs, bool *waits, uint64_t *rip, Error **errp)
{
    static const uint32_t names[] = {
        HV_REGISTER_INTERNAL_ACTIVITY_STATE, HV_X64_REGISTER_RIP,
    };
    union hv_register_value v[ARRAY_SIZE(names)];
    int ret = 0;

    if (cs->vcpu_dirty) {
        *waits = cpu_env(cs)->mp_state == MSHV_MP_WAIT_FOR_SIPI;
        *rip = cpu_env(cs)->eip;
    } else {
        ret = mshv_x86_get_regs(cs, names, v, ARRAY_SIZE(names), errp);
        *waits = ret == 0 && v[0].internal_activity.startup_suspend;
        *rip = ret == 0 ? v[1].reg64 : 0;
    }
    return ret;
}

static int is_waiting(CPUState *cs, bool *waits, Error **errp)
{
    uint64_t rip;

    return look_at(cs, waits, &rip, errp);
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

/* ---- VPs that are new in SMM ---- */

void mshv_smm_set_fresh(CPUState *cs, bool fresh)
{
    mshv_x86(cs)->smm_fresh = fresh ? FRESH_LOOKS : 0;
    if (fresh) {
        look_soon();
        return;
    }
    mshv_x86(cs)->smm_started = false;
    if (!(cs->interrupt_request & CPU_INTERRUPT_INIT)) {
        mshv_x86(cs)->sipi_latched = false;
    }
}

/*
 * An INIT that the hypervisor had for it has made it wait for a SIPI, in place
 * of its first instruction in SMM. It should have waited until RSM or, if the
 * VP came by a SIPI, had its effect before that.
 */
static void begin_again(CPUState *cs)
{
    CPUX86State *env = cpu_env(cs);
    uint32_t masks;

    cpu_synchronize_state(cs);
    if (!cs->vcpu_dirty) {
        return;                 /* The VM has stopped. */
    }
    trace_mshv_smm_hit(cs->cpu_index, mshv_x86(cs)->smm_started);
    masks = env->hflags2 & HF2_SMM_INSIDE_NMI_MASK;
    mshv_smm_begin(X86_CPU(cs));
    env->hflags2 = (env->hflags2 & ~HF2_SMM_INSIDE_NMI_MASK) | masks;
    env->msr_smi_count--;
    mshv_x86(cs)->mode_changed = true;
    if (!mshv_x86(cs)->smm_started) {
        cpu_interrupt(cs, CPU_INTERRUPT_INIT);
    }
    mshv_x86(cs)->smm_started = true;
}

/* On its thread, with the BQL */
static void look_at_fresh(CPUState *cs, run_on_cpu_data data)
{
    Error *err = NULL;
    uint64_t rip;
    bool waits;

    if (!cs->accel->usable || !mshv_x86(cs)->smm_fresh) {
        return;
    }
    if (look_at(cs, &waits, &rip, &err) < 0) {
        mshv_vcpu_stop_vm(cs, err, "cannot see whether it is in system "
                          "management mode");
    } else if (waits) {
        begin_again(cs);
    } else if (rip != MSHV_SMM_ENTRY) {
        mshv_x86(cs)->smm_fresh = 0;
    }
}

static void look_at_all(void *opaque)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        if (!cs->accel->usable) {
            continue;
        }
        if (mshv_x86(cs)->smi_waits) {
            qemu_cpu_kick(cs);
        } else if (mshv_x86(cs)->smm_fresh > 1) {
            mshv_x86(cs)->smm_fresh--;
        } else if (mshv_x86(cs)->smm_fresh) {
            async_run_on_cpu(cs, look_at_fresh, RUN_ON_CPU_NULL);
        } else {
            continue;
        }
        look_soon();
    }
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
    if (ret < 0 || waits) {
        return ret;             /* To one that waits it does nothing. */
    }
    if (cs->interrupt_request & CPU_INTERRUPT_SMI) {
        cpu_interrupt(cs, CPU_INTERRUPT_INIT);  /* The SMI comes first. */
        return 0;
    }
    return mshv_apic_send(cs, APIC_DM_INIT, 0, errp);
}

static int sipi_arrives(CPUState *cs, uint8_t vector, Error **errp)
{
    bool waits = false;
    int ret;

    if (mshv_smm_is_in(cs) || mshv_x86(cs)->smm_started) {
        return 0;               /* It does not wait for one. */
    }
    ret = is_waiting(cs, &waits, errp);
    if (ret < 0) {
        return ret;
    }
    if (!(cs->interrupt_request & CPU_INTERRUPT_SMI)) {
        return mshv_apic_send(cs, APIC_DM_SIPI, vector, errp);
    }
    /* The hypervisor hears of it only when the SMI has been taken. */
    mshv_x86(cs)->sipi_latched = true;
    mshv_x86(cs)->sipi_vector = vector;
    if (waits) {
        cpu_synchronize_state(cs);
        mshv_smm_take_sipi(cs);
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

bool mshv_smm_take_sipi(CPUState *cs)
{
    MshvX86 *x86 = mshv_x86(cs);

    if (!x86->sipi_latched || !cs->vcpu_dirty ||
        cpu_env(cs)->mp_state != MSHV_MP_WAIT_FOR_SIPI) {
        return false;
    }
    x86->sipi_latched = false;
    cpu_x86_load_seg_cache_sipi(X86_CPU(cs), x86->sipi_vector);
    cpu_env(cs)->mp_state = MSHV_MP_RUNNABLE;
    x86->smm_started = true;
    return true;
}

int mshv_smm_take_init(CPUState *cs, Error **errp)
{
    bool sipi = mshv_x86(cs)->sipi_latched;
    int ret;

    if (cs->vcpu_dirty) {
        return 0;               /* after its state is the VP's */
    }
    cpu_reset_interrupt(cs, CPU_INTERRUPT_INIT);
    mshv_x86(cs)->sipi_latched = false;
    ret = mshv_apic_send(cs, APIC_DM_INIT, 0, errp);
    return ret < 0 || !sipi ? ret :
           mshv_apic_send(cs, APIC_DM_SIPI, mshv_x86(cs)->sipi_vector, errp);
}

void mshv_smm_start_init(void)
{
    possible = report_starts(true, NULL) == 0 &&
               report_starts(false, NULL) == 0;
    look_again = timer_new_ms(QEMU_CLOCK_REALTIME, look_at_all, NULL);
}
