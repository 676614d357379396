/*
 * What the kernel or the hypervisor refuses, and the VM goes on without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/error-report.h"
#include "refusal.h"

/* As statistics have them, and what becomes of it. */
static const struct {
    const char *name;
    const char *consequence;
} kinds[] = {
    [MSHV_REFUSED_MSI] = { "refused-msi", "the interrupt is lost" },
    [MSHV_REFUSED_SMI] = { "refused-smi",
        "there is no system management mode" },
    [MSHV_REFUSED_IRQFD] = { "refused-irqfd",
        "QEMU delivers its interrupts itself, more slowly" },
    [MSHV_REFUSED_ROUTES] = { "refused-routes",
        "QEMU delivers the interrupts itself, more slowly" },
    [MSHV_REFUSED_IOEVENTFD] = { "refused-ioeventfd",
        "QEMU takes such writes itself, more slowly" },
    [MSHV_REFUSED_MEMORY] = { "refused-memory",
        "QEMU makes the guest's accesses to it, more slowly" },
    [MSHV_REFUSED_TRACKING] = { "refused-tracking",
        "all pages count as written" },
};

static uint64_t counts[MSHV_REFUSED__MAX];

void mshv_refused(MshvRefusal kind, Error *err)
{
    QEMU_BUILD_BUG_ON(ARRAY_SIZE(kinds) != MSHV_REFUSED__MAX);
    if (qatomic_fetch_inc(&counts[kind]) == 0) {
        warn_report("mshv: %s; %s (more such are only counted, as %s)",
                    error_get_pretty(err), kinds[kind].consequence,
                    kinds[kind].name);
    }
    error_free(err);
}

const char *mshv_refusal_name(MshvRefusal kind)
{
    return kinds[kind].name;
}

uint64_t mshv_refusal_count(MshvRefusal kind)
{
    return qatomic_read(&counts[kind]);
}
