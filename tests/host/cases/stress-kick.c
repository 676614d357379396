/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many signals while a guest runs, halts and exits: MSHV_RUN_VP must come
 * back for each, and no exit may get lost.
 */
#include "vm.h"

enum { EXITS = 2000, SIGNALS = 200 };

/* Each exit carries its number; some work in between. */
GUEST16(guest, "xor %ebx, %ebx\n"
               "1: mov $200, %cx\n 2: loop 2b\n"
               "inc %ebx\n mov %ebx, %eax\n out %eax, $1\n jmp 1b");

int main(void)
{
    uint32_t next = 1, signals = 0;
    double start = now();
    int ret;
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    START16(&vm, 0, guest);
    alarm_ms(1);
    while ((next <= EXITS || signals < SIGNALS) && now() - start < 100) {
        ret = vp_run(&vm, 0, &m);
        if (ret == -EINTR) {
            signals++;
            continue;
        }
        if (ret || m.type != MSG_IO_PORT ||
            (uint32_t)msg_io_rax(&m) != next) {
            say("exit %u: returned %d, message 0x%x, number %u", next, ret,
                m.type, (uint32_t)msg_io_rax(&m));
            break;
        }
        next++;
        vp_skip(&vm, 0, &m);
    }
    alarm_ms(0);
    ok(next > EXITS, "all exits came, once and in order (%u)", next - 1);
    ok(signals >= SIGNALS, "and %u signals between them", signals);
    vm_free(&vm);
    return done();
}
