/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results of a test program in TAP, the Test Anything Protocol: a line for
 * each question, and after one that failed, what was seen.
 */
#ifndef TESTS_HOST_TAP_H
#define TESTS_HOST_TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FORMAT(a, b)    __attribute__((format(printf, a, b)))

/* One question: true is the right answer. Returns @right. */
bool ok(bool right, const char *fmt, ...) FORMAT(2, 3);
/* One question whose answer is a number; says what it was if it is wrong. */
bool is_u64(uint64_t seen, uint64_t expected, const char *fmt, ...)
    FORMAT(3, 4);
/* A line for the reader. */
void say(const char *fmt, ...) FORMAT(1, 2);
/* The rest cannot be asked: ends the program as failed. */
void give_up(const char *fmt, ...) FORMAT(1, 2) __attribute__((noreturn));
/* Print the plan; the exit status of main(). */
int done(void);

/* The system call must fail with this errno. */
#define refuses(call, error, ...) do {                                  \
        errno = 0;                                                      \
        long r_ = (call);                                               \
        int e_ = r_ < 0 ? errno : 0;                                    \
        if (!ok(r_ < 0 && e_ == (error), __VA_ARGS__)) {                \
            say("expected %s, saw %s (returned %ld)", strerror(error),  \
                strerror(e_), r_);                                      \
        }                                                               \
    } while (0)

/* The system call must succeed. */
#define works(call, ...) do {                                           \
        long r_ = (call);                                               \
        int e_ = errno;                                                 \
        if (!ok(r_ >= 0, __VA_ARGS__)) {                                \
            say("saw %s", strerror(e_));                                \
        }                                                               \
    } while (0)

#endif
