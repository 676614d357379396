/*
 * The accelerator's counters as others read them: the layout of the memfd
 * "mshv-counters" that each QEMU with -accel mshv has open.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything is in the machine's byte order. A number of 64 bits is written
 * whole, so whoever loads it whole never sees half of it; two numbers need not
 * be of the same moment. The header and the text in MshvVmCounters do not
 * change once the magic number is there. Size and seals never change.
 *
 * A change that a reader of this version would misread needs a new version.
 * New fields go where "reserved" is, or behind: sizes and numbers of rows are
 * in the header, and readers go by these.
 *
 * docs/devel/counters.rst says what each field means.
 */
#ifndef MSHV_COUNTERS_H
#define MSHV_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#define MSHV_COUNTERS_NAME      "mshv-counters"
#define MSHV_COUNTERS_MAGIC     0x73746e632d76736dULL
#define MSHV_COUNTERS_VERSION   1

#define MSHV_COUNTERS_CALLS     64      /* rows; not all are in use */
#define MSHV_COUNTERS_VPS       256
#define MSHV_COUNTERS_EXITS     16
#define MSHV_COUNTERS_FALLBACKS 8
#define MSHV_COUNTERS_REFUSALS  16
#define MSHV_COUNTERS_MSRS      256
#define MSHV_COUNTERS_TEXT      128

/* Rows of calls. Their numbers are part of the layout: append only. */
typedef enum MshvCall {
    MSHV_CALL_CREATE_PARTITION,
    MSHV_CALL_INITIALIZE_PARTITION,
    MSHV_CALL_CREATE_VP,
    MSHV_CALL_SET_GUEST_MEMORY,
    MSHV_CALL_IRQFD,
    MSHV_CALL_IOEVENTFD,
    MSHV_CALL_SET_MSI_ROUTING,
    MSHV_CALL_GET_GPAP_ACCESS_BITMAP,
    MSHV_CALL_RUN_VP,
    MSHV_CALL_GET_VP_STATE,
    MSHV_CALL_SET_VP_STATE,
    MSHV_CALL_OTHER_HVCALL,
    /* MSHV_ROOT_HVCALL, by hypercall */
    MSHV_CALL_GET_PARTITION_PROPERTY,
    MSHV_CALL_GET_PARTITION_PROPERTY_EX,
    MSHV_CALL_SET_PARTITION_PROPERTY,
    MSHV_CALL_INSTALL_INTERCEPT,
    MSHV_CALL_GET_VP_REGISTERS,
    MSHV_CALL_SET_VP_REGISTERS,
    MSHV_CALL_TRANSLATE_VIRTUAL_ADDRESS,
    MSHV_CALL_CLEAR_VIRTUAL_INTERRUPT,
    MSHV_CALL_REGISTER_INTERCEPT_RESULT,
    MSHV_CALL_ASSERT_VIRTUAL_INTERRUPT,
    MSHV_CALL_GET_GPA_PAGES_ACCESS_STATES,
    MSHV_CALL_SIGNAL_EVENT_DIRECT,
    MSHV_CALL_POST_MESSAGE_DIRECT,
    MSHV_CALL_GET_VP_CPUID_VALUES,
    MSHV_CALL__MAX
} MshvCall;

/* What QEMU does itself because the kernel or the hypervisor does not. */
typedef enum MshvFallback {
    MSHV_FALLBACK_IOEVENTFD,    /* writes that QEMU turns into events */
    MSHV_FALLBACK_IRQFD,        /* events that QEMU turns into interrupts */
    MSHV_FALLBACK_DIRTY_LOG,    /* all pages count as dirty */
    MSHV_FALLBACK_CLOCK,        /* the guest's time runs on while stopped */
    MSHV_FALLBACK__MAX
} MshvFallback;

/* What the kernel or the hypervisor has refused, and the VM goes on without. */
typedef enum MshvRefusal {
    MSHV_REFUSED_MSI,
    MSHV_REFUSED_SMI,
    MSHV_REFUSED_IRQFD,
    MSHV_REFUSED_ROUTES,
    MSHV_REFUSED_IOEVENTFD,
    MSHV_REFUSED_MEMORY,
    MSHV_REFUSED_TRACKING,
    MSHV_REFUSED__MAX
} MshvRefusal;

typedef enum MshvVmState {
    MSHV_VM_PRELAUNCH,
    MSHV_VM_RUNNING,
    MSHV_VM_PAUSED,
    MSHV_VM_MIGRATING,          /* or being saved or restored */
    MSHV_VM_SUSPENDED,
    MSHV_VM_SHUTDOWN,
    MSHV_VM_GUEST_PANICKED,
    MSHV_VM_INTERNAL_ERROR,
    MSHV_VM_IO_ERROR,
    MSHV_VM_OTHER,
    MSHV_VM__MAX
} MshvVmState;

#define MSHV_VM_FLAG_INCOMING   (1 << 0)    /* it was started to receive a VM */
#define MSHV_VM_FLAG_UUID       (1 << 1)    /* it has one */

typedef struct MshvCountersHeader {
    uint64_t magic;             /* written last */
    uint32_t version;
    uint32_t size;              /* of the file */
    uint32_t vm_offset;         /* of MshvVmCounters */
    uint32_t vm_size;
    uint32_t call_offset;       /* of rows of MshvCallCounters */
    uint32_t call_size;         /* of one */
    uint32_t call_count;        /* of rows */
    uint32_t vp_offset;         /* the same of MshvVpCounters */
    uint32_t vp_size;
    uint32_t vp_count;
    uint32_t msr_offset;        /* of MshvMsrCounters; 0: there are none */
    uint32_t msr_size;
    uint32_t msr_count;
    uint32_t reserved;
} MshvCountersHeader;

/* Times are of CLOCK_BOOTTIME, in nanoseconds; 0: not yet. */
typedef struct MshvVmCounters {
    char name[MSHV_COUNTERS_TEXT];      /* -name guest=, up to a NUL */
    uint8_t uuid[16];                   /* -uuid, as it is written */
    uint32_t flags;
    uint32_t state;                     /* MshvVmState */
    uint64_t start_time;                /* of the process */
    uint64_t first_exit_time;
    uint64_t first_interrupt_time;      /* through a local APIC */
    uint64_t memory_regions;            /* mapped now */
    uint64_t memory_bytes;
    uint64_t dirty_passes;              /* reads of a region's dirty pages */
    uint64_t dirty_pages;               /* found by these */
    uint64_t pic_interrupts;            /* given to a VP for the PIC */
    uint64_t irqfds;                    /* in the kernel now */
    uint64_t ioeventfds;
    uint64_t passthrough_devices;       /* by VFIO, now */
    uint64_t vps;                       /* created */
    uint64_t fallbacks[MSHV_COUNTERS_FALLBACKS];    /* in use now */
    uint64_t reserved[8];
    /* Pages of QEMUs before end here. */
    uint64_t refused[MSHV_COUNTERS_REFUSALS];
    uint64_t other_msrs;        /* as below, where there was no row left */
} MshvVmCounters;

/* What the first pages of this version have of it */
#define MSHV_VM_COUNTERS_LEAST offsetof(MshvVmCounters, refused)

typedef struct MshvCallCounters {
    uint64_t made;              /* of RUN_VP: see docs/devel/counters.rst */
    uint64_t failed;
} MshvCallCounters;

/* A register that nobody implements, and the guest tried. */
typedef struct MshvMsrCounters {
    uint32_t number;            /* set once, before the first count */
    uint32_t reserved;
    uint64_t count;             /* 0: a free row; behind it are only such */
} MshvMsrCounters;

typedef struct MshvExitCounters {
    uint32_t type;              /* of the hypervisor's message; set once */
    uint32_t reserved;
    uint64_t count;
} MshvExitCounters;

/* Row i is of the VP with the index i. */
typedef struct MshvVpCounters {
    uint64_t created;           /* 1, or 0: there is none */
    uint64_t kicks;             /* runs that QEMU ended */
    uint64_t reserved[6];
    /* The last row has what finds no other, and the type 0. */
    MshvExitCounters exits[MSHV_COUNTERS_EXITS];
} MshvVpCounters;

/* As this version lays it out. */
typedef struct MshvCounters {
    MshvCountersHeader header;
    MshvVmCounters vm;
    MshvCallCounters calls[MSHV_COUNTERS_CALLS];
    MshvMsrCounters msrs[MSHV_COUNTERS_MSRS];
    MshvVpCounters vps[MSHV_COUNTERS_VPS];
} MshvCounters;

_Static_assert(sizeof(MshvCountersHeader) == 64, "layout");
_Static_assert(sizeof(MshvVmCounters) == 512, "layout");
_Static_assert(sizeof(MshvCallCounters) == 16, "layout");
_Static_assert(MSHV_VM_COUNTERS_LEAST == 376, "layout");
_Static_assert(sizeof(MshvMsrCounters) == 16, "layout");
_Static_assert(sizeof(MshvVpCounters) == 320, "layout");
_Static_assert(sizeof(MshvCounters) == 87616, "layout");
_Static_assert(MSHV_CALL__MAX <= MSHV_COUNTERS_CALLS, "append only");
_Static_assert(MSHV_FALLBACK__MAX <= MSHV_COUNTERS_FALLBACKS, "append only");
_Static_assert(MSHV_REFUSED__MAX <= MSHV_COUNTERS_REFUSALS, "append only");

#endif
