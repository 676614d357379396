/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: entry of hypercalls, checks that all share.
 *
 * The VMCALL helper only queues work for its own CPU and leaves the TCG loop:
 * a hypercall may have to wait for a child CPU, and a CPU that waits inside a
 * helper would block everybody who needs all CPUs to stand still.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "mshv-compat/translation.h"
#include "hw/core/cpu.h"
#include "target/i386/cpu.h"
#include "exec/helper-proto.h"
#include "target/i386/tcg/helper-tcg.h"
#include "hw/emuhv/hcall/hcall-int.h"

#define VARHEAD_UNIT        8

/* Hypercalls that are being handled; a reset waits for them. */
static unsigned calls_active;
static QemuCond calls_done;

static const EmuhvHcallDef *const groups[] = {
    emuhv_hcalls_partition,
    emuhv_hcalls_memory,
    emuhv_hcalls_vp,
    emuhv_hcalls_irq,
    emuhv_hcalls_port,
    emuhv_hcalls_stats,
};

static const EmuhvHcallDef *find(uint16_t code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(groups); i++) {
        for (const EmuhvHcallDef *d = groups[i]; d->name; d++) {
            if (d->code == code) {
                return d;
            }
        }
    }
    return NULL;
}

const char *emuhv_hcall_name(uint16_t code)
{
    const EmuhvHcallDef *d = find(code);

    return d ? d->name : NULL;
}

/* May a parameter list of @len bytes be at @gpa?  TLFS 3.7 */
static bool list_fits(hwaddr gpa, size_t len)
{
    return !(gpa & 7) &&
           (gpa & (EMUHV_PAGE_SIZE - 1)) + len <= EMUHV_PAGE_SIZE;
}

static uint16_t check_control(const EmuhvHcallDef *d, uint64_t control)
{
    unsigned count = CONTROL_COUNT(control);
    unsigned start = CONTROL_START(control);

    if (control & CONTROL_RESERVED) {
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    }
    if (d->flags & HCALL_REP) {
        if (!count || start >= count) {
            return HV_STATUS_INVALID_HYPERCALL_INPUT;
        }
    } else if (count || start) {
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    }
    if (CONTROL_VARHEAD(control) && !(d->flags & HCALL_VARHEAD)) {
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    }
    /* Fast: input in two registers and six of XMM; no output there. */
    if (CONTROL_FAST(control) &&
        (d->in_size > FAST_MAX || d->out_size || (d->flags & HCALL_REP) ||
         CONTROL_VARHEAD(control))) {
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t get_input(EmuhvHcall *c, const EmuhvHcallDef *d,
                          uint64_t control, uint64_t in0, uint64_t in1)
{
    size_t len;

    c->rep_start = CONTROL_START(control);
    c->rep_count = CONTROL_COUNT(control);
    c->rep_done = c->rep_start;
    c->var_len = CONTROL_VARHEAD(control) * VARHEAD_UNIT;
    c->var = c->in + d->in_size;
    c->list = c->var + c->var_len;
    if (CONTROL_FAST(control)) {
        stq_le_p(c->in, in0);
        stq_le_p(c->in + 8, in1);
        for (unsigned i = 0; i < FAST_XMM; i++) {
            const ZMMReg *xmm = &c->pc->base.cpu->env.xmm_regs[i];

            stq_le_p(c->in + 16 + 16 * i, xmm->ZMM_Q(0));
            stq_le_p(c->in + 24 + 16 * i, xmm->ZMM_Q(1));
        }
        return HV_STATUS_SUCCESS;
    }
    len = d->in_size + c->var_len + (size_t)d->rep_in * c->rep_count;
    if (!len) {
        return HV_STATUS_SUCCESS;
    }
    if (!list_fits(in0, len) || !emuhv_ram_read(in0, c->in, len)) {
        return HV_STATUS_INVALID_ALIGNMENT;
    }
    return HV_STATUS_SUCCESS;
}

/* Can the answer be stored?  Asked before anything is done. */
static uint16_t check_output(EmuhvHcall *c, const EmuhvHcallDef *d,
                             hwaddr gpa)
{
    size_t len = d->out_size + (size_t)d->rep_out * c->rep_count;

    c->out_gpa = gpa;
    c->out_len = d->out_size;
    if (len && (!list_fits(gpa, len) || !emuhv_ram_valid(gpa, len))) {
        return HV_STATUS_INVALID_ALIGNMENT;
    }
    return HV_STATUS_SUCCESS;
}

static uint16_t find_objects(EmuhvHcall *c, const EmuhvHcallDef *d)
{
    if (d->privilege & ~EMUHV_PARENT_PRIVILEGES) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (!(d->flags & HCALL_PARTITION)) {
        return HV_STATUS_SUCCESS;
    }
    c->p = emuhv_partition_get(hcall_u64(c, 0));
    if (!c->p) {
        return HV_STATUS_INVALID_PARTITION_ID;
    }
    c->p->account->hypercalls++;
    if ((d->flags & HCALL_CHILD) == HCALL_CHILD &&
        c->p == emuhv_partitions.parent) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if ((d->flags & HCALL_ACTIVE) == HCALL_ACTIVE &&
        c->p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    if ((d->flags & HCALL_VP) == HCALL_VP) {
        c->vp = emuhv_partition_vp(c->p, hcall_u32(c, 8));
        if (!c->vp) {
            return HV_STATUS_INVALID_VP_INDEX;
        }
    }
    return HV_STATUS_SUCCESS;
}

/* Linux gives up to 256 pages each time, and has little memory itself. */
#define MAX_DEMANDS 64

/* Deposits are all the memory that a real hypervisor has for a partition. */
static uint16_t want_memory(EmuhvPartition *p)
{
    EmuhvAccount *a = (p ?: emuhv_partitions.parent)->account;

    if (a->demands >= MAX_DEMANDS) {
        return HV_STATUS_SUCCESS;
    }
    a->demands++;
    if (emuhv_answers_now(EMUHV_WANTS_MEMORY)) {
        return HV_STATUS_INSUFFICIENT_MEMORY;
    }
    if (emuhv_answers_now(EMUHV_WANTS_CONTIGUOUS_MEMORY)) {
        return HV_STATUS_INSUFFICIENT_CONTIGUOUS_MEMORY;
    }
    a->demands--;
    return HV_STATUS_SUCCESS;
}

/* Store fixed output of a good call and the elements that were done. */
static void put_output(EmuhvHcall *c, const EmuhvHcallDef *d, uint16_t status)
{
    size_t first = d->out_size + (size_t)d->rep_out * c->rep_start;
    size_t len = (size_t)d->rep_out * (c->rep_done - c->rep_start);

    if (status == HV_STATUS_SUCCESS && c->out_len) {
        emuhv_ram_write(c->out_gpa, c->out, c->out_len);
    }
    if (len) {
        emuhv_ram_write(c->out_gpa + first, c->out + first, len);
    }
}

static uint16_t handle(EmuhvHcall *c, uint64_t control, uint64_t in0,
                       uint64_t in1)
{
    const EmuhvHcallDef *d = find(CONTROL_CODE(control));
    uint16_t status;

    if (!d) {
        return HV_STATUS_INVALID_HYPERCALL_CODE;
    }
    status = check_control(d, control);
    if (status == HV_STATUS_SUCCESS) {
        status = get_input(c, d, control, in0, in1);
    }
    if (status == HV_STATUS_SUCCESS) {
        status = check_output(c, d, in1);
    }
    if (status == HV_STATUS_SUCCESS) {
        status = find_objects(c, d);
    }
    if (status == HV_STATUS_SUCCESS && (d->flags & HCALL_MEMORY)) {
        status = want_memory(c->p);
    }
    if (status == HV_STATUS_SUCCESS) {
        status = d->handler(c);
        if (!c->pending) {
            put_output(c, d, status);
        }
    }
    return status;
}

static void hcall_work(CPUState *cs, run_on_cpu_data data)
{
    EmuhvParentCpu *pc = data.host_ptr;
    CPUX86State *env = &pc->base.cpu->env;
    uint64_t control = env->regs[R_ECX];
    g_autofree uint8_t *in = g_malloc0(EMUHV_PAGE_SIZE);
    g_autofree uint8_t *out = g_malloc0(EMUHV_PAGE_SIZE);
    EmuhvHcall c = { .pc = pc, .in = in, .out = out };
    uint64_t result;
    uint16_t status;

    if (!pc->call_queued) {
        return;     /* the CPU was reset meanwhile */
    }
    pc->call_queued = false;
    calls_active++;
    status = handle(&c, control, env->regs[R_EDX], env->regs[8]);
    emuhv_partition_unref(c.p);
    trace_emuhv_hypercall(pc->index, CONTROL_CODE(control), control,
                          c.pending ? 0xffff : status, c.rep_done);
    if (c.pending) {
        cs->halted = 1;
    } else {
        emuhv_count_call(CONTROL_CODE(control), status);
        result = status | (uint64_t)c.rep_done << RAX_REPS_SHIFT;
        emuhv_parent_answer(pc, result);
    }
    if (!--calls_active) {
        qemu_cond_broadcast(&calls_done);
    }
}

void emuhv_hcall_vmcall(CPUX86State *env, uintptr_t ra)
{
    CPUState *cs = env_cpu(env);
    EmuhvParentCpu *pc = emuhv_parent_cpu(env_archcpu(env));

    uint64_t msr = qatomic_read(&emuhv_parent.hypercall_msr);

    if ((env->hflags & HF_CPL_MASK) || !(env->hflags & HF_CS64_MASK) ||
        !(msr & HV_X64_MSR_HYPERCALL_ENABLE)) {
        raise_exception_ra(env, EXCP06_ILLOP, ra);
    }
    cpu_restore_state(cs, ra);
    pc->call_queued = true;
    async_run_on_cpu(cs, hcall_work, RUN_ON_CPU_HOST_PTR(pc));
    cs->exception_index = EXCP_INTERRUPT;
    cpu_loop_exit(cs);
}

void emuhv_hcall_wait(void)
{
    while (calls_active) {
        qemu_cond_wait_bql(&calls_done);
    }
}

void emuhv_hcall_init(void)
{
    qemu_cond_init(&calls_done);
}
