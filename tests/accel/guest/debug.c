/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest to be debugged: tests/accel/gdb.py stops it at labels of
 * debug-code.S, and lets two of its loops end. What it saw itself it says when
 * all is done.
 */
#include "debug.h"
#include "guest.h"

#define DEVICE_MEMORY   0xa0000u
#define TIMER_VECTOR    0x40

enum { MMIO = 0, USER = 2, USER_STACK = 3, ABSENT = 6 };

/* debug-code.S and gdb change them. */
uint32_t saw_tf, own_traps, own_dr6, own_flags, own_word;
uint32_t spins, stop_busy, halts, stop_halting, word, second_spins,
    stop_waiting;
uint64_t buffer[2], other[2], stored[8];
uint32_t ticks;

static void set_gate(unsigned vector, const void *handler, unsigned dpl)
{
    uint64_t at = (uint64_t)handler;

    idt[vector].low = (at & 0xffff) | (uint64_t)KERNEL_CS << 16 |
                      (0x8e00ull | dpl << 13) << 32 |
                      (at >> 16 & 0xffff) << 48;
    idt[vector].high = at >> 32;
}

/* STAR: the kernel's selectors, and those of SYSRET */
static void set_syscall(const void *handler)
{
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
    wrmsr(0xc0000081, (uint64_t)KERNEL_CS << 32 | 0x18ull << 48);
    wrmsr(0xc0000082, (uint64_t)handler);
    wrmsr(0xc0000084, 0x300);           /* TF and IF */
}

static void on_tick(struct frame *f)
{
    ticks++;
    saw_tf += f->rflags >> 8 & 1;
    write32(LAPIC + LAPIC_EOI, 0);
}

static void start_timer(void)
{
    trap_handlers[TIMER_VECTOR] = on_tick;
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    write32(LAPIC + LAPIC_DIVIDE, 0xb);
    write32(LAPIC + LAPIC_LVT_TIMER, 0x20000 | TIMER_VECTOR);
    write32(LAPIC + LAPIC_INITIAL, 500000);
}

static void stop_timer(void)
{
    write32(LAPIC + LAPIC_INITIAL, 0);
}

static void in_kernel(void)
{
    set_gate(0, on_fault, 0);
    set_gate(1, on_trap_of_own, 0);
    set_gate(3, on_software, 0);
    set_gate(6, on_fault, 0);
    set_gate(14, on_page_fault, 0);
    set_gate(0x80, on_software, 3);
    set_syscall(on_syscall);
    steps(at(ABSENT, 0), at(MMIO, 0));
    saw_tf <<= 16;                      /* from now on its own */
    WRITE_REG("dr0", (uint64_t)&own_word);
    WRITE_REG("dr7", 0xd0402);
    own(0, at(MMIO, 0));
    WRITE_REG("dr7", 0x400);
    saw_tf >>= 16;
    ok(!saw_tf, "no flags but its own have TF (%u)", saw_tf);
    print("# own: traps %u, DR6 %x, flags %x, DR0 and DR7 %u %x\n", own_traps,
          own_dr6, own_flags, READ_REG("dr0") == (uint64_t)&own_word,
          (uint32_t)READ_REG("dr7"));
}

static void in_user(void)
{
    uint8_t *page = new_page();
    struct regs r = random_regs();

    memcpy(page, user_code, user_code_end - user_code);
    map_page(USER, (uint64_t)page, PTE_P | PTE_U);
    map_page(USER_STACK, (uint64_t)new_page(), PTE_P | PTE_W | PTE_U);
    set_gate(6, trap_stubs + 6 * 16, 0);
    set_syscall(on_user_syscall);
    run_user(&r, at(USER, 0), at(USER_STACK, 4096));
    ok(r.vector == 6, "the user's code comes to its end (%u)", r.vector);
    ok(!(r.gpr[RBX] & 0x100), "the user sees no TF");
}

static void with_interrupts(void)
{
    start_timer();
    busy();
    ok(ticks > 0, "interrupts came (%u)", ticks);
    halting();
    stop_timer();
    ok(!saw_tf, "no interrupt found TF");
}

void guest_cpu(unsigned number)
{
    second_cpu();
}

void guest_main(void)
{
    outb(0x21, 0xff);
    vga_is_memory();
    map_page(MMIO, DEVICE_MEMORY, PTE_P | PTE_W);
    in_kernel();
    in_user();
    accesses();
    registers();
    with_interrupts();
    start_cpus(1);
    while (!stop_waiting) {
        pause();
    }
    ok(second_spins > 0, "the second processor ran");
}
