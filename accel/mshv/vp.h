/*
 * A virtual processor: what the accelerator keeps for a CPUState, and access
 * to its registers and state.
 *
 * Only the vCPU's own thread may use these: the kernel serialises them with
 * MSHV_RUN_VP (vp_mutex).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_VP_H
#define ACCEL_MSHV_VP_H

#include "exec/hwaddr.h"
#include "hw/core/cpu.h"
#include "arch.h"
#include "counters.h"
#include "mshv/hvabi.h"
#include "mshv/uapi.h"

/* The kernel's limit for a partition (mshv_root.h). */
#define MSHV_MAX_VPS 256

QEMU_BUILD_BUG_ON(MSHV_MAX_VPS > MSHV_COUNTERS_VPS);

typedef enum MshvAccessKind {
    MSHV_ACCESS_OTHER,          /* none of these */
    MSHV_ACCESS_RAM,            /* memory that may be accessed directly */
    MSHV_ACCESS_PROTECTED,      /* the same, but a write is to be dropped */
    MSHV_ACCESS_CALL,           /* one access to a device */
    MSHV_ACCESS_PLAIN,          /* that is but one call of its function */
} MshvAccessKind;

/* Where an access went; see access.h. */
typedef struct MshvAccess {
    hwaddr addr;
    uint32_t what;              /* length, direction, space; 0: free */
    uint32_t version;           /* of the address spaces */
    MshvAccessKind kind;
    MemoryRegion *mr;
    hwaddr offset;              /* in it */
    /* Of a plain one: what the call takes */
    void *opaque;
    union {
        uint64_t (*read)(void *opaque, hwaddr offset, unsigned size);
        void (*write)(void *opaque, hwaddr offset, uint64_t value,
                      unsigned size);
    };
    bool *engaged;              /* the device handles an access */
} MshvAccess;

/* A power of two is found by a shift. */
QEMU_BUILD_BUG_ON(sizeof(MshvAccess) != 64);

#define MSHV_ACCESS_SLOTS 64

struct AccelCPUState {
    int fd;                     /* of the VP */
    uint32_t vp_index;
    struct hv_vp_register_page *regpage;    /* mapped from the kernel */
    /*
     * The register page is from the exit that is being handled. After a run
     * that ended by a kick it is not: the hypervisor fills it at intercepts.
     * Nor is it, perhaps, after a message that has no intercept header.
     */
    bool page_fresh;
    /*
     * Somebody wants the vCPU out of MSHV_RUN_VP. Tested by the run window
     * (run-x86_64.c); set by a kick, cleared only in the vCPU thread's loop.
     */
    uint32_t kicked;
    uint32_t memory_version;    /* memory.h, before the last run */
    bool debugged;              /* mshv_arch_pre_run() must look at it */
    bool usable;                /* set up, by its thread */
    bool loading;               /* its state comes from a stream */
    bool inside;                /* rendezvous.h */
    struct hv_message message;  /* of the last exit */
    MshvVpCounters *counters;
    /* Of the last exit, as most are like it: its counter, and who answers it */
    MshvExitCounters *exit_row;
    MshvExitHandler *exit_handler;
    MshvAccess accesses[MSHV_ACCESS_SLOTS];
    /* The last access to memory that the kernel could not bring in */
    uint64_t fault_page;
    uint64_t fault_exits;       /* that there had been */
    unsigned fault_tries;       /* in a row */
    void *arch;                 /* target/i386/mshv's own */
};

/* Whether the kernel has a VP of that index. Any thread. */
bool mshv_vp_exists(uint32_t index);

/*
 * Read @n registers named in @names into @values, or write those of @regs.
 * Any @n: split into as many hypercalls as needed.
 */
int mshv_vp_get_regs(CPUState *cpu, const uint32_t *names,
                     union hv_register_value *values, unsigned n,
                     Error **errp);
int mshv_vp_set_regs(CPUState *cpu, const struct hv_register_assoc *regs,
                     unsigned n, Error **errp);

/*
 * How many of those named in @names one hypercall reads before there is one
 * that cannot be read, or no room for more.
 */
unsigned mshv_vp_count_regs(CPUState *cpu, const uint32_t *names, unsigned n);

/*
 * MSHV_GET_VP_STATE or MSHV_SET_VP_STATE. @buf: page aligned, *@size bytes, a
 * multiple of the page size. *@size becomes the size of the data; -EINVAL
 * with a larger *@size says that @buf is too small.
 */
int mshv_vp_state(CPUState *cpu, bool set, uint8_t type, void *buf,
                  uint32_t *size, Error **errp);

#endif
