/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: CPUs of the parent come to be and are reset.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "mshv-compat/memory.h"
#include "hw/i386/e820_memory_layout.h"
#include "hw/emuhv/parent/parent-int.h"

/* The pages of SIMP and SIEFP that the hypervisor provides */
static void make_synic_pages(void)
{
    static MemoryRegion pages;
    uint64_t size = 2 * EMUHV_PAGE_SIZE * emuhv_parent.n_cpus;

    memory_region_init_ram(&pages, NULL, "emuhv.synic-pages", size,
                           &error_fatal);
    memory_region_add_subregion_overlap(get_system_memory(), PARENT_SYNIC_PAGES,
                                        &pages, 1);
    e820_add_entry(PARENT_SYNIC_PAGES, size, E820_RESERVED);
}

void emuhv_parent_init(void)
{
    CPUState *cs;

    QSIMPLEQ_INIT(&emuhv_parent.orphans);
    CPU_FOREACH(cs) {
        EmuhvParentCpu *pc = g_new0(EmuhvParentCpu, 1);

        pc->base.kind = EMUHV_CPU_PARENT;
        pc->base.cpu = X86_CPU(cs);
        pc->index = emuhv_parent.n_cpus;
        pc->ring_pending = g_array_new(false, false, sizeof(uint32_t));
        QSIMPLEQ_INIT(&pc->queue);
        emuhv_parent.cpus[emuhv_parent.n_cpus++] = pc;
        emuhv_parent_synic_init(pc);
        X86_CPU(cs)->emuhv = &pc->base;
    }
    make_synic_pages();
}

void emuhv_parent_cpu_reset(EmuhvParentCpu *pc)
{
    pc->vp_assist = 0;
    pc->call_queued = false;
    emuhv_parent_synic_reset(pc);
}

void emuhv_parent_reset(void)
{
    for (unsigned i = 0; i < emuhv_parent.n_cpus; i++) {
        emuhv_parent_cpu_reset(emuhv_parent.cpus[i]);
    }
    emuhv_parent_synic_drop_all();
    emuhv_parent.guest_os_id = 0;
    emuhv_parent.hypercall_msr = 0;
    emuhv_parent.tsc_control = 0;
    memset(emuhv_parent.crash, 0, sizeof(emuhv_parent.crash));
    emuhv_parent.epoch_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}
