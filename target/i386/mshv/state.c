/*
 * State between CPUX86State and a VP: a walk over the state table, and the
 * parts that are no registers: extended state and the local APIC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "qemu/error-report.h"
#include "mshv/x86.h"
#include "mode.h"
#include "smm.h"
#include "state-table.h"

/*
 * Rows whose register this host does not have, found by the first VP, and those
 * that it does not let be written, found when it refuses one.
 */
static bool *missing, *fixed;

/* A failure that does not come again is not the hypervisor's last word. */
#define TRIES 3

bool mshv_reg_exists(X86CPU *cpu, unsigned row)
{
    const MshvReg *reg = &mshv_reg_table[row];
    const FeatureWordArray *has = &cpu->env.features;

    return !missing[row] &&
           (!reg->bits || ((*has)[reg->word] & reg->bits) ||
            (reg->other_bits && ((*has)[reg->other_word] & reg->other_bits)));
}

/* Read one register to see whether it is there. Only errors of the rest. */
static int try_register(CPUState *cs, unsigned row, Error **errp)
{
    const MshvReg *reg = &mshv_reg_table[row];
    union hv_register_value value;
    Error *err = NULL;
    unsigned i;
    int ret;

    for (i = 0; i < TRIES; i++) {
        error_free(err);
        err = NULL;
        ret = mshv_vp_get_regs(cs, &reg->name, &value, 1, &err);
        if (ret == 0) {
            return 0;
        }
    }
    if (reg->optional) {
        error_free(err);
        missing[row] = true;
        return 0;
    }
    error_propagate_prepend(errp, err, "register %s: ", reg->text);
    return ret;
}

static int find_missing(CPUState *cs, Error **errp)
{
    g_autofree uint32_t *names = NULL;
    unsigned row;
    int ret = 0;

    if (missing) {
        return 0;
    }
    missing = g_new0(bool, mshv_reg_count);
    fixed = g_new0(bool, mshv_reg_count);
    names = g_new(uint32_t, mshv_reg_count);
    for (row = 0; row < mshv_reg_count; row++) {
        names[row] = mshv_reg_table[row].name;
    }
    /* All that are there by one hypercall: only at a gap is one tried alone. */
    for (row = 0; ret == 0 && row < mshv_reg_count; row++) {
        row += mshv_vp_count_regs(cs, &names[row], mshv_reg_count - row);
        if (row < mshv_reg_count) {
            ret = try_register(cs, row, errp);
        }
    }
    return ret;
}

void mshv_reg_to_env(X86CPU *cpu, unsigned row,
                     const union hv_register_value *value)
{
    const MshvReg *reg = &mshv_reg_table[row];
    void *field = (uint8_t *)&cpu->env + reg->offset;
    SegmentCache *seg = field;

    switch (reg->form) {
    case MSHV_FORM_U64:
        *(uint64_t *)field = value->reg64;
        break;
    case MSHV_FORM_U32:
        *(uint32_t *)field = value->reg64;
        break;
    case MSHV_FORM_SEGMENT:
        mshv_segment_to_env(seg, &value->segment);
        break;
    case MSHV_FORM_TABLE:
        seg->base = value->table.base;
        seg->limit = value->table.limit;
        break;
    case MSHV_FORM_FUNCTION:
        reg->get(cpu, value);
        break;
    case MSHV_FORM_RAW:
        mshv_x86(CPU(cpu))->raw[row] = *value;
        break;
    }
}

void mshv_reg_from_env(X86CPU *cpu, unsigned row,
                       union hv_register_value *value)
{
    const MshvReg *reg = &mshv_reg_table[row];
    void *field = (uint8_t *)&cpu->env + reg->offset;
    SegmentCache *seg = field;

    memset(value, 0, sizeof(*value));
    switch (reg->form) {
    case MSHV_FORM_U64:
        value->reg64 = *(uint64_t *)field;
        break;
    case MSHV_FORM_U32:
        value->reg64 = *(uint32_t *)field;
        break;
    case MSHV_FORM_SEGMENT:
        mshv_segment_from_env(seg, &value->segment);
        break;
    case MSHV_FORM_TABLE:
        value->table.base = seg->base;
        value->table.limit = seg->limit;
        break;
    case MSHV_FORM_FUNCTION:
        reg->set(cpu, value);
        break;
    case MSHV_FORM_RAW:
        *value = mshv_x86(CPU(cpu))->raw[row];
        break;
    }
}

static int get_registers(CPUState *cs, Error **errp)
{
    X86CPU *cpu = X86_CPU(cs);
    MshvX86 *x86 = mshv_x86(cs);
    g_autofree uint32_t *names = g_new(uint32_t, mshv_reg_count);
    g_autofree union hv_register_value *values =
        g_new(union hv_register_value, mshv_reg_count);
    unsigned row, n = 0;
    int ret;

    x86->read_valid = false;
    for (row = 0; row < mshv_reg_count; row++) {
        if (mshv_reg_exists(cpu, row)) {
            names[n++] = mshv_reg_table[row].name;
        }
    }
    ret = mshv_x86_get_regs(cs, names, values, n, errp);
    if (ret < 0) {
        return ret;
    }
    n = 0;
    for (row = 0; row < mshv_reg_count; row++) {
        if (mshv_reg_exists(cpu, row)) {
            mshv_reg_to_env(cpu, row, &values[n++]);
        }
    }
    /* What the environment says now, so that no form is taken for a change */
    for (row = 0; row < mshv_reg_count; row++) {
        mshv_reg_from_env(cpu, row, &x86->read[row]);
    }
    x86->read_valid = true;
    x86_update_hflags(&cpu->env);
    return 0;
}

static bool row_is_due(X86CPU *cpu, unsigned row, MshvPutLevel level,
                       const union hv_register_value *value)
{
    MshvX86 *x86 = mshv_x86(CPU(cpu));
    const MshvReg *reg = &mshv_reg_table[row];

    if (!mshv_reg_exists(cpu, row) || fixed[row] ||
        (int)reg->when > (int)level) {
        return false;
    }
    if (level == MSHV_PUT_FULL && (reg->clock || reg->may_refuse)) {
        return false;
    }
    if (level != MSHV_PUT_RUNTIME) {
        return !reg->mode && !reg->partition;
    }
    if (x86->mode_changed) {
        return !reg->mode && !reg->clock;
    }
    return !x86->read_valid ||
           memcmp(value, &x86->read[row], sizeof(*value)) != 0;
}

static bool can_be_written(CPUState *cs, unsigned row)
{
    struct hv_register_assoc reg = { .name = mshv_reg_table[row].name };
    unsigned i;

    mshv_reg_from_env(X86_CPU(cs), row, &reg.value);
    for (i = 0; i < TRIES; i++) {
        if (mshv_vp_set_regs(cs, &reg, 1, NULL) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * A list of registers was refused. Find those that nobody needs and that cannot
 * be written: a guest gets on with what they are. False: it was not for them.
 */
static bool find_fixed(CPUState *cs, MshvPutLevel level, bool partition)
{
    g_autoptr(GString) names = g_string_new("");
    unsigned row;

    for (row = 0; row < mshv_reg_count; row++) {
        const MshvReg *reg = &mshv_reg_table[row];

        if (reg->optional && !reg->may_refuse && !reg->clock && !fixed[row] &&
            (int)reg->when <= (int)level && reg->partition == partition &&
            mshv_reg_exists(X86_CPU(cs), row) && !can_be_written(cs, row)) {
            fixed[row] = true;
            g_string_append_printf(names, "%s%s", names->len ? ", " : "",
                                   reg->text);
        }
    }
    if (names->len) {
        warn_report("mshv: the hypervisor does not let registers be set, which "
                    "stay as they are: %s", names->str);
    }
    return names->len;
}

bool mshv_reg_all_can_be_set(void)
{
    unsigned row;

    for (row = 0; row < mshv_reg_count && !(fixed && fixed[row]); row++) {
        continue;
    }
    return row == mshv_reg_count;
}

/* The way from the mode that the VP is in; returns how many writes, < 0. */
static int change_mode(CPUState *cs, struct hv_register_assoc *writes,
                       Error **errp)
{
    static const uint32_t names[] = {
        HV_X64_REGISTER_CR0, HV_X64_REGISTER_CR3, HV_X64_REGISTER_CR4,
        HV_X64_REGISTER_EFER, HV_X64_REGISTER_APIC_BASE, HV_X64_REGISTER_CS,
    };
    union hv_register_value v[ARRAY_SIZE(names)];
    CPUX86State *env = cpu_env(cs);
    MshvMode from, to = {
        .cr0 = env->cr[0], .cr3 = env->cr[3], .cr4 = env->cr[4],
        .efer = env->efer,
    };
    int ret = mshv_x86_get_regs(cs, names, v, ARRAY_SIZE(names), errp);

    if (ret < 0) {
        return ret;
    }
    from = (MshvMode) {
        .cr0 = v[0].reg64, .cr3 = v[1].reg64, .cr4 = v[2].reg64,
        .efer = v[3].reg64, .apic_base = v[4].reg64, .cs = v[5].segment,
    };
    to.apic_base = X86_CPU(cs)->apic_state
                   ? cpu_get_apic_base(X86_CPU(cs)->apic_state)
                   : from.apic_base;
    return mshv_mode_change(&from, &to, writes);
}

static int try_put_registers(CPUState *cs, MshvPutLevel level, Error **errp)
{
    X86CPU *cpu = X86_CPU(cs);
    g_autofree struct hv_register_assoc *regs =
        g_new0(struct hv_register_assoc, MSHV_MODE_WRITES + mshv_reg_count);
    unsigned row;
    int n = 0;

    if (level != MSHV_PUT_RUNTIME || mshv_x86(cs)->mode_changed) {
        n = change_mode(cs, regs, errp);
        if (n < 0) {
            return n;
        }
    }
    for (row = 0; row < mshv_reg_count; row++) {
        union hv_register_value value;

        mshv_reg_from_env(cpu, row, &value);
        if (row_is_due(cpu, row, level, &value)) {
            regs[n].name = mshv_reg_table[row].name;
            regs[n++].value = value;
        }
    }
    /* From now on only what is read again can tell what has changed. */
    mshv_x86(cs)->read_valid = false;
    n = n ? mshv_x86_set_regs(cs, regs, n, errp) : 0;
    mshv_x86(cs)->mode_changed &= n < 0;
    return n;
}

static int put_registers(CPUState *cs, MshvPutLevel level, Error **errp)
{
    Error *err = NULL;
    int ret = try_put_registers(cs, level, &err);

    if (ret < 0 && find_fixed(cs, level, false)) {
        error_free(err);
        return try_put_registers(cs, level, errp);
    }
    error_propagate(errp, err);
    return ret;
}

/*
 * Registers that the hypervisor need not take, one by one; a guest gets on
 * without.
 */
static void put_refusable_registers(CPUState *cs)
{
    struct hv_register_assoc reg = { 0 };
    unsigned row;

    for (row = 0; row < mshv_reg_count; row++) {
        if (mshv_reg_table[row].may_refuse &&
            mshv_reg_exists(X86_CPU(cs), row) &&
            (cs == first_cpu || !mshv_reg_table[row].partition)) {
            reg.name = mshv_reg_table[row].name;
            mshv_reg_from_env(X86_CPU(cs), row, &reg.value);
            mshv_vp_set_regs(cs, &reg, 1, NULL);
        }
    }
}

/* A guest may lock the register: it then stays as it is over a reset. */
static bool hypercall_is_locked(CPUState *cs)
{
    uint32_t name = HV_X64_REGISTER_HYPERCALL;
    union hv_register_value now;

    return mshv_vp_get_regs(cs, &name, &now, 1, NULL) == 0 &&
           (now.reg64 & HV_X64_MSR_HYPERCALL_LOCKED);
}

/*
 * What is the partition's: of a reset of all CPUs or a loaded state the first
 * CPU's part, and nothing of a CPU that is plugged in.
 *
 * The hypercall page is there only if the guest has said what it is. So it
 * goes before that does, and else comes after it.
 */
static int try_put_partition(CPUState *cs, Error **errp)
{
    X86CPU *cpu = X86_CPU(cs);
    g_autofree struct hv_register_assoc *regs =
        g_new0(struct hv_register_assoc, mshv_reg_count);
    bool back = !cpu->env.msr_hv_guest_os_id;
    unsigned i, n = 0;

    for (i = 0; i < mshv_reg_count; i++) {
        unsigned row = back ? mshv_reg_count - 1 - i : i;
        const MshvReg *reg = &mshv_reg_table[row];

        if (reg->partition && !reg->may_refuse && !fixed[row] &&
            mshv_reg_exists(cpu, row) &&
            !(reg->name == HV_X64_REGISTER_HYPERCALL &&
              hypercall_is_locked(cs))) {
            regs[n].name = reg->name;
            mshv_reg_from_env(cpu, row, &regs[n++].value);
        }
    }
    return n ? mshv_vp_set_regs(cs, regs, n, errp) : 0;
}

static int put_partition_registers(CPUState *cs, MshvPutLevel level,
                                   Error **errp)
{
    Error *err = NULL;
    int ret = try_put_partition(cs, &err);

    if (ret < 0 && find_fixed(cs, level, true)) {
        error_free(err);
        return try_put_partition(cs, errp);
    }
    error_propagate(errp, err);
    return ret;
}

/* All of a VP that is reset, or loaded. */
static int put_all(CPUState *cs, MshvPutLevel level, Error **errp)
{
    int ret;

    mshv_x86(cs)->window_ordered = false;
    mshv_debug_forget(cs);
    mshv_blocks_clear(cs);
    ret = mshv_smm_follow(cs, errp);
    if (ret == 0) {
        ret = mshv_xsave_put(cs, level, errp);
    }
    if (ret == 0) {
        ret = put_registers(cs, level, errp);
    }
    if (ret == 0 && cs == first_cpu) {
        if (level == MSHV_PUT_RESET) {
            mshv_wake_keep(cs);
        }
        ret = put_partition_registers(cs, level, errp);
    }
    if (ret == 0) {
        put_refusable_registers(cs);
        ret = mshv_apic_put(cs, level, errp);
    }
    if (ret == 0) {
        ret = mshv_blocks_put(cs, errp);
    }
    return ret;
}

void mshv_x86_reset_cpu(X86CPU *cpu)
{
    /* A CPU is reset before it is set up, too. */
    MshvX86 *x86 = CPU(cpu)->accel ? mshv_x86(CPU(cpu)) : NULL;
    unsigned i;

    /* No machine check is in progress; the banks stay, to be looked at. */
    cpu->env.mcg_status = 0;
    cpu->env.mp_state = cpu_is_bsp(cpu) ? MSHV_MP_RUNNABLE
                                        : MSHV_MP_WAIT_FOR_SIPI;
    for (i = 0; i < HV_SYNIC_SINT_COUNT; i++) {
        cpu->env.msr_hv_synic_sint[i] = HV_SYNIC_SINT_MASKED;
    }
    if (x86) {
        memset(x86->raw, 0, mshv_reg_count * sizeof(x86->raw[0]));
        memset(x86->smm_events, 0, sizeof(x86->smm_events));
        memset(x86->block_valid, 0, sizeof(x86->block_valid));
        x86->lapic_loaded = false;
    }
}

/* A line each: what is kept of a VP's registers, and what is not, and why. */
char *mshv_arch_state_list(void)
{
    GString *list = g_string_new("");
    unsigned i;

    for (i = 0; i < mshv_reg_count; i++) {
        g_string_append_printf(list, "0x%08x %s%s\n", mshv_reg_table[i].name,
                               mshv_reg_table[i].text,
                               !missing ? "" :
                               missing[i] ? " (not here)" :
                               fixed[i] ? " (cannot be set)" : "");
    }
    for (i = 0; i < mshv_reg_left_out_count; i++) {
        g_string_append_printf(list, "0x%08x-0x%08x left out: %s\n",
                               mshv_reg_left_out[i].first,
                               mshv_reg_left_out[i].last,
                               mshv_reg_left_out[i].why);
    }
    return g_string_free(list, false);
}

int mshv_arch_get_state(CPUState *cs, Error **errp)
{
    int ret = mshv_debug_disarm(cs, errp);

    if (ret == 0) {
        ret = mshv_xsave_get(cs, errp);
    }
    if (ret == 0) {
        ret = get_registers(cs, errp);
    }
    if (ret == 0) {
        ret = mshv_apic_get(cs, errp);
    }
    return ret;
}

int mshv_arch_put_state(CPUState *cs, MshvPutLevel level, Error **errp)
{
    int ret;

    if (level != MSHV_PUT_RUNTIME) {
        return put_all(cs, level, errp);
    }
    ret = mshv_xsave_put(cs, level, errp);
    if (ret == 0) {
        ret = put_registers(cs, level, errp);
    }
    if (ret == 0) {
        ret = mshv_apic_put(cs, level, errp);
    }
    return ret;
}

int mshv_x86_flush_env(CPUState *cs, Error **errp)
{
    int ret;

    if (!cs->vcpu_dirty) {
        return 0;
    }
    bql_lock();
    ret = mshv_arch_put_state(cs, MSHV_PUT_RUNTIME, errp);
    bql_unlock();
    if (ret == 0) {
        cs->vcpu_dirty = false;
    }
    return ret;
}

int mshv_arch_vp_init(CPUState *cs, Error **errp)
{
    MshvX86 *x86 = g_new0(MshvX86, 1);
    int ret;

    cs->accel->arch = x86;
    x86->cs = cs;
    x86->raw = g_new0(union hv_register_value, mshv_reg_count);
    /* gdb may have been there first. */
    cs->accel->debugged = true;
    x86->read = g_new0(union hv_register_value, mshv_reg_count);
    x86->lapic = qemu_memalign(HV_HYP_PAGE_SIZE, HV_HYP_PAGE_SIZE);
    mshv_blocks_alloc(x86);
    mshv_migrate_add_vp(cs);
    ret = find_missing(cs, errp);
    if (ret == 0) {
        ret = mshv_xsave_alloc(cs, errp);
    }
    if (ret == 0) {
        ret = mshv_cpuid_register(cs, errp);
    }
    return ret;
}

void mshv_arch_vp_destroy(CPUState *cs)
{
    MshvX86 *x86 = mshv_x86(cs);

    if (!x86) {
        return;
    }
    mshv_smm_remove_cpu(cs);
    mshv_migrate_remove_vp(cs);
    mshv_blocks_free(x86);
    mshv_xsave_free(cs);
    qemu_vfree(x86->lapic);
    g_free(x86->read);
    g_free(x86->raw);
    g_free(x86);
    cs->accel->arch = NULL;
}

uint32_t mshv_arch_vp_index(CPUState *cs)
{
    return X86_CPU(cs)->apic_id;
}
