/*
 * A VP that is debugged: what it is given before it runs, and what its debug
 * events mean.
 *
 * gdb's breakpoints and watchpoints take the VP's debug registers, a step takes
 * TF or debug registers, and the task priority that keeps interrupts back. All
 * that is in the VP only while it is armed. DR7.GD makes the guest's access to
 * debug registers exit meanwhile, so that it finds its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "exec/cpu-common.h"
#include "system/hw_accel.h"
#include "debug.h"
#include "mshv-x86.h"

#define DR6_POINTS      0xfull          /* B0 to B3 */
#define DR6_CAUSES      (DR6_POINTS | DR6_BD | DR6_BS | DR6_BT)
#define NO_INTERRUPTS   15              /* as task priority */

/* What is read and written when a VP is armed or disarmed. */
enum { RFLAGS, RIP, CR8, DR };
static const uint32_t names[] = {
    HV_X64_REGISTER_RFLAGS, HV_X64_REGISTER_RIP, HV_X64_REGISTER_CR8,
    HV_X64_REGISTER_DR0, HV_X64_REGISTER_DR1, HV_X64_REGISTER_DR2,
    HV_X64_REGISTER_DR3, HV_X64_REGISTER_DR6, HV_X64_REGISTER_DR7,
};

/* Of those, which register of the debug registers is the i-th */
static const uint8_t numbers[] = { 0, 1, 2, 3, 6, 7 };

typedef struct Writes {
    struct hv_register_assoc reg[ARRAY_SIZE(names)];
    unsigned n;
} Writes;

static void add(Writes *w, uint32_t name, uint64_t value)
{
    w->reg[w->n].name = name;
    w->reg[w->n++].value.reg64 = value;
}

/* From the VP itself: the register page may be older than what we wrote. */
static int read_vp(CPUState *cs, union hv_register_value *v, Error **errp)
{
    struct hv_register_assoc none = { 0 };
    int ret = mshv_x86_set_regs(cs, &none, 0, errp);

    cs->accel->page_fresh = false;
    return ret < 0 ? ret : mshv_vp_get_regs(cs, names, v, ARRAY_SIZE(names),
                                            errp);
}

/* ---- Arm and disarm ---- */

/* A breakpoint wherever the step may end */
static void points_of_step(const MshvStep *step, uint64_t *regs)
{
    unsigned i;

    memset(regs, 0, 8 * sizeof(*regs));
    for (i = 0; i < step->n_ends; i++) {
        regs[i] = step->ends[i];
        regs[7] |= 2ull << (2 * i);
    }
}

/* What the VP gets of ours; false: nothing. */
static bool choose(MshvDebug *d)
{
    const MshvStep *step = &d->step;
    bool by_points = step->planned && !step->trap;

    d->uses_regs = by_points;
    if (by_points) {
        points_of_step(step, d->ours);
    } else {
        d->uses_regs = mshv_debug_points(d->ours) > 0;
    }
    d->traps = step->planned && step->trap;
    d->holds = step->planned && step->holds_interrupts;
    d->clears_dr6 = d->uses_regs || (d->traps && !step->moves_debug_regs);
    d->ours[6] = DR6_FIXED_1;
    d->ours[7] |= DR7_FIXED_1 | DR7_GD;
    return d->uses_regs || d->traps;
}

static int arm(CPUState *cs, Error **errp)
{
    MshvDebug *d = &mshv_x86(cs)->debug;
    union hv_register_value v[ARRAY_SIZE(names)];
    Writes w = { .n = 0 };
    unsigned i;
    int ret;

    if (!choose(d)) {
        return 0;
    }
    ret = read_vp(cs, v, errp);
    if (ret < 0) {
        return ret;
    }
    for (i = 0; i < ARRAY_SIZE(numbers); i++) {
        d->guests[numbers[i]] = v[DR + i].reg64;
        if (d->uses_regs || (d->clears_dr6 && numbers[i] == 6)) {
            add(&w, names[DR + i], d->ours[numbers[i]]);
        }
    }
    if (d->traps) {
        add(&w, names[RFLAGS], v[RFLAGS].reg64 | TF_MASK);
    }
    d->version = mshv_debug_points_version();
    d->guest_cr8 = v[CR8].reg64;
    if (d->holds) {
        add(&w, names[CR8], NO_INTERRUPTS);
    }
    d->armed = true;
    return mshv_vp_set_regs(cs, w.reg, w.n, errp);
}

/* What the guest has written meanwhile stays. */
static void give_back_dr(const MshvDebug *d, const union hv_register_value *v,
                         Writes *w)
{
    uint64_t ignore;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(numbers); i++) {
        /* The processor sets causes in DR6, and may clear DR7.GD. */
        ignore = numbers[i] == 6 ? DR6_CAUSES : numbers[i] == 7 ? DR7_GD : 0;
        if ((d->uses_regs || (d->clears_dr6 && numbers[i] == 6)) &&
            !((v[DR + i].reg64 ^ d->ours[numbers[i]]) & ~ignore)) {
            add(w, names[DR + i], d->guests[numbers[i]]);
        }
    }
}

int mshv_debug_disarm(CPUState *cs, Error **errp)
{
    MshvDebug *d = &mshv_x86(cs)->debug;
    union hv_register_value v[ARRAY_SIZE(names)];
    Writes w = { .n = 0 };
    uint64_t flags;
    int ret;

    if (!d->armed) {
        return 0;
    }
    ret = read_vp(cs, v, errp);
    if (ret < 0) {
        return ret;
    }
    d->seen = d->clears_dr6 ? v[DR + 4].reg64 & DR6_CAUSES : 0;
    give_back_dr(d, v, &w);
    if (d->traps && !(d->step.loads_flags && v[RIP].reg64 != d->step.rip)) {
        flags = v[RFLAGS].reg64 & ~(uint64_t)TF_MASK;
        add(&w, names[RFLAGS], flags | (d->step.guest_tf ? TF_MASK : 0));
    }
    if (d->holds && v[CR8].reg64 == NO_INTERRUPTS) {
        add(&w, names[CR8], d->guest_cr8);
    }
    d->armed = false;
    return w.n ? mshv_vp_set_regs(cs, w.reg, w.n, errp) : 0;
}

void mshv_debug_forget(CPUState *cs)
{
    MshvDebug *d = &mshv_x86(cs)->debug;

    d->armed = false;
    d->step.planned = false;
}

/* ---- Before a run ---- */

bool mshv_debug_holds_interrupts(CPUState *cs)
{
    const MshvStep *step = &mshv_x86(cs)->debug.step;

    return step->planned && step->holds_interrupts;
}

/* CPUX86State becomes the guest's, without anything of ours. */
static void look(CPUState *cs)
{
    const MshvStep *step = &mshv_x86(cs)->debug.step;
    CPUX86State *env = cpu_env(cs);

    cpu_synchronize_state(cs);
    /* An instruction that was emulated may have written TF as it saw it. */
    if (step->planned && step->trap && !step->loads_flags) {
        env->eflags &= ~(target_ulong)TF_MASK;
        env->eflags |= step->guest_tf ? TF_MASK : 0;
    }
}

static int plan(CPUState *cs, Error **errp)
{
    MshvDebug *d = &mshv_x86(cs)->debug;

    bql_lock();
    look(cs);
    /* A processor that has not been started has no next instruction. */
    if (cpu_env(cs)->mp_state != MSHV_MP_WAIT_FOR_SIPI) {
        mshv_step_plan(cs, &d->step);
    }
    bql_unlock();
    return mshv_x86_flush_env(cs, errp);
}

/* gdb reads CPUX86State without asking for it. */
int mshv_debug_stop(CPUState *cs)
{
    MshvDebug *d = &mshv_x86(cs)->debug;

    bql_lock();
    look(cs);
    bql_unlock();
    d->step.planned = false;
    return EXCP_DEBUG;
}

/*
 * The VP was armed, has run, and was stopped by something else. Is the step
 * done, by an emulation that did not see it? Does the VP still have all?
 */
static int go_on(CPUState *cs, Error **errp)
{
    MshvDebug *d = &mshv_x86(cs)->debug;
    union hv_register_value v[ARRAY_SIZE(names)];
    int ret = read_vp(cs, v, errp);

    if (ret < 0) {
        return ret;
    }
    if (d->traps && v[RIP].reg64 != d->step.rip &&
        (v[RFLAGS].reg64 & TF_MASK)) {
        return mshv_debug_stop(cs);
    }
    /* INIT clears debug registers. */
    if (d->uses_regs && ((v[DR + 5].reg64 ^ d->ours[7]) & ~DR7_GD)) {
        ret = mshv_debug_disarm(cs, errp);
        return ret < 0 ? ret : arm(cs, errp);
    }
    return 0;
}

/* What it has is what it is to have. */
static bool is_armed_right(CPUState *cs, const MshvDebug *d)
{
    return d->armed && !cs->singlestep_enabled == !d->step.planned &&
           d->version == mshv_debug_points_version();
}

int mshv_debug_pre_run(CPUState *cs, Error **errp)
{
    MshvDebug *d = &mshv_x86(cs)->debug;
    int ret;

    if (cs->singlestep_enabled && !mshv_debug_can_step()) {
        return mshv_debug_stop(cs);
    }
    if (is_armed_right(cs, d)) {
        return go_on(cs, errp);
    }
    ret = mshv_debug_disarm(cs, errp);
    if (!cs->singlestep_enabled) {
        d->step.planned = false;
    } else if (ret == 0 && !d->step.planned) {
        ret = plan(cs, errp);
    }
    if (ret == 0) {
        ret = arm(cs, errp);
    }
    cs->accel->debugged = cs->singlestep_enabled || d->armed;
    return ret;
}

int mshv_arch_update_guest_debug(CPUState *cs)
{
    Error *err = NULL;
    int ret = 0;

    if (!cs->accel->usable) {
        return 0;
    }
    cs->accel->debugged = true;
    if (!cs->singlestep_enabled) {
        ret = mshv_debug_disarm(cs, &err);
        mshv_x86(cs)->debug.step.planned = false;
    }
    if (ret < 0) {
        error_reportf_err(err, "mshv: CPU %d: debugging the guest: ",
                          cs->cpu_index);
    }
    return ret;
}

/* ---- Debug events ---- */

int mshv_debug_before_handler(CPUState *cs, unsigned vector, Error **errp)
{
    MshvStep *step = &mshv_x86(cs)->debug.step;

    if (!step->planned) {
        return 0;
    }
    bql_lock();
    look(cs);
    mshv_step_into_handler(cs, step, vector);
    bql_unlock();
    return mshv_x86_flush_env(cs, errp);
}

/* #DB for the guest, for these @causes. DR6 keeps what it had. */
static int guest_trap(CPUState *cs, uint64_t causes, Error **errp)
{
    struct hv_register_assoc dr6 = { .name = HV_X64_REGISTER_DR6 };
    int ret = mshv_vp_get_regs(cs, &dr6.name, &dr6.value, 1, errp);

    if (ret == 0) {
        dr6.value.reg64 |= causes;
        ret = mshv_x86_set_regs(cs, &dr6, 1, errp);
    }
    return ret < 0 ? ret
           : mshv_inject_exception(cs, EXCP01_DB, false, 0, 0, errp);
}

/* DR6 may tell of registers that are not enabled, too. */
static uint64_t without_disabled(uint64_t causes, uint64_t dr7)
{
    unsigned i;

    for (i = 0; i < MSHV_DR_ADDRESSES; i++) {
        if (!(dr7 >> (2 * i) & 3)) {
            causes &= ~(1ull << i);
        }
    }
    return causes;
}

/*
 * Which of the @causes are the guest's own. *@stop: the VM stops for gdb.
 * CPUX86State is up to date.
 */
static uint64_t sort_causes(CPUState *cs, uint64_t causes, bool *stop)
{
    MshvDebug *d = &mshv_x86(cs)->debug;
    MshvStep *step = &d->step;
    unsigned i;

    if (step->planned && step->trap) {
        /* A host need not say what it was. */
        if (!causes || (causes & DR6_BS)) {
            *stop = true;
            causes = step->guest_tf ? causes | DR6_BS
                                    : causes & ~(uint64_t)DR6_BS;
        }
    } else if (step->planned && (causes & DR6_POINTS)) {
        *stop = true;
        return causes & ~DR6_POINTS;
    }
    for (i = 0; d->uses_regs && i < MSHV_DR_ADDRESSES; i++) {
        if (causes & (1ull << i)) {
            *stop = true;
            mshv_debug_report(cs, i);
        }
    }
    return d->uses_regs ? causes & ~DR6_POINTS : causes;
}

/* The guest used debug registers while they are not its own. */
static int move_debug_reg(CPUState *cs, Error **errp)
{
    bool moved, stepping = mshv_x86(cs)->debug.step.planned;
    int ret;

    bql_lock();
    moved = mshv_step_move_debug_reg(cs);
    bql_unlock();
    if (moved && stepping) {
        return mshv_debug_stop(cs);
    }
    ret = mshv_x86_flush_env(cs, errp);
    return ret < 0 || moved ? ret
           : mshv_inject_exception(cs, EXCP0D_GPF, true, 0, 0, errp);
}

int mshv_debug_event(CPUState *cs, uint64_t causes, Error **errp)
{
    MshvDebug *d = &mshv_x86(cs)->debug;
    CPUX86State *env = cpu_env(cs);
    bool stop = false;
    int ret;

    causes &= DR6_CAUSES;
    if (!d->armed && !d->step.planned) {
        return guest_trap(cs, causes, errp);
    }
    d->seen = 0;
    bql_lock();
    look(cs);
    bql_unlock();
    causes = without_disabled(causes | d->seen, d->uses_regs ? d->ours[7]
                                                             : env->dr[7]);
    if (d->uses_regs && (causes & DR6_BD) && !(env->dr[7] & DR7_GD)) {
        return move_debug_reg(cs, errp);
    }
    causes = sort_causes(cs, causes, &stop);
    if (stop && !causes && !d->step.was_halted) {
        return mshv_debug_stop(cs);
    }
    ret = mshv_x86_flush_env(cs, errp);
    if (stop && !causes) {
        /* The end of HLT is no instruction: the next is still to be run. */
        d->step.planned = false;
        return ret;
    }
    return ret < 0 ? ret : guest_trap(cs, causes, errp);
}
