/*
 * Statistics for QMP query-stats: the VM's calls to the kernel by name, and
 * each vCPU's exits by message.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/util.h"
#include "hw/core/cpu.h"
#include "system/stats.h"
#include "arch.h"
#include "counters.h"
#include "ioctl.h"
#include "irq.h"
#include "mshv/names.h"
#include "stats.h"
#include "vp.h"

static char *call_stat_name(const char *prefix, MshvCall call)
{
    return g_strconcat(prefix, mshv_call_names[call], NULL);
}

static char *refusal_stat_name(MshvRefusal kind)
{
    return g_strconcat("refused-", mshv_refusal_names[kind], NULL);
}

/* Of all kinds, and of what is none. */
static char *exit_stat_name(unsigned kind)
{
    return g_strconcat("exits-", kind < MSHV_EXIT_KINDS
                       ? mshv_exit_kinds[kind].name : "other", NULL);
}

/*
 * The name for the @i-th MSR that nobody implements and the guest tried, and
 * how often it did; the last one is for those that found no row. Then NULL.
 */
static char *msr_stat(unsigned i, uint64_t *count)
{
    const MshvMsrCounters *row = &mshv_counters->msrs[i];

    *count = i < MSHV_COUNTERS_MSRS ? qatomic_load_acquire(&row->count) : 0;
    if (*count) {
        return g_strdup_printf("unknown-msr-0x%x", row->number);
    }
    *count = qatomic_read(&mshv_counters->vm.other_msrs);
    return i == 0 || (i <= MSHV_COUNTERS_MSRS && qatomic_read(&row[-1].count))
           ? g_strdup("unknown-msr-others") : NULL;
}

/* Takes @name. */
static void add_stat(StatsList **list, char *name, uint64_t value,
                     strList *names)
{
    Stats *stat;

    if (!apply_str_list_filter(name, names)) {
        g_free(name);
        return;
    }
    stat = g_new0(Stats, 1);
    stat->name = name;
    stat->value = g_new0(StatsValue, 1);
    stat->value->type = QTYPE_QNUM;
    stat->value->u.scalar = value;
    QAPI_LIST_PREPEND(*list, stat);
}

/* What ended runs of all VPs that there ever were. */
static uint64_t total_runs(void)
{
    uint64_t runs = 0;
    unsigned i, kind;

    for (i = 0; i < MSHV_COUNTERS_VPS; i++) {
        const MshvVpCounters *vp = &mshv_counters->vps[i];

        for (kind = 0; kind < MSHV_COUNTERS_EXITS; kind++) {
            runs += qatomic_read(&vp->exits[kind].count);
        }
        runs += qatomic_read(&vp->kicks);
    }
    return runs;
}

/* Those that run a VP are counted by what ended them. */
static uint64_t calls_made(MshvCall call)
{
    return call == MSHV_CALL_RUN_VP ? total_runs() + mshv_call_errors(call)
                                    : mshv_call_count(call);
}

static StatsList *vm_stats(strList *names)
{
    StatsList *list = NULL;
    MshvCall call;
    unsigned i, n_irqfds, n_routes;
    uint64_t count;
    char *name;

    for (call = 0; call < MSHV_CALL__MAX; call++) {
        add_stat(&list, call_stat_name("calls-", call),
                 calls_made(call), names);
        add_stat(&list, call_stat_name("errors-", call),
                 mshv_call_errors(call), names);
    }
    mshv_irq_count(&n_irqfds, &n_routes);
    add_stat(&list, g_strdup("irqfds"), n_irqfds, names);
    add_stat(&list, g_strdup("msi-routes"), n_routes, names);
    for (i = 0; i < MSHV_REFUSED__MAX; i++) {
        add_stat(&list, refusal_stat_name(i),
                 qatomic_read(&mshv_counters->vm.refused[i]), names);
    }
    for (i = 0; (name = msr_stat(i, &count)); i++) {
        add_stat(&list, name, count, names);
    }
    return list;
}

static uint64_t count_of_type(const MshvVpCounters *vp, uint32_t type)
{
    uint64_t count = 0;
    int i;

    for (i = 0; i < MSHV_COUNTERS_EXITS; i++) {
        if (qatomic_read(&vp->exits[i].type) == type) {
            count += qatomic_read(&vp->exits[i].count);
        }
    }
    return count;
}

static StatsList *vcpu_stats(const MshvVpCounters *vp, strList *names)
{
    StatsList *list = NULL;
    uint64_t total = mshv_counters_exits(vp), known = 0, count;
    unsigned i;

    for (i = 0; i < MSHV_EXIT_KINDS; i++) {
        count = count_of_type(vp, mshv_exit_kinds[i].type);
        known += count;
        add_stat(&list, exit_stat_name(i), count, names);
    }
    add_stat(&list, exit_stat_name(i), total - MIN(known, total), names);
    add_stat(&list, g_strdup("kicks"), qatomic_read(&vp->kicks), names);
    return list;
}

static void query_stats(StatsResultList **result, StatsTarget target,
                        strList *names, strList *targets, Error **errp)
{
    StatsList *list;
    CPUState *cpu;

    if (target == STATS_TARGET_VM) {
        list = vm_stats(names);
        if (list) {
            add_stats_entry(result, STATS_PROVIDER_MSHV, NULL, list);
        }
    } else if (target == STATS_TARGET_VCPU) {
        CPU_FOREACH(cpu) {
            const char *path = cpu->parent_obj.canonical_path;

            list = apply_str_list_filter(path, targets)
                   ? vcpu_stats(cpu->accel->counters, names) : NULL;
            if (list) {
                add_stats_entry(result, STATS_PROVIDER_MSHV, path, list);
            }
        }
    }
}

/* Takes @name. */
static void add_schema(StatsSchemaValueList **list, char *name)
{
    StatsSchemaValue *value = g_new0(StatsSchemaValue, 1);

    value->name = name;
    value->type = STATS_TYPE_CUMULATIVE;
    QAPI_LIST_PREPEND(*list, value);
}

static void query_schemas(StatsSchemaList **result, Error **errp)
{
    StatsSchemaValueList *vm = NULL, *vcpu = NULL;
    MshvCall call;
    uint64_t count;
    unsigned i;
    char *name;

    for (call = 0; call < MSHV_CALL__MAX; call++) {
        add_schema(&vm, call_stat_name("calls-", call));
        add_schema(&vm, call_stat_name("errors-", call));
    }
    add_schema(&vm, g_strdup("irqfds"));
    vm->value->type = STATS_TYPE_INSTANT;
    add_schema(&vm, g_strdup("msi-routes"));
    vm->value->type = STATS_TYPE_INSTANT;
    for (i = 0; i < MSHV_REFUSED__MAX; i++) {
        add_schema(&vm, refusal_stat_name(i));
    }
    for (i = 0; (name = msr_stat(i, &count)); i++) {
        add_schema(&vm, name);
    }
    for (i = 0; i <= MSHV_EXIT_KINDS; i++) {
        add_schema(&vcpu, exit_stat_name(i));
    }
    add_schema(&vcpu, g_strdup("kicks"));
    add_stats_schema(result, STATS_PROVIDER_MSHV, STATS_TARGET_VM, vm);
    add_stats_schema(result, STATS_PROVIDER_MSHV, STATS_TARGET_VCPU, vcpu);
}

void mshv_stats_init(void)
{
    add_stats_callbacks(STATS_PROVIDER_MSHV, query_stats, query_schemas);
}
