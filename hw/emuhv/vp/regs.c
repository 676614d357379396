/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: read and write the registers of a VP, one by
 * one and by lists.
 */
#include "qemu/osdep.h"
#include "exec/cputlb.h"
#include "regs.h"

uint16_t emuhv_reg_get_u64(EmuhvVp *vp, const Reg *r, unsigned i,
                           EmuhvRegVal *v)
{
    v->u64[0] = *(uint64_t *)reg_field(vp, r, i);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_reg_set_u64(EmuhvVp *vp, const Reg *r, unsigned i,
                           const EmuhvRegVal *v)
{
    *(uint64_t *)reg_field(vp, r, i) = v->u64[0];
    return HV_STATUS_SUCCESS;
}

static const Reg *reg_find_in(const RegTable *t, uint32_t name)
{
    unsigned lo = 0, hi = t->n;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        const Reg *r = &t->regs[mid];

        if (name < r->name) {
            hi = mid;
        } else if (name >= r->name + r->n) {
            lo = mid + 1;
        } else {
            return r;
        }
    }
    return NULL;
}

static const Reg *reg_find(uint32_t name)
{
    const Reg *r = reg_find_in(&emuhv_user_regs, name);

    r = r ?: reg_find_in(&emuhv_system_regs, name);
    return r ?: reg_find_in(&emuhv_synth_regs, name);
}

static bool *suspend_bit(EmuhvVp *vp, uint32_t name)
{
    switch (name) {
    case HV_REGISTER_EXPLICIT_SUSPEND:
        return &vp->s->explicit_suspend;
    case HV_REGISTER_INTERCEPT_SUSPEND:
        return &vp->s->intercept_suspend;
    case HV_REGISTER_DISPATCH_SUSPEND:
        return &vp->s->dispatch_suspend;
    default:
        return NULL;
    }
}

uint16_t emuhv_reg_get(EmuhvVp *vp, uint32_t name, EmuhvRegVal *v)
{
    const Reg *r = reg_find(name);
    bool *bit = suspend_bit(vp, name);

    memset(v, 0, sizeof(*v));
    if (bit) {
        v->u64[0] = *bit;
        return HV_STATUS_SUCCESS;
    }
    return r ? r->get(vp, r, name - r->name, v) : HV_STATUS_INVALID_PARAMETER;
}

static void mode_changed(EmuhvVp *vp, unsigned what)
{
    CPUX86State *env = emuhv_vp_env(vp);

    if (what & F_HFLAGS) {
        env->efer &= ~(uint64_t)MSR_EFER_LMA;
        if ((env->efer & MSR_EFER_LME) && (env->cr[0] & CR0_PG_MASK)) {
            env->efer |= MSR_EFER_LMA;
        }
        x86_update_hflags(env);
        cpu_x86_update_cr4(env, env->cr[4]);
    }
    if (what & F_FLUSH) {
        tlb_flush(emuhv_vp_cs(vp));
    }
}

uint16_t emuhv_reg_set(EmuhvVp *vp, uint32_t name, const EmuhvRegVal *v)
{
    const Reg *r = reg_find(name);
    uint16_t status;

    if (!r) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (!r->set) {
        return HV_STATUS_OPERATION_DENIED;
    }
    status = r->set(vp, r, name - r->name, v);
    if (status == HV_STATUS_SUCCESS && r->after) {
        mode_changed(vp, r->after);
    }
    return status;
}

/*
 * Can the VP run like this?  The checks are those of a VM entry (SDM, volume
 * 3, "checks on the guest state area") that matter for TCG.
 */
bool emuhv_state_valid(EmuhvVp *vp)
{
    CPUX86State *env = emuhv_vp_env(vp);
    unsigned tss = (env->tr.flags >> DESC_TYPE_SHIFT) & 0xf;
    bool pe = env->cr[0] & CR0_PE_MASK, lma = env->efer & MSR_EFER_LMA;

    return (pe || !(env->cr[0] & CR0_PG_MASK)) &&
           (!lma || (env->cr[4] & CR4_PAE_MASK)) &&
           (!(env->eflags & VM_MASK) || (pe && !lma)) &&
           (env->tr.flags & DESC_P_MASK) && !(env->tr.flags & DESC_S_MASK) &&
           (tss & 7) == 1;
}

/* ---- Lists ---- */

typedef struct RegCall {
    EmuhvVp *vp;
    const uint32_t *names;
    const EmuhvRegAssoc *assoc;
    EmuhvRegVal *vals;
    unsigned n, done;
    uint16_t status;
} RegCall;

static void get_work(CPUState *cs, run_on_cpu_data data)
{
    RegCall *c = data.host_ptr;

    for (; c->done < c->n && c->status == HV_STATUS_SUCCESS; c->done++) {
        c->status = emuhv_reg_get(c->vp, c->names[c->done],
                                  &c->vals[c->done]);
        c->done -= c->status != HV_STATUS_SUCCESS;
    }
}

uint16_t emuhv_vp_get_regs(EmuhvVp *vp, const uint32_t *names,
                           EmuhvRegVal *vals, unsigned n, unsigned *done)
{
    RegCall c = { .vp = vp, .names = names, .vals = vals, .n = n };
    unsigned i;

    for (i = 0; i < n && suspend_bit(vp, names[i]); i++) {
        continue;
    }
    if (i == n) {
        get_work(emuhv_vp_cs(vp), RUN_ON_CPU_HOST_PTR(&c));
    } else {
        emuhv_vp_sync(vp, get_work, &c);
    }
    *done = c.done;
    return c.status;
}

/* Up to the next suspend register */
static void set_work(CPUState *cs, run_on_cpu_data data)
{
    RegCall *c = data.host_ptr;

    if (c->vp->s->stopped) {
        emuhv_regpage_load(c->vp);
    }
    while (c->done < c->n && c->status == HV_STATUS_SUCCESS &&
           !suspend_bit(c->vp, c->assoc[c->done].name)) {
        c->status = emuhv_reg_set(c->vp, c->assoc[c->done].name,
                                  &c->assoc[c->done].val);
        c->done += c->status == HV_STATUS_SUCCESS;
    }
    if (c->vp->s->stopped) {
        emuhv_regpage_store(c->vp);
    }
}

uint16_t emuhv_vp_set_regs(EmuhvVp *vp, const EmuhvRegAssoc *list, unsigned n,
                           unsigned *done)
{
    RegCall c = { .vp = vp, .assoc = list, .n = n };
    EmuhvDomain *d = vp->domain;

    while (c.done < n && c.status == HV_STATUS_SUCCESS) {
        uint32_t name = list[c.done].name;

        if (suspend_bit(vp, name)) {
            c.done++;
            emuhv_vp_set_suspend(vp, name, list[c.done - 1].val.u64[0] & 1);
        } else {
            emuhv_vp_sync(vp, set_work, &c);
        }
        if (vp->domain != d) {
            c.status = HV_STATUS_INVALID_VP_INDEX;     /* destroyed meanwhile */
        }
    }
    *done = c.done;
    return c.status;
}
