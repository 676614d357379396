/*
 * Exits for memory that the guest cannot reach directly: device registers,
 * writes to read-only memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
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
static void finish_move(CPUState *cs, struct hv_vp_register_page *page,
                        uint64_t rip, const struct insn_move *move,
                        uint64_t value)
{
    CPUX86State *env = cpu_env(cs);

    /* A device may have asked for the state: then CPUX86State counts. */
    if (unlikely(cs->vcpu_dirty)) {
        env->eip = rip;
        if (!move->write) {
            env->regs[move->reg] = insn_move_result(move, value);
        }
        return;
    }
    page->rip = rip;
    page->dirty |= 1u << HV_X64_REGISTER_CLASS_IP;
    if (!move->write) {
        page->gp_registers[move->reg] = insn_move_result(move, value);
        page->dirty |= 1u << HV_X64_REGISTER_CLASS_GENERAL;
    }
}

/* Most exits are a plain move. False, and nothing is done: this one is not. */
static bool try_move(CPUState *cs,
                     const struct hv_x64_memory_intercept_message *m,
                     bool write)
{
    struct hv_vp_register_page *page = mshv_regpage(cs);
    uint64_t gpa = m->guest_physical_address, value;
    struct insn_move move;

    if (!is_plain_move(m, page, write, &move)) {
        return false;
    }
    value = move.value;
    if (!mshv_access_device(cs, false, gpa, &value, move.size, write)) {
        return false;
    }
    trace_mshv_mmio(cs->cpu_index, write, gpa, move.size);
    if (!write && move.size < 8) {
        value = extract64(value, 0, move.size * 8);
    }
    finish_move(cs, page, m->header.rip + move.length, &move, value);
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

    if (mshv_memory_appeared(cs, m->guest_physical_address, write)) {
        return 0;
    }
    RCU_READ_LOCK_GUARD();
    return try_move(cs, m, write) ? mshv_after_instruction(cs, &m->header, errp)
                                  : emulate(cs, m, write, errp);
}
