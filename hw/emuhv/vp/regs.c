/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: read and write one register of a VP.
 */
#include "qemu/osdep.h"
#include "exec/cputlb.h"
#include "hw/emuhv/vp/regs.h"

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

uint16_t emuhv_reg_get(EmuhvVp *vp, uint32_t name, EmuhvRegVal *v)
{
    const Reg *r = reg_find(name);
    unsigned hold = emuhv_vp_hold(name);

    memset(v, 0, sizeof(*v));
    if (hold) {
        v->u64[0] = !!(vp->s->holds & hold);
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
        /* TCG takes these from EFLAGS; here they would outlive a POPF. */
        env->hflags &= ~(HF_TF_MASK | HF_IOPL_MASK | HF_VM_MASK);
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
