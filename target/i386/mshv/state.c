/*
 * State between CPUX86State and a VP: a walk over the state table, and the
 * parts that are no registers: extended state and the local APIC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/memalign.h"
#include "qemu/error-report.h"
#include "mshv/x86.h"
#include "state-table.h"

/* Rows whose register this host does not have; found by the first VP. */
static bool *missing;

static bool reg_exists(X86CPU *cpu, unsigned row)
{
    const MshvReg *reg = &mshv_reg_table[row];

    return !missing[row] &&
           (!reg->bits || (cpu->env.features[reg->word] & reg->bits));
}

/* Read one register to see whether it is there. Only errors of the rest. */
static int try_register(CPUState *cs, unsigned row, Error **errp)
{
    const MshvReg *reg = &mshv_reg_table[row];
    union hv_register_value value;
    Error *err = NULL;
    int ret = mshv_vp_get_regs(cs, &reg->name, &value, 1, &err);

    if (ret == 0) {
        return 0;
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

static void value_to_env(X86CPU *cpu, const MshvReg *reg,
                         const union hv_register_value *value)
{
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
    }
}

static void value_from_env(X86CPU *cpu, const MshvReg *reg,
                           union hv_register_value *value)
{
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
        if (reg_exists(cpu, row)) {
            names[n++] = mshv_reg_table[row].name;
        }
    }
    ret = mshv_x86_get_regs(cs, names, values, n, errp);
    if (ret < 0) {
        return ret;
    }
    n = 0;
    for (row = 0; row < mshv_reg_count; row++) {
        if (reg_exists(cpu, row)) {
            value_to_env(cpu, &mshv_reg_table[row], &values[n++]);
        }
    }
    /* What the environment says now, so that no form is taken for a change */
    for (row = 0; row < mshv_reg_count; row++) {
        value_from_env(cpu, &mshv_reg_table[row], &x86->read[row]);
    }
    x86->read_valid = true;
    x86_update_hflags(&cpu->env);
    return 0;
}

static bool row_is_due(X86CPU *cpu, unsigned row, MshvPutLevel level,
                       const union hv_register_value *value)
{
    MshvX86 *x86 = mshv_x86(CPU(cpu));

    if (!reg_exists(cpu, row) || (int)mshv_reg_table[row].when > (int)level) {
        return false;
    }
    return level != MSHV_PUT_RUNTIME || !x86->read_valid ||
           memcmp(value, &x86->read[row], sizeof(*value)) != 0;
}

static int put_registers(CPUState *cs, MshvPutLevel level, Error **errp)
{
    X86CPU *cpu = X86_CPU(cs);
    g_autofree struct hv_register_assoc *regs =
        g_new0(struct hv_register_assoc, mshv_reg_count);
    unsigned row, n = 0;

    for (row = 0; row < mshv_reg_count; row++) {
        union hv_register_value value;

        value_from_env(cpu, &mshv_reg_table[row], &value);
        if (row_is_due(cpu, row, level, &value)) {
            regs[n].name = mshv_reg_table[row].name;
            regs[n++].value = value;
        }
    }
    /* From now on only what is read again can tell what has changed. */
    mshv_x86(cs)->read_valid = false;
    return n ? mshv_x86_set_regs(cs, regs, n, errp) : 0;
}

void mshv_x86_reset_cpu(X86CPU *cpu)
{
    unsigned i;

    cpu->env.mp_state = cpu_is_bsp(cpu) ? MSHV_MP_RUNNABLE
                                        : MSHV_MP_WAIT_FOR_SIPI;
    for (i = 0; i < HV_SYNIC_SINT_COUNT; i++) {
        cpu->env.msr_hv_synic_sint[i] = HV_SYNIC_SINT_MASKED;
    }
}

int mshv_arch_get_state(CPUState *cs, Error **errp)
{
    int ret = mshv_xsave_get(cs, errp);

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
        mshv_x86(cs)->window_ordered = false;
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

int mshv_arch_vp_init(CPUState *cs, Error **errp)
{
    MshvX86 *x86 = g_new0(MshvX86, 1);
    int ret;

    cs->accel->arch = x86;
    x86->read = g_new0(union hv_register_value, mshv_reg_count);
    x86->lapic = qemu_memalign(HV_HYP_PAGE_SIZE, HV_HYP_PAGE_SIZE);
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
    mshv_xsave_free(cs);
    qemu_vfree(x86->lapic);
    g_free(x86->read);
    g_free(x86);
    cs->accel->arch = NULL;
}

uint32_t mshv_arch_vp_index(CPUState *cs)
{
    return X86_CPU(cs)->apic_id;
}
