/*
 * In a Linux guest: N times the same, so that what it takes can be counted.
 * All processors but the first are busy in this program.
 *
 *   events nothing|flush|ipi|timer N
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS    64
#define TIMER_NS    2000000     /* the kernel's tick is as long, or longer */

static unsigned counts[MAX_CPUS][16];   /* a cache line for each */
static long cpus;
static char *page;

static void run_on(long cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static void *be_busy(void *opaque)
{
    long cpu = (long)opaque;

    run_on(cpu);
    for (;;) {
        __atomic_fetch_add(&counts[cpu][0], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Until each of the others has been in the program just now */
static void see_them_busy(void)
{
    long cpu;

    for (cpu = 1; cpu < cpus; cpu++) {
        unsigned before = __atomic_load_n(&counts[cpu][0], __ATOMIC_RELAXED);

        while (__atomic_load_n(&counts[cpu][0], __ATOMIC_RELAXED) == before) {
            asm volatile("pause" : : : "memory");
        }
    }
}

/* All others must forget where the page was. */
static void flush(void)
{
    __atomic_store_n(page, 1, __ATOMIC_RELAXED);
    madvise(page, 4096, MADV_DONTNEED);
}

static void ipi(void)
{
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

static void timer(void)
{
    const struct timespec t = { 0, TIMER_NS };

    nanosleep(&t, NULL);
}

static void nothing(void)
{
}

static const struct {
    const char *name;
    void (*once)(void);
} kinds[] = {
    { "nothing", nothing }, { "flush", flush }, { "ipi", ipi },
    { "timer", timer },
};

int main(int argc, char **argv)
{
    pthread_t thread;
    long cpu;
    unsigned i;
    int n;

    cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (argc != 3 || cpus > MAX_CPUS) {
        return 2;
    }
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED ||
        syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
                0)) {
        perror("events");
        return 1;
    }
    run_on(0);
    for (cpu = 1; cpu < cpus; cpu++) {
        if (pthread_create(&thread, NULL, be_busy, (void *)cpu)) {
            return 1;
        }
    }
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcmp(argv[1], kinds[i].name)) {
            for (n = atoi(argv[2]); n > 0; n--) {
                see_them_busy();
                kinds[i].once();
            }
            puts("done");
            fflush(stdout);
            _exit(0);
        }
    }
    return 2;
}
