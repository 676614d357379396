/*
 * Collecting facts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "facts.h"

void fact_add(struct facts *facts, const char *name, uint64_t a, uint64_t b)
{
    if (facts->count == facts->room) {
        size_t room = facts->room ? facts->room * 2 : 1024;
        struct fact *row = realloc(facts->row, room * sizeof(*row));

        if (!row) {
            fprintf(stderr, "out of memory after %zu facts\n", facts->count);
            exit(EXIT_FAILURE);
        }
        facts->row = row;
        facts->room = room;
    }
    facts->row[facts->count++] = (struct fact) { name, a, b };
}

static bool bit_is_set(const uint8_t *bytes, size_t bit)
{
    return bytes[bit / 8] >> (bit % 8) & 1;
}

void fact_add_bits(struct facts *facts, const char *name, const void *p,
                   size_t size)
{
    size_t bits = size * 8, first = 0, end, i;

    while (first < bits && !bit_is_set(p, first)) {
        first++;
    }
    end = first;
    while (end < bits && bit_is_set(p, end)) {
        end++;
    }
    for (i = end; i < bits; i++) {
        if (bit_is_set(p, i)) {
            fact_add(facts, name, FACT_NOT_ONE_RUN, FACT_NOT_ONE_RUN);
            return;
        }
    }
    fact_add(facts, name, first, end - first);
}
