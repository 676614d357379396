/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: answers that a real one may give, which a
 * client must get on with. Each is a word of the machine option emuhv-strict.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/emuhv/base/base.h"

/* Those that are given now and then: one time in so many */
#define RARELY 8

typedef struct Answer {
    const char *word;
    bool apart;                 /* does not go with all others */
} Answer;

static const Answer table[EMUHV_ANSWERS] = {
    /* VP register pages are never valid */
    [EMUHV_NO_REGISTER_PAGE] = { "no-register-page" },
    /* They are not filled for messages without an intercept header */
    [EMUHV_STALE_REGISTER_PAGE] = { "stale-register-page" },
    /* Messages carry no instruction bytes */
    [EMUHV_NO_INSTRUCTION_BYTES] = { "no-instruction-bytes" },
    /* Messages about memory carry no virtual address */
    [EMUHV_NO_GVA] = { "no-gva" },
    /* Their physical address is that of the page */
    [EMUHV_PAGE_ALIGNED_GPA] = { "page-aligned-gpa" },
    /* Neither MSRs nor exceptions can be intercepted */
    [EMUHV_NO_MSR_INTERCEPTS] = { "no-msr-intercepts" },
    [EMUHV_NO_EXCEPTION_INTERCEPTS] = { "no-exception-intercepts" },
    /* The parent is not told what the hardware can do */
    [EMUHV_NO_HOST_PROPERTIES] = { "no-host-properties" },
    /* MTRRs, SINTs and the hypercall page can be read, but not written */
    [EMUHV_FIXED_REGISTERS] = { "fixed-registers" },
    /* Guests have no MSRs to say that they have crashed */
    [EMUHV_NO_CRASH_MSRS] = { "no-crash-msrs" },
    /* INITs and SIPIs that VPs send cannot be intercepted */
    [EMUHV_NO_INIT_SIPI_INTERCEPT] = { "no-init-sipi-intercept" },
    /* Or they can, but nobody is told */
    [EMUHV_SILENT_INIT_SIPI_INTERCEPT] = { "silent-init-sipi-intercept" },
    /* Messages about IPIs have other numbers */
    [EMUHV_OTHER_IPI_MESSAGES] = { "other-ipi-messages" },
    /* A VP takes a SIPI not before it runs */
    [EMUHV_LATE_STARTS] = { "late-starts" },
    /* Calls want a page, or eight in a row, before they do anything */
    [EMUHV_WANTS_MEMORY] = { "wants-memory" },
    [EMUHV_WANTS_CONTIGUOUS_MEMORY] = { "wants-contiguous-memory" },
    /* What the parent has deposited it must not touch: it is reported */
    [EMUHV_OWNS_DEPOSITS] = { "owns-deposits" },
    /* Properties are set later, as a message says */
    [EMUHV_PENDING_CALLS] = { "pending-calls" },
    /* A VP runs on for a while when it is told to stop */
    [EMUHV_SLOW_SUSPEND] = { "slow-suspend" },
    /* No results of CPUID are taken; a few; or none for all VPs at once */
    [EMUHV_NO_CPUID_RESULTS] = { "no-cpuid-results", .apart = true },
    [EMUHV_FEW_CPUID_RESULTS] = { "few-cpuid-results" },
    [EMUHV_NO_ANY_VP] = { "no-any-vp" },
    /* CPUID cannot be intercepted */
    [EMUHV_NO_CPUID_INTERCEPTS] = { "no-cpuid-intercepts", .apart = true },
    /* An interrupt must be for one VP that is there */
    [EMUHV_NO_BROADCAST] = { "no-broadcast" },
    /* Nobody learns which pages a child has written */
    [EMUHV_NO_PAGE_TRACKING] = { "no-page-tracking" },
    /* Synthetic features are refused together if one of them is */
    [EMUHV_PICKY_FEATURES] = { "picky-features" },
    /* A child gets fewer features, or address bits, than the parent has */
    [EMUHV_FEW_FEATURES] = { "few-features" },
    [EMUHV_FEW_ADDRESS_BITS] = { "few-address-bits" },
    /* Limits that are soon reached; the first by a VM that is still ending */
    [EMUHV_FEW_PARTITIONS] = { "few-partitions", .apart = true },
    [EMUHV_FEW_VPS] = { "few-vps" },
    [EMUHV_FEW_PORTS] = { "few-ports" },
    /* Another build number */
    [EMUHV_OTHER_BUILD] = { "other-build" },
    /* No flushes, IPIs and long waits for children */
    [EMUHV_NO_GUEST_CALLS] = { "no-guest-calls" },
};

static bool add(const char *word, uint64_t *answers)
{
    bool all = g_str_equal(word, "all"), known = all;
    unsigned i;

    for (i = 0; i < EMUHV_ANSWERS; i++) {
        if (all ? !table[i].apart : g_str_equal(word, table[i].word)) {
            *answers |= 1ull << i;
            known = true;
        }
    }
    return known;
}

/* The words of @answers, with @separator between them. */
static char *join(uint64_t answers, const char *separator)
{
    GString *text = g_string_new("");
    unsigned i;

    for (i = 0; i < EMUHV_ANSWERS; i++) {
        if (answers >> i & 1) {
            g_string_append_printf(text, "%s%s", text->len ? separator : "",
                                   table[i].word);
        }
    }
    return g_string_free(text, false);
}

bool emuhv_set_answers(const char *text, Error **errp)
{
    g_auto(GStrv) given = g_strsplit(text, "+", -1);
    uint64_t answers = 0;
    unsigned i;

    for (i = 0; given[i]; i++) {
        if (!add(given[i], &answers)) {
            g_autofree char *known = join((1ull << EMUHV_ANSWERS) - 1, ", ");

            error_setg(errp, "emuhv-strict: '%s' is none of: all, %s",
                       given[i], known);
            return false;
        }
    }
    emuhv_options.answers = answers;
    return true;
}

char *emuhv_answer_words(void)
{
    return join(emuhv_options.answers, "+");
}

bool emuhv_answers_now(EmuhvAnswer answer)
{
    static GRand *random;

    if (!emuhv_answers(answer)) {
        return false;
    }
    if (!random) {
        random = g_rand_new_with_seed(emuhv_options.seed);
    }
    return g_rand_int_range(random, 0, RARELY) == 0;
}
