/*
 * What mshv-stat writes to others than a terminal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "print.h"

/* Columns of text are counted in characters, not in bytes. */
static char *pad(const char *text, int width)
{
    int length = g_utf8_strlen(text, -1);

    if (length > width) {
        g_autofree char *part = g_utf8_substring(text, 0, width - 1);

        return g_strconcat(part, "~", NULL);
    }
    return g_strdup_printf("%s%*s", text, width - length, "");
}

static char *rate_of(const Row *row, bool rates)
{
    return rates ? g_strdup_printf("%.1f", row->rate) : g_strdup("-");
}

static char *vm_line(const Row *row, bool rates)
{
    g_autofree char *name = pad(row ? row->name : "VM", 28);
    g_autofree char *rate = row ? rate_of(row, rates) : g_strdup("EXITS/S");

    if (!row) {
        return g_strdup_printf("%s %7s %-14s %5s %8s %14s %12s %7s %9s", name,
                               "PID", "STATE", "VCPUS", "MEM/MiB", "EXITS",
                               rate, "ERRORS", "FALLBACKS");
    }
    return g_strdup_printf("%s %7d %-14s %5u %8" PRIu64 " %14" PRIu64
                           " %12s %7" PRIu64 " %9" PRIu64, name, row->pid,
                           row->state, row->vcpus, row->memory >> 20,
                           row->total, rate, row->errors, row->fallbacks);
}

char *format_row(View view, const Row *row, bool rates)
{
    static const char *const heads[VIEW__MAX] = {
        [VIEW_KINDS] = "EXIT", [VIEW_VCPUS] = "CPU", [VIEW_CALLS] = "CALL",
        [VIEW_REFUSALS] = "REFUSAL", [VIEW_HYPERVISOR] = "WHAT",
    };
    g_autofree char *name = NULL, *rate = NULL;

    if (view == VIEW_VMS) {
        return vm_line(row, rates);
    }
    name = pad(row ? row->name : heads[view], 44);
    rate = row ? rate_of(row, rates) : g_strdup("PER SECOND");
    if (view == VIEW_CALLS) {
        return row ? g_strdup_printf("%s %16" PRIu64 " %14s %10" PRIu64, name,
                                     row->total, rate, row->errors)
                   : g_strdup_printf("%s %16s %14s %10s", name, "TOTAL", rate,
                                     "ERRORS");
    }
    return row ? g_strdup_printf("%s %16" PRIu64 " %14s", name, row->total,
                                 rate)
               : g_strdup_printf("%s %16s %14s", name, "TOTAL", rate);
}

static void print_text(View view, const GPtrArray *rows, bool rates)
{
    guint i;

    for (i = 0; i <= rows->len; i++) {
        g_autofree char *line = format_row(view, i ? g_ptr_array_index(
            rows, i - 1) : NULL, rates);

        puts(line);
    }
}

/* In quotes, as RFC 4180 has it. */
static void print_csv_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"') {
            putchar('"');
        }
        putchar(*text);
    }
    putchar('"');
}

static void print_csv(View view, const GPtrArray *rows, bool first,
                      const char *time)
{
    guint i;

    if (first) {
        puts(view == VIEW_VMS ?
             "time,name,pid,state,vcpus,memory_bytes,total,rate,errors,"
             "fallbacks" : "time,name,total,rate,errors");
    }
    for (i = 0; i < rows->len; i++) {
        const Row *row = g_ptr_array_index(rows, i);
        char rate[G_ASCII_DTOSTR_BUF_SIZE];

        g_ascii_formatd(rate, sizeof(rate), "%.3f", row->rate);
        printf("%s,", time);
        print_csv_text(row->name);
        if (view == VIEW_VMS) {
            printf(",%d,%s,%u,%" PRIu64, row->pid, row->state, row->vcpus,
                   row->memory);
        }
        printf(",%" PRIu64 ",%s,%" PRIu64, row->total, rate, row->errors);
        if (view == VIEW_VMS) {
            printf(",%" PRIu64, row->fallbacks);
        }
        putchar('\n');
    }
}

/* The texts are valid UTF-8 without control characters: see snapshot.h. */
static void print_json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            putchar('\\');
        }
        putchar(*text);
    }
    putchar('"');
}

static void print_json(View view, const GPtrArray *rows, const char *time)
{
    guint i;

    printf("{\"time\": \"%s\", \"%s\": [", time,
           view_names[view]);
    for (i = 0; i < rows->len; i++) {
        const Row *row = g_ptr_array_index(rows, i);
        char rate[G_ASCII_DTOSTR_BUF_SIZE];

        g_ascii_formatd(rate, sizeof(rate), "%.3f", row->rate);
        printf("%s{\"name\": ", i ? ", " : "");
        print_json_text(row->name);
        if (view == VIEW_VMS) {
            printf(", \"pid\": %d, \"state\": \"%s\", \"vcpus\": %u, "
                   "\"memory_bytes\": %" PRIu64 ", \"fallbacks\": %" PRIu64,
                   row->pid, row->state, row->vcpus, row->memory,
                   row->fallbacks);
        }
        printf(", \"total\": %" PRIu64 ", \"rate\": %s, \"errors\": %" PRIu64
               "}", row->total, rate, row->errors);
    }
    puts("]}");
}

void print_rows(Format format, View view, const GPtrArray *rows, bool first,
                bool rates)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");

    if (format == FORMAT_CSV) {
        print_csv(view, rows, first, time);
    } else if (format == FORMAT_JSON) {
        print_json(view, rows, time);
    } else {
        print_text(view, rows, rates);
    }
    fflush(stdout);
}

char *format_gap(const Sample *sample, View view)
{
    const Scan *scan = sample->scan;

    if (view == VIEW_HYPERVISOR && !sample->hv) {
        return g_strdup(sample->hv_why);
    }
    if (scan->refused) {
        return g_strdup_printf("%u VMs cannot be shown; %s", scan->refused,
                               scan->why);
    }
    if (scan->denied && !scan->entitled) {
        return g_strdup("VMs of other users are missing: CAP_SYS_PTRACE and "
                        "CAP_DAC_READ_SEARCH are needed");
    }
    return NULL;
}
