/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random guest code for the fuzzers: instructions that a hypervisor has to do
 * with, in 64-bit mode. The same seed gives the same code. Needs no C library.
 */
#ifndef TESTS_HOST_RANDCODE_H
#define TESTS_HOST_RANDCODE_H

#include <stdint.h>

/* xorshift64*; the state is never 0. */
typedef struct Random {
    uint64_t state;
} Random;

void random_seed(Random *r, uint64_t seed);
uint64_t random_u64(Random *r);
/* Below @n */
uint64_t random_below(Random *r, uint64_t n);
/* Values at which bugs sit, and others */
uint64_t random_value(Random *r);
/* A Hyper-V, x2APIC, architectural or unknown MSR */
uint32_t random_msr(Random *r);

/*
 * A guest is an image of 32 pages at guest address 0. It has page tables for
 * 1 GiB and for the page of the local APIC, handlers for all vectors and code
 * that ends with OUT to port 0xe0. What faults is skipped.
 */
#define GUEST_PAGES     32u
#define GUEST_IDT       0x0000u
#define GUEST_GDT       0x1000u
#define GUEST_PML4      0x2000u
#define GUEST_STACK     0x7000u
#define GUEST_CODE      0x8000u
#define GUEST_END_PORT  0xe0

void random_guest(Random *r, uint8_t *image);

#endif
