/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that goes away and comes back under running VPs: by the region, and
 * by the kernel's own page reclaim. The guests see their own data or stop.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include "vm.h"

enum { VPS = 2, ROUNDS = 60, AREA = 0x400000, SIZE = 16 * PAGE };

/* ES at the area: writes to each of its 16 pages, for ever. */
GUEST16(guest,
    "1: inc %ebx\n xor %di, %di\n"
    "2: mov %ebx, %es:(%di)\n"
    "add $0x1000, %di\n jnz 2b\n"
    "incl 0x3000\n jmp 1b");

static Vm vm;
static uint8_t *area;
static bool stop, mapped;
static uint32_t others, waits;

static void *run(void *arg)
{
    unsigned vp = (uintptr_t)arg;
    Msg m;

    while (!LOAD(&stop)) {
        if (vp_run(&vm, vp, &m)) {
            continue;
        }
        if (m.type != MSG_UNMAPPED_GPA && m.type != MSG_GPA_INTERCEPT) {
            __atomic_add_fetch(&others, 1, __ATOMIC_RELAXED);
            say("VP %u: message 0x%x", vp, m.type);
            break;
        }
        while (!LOAD(&mapped) && !LOAD(&stop)) {
            __atomic_add_fetch(&waits, 1, __ATOMIC_RELAXED);
            sched_yield();
        }
    }
    return NULL;
}

static uint32_t progress(void)
{
    return LOAD((uint32_t *)(vm.mem + 0x3000));
}

/* The guests must get on; not for ever. */
static bool wait_progress(void)
{
    uint32_t from = progress();
    double start = now();

    while (progress() == from && now() - start < 10) {
        sched_yield();
    }
    return progress() != from;
}

int main(void)
{
    pthread_t threads[VPS];
    unsigned i, n, moved = 0;

    vm_make(&vm, 1 << 20, VPS);
    area = anon(SIZE);
    if (vm_map(&vm, AREA, area, SIZE, RAM_FLAGS) < 0) {
        give_up("the area does not map");
    }
    mapped = true;
    for (i = 0; i < VPS; i++) {
        START16(&vm, i, guest);
        if (try_set_reg(&vm, i, R_ES, segment(AREA, 0xffff, 0, ATTR_DATA16))) {
            give_up("ES cannot be set");
        }
        pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
    }
    for (n = 0; n < ROUNDS; n++) {
        if (!wait_progress()) {
            break;
        }
        if (n % 2) {
            madvise(area, SIZE, MADV_DONTNEED);
            moved++;
            continue;
        }
        STORE(&mapped, false);
        if (vm_unmap(&vm, AREA, area, SIZE) < 0) {
            say("round %u: unmap: %s", n, strerror(errno));
            break;
        }
        if (vm_map(&vm, AREA, area, SIZE, RAM_FLAGS) < 0) {
            say("round %u: map: %s", n, strerror(errno));
            break;
        }
        STORE(&mapped, true);
        moved++;
    }
    is_u64(moved, ROUNDS, "the guests went on after every change");
    is_u64(others, 0, "no other message came");
    STORE(&stop, true);
    for (i = 0; i < VPS; i++) {
        alarm_ms(1);
        pthread_kill(threads[i], SIGALRM);
    }
    for (i = 0; i < VPS; i++) {
        while (pthread_tryjoin_np(threads[i], NULL)) {
            pthread_kill(threads[i], SIGALRM);
        }
    }
    alarm_ms(0);
    say("%u waits for memory, %u rounds of the guests", waits, progress());
    vm_free(&vm);
    return done();
}
