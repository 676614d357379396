/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For LD_PRELOAD: SIGUSR2 becomes the SIGBUS by which the kernel says early
 * that memory is broken, at the address in the file that BROKEN_ADDRESS names.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void on_signal(int sig)
{
    siginfo_t info = { .si_signo = SIGBUS, .si_code = BUS_MCEERR_AO };
    char text[32] = "";
    int fd;

    /* Only a thread itself may send itself what is the kernel's. */
    if (gettid() != getpid()) {
        syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2);
        return;
    }
    fd = open(getenv("BROKEN_ADDRESS"), O_RDONLY);
    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0) {
        sscanf(text, "%p", &info.si_addr);
        syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGBUS, &info);
    }
    close(fd);
}

static void __attribute__((constructor)) set_up(void)
{
    struct sigaction action = { .sa_handler = on_signal };

    sigaction(SIGUSR2, &action, NULL);
}
