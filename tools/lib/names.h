/*
 * What the numbers in the counters are called.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TOOLS_NAMES_H
#define TOOLS_NAMES_H

#include <stdint.h>
#include "mshv/counters.h"
#include "snapshot.h"

/* As query-stats has them. */
extern const char *const call_names[MSHV_CALL__MAX];
extern const char *const fallback_names[MSHV_FALLBACK__MAX];
extern const char *const state_names[MSHV_VM__MAX];

/* Kinds of exits; NULL behind the last one, which is "other". */
extern const char *const exit_names[SNAPSHOT_KINDS];
unsigned exit_kind_of_type(uint32_t type);

#endif
