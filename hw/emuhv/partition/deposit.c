/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: pages that the parent deposits.
 *
 * The emulator needs none of them; it keeps them as the real one would, refuses
 * a page that is deposited twice, and gives every page back.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/partition/partition-int.h"

static GHashTable *deposited;   /* page numbers in any deposit (set) */

static void undo(const uint64_t *pfns, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_hash_table_remove(deposited, &pfns[i]);
    }
}

uint16_t emuhv_deposit(EmuhvPartition *p, const uint64_t *pfns, unsigned n)
{
    EmuhvAccount *a = p->account;

    if (!deposited) {
        deposited = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                          NULL);
    }
    for (unsigned i = 0; i < n; i++) {
        if (pfns[i] >> (52 - EMUHV_PAGE_BITS) ||
            !emuhv_ram_valid(pfns[i] << EMUHV_PAGE_BITS, EMUHV_PAGE_SIZE) ||
            !g_hash_table_add(deposited,
                              g_memdup2(&pfns[i], sizeof(pfns[i])))) {
            undo(pfns, i);
            return HV_STATUS_INVALID_PARAMETER;
        }
    }
    g_array_append_vals(a->deposit, pfns, n);
    a->peak_deposit = MAX(a->peak_deposit, a->deposit->len);
    trace_emuhv_deposit(p->id, n, a->deposit->len);
    return HV_STATUS_SUCCESS;
}

unsigned emuhv_withdraw(EmuhvPartition *p, uint64_t *pfns, unsigned n)
{
    GArray *deposit = p->account->deposit;
    unsigned len = deposit->len;

    n = MIN(n, len);
    memcpy(pfns, &g_array_index(deposit, uint64_t, len - n),
           n * sizeof(*pfns));
    undo(pfns, n);
    g_array_set_size(deposit, len - n);
    trace_emuhv_withdraw(p->id, n, deposit->len);
    return n;
}

void emuhv_deposit_forget(EmuhvPartition *p)
{
    GArray *deposit = p->account->deposit;

    undo((uint64_t *)deposit->data, deposit->len);
    g_array_set_size(deposit, 0);
}

uint64_t emuhv_deposited(void)
{
    return deposited ? g_hash_table_size(deposited) : 0;
}
