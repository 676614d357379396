/*
 * Facts about an ABI: one header's view of it, to be compared with another's.
 *
 * A fact is a name and two numbers: of a type its size; of a field its offset
 * and size; of a bit field its first bit and its width; of a constant its
 * value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ABI_KERNEL_FACTS_H
#define ABI_KERNEL_FACTS_H

#include <stddef.h>
#include <stdint.h>

struct fact {
    const char *name;
    uint64_t a;
    uint64_t b;
};

struct facts {
    struct fact *row;
    size_t count;
    size_t room;
};

/* First bit and width of bits that are in neither one run nor none */
#define FACT_NOT_ONE_RUN UINT64_MAX

void fact_add(struct facts *facts, const char *name, uint64_t a, uint64_t b);

/* Adds where the run of set bits in the `size` bytes at `p` is. */
void fact_add_bits(struct facts *facts, const char *name, const void *p,
                   size_t size);

/* The same rows in the same order, from our headers and from the kernel's */
void collect_ours(struct facts *facts);
void collect_kernel(struct facts *facts);

#endif
