/*
 * In the place of QEMU's header of that name: whoever asks it for the
 * accelerator, gets ours.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MSHV_H
#define SYSTEM_MSHV_H

#include "mshv/mshv.h"

#define mshv_msi_via_irqfd_enabled() mshv_enabled()

#endif
