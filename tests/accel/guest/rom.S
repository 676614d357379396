/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware image of a guest: the guest itself, which is linked to run at
 * 1 MiB, and the way there from the reset vector.
 */
#include "layout.h"

        .text
        .incbin PROGRAM
        .org ROM_START
        .code16
start:
        mov %eax, RESET_REGS
        mov %ebx, RESET_REGS + 4
        mov %ecx, RESET_REGS + 8
        mov %esp, RESET_REGS + 12
        mov %ebp, RESET_REGS + 16
        mov %esi, RESET_REGS + 20
        mov %edi, RESET_REGS + 24
        mov %edx, RESET_REGS + 28
        mov %cr0, %eax
        mov %eax, RESET_REGS + 32
        mov %cr2, %eax
        mov %eax, RESET_REGS + 36
        mov %cr3, %eax
        mov %eax, RESET_REGS + 40
        mov %cr4, %eax
        mov %eax, RESET_REGS + 44
        mov $0xc0000080, %ecx
        rdmsr
        mov %eax, RESET_REGS + 48
        cli
        cld
        lgdtl %cs:gdtr - start
        mov %cr0, %eax
        or $1, %eax
        mov %eax, %cr0
        ljmpl $0x08, $ROM_BASE + ROM_START + (protected - start)

        .code32
protected:
        mov $0x10, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov $ROM_BASE, %esi
        mov $PROGRAM_AT, %edi
        mov $ROM_START / 4, %ecx
        rep movsl
        mov $PROGRAM_AT, %eax
        jmp *%eax

        .balign 8
gdt:
        .quad 0
        .quad 0x00cf9b000000ffff        /* 08: code32 */
        .quad 0x00cf93000000ffff        /* 10: data */
gdtr:
        .word gdtr - gdt - 1
        .long ROM_BASE + ROM_START + (gdt - start)

        .org ROM_SIZE - 16
        .code16
        ljmp $0xf000, $(ROM_START - (ROM_SIZE - 0x10000))
        .org ROM_SIZE
