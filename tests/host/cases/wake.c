/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VP that halts, whose MSHV_RUN_VP a signal has ended, is woken by what its
 * parent does to its registers, its state or its local APIC.
 */
#include "vm.h"

enum { NMI = 4, INIT = 5, SIPI = 6, IRR = 21 };
/* Pending interruption: valid, type NMI; pending event: exception, ExtINT */
#define INTERRUPTION_NMI    (1 | 2 << 1 | 2ull << 16)
#define EVENT_UD            (1 | 6ull << 16)
#define EVENT_EXTINT        (1 | 5 << 1 | 0x41ull << 8)

/*
 * Halts with interrupts on. Handlers of NMI, #UD and vectors 0x40 and 0x41
 * report a letter at port 1, the code behind HLT reports 'h'. ES is at the
 * local APIC.
 */
GUEST16(sleeper,
    "movl $0x1ff, %es:0xf0\n"
    "movw $nmi - sleeper + 0x1000, 0x8\n movw $0, 0xa\n"
    "movw $ud - sleeper + 0x1000, 0x18\n movw $0, 0x1a\n"
    "movw $h40 - sleeper + 0x1000, 0x100\n movw $0, 0x102\n"
    "movw $h41 - sleeper + 0x1000, 0x104\n movw $0, 0x106\n"
    "sti\n hlt\n mov $'h', %al\n out %al, $1\n hlt\n"
    "nmi: mov $'n', %al\n out %al, $1\n iret\n"
    "ud: mov $'u', %al\n out %al, $1\n iret\n"
    "h40: movl $0, %es:0xb0\n mov $'a', %al\n out %al, $1\n iret\n"
    "h41: mov $'e', %al\n out %al, $1\n iret");
GUEST16(woken, "mov $'s', %al\n out %al, $1\n hlt");

/* VP 1, asleep */
static void sleeps(Vm *vm, const char *what)
{
    Msg m;

    START16(vm, 1, sleeper);
    vp_lapic_at_es(vm, 1);
    alarm_ms(50);
    is_u64(-vp_run(vm, 1, &m), EINTR, "%s: the VP sleeps", what);
    alarm_ms(0);
}

static void wakes(Vm *vm, char expected, const char *what)
{
    Msg m;

    alarm_ms(5000);
    if (vp_gives(vm, 1, &m, MSG_IO_PORT, what)) {
        is_u64(msg_io_rax(&m) & 0xff, expected, "%s: where it goes on", what);
        vp_skip(vm, 1, &m);
    }
    alarm_ms(0);
}

static void by_register(Vm *vm, uint32_t name, uint64_t value, char expected,
                        const char *what)
{
    sleeps(vm, what);
    set_reg(vm, 1, name, value);
    wakes(vm, expected, what);
}

static void by_lapic_state(Vm *vm)
{
    static uint32_t page[PAGE / 4] __attribute__((aligned(PAGE)));
    struct mshv_get_set_vp_state args = {
        .type = MSHV_VP_STATE_LAPIC, .buf_sz = PAGE,
        .buf_ptr = (uintptr_t)page,
    };

    sleeps(vm, "a pending vector in the APIC's state");
    works(ioctl(vm->vps[1], MSHV_GET_VP_STATE, &args), "the APIC's state");
    page[IRR + 2] |= 1;             /* vector 0x40 */
    works(ioctl(vm->vps[1], MSHV_SET_VP_STATE, &args), "it is set");
    wakes(vm, 'a', "a pending vector in the APIC's state");
}

static void by_interrupt(Vm *vm, unsigned type, uint32_t vector, char expected,
                         const char *what)
{
    sleeps(vm, what);
    is_u64(assert_interrupt(vm, type, 0, 1, vector), ST_SUCCESS,
           "%s is asserted", what);
    wakes(vm, expected, what);
}

int main(void)
{
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 2);
    vm_write(&vm, 0x4000, CODE_OF(woken));
    by_register(&vm, R_ACTIVITY, 0, 'h', "the activity state");
    by_register(&vm, R_PENDING_INTERRUPTION, INTERRUPTION_NMI, 'n',
                "a pending interruption");
    wakes(&vm, 'h', "and back from the NMI");
    by_register(&vm, R_PENDING_EVENT0, EVENT_UD, 'u', "a pending exception");
    by_register(&vm, R_PENDING_EVENT0, EVENT_EXTINT, 'e',
                "a pending interrupt of a PIC");
    by_lapic_state(&vm);
    by_interrupt(&vm, NMI, 0, 'n', "an NMI");
    by_interrupt(&vm, 0, 0x40, 'a', "an interrupt");
    sleeps(&vm, "INIT");
    assert_interrupt(&vm, INIT, 0, 1, 0);
    assert_interrupt(&vm, SIPI, 0, 1, 4);
    wakes(&vm, 's', "INIT and SIPI");
    sleeps(&vm, "a notification");
    set_reg(&vm, 1, R_NOTIFICATIONS, 2);
    alarm_ms(5000);
    vp_gives(&vm, 1, &m, MSG_DELIVERABLE, "a notification");
    alarm_ms(0);
    vm_free(&vm);
    return done();
}
