/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the parent partition's CPUs: what they see of
 * the hypervisor, and what it tells them.
 */
#ifndef HW_EMUHV_PARENT_H
#define HW_EMUHV_PARENT_H

#include "qemu/queue.h"
#include "hw/emuhv/base/base.h"

/*
 * What the parent may do (CPUID 0x40000003.EBX): make partitions; no CPU
 * management, so it is L1VH and not root; no access to the partition id, which
 * Linux then takes to be HV_PARTITION_ID_SELF.
 */
#define EMUHV_PARENT_PRIVILEGES \
    (HV_CREATE_PARTITIONS | HV_POST_MESSAGES | HV_SIGNAL_EVENTS | \
     HV_CREATE_PORT | HV_CONNECT_PORT | HV_ACCESS_STATS)

/* A SynIC message that waits for its slot. */
typedef struct EmuhvMsg {
    QSIMPLEQ_ENTRY(EmuhvMsg) next;
    uint8_t data[EMUHV_MSG_SIZE];
} EmuhvMsg;

typedef QSIMPLEQ_HEAD(, EmuhvMsg) EmuhvMsgQueue;

/* A CPU of the parent partition. */
typedef struct EmuhvParentCpu {
    EmuhvCpu base;              /* must be first */
    unsigned index;             /* VP index of the parent */
    /* Synthetic MSRs that are per CPU */
    uint64_t vp_assist;
    uint64_t scontrol, simp, siefp, sirbp;
    uint64_t sint[EMUHV_SINTS];
    EmuhvMsgQueue queue;        /* for slot 0 of the SIMP */
    /* Ports that found the event ring full, and the next entry to write */
    uint8_t ring_head[EMUHV_SINTS];
    GArray *ring_pending;       /* of uint32_t: SINT << 24 | port */
    bool call_queued;           /* a hypercall waits to be handled */
} EmuhvParentCpu;

typedef struct EmuhvParent {
    EmuhvParentCpu *cpus[EMUHV_MAX_PARENT_CPUS];
    unsigned n_cpus;
    uint64_t guest_os_id, hypercall_msr, tsc_control;
    uint64_t crash[5];
    int64_t epoch_ns;           /* virtual clock at the last reset */
    EmuhvMsgQueue orphans;      /* messages while no SynIC is on */
} EmuhvParent;

extern EmuhvParent emuhv_parent;

/* ---- cpu.c ---- */

/* Make the parent's CPUs of the machine's. */
void emuhv_parent_init(void);
/* System reset */
void emuhv_parent_reset(void);
/* INIT or reset of one CPU */
void emuhv_parent_cpu_reset(EmuhvParentCpu *pc);
EmuhvParentCpu *emuhv_parent_cpu(X86CPU *cpu);
/* Finish a hypercall: RAX = @result, RIP behind it. */
void emuhv_parent_answer(EmuhvParentCpu *pc, uint64_t result);

/* ---- cpuid.c, msr.c: TCG helpers call these ---- */

/* @r: eax ebx ecx edx, in: what QEMU would answer. */
void emuhv_parent_cpuid(uint32_t leaf, uint32_t r[4]);
/* False: not a synthetic MSR.  *gp: raise #GP(0). Takes the BQL. */
bool emuhv_parent_rdmsr(X86CPU *cpu, uint32_t msr, uint64_t *val, bool *gp);
bool emuhv_parent_wrmsr(X86CPU *cpu, uint32_t msr, uint64_t val, bool *gp);

/* ---- synic.c ---- */

/*
 * Send a message to the intercept SINT of parent CPU @cpu, or of another one if
 * that CPU's SynIC is off.
 */
void emuhv_parent_post(uint32_t cpu, uint32_t type, uint64_t sender,
                       const void *payload, size_t len);
/*
 * Drop queued messages of a partition that goes away: Linux would not take one
 * from a partition that it does not know, and slot 0 would stay full.
 */
void emuhv_parent_forget(uint64_t sender);
/* Put a port id into an event ring of ring @sint; cpu ~0: any CPU. */
void emuhv_parent_ring(uint32_t cpu, unsigned sint, uint32_t port);
/* HvCallNotifyPortRingEmpty */
uint16_t emuhv_parent_ring_empty(EmuhvParentCpu *pc, uint32_t sint);

#endif /* HW_EMUHV_PARENT_H */
