/*
 * The TSCs of all VPs, and what waits for them: read and written as of one
 * moment.
 *
 * While the partition's time stands still, so do its TSCs, as far as is known.
 * A hypervisor that lets them run on is met by counting how far they ran since
 * that moment, on the host's TSC, which has their pace.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/timer.h"
#include "state-table.h"

static int read_tsc(CPUState *cs, uint64_t *tsc, Error **errp)
{
    uint32_t name = HV_X64_REGISTER_TSC;
    union hv_register_value value;
    int ret = mshv_vp_get_regs(cs, &name, &value, 1, errp);

    *tsc = ret < 0 ? 0 : value.reg64;
    return ret;
}

/* Whether TSCs run: two readings of one differ. */
static int tsc_runs(bool *runs, Error **errp)
{
    uint64_t first, second = 0;
    int ret = read_tsc(first_cpu, &first, errp);

    if (ret == 0) {
        ret = read_tsc(first_cpu, &second, errp);
    }
    *runs = ret == 0 && first != second;
    return ret;
}

int mshv_clocks_sample(Error **errp)
{
    int64_t moment = cpu_get_host_ticks();
    CPUState *cs;
    bool runs;
    int ret = tsc_runs(&runs, errp);

    CPU_FOREACH(cs) {
        int64_t now = cpu_get_host_ticks();
        uint64_t tsc = 0;

        if (ret == 0) {
            ret = read_tsc(cs, &tsc, errp);
        }
        if (ret < 0) {
            return ret;
        }
        cpu_env(cs)->tsc = runs ? tsc - (now - moment) : tsc;
    }
    return 0;
}

static int put_clocks(CPUState *cs, int64_t ran, Error **errp)
{
    X86CPU *cpu = X86_CPU(cs);
    struct hv_register_assoc regs[3] = { 0 };
    unsigned row, n = 0;

    for (row = 0; row < mshv_reg_count; row++) {
        if (mshv_reg_table[row].clock && mshv_reg_exists(cpu, row)) {
            regs[n].name = mshv_reg_table[row].name;
            mshv_reg_from_env(cpu, row, &regs[n].value);
            if (regs[n].name == HV_X64_REGISTER_TSC) {
                regs[n].value.reg64 += ran;
            }
            n++;
        }
    }
    return mshv_vp_set_regs(cs, regs, n, errp);
}

int mshv_arch_put_clocks(Error **errp)
{
    int64_t moment = cpu_get_host_ticks();
    CPUState *cs;
    bool runs;
    int ret = tsc_runs(&runs, errp);

    CPU_FOREACH(cs) {
        if (ret == 0 && cs->accel->usable) {
            ret = put_clocks(cs, runs ? cpu_get_host_ticks() - moment : 0,
                             errp);
        }
    }
    return ret;
}
