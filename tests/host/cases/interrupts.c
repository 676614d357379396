/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts: asserted by hypercall, by irqfd; EOI; NMI; refusals. */
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "vm.h"

/*
 * Vectors 0x40.. and NMI point to handlers that report a letter at port 1. The
 * local APIC is enabled by its registers at 0xfee00000, ES:0.
 */
GUEST16(guest,
    "movl $0x1ff, %es:0xf0\n"
    "movw $h40 - guest + 0x1000, 0x100\n movw $0, 0x102\n"
    "movw $h41 - guest + 0x1000, 0x104\n movw $0, 0x106\n"
    "movw $nmi - guest + 0x1000, 0x8\n movw $0, 0xa\n"
    "mov $'r', %al\n out %al, $1\n"
    "sti\n 1: hlt\n jmp 1b\n"
    "h40: mov $'a', %al\n out %al, $1\n movl $0, %es:0xb0\n iret\n"
    "h41: mov $'b', %al\n out %al, $1\n movl $0, %es:0xb0\n iret\n"
    "nmi: mov $'n', %al\n out %al, $1\n iret");

enum { FIXED = 0, NMI = 4 };

static void start(Vm *vm)
{
    START16(vm, 0, guest);
    vp_lapic_at_es(vm, 0);
}

/* The next message must be this letter; goes on behind it. */
static bool letter(Vm *vm, char expected, const char *what)
{
    Msg m;

    alarm_ms(3000);
    if (!vp_gives(vm, 0, &m, MSG_IO_PORT, what)) {
        alarm_ms(0);
        return false;
    }
    alarm_ms(0);
    vp_skip(vm, 0, &m);
    return is_u64(msg_io_rax(&m) & 0xff, expected, "%s: its handler", what);
}

static void test_assert(Vm *vm)
{
    is_u64(assert_interrupt(vm, FIXED, 0, 0, 0x40), ST_SUCCESS,
           "vector 0x40 is asserted");
    letter(vm, 'a', "an edge interrupt");
    assert_interrupt(vm, FIXED, 0, 0, 0x40);
    assert_interrupt(vm, FIXED, 0, 0, 0x41);
    letter(vm, 'b', "of two, the higher vector");
    letter(vm, 'a', "then the lower");
    is_u64(assert_interrupt(vm, NMI, 0, 0, 0), ST_SUCCESS,
           "an NMI is asserted");
    letter(vm, 'n', "an NMI");
    ok(assert_interrupt(vm, FIXED, 0, 0, 0x100) != ST_SUCCESS,
       "vector 0x100 is refused");
    ok(assert_interrupt(vm, 0x55, 0, 0, 0x40) != ST_SUCCESS,
       "an unknown type is refused");
}

static void test_level(Vm *vm)
{
    Msg m;

    is_u64(assert_interrupt(vm, FIXED, 1, 0, 0x40), ST_SUCCESS,
           "vector 0x40 is asserted, level-triggered");
    letter(vm, 'a', "a level interrupt");
    alarm_ms(3000);
    if (vp_gives(vm, 0, &m, MSG_APIC_EOI, "its EOI gives a message")) {
        is_u64(msg_eoi_vector(&m), 0x40, "with the vector");
    }
    alarm_ms(0);
}

static int set_routes(Vm *vm, unsigned n, uint32_t gsi, uint32_t high,
                      uint32_t reserved)
{
    struct {
        struct mshv_user_irq_table t;
        struct mshv_user_irq_entry e[2];
    } r = {
        .t = { .nr = n, .rsvd = reserved },
        .e = { { gsi, 0xfee00000, high, 0x40 },
               { 5, 0xfee00000, 0, 0x41 } },
    };

    return ioctl(vm->fd, MSHV_SET_MSI_ROUTING, &r);
}

static int irqfd(Vm *vm, int fd, uint32_t gsi, uint32_t flags, int resample)
{
    struct mshv_user_irqfd args = { fd, resample, gsi, flags };

    return ioctl(vm->fd, MSHV_IRQFD, &args);
}

static void test_irqfd(Vm *vm)
{
    uint32_t off = 1u << MSHV_IRQFD_BIT_DEASSIGN;
    uint32_t resample = 1u << MSHV_IRQFD_BIT_RESAMPLE;
    int a = eventfd(0, EFD_NONBLOCK), b = eventfd(0, EFD_NONBLOCK);

    refuses(set_routes(vm, 1, 4096, 0, 0), EINVAL, "a route for GSI 4096");
    refuses(set_routes(vm, 1, 4, 1, 0), EINVAL, "an upper address");
    refuses(set_routes(vm, 1, 4, 0, 1), EINVAL, "reserved bits");
    refuses(set_routes(vm, 2, 5, 0, 0), EINVAL, "two routes for one GSI");
    refuses(set_routes(vm, 4097, 4, 0, 0), EINVAL, "4097 routes");
    refuses(ioctl(vm->fd, MSHV_SET_MSI_ROUTING, NULL), EFAULT,
            "routes from nowhere");
    works(set_routes(vm, 2, 4, 0, 0), "two routes");
    refuses(irqfd(vm, a, 4, 1u << MSHV_IRQFD_BIT_COUNT, 0), EINVAL,
            "an unknown flag");
    refuses(irqfd(vm, -1, 4, 0, 0), EBADF, "no descriptor");
    refuses(irqfd(vm, vm->fd, 4, 0, 0), EINVAL, "a descriptor of a VM");
    refuses(irqfd(vm, a, 4, resample, b), EINVAL,
            "a resample descriptor for an edge route");
    works(irqfd(vm, a, 4, 0, 0), "an irqfd");
    refuses(irqfd(vm, a, 5, 0, 0), EBUSY, "the same descriptor again");
    works(irqfd(vm, b, 5, 0, 0), "another");
    eventfd_write(a, 1);
    letter(vm, 'a', "the first irqfd");
    eventfd_write(b, 1);
    letter(vm, 'b', "the second irqfd");
    works(irqfd(vm, a, 4, off, 0), "the first goes");
    works(irqfd(vm, a, 4, 0, 0), "and comes again");
    eventfd_write(a, 1);
    letter(vm, 'a', "and works");
    works(irqfd(vm, a, 4, off, 0), "the first goes again");
    works(irqfd(vm, b, 5, off, 0), "the second goes");
    works(set_routes(vm, 0, 0, 0, 0), "no routes");
    close(a);
    close(b);
}

int main(void)
{
    Vm vm;

    vm_make(&vm, 1 << 20, 1);
    start(&vm);
    if (letter(&vm, 'r', "the guest is ready")) {
        test_assert(&vm);
        test_irqfd(&vm);
        test_level(&vm);
    }
    vm_free(&vm);
    return done();
}
