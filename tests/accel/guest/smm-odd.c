/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Odd uses of system management mode, one at each boot: SMBASE where no memory
 * is, handlers that do not come back. The test outside knows what comes of each
 * and resets the machine.
 */
#include "smm.h"

#define NEW_SMBASE      0x600
#define COUNT           0x604           /* handlers that came back */
#define SIGNAL          0x608           /* one that does not, has begun */
#define ELSEWHERE       0x9000          /* in RAM that is none of SMRAM */

#define COME_BACK       " addr32 lock incl " SMM_STR(COUNT) "\n rsm\n"
#define STAY            " addr32 movl $1, " SMM_STR(SIGNAL) "\n"

SMM_CODE(smm_count, COME_BACK);
SMM_CODE(smm_relocate,
    " addr32 mov " SMM_STR(NEW_SMBASE) ", %eax\n"
    " addr32 mov %eax, " SMM_STR(DEFAULT_SMBASE) " + "
    SMM_STR(SAVED_SMBASE) "\n" COME_BACK);
SMM_CODE(smm_jump, " ljmp $0, $" SMM_STR(ELSEWHERE) "\n");
SMM_CODE(smm_triple, STAY " ud2\n");
SMM_CODE(smm_halt, STAY "1: cli\n hlt\n jmp 1b\n");
SMM_CODE(smm_loop, STAY "1: jmp 1b\n");
SMM_CODE(smm_exits, STAY "1: addr32 mov 0xfec00000, %eax\n jmp 1b\n");
SMM_CODE(smm_storm, STAY
    " addr32 movl $0x01000000, 0xfee00310\n"
    " addr32 movl $" SMM_STR(SMI_IPI) ", 0xfee00300\n rsm\n");

struct code {
    const uint8_t *begin, *end;
};
#define NOTHING         ((struct code) { NULL, NULL })
#define HANDLER(name)   ((struct code) { CODE_OF(name), CODE_OF(name##_end) })

/* For the other processor */
static volatile uint32_t started, mission, done;

void guest_cpu(unsigned number)
{
    unsigned i;

    started = 1;
    for (i = 1; ; i++) {
        wait_for(&mission, i);
        outb(APM, 0);
        done = i;
    }
}

/* The other processor gets an SMI. */
static void raise(void)
{
    wait_for(&done, ++mission);
}

static void put_code(uint32_t at, struct code code)
{
    memcpy((void *)(uint64_t)at, code.begin, code.end - code.begin);
}

/* As smm.py names them */
static void run_case(unsigned number)
{
    const struct {
        uint32_t smbase;        /* 0: as it is */
        struct code code;
    } cases[] = {
        { 0x31013, HANDLER(smm_count) },
        { 0xc00000, HANDLER(smm_count) },
        { 0, HANDLER(smm_jump) },
        { 0x1ff4000, HANDLER(smm_count) },
        { 0x1ff8000, NOTHING },
        { 0xb0000000, NOTHING },
        { 0xfebf8000, NOTHING },
        { 0xfedf8000, NOTHING },
        { 0xfedf0200, NOTHING },
        { 0xfebf0200, NOTHING },
        { 0xffff8000, HANDLER(smm_loop) },
        { 0xffffffff, HANDLER(smm_loop) },
        { 0, HANDLER(smm_triple) },
        { 0, HANDLER(smm_halt) },
        { 0, HANDLER(smm_exits) },
        { 0, HANDLER(smm_storm) },
        { 0, HANDLER(smm_loop) },
    }, *c = &cases[number];
    uint32_t smbase = DEFAULT_SMBASE, before;

    if (number >= ARRAY_SIZE(cases)) {
        return;
    }
    if (c->smbase) {
        smbase = c->smbase;
        write32(NEW_SMBASE, smbase);
        PUT_HANDLER(DEFAULT_SMBASE, smm_relocate);
        raise();
    }
    put_code(smbase + SMM_ENTRY, c->code);
    put_code(ELSEWHERE, HANDLER(smm_count));
    before = read32(COUNT);
    print("# case %u\n", number);
    raise();
    equal(read32(COUNT), before + 1, "it came back");
}

void guest_main(void)
{
    uint32_t boot = read32(BOOT_COUNT);

    write32(BOOT_COUNT, boot + 1);
    write32(COUNT, 0);
    write32(SIGNAL, 0);
    enable_smi();
    start_cpus(1);
    wait_for(&started, 1);
    PUT_HANDLER(DEFAULT_SMBASE, smm_count);
    raise();
    equal(read32(COUNT), 1, "start %u: an SMI is taken", boot);
    run_case(boot);
}
