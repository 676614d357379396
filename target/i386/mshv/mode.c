/*
 * From one mode of the processor to another. Paging goes off first, whatever
 * the modes are, and on again last: with it off nearly everything may be
 * written. The rules are those of MOV to CR0, CR3 and CR4 (SDM vol. 2), of
 * IA-32e mode (vol. 3, 11.8.5) and of the local APIC (vol. 3, 12.12.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdbool.h>
#include <string.h>
#include "mode.h"

#define CR0_PG          (1ull << 31)
#define CR4_PCIDE       (1ull << 17)
#define CR4_CET         (1ull << 23)
/* They depend on IA-32e mode, and on CR0.WP. */
#define CR4_LATE        (CR4_PCIDE | CR4_CET)
#define CR3_PCID        0xfffull
#define EFER_LMA        (1ull << 10)
#define APIC_X2         (1ull << 10)
#define APIC_ENABLE     (1ull << 11)
#define CS_FLAT_TYPE    0xb             /* code, readable, accessed */

typedef struct Writes {
    struct hv_register_assoc *list;
    unsigned count;
} Writes;

static void add(Writes *w, uint32_t name, uint64_t value)
{
    struct hv_register_assoc *a = &w->list[w->count++];

    memset(a, 0, sizeof(*a));
    a->name = name;
    a->value.reg64 = value;
}

/* Neither does paging go off in 64-bit code, nor IA-32e mode on. */
static void leave_64_bit_code(Writes *w, const MshvMode *from)
{
    add(w, HV_X64_REGISTER_CS, 0);
    w->list[w->count - 1].value.segment = (struct hv_x64_segment_register) {
        .limit = UINT32_MAX, .selector = from->cs.selector,
        .segment_type = CS_FLAT_TYPE, .non_system_segment = 1,
        .descriptor_privilege_level = from->cs.descriptor_privilege_level,
        .present = 1, ._default = 1, .granularity = 1,
    };
}

static void switch_paging_off(Writes *w, const MshvMode *from)
{
    if (!(from->cr0 & CR0_PG)) {
        return;
    }
    if (from->cr4 & CR4_LATE) {
        add(w, HV_X64_REGISTER_CR4, from->cr4 & ~CR4_LATE);
    }
    add(w, HV_X64_REGISTER_CR0, from->cr0 & ~CR0_PG);
}

static void switch_on(Writes *w, const MshvMode *to)
{
    bool late = to->cr4 & CR4_LATE;

    add(w, HV_X64_REGISTER_EFER, to->efer & ~EFER_LMA);
    add(w, HV_X64_REGISTER_CR4, to->cr4 & ~CR4_LATE);
    add(w, HV_X64_REGISTER_CR3, late ? to->cr3 & ~CR3_PCID : to->cr3);
    add(w, HV_X64_REGISTER_CR0, to->cr0);
    if (to->efer & EFER_LMA) {
        /* The processor has set it; a hypervisor may leave that to us. */
        add(w, HV_X64_REGISTER_EFER, to->efer);
    }
    if (late) {
        add(w, HV_X64_REGISTER_CR4, to->cr4);
        add(w, HV_X64_REGISTER_CR3, to->cr3);
    }
}

/* Between off and x2APIC mode there is no way but through xAPIC mode. */
static void change_apic(Writes *w, uint64_t from, uint64_t to)
{
    if ((from & APIC_X2) && !(to & APIC_X2) && (to & APIC_ENABLE)) {
        add(w, HV_X64_REGISTER_APIC_BASE, to & ~APIC_ENABLE);
    } else if (!(from & APIC_ENABLE) && (to & APIC_X2)) {
        add(w, HV_X64_REGISTER_APIC_BASE, to & ~APIC_X2);
    }
    add(w, HV_X64_REGISTER_APIC_BASE, to);
}

unsigned mshv_mode_change(const MshvMode *from, const MshvMode *to,
                          struct hv_register_assoc *writes)
{
    Writes w = { .list = writes };

    if ((from->efer | to->efer) & EFER_LMA) {
        leave_64_bit_code(&w, from);
    }
    switch_paging_off(&w, from);
    switch_on(&w, to);
    change_apic(&w, from->apic_base, to->apic_base);
    return w.count;
}
