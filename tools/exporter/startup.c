/*
 * How long VMs took to start.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "startup.h"

/* Longer than this is no start, but a VM that waited, or nonsense. */
#define MAX_TIME (24ULL * 3600 * 1000000000)

static const struct {
    const char *le;
    uint64_t limit;             /* ns */
} buckets[] = {
    { "0.1", 100000000ULL },
    { "0.25", 250000000ULL },
    { "0.5", 500000000ULL },
    { "1.0", 1000000000ULL },
    { "2.5", 2500000000ULL },
    { "5.0", 5000000000ULL },
    { "10.0", 10000000000ULL },
    { "30.0", 30000000000ULL },
    { "60.0", 60000000000ULL },
    { "120.0", 120000000000ULL },
    { "300.0", 300000000000ULL },
    { "+Inf", UINT64_MAX },
};

const char *const startup_stages[STARTUP__MAX] = {
    [STARTUP_FIRST_EXIT] = "first-exit",
    [STARTUP_FIRST_INTERRUPT] = "first-interrupt",
};

static struct {
    uint64_t bucket[G_N_ELEMENTS(buckets)];
    uint64_t sum;               /* ns */
} seen[STARTUP__MAX];

/* Stages that were counted, by process; those that have gone are forgotten. */
static GHashTable *counted;

uint64_t startup_time(const Vm *vm, StartupStage stage)
{
    const MshvVmCounters *c = &vm->snapshot->vm;
    uint64_t end = stage == STARTUP_FIRST_EXIT ? c->first_exit_time
                                               : c->first_interrupt_time;

    /* A VM that comes from elsewhere starts when it is sent. */
    return c->flags & MSHV_VM_FLAG_INCOMING || end < c->start_time ||
           end - c->start_time > MAX_TIME ? 0 : end - c->start_time;
}

static void count(StartupStage stage, uint64_t time)
{
    unsigned i = 0;

    while (time > buckets[i].limit) {
        i++;
    }
    seen[stage].bucket[i]++;
    seen[stage].sum += time;
}

void startup_observe(const Scan *scan)
{
    GHashTable *now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                            NULL);
    unsigned i, stage;

    for (i = 0; i < scan->vms->len; i++) {
        const Vm *vm = g_ptr_array_index(scan->vms, i);
        char *key = g_strdup_printf("%d-%" G_GUINT64_FORMAT, vm->pid,
                                    vm->start_ticks);
        unsigned done = counted ? GPOINTER_TO_UINT(
            g_hash_table_lookup(counted, key)) : 0;

        for (stage = 0; stage < STARTUP__MAX; stage++) {
            uint64_t time = startup_time(vm, stage);

            if (time && !(done & 1 << stage)) {
                done |= 1 << stage;
                count(stage, time);
            }
        }
        g_hash_table_insert(now, key, GUINT_TO_POINTER(done));
    }
    if (counted) {
        g_hash_table_destroy(counted);
    }
    counted = now;
}

void startup_write(Text *text)
{
    unsigned stage, i;

    for (stage = 0; stage < STARTUP__MAX; stage++) {
        uint64_t sum = 0;

        for (i = 0; i < G_N_ELEMENTS(buckets); i++) {
            sum += seen[stage].bucket[i];
            text_begin(text, "_bucket");
            text_label(text, "stage", startup_stages[stage]);
            text_label(text, "le", buckets[i].le);
            text_value(text, sum);
        }
        text_begin(text, "_sum");
        text_label(text, "stage", startup_stages[stage]);
        text_value_scaled(text, seen[stage].sum, 9);
        text_begin(text, "_count");
        text_label(text, "stage", startup_stages[stage]);
        text_value(text, sum);
    }
}
