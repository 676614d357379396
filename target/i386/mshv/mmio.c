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
 * Whether the instruction is the usual one, a move of 64-bit code from or to
 * just what the hypervisor says was accessed. Then @move has it.
 */
static bool is_plain_move(const struct hv_x64_memory_intercept_message *m,
                          const struct hv_vp_register_page *page, bool write,
                          struct insn_move *move)
{
    return page && m->header.execution_state.efer_lma &&
           m->header.cs_segment._long && !(m->header.rflags & RF_MASK) &&
           m->memory_access_info.gva_valid &&
           m->memory_access_info.gva_gpa_valid &&
           insn_decode_move(m->instruction_bytes, m->instruction_byte_count,
                            page->gp_registers, move) &&
           move->write == write &&
           move->address == m->guest_virtual_address &&
           (move->address & ~TARGET_PAGE_MASK) + move->size <=
           TARGET_PAGE_SIZE;
}

/* The result of a move, to where the registers are. */
static int finish_move(CPUState *cs,
                       const struct hv_x64_memory_intercept_message *m,
                       const struct insn_move *move, uint64_t value,
                       Error **errp)
{
    uint64_t rip = m->header.rip + move->length;
    CPUX86State *env = cpu_env(cs);
    int ret = 0;

    if (!move->write) {
        value = insn_move_result(move, value);
    }
    /* A device may have asked for the state: then CPUX86State counts. */
    if (unlikely(cs->vcpu_dirty)) {
        env->eip = rip;
        if (!move->write) {
            env->regs[move->reg] = value;
        }
    } else {
        ret = mshv_x86_finish_instruction(cs, rip, !move->write, move->reg,
                                          value, errp);
    }
    return ret < 0 ? ret : mshv_after_instruction(cs, &m->header, errp);
}

/*
 * Most exits are a plain move. False, and nothing is done: this one is not.
 * Else @ret is the handler's answer.
 */
static bool try_move(CPUState *cs,
                     const struct hv_x64_memory_intercept_message *m,
                     bool write, int *ret, Error **errp)
{
    uint64_t gpa = m->guest_physical_address, value;
    struct insn_move move;

    if (!is_plain_move(m, mshv_regpage(cs), write, &move)) {
        return false;
    }
    value = move.value;
    if (!mshv_access_device(cs, false, gpa, &value, move.size, write)) {
        return false;
    }
    trace_mshv_mmio(cs->cpu_index, write, gpa, move.size);
    *ret = finish_move(cs, m, &move, value, errp);
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
    int ret = mshv_emulation_begin(&e, cs, errp);

    if (ret < 0) {
        return ret;
    }
    status = insn_execute(&e.cpu, &mshv_insn_ops, &e, &hints, &result);
    return mshv_emulation_end(&e, status, &result, &m->header, errp);
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
    if (m->header.intercept_access_type == HV_INTERCEPT_ACCESS_EXECUTE) {
        error_setg(errp, "the guest's next instruction, at %04x:%016" PRIx64
                   ", is no memory but a device's, at 0x%" PRIx64,
                   m->header.cs_segment.selector, m->header.rip,
                   m->guest_physical_address);
        return -ENOTSUP;
    }
    RCU_READ_LOCK_GUARD();
    return try_move(cs, m, write, &ret, errp) ? ret
                                              : emulate(cs, m, write, errp);
}
