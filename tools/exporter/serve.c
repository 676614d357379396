/*
 * The exporter's HTTP server: GET /metrics, and nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <gio/gio.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "metrics.h"
#include "serve.h"

#define CONNECTIONS 16
#define TIMEOUT 10              /* seconds */

static enum MHD_Result answer(struct MHD_Connection *connection,
                              unsigned status, GString *body,
                              const char *type)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->len, body->str,
                                        MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    g_string_free(body, TRUE);
    if (!response) {
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *opaque, struct MHD_Connection *connection,
                              const char *url, const char *method,
                              const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    static int seen;

    /* The first call is for the header alone. */
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        *upload_size = 0;
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                      g_string_new("only GET\n"), "text/plain");
    }
    if (strcmp(url, "/metrics") != 0) {
        return answer(connection, MHD_HTTP_NOT_FOUND,
                      g_string_new("the page is /metrics\n"), "text/plain");
    }
    return answer(connection, MHD_HTTP_OK, metrics_page(),
                  "text/plain; version=0.0.4; charset=utf-8");
}

/* "ADDRESS:PORT", where an address of IPv6 is in brackets. */
static bool split_address(const char *address, char **host, char **port)
{
    const char *colon = strrchr(address, ':');
    size_t length;

    if (!colon || !colon[1] || colon == address) {
        return false;
    }
    length = colon - address;
    if (address[0] == '[') {
        if (length < 3 || colon[-1] != ']') {
            return false;
        }
        *host = g_strndup(address + 1, length - 2);
    } else if (memchr(address, ':', length)) {
        return false;
    } else {
        *host = g_strndup(address, length);
    }
    *port = g_strdup(colon + 1);
    return true;
}

static int bind_to(const struct addrinfo *info)
{
    int one = 1, fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
        listen(fd, CONNECTIONS) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

static int listen_at(const char *address, GError **error)
{
    struct addrinfo hints = {
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
    };
    g_autofree char *host = NULL, *port = NULL;
    struct addrinfo *info = NULL;
    int fd;

    if (!split_address(address, &host, &port) ||
        getaddrinfo(host, port, &hints, &info) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                    "'%s' is no ADDRESS:PORT in numbers", address);
        return -1;
    }
    fd = bind_to(info);
    freeaddrinfo(info);
    if (fd < 0) {
        g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
                    "cannot listen at %s: %s", address, g_strerror(errno));
    }
    return fd;
}

/* A port 0 was for the kernel to choose. */
static void tell_where(int fd)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof(at);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&at, &size) == 0 &&
        getnameinfo((struct sockaddr *)&at, size, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        fprintf(stderr, "mshv-exporter: listening at %s port %s\n", host,
                port);
    }
}

bool serve(const char *address, GError **error)
{
    struct MHD_Daemon *daemon;
    int fd = listen_at(address, error), number;
    sigset_t ends;

    if (fd < 0) {
        return false;
    }
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO,
                              0, NULL, NULL, handle, NULL,
                              MHD_OPTION_LISTEN_SOCKET, fd,
                              MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
                              MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT,
                              MHD_OPTION_END);
    if (!daemon) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                    "cannot start the server: %s", g_strerror(errno));
        close(fd);
        return false;
    }
    tell_where(fd);
    sigwait(&ends, &number);
    MHD_stop_daemon(daemon);
    return true;
}
