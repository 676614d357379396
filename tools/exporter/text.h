/*
 * The text format that Prometheus reads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef EXPORTER_TEXT_H
#define EXPORTER_TEXT_H

#include <glib.h>
#include <stdint.h>

typedef struct Text {
    GString *out;
    const char *metric;         /* of the samples to come */
} Text;

/* The lines above the samples of a metric; @type as Prometheus names it. */
void text_metric(Text *text, const char *name, const char *type,
                 const char *help);

/*
 * One sample: begin, labels, value. @suffix goes behind the metric's name.
 */
void text_begin(Text *text, const char *suffix);
void text_label(Text *text, const char *name, const char *value);
void text_label_number(Text *text, const char *name, uint64_t value);
void text_value(Text *text, uint64_t value);
/* @value / 10^@digits, exactly */
void text_value_scaled(Text *text, uint64_t value, unsigned digits);

#endif
