/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's SynIC: messages and event flags from the parent; refusals. */
#include "vm.h"

enum { SIMP = 0x5000, SIEFP = 0x6000, SINT = 2, FLAG_SINT = 3, FLAG = 37,
       AUTO_SINT = 4 };

/*
 * The guest switches its SynIC on: SINT 2 with vector 0x52, SINT 3 with vector
 * 0x53, SINT 4 with vector 0x54 and auto-EOI. The handlers report what came at
 * ports 0x20, 0x30 and 0x60, free the slot and say so at port 0x40. ES is at
 * the local APIC.
 */
GUEST16(guest,
    "movl $0x1ff, %es:0xf0\n"
    "movw $h52 - guest + 0x1000, 0x148\n movw $0, 0x14a\n"
    "movw $h53 - guest + 0x1000, 0x14c\n movw $0, 0x14e\n"
    "xor %edx, %edx\n"
    "mov $0x40000080, %ecx\n mov $1, %eax\n wrmsr\n"
    "mov $0x40000083, %ecx\n mov $0x5001, %eax\n wrmsr\n"
    "mov $0x40000082, %ecx\n mov $0x6001, %eax\n wrmsr\n"
    "mov $0x40000092, %ecx\n mov $0x52, %eax\n wrmsr\n"
    "mov $0x40000093, %ecx\n mov $0x53, %eax\n wrmsr\n"
    "movw $h54 - guest + 0x1000, 0x150\n movw $0, 0x152\n"
    "mov $0x40000094, %ecx\n mov $0x20054, %eax\n wrmsr\n"
    "out %al, $0x10\n"
    "sti\n 1: hlt\n jmp 1b\n"
    "h52: mov 0x5200, %eax\n out %eax, $0x20\n"
    "movl $0, 0x5200\n mov $0x40000084, %ecx\n xor %eax, %eax\n wrmsr\n"
    "movl $0, %es:0xb0\n out %al, $0x40\n iret\n"
    "h54: mov 0x5400, %eax\n movl $0, 0x5400\n out %eax, $0x60\n"
    "out %al, $0x40\n iret\n"
    "h53: mov 0x6304, %eax\n out %eax, $0x30\n"
    "movl $0, 0x6304\n movl $0, %es:0xb0\n out %al, $0x40\n iret");
/* Without SynIC feature its MSRs do not exist. */
GUEST16(probe, "mov $0x40000080, %ecx\n rdmsr\n out %al, $1");

static int post(Vm *vm, uint32_t sint, uint32_t type)
{
    struct {
        uint64_t partition;
        uint32_t vp;
        uint8_t vtl, zero[3];
        uint32_t sint;
        uint8_t message[256];
        uint32_t padding;
    } __attribute__((packed)) in = { .sint = sint };

    memcpy(in.message, &type, sizeof(type));
    in.message[4] = 8;
    memcpy(in.message + 16, "synicmsg", 8);
    return hypercall(vm->fd, HC_POST_MESSAGE, NULL, &in, sizeof(in), NULL, 0);
}

/* *@newly: whether the flag was clear before */
static int signal_event(Vm *vm, uint8_t sint, uint16_t flag, uint8_t *newly)
{
    struct {
        uint64_t partition;
        uint32_t vp;
        uint8_t vtl, sint;
        uint16_t flag;
    } in = { .sint = sint, .flag = flag };

    return hypercall(vm->fd, HC_SIGNAL_EVENT, NULL, &in, sizeof(in), newly, 1);
}

static void reports(Vm *vm, uint16_t port, uint32_t value, const char *what)
{
    Msg m;

    if (vp_at_port(vm, 0, port, what, &m)) {
        is_u64((uint32_t)msg_io_rax(&m), value, "%s: what it saw", what);
        vp_at_port(vm, 0, 0x40, what, &m);
    }
}

static void test_messages(Vm *vm)
{
    static uint8_t page[PAGE] __attribute__((aligned(PAGE)));
    struct mshv_get_set_vp_state args = {
        .type = MSHV_VP_STATE_SIMP, .buf_sz = PAGE,
        .buf_ptr = (uintptr_t)page,
    };

    is_u64(post(vm, SINT, 0x11), ST_SUCCESS, "a message is posted");
    is_u64(post(vm, SINT, 0x12), ST_INSUFFICIENT_BUFFERS,
           "a second one while the slot is full");
    works(ioctl(vm->vps[0], MSHV_GET_VP_STATE, &args), "the message page");
    is_u64(page[SINT * 256], 0x11, "it has the first message");
    is_u64(page[SINT * 256 + 5] & 1, 1, "it says that another one waits");
    ok(!memcmp(page + SINT * 256 + 16, "synicmsg", 8), "it has its payload");
    reports(vm, 0x20, 0x11, "the message");
    is_u64(post(vm, SINT, 0x12), ST_SUCCESS, "the slot is free again");
    reports(vm, 0x20, 0x12, "the second message");
    is_u64(post(vm, 16, 0x11), ST_INVALID_PARAMETER, "SINT 16");
}

static void test_events(Vm *vm)
{
    uint8_t newly = 7;

    is_u64(signal_event(vm, FLAG_SINT, FLAG, &newly), ST_SUCCESS,
           "an event flag is set");
    is_u64(newly, 1, "it was clear");
    is_u64(signal_event(vm, FLAG_SINT, FLAG, &newly), ST_SUCCESS,
           "and set again");
    is_u64(newly, 0, "it was set");
    reports(vm, 0x30, 1u << (FLAG - 32), "the event flag");
    is_u64(signal_event(vm, FLAG_SINT, FLAG, &newly), ST_SUCCESS,
           "the guest cleared it");
    is_u64(newly, 1, "so it is set anew");
    reports(vm, 0x30, 1u << (FLAG - 32), "the event flag, anew");
    is_u64(signal_event(vm, FLAG_SINT, 2048, &newly), ST_INVALID_PARAMETER,
           "event flag 2048");
    is_u64(signal_event(vm, 16, 0, &newly), ST_INVALID_PARAMETER,
           "an event of SINT 16");
}

/* Without an end of interrupt no other one of this vector would come. */
static void test_auto_eoi(Vm *vm)
{
    unsigned i;

    for (i = 0; i < 3; i++) {
        is_u64(post(vm, AUTO_SINT, 0x20 + i), ST_SUCCESS,
               "message %u for a SINT with auto-EOI", i);
        reports(vm, 0x60, 0x20 + i, "a SINT with auto-EOI");
    }
}

static void test_none(void)
{
    Vm vm;
    Msg m;

    vm_make(&vm, 1 << 20, 1);
    is_u64(install_intercept(&vm, 1, 3, 0), ST_SUCCESS,
           "an intercept for MSRs");
    START16(&vm, 0, probe);
    vp_gives(&vm, 0, &m, MSG_MSR, "without the feature there is no SynIC");
    vm_free(&vm);
}

/* A SINT that is polled sets its flag, but interrupts nobody. */
static void test_polling(Vm *vm)
{
    enum { VECTOR = 0x53, POLLING = 1 << 18, IRR = 21 };
    static const uint32_t sints[] = { POLLING | VECTOR, VECTOR };
    static uint32_t page[PAGE / 4] __attribute__((aligned(PAGE)));
    struct mshv_get_set_vp_state args = {
        .type = MSHV_VP_STATE_LAPIC, .buf_sz = PAGE,
        .buf_ptr = (uintptr_t)page,
    };
    uint8_t newly;
    unsigned i;

    for (i = 0; i < 2; i++) {
        set_reg(vm, 0, R_SINT0 + FLAG_SINT, sints[i]);
        is_u64(signal_event(vm, FLAG_SINT, 60 + i, &newly), ST_SUCCESS,
               "a flag where the SINT is 0x%x", sints[i]);
        works(ioctl(vm->vps[0], MSHV_GET_VP_STATE, &args), "the local APIC");
        is_u64(page[IRR + VECTOR / 32] >> VECTOR % 32 & 1, i,
               "its vector waits, or does not");
    }
}

int main(void)
{
    uint8_t newly;
    Vm vm;
    Msg m;

    vm_make_with(&vm, 1 << 20, 1, LAPIC_FLAGS,
                 SF_PRESENT | SF_HV1 | SF_SYNIC);
    is_u64(post(&vm, SINT, 0x11), ST_INVALID_SYNIC_STATE,
           "a message while the SynIC is off");
    is_u64(signal_event(&vm, SINT, 0, &newly), ST_INVALID_SYNIC_STATE,
           "an event while the SynIC is off");
    START16(&vm, 0, guest);
    vp_lapic_at_es(&vm, 0);
    vp_at_port(&vm, 0, 0x10, "the guest is ready", &m);
    test_messages(&vm);
    test_events(&vm);
    test_auto_eoi(&vm);
    test_polling(&vm);
    vm_free(&vm);
    test_none();
    return done();
}
