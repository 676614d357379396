/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: VPs, that is how they run and stop, their
 * registers and state, and what they do that their parent hears of.
 */
#ifndef HW_EMUHV_VP_H
#define HW_EMUHV_VP_H

#include "hw/emuhv/base/base.h"

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

/* ---- life.c: VPs come and go ---- */

/*
 * Called at machine-init-done.  Makes the doorbell region and the memory of
 * overlay pages.  Child CPUs are made when they are first needed.  Refuses
 * thread=single and icount.
 */
bool emuhv_vps_init(Error **errp);
/* System reset (all CPUs paused): park all and give them back. */
void emuhv_vps_reset(void);
/*
 * (drops BQL) Takes a CPU of the pool and resets it; EXPLICIT_SUSPEND is set.
 * HV_STATUS_INVALID_VP_INDEX: index too large or taken; HV_STATUS_NO_RESOURCES:
 * the pool is empty.
 */
uint16_t emuhv_vp_create(EmuhvPartition *p, uint32_t index, EmuhvVp **vp);
/* (drops BQL) */
void emuhv_vp_destroy(EmuhvVp *vp);
/* INIT or reset of the CPU; called inside cpu_exec, too */
void emuhv_vp_cpu_reset(EmuhvVp *vp);

/* ---- go.c: VPs run and stop ---- */

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
/* Before that: raise the interrupts that wait in the register page. */
void emuhv_vp_scan_interrupts(EmuhvVp *vp);
/* (drops BQL) End of the dispatch (parent interrupt): returns when stopped. */
void emuhv_vp_undispatch(EmuhvVp *vp);
bool emuhv_vp_dispatch_suspended(EmuhvVp *vp);
/* emuhv_up.vp_work */
void emuhv_vp_work(EmuhvVp *vp, unsigned what);

/* ---- reglist.c ---- */

/*
 * Registers by name, in order; *done counts those finished when it fails
 * (unknown name or bad value: HV_STATUS_INVALID_PARAMETER 5,
 * HV_STATUS_INVALID_REGISTER_VALUE 0x50).  (drops BQL) if the VP runs.
 * Setting EXPLICIT_SUSPEND or DISPATCH_SUSPEND returns when the VP has
 * stopped; clearing the last suspend bit lets it run.
 */
uint16_t emuhv_vp_get_regs(EmuhvVp *vp, const uint32_t *names,
                           EmuhvRegVal *vals, unsigned n, unsigned *done);
uint16_t emuhv_vp_set_regs(EmuhvVp *vp, const EmuhvRegAssoc *regs,
                           unsigned n, unsigned *done);

/* ---- regpage.c ---- */

/*
 * State pages: type 0 register page, 1 intercept message.  EMUHV_NO_PFN:
 * none; nothing is written to the old page afterwards.
 */
uint16_t emuhv_vp_map_page(EmuhvVp *vp, unsigned type, uint64_t pfn);
uint64_t emuhv_vp_page(EmuhvVp *vp, unsigned type);

/* ---- state.c ---- */

/*
 * VP state: type 0 LAPIC, 1 XSAVE (compacted), 2 SIM page, 3 SIEF page,
 * 4 synthetic timers.  get: returns status and *len (needed length also with
 * HV_STATUS_INSUFFICIENT_BUFFER 0x33).  (drops BQL) if the VP runs.
 */
uint16_t emuhv_vp_get_state(EmuhvVp *vp, unsigned type, uint8_t *buf,
                            size_t size, size_t *len);
uint16_t emuhv_vp_set_state(EmuhvVp *vp, unsigned type, const uint8_t *buf,
                            size_t size);

/* ---- walk.c ---- */

/*
 * HvCallTranslateVirtualAddress: flags and code as in the ABI.
 * (drops BQL) if the VP runs.
 */
uint16_t emuhv_vp_translate(EmuhvVp *vp, uint64_t flags, uint64_t gva_page,
                            uint32_t *code, uint32_t *cache_overlay,
                            uint64_t *gpa_page);

/* ---- cpuid.c, intercept.c, calls.c, msr.c: in TCG helpers, too ---- */

/* CPUID as the VP would see it (HvCallGetVpCpuidValues). */
void emuhv_vp_cpuid(EmuhvVp *vp, uint32_t leaf, uint32_t subleaf,
                    uint32_t out[4]);
/* The instructions themselves; @r: eax ebx ecx edx, of the instruction */
void emuhv_vp_insn_cpuid(EmuhvVp *vp, uint32_t r[4], uintptr_t ra);
void emuhv_vp_insn_vmcall(EmuhvVp *vp, uintptr_t ra);
/* False: TCG does it. */
bool emuhv_vp_insn_wrmsr(EmuhvVp *vp, uint32_t msr, uint64_t val,
                         uintptr_t ra);
bool emuhv_vp_insn_rdmsr(EmuhvVp *vp, uint32_t msr, uint64_t *val,
                         uintptr_t ra);
/* emuhv_up.refused_store */
void emuhv_vp_refused_store(EmuhvVp *vp, vaddr gva, uintptr_t ra);

/* ---- settings.c: what a child is told and what its parent hears of ---- */

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

struct EmuhvSettings *emuhv_settings_new(void);
void emuhv_settings_free(struct EmuhvSettings *s);

/* HvCallInstallIntercept.  access: bits R1 W2 X4. */
uint16_t emuhv_install_intercept(EmuhvPartition *p, uint32_t type,
                                 uint32_t access, uint64_t param);
uint16_t emuhv_cpuid_result(EmuhvPartition *p, const EmuhvCpuidResult *r);
uint16_t emuhv_msr_result(EmuhvPartition *p, uint32_t msr, bool write,
                          EmuhvMsrAction action);

/* ---- features.c ---- */

/*
 * Properties (code as in HvCallSetPartitionProperty) that live here:
 * 0x10001 synthetic features, 0x30003 time freeze,
 * 0x30005 reference time, 0x50017 unimplemented MSR action,
 * 0x60000.. processor vendor, features, XSAVE sizes, clock frequencies,
 * 0x70000 guest OS id.  HV_STATUS_UNKNOWN_PROPERTY (9): not one of mine.
 */
uint16_t emuhv_vp_property_get(EmuhvPartition *p, uint32_t code, uint64_t *val);
uint16_t emuhv_vp_property_set(EmuhvPartition *p, uint32_t code, uint64_t val);
/*
 * The same read-only properties for a partition that does not exist yet (SELF
 * on the /dev/mshv fd): 0x60000.., 0x6000a.. of what a child could get.
 */
uint16_t emuhv_vp_property_host(uint32_t code, uint64_t *val);

#endif /* HW_EMUHV_VP_H */
