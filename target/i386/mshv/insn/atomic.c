/*
 * x86 instruction emulator: access to guest RAM through host pointers
 *
 * Guest and host are both x86, so the guest's atomicity is the host's own:
 * aligned loads and stores are single, and a locked instruction on the guest's
 * RAM is a locked instruction of the host, aligned or not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

#ifndef __x86_64__
#error "The emulator of x86 guests' locked instructions needs an x86-64 host"
#endif

static bool aligned(const void *host, unsigned len)
{
    return ((uintptr_t)host & (len - 1)) == 0;
}

void insn_host_load(const void *host, void *buf, unsigned len)
{
    if (len == 2 && aligned(host, 2)) {
        uint16_t v = __atomic_load_n((const uint16_t *)host, __ATOMIC_ACQUIRE);
        memcpy(buf, &v, 2);
    } else if (len == 4 && aligned(host, 4)) {
        uint32_t v = __atomic_load_n((const uint32_t *)host, __ATOMIC_ACQUIRE);
        memcpy(buf, &v, 4);
    } else if (len == 8 && aligned(host, 8)) {
        uint64_t v = __atomic_load_n((const uint64_t *)host, __ATOMIC_ACQUIRE);
        memcpy(buf, &v, 8);
    } else {
        memcpy(buf, host, len);
    }
}

void insn_host_store(void *host, const void *buf, unsigned len)
{
    if (len == 2 && aligned(host, 2)) {
        uint16_t v;
        memcpy(&v, buf, 2);
        __atomic_store_n((uint16_t *)host, v, __ATOMIC_RELEASE);
    } else if (len == 4 && aligned(host, 4)) {
        uint32_t v;
        memcpy(&v, buf, 4);
        __atomic_store_n((uint32_t *)host, v, __ATOMIC_RELEASE);
    } else if (len == 8 && aligned(host, 8)) {
        uint64_t v;
        memcpy(&v, buf, 8);
        __atomic_store_n((uint64_t *)host, v, __ATOMIC_RELEASE);
    } else {
        memcpy(host, buf, len);
    }
}

static bool cas16(void *host, const void *old, const void *val)
{
    uint64_t o[2], v[2];
    bool done;

    memcpy(o, old, 16);
    memcpy(v, val, 16);
    if (!aligned(host, 16)) {
        /* The guest's address is aligned, so this is an odd host mapping. */
        if (memcmp(host, old, 16) == 0) {
            memcpy(host, val, 16);
            return true;
        }
        return false;
    }
    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz" (done), "+m" (*(char (*)[16])host),
                       "+a" (o[0]), "+d" (o[1])
                     : "b" (v[0]), "c" (v[1])
                     : "memory");
    return done;
}

/* @len is 1, 2, 4, 8, or 16. */
bool insn_host_cas(void *host, unsigned len, const void *old, const void *val)
{
    uint64_t o = 0, v = 0;
    bool done = false;

    if (len == 16) {
        return cas16(host, old, val);
    }
    memcpy(&o, old, len);
    memcpy(&v, val, len);
    switch (len) {
    case 1:
        __asm__ volatile("lock cmpxchgb %b3, %1"
                         : "=@ccz" (done), "+m" (*(char *)host), "+a" (o)
                         : "q" (v) : "memory");
        break;
    case 2:
        __asm__ volatile("lock cmpxchgw %w3, %1"
                         : "=@ccz" (done), "+m" (*(char (*)[2])host), "+a" (o)
                         : "r" (v) : "memory");
        break;
    case 4:
        __asm__ volatile("lock cmpxchgl %k3, %1"
                         : "=@ccz" (done), "+m" (*(char (*)[4])host), "+a" (o)
                         : "r" (v) : "memory");
        break;
    case 8:
        __asm__ volatile("lock cmpxchgq %3, %1"
                         : "=@ccz" (done), "+m" (*(char (*)[8])host), "+a" (o)
                         : "r" (v) : "memory");
        break;
    }
    return done;
}
