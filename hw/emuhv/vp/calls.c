/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the hypercalls of a child, which need no
 * answer of its parent.  Source: TLFS chapters 3 (hypercall interface), 9
 * (virtual MMU) and 11 (interrupts).
 *
 * They are made inside the VMCALL helper.  A VP must not wait there for another
 * one, nor can it in work of its own, for the other may be waiting for it: who
 * must know that others have flushed leaves cpu_exec and waits until all CPUs
 * stand still.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/bswap.h"
#include "qemu/lockable.h"
#include "cpu.h"
#include "exec/cputlb.h"
#include "mshv-compat/translation.h"
#include "target/i386/tcg/helper-tcg.h"
#include "hw/emuhv/vp/vp-int.h"

/* Flags of the flushes */
#define FLUSH_ALL_VPS       1ull
#define FLUSH_FLAGS         7ull    /* that one, all spaces, no global pages */
#define FLUSH_EXTENDED      8ull    /* ranges of large pages, too */

typedef struct Call {
    EmuhvVp *vp;
    uint64_t control;
    uint8_t in[EMUHV_PAGE_SIZE];
    const uint8_t *var;         /* the variable header */
    bool wait;                  /* until others have done what they were told */
} Call;

typedef struct CallDef {
    uint16_t code;
    uint8_t in_size;            /* fixed part, bytes */
    uint8_t rep_size;           /* an element of the list; 0: none */
    bool var;                   /* may have a variable header */
    uint64_t feature;           /* that the partition must have */
    uint16_t (*handler)(Call *c);
} CallDef;

static uint64_t in64(const Call *c, unsigned offset)
{
    return ldq_le_p(c->in + offset);
}

/* ---- Sets of VPs ---- */

typedef uint64_t VpSet[(EMUHV_MAX_VP_INDEX + 1) / 64];

static bool set_has(const VpSet set, unsigned vp)
{
    return set[vp / 64] >> vp % 64 & 1;
}

/* HV_VP_SET: { u64 format; u64 valid banks }, its banks the variable header */
static uint16_t read_set(const Call *c, unsigned offset, VpSet set)
{
    uint64_t format = in64(c, offset), valid = in64(c, offset + 8);
    const uint8_t *bank = c->var;

    if (format == HV_GENERIC_SET_ALL) {
        memset(set, 0xff, sizeof(VpSet));
        return HV_STATUS_SUCCESS;
    }
    if (format != HV_GENERIC_SET_SPARSE_4K) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (CONTROL_VARHEAD(c->control) != ctpop64(valid)) {
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    }
    memset(set, 0, sizeof(VpSet));
    for (; valid; valid &= valid - 1, bank += 8) {
        unsigned n = ctz64(valid);

        if (n < sizeof(VpSet) / 8) {
            set[n] = ldq_le_p(bank);
        }
    }
    return HV_STATUS_SUCCESS;
}

/* ---- TLB flushes ---- */

#define STAGE1  (MAKE_64BIT_MASK(0, NB_MMU_MODES) & ~(1u << MMU_NESTED_IDX))

static void flush_work(CPUState *cs, run_on_cpu_data data)
{
    tlb_flush_by_mmuidx(cs, STAGE1);
}

/* More than was asked for may be flushed. */
static void flush(Call *c, const VpSet set)
{
    EmuhvPartition *p = c->vp->partition;

    BQL_LOCK_GUARD();
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        EmuhvVp *vp = p->vps[i];

        if (!vp || !set_has(set, i)) {
            continue;
        }
        if (vp == c->vp) {
            flush_work(emuhv_vp_cs(vp), RUN_ON_CPU_NULL);
        } else if (emuhv_vp_at_rest(vp)) {
            /* It does so before it runs again. */
            qatomic_set(&vp->mem->need_flush, true);
        } else {
            async_run_on_cpu(emuhv_vp_cs(vp), flush_work, RUN_ON_CPU_NULL);
            c->wait = true;
        }
    }
}

/* @allowed: the flags that may be set */
static uint16_t flush_some(Call *c, uint64_t allowed, bool ex)
{
    uint64_t flags = in64(c, 8);
    uint16_t status = HV_STATUS_SUCCESS;
    VpSet set = { };

    if (flags & ~allowed) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (flags & FLUSH_ALL_VPS) {
        memset(set, 0xff, sizeof(set));
    } else if (ex) {
        status = read_set(c, 16, set);
    } else {
        set[0] = in64(c, 16);
    }
    if (status == HV_STATUS_SUCCESS) {
        flush(c, set);
    }
    return status;
}

static uint64_t list_flags(const Call *c)
{
    return c->vp->partition->irq->synth_features &
           HV_SYNTH_FEATURE_EXTENDED_GVA_RANGES
           ? FLUSH_FLAGS | FLUSH_EXTENDED : FLUSH_FLAGS;
}

/* { u64 space; u64 flags; u64 vps } and, of a list, { u64 range } */
static uint16_t flush_space(Call *c)
{
    return flush_some(c, FLUSH_FLAGS, false);
}

static uint16_t flush_list(Call *c)
{
    return flush_some(c, list_flags(c), false);
}

/* { u64 space; u64 flags; set of VPs } */
static uint16_t flush_space_ex(Call *c)
{
    return flush_some(c, FLUSH_FLAGS, true);
}

static uint16_t flush_list_ex(Call *c)
{
    return flush_some(c, list_flags(c), true);
}

/* ---- IPIs ---- */

static uint16_t send_to(Call *c, const VpSet set)
{
    EmuhvPartition *p = c->vp->partition;
    uint32_t vector = ldl_le_p(c->in);

    if (vector < 16 || vector > 0xff || (ldl_le_p(c->in + 4) & 0xf)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    BQL_LOCK_GUARD();
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        if (p->vps[i] && set_has(set, i)) {
            emuhv_apic_raise(p->vps[i], vector);
        }
    }
    return HV_STATUS_SUCCESS;
}

/* { u32 vector; u8 vtl; u8[3]; u64 vps } */
static uint16_t send_ipi(Call *c)
{
    VpSet set = { in64(c, 8) };

    return send_to(c, set);
}

/* { u32 vector; u8 vtl; u8[3]; set of VPs } */
static uint16_t send_ipi_ex(Call *c)
{
    VpSet set;
    uint16_t status = read_set(c, 8, set);

    return status == HV_STATUS_SUCCESS ? send_to(c, set) : status;
}

/* ---- Others ---- */

/* { u64 spins }: a scheduler might let somebody else run. */
static uint16_t long_spin_wait(Call *c)
{
    return HV_STATUS_SUCCESS;
}

/* ---- Entry ---- */

#define FEATURE(x)  HV_SYNTH_FEATURE_##x
#define FLUSH       FEATURE(TB_FLUSH_HYPERCALLS)
#define EX          FEATURE(EXTENDED_PROCESSOR_MASKS)

static const CallDef calls[] = {
    { HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE, 24, 0, false, FLUSH, flush_space },
    { HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST, 24, 8, false, FLUSH, flush_list },
    { HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX, 32, 0, true, FLUSH | EX,
      flush_space_ex },
    { HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX, 32, 8, true, FLUSH | EX,
      flush_list_ex },
    { HVCALL_SEND_IPI, 16, 0, false, FEATURE(CLUSTER_IPI), send_ipi },
    { HVCALL_SEND_IPI_EX, 24, 0, true, FEATURE(CLUSTER_IPI) | EX,
      send_ipi_ex },
    { HVCALL_NOTIFY_LONG_SPIN_WAIT, 8, 0, false, 0, long_spin_wait },
};

static const CallDef *find(uint16_t code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(calls); i++) {
        if (calls[i].code == code) {
            return &calls[i];
        }
    }
    return NULL;
}

static size_t input_size(const CallDef *d, uint64_t control)
{
    return d->in_size + 8 * CONTROL_VARHEAD(control) +
           (size_t)d->rep_size * CONTROL_COUNT(control);
}

static uint16_t check(const EmuhvVp *vp, const CallDef *d, uint64_t control)
{
    unsigned count = CONTROL_COUNT(control), start = CONTROL_START(control);

    if ((control & CONTROL_RESERVED) ||
        (CONTROL_VARHEAD(control) && !d->var) ||
        (d->rep_size ? start >= count : count || start) ||
        (CONTROL_FAST(control) && input_size(d, control) > FAST_MAX)) {
        return HV_STATUS_INVALID_HYPERCALL_INPUT;
    }
    return d->feature & ~vp->partition->irq->synth_features
           ? HV_STATUS_ACCESS_DENIED : HV_STATUS_SUCCESS;
}

/* The two input registers and, for fast calls, six of XMM */
static void fast_input(Call *c, uint64_t in0, uint64_t in1)
{
    CPUX86State *env = emuhv_vp_env(c->vp);

    stq_le_p(c->in, in0);
    stq_le_p(c->in + 8, in1);
    for (unsigned i = 0; i < 6; i++) {
        stq_le_p(c->in + 16 + 16 * i, env->xmm_regs[i].ZMM_Q(0));
        stq_le_p(c->in + 24 + 16 * i, env->xmm_regs[i].ZMM_Q(1));
    }
}

/* Does not return if the parent must bring the page in first. */
static uint16_t input(Call *c, const CallDef *d, uint64_t in0, uint64_t in1)
{
    size_t size = input_size(d, c->control);

    c->var = c->in + d->in_size;
    if (CONTROL_FAST(c->control)) {
        fast_input(c, in0, in1);
        return HV_STATUS_SUCCESS;
    }
    if ((in0 & 7) || (in0 & (EMUHV_PAGE_SIZE - 1)) + size > EMUHV_PAGE_SIZE) {
        return HV_STATUS_INVALID_ALIGNMENT;
    }
    return emuhv_child_read(c->vp, in0, c->in, size)
           ? HV_STATUS_SUCCESS : HV_STATUS_INVALID_ALIGNMENT;
}

/* @wait: the VP may go on only when all CPUs have stood still. */
static uint64_t call(EmuhvVp *vp, uint64_t control, uint64_t in0, uint64_t in1,
                     bool *wait)
{
    const CallDef *d = find(CONTROL_CODE(control));
    Call c = { .vp = vp, .control = control };
    uint16_t status = d ? check(vp, d, control)
                        : HV_STATUS_INVALID_HYPERCALL_CODE;

    if (status == HV_STATUS_SUCCESS) {
        status = input(&c, d, in0, in1);
    }
    if (status == HV_STATUS_SUCCESS) {
        status = d->handler(&c);
    }
    *wait = c.wait;
    return status | (status == HV_STATUS_SUCCESS ? CONTROL_COUNT(control) : 0)
                    << RAX_REPS_SHIFT;
}

/* ---- The instruction ---- */

static const uint8_t op_vmcall[] = { 0x0f, 0x01 };

static void hypercall_message(EmuhvVp *vp)
{
    static const uint8_t order[] = { R_EAX, R_EBX, R_ECX, R_EDX, 8, R_ESI,
                                     R_EDI };
    CPUX86State *env = emuhv_vp_env(vp);
    uint8_t *b = vp->s->msg + MESSAGE_BODY;

    emuhv_message_header(vp, HVMSG_HYPERCALL_INTERCEPT, 156,
                         emuhv_insn_len(vp, op_vmcall, 2) + 1,
                         ACCESS_EXECUTE);
    for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
        stq_le_p(b + i * 8, env->regs[order[i]]);
    }
    for (unsigned i = 0; i < 6; i++) {
        stq_le_p(b + 56 + i * 16, env->xmm_regs[i].ZMM_Q(0));
        stq_le_p(b + 64 + i * 16, env->xmm_regs[i].ZMM_Q(1));
    }
}

/* Nothing to do but for all CPUs to stand still */
static void stand_still_work(CPUState *cs, run_on_cpu_data data)
{
}

static uint64_t pair(const CPUX86State *env, unsigned high, unsigned low)
{
    return deposit64(env->regs[low], 32, 32, env->regs[high]);
}

/* Returns whether the VP must wait for others. */
static bool own_hypercall(EmuhvVp *vp)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint64_t result;
    bool wait;

    vp->stats.hypercalls++;
    if (env->hflags & HF_CS64_MASK) {
        env->regs[R_EAX] = call(vp, env->regs[R_ECX], env->regs[R_EDX],
                                env->regs[8], &wait);
    } else {
        result = call(vp, pair(env, R_EDX, R_EAX), pair(env, R_EBX, R_ECX),
                      pair(env, R_EDI, R_ESI), &wait);
        env->regs[R_EAX] = (uint32_t)result;
        env->regs[R_EDX] = result >> 32;
    }
    return wait;
}

/* Its own hypercalls are those that need no answer of a parent. */
void emuhv_vp_insn_vmcall(EmuhvVp *vp, uintptr_t ra)
{
    CPUX86State *env = emuhv_vp_env(vp);
    CPUState *cs = env_cpu(env);

    cpu_restore_state(cs, ra);
    if (vp->partition->settings->hypercall_icept) {
        hypercall_message(vp);
        emuhv_vp_exit(vp, EMUHV_EXIT_HYPERCALL);
    }
    if (!(vp->partition->irq->hypercall & 1) || (env->hflags & HF_CPL_MASK) ||
        !(env->cr[0] & CR0_PE_MASK)) {
        raise_exception_ra(env, EXCP06_ILLOP, 0);
    }
    cs->exception_index = -1;
    if (own_hypercall(vp)) {
        async_safe_run_on_cpu(cs, stand_still_work, RUN_ON_CPU_NULL);
        cs->exception_index = EXCP_INTERRUPT;
    }
    env->eip += emuhv_insn_len(vp, op_vmcall, 2) + 1;
    cpu_loop_exit(cs);
}
