/*
 * Compares our headers with those of a kernel source tree.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"

int main(void)
{
    struct facts ours = { 0 }, kernels = { 0 };
    size_t i, wrong = 0;

    collect_ours(&ours);
    collect_kernel(&kernels);

    for (i = 0; i < ours.count && i < kernels.count; i++) {
        const struct fact *o = &ours.row[i], *k = &kernels.row[i];

        if (strcmp(o->name, k->name) || o->a != k->a || o->b != k->b) {
            printf("%s: ours %#" PRIx64 " %#" PRIx64
                   ", kernel's %#" PRIx64 " %#" PRIx64 "%s%s\n",
                   o->name, o->a, o->b, k->a, k->b,
                   strcmp(o->name, k->name) ? " of " : "",
                   strcmp(o->name, k->name) ? k->name : "");
            wrong++;
        }
    }
    if (ours.count != kernels.count) {
        printf("%zu facts of ours, %zu of the kernel's\n",
               ours.count, kernels.count);
        wrong++;
    }
    printf("%zu facts compared with %s, %zu differ\n",
           ours.count, KERNEL_SOURCE, wrong);
    free(ours.row);
    free(kernels.row);
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
