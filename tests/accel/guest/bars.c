/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A BAR that is memory (ivshmem-plain's), wherever a guest may put it. Its file
 * can only be read: 0x5a at 0x2000, and at 0x1000 a function that returns 0x77.
 */
#include "guest.h"

#define IVSHMEM         0x11101af4
#define PLACE           0xe0000000u

static void place(int dev, uint64_t at)
{
    pci_write(dev, PCI_BAR(3), at >> 32);
    pci_write(dev, PCI_BAR(2), at);
}

static void works(int dev, const char *when)
{
    uint32_t (*function)(void) = (void *)(uintptr_t)(PLACE + 0x1000);

    place(dev, PLACE);
    equal(read32(PLACE + 0x2000), 0x5a, "%s: it is read", when);
    write32(PLACE + 0x2000, 1);
    equal(read32(PLACE + 0x2000), 0x5a, "%s: but not written", when);
    equal(read32(PLACE + 0x2ffc), 0, "%s: nor elsewhere", when);
    equal(function(), 0x77, "%s: code in it runs", when);
}

void guest_main(void)
{
    int dev = pci_find(IVSHMEM);

    pci_write(dev, PCI_COMMAND, 2);
    works(dev, "at first");
    /* As the size of a BAR is asked for, but with its decoder on */
    pci_write(dev, PCI_BAR(2), 0xffffffff);
    pci_write(dev, PCI_BAR(3), 0xffffffff);
    ok(pci_read(dev, PCI_BAR(3)) == 0xffffffff, "at the very end");
    works(dev, "after that");
    place(dev, 0x100ull << 32);
    ok(true, "beyond the physical address width");
    works(dev, "after that, too");
    place(dev, LAPIC);
    place(dev, 0);
    ok(true, "over the local APIC, and over RAM");
    works(dev, "at last");
}
