/*
 * Exits for memory that the guest cannot reach directly: device registers,
 * writes to read-only memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/rcu.h"
#include "accel/mshv/access.h"
#include "accel/mshv/memory.h"
#include "emulate.h"
#include "trace.h"

/*
 * The instruction if it is one that insn_decode_move() knows, else NULL. Its
 * operand is a register's or an immediate's size, in 64-bit code.
 */
static const struct insn_move *
find_move(CPUState *cs, const struct hv_x64_memory_intercept_message *m)
{
    uint64_t rip = m->header.rip;
    MshvMove *known = &mshv_x86(cs)->moves[(rip ^ rip >> 5) % MSHV_MOVES];

    QEMU_BUILD_BUG_ON(sizeof(known->code) != sizeof(m->instruction_bytes));
    if (unlikely(memcmp(known->code, m->instruction_bytes,
                        sizeof(known->code)))) {
        struct insn_move move;

        if (!insn_decode_move(m->instruction_bytes, m->instruction_byte_count,
                              &move)) {
            return NULL;
        }
        memcpy(known->code, m->instruction_bytes, sizeof(known->code));
        known->move = move;
    }
    /* Bytes beyond the count mean nothing. A length of 0 becomes 255. */
    return (uint8_t)(known->move.length - 1) < m->instruction_byte_count
           ? &known->move : NULL;
}

/*
 * Whether @move, of 64-bit code, accesses just what the hypervisor says was
 * accessed.
 */
static bool is_plain_move(const struct hv_x64_memory_intercept_message *m,
                          const struct insn_move *move,
                          const struct hv_vp_register_page *page)
{
    uint64_t address = insn_move_address(move, page->gp_registers);

    return m->header.execution_state.efer_lma &&
           m->header.cs_segment._long && !(m->header.rflags & RF_MASK) &&
           m->memory_access_info.gva_valid &&
           m->memory_access_info.gva_gpa_valid &&
           move->write == m->header.intercept_access_type &&
           address == m->guest_virtual_address &&
           (address & ~TARGET_PAGE_MASK) + move->size <= TARGET_PAGE_SIZE;
}

/*
 * Most exits are a plain move. False, and nothing is done: this one is not.
 * Else @ret is the handler's answer.
 */
static inline bool try_move(CPUState *cs,
                            const struct hv_x64_memory_intercept_message *m,
                            int *ret, Error **errp)
{
    const struct hv_vp_register_page *page = mshv_regpage(cs);
    const struct insn_move *move = page ? find_move(cs, m) : NULL;
    uint64_t gpa, value, old;

    if (!move || !is_plain_move(m, move, page)) {
        return false;
    }
    /* Some hypervisors tell the page's address only. */
    gpa = (m->guest_physical_address & TARGET_PAGE_MASK) |
          (m->guest_virtual_address & ~TARGET_PAGE_MASK);
    old = page->gp_registers[move->reg];
    value = insn_move_value(move, page->gp_registers) & mshv_ones[move->size];
    WITH_RCU_READ_LOCK_GUARD() {
        if (!mshv_access_device(cs, false, gpa, &value, move->size,
                                move->write)) {
            return false;
        }
    }
    trace_mshv_mmio(cs->cpu_index, move->write, gpa, move->size);
    *ret = mshv_x86_finish_instruction(cs, m->header.rip + move->length,
                                       !move->write, move->reg,
                                       insn_move_result(move, old, value),
                                       errp);
    if (*ret == 0) {
        *ret = mshv_after_instruction(cs, &m->header, errp);
    }
    return true;
}

static int emulate(CPUState *cs,
                   const struct hv_x64_memory_intercept_message *m, bool write,
                   Error **errp)
{
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
    struct insn_result result;
    enum insn_status status;
    MshvEmulation e;
    int ret;

    if (m->header.intercept_access_type == HV_INTERCEPT_ACCESS_EXECUTE) {
        if (m->header.execution_state.cpl == 3) {
            return mshv_refuse_to_user(cs, &m->header, errp);
        }
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

/*
 * Not a plain access to a device. It may be none at all, but to memory of the
 * guest's that is not there. True: @ret is the handler's answer.
 */
static bool try_memory(CPUState *cs, const struct hv_message *msg, bool write,
                       int *ret, Error **errp)
{
    const struct hv_x64_memory_intercept_message *m =
        (const void *)msg->u.payload;

    if (mshv_access_was_device(cs, m->guest_physical_address, write)) {
        return false;
    }
    WITH_RCU_READ_LOCK_GUARD() {
        if (mshv_access_find(cs, false, m->guest_physical_address, 1,
                             write)->kind != MSHV_ACCESS_RAM) {
            return false;
        }
    }
    switch (mshv_memory_fault(cs, m->guest_physical_address, write,
                              msg->header.message_type == HVMSG_UNMAPPED_GPA,
                              errp)) {
    case MSHV_FAULT_AGAIN:
        *ret = 0;
        return true;
    case MSHV_FAULT_FAILED:
        *ret = -ENOMEM;
        return true;
    default:
        return false;
    }
}

int mshv_exit_memory(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    const struct hv_x64_memory_intercept_message *m =
        (const void *)msg->u.payload;
    bool write = m->header.intercept_access_type == HV_INTERCEPT_ACCESS_WRITE;
    int ret;

    if (mshv_memory_appeared(cs, m->guest_physical_address, write)) {
        return 0;
    }
    return try_move(cs, m, &ret, errp) ||
           try_memory(cs, msg, write, &ret, errp)
           ? ret : emulate(cs, m, write, errp);
}
