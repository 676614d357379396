/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each processor, once started, notes how CPUID places it; the first one prints
 * "cpu NUMBER leaf.subleaf eax ebx ecx edx". Then it calls the others by an
 * interrupt, again and again, and counts at BOOT_COUNT how often all answered.
 */
#include "guest.h"

#define VECTOR          0x61

static const struct {
    uint32_t leaf, subleaf;
} leaves[] = {
    { 1, 0 }, { 0xb, 0 }, { 0xb, 1 }, { 0xb, 2 },
    { 0x1f, 0 }, { 0x1f, 1 }, { 0x1f, 2 }, { 0x1f, 3 },
};

static struct cpuid seen[MAX_CPUS][ARRAY_SIZE(leaves)];
static uint32_t noted, answers;

static void note(unsigned number)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(leaves); i++) {
        seen[number][i] = cpuid(leaves[i].leaf, leaves[i].subleaf);
    }
    __atomic_fetch_add(&noted, 1, __ATOMIC_SEQ_CST);
}

static void show(unsigned number)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(leaves); i++) {
        struct cpuid *c = &seen[number][i];

        if (leaves[i].leaf <= cpuid(0, 0).eax) {
            print("cpu %u %x.%u %x %x %x %x\n", number, leaves[i].leaf,
                  leaves[i].subleaf, c->eax, c->ebx, c->ecx, c->edx);
        }
    }
}

static void on_call(struct frame *f)
{
    __atomic_fetch_add(&answers, 1, __ATOMIC_SEQ_CST);
    write32(LAPIC + LAPIC_EOI, 0);
}

static void wait_for(uint32_t *what, uint32_t wanted)
{
    while (__atomic_load_n(what, __ATOMIC_SEQ_CST) < wanted) {
        pause();
    }
}

void guest_cpu(unsigned number)
{
    note(number);
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    for (;;) {
        asm volatile("sti; hlt");
    }
}

void guest_main(void)
{
    unsigned count, i, rounds;

    /* fw_cfg's key FW_CFG_NB_CPUS: CPUID counts only those of a package. */
    outw(0x510, 5);
    count = inb(0x511);
    count |= inb(0x511) << 8;
    trap_handlers[VECTOR] = on_call;
    note(0);
    if (count > 1) {
        start_cpus(count - 1);
    }
    wait_for(&noted, count);
    for (i = 0; i < count; i++) {
        show(i);
    }
    print("all %u\n", count);
    for (rounds = 1;; rounds++) {
        answers = 0;
        write32(LAPIC + LAPIC_ICR, 0xc4000 | VECTOR);
        wait_for(&answers, count - 1);
        write32(BOOT_COUNT, rounds);
    }
}
