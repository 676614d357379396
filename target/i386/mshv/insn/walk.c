/*
 * x86 instruction emulator: the page walker
 *
 * Intel SDM volume 3, chapter 4; AMD APM volume 2, chapter 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "internal.h"

/* Bits of a paging-structure entry. */
#define PTE_P           (1ull << 0)
#define PTE_W           (1ull << 1)
#define PTE_U           (1ull << 2)
#define PTE_A           (1ull << 5)
#define PTE_D           (1ull << 6)
#define PTE_PS          (1ull << 7)
#define PTE_PKEY_SHIFT  59
#define PTE_NX          (1ull << 63)

#define MAX_LEVELS      5

/* A walk that keeps losing races for A/D bits is ended after so many tries. */
#define MAX_RESTARTS    64

/* A kind of page table: how many levels, what an entry looks like. */
struct format {
    uint8_t levels;
    uint8_t entry_size;
    uint8_t index_bits;
    uint8_t large_levels;   /* bit n: an entry of level n may map a page */
    bool pae_root;          /* the top level is four PDPTEs without rights */
};

static const struct format format_32 = { 2, 4, 10, 1 << 2, false };
static const struct format format_32_nopse = { 2, 4, 10, 0, false };
static const struct format format_pae = { 3, 8, 9, 1 << 2, true };
static const struct format format_4level = { 4, 8, 9, 1 << 2 | 1 << 3, false };
static const struct format format_5level = { 5, 8, 9, 1 << 2 | 1 << 3, false };

struct walk {
    const struct insn_cpu *cpu;
    const struct insn_ops *ops;
    void *opaque;
    struct insn_result *res;
    const struct format *f;
    uint64_t gva;
    enum insn_access access;
    unsigned flags;
    bool user;
    uint8_t maxphyaddr;

    /* entries on the way, by level: 1 is the page table */
    uint64_t entry[MAX_LEVELS + 1];
    uint64_t entry_gpa[MAX_LEVELS + 1];
    unsigned leaf;
    uint64_t rights;        /* PTE_W, PTE_U: all entries; PTE_NX: any */
};

static const struct format *paging_format(const struct insn_cpu *cpu)
{
    if (cpu->efer & INSN_EFER_LMA) {
        return cpu->cr4 & INSN_CR4_LA57 ? &format_5level : &format_4level;
    }
    if (cpu->cr4 & INSN_CR4_PAE) {
        return &format_pae;
    }
    return cpu->cr4 & INSN_CR4_PSE ? &format_32 : &format_32_nopse;
}

static uint64_t bits(unsigned high, unsigned low)
{
    if (high < low) {
        return 0;
    }
    return ((2ull << (high - low)) - 1) << low;
}

static enum insn_status page_fault(struct walk *w, uint32_t code)
{
    struct insn_fault *f = &w->res->fault;

    if (w->access == INSN_WRITE) {
        code |= INSN_PF_W;
    }
    if (w->user) {
        code |= INSN_PF_U;
    }
    /* The fetch bit is reported only if something can forbid fetches. */
    if (w->access == INSN_FETCH &&
        ((w->cpu->cr4 & INSN_CR4_SMEP) ||
         (w->f->entry_size == 8 && (w->cpu->efer & INSN_EFER_NXE)))) {
        code |= INSN_PF_I;
    }
    f->vector = INSN_VEC_PF;
    f->has_error_code = true;
    f->error_code = code;
    f->cr2 = w->gva;
    return INSN_FAULT;
}

static enum insn_status read_entry(struct walk *w, uint64_t gpa, uint64_t *e)
{
    unsigned size = w->f->entry_size;
    void *host = w->ops->map_gpa(w->opaque, gpa, size, false);
    int ret;

    *e = 0;
    if (host) {
        insn_host_load(host, e, size);
        return INSN_DONE;
    }
    ret = w->ops->read_gpa(w->opaque, gpa, e, size);
    if (ret < 0) {
        w->res->error = ret;
        return INSN_ERROR;
    }
    return INSN_DONE;
}

static unsigned level_shift(const struct walk *w, unsigned level)
{
    return 12 + w->f->index_bits * (level - 1);
}

/* The bits that must be zero in a present entry of @level. */
static uint64_t reserved_bits(const struct walk *w, unsigned level,
                              bool large)
{
    uint64_t rsvd = bits(51, w->maxphyaddr);

    if (w->f->entry_size == 4) {
        unsigned phys = w->maxphyaddr > 40 ? 40 : w->maxphyaddr;

        /* A 4 MiB page has address bits 39:32 in bits 20:13. */
        return large ? bits(21, 13 + phys - 32) : 0;
    }
    if (!(w->cpu->efer & INSN_EFER_NXE)) {
        rsvd |= PTE_NX;
    }
    if (w->f->levels == 3) {
        rsvd |= bits(62, 52);
        if (level == 3) {
            return rsvd | PTE_NX | bits(8, 5) | bits(2, 1);
        }
    }
    if (level >= 4) {
        rsvd |= PTE_PS;
    }
    if (large) {
        rsvd |= bits(level_shift(w, level) - 1, 13);
    }
    return rsvd;
}

static uint64_t leaf_address(const struct walk *w)
{
    uint64_t e = w->entry[w->leaf];
    uint64_t offset = bits(level_shift(w, w->leaf) - 1, 0);
    uint64_t base;

    if (w->f->entry_size == 4 && w->leaf == 2) {
        base = (e & bits(31, 22)) | (e & bits(20, 13)) << 19;
    } else {
        base = e & bits(w->maxphyaddr - 1, 12) & ~offset;
    }
    return base | (w->gva & offset);
}

/* Read the entries down to the one that maps the page. */
static enum insn_status descend(struct walk *w)
{
    const struct format *f = w->f;
    uint64_t table = w->cpu->cr3;
    unsigned level;

    if (f->pae_root) {
        table &= bits(31, 5);
    } else {
        table &= f->entry_size == 4 ? bits(31, 12)
                                    : bits(w->maxphyaddr - 1, 12);
    }
    w->rights = PTE_W | PTE_U;
    for (level = f->levels; ; level--) {
        unsigned index_bits = f->pae_root && level == 3 ? 2 : f->index_bits;
        uint64_t index = w->gva >> level_shift(w, level) &
                         bits(index_bits - 1, 0);
        uint64_t *e = &w->entry[level];
        enum insn_status st;
        bool large;

        w->entry_gpa[level] = table + index * f->entry_size;
        st = read_entry(w, w->entry_gpa[level], e);
        if (st != INSN_DONE) {
            return st;
        }
        if (!(*e & PTE_P)) {
            return page_fault(w, 0);
        }
        large = (f->large_levels >> level & 1) && (*e & PTE_PS);
        if (*e & reserved_bits(w, level, large)) {
            return page_fault(w, INSN_PF_P | INSN_PF_RSVD);
        }
        if (!(f->pae_root && level == 3)) {
            w->rights &= *e | ~(PTE_W | PTE_U);
            if (f->entry_size == 8) {
                w->rights |= *e & PTE_NX;
            }
        }
        if (large || level == 1) {
            w->leaf = level;
            return INSN_DONE;
        }
        table = *e & (f->entry_size == 4 ? bits(31, 12)
                                         : bits(w->maxphyaddr - 1, 12));
    }
}

/* Does the page's protection key forbid this access? */
static enum insn_status check_pkey(struct walk *w, bool *denied)
{
    const struct insn_cpu *cpu = w->cpu;
    unsigned key = w->entry[w->leaf] >> PTE_PKEY_SHIFT & 15;
    uint32_t pkru = 0;
    int ret;

    *denied = false;
    if (!(cpu->cr4 & INSN_CR4_PKE) || w->f->levels < 4 ||
        !(w->rights & PTE_U) || w->access == INSN_FETCH) {
        return INSN_DONE;
    }
    ret = w->ops->read_pkru(w->opaque, &pkru);
    if (ret < 0) {
        w->res->error = ret;
        return INSN_ERROR;
    }
    pkru >>= 2 * key;
    *denied = (pkru & 1) ||
              ((pkru & 2) && w->access == INSN_WRITE &&
               (w->user || (cpu->cr0 & INSN_CR0_WP)));
    return INSN_DONE;
}

static bool rights_allow(const struct walk *w)
{
    const struct insn_cpu *cpu = w->cpu;
    bool user_page = w->rights & PTE_U;

    if (w->access == INSN_FETCH && (w->rights & PTE_NX)) {
        return false;
    }
    if (w->user) {
        return user_page &&
               (w->access != INSN_WRITE || (w->rights & PTE_W));
    }
    if (w->access == INSN_FETCH) {
        return !user_page || !(cpu->cr4 & INSN_CR4_SMEP);
    }
    if (user_page && (cpu->cr4 & INSN_CR4_SMAP) &&
        ((w->flags & INSN_XLAT_IMPLICIT) || !(cpu->rflags & INSN_AC))) {
        return false;
    }
    return w->access != INSN_WRITE || (w->rights & PTE_W) ||
           !(cpu->cr0 & INSN_CR0_WP);
}

static enum insn_status check_rights(struct walk *w)
{
    bool pkey_denied;
    enum insn_status st = check_pkey(w, &pkey_denied);

    if (st != INSN_DONE) {
        return st;
    }
    if (pkey_denied || !rights_allow(w)) {
        return page_fault(w, INSN_PF_P | (pkey_denied ? INSN_PF_PK : 0));
    }
    return INSN_DONE;
}

/*
 * Set @set in the entry of @level, as a processor does: only if it is still
 * what the walk has read.  Tables outside writable RAM stay as they are.
 */
static bool update_entry(struct walk *w, unsigned level, uint64_t set)
{
    unsigned size = w->f->entry_size;
    uint64_t old = w->entry[level], val = old | set;
    void *host;

    if (val == old) {
        return true;
    }
    host = w->ops->map_gpa(w->opaque, w->entry_gpa[level], size, true);
    if (!host) {
        return true;
    }
    if (!insn_host_cas(host, size, &old, &val)) {
        return false;
    }
    w->entry[level] = val;
    if (w->ops->dirty_gpa) {
        w->ops->dirty_gpa(w->opaque, w->entry_gpa[level], size);
    }
    return true;
}

static bool set_accessed_dirty(struct walk *w)
{
    unsigned top = w->f->levels - (w->f->pae_root ? 1 : 0);
    unsigned level;

    for (level = top; level >= w->leaf; level--) {
        uint64_t set = PTE_A;

        if (level == w->leaf && w->access == INSN_WRITE) {
            set |= PTE_D;
        }
        if (!update_entry(w, level, set)) {
            return false;
        }
    }
    return true;
}

static enum insn_status walk_tables(struct walk *w, uint64_t *gpa)
{
    unsigned tries;

    for (tries = 0; tries < MAX_RESTARTS; tries++) {
        enum insn_status st = descend(w);

        if (st == INSN_DONE && !(w->flags & INSN_XLAT_DEBUG)) {
            st = check_rights(w);
        }
        if (st != INSN_DONE) {
            return st;
        }
        if ((w->flags & (INSN_XLAT_NO_AD | INSN_XLAT_DEBUG)) ||
            set_accessed_dirty(w)) {
            break;
        }
    }
    *gpa = leaf_address(w);
    return INSN_DONE;
}

bool insn_canonical(const struct insn_cpu *cpu, uint64_t gva)
{
    unsigned shift = cpu->cr4 & INSN_CR4_LA57 ? 64 - 57 : 64 - 48;

    return (uint64_t)((int64_t)(gva << shift) >> shift) == gva;
}

enum insn_status insn_translate(const struct insn_cpu *cpu,
                                const struct insn_ops *ops, void *opaque,
                                uint64_t gva, enum insn_access access,
                                unsigned flags, uint64_t *gpa,
                                struct insn_result *res)
{
    struct walk w = {
        .cpu = cpu, .ops = ops, .opaque = opaque, .res = res,
        .gva = gva, .access = access, .flags = flags,
        .user = cpu->cpl == 3 && !(flags & INSN_XLAT_IMPLICIT),
        .maxphyaddr = cpu->maxphyaddr,
    };

    if (w.maxphyaddr < 32 || w.maxphyaddr > 52) {
        w.maxphyaddr = 52;
    }
    if (!(cpu->efer & INSN_EFER_LMA)) {
        w.gva = (uint32_t)gva;
    }
    if (!(cpu->cr0 & INSN_CR0_PG)) {
        *gpa = w.gva;
        return INSN_DONE;
    }
    if ((cpu->efer & INSN_EFER_LMA) && !insn_canonical(cpu, gva)) {
        res->fault = (struct insn_fault) {
            .vector = INSN_VEC_GP, .has_error_code = true,
        };
        return INSN_FAULT;
    }
    w.f = paging_format(cpu);
    return walk_tables(&w, gpa);
}
