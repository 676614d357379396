/*
 * The interface of the Microsoft hypervisor, as plain C11.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One include for everybody who speaks it: the accelerator (through
 * /dev/mshv, see mshv/uapi.h) and the emulated hypervisor. Needs neither
 * QEMU nor kernel headers, and can be included beside QEMU's hyperv-proto.h:
 * a macro that both define has the same tokens in both.
 *
 * Names are those of the Linux headers (include/hyperv) where Linux has the
 * thing, so that a search finds both sides; tests/unit/abi-kernel compares
 * them. Integers are little endian, as on every host of this hypervisor.
 */
#ifndef MSHV_HVABI_H
#define MSHV_HVABI_H

#include "mshv/hvabi-base.h"
#include "mshv/hvabi-cpuid.h"
#include "mshv/hvabi-msr.h"
#include "mshv/hvabi-regs.h"
#include "mshv/hvabi-regvals.h"
#include "mshv/hvabi-partition.h"
#include "mshv/hvabi-vp.h"
#include "mshv/hvabi-msgs.h"
#include "mshv/hvabi-calls-partition.h"
#include "mshv/hvabi-calls-vp.h"
#include "mshv/hvabi-calls-synic.h"

#endif
