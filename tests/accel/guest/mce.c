/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine checks: of memory that breaks in the host, and of the monitor. What
 * the test must do is asked for by a line "# please ...".
 */
#include "guest.h"

#define MCG_STATUS      0x17a
/* 1: status, 2: address */
#define MC(bank, n)     (0x400 + 4 * (bank) + (n))
#define MEMORY_BANK     9
#define MONITOR_BANK    5
#define CR4_MCE         (1u << 6)

/* Changed by the handler */
static volatile unsigned checks;
static volatile uint64_t global, status[10], address[10];       /* too */

static void on_machine_check(struct frame *f)
{
    unsigned i;

    global = rdmsr(MCG_STATUS);
    for (i = 0; i < 10; i++) {
        status[i] = rdmsr(MC(i, 1));
        address[i] = rdmsr(MC(i, 2));
        wrmsr(MC(i, 1), 0);
    }
    checks++;
    wrmsr(MCG_STATUS, 0);
}

static bool wait(unsigned wanted)
{
    unsigned i;

    for (i = 0; i < 3000000 && checks < wanted; i++) {
        inb(0x80);
    }
    return checks == wanted;
}

void guest_main(void)
{
    uint64_t page = (uintptr_t)new_page();

    trap_handlers[18] = on_machine_check;
    WRITE_REG("cr4", READ_REG("cr4") | CR4_MCE);
    print("# please break %x.\n", (unsigned)page);
    if (ok(wait(1), "a machine check for broken memory")) {
        equal(address[MEMORY_BANK] & ~0xfffull, page, "it says where");
        /* Valid, uncorrected, enabled, with an address; signalled; no AR */
        equal(status[MEMORY_BANK], 0xbd000000000000c0,
              "and that nobody has used it yet");
        equal(global & 7, 5, "in progress, and the instruction goes on");
    }
    print("# please mce\n");
    if (ok(wait(2), "a machine check of the monitor's")) {
        equal(status[MONITOR_BANK], 0xb200000000000005, "its status");
    }
}
