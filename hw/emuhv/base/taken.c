/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: pages of the parent that are the hypervisor's
 * for now, and no longer the parent's.
 *
 * A real one maps them out of the parent. Here they stay, and who fills a TLB
 * entry for one is found out.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/lockable.h"
#include "mshv-compat/translation.h"
#include "hw/emuhv/base/base.h"

/* More need not be told of. */
#define MAX_REPORTS 8

static QemuMutex lock;          /* a leaf: CPUs take it inside TCG */
static GHashTable *taken;       /* page numbers (set) */
static uint64_t touched;

void emuhv_taken_init(void)
{
    qemu_mutex_init(&lock);
    taken = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
}

static void flush_work(CPUState *cs, run_on_cpu_data data)
{
    tlb_flush(cs);
}

/* The parent's CPUs shall come here with their next access. */
static void forget_translations(void)
{
    CPUState *cs;

    CPU_FOREACH(cs) {
        EmuhvCpu *cpu = X86_CPU(cs)->emuhv;

        if (cpu && cpu->kind == EMUHV_CPU_PARENT) {
            async_run_on_cpu(cs, flush_work, RUN_ON_CPU_NULL);
        }
    }
}

bool emuhv_take_page(uint64_t pfn)
{
    QEMU_LOCK_GUARD(&lock);
    return g_hash_table_add(taken, g_memdup2(&pfn, sizeof(pfn)));
}

void emuhv_pages_taken(void)
{
    if (emuhv_answers(EMUHV_OWNS_DEPOSITS)) {
        forget_translations();
    }
}

void emuhv_give_page_back(uint64_t pfn)
{
    QEMU_LOCK_GUARD(&lock);
    g_hash_table_remove(taken, &pfn);
}

void emuhv_check_taken(vaddr gva, hwaddr pa)
{
    uint64_t pfn = pa >> EMUHV_PAGE_BITS;

    QEMU_LOCK_GUARD(&lock);
    if (g_hash_table_contains(taken, &pfn) && ++touched <= MAX_REPORTS) {
        warn_report("emuhv: the parent touches a page that it has deposited: "
                    "physical address 0x%" HWADDR_PRIx ", linear 0x%"
                    VADDR_PRIx, pa, gva);
    }
}

uint64_t emuhv_taken_touched(void)
{
    QEMU_LOCK_GUARD(&lock);
    return touched;
}
