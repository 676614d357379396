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
#include "hw/emuhv/vp-int.h"

#define GFN_BITS    (EMUHV_GPA_BITS - 12)
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

struct EmuhvStage2 {
    Table *root;
    uint64_t mapped, no_access;
    GHashTable *doorbells;      /* gfn -> count */
    bool dirty;                 /* needs a flush */
};

EmuhvStage2 *emuhv_s2_new(void)
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

void emuhv_s2_free(EmuhvStage2 *s2)
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
static void overlays_mark(EmuhvDomain *d)
{
    for (unsigned i = 0; i < d->s->n_overlays; i++) {
        EmuhvOverlay *o = &d->s->overlay[i];
        uint64_t *p = o->used ? entry_find(d->s->s2, o->gfn, false) : NULL;

        if (p) {
            qatomic_or(p, E_OVERLAY);
        }
    }
}

bool emuhv_stage2_map(EmuhvDomain *d, uint64_t gfn, uint64_t pfn, uint64_t n,
                      uint32_t prot)
{
    EmuhvStage2 *s2 = d->s->s2;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t *p = entry_find(s2, gfn + i, true);
        uint64_t e = E_MAPPED;

        if (!p) {
            return false;
        }
        if (prot & E_PERM) {
            e |= (prot & E_PERM) | (pfn + i) << 12;
        }
        entry_replace(s2, p, e);
    }
    overlays_mark(d);
    return true;
}

void emuhv_stage2_unmap(EmuhvDomain *d, uint64_t gfn, uint64_t n)
{
    EmuhvStage2 *s2 = d->s->s2;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t *p = entry_find(s2, gfn + i, false);

        if (p) {
            entry_replace(s2, p, 0);
        }
    }
}

static void flush_work(CPUState *cs, run_on_cpu_data data)
{
    tlb_flush(cs);
}

void emuhv_s2_flush_self(EmuhvVp *vp)
{
    qatomic_set(&vp->s->need_flush, false);
    tlb_flush(emuhv_vp_cs(vp));
}

void emuhv_stage2_commit(EmuhvDomain *d)
{
    g_autoptr(GPtrArray) running = NULL;

    if (!d->s->s2->dirty) {
        return;
    }
    d->s->s2->dirty = false;
    running = g_ptr_array_new();
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        EmuhvVp *vp = d->vps[i];

        if (vp && vp->s->stopped) {
            /* Flushes itself before it runs again. */
            qatomic_set(&vp->s->need_flush, true);
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
void emuhv_s2_flush_async(EmuhvDomain *d)
{
    d->s->s2->dirty = false;
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        EmuhvVp *vp = d->vps[i];

        if (!vp) {
            continue;
        }
        if (vp->s->stopped) {
            qatomic_set(&vp->s->need_flush, true);
        } else if (current_cpu == emuhv_vp_cs(vp)) {
            tlb_flush(emuhv_vp_cs(vp));
        } else {
            async_run_on_cpu(emuhv_vp_cs(vp), flush_work, RUN_ON_CPU_NULL);
        }
    }
}

uint64_t emuhv_stage2_max_gfn(void)
{
    return 1ull << (MIN(emuhv_model_cpu()->phys_bits, EMUHV_GPA_BITS) - 12);
}

bool emuhv_stage2_query(EmuhvDomain *d, uint64_t gfn, uint64_t *pfn,
                        uint32_t *prot)
{
    uint64_t *p = entry_find(d->s->s2, gfn, false);
    uint64_t e = p ? qatomic_read(p) : 0;

    if (!(e & E_MAPPED)) {
        return false;
    }
    if (pfn) {
        *pfn = e >> 12;
    }
    if (prot) {
        *prot = e & E_PERM;
    }
    return true;
}

uint8_t emuhv_stage2_access_state(EmuhvDomain *d, uint64_t gfn, uint64_t flags)
{
    uint64_t *p = entry_find(d->s->s2, gfn, false);
    uint64_t old, new;

    if (!p || !(qatomic_read(p) & E_MAPPED)) {
        return 0;
    }
    do {
        old = new = qatomic_read(p);
        new &= ~((flags & 1 ? E_ACCESSED : 0) | (flags & 4 ? E_DIRTY : 0));
        new |= (flags & 2 ? E_ACCESSED : 0) | (flags & 8 ? E_DIRTY : 0);
    } while (qatomic_cmpxchg(p, old, new) != old);
    if (old & ~new) {
        d->s->s2->dirty = true;
    }
    return (old & E_ACCESSED ? 1 : 0) | (old & E_DIRTY ? 2 : 0);
}

void emuhv_stage2_count(EmuhvDomain *d, uint64_t *mapped, uint64_t *no_access)
{
    *mapped = d->s->s2->mapped;
    *no_access = d->s->s2->no_access;
}

bool emuhv_stage2_doorbell(EmuhvDomain *d, uint64_t gfn, bool on)
{
    EmuhvStage2 *s2 = d->s->s2;
    uint64_t *p = entry_find(s2, gfn, on);
    gintptr n = (gintptr)g_hash_table_lookup(s2->doorbells, &gfn);

    if (!p || (!on && !n)) {
        return false;
    }
    n += on ? 1 : -1;
    if (n) {
        g_hash_table_insert(s2->doorbells, g_memdup2(&gfn, sizeof(gfn)),
                            (gpointer)n);
        qatomic_or(p, E_DOORBELL);
        overlays_mark(d);
    } else {
        g_hash_table_remove(s2->doorbells, &gfn);
        qatomic_and(p, ~E_DOORBELL);
        s2->dirty = true;
    }
    return true;
}

void emuhv_s2_set_overlay(EmuhvDomain *d, unsigned slot, uint64_t gfn,
                          hwaddr pa, bool write, bool on)
{
    EmuhvOverlay *o = &d->s->overlay[slot];
    uint64_t *p;

    if (o->used) {
        uint64_t old = o->gfn;
        bool other = false;

        qatomic_set(&o->used, false);
        for (unsigned i = 0; i < d->s->n_overlays; i++) {
            other |= d->s->overlay[i].used && d->s->overlay[i].gfn == old;
        }
        p = entry_find(d->s->s2, old, false);
        if (p && !other) {
            qatomic_and(p, ~E_OVERLAY);
        }
        d->s->s2->dirty = true;
    }
    if (on) {
        o->gfn = gfn;
        o->pa = pa;
        o->write = write;
        qatomic_set(&d->s->n_overlays, MAX(d->s->n_overlays, slot + 1));
        qatomic_store_release(&o->used, true);
        p = entry_find(d->s->s2, gfn, false);
        if (p) {
            qatomic_or(p, E_OVERLAY);
        }
        d->s->s2->dirty = true;
    }
}

static bool overlay_find(EmuhvDomain *d, uint64_t gfn, hwaddr *pa, int *prot)
{
    unsigned n = qatomic_read(&d->s->n_overlays);

    for (unsigned i = 0; i < n; i++) {
        EmuhvOverlay *o = &d->s->overlay[i];

        if (qatomic_load_acquire(&o->used) && o->gfn == gfn) {
            *pa = o->pa;
            *prot = PAGE_READ | PAGE_EXEC | (o->write ? PAGE_WRITE : 0);
            return true;
        }
    }
    return false;
}

/* The page at which this VP's LAPIC answers. */
static bool is_apic_page(EmuhvVp *vp, uint64_t gfn)
{
    uint32_t base = emuhv_vp_apic(vp)->apicbase;

    return vp->domain->cfg.lapic && gfn == base >> 12 &&
           (base & (MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD)) ==
           MSR_IA32_APICBASE_ENABLE;
}

EmuhvS2Result emuhv_s2_translate(EmuhvVp *vp, hwaddr gpa, MMUAccessType access,
                                 bool touch, hwaddr *pa, int *prot)
{
    EmuhvDomain *d = vp->domain;
    uint64_t gfn = gpa >> 12, e, set;
    uint64_t *p;

    if (unlikely(is_apic_page(vp, gfn))) {
        *pa = APIC_DEFAULT_ADDRESS | (gpa & 0xfff);
        *prot = PAGE_READ | PAGE_WRITE;
        return access == MMU_INST_FETCH ? S2R_UNMAPPED : S2R_OK;
    }
    p = entry_find(d->s->s2, gfn, false);
    e = p ? qatomic_read(p) : 0;

    if (unlikely(!p || (e & E_OVERLAY)) && overlay_find(d, gfn, pa, prot)) {
        *pa |= gpa & 0xfff;
        return *prot & (1 << access) ? S2R_OK : S2R_DENIED;
    }
    if (!(e & E_MAPPED)) {
        if ((e & E_DOORBELL) && access == MMU_DATA_STORE) {
            *pa = EMUHV_IO_BASE | gpa;
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
    if (touch) {
        set = E_ACCESSED | (access == MMU_DATA_STORE ? E_DIRTY : 0);
        if (set & ~e) {
            e = qatomic_or_fetch(p, set);
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
    EmuhvS2Result r;

    if (unlikely(!vp->domain)) {
        return false;
    }
    vp->stats.stage2_fills++;
    r = emuhv_s2_translate(vp, gpa, access, true, pa, prot);
    if (likely(r == S2R_OK)) {
        return true;
    }
    vp->s->s2_gpa = gpa;
    vp->s->s2_mapped = r == S2R_DENIED;
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
    *read_only = emuhv_s2_translate(vp, gpa, MMU_DATA_STORE, true, &pa,
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
    if (unlikely(pa & EMUHV_IO_BASE)) {
        /* Every store must come here: the message needs its address. */
        emuhv_vp_of(env)->s->io_gva = gva;
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
    CPUX86State *env;

    if (!cs || !emuhv_is_child(X86_CPU(cs))) {
        return;                 /* the parent or a device at that address */
    }
    env = cpu_env(cs);
    vp = emuhv_vp_of(env);
    if (!vp->domain || emuhv_doorbell(vp->domain, addr, size, val)) {
        return;
    }
    vp->s->s2_gpa = addr;
    vp->s->s2_mapped = false;
    emuhv_do_raise_stage2(env, vp->s->io_gva, false, MMU_DATA_STORE, 0,
                          cs->mem_io_pc);
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
                          "emuhv-doorbells", 1ull << EMUHV_GPA_BITS);
    memory_region_add_subregion(get_system_memory(), EMUHV_IO_BASE, &mr);
}
