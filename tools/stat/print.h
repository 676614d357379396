/*
 * What mshv-stat writes to others than a terminal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef STAT_PRINT_H
#define STAT_PRINT_H

#include "sample.h"

typedef enum Format { FORMAT_TEXT, FORMAT_CSV, FORMAT_JSON } Format;

/*
 * One table. CSV has its header if @first; JSON is one object on one line.
 */
void print_rows(Format format, View view, const GPtrArray *rows, bool first,
                bool rates);

/* One line of a table, without the line's end; NULL: its header. */
char *format_row(View view, const Row *row, bool rates);

/* What is missing, and why: a line, or NULL. */
char *format_gap(const Sample *sample, View view);

#endif
