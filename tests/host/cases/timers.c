/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's synthetic timers: direct, by message, periodic; frozen, moved. */
#include "vm.h"

enum { CONFIG0 = 0xb0000, COUNT0, CONFIG1, COUNT1 };
enum { ENABLE = 1, PERIODIC = 2, DIRECT = 1 << 12 };
#define FEATURES (SF_PRESENT | SF_HV1 | SF_REF_COUNTER | SF_SYNIC |     \
                  SF_STIMER | SF_DIRECT_TIMER)
#define MILLISECOND 10000ull            /* in reference time */

/*
 * Timer 0 interrupts by vector 0x50, timer 1 by a message for SINT 1, vector
 * 0x51. Each handler reports at its port. ES is at the local APIC.
 */
GUEST16(guest,
    "movl $0x1ff, %es:0xf0\n"
    "movw $h50 - guest + 0x1000, 0x140\n movw $0, 0x142\n"
    "movw $h51 - guest + 0x1000, 0x144\n movw $0, 0x146\n"
    "xor %edx, %edx\n"
    "mov $0x40000080, %ecx\n mov $1, %eax\n wrmsr\n"
    "mov $0x40000083, %ecx\n mov $0x5001, %eax\n wrmsr\n"
    "mov $0x40000091, %ecx\n mov $0x51, %eax\n wrmsr\n"
    "out %al, $0x10\n"
    "sti\n 1: hlt\n jmp 1b\n"
    "h50: movl $0, %es:0xb0\n out %al, $0x50\n iret\n"
    "h51: mov 0x5100, %eax\n movl $0, 0x5100\n"
    "test $1, %bl\n jz 2f\n push %eax\n mov $0x40000084, %ecx\n"
    "xor %eax, %eax\n wrmsr\n pop %eax\n"
    "2: movl $0, %es:0xb0\n out %eax, $0x51\n iret");

static void start(Vm *vm)
{
    Msg m;

    vm_make_with(vm, 1 << 20, 1, LAPIC_FLAGS, FEATURES);
    START16(vm, 0, guest);
    vp_lapic_at_es(vm, 0);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "the guest is ready");
    vp_skip(vm, 0, &m);
}

static uint64_t reference_time(Vm *vm)
{
    uint64_t t = 0;

    is_u64(get_property(vm->fd, PROP_REFERENCE_TIME, &t), ST_SUCCESS,
           "the reference time");
    return t;
}

static void silent(Vm *vm, unsigned ms, const char *what)
{
    Msg m;
    int ret;

    alarm_ms(ms);
    ret = vp_run(vm, 0, &m);
    alarm_ms(0);
    is_u64(-ret, EINTR, "%s", what);
}

static void test_direct(Vm *vm)
{
    uint64_t expiry = reference_time(vm) + 20 * MILLISECOND;
    Msg m;

    set_reg(vm, 0, COUNT0, expiry);
    set_reg(vm, 0, CONFIG0, ENABLE | DIRECT | 0x50 << 4);
    is_u64(get_reg(vm, 0, COUNT0), expiry, "the count can be read");
    vp_at_port(vm, 0, 0x50, "a direct timer", &m);
    ok(reference_time(vm) >= expiry, "not before its time");
    is_u64(get_reg(vm, 0, CONFIG0) & ENABLE, 0, "it fires once");
    silent(vm, 100, "and is quiet then");
}

static void test_message(Vm *vm)
{
    Msg m;

    set_reg(vm, 0, COUNT1, reference_time(vm) + MILLISECOND);
    set_reg(vm, 0, CONFIG1, ENABLE | 1 << 16);
    if (vp_at_port(vm, 0, 0x51, "a timer by message", &m)) {
        is_u64((uint32_t)msg_io_rax(&m), 0x80000010, "the message says so");
    }
}

/* A message that finds its slot full comes when the guest says EOM. */
static void test_full_slot(Vm *vm)
{
    struct {
        uint64_t partition;
        uint32_t vp, vtl, sint;
        uint8_t message[256];
        uint32_t padding;
    } __attribute__((packed)) in = { .sint = 1, .message = { 0x11 } };
    Msg m;

    set_reg(vm, 0, R_RBX, 1);       /* it writes the EOM register from now on */
    is_u64(hypercall(vm->fd, HC_POST_MESSAGE, NULL, &in, sizeof(in), NULL, 0),
           ST_SUCCESS, "a message fills the slot");
    set_reg(vm, 0, COUNT1, reference_time(vm));
    set_reg(vm, 0, CONFIG1, ENABLE | 1 << 16);
    /* It has fired when it is no longer enabled. */
    while (get_reg(vm, 0, CONFIG1) & ENABLE) {
        continue;
    }
    if (vp_at_port(vm, 0, 0x51, "the message that came first", &m)) {
        is_u64((uint32_t)msg_io_rax(&m), 0x11, "it is that one");
    }
    if (vp_at_port(vm, 0, 0x51, "the timer's message after EOM", &m)) {
        is_u64((uint32_t)msg_io_rax(&m), 0x80000010, "the message says so");
    }
}

static void test_periodic(Vm *vm)
{
    uint64_t start = reference_time(vm);
    unsigned n = 0;
    Msg m;

    set_reg(vm, 0, COUNT0, 5 * MILLISECOND);
    set_reg(vm, 0, CONFIG0, ENABLE | PERIODIC | DIRECT | 0x50 << 4);
    while (n < 10 && vp_at_port(vm, 0, 0x50, "a periodic timer", &m)) {
        n++;
    }
    is_u64(n, 10, "it fires again and again");
    ok(reference_time(vm) - start >= 50 * MILLISECOND, "not too often");
    set_reg(vm, 0, CONFIG0, 0);
    /* One may be on its way. */
    alarm_ms(50);
    if (vp_run(vm, 0, &m) == 0) {
        vp_skip(vm, 0, &m);
    }
    alarm_ms(0);
    silent(vm, 100, "until it is switched off");
}

static int timers(Vm *vm, int which, void *page)
{
    struct mshv_get_set_vp_state args = {
        .type = MSHV_VP_STATE_SYNTHETIC_TIMERS, .buf_sz = PAGE,
        .buf_ptr = (uintptr_t)page,
    };

    return ioctl(vm->vps[0], which, &args);
}

/* Time stands still; what is loaded then goes on in another partition. */
static void test_frozen(Vm *vm, Vm *other)
{
    static uint8_t page[PAGE] __attribute__((aligned(PAGE)));
    uint64_t now;
    Msg m;

    set_reg(vm, 0, COUNT0, reference_time(vm) + 100 * MILLISECOND);
    set_reg(vm, 0, CONFIG0, ENABLE | DIRECT | 0x50 << 4);
    is_u64(set_property(vm->fd, PROP_TIME_FREEZE, 1), ST_SUCCESS,
           "time stands still");
    now = reference_time(vm);
    silent(vm, 300, "so no timer fires");
    is_u64(reference_time(vm), now, "and the time is the same");
    works(timers(vm, MSHV_GET_VP_STATE, page), "the timers' state");
    is_u64(set_property(other->fd, PROP_TIME_FREEZE, 1), ST_SUCCESS,
           "another partition stands still");
    is_u64(set_property(other->fd, PROP_REFERENCE_TIME, now), ST_SUCCESS,
           "it gets the time");
    works(timers(other, MSHV_SET_VP_STATE, page), "and the timers");
    silent(other, 100, "they do not fire yet");
    is_u64(set_property(other->fd, PROP_TIME_FREEZE, 0), ST_SUCCESS,
           "time goes on there");
    vp_at_port(other, 0, 0x50, "the timer that came with the state", &m);
    is_u64(set_property(vm->fd, PROP_TIME_FREEZE, 0), ST_SUCCESS,
           "time goes on here");
    vp_at_port(vm, 0, 0x50, "the timer that stood still", &m);
}

int main(void)
{
    Vm vm, other;

    start(&vm);
    start(&other);
    test_direct(&vm);
    test_message(&vm);
    test_full_slot(&vm);
    test_periodic(&vm);
    test_frozen(&vm, &other);
    vm_free(&other);
    vm_free(&vm);
    return done();
}
