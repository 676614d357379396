/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all guests share: printing, traps, paging, further processors, PCI. */
#include <stdarg.h>
#include "guest.h"

void (*trap_handlers[256])(struct frame *frame);

static uint64_t window_pdpt[512] __attribute__((aligned(4096)));
static uint64_t window_pd[512] __attribute__((aligned(4096)));
static uint64_t window_pt[512] __attribute__((aligned(4096)));
static uint32_t tss[26];
static uint8_t trap_stack[0x2000], fault_stack[0x2000];
static unsigned tests;
static uint32_t print_lock;

/* ---- Words ---- */

static void put(char c)
{
    outb(0xe9, c);
}

static void put_number(uint64_t v, unsigned base)
{
    char digits[24];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (n) {
        put(digits[--n]);
    }
}

static void put_signed(int64_t v)
{
    if (v < 0) {
        put('-');
    }
    put_number(v < 0 ? -v : v, 10);
}

static void vprint(const char *f, va_list args)
{
    for (; *f; f++) {
        bool is_long = false;
        const char *s;

        if (*f != '%') {
            put(*f);
            continue;
        }
        if (*++f == 'l') {
            is_long = true;
            f++;
        }
        switch (*f) {
        case 's':
            for (s = va_arg(args, const char *); *s; s++) {
                put(*s);
            }
            break;
        case 'c':
            put(va_arg(args, int));
            break;
        case 'd':
            put_signed(va_arg(args, int));
            break;
        default:
            put_number(is_long ? va_arg(args, uint64_t)
                               : va_arg(args, uint32_t),
                       *f == 'u' ? 10 : 16);
        }
    }
}

void print(const char *format, ...)
{
    va_list args;

    while (__atomic_exchange_n(&print_lock, 1, __ATOMIC_ACQUIRE)) {
        pause();
    }
    va_start(args, format);
    vprint(format, args);
    va_end(args);
    __atomic_store_n(&print_lock, 0, __ATOMIC_RELEASE);
}

bool ok(bool good, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print("%sok %u - ", good ? "" : "not ", ++tests);
    vprint(format, args);
    put('\n');
    va_end(args);
    return good;
}

bool equal(uint64_t got, uint64_t wanted, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print("%sok %u - ", got == wanted ? "" : "not ", ++tests);
    vprint(format, args);
    put('\n');
    va_end(args);
    if (got != wanted) {
        print("# got 0x%lx, wanted 0x%lx\n", got, wanted);
    }
    return got == wanted;
}

uint64_t random64(void)
{
    static uint64_t x = 0x9e3779b97f4a7c15;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

struct regs random_regs(void)
{
    struct regs r = { .rflags = 2 };
    unsigned i;

    for (i = 0; i < 16; i++) {
        r.gpr[i] = random64();
    }
    return r;
}

void *memset(void *at, int value, size_t size)
{
    uint8_t *p = at;

    while (size--) {
        *p++ = value;
    }
    return at;
}

void *memcpy(void *to, const void *from, size_t size)
{
    uint8_t *p = to;
    const uint8_t *q = from;

    while (size--) {
        *p++ = *q++;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *p = a, *q = b;

    for (; size--; p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

/* ---- Traps ---- */

static void end(void)
{
    print("1..%u\n", tests);
    for (;;) {
        asm volatile("cli; hlt");
    }
}

void on_trap(struct frame *f)
{
    if (f->vector < 256 && trap_handlers[f->vector]) {
        trap_handlers[f->vector](f);
        return;
    }
    if (run_regs && !run_regs->trapped && f->vector < 32 + 96 + 1) {
        struct regs *r = run_regs;

        f->gpr[RSP] = f->rsp;
        memcpy(r->gpr, f->gpr, sizeof(r->gpr));
        r->rflags = f->rflags;
        r->trapped = true;
        r->vector = f->vector;
        r->error = f->error;
        r->cr2 = READ_REG("cr2");
        r->rip = f->rip;
        f->rip = (uint64_t)run_end;
        f->cs = KERNEL_CS;
        f->ss = KERNEL_DS;
        f->rsp = (uint64_t)trap_stack + sizeof(trap_stack);
        f->rflags = 2;
        return;
    }
    ok(false, "no trap: vector %u, error 0x%lx, at 0x%lx, CR2 0x%lx",
       (uint32_t)f->vector, f->error, f->rip, READ_REG("cr2"));
    end();
}

static void set_traps(void)
{
    unsigned i;
    uint64_t at, stack = (uint64_t)trap_stack + sizeof(trap_stack);

    for (i = 0; i < 256; i++) {
        at = (uint64_t)trap_stubs + i * 16;
        idt[i].low = (at & 0xffff) | KERNEL_CS << 16 | 0x8e0000000000 |
                     (at >> 16 & 0xffff) << 48;
        idt[i].high = at >> 32;
    }
    idt[0x80].low |= 0x600000000000;        /* from privilege level 3 */
    for (i = 0; i < 32; i++) {
        /* RSP may be bad; but all processors get NMIs, and one has a TSS. */
        idt[i].low |= (uint64_t)(i != 2) << 32;
    }
    memcpy(&tss[1], &stack, 8);
    stack = (uint64_t)fault_stack + sizeof(fault_stack);
    memcpy(&tss[9], &stack, 8);
    at = (uint64_t)tss;
    gdt64_tss[0] = (sizeof(tss) - 1) | (at & 0xffffff) << 16 |
                   0x890000000000 | (at >> 24 & 0xff) << 56;
    gdt64_tss[1] = at >> 32;
    asm volatile("ltr %w0" : : "r"(TSS));
}

/* ---- Paging ---- */

void map_page(unsigned page, uint64_t pa, uint64_t flags)
{
    window_pt[page] = pa | flags;
    asm volatile("invlpg (%0)" : : "r"(WINDOW + page * 4096ull) : "memory");
}

uint64_t page_entry(unsigned page)
{
    return __atomic_load_n(&window_pt[page], __ATOMIC_SEQ_CST);
}

static void set_window(void)
{
    pml4[WINDOW >> 39] = (uint64_t)window_pdpt | 7;
    window_pdpt[0] = (uint64_t)window_pd | 7;
    window_pd[0] = (uint64_t)window_pt | 7;
}

void *new_page(void)
{
    static uint64_t next = 0x800000;

    next += 4096;
    return memset((void *)next, 0, 4096);
}

/* ---- Processors ---- */

__attribute__((weak)) void guest_cpu(unsigned number)
{
}

static void pause_for(unsigned n)
{
    while (n--) {
        inb(0x80);
    }
}

void start_cpus(unsigned wanted)
{
    memcpy((void *)TRAMPOLINE, trampoline, trampoline_end - trampoline);
    write32(LAPIC + LAPIC_SVR, 0x1ff);
    write32(LAPIC + LAPIC_ICR, 0xc4500);            /* INIT, all but us */
    pause_for(100);
    write32(LAPIC + LAPIC_ICR, 0xc4600 | TRAMPOLINE >> 12);
    while (__atomic_load_n(&cpus_started, __ATOMIC_SEQ_CST) < wanted) {
        pause();
    }
}

/* ---- PCI ---- */

uint32_t pci_read(unsigned devfn, unsigned at)
{
    outl(0xcf8, 0x80000000 | devfn << 8 | at);
    return inl(0xcfc);
}

void pci_write(unsigned devfn, unsigned at, uint32_t v)
{
    outl(0xcf8, 0x80000000 | devfn << 8 | at);
    outl(0xcfc, v);
}

int pci_find(uint32_t id)
{
    int devfn;

    for (devfn = 0; devfn < 256; devfn += 8) {
        if (pci_read(devfn, 0) == id) {
            return devfn;
        }
    }
    return -1;
}

unsigned pci_capability(unsigned devfn, uint8_t id)
{
    unsigned at = pci_read(devfn, 0x34) & 0xfc;

    while (at && (pci_read(devfn, at) & 0xff) != id) {
        at = pci_read(devfn, at) >> 8 & 0xfc;
    }
    return at;
}

void pci_msix(unsigned devfn, uint64_t table, uint8_t vector)
{
    unsigned at = pci_capability(devfn, PCI_CAP_MSIX);

    pci_write(devfn, at, pci_read(devfn, at) | 0x80000000);
    write32(table, LAPIC);
    write32(table + 4, 0);
    write32(table + 8, vector);
    write32(table + 12, 0);
}

void c_entry(unsigned number)
{
    if (number) {
        guest_cpu(number);
        return;
    }
    set_traps();
    set_window();
    guest_main();
    end();
}

void vga_is_memory(void)
{
    static const uint8_t graphics[] = { 0, 0, 0, 0, 0, 0, 0x05, 0, 0xff };
    unsigned i;

    outw(0x3c4, 0x0102);        /* plane 0 */
    outw(0x3c4, 0x0604);        /* no odd and even */
    for (i = 0; i < sizeof(graphics); i++) {
        outw(0x3ce, graphics[i] << 8 | i);
    }
}
