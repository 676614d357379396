/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers that emuhv-strict asks for, as a parent without a kernel gets them.
 * Each word of it changes a line of what this prints (../bare.test).
 */
#include "bare.h"

#define SELF            (~0ull)
#define ANY_VP          (~0u)
#define PFN(n)          (ARENA / PAGE + (n))
#define OUTPUT          ((uint64_t *)(ARENA + 0x10 * PAGE))

#define SUCCESS         0
#define WANTS_PAGE      0xb
#define WANTS_PAGES     0x75

#define PAIR(low, high) ((uint32_t)(low) | (uint64_t)(high) << 32)

static uint64_t input[PAGE / 8] __attribute__((aligned(PAGE)));
static uint64_t wanted_page, wanted_pages;

/* The input is @id and these; the output is at OUTPUT. */
static uint16_t call(uint16_t code, unsigned reps, uint64_t id, uint64_t a,
                     uint64_t b, uint64_t c, uint64_t d)
{
    const uint64_t in[] = { id, a, b, c, d };
    uint16_t status;

    memset(input, 0, sizeof(input));
    memcpy(input, in, sizeof(in));
    do {
        status = STATUS(hypercall(code | (uint64_t)reps << 32,
                                  (uintptr_t)input, (uintptr_t)OUTPUT));
        wanted_page += status == WANTS_PAGE;
        wanted_pages += status == WANTS_PAGES;
    } while (status == WANTS_PAGE || status == WANTS_PAGES);
    return status;
}

static uint16_t create_partition(uint64_t *id)
{
    uint16_t status = call(0x40, 0, 1 << 8 | 1 << 19 | 1 << 13, 0, 0x609, 0, 0);

    *id = OUTPUT[0];
    return status;
}

static uint16_t get_property(uint64_t id, uint32_t code)
{
    OUTPUT[0] = 0;
    return call(0x44, 0, id, code, 0, 0, 0);
}

/* ---- What is asked ---- */

/* Also accesses to a page before, while and after it is the hypervisor's */
static void ask_deposits(void)
{
    uint8_t *page = (uint8_t *)(PFN(100) * PAGE);

    memset(page, 1, 8);
    call(0x48, 1, SELF, PFN(100), 0, 0, 0);
    memset(page, 2, 8);
    call(0x49, 1, SELF, 0, 0, 0, 0);
    memset(page, 3, 8);
}

static void ask_features(uint64_t id)
{
    print("nobody's synthetic feature %x\n",
          call(0x45, 0, id, 0x10001, 1ull << 63 | 1, 0, 0));
    print("host property %x\n", get_property(SELF, 0x6000a));
    get_property(id, 0x6000a);
    print("BMI1 %u\n", OUTPUT[0] >> 25 & 1);
    get_property(id, 0x60006);
    print("address bits %u\n", OUTPUT[0]);
    print("page tracking %x\n", get_property(id, 0x50005));
}

static void ask_vps(uint64_t id)
{
    uint16_t status = SUCCESS;
    unsigned n;

    for (n = 0; n < 8; n++) {
        status = call(0x4e, 0, id, n, 0, 0, 0);
        if (status) {
            break;
        }
    }
    print("VPs %u, then %x\n", (uint64_t)n, (uint64_t)status);
}

static void ask_cpuid(uint64_t id)
{
    uint64_t for_all = call(0x91, 0, id, PAIR(ANY_VP, 2), 0, 0, 0);
    uint16_t status = SUCCESS;
    unsigned n;

    for (n = 0; n < 50; n++) {
        status = call(0x91, 0, id, PAIR(0, 2), n, 0, 0);
        if (status) {
            break;
        }
    }
    print("CPUID results %u, then %x\n", (uint64_t)n, (uint64_t)status);
    print("CPUID result for all %x\n", for_all);
}

static void ask_intercepts(uint64_t id)
{
    print("CPUID intercept %x\n", call(0x4d, 0, id, PAIR(4, 2), 1, 0, 0));
    print("exception intercept %x\n", call(0x4d, 0, id, PAIR(4, 3), 6, 0, 0));
    print("MSR intercept %x\n", call(0x4d, 0, id, PAIR(3, 0xc), 0x10, 0, 0));
    print("broadcast %x\n", call(0x94, 0, id, 0, 0xff, 0x40, 0));
}

static void ask_ports(uint64_t id)
{
    uint16_t status = SUCCESS;
    unsigned n;

    for (n = 0; n < 8; n++) {
        status = call(0x95, 0, SELF, n + 1, id, 4, PAIR(5, ANY_VP));
        if (status) {
            break;
        }
    }
    print("ports %u, then %x\n", (uint64_t)n, (uint64_t)status);
}

static void ask_build(void)
{
    uint32_t eax = 0x40000002, ebx, ecx = 0, edx;

    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    print("build %u\n", (uint64_t)eax);
}

int main(void)
{
    uint64_t id, other;
    unsigned i;

    hv_start();
    create_partition(&id);
    print("second partition %x\n", (uint64_t)create_partition(&other));
    ask_deposits();
    ask_features(id);
    call(0x41, 0, id, 0, 0, 0, 0);
    ask_vps(id);
    ask_cpuid(id);
    ask_intercepts(id);
    ask_ports(id);
    ask_build();
    print("property %x\n", call(0x45, 0, id, 0x50017, 1, 0, 0));
    for (i = 0; i < 100; i++) {
        call(0x91, 0, id, PAIR(0, 2), 0, 0, 0);
    }
    print("memory %s\n", wanted_page ? "wanted" : "not wanted");
    print("memory in a row %s\n", wanted_pages ? "wanted" : "not wanted");
    print("ok - all asked\n");
    power_off();
}
