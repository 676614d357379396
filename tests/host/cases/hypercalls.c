/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's own hypercalls; HLT without a local APIC. */
#include "vm.h"

enum { HYPERCALL = 8, INVALID_OPCODE = 6, EXCEPTION = 3 };

/* Identifies itself, switches the hypercall page on and calls 8, then 0x7f. */
GUEST64(guest,
    "xor %edx, %edx\n"
    "mov $0x40000000, %ecx\n mov $1, %eax\n wrmsr\n"
    "mov $0x40000001, %ecx\n mov $0x6001, %eax\n wrmsr\n"
    "mov $0x6000, %ebx\n mov $0x9000, %esp\n"
    "mov $0x10008, %ecx\n xor %edx, %edx\n xor %r8, %r8\n call *%rbx\n"
    "out %eax, $1\n"
    "mov $0x7f, %ecx\n call *%rbx\n out %eax, $2\n"
    "mov $0x1234, %ecx\n mov $0x55, %edx\n mov $0x66, %r8\n call *%rbx\n"
    "out %eax, $3\n hlt");
GUEST64(vmcall, "vmcall\n out %al, $1\n hlt");
GUEST16(halt, "hlt\n out %al, $1");

FIELD(uint64_t, msg_call_rcx, 56)
FIELD(uint64_t, msg_call_rdx, 64)
FIELD(uint64_t, msg_call_r8, 72)

static void at_port(Vm *vm, uint16_t port, uint32_t value, const char *what)
{
    Msg m;

    if (vp_gives(vm, 0, &m, MSG_IO_PORT, what)) {
        is_u64(msg_port(&m), port, "%s: its port", what);
        is_u64((uint32_t)msg_io_rax(&m), value, "%s: its result", what);
        vp_skip(vm, 0, &m);
    }
}

static void test_page(void)
{
    Vm vm;
    Msg m;

    vm_make_with(&vm, 1 << 20, 1, LAPIC_FLAGS,
                 SF_PRESENT | SF_HV1 | SF_HYPERCALL);
    START64(&vm, 0, guest);
    at_port(&vm, 1, ST_SUCCESS, "a hypercall");
    at_port(&vm, 2, ST_INVALID_HYPERCALL_CODE, "an unknown hypercall");
    is_u64(vm.mem[0x6000], 0, "the page is not in the guest's memory");
    is_u64(get_reg(&vm, 0, R_GUEST_OS_ID), 1, "the guest's name is known");
    is_u64(install_intercept(&vm, HYPERCALL, 4, 0), ST_SUCCESS,
           "an intercept for hypercalls");
    if (vp_gives(&vm, 0, &m, MSG_HYPERCALL, "a hypercall for the parent")) {
        is_u64(msg_call_rcx(&m), 0x1234, "its code");
        is_u64(msg_call_rdx(&m), 0x55, "its input");
        is_u64(msg_call_r8(&m), 0x66, "its output");
        is_u64(msg_length_cr8(&m) & 15, 3, "its length");
        set_reg(&vm, 0, R_RAX, 0x77);
        vp_skip(&vm, 0, &m);
        at_port(&vm, 3, 0x77, "the parent's answer");
    }
    vm_free(&vm);
}

/* Where the page is the guest says once it has a name, until it locks that. */
static void test_place(void)
{
    Vm vm;

    vm_make_with(&vm, 1 << 20, 1, LAPIC_FLAGS,
                 SF_PRESENT | SF_HV1 | SF_HYPERCALL);
    set_reg(&vm, 0, R_HYPERCALL, 0x5001);
    is_u64(get_reg(&vm, 0, R_HYPERCALL), 0, "without a name there is no page");
    set_reg(&vm, 0, R_GUEST_OS_ID, 1);
    set_reg(&vm, 0, R_HYPERCALL, 0x5003);
    is_u64(get_reg(&vm, 0, R_HYPERCALL), 0x5003, "with one there is");
    set_reg(&vm, 0, R_HYPERCALL, 0x6001);
    is_u64(get_reg(&vm, 0, R_HYPERCALL), 0x5003, "it is locked, and stays");
    vm_free(&vm);
}

static void test_none(void)
{
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    is_u64(install_intercept(&vm, EXCEPTION, 4, INVALID_OPCODE), ST_SUCCESS,
           "an intercept for #UD");
    START64(&vm, 0, vmcall);
    vp_gives(&vm, 0, &m, MSG_EXCEPTION, "without the page VMCALL faults");
    vm_free(&vm);
}

static void test_halt(void)
{
    Vm vm;
    Msg m;

    vm_make_with(&vm, 1 << 20, 1, 0, 0);
    START16(&vm, 0, halt);
    if (vp_gives(&vm, 0, &m, MSG_HALT, "HLT without a local APIC")) {
        is_u64(msg_rip(&m), CODE, "RIP is at the instruction");
        is_u64(msg_length_cr8(&m) & 15, 1, "its length");
        vp_skip(&vm, 0, &m);
        vp_gives(&vm, 0, &m, MSG_IO_PORT, "the guest goes on");
    }
    vm_free(&vm);
}

int main(void)
{
    test_page();
    test_place();
    test_none();
    test_halt();
    return done();
}
