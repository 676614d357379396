/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A boot sector that only says, with a mark (count.c), that it was booted. */
    .code16
    .text
    nopw    0x6d730000 + 11(%eax)
1:  hlt
    jmp     1b
    .org    510
    .word   0xaa55
