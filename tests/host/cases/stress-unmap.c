/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that goes away and comes back under running VPs: by the region, and
 * by the kernel's own page reclaim. The guests see their own data or stop.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include "vm.h"

enum { VPS = 2, ROUNDS = 60, AREA = 0x400000, SIZE = 16 * PAGE };

/* ES at the area: writes to each of its 16 pages, for ever. */
GUEST16(guest,
    "1: inc %ebx\n xor %di, %di\n"
    "2: mov %ebx, %es:(%di)\n"
    "add $0x1000, %di\n jnz 2b\n"
    "lock incl 0x3000\n jmp 1b");

static Vm vm;
static uint8_t *area;
static bool stop, mapped;
static uint32_t others, waits, repairs, exits[VPS];
static Msg last[VPS];

static void *run(void *arg)
{
    unsigned vp = (uintptr_t)arg;
    Msg m;

    while (!LOAD(&stop)) {
        if (vp_run(&vm, vp, &m)) {
            continue;
        }
        last[vp] = m;
        __atomic_add_fetch(&exits[vp], 1, __ATOMIC_RELAXED);
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

static bool remap(void)
{
    bool good;

    STORE(&mapped, false);
    good = vm_unmap(&vm, AREA, area, SIZE) == 0 &&
           vm_map(&vm, AREA, area, SIZE, RAM_FLAGS) == 0;
    if (!good) {
        say("the area cannot be mapped again: %s", strerror(errno));
    }
    STORE(&mapped, true);
    return good;
}

/* The guests must get on; not for ever, and with a repair of the race. */
static bool wait_progress(void)
{
    uint32_t from = progress();
    double start = now(), asked = start;

    while (progress() == from && now() - start < 20) {
        if (now() - asked > 0.5) {
            asked = now();
            repairs++;
            if (!remap()) {
                break;
            }
        }
        sched_yield();
    }
    return progress() != from;
}

/* The guests stand still: say where. */
static void tell_state(void)
{
    unsigned vp;

    for (vp = 0; vp < VPS; vp++) {
        uint32_t before = LOAD(&exits[vp]);

        usleep(100 * 1000);
        say("VP %u: RIP 0x%llx DI 0x%llx, suspended: explicitly %llu, by "
            "intercept %llu; %u exits, %u in 0.1 s, the last 0x%x at 0x%llx",
            vp, (unsigned long long)get_reg(&vm, vp, R_RIP),
            (unsigned long long)get_reg(&vm, vp, R_RDI),
            (unsigned long long)get_reg(&vm, vp, R_EXPLICIT_SUSPEND) & 1,
            (unsigned long long)get_reg(&vm, vp, R_INTERCEPT_SUSPEND) & 1,
            before, LOAD(&exits[vp]) - before, last[vp].type,
            (unsigned long long)msg_gpa(&last[vp]));
    }
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
            tell_state();
            break;
        }
        if (n % 2) {
            madvise(area, SIZE, MADV_DONTNEED);
            moved++;
            continue;
        }
        if (!remap()) {
            break;
        }
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
    say("%u waits for memory, %u rounds of the guests, %u repairs", waits,
        progress(), repairs);
    vm_free(&vm);
    return done();
}
