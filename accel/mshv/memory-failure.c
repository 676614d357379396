/*
 * The host's memory breaks: SIGBUS, early for what nobody has touched yet, and
 * at once for what somebody must have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/qapi-events-run-state.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "exec/cpu-common.h"
#include "mshv-compat/memory.h"
#include "system/reset.h"
#include "arch.h"
#include "memory.h"
#include "mshv/mshv.h"

/* Broken pages, to be replaced when a reset makes their contents worthless. */
static GArray *broken;          /* of ram_addr_t */

static void replace(void *opaque)
{
    guint i;

    for (i = 0; i < broken->len; i++) {
        qemu_ram_remap(g_array_index(broken, ram_addr_t, i));
    }
    g_array_set_size(broken, 0);
}

static void remember(ram_addr_t addr)
{
    guint i;

    if (!broken) {
        broken = g_array_new(false, false, sizeof(addr));
        qemu_register_reset(replace, NULL);
    }
    for (i = 0; i < broken->len; i++) {
        if (g_array_index(broken, ram_addr_t, i) == addr) {
            return;
        }
    }
    g_array_append_val(broken, addr);
}

static void tell(MemoryFailureAction action, bool required)
{
    MemoryFailureFlags flags = { .action_required = required };

    qapi_event_send_memory_failure(MEMORY_FAILURE_RECIPIENT_HYPERVISOR, action,
                                   &flags);
}

bool mshv_memory_failed(CPUState *cpu, hwaddr gpa, void *host, bool required)
{
    ram_addr_t addr = qemu_ram_addr_from_host(host);

    if (addr != RAM_ADDR_INVALID) {
        remember(addr);
    }
    if (mshv_arch_machine_check(cpu, gpa, required)) {
        return true;
    }
    tell(required ? MEMORY_FAILURE_ACTION_FATAL : MEMORY_FAILURE_ACTION_IGNORE,
         required);
    return false;
}

/* In the main loop: a page is broken that QEMU has mapped. */
static void early_notice(void *host)
{
    MshvRegion region;
    hwaddr gpa;

    if (!mshv_memory_find_host((uintptr_t)host, &region)) {
        warn_report("mshv: the host's memory is broken at QEMU's address %p",
                    host);
        tell(MEMORY_FAILURE_ACTION_IGNORE, false);
        return;
    }
    gpa = region.gpa + ((uintptr_t)host - region.hva);
    warn_report("mshv: the host's memory is broken at the guest's address "
                "0x%" HWADDR_PRIx, gpa);
    mshv_memory_failed(first_cpu, gpa, host, false);
}

/*
 * SIGBUS is blocked but in vCPU threads; the main loop gets it from a
 * descriptor. Whoever must have the page dies of it, but not in silence; there,
 * only what is safe in a signal's handler may be called.
 */
bool mshv_sigbus(int code, void *host)
{
    if (code == BUS_MCEERR_AO) {
        if (bql_locked()) {
            early_notice(host);
        }
        return true;
    }
    dprintf(STDERR_FILENO, "mshv: QEMU itself needs the memory at its address "
            "%p, and the host cannot give it: %s\n", host,
            code == BUS_MCEERR_AR ? "it is broken"
            : "no huge page is left, or a file is too short");
    return false;
}
