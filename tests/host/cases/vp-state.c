/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSHV_GET_VP_STATE and MSHV_SET_VP_STATE. */
#include <stdlib.h>
#include "vm.h"

enum { ROOM = 16 * PAGE };

static int state(Vm *vm, int which, unsigned type, void *buf, uint32_t *size,
                 uint8_t reserved)
{
    struct mshv_get_set_vp_state args = {
        .type = type, .buf_sz = *size, .buf_ptr = (uintptr_t)buf,
    };
    int ret;

    args.rsvd[0] = reserved;
    ret = ioctl(vm->vps[0], which, &args);
    *size = args.buf_sz;
    return ret;
}

static int get(Vm *vm, unsigned type, void *buf, uint32_t size)
{
    return state(vm, MSHV_GET_VP_STATE, type, buf, &size, 0);
}

static int put(Vm *vm, unsigned type, void *buf, uint32_t size)
{
    return state(vm, MSHV_SET_VP_STATE, type, buf, &size, 0);
}

static void test_lapic(Vm *vm, uint32_t *buf)
{
    enum { ID = 0, VERSION = 1, SPURIOUS = 4, LVT_LINT0 = 34 };

    works(get(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "the local APIC");
    ok((buf[VERSION] & 0xff) >= 0x10 && (buf[VERSION] & 0xff) < 0x20,
       "its version (0x%x)", buf[VERSION]);
    buf[SPURIOUS] = 0x1ff;
    works(put(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "it can be set");
    memset(buf, 0, PAGE);
    works(get(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "and read again");
    is_u64(buf[SPURIOUS], 0x1ff, "the spurious vector is kept");
}

/* Interrupts in service and a pending NMI come and go with the page. */
static void test_interrupts(Vm *vm, uint32_t *buf)
{
    enum { ISR = 5, IRR = 21, NMI = 4 };

    works(get(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "the local APIC again");
    buf[ISR + 2] = 2;
    buf[IRR] |= NMI;
    works(put(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "with interrupts");
    memset(buf, 0, PAGE);
    works(get(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "which can be read");
    is_u64(buf[ISR + 2], 2, "vector 0x41 is in service");
    is_u64(buf[IRR] & NMI, NMI, "an NMI waits");
    buf[ISR + 2] = 0;
    buf[IRR] &= ~NMI;
    works(put(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "without them");
    works(get(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "they can be read again");
    is_u64(buf[ISR + 2], 0, "nothing is in service");
    is_u64(buf[IRR] & NMI, 0, "no NMI waits");
}

/* LINT0 is heard unless its entry is masked. */
static void test_lint(Vm *vm, uint32_t *buf)
{
    enum { SPURIOUS = 4, IRR = 21, LINT0 = 35, MASKED = 1 << 16 };
    static const uint32_t entries[] = { MASKED | 0x42, 0x42 };
    unsigned i;

    for (i = 0; i < 2; i++) {
        works(get(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "the local APIC");
        buf[SPURIOUS] = 0x1ff;
        buf[LINT0] = entries[i];
        works(put(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "LINT0's entry is 0x%x",
              entries[i]);
        is_u64(assert_interrupt(vm, 8, 0, 0, 0), ST_SUCCESS, "LINT0");
        works(get(vm, MSHV_VP_STATE_LAPIC, buf, PAGE), "what came of it");
        is_u64(buf[IRR + 2], i ? 4 : 0, "its vector waits, or does not");
    }
}

/* A VP that is given another one's id: the two change places. */
static void test_ids(void)
{
    Vm vm;

    vm_make(&vm, 1 << 20, 3);
    set_reg(&vm, 0, R_INITIAL_APIC_ID, 2);
    is_u64(get_reg(&vm, 0, R_APIC_ID), 2, "an APIC's id is changed");
    is_u64(get_reg(&vm, 2, R_APIC_ID), 0, "who had it gets the other");
    is_u64(get_reg(&vm, 1, R_APIC_ID), 1, "a third one keeps its own");
    vm_free(&vm);
}

static void test_xsave(Vm *vm, uint8_t *buf, uint64_t size)
{
    uint32_t room = (size + PAGE - 1) / PAGE * PAGE;
    uint64_t xstate_bv, xcomp_bv;
    RegValue v = { 0x1111, 0x2222 };

    is_u64(try_set_reg(vm, 0, R_XMM0, v), ST_SUCCESS, "XMM0 is written");
    works(get(vm, MSHV_VP_STATE_XSAVE, buf, room), "the XSAVE state");
    memcpy(&xstate_bv, buf + 512, 8);
    memcpy(&xcomp_bv, buf + 520, 8);
    ok(xcomp_bv >> 63, "it is compacted (XCOMP_BV 0x%llx)",
       (unsigned long long)xcomp_bv);
    ok(xstate_bv & 2, "it has the SSE state");
    ok(!(xstate_bv & ~xcomp_bv), "it has nothing that has no place");
    is_u64(*(uint64_t *)(buf + 160), 0x1111, "XMM0 is in its place");
    *(uint64_t *)(buf + 160) = 0x3333;
    works(put(vm, MSHV_VP_STATE_XSAVE, buf, room), "it can be set");
    is_u64(get_reg(vm, 0, R_XMM0), 0x3333, "XMM0 is what was set");
}

static void test_refusals(Vm *vm, uint8_t *buf)
{
    uint32_t size = PAGE;

    refuses(get(vm, MSHV_VP_STATE_COUNT, buf, PAGE), EINVAL, "unknown type");
    refuses(get(vm, MSHV_VP_STATE_LAPIC, buf, 0), EINVAL, "no room");
    refuses(get(vm, MSHV_VP_STATE_LAPIC, buf, 100), EINVAL,
            "room that is no number of pages");
    refuses(get(vm, MSHV_VP_STATE_LAPIC, buf + 8, PAGE), EINVAL,
            "a buffer within a page");
    refuses(state(vm, MSHV_GET_VP_STATE, MSHV_VP_STATE_LAPIC, buf, &size, 1),
            EINVAL, "reserved bytes that are not zero");
    refuses(get(vm, MSHV_VP_STATE_LAPIC, (void *)(uintptr_t)PAGE, PAGE),
            EFAULT, "a buffer where no memory is");
    refuses(ioctl(vm->vps[0], MSHV_GET_VP_STATE, NULL), EFAULT,
            "arguments from nowhere");
    refuses(ioctl(vm->vps[0], 0xdead), ENOTTY, "an unknown ioctl");
}

int main(void)
{
    uint8_t *buf = aligned_alloc(PAGE, ROOM);
    uint64_t xsave_size = 0;
    Vm vm;

    memset(buf, 0, ROOM);
    vm_make(&vm, 1 << 20, 1);
    test_lapic(&vm, (uint32_t *)buf);
    test_interrupts(&vm, (uint32_t *)buf);
    test_lint(&vm, (uint32_t *)buf);
    test_ids();
    get_property(vm.fd, PROP_MAX_XSAVE_SIZE, &xsave_size);
    memset(buf, 0, ROOM);
    test_xsave(&vm, buf, xsave_size);
    if (xsave_size > PAGE) {
        refuses(get(&vm, MSHV_VP_STATE_XSAVE, buf, PAGE), EINVAL,
                "an XSAVE state in too little room");
    }
    works(get(&vm, MSHV_VP_STATE_SIMP, buf, PAGE), "the message page");
    works(get(&vm, MSHV_VP_STATE_SIEFP, buf, PAGE), "the event flags page");
    memset(buf, 0xff, PAGE);
    works(get(&vm, MSHV_VP_STATE_SYNTHETIC_TIMERS, buf, PAGE),
          "the synthetic timers");
    works(put(&vm, MSHV_VP_STATE_SYNTHETIC_TIMERS, buf, PAGE),
          "they can be set");
    test_refusals(&vm, buf);
    vm_free(&vm);
    return done();
}
