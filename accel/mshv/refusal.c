/*
 * What the kernel or the hypervisor refuses, and the VM goes on without.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/error-report.h"
#include "counters.h"
#include "mshv/names.h"
#include "refusal.h"

/* What becomes of it. */
static const char *const consequences[MSHV_REFUSED__MAX] = {
    [MSHV_REFUSED_MSI] = "the interrupt is lost",
    [MSHV_REFUSED_SMI] = "there is no system management mode",
    [MSHV_REFUSED_IRQFD] =
        "QEMU delivers its interrupts itself, more slowly",
    [MSHV_REFUSED_ROUTES] =
        "QEMU delivers the interrupts itself, more slowly",
    [MSHV_REFUSED_IOEVENTFD] = "QEMU takes such writes itself, more slowly",
    [MSHV_REFUSED_MEMORY] =
        "QEMU makes the guest's accesses to it, more slowly",
    [MSHV_REFUSED_TRACKING] = "all pages count as written",
};

void mshv_refused(MshvRefusal kind, Error *err)
{
    if (qatomic_fetch_inc(&mshv_counters->vm.refused[kind]) == 0) {
        warn_report("mshv: %s; %s (more such are only counted, as refused-%s)",
                    error_get_pretty(err), consequences[kind],
                    mshv_refusal_names[kind]);
    }
    error_free(err);
}
