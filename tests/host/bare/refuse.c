/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every hypercall with every kind of bad input: the status must be the
 * documented one and nothing may have changed. And the good input, which must
 * be taken.
 */
#include "refuse.h"

#define OUTPUT      ((uint8_t *)(ARENA + 0x10 * PAGE))
#define PATTERN     0xa5

static Ids ids;
static uint8_t input[PAGE] __attribute__((aligned(PAGE)));
static uint64_t first_digest;
static uint64_t asked, failed;

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
    d->fill(input, &ids);
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
    if (digest(&ids) != first_digest) {
        question(false, d->name, what);
        print("# something has changed\n");
        first_digest = digest(&ids);
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
    if (!(d->flags & FAST) && (d->in_size > 112 || d->out_size || d->reps)) {
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
        edited(d, 0, 8, ids.created, BAD_STATE, "one not yet initialized");
        edited(d, 0, 8, ids.finalized, BAD_STATE, "one that is finalized");
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
    for (unsigned i = 0; i < n_edits; i++) {
        const Edit *e = &edits[i];

        if (e->code == d->code) {
            edited(d, e->at, e->size, e->value, e->status, e->what);
        }
    }
    for (unsigned i = 0; d->code == 0x51 && i < n_bad_values; i++) {
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
        edited(d, 0, 8, ids.a, BAD_STATE, "one that is active");
        edited(d, 0, 8, ids.finalized, BAD_STATE, "one that is finalized");
    } else if (d->code == 0x42 || d->code == 0x4b) {
        edited(d, 0, 8, ids.finalized, BAD_STATE, "one that is finalized");
    } else if (d->code == 0x43) {
        edited(d, 0, 8, ids.a, BAD_STATE, "one that is active");
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
    for (unsigned i = 0; i < n_defs; i++) {
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
    ids.finalized = new_partition();
    must(hypercall(0x41 | 1 << 16, ids.finalized, 0), "INITIALIZE_PARTITION");
    must(hypercall(0x42 | 1 << 16, ids.finalized, 0), "FINALIZE_PARTITION");
    ids.created = new_partition();
    ids.a = new_partition();
    must(hypercall(0x41 | 1 << 16, ids.a, 0), "INITIALIZE_PARTITION");
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
    for (uint64_t code = 0; code < 0x10000; code += code < 0x200 ? 1 : 0x777) {
        bool known = def(code) || code == 0x08 || code == 0x5c ||
                     code == 0x5d || code == 0x6f || code == 0x76 ||
                     code == 0x7b || code == 0x84 || code == 0x87 ||
                     code == 0xc2;

        if (!known) {
            fill(&unknown);
            refused(&unknown, code, (uint64_t)input, (uint64_t)OUTPUT, BAD_CODE,
                    "its code");
        }
    }
}

static void test_dispatch(void)
{
    const Def *d = &dispatch;

    test_control(d);
    test_lists(d);
    test_objects(d);
    if (!PARAMS->root_scheduler) {
        fill(d);
        refused(d, 0xc2, (uint64_t)input, (uint64_t)OUTPUT, NOT_ALLOWED,
                "with the core scheduler");
        return;
    }
    edited(d, 0, 8, ids.created, BAD_STATE, "one not yet initialized");
    edited(d, 8, 4, 2, BAD_VP, "a VP that is not");
}

/* ---- Messages that wait for the parent's SynIC ---- */

enum { MSR_SCONTROL = 0x40000080, MSR_SIMP = 0x40000083, MSR_EOM };

/* A register of VP 0: set (@value), or what it is. */
static uint64_t vp_register(uint64_t id, uint32_t name, const uint64_t *value)
{
    uint64_t result = 0;

    memset(input, 0, sizeof(input));
    put(input, 0, 8, id);
    put(input, 16, 4, name);
    if (value) {
        put(input, 32, 8, *value);
    }
    must(hypercall((value ? 0x51 : 0x50) | 1ull << 32, (uint64_t)input,
                   (uint64_t)OUTPUT), "a register of VP 0");
    memcpy(&result, OUTPUT, 8);
    return result;
}

/* A child whose VP is intercepted at once: it has no memory to run in. */
static uint64_t intercepted_child(void)
{
    enum { EXPLICIT_SUSPEND = 0, INTERCEPT_SUSPEND = 1 };
    static const uint64_t zero;
    uint64_t id = new_partition();

    must(hypercall(0x41 | 1 << 16, id, 0), "INITIALIZE_PARTITION");
    memset(input, 0, sizeof(input));
    put(input, 0, 8, id);
    must(hypercall(0x4e, (uint64_t)input, (uint64_t)OUTPUT), "CREATE_VP");
    vp_register(id, EXPLICIT_SUSPEND, &zero);
    while (!vp_register(id, INTERCEPT_SUSPEND, NULL)) {
        __asm__ volatile("pause");
    }
    return id;
}

static void finalize(uint64_t id)
{
    must(hypercall(0x42 | 1 << 16, id, 0), "FINALIZE_PARTITION");
}

/* Whose message is in slot 0 (0: nobody's); it is taken out. */
static uint64_t take_message(bool *more)
{
    struct {
        uint32_t type;
        uint8_t size, flags, zero[2];
        uint64_t sender;
    } slot;
    uint64_t simp = 0;

    try_rdmsr(MSR_SIMP, &simp);
    memcpy(&slot, (void *)(simp & ~0xfffull), sizeof(slot));
    memset((void *)(simp & ~0xfffull), 0, sizeof(slot));
    *more = slot.flags & 1;
    return slot.type ? slot.sender : 0;
}

static void test_messages(void)
{
    uint64_t a, b;
    bool more;

    if (PARAMS->root_scheduler) {
        return;             /* intercepts give no message */
    }
    try_wrmsr(MSR_SCONTROL, 0);
    a = intercepted_child();
    b = intercepted_child();
    try_wrmsr(MSR_SCONTROL, 1);
    question(take_message(&more) == a && more, "a message",
             "waits for the SynIC, and says that there are more");
    question(take_message(&more) == 0, "a message",
             "waits for the one before it");
    try_wrmsr(MSR_EOM, 0);
    question(take_message(&more) == b && !more, "a message",
             "comes with the end of the one before it");
    finalize(a);
    finalize(b);
    must(hypercall(0x43 | 1 << 16, a, 0), "DELETE_PARTITION");
    must(hypercall(0x43 | 1 << 16, b, 0), "DELETE_PARTITION");

    try_wrmsr(MSR_SCONTROL, 0);
    a = intercepted_child();
    finalize(a);
    try_wrmsr(MSR_SCONTROL, 1);
    question(take_message(&more) == 0, "a message", "goes with its partition");
    must(hypercall(0x43 | 1 << 16, a, 0), "DELETE_PARTITION");
}

int main(void)
{
    uint64_t last;

    hv_start();
    set_up();
    first_digest = digest(&ids);
    question(digest(&ids) == first_digest, "the state", "stands still");
    for (unsigned i = 0; i < n_defs; i++) {
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
    test_messages();
    for (unsigned i = 1; i < n_defs; i++) {
        good(&defs[i]);
    }
    print("%u questions, %u failed\n", asked, failed);
    if (!failed) {
        print("ok - all refusals are right\n");
    }
    return 0;
}
