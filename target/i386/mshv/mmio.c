/*
 * Exits for memory that the guest cannot reach directly: device registers,
 * writes to read-only memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/rcu.h"
#include "accel/mshv/memory.h"
#include "emulate.h"

int mshv_exit_memory(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    const struct hv_x64_memory_intercept_message *m =
        (const void *)msg->u.payload;
    bool write = m->header.intercept_access_type == HV_INTERCEPT_ACCESS_WRITE;
    struct insn_hints hints = {
        .bytes = m->instruction_bytes,
        .nbytes = MIN(m->instruction_byte_count,
                      sizeof(m->instruction_bytes)),
        .gva_valid = m->memory_access_info.gva_valid &&
                     m->memory_access_info.gva_gpa_valid,
        .gva_write = write,
        .gva = m->guest_virtual_address,
        .gpa = m->guest_physical_address,
    };
    struct insn_result result = { 0 };
    enum insn_status status;
    MshvEmulation e;
    int ret;

    if (mshv_memory_appeared(cs, m->guest_physical_address, write)) {
        return 0;
    }
    if (m->header.intercept_access_type == HV_INTERCEPT_ACCESS_EXECUTE) {
        error_setg(errp, "the guest's next instruction, at %04x:%016" PRIx64
                   ", is no memory but a device's, at 0x%" PRIx64,
                   m->header.cs_segment.selector, m->header.rip,
                   m->guest_physical_address);
        return -ENOTSUP;
    }
    ret = mshv_emulation_begin(&e, cs, errp);
    if (ret < 0) {
        return ret;
    }
    RCU_READ_LOCK_GUARD();
    status = insn_execute(&e.cpu, &mshv_insn_ops, &e, &hints, &result);
    return mshv_emulation_end(&e, status, &result, &m->header, errp);
}
