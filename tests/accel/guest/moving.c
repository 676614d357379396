/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is at an address changes while the guest uses it: what QEMU remembers
 * of earlier accesses must not count. The machine is a "pc" with VGA and two
 * "edu" devices.
 */
#include "guest.h"

#define ROUNDS          8
#define EDU             0x11e81234
#define EDU_LIVENESS    4               /* reads as the inverse of its value */
#define PLACE(n)        (0xe8000000u + (n) * 0x100000)
#define COMMAND_MEMORY  2
#define HOST_BRIDGE     0
#define PAM             0x58            /* 5b, its low half: c8000 */
#define SHADOW          0xc8000ull
#define VGA             0xa0000ull
#define PM_DEVICE       0x0b            /* PIIX4 power management: 01.3 */
#define PM_BASE         0x600
#define PM_CONTROL      (PM_BASE + 4)

GUEST_CODE(rep_movsb, "rep movsb");

static int find_edu(int after)
{
    int devfn;

    for (devfn = after + 1; devfn < 256; devfn++) {
        if (pci_read(devfn, 0) == EDU) {
            return devfn;
        }
    }
    return -1;
}

static void place(int devfn, unsigned n)
{
    uint32_t command = pci_read(devfn, PCI_COMMAND) & 0xffff;

    pci_write(devfn, PCI_COMMAND, command & ~COMMAND_MEMORY);
    pci_write(devfn, PCI_BAR(0), PLACE(n));
    pci_write(devfn, PCI_COMMAND, command | COMMAND_MEMORY);
}

/*
 * How many of two accesses find the device with that value: the first looks
 * for what is there, the second remembers it.
 */
static unsigned count(unsigned n, uint32_t value)
{
    unsigned i, found = 0;

    for (i = 0; i < 2; i++) {
        found += read32(PLACE(n) + EDU_LIVENESS) == ~value;
    }
    return found;
}

static void devices_move(void)
{
    int a = find_edu(-1), b = find_edu(a);
    unsigned i, found = 0, left = 0;

    for (i = 1; i <= ROUNDS; i++) {
        place(a, i & 1);
        place(b, ~i & 1);
        write32(PLACE(i & 1) + EDU_LIVENESS, 7);
        write32(PLACE(i & 1) + EDU_LIVENESS, 2 * i);
        write32(PLACE(~i & 1) + EDU_LIVENESS, 2 * i + 1);
        found += count(i & 1, 2 * i) + count(~i & 1, 2 * i + 1);
        place(a, 2);
        left += count(i & 1, 2 * i);
        found += count(2, 2 * i);
    }
    equal(found, 6 * ROUNDS, "an access reaches the device that is there now");
    equal(left, 0, "a device that has moved away is gone");
}

/* A device, or RAM that does not take every write */
static uint8_t read8(uint64_t at)
{
    /* see above */
    return *(volatile uint8_t *)at;
}

static void write8(uint64_t at, uint8_t v)
{
    /* see above */
    *(volatile uint8_t *)at = v;
}

/* 16 bytes from the VGA to shadow RAM: an instruction that is emulated. */
static void copy_to_shadow(uint8_t value)
{
    struct regs r = { .rflags = 2 };
    unsigned i;

    for (i = 0; i < 16; i++) {
        write8(VGA + i, value);
    }
    r.gpr[RSI] = VGA;
    r.gpr[RDI] = SHADOW;
    r.gpr[RCX] = 16;
    run(&r, CODE_OF(rep_movsb));
}

/* The shadow RAM's rights: 1 is to read, 2 is to write. */
static void set_rights(uint32_t rights)
{
    uint32_t old = pci_read(HOST_BRIDGE, PAM) & ~(3u << 24);

    pci_write(HOST_BRIDGE, PAM, old | rights << 24);
}

static bool shadow_is(uint8_t value)
{
    return read8(SHADOW) == value && read8(SHADOW + 15) == value;
}

static void rights_change(void)
{
    unsigned i, lost = 0, changed = 0;

    vga_is_memory();
    for (i = 0; i < ROUNDS; i++) {
        set_rights(3);
        copy_to_shadow(0x10 + i);
        lost += !shadow_is(0x10 + i);
        set_rights(1);
        copy_to_shadow(0x80 + i);
        changed += !shadow_is(0x10 + i);
        write8(SHADOW, 0x40);
        changed += !shadow_is(0x10 + i);
    }
    equal(lost, 0, "shadow RAM takes a write while it may be written");
    equal(changed, 0, "shadow RAM takes none while it may not");
}

/* A port that QEMU serves with a wider access than the guest's. */
static void only_what_is_written(void)
{
    uint32_t value;

    pci_write(PM_DEVICE, 0x40, PM_BASE | 1);
    pci_write(PM_DEVICE, 0x80, 1);
    asm volatile("outb %b0, %w1" : : "a"(0x12340401), "d"(PM_CONTROL));
    value = inw(PM_CONTROL);
    equal(value, 1, "OUT of AL leaves the rest of EAX at home");
}

void guest_main(void)
{
    devices_move();
    rights_change();
    only_what_is_written();
}
