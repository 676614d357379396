/*
 * What the kernel or the hypervisor refuses, and the VM goes on without.
 *
 * A guest can make it happen as often as it likes, so each kind is told once
 * and then only counted, for query-stats.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_REFUSAL_H
#define ACCEL_MSHV_REFUSAL_H

#include "qapi/error.h"

typedef enum MshvRefusal {
    MSHV_REFUSED_MSI,
    MSHV_REFUSED_SMI,
    MSHV_REFUSED_IRQFD,
    MSHV_REFUSED_ROUTES,
    MSHV_REFUSED_IOEVENTFD,
    MSHV_REFUSED_MEMORY,
    MSHV_REFUSED_TRACKING,
    MSHV_REFUSED__MAX
} MshvRefusal;

/* Takes @err, which says what and why. Any thread. */
void mshv_refused(MshvRefusal kind, Error *err);

/* For statistics. */
const char *mshv_refusal_name(MshvRefusal kind);
uint64_t mshv_refusal_count(MshvRefusal kind);

#endif
