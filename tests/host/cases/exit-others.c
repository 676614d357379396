/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID, MSR, exception, triple fault: messages, overrides, refusals. */
#include "vm.h"

enum { IO = 0, MSR = 1, CPUID = 2, EXCEPTION = 3 };

GUEST16(cpuid, "mov $0x80000000, %eax\n xor %ecx, %ecx\n cpuid\n"
               "out %eax, $1");
GUEST16(cpuid1, "mov $1, %eax\n xor %ecx, %ecx\n cpuid\n"
                "mov %ebx, %eax\n out %eax, $1");
GUEST16(rdmsr, "mov $0x12345, %ecx\n rdmsr\n out %eax, $1");
GUEST16(wrmsr, "mov $0x12345, %ecx\n mov $0x11, %eax\n mov $0x22, %edx\n"
               "wrmsr\n out %eax, $1");
GUEST16(read_pat, "mov $0x277, %ecx\n rdmsr\n out %eax, $1");
GUEST16(write_pat, "mov $0x277, %ecx\n mov $0x00070406, %eax\n"
                   "mov %eax, %edx\n wrmsr\n out %eax, $1");
GUEST16(ud, "ud2\n hlt");
GUEST16(triple, "lidt %cs:empty - triple + 0x1000\n int3\n"
                "empty: .word 0\n .long 0");

static void test_cpuid(Vm *vm)
{
    Msg m;

    START16(vm, 0, cpuid);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "CPUID gives no message by itself");
    is_u64(install_intercept(vm, CPUID, 4, 0x80000000), ST_SUCCESS,
           "an intercept for CPUID 0x80000000");
    START16(vm, 0, cpuid);
    if (vp_gives(vm, 0, &m, MSG_CPUID, "then CPUID gives a message")) {
        is_u64(msg_cpuid_rax(&m), 0x80000000, "CPUID: the leaf");
        is_u64(msg_cpuid_rcx(&m), 0, "CPUID: the sub-leaf");
        ok(msg_cpuid_default_rax(&m) > 0x80000000 &&
           msg_cpuid_default_rax(&m) < 0x80001000,
           "CPUID: the answer that it would get (0x%llx)",
           (unsigned long long)msg_cpuid_default_rax(&m));
        is_u64(msg_length_cr8(&m) & 15, 2, "CPUID: the length");
    }
    START16(vm, 0, cpuid1);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "another leaf gives none");
}

static void test_cpuid_result(Vm *vm)
{
    struct {
        uint64_t partition;
        uint32_t vp, type, eax, ecx;
        uint8_t subleaf, always;
        uint16_t padding;
        struct {
            uint32_t value, mask;
        } r[4];
    } in = { .vp = ~0u, .type = CPUID, .eax = 1, .always = 1 };
    Msg m;

    in.r[1].value = 0x00abcd00;
    in.r[1].mask = 0x00ffff00;
    is_u64(hypercall(vm->fd, HC_REGISTER_RESULT, NULL, &in, sizeof(in), NULL,
                     0), ST_SUCCESS, "a result for CPUID 1");
    START16(vm, 0, cpuid1);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "CPUID 1 gives no message");
    is_u64(msg_io_rax(&m) & 0x00ffff00, 0x00abcd00,
           "but the registered bits");
}

static void test_msr(Vm *vm)
{
    Msg m;

    START16(vm, 0, rdmsr);
    if (vp_gives(vm, 0, &m, MSG_MSR, "an unknown MSR gives a message")) {
        is_u64(msg_msr(&m), 0x12345, "RDMSR: its number");
        is_u64(msg_access(&m), 0, "RDMSR: it is a read");
        is_u64(msg_length_cr8(&m) & 15, 2, "RDMSR: the length");
    }
    START16(vm, 0, wrmsr);
    if (vp_gives(vm, 0, &m, MSG_MSR, "a write of it, too")) {
        is_u64(msg_access(&m), 1, "WRMSR: it is a write");
        is_u64(msg_msr_rax(&m), 0x11, "WRMSR: RAX");
        is_u64(msg_msr_rdx(&m), 0x22, "WRMSR: RDX");
    }
}

/* Which of reads and writes of an MSR that there is gives a message */
static void test_access(Vm *vm)
{
    enum { PAT = 0x277, MSR_INDEX = 0xc };
    Msg m;

    is_u64(install_intercept(vm, MSR_INDEX, 1, PAT), ST_SUCCESS,
           "an intercept for reads of an MSR");
    START16(vm, 0, write_pat);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "a write gives no message");
    START16(vm, 0, read_pat);
    vp_gives(vm, 0, &m, MSG_MSR, "a read does");
    is_u64(install_intercept(vm, MSR_INDEX, 2, PAT), ST_SUCCESS,
           "an intercept for writes instead");
    START16(vm, 0, read_pat);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "a read gives no message");
    START16(vm, 0, write_pat);
    vp_gives(vm, 0, &m, MSG_MSR, "a write does");
    is_u64(install_intercept(vm, MSR_INDEX, 0, PAT), ST_SUCCESS,
           "no intercept any more");
    START16(vm, 0, write_pat);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "nor does a write then");
}

/* The same for MSRs that nobody knows */
static void test_unknown_access(void)
{
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    is_u64(install_intercept(&vm, EXCEPTION, 4, 13), ST_SUCCESS,
           "an intercept for #GP");
    is_u64(install_intercept(&vm, MSR, 1, 0), ST_SUCCESS,
           "an intercept for reads of unknown MSRs");
    START16(&vm, 0, rdmsr);
    vp_gives(&vm, 0, &m, MSG_MSR, "RDMSR gives a message");
    START16(&vm, 0, wrmsr);
    vp_gives(&vm, 0, &m, MSG_EXCEPTION, "WRMSR faults");
    is_u64(install_intercept(&vm, MSR, 2, 0), ST_SUCCESS,
           "an intercept for writes instead");
    START16(&vm, 0, rdmsr);
    vp_gives(&vm, 0, &m, MSG_EXCEPTION, "RDMSR faults");
    START16(&vm, 0, wrmsr);
    vp_gives(&vm, 0, &m, MSG_MSR, "WRMSR gives a message");
    vm_free(&vm);
}

/* An answer in advance, for reads only */
static void test_msr_result(void)
{
    struct {
        uint64_t partition;
        uint32_t vp, type, msr, access, action, rest[9];
    } in = { .vp = ~0u, .type = MSR, .msr = 0x12345, .action = 1 };
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    is_u64(install_intercept(&vm, MSR, 3, 0), ST_SUCCESS,
           "an intercept for unknown MSRs");
    is_u64(hypercall(vm.fd, HC_REGISTER_RESULT, NULL, &in, 60, NULL, 0),
           ST_SUCCESS, "reads of one shall give 0");
    START16(&vm, 0, rdmsr);
    if (vp_gives(&vm, 0, &m, MSG_IO_PORT, "RDMSR of it goes on")) {
        is_u64(msg_io_rax(&m) & 0xffffffff, 0, "with 0");
    }
    START16(&vm, 0, wrmsr);
    vp_gives(&vm, 0, &m, MSG_MSR, "WRMSR of it gives a message");
    vm_free(&vm);
}

static void test_unknown_msr(void)
{
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    is_u64(install_intercept(&vm, EXCEPTION, 4, 13), ST_SUCCESS,
           "an intercept for #GP");
    is_u64(set_property(vm.fd, PROP_UNIMPLEMENTED_MSR, 0), ST_SUCCESS,
           "unknown MSRs shall fault");
    START16(&vm, 0, rdmsr);
    if (vp_gives(&vm, 0, &m, MSG_EXCEPTION, "then RDMSR faults")) {
        is_u64(msg_vector(&m), 13, "with #GP");
    }
    is_u64(set_property(vm.fd, PROP_UNIMPLEMENTED_MSR, 1), ST_SUCCESS,
           "unknown MSRs shall be ignored");
    START16(&vm, 0, rdmsr);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "then RDMSR goes on");
    is_u64(msg_io_rax(&m) & 0xffffffff, 0, "and the MSR reads as 0");
    vm_free(&vm);
}

static void test_exceptions(Vm *vm)
{
    Msg m;

    is_u64(install_intercept(vm, EXCEPTION, 4, 6), ST_SUCCESS,
           "an intercept for #UD");
    START16(vm, 0, ud);
    if (vp_gives(vm, 0, &m, MSG_EXCEPTION, "UD2 gives a message")) {
        is_u64(msg_vector(&m), 6, "#UD: the vector");
        is_u64(msg_rip(&m), CODE, "#UD: RIP is at the instruction");
    }
    START16(vm, 0, triple);
    vp_gives(vm, 0, &m, MSG_UNRECOVERABLE, "a triple fault gives a message");
}

/* What no processor takes stops the VP before it runs; mended, it runs. */
static void test_invalid_state(Vm *vm)
{
    uint64_t cr0 = get_reg(vm, 0, R_CR0);
    Msg m;

    START16(vm, 0, cpuid1);
    set_reg(vm, 0, R_CR0, 0x80000000);
    if (vp_gives(vm, 0, &m, MSG_INVALID_REGISTER,
                 "paging without protection gives a message")) {
        is_u64(msg_vp(&m), 0, "invalid state: the VP");
        is_u64(get_reg(vm, 0, R_RIP), CODE, "invalid state: nothing ran");
    }
    set_reg(vm, 0, R_CR0, cr0);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "mended, the VP runs");
}

static void test_no_pae(Vm *vm)
{
    Msg m;

    START64(vm, 0, cpuid1);
    set_reg(vm, 0, R_CR4, 0);
    vp_gives(vm, 0, &m, MSG_INVALID_REGISTER,
             "long mode without PAE gives a message");
}

int main(void)
{
    Vm vm;

    vm_make(&vm, 1 << 20, 1);
    is_u64(install_intercept(&vm, MSR, 3, 0), ST_SUCCESS,
           "an intercept for MSRs");
    test_cpuid(&vm);
    test_cpuid_result(&vm);
    test_msr(&vm);
    test_access(&vm);
    test_unknown_msr();
    test_unknown_access();
    test_msr_result();
    test_exceptions(&vm);
    test_invalid_state(&vm);
    test_no_pae(&vm);
    ok(install_intercept(&vm, 0x77, 4, 0) != ST_SUCCESS,
       "an unknown kind of intercept is refused");
    ok(install_intercept(&vm, EXCEPTION, 4, 32) != ST_SUCCESS,
       "an intercept for exception 32 is refused");
    vm_free(&vm);
    return done();
}
