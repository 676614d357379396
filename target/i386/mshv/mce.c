/*
 * Machine checks: the banks, which are QEMU's, and the exception.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "system/hw_accel.h"
#include "mshv-x86.h"

bool mshv_mce_is_ours;

/* The place of a bank's register in env->mce_banks, or -1. */
static int bank_register(const CPUX86State *env, uint32_t msr)
{
    uint32_t n = 4 * (env->mcg_cap & MCG_CAP_BANKS_MASK);

    return msr >= MSR_MC0_CTL && msr - MSR_MC0_CTL < n ? msr - MSR_MC0_CTL
                                                      : -1;
}

bool mshv_mce_read(const CPUX86State *env, uint32_t msr, uint64_t *value)
{
    int at;

    switch (msr) {
    case MSR_MCG_CAP:
        *value = env->mcg_cap;
        return true;
    case MSR_MCG_STATUS:
        *value = env->mcg_status;
        return true;
    case MSR_MCG_CTL:
        *value = env->mcg_ctl;
        return env->mcg_cap & MCG_CTL_P;
    default:
        at = bank_register(env, msr);
        if (at >= 0) {
            *value = env->mce_banks[at];
        }
        return at >= 0;
    }
}

/*
 * Of a control register all bits or none, but for those that some processors
 * want to be clear: 0, and 10. A status is only cleared, if not AMD's HWCR
 * allows more.
 */
static bool write_bank(CPUX86State *env, int at, uint64_t value)
{
    switch (at % 4) {
    case 0:
        if (value && (value | 1 << 10 | 1) != UINT64_MAX) {
            return false;
        }
        break;
    case 1:
        if (value && !(env->msr_hwcr & MSHV_HWCR_MC_STATUS_WR_EN)) {
            return false;
        }
        break;
    }
    env->mce_banks[at] = value;
    return true;
}

bool mshv_mce_write(CPUX86State *env, uint32_t msr, uint64_t value)
{
    int at;

    switch (msr) {
    case MSR_MCG_CAP:
        return false;
    case MSR_MCG_STATUS:
        env->mcg_status = value;
        return true;
    case MSR_MCG_CTL:
        if (!(env->mcg_cap & MCG_CTL_P) || (value && value != UINT64_MAX)) {
            return false;
        }
        env->mcg_ctl = value;
        return true;
    default:
        at = bank_register(env, msr);
        return at >= 0 && write_bank(env, at, value);
    }
}

/* ---- Telling the guest ---- */

/* The bank, and what it says (SDM vol. 3, 17.9.3): an address, in pages */
#define BANK            9
#define MISC            (MCM_ADDR_PHYS << 6 | TARGET_PAGE_BITS)
#define STATUS          (MCI_STATUS_VAL | MCI_STATUS_EN | MCI_STATUS_MISCV | \
                         MCI_STATUS_ADDRV)
#define CODE_SCRUB      0xc0            /* nobody had it in hand */
#define CODE_DATA_LOAD  0x134
#define AMD_POISON      (1ull << 43)

static bool can_take(CPUState *cs)
{
    CPUX86State *env = cpu_env(cs);

    cpu_synchronize_state(cs);
    return mshv_mce_is_ours && (env->mcg_cap & MCG_SER_P) &&
           (env->cr[4] & CR4_MCE_MASK) && env->mcg_ctl == UINT64_MAX &&
           env->mce_banks[4 * BANK] == UINT64_MAX &&
           !(env->mcg_status & MCG_STATUS_MCIP);
}

bool mshv_arch_machine_check(CPUState *cs, uint64_t gpa, bool required)
{
    CPUX86State *env = cpu_env(cs);
    uint64_t status = STATUS, mcg = MCG_STATUS_MCIP | MCG_STATUS_RIPV;

    /* AMD has nothing that asks for an action later. */
    if (!can_take(cs) || (IS_AMD_CPU(env) && !required)) {
        return false;
    }
    status |= MCI_STATUS_UC;
    if (IS_AMD_CPU(env)) {
        status |= AMD_POISON;
    } else {
        status |= MCI_STATUS_S;
    }
    if (required) {
        mcg |= MCG_STATUS_EIPV;
        status |= MCI_STATUS_AR | CODE_DATA_LOAD;
    } else {
        status |= CODE_SCRUB;
    }
    cpu_x86_inject_mce(NULL, X86_CPU(cs), BANK, status, mcg, gpa, MISC,
                       !IS_AMD_CPU(env) && cpu_x86_support_mca_broadcast(env)
                       ? MCE_INJECT_BROADCAST : 0);
    return true;
}

/*
 * The banks have been filled. An event that waits to be delivered is not lost:
 * it goes first.
 */
int mshv_mce_deliver(CPUState *cs, Error **errp)
{
    static const uint32_t name = HV_REGISTER_PENDING_INTERRUPTION;
    struct hv_register_assoc activity = {
        .name = HV_REGISTER_INTERNAL_ACTIVITY_STATE,
    };
    union hv_register_value pending;
    int ret = mshv_x86_get_regs(cs, &name, &pending, 1, errp);

    if (ret < 0 || pending.pending_interruption.interruption_pending) {
        return ret;
    }
    cpu_reset_interrupt(cs, CPU_INTERRUPT_MCE);
    ret = mshv_x86_set_regs(cs, &activity, 1, errp);
    return ret < 0 ? ret : mshv_inject_exception(cs, EXCP12_MCHK, false, 0, 0,
                                                 errp);
}
