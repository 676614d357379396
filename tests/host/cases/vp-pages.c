/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages of a VP that can be mapped, and the register page's use. */
#include <string.h>
#include <sys/mman.h>
#include "vm.h"

GUEST16(code, "out %al, $0x10\n out %al, $0x11\n hlt");

/* Offsets of the register page */
enum { VALID = 2, DIRTY = 4, RAX = 8, RBX = 0x20, RIP = 0x88, RFLAGS = 0x90,
       CS = 0x108, CR0 = 0x160, VECTORS = 0x2b0 };
enum { DIRTY_GENERAL = 1, DIRTY_IP = 2 };

static void *map(int fd, unsigned page)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                page * PAGE);
}

static uint64_t u64(uint8_t *page, unsigned offset)
{
    return LOAD((uint64_t *)(page + offset));
}

static uint32_t u32(uint8_t *page, unsigned offset)
{
    return LOAD((uint32_t *)(page + offset));
}

static void set_u64(uint8_t *page, unsigned offset, uint64_t value)
{
    STORE((uint64_t *)(page + offset), value);
}

/* The kernel's next free pages are not zero; it does not clear ours. */
static void soil_memory(void)
{
    size_t size = 256 << 20;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p != MAP_FAILED) {
        madvise(p, size, MADV_NOHUGEPAGE);
        memset(p, 0xa5, size);
        munmap(p, size);
    }
}

static bool zero_from(uint8_t *page, unsigned offset)
{
    while (offset < PAGE && !LOAD(&page[offset])) {
        offset++;
    }
    return offset == PAGE;
}

int main(void)
{
    uint8_t *regs, *message;
    Msg m;
    Vm vm;

    soil_memory();
    vm_make(&vm, 1 << 20, 1);
    regs = map(vm.vps[0], MSHV_VP_MMAP_OFFSET_REGISTERS);
    message = map(vm.vps[0], MSHV_VP_MMAP_OFFSET_INTERCEPT_MESSAGE);
    ok(regs != MAP_FAILED, "the register page maps");
    ok(message != MAP_FAILED, "the message page maps");
    if (regs == MAP_FAILED || message == MAP_FAILED) {
        return done();
    }
    ok(map(vm.vps[0], MSHV_VP_MMAP_OFFSET_GHCB) == MAP_FAILED &&
       errno == ENODEV, "there is no GHCB page");
    ok(map(vm.vps[0], MSHV_VP_MMAP_OFFSET_COUNT) == MAP_FAILED &&
       errno == EINVAL, "there is no fourth page");

    ok(zero_from(regs, VECTORS), "no interrupt vectors at first");
    ok(zero_from(message, 0), "no message at first");

    START16(&vm, 0, code);
    set_reg(&vm, 0, R_RAX, 0x1234);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "the guest writes to a port");
    is_u64(u32(message, 0), MSG_IO_PORT,
           "the message page has the message");
    is_u64(u32(regs, 0) & 0xffff, 1, "the register page has version 1");
    is_u64(LOAD(&regs[VALID]), 1, "the register page is valid");
    is_u64(u32(regs, DIRTY), 0, "nothing in it is dirty");
    is_u64(u64(regs, RAX), 0x1234, "it has RAX");
    is_u64(u64(regs, RIP), CODE, "it has RIP");
    is_u64(u64(regs, RFLAGS), get_reg(&vm, 0, R_RFLAGS), "it has RFLAGS");
    is_u64(u64(regs, CR0), get_reg(&vm, 0, R_CR0), "it has CR0");

    set_u64(regs, RAX, 0x77);
    set_u64(regs, RIP, CODE + 2);
    STORE((uint32_t *)(regs + DIRTY), DIRTY_GENERAL | DIRTY_IP);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "the guest goes on");
    is_u64(msg_port(&m), 0x11, "from the RIP in the page");
    is_u64(msg_io_rax(&m) & 0xff, 0x77, "with the RAX in the page");
    is_u64(u32(regs, DIRTY), 0, "nothing is dirty again");

    /* What is not marked dirty must not be taken. */
    set_u64(regs, RAX, 0x55);
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "the same instruction again");
    is_u64(msg_io_rax(&m) & 0xff, 0x77, "RAX is as it was: not dirty");
    set_reg(&vm, 0, R_RBX, 0xabc);
    is_u64(u64(regs, RBX), 0xabc, "the page shows what a hypercall set");
    return done();
}
