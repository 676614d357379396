/*
 * A wake-up from S3 resets the processors, not the partition: what a guest has
 * told the hypervisor of itself stays. Linux expects it: it switches hypercalls
 * on again, and does not say again what it is.
 *
 * QEMU's reset does not tell what it is for. So each reset keeps these
 * registers aside, and a wake-up puts them back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "system/runstate.h"
#include "accel/mshv/vcpu.h"
#include "mshv-x86.h"

/* The hypercall page is there only after the guest's identity. */
static struct hv_register_assoc kept[] = {
    { .name = HV_REGISTER_GUEST_OS_ID },
    { .name = HV_X64_REGISTER_HYPERCALL },
    { .name = HV_REGISTER_REFERENCE_TSC },
};

static bool read_now(CPUState *cs, uint32_t name, uint64_t *value)
{
    union hv_register_value v = { 0 };
    bool there = mshv_vp_get_regs(cs, &name, &v, 1, NULL) == 0;

    *value = there ? v.reg64 : 0;
    return there;
}

void mshv_wake_keep(CPUState *cs)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(kept); i++) {
        read_now(cs, kept[i].name, &kept[i].value.reg64);
    }
}

/* A register that the guest has locked is as it was. */
static void on_wakeup(Notifier *notifier, void *reason)
{
    CPUX86State *env = cpu_env(first_cpu);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(kept); i++) {
        Error *err = NULL;
        uint64_t now;

        if (read_now(first_cpu, kept[i].name, &now) &&
            now != kept[i].value.reg64 &&
            mshv_vp_set_regs(first_cpu, &kept[i], 1, &err) < 0) {
            warn_reportf_err(err, "mshv: the guest wakes without what it told "
                             "the hypervisor: ");
        }
    }
    env->msr_hv_guest_os_id = kept[0].value.reg64;
    env->msr_hv_hypercall = kept[1].value.reg64;
    env->msr_hv_tsc = kept[2].value.reg64;
}

void mshv_wake_init(void)
{
    static Notifier notifier = { .notify = on_wakeup };

    qemu_register_wakeup_notifier(&notifier);
}
