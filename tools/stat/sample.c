/*
 * Two looks at all VMs, and what happened in between.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include "names.h"
#include "sample.h"

const char *const view_names[VIEW__MAX] = {
    [VIEW_VMS] = "vms",
    [VIEW_KINDS] = "exits",
    [VIEW_VCPUS] = "vcpus",
    [VIEW_CALLS] = "calls",
    [VIEW_REFUSALS] = "refusals",
    [VIEW_HYPERVISOR] = "hypervisor",
};

const char *const sort_names[SORT__MAX] = {
    [SORT_RATE] = "rate",
    [SORT_TOTAL] = "total",
    [SORT_NAME] = "name",
};

Sample *sample_take(void)
{
    Sample *sample = g_new0(Sample, 1);

    sample->scan = scan_vms();
    sample->hv = hvstats_read(&sample->hv_why);
    sample->time = g_get_monotonic_time();
    return sample;
}

void sample_free(Sample *sample)
{
    if (sample) {
        scan_free(sample->scan);
        hvstats_free(sample->hv);
        g_free(sample->hv_why);
        g_free(sample);
    }
}

static void row_free(void *data)
{
    Row *row = data;

    g_free(row->name);
    g_free(row);
}

static char *full_name(const Vm *vm)
{
    return *vm->namespace ? g_strdup_printf("%s/%s", vm->namespace, vm->name)
                          : g_strdup(*vm->name ? vm->name : "-");
}

/* Adds @total to the row of that name, or makes it. */
static Row *add(GPtrArray *rows, const char *name, uint64_t total)
{
    Row *row;
    guint i;

    for (i = 0; i < rows->len; i++) {
        row = g_ptr_array_index(rows, i);
        if (strcmp(row->name, name) == 0) {
            row->total += total;
            return row;
        }
    }
    row = g_new0(Row, 1);
    row->name = g_strdup(name);
    row->total = total;
    g_ptr_array_add(rows, row);
    return row;
}

static uint64_t exits_of(const VpSnapshot *vp)
{
    uint64_t sum = 0;
    unsigned kind;

    for (kind = 0; exit_name(kind); kind++) {
        sum += vp->exits[kind];
    }
    return sum;
}

static void add_vm(GPtrArray *rows, const Vm *vm)
{
    const Snapshot *s = vm->snapshot;
    Row *row = g_new0(Row, 1);
    unsigned i;

    row->name = full_name(vm);
    row->pid = vm->pid;
    row->state = state_names[s->vm.state];
    row->vcpus = s->vp_count;
    row->memory = s->vm.memory_bytes;
    for (i = 0; i < s->vp_count; i++) {
        row->total += exits_of(&s->vps[i]);
    }
    for (i = 0; i < MSHV_CALL__MAX; i++) {
        row->errors += s->calls[i].failed;
    }
    for (i = 0; i < MSHV_FALLBACK__MAX; i++) {
        row->fallbacks += s->vm.fallbacks[i];
    }
    g_ptr_array_add(rows, row);
}

static void add_kinds(GPtrArray *rows, const Vm *vm)
{
    unsigned i, kind;

    for (i = 0; i < vm->snapshot->vp_count; i++) {
        const VpSnapshot *vp = &vm->snapshot->vps[i];

        for (kind = 0; exit_name(kind); kind++) {
            add(rows, exit_name(kind), vp->exits[kind]);
        }
        add(rows, "(kicks)", vp->kicks);
    }
}

static void add_vcpus(GPtrArray *rows, const Vm *vm)
{
    g_autofree char *name = full_name(vm);
    unsigned i;

    for (i = 0; i < vm->snapshot->vp_count; i++) {
        const VpSnapshot *vp = &vm->snapshot->vps[i];
        g_autofree char *cpu = g_strdup_printf("%s (%d) CPU %u", name,
                                               vm->pid, vp->index);

        add(rows, cpu, exits_of(vp));
    }
}

static void add_calls(GPtrArray *rows, const Vm *vm)
{
    unsigned i;

    for (i = 0; i < MSHV_CALL__MAX; i++) {
        const MshvCallCounters *call = &vm->snapshot->calls[i];

        if (call->made) {
            add(rows, mshv_call_names[i], call->made)->errors += call->failed;
        }
    }
}

/* Those that there were. */
static void add_refusals(GPtrArray *rows, const Vm *vm)
{
    const Snapshot *s = vm->snapshot;
    unsigned i;

    for (i = 0; i < MSHV_REFUSED__MAX; i++) {
        g_autofree char *name = g_strconcat("refused-", mshv_refusal_names[i],
                                            NULL);

        if (s->vm.refused[i]) {
            add(rows, name, s->vm.refused[i]);
        }
    }
    for (i = 0; i < s->msr_count; i++) {
        g_autofree char *name = g_strdup_printf("unknown-msr-0x%x",
                                                s->msrs[i].number);

        add(rows, name, s->msrs[i].count);
    }
    if (s->vm.other_msrs) {
        add(rows, "unknown-msr-others", s->vm.other_msrs);
    }
}

static void add_number(GPtrArray *rows, uint64_t value, const char *format,
                       uint64_t id)
{
    g_autofree char *name = g_strdup_printf("%s %" G_GUINT64_FORMAT, format,
                                            id);

    add(rows, name, value);
}

/* Of times (100 ns) milliseconds */
static void add_hypervisor(GPtrArray *rows, const HvStats *hv)
{
    guint i;

    for (i = 0; hv && i < hv->lps->len; i++) {
        const HvTimes *lp = &g_array_index(hv->lps, HvTimes, i);

        add_number(rows, lp->total / 10000, "ms of LP", lp->id);
        add_number(rows, lp->hypervisor / 10000,
                   "ms of it in the hypervisor: LP", lp->id);
    }
    for (i = 0; hv && i < hv->partitions->len; i++) {
        const HvPartition *p = &g_array_index(hv->partitions, HvPartition, i);

        add_number(rows, p->times.total / 10000, "ms of VPs: partition",
                   p->times.id);
        add_number(rows, p->deposited_pages * 4,
                   "KiB of the host's memory: partition", p->times.id);
    }
}

static GPtrArray *rows_of(const Sample *sample, View view, pid_t pid)
{
    static void (*const adders[VIEW__MAX])(GPtrArray *rows, const Vm *vm) = {
        [VIEW_VMS] = add_vm,
        [VIEW_KINDS] = add_kinds,
        [VIEW_VCPUS] = add_vcpus,
        [VIEW_CALLS] = add_calls,
        [VIEW_REFUSALS] = add_refusals,
        [VIEW_HYPERVISOR] = NULL,
    };
    GPtrArray *rows = g_ptr_array_new_with_free_func(row_free);
    guint i;

    if (view == VIEW_HYPERVISOR) {
        add_hypervisor(rows, sample->hv);
    }
    for (i = 0; i < sample->scan->vms->len; i++) {
        const Vm *vm = g_ptr_array_index(sample->scan->vms, i);

        if (adders[view] && (!pid || vm->pid == pid)) {
            adders[view](rows, vm);
        }
    }
    return rows;
}

/* A number that has become smaller is of a VM that began anew: no rate. */
static void set_rates(GPtrArray *rows, GPtrArray *before, double seconds)
{
    guint i, j;

    for (i = 0; i < rows->len; i++) {
        Row *row = g_ptr_array_index(rows, i);

        for (j = 0; j < before->len; j++) {
            const Row *old = g_ptr_array_index(before, j);

            if (old->pid == row->pid && strcmp(old->name, row->name) == 0 &&
                old->total <= row->total) {
                row->rate = (row->total - old->total) / seconds;
                break;
            }
        }
    }
}

static int compare(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const Row *x = *(Row *const *)a, *y = *(Row *const *)b;
    SortBy sort = *(const SortBy *)opaque;
    int name = strcmp(x->name, y->name);

    if (sort == SORT_RATE && x->rate != y->rate) {
        return x->rate < y->rate ? 1 : -1;
    }
    if (sort != SORT_NAME && x->total != y->total) {
        return x->total < y->total ? 1 : -1;
    }
    return name ? name : x->pid - y->pid;
}

static void drop_others(GPtrArray *rows, const char *filter)
{
    guint i;

    for (i = rows->len; i-- > 0;) {
        const Row *row = g_ptr_array_index(rows, i);

        if (!strstr(row->name, filter)) {
            g_ptr_array_remove_index(rows, i);
        }
    }
}

GPtrArray *sample_rows(const Sample *now, const Sample *before, View view,
                       pid_t pid, SortBy sort, const char *filter)
{
    GPtrArray *rows = rows_of(now, view, pid);

    if (before && now->time > before->time) {
        g_autoptr(GPtrArray) old = rows_of(before, view, pid);

        set_rates(rows, old, (now->time - before->time) / 1e6);
    }
    if (filter && *filter) {
        drop_others(rows, filter);
    }
    g_ptr_array_sort_with_data(rows, compare, &sort);
    return rows;
}
