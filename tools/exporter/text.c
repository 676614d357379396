/*
 * The text format that Prometheus reads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include "text.h"

void text_metric(Text *text, const char *name, const char *type,
                 const char *help)
{
    text->metric = name;
    g_string_append_printf(text->out, "# HELP %s %s\n# TYPE %s %s\n", name,
                           help, name, type);
}

void text_begin(Text *text, const char *suffix)
{
    g_string_append(text->out, text->metric);
    g_string_append(text->out, suffix);
}

void text_label(Text *text, const char *name, const char *value)
{
    GString *out = text->out;
    const char *at;

    g_string_append_c(out, out->str[out->len - 1] == '"' ? ',' : '{');
    g_string_append(out, name);
    g_string_append(out, "=\"");
    for (at = value; *at; at++) {
        if (*at == '\\' || *at == '"') {
            g_string_append_c(out, '\\');
        }
        if (*at == '\n') {
            g_string_append(out, "\\n");
        } else {
            g_string_append_c(out, *at);
        }
    }
    g_string_append_c(out, '"');
}

void text_label_number(Text *text, const char *name, uint64_t value)
{
    char number[24];

    g_snprintf(number, sizeof(number), "%" PRIu64, value);
    text_label(text, name, number);
}

static void end_labels(Text *text)
{
    if (text->out->str[text->out->len - 1] == '"') {
        g_string_append_c(text->out, '}');
    }
}

void text_value(Text *text, uint64_t value)
{
    end_labels(text);
    g_string_append_printf(text->out, " %" PRIu64 "\n", value);
}

void text_value_scaled(Text *text, uint64_t value, unsigned digits)
{
    uint64_t unit = 1;
    unsigned i;

    for (i = 0; i < digits; i++) {
        unit *= 10;
    }
    end_labels(text);
    g_string_append_printf(text->out, " %" PRIu64 ".%0*" PRIu64 "\n",
                           value / unit, digits, value % unit);
}
