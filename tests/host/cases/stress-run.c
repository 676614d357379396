/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever stops a VP and lets it run on, in random order while it runs, halts
 * and exits: after each step the hypervisor must have seen no transition of a
 * VP that is not in its table.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "vm.h"

enum { STEPS = 60, HANDLER = 0x2000, VECTOR = 0x40, NMI = 4 };

/* Works, exits, halts until something comes. */
GUEST16(guest,
    "cli\n movl $0x1ff, %es:0xf0\n"
    "1: mov $2000, %cx\n 2: loop 2b\n"
    "out %al, $1\n sti\n hlt\n cli\n inc %ebx\n jmp 1b");
GUEST16(handler, "movl $0, %es:0xb0\n iret");

static bool ending;
static unsigned exits;

static void nothing(int unused)
{
    (void)unused;
}

/* The text behind "name" in what the hypervisor counts */
static const char *counter(const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX,
                             .sun_path = "/run/mshv-host/counters" };
    static char text[1 << 20];
    size_t len = 0;
    ssize_t n;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *at;

    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
        give_up("no counters: %s", strerror(errno));
    }
    while ((n = read(fd, text + len, sizeof(text) - 1 - len)) != 0) {
        if (n > 0) {
            len += n;
        } else if (errno != EINTR) {
            give_up("the counters end: %s", strerror(errno));
        }
    }
    close(fd);
    text[len] = 0;
    at = strstr(text, name);
    if (!at) {
        give_up("nothing counts '%s'", name);
    }
    return at + strlen(name);
}

static void *runner(void *arg)
{
    Vm *vm = arg;
    Msg m;

    while (!LOAD(&ending)) {
        if (vp_run(vm, 0, &m) == 0 && m.type == MSG_IO_PORT) {
            __atomic_add_fetch(&exits, 1, __ATOMIC_SEQ_CST);
            vp_skip(vm, 0, &m);
        }
    }
    return NULL;
}

/* The driver would complain of a VP that others suspend: @suspend. */
static const char *step(Vm *vm, pthread_t thread, unsigned what, bool suspend)
{
    RegValue on = { 1, 0 }, off = { 0, 0 };

    switch (what) {
    case 0:
        pthread_kill(thread, SIGUSR1);
        return "a signal";
    case 1:
        assert_interrupt(vm, 0, 0, 0, VECTOR);
        return "an interrupt";
    case 2:
        assert_interrupt(vm, NMI, 0, 0, 0);
        return "an NMI";
    case 3:
        if (!suspend) {
            return "nothing";
        }
        try_set_reg(vm, 0, R_EXPLICIT_SUSPEND, on);
        return "suspended";
    case 4:
        try_set_reg(vm, 0, R_EXPLICIT_SUSPEND, off);
        return "no longer suspended";
    case 5:
        try_set_reg(vm, 0, R_ACTIVITY, off);
        return "woken";
    case 6:
        try_get_reg(vm, 0, R_RIP, &on);
        return "a register is read";
    default:
        usleep(1000);
        return "nothing";
    }
}

int main(void)
{
    uint16_t vector[2] = { HANDLER, 0 };
    const char *what = "the start";
    unsigned i, n, seen_exits = 0, seed = 1, bad = 0;
    bool core;
    pthread_t thread;
    Vm vm;

    sigaction(SIGUSR1, &(struct sigaction) { .sa_handler = nothing }, NULL);
    vm_make(&vm, 1 << 20, 1);
    START16(&vm, 0, guest);
    vm_write(&vm, HANDLER, CODE_OF(handler));
    memcpy(vm.mem + VECTOR * 4, vector, sizeof(vector));
    memcpy(vm.mem + 2 * 4, vector, sizeof(vector));
    vp_lapic_at_es(&vm, 0);
    set_reg(&vm, 0, R_RSP, 0x8000);
    core = strncmp(counter("\"scheduler\""), ": \"core\"", 8) == 0;
    pthread_create(&thread, NULL, runner, &vm);
    for (i = 0; i < STEPS && !bad; i++) {
        what = step(&vm, thread, rand_r(&seed) % 8, core);
        bad = sscanf(counter("\"illegal-transitions\""), ": %u", &n) == 1
              ? n : ~0u;
    }
    seen_exits = __atomic_load_n(&exits, __ATOMIC_SEQ_CST);
    STORE(&ending, true);
    while (pthread_tryjoin_np(thread, NULL)) {
        pthread_kill(thread, SIGUSR1);
        usleep(10000);
    }
    is_u64(bad, 0, "no transition that must not happen (step %u, %s)", i,
           what);
    ok(seen_exits, "the VP went on all the time (%u exits)", seen_exits);
    vm_free(&vm);
    return done();
}
