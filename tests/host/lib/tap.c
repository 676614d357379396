/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "tap.h"

static unsigned asked, failed;

static void result(bool right, const char *fmt, va_list ap)
{
    asked++;
    failed += !right;
    printf("%sok %u - ", right ? "" : "not ", asked);
    vprintf(fmt, ap);
    putchar('\n');
    fflush(stdout);
}

bool ok(bool right, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    result(right, fmt, ap);
    va_end(ap);
    return right;
}

bool is_u64(uint64_t seen, uint64_t expected, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    result(seen == expected, fmt, ap);
    va_end(ap);
    if (seen != expected) {
        say("expected 0x%llx, saw 0x%llx", (unsigned long long)expected,
            (unsigned long long)seen);
    }
    return seen == expected;
}

void say(const char *fmt, ...)
{
    va_list ap;

    printf("# ");
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    fflush(stdout);
}

void give_up(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    result(false, fmt, ap);
    va_end(ap);
    exit(done());
}

int done(void)
{
    printf("1..%u\n", asked);
    fflush(stdout);
    return failed || !asked;
}
