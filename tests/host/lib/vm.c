/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "vm.h"

int open_dev(void)
{
    int fd = open("/dev/mshv", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        give_up("open /dev/mshv: %s", strerror(errno));
    }
    return fd;
}

int new_partition(int dev, uint64_t flags)
{
    struct mshv_create_partition args = { .pt_flags = flags };
    int fd = ioctl(dev, MSHV_CREATE_PARTITION, &args);

    if (fd < 0) {
        give_up("MSHV_CREATE_PARTITION: %s", strerror(errno));
    }
    return fd;
}

void *anon(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        give_up("cannot get %zu bytes of memory: %s", size, strerror(errno));
    }
    return p;
}

int vm_map(Vm *vm, uint64_t gpa, void *at, size_t size, uint8_t flags)
{
    struct mshv_user_mem_region r = {
        .size = size,
        .guest_pfn = gpa / PAGE,
        .userspace_addr = (uintptr_t)at,
        .flags = flags,
    };

    return ioctl(vm->fd, MSHV_SET_GUEST_MEMORY, &r);
}

int vm_unmap(Vm *vm, uint64_t gpa, void *at, size_t size)
{
    return vm_map(vm, gpa, at, size, 1u << MSHV_SET_MEM_BIT_UNMAP);
}

void vm_make(Vm *vm, size_t size, unsigned vps)
{
    vm_make_with(vm, size, vps, LAPIC_FLAGS, 0);
}

void vm_make_with(Vm *vm, size_t size, unsigned vps, uint64_t flags,
                  uint64_t features)
{
    struct mshv_create_vp args;
    unsigned i;

    memset(vm, 0, sizeof(*vm));
    vm->dev = open_dev();
    vm->fd = new_partition(vm->dev, flags);
    if (set_property(vm->fd, PROP_SYNTHETIC_FEATURES, features) != ST_SUCCESS) {
        give_up("cannot set the synthetic features");
    }
    if (ioctl(vm->fd, MSHV_INITIALIZE_PARTITION) < 0) {
        give_up("MSHV_INITIALIZE_PARTITION: %s", strerror(errno));
    }
    vm->size = size;
    if (size) {
        vm->mem = anon(size);
        if (vm_map(vm, 0, vm->mem, size, RAM_FLAGS) < 0) {
            give_up("MSHV_SET_GUEST_MEMORY: %s", strerror(errno));
        }
    }
    for (i = 0; i < vps; i++) {
        args.vp_index = i;
        vm->vps[i] = ioctl(vm->fd, MSHV_CREATE_VP, &args);
        if (vm->vps[i] < 0) {
            give_up("MSHV_CREATE_VP %u: %s", i, strerror(errno));
        }
    }
}

void vm_free(Vm *vm)
{
    unsigned i;

    for (i = 0; i < 256; i++) {
        if (vm->vps[i] > 0) {
            close(vm->vps[i]);
        }
    }
    close(vm->fd);
    close(vm->dev);
    if (vm->mem) {
        munmap(vm->mem, vm->size);
    }
    memset(vm, 0, sizeof(*vm));
}

/* ---- Hypercalls ---- */

int hypercall(int fd, uint16_t code, uint16_t *reps, const void *in,
              size_t in_size, void *out, size_t out_size)
{
    struct mshv_root_hvcall args = {
        .code = code,
        .reps = reps ? *reps : 0,
        .in_sz = in_size,
        .out_sz = out_size,
        .in_ptr = (uintptr_t)in,
        .out_ptr = (uintptr_t)out,
    };
    int ret = ioctl(fd, MSHV_ROOT_HVCALL, &args) < 0 ? -errno : 0;

    if (reps) {
        *reps = args.reps;
    }
    /* The kernel gives an errno along with a status that is not success. */
    return args.status ? args.status : ret;
}

int get_property(int fd, uint32_t code, uint64_t *value)
{
    uint64_t in[2] = { 0, code };

    return hypercall(fd, HC_GET_PROPERTY, NULL, in, sizeof(in), value,
                     sizeof(*value));
}

int set_property(int fd, uint32_t code, uint64_t value)
{
    uint64_t in[3] = { 0, code, value };

    return hypercall(fd, HC_SET_PROPERTY, NULL, in, sizeof(in), NULL, 0);
}

int try_get_reg(Vm *vm, unsigned vp, uint32_t name, RegValue *value)
{
    uint32_t in[5] = { 0, 0, vp, 0, name };
    uint16_t reps = 1;

    return hypercall(vm->fd, HC_GET_REGS, &reps, in, sizeof(in), value,
                     sizeof(*value));
}

int try_set_reg(Vm *vm, unsigned vp, uint32_t name, RegValue value)
{
    struct {
        uint64_t partition;
        uint32_t vp, vtl, name, reserved[3];
        RegValue value;
    } in = { .vp = vp, .name = name, .value = value };
    uint16_t reps = 1;

    return hypercall(vm->fd, HC_SET_REGS, &reps, &in, sizeof(in), NULL, 0);
}

uint64_t get_reg(Vm *vm, unsigned vp, uint32_t name)
{
    RegValue v = { 0 };
    int status = try_get_reg(vm, vp, name, &v);

    if (status) {
        give_up("register 0x%x of VP %u cannot be read: status %d", name, vp,
                status);
    }
    return v.low;
}

static void set_reg128(Vm *vm, unsigned vp, uint32_t name, RegValue v)
{
    int status = try_set_reg(vm, vp, name, v);

    if (status) {
        give_up("register 0x%x of VP %u cannot be written: status %d", name, vp,
                status);
    }
}

void set_reg(Vm *vm, unsigned vp, uint32_t name, uint64_t value)
{
    set_reg128(vm, vp, name, (RegValue) { value, 0 });
}

int assert_interrupt(Vm *vm, unsigned type, unsigned level, uint64_t apic_id,
                     uint32_t vector)
{
    struct {
        uint64_t partition;
        uint32_t type, level;
        uint64_t apic_id;
        uint32_t vector, vtl;
    } in = { 0, type, level, apic_id, vector, 0 };

    return hypercall(vm->fd, HC_ASSERT_INTERRUPT, NULL, &in, sizeof(in), NULL,
                     0);
}

int install_intercept(Vm *vm, uint32_t type, uint32_t access, uint64_t param)
{
    struct {
        uint64_t partition;
        uint32_t access, type;
        uint64_t param;
    } in = { 0, access, type, param };

    return hypercall(vm->fd, HC_INSTALL_INTERCEPT, NULL, &in, sizeof(in), NULL,
                     0);
}

/* ---- Processors ---- */

void vm_write(Vm *vm, uint64_t gpa, Code code)
{
    memcpy(vm->mem + gpa, code.start, code.end - code.start);
}

/* Put the code where it starts, with its segment and the one of its data. */
static void start(Vm *vm, unsigned vp, Code code, RegValue cs,
                  RegValue data)
{
    uint32_t s;

    vm_write(vm, CODE, code);
    for (s = R_ES; s <= R_GS; s++) {
        set_reg128(vm, vp, s, s == R_CS ? cs : data);
    }
    set_reg(vm, vp, R_RSP, CODE);
    set_reg(vm, vp, R_RFLAGS, 2);
    set_reg(vm, vp, R_RIP, CODE);
    /* All but the first VP would wait for a SIPI. */
    set_reg(vm, vp, R_ACTIVITY, 0);
}

void vp_start16(Vm *vm, unsigned vp, Code code)
{
    start(vm, vp, code, segment(0, 0xffff, 0, ATTR_CODE16),
          segment(0, 0xffff, 0, ATTR_DATA16));
}

void vp_start64(Vm *vm, unsigned vp, Code code)
{
    enum { PML4 = 0x10000, PDPT = 0x11000 };
    uint64_t *pml4 = (uint64_t *)(vm->mem + PML4);
    uint64_t *pdpt = (uint64_t *)(vm->mem + PDPT);

    pml4[0] = PDPT | 3;
    pdpt[0] = 0x83;             /* 1 GiB, present, writable */
    set_reg(vm, vp, R_CR3, PML4);
    set_reg(vm, vp, R_CR4, 0x620);          /* PAE, OSFXSR, OSXMMEXCPT */
    set_reg(vm, vp, R_EFER, 0x500);         /* LME, LMA */
    set_reg(vm, vp, R_CR0, 0x80000031);     /* PG, NE, ET, PE */
    start(vm, vp, code, segment(0, 0xffffffff, 8, ATTR_CODE64),
          segment(0, 0xffffffff, 16, ATTR_DATA64));
}

void vp_lapic_at_es(Vm *vm, unsigned vp)
{
    set_reg128(vm, vp, R_ES, segment(0xfee00000, 0xffff, 0, ATTR_DATA16));
}

int vp_run(Vm *vm, unsigned vp, Msg *msg)
{
    struct mshv_run_vp args;

    if (ioctl(vm->vps[vp], MSHV_RUN_VP, &args) < 0) {
        return -errno;
    }
    memcpy(msg, args.msg_buf, sizeof(*msg));
    return 0;
}

bool vp_gives(Vm *vm, unsigned vp, Msg *msg, uint32_t type, const char *what)
{
    int ret;

    memset(msg, 0, sizeof(*msg));
    ret = vp_run(vm, vp, msg);
    if (ok(ret == 0 && msg->type == type, "%s", what)) {
        return true;
    }
    if (ret) {
        say("expected message 0x%x, saw %s; RIP 0x%llx", type, strerror(-ret),
            (unsigned long long)get_reg(vm, vp, R_RIP));
    } else {
        say("expected message 0x%x, saw 0x%x: RIP 0x%llx, GPA 0x%llx", type,
            msg->type, (unsigned long long)msg_rip(msg),
            (unsigned long long)msg_gpa(msg));
    }
    return false;
}

void vp_skip(Vm *vm, unsigned vp, const Msg *msg)
{
    set_reg(vm, vp, R_RIP, msg_rip(msg) + (msg_length_cr8(msg) & 15));
}

bool vp_at_port(Vm *vm, unsigned vp, uint16_t port, const char *what, Msg *msg)
{
    bool came;

    alarm_ms(5000);
    came = vp_gives(vm, vp, msg, MSG_IO_PORT, what) &&
           is_u64(msg_port(msg), port, "%s: port 0x%x", what, port);
    alarm_ms(0);
    if (came) {
        vp_skip(vm, vp, msg);
    }
    return came;
}

/* ---- Time ---- */

static void nothing(int number)
{
    (void)number;
}

void alarm_ms(unsigned ms)
{
    struct sigaction sa = { .sa_handler = nothing };
    struct itimerval t = {
        .it_interval = { ms / 1000, ms % 1000 * 1000 },
        .it_value = { ms / 1000, ms % 1000 * 1000 },
    };

    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &t, NULL);
}

double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}
