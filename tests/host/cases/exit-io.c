/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port I/O: what the messages say. */
#include "vm.h"

GUEST16(out8, "mov $0x12345678, %eax\n out %al, $0x42");
GUEST16(out16, "mov $0x3f8, %dx\n mov $0xabcd, %ax\n out %ax, %dx");
GUEST16(out32, "mov $0x3f8, %dx\n mov $0x89abcdef, %eax\n out %eax, %dx");
GUEST16(in8, "mov $0xffffffff, %eax\n in $0x60, %al\n out %eax, $1");
GUEST16(outs, "mov $0x80, %dx\n mov $0x2000, %si\n mov $3, %cx\n"
              "cld\n rep outsb");
GUEST16(ins, "mov $0x81, %dx\n mov $0x3000, %di\n cld\n insw");

static void test_out(Vm *vm, Code code, uint16_t port, unsigned size,
                     unsigned length, uint64_t value)
{
    uint64_t mask = size == 4 ? 0xffffffff : (1ull << 8 * size) - 1;
    Msg m;

    vp_start16(vm, 0, code);
    if (!vp_gives(vm, 0, &m, MSG_IO_PORT, "OUT gives a message")) {
        return;
    }
    is_u64(msg_port(&m), port, "OUT of %u bytes: port", size);
    is_u64(msg_io_info(&m) & 0x1f, size, "OUT of %u bytes: size, no string",
           size);
    is_u64(msg_access(&m), 1, "OUT of %u bytes: it is a write", size);
    is_u64(msg_io_rax(&m) & mask, value, "OUT of %u bytes: value", size);
    is_u64(msg_length_cr8(&m) & 15, length, "OUT of %u bytes: its length",
           size);
    is_u64(msg_vp(&m), 0, "OUT of %u bytes: the VP", size);
}

int main(void)
{
    Code code;
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    test_out(&vm, CODE_OF(out8), 0x42, 1, 2, 0x78);
    test_out(&vm, CODE_OF(out16), 0x3f8, 2, 1, 0xabcd);
    test_out(&vm, CODE_OF(out32), 0x3f8, 4, 2, 0x89abcdef);

    START16(&vm, 0, in8);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "IN gives a message");
    is_u64(msg_access(&m), 0, "it is a read");
    is_u64(msg_port(&m), 0x60, "of port 0x60");
    set_reg(&vm, 0, R_RAX, 0xffffff5a);
    vp_skip(&vm, 0, &m);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "the guest goes on behind it");
    is_u64(msg_io_rax(&m) & 0xffffffff, 0xffffff5a, "with the value read");

    code = CODE_OF(outs);
    vp_start16(&vm, 0, code);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "REP OUTS gives a message");
    is_u64(msg_io_info(&m) & 0x1f, 1 | 8 | 16, "string and repeated");
    is_u64(msg_io_rcx(&m) & 0xffff, 3, "its count");
    is_u64(msg_io_rsi(&m) & 0xffff, 0x2000, "its source");
    is_u64(msg_rip(&m), CODE + code.end - code.start - 2,
           "RIP is at the instruction");

    START16(&vm, 0, ins);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "INS gives a message");
    is_u64(msg_io_info(&m) & 0x1f, 2 | 8, "string, two bytes");
    is_u64(msg_io_rdi(&m) & 0xffff, 0x3000, "its destination");
    is_u64(msg_access(&m), 0, "it is a read");
    vm_free(&vm);
    return done();
}
