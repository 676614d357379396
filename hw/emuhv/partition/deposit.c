/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: pages that the parent deposits.
 *
 * The emulator needs none of them; it keeps them as the real one would, refuses
 * a page that is deposited twice, and gives every page back.
 */
#include "qemu/osdep.h"
#include "hw/emuhv/partition/partition-int.h"

static uint64_t deposited;      /* pages in the deposits of children */

static void count(EmuhvPartition *p, int64_t n)
{
    if (p != emuhv_partitions.parent) {
        deposited += n;
    }
}

static void give_back(const uint64_t *pfns, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        emuhv_give_page_back(pfns[i]);
    }
}

uint16_t emuhv_deposit(EmuhvPartition *p, const uint64_t *pfns, unsigned n)
{
    EmuhvAccount *a = p->account;

    for (unsigned i = 0; i < n; i++) {
        if (pfns[i] >> (52 - EMUHV_PAGE_BITS) ||
            !emuhv_ram_valid(pfns[i] << EMUHV_PAGE_BITS, EMUHV_PAGE_SIZE) ||
            !emuhv_take_page(pfns[i])) {
            give_back(pfns, i);
            return HV_STATUS_INVALID_PARAMETER;
        }
    }
    emuhv_pages_taken();
    g_array_append_vals(a->deposit, pfns, n);
    count(p, n);
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
    give_back(pfns, n);
    count(p, -(int64_t)n);
    g_array_set_size(deposit, len - n);
    trace_emuhv_withdraw(p->id, n, deposit->len);
    return n;
}

void emuhv_deposit_forget(EmuhvPartition *p)
{
    GArray *deposit = p->account->deposit;

    give_back((uint64_t *)deposit->data, deposit->len);
    count(p, -(int64_t)deposit->len);
    g_array_set_size(deposit, 0);
}

uint64_t emuhv_deposited(void)
{
    return deposited;
}
