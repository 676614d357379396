/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts by every way that a PC has: PIC, IOAPIC, local APIC, MSI, MSI-X,
 * NMI, power management. Devices: edu, e1000e, i6300esb. What the test must do
 * is asked for by a line "# please ...".
 */
#include "guest.h"

#define EDU             0x11e81234
#define E1000E          0x10d38086
#define I6300ESB        0x25ab8086
#define PIIX3           0x08            /* 01.0 */
#define PIIX4_PM        0x0b            /* 01.3 */
#define ICH9_LPC        0xf8            /* 1f.0 */
#define PM_BASE         0x600
#define EDU_MEMORY      0xe0000000u
#define NIC_MEMORY      0xe0100000u
#define NIC_MSIX        0xe0200000u
#define DOG_MEMORY      0xe0300000u
#define HPET            0xfed00000u
#define BASE            0x40            /* vector of IOAPIC pin 0 */
#define MSI_VECTOR      0x91
#define IPI_VECTOR      0x92
#define STRAY_VECTOR    0xff
#define PIC_BASE        0x20

/* Changed by interrupts */
static volatile unsigned count[256];
static volatile unsigned ipis[4], nmis[4];       /* too */
static volatile unsigned lower_after;   /* interrupts of the edu device */

static void eoi(void)
{
    write32(LAPIC + LAPIC_EOI, 0);
}

static void on_pic(struct frame *f)
{
    count[f->vector]++;
    if (f->vector >= PIC_BASE + 8) {
        outb(0xa0, 0x20);
    }
    outb(0x20, 0x20);
}

static void on_apic(struct frame *f)
{
    count[f->vector]++;
    eoi();
}

/* The RTC wants its register C to be read. */
static void on_rtc(struct frame *f)
{
    count[f->vector]++;
    outb(0x70, 0x0c);
    inb(0x71);
    eoi();
}

static void on_level(struct frame *f)
{
    if (++count[f->vector] >= lower_after) {
        write32(EDU_MEMORY + 0x64, 1);
    }
    eoi();
}

static unsigned me(void)
{
    return cpuid(1, 0).ebx >> 24;
}

static void on_ipi(struct frame *f)
{
    ipis[me() & 3]++;
    eoi();
}

static void on_nmi(struct frame *f)
{
    nmis[me() & 3]++;
}

static void enable(void)
{
    asm volatile("sti" : : : "memory");
}

static void disable(void)
{
    asm volatile("cli" : : : "memory");
}

/* Until *@what is @wanted, or very long. */
static bool wait(volatile unsigned *what, unsigned wanted)
{
    unsigned i;

    enable();
    for (i = 0; i < 3000000 && *what < wanted; i++) {
        pause();
        if (i > 100000) {
            inb(0x80);
        }
    }
    disable();
    return *what >= wanted;
}

/* Time for what must not come. */
static void some_time(void)
{
    unsigned i;

    enable();
    for (i = 0; i < 20000; i++) {
        inb(0x80);
    }
    disable();
}

static void pit_start(bool on)
{
    outb(0x43, on ? 0x34 : 0x30);
    if (on) {
        outb(0x40, 1193 & 0xff);        /* 1 kHz */
        outb(0x40, 1193 >> 8);
    }
}

static void pic_init(uint8_t mask1, uint8_t mask2)
{
    outb(0x20, 0x11);
    outb(0xa0, 0x11);
    outb(0x21, PIC_BASE);
    outb(0xa1, PIC_BASE + 8);
    outb(0x21, 4);
    outb(0xa1, 2);
    outb(0x21, 1);
    outb(0xa1, 1);
    outb(0x21, mask1);
    outb(0xa1, mask2);
}

static void ioapic_write(unsigned index, uint32_t v)
{
    write32(IOAPIC, index);
    write32(IOAPIC + 0x10, v);
}

static uint32_t ioapic_read(unsigned index)
{
    write32(IOAPIC, index);
    return read32(IOAPIC + 0x10);
}

static void ioapic_pin(unsigned pin, uint32_t low)
{
    ioapic_write(0x11 + pin * 2, 0);
    ioapic_write(0x10 + pin * 2, low);
}

#define MASKED  0x10000u
#define LEVEL   0x8000u

static void rtc_start(bool on)
{
    outb(0x70, 0x0a);
    outb(0x71, 0x26);                   /* 1024 Hz */
    outb(0x70, 0x0b);
    outb(0x71, on ? 0x42 : 0x02);
    outb(0x70, 0x0c);
    inb(0x71);
}

static void pic(void)
{
    unsigned i;

    for (i = 0; i < 16; i++) {
        trap_handlers[PIC_BASE + i] = on_pic;
    }
    pic_init(0xfe, 0xff);
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    write32(LAPIC + LAPIC_LINT0, 0x700);
    pit_start(true);
    ok(wait(&count[PIC_BASE], 5), "PIT by the PIC, through LINT0 (ExtINT)");
    enable();
    for (i = count[PIC_BASE]; count[PIC_BASE] < i + 3;) {
        asm volatile("hlt");
    }
    disable();
    ok(true, "they end HLT");
    write32(LAPIC + LAPIC_LINT0, 0x10700);
    count[PIC_BASE] = 0;
    some_time();
    equal(count[PIC_BASE], 0, "none while LINT0 is masked");
    write32(LAPIC + LAPIC_LINT0, 0x700);
    ok(wait(&count[PIC_BASE], 2), "and again when it is not");
    outb(0x21, 0xff);
    pit_start(false);
    pic_init(0xfb, 0xfe);
    rtc_start(true);
    enable();
    for (i = 0; i < 1000000 && count[PIC_BASE + 8] < 5; i++) {
        outb(0x70, 0x0c);
        inb(0x71);
    }
    disable();
    ok(count[PIC_BASE + 8] >= 5, "RTC by the second PIC");
    rtc_start(false);
    pic_init(0xff, 0xff);
    write32(LAPIC + LAPIC_LINT0, 0x10000);
}

static void ioapic_edge(void)
{
    ioapic_pin(2, BASE + 2);
    trap_handlers[BASE + 2] = on_apic;
    pit_start(true);
    ok(wait(&count[BASE + 2], 5), "PIT by the IOAPIC");
    ioapic_pin(2, BASE + 2 + MASKED);
    some_time();
    count[BASE + 2] = 0;
    some_time();
    equal(count[BASE + 2], 0, "none while its pin is masked");
    pit_start(false);
    ioapic_pin(8, BASE + 8);
    trap_handlers[BASE + 8] = on_rtc;
    rtc_start(true);
    ok(wait(&count[BASE + 8], 5), "RTC by the IOAPIC");
    rtc_start(false);
    ioapic_pin(8, MASKED);
}

static void hpet(void)
{
    ioapic_pin(2, BASE + 2);
    count[BASE + 2] = 0;
    write32(HPET + 0x10, 0);
    write32(HPET + 0xf0, 0);
    write32(HPET + 0xf4, 0);
    write32(HPET + 0x100, 0x4c);        /* periodic, enabled, set the value */
    write32(HPET + 0x108, 100000);      /* of 10 ns */
    write32(HPET + 0x10c, 0);
    write32(HPET + 0x10, 3);            /* on, in place of the PIT */
    ok(wait(&count[BASE + 2], 5), "HPET");
    write32(HPET + 0x10, 0);
    write32(HPET + 0x100, 0);
    ioapic_pin(2, MASKED);
}

/*
 * With -rtc driftfix=slew, what QEMU takes for lost comes again: but what has
 * come must not be taken for lost. The HPET counts 10 ns.
 */
static void rtc_rate(void)
{
    uint32_t elapsed;

    write32(HPET + 0xf0, 0);
    write32(HPET + 0x10, 1);
    ioapic_pin(8, BASE + 8);
    count[BASE + 8] = 0;
    rtc_start(true);
    elapsed = read32(HPET + 0xf0);
    wait(&count[BASE + 8], 500);
    elapsed = read32(HPET + 0xf0) - elapsed;
    rtc_start(false);
    ioapic_pin(8, MASKED);
    write32(HPET + 0x10, 0);
    print("# %u in %u us\n", count[BASE + 8], elapsed / 100);
    ok(count[BASE + 8] >= 500 && elapsed / 100 > 500 * 977 / 2,
       "RTC: no more interrupts than its rate");
}

/* The IOAPIC pin of the edu device's INTx, or -1. */
static int find_pin(void)
{
    unsigned pin;

    for (pin = 3; pin < 24; pin++) {
        if (pin != 8 && count[BASE + pin]) {
            return pin;
        }
    }
    return -1;
}

static void ioapic_level(void)
{
    int edu = pci_find(EDU), pin;

    pci_write(edu, PCI_BAR(0), EDU_MEMORY);
    pci_write(edu, PCI_COMMAND, 6);
    if (pci_read(PIIX3, 0) == 0x70008086) {
        pci_write(PIIX3, 0x60, 0x0b0b0b0b);     /* all PIRQs to IRQ 11 */
    }
    for (pin = 3; pin < 24; pin++) {
        if (pin != 8) {
            trap_handlers[BASE + pin] = on_level;
            ioapic_pin(pin, (BASE + pin) | LEVEL);
        }
        count[BASE + pin] = 0;
    }
    lower_after = 1;
    write32(EDU_MEMORY + 0x60, 1);
    some_time();
    pin = find_pin();
    if (!ok(pin >= 0, "INTx of a PCI device")) {
        return;
    }
    print("# pin %d\n", pin);
    equal(count[BASE + pin], 1, "INTx comes once if it is answered");
    equal(ioapic_read(0x10 + pin * 2) & 0x4000, 0, "remote IRR is clear");
    count[BASE + pin] = 0;
    lower_after = 7;
    write32(EDU_MEMORY + 0x60, 1);
    some_time();
    equal(count[BASE + pin], 7, "it comes again at EOI while asserted");
    count[BASE + pin] = 0;
    lower_after = 1;
    write32(EDU_MEMORY + 0x60, 1);
    some_time();
    equal(count[BASE + pin], 1, "and works on");
    for (pin = 3; pin < 24; pin++) {
        ioapic_pin(pin, MASKED);
    }
}

static void msi(void)
{
    int edu = pci_find(EDU);
    unsigned at = pci_capability(edu, PCI_CAP_MSI), i;

    trap_handlers[MSI_VECTOR] = on_apic;
    pci_write(edu, at + 4, LAPIC);
    pci_write(edu, at + 8, 0);
    pci_write(edu, at + 12, MSI_VECTOR);
    pci_write(edu, at, pci_read(edu, at) | 0x10000);
    for (i = 0; i < 10; i++) {
        write32(EDU_MEMORY + 0x60, 1);
        write32(EDU_MEMORY + 0x64, 1);
        wait(&count[MSI_VECTOR], i + 1);
    }
    equal(count[MSI_VECTOR], 10, "MSI: one interrupt for each message");
    /* To the other processor, which counts it as an IPI */
    pci_write(edu, at + 4, LAPIC | 1 << 12);
    pci_write(edu, at + 12, IPI_VECTOR);
    ipis[1] = 0;
    write32(EDU_MEMORY + 0x60, 1);
    write32(EDU_MEMORY + 0x64, 1);
    ok(wait(&ipis[1], 1), "MSI to another processor");
    pci_write(edu, at, pci_read(edu, at) & ~0x10000);
}

static void msix(void)
{
    int nic = pci_find(E1000E);
    unsigned i;

    if (nic < 0) {
        return;
    }
    pci_write(nic, PCI_BAR(0), NIC_MEMORY);
    pci_write(nic, PCI_BAR(3), NIC_MSIX);
    pci_write(nic, PCI_COMMAND, 6);
    pci_msix(nic, NIC_MSIX, MSI_VECTOR);
    write32(NIC_MEMORY + 0xe4, 8 << 16);        /* other causes: vector 0 */
    write32(NIC_MEMORY + 0xd0, 0x01000004);     /* other, link change */
    count[MSI_VECTOR] = 0;
    for (i = 0; i < 5; i++) {
        write32(NIC_MEMORY + 0xc8, 0x01000004); /* cause it */
        wait(&count[MSI_VECTOR], i + 1);
        write32(NIC_MEMORY + 0xc0, 0xffffffff);
        write32(NIC_MEMORY + 0xd0, 0x01000004);
    }
    ok(count[MSI_VECTOR] >= 5, "MSI-X: an interrupt for each message");
    write32(NIC_MSIX + 12, 1);
    some_time();
    i = count[MSI_VECTOR];
    write32(NIC_MEMORY + 0xc8, 0x01000004);
    some_time();
    equal(count[MSI_VECTOR], i, "MSI-X: none while masked");
    write32(NIC_MSIX + 12, 0);
    ok(wait(&count[MSI_VECTOR], i + 1), "MSI-X: it comes when unmasked");
    write32(NIC_MEMORY + 0xd8, 0xffffffff);
}

void guest_cpu(unsigned number)
{
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    write32(LAPIC + LAPIC_LINT1, 0x400);
    for (;;) {
        asm volatile("sti; hlt");
    }
}

static void icr(uint32_t low, unsigned to)
{
    write32(LAPIC + LAPIC_ICR_HIGH, to << 24);
    write32(LAPIC + LAPIC_ICR, low);
}

static void ipi(void)
{
    trap_handlers[IPI_VECTOR] = on_ipi;
    trap_handlers[2] = on_nmi;
    start_cpus(1);
    icr(IPI_VECTOR, 1);
    ok(wait(&ipis[1], 1), "IPI to another processor");
    icr(0x40000 | IPI_VECTOR, 0);
    ok(wait(&ipis[0], 1), "IPI to itself");
    icr(0x80000 | IPI_VECTOR, 0);
    ok(wait(&ipis[0], 2) && wait(&ipis[1], 2), "IPI to all");
    icr(0x400, 1);
    ok(wait(&nmis[1], 1), "NMI to another processor");
    write32(LAPIC + LAPIC_TPR, 0xa0);
    icr(0x40000 | IPI_VECTOR, 0);
    some_time();
    equal(ipis[0], 2, "none below the task priority");
    WRITE_REG("cr8", 0);
    ok(wait(&ipis[0], 3), "but when CR8 is lowered");
}

static void lapic_timer(void)
{
    trap_handlers[MSI_VECTOR] = on_apic;
    count[MSI_VECTOR] = 0;
    write32(LAPIC + LAPIC_DIVIDE, 0xb);
    write32(LAPIC + LAPIC_LVT_TIMER, MSI_VECTOR);
    write32(LAPIC + LAPIC_INITIAL, 100000);
    ok(wait(&count[MSI_VECTOR], 1), "local APIC timer");
    some_time();
    equal(count[MSI_VECTOR], 1, "once");
    write32(LAPIC + LAPIC_LVT_TIMER, 0x20000 | MSI_VECTOR);
    write32(LAPIC + LAPIC_INITIAL, 100000);
    ok(wait(&count[MSI_VECTOR], 6), "and periodically");
    write32(LAPIC + LAPIC_INITIAL, 0);
    some_time();
}

static void ask_nmi(void)
{
    unsigned zero[2];

    write32(LAPIC + LAPIC_LINT1, 0x400);
    zero[0] = nmis[0];
    zero[1] = nmis[1];
    print("# please inject-nmi\n");
    ok(wait(&nmis[0], zero[0] + 1), "inject-nmi reaches the first processor");
    ok(wait(&nmis[1], zero[1] + 1), "and the second");
    write32(LAPIC + LAPIC_LINT1, 0x10400);
    zero[1] = nmis[1];
    zero[0] = nmis[0];
    print("# please inject-nmi\n");
    ok(wait(&nmis[1], zero[1] + 1), "while LINT1 is masked: the second");
    some_time();
    equal(nmis[0], zero[0], "but not the first");
    write32(LAPIC + LAPIC_LINT1, 0x400);
}

static void dog_unlock(void)
{
    /* A device */
    *(volatile uint8_t *)(uint64_t)(DOG_MEMORY + 12) = 0x80;
    /* as above */
    *(volatile uint8_t *)(uint64_t)(DOG_MEMORY + 12) = 0x86;
}

static void watchdog(void)
{
    int dog = pci_find(I6300ESB);
    unsigned old = nmis[0];

    if (dog < 0) {
        return;
    }
    pci_write(dog, PCI_BAR(0), DOG_MEMORY);
    pci_write(dog, PCI_COMMAND, 2);
    outl(0xcf8, 0x80000060 | dog << 8);
    outw(0xcfc, 3);                             /* no interrupt, but reboot */
    dog_unlock();
    write32(DOG_MEMORY, 1);
    dog_unlock();
    write32(DOG_MEMORY + 4, 1);
    outl(0xcf8, 0x80000068 | dog << 8);
    outb(0xcfc, 2);                             /* on */
    ok(wait(&nmis[0], old + 1), "a watchdog's NMI");
}

static void on_sci(struct frame *f)
{
    uint16_t status = inw(PM_BASE);

    count[f->vector]++;
    if (status & 0x100) {
        outw(PM_BASE, 0x100);
    }
    eoi();
}

static void power_button(void)
{
    unsigned i;

    if (pci_read(PIIX4_PM, 0) == 0x71138086) {
        pci_write(PIIX4_PM, 0x40, PM_BASE | 1);
        pci_write(PIIX4_PM, 0x80, 1);
    } else {
        pci_write(ICH9_LPC, 0x40, PM_BASE | 1);
        pci_write(ICH9_LPC, 0x44, 0x80);
    }
    outw(PM_BASE + 2, 0x100);                   /* enable the button */
    trap_handlers[BASE + 9] = on_sci;
    ioapic_pin(9, (BASE + 9) | LEVEL);
    count[BASE + 9] = 0;
    for (i = 1; i < 4; i++) {
        print("# please system_powerdown\n");
        ok(wait(&count[BASE + 9], i), "power button, SCI number %u", i);
    }
    some_time();
    equal(count[BASE + 9], 3, "one SCI for each");
}

/* What comes while the guest is paused, and looked at, is not lost. */
static void ask_while_paused(void)
{
    unsigned old[2] = { nmis[0], nmis[1] }, button = count[BASE + 9];

    print("# please interrupt it while it is paused\n");
    ok(wait(&count[BASE + 9], button + 1), "power button of a paused guest");
    ok(wait(&nmis[0], old[0] + 1), "its NMI, on the first processor");
    ok(wait(&nmis[1], old[1] + 1), "on the second");
    some_time();
    equal(count[BASE + 9], button + 1, "one SCI");
    equal(nmis[0] + nmis[1], old[0] + old[1] + 2, "one NMI for each");
}

static void on_x2apic(struct frame *f)
{
    count[f->vector]++;
    wrmsr(X2APIC_EOI, 0);
}

/*
 * In x2APIC mode the page of the APIC's registers is nobody's. What looks like
 * a register's value is no message to the processor.
 */
static void x2apic(void)
{
    int edu = pci_find(EDU);
    unsigned at = pci_capability(edu, PCI_CAP_MSI), old;

    if (!(cpuid(1, 0).ecx >> 21 & 1)) {
        return;
    }
    wrmsr(APIC_BASE, rdmsr(APIC_BASE) | 0x400);
    trap_handlers[STRAY_VECTOR] = on_x2apic;
    trap_handlers[MSI_VECTOR] = on_x2apic;
    write32(LAPIC + LAPIC_SVR, 0x100 | STRAY_VECTOR);
    write32(LAPIC + LAPIC_EOI, STRAY_VECTOR);
    /* Neither of these has a message's size, which is 32 bits. */
    *(volatile uint8_t *)(uint64_t)LAPIC = STRAY_VECTOR;
    /* as above */
    *(volatile uint16_t *)(uint64_t)(LAPIC + 0x1000) = STRAY_VECTOR;
    /* as above */
    *(volatile uint64_t *)(uint64_t)(LAPIC + 0x2000) = STRAY_VECTOR;
    some_time();
    equal(count[STRAY_VECTOR], 0,
          "x2APIC: writes to its former registers are no MSI");
    equal(read32(LAPIC + LAPIC_SVR), 0xffffffff, "and reads give ones");
    old = count[MSI_VECTOR];
    pci_write(edu, at + 4, LAPIC);
    pci_write(edu, at + 12, MSI_VECTOR);
    pci_write(edu, at, pci_read(edu, at) | 0x10000);
    write32(EDU_MEMORY + 0x60, 1);
    write32(EDU_MEMORY + 0x64, 1);
    ok(wait(&count[MSI_VECTOR], old + 1), "a device's MSI arrives");
}

void guest_main(void)
{
    pic();
    ioapic_edge();
    hpet();
    rtc_rate();
    ioapic_level();
    ipi();
    msi();
    msix();
    lapic_timer();
    ask_nmi();
    watchdog();
    power_button();
    ask_while_paused();
    x2apic();
}
