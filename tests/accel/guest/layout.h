/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are, for the assembler and the compiler. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define ROM_SIZE        0x40000
#define ROM_BASE        0xfffc0000
#define ROM_START       0x30000         /* in the image: the first code */
#define PROGRAM_AT      0x100000
#define TRAMPOLINE      0x8000          /* where a processor begins at SIPI */
#define BOOT_COUNT      0x500           /* survives a reset, like all RAM */
#define RESET_REGS      0x510           /* what rom.S found in registers */
#define STACK_SIZE      0x2000
#define MAX_CPUS        257

#define NEEDS_AVX       0x10000         /* flag of a snippet */

/* Selectors */
#define KERNEL_CS       0x08
#define KERNEL_DS       0x10
#define USER_DS         0x23
#define USER_CS         0x2b
#define CODE32_CS       0x30
#define TSS             0x38

#endif
