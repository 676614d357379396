/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: walk a child's page tables without side
 * effects on its TLB, for HvCallTranslateVirtualAddress, the instruction bytes
 * in messages, and debuggers.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "exec/page-protection.h"
#include "hw/emuhv/vp/vp-int.h"

/* HvCallTranslateVirtualAddress: control flags and result codes */
#define TR_READ             HV_TRANSLATE_GVA_VALIDATE_READ
#define TR_WRITE            HV_TRANSLATE_GVA_VALIDATE_WRITE
#define TR_EXEC             HV_TRANSLATE_GVA_VALIDATE_EXECUTE
#define TR_EXEMPT           HV_TRANSLATE_GVA_PRIVILEGE_EXEMPT
#define TR_SET_PT_BITS      HV_TRANSLATE_GVA_SET_PAGE_TABLE_BITS
#define TR_SUPERVISOR       HV_TRANSLATE_GVA_SUPERVISOR_ACCESS
#define TR_USER             HV_TRANSLATE_GVA_USER_ACCESS
#define TR_SMAP_ON          HV_TRANSLATE_GVA_ENFORCE_SMAP
#define TR_SMAP_OFF         HV_TRANSLATE_GVA_OVERRIDE_SMAP

#define RES_NOT_PRESENT     HV_TRANSLATE_GVA_PAGE_NOT_PRESENT
#define RES_PRIVILEGE       HV_TRANSLATE_GVA_PRIVILEGE_VIOLATION
#define RES_BAD_FLAGS       HV_TRANSLATE_GVA_INVALID_PAGE_TABLE_FLAGS
#define RES_GPA_UNMAPPED    HV_TRANSLATE_GVA_GPA_UNMAPPED
#define RES_NO_READ         HV_TRANSLATE_GVA_GPA_NO_READ_ACCESS
#define RES_NO_WRITE        HV_TRANSLATE_GVA_GPA_NO_WRITE_ACCESS

/* ---- Child memory by GPA ---- */

static bool child_rw(EmuhvVp *vp, hwaddr gpa, uint8_t *buf, size_t len,
                     bool write, EmuhvStage2Result *why)
{
    while (len) {
        size_t n = MIN(len, 4096 - (gpa & 0xfff));
        hwaddr pa;
        int prot;

        *why = emuhv_stage2_translate(vp, gpa,
                                  write ? MMU_DATA_STORE : MMU_DATA_LOAD,
                                  true, &pa, &prot);
        if (*why == S2R_OK && !(write ? emuhv_ram_write(pa, buf, n)
                                      : emuhv_ram_read(pa, buf, n))) {
            *why = S2R_UNMAPPED;
        }
        if (*why != S2R_OK) {
            return false;
        }
        gpa += n;
        buf += n;
        len -= n;
    }
    return true;
}

/* ---- The walk ---- */

typedef struct Walk {
    hwaddr gpa;
    hwaddr s2_gpa;              /* table or page that stage two refused */
    unsigned code;              /* of HvCallTranslateVirtualAddress */
} Walk;

typedef struct Level {
    unsigned shift, bits;
} Level;

static const Level levels_32[] = { { 22, 10 }, { 12, 10 } };
static const Level levels_pae[] = { { 30, 2 }, { 21, 9 }, { 12, 9 } };
static const Level levels_64[] = { { 48, 9 }, { 39, 9 }, { 30, 9 },
                                   { 21, 9 }, { 12, 9 } };

static bool s2_refuses(Walk *w, hwaddr gpa, EmuhvStage2Result why, bool write)
{
    w->s2_gpa = gpa;
    w->code = why == S2R_UNMAPPED ? RES_GPA_UNMAPPED
                                  : write ? RES_NO_WRITE : RES_NO_READ;
    return false;
}

static bool canonical(CPUX86State *env, vaddr gva)
{
    unsigned shift = env->cr[4] & CR4_LA57_MASK ? 56 : 47;
    int64_t top = (int64_t)gva >> shift;

    return top == 0 || top == -1;
}

/* Rights of the tables against what is asked. */
static bool privileged(CPUX86State *env, uint64_t flags, uint64_t rights,
                       bool nx)
{
    bool user = (env->hflags & HF_CPL_MASK) == 3;
    bool smap = (env->cr[4] & CR4_SMAP_MASK) && !(env->eflags & AC_MASK);

    if (flags & TR_EXEMPT) {
        return true;
    }
    user = flags & TR_USER ? true : flags & TR_SUPERVISOR ? false : user;
    smap = flags & TR_SMAP_ON ? true : flags & TR_SMAP_OFF ? false : smap;
    if (user && !(rights & PG_USER_MASK)) {
        return false;
    }
    if ((flags & TR_WRITE) && !(rights & PG_RW_MASK) &&
        (user || (env->cr[0] & CR0_WP_MASK))) {
        return false;
    }
    if (!user && (rights & PG_USER_MASK)) {
        if (smap && (flags & (TR_READ | TR_WRITE))) {
            return false;
        }
        if ((flags & TR_EXEC) && (env->cr[4] & CR4_SMEP_MASK)) {
            return false;
        }
    }
    return !((flags & TR_EXEC) && nx);
}

/* The tables that the VP's mode has, from the top, and their number */
static const Level *table_levels(CPUX86State *env, unsigned *n)
{
    if (env->efer & MSR_EFER_LMA) {
        bool la57 = env->cr[4] & CR4_LA57_MASK;

        *n = la57 ? 5 : 4;
        return la57 ? levels_64 : levels_64 + 1;
    }
    *n = env->cr[4] & CR4_PAE_MASK ? 3 : 2;
    return env->cr[4] & CR4_PAE_MASK ? levels_pae : levels_32;
}

static hwaddr leaf_gpa(uint64_t pte, unsigned entry_size, unsigned shift,
                       vaddr gva)
{
    uint64_t mask = (1ull << shift) - 1;
    uint64_t base = pte & PG_ADDRESS_MASK;

    if (entry_size == 4) {
        base = (uint32_t)pte & 0xfffff000;
        if (shift == 22) {
            base |= (pte & 0x1fe000) << 19;
        }
    }
    return (base & ~mask) | (gva & mask);
}

/* Linear to GPA without side effects; false: fault of stage one or two. */
static bool walk(EmuhvVp *vp, vaddr gva, uint64_t flags, Walk *w)
{
    CPUX86State *env = emuhv_vp_env(vp);
    bool pae = env->cr[4] & CR4_PAE_MASK, lma = env->efer & MSR_EFER_LMA;
    unsigned n, entry_size = pae || lma ? 8 : 4;
    const Level *lv = table_levels(env, &n);
    uint64_t rights = PG_USER_MASK | PG_RW_MASK, addr = env->cr[3], pte, set;
    EmuhvStage2Result why;
    bool nx = false;

    memset(w, 0, sizeof(*w));
    if (!(env->cr[0] & CR0_PG_MASK)) {
        w->gpa = (uint32_t)gva;
        return true;
    }
    if (lma && !canonical(env, gva)) {
        w->code = RES_NOT_PRESENT;
        return false;
    }
    addr &= lma ? PG_ADDRESS_MASK : pae ? 0xffffffe0 : 0xfffff000;
    for (unsigned i = 0; i < n; i++) {
        hwaddr at = addr + ((gva >> lv[i].shift) & ((1u << lv[i].bits) - 1)) *
                           entry_size;
        bool pdpte = pae && !lma && i == 0;
        bool leaf = lv[i].shift == 12;
        uint8_t raw[8] = { };

        if (!child_rw(vp, at, raw, entry_size, false, &why)) {
            return s2_refuses(w, at, why, false);
        }
        pte = ldq_le_p(raw);
        if (!(pte & PG_PRESENT_MASK)) {
            w->code = RES_NOT_PRESENT;
            return false;
        }
        if (!pdpte) {
            rights &= pte;
            nx |= (pte & PG_NX_MASK) && (env->efer & MSR_EFER_NXE);
        }
        leaf |= !pdpte && (pte & PG_PSE_MASK) && lv[i].shift < 39 &&
                (entry_size == 8 || (env->cr[4] & CR4_PSE_MASK));
        if (leaf && !privileged(env, flags, rights, nx)) {
            w->code = RES_PRIVILEGE;
            return false;
        }
        set = pdpte ? 0 : PG_ACCESSED_MASK |
              (leaf && (flags & TR_WRITE) ? PG_DIRTY_MASK : 0);
        if ((flags & TR_SET_PT_BITS) && (set & ~pte)) {
            stl_le_p(raw, (uint32_t)(pte | set));
            if (!child_rw(vp, at, raw, 4, true, &why)) {
                return s2_refuses(w, at, why, true);
            }
        }
        if (leaf) {
            w->gpa = leaf_gpa(pte, entry_size, lv[i].shift, gva);
            return true;
        }
        addr = pte & (entry_size == 4 ? 0xfffff000 : PG_ADDRESS_MASK);
    }
    return false;
}

/* ---- Users ---- */

typedef struct TranslateCall {
    EmuhvVp *vp;
    uint64_t flags, gva;
    Walk w;
    bool ok, overlay;
} TranslateCall;

static void translate_work(CPUState *cs, run_on_cpu_data data)
{
    TranslateCall *t = data.host_ptr;
    hwaddr pa;
    int prot;

    t->ok = walk(t->vp, t->gva, t->flags, &t->w);
    /*
     * What the GPA is (memory, device, not mapped) is not asked: clients use
     * this to find the GPA of device registers.
     */
    t->overlay = t->ok && emuhv_stage2_translate(t->vp, t->w.gpa, MMU_DATA_LOAD,
                                             false, &pa, &prot) == S2R_OK &&
                 emuhv_overlay_is(pa);
}

uint16_t emuhv_vp_translate(EmuhvVp *vp, uint64_t flags, uint64_t gva_page,
                            uint32_t *code, uint32_t *cache_overlay,
                            uint64_t *gpa_page)
{
    TranslateCall t = { .vp = vp, .flags = flags, .gva = gva_page << 12 };

    *code = *cache_overlay = 0;
    *gpa_page = 0;
    if (!(flags & (TR_READ | TR_WRITE | TR_EXEC)) ||
        (flags & TR_SUPERVISOR && flags & TR_USER) ||
        (flags & TR_SMAP_ON && flags & TR_SMAP_OFF)) {
        *code = RES_BAD_FLAGS;
        return HV_STATUS_SUCCESS;
    }
    emuhv_vp_sync(vp, translate_work, &t);
    if (!t.ok) {
        *code = t.w.code;
        *gpa_page = t.w.s2_gpa >> 12;
        return HV_STATUS_SUCCESS;
    }
    *gpa_page = t.w.gpa >> 12;
    *cache_overlay = 6 | (t.overlay ? 1u << 8 : 0);
    return HV_STATUS_SUCCESS;
}

hwaddr emuhv_do_debug_translate(CPUX86State *env, vaddr gva)
{
    EmuhvVp *vp = emuhv_vp_of(env);
    Walk w;
    hwaddr pa;
    int prot;

    if (!vp->partition || !walk(vp, gva, TR_READ | TR_EXEMPT, &w) ||
        emuhv_stage2_translate(vp, w.gpa, MMU_DATA_LOAD, false, &pa, &prot) !=
        S2R_OK) {
        return -1;
    }
    return pa & TARGET_PAGE_MASK;
}

static vaddr code_linear(CPUX86State *env, uint64_t off)
{
    vaddr a = env->segs[R_CS].base + env->eip + off;

    return env->hflags & HF_CS64_MASK ? a : (uint32_t)a;
}

unsigned emuhv_fetch_insn(EmuhvVp *vp, uint8_t *buf, unsigned max)
{
    CPUX86State *env = emuhv_vp_env(vp);
    unsigned done = 0;

    while (done < max) {
        vaddr at = code_linear(env, done);
        unsigned n = MIN(max - done, 4096 - (at & 0xfff));
        EmuhvStage2Result why;
        Walk w;

        if (!walk(vp, at, TR_EXEC | TR_EXEMPT, &w) ||
            !child_rw(vp, w.gpa, buf + done, n, false, &why)) {
            break;
        }
        done += n;
    }
    return done;
}

static unsigned skip_prefixes(CPUX86State *env, const uint8_t *b, unsigned n,
                              bool *addr_size)
{
    unsigned i;

    *addr_size = false;
    for (i = 0; i < n; i++) {
        switch (b[i]) {
        case 0x67:
            *addr_size = true;
            /* fall through */
        case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
        case 0x66: case 0xf0: case 0xf2: case 0xf3:
            continue;
        case 0x40 ... 0x4f:
            if (env->hflags & HF_CS64_MASK) {
                continue;
            }
            return i;
        default:
            return i;
        }
    }
    return i;
}

unsigned emuhv_insn_is(EmuhvVp *vp, const uint8_t *op, unsigned op_len)
{
    uint8_t b[15];
    unsigned n = emuhv_fetch_insn(vp, b, sizeof(b));
    bool addr_size;
    unsigned i = skip_prefixes(emuhv_vp_env(vp), b, n, &addr_size);

    if (i + op_len <= n && !memcmp(b + i, op, op_len)) {
        return i + op_len;
    }
    return 0;
}

unsigned emuhv_insn_len(EmuhvVp *vp, const uint8_t *op, unsigned op_len)
{
    /* If its bytes cannot be read any more, it had no prefix. */
    return emuhv_insn_is(vp, op, op_len) ?: op_len;
}

uint64_t emuhv_rep_count(EmuhvVp *vp)
{
    CPUX86State *env = emuhv_vp_env(vp);
    uint8_t b[15];
    unsigned n = emuhv_fetch_insn(vp, b, sizeof(b));
    bool addr_size;

    skip_prefixes(env, b, n, &addr_size);
    if (env->hflags & HF_CS64_MASK) {
        return addr_size ? (uint32_t)env->regs[R_ECX] : env->regs[R_ECX];
    }
    return !(env->hflags & HF_CS32_MASK) == !addr_size
           ? (uint16_t)env->regs[R_ECX] : (uint32_t)env->regs[R_ECX];
}
