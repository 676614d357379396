/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times, for the reader: an exit for port I/O and back, and how fast a guest
 * executes compared with this host; "perf here" measures only the latter and
 * needs no /dev/mshv. Only gross slowness fails: machines differ, and others
 * may use them.
 */
#include <string.h>
#include <sys/mman.h>
#include "vm.h"

enum { EXITS = 5000, ROUNDS = 5, AREA = 1 << 24, AREA_GPA = 1 << 20 };

GUEST64(ports, "1: out %al, $1\n jmp 1b");

/* The same code for the guest and for us: registers only ... */
#define COMPUTE                                                         \
    "mov $20000000, %ecx\n mov $1, %eax\n xor %edx, %edx\n"             \
    "1: add %eax, %edx\n rol $3, %edx\n xor %ecx, %eax\n"               \
    "dec %ecx\n jnz 1b\n"
/* ... and all over the AREA bytes of memory at RSI. */
#define WALK                                                            \
    "mov $300000, %ecx\n xor %eax, %eax\n"                             \
    "1: imul $1664525, %eax, %eax\n add $1013904223, %eax\n"            \
    "mov %eax, %edx\n shr $8, %edx\n and $-8, %edx\n"                   \
    "add %eax, (%rsi, %rdx)\n dec %ecx\n jnz 1b\n"
GUEST64(compute, COMPUTE "out %al, $1");
GUEST64(compute_here, COMPUTE "ret");
GUEST64(walk, WALK "out %al, $1");
GUEST64(walk_here, WALK "ret");

typedef struct Work {
    const char *name;
    Code guest, here;
} Work;

static double run_here(Code code, void *area)
{
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    double start;

    memcpy(at, code.start, code.end - code.start);
    start = now();
    __asm__ volatile("call *%0" : : "r"(at), "S"(area)
                     : "eax", "ecx", "edx", "cc", "memory");
    start = now() - start;
    munmap(at, PAGE);
    return start;
}

static double run_guest(Vm *vm, Code code)
{
    double start;
    Msg m;

    vp_start64(vm, 0, code);
    set_reg(vm, 0, R_RSI, AREA_GPA);
    start = now();
    if (vp_run(vm, 0, &m) || m.type != MSG_IO_PORT) {
        give_up("the guest's work ended with 0x%x", m.type);
    }
    return now() - start;
}

/* The best of some rounds, turn by turn; @vm may be NULL. */
static void compare(Vm *vm, const Work *work, void *area)
{
    double here = 1e9, there = 1e9, t;
    unsigned i;

    for (i = 0; i < ROUNDS; i++) {
        t = run_here(work->here, area);
        here = t < here ? t : here;
        t = vm ? run_guest(vm, work->guest) : 0;
        there = t < there ? t : there;
    }
    if (!vm) {
        say("PERF %s here %.3f s", work->name, here);
        return;
    }
    say("PERF %s here %.3f s, guest %.3f s, ratio %.2f", work->name, here,
        there, here / there);
    ok(here / there > 0.1, "%s: no less than a tenth of our speed",
       work->name);
}

static void exits(Vm *vm)
{
    double start;
    unsigned i;
    Msg m;

    START64(vm, 0, ports);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "the guest runs");
    start = now();
    for (i = 0; i < EXITS; i++) {
        if (vp_run(vm, 0, &m)) {
            break;
        }
    }
    start = (now() - start) / EXITS * 1e6;
    is_u64(i, EXITS, "all exits came");
    say("PERF io-exit %.1f us", start);
    ok(start < 2000, "an exit and back takes less than 2 ms");
}

int main(int argc, char **argv)
{
    const Work works[] = {
        { "compute", CODE_OF(compute), CODE_OF(compute_here) },
        { "walk", CODE_OF(walk), CODE_OF(walk_here) },
    };
    bool only_here = argc == 2 && !strcmp(argv[1], "here");
    uint8_t *area = anon(AREA);
    unsigned i;
    Vm vm;

    if (!only_here) {
        vm_make(&vm, AREA_GPA + AREA, 1);
        exits(&vm);
    }
    for (i = 0; i < 2; i++) {
        compare(only_here ? NULL : &vm, &works[i], area);
    }
    if (only_here) {
        return 0;
    }
    vm_free(&vm);
    return done();
}
