/*
 * In the small guest: work that looks at itself, for as long as the guest
 * lives. On each processor memory is changed and read again, a timer waits, and
 * a token goes round all of them by interrupts; blocks of a disk are written
 * and read again.
 *
 * /tmp/load says how often each piece of work was done, and what was wrong.
 * When there is a file /tmp/stop, no more is changed; it does not end, because
 * the end of a child would end busybox's shell.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS    64
#define PAGE        4096
#define LINE        64          /* bytes: one word in each is looked at */
#define BLOCK       16384       /* of the disk */
#define BLOCKS      16
#define SECOND      1000000000ll

enum { MEMORY, TIMER, TOKEN, KINDS };

static const char *const kinds[] = { "memory", "timer", "token" };

static unsigned long counts[KINDS][MAX_CPUS], disk_count, error_count, resting;
static int stop;
static char first_error[256] = "none";
static pthread_mutex_t error_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t clock_lock = PTHREAD_MUTEX_INITIALIZER;
static int cpus, pipes[MAX_CPUS][2];
static size_t pages;            /* of each processor */
static const char *disk;

__attribute__((format(printf, 1, 2)))
static void error(const char *format, ...)
{
    va_list args;

    pthread_mutex_lock(&error_lock);
    if (!error_count++) {
        va_start(args, format);
        vsnprintf(first_error, sizeof(first_error), format, args);
        va_end(args);
    }
    pthread_mutex_unlock(&error_lock);
}

static void count(unsigned long *what)
{
    __atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

static int64_t read_clock(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* On whatever processor: each reading is behind those before. */
static void check_clocks(void)
{
    static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_BOOTTIME };
    static int64_t last[2];
    unsigned i;

    for (i = 0; i < 2; i++) {
        int64_t now;

        pthread_mutex_lock(&clock_lock);
        now = read_clock(clocks[i]);
        if (now < last[i]) {
            error("clock %u goes back by %lld ns", i,
                  (long long)(last[i] - now));
        }
        last[i] = now;
        pthread_mutex_unlock(&clock_lock);
    }
}

static void run_on(long cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (p == MAP_FAILED) {
        perror("load: memory");
        exit(1);
    }
    return p;
}

static uint64_t stamp(uint64_t pass, size_t page, size_t at)
{
    return (pass + 1) * 0x9e3779b97f4a7c15 ^ page << 20 ^ at;
}

static void write_stamps(char *page, uint64_t pass, size_t number)
{
    size_t at;

    for (at = 0; at < PAGE; at += LINE) {
        __atomic_store_n((uint64_t *)(page + at), stamp(pass, number, at),
                         __ATOMIC_RELAXED);
    }
}

static void check_stamps(const char *page, uint64_t pass, size_t number,
                         const char *what)
{
    size_t at;

    for (at = 0; at < PAGE; at += LINE) {
        uint64_t seen = __atomic_load_n((const uint64_t *)(page + at),
                                        __ATOMIC_RELAXED);

        if (seen != stamp(pass, number, at)) {
            error("%s: pass %llu, page %zu + %zu: 0x%llx, wanted 0x%llx", what,
                  (unsigned long long)pass, number, at,
                  (unsigned long long)seen,
                  (unsigned long long)stamp(pass, number, at));
            return;
        }
    }
}

/* Other processors must let go of what is unmapped, and hear of barriers. */
static void interrupt_others(char *page)
{
    __atomic_store_n(page, 1, __ATOMIC_RELAXED);
    madvise(page, PAGE, MADV_DONTNEED);
    if (__atomic_load_n(page, __ATOMIC_RELAXED)) {
        error("a page that was given back is still there");
    }
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

/* The processor's own registers: always the same sum. */
static void check_sum(void)
{
    static const double wanted = 19.05488868553155;
    double a[4] = { 1, 1, 1, 1 };
    int i;

    for (i = 1; i < 400; i++) {
        a[i & 3] += a[(i + 1) & 3] / i;
    }
    if (a[0] + a[1] + a[2] + a[3] != wanted) {
        error("the sum is %a", a[0] + a[1] + a[2] + a[3]);
    }
}

/* Done with a pass: go on, unless it is enough. */
static void rest(void)
{
    if (__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        count(&resting);
        for (;;) {
            pause();
        }
    }
}

static void *change_memory(void *opaque)
{
    long cpu = (long)opaque;
    char *area = map(pages * PAGE), *extra = map(PAGE);
    uint64_t pass;
    size_t i;

    run_on(cpu);
    for (i = 0; i < pages; i++) {
        write_stamps(area + i * PAGE, 0, i);
    }
    for (pass = 0;; pass++) {
        for (i = 0; i < pages; i++) {
            check_stamps(area + i * PAGE, pass, i, "memory");
            write_stamps(area + i * PAGE, pass + 1, i);
        }
        interrupt_others(extra);
        check_clocks();
        check_sum();
        usleep(1000);
        count(&counts[MEMORY][cpu]);
        rest();
    }
    return NULL;
}

static void *wait_for_timers(void *opaque)
{
    long cpu = (long)opaque;

    run_on(cpu);
    for (;;) {
        int64_t end = read_clock(CLOCK_MONOTONIC) + SECOND / 200;
        struct timespec t = { end / SECOND, end % SECOND };

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        if (read_clock(CLOCK_MONOTONIC) < end) {
            error("a timer is early");
        }
        count(&counts[TIMER][cpu]);
    }
    return NULL;
}

static void *pass_token(void *opaque)
{
    long cpu = (long)opaque;
    uint64_t token;

    run_on(cpu);
    for (;;) {
        if (read(pipes[cpu][0], &token, sizeof(token)) != sizeof(token) ||
            token % cpus != (uint64_t)cpu) {
            error("token %llu comes to processor %ld",
                  (unsigned long long)token, cpu);
        }
        count(&counts[TOKEN][cpu]);
        if (token % 64 == 0) {
            usleep(2000);       /* let others idle, too */
        }
        token++;
        if (write(pipes[token % cpus][1], &token, sizeof(token)) < 0) {
            error("the token is lost: %s", strerror(errno));
        }
    }
    return NULL;
}

static void move_block(int fd, char *buffer, int block, int do_write)
{
    off_t at = (off_t)block * BLOCK;
    ssize_t done = do_write ? pwrite(fd, buffer, BLOCK, at)
                            : pread(fd, buffer, BLOCK, at);

    if (done != BLOCK) {
        error("%s block %d: %s", do_write ? "write" : "read", block,
              done < 0 ? strerror(errno) : "not all of it");
    }
}

static void *use_disk(void *opaque)
{
    int fd = open(disk, O_RDWR | O_DIRECT), block, i;
    char *buffer = map(BLOCK);
    uint64_t pass;

    (void)opaque;
    if (fd < 0) {
        error("%s: %s", disk, strerror(errno));
        return NULL;
    }
    for (pass = 0;; pass++) {
        for (block = 0; block < BLOCKS; block++) {
            if (pass) {
                move_block(fd, buffer, block, 0);
                for (i = 0; i < BLOCK / PAGE; i++) {
                    check_stamps(buffer + i * PAGE, pass - 1, block, "disk");
                }
            }
            for (i = 0; i < BLOCK / PAGE; i++) {
                write_stamps(buffer + i * PAGE, pass, block);
            }
            move_block(fd, buffer, block, 1);
        }
        count(&disk_count);
        rest();
    }
    return NULL;
}

static void start(void *(*work)(void *), long cpu)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, work, (void *)cpu)) {
        fprintf(stderr, "load: no thread\n");
        exit(1);
    }
}

static void report(void)
{
    FILE *f = fopen("/tmp/load.new", "w");
    int kind, cpu;

    if (!f) {
        return;
    }
    for (kind = 0; kind < KINDS; kind++) {
        for (cpu = 0; cpu < cpus; cpu++) {
            fprintf(f, "%s-%d %lu\n", kinds[kind], cpu, counts[kind][cpu]);
        }
    }
    if (disk) {
        fprintf(f, "disk %lu\n", disk_count);
    }
    fprintf(f, "resting %lu\n", resting);
    pthread_mutex_lock(&error_lock);
    fprintf(f, "errors %lu %s\n", error_count, first_error);
    pthread_mutex_unlock(&error_lock);
    fclose(f);
    rename("/tmp/load.new", "/tmp/load");
}

int main(int argc, char **argv)
{
    uint64_t token = 0;
    long cpu;

    cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (argc < 2 || cpus > MAX_CPUS) {
        fprintf(stderr, "Usage: load MIB-PER-CPU [DISK]\n");
        return 2;
    }
    pages = atoi(argv[1]) * ((1 << 20) / PAGE);
    disk = argv[2];
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    for (cpu = 0; cpu < cpus; cpu++) {
        if (pipe(pipes[cpu]) < 0) {
            perror("load: pipe");
            return 1;
        }
    }
    for (cpu = 0; cpu < cpus; cpu++) {
        start(change_memory, cpu);
        start(wait_for_timers, cpu);
        start(pass_token, cpu);
    }
    if (disk) {
        start(use_disk, 0);
    }
    if (write(pipes[0][1], &token, sizeof(token)) < 0) {
        perror("load: token");
    }
    for (;;) {
        report();
        usleep(100000);
        __atomic_store_n(&stop, !access("/tmp/stop", F_OK), __ATOMIC_RELAXED);
    }
}
