/*
 * What a host needs for -accel mshv, one question after the other.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_CHECK_CHECKS_H
#define MSHV_CHECK_CHECKS_H

#include <glib.h>

typedef struct Host {
    const char *root;           /* where /proc, /sys, /dev and /var are */
    const char *device;
    int fd;                     /* the device, if it could be opened */
} Host;

typedef enum Severity {
    NEEDED,                     /* without it no VM starts */
    ADVISED,                    /* without it something is slower or misled */
} Severity;

typedef struct Check {
    const char *name;
    Severity severity;
    int status;                 /* exit status if this is the first to fail */
    /*
     * True if all is well. @said is what was found, in any case; @remedy, what
     * to do, only if it is not.
     */
    bool (*ask)(Host *host, char **said, char **remedy);
} Check;

/* In this order: what comes later needs what comes before. */
extern const Check checks[];
extern const unsigned n_checks;

#endif
