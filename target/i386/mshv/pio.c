/*
 * Exits for port I/O.
 *
 * IN and OUT are answered from the message alone: it says the port, the size,
 * RAX and the length of the instruction. INS and OUTS, and what the message
 * does not explain, go to the instruction emulator.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/rcu.h"
#include "accel/mshv/access.h"
#include "emulate.h"
#include "trace.h"

static int emulate(CPUState *cs,
                   const struct hv_x64_io_port_intercept_message *io, bool in,
                   Error **errp)
{
    struct insn_hints hints = {
        .bytes = io->instruction_bytes,
        .nbytes = MIN(io->instruction_byte_count,
                      sizeof(io->instruction_bytes)),
        .io_allowed = true,
    };
    struct insn_result result;
    enum insn_status status;
    MshvEmulation e;
    int ret = mshv_emulation_begin(&e, cs, errp);

    if (ret < 0) {
        return ret;
    }
    RCU_READ_LOCK_GUARD();
    if (io->access_info.string_op) {
        status = insn_string_io(&e.cpu, &mshv_insn_ops, &e, &hints,
                                io->port_number, io->access_info.access_size,
                                in, &result);
    } else {
        status = insn_execute(&e.cpu, &mshv_insn_ops, &e, &hints, &result);
    }
    return mshv_emulation_end(&e, status, &result, &io->header, errp);
}

/* @value has no bits beyond @size bytes. */
static uint64_t merge(uint64_t rax, uint32_t value, unsigned size)
{
    return size == 4 ? value : (rax & ~mshv_ones[size]) | value;
}

static int finish(CPUState *cs,
                  const struct hv_x64_io_port_intercept_message *io, bool in,
                  uint32_t value, unsigned size, Error **errp)
{
    uint64_t rip = io->header.rip + io->header.instruction_length;
    uint64_t rax = 0;
    int ret;

    if (!(io->header.execution_state.efer_lma &&
          io->header.cs_segment._long)) {
        rip = (uint32_t)rip;
    }
    if (in) {
        /* A port's handler may change the CPU's state, RAX too (vmport). */
        rax = unlikely(cs->vcpu_dirty) ? cpu_env(cs)->regs[R_EAX] : io->rax;
        rax = merge(rax, value, size);
    }
    ret = mshv_x86_finish_instruction(cs, rip, in, R_EAX, rax, errp);
    return ret < 0 ? ret : mshv_after_instruction(cs, &io->header, errp);
}

/* Ports that belong to several devices, or take smaller accesses. */
static uint32_t access_parts(CPUState *cs, uint16_t port, uint32_t value,
                             unsigned size, bool in)
{
    uint8_t buf[4];

    stl_le_p(buf, value);
    if (in) {
        mshv_access_read(cs, true, port, buf, size, 1);
    } else {
        mshv_access_write(cs, true, port, buf, size, 1);
    }
    return ldl_le_p(buf) & mshv_ones[size];
}

int mshv_exit_io_port(CPUState *cs, const struct hv_message *msg, Error **errp)
{
    const struct hv_x64_io_port_intercept_message *io =
        (const void *)msg->u.payload;
    bool write = io->header.intercept_access_type & HV_INTERCEPT_ACCESS_WRITE;
    unsigned size = io->access_info.access_size;
    uint64_t mask = mshv_ones[size], value = io->rax & mask;

    if (io->access_info.string_op || !io->header.instruction_length || !mask) {
        return emulate(cs, io, !write, errp);
    }
    WITH_RCU_READ_LOCK_GUARD() {
        if (!mshv_access_device(cs, true, io->port_number, &value, size,
                                write)) {
            value = access_parts(cs, io->port_number, value, size, !write);
        }
    }
    trace_mshv_pio(cs->cpu_index, write, io->port_number, size, value);
    return finish(cs, io, !write, value, size, errp);
}
