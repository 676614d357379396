/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: pages that the parent deposits.
 *
 * The emulator needs none of them; it keeps them as the real one would, refuses
 * a page that is deposited twice, and gives every page back.
 */
#include "qemu/osdep.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/emuhv.h"
#include "hw/emuhv/trace.h"

static void undo(const uint64_t *pfns, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_hash_table_remove(emuhv.deposited, &pfns[i]);
    }
}

uint16_t emuhv_deposit(EmuhvPartition *p, const uint64_t *pfns, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (pfns[i] >> (52 - EMUHV_PAGE_BITS) ||
            !emuhv_ram_valid(pfns[i] << EMUHV_PAGE_BITS, EMUHV_PAGE_SIZE) ||
            !g_hash_table_add(emuhv.deposited,
                              g_memdup2(&pfns[i], sizeof(pfns[i])))) {
            undo(pfns, i);
            return HV_STATUS_INVALID_PARAMETER;
        }
    }
    g_array_append_vals(p->deposit, pfns, n);
    p->peak_deposit = MAX(p->peak_deposit, p->deposit->len);
    trace_emuhv_deposit(p->id, n, p->deposit->len);
    return HV_STATUS_SUCCESS;
}

unsigned emuhv_withdraw(EmuhvPartition *p, uint64_t *pfns, unsigned n)
{
    unsigned len = p->deposit->len;

    n = MIN(n, len);
    memcpy(pfns, &g_array_index(p->deposit, uint64_t, len - n),
           n * sizeof(*pfns));
    undo(pfns, n);
    g_array_set_size(p->deposit, len - n);
    trace_emuhv_withdraw(p->id, n, p->deposit->len);
    return n;
}

void emuhv_deposit_forget(EmuhvPartition *p)
{
    undo((uint64_t *)p->deposit->data, p->deposit->len);
    g_array_set_size(p->deposit, 0);
}
