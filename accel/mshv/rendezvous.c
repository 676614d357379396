/*
 * A rendezvous of VPs that see hidden memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "system/cpus.h"
#include "system/runstate.h"
#include "access.h"
#include "hidden.h"
#include "rendezvous.h"
#include "trace.h"

bool mshv_rendezvous_open;

static unsigned inside;         /* how many VPs are */

static int begin(Error **errp)
{
    int ret = mshv_arch_rendezvous(true, errp);

    if (ret < 0) {
        return ret;
    }
    /* Even if it fails: who knows what is mapped. */
    qatomic_set(&mshv_rendezvous_open, true);
    return mshv_hidden_show(errp);
}

static int end(Error **errp)
{
    CPUState *cpu;
    int ret = mshv_hidden_hide(errp);

    if (ret == 0) {
        ret = mshv_arch_rendezvous(false, errp);
    }
    if (ret < 0) {
        return ret;
    }
    qatomic_set(&mshv_rendezvous_open, false);
    CPU_FOREACH(cpu) {
        qemu_cpu_kick(cpu);
    }
    return 0;
}

int mshv_rendezvous_set(CPUState *cpu, bool in, Error **errp)
{
    AccelCPUState *vp = cpu->accel;
    int ret = 0;

    if (vp->inside == in) {
        return 0;
    }
    if (in && !inside) {
        ret = begin(errp);
        if (ret < 0) {
            end(NULL);
            return ret;
        }
    }
    vp->inside = in;
    inside += in ? 1 : -1;
    /* What was found for it was found in another address space. */
    mshv_access_forget(cpu);
    trace_mshv_rendezvous(cpu->cpu_index, in, inside);
    return inside ? 0 : end(errp);
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

    if (running && mshv_rendezvous_open && !inside && end(&err) < 0) {
        error_reportf_err(err, "mshv: CPUs stay stopped: ");
    }
}

void mshv_rendezvous_init(void)
{
    qemu_add_vm_change_state_handler(vm_state_changed, NULL);
}
