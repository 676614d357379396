/*
 * In the small guest: write to a file that can be mapped, such as the memory of
 * a PCI device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    unsigned long offset;
    unsigned size, value;
    char *page;
    int fd;

    if (argc != 5 || sscanf(argv[2], "%li", &offset) != 1 ||
        sscanf(argv[3], "%u", &size) != 1 || (size != 2 && size != 4) ||
        sscanf(argv[4], "%i", &value) != 1) {
        fprintf(stderr, "Usage: poke FILE OFFSET 2|4 VALUE\n");
        return 2;
    }
    fd = open(argv[1], O_RDWR | O_SYNC);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                offset & ~4095ul);
    if (page == MAP_FAILED) {
        perror(argv[1]);
        return 1;
    }
    page += offset & 4095;
    /* One access of that size: it may be a register. */
    if (size == 2) {
        __atomic_store_n((uint16_t *)page, value, __ATOMIC_RELAXED);
    } else {
        __atomic_store_n((uint32_t *)page, value, __ATOMIC_RELAXED);
    }
    return 0;
}
