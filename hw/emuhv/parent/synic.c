/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: SynIC of the parent's CPUs.
 *
 * Everything the hypervisor tells the parent goes through slot 0 of the SIMP
 * (SINT 0; SINTs with as_intercept use that slot too) and, for doorbells,
 * through an event ring in the SIRBP page.  What Linux relies on is in
 * drivers/hv/mshv_synic.c:mshv_isr() and synic_event_ring_get_queued_port().
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "mshv-compat/memory.h"
#include "hw/i386/apic.h"
#include "hw/i386/apic-msidef.h"
#include "hw/i386/apic_internal.h"
#include "hw/pci/msi.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/parent/parent-int.h"
#include "hw/emuhv/trace.h"

#define MSR_ENABLE          1ull
#define PAGE_MASK           (~0xfffull)

#define SINT_VECTOR(s)      ((s) & 0xff)

/* Message header: type, payload size, flags, 2 reserved, sender */
#define MSG_SIZE_OFFSET     4
#define MSG_FLAGS_OFFSET    5
#define MSG_SENDER_OFFSET   8
#define MSG_PAYLOAD_OFFSET  16
#define MSG_PENDING         1

/* Event ring: masked, full, 2 reserved, 63 entries */
#define RING_SIZE           256
#define RING_MASKED_OFFSET  0
#define RING_FULL_OFFSET    1
#define RING_DATA_OFFSET    4
#define RING_ENTRIES        63

/* Each VP waits for one signal at most. */
#define MAX_QUEUE           (4 * EMUHV_MAX_POOL)

static uint32_t ram_ldl(hwaddr gpa)
{
    return address_space_ldl_le(&address_space_memory, gpa,
                                MEMTXATTRS_UNSPECIFIED, NULL);
}

static void ram_stl(hwaddr gpa, uint32_t val)
{
    address_space_stl_le(&address_space_memory, gpa, val,
                         MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint8_t ram_ldb(hwaddr gpa)
{
    return address_space_ldub(&address_space_memory, gpa,
                              MEMTXATTRS_UNSPECIFIED, NULL);
}

static void ram_stb(hwaddr gpa, uint8_t val)
{
    address_space_stb(&address_space_memory, gpa, val, MEMTXATTRS_UNSPECIFIED,
                      NULL);
}

/* Can @sint of this CPU take messages now? */
static bool is_ready(const EmuhvParentCpu *pc, unsigned sint)
{
    return (pc->scontrol & MSR_ENABLE) && (pc->simp & MSR_ENABLE) &&
           !(pc->sint[sint] & HV_SYNIC_SINT_MASKED);
}

static bool ring_ready(const EmuhvParentCpu *pc, unsigned sint)
{
    return is_ready(pc, sint) && (pc->sirbp & MSR_ENABLE);
}

/* @cpu if its SynIC is ready, else the first that is; NULL: none. */
static EmuhvParentCpu *pick(uint32_t cpu, unsigned sint,
                            bool (*ready)(const EmuhvParentCpu *, unsigned))
{
    if (cpu < emuhv_parent.n_cpus && ready(emuhv_parent.cpus[cpu], sint)) {
        return emuhv_parent.cpus[cpu];
    }
    for (unsigned i = 0; i < emuhv_parent.n_cpus; i++) {
        if (ready(emuhv_parent.cpus[i], sint)) {
            return emuhv_parent.cpus[i];
        }
    }
    return NULL;
}

static void raise_vector(EmuhvParentCpu *pc, uint8_t vector)
{
    MSIMessage msi = {
        .address = APIC_DEFAULT_ADDRESS |
                   ((pc->base.cpu->apic_id & 0xff) << MSI_ADDR_DEST_ID_SHIFT) |
                   ((uint64_t)(pc->base.cpu->apic_id & ~0xffu) << 32),
        .data = vector,
    };

    emuhv_counters.interrupts++;
    apic_get_class(NULL)->send_msi(&msi);
}

/* ---- Messages ---- */

/* Move the first queued message into slot 0, if the slot is free. */
static void deliver(EmuhvParentCpu *pc)
{
    hwaddr slot = pc->simp & PAGE_MASK;
    EmuhvMsg *m = QSIMPLEQ_FIRST(&pc->queue);

    if (!m || !is_ready(pc, 0)) {
        return;
    }
    if (ram_ldl(slot)) {
        /*
         * Ask for an EOM.  The guest frees the slot first and looks at the
         * flag then, so look at the slot again.
         */
        ram_stb(slot + MSG_FLAGS_OFFSET,
                ram_ldb(slot + MSG_FLAGS_OFFSET) | MSG_PENDING);
        smp_mb(); /* with the guest's, between its two accesses */
        if (ram_ldl(slot)) {
            return;
        }
    }
    QSIMPLEQ_REMOVE_HEAD(&pc->queue, next);
    m->data[MSG_FLAGS_OFFSET] = QSIMPLEQ_EMPTY(&pc->queue) ? 0 : MSG_PENDING;
    address_space_write(&address_space_memory, slot + 4, MEMTXATTRS_UNSPECIFIED,
                        m->data + 4, EMUHV_MSG_SIZE - 4);
    smp_wmb(); /* the type says that the rest is there */
    ram_stl(slot, ldl_le_p(m->data));
    trace_emuhv_message(pc->index, ldl_le_p(m->data),
                        ldq_le_p(m->data + MSG_SENDER_OFFSET));
    emuhv_counters.messages++;
    g_free(m);
    if (!(pc->sint[0] & HV_SYNIC_SINT_POLLING)) {
        raise_vector(pc, SINT_VECTOR(pc->sint[0]));
    }
}

/*
 * A parent that resumes VPs but takes no messages must not fill the memory.
 * What is told already need not be told again; signals, which the parent
 * counts, get a limit that a parent in order does not come near.
 */
static void append(EmuhvMsgQueue *q, EmuhvMsg *m)
{
    bool counted = ldl_le_p(m->data) == HVMSG_SCHEDULER_VP_SIGNAL_PAIR;
    unsigned n = 0;
    EmuhvMsg *other;

    QSIMPLEQ_FOREACH(other, q, next) {
        if (counted ? ++n == MAX_QUEUE
                    : !memcmp(other->data, m->data, EMUHV_MSG_SIZE)) {
            g_free(m);
            return;
        }
    }
    QSIMPLEQ_INSERT_TAIL(q, m, next);
}

static void enqueue(uint32_t cpu, EmuhvMsg *m)
{
    EmuhvParentCpu *pc = pick(cpu, 0, is_ready);

    if (pc) {
        append(&pc->queue, m);
        deliver(pc);
    } else {
        append(&emuhv_parent.orphans, m);
    }
}

void emuhv_parent_post(uint32_t cpu, uint32_t type, uint64_t sender,
                      const void *payload, size_t len)
{
    EmuhvMsg *m = g_new0(EmuhvMsg, 1);

    assert(len <= EMUHV_MSG_SIZE - MSG_PAYLOAD_OFFSET);
    stl_le_p(m->data, type);
    m->data[MSG_SIZE_OFFSET] = len;
    stq_le_p(m->data + MSG_SENDER_OFFSET, sender);
    memcpy(m->data + MSG_PAYLOAD_OFFSET, payload, len);
    enqueue(cpu, m);
}

static void forget(EmuhvMsgQueue *q, uint64_t sender)
{
    EmuhvMsg *m, *next;

    QSIMPLEQ_FOREACH_SAFE(m, q, next, next) {
        if (ldq_le_p(m->data + MSG_SENDER_OFFSET) == sender) {
            QSIMPLEQ_REMOVE(q, m, EmuhvMsg, next);
            g_free(m);
        }
    }
}

void emuhv_parent_forget(uint64_t sender)
{
    forget(&emuhv_parent.orphans, sender);
    for (unsigned i = 0; i < emuhv_parent.n_cpus; i++) {
        forget(&emuhv_parent.cpus[i]->queue, sender);
    }
}

/* ---- Event rings ---- */

/* False: the ring is full (and is marked so). */
static bool ring_put(EmuhvParentCpu *pc, unsigned sint, uint32_t port)
{
    hwaddr ring = (pc->sirbp & PAGE_MASK) + sint * RING_SIZE;
    hwaddr entry = ring + RING_DATA_OFFSET + 4 * pc->ring_head[sint];
    uint8_t payload[8] = { sint };

    if (ram_ldl(entry)) {
        ram_stb(ring + RING_FULL_OFFSET, 1);
        /* The guest may have emptied it before it could see the mark. */
        smp_mb();
        if (ram_ldl(entry)) {
            return false;
        }
    }
    ram_stl(entry, port);
    pc->ring_head[sint] = (pc->ring_head[sint] + 1) % RING_ENTRIES;
    smp_mb(); /* the guest unmasks, then looks for entries once more */
    if (ram_ldb(ring + RING_MASKED_OFFSET)) {
        return true;
    }
    ram_stb(ring + RING_MASKED_OFFSET, 1);
    if (!(pc->sint[sint] & HV_SYNIC_SINT_AS_INTERCEPT)) {
        raise_vector(pc, SINT_VECTOR(pc->sint[sint]));
    } else {
        emuhv_parent_post(pc->index, HVMSG_SYNIC_SINT_INTERCEPT, 0, payload,
                         sizeof(payload));
    }
    return true;
}

/* Ports wait as (sint << 24 | port): port ids have 24 bits. */
static void ring_wait(EmuhvParentCpu *pc, unsigned sint, uint32_t port)
{
    uint32_t key = sint << 24 | port;

    for (guint i = 0; i < pc->ring_pending->len; i++) {
        if (g_array_index(pc->ring_pending, uint32_t, i) == key) {
            return;
        }
    }
    g_array_append_val(pc->ring_pending, key);
}

static void ring_refill(EmuhvParentCpu *pc)
{
    guint i = 0;

    while (i < pc->ring_pending->len) {
        uint32_t key = g_array_index(pc->ring_pending, uint32_t, i);

        if (ring_ready(pc, key >> 24) &&
            ring_put(pc, key >> 24, key & 0xffffff)) {
            g_array_remove_index(pc->ring_pending, i);
        } else {
            i++;
        }
    }
}

void emuhv_parent_ring(uint32_t cpu, unsigned sint, uint32_t port)
{
    EmuhvParentCpu *pc = pick(cpu, sint, ring_ready);

    if (!pc) {
        /* Nobody listens now: CPU 0 gets it when its SynIC comes up. */
        ring_wait(emuhv_parent.cpus[0], sint, port);
    } else if (pc->ring_pending->len || !ring_put(pc, sint, port)) {
        ring_wait(pc, sint, port);
        ring_refill(pc);
    }
}

uint16_t emuhv_parent_ring_empty(EmuhvParentCpu *pc, uint32_t sint)
{
    if (sint >= EMUHV_SINTS) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    ring_refill(pc);
    return HV_STATUS_SUCCESS;
}

/* ---- Registers ---- */

/* After a change: use what became ready, give away what no longer is. */
static void update(EmuhvParentCpu *pc)
{
    EmuhvMsgQueue q = QSIMPLEQ_HEAD_INITIALIZER(q);
    EmuhvMsg *m;

    if (is_ready(pc, 0)) {
        QSIMPLEQ_CONCAT(&pc->queue, &emuhv_parent.orphans);
        deliver(pc);
        ring_refill(pc);
        return;
    }
    QSIMPLEQ_CONCAT(&q, &pc->queue);
    while ((m = QSIMPLEQ_FIRST(&q))) {
        QSIMPLEQ_REMOVE_HEAD(&q, next);
        enqueue(pc->index, m);
    }
}

static void drop_queue(EmuhvMsgQueue *q)
{
    EmuhvMsg *m;

    while ((m = QSIMPLEQ_FIRST(q))) {
        QSIMPLEQ_REMOVE_HEAD(q, next);
        g_free(m);
    }
}

/* Reset values; queued messages move to another CPU. */
static void reset_registers(EmuhvParentCpu *pc)
{
    hwaddr base = PARENT_SYNIC_PAGES + 2 * EMUHV_PAGE_SIZE * pc->index;

    pc->scontrol = 0;
    pc->simp = base;
    pc->siefp = base + EMUHV_PAGE_SIZE;
    pc->sirbp = 0;
    for (unsigned i = 0; i < EMUHV_SINTS; i++) {
        pc->sint[i] = HV_SYNIC_SINT_MASKED;
        pc->ring_head[i] = 0;
    }
}

void emuhv_parent_synic_init(EmuhvParentCpu *pc)
{
    reset_registers(pc);
}

void emuhv_parent_synic_reset(EmuhvParentCpu *pc)
{
    reset_registers(pc);
    update(pc);
}

void emuhv_parent_synic_drop_all(void)
{
    drop_queue(&emuhv_parent.orphans);
    for (unsigned i = 0; i < emuhv_parent.n_cpus; i++) {
        drop_queue(&emuhv_parent.cpus[i]->queue);
        g_array_set_size(emuhv_parent.cpus[i]->ring_pending, 0);
        reset_registers(emuhv_parent.cpus[i]);
    }
}

bool emuhv_parent_synic_rdmsr(EmuhvParentCpu *pc, uint32_t msr, uint64_t *val)
{
    switch (msr) {
    case HV_X64_MSR_SCONTROL:
        *val = pc->scontrol;
        return true;
    case HV_X64_MSR_SVERSION:
        *val = 1;
        return true;
    case HV_X64_MSR_SIEFP:
        *val = pc->siefp;
        return true;
    case HV_X64_MSR_SIMP:
        *val = pc->simp;
        return true;
    case HV_X64_MSR_EOM:
        *val = 0;
        return true;
    case HV_X64_MSR_SIRBP:
        *val = pc->sirbp;
        return true;
    case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
        *val = pc->sint[msr - HV_X64_MSR_SINT0];
        return true;
    default:
        return false;
    }
}

/*
 * Take a page register; a page that becomes enabled starts as zeros.
 * False: the page is not RAM.
 */
static bool set_page(uint64_t *reg, uint64_t val, bool zero)
{
    static const uint8_t zeros[EMUHV_PAGE_SIZE];

    if (val & MSR_ENABLE) {
        if (!emuhv_ram_valid(val & PAGE_MASK, EMUHV_PAGE_SIZE)) {
            return false;
        }
        if (zero && !(*reg & MSR_ENABLE)) {
            emuhv_ram_write(val & PAGE_MASK, zeros, EMUHV_PAGE_SIZE);
        }
    }
    *reg = val;
    return true;
}

bool emuhv_parent_synic_wrmsr(EmuhvParentCpu *pc, uint32_t msr, uint64_t val)
{
    switch (msr) {
    case HV_X64_MSR_SCONTROL:
        pc->scontrol = val;
        break;
    case HV_X64_MSR_SIEFP:
        if (!set_page(&pc->siefp, val, true)) {
            return false;
        }
        break;
    case HV_X64_MSR_SIMP:
        if (!set_page(&pc->simp, val, true)) {
            return false;
        }
        break;
    case HV_X64_MSR_SIRBP:
        if (!set_page(&pc->sirbp, val, false)) {
            return false;
        }
        break;
    case HV_X64_MSR_EOM:
        break;
    case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
        if (!(val & HV_SYNIC_SINT_MASKED) &&
            SINT_VECTOR(val) < HV_SYNIC_FIRST_VALID_VECTOR) {
            return false;
        }
        pc->sint[msr - HV_X64_MSR_SINT0] = val;
        break;
    default:
        return false;
    }
    update(pc);
    return true;
}
