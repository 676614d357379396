/*
 * MSRs that QEMU answers, and MSR exits.
 *
 * Nearly all MSRs are the hypervisor's. What neither knows raises #GP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "accel/mshv/partition.h"
#include "mshv-x86.h"
#include "trace.h"

#define MSR_IA32_PLATFORM_ID_INDEX      0x17
#define MSR_PLATFORM_INFO_INDEX         0xce
#define MSR_AMD_SYSCFG_INDEX            0xc0010010
#define MSR_AMD_HWCR_INDEX              0xc0010015
#define MSR_AMD_NB_CFG_INDEX            0xc001001f
#define MSR_AMD_INT_PENDING_INDEX       0xc0010055

/* A value that is read; a write is ignored if @ignore_writes, else faults. */
typedef struct MsrRow {
    uint32_t msr;
    bool ignore_writes;
    uint64_t (*read)(X86CPU *cpu);
} MsrRow;

static uint64_t read_zero(X86CPU *cpu)
{
    return 0;
}

static uint64_t read_microcode(X86CPU *cpu)
{
    return cpu->ucode_rev;
}

static uint64_t read_misc_enable(X86CPU *cpu)
{
    return cpu->env.msr_ia32_misc_enable;
}

static const MsrRow msr_rows[] = {
    { MSR_IA32_UCODE_REV, true, read_microcode },
    { MSR_IA32_PLATFORM_ID_INDEX, false, read_zero },
    { MSR_PLATFORM_INFO_INDEX, false, read_zero },
    /* Locked by nobody, and nothing to enable: VMX and SGX are not offered */
    { MSR_IA32_FEATURE_CONTROL, true, read_zero },
    { MSR_IA32_MISC_ENABLE, true, read_misc_enable },
    /* AMD's, which its processors' drivers read without asking */
    { MSR_AMD_SYSCFG_INDEX, true, read_zero },
    { MSR_AMD_HWCR_INDEX, true, read_zero },
    { MSR_AMD_NB_CFG_INDEX, true, read_zero },
    { MSR_AMD_INT_PENDING_INDEX, true, read_zero },
};

static const MsrRow *find_row(uint32_t msr)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(msr_rows); i++) {
        if (msr_rows[i].msr == msr) {
            return &msr_rows[i];
        }
    }
    return NULL;
}

int mshv_msr_install(Error **errp)
{
    Error *err = NULL;
    unsigned i;

    if (mshv_set_property(HV_PARTITION_PROPERTY_UNIMPLEMENTED_MSR_ACTION,
                          HV_UNIMPLEMENTED_MSR_ACTION_FAULT, &err) < 0) {
        /* It is the default; a host that cannot be told acts so anyway. */
        error_free(err);
        err = NULL;
    }
    for (i = 0; i < ARRAY_SIZE(msr_rows); i++) {
        struct hv_input_install_intercept in = {
            .access_type = HV_INTERCEPT_ACCESS_MASK_READ |
                           HV_INTERCEPT_ACCESS_MASK_WRITE,
            .intercept_type = HV_INTERCEPT_TYPE_X64_MSR_INDEX,
            .intercept_parameter.msr_index = msr_rows[i].msr,
        };

        /* Where this is not possible, the MSR is the hypervisor's as well. */
        if (mshv_pt_hvcall(HVCALL_INSTALL_INTERCEPT, 0, &in, sizeof(in), NULL,
                           0, NULL, &err) < 0) {
            error_free(err);
            err = NULL;
        }
    }
    return 0;
}

int mshv_exit_msr(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    const struct hv_x64_msr_intercept_message *m =
        (const void *)msg->u.payload;
    bool write = m->header.intercept_access_type == HV_INTERCEPT_ACCESS_WRITE;
    const MsrRow *row = find_row(m->msr_number);
    struct hv_register_assoc regs[3] = {
        { .name = HV_X64_REGISTER_RIP,
          .value.reg64 = m->header.rip + m->header.instruction_length },
        { .name = HV_X64_REGISTER_RAX },
        { .name = HV_X64_REGISTER_RDX },
    };
    uint64_t value = (uint32_t)m->rax | m->rdx << 32;

    if (row && !write) {
        value = row->read(X86_CPU(cs));
    }
    trace_mshv_msr(cs->cpu_index, write, m->msr_number, value, row != NULL);
    if (!row || (write && !row->ignore_writes)) {
        return mshv_inject_exception(cs, EXCP0D_GPF, true, 0, 0, errp);
    }
    regs[1].value.reg64 = (uint32_t)value;
    regs[2].value.reg64 = value >> 32;
    return mshv_x86_store_regs(cs, regs, write ? 1 : 3, errp);
}
