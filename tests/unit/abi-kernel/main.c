/*
 * Compares our headers with those of a kernel source tree. The two numbers
 * that it prints for a fact are explained in facts.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"

static bool same(const struct fact *ours, const struct fact *kernels)
{
    return !strcmp(ours->name, kernels->name) && ours->a == kernels->a &&
           ours->b == kernels->b;
}

int main(void)
{
    struct facts ours = { 0 }, kernels = { 0 };
    size_t i, wrong = 0;

    collect_ours(&ours);
    collect_kernel(&kernels);

    /* One table made both, so only the numbers can differ. */
    for (i = 0; i < ours.count; i++) {
        wrong += !same(&ours.row[i], &kernels.row[i]);
    }
    printf("1..1\n%s 1 - our headers agree with the kernel's on %zu facts\n",
           wrong ? "not ok" : "ok", ours.count - wrong);
    for (i = 0; i < ours.count; i++) {
        const struct fact *o = &ours.row[i], *k = &kernels.row[i];

        if (!same(o, k)) {
            printf("# %s: ours 0x%" PRIx64 ", 0x%" PRIx64
                   "; the kernel's 0x%" PRIx64 ", 0x%" PRIx64 "\n",
                   o->name, o->a, o->b, k->a, k->b);
        }
    }
    free(ours.row);
    free(kernels.row);
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
