/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest virtual to physical addresses, by the hypervisor. */
#include "vm.h"

enum { READ = 1, WRITE = 2, EXECUTE = 4, USER = 0x80 };
enum { OK = 0, NOT_PRESENT = 1, PRIVILEGE = 2 };

GUEST64(code, "out %al, $1");

static uint32_t translate(Vm *vm, uint64_t gva, uint64_t flags, uint64_t *gpa)
{
    struct {
        uint64_t partition;
        uint32_t vp, zero;
        uint64_t flags, page;
    } in = { .flags = flags, .page = gva / PAGE };
    struct {
        uint32_t code, info;
        uint64_t page;
    } out = { 0 };
    int status = hypercall(vm->fd, HC_TRANSLATE, NULL, &in, sizeof(in), &out,
                           sizeof(out));

    *gpa = out.page * PAGE;
    return status ? 0x100u + status : out.code;
}

int main(void)
{
    uint64_t *pd, *pt, *pml4, *pdpt, gpa;
    Msg m;
    Vm vm;

    vm_make(&vm, 1 << 20, 1);
    is_u64(translate(&vm, 0x5000, READ, &gpa), OK, "without paging");
    is_u64(gpa, 0x5000, "addresses are the same");
    START64(&vm, 0, code);
    pml4 = (uint64_t *)(vm.mem + 0x10000);
    pdpt = (uint64_t *)(vm.mem + 0x20000);
    pd = (uint64_t *)(vm.mem + 0x21000);
    pt = (uint64_t *)(vm.mem + 0x22000);
    pml4[1] = 0x20007;
    pdpt[0] = 0x21007;
    pd[0] = 0x22007;
    pd[1] = 0x200000 | 0x83;        /* 2 MiB */
    pt[0] = 0x33000 | 7;            /* user, writable */
    pt[1] = 0x34000 | 1;            /* supervisor, read-only */
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "the guest runs in 64-bit mode");

    is_u64(translate(&vm, 0x8000000000, READ, &gpa), OK, "a 4 KiB page");
    is_u64(gpa, 0x33000, "its address");
    is_u64(translate(&vm, 0x8000000000, WRITE | USER, &gpa), OK,
           "for a user who writes");
    is_u64(translate(&vm, 0x8000001000, READ | USER, &gpa), PRIVILEGE,
           "a supervisor's page for a user");
    is_u64(translate(&vm, 0x8000001000, READ, &gpa), OK,
           "a supervisor's page for the supervisor");
    is_u64(gpa, 0x34000, "its address");
    is_u64(translate(&vm, 0x8000002000, READ, &gpa), NOT_PRESENT,
           "a page that is not present");
    is_u64(translate(&vm, 0x8000345000, READ, &gpa), OK, "a 2 MiB page");
    is_u64(gpa, 0x345000, "its address");
    is_u64(translate(&vm, 0x12345000, READ, &gpa), OK, "a 1 GiB page");
    is_u64(gpa, 0x12345000, "its address");
    is_u64(translate(&vm, 0x7000000000, READ, &gpa), NOT_PRESENT,
           "a table that is not present");
    vm_free(&vm);
    return done();
}
