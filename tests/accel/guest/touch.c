/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Touches a word of each 2 MiB of its memory, which is 32 MiB. */
#include "guest.h"

void guest_main(void)
{
    unsigned i;

    for (i = 1; i < 16; i++) {
        write32(i << 21, i);
    }
    for (i = 1; i < 16; i++) {
        if (!equal(read32(i << 21), i, "page %u", i)) {
            break;
        }
    }
}
