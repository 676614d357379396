/*
 * What TCG's translations are told, in QEMU 10.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_COMPAT_TRANSLATION_H
#define MSHV_COMPAT_TRANSLATION_H

#include "exec/cpu-common.h"
#include "exec/cputlb.h"
#include "exec/icount.h"
#include "exec/target_page.h"

#endif
