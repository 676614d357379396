/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the VP execution layer.
 *
 * A domain is what this layer knows of a child partition: its second-stage
 * table, its APICs, its intercepts, its CPUID.  A VP is a CPU of the pool,
 * lent to a domain.  Hypercalls, messages and the life cycle of partitions are
 * in the layer above, which calls this one and gets the emuhv_vp_*() and
 * emuhv_doorbell() callbacks at the end of this header.
 *
 * Rules:
 *  - All functions need the BQL and must be called outside cpu_exec (main loop
 *    or queued CPU work), never from inside a TCG helper.
 *  - Those marked (drops BQL) may run code on the VP's thread and wait for it:
 *    look up every object again afterwards.  A VP that was passed in stays
 *    valid, but may have been given back (test ->domain).
 *  - Functions that return uint16_t return an HV_STATUS.
 */
#ifndef HW_EMUHV_VP_H
#define HW_EMUHV_VP_H

#include "qemu/bitmap.h"
#include "exec/hwaddr.h"
#include "hw/emuhv/emuhv-hooks.h"

typedef struct EmuhvVp EmuhvVp;
typedef struct EmuhvDomain EmuhvDomain;
typedef struct EmuhvStage2 EmuhvStage2;

/* A 16-byte register value, as in HV_REGISTER_VALUE. */
typedef union EmuhvRegVal {
    uint64_t u64[2];
    uint32_t u32[4];
    uint16_t u16[8];
    uint8_t u8[16];
} EmuhvRegVal;

/* One element of the input list of HvCallSetVpRegisters (32 bytes). */
typedef struct EmuhvRegAssoc {
    uint32_t name;
    uint32_t reserved[3];
    EmuhvRegVal val;
} EmuhvRegAssoc;

/* What a domain is made of; constant after emuhv_domain_new(). */
typedef struct EmuhvDomainConfig {
    uint64_t partition_id;
    bool lapic;                 /* creation flag LAPIC */
    bool x2apic;                /* creation flag X2APIC */
    bool root_scheduler;        /* VPs run only while dispatched */
    uint64_t disabled_features[2]; /* processor features, 1: not for child */
    uint64_t disabled_xsave;    /* XSAVE features, 1: not for child */
    unsigned xsave_pad;         /* pad XSAVE state to so many bytes (0: no) */
    void *owner;                /* the partition object of the layer above */
} EmuhvDomainConfig;

/* CPUID or MSR result of HvCallRegisterInterceptResult. */
typedef struct EmuhvCpuidResult {
    uint32_t eax, ecx;          /* leaf, sub-leaf */
    bool subleaf_specific;
    bool always_override;
    uint32_t vp_index;          /* EMUHV_ANY_VP: all */
    uint32_t val[4], mask[4];   /* eax, ebx, ecx, edx; mask 1: take val */
} EmuhvCpuidResult;

typedef enum EmuhvMsrAction {
    EMUHV_MSR_INTERCEPT, EMUHV_MSR_IGNORE_ZERO, EMUHV_MSR_FAULT,
} EmuhvMsrAction;

#define EMUHV_ANY_VP            0xffffffffu
#define EMUHV_NO_PFN            UINT64_MAX
#define EMUHV_MAX_VP_INDEX      255     /* APIC ids have 8 bits by default */

/* Permission bits of a mapping: those of HvCallMapGpaPages. */
#define EMUHV_MAP_R             1u
#define EMUHV_MAP_W             2u
#define EMUHV_MAP_KX            4u
#define EMUHV_MAP_UX            8u

typedef enum EmuhvExitKind {
    EMUHV_EXIT_UNMAPPED_GPA, EMUHV_EXIT_GPA, EMUHV_EXIT_IO, EMUHV_EXIT_MSR,
    EMUHV_EXIT_CPUID, EMUHV_EXIT_EXCEPTION, EMUHV_EXIT_HYPERCALL,
    EMUHV_EXIT_HALT, EMUHV_EXIT_TRIPLE_FAULT, EMUHV_EXIT_DELIVERABLE,
    EMUHV_EXIT_APIC_EOI, EMUHV_EXIT_SIPI, EMUHV_EXIT_OTHER,
    EMUHV_EXIT__MAX,
} EmuhvExitKind;

typedef struct EmuhvVpStats {
    uint64_t exits[EMUHV_EXIT__MAX];
    uint64_t hlts;              /* HLT handled here */
    uint64_t cpuid, msr;        /* handled here */
    uint64_t hypercalls;        /* of the child, handled here */
    uint64_t interrupts;        /* interrupts and NMIs delivered */
    uint64_t stage2_fills;
    uint64_t resumes;           /* entries into the VP */
    int64_t run_ns;             /* time between entry and exit */
} EmuhvVpStats;

/* Fields that the layer above may read; it writes only ->owner. */
struct EmuhvVp {
    EmuhvCpu base;              /* must be first */
    EmuhvDomain *domain;        /* NULL: in the pool */
    uint32_t index;             /* VP index */
    void *owner;                /* for the layer above, NULL at creation */
    EmuhvVpStats stats;
    struct EmuhvVpState *s;     /* private: vp-int.h */
};

struct EmuhvDomain {
    EmuhvDomainConfig cfg;
    EmuhvVp *vps[EMUHV_MAX_VP_INDEX + 1];
    struct EmuhvDomainState *s; /* private: vp-int.h */
};

/* ---- Start-up, pool ---- */

/*
 * Called at machine-init-done.  Makes the doorbell region and the memory of
 * overlay pages.  Child CPUs are made when they are first needed.  Refuses
 * thread=single and icount.
 */
bool emuhv_vp_layer_init(Error **errp);
/* System reset (all CPUs paused): park all, give all back; domains die too. */
void emuhv_vp_layer_reset(void);
/* CPUs of the pool that are free now, made or not yet made. */
unsigned emuhv_pool_free(void);

/* ---- Domains ---- */

EmuhvDomain *emuhv_domain_new(const EmuhvDomainConfig *cfg);
/* (drops BQL) Destroys its VPs first. */
void emuhv_domain_free(EmuhvDomain *d);
/*
 * (drops BQL) FINALIZE: give back VPs, forget the GPA space.  The domain stays
 * and takes map/unmap calls without effect on anybody.
 */
void emuhv_domain_finalize(EmuhvDomain *d);

/*
 * Properties (code as in HvCallSetPartitionProperty) that live here:
 * 0x10001 synthetic features, 0x30003 time freeze,
 * 0x30005 reference time, 0x50017 unimplemented MSR action,
 * 0x60000.. processor vendor, features, XSAVE sizes, clock frequencies,
 * 0x70000 guest OS id.  HV_STATUS_UNKNOWN_PROPERTY (9): not one of mine.
 */
uint16_t emuhv_domain_get_property(EmuhvDomain *d, uint32_t code,
                                   uint64_t *val);
uint16_t emuhv_domain_set_property(EmuhvDomain *d, uint32_t code,
                                   uint64_t val);
/*
 * The same read-only properties for a partition that does not exist yet (SELF
 * on the /dev/mshv fd): 0x60000.., 0x6000a.. of what a child could get.
 */
uint16_t emuhv_host_get_property(uint32_t code, uint64_t *val);

/* Intercepts: HvCallInstallIntercept.  access: bits R1 W2 X4. */
uint16_t emuhv_domain_install_intercept(EmuhvDomain *d, uint32_t type,
                                        uint32_t access, uint64_t param);
uint16_t emuhv_domain_cpuid_result(EmuhvDomain *d, const EmuhvCpuidResult *r);
uint16_t emuhv_domain_msr_result(EmuhvDomain *d, uint32_t msr, uint32_t access,
                                 EmuhvMsrAction action);

/* ---- Second stage ---- */

/*
 * Map @n 4 KiB pages from @gfn to parent pages from @pfn.  prot: EMUHV_MAP_*;
 * 0 is NO_ACCESS: mapped, but every access is a GPA_INTERCEPT.  Overwrites.
 * Needs emuhv_stage2_commit(), once for all changes of a hypercall.  False: no
 * room for the tables, some pages may be mapped.
 */
bool emuhv_stage2_map(EmuhvDomain *d, uint64_t gfn, uint64_t pfn, uint64_t n,
                      uint32_t prot);
void emuhv_stage2_unmap(EmuhvDomain *d, uint64_t gfn, uint64_t n);
/*
 * (drops BQL) Flush what map, unmap and access_states changed.  Must be
 * called once before the hypercall answers.
 */
void emuhv_stage2_commit(EmuhvDomain *d);
/* Highest GFN that can be mapped, plus one. */
uint64_t emuhv_stage2_max_gfn(void);
/* Is it mapped?  pfn and prot may be NULL; prot 0: NO_ACCESS. */
bool emuhv_stage2_query(EmuhvDomain *d, uint64_t gfn, uint64_t *pfn,
                        uint32_t *prot);
/*
 * Access states (bit 0 accessed, bit 1 dirty) before the change; flags clear
 * accessed 1, set accessed 2, clear dirty 4, set dirty 8.  Needs commit.
 */
uint8_t emuhv_stage2_access_state(EmuhvDomain *d, uint64_t gfn,
                                  uint64_t flags);
/* Pages mapped with access / NO_ACCESS now. */
void emuhv_stage2_count(EmuhvDomain *d, uint64_t *mapped, uint64_t *no_access);
/* Doorbell pages: reference counted, needs commit. False: no room. */
bool emuhv_stage2_doorbell(EmuhvDomain *d, uint64_t gfn, bool on);

/* ---- VPs ---- */

/*
 * (drops BQL) Takes a CPU of the pool and resets it; EXPLICIT_SUSPEND is set.
 * HV_STATUS_INVALID_VP_INDEX (0xE): index too large or taken;
 * HV_STATUS_INSUFFICIENT_MEMORY is never given: pool empty is
 * HV_STATUS_NO_RESOURCES (0x1D).
 */
uint16_t emuhv_vp_create(EmuhvDomain *d, uint32_t index, EmuhvVp **vp);
/* (drops BQL) */
void emuhv_vp_destroy(EmuhvVp *vp);

/*
 * Registers by name, in order; *done counts those finished when it fails
 * (unknown name or bad value: HV_STATUS_INVALID_PARAMETER 5,
 * HV_STATUS_INVALID_REGISTER_VALUE 0x50).  (drops BQL) if the VP runs.
 * Suspend registers, root signal count and dispatch suspend are included:
 * setting EXPLICIT_SUSPEND or DISPATCH_SUSPEND returns when the VP has
 * stopped; clearing the last suspend bit lets it run.
 */
uint16_t emuhv_vp_get_regs(EmuhvVp *vp, const uint32_t *names,
                           EmuhvRegVal *vals, unsigned n, unsigned *done);
uint16_t emuhv_vp_set_regs(EmuhvVp *vp, const EmuhvRegAssoc *regs,
                           unsigned n, unsigned *done);

/*
 * Root scheduler: run it until a callback says that it stopped.
 * @clear_intercept: dispatch flag CLEAR_INTERCEPT_SUSPEND.
 */
typedef enum EmuhvDispatch {
    EMUHV_DISPATCH_RUNNING,     /* wait for intercepted()/blocked() */
    EMUHV_DISPATCH_SUSPENDED,   /* explicit (or startup) suspend is set */
    EMUHV_DISPATCH_INTERCEPT,   /* intercept suspend is set */
    EMUHV_DISPATCH_IDLE,        /* halted, nothing to do: unblocked() later */
} EmuhvDispatch;
EmuhvDispatch emuhv_vp_dispatch(EmuhvVp *vp, bool clear_intercept);
/* (drops BQL) End of the dispatch (parent interrupt): returns when stopped. */
void emuhv_vp_undispatch(EmuhvVp *vp);
bool emuhv_vp_dispatch_suspend(EmuhvVp *vp);

/*
 * State pages: type 0 register page, 1 intercept message.  EMUHV_NO_PFN:
 * none; nothing is written to the old page afterwards.
 */
uint16_t emuhv_vp_map_page(EmuhvVp *vp, unsigned type, uint64_t pfn);
uint64_t emuhv_vp_page(EmuhvVp *vp, unsigned type);

/*
 * VP state: type 0 LAPIC, 1 XSAVE (compacted), 2 SIM page, 3 SIEF page,
 * 4 synthetic timers.  get: returns status and *len (needed length also with
 * HV_STATUS_INSUFFICIENT_BUFFER 0x33).  (drops BQL) if the VP runs.
 */
uint16_t emuhv_vp_get_state(EmuhvVp *vp, unsigned type, uint8_t *buf,
                            size_t size, size_t *len);
uint16_t emuhv_vp_set_state(EmuhvVp *vp, unsigned type, const uint8_t *buf,
                            size_t size);

/*
 * HvCallTranslateVirtualAddress: flags and code as in the ABI.
 * (drops BQL) if the VP runs.
 */
uint16_t emuhv_vp_translate(EmuhvVp *vp, uint64_t flags, uint64_t gva_page,
                            uint32_t *code, uint32_t *cache_overlay,
                            uint64_t *gpa_page);
/* CPUID as the VP would see it (HvCallGetVpCpuidValues). */
void emuhv_vp_cpuid(EmuhvVp *vp, uint32_t leaf, uint32_t subleaf,
                    uint32_t out[4]);

/* HvCallAssertVirtualInterrupt and HvCallClearVirtualInterrupt. */
uint16_t emuhv_domain_assert(EmuhvDomain *d, uint32_t type, bool level,
                             bool logical, uint64_t dest, uint32_t vector);
uint16_t emuhv_domain_clear_extint(EmuhvDomain *d);

/* HvCallSignalEventDirect / HvCallPostMessageDirect into a child's SynIC. */
uint16_t emuhv_vp_signal_event(EmuhvVp *vp, unsigned sint, unsigned flag,
                               bool *newly);
uint16_t emuhv_vp_post_message(EmuhvVp *vp, unsigned sint,
                               const uint8_t msg[256]);

/* ---- Callbacks into the layer above (BQL, outside cpu_exec) ---- */

/*
 * The message is in the intercept page (and the register page is fresh),
 * INTERCEPT_SUSPEND is set.
 */
void emuhv_vp_intercepted(EmuhvVp *vp, EmuhvExitKind kind,
                          const uint8_t msg[256]);
/* Root scheduler: a dispatched VP went idle (HLT, wait for SIPI). */
void emuhv_vp_blocked(EmuhvVp *vp);
/* Root scheduler: a VP that is not dispatched has become runnable. */
void emuhv_vp_unblocked(EmuhvVp *vp);
/*
 * A child writes to a doorbell page.  Called INSIDE a TCG helper with BQL: must
 * not wait; may only queue work, post messages and raise interrupts.
 * False: no port matches, the access becomes an intercept.
 */
bool emuhv_doorbell(EmuhvDomain *d, uint64_t gpa, unsigned size,
                    uint64_t value);

#endif /* HW_EMUHV_VP_H */
