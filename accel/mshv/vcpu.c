/*
 * vCPU threads: the run loop, kicks, and who owns a CPU's state when.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "qemu/error-report.h"
#include "qemu/guest-random.h"
#include "qemu/main-loop.h"
#include "qemu/rcu.h"
#include "exec/cpu-common.h"
#include "hw/qdev-core.h"
#include "system/runstate.h"
#include "gdbstub/enums.h"
#include "mshv-compat/accel.h"
#include "arch.h"
#include "ioctl.h"
#include "lifecycle.h"
#include "memory.h"
#include "rendezvous.h"
#include "stream.h"
#include "vcpu.h"
#include "vp.h"
#include "run.h"
#include "trace.h"

/* The VP that this thread runs; the signal handler needs it. */
static __thread AccelCPUState *running;

static void on_sig_ipi(int sig, siginfo_t *info, void *context)
{
    if (running) {
        qatomic_set(&running->kicked, 1);
    }
    mshv_run_window_leave(context);
}

void mshv_vcpu_init_signal(void)
{
    struct sigaction action = {
        .sa_sigaction = on_sig_ipi,
        .sa_flags = SA_SIGINFO,
    };

    sigemptyset(&action.sa_mask);
    sigaction(SIG_IPI, &action, NULL);
}

/*
 * Threads inherit both as blocked from the main thread. A SIGBUS for what the
 * thread itself does would end QEMU without a word (memory-failure.c).
 */
static void unblock_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIG_IPI);
    sigaddset(&set, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/*
 * A kick is the flag and, for whoever sets it, the signal. Whoever finds it
 * set need not send one: the vCPU has yet to clear it, and looks at what it
 * was kicked for only after that (vcpu_thread).
 */
static void kick(CPUState *cpu)
{
    if (!cpu->created || qatomic_xchg(&cpu->accel->kicked, 1) ||
        qemu_cpu_is_self(cpu)) {
        return;
    }
    pthread_kill(cpu->thread->thread, SIG_IPI);
}

static void stop_vm_as(RunState state, CPUState *cpu, Error *err,
                       const char *what)
{
    error_prepend(&err, "mshv: CPU %d: %s: ", cpu->cpu_index, what);
    mshv_lifecycle_stops(err);
    vm_stop(state);
}

void mshv_vcpu_stop_vm(CPUState *cpu, Error *err, const char *what)
{
    stop_vm_as(RUN_STATE_INTERNAL_ERROR, cpu, err, what);
}

static int put_state(CPUState *cpu, MshvPutLevel level, Error **errp)
{
    int ret = mshv_arch_put_state(cpu, level, errp);

    if (!ret) {
        cpu->vcpu_dirty = false;
    }
    return ret;
}

/* The first exit of a type takes a free row. */
static MshvExitCounters *find_exit_row(AccelCPUState *vp, uint32_t type)
{
    MshvExitCounters *row = vp->counters->exits;
    MshvExitCounters *last = &row[MSHV_COUNTERS_EXITS - 1];

    if (mshv_counters_first(&mshv_counters->vm.first_exit_time)) {
        mshv_lifecycle_first_exit();
    }
    while (row < last && row->type && row->type != type) {
        row++;
    }
    if (row < last) {
        qatomic_set(&row->type, type);
    }
    vp->exit_row = row;
    vp->exit_handler = mshv_arch_exit_handler(type);
    return row;
}

/* Count @vp's exit, and give it to whom it is for. */
static inline int handle_exit(CPUState *cpu, AccelCPUState *vp, Error **errp)
{
    uint32_t type = vp->message.header.message_type;
    MshvExitCounters *row = vp->exit_row;

    trace_mshv_exit(cpu->cpu_index, type);
    if (unlikely(row->type != type)) {
        row = find_exit_row(vp, type);
    }
    qatomic_set(&row->count, row->count + 1);
    return vp->exit_handler(cpu, &vp->message, errp);
}

/* There is no message. */
static int handle_no_exit(AccelCPUState *vp, int ret, Error **errp)
{
    vp->page_fresh = false;
    if (ret == -EINTR || ret == -EAGAIN) {
        mshv_counters_add(&vp->counters->kicks, 1);
        return EXCP_INTERRUPT;
    }
    mshv_ioctl_run_failed();
    error_setg_errno(errp, -ret, "MSHV_RUN_VP failed");
    return ret;
}

/* Without the BQL. Returns 0 to go on, an EXCP_*, or -errno. */
static int run_once(CPUState *cpu, Error **errp)
{
    AccelCPUState *vp = cpu->accel;
    int ret;

    if (cpu->vcpu_dirty) {
        ret = put_state(cpu, MSHV_PUT_RUNTIME, errp);
        if (ret) {
            return ret;
        }
    }
    if (unlikely(vp->debugged || qatomic_read(&cpu->interrupt_request))) {
        ret = mshv_arch_pre_run(cpu, errp);
        if (ret) {
            return ret;
        }
    }
    if (qatomic_read(&cpu->exit_request)) {
        return EXCP_INTERRUPT;
    }
    vp->memory_version = qatomic_load_acquire(&mshv_memory_version);
    ret = mshv_ioctl_run_vp(vp->fd, &vp->message, &vp->kicked);
    if (unlikely(ret < 0)) {
        return handle_no_exit(vp, ret, errp);
    }
    vp->page_fresh = true;
    return handle_exit(cpu, vp, errp);
}

/* Others are inside a rendezvous: @cpu may go there, too, but does not run. */
static int run_barred(CPUState *cpu, Error **errp)
{
    int ret = qatomic_read(&cpu->interrupt_request)
              ? mshv_arch_pre_run(cpu, errp) : 0;

    return ret ? ret : EXCP_INTERRUPT;
}

static int vcpu_exec(CPUState *cpu)
{
    Error *err = NULL;
    int ret;

    bql_unlock();
    cpu_exec_start(cpu);
    if (mshv_rendezvous_bars(cpu)) {
        ret = run_barred(cpu, &err);
    } else {
        do {
            ret = run_once(cpu, &err);
        } while (!ret);
    }
    cpu_exec_end(cpu);
    bql_lock();

    qatomic_set(&cpu->exit_request, 0);
    if (ret < 0) {
        /* More memory can be given: then the guest goes on, without a reset. */
        stop_vm_as(ret == -ENOMEM ? RUN_STATE_IO_ERROR
                                  : RUN_STATE_INTERNAL_ERROR,
                   cpu, err, "cannot run the guest");
    }
    return ret;
}

static void init_vcpu(CPUState *cpu)
{
    Error *err = NULL;

    if (mshv_arch_vp_init(cpu, &err) >= 0) {
        cpu->accel->usable = true;
        return;
    }
    if (!phase_check(PHASE_MACHINE_READY)) {
        error_reportf_err(err, "mshv: cannot set up CPU %d: ",
                          cpu->cpu_index);
        exit(1);
    }
    mshv_arch_vp_destroy(cpu);
    mshv_vcpu_stop_vm(cpu, err, "cannot set it up");
}

/*
 * A CPU that was plugged in when its VP could not be set up: QEMU has it, and
 * its state is still to be written. Try again, or stop the VM again.
 */
static bool repair_vcpu(CPUState *cpu)
{
    Error *err = NULL;

    init_vcpu(cpu);
    if (cpu->accel->usable && put_state(cpu, MSHV_PUT_RESET, &err) < 0) {
        mshv_vcpu_stop_vm(cpu, err, "cannot write its state");
        return false;
    }
    return cpu->accel->usable;
}

static void *vcpu_thread(void *opaque)
{
    CPUState *cpu = opaque;
    bool kicked;

    rcu_register_thread();
    bql_lock();
    qemu_thread_get_self(cpu->thread);
    cpu->thread_id = qemu_get_thread_id();
    current_cpu = cpu;
    running = cpu->accel;
    unblock_signals();

    init_vcpu(cpu);
    cpu_thread_signal_created(cpu);
    qemu_guest_random_seed_thread_part2(cpu->random_seed);

    do {
        if (cpu_can_run(cpu) && (cpu->accel->usable || repair_vcpu(cpu)) &&
            vcpu_exec(cpu) == EXCP_DEBUG) {
            cpu_handle_guest_debug(cpu);
        }
        /* A full barrier: what the kick was for is looked at after this. */
        kicked = qatomic_xchg(&cpu->accel->kicked, 0);
        mshv_process_cpu_events(cpu);
        if (!kicked) {
            mshv_rendezvous_wait(cpu);
        }
    } while (!cpu->unplug || cpu_can_run(cpu));

    running = NULL;
    cpu_thread_signal_destroyed(cpu);
    bql_unlock();
    rcu_unregister_thread();
    return NULL;
}

static void create_vcpu_thread(CPUState *cpu)
{
    char name[VCPU_THREAD_NAME_SIZE];

    snprintf(name, sizeof(name), "CPU %d/MSHV", cpu->cpu_index);
    qemu_thread_create(cpu->thread, name, vcpu_thread, cpu,
                       QEMU_THREAD_JOINABLE);
}

/* HLT and the wait for SIPI happen in the hypervisor. */
static bool is_idle(CPUState *cpu)
{
    return false;
}

static bool are_resettable(void)
{
    return true;
}

static void do_synchronize_state(CPUState *cpu, run_on_cpu_data data)
{
    Error *err = NULL;

    if (cpu->vcpu_dirty) {
        return;
    }
    if (mshv_arch_get_state(cpu, &err) < 0) {
        mshv_vcpu_stop_vm(cpu, err, "cannot read its state");
        return;
    }
    cpu->vcpu_dirty = true;
}

static void synchronize_state(CPUState *cpu)
{
    if (!cpu->vcpu_dirty) {
        run_on_cpu(cpu, do_synchronize_state, RUN_ON_CPU_NULL);
    }
}

static void do_put_state(CPUState *cpu, run_on_cpu_data level)
{
    Error *err = NULL;

    if (!cpu->accel->usable) {
        return;                 /* repair_vcpu() does it */
    }
    if (put_state(cpu, level.host_int, &err) < 0) {
        if (!phase_check(PHASE_MACHINE_READY)) {
            error_reportf_err(err, "mshv: CPU %d: ", cpu->cpu_index);
            exit(1);
        }
        mshv_vcpu_stop_vm(cpu, err, "cannot write its state");
    }
}

static void synchronize_post_reset(CPUState *cpu)
{
    run_on_cpu(cpu, do_put_state, RUN_ON_CPU_HOST_INT(MSHV_PUT_RESET));
}

/*
 * A new VP's clock is that of the others. Only those that were loaded are set,
 * together, after the last one.
 */
static void synchronize_post_init(CPUState *cpu)
{
    bool loaded = cpu->accel->loading;
    Error *err = NULL;

    cpu->accel->loading = false;
    run_on_cpu(cpu, do_put_state,
               RUN_ON_CPU_HOST_INT(loaded ? MSHV_PUT_FULL : MSHV_PUT_RESET));
    if (loaded && !CPU_NEXT(cpu) && mshv_arch_put_clocks(&err) < 0) {
        mshv_vcpu_stop_vm(cpu, err, "cannot set the clocks of CPUs");
    }
}

static void do_mark_dirty(CPUState *cpu, run_on_cpu_data data)
{
    cpu->vcpu_dirty = true;
}

static void synchronize_pre_loadvm(CPUState *cpu)
{
    cpu->accel->loading = true;
    mshv_stream_begins();
    run_on_cpu(cpu, do_mark_dirty, RUN_ON_CPU_NULL);
}

static void do_update_guest_debug(CPUState *cpu, run_on_cpu_data ret)
{
    *(int *)ret.host_ptr = mshv_arch_update_guest_debug(cpu);
}

static int update_guest_debug(CPUState *cpu)
{
    int ret = 0;

    run_on_cpu(cpu, do_update_guest_debug, RUN_ON_CPU_HOST_PTR(&ret));
    return ret;
}

static void mshv_accel_ops_class_init(ObjectClass *oc, MshvClassData *data)
{
    AccelOpsClass *ops = ACCEL_OPS_CLASS(oc);

    ops->create_vcpu_thread = create_vcpu_thread;
    ops->kick_vcpu_thread = kick;
    ops->cpu_thread_is_idle = is_idle;
    ops->cpus_are_resettable = are_resettable;
    ops->synchronize_state = synchronize_state;
    ops->synchronize_post_reset = synchronize_post_reset;
    ops->synchronize_post_init = synchronize_post_init;
    ops->synchronize_pre_loadvm = synchronize_pre_loadvm;
    mshv_set_ops_hooks(ops);
    ops->supports_guest_debug = mshv_arch_supports_guest_debug;
    ops->update_guest_debug = update_guest_debug;
    ops->insert_breakpoint = mshv_arch_insert_breakpoint;
    ops->remove_breakpoint = mshv_arch_remove_breakpoint;
    ops->remove_all_breakpoints = mshv_arch_remove_all_breakpoints;
}

static const TypeInfo mshv_accel_ops_type = {
    .name = ACCEL_OPS_NAME("mshv"),
    .parent = TYPE_ACCEL_OPS,
    .class_init = mshv_accel_ops_class_init,
    .abstract = true,
};

static void mshv_accel_ops_register(void)
{
    type_register_static(&mshv_accel_ops_type);
}
type_init(mshv_accel_ops_register);
