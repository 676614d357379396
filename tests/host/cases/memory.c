/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSHV_SET_GUEST_MEMORY: regions, and what is refused. */
#include <sys/mman.h>
#include <unistd.h>
#include "vm.h"

static int set(Vm *vm, uint64_t size, uint64_t pfn, uint64_t address,
               uint8_t flags, uint8_t reserved)
{
    struct mshv_user_mem_region r = {
        .size = size, .guest_pfn = pfn, .userspace_addr = address,
        .flags = flags,
    };

    r.rsvd[6] = reserved;
    return ioctl(vm->fd, MSHV_SET_GUEST_MEMORY, &r);
}

int main(void)
{
    enum { SIZE = 1 << 20, PFN = 0x1000 };
    uint8_t unmap = 1u << MSHV_SET_MEM_BIT_UNMAP;
    uint8_t *mem = anon(2 * SIZE);
    uint64_t at = (uintptr_t)mem;
    Vm vm;

    vm_make(&vm, 0, 1);
    refuses(set(&vm, 0, PFN, at, RAM_FLAGS, 0), EINVAL, "no size");
    refuses(set(&vm, SIZE + 1, PFN, at, RAM_FLAGS, 0), EINVAL,
            "a size that is no number of pages");
    refuses(set(&vm, SIZE, PFN, at + 8, RAM_FLAGS, 0), EINVAL,
            "an address within a page");
    refuses(set(&vm, SIZE, PFN, at, 1u << MSHV_SET_MEM_BIT_COUNT, 0), EINVAL,
            "an unknown flag");
    refuses(set(&vm, SIZE, PFN, at, RAM_FLAGS, 1), EINVAL,
            "reserved bytes that are not zero");
    refuses(set(&vm, SIZE, PFN, PAGE, RAM_FLAGS, 0), EINVAL,
            "an address where no memory is");
    refuses(ioctl(vm.fd, MSHV_SET_GUEST_MEMORY, NULL), EFAULT,
            "a region from nowhere");
    refuses(set(&vm, SIZE, PFN, at, unmap, 0), ENOENT,
            "to unmap what is not mapped");
    works(set(&vm, SIZE, PFN, at, RAM_FLAGS, 0), "a region");
    refuses(set(&vm, SIZE, PFN, at + SIZE, RAM_FLAGS, 0), EEXIST,
            "a second at the same place");
    refuses(set(&vm, SIZE, PFN + SIZE / PAGE - 1, at, RAM_FLAGS, 0), EEXIST,
            "one that overlaps by a page");
    works(set(&vm, SIZE, PFN + SIZE / PAGE, at, RAM_FLAGS, 0),
          "the same memory at another place");
    refuses(set(&vm, SIZE / 2, PFN, at, unmap, 0), EINVAL,
            "to unmap half of a region");
    refuses(set(&vm, SIZE, PFN + 1, at, unmap, 0), EINVAL,
            "to unmap from its middle");
    refuses(set(&vm, SIZE, PFN, at + PAGE, unmap, 0), EINVAL,
            "to unmap it with another address");
    works(set(&vm, SIZE, PFN, at, unmap, 0), "to unmap it");
    refuses(set(&vm, SIZE, PFN, at, unmap, 0), ENOENT, "to unmap it twice");
    works(set(&vm, SIZE, PFN, at + SIZE, RAM_FLAGS, 0),
          "other memory at its place");
    vm_free(&vm);
    return done();
}
