/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "stop" and "cont" over a QMP socket, many times, between marks (count.c).
 * Usage: stop-cont SOCKET TIMES. Says so and ends with 1 if QEMU goes away.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fd;

/* Send a command and read until its answer, across events, is there. */
static void command(const char *text)
{
    static char buf[65536];
    size_t have = 0;
    ssize_t n;

    if (write(fd, text, strlen(text)) < 0) {
        perror("stop-cont: write");
        exit(1);
    }
    for (;;) {
        n = read(fd, buf + have, sizeof(buf) - 1 - have);
        if (n <= 0) {
            fprintf(stderr, "stop-cont: QEMU has gone\n");
            exit(1);
        }
        have += n;
        buf[have] = 0;
        if (strstr(buf, "\"return\"") && buf[have - 1] == '\n') {
            return;
        }
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int i, times;

    if (argc != 3) {
        fprintf(stderr, "usage: stop-cont SOCKET TIMES\n");
        return 2;
    }
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", argv[1]);
    times = atoi(argv[2]);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        perror("stop-cont: connect");
        return 1;
    }
    command("{\"execute\": \"qmp_capabilities\"}\n");
    for (i = 0; i < 5; i++) {
        command("{\"execute\": \"stop\"}\n");
        command("{\"execute\": \"cont\"}\n");
    }
    __asm__ volatile("nopl 0x6d730001(%%rax)" : : : "memory");
    for (i = 0; i < times; i++) {
        command("{\"execute\": \"stop\"}\n");
        command("{\"execute\": \"cont\"}\n");
    }
    __asm__ volatile("nopl 0x6d730002(%%rax)" : : : "memory");
    return 0;
}
