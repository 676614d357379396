/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that uses of everything a little, for ever: memory, a port, a
 * display's memory whose dirty pages are logged, a virtio device with MSI-X,
 * another processor, NMIs. What is to be unplugged it lets go. It counts at
 * BOOT_COUNT.
 *
 * The devices, if there: VGA, and a virtio-blk-pci with disable-modern=on.
 */
#include "guest.h"

/* The test reads it. */
#define COUNTER         ((volatile uint32_t *)BOOT_COUNT)
#define DISPLAY         0xe0000000u
#define MSIX_TABLE      0xe8000000u
#define VIRTIO_PORT     0xc000

#define MEMORY_HOTPLUG  0xa00           /* docs/specs/acpi_mem_hotplug */
#define CPU_HOTPLUG     0xaf00          /* docs/specs/acpi_cpu_hotplug */

static void vbe(uint16_t index, uint16_t value)
{
    outw(0x1ce, index);
    outw(0x1cf, value);
}

static void set_up_display(void)
{
    int vga = pci_find(0x11111234);

    if (vga >= 0) {
        pci_write(vga, PCI_BAR(0), DISPLAY);
        pci_write(vga, PCI_COMMAND, 3);
        vbe(4, 0);
        vbe(1, 640);
        vbe(2, 480);
        vbe(3, 32);
        vbe(4, 0x41);           /* on, linear */
        write32(DISPLAY, 0);
    }
}

/* Legacy virtio: the queue at a page number, one vector for it. */
static void set_up_virtio(void)
{
    int dev = pci_find(0x10011af4);

    if (dev < 0) {
        return;
    }
    pci_write(dev, PCI_BAR(0), VIRTIO_PORT);
    pci_write(dev, PCI_BAR(1), MSIX_TABLE);
    pci_write(dev, PCI_COMMAND, 7);
    pci_msix(dev, MSIX_TABLE, 0x60);
    outb(VIRTIO_PORT + 18, 0);
    outb(VIRTIO_PORT + 18, 3);
    outw(VIRTIO_PORT + 14, 0);
    outl(VIRTIO_PORT + 8, (uint64_t)new_page() >> 12);
    outw(VIRTIO_PORT + 22, 0);
    outb(VIRTIO_PORT + 18, 7);
}

/* Eject what QEMU wants to remove. */
static void let_go(void)
{
    unsigned slot, cpu;

    for (slot = 0; slot < 2; slot++) {
        outl(MEMORY_HOTPLUG, slot);
        if (inl(MEMORY_HOTPLUG + 0x14) & 4) {
            outb(MEMORY_HOTPLUG + 0x14, 4);     /* seen */
            outb(MEMORY_HOTPLUG + 0x14, 8);     /* eject it */
        }
    }
    for (cpu = 1; cpu < 4; cpu++) {
        outl(CPU_HOTPLUG, cpu);
        if ((inb(CPU_HOTPLUG + 4) & 5) == 5) {
            outb(CPU_HOTPLUG + 4, 4);
            outb(CPU_HOTPLUG + 4, 8);
        }
    }
}

static void on_nmi(struct frame *f)
{
}

static void idle(void)
{
    for (;;) {
        asm volatile("hlt");
    }
}

void guest_cpu(unsigned number)
{
    idle();
}

void guest_main(void)
{
    unsigned wanted = cpuid(1, 0).ebx >> 16 & 0xff;
    bool display = pci_find(0x11111234) >= 0;
    unsigned round;

    set_up_display();
    set_up_virtio();
    trap_handlers[2] = on_nmi;
    write32(LAPIC + LAPIC_LINT1, 0x400);
    if (wanted > 1) {
        start_cpus(1);
    }
    outl(CPU_HOTPLUG, 0);       /* the interface that is not the oldest one */
    for (round = 0;; round++) {
        ++*COUNTER;
        outb(0x80, round);
        if (display) {
            write32(DISPLAY + (round & 0xff) * 4096, round);
        }
        if (round % 64 == 0) {
            let_go();
        }
    }
}
