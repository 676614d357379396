/*
 * From one mode of the processor to another, by writes of registers each of
 * which the processor itself would allow. Knows no QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_MSHV_MODE_H
#define TARGET_I386_MSHV_MODE_H

#include "mshv/hvabi.h"

/* What a processor's mode is made of. */
typedef struct MshvMode {
    uint64_t cr0, cr3, cr4, efer;
    uint64_t apic_base;
    struct hv_x64_segment_register cs;
} MshvMode;

/* What a change takes at most. */
#define MSHV_MODE_WRITES        12

/*
 * The writes, in order, that lead from mode @from to a mode with @to's control
 * registers, EFER and APIC base. CS is left to the caller, who must write it
 * after these. Returns how many.
 */
unsigned mshv_mode_change(const MshvMode *from, const MshvMode *to,
                          struct hv_register_assoc *writes);

#endif
