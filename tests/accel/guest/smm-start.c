/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System management mode and the ways in which a processor starts: an SMI that
 * waits for a SIPI, which comes out of SMM, as firmware plugs in a processor,
 * or not; INIT and NMI that wait for RSM. With PLUG_ONLY, what works where the
 * hypervisor reports neither INITs nor SIPIs.
 */
#include "guest.h"

#ifndef PLUG_ONLY
#define PLUG_ONLY       0
#endif
#define DEFAULT_SMBASE  0x30000
#define SMBASE(id)      (0x50000 + ((id) << 16))
#define REPORTS         0x20000         /* struct report for each APIC id */
#define COMMAND         0x600           /* for each APIC id, 32 bits */
#define TO_SEND         0x620           /* for SEND */
#define INSIDE          0x624
#define RELEASE         0x628
#define SAT             0x62c           /* times that one began to sit */
#define SMI_IPI         0x4200
#define NMI_IPI         0x4400
#define INIT_IPI        0xc500
#define INIT_END        0x8500
#define SIPI            (0x4600 | TRAMPOLINE >> 12)

enum { NOTHING, RELOCATE, START, SEND, SIT };

/* What the handler finds; its code knows the offsets. */
struct report {
    uint32_t rip, cs, smbase;
    uint32_t started;           /* 12: processors, by then */
    uint32_t nmis;              /* 16: the same, at the end */
    uint32_t count;             /* 20 */
    uint32_t unused[10];
};
/* Written in SMM */
#define REPORT(id)      ((volatile struct report *)(REPORTS + (id) * 64ull))

/* Asked for by the handler's code */
uint32_t nmis;

#define STR_(x)         #x
#define STR(x)          STR_(x)
asm(".pushsection .text\n.code16\n"
    ".globl smm_code, smm_code_end\nsmm_code:\n"
    " addr32 mov 0xfee00020, %eax\n shr $24, %eax\n"
    " mov %eax, %ebp\n mov %eax, %ebx\n shl $6, %ebx\n"
    " add $" STR(REPORTS) ", %ebx\n"
    " mov %cs:0xff78, %eax\n addr32 mov %eax, (%ebx)\n"
    " xor %eax, %eax\n mov %cs:0xfe10, %ax\n addr32 mov %eax, 4(%ebx)\n"
    " mov %cs:0xff00, %eax\n addr32 mov %eax, 8(%ebx)\n"
    " addr32 mov cpus_started, %eax\n addr32 mov %eax, 12(%ebx)\n"
    " mov $" STR(REPORTS) " + 64, %edi\n addr32 mov 20(%edi), %esi\n"
    " addr32 mov " STR(COMMAND) "(,%ebp,4), %edx\n"
    " cmp $1, %dx\n je smm_relocate\n"
    " cmp $2, %dx\n je smm_start\n"
    " cmp $3, %dx\n je smm_send\n"
    " cmp $4, %dx\n je smm_sit\n"
    "smm_done:\n"
    " addr32 mov nmis, %eax\n addr32 mov %eax, 16(%ebx)\n"
    " addr32 lock incl 20(%ebx)\n rsm\n"
    "smm_relocate:\n"
    " mov %ebp, %eax\n shl $16, %eax\n add $" STR(SMBASE(0)) ", %eax\n"
    " mov %eax, %cs:0xff00\n jmp smm_done\n"
    "smm_start:\n"
    " addr32 movl $0x1000000, 0xfee00310\n"
    " addr32 movl $" STR(INIT_IPI) ", 0xfee00300\n"
    " addr32 movl $" STR(INIT_END) ", 0xfee00300\n"
    " addr32 movl $" STR(SIPI) ", 0xfee00300\n"
    " addr32 movl $" STR(SIPI) ", 0xfee00300\n"
    "smm_wait:\n"
    " pause\n addr32 cmp %esi, 20(%edi)\n je smm_wait\n jmp smm_done\n"
    "smm_send:\n"
    " pause\n addr32 cmpl $0, " STR(INSIDE) "\n je smm_send\n"
    " addr32 movl $0x1000000, 0xfee00310\n"
    " addr32 mov " STR(TO_SEND) ", %eax\n addr32 mov %eax, 0xfee00300\n"
    /* Let it arrive */
    " mov $100, %cx\n1: in $0x80, %al\n loop 1b\n"
    " addr32 movl $1, " STR(RELEASE) "\n jmp smm_wait\n"
    "smm_sit:\n"
    " addr32 incl " STR(SAT) "\n"
    " addr32 movl $1, " STR(INSIDE) "\n"
    "1: pause\n addr32 cmpl $0, " STR(RELEASE) "\n je 1b\n jmp smm_done\n"
    "smm_code_end:\n"
    ".code64\n.popsection");

/* Another processor writes it, or SMM does. */
static void wait_for(volatile uint32_t *what, uint32_t wanted)
{
    while (*what < wanted) {
        pause();
    }
}

/* What was sent arrives meanwhile, mostly. */
static void breathe(void)
{
    unsigned i;

    for (i = 0; i < 100; i++) {
        inb(0x80);
    }
}

static void command(unsigned id, uint32_t what)
{
    write32(COMMAND + id * 4ull, what);
}

static void send(uint32_t dest, uint32_t icr)
{
    write32(LAPIC + LAPIC_ICR_HIGH, dest << 24);
    write32(LAPIC + LAPIC_ICR, icr);
}

static void put_handler(uint32_t smbase)
{
    memcpy((void *)(smbase + 0x8000ull), CODE_OF(smm_code),
           CODE_OF(smm_code_end) - CODE_OF(smm_code));
}

static void set_up(void)
{
    memset((void *)REPORTS, 0, 2 * 64);
    write32(SAT, 0);
    memcpy((void *)TRAMPOLINE, trampoline, trampoline_end - trampoline);
    put_handler(DEFAULT_SMBASE);
    put_handler(SMBASE(0));
    put_handler(SMBASE(1));
    pci_write(0xf8, 0x40, 0x601);
    pci_write(0xf8, 0x44, pci_read(0xf8, 0x44) | 0x80);
    outl(0x630, 0x21);
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    command(0, RELOCATE);
    outb(0xb2, 0);
    command(0, NOTHING);
    outb(0xb2, 0);
    equal(REPORT(0)->smbase, SMBASE(0), "the first processor has moved");
}

/* The SMI of processor 1 was taken before its first instruction. */
static void at_start(uint32_t smbase)
{
    /* SMM writes there */
    volatile struct report *r = REPORT(1);

    equal(r->cs, TRAMPOLINE >> 4, "CS in what is saved");
    equal(r->rip, 0, "RIP in what is saved");
    equal(r->smbase, smbase, "SMBASE in what is saved");
    wait_for(&cpus_started, r->started + 1);
    ok(true, "then it goes where the SIPI sent it");
}

/* As firmware plugs in a processor: it starts out of SMM. */
static void plugged(void)
{
    command(0, START);
    command(1, RELOCATE);
    send(1, INIT_IPI);
    send(1, SMI_IPI);
    breathe();
    equal(REPORT(1)->count, 0, "an SMI waits for the SIPI");
    outb(0xb2, 0);
    equal(REPORT(1)->count, 1, "started out of SMM, it is in SMM first");
    equal(REPORT(1)->started, 0, "it has run nothing before");
    at_start(DEFAULT_SMBASE);
    command(0, NOTHING);
    command(1, NOTHING);
}

/* Send processor 1 something while both are in SMM. */
static void send_inside(uint32_t icr)
{
    uint32_t before = REPORT(1)->count;

    write32(TO_SEND, icr);
    write32(INSIDE, 0);
    write32(RELEASE, 0);
    command(0, SEND);
    command(1, SIT);
    send(0xff, SMI_IPI);
    wait_for(&REPORT(1)->count, before + 1);
    command(0, NOTHING);
    command(1, NOTHING);
}

static void latched(void)
{
    uint32_t seen;

    send_inside(NMI_IPI);
    seen = REPORT(1)->nmis;
    wait_for(&nmis, 1);
    equal(seen, 0, "an NMI waits for RSM");

    send_inside(INIT_IPI);
    while (cpus_started < 2) {
        send(1, SIPI);
        breathe();
    }
    equal(read32(SAT), 2, "an INIT waits for RSM");
}

/* By one that is not in SMM; the SMI may come before the INIT. */
static void started_outside(void)
{
    uint32_t count;

    do {
        count = REPORT(1)->count;
        send(1, INIT_IPI);
        breathe();
        send(1, SMI_IPI);
        breathe();
        send(1, SIPI);
        wait_for(&REPORT(1)->count, count + 1);
    } while (REPORT(1)->rip);
    at_start(SMBASE(1));
}

static void on_nmi(struct frame *f)
{
    nmis++;
}

void guest_cpu(unsigned number)
{
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    for (;;) {
        pause();
    }
}

void guest_main(void)
{
    trap_handlers[2] = on_nmi;
    set_up();
    plugged();
    if (!PLUG_ONLY) {
        latched();
        started_outside();
    }
}
