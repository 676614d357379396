/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port I/O in 64-bit mode. The machine is a "pc" with fw_cfg, VGA and vmport.
 */
#include "guest.h"

#define FW_CFG          0x510
#define FW_CFG_DATA     0x511
#define PCI_ADDRESS     0xcf8           /* 32 bits that can be read back */
#define VBE_INDEX       0x1ce           /* 16 bits that can be read back */
#define CMOS_INDEX      0x70
#define CMOS_DATA       0x71
#define VMPORT          0x5658
#define VMPORT_MAGIC    0x564d5868
#define PM_DEVICE       0x0b            /* PIIX4 power management: 01.3 */
#define PM_BASE         0x600
#define VGA             0xa0000
#define TIMER_VECTOR    0x61

enum { MMIO = 0, RAM = 2, ABSENT = 4, SPARE = 6 };

GUEST_CODE(in8, "inb %dx, %al");
GUEST_CODE(in16, "inw %dx, %ax");
GUEST_CODE(in32, "inl %dx, %eax");
GUEST_CODE(in8_immediate, "inb $0x71, %al");
GUEST_CODE(insb, "insb");
GUEST_CODE(insl, "insl");
GUEST_CODE(rep_insb, "rep insb");
GUEST_CODE(rep_insw, "rep insw");
GUEST_CODE(rep_insl, "rep insl");
GUEST_CODE(std_rep_insw, "std; rep insw; cld");
GUEST_CODE(addr32_rep_insl, "addr32 rep insl");
GUEST_CODE(outsl, "outsl");
GUEST_CODE(rep_outsb, "rep outsb");
GUEST_CODE(rep_outsl, "rep outsl");
GUEST_CODE(addr32_rep_outsb, "addr32 rep outsb");
GUEST_CODE(fs_outsl, "outsl %fs:(%rsi), %dx");
GUEST_CODE(gs_outsl, "rep outsl %gs:(%rsi), %dx");

/* Changed by interrupts */
static volatile unsigned timer_rcx, timer_interrupts;
static volatile bool timer_inside;       /* too */

static struct regs start(uint16_t port, uint64_t rcx, uint64_t memory)
{
    struct regs r = random_regs();

    r.gpr[RDX] = (r.gpr[RDX] & ~0xffffull) | port;
    r.gpr[RCX] = rcx;
    r.gpr[RSI] = r.gpr[RDI] = memory;
    return r;
}

/* All registers but @except are as before. */
static void unchanged(const struct regs *r, const struct regs *old,
                      unsigned except, const char *name)
{
    unsigned i;
    bool same = !r->trapped;

    for (i = 0; i < 16; i++) {
        if (i != RSP && !(except & 1 << i) && r->gpr[i] != old->gpr[i]) {
            print("# register %u: 0x%lx, was 0x%lx\n", i, r->gpr[i],
                  old->gpr[i]);
            same = false;
        }
    }
    if (r->trapped) {
        print("# vector %u, error 0x%x, CR2 0x%lx\n", r->vector, r->error,
              r->cr2);
    }
    ok(same, "%s: nothing else changes", name);
}

static void in(void)
{
    struct regs r, old;

    outl(PCI_ADDRESS, 0x8abcde74);
    outw(VBE_INDEX, 0x0004);
    outb(CMOS_INDEX, 0x8f);
    outb(CMOS_DATA, 0x5a);
    r = old = start(PCI_ADDRESS, 0, 0);
    run(&r, CODE_OF(in32));
    equal(r.gpr[RAX], 0x8abcde74, "IN of 32 bits clears the upper half");
    unchanged(&r, &old, 1 << RAX, "IN of 32 bits");
    r = old = start(VBE_INDEX, 0, 0);
    run(&r, CODE_OF(in16));
    equal(r.gpr[RAX], (old.gpr[RAX] & ~0xffffull) | 4,
          "IN of 16 bits keeps the rest of RAX");
    unchanged(&r, &old, 1 << RAX, "IN of 16 bits");
    r = old = start(CMOS_DATA, 0, 0);
    run(&r, CODE_OF(in8));
    equal(r.gpr[RAX], (old.gpr[RAX] & ~0xffull) | 0x5a,
          "IN of 8 bits keeps the rest of RAX");
    r = old = start(0, 0, 0);
    run(&r, CODE_OF(in8_immediate));
    equal(r.gpr[RAX], (old.gpr[RAX] & ~0xffull) | 0x5a, "IN of port 0x71");
    unchanged(&r, &old, 1 << RAX, "IN of port 0x71");
    equal(inb(0x2f8 - 8), 0xff, "a port where nothing is reads as ones");
    equal(inl(0x2e0), 0xffffffff, "and all 32 bits of it");
}

static void string_in(void)
{
    uint8_t *ram = (void *)at(RAM, 0);
    struct regs r, old;
    unsigned i;

    outw(FW_CFG, 0);
    r = old = start(FW_CFG_DATA, 4, at(RAM, 4094));
    run(&r, CODE_OF(rep_insb));
    ok(!memcmp(ram + 4094, "QEMU", 4), "REP INSB across pages: the data");
    equal(r.gpr[RDI], at(RAM, 4098), "REP INSB: RDI");
    equal(r.gpr[RCX], 0, "REP INSB: RCX");
    unchanged(&r, &old, 1 << RDI | 1 << RCX, "REP INSB");

    memset(ram + 0x100, 0, 64);
    r = start(PCI_ADDRESS, 5, at(RAM, 0x100));
    run(&r, CODE_OF(rep_insl));
    for (i = 0; i < 6; i++) {
        equal(read32(at(RAM, 0x100 + i * 4)), i < 5 ? 0x8abcde74 : 0,
              "REP INSL: element %u", i);
    }
    r = start(VBE_INDEX, 3, at(RAM, 0x200));
    memset(ram + 0x1f0, 0xaa, 32);
    run(&r, CODE_OF(std_rep_insw));
    equal(r.gpr[RDI], at(RAM, 0x1fa), "INSW with DF: RDI");
    equal(*(uint64_t *)(ram + 0x1fa), 0x000400040004aaaa,
          "INSW with DF: the data");

    r = start(PCI_ADDRESS, 3, at(MMIO, 0x100));
    run(&r, CODE_OF(rep_insl));
    equal(read32(at(MMIO, 0x108)), 0x8abcde74, "REP INSL to MMIO: the data");
    equal(r.gpr[RCX], 0, "REP INSL to MMIO: RCX");
    r = start(VBE_INDEX, 1, at(MMIO, 4095));
    write32(at(MMIO, 4096), 0x77777777);
    run(&r, CODE_OF(rep_insw));
    equal(read32(at(MMIO, 4096)) & 0xffff, 0x7700,
          "INSW to two pages of MMIO");

    memset((void *)0x700000, 0, 64);
    r = old = start(PCI_ADDRESS, 0xdead00000002, 0x5a5a00700000);
    run(&r, CODE_OF(addr32_rep_insl));
    ok(!r.trapped && read32(0x700004) == 0x8abcde74 && !read32(0x700008),
       "REP INSL with 32-bit addresses: two elements");
    equal(r.gpr[RCX], 0, "and ECX ends as 0");
    equal(r.gpr[RDI], 0x700008, "EDI is cut off");
    r = old = start(PCI_ADDRESS, 0, at(RAM, 0x300));
    run(&r, CODE_OF(rep_insl));
    unchanged(&r, &old, 0, "REP INSL of nothing");
}

static void string_out(void)
{
    static const uint32_t values[4] = { 0x80001111, 0x80002222, 0x80003333,
                                        0x80004444 };
    struct regs r, old;

    memcpy((void *)at(RAM, 4096 - 8), values, 16);
    r = old = start(PCI_ADDRESS, 4, at(RAM, 4096 - 8));
    run(&r, CODE_OF(rep_outsl));
    equal(inl(PCI_ADDRESS), 0x80004444 & ~3u, "REP OUTSL across pages");
    equal(r.gpr[RSI], at(RAM, 4096 + 8), "REP OUTSL: RSI");
    equal(r.gpr[RCX], 0, "REP OUTSL: RCX");
    unchanged(&r, &old, 1 << RSI | 1 << RCX, "REP OUTSL");

    write32(at(MMIO, 0x40), 0x80005550);
    r = start(PCI_ADDRESS, 1, at(MMIO, 0x40));
    run(&r, CODE_OF(outsl));
    equal(inl(PCI_ADDRESS), 0x80005550, "OUTSL from MMIO");

    *(uint32_t *)at(RAM, 0x500) = 0x80006660;
    wrmsr(0xc0000100, at(RAM, 0));
    r = start(PCI_ADDRESS, 1, 0x500);
    run(&r, CODE_OF(fs_outsl));
    equal(inl(PCI_ADDRESS), 0x80006660, "OUTSL with the segment FS");
    *(uint32_t *)at(RAM, 0x600) = 0x80007770;
    wrmsr(0xc0000101, at(RAM, 0x100));
    r = start(PCI_ADDRESS, 1, 0x500);
    run(&r, CODE_OF(gs_outsl));
    equal(inl(PCI_ADDRESS), 0x80007770, "REP OUTSL with the segment GS");
    wrmsr(0xc0000100, 0);
    wrmsr(0xc0000101, 0);

    r = start(0x80, 0xdead00000003, 0x5a5a00700000);
    run(&r, CODE_OF(addr32_rep_outsb));
    ok(!r.trapped && r.gpr[RCX] == 0 && r.gpr[RSI] == 0x700003,
       "REP OUTSB with 32-bit addresses: ECX and ESI");
}

static void faults(uint64_t page)
{
    struct regs r;

    map_page(SPARE, page, PTE_P | PTE_W);
    r = start(0x80, 1ull << 40, at(SPARE, 4096 - 7));
    run(&r, CODE_OF(rep_outsb));
    ok(r.trapped && r.vector == 14 && r.error == 0 &&
       r.cr2 == at(SPARE + 1, 0), "REP OUTSB runs off its page: #PF");
    equal(r.gpr[RCX], (1ull << 40) - 7, "RCX counts what is done");
    equal(r.gpr[RSI], at(SPARE + 1, 0), "RSI points to what is not");
    ok(r.rip == (uint64_t)CODE_OF(rep_outsb), "RIP at the instruction");
    map_page(SPARE, page, PTE_P);
    r = start(PCI_ADDRESS, 2, at(SPARE, 0));
    run(&r, CODE_OF(insl));
    ok(r.trapped && r.vector == 14 && r.error == 3 && r.cr2 == at(SPARE, 0),
       "INSL to a page that is read-only: #PF");
    r = start(PCI_ADDRESS, 2, at(ABSENT, 0x123));
    run(&r, CODE_OF(insb));
    ok(r.trapped && r.vector == 14 && r.error == 2 &&
       r.cr2 == at(ABSENT, 0x123), "INSB to a page that is not there: #PF");
    r = start(PCI_ADDRESS, 2, 0x1234000000000000);
    run(&r, CODE_OF(insb));
    ok(r.trapped && r.vector == 13 && r.error == 0,
       "INSB to no canonical address: #GP");
}

static void on_timer(struct frame *f)
{
    timer_interrupts++;
    if (f->rip == (uint64_t)CODE_OF(rep_outsb)) {
        timer_inside = true;
        timer_rcx = f->gpr[RCX];
    }
    write32(LAPIC + LAPIC_EOI, 0);
}

static void interruption(void)
{
    struct regs r;
    unsigned tries;

    write32(LAPIC + LAPIC_SVR, 0x1ff);
    trap_handlers[TIMER_VECTOR] = on_timer;
    write32(LAPIC + LAPIC_DIVIDE, 0xb);
    write32(LAPIC + LAPIC_LVT_TIMER, TIMER_VECTOR);
    for (tries = 0; tries < 50 && !timer_inside; tries++) {
        write32(LAPIC + LAPIC_INITIAL, 200000);
        r = start(0x80, 300000, 0x100000);
        r.rflags |= 0x200;
        run(&r, CODE_OF(rep_outsb));
    }
    ok(timer_inside && timer_rcx > 0 && timer_rcx < 300000,
       "an interrupt in the midst of REP OUTSB");
    equal(r.gpr[RSI], 0x100000 + 300000, "which goes on to its end");
    equal(r.gpr[RCX], 0, "with RCX 0");
}

static void vmport(void)
{
    struct regs r = start(VMPORT, 10, 0);

    r.gpr[RAX] = VMPORT_MAGIC;
    r.gpr[RBX] = 0x1122334455667788;
    run(&r, CODE_OF(in32));
    equal((uint32_t)r.gpr[RBX], VMPORT_MAGIC, "vmport changes EBX");
    equal(r.gpr[RAX], 6, "and gives its version in RAX");
}

static void odd_sizes(void)
{
    pci_write(PM_DEVICE, 0x40, PM_BASE | 1);
    pci_write(PM_DEVICE, 0x80, 1);
    inb(PM_BASE + 8);
    inb(PM_BASE + 11);
    inw(PM_BASE + 8);
    outb(PM_BASE + 8, 1);
    outb(FW_CFG, 0);
    /* What QEMU does not survive it does not answer. */
    equal(inl(PM_BASE + 8) >> 24, 0,
          "bytes of a port that implements 32 bits only are answered");
}

void guest_main(void)
{
    uint64_t page = (uint64_t)new_page();
    unsigned i;

    for (i = 0; i < 4; i++) {
        new_page();
    }
    vga_is_memory();
    for (i = 0; i < 2; i++) {
        map_page(MMIO + i, VGA + i * 4096, PTE_P | PTE_W);
        map_page(RAM + i, page + (2 - i) * 4096, PTE_P | PTE_W);
    }
    in();
    string_in();
    string_out();
    faults(page);
    vmport();
    odd_sizes();
    interruption();
}
