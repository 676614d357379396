/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes that are killed while their VPs run: nothing may remain. */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "vm.h"

enum { ROUNDS = 15, VPS = 2 };

GUEST16(guest, "1: incl 0x3000\n jmp 1b");

static Vm vm;

static void *run(void *vp)
{
    Msg m;

    for (;;) {
        vp_run(&vm, (uintptr_t)vp, &m);
    }
    return NULL;
}

static void child(int ready)
{
    pthread_t t;
    uintptr_t i;

    vm_make(&vm, 1 << 20, VPS);
    for (i = 0; i < VPS; i++) {
        START16(&vm, i, guest);
        pthread_create(&t, NULL, run, (void *)i);
    }
    while (LOAD((uint32_t *)(vm.mem + 0x3000)) < 1000) {
        usleep(1000);
    }
    if (write(ready, "r", 1) != 1) {
        _exit(1);
    }
    pause();
}

int main(void)
{
    unsigned i, killed = 0;
    int status, p[2];
    char c;
    pid_t pid;

    for (i = 0; i < ROUNDS; i++) {
        if (pipe(p) < 0) {
            give_up("pipe");
        }
        pid = fork();
        if (pid == 0) {
            child(p[1]);
        }
        close(p[1]);
        if (read(p[0], &c, 1) != 1) {
            break;
        }
        close(p[0]);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        killed += WIFSIGNALED(status);
    }
    is_u64(killed, ROUNDS, "all processes ran guests and were killed");
    return done();
}
