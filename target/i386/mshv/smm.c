/*
 * System management mode. The hypervisor has none: QEMU makes it of what there
 * is, and docs/devel/smm.rst says how.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "mshv-compat/memory.h"
#include "hw/boards.h"
#include "hw/i386/x86.h"
#include "system/hw_accel.h"
#include "system/runstate.h"
#include "system/system.h"
#include "accel/mshv/hidden.h"
#include "accel/mshv/partition.h"
#include "accel/mshv/rendezvous.h"
#include "accel/mshv/vcpu.h"
#include "mshv/x86.h"
#include "smm.h"
#include "state-table.h"
#include "trace.h"

static bool possible;           /* with this hypervisor */
static bool on;                 /* in this machine */

/* ---- Whether there is such a mode ---- */

/* RSM is an invalid instruction to a processor that is not in real SMM. */
static int report_invalid_opcodes(bool enable, Error **errp)
{
    struct hv_input_install_intercept in = {
        .access_type = enable ? HV_INTERCEPT_ACCESS_MASK_EXECUTE
                              : HV_INTERCEPT_ACCESS_MASK_NONE,
        .intercept_type = HV_INTERCEPT_TYPE_EXCEPTION,
        .intercept_parameter.exception_vector = EXCP06_ILLOP,
    };

    return mshv_pt_hvcall(HVCALL_INSTALL_INTERCEPT, 0, &in, sizeof(in), NULL,
                          0, NULL, errp);
}

int mshv_arch_rendezvous(MshvTurn turn, Error **errp)
{
    static bool reported;
    bool wanted = turn != MSHV_TURN_ALL;
    int ret = reported == wanted ? 0 : report_invalid_opcodes(wanted, errp);

    if (ret < 0) {
        return ret;
    }
    reported = wanted;
    return mshv_smm_report_starts(turn, errp);
}

bool mshv_x86_has_smm(void)
{
    return possible;
}

bool mshv_smm_is_on(void)
{
    return on;
}

static MemoryRegion *smm_root;

static void machine_done(Notifier *notifier, void *data)
{
    MemoryRegion *smram =
        (MemoryRegion *)object_resolve_path("/machine/smram", NULL);
    bool wanted = object_dynamic_cast(OBJECT(current_machine),
                                      TYPE_X86_MACHINE) &&
                  x86_machine_is_smm_enabled(X86_MACHINE(current_machine));
    Error *err = NULL;
    CPUState *cs;

    mshv_smm_watch_missing(wanted);
    if (!wanted) {
        return;
    }
    if (mshv_smm_report_sent(true, &err) < 0) {
        error_reportf_err(err, "mshv: system management mode: ");
        exit(1);
    }
    on = true;
    mshv_rendezvous_init();
    if (smram) {
        mshv_hidden_init(smram);
    }
    smm_root = smram ? mshv_inside_space.root : get_system_memory();
    CPU_FOREACH(cs) {
        cpu_address_space_init(cs, X86ASIdx_SMM, "cpu-smm", smm_root);
    }
}

void mshv_smm_init(void)
{
    static Notifier notifier = { .notify = machine_done };

    possible = report_invalid_opcodes(true, NULL) == 0 &&
               report_invalid_opcodes(false, NULL) == 0 &&
               mshv_smm_report_sent(true, NULL) == 0 &&
               mshv_smm_report_sent(false, NULL) == 0;
    if (possible) {
        mshv_smm_start_init();
    }
    qemu_add_machine_init_done_notifier(&notifier);
}

void mshv_smm_add_cpu(CPUState *cs)
{
    if (!x86_machine_is_smm_enabled(X86_MACHINE(current_machine))) {
        return;
    }
    cs->num_ases = 2;
    cpu_address_space_init(cs, X86ASIdx_MEM, "cpu-memory", cs->memory);
    if (smm_root) {
        cpu_address_space_init(cs, X86ASIdx_SMM, "cpu-smm", smm_root);
    }
}

/* ---- Events that wait while their VP is in SMM ---- */

static const uint32_t event_names[MSHV_SMM_EVENTS] = {
    HV_REGISTER_PENDING_INTERRUPTION, HV_REGISTER_PENDING_EVENT0,
    HV_REGISTER_PENDING_EVENT1,
};

static void move_events(CPUState *cs, bool away)
{
    static const union hv_register_value none;
    MshvX86 *x86 = mshv_x86(cs);
    unsigned i, row;

    for (i = 0; i < MSHV_SMM_EVENTS; i++) {
        for (row = 0; row < mshv_reg_count; row++) {
            if (mshv_reg_table[row].name != event_names[i]) {
                continue;
            }
            if (away) {
                mshv_reg_from_env(X86_CPU(cs), row, &x86->smm_events[i]);
            }
            mshv_reg_to_env(X86_CPU(cs), row,
                            away ? &none : &x86->smm_events[i]);
        }
    }
}

/* ---- The way in ---- */

/*
 * Pages of the hypervisor's that a guest places, and that lie over memory: the
 * register, and of it the bits that say whether the page is there
 */
static const struct {
    uint32_t name;
    uint32_t mask, there;
} overlays[] = {
    { HV_X64_REGISTER_APIC_BASE,
      MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD,
      MSR_IA32_APICBASE_ENABLE },
    { HV_X64_REGISTER_HYPERCALL, 1, 1 },
    { HV_REGISTER_REFERENCE_TSC, 1, 1 },
    { HV_REGISTER_VP_ASSIST_PAGE, 1, 1 },
    { HV_REGISTER_SIMP, 1, 1 },
    { HV_REGISTER_SIEFP, 1, 1 },
};

static void shut_down(const char *why)
{
    warn_report("mshv: %s: the machine is reset", why);
    qemu_system_reset_request(SHUTDOWN_CAUSE_GUEST_RESET);
}

/* Which of them this host has */
static unsigned existing_overlays(CPUState *cs, uint32_t *names, unsigned *at)
{
    unsigned i, row, n = 0;

    for (i = 0; i < ARRAY_SIZE(overlays); i++) {
        for (row = 0; row < mshv_reg_count; row++) {
            if (mshv_reg_table[row].name == overlays[i].name &&
                mshv_reg_exists(X86_CPU(cs), row)) {
                names[n] = overlays[i].name;
                at[n++] = i;
            }
        }
    }
    return n;
}

/*
 * A guest that lays such a page over hidden memory would change what SMM finds
 * there. No VP runs: so those of the others can be read from here.
 */
int mshv_arch_may_show(bool *may, Error **errp)
{
    bool covered = false;
    CPUState *cs;
    int ret = 0;

    CPU_FOREACH(cs) {
        union hv_register_value v[ARRAY_SIZE(overlays)];
        uint32_t names[ARRAY_SIZE(overlays)];
        unsigned at[ARRAY_SIZE(overlays)], i, n;

        if (!cs->accel->usable) {
            continue;
        }
        n = existing_overlays(cs, names, at);
        ret = mshv_vp_get_regs(cs, names, v, n, errp);
        if (ret < 0) {
            break;
        }
        for (i = 0; i < n; i++) {
            covered |= (v[i].reg64 & overlays[at[i]].mask) ==
                       overlays[at[i]].there &&
                       mshv_hidden_has(v[i].reg64 & TARGET_PAGE_MASK,
                                       HV_HYP_PAGE_SIZE);
        }
    }
    if (covered) {
        shut_down("the guest has laid a page of the hypervisor over SMRAM");
    }
    *may = ret == 0 && !covered;
    return ret;
}

static MemTxResult access_save_area(CPUState *cs, uint8_t *area, bool write)
{
    return address_space_rw(mshv_hidden_exists() ? &mshv_inside_space
                                                 : &address_space_memory,
                            (hwaddr)cpu_env(cs)->smbase + MSHV_SMM_SAVE,
                            (MemTxAttrs) { .secure = 1 }, area,
                            MSHV_SMM_SAVE_SIZE, write);
}

static int enter(CPUState *cs, Error **errp)
{
    uint8_t area[MSHV_SMM_SAVE_SIZE];
    CPUX86State *env = cpu_env(cs);
    bool may;
    int ret;

    cpu_synchronize_state(cs);
    if (!cs->vcpu_dirty) {
        error_setg(errp, "an SMI finds no state of the CPU");
        return -EIO;
    }
    if (env->mp_state == MSHV_MP_WAIT_FOR_SIPI && !mshv_smm_take_sipi(cs)) {
        return mshv_smm_set_waits(cs, true, errp);
    }
    if (mshv_rendezvous_turn != MSHV_TURN_INSIDE) {
        ret = mshv_arch_may_show(&may, errp);
        if (ret < 0 || !may) {
            return ret;
        }
    }
    ret = mshv_rendezvous_set(cs, true, errp);
    if (ret < 0) {
        return ret;
    }
    trace_mshv_smm_enter(cs->cpu_index, env->smbase, env->eip);
    cpu_reset_interrupt(cs, CPU_INTERRUPT_SMI);
    move_events(cs, true);
    mshv_smm_save(X86_CPU(cs), area);
    access_save_area(cs, area, true);
    mshv_smm_begin(X86_CPU(cs));
    mshv_x86(cs)->mode_changed = true;
    mshv_smm_set_fresh(cs, true);
    return 0;
}

/* No other VP runs. It may have been reset, or stopped, since it was asked. */
static void do_enter(CPUState *cs, run_on_cpu_data data)
{
    Error *err = NULL;

    bql_lock();
    if (runstate_is_running() && !mshv_smm_is_in(cs) &&
        (cs->interrupt_request & CPU_INTERRUPT_SMI) && enter(cs, &err) < 0) {
        mshv_vcpu_stop_vm(cs, err, "cannot enter system management mode");
    }
    bql_unlock();
}

int mshv_smm_pre_run(CPUState *cs, Error **errp)
{
    bool waits;
    int ret;

    if (!on) {
        bql_lock();
        cpu_reset_interrupt(cs, CPU_INTERRUPT_SMI);
        bql_unlock();
        return 0;
    }
    if (mshv_smm_is_in(cs)) {
        return 0;               /* after it has left */
    }
    if (!(qatomic_read(&cs->interrupt_request) & CPU_INTERRUPT_SMI)) {
        return mshv_smm_take_init(cs, errp);
    }
    if (mshv_x86(cs)->smi_waits) {
        ret = mshv_smm_still_waits(cs, &waits, errp);
        if (ret < 0 || waits) {
            return ret;
        }
    }
    async_safe_run_on_cpu(cs, do_enter, RUN_ON_CPU_NULL);
    return EXCP_INTERRUPT;
}

/* ---- The way out ---- */

static bool is_prefix(uint8_t byte, bool long_mode)
{
    static const uint8_t prefixes[] = {
        0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3
    };

    return memchr(prefixes, byte, sizeof(prefixes)) ||
           (long_mode && (byte & 0xf0) == 0x40);
}

/* Instruction byte @i at the exit, from the message or from memory */
static bool get_byte(CPUState *cs,
                     const struct hv_x64_exception_intercept_message *m,
                     unsigned i, uint8_t *byte)
{
    bool found = true;

    if (i < MIN(m->instruction_byte_count, sizeof(m->instruction_bytes))) {
        *byte = m->instruction_bytes[i];
        return true;
    }
    bql_lock();
    cpu_synchronize_state(cs);
    found = cs->vcpu_dirty &&
            cpu_memory_rw_debug(cs, m->header.cs_segment.base +
                                m->header.rip + i, byte, 1, false) == 0;
    bql_unlock();
    return found;
}

bool mshv_smm_is_rsm(CPUState *cs,
                     const struct hv_x64_exception_intercept_message *m)
{
    bool long_mode = m->header.execution_state.efer_lma &&
                     m->header.cs_segment._long;
    unsigned i;
    uint8_t byte;

    if (m->exception_vector != EXCP06_ILLOP || !mshv_smm_is_in(cs)) {
        return false;
    }
    for (i = 0; i < INSN_MAX_LEN - 1; i++) {
        if (!get_byte(cs, m, i, &byte)) {
            return false;
        }
        if (!is_prefix(byte, long_mode)) {
            return byte == 0x0f && get_byte(cs, m, i + 1, &byte) &&
                   byte == 0xaa;
        }
    }
    return false;
}

static int leave(CPUState *cs, Error **errp)
{
    uint8_t area[MSHV_SMM_SAVE_SIZE];

    cpu_synchronize_state(cs);
    if (!cs->vcpu_dirty) {
        error_setg(errp, "RSM finds no state of the CPU");
        return -EIO;
    }
    if (access_save_area(cs, area, false) != MEMTX_OK ||
        !mshv_smm_load(X86_CPU(cs), area)) {
        shut_down("RSM finds a state that no processor can have");
        return 0;
    }
    trace_mshv_smm_leave(cs->cpu_index, cpu_env(cs)->smbase,
                         cpu_env(cs)->eip);
    move_events(cs, false);
    mshv_x86(cs)->mode_changed = true;
    mshv_smm_set_fresh(cs, false);
    return mshv_rendezvous_set(cs, false, errp);
}

static void do_leave(CPUState *cs, run_on_cpu_data data)
{
    Error *err = NULL;

    bql_lock();
    if (runstate_is_running() && mshv_smm_is_in(cs) && leave(cs, &err) < 0) {
        mshv_vcpu_stop_vm(cs, err, "cannot leave system management mode");
    }
    bql_unlock();
}

int mshv_smm_return(CPUState *cs)
{
    async_safe_run_on_cpu(cs, do_leave, RUN_ON_CPU_NULL);
    return EXCP_INTERRUPT;
}

int mshv_smm_follow(CPUState *cs, Error **errp)
{
    int ret = mshv_smm_set_waits(cs, false, errp);

    mshv_x86(cs)->mode_changed = false;
    mshv_smm_set_fresh(cs, false);
    return ret < 0 ? ret : mshv_rendezvous_set(cs, mshv_smm_is_in(cs), errp);
}

void mshv_smm_remove_cpu(CPUState *cs)
{
    Error *err = NULL;

    if (mshv_smm_set_waits(cs, false, &err) < 0 ||
        mshv_rendezvous_set(cs, false, &err) < 0) {
        mshv_vcpu_stop_vm(cs, err, "cannot leave system management mode");
    }
}
