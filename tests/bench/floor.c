/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor of the benchmarks: a VMM that does nothing but run the VP and
 * answer. It knows guest.S: it has no devices, decodes nothing, and moves the
 * guest behind each instruction that exits. No VMM can be cheaper.
 *
 * Usage: floor IMAGE [VPS]. Ends when the guest writes to port 0xf4.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include "mshv/hvabi.h"
#include "vm.h"

/* Where guest.S has its queue, its kind and its end. */
enum {
    IMAGE = 0xf0000, IMAGE_SIZE = 0x10000, RAM = 1 << 20,
    AVAIL = 0xb200, USED = 0xb400, KIND_NOW = 0xd008,
    NOTIFY = 0xe0103000, VECTOR = 0x40, END_PORT = 0xf4, GSI = 5,
};

/* Lengths of the instructions that access memory, by kind */
static const uint8_t lengths[] = { 0, 4, 4, 5, 2, 2, 0, 0, 0, 0, 4, 4, 8 };

static Vm vm;
static int bell, line;

/* "The device": each request is done as soon as it is offered. */
static void *serve(void *opaque)
{
    eventfd_t n;

    (void)opaque;
    while (eventfd_read(bell, &n) == 0) {
        STORE((uint16_t *)(vm.mem + USED + 2),
              LOAD((uint16_t *)(vm.mem + AVAIL + 2)));
        if (!LOAD((uint16_t *)(vm.mem + AVAIL))) {
            eventfd_write(line, 1);
        }
    }
    return NULL;
}

static void make_device(void)
{
    struct mshv_user_ioeventfd kick = { .addr = NOTIFY };
    struct mshv_user_irqfd irq = { .gsi = GSI };
    struct {
        struct mshv_user_irq_table head;
        struct mshv_user_irq_entry entry;
    } routes = { { 1, 0 }, { GSI, 0xfee00000, 0, VECTOR } };
    pthread_t thread;

    bell = kick.fd = eventfd(0, EFD_CLOEXEC);
    line = irq.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ioctl(vm.fd, MSHV_IOEVENTFD, &kick) < 0 ||
        ioctl(vm.fd, MSHV_SET_MSI_ROUTING, &routes) < 0 ||
        ioctl(vm.fd, MSHV_IRQFD, &irq) < 0) {
        give_up("ioeventfd or irqfd: %s", strerror(errno));
    }
    pthread_create(&thread, NULL, serve, NULL);
}

static void load(const char *path)
{
    int fd = open(path, O_RDONLY);
    Code none = { NULL, NULL };

    if (fd < 0 || read(fd, vm.mem + IMAGE, IMAGE_SIZE) != IMAGE_SIZE) {
        give_up("%s cannot be read as an image", path);
    }
    close(fd);
    vp_start16(&vm, 0, none);
    if (try_set_reg(&vm, 0, R_CS, segment(IMAGE, 0xffff, IMAGE >> 4,
                                          ATTR_CODE16))) {
        give_up("CS cannot be set");
    }
    set_reg(&vm, 0, R_RIP, 0);
}

/* The guest has the whole operation behind it, whatever it was. */
static inline bool answer(struct hv_vp_register_page *regs,
                          const struct hv_message *msg)
{
    const struct hv_x64_io_port_intercept_message *io =
        (const void *)msg->u.payload;
    uint8_t kind = LOAD(vm.mem + KIND_NOW);

    if (msg->header.message_type == HVMSG_X64_IO_PORT_INTERCEPT) {
        if (io->port_number == END_PORT) {
            return false;
        }
        if (io->access_info.string_op) {
            regs->rcx = 0;
            regs->rip += 2;
        } else {
            regs->rax = UINT32_MAX;
            regs->rip += io->header.instruction_length;
        }
    } else if (kind < sizeof(lengths)) {
        regs->rip += lengths[kind];
        regs->rcx = 0;
    } else {
        give_up("the guest's exit is unknown: 0x%x",
                msg->header.message_type);
    }
    regs->dirty |= 1u << HV_X64_REGISTER_CLASS_GENERAL |
                   1u << HV_X64_REGISTER_CLASS_IP;
    return true;
}

static void *run(void *opaque)
{
    int fd = vm.vps[(uintptr_t)opaque];
    struct hv_vp_register_page *regs;
    struct hv_message msg;

    regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                MSHV_VP_MMAP_OFFSET_REGISTERS * PAGE);
    if (regs == MAP_FAILED) {
        give_up("no register page: %s", strerror(errno));
    }
    do {
        if (ioctl(fd, MSHV_RUN_VP, &msg) < 0) {
            give_up("MSHV_RUN_VP: %s", strerror(errno));
        }
    } while (answer(regs, &msg));
    exit(0);
}

int main(int argc, char **argv)
{
    uintptr_t vps = argc > 2 ? atoi(argv[2]) : 1, i;
    pthread_t thread;

    if (argc < 2) {
        give_up("usage: floor IMAGE [VPS]");
    }
    vm_make(&vm, RAM, vps);
    load(argv[1]);
    make_device();
    for (i = 1; i < vps; i++) {
        pthread_create(&thread, NULL, run, (void *)i);
    }
    run(NULL);
    return 0;
}
