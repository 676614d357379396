/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory that is not there, not writable, or not yet backed. */
#include <sys/mman.h>
#include "vm.h"

/* ES is set to reach 1 MiB (unmapped) and 2 MiB by its base. */
GUEST16(load, "mov %es:0x123, %al\n hlt");
GUEST16(store, "movw $0xbeef, %es:0x200\n hlt");
GUEST16(jump, "ljmp $0xffff, $0x10");
GUEST16(touch, "movb $0x5a, %es:0x300\n mov %es:0x300, %al\n out %al, $1");

enum { HOLE = 0x400000, ROM = 0x800000, LATE = 0xa00000 };

static void start(Vm *vm, Code code, uint64_t base)
{
    vp_start16(vm, 0, code);
    if (try_set_reg(vm, 0, R_ES, segment(base, 0xffff, 0, ATTR_DATA16))) {
        give_up("ES cannot be set");
    }
}
#define START(vm, name, base) start(vm, CODE_OF(name), base)

static void check(const Msg *m, uint64_t gpa, unsigned access,
                  Code code, const char *what)
{
    is_u64(msg_gpa(m), gpa, "%s: guest physical address", what);
    is_u64(msg_access(m), access, "%s: kind of access", what);
    ok(msg_mem_info(m) & 1, "%s: the virtual address is valid", what);
    is_u64(msg_gva(m), gpa, "%s: guest virtual address", what);
    is_u64(msg_rip(m), CODE, "%s: RIP is at the instruction", what);
    ok(msg_mem_bytes(m) >= 5 && !memcmp(m->bytes + 16 + 64, code.start, 5),
       "%s: the instruction's bytes", what);
}

int main(void)
{
    uint8_t *rom, *late;
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    START(&vm, load, HOLE);
    if (vp_gives(&vm, 0, &m, MSG_UNMAPPED_GPA, "a load from nowhere")) {
        check(&m, HOLE + 0x123, 0, CODE_OF(load), "load");
    }
    START(&vm, store, HOLE);
    if (vp_gives(&vm, 0, &m, MSG_UNMAPPED_GPA, "a store to nowhere")) {
        check(&m, HOLE + 0x200, 1, CODE_OF(store), "store");
    }
    START16(&vm, 0, jump);
    if (vp_gives(&vm, 0, &m, MSG_UNMAPPED_GPA, "a jump to nowhere")) {
        is_u64(msg_gpa(&m), 0x100000, "jump: guest physical address");
        is_u64(msg_access(&m), 2, "jump: kind of access");
    }

    rom = anon(PAGE);
    rom[0x123] = 0x77;
    works(vm_map(&vm, ROM, rom, PAGE, 1u << MSHV_SET_MEM_BIT_EXECUTABLE),
          "memory that cannot be written");
    START(&vm, store, ROM);
    if (vp_gives(&vm, 0, &m, MSG_GPA_INTERCEPT, "a store to it")) {
        check(&m, ROM + 0x200, 1, CODE_OF(store), "store to ROM");
    }
    is_u64(rom[0x200], 0, "it is as it was");

    late = anon(16 * PAGE);
    works(vm_map(&vm, LATE, late, 16 * PAGE, RAM_FLAGS),
          "memory that nobody has touched");
    START(&vm, touch, LATE);
    vp_gives(&vm, 0, &m, MSG_IO_PORT,
             "it is there at the first touch, without a message");
    is_u64(msg_io_rax(&m) & 0xff, 0x5a, "the guest reads what it wrote");
    is_u64(late[0x300], 0x5a, "we read what it wrote");
    late[0x300] = 0;
    madvise(late, 16 * PAGE, MADV_DONTNEED);
    START(&vm, touch, LATE);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "it comes back after we dropped it");
    is_u64(late[0x300], 0x5a, "as the same memory for us and the guest");

    works(vm_unmap(&vm, LATE, late, 16 * PAGE), "the memory is unmapped");
    START(&vm, touch, LATE);
    ok(vp_run(&vm, 0, &m) == 0 && (m.type == MSG_UNMAPPED_GPA ||
                                   m.type == MSG_GPA_INTERCEPT),
       "then a store to it gives a message (0x%x)", m.type);
    vm_free(&vm);
    return done();
}
