/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: options, counters, the way up.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/base/base.h"

EmuhvOptions emuhv_options = {
    .pool_size = 64,
    .odd_port = UINT32_MAX,
};

EmuhvCounters emuhv_counters;
EmuhvCallbacks emuhv_up;

static void count(GHashTable **table, uint32_t key)
{
    uint64_t *n;

    if (!*table) {
        *table = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
                                       g_free);
    }
    n = g_hash_table_lookup(*table, GUINT_TO_POINTER(key));
    if (!n) {
        n = g_new0(uint64_t, 1);
        g_hash_table_insert(*table, GUINT_TO_POINTER(key), n);
    }
    ++*n;
}

void emuhv_count_call(uint16_t code, uint16_t status)
{
    count(&emuhv_counters.calls, code);
    if (status != HV_STATUS_SUCCESS) {
        count(&emuhv_counters.call_errors, (uint32_t)code << 16 | status);
    }
}
