/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: statistics.
 *
 * Two things: the statistics pages that the parent maps (counter numbers as in
 * drivers/hv/mshv_debugfs_counters.c), and the emulator's own counters, which
 * say what a real hypervisor would have to do, as JSON.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "exec/address-spaces.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "exec/memory.h"
#include "system/system.h"
#include "mshv/hvabi.h"
#include "hw/emuhv/emuhv.h"
#include "hw/emuhv/hcall/hcall.h"

#define REFRESH_MS          250
#define MAX_DEAD            256
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
static QList *dead;
static Notifier exit_notifier;

static const char *const exit_names[EMUHV_EXIT__MAX] = {
    [EMUHV_EXIT_UNMAPPED_GPA] = "unmapped-gpa",
    [EMUHV_EXIT_GPA] = "gpa",
    [EMUHV_EXIT_IO] = "io",
    [EMUHV_EXIT_MSR] = "msr",
    [EMUHV_EXIT_CPUID] = "cpuid",
    [EMUHV_EXIT_EXCEPTION] = "exception",
    [EMUHV_EXIT_HYPERCALL] = "hypercall",
    [EMUHV_EXIT_HALT] = "halt",
    [EMUHV_EXIT_TRIPLE_FAULT] = "triple-fault",
    [EMUHV_EXIT_DELIVERABLE] = "deliverable",
    [EMUHV_EXIT_APIC_EOI] = "apic-eoi",
    [EMUHV_EXIT_SIPI] = "sipi",
    [EMUHV_EXIT_OTHER] = "other",
};

/* ---- Statistics pages ---- */

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

static void refresh_vp(EmuhvVpInfo *vi)
{
    const EmuhvVpStats *s;

    if (!vi->vp || !mapped(&vi->stats)) {
        return;
    }
    s = &vi->vp->stats;
    put(&vi->stats, VP_RUN_TIME, s->run_ns / 100);
    put(&vi->stats, VP_HYPERCALLS, s->hypercalls);
    put(&vi->stats, VP_IO, s->exits[EMUHV_EXIT_IO]);
    put(&vi->stats, VP_HLT, s->hlts + s->exits[EMUHV_EXIT_HALT]);
    put(&vi->stats, VP_CPUID, s->cpuid + s->exits[EMUHV_EXIT_CPUID]);
    put(&vi->stats, VP_MSR, s->msr + s->exits[EMUHV_EXIT_MSR]);
    put(&vi->stats, VP_OTHER, s->exits[EMUHV_EXIT_OTHER]);
    put(&vi->stats, VP_SMALL_FILLS, s->stage2_fills);
    put(&vi->stats, VP_IO_MESSAGES, s->exits[EMUHV_EXIT_IO]);
    put(&vi->stats, VP_MEMORY_MESSAGES, s->exits[EMUHV_EXIT_GPA] +
        s->exits[EMUHV_EXIT_UNMAPPED_GPA]);
    put(&vi->stats, VP_EOI, s->exits[EMUHV_EXIT_APIC_EOI]);
    put(&vi->stats, VP_OTHER_MESSAGES, s->exits[EMUHV_EXIT_OTHER]);
    put(&vi->stats, VP_INTERRUPTS, s->interrupts);
}

static void refresh_partition(EmuhvPartition *p)
{
    uint64_t pages = 0, no_access = 0, vps = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (p->vps[i]) {
            refresh_vp(p->vps[i]);
            vps++;
        }
    }
    if (!mapped(&p->stats)) {
        return;
    }
    if (p->domain) {
        emuhv_stage2_count(p->domain, &pages, &no_access);
    } else {
        put(&p->stats, PT_CHILDREN, emuhv.n_partitions);
    }
    put(&p->stats, PT_VPS, vps);
    put(&p->stats, PT_DEPOSITED, p->deposit->len);
    put(&p->stats, PT_GPA_PAGES, pages + no_access);
    put(&p->stats, PT_GPA_MODIFICATIONS, p->map_calls);
    put(&p->stats, PT_PARTITION_ID, p->id);
}

static void refresh(void *opaque)
{
    EmuhvPartition *p;

    refresh_partition(emuhv.parent);
    QLIST_FOREACH(p, &emuhv.partitions, next) {
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
    EmuhvVpInfo *vi;

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
        (p == emuhv.parent && area != HV_STATS_AREA_SELF)) {
        return HV_STATUS_INVALID_PARAMETER;
    }
    if (p->state != EMUHV_PARTITION_ACTIVE) {
        return HV_STATUS_INVALID_PARTITION_STATE;
    }
    if (type == HV_STATS_OBJECT_PARTITION) {
        *sp = &p->stats;
        return HV_STATUS_SUCCESS;
    }
    vi = emuhv_partition_vp(p, ldl_le_p(identity + 8));
    if (!vi) {
        return HV_STATUS_INVALID_VP_INDEX;
    }
    *sp = &vi->stats;
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

void emuhv_stats_blocked(EmuhvVpInfo *vi, bool blocked)
{
    put(&vi->stats, VP_BLOCKED, blocked);
}

/* ---- Counters ---- */

static void count(GHashTable *table, uint32_t key)
{
    uint64_t *n = g_hash_table_lookup(table, GUINT_TO_POINTER(key));

    if (!n) {
        n = g_new0(uint64_t, 1);
        g_hash_table_insert(table, GUINT_TO_POINTER(key), n);
    }
    ++*n;
}

void emuhv_stats_call(uint16_t code, uint16_t status)
{
    count(emuhv.call_count, code);
    if (status != HV_STATUS_SUCCESS) {
        count(emuhv.call_errors, (uint32_t)code << 16 | status);
    }
}

void emuhv_stats_exit(EmuhvExitKind kind)
{
    emuhv.exits[kind]++;
}

/* ---- JSON ---- */

static void put_exits(QDict *d, const uint64_t *exits)
{
    QDict *e = qdict_new();

    for (unsigned i = 0; i < EMUHV_EXIT__MAX; i++) {
        if (exits[i]) {
            qdict_put_int(e, exit_names[i], exits[i]);
        }
    }
    qdict_put(d, "intercepts", e);
}

static QDict *vp_dict(uint32_t index, const EmuhvVpInfo *vi)
{
    const EmuhvVpStats *s = &vi->vp->stats;
    QDict *d = qdict_new();

    qdict_put_int(d, "index", index);
    qdict_put_int(d, "dispatches", vi->dispatches);
    qdict_put_int(d, "signals", vi->signals);
    qdict_put_int(d, "resumes", s->resumes);
    qdict_put_int(d, "run-ns", s->run_ns);
    qdict_put_int(d, "hlt", s->hlts);
    qdict_put_int(d, "cpuid", s->cpuid);
    qdict_put_int(d, "msr", s->msr);
    qdict_put_int(d, "hypercalls", s->hypercalls);
    qdict_put_int(d, "interrupts", s->interrupts);
    qdict_put_int(d, "stage2-fills", s->stage2_fills);
    put_exits(d, s->exits);
    return d;
}

static QDict *partition_dict(const EmuhvPartition *p)
{
    static const char *const states[] = {
        "created", "active", "finalized", "deleted",
    };
    QDict *d = qdict_new();
    QList *vps = qlist_new();
    uint64_t pages = 0, no_access = 0;

    qdict_put_int(d, "id", p->id);
    qdict_put_str(d, "state", states[p->state]);
    qdict_put_int(d, "hypercalls", p->hypercalls);
    qdict_put_int(d, "map-calls", p->map_calls);
    qdict_put_int(d, "pages-mapped", p->mapped_pages);
    qdict_put_int(d, "pages-unmapped", p->unmapped_pages);
    qdict_put_int(d, "deposited", p->deposit->len);
    qdict_put_int(d, "deposited-peak", p->peak_deposit);
    qdict_put_int(d, "doorbells", p->doorbells);
    if (p->domain) {
        emuhv_stage2_count(p->domain, &pages, &no_access);
    }
    qdict_put_int(d, "gpa-pages", pages);
    qdict_put_int(d, "gpa-pages-no-access", no_access);
    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (p->vps[i] && p->vps[i]->vp) {
            qlist_append(vps, vp_dict(i, p->vps[i]));
        }
    }
    qdict_put(d, "vps", vps);
    return d;
}

void emuhv_stats_partition_gone(EmuhvPartition *p)
{
    if (qlist_size(dead) == MAX_DEAD) {
        qobject_unref(qlist_pop(dead));
    }
    qlist_append(dead, partition_dict(p));
}

static void call_name(char *buf, size_t size, uint16_t code)
{
    const char *name = emuhv_hcall_name(code);

    if (name) {
        pstrcpy(buf, size, name);
    } else {
        snprintf(buf, size, "0x%04x", code);
    }
}

static QDict *calls_dict(void)
{
    QDict *d = qdict_new();
    GHashTableIter it;
    gpointer key, val;
    char name[64];

    g_hash_table_iter_init(&it, emuhv.call_count);
    while (g_hash_table_iter_next(&it, &key, &val)) {
        call_name(name, sizeof(name), GPOINTER_TO_UINT(key));
        qdict_put_int(d, name, *(uint64_t *)val);
    }
    return d;
}

static QDict *errors_dict(void)
{
    QDict *d = qdict_new();
    GHashTableIter it;
    gpointer key, val;
    char name[64], full[96];

    g_hash_table_iter_init(&it, emuhv.call_errors);
    while (g_hash_table_iter_next(&it, &key, &val)) {
        call_name(name, sizeof(name), GPOINTER_TO_UINT(key) >> 16);
        snprintf(full, sizeof(full), "%s:0x%x", name,
                 GPOINTER_TO_UINT(key) & 0xffff);
        qdict_put_int(d, full, *(uint64_t *)val);
    }
    return d;
}

char *emuhv_stats_json(void)
{
    g_autoptr(QDict) d = qdict_new();
    g_autoptr(GString) text = NULL;
    QList *live = qlist_new();
    EmuhvPartition *p;

    qdict_put_str(d, "scheduler",
                  emuhv.scheduler == EMUHV_SCHED_ROOT ? "root" : "core");
    qdict_put(d, "hypercalls", calls_dict());
    qdict_put(d, "hypercall-errors", errors_dict());
    put_exits(d, emuhv.exits);
    qdict_put_int(d, "dispatches", emuhv.dispatches);
    qdict_put_int(d, "signals", emuhv.signals);
    qdict_put_int(d, "messages", emuhv.messages);
    qdict_put_int(d, "parent-interrupts", emuhv.interrupts);
    qdict_put_int(d, "doorbells", emuhv.doorbells);
    qdict_put_int(d, "pages-mapped", emuhv.pages_mapped);
    qdict_put_int(d, "partitions-created", emuhv.partitions_created);
    qdict_put_int(d, "vps-created", emuhv.vps_created);
    qdict_put_int(d, "vps-free", emuhv_pool_free());
    qdict_put_int(d, "pages-deposited", g_hash_table_size(emuhv.deposited));
    QLIST_FOREACH(p, &emuhv.partitions, next) {
        qlist_append(live, partition_dict(p));
    }
    qdict_put_int(d, "partitions", emuhv.n_partitions);
    qdict_put(d, "live-partitions", live);
    qdict_put(d, "past-partitions", qlist_copy(dead));
    text = qobject_to_json_pretty(QOBJECT(d), true);
    return g_strdup(text->str);
}

static void write_file(Notifier *n, void *data)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) err = NULL;

    if (!emuhv.stats_file) {
        return;
    }
    text = emuhv_stats_json();
    if (!g_file_set_contents(emuhv.stats_file, text, -1, &err)) {
        error_report("emuhv-stats: %s", err->message);
    }
}

void emuhv_stats_init(void)
{
    emuhv.call_count = g_hash_table_new_full(g_direct_hash, g_direct_equal,
                                             NULL, g_free);
    emuhv.call_errors = g_hash_table_new_full(g_direct_hash, g_direct_equal,
                                              NULL, g_free);
    dead = qlist_new();
    refresh_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, refresh, NULL);
    exit_notifier.notify = write_file;
    qemu_add_exit_notifier(&exit_notifier);
}
