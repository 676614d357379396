/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: registers of a VP by name.
 *
 * Tables: the hypervisor's names and where QEMU keeps the value.
 */
#ifndef HW_EMUHV_VP_REGS_H
#define HW_EMUHV_VP_REGS_H

#include "hw/emuhv/vp/vp-int.h"

/* What a write makes necessary */
#define F_HFLAGS    1u          /* QEMU's summary of the CPU mode */
#define F_FLUSH     2u          /* the TLB */

typedef struct Reg Reg;
typedef uint16_t RegGet(EmuhvVp *vp, const Reg *r, unsigned i, EmuhvRegVal *v);
typedef uint16_t RegSet(EmuhvVp *vp, const Reg *r, unsigned i,
                        const EmuhvRegVal *v);

struct Reg {
    uint32_t name;
    unsigned n;                 /* consecutive names */
    RegGet *get;
    RegSet *set;                /* NULL: refused as OPERATION_DENIED */
    size_t offset, stride;      /* in CPUX86State, for U64 etc. */
    unsigned after;             /* F_* */
};

/* Sorted by number */
typedef struct RegTable {
    const Reg *regs;
    unsigned n;
} RegTable;

/* regs-user.c: general registers, segments, floating point */
extern const RegTable emuhv_user_regs;
/* regs-system.c: descriptor tables, control and debug registers, MSRs */
extern const RegTable emuhv_system_regs;
/* regs-synth.c: the hypervisor's own */
extern const RegTable emuhv_synth_regs;

static inline void *reg_field(EmuhvVp *vp, const Reg *r, unsigned i)
{
    return (char *)emuhv_vp_env(vp) + r->offset + i * r->stride;
}

/* Registers that are one field of CPUX86State */
RegGet emuhv_reg_get_u64;
RegSet emuhv_reg_set_u64;

#define X64(name)       HV_X64_REGISTER_##name
#define HV(name)        HV_REGISTER_##name
#define ENV(f)          .offset = offsetof(CPUX86State, f)
#define U64_SET(f, fn)  .get = emuhv_reg_get_u64, .set = (fn), ENV(f)
#define U64(f)          U64_SET(f, emuhv_reg_set_u64)

#endif /* HW_EMUHV_VP_REGS_H */
