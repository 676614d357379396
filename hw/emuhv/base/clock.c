/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: how fast the TSC is.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "hw/emuhv/base/base.h"

/* Shortest time between two samples that gives a good TSC frequency. */
#define TSC_SAMPLE_NS           (20 * SCALE_MS)

static int64_t tsc_start_ticks, tsc_start_ns;

void emuhv_clock_init(void)
{
    tsc_start_ns = get_clock();
    tsc_start_ticks = cpu_get_host_ticks();
}

/*
 * The guest's TSC runs at the rate of the host's, which is nowhere to read:
 * measure it between start-up and the first question.
 */
uint64_t emuhv_tsc_hz(void)
{
    static uint64_t hz;

    if (!hz) {
        int64_t ns = get_clock() - tsc_start_ns;

        if (ns < TSC_SAMPLE_NS) {
            g_usleep((TSC_SAMPLE_NS - ns) / SCALE_US);
        }
        ns = get_clock() - tsc_start_ns;
        hz = (cpu_get_host_ticks() - tsc_start_ticks) *
                       (double)NANOSECONDS_PER_SECOND / ns;
        hz -= hz % 1000;
    }
    return hz;
}
