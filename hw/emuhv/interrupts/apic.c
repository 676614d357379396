/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the LAPICs of a child partition.
 *
 * Each partition has its own array of APICs; QEMU's apic.c delivers within it.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/bswap.h"
#include "cpu.h"
#include "hw/i386/apic.h"
#include "hw/emuhv/interrupts/interrupts.h"

/* HV_INTERRUPT_TYPE */
enum {
    INT_FIXED = 0, INT_LOWEST = 1, INT_SMI = 2, INT_REMOTE_READ = 3,
    INT_NMI = 4, INT_INIT = 5, INT_SIPI = 6, INT_EXTINT = 7, INT_LINT0 = 8,
    INT_LINT1 = 9,
};

APICCommonState **emuhv_do_apic_bus(X86CPU *cpu)
{
    static APICCommonState *nobody[EMUHV_APIC_IDS];
    EmuhvVp *vp = container_of(cpu->emuhv, EmuhvVp, base);

    return vp->partition ? vp->partition->irq->bus : nobody;
}

bool emuhv_do_extint(X86CPU *cpu)
{
    return container_of(cpu->emuhv, EmuhvVp, base)->irq->extint;
}

int64_t emuhv_do_apic_period(X86CPU *cpu, int64_t last)
{
    return MAX(last, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                     EMUHV_MIN_PERIOD_NS);
}

int emuhv_do_read_extint(X86CPU *cpu)
{
    EmuhvVp *vp = container_of(cpu->emuhv, EmuhvVp, base);

    if (!vp->irq->extint) {
        return emuhv_vp_apic(vp)->spurious_vec & 0xff;
    }
    vp->irq->extint = false;
    apic_poll_irq(cpu->apic_state);
    return vp->irq->extint_vector;
}

static void set_id(EmuhvVp *vp, uint32_t id)
{
    APICCommonState *a = emuhv_vp_apic(vp);

    a->initial_apic_id = id;
    a->id = id;
    a->extended_log_dest = (id >> 4) << 16 | 1 << (id & 0xf);
    vp->base.cpu->apic_id = id;
}

void emuhv_apic_attach(EmuhvVp *vp)
{
    APICCommonState *a = emuhv_vp_apic(vp);

    set_id(vp, vp->index);
    vp->irq->frozen_count = 0;
    a->wait_for_sipi = vp->partition->cfg.lapic && vp->index != 0;
    if (!vp->partition->cfg.lapic) {
        a->apicbase &= ~MSR_IA32_APICBASE_ENABLE;
    }
    /* Another VP may have been given this id: that one keeps it. */
    if (!vp->partition->irq->bus[vp->index]) {
        vp->partition->irq->bus[vp->index] = a;
    }
}

void emuhv_apic_detach(EmuhvVp *vp)
{
    APICCommonState *a = emuhv_vp_apic(vp);

    for (unsigned i = 0; i < EMUHV_APIC_IDS; i++) {
        if (vp->partition->irq->bus[i] == a) {
            vp->partition->irq->bus[i] = NULL;
        }
    }
    timer_del(a->timer);
    vp->irq->extint = false;
}

uint16_t emuhv_apic_set_id(EmuhvVp *vp, uint32_t id)
{
    APICCommonState **bus = vp->partition->irq->bus;
    APICCommonState *a = emuhv_vp_apic(vp), *other;

    if (id >= EMUHV_APIC_IDS) {
        return HV_STATUS_INVALID_REGISTER_VALUE;
    }
    other = bus[id];
    if (other == a) {
        return HV_STATUS_SUCCESS;
    }
    /*
     * Clients renumber VP after VP, so an id may be taken for a while: the
     * two change places.
     */
    if (bus[a->initial_apic_id] == a) {
        bus[a->initial_apic_id] = other;
        if (other) {
            EmuhvVp *o = container_of(other->cpu->emuhv, EmuhvVp, base);

            set_id(o, a->initial_apic_id);
        }
    }
    bus[id] = a;
    set_id(vp, id);
    return HV_STATUS_SUCCESS;
}

void emuhv_apic_raise(EmuhvVp *vp, uint8_t vector)
{
    APICCommonState *only[EMUHV_APIC_IDS] = { };
    APICCommonState *a = emuhv_vp_apic(vp);

    /* Physical broadcast on a bus with one APIC */
    only[0] = a;
    apic_deliver_irq(only, 0xffffffff, 0, APIC_DM_FIXED, vector, 0);
}

/* The APIC for types that have no delivery mode of their own. */
static EmuhvVp *find_dest(EmuhvPartition *p, bool logical, uint64_t dest)
{
    for (unsigned i = 0; i < EMUHV_APIC_IDS; i++) {
        APICCommonState *a = p->irq->bus[i];
        bool x2 = a && (a->apicbase & MSR_IA32_APICBASE_EXTD);

        if (!a) {
            continue;
        }
        if (logical ? (x2 ? dest >> 16 == a->extended_log_dest >> 16 &&
                            (dest & a->extended_log_dest & 0xffff)
                          : (dest & a->log_dest) != 0)
                    : dest == i) {
            return container_of(a->cpu->emuhv, EmuhvVp, base);
        }
    }
    return NULL;
}

static void assert_sipi(EmuhvVp *vp, uint8_t vector)
{
    emuhv_vp_apic(vp)->sipi_vector = vector;
    cpu_interrupt(emuhv_vp_cs(vp), CPU_INTERRUPT_SIPI);
}

static void assert_lint(EmuhvVp *vp, unsigned n)
{
    APICCommonState *a = emuhv_vp_apic(vp);
    uint32_t lvt = a->lvt[n ? APIC_LVT_LINT1 : APIC_LVT_LINT0];
    unsigned mode = (lvt >> 8) & 7;

    if (lvt & APIC_LVT_MASKED) {
        return;
    }
    if (mode == APIC_DM_NMI) {
        cpu_interrupt(emuhv_vp_cs(vp), CPU_INTERRUPT_NMI);
    } else if (mode == APIC_DM_FIXED) {
        emuhv_apic_raise(vp, lvt & 0xff);
    }
}

uint16_t emuhv_apic_assert(EmuhvPartition *p, uint32_t type, bool level,
                           bool logical, uint64_t dest, uint32_t vector)
{
    static const uint8_t mode[] = {
        [INT_FIXED] = APIC_DM_FIXED, [INT_LOWEST] = APIC_DM_LOWPRI,
        [INT_NMI] = APIC_DM_NMI, [INT_INIT] = APIC_DM_INIT,
    };
    EmuhvVp *vp;

    if (dest > UINT32_MAX || vector > 0xff) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    switch (type) {
    case INT_FIXED:
    case INT_LOWEST:
        if (vector < 16) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        /* fall through */
    case INT_NMI:
    case INT_INIT:
        if (emuhv_answers(EMUHV_NO_BROADCAST) &&
            !find_dest(p, logical, dest)) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        if (!p->cfg.lapic && type != INT_NMI) {
            return HV_STATUS_OPERATION_DENIED;
        }
        apic_deliver_irq(p->irq->bus, dest, logical, mode[type], vector, level);
        return HV_STATUS_SUCCESS;
    case INT_SIPI:
    case INT_EXTINT:
    case INT_LINT0:
    case INT_LINT1:
        vp = find_dest(p, logical, dest);
        if (!vp) {
            return HV_STATUS_INVALID_PARAMETER;
        }
        if (type == INT_SIPI) {
            assert_sipi(vp, vector);
        } else if (type == INT_EXTINT) {
            vp->irq->extint = true;
            vp->irq->extint_vector = vector;
            cpu_interrupt(emuhv_vp_cs(vp), CPU_INTERRUPT_HARD);
        } else {
            assert_lint(vp, type == INT_LINT1);
        }
        return HV_STATUS_SUCCESS;
    default:
        return HV_STATUS_INVALID_PARAMETER;
    }
}

uint16_t emuhv_apic_clear_extint(EmuhvPartition *p)
{
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        if (p->vps[i] && p->vps[i]->irq->extint) {
            p->vps[i]->irq->extint = false;
            cpu_interrupt(emuhv_vp_cs(p->vps[i]), CPU_INTERRUPT_POLL);
        }
    }
    return HV_STATUS_SUCCESS;
}

/* ---- VP state: the LAPIC page ---- */

enum {
    L_ID, L_VERSION, L_LDR, L_DFR, L_SPURIOUS, L_ISR, L_TMR = L_ISR + 8,
    L_IRR = L_TMR + 8, L_ESR = L_IRR + 8, L_ICR_HIGH, L_ICR_LOW, L_TIMER,
    L_THERMAL, L_PERFMON, L_LINT0, L_LINT1, L_ERROR, L_CMCI, L_ERROR_STATUS,
    L_INITIAL, L_COUNT, L_DIVIDE, L_REMOTE_READ, L_WORDS,
};
QEMU_BUILD_BUG_ON(L_WORDS * 4 != 176);

/* Bit 2 of IRR: an NMI is pending. */
#define IRR_NMI 4u

static const uint8_t lvt_word[] = {
    [APIC_LVT_TIMER] = L_TIMER, [APIC_LVT_THERMAL] = L_THERMAL,
    [APIC_LVT_PERFORM] = L_PERFMON, [APIC_LVT_LINT0] = L_LINT0,
    [APIC_LVT_LINT1] = L_LINT1, [APIC_LVT_ERROR] = L_ERROR,
};

/* Restart the timer so that its current count is @count. */
static void set_timer(APICCommonState *a, uint32_t initial, uint32_t count,
                      uint32_t divide, bool frozen)
{
    unsigned v;

    a->divide_conf = divide & 0xb;
    v = (a->divide_conf & 3) | ((a->divide_conf >> 1) & 4);
    a->count_shift = (v + 1) & 7;
    a->initial_count = initial;
    a->initial_count_load_time = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    /* Also of a timer that has run down: it shall not do so again. */
    if (count <= initial) {
        a->initial_count_load_time -= (uint64_t)(initial - count)
                                      << a->count_shift;
    }
    if (!frozen &&
        apic_next_timer(a, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL))) {
        timer_mod(a->timer, a->next_time);
    } else {
        timer_del(a->timer);
    }
}

/* The partition's time stands still, and so do timers. */
static uint32_t current_count(EmuhvVp *vp)
{
    return vp->partition && vp->partition->irq->time_frozen
           ? vp->irq->frozen_count
           : apic_get_current_count(emuhv_vp_apic(vp));
}

/* Is it due, though QEMU has not come to it yet? @count: read just now */
static bool timer_is_due(const APICCommonState *a, uint32_t count)
{
    uint32_t lvt = a->lvt[APIC_LVT_TIMER];

    if (!timer_pending(a->timer) || (lvt & APIC_LVT_MASKED)) {
        return false;
    }
    return lvt & APIC_LVT_TIMER_PERIODIC
           ? a->next_time <= qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)
           : count == 0;
}

static void freeze_timer(EmuhvVp *vp)
{
    APICCommonState *a = emuhv_vp_apic(vp);
    uint32_t count = apic_get_current_count(a);

    if (timer_is_due(a, count)) {
        emuhv_apic_raise(vp, a->lvt[APIC_LVT_TIMER] & 0xff);
        count = apic_get_current_count(a);
    }
    timer_del(a->timer);
    vp->irq->frozen_count = count;
}

void emuhv_apic_timers_freeze(EmuhvPartition *p, bool freeze)
{
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        EmuhvVp *vp = p->vps[i];
        APICCommonState *a = vp ? emuhv_vp_apic(vp) : NULL;

        if (vp && freeze) {
            freeze_timer(vp);
        } else if (vp) {
            set_timer(a, a->initial_count, vp->irq->frozen_count,
                      a->divide_conf, false);
        }
    }
}

void emuhv_apic_get_page(EmuhvVp *vp, uint8_t *buf)
{
    APICCommonState *a = emuhv_vp_apic(vp);
    bool x2 = a->apicbase & MSR_IA32_APICBASE_EXTD;
    uint32_t w[L_WORDS] = { };

    w[L_ID] = x2 ? a->initial_apic_id : (uint32_t)a->id << 24;
    w[L_VERSION] = a->version | (APIC_LVT_NB - 1) << 16;
    w[L_LDR] = x2 ? a->extended_log_dest : (uint32_t)a->log_dest << 24;
    w[L_DFR] = (uint32_t)a->dest_mode << 28 | 0xfffffff;
    w[L_SPURIOUS] = a->spurious_vec;
    memcpy(&w[L_ISR], a->isr, 32);
    memcpy(&w[L_TMR], a->tmr, 32);
    memcpy(&w[L_IRR], a->irr, 32);
    if (emuhv_vp_cs(vp)->interrupt_request & CPU_INTERRUPT_NMI) {
        w[L_IRR] |= IRR_NMI;
    }
    w[L_ESR] = w[L_ERROR_STATUS] = a->esr;
    w[L_ICR_HIGH] = a->icr[1];
    w[L_ICR_LOW] = a->icr[0];
    for (unsigned i = 0; i < ARRAY_SIZE(lvt_word); i++) {
        w[lvt_word[i]] = a->lvt[i];
    }
    w[L_CMCI] = APIC_LVT_MASKED;
    w[L_INITIAL] = a->initial_count;
    w[L_COUNT] = current_count(vp);
    w[L_DIVIDE] = a->divide_conf;
    for (unsigned i = 0; i < L_WORDS; i++) {
        stl_le_p(buf + i * 4, w[i]);
    }
}

void emuhv_apic_set_page(EmuhvVp *vp, const uint8_t *buf)
{
    APICCommonState *a = emuhv_vp_apic(vp);
    bool x2 = a->apicbase & MSR_IA32_APICBASE_EXTD;
    CPUState *cs = emuhv_vp_cs(vp);
    uint32_t w[L_WORDS];

    for (unsigned i = 0; i < L_WORDS; i++) {
        w[i] = ldl_le_p(buf + i * 4);
    }
    if (!x2) {
        a->id = w[L_ID] >> 24;
        a->log_dest = w[L_LDR] >> 24;
        a->dest_mode = w[L_DFR] >> 28;
    }
    a->spurious_vec = w[L_SPURIOUS] & 0x1ff;
    memcpy(a->isr, &w[L_ISR], 32);
    memcpy(a->tmr, &w[L_TMR], 32);
    memcpy(a->irr, &w[L_IRR], 32);
    /* Vectors 0 to 15 do not exist. */
    a->isr[0] &= 0xffff0000;
    a->tmr[0] &= 0xffff0000;
    a->irr[0] &= 0xffff0000;
    for (unsigned i = 0; i < 8; i++) {
        vp->irq->level[i] = a->isr[i] & a->tmr[i];
    }
    if (w[L_IRR] & IRR_NMI) {
        cpu_interrupt(cs, CPU_INTERRUPT_NMI);
    } else {
        cpu_reset_interrupt(cs, CPU_INTERRUPT_NMI);
    }
    a->esr = w[L_ERROR_STATUS];
    a->icr[0] = w[L_ICR_LOW];
    a->icr[1] = w[L_ICR_HIGH];
    for (unsigned i = 0; i < ARRAY_SIZE(lvt_word); i++) {
        a->lvt[i] = w[lvt_word[i]];
    }
    set_timer(a, w[L_INITIAL], w[L_COUNT], w[L_DIVIDE],
              vp->partition && vp->partition->irq->time_frozen);
    vp->irq->frozen_count = w[L_COUNT];
    cpu_interrupt(cs, CPU_INTERRUPT_POLL);
}
