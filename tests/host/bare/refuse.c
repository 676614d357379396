/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every hypercall with every kind of bad input: the status must be the
 * documented one and nothing may have changed. And the good input, which must
 * be taken.
 */
#include "bare.h"

#define ARRAY(a)    (sizeof(a) / sizeof((a)[0]))
#define SELF        (~0ull)
#define REG_PAGES   256u            /* first page of A's memory, in the arena */
#define PFN(n)      (ARENA / PAGE + (n))
#define OUTPUT      ((uint8_t *)(ARENA + 0x10 * PAGE))
#define PROBE       ((uint8_t *)(ARENA + 0x20 * PAGE))
#define ROM         0xfffff000ull
#define PATTERN     0xa5

enum {
    OK = 0, BAD_CODE = 2, BAD_INPUT = 3, BAD_ALIGNMENT = 4, BAD_PARAMETER = 5,
    DENIED = 6, BAD_STATE = 7, NOT_ALLOWED = 8, UNKNOWN_PROPERTY = 9,
    OUT_OF_RANGE = 0xa, BAD_PARTITION = 0xd, BAD_VP = 0xe, BAD_PORT = 0x11,
    BAD_CONNECTION = 0x12, BAD_SYNIC = 0x18, NO_RESOURCES = 0x1d,
    NO_FEATURE = 0x20, BAD_VALUE = 0x50,
};

/* What a call needs, and so can be refused for */
enum {
    PARTITION = 1,                  /* u64 id at 0 */
    CHILD = 2 | PARTITION,          /* not the caller's own */
    ACTIVE = 4 | CHILD,             /* initialized, not finalized */
    VP = 8 | ACTIVE,                /* u32 VP index at 8 */
    FAST = 16,
};

typedef struct Def {
    const char *name;
    uint16_t code, flags, in_size, out_size, reps, rep_in, rep_out;
    uint8_t var;                    /* variable header, u64s */
    uint8_t vtl;                    /* its offset, 0: none */
    void (*fill)(uint8_t *in);
    uint16_t status;                /* of the good input */
} Def;

typedef struct Edit {
    uint16_t code, at, size, status;
    uint64_t value;
    const char *what;
} Edit;

static uint64_t a, created, finalized;
static uint8_t input[PAGE] __attribute__((aligned(PAGE)));
static uint64_t first_digest;
static uint64_t asked, failed;

static void put(uint8_t *in, unsigned at, unsigned size, uint64_t v)
{
    memcpy(in + at, &v, size);
}

/* ---- Good inputs ---- */

static void id_only(uint8_t *in)
{
    put(in, 0, 8, a);
}

static void id_and_vp(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, 0);
}

static void self(uint8_t *in)
{
    put(in, 0, 8, SELF);
}

static void create(uint8_t *in)
{
    put(in, 0, 8, 1 << 8 | 1 << 19 | 1 << 13);
    put(in, 16, 4, 0x609);
}

static void initialize(uint8_t *in)
{
    put(in, 0, 8, created);
}

static void get_property(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, 0x10001);
}

static void set_property(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, 0x50017);
}

static void get_property_ex(uint8_t *in)
{
    self(in);
    put(in, 8, 4, 0x90007);
}

static void deposit(uint8_t *in)
{
    id_only(in);
    put(in, 8, 8, PFN(710));
    put(in, 16, 8, PFN(711));
}

static void map_gpa(uint8_t *in)
{
    id_only(in);
    put(in, 8, 8, 40);
    put(in, 16, 4, 0xf);
    put(in, 24, 8, PFN(REG_PAGES + 40));
    put(in, 32, 8, PFN(REG_PAGES + 41));
}

static void unmap_gpa(uint8_t *in)
{
    id_only(in);
    put(in, 8, 8, 40);
}

static void install_intercept(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, 4);
    put(in, 12, 4, 3);
    put(in, 16, 8, 6);
}

static void create_vp(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, 3);
}

static void delete_vp(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, 3);
}

static void get_registers(uint8_t *in)
{
    id_and_vp(in);
    put(in, 16, 4, 0x20000);
    put(in, 20, 4, 0x20010);
}

static void set_registers(uint8_t *in)
{
    id_and_vp(in);
    put(in, 16, 4, 0x20001);
    put(in, 48, 4, 0x20002);
}

static void translate(uint8_t *in)
{
    id_and_vp(in);
    put(in, 16, 8, 1);
    put(in, 24, 8, 3);
}

static void delete_port(uint8_t *in)
{
    self(in);
    put(in, 8, 4, 6);
}

static void disconnect(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, 6);
    put(in, 12, 4, 1);
}

static void create_port(uint8_t *in)
{
    self(in);
    put(in, 8, 4, 6);
    put(in, 16, 8, a);
    put(in, 24, 4, 4);
    put(in, 32, 4, 5);
    put(in, 36, 4, ~0u);
}

static void connect_port(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, 6);
    put(in, 16, 8, SELF);
    put(in, 24, 4, 8);
    put(in, 32, 4, 4);
    put(in, 40, 8, 0x200000);
    put(in, 56, 8, 3);
}

static void stats(uint8_t *in)
{
    put(in, 0, 4, 0x10002);
    put(in, 8, 8, a);
    put(in, 24, 8, PFN(620));
}

static void ring_empty(uint8_t *in)
{
    put(in, 0, 4, 5);
}

static void result(uint8_t *in)
{
    id_only(in);
    put(in, 8, 4, ~0u);
    put(in, 12, 4, 2);
    put(in, 16, 4, 0x1234);
}

static void assert_interrupt(uint8_t *in)
{
    id_only(in);
    put(in, 24, 4, 0x40);
}

static void message(uint8_t *in)
{
    id_and_vp(in);
    put(in, 16, 4, 2);
    put(in, 20, 4, 1);
}

static void event(uint8_t *in)
{
    id_and_vp(in);
    put(in, 13, 1, 2);
}

static void access_states(uint8_t *in)
{
    id_only(in);
    put(in, 16, 8, 0);
}

static void state_page(uint8_t *in)
{
    id_and_vp(in);
    put(in, 8, 4, 1);
    put(in, 15, 1, 1);
    put(in, 16, 8, PFN(630));
}

static void unmap_state_page(uint8_t *in)
{
    id_and_vp(in);
    put(in, 8, 4, 1);
}

static void lapic_state(uint8_t *in)
{
    id_and_vp(in);
    put(in, 16, 4, 0x80000000);
    put(in, 40, 8, PFN(0x30));
}

static void cpuid_values(uint8_t *in)
{
    id_and_vp(in);
    put(in, 24, 4, 1);
}

/* In this order: later ones undo what earlier ones did. */
static const Def defs[] = {
    { "CREATE_PARTITION", 0x40, 0, 56, 8, .fill = create },
    { "INITIALIZE_PARTITION", 0x41, CHILD | FAST, 8, .fill = initialize },
    { "GET_PARTITION_PROPERTY", 0x44, PARTITION, 16, 8, .fill = get_property },
    { "SET_PARTITION_PROPERTY", 0x45, CHILD, 24, .fill = set_property },
    { "GET_PARTITION_PROPERTY_EX", 0x101, PARTITION, 24, 4072,
      .fill = get_property_ex },
    { "GET_PARTITION_ID", 0x46, 0, 0, 8, .fill = self, .status = DENIED },
    { "DEPOSIT_MEMORY", 0x48, PARTITION, 8, .reps = 2, .rep_in = 8,
      .fill = deposit },
    { "WITHDRAW_MEMORY", 0x49, PARTITION, 16, .reps = 2, .rep_out = 8,
      .fill = id_only },
    { "MAP_GPA_PAGES", 0x4b, CHILD, 24, .reps = 2, .rep_in = 8,
      .fill = map_gpa },
    { "UNMAP_GPA_PAGES", 0x4c, CHILD, 24, .reps = 2, .fill = unmap_gpa },
    { "INSTALL_INTERCEPT", 0x4d, ACTIVE, 24, .fill = install_intercept },
    { "CREATE_VP", 0x4e, ACTIVE, 40, .fill = create_vp },
    { "DELETE_VP", 0x4f, ACTIVE | FAST, 16, .fill = delete_vp },
    { "GET_VP_REGISTERS", 0x50, VP, 16, .reps = 2, .rep_in = 4, .rep_out = 16,
      .vtl = 12, .fill = get_registers },
    { "SET_VP_REGISTERS", 0x51, VP, 16, .reps = 2, .rep_in = 32, .vtl = 12,
      .fill = set_registers },
    { "TRANSLATE_VIRTUAL_ADDRESS", 0x52, VP, 32, 16, .fill = translate },
    { "CLEAR_VIRTUAL_INTERRUPT", 0x56, ACTIVE | FAST, 8, .fill = id_only },
    { "CREATE_PORT", 0x95, 0, 56, .fill = create_port },
    { "CONNECT_PORT", 0x96, ACTIVE, 72, .fill = connect_port },
    { "DISCONNECT_PORT", 0x5b, ACTIVE | FAST, 16, .fill = disconnect },
    { "DELETE_PORT", 0x58, FAST, 16, .fill = delete_port },
    { "MAP_STATS_PAGE", 0x6c, 0, 24, 8, .fill = stats, .status = NOT_ALLOWED },
    { "MAP_STATS_PAGE2", 0x131, 0, 32, .fill = stats },
    { "UNMAP_STATS_PAGE", 0x6d, 0, 24, .fill = stats },
    { "NOTIFY_PORT_RING_EMPTY", 0x8b, FAST, 8, .fill = ring_empty },
    { "REGISTER_INTERCEPT_RESULT", 0x91, ACTIVE, 60, .fill = result },
    { "ASSERT_VIRTUAL_INTERRUPT", 0x94, ACTIVE, 32, .vtl = 28,
      .fill = assert_interrupt },
    { "SIGNAL_EVENT_DIRECT", 0xc0, VP, 16, 1, .vtl = 12, .fill = event,
      .status = BAD_SYNIC },
    { "POST_MESSAGE_DIRECT", 0xc1, VP, 280, .vtl = 12, .fill = message,
      .status = BAD_SYNIC },
    { "GET_GPA_PAGES_ACCESS_STATES", 0xc9, ACTIVE, 24, .reps = 2, .rep_out = 1,
      .fill = access_states },
    { "MAP_VP_STATE_PAGE", 0xe1, VP, 24, 8, .vtl = 14, .fill = state_page },
    { "UNMAP_VP_STATE_PAGE", 0xe2, VP, 16, .vtl = 14,
      .fill = unmap_state_page },
    { "GET_VP_STATE", 0xe3, VP, 40, 200, .var = 1, .vtl = 12,
      .fill = lapic_state },
    { "SET_VP_STATE", 0xe4, VP, 40, .var = 1, .vtl = 12, .fill = lapic_state },
    { "GET_VP_CPUID_VALUES", 0xf4, VP, 24, .reps = 1, .rep_in = 8,
      .rep_out = 16, .fill = cpuid_values },
    { "FINALIZE_PARTITION", 0x42, CHILD | FAST, 8, .fill = initialize },
    { "DELETE_PARTITION", 0x43, CHILD | FAST, 8, .fill = initialize },
};

#define NO_PFN  (NO_RAM / PAGE)

/* { code, offset, size, status, value, what } */
static const Edit edits[] = {
    { 0x40, 0, 8, BAD_PARAMETER, 0, "no flags" },
    { 0x40, 0, 8, BAD_PARAMETER, 1 << 8 | 1 << 19 | 1 << 30, "unknown flag" },
    { 0x40, 0, 8, NO_FEATURE, 1 << 8 | 1 << 19 | 2, "a nested hypervisor" },
    { 0x40, 16, 4, BAD_PARAMETER, 0, "no compatibility version" },
    { 0x40, 16, 4, BAD_PARAMETER, 0x60a, "a version not yet made" },
    { 0x40, 48, 8, NO_FEATURE, 1, "isolation" },
    { 0x44, 8, 4, UNKNOWN_PROPERTY, 0x12345, "unknown property" },
    { 0x45, 8, 4, UNKNOWN_PROPERTY, 0x12345, "unknown property" },
    { 0x45, 8, 4, NOT_ALLOWED, 0x60000, "a read-only property" },
    { 0x45, 8, 4, BAD_STATE, 0x10001, "an early property, late" },
    { 0x45, 16, 8, BAD_PARAMETER, 2, "a value that is none" },
    { 0x101, 8, 4, UNKNOWN_PROPERTY, 0x12345, "unknown property" },
    { 0x48, 8, 8, BAD_PARAMETER, NO_PFN, "a page that is no RAM" },
    { 0x48, 16, 8, BAD_PARAMETER, NO_PFN, "a second page that is no RAM" },
    { 0x48, 16, 8, BAD_PARAMETER, PFN(710), "the same page twice" },
    { 0x48, 8, 8, BAD_PARAMETER, PFN(700), "a page that is deposited" },
    { 0x48, 8, 8, BAD_PARAMETER, ~0ull, "a page number beyond all" },
    { 0x4b, 8, 8, BAD_PARAMETER, 1ull << 40, "a guest page beyond all" },
    { 0x4b, 8, 8, BAD_PARAMETER, ~0ull, "the last guest page of 64 bits" },
    { 0x4b, 16, 4, BAD_PARAMETER, 0x1000000f, "an unknown flag" },
    { 0x4b, 16, 4, BAD_PARAMETER, 0x8000000f, "unaligned large pages" },
    { 0x4b, 24, 8, BAD_PARAMETER, NO_PFN, "a page that is no RAM" },
    { 0x4b, 24, 8, BAD_PARAMETER, ROM / PAGE, "a page of ROM" },
    { 0x4b, 24, 8, BAD_PARAMETER, ~0ull, "a page number beyond all" },
    { 0x4b, 0, 8, BAD_STATE, 0, "finalized partition" },
    { 0x4c, 8, 8, BAD_PARAMETER, 1ull << 40, "a guest page beyond all" },
    { 0x4c, 16, 4, BAD_PARAMETER, 1, "an unknown flag" },
    { 0x4c, 16, 4, BAD_PARAMETER, 2, "unaligned large pages" },
    { 0x4d, 8, 4, BAD_PARAMETER, 8, "an unknown access" },
    { 0x4d, 12, 4, BAD_PARAMETER, 4, "an unknown kind" },
    { 0x4d, 12, 4, BAD_PARAMETER, 77, "another unknown kind" },
    { 0x4d, 12, 4, NOT_ALLOWED, 7, "SMI" },
    { 0x4d, 12, 4, NOT_ALLOWED, 9, "INIT and SIPI" },
    { 0x4d, 12, 4, NOT_ALLOWED, 11, "writes to the APIC" },
    { 0x4d, 16, 8, BAD_PARAMETER, 32, "exception 32" },
    { 0x4e, 8, 4, BAD_VP, 0, "an index that is taken" },
    { 0x4e, 8, 4, BAD_VP, 256, "VP 256" },
    { 0x4e, 8, 4, BAD_VP, ~0u, "VP ~0" },
    { 0x4e, 15, 1, BAD_PARAMETER, 4, "an unknown subnode" },
    { 0x4e, 32, 8, BAD_PARAMETER, 1, "flags" },
    { 0x4f, 8, 4, BAD_VP, 2, "a VP that is not" },
    { 0x50, 16, 4, BAD_PARAMETER, 0x7fffffff, "an unknown register" },
    { 0x51, 16, 4, BAD_PARAMETER, 0x7fffffff, "an unknown register" },
    { 0x51, 16, 4, NOT_ALLOWED, 0x100, "a read-only register" },
    { 0x51, 16, 4, NOT_ALLOWED, 0x8000d, "MTRR capabilities" },
    { 0x58, 8, 4, BAD_PORT, 77, "a port that is not" },
    { 0x58, 0, 8, DENIED, 77, "another's port" },
    { 0x5b, 8, 4, BAD_CONNECTION, 77, "a connection that is not" },
    { 0x5b, 12, 4, BAD_CONNECTION, 0, "one that is no doorbell" },
    { 0x95, 0, 8, DENIED, 77, "a port of another" },
    { 0x95, 8, 4, BAD_PORT, 0, "port 0" },
    { 0x95, 8, 4, BAD_PORT, 5, "a port that is" },
    { 0x95, 8, 4, BAD_PORT, 0x1000000, "a port id of 25 bits" },
    { 0x95, 16, 8, BAD_PARTITION, 77, "for nobody" },
    { 0x95, 16, 8, BAD_PARTITION, SELF, "for itself" },
    { 0x95, 24, 4, BAD_PARAMETER, 1, "a message port" },
    { 0x95, 32, 4, BAD_PARAMETER, 16, "SINT 16" },
    { 0x95, 36, 4, BAD_VP, 77, "for a CPU that is not" },
    { 0x96, 8, 4, BAD_CONNECTION, 0, "connection 0" },
    { 0x96, 8, 4, BAD_CONNECTION, 5, "a connection that is" },
    { 0x96, 16, 8, DENIED, 77, "a port of another" },
    { 0x96, 24, 4, BAD_PORT, 77, "a port that is not" },
    { 0x96, 24, 4, BAD_PORT, 5, "a port that is connected" },
    { 0x96, 32, 4, BAD_PARAMETER, 1, "a message port" },
    { 0x96, 40, 8, BAD_PARAMETER, ~0ull, "an address beyond all" },
    { 0x96, 56, 8, BAD_PARAMETER, 5, "an unknown size" },
    { 0x96, 56, 8, BAD_PARAMETER, 8, "an unknown flag" },
    { 0x131, 0, 4, DENIED, 1, "the hypervisor's own" },
    { 0x131, 0, 4, BAD_PARAMETER, 0x77, "an unknown object" },
    { 0x131, 8, 8, BAD_PARTITION, 77, "a partition that is not" },
    { 0x131, 16, 4, BAD_VP, 77, "a VP that is not" },
    { 0x131, 23, 1, BAD_PARAMETER, 2, "an unknown area" },
    { 0x131, 24, 8, BAD_PARAMETER, NO_PFN, "a page that is no RAM" },
    { 0x6d, 0, 4, BAD_PARAMETER, 0x77, "an unknown object" },
    { 0x6d, 8, 8, BAD_PARTITION, 77, "a partition that is not" },
    { 0x6d, 16, 4, BAD_VP, 77, "a VP that is not" },
    { 0x6d, 16, 4, BAD_PARAMETER, 1, "a page that is not mapped" },
    { 0x8b, 0, 4, BAD_PARAMETER, 16, "SINT 16" },
    { 0x91, 8, 4, BAD_VP, 77, "a VP that is not" },
    { 0x91, 12, 4, BAD_PARAMETER, 3, "a kind that has no results" },
    { 0x94, 8, 4, BAD_PARAMETER, 10, "an unknown type" },
    { 0x94, 8, 4, BAD_PARAMETER, 2, "SMI" },
    { 0x94, 24, 4, BAD_PARAMETER, 0, "vector 0" },
    { 0x94, 24, 4, BAD_PARAMETER, 15, "vector 15" },
    { 0x94, 24, 4, BAD_PARAMETER, 256, "vector 256" },
    { 0x94, 16, 8, BAD_PARAMETER, 1ull << 32, "an APIC id of 33 bits" },
    { 0xc0, 13, 1, BAD_PARAMETER, 16, "SINT 16" },
    { 0xc0, 14, 2, BAD_PARAMETER, 2048, "flag 2048" },
    { 0xc1, 16, 4, BAD_PARAMETER, 16, "SINT 16" },
    { 0xc9, 8, 8, BAD_PARAMETER, 3, "clear and set of accessed" },
    { 0xc9, 8, 8, BAD_PARAMETER, 0xc, "clear and set of dirty" },
    { 0xc9, 8, 8, BAD_PARAMETER, 0x10, "an unknown flag" },
    { 0xc9, 16, 8, BAD_PARAMETER, 1ull << 40, "a guest page beyond all" },
    { 0xc9, 16, 8, BAD_PARAMETER, 1000, "a page that is not mapped" },
    { 0xe1, 12, 2, BAD_PARAMETER, 2, "an unknown type" },
    { 0xe1, 15, 1, BAD_PARAMETER, 0, "a page of the hypervisor's" },
    { 0xe1, 16, 8, BAD_PARAMETER, NO_PFN, "a page that is no RAM" },
    { 0xe2, 12, 2, BAD_PARAMETER, 2, "an unknown type" },
    { 0xe2, 12, 2, BAD_PARAMETER, 1, "a page that is not mapped" },
    { 0xe3, 16, 4, BAD_PARAMETER, 0x80000005, "an unknown state" },
    { 0xe3, 16, 4, BAD_PARAMETER, 0, "the APIC, not by page" },
    { 0xe3, 16, 4, BAD_PARAMETER, 0x80000004, "timers by page" },
    { 0xe3, 40, 8, BAD_PARAMETER, NO_PFN, "a page that is no RAM" },
    { 0xe4, 16, 4, BAD_PARAMETER, 0x80000005, "an unknown state" },
    { 0xe4, 16, 4, BAD_PARAMETER, 0x80000001, "an XSAVE area of no format" },
    { 0xe4, 40, 8, BAD_PARAMETER, NO_PFN, "a page that is no RAM" },
};

/* Values of registers that must be refused */
static const struct {
    uint32_t name;
    uint64_t value;
    const char *what;
} bad_values[] = {
    { 0x4, 8, "an activity that is none" },
    { 0x10002, 1 | 1 << 1, "a pending interruption of type 1" },
    { 0x40000, 1ull << 32, "CR0 of 33 bits" },
    { 0x40003, 1ull << 63, "a reserved bit of CR4" },
    { 0x40004, 16, "CR8 of 16" },
    { 0x40005, 0, "XCR0 without x87" },
    { 0x40005, 1 | 1 << 30, "XCR0 with an unknown component" },
    { 0x50005, 1ull << 32, "DR7 of 33 bits" },
    { 0x80001, 1ull << 40, "a reserved bit of EFER" },
    { 0x80003, 0xfee00000 | 1, "a reserved bit of APIC_BASE" },
    { 0x80003, 0xfee00c00, "x2APIC without its creation flag" },
    { 0x8000c, 256, "APIC id 256" },
    { 0xa0000, 0x0f, "a SINT with vector 15" },
};

/* ---- The state that may not change ---- */

static uint64_t mix(uint64_t h, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n--) {
        h = (h ^ *p++) * 0x100000001b3ull;
    }
    return h;
}

static uint64_t probe(uint64_t h, uint64_t control, uint64_t in0, uint64_t in1,
                      uint64_t in2, size_t out)
{
    uint64_t list[48] __attribute__((aligned(512))) = { in0, in1, in2 }, rax;

    memset(PROBE, 0, PAGE);
    rax = hypercall(control, (uint64_t)list, (uint64_t)PROBE);
    return mix(mix(h, &rax, sizeof(rax)), PROBE, out);
}

static uint64_t probe_fast(uint64_t h, uint16_t code, uint64_t in0,
                           uint64_t in1)
{
    uint64_t rax = hypercall(code | 1 << 16, in0, in1);

    return mix(h, &rax, sizeof(rax));
}

static uint64_t probe_registers(uint64_t h, uint32_t vp)
{
    static const struct {
        uint32_t first, n;
    } sets[] = {
        { 0, 2 }, { 3, 2 }, { 0x210, 6 }, { 0x10002, 5 }, { 0x20000, 18 },
        { 0x30000, 26 }, { 0x40000, 6 }, { 0x50000, 6 }, { 0x60000, 8 },
        { 0x70000, 2 }, { 0x80000, 15 }, { 0x80010, 8 }, { 0x80040, 8 },
        { 0x80070, 12 }, { 0x90001, 4 }, { 0xa0000, 21 }, { 0xb0000, 8 },
    };

    for (unsigned i = 0; i < ARRAY(sets); i++) {
        struct {
            uint64_t id;
            uint32_t vp, vtl, name[32];
        } in __attribute__((aligned(256))) = { a, vp, 0, { 0 } };

        for (unsigned j = 0; j < sets[i].n; j++) {
            in.name[j] = sets[i].first + j;
        }
        memset(PROBE, 0, PAGE);
        hypercall(0x50 | (uint64_t)sets[i].n << 32, (uint64_t)&in,
                  (uint64_t)PROBE);
        h = mix(h, PROBE, 16 * sets[i].n);
    }
    return h;
}

static uint64_t digest(void)
{
    static const uint32_t properties[] = {
        0x10000, 0x10001, 0x30003, 0x50003, 0x50005, 0x50017, 0x70000,
    };
    uint64_t h = 0xcbf29ce484222325ull, *counters = (void *)PROBE;

    for (unsigned i = 0; i < ARRAY(properties); i++) {
        h = probe(h, 0x44, a, properties[i], 0, 8);
        h = probe(h, 0x44, created, properties[i], 0, 8);
    }
    h = probe(h, 0x44, a, 0x30005, 0, 8);
    h = probe_registers(h, 0);
    h = probe_registers(h, 1);
    h = probe(h, 0xc9 | 45ull << 32, a, 0, 0, 45);
    h = probe(h, 0xf4 | 1ull << 32, a, 0, 0, 16);
    /* VPs, ports and connections that must not exist */
    h = probe(h, 0x4f, a, 2, 0, 0);
    h = probe(h, 0x4f, a, 3, 0, 0);
    h = probe_fast(h, 0x58, SELF, 6);
    h = probe_fast(h, 0x5b, a, 6 | 1ull << 32);
    /* The local APIC, by page, and the timers */
    h = probe(h, 0xe3 | 1 << 17, a, 0, 0x80000000, 0);
    h = probe(h, 0xe3, a, 0, 4, 200);
    /* Counters: VPs, deposited pages, mapped pages; children of the parent */
    probe(0, 0x131, 0x10002, a, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct {
            uint64_t type, id, vp, pfn;
        } in __attribute__((aligned(32))) = {
            0x10001, i ? SELF : a, 0, (uint64_t)PROBE / PAGE
        };

        hypercall(0x131, (uint64_t)&in, 0);
        h = mix(h, counters + 1, 8);
        h = mix(h, counters + 5, 16);
        h = mix(h, counters + 46, 8);
        hypercall(0x6d, (uint64_t)&in, 0);
    }
    return h;
}

/* ---- Questions ---- */

static void question(bool right, const char *name, const char *what)
{
    asked++;
    if (!right) {
        failed++;
        print("not ok - %s: %s\n", name, what);
    }
}

static uint64_t good_control(const Def *d)
{
    return d->code | (d->flags & FAST ? 1 << 16 : 0) | d->var << 17 |
           (uint64_t)d->reps << 32;
}

static void fill(const Def *d)
{
    memset(input, 0, sizeof(input));
    d->fill(input);
    memset(OUTPUT, PATTERN, PAGE);
}

static bool output_untouched(void)
{
    for (unsigned i = 0; i < PAGE; i++) {
        if (OUTPUT[i] != PATTERN) {
            return false;
        }
    }
    return true;
}

/* What is in "input" must be refused. */
static void refused(const Def *d, uint64_t control, uint64_t in, uint64_t out,
                    uint16_t status, const char *what)
{
    uint64_t rax, fast[2];

    if (control & 1 << 16) {
        memcpy(fast, input, 16);
        in = fast[0];
        out = fast[1];
    }
    rax = hypercall(control, in, out);
    question(STATUS(rax) == status, d->name, what);
    if (STATUS(rax) != status) {
        print("# expected status 0x%x, saw 0x%x\n", (uint64_t)status, rax);
    }
    question(REPS(rax) == 0, d->name, "no repetition is done");
    question(output_untouched(), d->name, "nothing is written");
    if (digest() != first_digest) {
        question(false, d->name, what);
        print("# something has changed\n");
        first_digest = digest();
    }
}

static void edited(const Def *d, unsigned at, unsigned size, uint64_t value,
                   uint16_t status, const char *what)
{
    fill(d);
    put(input, at, size, value);
    refused(d, good_control(d), (uint64_t)input, (uint64_t)OUTPUT, status,
            what);
}

static void bad_control(const Def *d, uint64_t flip, const char *what)
{
    fill(d);
    refused(d, good_control(d) ^ flip, (uint64_t)input, (uint64_t)OUTPUT,
            BAD_INPUT, what);
}

static void test_control(const Def *d)
{
    bad_control(d, 1 << 27, "reserved bit 27");
    bad_control(d, 1ull << 44, "reserved bit 44");
    bad_control(d, 1ull << 63, "reserved bit 63");
    if (!d->reps) {
        bad_control(d, 1ull << 32, "a rep count");
        bad_control(d, 1ull << 48, "a rep start");
    } else {
        bad_control(d, (uint64_t)d->reps << 32, "no rep count");
        bad_control(d, (uint64_t)d->reps << 48, "a rep start at the end");
    }
    if (!d->var && !(d->flags & FAST)) {
        bad_control(d, 1 << 17, "a variable header");
    }
    if (!(d->flags & FAST) && (d->in_size > 16 || d->out_size || d->reps)) {
        bad_control(d, 1 << 16, "fast");
    }
}

static void test_lists(const Def *d)
{
    size_t in = d->in_size + 8u * d->var + d->rep_in * d->reps;
    size_t out = d->out_size + d->rep_out * d->reps;
    uint64_t control = good_control(d), ok = (uint64_t)input;

    if (d->flags & FAST) {
        return;
    }
    fill(d);
    if (in) {
        refused(d, control, ok + 4, (uint64_t)OUTPUT, BAD_ALIGNMENT,
                "input that is not aligned");
        refused(d, control, ok + PAGE - 8 * ((in - 1) / 8),
                (uint64_t)OUTPUT, in > 8 ? BAD_ALIGNMENT : BAD_PARTITION,
                "input that crosses a page");
        refused(d, control, NO_RAM, (uint64_t)OUTPUT, BAD_ALIGNMENT,
                "input that is no RAM");
        refused(d, control, 0xfee00000, (uint64_t)OUTPUT, BAD_ALIGNMENT,
                "input from the APIC");
    }
    if (out) {
        refused(d, control, ok, (uint64_t)OUTPUT + 4, BAD_ALIGNMENT,
                "output that is not aligned");
        if (out > 8) {
            refused(d, control, ok, (uint64_t)OUTPUT + PAGE - 8,
                    BAD_ALIGNMENT, "output that crosses a page");
        }
        refused(d, control, ok, NO_RAM, BAD_ALIGNMENT,
                "output that is no RAM");
        refused(d, control, ok, ROM, BAD_ALIGNMENT, "output to ROM");
    }
}

static void test_objects(const Def *d)
{
    if (d->flags & PARTITION) {
        edited(d, 0, 8, 0, BAD_PARTITION, "partition 0");
        edited(d, 0, 8, 0x1234, BAD_PARTITION, "a partition that is not");
    }
    if ((d->flags & CHILD) == CHILD) {
        edited(d, 0, 8, SELF, DENIED, "the parent itself");
    }
    if ((d->flags & ACTIVE) == ACTIVE) {
        edited(d, 0, 8, created, BAD_STATE, "one not yet initialized");
        edited(d, 0, 8, finalized, BAD_STATE, "one that is finalized");
    }
    if ((d->flags & VP) == VP) {
        edited(d, 8, 4, 2, BAD_VP, "a VP that is not");
        edited(d, 8, 4, 256, BAD_VP, "VP 256");
        edited(d, 8, 4, ~0u, BAD_VP, "VP ~0");
    }
    if (d->vtl) {
        edited(d, d->vtl, 1, 1, BAD_PARAMETER, "VTL 1");
    }
}

static void test_edits(const Def *d)
{
    for (unsigned i = 0; i < ARRAY(edits); i++) {
        const Edit *e = &edits[i];

        if (e->code == d->code) {
            edited(d, e->at, e->size, e->status == BAD_STATE && !e->value
                                          ? finalized : e->value,
                   e->status, e->what);
        }
    }
    for (unsigned i = 0; d->code == 0x51 && i < ARRAY(bad_values); i++) {
        fill(d);
        put(input, 16, 4, bad_values[i].name);
        put(input, 32, 8, bad_values[i].value);
        refused(d, good_control(d), (uint64_t)input, (uint64_t)OUTPUT,
                BAD_VALUE, bad_values[i].what);
    }
    if (d->code == 0x44) {
        fill(d);
        put(input, 0, 8, SELF);
        put(input, 8, 4, 0x10000);
        refused(d, good_control(d), (uint64_t)input, (uint64_t)OUTPUT, DENIED,
                "a property that the parent has not");
    } else if (d->code == 0x41) {
        edited(d, 0, 8, a, BAD_STATE, "one that is active");
        edited(d, 0, 8, finalized, BAD_STATE, "one that is finalized");
    } else if (d->code == 0x42) {
        edited(d, 0, 8, finalized, BAD_STATE, "one that is finalized");
    } else if (d->code == 0x43) {
        edited(d, 0, 8, a, BAD_STATE, "one that is active");
    }
}

static uint64_t good(const Def *d)
{
    uint64_t fast[2], rax;

    fill(d);
    memcpy(fast, input, 16);
    rax = d->flags & FAST
          ? hypercall(good_control(d), fast[0], fast[1])
          : hypercall(good_control(d), (uint64_t)input, (uint64_t)OUTPUT);
    question(STATUS(rax) == d->status, d->name, "the good input");
    if (STATUS(rax) != d->status) {
        print("# expected status 0x%x, saw 0x%x\n", (uint64_t)d->status, rax);
    } else if (!d->status) {
        question(REPS(rax) == d->reps, d->name, "all repetitions");
    }
    return rax;
}

static const Def *def(uint16_t code)
{
    for (unsigned i = 0; i < ARRAY(defs); i++) {
        if (defs[i].code == code) {
            return &defs[i];
        }
    }
    return NULL;
}

/* ---- Setting ---- */

static void must(uint64_t rax, const char *what)
{
    if (STATUS(rax)) {
        print("not ok - %s failed with status 0x%x\n", what, rax);
        power_off();
    }
}

static uint64_t new_partition(void)
{
    uint64_t id;

    must(good(def(0x40)), "CREATE_PARTITION");
    memcpy(&id, OUTPUT, 8);
    return id;
}

static void with(uint16_t code, void (*edit)(void))
{
    const Def *d = def(code);

    fill(d);
    edit();
    must(hypercall(good_control(d), (uint64_t)input, (uint64_t)OUTPUT),
         d->name);
}

static void first_page(void)
{
    put(input, 8, 8, 0);
    for (unsigned i = 0; i < 2; i++) {
        put(input, 24 + 8 * i, 8, PFN(REG_PAGES + i));
    }
}

static void vp_0(void)
{
    put(input, 8, 4, 0);
}

static void vp_1(void)
{
    put(input, 8, 4, 1);
}

static void port_5(void)
{
    put(input, 8, 4, 5);
}

static void port_8(void)
{
    put(input, 8, 4, 8);
}

static void connection_5(void)
{
    put(input, 8, 4, 5);
    put(input, 24, 4, 5);
}

static void frozen(void)
{
    put(input, 8, 4, 0x30003);
    put(input, 16, 8, 1);
}

static void page_700(void)
{
    put(input, 8, 8, PFN(700));
    put(input, 16, 8, PFN(701));
}

static void set_up(void)
{
    finalized = new_partition();
    must(hypercall(0x41 | 1 << 16, finalized, 0), "INITIALIZE_PARTITION");
    must(hypercall(0x42 | 1 << 16, finalized, 0), "FINALIZE_PARTITION");
    created = new_partition();
    a = new_partition();
    must(hypercall(0x41 | 1 << 16, a, 0), "INITIALIZE_PARTITION");
    with(0x4e, vp_0);
    with(0x4e, vp_1);
    with(0x4b, first_page);
    with(0x48, page_700);
    with(0x95, port_5);
    with(0x95, port_8);
    with(0x96, connection_5);
    with(0x45, frozen);
}

static void test_unknown(void)
{
    static const Def none = { "an unknown hypercall", .fill = self };

    for (uint64_t code = 0; code < 0x10000; code += code < 0x200 ? 1 : 0x777) {
        bool known = def(code) || code == 0x08 || code == 0x5c ||
                     code == 0x5d || code == 0x6f || code == 0x76 ||
                     code == 0x7b || code == 0x84 || code == 0x87 ||
                     code == 0xc2;

        if (!known) {
            fill(&none);
            refused(&none, code, (uint64_t)input, (uint64_t)OUTPUT, BAD_CODE,
                    "its code");
        }
    }
}

static void test_dispatch(void)
{
    static const Def d = {
        "DISPATCH_VP", 0xc2, CHILD, 32, 8, .fill = id_and_vp
    };

    test_control(&d);
    test_lists(&d);
    test_objects(&d);
    if (!PARAMS->root_scheduler) {
        fill(&d);
        refused(&d, 0xc2, (uint64_t)input, (uint64_t)OUTPUT, NOT_ALLOWED,
                "with the core scheduler");
        return;
    }
    edited(&d, 0, 8, created, BAD_STATE, "one not yet initialized");
    edited(&d, 8, 4, 2, BAD_VP, "a VP that is not");
}

int main(void)
{
    uint64_t last;

    hv_start();
    set_up();
    first_digest = digest();
    question(digest() == first_digest, "the state", "stands still");
    for (unsigned i = 0; i < ARRAY(defs); i++) {
        last = failed;
        test_control(&defs[i]);
        test_lists(&defs[i]);
        test_objects(&defs[i]);
        test_edits(&defs[i]);
        if (failed == last) {
            print("ok - %s\n", defs[i].name);
        }
    }
    test_dispatch();
    test_unknown();
    for (unsigned i = 1; i < ARRAY(defs); i++) {
        good(&defs[i]);
    }
    print("%u questions, %u failed\n", asked, failed);
    if (!failed) {
        print("ok - all refusals are right\n");
    }
    return 0;
}
