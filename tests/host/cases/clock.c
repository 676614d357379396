/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's clocks: reference counter and TSC page, on each VP; frozen. */
#include <unistd.h>
#include "vm.h"

enum { TSC_PAGE = 0x5000, SECOND = 10000000 };
#define FEATURES (SF_PRESENT | SF_HV1 | SF_REF_COUNTER | SF_REFERENCE_TSC)

/*
 * Reads the counter, the page's time and the counter again: R8, R9, R10. The
 * page: sequence, scale and offset.
 */
GUEST64(guest,
    "mov $0x40000021, %ecx\n mov $0x5001, %eax\n xor %edx, %edx\n wrmsr\n"
    "1: mov $0x40000020, %ecx\n rdmsr\n shl $32, %rdx\n or %rdx, %rax\n"
    "mov %rax, %r8\n"
    "rdtsc\n shl $32, %rdx\n or %rdx, %rax\n"
    "mulq 0x5008\n add 0x5010, %rdx\n mov %rdx, %r9\n"
    "mov $0x40000020, %ecx\n rdmsr\n shl $32, %rdx\n or %rdx, %rax\n"
    "mov %rax, %r10\n"
    "mov 0x5000, %eax\n out %eax, $1\n jmp 1b");

/* Reads the TSC, adds 2^40 to TSC_ADJUST, reads both: R8, R9, R10. */
GUEST64(adjust,
    "rdtsc\n shl $32, %rdx\n or %rdx, %rax\n mov %rax, %r8\n"
    "mov $0x3b, %ecx\n rdmsr\n add $0x100, %edx\n wrmsr\n"
    "rdtsc\n shl $32, %rdx\n or %rdx, %rax\n mov %rax, %r9\n"
    "mov $0x3b, %ecx\n rdmsr\n shl $32, %rdx\n or %rdx, %rax\n"
    "mov %rax, %r10\n out %al, $1");

static uint64_t reference_time(Vm *vm)
{
    uint64_t t = 0;

    get_property(vm->fd, PROP_REFERENCE_TIME, &t);
    return t;
}

/* What VP @vp sees must lie between what the parent sees before and after. */
static uint64_t look(Vm *vm, unsigned vp, const char *what)
{
    uint64_t before = reference_time(vm), first, page, last, after;
    Msg m;

    vp_gives(vm, vp, &m, MSG_IO_PORT, what);
    after = reference_time(vm);
    vp_skip(vm, vp, &m);
    ok((uint32_t)msg_io_rax(&m), "VP %u, %s: the page is valid", vp, what);
    first = get_reg(vm, vp, R_R8);
    page = get_reg(vm, vp, R_R8 + 1);
    last = get_reg(vm, vp, R_R8 + 2);
    /* The page is right to a microsecond; the TSC is finer than that. */
    if (!ok(before <= first && first <= page + 10 && page <= last + 10 &&
            last <= after, "VP %u, %s: the clocks agree", vp, what)) {
        say("parent %llu, counter %llu, page %llu, counter %llu, parent %llu",
            (unsigned long long)before, (unsigned long long)first,
            (unsigned long long)page, (unsigned long long)last,
            (unsigned long long)after);
    }
    return last;
}

static void test_frozen(Vm *vm)
{
    uint64_t t;

    is_u64(set_property(vm->fd, PROP_TIME_FREEZE, 1), ST_SUCCESS,
           "time stands still");
    t = reference_time(vm);
    works(usleep(50000), "50 ms pass");
    is_u64(reference_time(vm), t, "for the parent it still does");
    is_u64(get_reg(vm, 0, R_TIME_REF_COUNT), t, "and in VP 0");
    is_u64(get_reg(vm, 1, R_TIME_REF_COUNT), t, "and in VP 1");
    is_u64(set_property(vm->fd, PROP_REFERENCE_TIME, 1000ull * SECOND),
           ST_SUCCESS, "it is set");
    works(usleep(50000), "50 ms pass");
    is_u64(get_reg(vm, 1, R_TIME_REF_COUNT), 1000ull * SECOND, "in VP 1, too");
    is_u64(set_property(vm->fd, PROP_TIME_FREEZE, 0), ST_SUCCESS,
           "time goes on");
    ok(look(vm, 0, "after the freeze") >= 1000ull * SECOND, "from there");
    look(vm, 1, "after the freeze");
}

static void test_adjust(Vm *vm)
{
    uint64_t moved;
    Msg m;

    START64(vm, 0, adjust);
    vp_gives(vm, 0, &m, MSG_IO_PORT, "TSC_ADJUST");
    moved = get_reg(vm, 0, R_R8 + 1) - get_reg(vm, 0, R_R8);
    if (!ok(moved >= 1ull << 40 && moved < 2ull << 40,
            "TSC_ADJUST moves the TSC")) {
        say("by %llu", (unsigned long long)moved);
    }
    is_u64(get_reg(vm, 0, R_R8 + 2), 1ull << 40, "and keeps its value");
}

int main(void)
{
    uint64_t t = 0, next;
    unsigned i, late = 0;
    Vm vm;

    vm_make_with(&vm, 1 << 20, 2, LAPIC_FLAGS, FEATURES);
    START64(&vm, 0, guest);
    START64(&vm, 1, guest);
    for (i = 0; i < 10; i++) {
        next = look(&vm, i & 1, "at first");
        late += next < t;
        t = next;
    }
    is_u64(late, 0, "time goes forward, from VP to VP");
    is_u64(get_reg(&vm, 1, R_REFERENCE_TSC), TSC_PAGE | 1,
           "both VPs have one TSC page");
    test_frozen(&vm);
    test_adjust(&vm);
    vm_free(&vm);
    return done();
}
