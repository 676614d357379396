/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference TSC page is one for all VPs, whatever one's own TSC is. */
#include "vm.h"

#define AREA        0x5000
#define ENABLE      1
enum { R_TIME_REF_COUNT = 0x90004, R_REFERENCE_TSC = 0x90017 };
#define SECONDS     10000000ull         /* in reference time */

/* RAX, RDX: TSC; RBX, RCX: scale and offset of the page */
GUEST64(reader, "mov 0x5008, %rbx\n mov 0x5010, %rcx\n rdtsc\n"
                "out %al, $0x10\n hlt");

/* Reference time as the guest computes it on this VP. */
static uint64_t guest_time(Vm *vm, unsigned vp)
{
    uint64_t tsc, scale;
    Msg m;

    START64(vm, vp, reader);
    vp_gives(vm, vp, &m, MSG_IO_PORT, "VP reads the page");
    tsc = (uint32_t)get_reg(vm, vp, R_RAX) | get_reg(vm, vp, R_RDX) << 32;
    scale = get_reg(vm, vp, R_RBX);
    ok(scale, "VP %u: the page is there", vp);
    return (uint64_t)((unsigned __int128)tsc * scale >> 64) +
           get_reg(vm, vp, R_RCX);
}

static void agrees(Vm *vm, unsigned vp, const char *what)
{
    uint64_t before = get_reg(vm, vp, R_TIME_REF_COUNT);
    uint64_t seen = guest_time(vm, vp);
    uint64_t after = get_reg(vm, vp, R_TIME_REF_COUNT);

    if (!ok(seen + SECONDS >= before && seen <= after + SECONDS,
            "VP %u: reference time by page and by counter, %s", vp, what)) {
        say("counter %llu to %llu, page %llu", (unsigned long long)before,
            (unsigned long long)after, (unsigned long long)seen);
    }
}

int main(void)
{
    Vm vm;

    vm_make(&vm, 1 << 20, 2);
    set_reg(&vm, 1, R_ACTIVITY, 0);
    set_reg(&vm, 0, R_REFERENCE_TSC, AREA | ENABLE);
    agrees(&vm, 0, "at first");
    agrees(&vm, 1, "at first");
    /* VP 0's TSC is late; then a client writes the page's place again. */
    set_reg(&vm, 0, R_TSC, 0);
    set_reg(&vm, 0, R_REFERENCE_TSC, AREA | ENABLE);
    agrees(&vm, 1, "after VP 0's TSC was set back");
    return done();
}
