/*
 * In the small guest: read or write one item of a file that can be mapped, such
 * as the memory of a PCI device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned long number(const char *text)
{
    return strtoul(text, NULL, 0);
}

int main(int argc, char **argv)
{
    unsigned long offset, size, value;
    volatile char *page;
    int fd;

    if (argc != 4 && argc != 5) {
        fprintf(stderr, "Usage: poke FILE OFFSET 1|2|4 [VALUE]\n");
        return 2;
    }
    offset = number(argv[2]);
    size = number(argv[3]);
    fd = open(argv[1], O_RDWR | O_SYNC);
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                offset & ~4095ul);
    if (page == MAP_FAILED) {
        perror(argv[1]);
        return 1;
    }
    page += offset & 4095;
    if (argc == 4) {
        value = size == 1 ? *(volatile uint8_t *)page :
                size == 2 ? *(volatile uint16_t *)page :
                *(volatile uint32_t *)page;
        printf("%#lx\n", value);
        return 0;
    }
    value = number(argv[4]);
    switch (size) {
    case 1: *(volatile uint8_t *)page = value; return 0;
    case 2: *(volatile uint16_t *)page = value; return 0;
    default: *(volatile uint32_t *)page = value; return 0;
    }
}
