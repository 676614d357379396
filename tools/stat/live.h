/*
 * The live view of mshv-stat.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STAT_LIVE_H
#define STAT_LIVE_H

#include "sample.h"

/* Until the user quits. @interval in milliseconds. False: no terminal. */
bool live(View view, SortBy sort, const char *filter, unsigned interval);

#endif
