/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Partitions that come and go, in several processes at once, while VPs run. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "vm.h"

enum { PROCESSES = 4, ROUNDS = 10, VPS = 2 };

GUEST16(guest, "mov $100, %cx\n 1: out %al, $1\n loop 1b\n hlt");

/* One life of a partition; how it ends depends on the round. */
static bool round_trip(unsigned round)
{
    unsigned i, vp;
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, VPS);
    for (vp = 0; vp < VPS; vp++) {
        START16(&vm, vp, guest);
        for (i = 0; i < 10; i++) {
            if (vp_run(&vm, vp, &m) || m.type != MSG_IO_PORT) {
                return false;
            }
            vp_skip(&vm, vp, &m);
        }
    }
    if (round % 3) {
        vm_free(&vm);       /* else the end of the process has to do it */
    } else {
        close(vm.fd);       /* the VPs keep it for a while */
    }
    return true;
}

int main(void)
{
    unsigned i, n, good = 0;
    int status;

    for (i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            for (n = 0; n < ROUNDS; n++) {
                if (!round_trip(n)) {
                    _exit(1);
                }
            }
            _exit(0);
        }
    }
    while (wait(&status) > 0) {
        good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    is_u64(good, PROCESSES, "all processes made %u partitions each", ROUNDS);
    return done();
}
