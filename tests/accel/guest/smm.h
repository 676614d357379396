/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System management mode of q35's chipset, for the guests that use it */
#ifndef SMM_H
#define SMM_H

#include "guest.h"

#define DEFAULT_SMBASE  0x30000
#define SMM_ENTRY       0x8000          /* from SMBASE */
#define SAVED_SMBASE    0xff00
#define TSEG            0x1f00000       /* the last MiB of 32 */
#define TSEG_SIZE       0x100000
#define SMI_IPI         0x4200
#define APM             0xb2            /* a write raises an SMI */

/*
 * Code of a handler, 16 bits, between NAME and NAME_end; in C strings those
 * that need constants can use SMM_STR().
 */
#define SMM_STR_(x)     #x
#define SMM_STR(x)      SMM_STR_(x)
#define SMM_CODE(name, text)                                            \
    asm(".pushsection .text\n.code16\n.globl " #name ", " #name "_end\n" \
        #name ":\n" text "\n" #name "_end:\n.code64\n.popsection")

/* That code, where a processor with this SMBASE begins */
#define PUT_HANDLER(smbase, name)                                       \
    memcpy((void *)((smbase) + (uint64_t)SMM_ENTRY), CODE_OF(name),     \
           CODE_OF(name##_end) - CODE_OF(name))

static inline void enable_smi(void)
{
    pci_write(0xf8, 0x40, 0x601);
    pci_write(0xf8, 0x44, pci_read(0xf8, 0x44) | 0x80);
    outl(0x630, 0x21);
}

/* SMRAM at 0x9d, ESMRAMC at 0x9e */
static inline void set_smram(uint8_t smram, uint8_t esmramc)
{
    uint32_t v = pci_read(0, 0x9c);

    pci_write(0, 0x9c, (v & 0xff0000ff) | smram << 8 | esmramc << 16);
}

/* G_SMRAME, D_LCK; 1 MiB, T_EN */
static inline void close_tseg(void)
{
    set_smram(0x1a, 0x39);
}

static inline void smi_to(unsigned id)
{
    write32(LAPIC + LAPIC_ICR_HIGH, id << 24);
    write32(LAPIC + LAPIC_ICR, SMI_IPI);
}

/* Another processor writes it, SMM does, or a device. */
static inline void wait_for(volatile uint32_t *what, uint32_t wanted)
{
    while (*what < wanted) {
        pause();
    }
}

/* QEMU's edu, whose memory is at @edu: @size bytes to or from its own buffer */
#define EDU_BUFFER      0x40000

static inline void edu_dma(uint32_t edu, uint32_t from, uint32_t to,
                           uint32_t size, uint32_t command)
{
    write32(edu + 0x80, from);
    write32(edu + 0x84, 0);
    write32(edu + 0x88, to);
    write32(edu + 0x8c, 0);
    write32(edu + 0x90, size);
    write32(edu + 0x94, 0);
    write32(edu + 0x98, command | 1);
    while (read32(edu + 0x98) & 1) {
        pause();
    }
}

#endif
