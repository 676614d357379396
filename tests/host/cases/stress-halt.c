/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that sleeps in HLT again and again wakes each time by its LAPIC
 * timer. Once as usual, and once while Linux dispatches it all the time under
 * the root scheduler, because the register page says that interrupts wait.
 */
#include <string.h>
#include <sys/mman.h>
#include "vm.h"

#define ROUNDS      1000
#define HANDLER     0x2000
#define TIMER       0x40
#define VECTORS     0x2b0       /* in the register page */

GUEST16(sleeper,
        "movl $0x1ff, %es:0xf0\n"
        "movl $0x40, %es:0x320\n"
        "movl $0xb, %es:0x3e0\n"
        "cli\n"
        "1: movl $100000, %es:0x380\n"
        "sti\n hlt\n cli\n"
        "dec %cx\n jnz 1b\n"
        "out %al, $0x10\n hlt");
GUEST16(handler, "inc %ebx\n movl $0, %es:0xb0\n iret");

static void sleeps(Vm *vm, const char *what)
{
    Msg m;

    START16(vm, 0, sleeper);
    vp_lapic_at_es(vm, 0);
    set_reg(vm, 0, R_RSP, 0x8000);
    set_reg(vm, 0, R_RCX, ROUNDS);
    set_reg(vm, 0, R_RBX, 0);
    vp_gives(vm, 0, &m, MSG_IO_PORT, what);
    is_u64(get_reg(vm, 0, R_RBX), ROUNDS, "%s: a timer interrupt each", what);
}

int main(void)
{
    uint16_t vector[2] = { HANDLER, 0 };
    uint8_t *regs;
    Vm vm;

    vm_make(&vm, 1 << 20, 1);
    vm_write(&vm, HANDLER, CODE_OF(handler));
    memcpy(vm.mem + TIMER * 4, vector, sizeof(vector));
    sleeps(&vm, "a guest sleeps and wakes");

    regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vm.vps[0],
                MSHV_VP_MMAP_OFFSET_REGISTERS * PAGE);
    if (!ok(regs != MAP_FAILED, "the register page maps")) {
        return done();
    }
    STORE((uint64_t *)(regs + VECTORS), TIMER << 8 | 1);
    sleeps(&vm, "the same, dispatched all the time");
    return done();
}
