/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of the emulated host, and its talk with mshv-host.
 *
 * Both ends exchange frames over one virtio-serial port: a header of two
 * little-endian 32-bit words, type and length of the payload, then the
 * payload. One stream for everything keeps the order of standard output,
 * standard error and the exit status.
 */
#ifndef MSHV_HOST_INIT_H
#define MSHV_HOST_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PORT_NAME       "mshv-host.0"
#define PROTOCOL        1
#define FRAME_DATA_MAX  65536           /* bytes of payload, but for START */
#define STDIN_WINDOW    65536           /* bytes not yet taken by COMMAND */

typedef struct FrameHeader {
    uint32_t type;
    uint32_t len;
} FrameHeader;

enum {
    /* From the host */
    F_HELLO = 1,    /* u32 PROTOCOL */
    F_FAIL,         /* text: the host cannot run COMMAND */
    F_NOTE,         /* text: a warning for the person */
    F_STDOUT,       /* data */
    F_STDERR,       /* data */
    F_CREDIT,       /* u32: bytes of standard input that COMMAND took */
    F_EXIT,         /* u32: status as wait() has it; the last frame */
    F_COUNTERS,     /* wants the hypervisor's counters */
    /* To the host */
    F_START = 64,   /* records, see setup.c */
    F_STDIN,        /* data; none: end of file */
    F_SIGNAL,       /* u32 number, u32 1: the whole process group */
    F_WINSIZE,      /* u16 rows, u16 columns */
    F_CLOSE,        /* u32 1 or 2: nobody reads standard output or error */
    F_REBOOT,       /* instead of START */
    F_REPLY,        /* text: the counters */
    F_END,          /* EXIT or FAIL has come through: power off */
};

/* What START asks for; the strings live in its payload. */
typedef struct Start {
    char **argv;
    char **env;
    const char *cwd;
    char *shares[32];       /* "tag path", writable */
    unsigned n_shares;
    unsigned address;       /* 10.77.0.address on eth0; 0: no network */
    bool need_mshv;
    bool tty[3];            /* what is the terminal: 0 and 1 both or none */
    uint16_t rows, cols;
} Start;

/* setup.c */
void early_mounts(void);
int open_port(void);
bool parse_start(char *data, size_t len, Start *st);
/* Make the machine's file system the root, and all that Start wants. */
void set_up_host(const Start *st);
void unmount_shares(const Start *st);

/* session.c */
void send_frame(uint32_t type, const void *data, size_t len);
void send_text(uint32_t type, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The next frame; NULL when the other end is gone. Free it. */
char *receive_frame(FrameHeader *h);
/* Run COMMAND to its end; the status as wait() has it. */
int run_session(const Start *st);
extern int port_fd;

/*
 * counters.c: a socket that gives whoever connects the hypervisor's counters,
 * as JSON.
 */
#define COUNTERS_PATH   "/run/mshv-host/counters"
int open_counters(void);
/* Somebody connected; true if mshv-host must be asked. */
bool counters_wanted(int listener);
void counters_reply(const char *text, size_t len);

/* main.c */
void fail(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
