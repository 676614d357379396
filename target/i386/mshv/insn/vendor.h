/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: what processors of different vendors do
 * differently
 *
 * One row a difference, for all that the emulator touches.  The emulator does
 * as the guest's vendor; the differential test, whose vendor is the machine's,
 * knows from here which results no manual promises.
 */

#ifndef TARGET_I386_MSHV_INSN_VENDOR_H
#define TARGET_I386_MSHV_INSN_VENDOR_H

#include "insn.h"

struct insn_habits {
    /* REP with count 0 and 67 in 64-bit mode: RCX[63:32] is cleared. */
    bool rep_zero_count;
    /* The same of MOVS and STOS: RSI[63:32] and RDI[63:32] are cleared. */
    bool rep_zero_pointers;
    /* CR2 of VMASKMOV to memory names the last byte, not the first. */
    bool masked_store_cr2_is_last;
    /* 66 MOVSXD reads 16 bits, not 32. */
    bool movsxd_reads_16;
    /* 66 before a near branch in 64-bit mode has no effect. */
    bool near_branch_ignores_66;
    /* REX.W gives far pointers in memory an offset of 64 bits. */
    bool far_pointer_64;
    /* PUSH of a segment register with 32 bits writes only 16 of them. */
    bool push_sreg_writes_16;
    /* A null selector leaves base and limit, but if CPUID says otherwise. */
    bool null_keeps_base;
};

extern const struct insn_habits insn_vendor_habits[INSN_NVENDORS];

#endif
