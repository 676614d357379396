/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers: each keeps what was written, and bad names are refused. */
#include "vm.h"

static const struct {
    uint32_t name;
    const char *text;
    RegValue value;
} keeps[] = {
    { R_RAX, "RAX", { 0x1122334455667788, 0 } },
    { R_RSP, "RSP", { 0x7000, 0 } },
    { R_R15, "R15", { 0xf00dull << 32, 0 } },
    { R_RIP, "RIP", { 0x1234, 0 } },
    { R_RFLAGS, "RFLAGS", { 0x246, 0 } },
    { R_XMM0, "XMM0", { 0x0123456789abcdef, 0xfedcba9876543210 } },
    { R_XMM0 + 15, "XMM15", { 1, 2 } },
    { R_FP_MMX0, "ST0", { 0x8000000000000000, 0x3fff } },
    { R_FP_CONTROL, "x87 control", { 0x037f, 0 } },
    { R_CR2, "CR2", { 0xdeadb000, 0 } },
    { R_CR3, "CR3", { 0x5000, 0 } },
    { R_CR8, "CR8", { 5, 0 } },
    { R_DR0, "DR0", { 0x1000, 0 } },
    { R_DR6, "DR6", { 0xffff0ff0, 0 } },
    { R_DR7, "DR7", { 0x400, 0 } },
    { R_EFER, "EFER", { 0x101, 0 } },
    { R_KERNEL_GS_BASE, "KERNEL_GS_BASE", { 0xffff888000000000, 0 } },
    { R_PAT, "PAT", { 0x0007040600070406, 0 } },
    { R_SYSENTER_CS, "SYSENTER_CS", { 0x10, 0 } },
    { R_SYSENTER_EIP, "SYSENTER_EIP", { 0xffffffff81000000, 0 } },
    { R_SYSENTER_ESP, "SYSENTER_ESP", { 0xffffffff82000000, 0 } },
    { R_STAR, "STAR", { 0x0023001000000000, 0 } },
    { R_LSTAR, "LSTAR", { 0xffffffff81000040, 0 } },
    { R_CSTAR, "CSTAR", { 0xffffffff81000080, 0 } },
    { R_SFMASK, "SFMASK", { 0x47700, 0 } },
    { R_TSC_AUX, "TSC_AUX", { 0x55, 0 } },
    { R_MTRR_DEF_TYPE, "MTRR_DEF_TYPE", { 0xc06, 0 } },
    { R_DS, "DS", { 0x10000, 0x009300100000ffffull } },
    { R_GDTR, "GDTR", { 0x00ff000000000000, 0x6000 } },
    { R_IDTR, "IDTR", { 0x03ff000000000000, 0x7000 } },
};

/* Bits that are not the writer's to choose, and values that do not exist. */
static const struct {
    uint32_t name;
    const char *text;
    uint64_t written, read;
} fixed[] = {
    { R_RFLAGS, "RFLAGS with all bits", ~0ull, 0x3f7fd7 },
    { R_RFLAGS, "RFLAGS with none", 0, 2 },
    { R_DR6, "DR6 with all bits", 0xffffffff, 0xffffefff },
    { R_DR6, "DR6 with none", 0, 0xffff0ff0 },
};

static const struct {
    uint32_t name;
    const char *text;
    uint64_t value;
} refused[] = {
    { R_CR0, "CR0 with bit 32", 1ull << 32 },
    { R_CR8, "CR8 with bit 4", 16 },
    { R_DR7, "DR7 with bit 32", 1ull << 32 | 0x400 },
    { R_EFER, "EFER with bit 1", 2 },
    { R_APIC_BASE, "x2APIC mode, of which the partition has none",
      0xfee00d00 },
    { R_APIC_BASE, "x2APIC mode of an APIC that is off", 0xfee00500 },
    { R_PENDING_INTERRUPTION, "a pending interruption of type 1", 1 | 1 << 1 },
    { R_PENDING_INTERRUPTION, "a pending interruption of type 7", 1 | 7 << 1 },
};

static void test_values(Vm *vm)
{
    RegValue v;
    unsigned i;

    for (i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
        set_reg(vm, 0, fixed[i].name, fixed[i].written);
        is_u64(get_reg(vm, 0, fixed[i].name), fixed[i].read, "%s",
               fixed[i].text);
    }
    for (i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        v.low = get_reg(vm, 0, refused[i].name);
        is_u64(try_set_reg(vm, 0, refused[i].name,
                           (RegValue) { refused[i].value, 0 }),
               ST_INVALID_REGISTER_VALUE, "%s is refused", refused[i].text);
        is_u64(get_reg(vm, 0, refused[i].name), v.low, "and changes nothing");
    }
    v = segment(0x8000, 0x67, 0x40, 0x89);
    is_u64(try_set_reg(vm, 0, R_TR, v), ST_SUCCESS, "TR can be a free TSS");
    try_get_reg(vm, 0, R_TR, &v);
    is_u64(v.high >> 48, 0x8b, "and is read as a busy one");
}

static void test_many(Vm *vm)
{
    struct {
        uint64_t partition;
        uint32_t vp, vtl, names[3];
    } in = { .names = { R_RAX, 0x7fffffff, R_RIP } };
    RegValue out[3];
    uint16_t reps = 3;

    is_u64(hypercall(vm->fd, HC_GET_REGS, &reps, &in, sizeof(in), out,
                     sizeof(out)), ST_INVALID_PARAMETER,
           "a list with an unknown register is refused");
    is_u64(reps, 1, "after those before it");
    in.vp = 9;
    reps = 1;
    is_u64(hypercall(vm->fd, HC_GET_REGS, &reps, &in, sizeof(in), out,
                     sizeof(out)), ST_INVALID_VP_INDEX,
           "a register of a VP that is not there is refused");
}

int main(void)
{
    RegValue v;
    unsigned i;
    int status;
    Vm vm;

    vm_make(&vm, 1 << 20, 2);
    is_u64(get_reg(&vm, 1, R_VP_INDEX), 1, "VP 1 knows its index");
    is_u64(get_reg(&vm, 0, R_CR0) & 0x80000001, 0,
           "a new VP is in real mode");
    is_u64(get_reg(&vm, 0, R_EXPLICIT_SUSPEND) & 1, 1,
           "and explicitly suspended");
    for (i = 0; i < sizeof(keeps) / sizeof(*keeps); i++) {
        status = try_set_reg(&vm, 0, keeps[i].name, keeps[i].value);
        memset(&v, 0xee, sizeof(v));
        if (!is_u64(status, ST_SUCCESS, "%s can be written", keeps[i].text) ||
            !is_u64(try_get_reg(&vm, 0, keeps[i].name, &v), ST_SUCCESS,
                    "%s can be read", keeps[i].text)) {
            continue;
        }
        is_u64(v.low, keeps[i].value.low, "%s is kept", keeps[i].text);
        if (keeps[i].value.high) {
            is_u64(v.high, keeps[i].value.high, "%s is kept, upper half",
                   keeps[i].text);
        }
        if (keeps[i].name == R_RAX) {
            ok(get_reg(&vm, 1, R_RAX) != v.low, "the other VP has its own");
        }
    }
    ok(try_set_reg(&vm, 0, 0x7fffffff, (RegValue) { 0 }) != ST_SUCCESS,
       "an unknown register cannot be written");
    test_values(&vm);
    test_many(&vm);
    vm_free(&vm);
    return done();
}
