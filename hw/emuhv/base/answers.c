/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: answers that a real one may give, which a
 * client must get on with. Each is a word of the machine option emuhv-strict.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/emuhv/base/base.h"

static const char *const words[EMUHV_ANSWERS + 1] = {
    /* VP register pages are never valid */
    [EMUHV_NO_REGISTER_PAGE] = "no-register-page",
    /* They are not filled for messages without an intercept header */
    [EMUHV_STALE_REGISTER_PAGE] = "stale-register-page",
    /* Messages carry no instruction bytes */
    [EMUHV_NO_INSTRUCTION_BYTES] = "no-instruction-bytes",
    /* Messages about memory carry no virtual address */
    [EMUHV_NO_GVA] = "no-gva",
    /* Their physical address is that of the page */
    [EMUHV_PAGE_ALIGNED_GPA] = "page-aligned-gpa",
    /* Neither MSRs nor exceptions can be intercepted */
    [EMUHV_NO_MSR_INTERCEPTS] = "no-msr-intercepts",
    [EMUHV_NO_EXCEPTION_INTERCEPTS] = "no-exception-intercepts",
    /* The parent is not told what the hardware can do */
    [EMUHV_NO_HOST_PROPERTIES] = "no-host-properties",
    /* MTRRs, SINTs and the hypercall page can be read, but not written */
    [EMUHV_FIXED_REGISTERS] = "fixed-registers",
    /* A child cannot say that it has crashed */
    [EMUHV_NO_CRASH_MSRS] = "no-crash-msrs",
    /* INITs and SIPIs that VPs send cannot be intercepted */
    [EMUHV_NO_INIT_SIPI_INTERCEPT] = "no-init-sipi-intercept",
};

static bool add(const char *word, uint32_t *answers)
{
    unsigned i;

    if (g_str_equal(word, "all")) {
        *answers = (1u << EMUHV_ANSWERS) - 1;
        return true;
    }
    for (i = 0; i < EMUHV_ANSWERS; i++) {
        if (g_str_equal(word, words[i])) {
            *answers |= 1u << i;
            return true;
        }
    }
    return false;
}

bool emuhv_set_answers(const char *text, Error **errp)
{
    g_auto(GStrv) given = g_strsplit(text, "+", -1);
    uint32_t answers = 0;
    unsigned i;

    for (i = 0; given[i]; i++) {
        if (!add(given[i], &answers)) {
            g_autofree char *known = g_strjoinv(", ", (char **)words);

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
    GString *text = g_string_new("");
    unsigned i;

    for (i = 0; i < EMUHV_ANSWERS; i++) {
        if (emuhv_answers(i)) {
            g_string_append_printf(text, "%s%s", text->len ? "+" : "",
                                   words[i]);
        }
    }
    return g_string_free(text, false);
}
