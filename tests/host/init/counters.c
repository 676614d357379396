/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hypervisor's counters for programs on the host. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "init.h"

/* Who asked, oldest first; mshv-host answers in order. */
static int waiting[64];
static unsigned n_waiting;

int open_counters(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = COUNTERS_PATH };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
        listen(fd, 64) < 0) {
        fail("cannot listen at " COUNTERS_PATH ": %s", strerror(errno));
    }
    return fd;
}

bool counters_wanted(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0) {
        return false;
    }
    if (n_waiting == sizeof(waiting) / sizeof(*waiting)) {
        close(fd);
        return false;
    }
    waiting[n_waiting++] = fd;
    return true;
}

void counters_reply(const char *text, size_t len)
{
    int room = len;             /* the kernel doubles it, for its own part */

    if (!n_waiting) {
        return;
    }
    /* All of it, though somebody who does not read must not stop the host. */
    setsockopt(waiting[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    while (len) {
        ssize_t n = send(waiting[0], text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n <= 0) {
            break;
        }
        text += n;
        len -= n;
    }
    close(waiting[0]);
    memmove(waiting, waiting + 1, --n_waiting * sizeof(*waiting));
}
