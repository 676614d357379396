/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: statistics pages that the parent maps (counter
 * numbers as in drivers/hv/mshv_debugfs_counters.c).
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "mshv-compat/memory.h"
#include "hw/emuhv/memory/memory.h"
#include "hw/emuhv/partition/partition-int.h"

#define REFRESH_MS          250
#define AREA_OFFSET         15

/* Counter numbers of a partition */
#define PT_VPS              1
#define PT_DEPOSITED        5
#define PT_GPA_PAGES        6
#define PT_GPA_MODIFICATIONS 7
#define PT_PARTITION_ID     26
#define PT_CHILDREN         46
/* and of a VP */
#define VP_RUN_TIME         1
#define VP_HYPERCALLS       7
#define VP_IO               13
#define VP_HLT              15
#define VP_CPUID            19
#define VP_MSR              21
#define VP_OTHER            23
#define VP_SMALL_FILLS      37
#define VP_IO_MESSAGES      40
#define VP_MEMORY_MESSAGES  41
#define VP_EOI              42
#define VP_OTHER_MESSAGES   43
#define VP_INTERRUPTS       59
#define VP_BLOCKED          202

static QEMUTimer *refresh_timer;
/* Pages of the parent's own VPs, of which nothing is counted */
static EmuhvStatsPages parent_vps[EMUHV_MAX_PARENT_CPUS];

static void put(const EmuhvStatsPages *sp, unsigned counter, uint64_t val)
{
    for (unsigned area = 0; area < ARRAY_SIZE(sp->pfn); area++) {
        if (sp->pfn[area] != EMUHV_NO_PFN) {
            address_space_stq_le(&address_space_memory,
                                 (sp->pfn[area] << EMUHV_PAGE_BITS) +
                                 counter * sizeof(uint64_t), val,
                                 MEMTXATTRS_UNSPECIFIED, NULL);
        }
    }
}

static bool mapped(const EmuhvStatsPages *sp)
{
    return sp->pfn[0] != EMUHV_NO_PFN || sp->pfn[1] != EMUHV_NO_PFN;
}

static void refresh_vp(EmuhvVp *vp)
{
    const EmuhvVpStats *s = &vp->stats;
    const EmuhvStatsPages *sp = &vp->sched->stats;

    if (!mapped(sp)) {
        return;
    }
    put(sp, VP_RUN_TIME, s->run_ns / 100);
    put(sp, VP_HYPERCALLS, s->hypercalls);
    put(sp, VP_IO, s->exits[EMUHV_EXIT_IO]);
    put(sp, VP_HLT, s->hlts + s->exits[EMUHV_EXIT_HALT]);
    put(sp, VP_CPUID, s->cpuid + s->exits[EMUHV_EXIT_CPUID]);
    put(sp, VP_MSR, s->msr + s->exits[EMUHV_EXIT_MSR]);
    put(sp, VP_OTHER, s->exits[EMUHV_EXIT_OTHER]);
    put(sp, VP_SMALL_FILLS, s->stage2_fills);
    put(sp, VP_IO_MESSAGES, s->exits[EMUHV_EXIT_IO]);
    put(sp, VP_MEMORY_MESSAGES, s->exits[EMUHV_EXIT_GPA] +
        s->exits[EMUHV_EXIT_UNMAPPED_GPA]);
    put(sp, VP_EOI, s->exits[EMUHV_EXIT_APIC_EOI]);
    put(sp, VP_OTHER_MESSAGES, s->exits[EMUHV_EXIT_OTHER]);
    put(sp, VP_INTERRUPTS, s->interrupts);
}

static void refresh_partition(EmuhvPartition *p)
{
    const EmuhvAccount *a = p->account;
    uint64_t pages = 0, no_access = 0, vps = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (emuhv_partition_vp(p, i)) {
            refresh_vp(p->vps[i]);
            vps++;
        }
    }
    if (!mapped(&a->stats)) {
        return;
    }
    if (p == emuhv_partitions.parent) {
        vps = emuhv_parent.n_cpus;
        put(&a->stats, PT_CHILDREN, emuhv_partitions.n);
    } else {
        emuhv_stage2_count(p, &pages, &no_access);
    }
    put(&a->stats, PT_VPS, vps);
    put(&a->stats, PT_DEPOSITED, a->deposit->len);
    put(&a->stats, PT_GPA_PAGES, pages + no_access);
    put(&a->stats, PT_GPA_MODIFICATIONS, a->map_calls);
    put(&a->stats, PT_PARTITION_ID, p->id);
}

static void refresh(void *opaque)
{
    EmuhvPartition *p;

    refresh_partition(emuhv_partitions.parent);
    QLIST_FOREACH(p, &emuhv_partitions.list, next) {
        refresh_partition(p);
    }
    timer_mod(refresh_timer,
              qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + REFRESH_MS);
}

/*
 * The pages of the object that @type and @identity name:
 * partition { u64 id; u8[7]; u8 area }, VP { u64 id; u32 vp; u8[3]; u8 area }.
 */
static uint16_t find_pages(uint32_t type, const uint8_t identity[16],
                           EmuhvStatsPages **sp)
{
    uint64_t id = ldq_le_p(identity);
    uint8_t area = identity[AREA_OFFSET];
    g_autoptr(EmuhvPartition) p = NULL;
    uint32_t index = ldl_le_p(identity + 8);
    EmuhvVp *vp;

    if (type == HV_STATS_OBJECT_HYPERVISOR ||
        type == HV_STATS_OBJECT_LOGICAL_PROCESSOR) {
        return HV_STATUS_ACCESS_DENIED;
    }
    if (type != HV_STATS_OBJECT_PARTITION && type != HV_STATS_OBJECT_VP) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    p = emuhv_partition_get(id);
    if (!p) {
        return HV_STATUS_INVALID_PARTITION_ID;
    }
    if (area > HV_STATS_AREA_PARENT ||
        (p == emuhv_partitions.parent && area != HV_STATS_AREA_SELF)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    if (type == HV_STATS_OBJECT_PARTITION) {
        *sp = &p->account->stats;
        return HV_STATUS_SUCCESS;
    }
    if (p == emuhv_partitions.parent && index < emuhv_parent.n_cpus) {
        *sp = &parent_vps[index];
        return HV_STATUS_SUCCESS;
    }
    vp = emuhv_partition_vp(p, index);
    if (!vp) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    *sp = &vp->sched->stats;
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_stats_map(uint32_t type, const uint8_t identity[16],
                         uint64_t pfn)
{
    static const uint8_t zeros[EMUHV_PAGE_SIZE];
    EmuhvStatsPages *sp;
    uint16_t status = find_pages(type, identity, &sp);

    if (status != HV_STATUS_SUCCESS) {
        return status;
    }
    if (pfn >> (52 - EMUHV_PAGE_BITS) ||
        !emuhv_ram_valid(pfn << EMUHV_PAGE_BITS, EMUHV_PAGE_SIZE)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    emuhv_ram_write(pfn << EMUHV_PAGE_BITS, zeros, sizeof(zeros));
    sp->pfn[identity[AREA_OFFSET]] = pfn;
    refresh(NULL);
    return HV_STATUS_SUCCESS;
}

uint16_t emuhv_stats_unmap(uint32_t type, const uint8_t identity[16])
{
    EmuhvStatsPages *sp;
    uint16_t status = find_pages(type, identity, &sp);

    if (status != HV_STATUS_SUCCESS) {
        return status;
    }
    if (sp->pfn[identity[AREA_OFFSET]] == EMUHV_NO_PFN) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    sp->pfn[identity[AREA_OFFSET]] = EMUHV_NO_PFN;
    return HV_STATUS_SUCCESS;
}

void emuhv_stats_blocked(EmuhvVp *vp, bool blocked)
{
    put(&vp->sched->stats, VP_BLOCKED, blocked);
}

void emuhv_stats_reset(void)
{
    emuhv_stats_pages_clear(&emuhv_partitions.parent->account->stats);
    for (unsigned i = 0; i < ARRAY_SIZE(parent_vps); i++) {
        emuhv_stats_pages_clear(&parent_vps[i]);
    }
}

void emuhv_stats_init(void)
{
    emuhv_stats_reset();
    refresh_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, refresh, NULL);
}
