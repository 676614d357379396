/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: lists of registers
 * (HvCallGetVpRegisters, HvCallSetVpRegisters).
 */
#include "qemu/osdep.h"
#include "hw/emuhv/vp/vp-int.h"

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

    emuhv_vp_settle(c->vp);
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

    for (i = 0; i < n && emuhv_vp_hold(names[i]); i++) {
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

/* What the hypervisor need not let its parent write */
static bool is_fixed(uint32_t name)
{
    return emuhv_answers(EMUHV_FIXED_REGISTERS) &&
           ((name >= HV_X64_REGISTER_MSR_MTRR_DEF_TYPE &&
             name <= HV_X64_REGISTER_MSR_MTRR_FIX4KF8000) ||
            (name >= HV_REGISTER_SINT0 && name <= HV_REGISTER_SINT15) ||
            name == HV_X64_REGISTER_HYPERCALL);
}

/* Up to the next suspend register */
static void set_work(CPUState *cs, run_on_cpu_data data)
{
    RegCall *c = data.host_ptr;

    if (emuhv_vp_at_rest(c->vp)) {
        emuhv_regpage_load(c->vp);
    }
    while (c->done < c->n && c->status == HV_STATUS_SUCCESS &&
           !emuhv_vp_hold(c->assoc[c->done].name)) {
        c->status = is_fixed(c->assoc[c->done].name)
                    ? HV_STATUS_ACCESS_DENIED
                    : emuhv_reg_set(c->vp, c->assoc[c->done].name,
                                    &c->assoc[c->done].val);
        c->done += c->status == HV_STATUS_SUCCESS;
    }
    if (emuhv_vp_at_rest(c->vp)) {
        emuhv_regpage_store(c->vp);
    }
}

uint16_t emuhv_vp_set_regs(EmuhvVp *vp, const EmuhvRegAssoc *list, unsigned n,
                           unsigned *done)
{
    RegCall c = { .vp = vp, .assoc = list, .n = n };
    EmuhvPartition *p = vp->partition;

    while (c.done < n && c.status == HV_STATUS_SUCCESS) {
        uint32_t name = list[c.done].name;

        if (emuhv_vp_hold(name)) {
            c.done++;
            emuhv_vp_set_suspend(vp, name, list[c.done - 1].val.u64[0] & 1);
        } else {
            emuhv_vp_sync(vp, set_work, &c);
        }
        if (vp->partition != p) {
            c.status = HV_STATUS_INVALID_VP_INDEX;     /* destroyed meanwhile */
        }
    }
    *done = c.done;
    return c.status;
}
