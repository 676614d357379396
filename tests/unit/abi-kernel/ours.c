/*
 * The facts as our headers have them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "mshv/hvabi.h"
#include "mshv/uapi.h"
#include "facts.h"

#define PICK(ours, kernels) ours

#define MASK(title, value) \
    { \
        uint64_t mask = (value); \
        fact_add_bits(facts, title, &mask, sizeof(mask)); \
    }

#define PROC_FEATURE(name, field) fact_add(facts, #name, name, 1);
#define XSAVE_FEATURE(name, field) MASK(#name, name)
#define SYNTH_FEATURE(name, field) MASK(#name, name)
#define VMM_CAP(name, field) MASK(#name, name)

void collect_ours(struct facts *facts)
{
#include "collect.inc"
}
