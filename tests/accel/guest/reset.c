/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After each start all processors are as the manuals say; then everything is
 * changed, and the machine reset, in one way after the other.
 */
#include "guest.h"

#ifndef BOOTS
#define BOOTS           20
#endif
/* Memory that is not the compiler's */
#define COUNT           (*(volatile uint32_t *)BOOT_COUNT)
/* as above */
#define AT_RESET        ((volatile uint32_t *)RESET_REGS)
#define VECTOR          0x61

static bool good;
static unsigned cpu_count;
/* How many processors are done */
static volatile uint32_t checked, dirty_now;

static void want(const char *name, unsigned cpu, uint64_t got, uint64_t wanted)
{
    if (got != wanted) {
        print("# processor %u, %s: 0x%lx, wanted 0x%lx\n", cpu, name, got,
              wanted);
        good = false;
    }
}

/* What rom.S found, in its order. */
static void check_first_registers(void)
{
    static const char *const names[] = {
        "EAX", "EBX", "ECX", "ESP", "EBP", "ESI", "EDI"
    };
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(names); i++) {
        want(names[i], 0, AT_RESET[i], 0);
    }
    want("EDX: family", 0, AT_RESET[7] & 0xfffffff0,
         cpuid(1, 0).eax & 0xfffffff0);
    want("CR0", 0, AT_RESET[8], 0x60000010);
    want("CR2", 0, AT_RESET[9], 0);
    want("CR3", 0, AT_RESET[10], 0);
    want("CR4", 0, AT_RESET[11], 0);
    want("EFER", 0, AT_RESET[12], 0);
}

static void check_vectors(unsigned cpu)
{
    static uint8_t area[512] __attribute__((aligned(16)));
    unsigned i;

    asm volatile("fxsave %0" : "=m"(area));
    /* The processor would have 0x40; QEMU starts so. */
    want("FCW", cpu, area[0] | area[1] << 8, 0x37f);
    want("FSW", cpu, area[2] | area[3] << 8, 0);
    want("MXCSR", cpu, area[24] | area[25] << 8, 0x1f80);
    for (i = 160; i < 160 + 256; i++) {
        if (area[i]) {
            want("XMM registers", cpu, area[i], 0);
            break;
        }
    }
}

static void check_lapic(unsigned cpu)
{
    unsigned i;

    want("APIC base", cpu, rdmsr(0x1b), 0xfee00800 | (cpu ? 0 : 0x100));
    want("TPR", cpu, read32(LAPIC + LAPIC_TPR), 0);
    want("LDR", cpu, read32(LAPIC + 0xd0), 0);
    want("DFR", cpu, read32(LAPIC + 0xe0), 0xffffffff);
    want("LVT timer", cpu, read32(LAPIC + LAPIC_LVT_TIMER), 0x10000);
    want("LVT error", cpu, read32(LAPIC + 0x370), 0x10000);
    want("initial count", cpu, read32(LAPIC + LAPIC_INITIAL), 0);
    want("count", cpu, read32(LAPIC + LAPIC_COUNT), 0);
    want("divide", cpu, read32(LAPIC + LAPIC_DIVIDE), 0);
    for (i = 0; i < 8; i++) {
        want("ISR", cpu, read32(LAPIC + 0x100 + i * 16), 0);
        want("TMR", cpu, read32(LAPIC + 0x180 + i * 16), 0);
        want("IRR", cpu, read32(LAPIC + 0x200 + i * 16), 0);
    }
}

static const struct {
    uint32_t msr;
    uint64_t value, other;
    const char *name;
} msrs[] = {
    { 0x277, 0x0007040600070406, 0x0007010600070106, "PAT" },
    { 0xc0000081, 0, 0x0023001000000000, "STAR" },
    { 0xc0000082, 0, 0x7fff12340000, "LSTAR" },
    { 0xc0000083, 0, 0x7fff12350000, "CSTAR" },
    { 0xc0000084, 0, 0x47700, "SFMASK" },
    { 0xc0000100, 0, 0x7fff12360000, "FS base" },
    { 0xc0000101, 0, 0x7fff12370000, "GS base" },
    { 0xc0000102, 0, 0x7fff12380000, "KERNEL_GS_BASE" },
    { 0x174, 0, 0x10, "SYSENTER_CS" },
    { 0x175, 0, 0x12345678, "SYSENTER_ESP" },
    { 0x176, 0, 0x23456789, "SYSENTER_EIP" },
    { 0x200, 0, 0x80000006, "MTRR base 0" },
    { 0x201, 0, 0xffffe000800, "MTRR mask 0" },
    { 0x20e, 0, 0x90000000, "MTRR base 7" },
    { 0x20f, 0, 0xffffe000800, "MTRR mask 7" },
    { 0x250, 0, 0x0606060606060606, "MTRR of 0x00000" },
    { 0x259, 0, 0x0606060606060606, "MTRR of 0xa0000" },
    { 0x26f, 0, 0x0505050505050505, "MTRR of 0xf8000" },
    { 0x2ff, 0, 0xc06, "MTRR default" },
    /* The hypervisor's. No page is enabled, for it would hide memory. */
    { 0x40000000, 0, 0x8100000000070200, "guest OS id" },
    { 0x40000021, 0, 0x701000, "TSC page" },
    { 0x40000073, 0, 0x702000, "VP assist page" },
    { 0x40000080, 0, 1, "SynIC control" },
    { 0x40000082, 0, 0x703000, "event flags page" },
    { 0x40000083, 0, 0x704000, "message page" },
    { 0x40000090, 0x10000, 0x10062, "SINT 0" },
    { 0x4000009f, 0x10000, 0x30063, "SINT 15" },
    { 0x400000b0, 0, 0x20002, "timer 0's configuration" },
    { 0x400000b1, 0, 0x123456, "timer 0's count" },
    { 0x400000b6, 0, 0x20002, "timer 3's configuration" },
    { 0x400000b7, 0, 0x123456, "timer 3's count" },
};

static void check(unsigned cpu)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(msrs); i++) {
        want(msrs[i].name, cpu, rdmsr(msrs[i].msr), msrs[i].value);
    }
    want("DR0", cpu, READ_REG("dr0"), 0);
    want("DR1", cpu, READ_REG("dr1"), 0);
    want("DR2", cpu, READ_REG("dr2"), 0);
    want("DR3", cpu, READ_REG("dr3"), 0);
    want("DR6", cpu, READ_REG("dr6"), 0xffff0ff0);
    want("DR7", cpu, READ_REG("dr7"), 0x400);
    want("CR2", cpu, READ_REG("cr2"), 0);
    want("CR8", cpu, READ_REG("cr8"), 0);
    check_vectors(cpu);
    check_lapic(cpu);
}

/* In service for ever */
static void on_vector(struct frame *f)
{
}

static void dirty(unsigned cpu)
{
    uint64_t pattern[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };
    uint32_t mxcsr = 0x5f80;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(msrs); i++) {
        wrmsr(msrs[i].msr, msrs[i].other);
        want(msrs[i].name, cpu, rdmsr(msrs[i].msr), msrs[i].other);
    }
    WRITE_REG("dr0", 0x1000 + cpu);
    WRITE_REG("dr1", 0x2000);
    WRITE_REG("dr2", 0x3000);
    WRITE_REG("dr3", 0x4000);
    WRITE_REG("dr7", 0x500);
    WRITE_REG("cr2", 0x5000);
    asm volatile("movups %0, %%xmm0; movups %0, %%xmm7; movups %0, %%xmm15;"
                 "ldmxcsr %1; fninit; fld1; fldpi"
                 : : "m"(pattern), "m"(mxcsr));
    trap_handlers[VECTOR] = on_vector;
    trap_handlers[VECTOR + 1] = on_vector;
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    write32(LAPIC + 0xd0, 0x03000000);
    write32(LAPIC + 0xe0, 0x0fffffff);
    write32(LAPIC + 0x370, 0x44);
    write32(LAPIC + LAPIC_DIVIDE, 0xb);
    write32(LAPIC + LAPIC_LVT_TIMER, 0x20000 | (VECTOR + 1));
    write32(LAPIC + LAPIC_INITIAL, 1000000000);
    write32(LAPIC + LAPIC_ICR_HIGH, 0);
    write32(LAPIC + LAPIC_ICR, 0x40000 | (VECTOR + 0x10));
    write32(LAPIC + LAPIC_ICR, 0x40000 | VECTOR);
    trap_handlers[VECTOR + 0x10] = on_vector;
    asm volatile("sti; nop; nop; cli");
    write32(LAPIC + LAPIC_TPR, 0x50);
}

static void triple_fault(void)
{
    static const uint64_t nothing[2];

    asm volatile("lidt %0; int3" : : "m"(nothing));
}

static void reset(void)
{
    switch (COUNT % 4) {
    case 0:
        outb(0xcf9, 2);
        outb(0xcf9, 6);
        break;
    case 1:
        outb(0x64, 0xfe);
        break;
    case 2:
        triple_fault();
        break;
    case 3:
        print("# please system_reset\n");
        break;
    }
    for (;;) {
        asm volatile("hlt");
    }
}

/* One processor after the other */
static void hand_on(volatile uint32_t *turn)
{
    __atomic_fetch_add(turn, 1, __ATOMIC_SEQ_CST);
}

/* Every second time it is another processor that resets the machine. */
void guest_cpu(unsigned number)
{
    while (checked != number) {
        pause();
    }
    check(number);
    hand_on(&checked);
    while (dirty_now != number) {
        pause();
    }
    dirty(number);
    hand_on(&dirty_now);
    while (dirty_now != cpu_count) {
        pause();
    }
    if (number == 1 && COUNT / 4 % 2 && COUNT % 4 != 3) {
        reset();
    }
    for (;;) {
        asm volatile("hlt");
    }
}

void guest_main(void)
{
    good = true;
    cpu_count = cpuid(1, 0).ebx >> 16 & 0xff;
    check_first_registers();
    want("SVR", 0, read32(LAPIC + LAPIC_SVR), 0xff);
    check(0);
    if (cpu_count > 1) {
        start_cpus(cpu_count - 1);
    }
    hand_on(&checked);
    while (checked != cpu_count) {
        pause();
    }
    ++COUNT;
    ok(good, "start %u: all as it must be", COUNT);
    if (COUNT == BOOTS) {
        return;
    }
    dirty(0);
    hand_on(&dirty_now);
    while (dirty_now != cpu_count) {
        pause();
    }
    if (cpu_count == 1 || !(COUNT / 4 % 2) || COUNT % 4 == 3) {
        reset();
    }
    for (;;) {
        asm volatile("hlt");
    }
}
