/*
 * How long VMs took to start: a histogram of all that were seen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef EXPORTER_STARTUP_H
#define EXPORTER_STARTUP_H

#include "scan.h"
#include "text.h"

typedef enum StartupStage {
    STARTUP_FIRST_EXIT,
    STARTUP_FIRST_INTERRUPT,
    STARTUP__MAX
} StartupStage;

extern const char *const startup_stages[STARTUP__MAX];

/* Nanoseconds since the process began; 0: not yet, or it means nothing. */
uint64_t startup_time(const Vm *vm, StartupStage stage);

/* Count those that have come to a stage since the last call. */
void startup_observe(const Scan *scan);
void startup_write(Text *text);

#endif
