/*
 * mshv-exporter: the VMs of this host that run on -accel mshv, for Prometheus.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "metrics.h"
#include "serve.h"

static char *listen_address;
static char *output;
static gboolean once;
static gboolean reference;

static const GOptionEntry options[] = {
    { "listen", 0, 0, G_OPTION_ARG_STRING, &listen_address,
      "where to serve /metrics (default: 127.0.0.1:9743)", "ADDRESS:PORT" },
    { "once", 0, 0, G_OPTION_ARG_NONE, &once,
      "write the page once, and end", NULL },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &output,
      "with --once: to this file, as a whole or not at all", "FILE" },
    { "reference", 0, 0, G_OPTION_ARG_NONE, &reference,
      "write what each metric means", NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL }
};

static bool write_all(int fd, const GString *page)
{
    size_t done = 0;

    while (done < page->len) {
        ssize_t n = write(fd, page->str + done, page->len - done);

        if (n < 0 && errno != EINTR) {
            return false;
        }
        done += n < 0 ? 0 : n;
    }
    return true;
}

static bool fail(const char *file, GError **error)
{
    g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                "cannot write %s: %s", file, g_strerror(errno));
    return false;
}

/* Whoever reads the file sees the old one or the new one, never a part. */
static bool write_file(const char *file, const GString *page, GError **error)
{
    g_autofree char *new = g_strconcat(file, ".new", NULL);
    int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool good;

    if (fd < 0) {
        return fail(new, error);
    }
    good = write_all(fd, page);
    good = close(fd) == 0 && good;
    if (!good || rename(new, file) < 0) {
        int saved = errno;

        unlink(new);
        errno = saved;
        return fail(file, error);
    }
    return true;
}

static bool print(GString *page, GError **error)
{
    bool good = output ? write_file(output, page, error)
                       : write_all(STDOUT_FILENO, page) ||
                         fail("the page", error);

    g_string_free(page, TRUE);
    return good;
}

static bool run(GError **error)
{
    if (output && !once) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                            "--output needs --once");
        return false;
    }
    if (reference) {
        return print(metrics_reference(), error);
    }
    if (once) {
        return print(metrics_page(), error);
    }
    return serve(listen_address ? listen_address : "127.0.0.1:9743", error);
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(context,
        "Statistics of the VMs on this host that run on QEMU's -accel mshv, "
        "for Prometheus.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "mshv-exporter: %s; see --help\n", error->message);
        return 2;
    }
    if (argc > 1) {
        fprintf(stderr, "mshv-exporter: unknown argument '%s'; see --help\n",
                argv[1]);
        return 2;
    }
    if (!run(&error)) {
        fprintf(stderr, "mshv-exporter: %s\n", error->message);
        return 1;
    }
    return 0;
}
