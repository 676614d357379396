/*
 * mshv-stat: what the VMs of this host that run on -accel mshv do.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>
#include "live.h"
#include "print.h"

static char *view_name, *sort_name, *filter, *interval_text;
static int count = -1, pid;
static gboolean once, csv, json;

static const GOptionEntry options[] = {
    { "once", '1', 0, G_OPTION_ARG_NONE, &once,
      "print one table of totals, and end", NULL },
    { "csv", 0, 0, G_OPTION_ARG_NONE, &csv,
      "print comma-separated values, every interval", NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json,
      "print one object a line, every interval", NULL },
    { "view", 'v', 0, G_OPTION_ARG_STRING, &view_name,
      "vms (default), exits, vcpus, calls, refusals or hypervisor", "VIEW" },
    { "pid", 'p', 0, G_OPTION_ARG_INT, &pid,
      "only the VM of this process", "PID" },
    { "sort", 's', 0, G_OPTION_ARG_STRING, &sort_name,
      "by rate (default), total or name", "COLUMN" },
    { "filter", 'f', 0, G_OPTION_ARG_STRING, &filter,
      "only names that contain TEXT", "TEXT" },
    { "interval", 'i', 0, G_OPTION_ARG_STRING, &interval_text,
      "between two looks (default: 1)", "SECONDS" },
    { "count", 'n', 0, G_OPTION_ARG_INT, &count,
      "with --csv or --json: end after N tables", "N" },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
};

static int usage_error(const char *format, const char *what)
{
    g_autofree char *text = g_strdup_printf("mshv-stat: %s; see --help\n",
                                            format);

    fprintf(stderr, text, what);
    return 2;
}

static int find(const char *name, const char *const *names, int n)
{
    int i;

    for (i = 0; name && i < n && strcmp(name, names[i]) != 0; i++) {
        ;
    }
    return name ? i : 0;
}

/* Milliseconds; 0 if it is none. */
static unsigned parse_interval(const char *text)
{
    char *end;
    double seconds = text ? g_ascii_strtod(text, &end) : 1;

    return text && (*end || end == text) ? 0 :
           seconds >= 0.001 && seconds <= 86400 ? seconds * 1000 : 0;
}

static void tell_gap(const Sample *sample, View view)
{
    g_autofree char *gap = format_gap(sample, view);

    if (gap) {
        fprintf(stderr, "mshv-stat: %s\n", gap);
    }
}

/* Tables, the first one with totals alone. */
static int print_all(Format format, View view, SortBy sort, unsigned interval)
{
    Sample *before = NULL, *now = NULL;
    int i;

    for (i = 0; i != count && !ferror(stdout); i++) {
        g_autoptr(GPtrArray) rows = NULL;

        if (i) {
            g_usleep(interval * 1000UL);
        }
        sample_free(before);
        before = now;
        now = sample_take();
        if (!i) {
            tell_gap(now, view);
        }
        rows = sample_rows(now, before, view, pid, sort, filter);
        print_rows(format, view, rows, i == 0, before != NULL);
    }
    sample_free(before);
    sample_free(now);
    if (ferror(stdout)) {
        fprintf(stderr, "mshv-stat: cannot write\n");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    unsigned interval;
    int view, sort;

    g_option_context_set_summary(context,
        "What the VMs on this host do that run on QEMU's -accel mshv.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        return usage_error("%s", error->message);
    }
    view = find(view_name, view_names, VIEW__MAX);
    sort = find(sort_name, sort_names, SORT__MAX);
    interval = parse_interval(interval_text);
    if (argc > 1) {
        return usage_error("unknown argument '%s'", argv[1]);
    } else if (view == VIEW__MAX) {
        return usage_error("there is no view '%s'", view_name);
    } else if (sort == SORT__MAX) {
        return usage_error("there is no column '%s'", sort_name);
    } else if (!interval) {
        return usage_error("'%s' is no number of seconds", interval_text);
    } else if (csv && json) {
        return usage_error("%s", "--csv and --json exclude each other");
    }
    if (once) {
        count = 1;
    }
    if (once || csv || json) {
        return print_all(csv ? FORMAT_CSV : json ? FORMAT_JSON : FORMAT_TEXT,
                         view, sort, interval);
    }
    if (!live(view, sort, filter, interval)) {
        return usage_error("%s", "this is no terminal: use --once, --csv or "
                           "--json");
    }
    return 0;
}
