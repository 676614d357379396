/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ABI_KERNEL_LINUX_BITS_H
#define ABI_KERNEL_LINUX_BITS_H

#define BIT(n) (1ul << (n))
#define BIT_ULL(n) (1ull << (n))
#define GENMASK_ULL(high, low) ((~0ull >> (63 - (high))) & (~0ull << (low)))
#define GENMASK(high, low) ((unsigned long)GENMASK_ULL(high, low))

#endif
