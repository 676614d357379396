/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include "bare.h"
#include "entry.h"

#define COM1            0x3f8
#define COM_EMPTY       0x20
#define PIC_MASKS       { 0x21, 0xa1 }
#define PCI_ADDRESS     0xcf8
#define PCI_DATA        0xcfc
#define LPC_PMBASE      0x8000f840u
#define LPC_ACPI_CNTL   0x8000f844u
#define PM_BASE         0x600
#define APIC            0xfee00000ull
#define APIC_ID         0x20
#define APIC_EOI        0xb0
#define APIC_SPURIOUS   0xf0
#define APIC_ICR        0x300
#define APIC_ICR_HIGH   0x310
#define APIC_TIMER      0x320
#define APIC_COUNT      0x380
#define APIC_DIVIDE     0x3e0
#define AP_START        0x8000

#define MSR_GUEST_OS_ID 0x40000000
#define MSR_HYPERCALL   0x40000001
#define MSR_SCONTROL    0x40000080
#define MSR_SIMP        0x40000083
#define MSR_SINT0       0x40000090

/* volatile: interrupt handlers and the other CPU change these */
volatile uint64_t interrupts[256];
void (*on_interrupt)(unsigned vector);
/* volatile: set by one CPU, read by the other */
static void (*volatile ap_main)(void);
static volatile bool ap_is_up;  /* volatile: as ap_main */
static uint64_t idt[512] __attribute__((aligned(16)));
static uint8_t hypercall_page[PAGE] __attribute__((aligned(PAGE)));

/* ---- C library ---- */

void *memset(void *at, int c, size_t n)
{
    __asm__ volatile("rep stosb" : : "D"(at), "a"(c), "c"(n) : "memory");
    return at;
}

void *memcpy(void *to, const void *from, size_t n)
{
    __asm__ volatile("rep movsb" : : "D"(to), "S"(from), "c"(n) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    while (n && *x == *y) {
        x++, y++, n--;
    }
    return n ? *x - *y : 0;
}

/* ---- Ports ---- */

static void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static uint8_t inb(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

/* volatile: registers of a device */
static volatile uint32_t *apic(unsigned reg)
{
    return (volatile uint32_t *)(APIC + reg);   /* volatile: a device */
}

/* ---- Text ---- */

static void put_char(char c)
{
    while (!(inb(COM1 + 5) & COM_EMPTY)) {
        continue;
    }
    outb(COM1, c);
}

static void put_number(uint64_t v, unsigned base)
{
    char text[20];
    unsigned n = 0;

    do {
        text[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (n) {
        put_char(text[--n]);
    }
}

void print(const char *fmt, ...)
{
    va_list ap;
    const char *s;

    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put_char(*fmt);
            continue;
        }
        switch (*++fmt) {
        case 's':
            for (s = va_arg(ap, const char *); *s; s++) {
                put_char(*s);
            }
            break;
        case 'u':
            put_number(va_arg(ap, uint64_t), 10);
            break;
        case 'x':
            put_number(va_arg(ap, uint64_t), 16);
            break;
        default:
            put_char(*fmt);
        }
    }
    va_end(ap);
}

/* ---- End ---- */

void power_off(void)
{
    outl(PCI_ADDRESS, LPC_PMBASE);
    outl(PCI_DATA, PM_BASE | 1);
    outl(PCI_ADDRESS, LPC_ACPI_CNTL);
    outb(PCI_DATA, 0x80);
    outw(PM_BASE + 4, 1 << 13);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

void reboot(void)
{
    outb(0xcf9, 2);
    outb(0xcf9, 6);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

/* ---- Interrupts ---- */

static uint64_t fix(uint64_t rip)
{
    if (rip == (uint64_t)fault_rdmsr || rip == (uint64_t)fault_wrmsr) {
        return (uint64_t)faulted;
    }
    return rip == (uint64_t)fault_vmcall ? (uint64_t)vmcall_faulted : 0;
}

void handle_interrupt(Frame *f)
{
    __atomic_fetch_add(&interrupts[f->vector], 1, __ATOMIC_RELAXED);
    if (f->vector >= 32) {
        if (on_interrupt) {
            on_interrupt(f->vector);
        }
        *apic(APIC_EOI) = 0;
        return;
    }
    if (f->vector == 2) {
        return;
    }
    if ((f->vector == 13 || f->vector == 6) && fix(f->rip)) {
        f->rip = fix(f->rip);
        return;
    }
    print("not ok - the parent got exception %u at 0x%x, error code 0x%x\n",
          f->vector, f->rip, f->error_code);
    power_off();
}

static void load_idt(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) r = { sizeof(idt) - 1, (uint64_t)idt };

    __asm__ volatile("lidt %0" : : "m"(r));
    *apic(APIC_SPURIOUS) = 0x1ff;
}

static void make_idt(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t at = (uint64_t)vectors + i * 16;

        idt[2 * i] = (at & 0xffff) | 0x18 << 16 | 0x8e00ull << 32 |
                     (at >> 16 & 0xffff) << 48;
        idt[2 * i + 1] = at >> 32;
    }
}

void interrupts_on(void)
{
    __asm__ volatile("sti" : : : "memory");
}

void timer_us(unsigned period)
{
    *apic(APIC_DIVIDE) = 0xb;
    *apic(APIC_TIMER) = 0x20000 | 0x40;
    *apic(APIC_COUNT) = period * 1000;
}

void idle(unsigned rounds)
{
    interrupts_on();
    while (rounds--) {
        __asm__ volatile("pause" : : : "memory");
    }
}

/* ---- CPUs ---- */

unsigned this_cpu(void)
{
    return *apic(APIC_ID) >> 24;
}

void ap_start(void)
{
    load_idt();
    ap_is_up = true;
    ap_main();
}

static void ipi(uint32_t command)
{
    *apic(APIC_ICR_HIGH) = 1 << 24;
    *apic(APIC_ICR) = command;
}

void start_ap(void (*fn)(void))
{
    ap_main = fn;
    memcpy((void *)AP_START, ap_code, ap_code_end - ap_code);
    ipi(0x4500);
    ipi(0x4600 | AP_START >> 12);
    while (!ap_is_up) {
        __asm__ volatile("pause");
    }
}

void start(void)
{
    make_idt();
    load_idt();
    for (unsigned i = 0; i < 2; i++) {
        outb((const uint16_t[])PIC_MASKS[i], 0xff);
    }
    main();
    power_off();
}

/* ---- The hypervisor ---- */

void hv_start(void)
{
    uint64_t simp;

    try_wrmsr(MSR_GUEST_OS_ID, 0x8100000000000000ull);
    try_wrmsr(MSR_HYPERCALL, (uint64_t)hypercall_page | 1);
    try_rdmsr(MSR_SIMP, &simp);
    try_wrmsr(MSR_SIMP, simp | 1);
    try_wrmsr(MSR_SINT0, 0xf3);
    try_wrmsr(MSR_SCONTROL, 1);
}
