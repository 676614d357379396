/*
 * The guest's only program: show that user space runs on every processor and
 * that time passes, then power off.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Run on that processor and wait for its timer; false if that goes wrong. */
static int use_processor(int number)
{
    struct timespec tick = { .tv_nsec = 20000000 };
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(number, &set);
    return !sched_setaffinity(0, sizeof(set), &set) &&
           sched_getcpu() == number &&
           !clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
}

int main(void)
{
    int online = sysconf(_SC_NPROCESSORS_ONLN), usable = 0;
    struct utsname uts;

    for (int i = 0; i < 64; i++) {
        usable += use_processor(i);
    }
    uname(&uts);
    printf("user space of Linux %s: %d processors online, %d usable\n",
           uts.release, online, usable);
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
    return 1;
}
