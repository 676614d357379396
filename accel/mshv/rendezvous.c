/*
 * A rendezvous of VPs that see hidden memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "system/cpus.h"
#include "system/runstate.h"
#include "access.h"
#include "arch.h"
#include "hidden.h"
#include "rendezvous.h"
#include "vcpu.h"
#include "trace.h"

MshvTurn mshv_rendezvous_turn;

static unsigned inside;         /* how many VPs are */

/*
 * Code inside may wait for what a processor outside does, or never return. On a
 * real machine all would run.
 */
#define INSIDE_MS       200
#define OUTSIDE_MS      50
static QEMUTimer *next_turn;

static void set_turn(MshvTurn turn)
{
    qatomic_set(&mshv_rendezvous_turn, turn);
    trace_mshv_rendezvous_turn(turn);
    if (turn == MSHV_TURN_ALL) {
        timer_del(next_turn);
    } else {
        timer_mod(next_turn, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) +
                  (turn == MSHV_TURN_INSIDE ? INSIDE_MS : OUTSIDE_MS));
    }
}

static void kick_all(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        qemu_cpu_kick(cpu);
    }
}

static int begin(Error **errp)
{
    int ret = mshv_arch_rendezvous(MSHV_TURN_INSIDE, errp);

    if (ret < 0) {
        return ret;
    }
    /* Even if it fails: who knows what is mapped. */
    set_turn(MSHV_TURN_INSIDE);
    return mshv_hidden_show(errp);
}

static int end(Error **errp)
{
    int ret = mshv_hidden_hide(errp);

    if (ret == 0) {
        ret = mshv_arch_rendezvous(MSHV_TURN_ALL, errp);
    }
    if (ret < 0) {
        return ret;
    }
    set_turn(MSHV_TURN_ALL);
    kick_all();
    return 0;
}

/* ---- Turns ---- */

static bool anybody_outside(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        if (!cpu->accel->inside) {
            return true;
        }
    }
    return false;
}

/* With the BQL, while no VP runs */
static int change_turn(MshvTurn to, Error **errp)
{
    int ret;

    if (to == MSHV_TURN_OUTSIDE) {
        ret = mshv_hidden_hide(errp);
        if (ret == 0) {
            set_turn(to);
            ret = mshv_arch_rendezvous(to, errp);
        }
    } else {
        set_turn(to);
        ret = mshv_hidden_show(errp);
        if (ret < 0 && mshv_hidden_hide(NULL) == 0) {
            set_turn(MSHV_TURN_OUTSIDE);
        }
    }
    kick_all();
    return ret;
}

static void do_next_turn(CPUState *cpu, run_on_cpu_data data)
{
    MshvTurn turn;
    bool may = true;
    Error *err = NULL;
    int ret = 0;

    bql_lock();
    turn = mshv_rendezvous_turn;
    if (!inside || !runstate_is_running()) {
        bql_unlock();
        return;
    }
    if (turn == MSHV_TURN_OUTSIDE) {
        ret = mshv_arch_may_show(&may, &err);
    }
    if (ret == 0 && may) {
        ret = change_turn(turn == MSHV_TURN_OUTSIDE || !anybody_outside()
                          ? MSHV_TURN_INSIDE : MSHV_TURN_OUTSIDE, &err);
    }
    if (ret < 0) {
        mshv_vcpu_stop_vm(cpu, err, "cannot let others run");
    }
    bql_unlock();
}

/* The first CPU is one that always stays. */
static void turn_is_over(void *opaque)
{
    async_safe_run_on_cpu(first_cpu, do_next_turn, RUN_ON_CPU_NULL);
}

/* ---- In and out ---- */

static void count(AccelCPUState *vp, bool in)
{
    vp->inside = in;
    inside += in ? 1 : -1;
}

int mshv_rendezvous_set(CPUState *cpu, bool in, Error **errp)
{
    AccelCPUState *vp = cpu->accel;
    bool first = in && !inside;
    int ret = 0;

    if (vp->inside == in) {
        return 0;
    }
    count(vp, in);
    if (first) {
        ret = begin(errp);
    } else if (in && mshv_rendezvous_turn == MSHV_TURN_OUTSIDE) {
        ret = change_turn(MSHV_TURN_INSIDE, errp);
    }
    if (ret < 0) {
        count(vp, false);
        if (first) {
            end(NULL);
        }
        return ret;
    }
    /* What was found for it was found in another address space. */
    mshv_access_forget(cpu);
    trace_mshv_rendezvous(cpu->cpu_index, in, inside);
    if (!inside) {
        return end(errp);
    }
    ret = mshv_arch_rendezvous(mshv_rendezvous_turn, errp);
    if (ret < 0 && in) {
        count(vp, false);
    }
    return ret;
}

void mshv_rendezvous_wait(CPUState *cpu)
{
    if (mshv_rendezvous_bars(cpu) && !cpu->stop && !cpu->unplug &&
        cpu_work_list_empty(cpu) && !qatomic_read(&cpu->accel->kicked)) {
        qemu_cond_wait_bql(cpu->halt_cond);
    }
}

static void vm_state_changed(void *opaque, bool running, RunState state)
{
    Error *err = NULL;

    if (running && mshv_rendezvous_turn != MSHV_TURN_ALL) {
        if (inside) {
            set_turn(mshv_rendezvous_turn);
        } else if (end(&err) < 0) {
            error_reportf_err(err, "mshv: CPUs stay stopped: ");
        }
    }
}

void mshv_rendezvous_init(void)
{
    next_turn = timer_new_ms(QEMU_CLOCK_VIRTUAL, turn_is_over, NULL);
    qemu_add_vm_change_state_handler(vm_state_changed, NULL);
}
