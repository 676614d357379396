/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: interrupts and time of children: local APICs,
 * SynICs, synthetic timers, the reference clock, and the synthetic MSRs behind
 * which a child finds them.
 */
#ifndef HW_EMUHV_INTERRUPTS_H
#define HW_EMUHV_INTERRUPTS_H

#include "qemu/timer.h"
#include "hw/emuhv/base/base.h"

/*
 * Shortest time between two expirations of a periodic timer: with a shorter
 * one a guest could keep QEMU's main loop busy for ever.
 */
#define EMUHV_MIN_PERIOD_NS (200 * SCALE_US)
#define EMUHV_STIMERS       4
/* More than one processor sends between two looks at what waits */
#define EMUHV_IPIS          16

typedef struct EmuhvStimer {
    EmuhvVp *vp;
    unsigned index;
    QEMUTimer *timer;
    uint64_t config, count;
    uint64_t expiry;            /* reference time, 100 ns */
    bool msg_waiting;           /* its message waits for a free slot */
    uint64_t msg_expiry;        /* of that message */
} EmuhvStimer;

/* What this room knows of a VP. */
typedef struct EmuhvVpIrq {
    uint32_t level[8];          /* vectors in service that came as level */
    uint32_t eoi[8];            /* level EOIs to report, by vector */
    /* What it has sent, to report: interrupt commands, oldest first */
    uint64_t ipi[EMUHV_IPIS];
    unsigned ipis;
    uint32_t frozen_count;      /* of the APIC's timer, while time is frozen */
    uint64_t runtime_before;    /* that it came with, of 100 ns */
    bool extint;
    uint8_t extint_vector;
    uint64_t tsc_offset;        /* copy: reset clears QEMU's */
    uint64_t scontrol, siefp, simp;
    uint64_t sint[EMUHV_SINTS];
    EmuhvStimer stimer[EMUHV_STIMERS];
    uint64_t vp_assist;
} EmuhvVpIrq;

/* and of a partition */
typedef struct EmuhvPartitionIrq {
    APICCommonState *bus[EMUHV_APIC_IDS];
    uint64_t synth_features;
    uint64_t guest_os_id, hypercall, reference_tsc, crash[5];
    unsigned tsc_slot;          /* of the VP whose reference TSC page it is */
    bool time_frozen;
    uint64_t frozen_at;         /* reference time when it was frozen */
    uint64_t time_origin;       /* taken off what the TSC says */
    uint64_t tsc_origin;        /* machine's TSC when the child's was 0 */
    uint64_t frozen_tsc;        /* machine's TSC when time was frozen */
} EmuhvPartitionIrq;

/* ---- clock.c ---- */

EmuhvPartitionIrq *emuhv_irq_new(void);
/* In units of 100 ns, at the pace of the TSC */
uint64_t emuhv_reftime(EmuhvPartition *p);
/* 2^64 * 10 MHz / TSC frequency: what multiplied with a TSC gives such units */
uint64_t emuhv_reftime_scale(void);
uint64_t emuhv_reftime_of(uint64_t tsc);
/* The machine's TSC as it counts for this child (stands while frozen). */
uint64_t emuhv_raw_tsc(EmuhvPartition *p);
/* Let both stand, or go on from there. */
void emuhv_clock_freeze(EmuhvPartition *p);
void emuhv_clock_thaw(EmuhvPartition *p);
void emuhv_set_tsc_offset(EmuhvVp *vp, uint64_t offset);

/* ---- apic.c ---- */

void emuhv_apic_attach(EmuhvVp *vp);
void emuhv_apic_detach(EmuhvVp *vp);
uint16_t emuhv_apic_set_id(EmuhvVp *vp, uint32_t id);
void emuhv_apic_raise(EmuhvVp *vp, uint8_t vector);
/* Time was frozen or goes on. */
void emuhv_apic_timers_freeze(EmuhvPartition *p, bool freeze);
/* HvCallAssertVirtualInterrupt and HvCallClearVirtualInterrupt. */
uint16_t emuhv_apic_assert(EmuhvPartition *p, uint32_t type, bool level,
                           bool logical, uint64_t dest, uint32_t vector);
uint16_t emuhv_apic_clear_extint(EmuhvPartition *p);
/* The VP state, a page */
void emuhv_apic_get_page(EmuhvVp *vp, uint8_t *buf);
void emuhv_apic_set_page(EmuhvVp *vp, const uint8_t *buf);

/* ---- synic.c ---- */

/* HvCallSignalEventDirect / HvCallPostMessageDirect into a child's SynIC. */
uint16_t emuhv_synic_signal(EmuhvVp *vp, unsigned sint, unsigned flag,
                            bool *newly);
uint16_t emuhv_synic_message(EmuhvVp *vp, unsigned sint,
                             const uint8_t msg[EMUHV_MSG_SIZE]);
/* An interrupt was delivered: end it, if its SINT says so. */
void emuhv_synic_auto_eoi(EmuhvVp *vp, int vector);

/* ---- timer.c ---- */

void emuhv_stimers_init(EmuhvVp *vp);
void emuhv_stimers_free(EmuhvVp *vp);
void emuhv_stimers_reset(EmuhvVp *vp);
void emuhv_stimer_set_config(EmuhvStimer *t, uint64_t config);
void emuhv_stimer_set_count(EmuhvStimer *t, uint64_t count);
/* The guest freed a message slot: post what waits for it. */
void emuhv_stimers_eom(EmuhvVp *vp);
/* Time was frozen or goes on. */
void emuhv_stimers_restart(EmuhvPartition *p);
/* The VP state, EMUHV_STIMER_STATE_SIZE bytes */
void emuhv_stimer_get(EmuhvVp *vp, uint8_t *buf);
void emuhv_stimer_set(EmuhvVp *vp, const uint8_t *buf);
#define EMUHV_STIMER_STATE_SIZE 200

/* ---- synth.c: synthetic MSRs ---- */

void emuhv_irq_vp_new(EmuhvVp *vp);
void emuhv_irq_vp_free(EmuhvVp *vp);
void emuhv_synth_reset(EmuhvVp *vp);
/* Does this VP have it?  May be called inside a TCG helper. */
bool emuhv_synth_is_msr(EmuhvVp *vp, uint32_t msr);
/* False: #GP.  May be called inside a TCG helper, with the BQL. */
bool emuhv_synth_wrmsr(EmuhvVp *vp, uint32_t msr, uint64_t val);
bool emuhv_synth_rdmsr(EmuhvVp *vp, uint32_t msr, uint64_t *val);
/* MSR that the register name stands for, 0: none. */
uint32_t emuhv_synth_msr_of_reg(uint32_t name);
void emuhv_synth_freeze(EmuhvPartition *p, bool freeze);

#endif /* HW_EMUHV_INTERRUPTS_H */
