/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process of the emulated host: start, run COMMAND, power off. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "init.h"

static void __attribute__((noreturn)) stop_machine(int how)
{
    sync();
    reboot(how);
    reboot(RB_AUTOBOOT);
    _exit(1);           /* the kernel panics: mshv-host reports that */
}

/*
 * What we wrote may still be on its way, and is lost at power-off: wait until
 * mshv-host has it.
 */
static void wait_for_end(void)
{
    FrameHeader h = { 0 };
    char *frame;

    do {
        frame = receive_frame(&h);
        free(frame);
    } while (frame && h.type != F_END);
}

void fail(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    send_text(F_FAIL, "%s", text);
    wait_for_end();
    stop_machine(RB_POWER_OFF);
}

/* Describe what still runs, on the console: somebody will wonder. */
static void report_survivors(void)
{
    char cmd[64], wchan[128], path[64];
    FILE *f;
    int pid;

    for (pid = 2; pid < 32768; pid++) {
        snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
        f = fopen(path, "r");
        if (!f) {
            continue;
        }
        cmd[fread(cmd, 1, sizeof(cmd) - 1, f)] = 0;
        fclose(f);
        if (!cmd[0]) {
            continue;   /* a kernel thread */
        }
        snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
        f = fopen(path, "r");
        wchan[f ? fread(wchan, 1, sizeof(wchan) - 1, f) : 0] = 0;
        if (f) {
            fclose(f);
        }
        send_text(F_NOTE, "process %d (%s) does not end; it waits in %s",
                  pid, cmd, wchan[0] ? wchan : "user space");
    }
}

/* Whether any process is left: all are children of ours in the end. */
static bool anybody_left(void)
{
    pid_t pid;

    do {
        pid = waitpid(-1, NULL, WNOHANG);
    } while (pid > 0);
    return pid == 0;
}

/* End what COMMAND left behind: politely, then by force after half a second. */
static void end_processes(void)
{
    const struct timespec tick = { .tv_nsec = 2 * 1000 * 1000 };
    int i;

    for (i = 0; i < 5000 && anybody_left(); i++) {
        if (i == 0) {
            kill(-1, SIGTERM);
        } else if (i >= 250) {
            kill(-1, SIGKILL);
        }
        nanosleep(&tick, NULL);
    }
    if (anybody_left()) {
        report_survivors();
    }
}

int main(void)
{
    FrameHeader h;
    Start st = { 0 };
    uint32_t word = PROTOCOL;
    char *frame;

    signal(SIGPIPE, SIG_IGN);
    early_mounts();
    port_fd = open_port();
    send_frame(F_HELLO, &word, sizeof(word));
    frame = receive_frame(&h);
    if (frame && h.type == F_REBOOT) {
        stop_machine(RB_AUTOBOOT);
    }
    if (!frame || h.type != F_START || !parse_start(frame, h.len, &st)) {
        fail("mshv-host sent something else than a command to run");
    }
    set_up_host(&st);
    word = run_session(&st);
    end_processes();
    unmount_shares(&st);
    send_frame(F_EXIT, &word, sizeof(word));
    wait_for_end();
    stop_machine(RB_POWER_OFF);
}
