/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts of a device that has an irqfd (virtio-blk with an iothread), sent
 * to processors that there are, that there are not, and that come later.
 */
#include "guest.h"

#define VIRTIO_BLK      0x10011af4
#define PORT            0xc000u
#define MSIX_TABLE      0xe8000000u
#define VECTOR          0x91            /* the first of VECTORS */
#define VECTORS         64
#define ABSENT          0x40
#define ALL             0xff
#define LAPIC_LDR       0x0d0
#define LOGICAL         4u              /* in an MSI's address */
#define WRITE           2
#define CPU_HOTPLUG     0xaf00          /* docs/specs/acpi_cpu_hotplug */

struct descriptor {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

/*
 * Legacy virtio: descriptors, behind them what is available, and on a page of
 * its own what is used. The device says how many there are of each, up to 1024.
 */
static uint8_t queue[0x8000] __attribute__((aligned(4096)));
static struct descriptor *const desc = (void *)queue;
static uint16_t *avail;
static volatile uint16_t *used;         /* the device writes it */
static struct {
    uint32_t type, reserved;
    uint64_t sector;
} head;
static uint8_t data[512], status;

/* Changed by interrupts: how many of the vector in use came, by processor */
static volatile unsigned count[4];
static uint8_t vector = VECTOR;

/* For the test to look at QEMU */
static void some_time(void)
{
    unsigned i;

    for (i = 0; i < 3000; i++) {
        inb(0x80);
    }
}

static void on_interrupt(struct frame *f)
{
    if (f->vector == vector) {
        count[cpuid(1, 0).ebx >> 24 & 3]++;
    }
    write32(LAPIC + LAPIC_EOI, 0);
}

static void set_up(int dev)
{
    uint32_t size;

    pci_write(dev, PCI_BAR(0), PORT);
    pci_write(dev, PCI_BAR(1), MSIX_TABLE);
    pci_write(dev, PCI_COMMAND, 7);
    pci_msix(dev, MSIX_TABLE, VECTOR);
    outb(PORT + 18, 0);
    outb(PORT + 18, 3);
    outw(PORT + 14, 0);
    size = inw(PORT + 12);
    avail = (void *)&desc[size];
    used = (void *)(((uintptr_t)&avail[2 + size] + 4095 + 2) & ~4095ull);
    outl(PORT + 8, (uintptr_t)queue >> 12);
    outw(PORT + 22, 0);
    outb(PORT + 18, 7);
    desc[0].addr = (uintptr_t)&head;
    desc[0].len = sizeof(head);
    desc[0].flags = 1;
    desc[0].next = 1;
    desc[1].addr = (uintptr_t)data;
    desc[1].len = sizeof(data);
    desc[1].flags = 1 | WRITE;
    desc[1].next = 2;
    desc[2].addr = (uintptr_t)&status;
    desc[2].len = 1;
    desc[2].flags = WRITE;
}

/*
 * The interrupts of some requests go to @id. Until all is done; for what must
 * arrive it waits as long as it takes, for others only a while. By a vector
 * of their own each time: the second copy of an earlier one may come late (see
 * arrives()).
 */
static void send(uint32_t id, uint32_t mode, unsigned requests, bool arrive)
{
    unsigned i, n, patience = arrive ? 1000000 : 500;

    vector = VECTOR + (vector - VECTOR + 1) % VECTORS;
    write32(MSIX_TABLE + 12, 1);
    write32(MSIX_TABLE, LAPIC | id << 12 | mode);
    write32(MSIX_TABLE + 8, vector);
    write32(MSIX_TABLE + 12, 0);
    count[0] = count[1] = 0;
    asm volatile("sti" : : : "memory");
    for (n = 0; n < requests; n++) {
        avail[1]++;
        asm volatile("mfence" : : : "memory");
        outw(PORT + 16, 0);
        while (used[1] != avail[1]) {
            pause();
        }
        for (i = 0; i < patience && count[0] + count[1] <= n; i++) {
            inb(0x80);
        }
    }
    asm volatile("cli" : : : "memory");
}

/*
 * Linux sends one twice if it finds the processor running after it has put it
 * in the register page (mshv_try_assert_irq_fast in mshv_eventfd.c).
 */
static void arrives(uint32_t id, uint32_t mode, unsigned cpu, const char *what)
{
    send(id, mode, 10, true);
    if (!ok(count[cpu] >= 10 && count[cpu] <= 20 && count[!cpu] == 0, "%s",
            what)) {
        print("# %u and %u interrupts\n", count[0], count[1]);
    }
}

static void is_lost(uint32_t id, const char *what)
{
    send(id, 0, 2, false);
    equal(count[0] + count[1], 0, "%s", what);
}

/* Let go of the device in every way; then it works again, by one irqfd. */
static void rebind(int dev)
{
    static const char *const names[] = {
        "after a reset", "after a reset with MSI-X off",
        "after a reset of a queue without a vector",
        "after a reset of a queue with another vector",
        "after a reset while masked",
    };
    unsigned at = pci_capability(dev, PCI_CAP_MSIX), i;

    for (i = 0; i < 2 * ARRAY_SIZE(names); i++) {
        switch (i % ARRAY_SIZE(names)) {
        case 1:
            pci_write(dev, at, pci_read(dev, at) & ~0x80000000);
            break;
        case 2:
            outw(PORT + 22, 0xffff);
            break;
        case 3:
            outw(PORT + 22, 1);
            break;
        case 4:
            write32(MSIX_TABLE + 12, 1);
            break;
        }
        outb(PORT + 18, 0);
        memset(queue, 0, sizeof(queue));
        set_up(dev);
        arrives(0, 0, 0, names[i % ARRAY_SIZE(names)]);
        print("# please count-irqfds\n");
        some_time();
    }
}

void guest_cpu(unsigned number)
{
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    for (;;) {
        asm volatile("sti; hlt");
    }
}

void guest_main(void)
{
    int dev = pci_find(VIRTIO_BLK);
    unsigned i;

    outl(CPU_HOTPLUG, 0);       /* the interface that is not the oldest one */
    for (i = 0; i < VECTORS; i++) {
        trap_handlers[VECTOR + i] = on_interrupt;
    }
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    write32(LAPIC + LAPIC_LDR, 1 << 24);
    set_up(dev);
    arrives(0, 0, 0, "to the first processor");
    rebind(dev);
    is_lost(ABSENT, "to none: nobody gets them");
    is_lost(1, "to one that is not there yet: nobody, either");
    arrives(ALL, 0, 0, "to all");
    arrives(1, LOGICAL, 0, "by a logical address");
    print("# please plug-cpu\n");
    do {
        outl(CPU_HOTPLUG, 1);
    } while (!(inb(CPU_HOTPLUG + 4) & 1));
    start_cpus(1);
    arrives(1, 0, 1, "to a processor that has come, and to it alone");
    arrives(0, 0, 0, "to the first one again");
}
