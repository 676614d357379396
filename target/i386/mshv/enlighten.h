/*
 * What a guest is told of the hypervisor: QEMU's hv-* properties, one row each,
 * and what comes of a list of them on a given host. Knows no QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MSHV_ENLIGHTEN_H
#define TARGET_I386_MSHV_ENLIGHTEN_H

#include <stdbool.h>
#include <stdint.h>
#include "mshv/hvabi.h"

/* The numbers of X86CPU.hyperv_features, and two that it has no bits for */
typedef enum MshvEnl {
    MSHV_ENL_RELAXED,
    MSHV_ENL_VAPIC,
    MSHV_ENL_TIME,
    MSHV_ENL_CRASH,
    MSHV_ENL_RESET,
    MSHV_ENL_VPINDEX,
    MSHV_ENL_RUNTIME,
    MSHV_ENL_SYNIC,
    MSHV_ENL_STIMER,
    MSHV_ENL_FREQUENCIES,
    MSHV_ENL_REENLIGHTENMENT,
    MSHV_ENL_TLBFLUSH,
    MSHV_ENL_EVMCS,
    MSHV_ENL_IPI,
    MSHV_ENL_STIMER_DIRECT,
    MSHV_ENL_AVIC,
    MSHV_ENL_SYNDBG,
    MSHV_ENL_EMSR_BITMAP,
    MSHV_ENL_XMM_INPUT,
    MSHV_ENL_TLBFLUSH_EXT,
    MSHV_ENL_TLBFLUSH_DIRECT,
    MSHV_ENL_QEMU_BITS,
    MSHV_ENL_SPINLOCKS = MSHV_ENL_QEMU_BITS,
    MSHV_ENL_CORESHARING,
    MSHV_ENL_COUNT
} MshvEnl;

/* Leaves are numbered from 0x40000000, registers EAX, EBX, ECX, EDX. */
#define MSHV_ENL_LEAVES         5
#define MSHV_ENL_REGS           4

/* What the command line asks for. */
typedef struct MshvEnlRequest {
    uint64_t wanted;            /* bits by MshvEnl */
    bool all;                   /* hv-passthrough */
    uint32_t spin_retries;      /* hv-spinlocks */
} MshvEnlRequest;

/* What is known of the hypervisor. */
typedef struct MshvEnlHost {
    uint64_t assignable;        /* HV_SYNTH_FEATURE_* */
    /* What it shows its own partition */
    uint32_t leaf[MSHV_ENL_LEAVES][MSHV_ENL_REGS];
} MshvEnlHost;

/* What comes of it. */
typedef struct MshvEnlGrant {
    uint64_t given;             /* bits by MshvEnl, of those asked for */
    uint64_t synthetic;         /* the partition's features */
    /* CPUID: the bits of @mask are as in @value, the rest the hypervisor's. */
    struct {
        uint32_t value[MSHV_ENL_REGS], mask[MSHV_ENL_REGS];
    } leaf[MSHV_ENL_LEAVES];
} MshvEnlGrant;

/* Nothing asked for: the best that is safe, and CPUID as the hypervisor says */
void mshv_enl_decide(const MshvEnlRequest *request, const MshvEnlHost *host,
                     MshvEnlGrant *grant);

/* The property, as on the command line. */
const char *mshv_enl_name(MshvEnl n);

/* Another one that it needs and that was not given, or NULL. */
const char *mshv_enl_lacks(MshvEnl n, const MshvEnlGrant *grant);

/* Why no host has it, or NULL. */
const char *mshv_enl_why_never(MshvEnl n);

#endif
