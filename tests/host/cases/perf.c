/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times, for the reader: an exit for port I/O and back, and how fast a guest
 * executes compared with this host. Only gross slowness fails: machines
 * differ, and others may use them.
 */
#include <sys/mman.h>
#include "vm.h"

enum { EXITS = 5000 };

GUEST64(ports, "1: out %al, $1\n jmp 1b");
/* The same code for the guest and for us. */
#define WORK                                                            \
    "mov $20000000, %ecx\n mov $1, %eax\n xor %edx, %edx\n"             \
    "1: add %eax, %edx\n rol $3, %edx\n xor %ecx, %eax\n"               \
    "dec %ecx\n jnz 1b\n"
GUEST64(work, WORK "out %al, $1");
GUEST64(host_work_code, WORK "ret");

static double host_work(void)
{
    Code code = CODE_OF(host_work_code);
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    double start;

    memcpy(at, code.start, code.end - code.start);
    start = now();
    __asm__ volatile("call *%0" : : "r"(at) : "eax", "ecx", "edx", "cc");
    start = now() - start;
    munmap(at, PAGE);
    return start;
}

int main(void)
{
    double start, exits, here = 1e9, there = 1e9, t;
    unsigned i;
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    START64(&vm, 0, ports);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "the guest runs");
    start = now();
    for (i = 0; i < EXITS; i++) {
        if (vp_run(&vm, 0, &m)) {
            break;
        }
    }
    exits = (now() - start) / EXITS * 1e6;
    is_u64(i, EXITS, "all exits came");
    say("PERF io-exit %.1f us", exits);
    ok(exits < 2000, "an exit and back takes less than 2 ms");

    for (i = 0; i < 3; i++) {
        t = host_work();
        here = t < here ? t : here;
        START64(&vm, 0, work);
        start = now();
        if (vp_run(&vm, 0, &m) || m.type != MSG_IO_PORT) {
            give_up("the guest's work ended with 0x%x", m.type);
        }
        t = now() - start;
        there = t < there ? t : there;
    }
    say("PERF execution host %.3f s, guest %.3f s, ratio %.2f", here, there,
        here / there);
    ok(here / there > 0.2, "a guest executes at a fifth of the speed or more");
    vm_free(&vm);
    return done();
}
