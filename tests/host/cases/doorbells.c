/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSHV_IOEVENTFD: writes that signal instead of giving a message. */
#include <sys/eventfd.h>
#include <unistd.h>
#include "vm.h"

enum { BELL = 0x500000 };
/* Lengths of the guest's instructions */
enum { MOVL = 10, MOVB = 6 };

GUEST16(guest,
    "movl $7, %es:0\n movl $8, %es:0\n movb $7, %es:0\n movl $7, %es:4\n"
    "movw $3, %es:0x10\n out %al, $1");

static int set(Vm *vm, int fd, uint64_t addr, uint32_t len, uint64_t match,
               uint32_t flags)
{
    struct mshv_user_ioeventfd args = {
        .datamatch = match, .addr = addr, .len = len, .fd = fd, .flags = flags,
    };

    return ioctl(vm->fd, MSHV_IOEVENTFD, &args);
}

/* How often it was signalled; waits a little, for it comes by interrupt. */
static uint64_t rings(int fd, uint64_t expected)
{
    uint64_t total = 0, n;
    unsigned i;

    for (i = 0; i < 100; i++) {
        if (eventfd_read(fd, &n) == 0) {
            total += n;
        }
        if (total >= expected && i > 5) {
            break;
        }
        usleep(5000);
    }
    return total;
}

static void test_refusals(Vm *vm, int fd)
{
    uint32_t match = 1u << MSHV_IOEVENTFD_BIT_DATAMATCH;
    uint32_t off = 1u << MSHV_IOEVENTFD_BIT_DEASSIGN;

    refuses(set(vm, fd, BELL, 3, 0, 0), EINVAL, "3 bytes");
    refuses(set(vm, fd, ~0ull, 4, 0, 0), EINVAL, "beyond the last address");
    refuses(set(vm, fd, BELL, 4, 0, 1u << MSHV_IOEVENTFD_BIT_COUNT), EINVAL,
            "an unknown flag");
    refuses(set(vm, fd, 0x70, 4, 0, 1u << MSHV_IOEVENTFD_BIT_PIO),
            EOPNOTSUPP, "a port");
    refuses(set(vm, -1, BELL, 4, 0, 0), EBADF, "no descriptor");
    refuses(set(vm, fd, BELL, 4, 0, off), ENOENT, "to remove what is not");
    works(set(vm, fd, BELL, 4, 7, match), "for a value");
    refuses(set(vm, fd, BELL, 4, 7, match), EEXIST, "for the same value");
    refuses(set(vm, fd, BELL, 4, 0, 0), EEXIST, "for all values beside it");
    refuses(set(vm, fd, BELL, 4, 6, match | off), ENOENT,
            "to remove another value");
}

int main(void)
{
    uint32_t match = 1u << MSHV_IOEVENTFD_BIT_DATAMATCH;
    int a = eventfd(0, EFD_NONBLOCK), b = eventfd(0, EFD_NONBLOCK);
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    test_refusals(&vm, a);      /* leaves a: 4 bytes, value 7 */
    works(set(&vm, b, BELL + 0x10, 0, 0, 0), "another for any size");
    START16(&vm, 0, guest);
    if (try_set_reg(&vm, 0, R_ES, segment(BELL, 0xffff, 0, ATTR_DATA16))) {
        give_up("ES cannot be set");
    }
    if (vp_gives(&vm, 0, &m, MSG_UNMAPPED_GPA, "another value: a message")) {
        is_u64(msg_gpa(&m), BELL, "at the same address");
        is_u64(msg_rip(&m), CODE + MOVL, "it is of the second store");
        is_u64(rings(a, 1), 1, "the first store signalled once");
        set_reg(&vm, 0, R_RIP, msg_rip(&m) + MOVL);
    }
    if (vp_gives(&vm, 0, &m, MSG_UNMAPPED_GPA, "another size: a message")) {
        is_u64(msg_gpa(&m), BELL, "it is of the third store");
        set_reg(&vm, 0, R_RIP, msg_rip(&m) + MOVB);
    }
    if (vp_gives(&vm, 0, &m, MSG_UNMAPPED_GPA, "another place: a message")) {
        is_u64(msg_gpa(&m), BELL + 4, "it is of the fourth store");
        set_reg(&vm, 0, R_RIP, msg_rip(&m) + MOVL);
    }
    vp_gives(&vm, 0, &m, MSG_IO_PORT, "the fifth store gives no message");
    is_u64(rings(b, 1), 1, "the fifth store signalled once");
    is_u64(rings(a, 0), 0, "the first descriptor was left alone");
    works(set(&vm, a, BELL, 4, 7, match |
              1u << MSHV_IOEVENTFD_BIT_DEASSIGN), "it is removed");
    START16(&vm, 0, guest);
    if (try_set_reg(&vm, 0, R_ES, segment(BELL, 0xffff, 0, ATTR_DATA16))) {
        give_up("ES cannot be set");
    }
    vp_gives(&vm, 0, &m, MSG_UNMAPPED_GPA, "then the first store gives one");
    is_u64(msg_rip(&m), CODE, "the first store");
    vm_free(&vm);
    return done();
}
