/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what the files of hcall/ share.
 *
 * To add one: write a handler, put a row into the table of its group's file.
 * hcall.c checks sizes, alignment, rep counts, the partition and the VP before
 * it calls the handler; see docs/devel/emuhv.rst.
 */
#ifndef HW_EMUHV_HCALL_INT_H
#define HW_EMUHV_HCALL_INT_H

#include "qemu/bswap.h"
#include "hw/emuhv/hcall/hcall.h"
#include "hw/emuhv/parent/parent.h"
#include "hw/emuhv/partition/partition.h"
#include "hw/emuhv/trace.h"

/* One hypercall while it is handled. */
typedef struct EmuhvHcall {
    EmuhvParentCpu *pc;
    uint8_t *in;            /* fixed part, variable header, rep list */
    uint8_t *out;           /* zeroed page */
    const uint8_t *var;     /* variable header */
    size_t var_len;         /* bytes */
    const uint8_t *list;    /* input rep list (element 0) */
    unsigned rep_start, rep_count;
    unsigned rep_done;      /* by the handler; absolute, as in the ABI */
    size_t out_len;         /* fixed output; the handler may shorten it */
    hwaddr out_gpa;
    EmuhvPartition *p;      /* HCALL_PARTITION and what implies it */
    EmuhvVp *vp;        /* HCALL_VP; dies when the BQL is dropped */
    bool pending;           /* the CPU waits; emuhv_parent_answer() later */
} EmuhvHcall;

/* Input starts with a u64 partition id */
#define HCALL_PARTITION 0x01
/* ... which is not the caller's own */
#define HCALL_CHILD     (0x02 | HCALL_PARTITION)
/* ... and is initialized and not finalized */
#define HCALL_ACTIVE    (0x04 | HCALL_CHILD)
/* ... and a u32 index of an existing VP follows */
#define HCALL_VP        (0x08 | HCALL_ACTIVE)
#define HCALL_REP       0x10
/* A variable header is allowed */
#define HCALL_VARHEAD   0x20
/* Its caller deposits memory if it is told to, and calls again */
#define HCALL_MEMORY    0x40

typedef struct EmuhvHcallDef {
    uint16_t code;
    uint16_t flags;
    uint16_t in_size, out_size;     /* fixed parts, bytes */
    uint16_t rep_in, rep_out;       /* bytes an element */
    const char *name;               /* NULL ends a table */
    uint16_t (*handler)(EmuhvHcall *c);
    uint32_t privilege;             /* that the caller must have */
} EmuhvHcallDef;

extern const EmuhvHcallDef emuhv_hcalls_partition[];
extern const EmuhvHcallDef emuhv_hcalls_memory[];
extern const EmuhvHcallDef emuhv_hcalls_vp[];
extern const EmuhvHcallDef emuhv_hcalls_irq[];
extern const EmuhvHcallDef emuhv_hcalls_port[];
extern const EmuhvHcallDef emuhv_hcalls_stats[];

/* Name of a hypercall, NULL if the hypervisor does not know it. */
const char *emuhv_hcall_name(uint16_t code);

static inline uint64_t hcall_u64(const EmuhvHcall *c, unsigned offset)
{
    return ldq_le_p(c->in + offset);
}

static inline uint32_t hcall_u32(const EmuhvHcall *c, unsigned offset)
{
    return ldl_le_p(c->in + offset);
}

static inline uint16_t hcall_u16(const EmuhvHcall *c, unsigned offset)
{
    return lduw_le_p(c->in + offset);
}

static inline uint8_t hcall_u8(const EmuhvHcall *c, unsigned offset)
{
    return c->in[offset];
}

/* Is the HV_INPUT_VTL at @offset VTL 0, the only one there is? */
static inline bool hcall_vtl0(const EmuhvHcall *c, unsigned offset)
{
    return !(c->in[offset] & 0x0f);
}

#endif /* HW_EMUHV_HCALL_INT_H */
