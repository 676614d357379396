/*
 * What the kernel's hypervisor headers expect of the kernel around them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ABI_KERNEL_LINUX_TYPES_H
#define ABI_KERNEL_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8, __u8;
typedef uint16_t u16, __u16;
typedef uint32_t u32, __u32;
typedef uint64_t u64, __u64;
typedef int32_t s32, __s32;
typedef int64_t s64, __s64;
typedef unsigned long ulong;

#define CONFIG_X86 1
#define CONFIG_X86_64 1
#define IS_ENABLED(option) (option)

#define NSEC_PER_SEC 1000000000

#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))

#undef static_assert
#define static_assert(condition) _Static_assert(condition, #condition)

/* An array without a size where C allows none */
#define DECLARE_FLEX_ARRAY(type, name) \
    struct { \
        struct { } name##_empty; \
        type name[]; \
    }

/* Structure `name` whose last array `array` shares its place with `members` */
#define __TRAILING_OVERLAP(type, name, array, attributes, members) \
    union { \
        type name; \
        struct { \
            u8 name##_head[offsetof(type, array)]; \
            members \
        } attributes; \
    }

#endif
