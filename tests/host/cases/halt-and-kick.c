/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSHV_RUN_VP while nothing happens: HLT, endless loops, signals. */
#include <unistd.h>
#include "vm.h"

GUEST16(loop, "1: inc %ebx\n jmp 1b");
GUEST16(halt, "cli\n 1: hlt\n jmp 1b");

static void test(Vm *vm, const char *what)
{
    double start;
    unsigned i;
    int ret;
    Msg m;

    alarm_ms(50);
    start = now();
    ret = vp_run(vm, 0, &m);
    is_u64(-ret, EINTR, "%s: a signal ends it", what);
    ok(now() - start < 5, "%s: soon (%.3f s)", what, now() - start);
    for (i = 0; i < 20; i++) {
        ret = vp_run(vm, 0, &m);
        if (ret != -EINTR) {
            break;
        }
    }
    alarm_ms(0);
    is_u64(i, 20, "%s: 20 times in a row", what);
}

int main(void)
{
    uint64_t rbx, rip;
    Vm vm;

    vm_make(&vm, 1 << 20, 1);
    START16(&vm, 0, loop);
    test(&vm, "a loop");
    rbx = get_reg(&vm, 0, R_RBX);
    ok(rbx > 1000, "the loop really ran (%llu rounds)",
       (unsigned long long)rbx);
    usleep(20 * 1000);
    is_u64(get_reg(&vm, 0, R_RBX), rbx, "and does not between the ioctls");

    START16(&vm, 0, halt);
    test(&vm, "HLT");
    rip = get_reg(&vm, 0, R_RIP);
    ok(rip == CODE + 1 || rip == CODE + 2, "RIP is at or behind HLT (0x%llx)",
       (unsigned long long)rip);
    vm_free(&vm);
    return done();
}
