/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * x86 instruction emulator: what processors of different vendors do
 * differently
 */

#include <string.h>

#include "vendor.h"

const struct insn_habits insn_vendor_habits[INSN_NVENDORS] = {
    [INSN_INTEL] = {
        .rep_zero_count = true,
        .rep_zero_pointers = true,
        .masked_store_cr2_is_last = true,
        .movsxd_reads_16 = true,
        .near_branch_ignores_66 = true,
        .far_pointer_64 = true,
        .push_sreg_writes_16 = true,
        .null_keeps_base = false,
    },
    [INSN_AMD] = {
        .rep_zero_count = false,
        .rep_zero_pointers = false,
        .masked_store_cr2_is_last = false,
        .movsxd_reads_16 = false,
        .near_branch_ignores_66 = false,
        .far_pointer_64 = false,
        .push_sreg_writes_16 = false,
        .null_keeps_base = true,
    },
};

enum insn_vendor insn_vendor_of(uint32_t ebx, uint32_t ecx, uint32_t edx)
{
    /* Hygon's are AMD's. */
    static const char amd[][13] = { "AuthenticAMD", "HygonGenuine" };
    const uint32_t words[3] = { ebx, edx, ecx };
    unsigned i;

    for (i = 0; i < sizeof(amd) / sizeof(amd[0]); i++) {
        if (memcmp(words, amd[i], sizeof(words)) == 0) {
            return INSN_AMD;
        }
    }
    return INSN_INTEL;
}
