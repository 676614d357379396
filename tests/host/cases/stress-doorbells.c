/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A storm of doorbells from two VPs: the last ring of each must arrive. */
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "vm.h"

enum { VPS = 2, BELLS = 8, ROUNDS = 4000, BASE = 0x500000 };

/* Rings all bells in turn, CX times; then says so. */
GUEST16(guest,
    "mov $4000, %cx\n"
    "1: movl $1, %es:0\n movl $1, %es:0x1000\n movl $1, %es:0x2000\n"
    "movl $1, %es:0x3000\n movl $1, %es:0x4000\n movl $1, %es:0x5000\n"
    "movl $1, %es:0x6000\n movl $1, %es:0x7000\n loop 1b\n"
    "out %al, $1");

static Vm vm;
static Msg msgs[VPS];
static int rets[VPS];

static void start(unsigned vp)
{
    START16(&vm, vp, guest);
    if (try_set_reg(&vm, vp, R_ES, segment(BASE, 0xffff, 0, ATTR_DATA16))) {
        give_up("ES cannot be set");
    }
}

static void *run(void *arg)
{
    uintptr_t vp = (uintptr_t)arg;

    rets[vp] = vp_run(&vm, vp, &msgs[vp]);
    return NULL;
}

int main(void)
{
    pthread_t threads[VPS];
    int fds[BELLS];
    uint64_t n, total[BELLS] = { 0 };
    unsigned i, k;

    vm_make(&vm, 1 << 20, VPS);
    for (i = 0; i < BELLS; i++) {
        struct mshv_user_ioeventfd args = {
            .addr = BASE + i * PAGE, .len = 4,
            .fd = fds[i] = eventfd(0, EFD_NONBLOCK),
        };

        if (ioctl(vm.fd, MSHV_IOEVENTFD, &args) < 0) {
            give_up("MSHV_IOEVENTFD: %s", strerror(errno));
        }
    }
    for (i = 0; i < VPS; i++) {
        start(i);
        pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
    }
    for (i = 0; i < VPS; i++) {
        pthread_join(threads[i], NULL);
        ok(rets[i] == 0 && msgs[i].type == MSG_IO_PORT,
           "VP %u rang to the end (returned %d, message 0x%x)", i, rets[i],
           msgs[i].type);
    }
    usleep(200 * 1000);
    for (k = 0; k < BELLS; k++) {
        eventfd_read(fds[k], &total[k]);
        ok(total[k] > 0, "bell %u rang (%llu of %u times seen)", k,
           (unsigned long long)total[k], VPS * ROUNDS);
        ok(total[k] <= VPS * ROUNDS, "bell %u not more often than that", k);
    }
    /* After the storm, one ring is one signal. */
    start(0);
    set_reg(&vm, 0, R_RCX, 1);
    set_reg(&vm, 0, R_RIP, CODE + 3);
    run(NULL);
    usleep(200 * 1000);
    for (k = 0; k < BELLS; k++) {
        n = 0;
        eventfd_read(fds[k], &n);
        is_u64(n, 1, "bell %u is still in order", k);
    }
    vm_free(&vm);
    return done();
}
