/*
 * What the numbers in the counters are called.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "names.h"

const char *const fallback_names[MSHV_FALLBACK__MAX] = {
    [MSHV_FALLBACK_IOEVENTFD] = "ioeventfd",
    [MSHV_FALLBACK_IRQFD] = "irqfd",
    [MSHV_FALLBACK_DIRTY_LOG] = "dirty-log",
    [MSHV_FALLBACK_CLOCK] = "clock",
};

const char *const state_names[MSHV_VM__MAX] = {
    [MSHV_VM_PRELAUNCH] = "prelaunch",
    [MSHV_VM_RUNNING] = "running",
    [MSHV_VM_PAUSED] = "paused",
    [MSHV_VM_MIGRATING] = "migrating",
    [MSHV_VM_SUSPENDED] = "suspended",
    [MSHV_VM_SHUTDOWN] = "shutdown",
    [MSHV_VM_GUEST_PANICKED] = "guest-panicked",
    [MSHV_VM_INTERNAL_ERROR] = "internal-error",
    [MSHV_VM_IO_ERROR] = "io-error",
    [MSHV_VM_OTHER] = "other",
};

_Static_assert(MSHV_EXIT_KINDS < SNAPSHOT_KINDS, "other is behind them");

const char *exit_name(unsigned kind)
{
    return kind < MSHV_EXIT_KINDS ? mshv_exit_kinds[kind].name
                                  : kind == MSHV_EXIT_KINDS ? "other" : NULL;
}

unsigned exit_kind_of_type(uint32_t type)
{
    unsigned i;

    for (i = 0; i < MSHV_EXIT_KINDS && mshv_exit_kinds[i].type != type; i++) {
        ;
    }
    return i;
}
