/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's only program: says with a mark (count.c) that user space runs. */
#include <unistd.h>

int main(void)
{
    __asm__ volatile("nopl 0x6d73000d(%%rax)" : : : "memory");
    for (;;) {
        pause();
    }
}
