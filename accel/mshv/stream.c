/*
 * Streams of migration that come here, and who saved them.
 *
 * Nothing in the stream of another accelerator says what the guest was given,
 * and QEMU's own of the same name (10.2) saves neither MSRs nor the state of a
 * local APIC: such a guest would seem to go on, and do wrong.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "mshv/mshv.h"
#include "stream.h"

static bool ours;

void mshv_stream_begins(void)
{
    ours = false;
}

/* A section of ours is there, which stands before all memory. */
void mshv_stream_is_ours(void)
{
    ours = true;
}

bool mshv_stream_check(Error **errp)
{
    if (!ours) {
        error_setg(errp, "mshv: the guest cannot come here: it was saved under "
                   "another accelerator (the stream has no section "
                   "'mshv-needs')");
    }
    return ours;
}
