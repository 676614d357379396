/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System management mode on q35, as firmware uses it: handlers at the default
 * SMBASE, moved into TSEG, which is then closed and attacked from outside.
 */
#include "smm.h"

#ifndef SMIS
#define SMIS            300
#endif
#define SECRET          (TSEG + 0x80000)
#define PATTERN         0x5ec2e75e
#define REPORTS         0x20000         /* struct report for each APIC id */
#define COMMAND         0x600
#define SPIED           0x610           /* smm.py looks there */
#define IPI_VECTOR      0x62
#define MSR_EFER        0xc0000080

enum { NOTHING, RELOCATE, INVALID, BAD_STATE, SIT_THERE };

/* What the handler finds; its code knows the offsets. */
struct report {
    uint32_t cr0, cr4, efer, dr7, cs;
    uint32_t idt[2];
    uint32_t count;             /* 28 */
    uint32_t breach;            /* 32 */
    uint32_t invalid;           /* 36: exceptions that its own code took */
    uint32_t flags, revision, rip, smbase;
    uint32_t unused[2];
};
/* Written in SMM */
#define REPORT(id)      ((volatile struct report *)(REPORTS + (id) * 64ull))

#define STR(x)          SMM_STR(x)
SMM_CODE(smm_code,
    " addr32 mov 0xfee00020, %eax\n shr $24, %eax\n"
    " mov %eax, %ebp\n mov %eax, %ebx\n shl $6, %ebx\n"
    " add $" STR(REPORTS) ", %ebx\n"
    " mov %cr0, %eax\n addr32 mov %eax, (%ebx)\n"
    " mov %cr4, %eax\n addr32 mov %eax, 4(%ebx)\n"
    " mov $" STR(MSR_EFER) ", %ecx\n rdmsr\n addr32 mov %eax, 8(%ebx)\n"
    " mov %dr7, %eax\n addr32 mov %eax, 12(%ebx)\n"
    " xor %eax, %eax\n mov %cs, %ax\n addr32 mov %eax, 16(%ebx)\n"
    " addr32 sidt 20(%ebx)\n"
    " mov %cs:0xfefc, %eax\n addr32 mov %eax, 44(%ebx)\n"
    " mov %cs:0xff78, %eax\n addr32 mov %eax, 48(%ebx)\n"
    " mov %cs:0xff00, %eax\n addr32 mov %eax, 52(%ebx)\n"
    " addr32 mov " STR(COMMAND) ", %edx\n"
    " cmp $1, %dx\n je smm_relocate\n"
    " cmp $2, %dx\n je smm_invalid\n"
    " cmp $3, %dx\n je smm_bad_state\n"
    " cmp $4, %dx\n je smm_sit\n"
    "smm_check:\n"
    /* Is the secret as it was? Only where there is one. */
    " addr32 mov %cs:0xff00, %eax\n cmp $" STR(TSEG) ", %eax\n"
    " jb smm_count\n"
    " mov $" STR(SECRET) ", %edi\n mov $1024, %ecx\n"
    " mov $" STR(PATTERN) ", %eax\n addr32 repe scasl\n"
    " je smm_count\n addr32 incl 32(%ebx)\n"
    "smm_count:\n addr32 lock incl 28(%ebx)\n rsm\n"
    "smm_relocate:\n"
    " mov %ebp, %eax\n shl $16, %eax\n add $" STR(TSEG) ", %eax\n"
    " addr32 mov %eax, " STR(DEFAULT_SMBASE) " + 0xff00\n jmp smm_count\n"
    /* An invalid instruction that is none of SMM's goes its usual way. */
    "smm_invalid:\n"
    " lidtl %cs:smm_idt - smm_code + 0x8000\n"
    " mov $0x7000, %esp\n"
    " addr32 movw $smm_trap - smm_code + 0x8000, 0x18\n"
    " addr32 mov %cs, 0x1a\n"
    " ud2\n jmp smm_check\n"
    "smm_trap:\n"
    " addr32 incl 36(%ebx)\n mov %esp, %eax\n addr32 addw $2, (%eax)\n"
    " iretw\n"
    "smm_idt: .word 0x3ff\n .long 0\n"
    "smm_bad_state:\n"
    " addr32 orb $0x20, %cs:0xff5b\n addr32 andb $0xbf, %cs:0xff5b\n"
    " jmp smm_count\n"
    /* Until somebody presses the power button */
    "smm_sit:\n mov $0x600, %dx\n"
    "1: in %dx, %ax\n test $0x100, %ax\n jz 1b\n"
    " mov $0x100, %ax\n out %ax, %dx\n jmp smm_check\n");

static unsigned cpu_count;
/* For other processors */
static volatile uint32_t started, mission, missions_done, woken;
static uint32_t edu_memory;

GUEST_CODE(apm, "out %al, $0xb2");

static void send_smi(unsigned id)
{
    /* SMM writes there */
    volatile struct report *r = REPORT(id);
    uint32_t before = r->count;

    smi_to(id);
    wait_for(&r->count, before + 1);
}

/* ---- One processor ---- */

static void first_smi(void)
{
    struct regs before = random_regs(), after;
    /* SMM writes there */
    volatile struct report *r = REPORT(0);
    unsigned i;
    bool same = true;

    PUT_HANDLER(DEFAULT_SMBASE, smm_code);
    write32(COMMAND, NOTHING);
    before.rflags = 0xcd7 & ~0x300;
    after = before;
    run(&after, CODE_OF(apm));
    if (!equal(r->count, 1, "an SMI by the APM port is taken at once")) {
        return;
    }
    for (i = 0; i < 16; i++) {
        if (i != RSP && after.gpr[i] != before.gpr[i]) {
            print("# register %u\n", i);
            same = false;
        }
    }
    ok(same && !after.trapped && after.rflags == before.rflags,
       "after RSM all registers are what they were");
    equal(r->cr0 & 0x8000000d, 0, "CR0 in SMM: PE, EM, TS, PG");
    equal(r->cr4, 0, "CR4 in SMM");
    equal(r->efer, 0, "EFER in SMM");
    equal(r->dr7, 0x400, "DR7 in SMM");
    equal(r->cs, DEFAULT_SMBASE >> 4, "CS in SMM");
    equal(r->idt[0] & 0xffff, 0, "limit of IDTR in SMM");
    equal(r->revision, 0x20064, "revision of what is saved");
    equal(r->smbase, DEFAULT_SMBASE, "SMBASE in what is saved");
    equal(r->rip, (uint64_t)CODE_OF(apm) + 2, "RIP in what is saved");
}

static void outside(void)
{
    static const uint8_t rsm[] = { 0x0f, 0xaa, 0xc3 };
    struct regs regs = random_regs();

    run(&regs, rsm);
    ok(regs.trapped && regs.vector == 6, "RSM outside SMM is invalid");
}

static void invalid_inside(void)
{
    write32(COMMAND, INVALID);
    outb(0xb2, 0);
    write32(COMMAND, NOTHING);
    equal(REPORT(0)->invalid, 1, "UD2 in SMM: its handler gets it");
}

/* ---- Moving into TSEG ---- */

static void move_all(void)
{
    unsigned i;

    memset((void *)TSEG, 0, TSEG_SIZE);
    for (i = 0; i < cpu_count; i++) {
        PUT_HANDLER(TSEG + i * 0x10000, smm_code);
    }
    for (i = 0; i < 1024; i++) {
        write32(SECRET + i * 4, PATTERN);
    }
    write32(COMMAND, RELOCATE);
    for (i = 0; i < cpu_count; i++) {
        send_smi(i);
    }
    write32(COMMAND, NOTHING);
    equal(read32(SECRET), PATTERN, "TSEG is open before it is closed");
    close_tseg();
    equal(read32(SECRET), 0xffffffff, "and then is closed");
    for (i = 0; i < cpu_count; i++) {
        send_smi(i);
        ok(REPORT(i)->smbase == TSEG + i * 0x10000 && !REPORT(i)->breach,
           "processor %u: SMI by IPI; it is in TSEG and sees the secret", i);
    }
    equal(read32(SECRET), 0xffffffff, "outside it is closed again");
}

/* ---- Attacks ---- */

static uint32_t seen[4];

static void by_cpu(void)
{
    unsigned i;

    for (i = 0; i < 64; i++) {
        uint32_t v = read32(SECRET + i * 64);

        seen[0] += v != 0xffffffff;
        write32(SECRET + i * 64, 0xbad);
        asm volatile("lock cmpxchg %0, (%1)"
                     : : "r"(0xbad), "r"((uint64_t)SECRET + 4), "a"(PATTERN)
                     : "memory");
    }
}

/* Instructions that QEMU executes, with an operand in TSEG */
static void by_emulator(void)
{
    static uint32_t copy[16];
    uint64_t to = SECRET, from = SECRET, n = 16;
    unsigned i;

    memset(copy, 0xff, sizeof(copy));
    asm volatile("rep insb" : "+D"(to), "+c"(n) : "d"(0x71) : "memory");
    to = SECRET;
    n = 4;
    from = IOAPIC;
    asm volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
    to = edu_memory + 4;
    from = SECRET;
    asm volatile("movsl" : "+D"(to), "+S"(from) : : "memory");
    /* The device gives back the complement of what was written there. */
    seen[1] += read32(edu_memory + 4) != 0;
    from = SECRET;
    n = 4;
    asm volatile("rep outsb" : "+S"(from), "+c"(n) : "d"(0x80) : "memory");
    for (i = 0; i < 16; i++) {
        seen[1] += copy[i] == PATTERN;
    }
}

static void by_dma(void)
{
    static uint32_t copy[16];
    unsigned i;

    edu_dma(edu_memory, SECRET, EDU_BUFFER, 64, 0);
    edu_dma(edu_memory, EDU_BUFFER, (uint64_t)copy, 64, 2);
    for (i = 0; i < 16; i++) {
        seen[2] += copy[i] == PATTERN;
    }
    memset(copy, 0xba, sizeof(copy));
    edu_dma(edu_memory, (uint64_t)copy, EDU_BUFFER, 64, 0);
    edu_dma(edu_memory, EDU_BUFFER, SECRET, 64, 2);
}

static uint32_t breaches(void)
{
    uint32_t n = 0;
    unsigned i;

    for (i = 0; i < cpu_count; i++) {
        n += REPORT(i)->breach;
    }
    return n;
}

/* Raise SMIs in a loop. */
static void raise(void)
{
    unsigned i, id = read32(LAPIC + LAPIC_ID) >> 24;
    uint32_t before = REPORT(id)->count;

    for (i = 0; i < SMIS; i++) {
        outb(0xb2, 0);
    }
    seen[3] += REPORT(id)->count - before != SMIS;
    __atomic_fetch_add(&missions_done, 1, __ATOMIC_SEQ_CST);
}

static void attack(void)
{
    uint32_t rounds = 0;

    mission = 1;
    while (missions_done < cpu_count - 1) {
        by_cpu();
        if (rounds++ % 8 == 0) {
            by_emulator();
        }
        if (rounds % 64 == 1) {
            by_dma();
        }
    }
    print("# %u rounds\n", rounds);
    equal(seen[0], 0, "%u SMIs each: a processor outside saw nothing", SMIS);
    equal(seen[1], 0, "neither did instructions that QEMU executes");
    equal(seen[2], 0, "nor the DMA of a device");
    equal(seen[3], 0, "each SMI was taken once");
    send_smi(0);
    equal(breaches(), 0, "inside nothing has changed");
}

/* A processor that stays in SMM, while somebody looks at it */
static void sit(void)
{
    uint32_t before = REPORT(1)->count;

    outw(0x602, 0x100);
    missions_done = 0;
    write32(COMMAND, SIT_THERE);
    print("# please look at it in SMM\n");
    mission = 2;
    while (!missions_done) {
        if (read32(SECRET) != 0xffffffff) {
            write32(SPIED, 1);
        }
    }
    write32(COMMAND, NOTHING);
    equal(REPORT(1)->count - before, 1, "a processor stayed in SMM for long");
    equal(read32(SPIED), 0, "nobody saw anything meanwhile");
    equal(read32(SECRET), 0xffffffff, "TSEG is closed after that");
}

/* ---- Waiting processors ---- */

static void on_ipi(struct frame *f)
{
    woken++;
    write32(LAPIC + LAPIC_EOI, 0);
}

static void halted(void)
{
    missions_done = 0;
    mission = 3;
    wait_for(&missions_done, 1);
    inb(0x80);
    send_smi(1);
    send_smi(1);
    equal(woken, 0, "after an SMI a halted processor is halted again");
    write32(LAPIC + LAPIC_ICR_HIGH, 1 << 24);
    write32(LAPIC + LAPIC_ICR, 0x4000 | IPI_VECTOR);
    wait_for(&woken, 2);
    equal(woken, 2, "an interrupt wakes it");
}

void guest_cpu(unsigned number)
{
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
    while (!mission) {
        pause();
    }
    raise();
    while (mission < 2) {
        pause();
    }
    if (read32(LAPIC + LAPIC_ID) >> 24 == 1) {
        outb(0xb2, 0);
        missions_done = 1;
        while (mission < 3) {
            pause();
        }
        missions_done = 1;
        asm volatile("sti; hlt; cli");
        woken++;
    }
    for (;;) {
        asm volatile("hlt");
    }
}

void guest_main(void)
{
    int edu = pci_find(0x11e81234);

    outw(0x510, 5);
    cpu_count = inb(0x511);
    memset((void *)REPORT(0), 0, 4 * 64);       /* survives a reset */
    write32(SPIED, 0);
    enable_smi();
    trap_handlers[IPI_VECTOR] = on_ipi;
    if (edu >= 0) {
        edu_memory = 0xc0000000;
        pci_write(edu, PCI_BAR(0), edu_memory);
        pci_write(edu, PCI_COMMAND, 6);
    }
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    first_smi();
    outside();
    invalid_inside();
    if (cpu_count > 1) {
        start_cpus(cpu_count - 1);
        wait_for(&started, cpu_count - 1);
    }
    move_all();
    outside();
    if (cpu_count > 1 && edu_memory) {
        attack();
        sit();
        halted();
    }
}
