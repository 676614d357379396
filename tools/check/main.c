/*
 * mshv-check: what this host lacks for -accel mshv.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include "checks.h"

static gboolean json;
static char *device = (char *)"/dev/mshv", *root = (char *)"";

static const GOptionEntry options[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json,
      "print one object a line", NULL },
    { "device", 0, 0, G_OPTION_ARG_FILENAME, &device,
      "the device node (default: /dev/mshv)", "PATH" },
    { "root", 0, 0, G_OPTION_ARG_FILENAME, &root,
      "where the host's /proc, /sys, /dev and /var are", "DIR" },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
};

static const char summary[] =
    "Ask, in order, what -accel mshv needs of this host and of this user. Exit\n"
    "status: 0 if a VM can be started, else that of the first question that\n"
    "fails:\n"
    "  10 hypervisor   11 privilege    12 kernel   13 driver\n"
    "  14 node         15 permission   16 abi      17 partition\n"
    "What follows are warnings, which change no status.";

static void print_json_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            printf("\\%c", *text);
        } else if ((unsigned char)*text < 0x20) {
            printf("\\u%04x", *text);
        } else {
            putchar(*text);
        }
    }
    putchar('"');
}

static void print_json(const Check *check, const char *result,
                       const char *said, const char *remedy)
{
    printf("{\"check\":\"%s\",\"result\":\"%s\",\"found\":", check->name,
           result);
    print_json_string(said);
    if (remedy) {
        printf(",\"remedy\":");
        print_json_string(remedy);
    }
    printf("}\n");
}

static void print_text(const Check *check, const char *result,
                       const char *said, const char *remedy)
{
    printf("%-7s  %-10s  %s\n", result, check->name, said);
    if (remedy) {
        printf("%-7s  %-10s  -> %s\n", "", "", remedy);
    }
}

static bool run(const Check *check, Host *host)
{
    g_autofree char *said = NULL, *remedy = NULL;
    bool good = check->ask(host, &said, &remedy);
    const char *result = good ? "ok" :
                         check->severity == NEEDED ? "fails" : "warning";

    (json ? print_json : print_text)(check, result, said, remedy);
    return good;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    Host host = { .fd = -1 };
    int status = 0;
    unsigned i;

    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_summary(context, summary);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
        fprintf(stderr, "mshv-check: %s; see --help\n",
                error ? error->message : "arguments are not expected");
        return 2;
    }
    host.root = root;
    host.device = device;
    for (i = 0; i < n_checks; i++) {
        /* What needs what is missing would only complain of the same. */
        if (checks[i].severity == NEEDED && status) {
            continue;
        }
        if (!run(&checks[i], &host) && checks[i].severity == NEEDED) {
            status = checks[i].status;
        }
    }
    if (host.fd >= 0) {
        close(host.fd);
    }
    return fflush(stdout) ? 1 : status;
}
