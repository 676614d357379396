/*
 * MSRs that QEMU answers, and MSR exits.
 *
 * Nearly all MSRs are the hypervisor's. Those here are no virtual machine's,
 * but guests touch them without asking, and KVM answers them so. What neither
 * knows raises #GP, or reads as zero with the accelerator's ignore-msrs=on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/lockable.h"
#include "accel/mshv/counters.h"
#include "accel/mshv/partition.h"
#include "emulate.h"
#include "trace.h"

typedef struct MsrRow MsrRow;

/* What is refused raises #GP. */
typedef bool MsrRead(CPUX86State *env, const MsrRow *row, uint32_t msr,
                     uint64_t *value);
typedef bool MsrWrite(CPUX86State *env, uint32_t msr, uint64_t value);

/*
 * @read and @write: NULL refuses. @ours: also where the hypervisor has an
 * answer of its own; the others exit as what it does not implement, if that
 * exits.
 */
struct MsrRow {
    uint32_t first, last;
    MsrRead *read;
    MsrWrite *write;
    uint64_t value;             /* of constant() */
    bool ours;
};

static bool constant(CPUX86State *env, const MsrRow *row, uint32_t msr,
                     uint64_t *value)
{
    *value = row->value;
    return true;
}

static bool ignored(CPUX86State *env, uint32_t msr, uint64_t value)
{
    return true;
}

static bool only_zero(CPUX86State *env, uint32_t msr, uint64_t value)
{
    return value == 0;
}

static bool read_microcode(CPUX86State *env, const MsrRow *row, uint32_t msr,
                           uint64_t *value)
{
    *value = env_archcpu(env)->ucode_rev;
    return true;
}

static bool read_misc_enable(CPUX86State *env, const MsrRow *row, uint32_t msr,
                             uint64_t *value)
{
    *value = env->msr_ia32_misc_enable;
    return true;
}

/* Of performance monitoring: not there, and not there */
#define MISC_ENABLE_PERFMON     (1ull << 7)
#define MISC_ENABLE_NO_BTS      (1ull << 11)
#define MISC_ENABLE_NO_PEBS     (1ull << 12)

static bool write_misc_enable(CPUX86State *env, uint32_t msr, uint64_t value)
{
    uint64_t old = env->msr_ia32_misc_enable;

    if ((old ^ value) & (MISC_ENABLE_NO_BTS | MISC_ENABLE_NO_PEBS)) {
        return false;
    }
    env->msr_ia32_misc_enable = (value & ~MISC_ENABLE_PERFMON) |
                                (old & MISC_ENABLE_PERFMON);
    return true;
}

static bool read_hwcr(CPUX86State *env, const MsrRow *row, uint32_t msr,
                      uint64_t *value)
{
    *value = env->msr_hwcr;
    return true;
}

/* AMD's manual vol. 2, 3.2.10 */
#define HWCR_TLB_CACHE_DIS      (1ull << 3)
#define HWCR_FFDIS              (1ull << 6)
#define HWCR_IGNNE_EM           (1ull << 8)
#define HWCR_TSC_FREQ_SEL       (1ull << 24)

static bool write_hwcr(CPUX86State *env, uint32_t msr, uint64_t value)
{
    value &= ~(HWCR_TLB_CACHE_DIS | HWCR_FFDIS | HWCR_IGNNE_EM);
    if (value & ~(MSHV_HWCR_MC_STATUS_WR_EN | HWCR_TSC_FREQ_SEL)) {
        return false;
    }
    env->msr_hwcr = value;
    return true;
}

static bool read_mce(CPUX86State *env, const MsrRow *row, uint32_t msr,
                     uint64_t *value)
{
    return mshv_mce_read(env, msr, value);
}

static bool read_crash(CPUX86State *env, const MsrRow *row, uint32_t msr,
                       uint64_t *value)
{
    return mshv_crash_read(env, msr, value);
}

#define MSR_PERF_STATUS_VALUE   (1000 | 4ull << 40)     /* ticks; multiplier */

static const MsrRow msr_rows[] = {
    { 0x00, 0x01, constant },                   /* P5's machine check */
    { 0x17, 0x17, constant, .ours = true },     /* PLATFORM_ID */
    { 0x2a, 0x2a, constant },                   /* EBL_CR_POWERON */
    { 0x2c, 0x2c, constant, NULL, 1 << 24 },    /* EBC_FREQUENCY_ID */
    { 0x34, 0x34, constant, .ours = true },     /* SMI_COUNT */
    /* Locked by nobody, and nothing to enable: VMX and SGX are not offered */
    { MSR_IA32_FEATURE_CONTROL, MSR_IA32_FEATURE_CONTROL, constant, ignored,
      .ours = true },
    { 0x79, 0x79, NULL, ignored },              /* microcode update */
    { MSR_IA32_UCODE_REV, MSR_IA32_UCODE_REV, read_microcode, ignored,
      .ours = true },
    { MSR_P6_PERFCTR0, MSR_P6_PERFCTR0 + 1, constant, ignored },
    { 0xcd, 0xcd, constant, NULL, 3 },          /* FSB_FREQ */
    { 0xce, 0xce, constant, .ours = true },     /* PLATFORM_INFO */
    { 0x11e, 0x11e, constant, ignored, 0xbe702111 },    /* BBL_CR_CTL3 */
    { 0x140, 0x140, constant, only_zero },      /* MISC_FEATURES_ENABLES */
    { MSR_MCG_CAP, MSR_MCG_CTL, read_mce, mshv_mce_write, .ours = true },
    { MSR_P6_EVNTSEL0, MSR_P6_EVNTSEL0 + 1, constant, ignored },
    { MSR_IA32_PERF_STATUS, MSR_IA32_PERF_STATUS, constant, NULL,
      MSR_PERF_STATUS_VALUE, true },
    { 0x199, 0x199, constant },                 /* PERF_CTL */
    { MSR_IA32_MISC_ENABLE, MSR_IA32_MISC_ENABLE, read_misc_enable,
      write_misc_enable, .ours = true },
    { 0x1db, 0x1de, constant },                 /* last branch, interrupt */
    { 0x1fc, 0x1fc, constant, ignored },        /* POWER_CTL */
    { MSR_MC0_CTL, MSR_MC0_CTL + 4 * MCE_BANKS_DEF - 1, read_mce,
      mshv_mce_write, .ours = true },
    { 0x606, 0x606, constant },                 /* RAPL: unit, package, */
    { 0x611, 0x611, constant },
    { 0x619, 0x619, constant },                 /* DRAM, power planes */
    { 0x639, 0x639, constant },
    { 0x641, 0x641, constant },
    /* What a guest that has crashed says, and that it has */
    { HV_X64_MSR_CRASH_P0, HV_X64_MSR_CRASH_P4, read_crash, mshv_crash_write },
    { HV_X64_MSR_CRASH_CTL, HV_X64_MSR_CRASH_CTL, read_crash, mshv_crash_write,
      .ours = true },
    /* AMD's */
    { 0xc0010000, 0xc0010007, constant, ignored },      /* K7's counters */
    { 0xc0010010, 0xc0010010, constant, ignored, .ours = true },   /* SYSCFG */
    { MSR_K7_HWCR, MSR_K7_HWCR, read_hwcr, write_hwcr, .ours = true },
    { 0xc001001b, 0xc001001b, constant, ignored, 0x20000000 },  /* CLK_CTL */
    { 0xc001001f, 0xc001001f, constant, ignored, .ours = true },   /* NB_CFG */
    { 0xc0010020, 0xc0010020, NULL, ignored },          /* PATCH_LOADER */
    /* INT_PENDING */
    { 0xc0010055, 0xc0010055, constant, ignored, .ours = true },
    { 0xc0010058, 0xc0010058, constant, only_zero },    /* MMIO_CONF_BASE */
    { 0xc0010112, 0xc0010113, constant },               /* TSEG */
    { 0xc0010114, 0xc0010114, constant, only_zero },    /* VM_CR */
    { 0xc0010117, 0xc0010117, constant, ignored },      /* VM_HSAVE_PA */
    { 0xc0011022, 0xc0011023, constant, ignored },      /* DC_CFG, TW_CFG */
    { 0xc001102a, 0xc001102a, constant, ignored },      /* BU_CFG2 */
    { 0xc001102c, 0xc001102c, constant, ignored },      /* EX_CFG */
};

static const MsrRow *find_row(uint32_t msr)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(msr_rows); i++) {
        if (msr >= msr_rows[i].first && msr <= msr_rows[i].last) {
            return &msr_rows[i];
        }
    }
    return NULL;
}

/* ---- What nobody implements ---- */

/* By number, so that an operator sees them; after too many, all others. */
static QemuMutex unknown_lock;

static void count_unknown(uint32_t msr)
{
    MshvMsrCounters *rows = mshv_counters->msrs;
    unsigned i = 0;

    QEMU_LOCK_GUARD(&unknown_lock);
    while (i < MSHV_COUNTERS_MSRS && rows[i].count && rows[i].number != msr) {
        i++;
    }
    if (i == MSHV_COUNTERS_MSRS) {
        mshv_counters_add(&mshv_counters->vm.other_msrs, 1);
        return;
    }
    /* Who sees a count sees whose it is. */
    qatomic_set(&rows[i].number, msr);
    qatomic_store_release(&rows[i].count, rows[i].count + 1);
}

/*
 * MSRs that any hypervisor implements, and any guest soon uses. An exit for one
 * of them says that the intercept is for all MSRs, not for those that the
 * hypervisor does not implement.
 */
static bool is_hypervisors(uint32_t msr)
{
    return msr == MSR_IA32_TSC || msr == MSR_IA32_APICBASE ||
           msr == MSR_MTRRcap || msr == MSR_MTRRdefType || msr == MSR_PAT ||
           (msr >= MSR_IA32_SYSENTER_CS && msr <= MSR_IA32_SYSENTER_EIP) ||
           (msr >= MSR_EFER && msr <= MSR_FMASK) ||
           (msr >= MSR_FSBASE && msr <= MSR_KERNELGSBASE);
}

/* ---- Exits ---- */

static int intercept(uint32_t type, uint32_t msr, uint32_t access, Error **errp)
{
    struct hv_input_install_intercept in = {
        .access_type = access,
        .intercept_type = type,
        .intercept_parameter.msr_index = msr,
    };

    return mshv_pt_hvcall(HVCALL_INSTALL_INTERCEPT, 0, &in, sizeof(in), NULL, 0,
                          NULL, errp);
}

#define READ_AND_WRITE (HV_INTERCEPT_ACCESS_MASK_READ | \
                        HV_INTERCEPT_ACCESS_MASK_WRITE)

static bool intercept_unimplemented(uint32_t access, Error **errp)
{
    return intercept(HV_INTERCEPT_TYPE_X64_MSR, 0, access, errp) >= 0;
}

/* Where one is refused, the MSR is the hypervisor's as well. */
static void intercept_rows(bool all)
{
    uint32_t msr;
    unsigned i;

    mshv_mce_is_ours = true;
    for (i = 0; i < ARRAY_SIZE(msr_rows); i++) {
        for (msr = msr_rows[i].first;
             msr <= msr_rows[i].last && (all || msr_rows[i].ours); msr++) {
            if (intercept(HV_INTERCEPT_TYPE_X64_MSR_INDEX, msr, READ_AND_WRITE,
                          NULL) < 0 && msr_rows[i].write == mshv_mce_write) {
                mshv_mce_is_ours = false;
            }
        }
    }
}

/* @exits: we count them, and decide. Else the hypervisor does as told here. */
static int set_unimplemented_action(bool exits, Error **errp)
{
    bool ignore = mshv_ignore_msrs && !exits;
    Error *err = NULL;

    if (mshv_set_property(HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION,
                          ignore
                          ? HV_UNIMPLEMENTED_MSR_ACTION_IGNORE_WRITE_READ_ZERO
                          : HV_UNIMPLEMENTED_MSR_ACTION_FAULT, &err) < 0) {
        if (ignore) {
            error_propagate_prepend(errp, err, "ignore-msrs=on: ");
            return -ENOTSUP;
        }
        error_free(err);        /* it is the default */
    }
    return 0;
}

int mshv_msr_install(Error **errp)
{
    bool exits = intercept_unimplemented(READ_AND_WRITE, NULL);

    qemu_mutex_init(&unknown_lock);
    intercept_rows(!exits);
    return set_unimplemented_action(exits, errp);
}

/* The intercept turns out to be for all MSRs: go on without it. */
static int do_without_unimplemented(Error **errp)
{
    intercept_rows(true);
    return intercept_unimplemented(HV_INTERCEPT_ACCESS_MASK_NONE, errp)
           ? set_unimplemented_action(false, errp) : -EIO;
}

/* Whether the access is to be carried on with, @value having what is read. */
static bool access_msr(CPUX86State *env, const MsrRow *row, uint32_t msr,
                       bool write, uint64_t *value)
{
    if (row && (write ? row->write && row->write(env, msr, *value)
                      : row->read && row->read(env, row, msr, value))) {
        return true;
    }
    count_unknown(msr);
    if (!write) {
        *value = 0;
    }
    return mshv_ignore_msrs;
}

int mshv_exit_msr(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    const struct hv_x64_msr_intercept_message *m =
        (const void *)msg->u.payload;
    bool write = m->header.intercept_access_type == HV_INTERCEPT_ACCESS_WRITE;
    const MsrRow *row = find_row(m->msr_number);
    int ret;
    struct hv_register_assoc regs[3] = {
        { .name = HV_X64_REGISTER_RIP,
          .value.reg64 = m->header.rip + m->header.instruction_length },
        { .name = HV_X64_REGISTER_RAX },
        { .name = HV_X64_REGISTER_RDX },
    };
    uint64_t value = (uint32_t)m->rax | m->rdx << 32;
    bool done;

    if (!row && is_hypervisors(m->msr_number)) {
        return do_without_unimplemented(errp);
    }
    done = access_msr(cpu_env(cs), row, m->msr_number, write, &value);
    trace_mshv_msr(cs->cpu_index, write, m->msr_number, value, done);
    if (!done) {
        return mshv_inject_exception(cs, EXCP0D_GPF, true, 0, 0, errp);
    }
    regs[1].value.reg64 = (uint32_t)value;
    regs[2].value.reg64 = value >> 32;
    ret = mshv_x86_store_regs(cs, regs, write ? 1 : 3, errp);
    return ret < 0 ? ret : mshv_after_instruction(cs, &m->header, errp);
}
