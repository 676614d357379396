/*
 * What TCG's translations are told, in QEMU 10.0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_COMPAT_TRANSLATION_H
#define MSHV_COMPAT_TRANSLATION_H

#include "exec/cputlb.h"
#include "exec/exec-all.h"

#endif
