/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A memfd of counters as QEMU makes it, for tests. */
#ifndef TESTS_UNIT_TOOLS_PAGE_H
#define TESTS_UNIT_TOOLS_PAGE_H

#include "mshv/counters.h"

/* Fill in a page of one VM with two VPs and some numbers. */
void page_fill(MshvCounters *page, const char *name);

/*
 * A memfd with @size bytes of @page; with the seals of QEMU's if @sealed. If
 * @mapped is not NULL, it is where the page can be written on. -1: errno.
 */
int page_memfd(const MshvCounters *page, size_t size, int sealed,
               MshvCounters **mapped);

#endif
