/*
 * The hypervisor's own statistics.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hvstats.h"

#define TOP "/sys/kernel/debug/mshv"

/* The number of the line "NAME   : NUMBER", or 0. */
static uint64_t number_of(const char *text, const char *name)
{
    size_t length = strlen(name);
    const char *at = text;

    while (at) {
        if (strncmp(at, name, length) == 0) {
            const char *colon = at + length + strspn(at + length, " ");

            if (*colon == ':') {
                return g_ascii_strtoull(colon + 1, NULL, 10);
            }
        }
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    return 0;
}

/* Calls @each with every directory in @path whose name is a number. */
static void for_each(const char *path, void *opaque,
                     void (*each)(uint64_t id, const char *path, void *opaque))
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_ascii_isdigit(name[0])) {
            g_autofree char *below = g_build_filename(path, name, NULL);

            each(g_ascii_strtoull(name, NULL, 10), below, opaque);
        }
    }
    if (dir) {
        g_dir_close(dir);
    }
}

static char *read_stats(const char *path)
{
    g_autofree char *file = g_build_filename(path, "stats", NULL);
    char *text = NULL;

    return g_file_get_contents(file, &text, NULL, NULL) ? text : NULL;
}

static void add_lp(uint64_t id, const char *path, void *opaque)
{
    g_autofree char *text = read_stats(path);
    HvTimes lp = { .id = id };

    if (text) {
        lp.total = number_of(text, "LpTotalRunTime");
        lp.hypervisor = number_of(text, "LpHypervisorRunTime");
        g_array_append_val(((HvStats *)opaque)->lps, lp);
    }
}

static void add_vp(uint64_t id, const char *path, void *opaque)
{
    g_autofree char *text = read_stats(path);
    HvPartition *partition = opaque;

    if (text) {
        partition->vps++;
        partition->times.total += number_of(text, "VpTotalRunTime");
        partition->times.hypervisor += number_of(text, "VpHypervisorRunTime");
    }
}

static void add_partition(uint64_t id, const char *path, void *opaque)
{
    g_autofree char *vps = g_build_filename(path, "vp", NULL);
    g_autofree char *text = read_stats(path);
    HvPartition partition = { .times.id = id };

    if (text) {
        partition.deposited_pages = number_of(text, "PtDepositedPages");
        partition.gpa_pages = number_of(text, "PtGpaPages");
        for_each(vps, &partition, add_vp);
        g_array_append_val(((HvStats *)opaque)->partitions, partition);
    }
}

HvStats *hvstats_read(char **why)
{
    GDir *dir = g_dir_open(TOP, 0, NULL);
    HvStats *stats;

    if (!dir) {
        *why = g_strdup_printf("%s: %s", TOP, errno == ENOENT ?
                               "not there: the kernel has no such statistics, "
                               "or debugfs is not mounted" :
                               g_strerror(errno));
        return NULL;
    }
    g_dir_close(dir);
    stats = g_new0(HvStats, 1);
    stats->lps = g_array_new(FALSE, FALSE, sizeof(HvTimes));
    stats->partitions = g_array_new(FALSE, FALSE, sizeof(HvPartition));
    for_each(TOP "/lp", stats, add_lp);
    for_each(TOP "/partition", stats, add_partition);
    return stats;
}

void hvstats_free(HvStats *stats)
{
    if (stats) {
        g_array_free(stats->lps, TRUE);
        g_array_free(stats->partitions, TRUE);
        g_free(stats);
    }
}
