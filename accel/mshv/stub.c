/*
 * What common code asks of mshv in a build without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "mshv/mshv.h"

bool mshv_allowed;
