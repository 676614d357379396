/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that tests its own processor: it runs in 64-bit mode with the first
 * 4 GiB mapped one to one, and prints TAP on the debug console (port 0xe9).
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "layout.h"

#define ARRAY_SIZE(a)   (sizeof(a) / sizeof((a)[0]))

/* Order of the hardware; run() and run_user() know the offsets. */
struct regs {
    uint64_t gpr[16];
    uint64_t rflags;
    /* The exception that ended the run */
    bool trapped;
    uint8_t vector;
    uint32_t error;
    uint64_t cr2, rip;
};
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

struct frame {
    uint64_t gpr[16];
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* ---- entry.S ---- */

extern uint8_t trap_stubs[], run_end[], trampoline[], trampoline_end[];
extern uint64_t pml4[512], gdt64_tss[2];
extern uint32_t cpus_started;
extern struct regs *run_regs;
extern struct gate {
    uint64_t low, high;
} idt[256];

/* ---- guest.c ---- */

/* What each guest has. */
void guest_main(void);

/* A processor other than the first, if start_cpus() was called. */
void guest_cpu(unsigned number);
void start_cpus(unsigned wanted);

void print(const char *format, ...);    /* %s %d %u %x %lx %c */
bool ok(bool good, const char *format, ...);
bool equal(uint64_t got, uint64_t wanted, const char *format, ...);
uint64_t random64(void);
/* No flags, and all else random */
struct regs random_regs(void);
void *memset(void *at, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* snippets.S: code that emulate.c runs */
struct snippet {
    const void *code;
    const char *text;
    uint64_t flags;             /* of RFLAGS: those that it defines */
};
extern const struct snippet snippets_begin[], snippets_end[];

/*
 * Code for run(): GUEST_CODE(name, "instructions"), which CODE_OF(name) is the
 * address of.
 */
#define GUEST_CODE(name, text)                                          \
    asm(".pushsection .text\n.globl " #name "\n" #name ": " text "\n ret\n" \
        ".popsection")
#define CODE_OF(name)                                                   \
    ({                                                                  \
        extern const uint8_t name[];                                    \
        name;                                                           \
    })

/* Called for an interrupt or exception. Without one, run() catches it. */
extern void (*trap_handlers[256])(struct frame *frame);

void run(struct regs *regs, const void *code);
void run_stepping(struct regs *regs, const void *code);
void run_user(struct regs *regs, uint64_t rip, uint64_t rsp);

/*
 * A window of 512 pages whose page table entries are ours to change. All
 * levels above let everything through.
 */
#define WINDOW          0x8000000000ull
#define PTE_P           0x001ull
#define PTE_W           0x002ull
#define PTE_U           0x004ull
#define PTE_A           0x020ull
#define PTE_D           0x040ull
#define PTE_NX          (1ull << 63)
/* An address in it */
static inline uint64_t at(unsigned page, unsigned offset)
{
    return WINDOW + page * 4096ull + offset;
}
void map_page(unsigned page, uint64_t pa, uint64_t flags);
uint64_t page_entry(unsigned page);

/* A page of RAM that nobody else uses. */
void *new_page(void);

/* Plane 0 of the VGA reads as it was written. */
void vga_is_memory(void);

/* ---- Interrupt controllers ---- */

#define LAPIC           0xfee00000u
#define IOAPIC          0xfec00000u
#define LAPIC_ID        0x020
#define LAPIC_TPR       0x080
#define LAPIC_EOI       0x0b0
#define LAPIC_SVR       0x0f0
#define LAPIC_ICR       0x300
#define LAPIC_ICR_HIGH  0x310
#define LAPIC_LVT_TIMER 0x320
#define LAPIC_LINT0     0x350
#define LAPIC_LINT1     0x360
#define LAPIC_INITIAL   0x380
#define LAPIC_COUNT     0x390
#define LAPIC_DIVIDE    0x3e0
/* MSRs */
#define APIC_BASE       0x01b
#define X2APIC_EOI      0x80b

/* ---- The processor ---- */

static inline void outb(uint16_t port, uint8_t v)
{
    asm volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t v)
{
    asm volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t v)
{
    asm volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;

    asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;

    asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;

    asm volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint32_t read32(uint64_t at)
{
    /* A device, or another processor */
    return *(volatile uint32_t *)at;
}

static inline void write32(uint64_t at, uint32_t v)
{
    /* A device, or another processor */
    *(volatile uint32_t *)at = v;
}

static inline uint64_t rdmsr(uint32_t msr)
{
    uint32_t low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return low | (uint64_t)high << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v),
                 "d"((uint32_t)(v >> 32)) : "memory");
}

static inline uint64_t rdtsc(void)
{
    uint32_t low, high;

    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid c;

    asm volatile("cpuid" : "=a"(c.eax), "=b"(c.ebx), "=c"(c.ecx), "=d"(c.edx)
                 : "a"(leaf), "c"(subleaf));
    return c;
}

#define READ_REG(name) \
    ({ uint64_t v_; asm volatile("mov %%" name ", %0" : "=r"(v_)); v_; })
#define WRITE_REG(name, v) \
    asm volatile("mov %0, %%" name : : "r"((uint64_t)(v)) : "memory")

/* Switch AVX on, with XCR0 = 7; false if it or XSAVE is not there. */
static inline bool enable_avx(void)
{
    if ((cpuid(1, 0).ecx >> 26 & 5) != 5) {
        return false;
    }
    WRITE_REG("cr4", READ_REG("cr4") | 1 << 18);
    asm volatile("xsetbv" : : "a"(7), "d"(0), "c"(0));
    return true;
}

static inline void pause(void)
{
    asm volatile("pause" : : : "memory");
}

/* PCI configuration space on bus 0 */
uint32_t pci_read(unsigned devfn, unsigned at);
void pci_write(unsigned devfn, unsigned at, uint32_t v);
/* The device of that vendor and device id, or -1. */
int pci_find(uint32_t id);
/* Where a capability is, or 0. */
unsigned pci_capability(unsigned devfn, uint8_t id);
/* Switch MSI-X on; its first message, of the table at @table, is @vector. */
void pci_msix(unsigned devfn, uint64_t table, uint8_t vector);
#define PCI_COMMAND     0x04
#define PCI_BAR(n)      (0x10 + 4 * (n))
#define PCI_CAP_MSI     0x05
#define PCI_CAP_MSIX    0x11

#endif
