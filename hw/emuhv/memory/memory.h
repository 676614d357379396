/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the second stage of address translation, from
 * a child's memory to the parent's.
 */
#ifndef HW_EMUHV_MEMORY_H
#define HW_EMUHV_MEMORY_H

#include "hw/emuhv/base/base.h"

typedef struct EmuhvStage2 EmuhvStage2;

/* What the second stage knows of a VP. */
typedef struct EmuhvVpMemory {
    bool need_flush;            /* before it runs again */
    hwaddr refused_gpa;         /* what was refused last */
    bool refused_mapped;        /* for its rights */
    vaddr io_gva;               /* linear address of a doorbell */
} EmuhvVpMemory;

/* Permission bits of a mapping: those of HvCallMapGpaPages. */
#define EMUHV_MAP_R             1u
#define EMUHV_MAP_W             2u
#define EMUHV_MAP_KX            4u
#define EMUHV_MAP_UX            8u

/* ---- stage2.c ---- */

void emuhv_stage2_init(void);
EmuhvStage2 *emuhv_stage2_new(void);
void emuhv_stage2_free(EmuhvStage2 *s2);

/*
 * Map @n 4 KiB pages from @gfn to parent pages from @pfn.  prot: EMUHV_MAP_*;
 * 0 is NO_ACCESS: mapped, but every access is a GPA_INTERCEPT.  Overwrites.
 * Needs emuhv_stage2_commit(), once for all changes of a hypercall.  False: no
 * room for the tables, some pages may be mapped.
 */
bool emuhv_stage2_map(EmuhvPartition *p, uint64_t gfn, uint64_t pfn, uint64_t n,
                      uint32_t prot);
void emuhv_stage2_unmap(EmuhvPartition *p, uint64_t gfn, uint64_t n);
/*
 * (drops BQL) Flush what map, unmap and access_state changed.  Must be
 * called once before the hypercall answers.
 */
void emuhv_stage2_commit(EmuhvPartition *p);
/* Highest GFN that can be mapped, plus one. */
uint64_t emuhv_stage2_max_gfn(void);
bool emuhv_stage2_is_mapped(EmuhvPartition *p, uint64_t gfn);
/*
 * Access states are kept only while somebody wants them.  False, and nothing is
 * changed: it cannot stop while a page that may be written is not dirty.
 * Needs commit.
 */
bool emuhv_stage2_track(EmuhvPartition *p, bool on);
bool emuhv_stage2_tracks(EmuhvPartition *p);
/*
 * Access states (bit 0 accessed, bit 1 dirty) before the change; flags clear
 * accessed 1, set accessed 2, clear dirty 4, set dirty 8.  Needs commit.
 */
uint8_t emuhv_stage2_access_state(EmuhvPartition *p, uint64_t gfn,
                                  uint64_t flags);
/* Pages mapped with access / NO_ACCESS now. */
void emuhv_stage2_count(EmuhvPartition *p, uint64_t *mapped,
                        uint64_t *no_access);
/* Doorbell pages: reference counted, needs commit. False: no room. */
bool emuhv_stage2_doorbell(EmuhvPartition *p, uint64_t gfn, bool on);

typedef enum EmuhvStage2Result {
    S2R_OK, S2R_DENIED, S2R_UNMAPPED,
} EmuhvStage2Result;

/*
 * For accesses of a VP and of the hypervisor in its name; may be called inside
 * a TCG helper.  @touch: the page is accessed, and dirty by a store.
 */
EmuhvStage2Result emuhv_stage2_translate(EmuhvVp *vp, hwaddr gpa,
                                         MMUAccessType access, bool touch,
                                         hwaddr *pa, int *prot);
/* On the VP's own thread, or when it is stopped */
void emuhv_stage2_flush_self(EmuhvVp *vp);
/* The VP is about to run: flush first what changed while it was stopped. */
void emuhv_stage2_flush_late(EmuhvVp *vp);

/* ---- Pages of the hypervisor that lie over a child's memory ---- */

/* Where one is: of the partition, or of VP n: VP0 + 2 * n and the next. */
enum {
    EMUHV_PLACE_HYPERCALL, EMUHV_PLACE_TSC, EMUHV_PLACE_VP0,
    EMUHV_PLACE__MAX = EMUHV_PLACE_VP0 + 2 * (EMUHV_MAX_VP_INDEX + 1),
};

/*
 * Lay the page at @pa over @gfn of the child, or take what is at this place
 * away.  May be called inside a TCG helper.
 */
void emuhv_stage2_overlay(EmuhvPartition *p, unsigned place, uint64_t gfn,
                          hwaddr pa, bool write, bool on);

/* ---- overlay.c: the memory of these pages ---- */

/* Each CPU of the pool has one of each kind. */
typedef enum EmuhvOverlay {
    EMUHV_OVERLAY_SIM, EMUHV_OVERLAY_SIEF, EMUHV_OVERLAY_HYPERCALL,
    EMUHV_OVERLAY_TSC, EMUHV_OVERLAY__MAX,
} EmuhvOverlay;

bool emuhv_overlay_init(Error **errp);
/* Of the CPU with number @slot in the pool */
void *emuhv_overlay_page(unsigned slot, EmuhvOverlay kind);
hwaddr emuhv_overlay_pa(unsigned slot, EmuhvOverlay kind);
/* Is the address, which translate gave, that of such a page? */
bool emuhv_overlay_is(hwaddr pa);

#endif /* HW_EMUHV_MEMORY_H */
