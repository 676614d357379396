/*
 * What the kernel or the hypervisor refuses, and the VM goes on without.
 *
 * A guest can make it happen as often as it likes, so each kind is told once
 * and then only counted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_REFUSAL_H
#define ACCEL_MSHV_REFUSAL_H

#include "mshv/counters.h"
#include "qapi/error.h"

/* Takes @err, which says what and why. Any thread. */
void mshv_refused(MshvRefusal kind, Error *err);

#endif
