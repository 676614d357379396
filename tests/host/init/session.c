/* SPDX-License-Identifier: GPL-2.0-or-later */
/* COMMAND: its streams, signals and end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "init.h"

int port_fd = -1;

/*
 * Frames to the person. Written when the port takes them, so that a person
 * who does not read (a pager) can still send a signal.
 */
static struct {
    char *data;
    size_t len, size;
} out;

/* Enough to keep the port busy; above it COMMAND has to wait. */
#define OUT_LIMIT   (4 * FRAME_DATA_MAX)

static struct {
    int in;                 /* COMMAND's standard input, -1: closed */
    int from[3];            /* its output [1] and errors [2], or terminal [1] */
    bool tty;
    bool stdin_ended;
    char input[STDIN_WINDOW];
    size_t input_len;
    pid_t pid;
    bool ended;
    int status;
    int counters;           /* listening socket */
} s;

/* Write what the port takes now. */
static void flush_out(void)
{
    size_t done = 0;
    ssize_t n;

    while (done < out.len) {
        n = write(port_fd, out.data + done, out.len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += n;
    }
    memmove(out.data, out.data + done, out.len - done);
    out.len -= done;
}

static void queue_frame(uint32_t type, const void *data, size_t len)
{
    FrameHeader h = { type, len };
    size_t need = out.len + sizeof(h) + len;

    if (need > out.size) {
        out.data = realloc(out.data, need);
        if (!out.data) {
            _exit(1);
        }
        out.size = need;
    }
    memcpy(out.data + out.len, &h, sizeof(h));
    if (len) {
        memcpy(out.data + out.len + sizeof(h), data, len);
    }
    out.len = need;
}

void send_frame(uint32_t type, const void *data, size_t len)
{
    struct pollfd p = { .fd = port_fd, .events = POLLOUT };

    queue_frame(type, data, len);
    for (;;) {
        flush_out();
        if (!out.len) {
            break;
        }
        poll(&p, 1, -1);
    }
}

void send_text(uint32_t type, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    send_frame(type, text, strlen(text));
}

static bool read_all(void *buf, size_t len)
{
    size_t done = 0;
    ssize_t n;

    while (done < len) {
        n = read(port_fd, (char *)buf + done, len - done);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            struct pollfd p = { .fd = port_fd, .events = POLLIN };

            poll(&p, 1, -1);
            continue;
        }
        if (n <= 0) {
            return false;
        }
        done += n;
    }
    return true;
}

char *receive_frame(FrameHeader *h)
{
    char *data;

    if (!read_all(h, sizeof(*h)) || h->len > 64u << 20) {
        return NULL;
    }
    data = malloc(h->len + 1);
    if (!data || !read_all(data, h->len)) {
        free(data);
        return NULL;
    }
    data[h->len] = 0;
    return data;
}

/* ---- Starting COMMAND ---- */

typedef struct Streams {
    int child[3];           /* what COMMAND gets */
    int terminal;           /* its end of the terminal, -1: none */
} Streams;

static void set_size(int fd, uint16_t rows, uint16_t cols)
{
    struct winsize w = { .ws_row = rows, .ws_col = cols };

    if (rows && cols) {
        ioctl(fd, TIOCSWINSZ, &w);
    }
}

static void open_terminal(const Start *st, Streams *c)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];

    if (master < 0 || unlockpt(master) < 0 ||
        ptsname_r(master, name, sizeof(name))) {
        fail("cannot make a terminal: %s", strerror(errno));
    }
    set_size(master, st->rows, st->cols);
    c->terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (c->terminal < 0) {
        fail("cannot open the terminal %s: %s", name, strerror(errno));
    }
    s.tty = true;
    s.from[1] = master;
    s.in = fcntl(master, F_DUPFD_CLOEXEC, 0);
}

static void open_streams(const Start *st, Streams *c)
{
    int p[2], i;

    s.in = s.from[1] = s.from[2] = -1;
    c->terminal = -1;
    if (st->tty[0] && st->tty[1]) {
        open_terminal(st, c);
    }
    for (i = 0; i < 3; i++) {
        if (s.tty && st->tty[i]) {
            c->child[i] = c->terminal;
            continue;
        }
        if (pipe2(p, O_CLOEXEC) < 0) {
            fail("cannot make a pipe: %s", strerror(errno));
        }
        c->child[i] = p[i != 0];
        if (i == 0) {
            s.in = p[1];
        } else {
            s.from[i] = p[0];
        }
    }
    if (s.in >= 0) {
        fcntl(s.in, F_SETFL, O_NONBLOCK);
    }
}

static void close_streams(Streams *c)
{
    int i;

    for (i = 0; i < 3; i++) {
        if (c->child[i] != c->terminal) {
            close(c->child[i]);
        }
    }
    if (c->terminal >= 0) {
        close(c->terminal);
    }
}

static void __attribute__((noreturn)) exec_command(const Start *st, Streams *c)
{
    sigset_t none;
    int i, err;

    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    if (c->terminal >= 0) {
        ioctl(c->terminal, TIOCSCTTY, 0);
    }
    for (i = 0; i < 3; i++) {
        dup2(c->child[i], i);
    }
    environ = st->env;
    execvp(st->argv[0], st->argv);
    err = errno;
    dprintf(2, "mshv-host: cannot run %s: %s\n", st->argv[0], strerror(err));
    _exit(err == ENOENT ? 127 : 126);
}

/* ---- While it runs ---- */

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* Give COMMAND the input that it takes, and report that. */
static void write_input(void)
{
    uint32_t credit = 0;
    ssize_t n;

    while (s.in >= 0 && s.input_len) {
        n = write(s.in, s.input, s.input_len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            break;
        }
        if (n < 0) {
            close_fd(&s.in);    /* COMMAND closed it */
            n = s.input_len;
        }
        credit += n;
        s.input_len -= n;
        memmove(s.input, s.input + n, s.input_len);
    }
    if (s.in < 0) {
        credit += s.input_len;
        s.input_len = 0;
    }
    if (credit) {
        queue_frame(F_CREDIT, &credit, sizeof(credit));
    }
    if (s.stdin_ended && !s.input_len && !s.tty) {
        close_fd(&s.in);
    }
}

static void handle_frame(const FrameHeader *h, const char *data)
{
    const uint32_t *word = (const uint32_t *)data;
    const uint16_t *half = (const uint16_t *)data;

    switch (h->type) {
    case F_STDIN:
        if (!h->len) {
            s.stdin_ended = true;
        } else if (h->len <= sizeof(s.input) - s.input_len) {
            memcpy(s.input + s.input_len, data, h->len);
            s.input_len += h->len;
        }
        write_input();
        break;
    case F_SIGNAL:
        if (h->len == 8 && !s.ended) {
            kill(word[1] ? -s.pid : s.pid, word[0]);
        }
        break;
    case F_WINSIZE:
        if (h->len == 4 && s.tty && s.from[1] >= 0) {
            set_size(s.from[1], half[0], half[1]);
        }
        break;
    case F_REPLY:
        counters_reply(data, h->len);
        break;
    case F_CLOSE:
        if (h->len == 4 && (word[0] == 1 || word[0] == 2)) {
            close_fd(&s.from[word[0]]);
        }
        break;
    }
}

static void read_output(int stream)
{
    static char buf[FRAME_DATA_MAX];
    ssize_t n = read(s.from[stream], buf, sizeof(buf));

    if (n > 0) {
        queue_frame(stream == 1 ? F_STDOUT : F_STDERR, buf, n);
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        close_fd(&s.from[stream]);
    }
}

static void reap(int sigfd)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;

    if (read(sigfd, &info, sizeof(info)) < 0) {
        return;
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == s.pid) {
            s.ended = true;
            s.status = status;
        }
    }
}

/* One look at everything; false: there was nothing within the time. */
static bool step(int sigfd, int timeout_ms)
{
    bool room = out.len < OUT_LIMIT;
    struct pollfd p[] = {
        { port_fd, POLLIN | (out.len ? POLLOUT : 0), 0 },
        { sigfd, POLLIN, 0 },
        { room ? s.from[1] : -1, POLLIN, 0 },
        { room ? s.from[2] : -1, POLLIN, 0 },
        { s.input_len ? s.in : -1, POLLOUT, 0 },
        { s.counters, POLLIN, 0 },
    };
    FrameHeader h;
    char *data;

    if (poll(p, 6, timeout_ms) <= 0) {
        return false;
    }
    if (p[0].revents & POLLIN) {
        data = receive_frame(&h);
        if (data) {
            handle_frame(&h, data);
            free(data);
        }
    }
    if (p[1].revents) {
        reap(sigfd);
    }
    for (int i = 1; i <= 2; i++) {
        if (p[i + 1].revents && s.from[i] >= 0) {
            read_output(i);
        }
    }
    if (p[4].revents) {
        write_input();
    }
    if (p[5].revents && counters_wanted(s.counters)) {
        queue_frame(F_COUNTERS, NULL, 0);
    }
    flush_out();
    return true;
}

/*
 * What COMMAND wrote before it ended. Not what its descendants may still
 * write: like a shell, we do not wait for those.
 */
static void drain(int sigfd)
{
    bool more = true;

    while (more && (s.from[1] >= 0 || s.from[2] >= 0)) {
        more = step(sigfd, out.len < OUT_LIMIT ? 0 : -1);
    }
}

int run_session(const Start *st)
{
    Streams c;
    sigset_t set;
    int sigfd;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    s.counters = open_counters();
    open_streams(st, &c);
    s.pid = fork();
    if (s.pid < 0) {
        fail("cannot fork: %s", strerror(errno));
    }
    if (s.pid == 0) {
        exec_command(st, &c);
    }
    close_streams(&c);
    while (!s.ended) {
        step(sigfd, -1);
    }
    drain(sigfd);
    close(sigfd);
    return s.status;
}
