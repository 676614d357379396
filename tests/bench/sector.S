/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk whose boot sector only says, with a mark (count.c), that it was booted.
 * SeaBIOS boots none that is smaller than a cylinder.
 */
    .code16
    .text
    nopw    0x6d730000 + 11(%eax)
1:  hlt
    jmp     1b
    .org    510
    .word   0xaa55
    .org    1 << 20
