/*
 * A process that looks like a QEMU with -accel mshv to those who read counters,
 * or like one that means harm.
 *
 * Usage: fake-vm NAME KIND [ARGUMENT]...: says "ready" and waits to be killed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "page.h"

static MshvCounters page;

/* Anything at all, all the time. */
static void scribble(MshvCounters *mapped)
{
    uint32_t *words = (uint32_t *)mapped;
    unsigned at;

    srandom(getpid());
    for (;;) {
        at = random() % (sizeof(*mapped) / sizeof(*words));
        if (random() % 4 == 0) {
            at %= sizeof(MshvVmCounters) / sizeof(*words);
        }
        words[at] = random() * 3;
        if (random() % 16 == 0) {
            memcpy(mapped, &page, sizeof(page.header));
        }
    }
}

/* As many as there is room for: what a guest tries that looks for holes. */
static void many_msrs(void)
{
    unsigned i;

    page.vm.other_msrs = 0;
    for (i = 0; i < MSHV_COUNTERS_MSRS; i++) {
        page.msrs[i] = (MshvMsrCounters) { .number = 0x10000 + i, .count = 1 };
    }
}

/* A virtual processor that exits all the time, and QEMU makes calls. */
static void count(MshvCounters *mapped)
{
    for (;;) {
        usleep(1000);
        __atomic_add_fetch(&mapped->vps[0].exits[0].count, 100,
                           __ATOMIC_RELAXED);
        __atomic_add_fetch(&mapped->calls[MSHV_CALL_SET_GUEST_MEMORY].made, 1,
                           __ATOMIC_RELAXED);
    }
}

int main(int argc, char **argv)
{
    const char *kind = argc > 2 ? argv[2] : "";
    MshvCounters *mapped;
    int fd;

    page_fill(&page, argc > 1 ? argv[1] : "");
    if (strcmp(kind, "stopped") == 0) {
        page.vm.state = MSHV_VM_INTERNAL_ERROR;
        page.vm.fallbacks[MSHV_FALLBACK_IRQFD] = 2;
        many_msrs();
    } else if (strcmp(kind, "incoming") == 0) {
        page.vm.flags |= MSHV_VM_FLAG_INCOMING;
    } else if (strcmp(kind, "not-ready") == 0) {
        page.header.magic = 0;
    } else if (strcmp(kind, "newer") == 0) {
        page.header.version = 2;
    } else if (strcmp(kind, "closed") == 0) {
        prctl(PR_SET_DUMPABLE, 0);      /* only root may look into it */
    }
    fd = page_memfd(&page, sizeof(page), strcmp(kind, "unsealed") != 0,
                    &mapped);
    if (fd < 0) {
        perror("fake-vm");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    if (strcmp(kind, "hostile") == 0) {
        scribble(mapped);
    } else if (strcmp(kind, "counting") == 0) {
        count(mapped);
    }
    for (;;) {
        pause();
    }
}
