/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APIC beyond fixed interrupts: x2APIC mode, ExtINT, LINT0 and
 * LINT1, INIT and SIPI by the parent, notifications of deliverability.
 */
#include "vm.h"

enum { LOWEST = 1, INIT = 5, SIPI = 6, EXTINT = 7, LINT0 = 8, LINT1 = 9 };

/*
 * x2APIC: the mode, the ID, the version; an interrupt to itself by its own
 * register, then by ICR.
 */
GUEST16(x2apic,
    "movw $h40 - x2apic + 0x1000, 0x100\n movw $0, 0x102\n"
    "mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
    "mov $0x80f, %ecx\n mov $0x1ff, %eax\n xor %edx, %edx\n wrmsr\n"
    "mov $0x802, %ecx\n rdmsr\n out %eax, $2\n"
    "mov $0x803, %ecx\n rdmsr\n out %eax, $3\n"
    "sti\n"
    "mov $0x83f, %ecx\n mov $0x40, %eax\n xor %edx, %edx\n wrmsr\n"
    "nop\n out %al, $4\n"
    "mov $0x830, %ecx\n mov $0x40, %eax\n mov 0x3000, %edx\n wrmsr\n"
    "nop\n out %al, $5\n hlt\n"
    "h40: push %ax\n push %cx\n push %dx\n mov $'x', %al\n out %al, $1\n"
    "mov $0x80b, %ecx\n xor %eax, %eax\n xor %edx, %edx\n wrmsr\n"
    "pop %dx\n pop %cx\n pop %ax\n iret");

/* Halts with interrupts on; LINT0 is fixed with vector 0x42, LINT1 an NMI. */
GUEST16(waiter,
    "movl $0x1ff, %es:0xf0\n movl $0x42, %es:0x350\n movl $0x400, %es:0x360\n"
    "movw $h41 - waiter + 0x1000, 0x104\n movw $0, 0x106\n"
    "movw $h42 - waiter + 0x1000, 0x108\n movw $0, 0x10a\n"
    "movw $nmi - waiter + 0x1000, 0x8\n movw $0, 0xa\n"
    "out %al, $1\n sti\n 1: hlt\n jmp 1b\n"
    "h41: mov $'e', %al\n out %al, $1\n iret\n"
    "h42: mov $'l', %al\n out %al, $1\n movl $0, %es:0xb0\n iret\n"
    "nmi: mov $'n', %al\n out %al, $1\n iret");

/* Interrupts are off, then for a moment on. */
GUEST16(window, "cli\n out %al, $1\n sti\n nop\n nop\n cli\n out %al, $2\n"
                "hlt");
GUEST16(woken, "mov %cs, %ax\n out %ax, $7\n hlt");

static void letter(Vm *vm, char expected, const char *what)
{
    Msg m;

    if (vp_at_port(vm, 0, 1, what, &m)) {
        is_u64(msg_io_rax(&m) & 0xff, expected, "%s: its handler", what);
    }
}

static void test_x2apic(void)
{
    uint32_t id = 1;
    Vm vm;
    Msg m;

    vm_make_with(&vm, 1 << 20, 2,
                 LAPIC_FLAGS | 1ull << MSHV_PT_BIT_X2APIC, 0);
    START16(&vm, 1, x2apic);
    memcpy(vm.mem + 0x3000, &id, sizeof(id));
    vp_at_port(&vm, 1, 2, "x2APIC mode", &m);
    is_u64((uint32_t)msg_io_rax(&m), 1, "the APIC's ID");
    vp_at_port(&vm, 1, 3, "the version", &m);
    ok((msg_io_rax(&m) & 0xf0) == 0x10, "it is an integrated APIC");
    vp_at_port(&vm, 1, 1, "an interrupt to itself", &m);
    vp_at_port(&vm, 1, 4, "and back", &m);
    vp_at_port(&vm, 1, 1, "an interrupt to itself by ICR", &m);
    vp_at_port(&vm, 1, 5, "and back from that", &m);
    is_u64(get_reg(&vm, 1, R_APIC_BASE) & 0xc00, 0xc00,
           "the register has the mode");
    vm_free(&vm);
}

static void start_waiter(Vm *vm)
{
    Msg m;

    START16(vm, 0, waiter);
    vp_lapic_at_es(vm, 0);
    vp_at_port(vm, 0, 1, "the guest waits", &m);
}

static void test_types(Vm *vm)
{
    start_waiter(vm);
    is_u64(assert_interrupt(vm, EXTINT, 0, 0, 0x41), ST_SUCCESS, "ExtINT");
    letter(vm, 'e', "an interrupt of a PIC");
    is_u64(assert_interrupt(vm, LINT0, 0, 0, 0), ST_SUCCESS, "LINT0");
    letter(vm, 'l', "LINT0 by its entry");
    is_u64(assert_interrupt(vm, LINT1, 0, 0, 0), ST_SUCCESS, "LINT1");
    letter(vm, 'n', "LINT1 by its entry");
    is_u64(assert_interrupt(vm, LOWEST, 0, 0, 0x42), ST_SUCCESS,
           "lowest priority");
    letter(vm, 'l', "an interrupt of lowest priority");
    is_u64(assert_interrupt(vm, EXTINT, 0, 77, 0x41), ST_INVALID_PARAMETER,
           "ExtINT for an APIC that is not there");
}

/* An ExtINT that is taken back before the guest takes it does not come. */
static void test_taken_back(Vm *vm)
{
    uint64_t partition = 0;
    Msg m;

    START16(vm, 0, window);
    vp_at_port(vm, 0, 1, "interrupts are off", &m);
    is_u64(assert_interrupt(vm, EXTINT, 0, 0, 0x41), ST_SUCCESS,
           "an ExtINT meanwhile");
    is_u64(hypercall(vm->fd, HC_CLEAR_INTERRUPT, NULL, &partition,
                     sizeof(partition), NULL, 0), ST_SUCCESS,
           "it is taken back");
    vp_at_port(vm, 0, 2, "none came", &m);
}

static void test_deliverable(Vm *vm)
{
    Msg m;

    START16(vm, 0, window);
    vp_at_port(vm, 0, 1, "interrupts are off again", &m);
    set_reg(vm, 0, R_NOTIFICATIONS, 2);
    if (vp_gives(vm, 0, &m, MSG_DELIVERABLE, "a notice when they are on")) {
        is_u64(msg_deliverable(&m), 0, "of an interrupt");
        is_u64(msg_rflags(&m) >> 9 & 1, 1, "interrupts are on");
    }
    is_u64(get_reg(vm, 0, R_NOTIFICATIONS), 0, "it is given once");
    vp_at_port(vm, 0, 2, "the guest goes on", &m);
    set_reg(vm, 0, R_NOTIFICATIONS, 1);
    if (vp_gives(vm, 0, &m, MSG_DELIVERABLE, "a notice for an NMI")) {
        is_u64(msg_deliverable(&m), 2, "of an NMI");
    }
}

static void test_sipi(Vm *vm)
{
    Msg m;

    START16(vm, 1, window);
    vp_at_port(vm, 1, 1, "VP 1 runs", &m);
    is_u64(assert_interrupt(vm, INIT, 0, 1, 0), ST_SUCCESS, "INIT for VP 1");
    alarm_ms(100);
    is_u64(-vp_run(vm, 1, &m), EINTR, "then it waits");
    alarm_ms(0);
    vm_write(vm, 0x4000, CODE_OF(woken));
    is_u64(assert_interrupt(vm, SIPI, 0, 1, 4), ST_SUCCESS, "SIPI for VP 1");
    if (vp_at_port(vm, 1, 7, "then it starts", &m)) {
        is_u64(msg_io_rax(&m) & 0xffff, 0x400, "at the page of the vector");
    }
}

int main(void)
{
    Vm vm;

    test_x2apic();
    vm_make(&vm, 1 << 20, 2);
    test_types(&vm);
    test_taken_back(&vm);
    test_deliverable(&vm);
    test_sipi(&vm);
    vm_free(&vm);
    return done();
}
