/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the second stage of a child's address
 * translation.
 *
 * A radix tree of 4 KiB entries.  It is written with the BQL held and read by
 * VPs at any time without a lock: entries are words that are replaced
 * atomically, tables are added but not freed before the domain dies.  QEMU's
 * softmmu TLB caches the results, so a change needs emuhv_stage2_commit().
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/cputlb.h"
#include "exec/page-protection.h"
#include "tcg/tcg.h"
#include "mshv-compat/memory.h"
#include "mshv-compat/translation.h"
#include "hw/emuhv/memory/memory.h"

/* Where the doorbell region is: above every GPA that a child can have. */
#define IO_BASE     (1ull << 50)
#define GPA_BITS    46
#define GFN_BITS    (GPA_BITS - 12)
#define LEVEL_BITS  9
#define LEVELS      4
#define FAN_OUT     (1u << LEVEL_BITS)

/* Entry: parent page number << 12, and */
#define E_PERM      UINT64_C(0x00f)   /* EMUHV_MAP_* */
#define E_MAPPED    UINT64_C(0x010)   /* something is mapped, maybe NO_ACCESS */
#define E_ACCESSED  UINT64_C(0x020)
#define E_DIRTY     UINT64_C(0x040)
#define E_DOORBELL  UINT64_C(0x080)   /* writes go to the doorbell region */
#define E_OVERLAY   UINT64_C(0x100)   /* look into the overlay list */
#define E_FLAGS     UINT64_C(0xfff)

/*
 * So many tables for all children together, 256 MiB, are enough for 128 GiB of
 * their memory; a parent must not use up the memory of the machine.
 */
#define MAX_TABLES  65536u

typedef struct Table {
    void *slot[FAN_OUT];        /* tables, or entries in the last level */
} Table;

static unsigned n_tables;

typedef struct Overlay {
    uint64_t gfn;
    hwaddr pa;
    bool write;
    bool used;
} Overlay;

struct EmuhvStage2 {
    Table *root;
    uint64_t mapped, no_access;
    GHashTable *doorbells;      /* gfn -> count */
    bool dirty;                 /* needs a flush */
    bool track;                 /* which pages are accessed and dirty */
    Overlay overlay[EMUHV_PLACE__MAX];
    unsigned n_overlays;
};

EmuhvStage2 *emuhv_stage2_new(void)
{
    EmuhvStage2 *s2 = g_new0(EmuhvStage2, 1);

    s2->root = g_new0(Table, 1);
    n_tables++;
    s2->doorbells = g_hash_table_new_full(g_int64_hash, g_int64_equal,
                                          g_free, NULL);
    return s2;
}

static void table_free(Table *t, int level)
{
    if (level > 0) {
        for (unsigned i = 0; i < FAN_OUT; i++) {
            if (t->slot[i]) {
                table_free(t->slot[i], level - 1);
            }
        }
    }
    n_tables--;
    g_free(t);
}

void emuhv_stage2_free(EmuhvStage2 *s2)
{
    table_free(s2->root, LEVELS - 1);
    g_hash_table_destroy(s2->doorbells);
    g_free(s2);
}

/* NULL: there is no entry, and none could be made. */
static uint64_t *entry_find(EmuhvStage2 *s2, uint64_t gfn, bool make)
{
    Table *t = s2->root;

    if (gfn >> GFN_BITS) {
        return NULL;
    }
    for (int level = LEVELS - 1; level > 0; level--) {
        void **slot = &t->slot[(gfn >> (level * LEVEL_BITS)) % FAN_OUT];
        Table *next = qatomic_load_acquire(slot);

        if (!next) {
            if (!make || n_tables >= MAX_TABLES) {
                return NULL;
            }
            n_tables++;
            next = g_new0(Table, 1);
            qatomic_store_release(slot, next);
        }
        t = next;
    }
    return (uint64_t *)&t->slot[gfn % FAN_OUT];
}

static void count(EmuhvStage2 *s2, uint64_t e, int by)
{
    if (!(e & E_MAPPED)) {
        return;
    }
    if (e & E_PERM) {
        s2->mapped += by;
    } else {
        s2->no_access += by;
    }
}

static void entry_replace(EmuhvStage2 *s2, uint64_t *p, uint64_t new)
{
    uint64_t old, keep;

    /* A VP may set accessed and dirty at the same time. */
    do {
        old = qatomic_read(p);
        keep = old & (E_DOORBELL | E_OVERLAY);
        if (new & E_MAPPED) {
            keep |= old & (E_ACCESSED | E_DIRTY);
        }
    } while (qatomic_cmpxchg(p, old, new | keep) != old);
    count(s2, old, -1);
    count(s2, new, 1);
    /* Only what was allowed before can be in a TLB. */
    if (old & E_PERM) {
        s2->dirty = true;
    }
}

/* Entries that did not exist when the overlay pages came must know of them. */
static void overlays_mark(EmuhvStage2 *s2)
{
    for (unsigned i = 0; i < s2->n_overlays; i++) {
        Overlay *o = &s2->overlay[i];
        uint64_t *e = o->used ? entry_find(s2, o->gfn, false) : NULL;

        if (e) {
            qatomic_or(e, E_OVERLAY);
        }
    }
}

bool emuhv_stage2_map(EmuhvPartition *p, uint64_t gfn, uint64_t pfn, uint64_t n,
                      uint32_t prot)
{
    EmuhvStage2 *s2 = p->s2;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t *e = entry_find(s2, gfn + i, true);
        uint64_t new = E_MAPPED;

        if (!e) {
            return false;
        }
        if (prot & E_PERM) {
            new |= (prot & E_PERM) | (pfn + i) << 12;
        }
        entry_replace(s2, e, new);
    }
    overlays_mark(s2);
    return true;
}

void emuhv_stage2_unmap(EmuhvPartition *p, uint64_t gfn, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t *e = entry_find(p->s2, gfn + i, false);

        if (e) {
            entry_replace(p->s2, e, 0);
        }
    }
}

/* ---- Flushes ---- */

static void flush_work(CPUState *cs, run_on_cpu_data data)
{
    tlb_flush(cs);
}

void emuhv_stage2_flush_self(EmuhvVp *vp)
{
    qatomic_set(&vp->mem->need_flush, false);
    tlb_flush(emuhv_vp_cs(vp));
}

static void flush_late_work(CPUState *cs, run_on_cpu_data data)
{
    emuhv_stage2_flush_self(data.host_ptr);
}

void emuhv_stage2_flush_late(EmuhvVp *vp)
{
    if (vp->mem->need_flush) {
        async_run_on_cpu(emuhv_vp_cs(vp), flush_late_work,
                         RUN_ON_CPU_HOST_PTR(vp));
    }
}

void emuhv_stage2_commit(EmuhvPartition *p)
{
    g_autoptr(GPtrArray) running = NULL;

    if (!p->s2->dirty) {
        return;
    }
    p->s2->dirty = false;
    running = g_ptr_array_new();
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        EmuhvVp *vp = p->vps[i];

        if (vp && emuhv_vp_at_rest(vp)) {
            /* Flushes itself before it runs again. */
            qatomic_set(&vp->mem->need_flush, true);
        } else if (vp) {
            g_ptr_array_add(running, emuhv_vp_cs(vp));
        }
    }
    /* CPUs of the pool live for ever, so the list stays good. */
    for (unsigned i = 0; i < running->len; i++) {
        run_on_cpu(g_ptr_array_index(running, i), flush_work,
                   RUN_ON_CPU_NULL);
    }
}

/* As commit, for changes that a VP made itself: does not wait for others. */
static void flush_async(EmuhvPartition *p)
{
    p->s2->dirty = false;
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        EmuhvVp *vp = p->vps[i];

        if (!vp) {
            continue;
        }
        if (emuhv_vp_at_rest(vp)) {
            qatomic_set(&vp->mem->need_flush, true);
        } else if (current_cpu == emuhv_vp_cs(vp)) {
            tlb_flush(emuhv_vp_cs(vp));
        } else {
            async_run_on_cpu(emuhv_vp_cs(vp), flush_work, RUN_ON_CPU_NULL);
        }
    }
}

/* ---- What hypercalls ask ---- */

uint64_t emuhv_stage2_max_gfn(void)
{
    return 1ull << (MIN(emuhv_child_address_bits(), GPA_BITS) - 12);
}

bool emuhv_stage2_is_mapped(EmuhvPartition *p, uint64_t gfn)
{
    uint64_t *e = entry_find(p->s2, gfn, false);

    return e && (qatomic_read(e) & E_MAPPED);
}

/* Is there a page that may be written and is not dirty? */
static bool has_clean(const Table *t, int level)
{
    for (unsigned i = 0; i < FAN_OUT; i++) {
        uint64_t e = (uintptr_t)t->slot[i];

        if (level > 0 ? e && has_clean(t->slot[i], level - 1)
                      : (e & EMUHV_MAP_W) && !(e & E_DIRTY)) {
            return true;
        }
    }
    return false;
}

bool emuhv_stage2_track(EmuhvPartition *p, bool on)
{
    EmuhvStage2 *s2 = p->s2;

    if (on == s2->track) {
        return true;
    }
    if (!on && has_clean(s2->root, LEVELS - 1)) {
        return false;
    }
    qatomic_set(&s2->track, on);
    /* Translations from before let a VP write without a look. */
    s2->dirty |= on;
    return true;
}

bool emuhv_stage2_tracks(EmuhvPartition *p)
{
    return p->s2->track;
}

uint8_t emuhv_stage2_access_state(EmuhvPartition *p, uint64_t gfn,
                                  uint64_t flags)
{
    uint64_t *e = entry_find(p->s2, gfn, false);
    uint64_t old, new;

    if (!e || !(qatomic_read(e) & E_MAPPED)) {
        return 0;
    }
    do {
        old = new = qatomic_read(e);
        new &= ~((flags & 1 ? E_ACCESSED : 0) | (flags & 4 ? E_DIRTY : 0));
        new |= (flags & 2 ? E_ACCESSED : 0) | (flags & 8 ? E_DIRTY : 0);
    } while (qatomic_cmpxchg(e, old, new) != old);
    if (old & ~new) {
        p->s2->dirty = true;
    }
    return (old & E_ACCESSED ? 1 : 0) | (old & E_DIRTY ? 2 : 0);
}

void emuhv_stage2_count(EmuhvPartition *p, uint64_t *mapped,
                        uint64_t *no_access)
{
    *mapped = p->s2->mapped;
    *no_access = p->s2->no_access;
}

bool emuhv_stage2_doorbell(EmuhvPartition *p, uint64_t gfn, bool on)
{
    EmuhvStage2 *s2 = p->s2;
    uint64_t *e = entry_find(s2, gfn, on);
    gintptr n = (gintptr)g_hash_table_lookup(s2->doorbells, &gfn);

    if (!e || (!on && !n)) {
        return false;
    }
    n += on ? 1 : -1;
    if (n) {
        g_hash_table_insert(s2->doorbells, g_memdup2(&gfn, sizeof(gfn)),
                            (gpointer)n);
        qatomic_or(e, E_DOORBELL);
        overlays_mark(s2);
    } else {
        g_hash_table_remove(s2->doorbells, &gfn);
        qatomic_and(e, ~E_DOORBELL);
        s2->dirty = true;
    }
    return true;
}

/* ---- Overlay pages ---- */

static void overlay_remove(EmuhvStage2 *s2, Overlay *o)
{
    uint64_t *e = entry_find(s2, o->gfn, false);
    bool other = false;

    qatomic_set(&o->used, false);
    for (unsigned i = 0; i < s2->n_overlays; i++) {
        other |= s2->overlay[i].used && s2->overlay[i].gfn == o->gfn;
    }
    if (e && !other) {
        qatomic_and(e, ~E_OVERLAY);
    }
}

void emuhv_stage2_overlay(EmuhvPartition *p, unsigned place, uint64_t gfn,
                          hwaddr pa, bool write, bool on)
{
    EmuhvStage2 *s2 = p->s2;
    Overlay *o = &s2->overlay[place];

    if (!o->used && !on) {
        return;
    }
    if (o->used) {
        overlay_remove(s2, o);
    }
    if (on) {
        o->gfn = gfn;
        o->pa = pa;
        o->write = write;
        qatomic_set(&s2->n_overlays, MAX(s2->n_overlays, place + 1));
        qatomic_store_release(&o->used, true);
        overlays_mark(s2);
    }
    flush_async(p);
}

static bool overlay_find(EmuhvStage2 *s2, uint64_t gfn, hwaddr *pa, int *prot)
{
    unsigned n = qatomic_read(&s2->n_overlays);

    for (unsigned i = 0; i < n; i++) {
        Overlay *o = &s2->overlay[i];

        if (qatomic_load_acquire(&o->used) && o->gfn == gfn) {
            *pa = o->pa;
            *prot = PAGE_READ | PAGE_EXEC | (o->write ? PAGE_WRITE : 0);
            return true;
        }
    }
    return false;
}

/* ---- Translation ---- */

/* The page at which this VP's LAPIC answers. */
static bool is_apic_page(EmuhvVp *vp, uint64_t gfn)
{
    uint32_t base = emuhv_vp_apic(vp)->apicbase;

    return vp->partition->cfg.lapic && gfn == base >> 12 &&
           (base & (MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD)) ==
           MSR_IA32_APICBASE_ENABLE;
}

EmuhvStage2Result emuhv_stage2_translate(EmuhvVp *vp, hwaddr gpa,
                                         MMUAccessType access, bool touch,
                                         hwaddr *pa, int *prot)
{
    EmuhvStage2 *s2 = vp->partition->s2;
    uint64_t gfn = gpa >> 12, e, set;
    uint64_t *at;

    if (unlikely(is_apic_page(vp, gfn))) {
        *pa = APIC_DEFAULT_ADDRESS | (gpa & 0xfff);
        *prot = PAGE_READ | PAGE_WRITE;
        return access == MMU_INST_FETCH ? S2R_UNMAPPED : S2R_OK;
    }
    at = entry_find(s2, gfn, false);
    e = at ? qatomic_read(at) : 0;

    if (unlikely(!at || (e & E_OVERLAY)) && overlay_find(s2, gfn, pa, prot)) {
        *pa |= gpa & 0xfff;
        return *prot & (1 << access) ? S2R_OK : S2R_DENIED;
    }
    if (!(e & E_MAPPED)) {
        if ((e & E_DOORBELL) && access == MMU_DATA_STORE) {
            *pa = IO_BASE | gpa;
            *prot = PAGE_WRITE;
            return S2R_OK;
        }
        return S2R_UNMAPPED;
    }
    *prot = (e & EMUHV_MAP_R ? PAGE_READ : 0) |
            (e & EMUHV_MAP_W ? PAGE_WRITE : 0) |
            (e & (EMUHV_MAP_KX | EMUHV_MAP_UX) ? PAGE_EXEC : 0);
    if (!(*prot & (1 << access))) {
        return S2R_DENIED;
    }
    *pa = (e & ~E_FLAGS) | (gpa & 0xfff);
    if (touch && qatomic_read(&s2->track)) {
        set = E_ACCESSED | (access == MMU_DATA_STORE ? E_DIRTY : 0);
        if (set & ~e) {
            e = qatomic_or_fetch(at, set);
        }
        /* The first store must come here to be seen. */
        if (!(e & E_DIRTY)) {
            *prot &= ~PAGE_WRITE;
        }
    }
    return S2R_OK;
}

bool emuhv_do_stage2(CPUX86State *env, hwaddr gpa, MMUAccessType access,
                     hwaddr *pa, int *prot)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    EmuhvStage2Result r;

    if (unlikely(!vp->partition)) {
        return false;
    }
    vp->stats.stage2_fills++;
    r = emuhv_stage2_translate(vp, gpa, access, true, pa, prot);
    if (likely(r == S2R_OK)) {
        return true;
    }
    vp->mem->refused_gpa = gpa;
    vp->mem->refused_mapped = r == S2R_DENIED;
    return false;
}

/*
 * How to look up a page table entry that may have to be changed: as a store,
 * which makes QEMU discard the code it translated from that page.  The
 * translator itself holds locks that this needs, so for its fetches the entry
 * is looked up as a load and changed in place.
 */
MMUAccessType emuhv_do_ptw_access(CPUX86State *env, hwaddr gpa,
                                  bool *read_only)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    hwaddr pa;
    int prot;

    if (!tcg_ctx->gen_tb) {
        return MMU_DATA_STORE;
    }
    *read_only = emuhv_stage2_translate(vp, gpa, MMU_DATA_STORE, true, &pa,
                                        &prot) != S2R_OK;
    return MMU_DATA_LOAD;
}

/* A new CR3 does not change the second stage, so its entries may stay. */
void emuhv_do_flush_stage1(CPUX86State *env)
{
    tlb_flush_by_mmuidx(env_cpu(env),
                        MAKE_64BIT_MASK(0, NB_MMU_MODES) &
                        ~(1u << MMU_NESTED_IDX));
}

void emuhv_do_tlb_filled(CPUX86State *env, vaddr gva, hwaddr pa, int *prot)
{
    if (emuhv_answers(EMUHV_OWNS_DEPOSITS)) {
        emuhv_check_taken(gva, pa);
    }
    if (unlikely(pa & IO_BASE) && emuhv_is_child(env_archcpu(env))) {
        /* Every store must come here: the message needs its address. */
        emuhv_vp_of(env)->mem->io_gva = gva;
        *prot |= PAGE_WRITE_INV;
    }
}

/* ---- Doorbell region ---- */

static uint64_t io_read(void *opaque, hwaddr addr, unsigned size)
{
    /* Loads from doorbell pages never get here: the table has no read. */
    return ~0ull;
}

static void io_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    CPUState *cs = current_cpu;
    EmuhvVp *vp;

    if (!cs || !emuhv_is_child(X86_CPU(cs))) {
        return;                 /* the parent or a device at that address */
    }
    vp = emuhv_vp_of(cpu_env(cs));
    if (!vp->partition || emuhv_up.doorbell(vp->partition, addr, size, val)) {
        return;
    }
    vp->mem->refused_gpa = addr;
    vp->mem->refused_mapped = false;
    emuhv_up.refused_store(vp, vp->mem->io_gva, cs->mem_io_pc);
}

static const MemoryRegionOps io_ops = {
    .read = io_read,
    .write = io_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8,
               .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8,
              .unaligned = true },
};

void emuhv_stage2_init(void)
{
    static MemoryRegion mr;

    memory_region_init_io(&mr, OBJECT(qdev_get_machine()), &io_ops, NULL,
                          "emuhv-doorbells", 1ull << GPA_BITS);
    memory_region_add_subregion(get_system_memory(), IO_BASE, &mr);
}
