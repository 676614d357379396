/*
 * What the numbers in the counters are called; query-stats has mshv/names.h,
 * too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TOOLS_NAMES_H
#define TOOLS_NAMES_H

#include <stdint.h>
#include "mshv/names.h"
#include "snapshot.h"

extern const char *const fallback_names[MSHV_FALLBACK__MAX];
extern const char *const state_names[MSHV_VM__MAX];

/* Of kinds of exits; NULL behind the last one, which is "other". */
const char *exit_name(unsigned kind);
unsigned exit_kind_of_type(uint32_t type);

#endif
