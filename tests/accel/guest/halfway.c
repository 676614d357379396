/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that stays in the middle of one thing after the other, so that it can
 * be moved there. Which one it is in, it writes to STATE; an NMI from outside
 * (inject-nmi) lets it go on, and then it looks whether it was in there once
 * only, and all the time. Of two processors one is in it, and the other takes
 * the NMI. Devices: VGA, PIIX4.
 */
#include "guest.h"

/* Memory that is not the compiler's */
#define STATE           (*(volatile uint32_t *)0x600)
/* as above */
#define MARK            (*(volatile uint32_t *)0x604)
#define ASLEEP          0x533
#define VGA             0xa0000u
#define COPIED          4096
#define PIC_BASE        0x20
#define SELF            0x61
#define PIIX4_PM        0x0b            /* 01.3 */
#define PM_BASE         0x600

enum {
    NEVER_STARTED = 1, HALTED, INIT_ONLY, COPYING, PIC_WAITS, NMI_WAITS,
    STEPPING, IRR_WAITS, SLEEPING,
};

/* Changed by interrupts, and by the other processor */
static volatile uint32_t nmis[2], pic_count, self_count, halts, woken;
static volatile uint32_t copies, bad_copies, enough; /* too */
static volatile uint32_t asked, allowed;             /* too */
static volatile uint8_t target[COPIED];              /* too */

static unsigned me(void)
{
    return cpuid(1, 0).ebx >> 24 & 1;
}

static void on_nmi(struct frame *f)
{
    unsigned cpu = me();

    nmis[cpu]++;
    /* Another one is held back until IRET. */
    if (cpu == 0 && asked == NMI_WAITS && nmis[0] == 1) {
        while (allowed < NMI_WAITS) {
            pause();
        }
        equal(nmis[0], 1, "an NMI waits while another is served");
    }
}

static void on_pic(struct frame *f)
{
    pic_count++;
    outb(0x20, 0x20);
}

static void on_self(struct frame *f)
{
    self_count++;
    write32(LAPIC + LAPIC_EOI, 0);
}

static void send(uint32_t how, unsigned to)
{
    write32(LAPIC + LAPIC_ICR_HIGH, to << 24);
    write32(LAPIC + LAPIC_ICR, how);
}

#define SEND_NMI        0x4400
#define SEND_INIT       0x4500
#define SEND_SIPI       0x4600

/* Interrupts or the other processor write it. */
static void wait_for(volatile uint32_t *what, uint32_t wanted)
{
    while (*what < wanted) {
        pause();
    }
}

/* Until the test says so */
static void stay(unsigned state)
{
    uint32_t before = nmis[me()];

    STATE = state;
    wait_for(&nmis[me()], before + 1);
}

static void take_nmis(void)
{
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    write32(LAPIC + LAPIC_LINT1, 0x400);
}

/* ---- The second processor ---- */

static void halt(void)
{
    halts++;
    asm volatile("hlt" : : : "memory");
    woken++;
    for (;;) {
        pause();                /* until an INIT comes */
    }
}

static void copy(void)
{
    unsigned i;

    wait_for(&asked, COPYING);
    while (!enough) {
        const uint8_t *from = (void *)(uint64_t)VGA;
        volatile uint8_t *to = target; /* as it is */
        uint64_t n = COPIED;

        for (i = 0; i < COPIED; i++) {
            target[i] = 0;
        }
        asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
        for (i = 0; i < COPIED && target[i] == (uint8_t)(i * 7 + 1); i++) {
            continue;
        }
        bad_copies += i < COPIED || n || to != target + COPIED;
        copies++;
    }
}

/* The first processor is in something; this one takes the NMI. */
static void let_it(void)
{
    uint32_t state;

    take_nmis();
    for (state = PIC_WAITS; state < SLEEPING; state++) {
        wait_for(&asked, state);
        if (state == NMI_WAITS) {
            send(SEND_NMI, 0);
            wait_for(&nmis[0], 1);
            send(SEND_NMI, 0);
        }
        stay(state);
        allowed = state;
    }
}

void guest_cpu(unsigned number)
{
    if (number == 1) {
        halt();
    }
    copy();
    let_it();
}

/* ---- The first one ---- */

static void starting(void)
{
    unsigned i;

    stay(NEVER_STARTED);
    equal(cpus_started, 0, "a processor waits for its first SIPI");
    start_cpus(1);
    wait_for(&halts, 1);
    stay(HALTED);
    equal(woken, 0, "a processor is halted, without interrupts");
    send(SEND_NMI, 1);
    wait_for(&woken, 1);
    equal(nmis[1], 1, "an NMI wakes it");
    send(SEND_INIT, 1);
    for (i = 0; i < 100; i++) {
        inb(0x80);
    }
    stay(INIT_ONLY);
    equal(cpus_started, 1, "a processor had its INIT and no SIPI");
    send(SEND_SIPI | TRAMPOLINE >> 12, 1);
}

static void copying(void)
{
    uint32_t before;
    unsigned i;

    vga_is_memory();
    for (i = 0; i < COPIED; i++) {
        /* A device */
        *(volatile uint8_t *)(VGA + (uint64_t)i) = i * 7 + 1;
    }
    wait_for(&cpus_started, 2);
    ok(true, "the SIPI starts it");
    asked = COPYING;
    wait_for(&copies, 1);
    stay(COPYING);
    before = copies;
    wait_for(&copies, before + 2);
    equal(bad_copies, 0, "a repeated instruction reads a device");
    enough = 1;
}

static void ask(uint32_t state)
{
    asked = state;
    wait_for(&allowed, state);
}

static void let_interrupts_in(void)
{
    unsigned i;

    asm volatile("sti" : : : "memory");
    for (i = 0; i < 1000; i++) {
        inb(0x80);
    }
    asm volatile("cli" : : : "memory");
}

static void waiting_for_pic(void)
{
    static const uint8_t init[] = { PIC_BASE, 4, 1, 0xfe };
    unsigned i;

    outb(0x20, 0x11);
    for (i = 0; i < sizeof(init); i++) {
        outb(0x21, init[i]);
    }
    write32(LAPIC + LAPIC_LINT0, 0x700);
    outb(0x43, 0x30);           /* once, after 1 ms */
    outb(0x40, 1193 & 0xff);
    outb(0x40, 1193 >> 8);
    do {
        outb(0x20, 0x0a);       /* what is requested */
    } while (!(inb(0x20) & 1));
    ask(PIC_WAITS);
    equal(pic_count, 0, "an interrupt of the PIC waits");
    let_interrupts_in();
    equal(pic_count, 1, "it comes, once");
    outb(0x21, 0xff);
}

static void waiting_for_nmi(void)
{
    ask(NMI_WAITS);
    wait_for(&nmis[0], 2);
    let_interrupts_in();
    equal(nmis[0], 2, "it comes, once");
}

/*
 * ---- Single steps: each is at the next instruction of a loop, where the
 * processor is for longest in one that leaves the guest. ----
 */

GUEST_CODE(steps, "pushfq\n orl $0x100, (%rsp)\n popfq\n"
           "step_0: inc %rbx\n"
           "step_1: in $0x80, %al\n"
           "step_2: cmp %ecx, (%rdi)\n"
           "step_3: jb step_0\n"
           "pushfq\n andl $~0x100, (%rsp)\n popfq\n");
static uint32_t step, bad_steps;
static uint64_t good_steps;

static void on_step(struct frame *f)
{
    const uint8_t *const code[] = {
        CODE_OF(step_0), CODE_OF(step_1), CODE_OF(step_2), CODE_OF(step_3),
    };

    if (f->rip < (uint64_t)code[0] || f->rip > (uint64_t)code[3]) {
        step = 0;
        return;
    }
    /* After POPF comes the end of step_0. */
    if (f->rip != (uint64_t)code[step]) {
        bad_steps++;
    }
    step = (step + 1) % ARRAY_SIZE(code);
    good_steps += step == 0;
}

static void stepping(void)
{
    struct regs r = { .rflags = 2, .gpr[RDI] = (uint64_t)&allowed,
                      .gpr[RCX] = STEPPING };

    step = 1;
    asked = STEPPING;
    run(&r, CODE_OF(steps));
    equal(bad_steps, 0, "each instruction is a step");
    equal(r.gpr[RBX], good_steps, "none is lost, and none done twice");
}

static void waiting_in_irr(void)
{
    write32(LAPIC + LAPIC_ICR, 0x44000 | SELF);
    ask(IRR_WAITS);
    equal(self_count, 0, "an interrupt waits in the local APIC");
    let_interrupts_in();
    equal(self_count, 1, "it comes, once");
}

static void sleeping(void)
{
    pci_write(PIIX4_PM, 0x40, PM_BASE | 1);
    pci_write(PIIX4_PM, 0x80, 1);
    MARK = ASLEEP;
    outw(PM_BASE + 4, 1 << 13 | 1 << 10);
    ok(false, "it sleeps");
}

void guest_main(void)
{
    if (MARK == ASLEEP) {
        MARK = 0;
        ok(true, "it sleeps and wakes");
        STATE = SLEEPING + 1;
        return;
    }
    trap_handlers[1] = on_step;
    trap_handlers[2] = on_nmi;
    trap_handlers[PIC_BASE] = on_pic;
    trap_handlers[SELF] = on_self;
    take_nmis();
    starting();
    copying();
    write32(LAPIC + LAPIC_LINT1, 0x10000);
    nmis[0] = 0;
    waiting_for_pic();
    waiting_for_nmi();
    stepping();
    waiting_in_irr();
    sleeping();
}
