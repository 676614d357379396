/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flash that only system management mode may change (secure=on): 64 KiB of
 * 0x11, below the firmware's own.
 */
#include "smm.h"

#define FLASH           (ROM_BASE - 0x10000u)
#define SIZE            0x10000
#define BLANK           0x11
#define BYTE            0x600           /* what SMM shall write */
#define WHERE           0x604
#define COUNT           0x608
#define SEEN            0x60c           /* what SMM then read there */
/* Intel's commands */
enum { PROGRAM = 0x40, ERASE = 0x20, CONFIRM = 0xd0, BUFFER = 0xe8,
       STATUS = 0x70, ARRAY = 0xff };

SMM_CODE(smm_write,
    " addr32 mov " SMM_STR(WHERE) ", %edi\n addr32 mov " SMM_STR(BYTE) ", %al\n"
    " addr32 mov %al, (%edi)\n addr32 mov (%edi), %al\n"
    " addr32 mov %al, " SMM_STR(SEEN) "\n"
    " addr32 lock incl " SMM_STR(COUNT) "\n rsm\n");

static uint8_t read8(uint32_t at)
{
    /* A device */
    return *(volatile uint8_t *)(uint64_t)at;
}

static void write8(uint32_t at, uint8_t v)
{
    /* A device */
    *(volatile uint8_t *)(uint64_t)at = v;
}

static uint8_t write_in_smm(uint32_t at, uint8_t v)
{
    write32(WHERE, at);
    write32(BYTE, v);
    outb(APM, 0);
    return read32(SEEN);
}

static unsigned changed(void)
{
    unsigned i, n = 0;

    for (i = 0; i < SIZE; i++) {
        n += read8(FLASH + i) != BLANK;
    }
    return n;
}

/* ---- Pokes from outside ---- */

/* Then so many bytes are not blank, as before. */
static void by_moves(unsigned others)
{
    write8(FLASH, PROGRAM);
    write8(FLASH, 0x01);
    write8(FLASH, ARRAY);
    equal(changed(), others, "a byte is not programmed from outside");
    write8(FLASH, ERASE);
    write8(FLASH, CONFIRM);
    write8(FLASH, ARRAY);
    equal(changed(), others, "a block is not erased");
    write8(FLASH, BUFFER);
    write8(FLASH, 0);
    write8(FLASH, 0x01);
    write8(FLASH, CONFIRM);
    write8(FLASH, ARRAY);
    equal(changed(), others, "a buffer is not programmed");
    write8(FLASH, STATUS);
    equal(read8(FLASH), BLANK, "it shows no status");
}

static void by_others(void)
{
    static const uint8_t program[] = { PROGRAM, 0x01 };
    uint64_t to = FLASH, from = (uintptr_t)program, n = 2;
    uint8_t v = PROGRAM;

    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    asm volatile("xchg %0, (%1)" : "+q"(v) : "r"((uint64_t)FLASH) : "memory");
    asm volatile("lock orb %0, (%1)"
                 : : "q"((uint8_t)1), "r"((uint64_t)FLASH) : "memory");
    write8(FLASH, ARRAY);
    equal(changed(), 0, "nor by string or locked instructions");
}

static void by_dma(void)
{
    static const uint8_t program[] = { PROGRAM, 0x01, ARRAY };
    int dev = pci_find(0x11e81234);
    uint32_t edu = 0xc0000000;
    unsigned i;

    if (!ok(dev >= 0, "there is a device with DMA")) {
        return;
    }
    pci_write(dev, PCI_BAR(0), edu);
    pci_write(dev, PCI_COMMAND, 6);
    for (i = 0; i < sizeof(program); i++) {
        edu_dma(edu, (uintptr_t)&program[i], EDU_BUFFER, 1, 0);
        edu_dma(edu, EDU_BUFFER, FLASH, 1, 2);
    }
    equal(changed(), 0, "nor by DMA");
}

/* In the middle of what SMM does */
static void between(void)
{
    write_in_smm(FLASH + 5, PROGRAM);
    equal(read8(FLASH + 5), BLANK,
          "SMM is about to program a byte: others see no status");
    write8(FLASH + 5, 0x10);
    write8(FLASH + 5, ARRAY);
    equal(write_in_smm(FLASH + 5, 0x01) & 0x80, 0x80,
          "others do not do it for it: it is done by SMM, and ready");
    write_in_smm(FLASH + 5, ARRAY);
    equal(read8(FLASH + 5), 0x01, "the byte is as SMM wrote it");
    equal(changed(), 1, "and the only one that has changed");
}

void guest_main(void)
{
    write32(COUNT, 0);
    enable_smi();
    PUT_HANDLER(DEFAULT_SMBASE, smm_write);
    equal(changed(), 0, "the flash is as it was made");
    by_moves(0);
    by_others();
    by_dma();
    between();
    by_moves(1);
    equal(read32(COUNT), 3, "3 SMIs");
}
