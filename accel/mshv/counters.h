/*
 * The accelerator's counters, where others can read them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_COUNTERS_H
#define ACCEL_MSHV_COUNTERS_H

#include "mshv/counters.h"
#include "qemu/atomic.h"

/* Valid from mshv_counters_init() on. */
extern MshvCounters *mshv_counters;

/*
 * To be called before anything is counted. Where there can be no memfd it
 * warns, and only query-stats has the counters.
 */
void mshv_counters_init(void);

/* There is a VM: show it. */
void mshv_counters_publish(void);

/*
 * That it happened now, if it is the first time, which is the answer. @time is
 * one of the fields.
 */
bool mshv_counters_first(uint64_t *time);

/* For numbers that have one writer, or are written with the BQL. */
static inline void mshv_counters_add(uint64_t *counter, int64_t n)
{
    qatomic_set(counter, *counter + n);
}

/* All exits of a VP */
static inline uint64_t mshv_counters_exits(const MshvVpCounters *vp)
{
    uint64_t total = 0;
    unsigned i;

    for (i = 0; i < MSHV_COUNTERS_EXITS; i++) {
        total += qatomic_read(&vp->exits[i].count);
    }
    return total;
}

/* The number of cases in which QEMU does what the kernel does not. */
static inline void mshv_counters_fallback(MshvFallback which, uint64_t n)
{
    qatomic_set(&mshv_counters->vm.fallbacks[which], n);
}

#endif
