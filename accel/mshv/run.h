/*
 * The run window: the way into MSHV_RUN_VP that no kick can miss.
 *
 * MSHV_RUN_VP has neither an immediate-exit flag nor a signal mask. A signal
 * that arrives after the last look at a flag and before the system call
 * would be lost, and the VP would run on. So the look and the system call
 * are a few instructions between two labels, and the signal handler moves a
 * thread that it finds between them to the way out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_RUN_H
#define ACCEL_MSHV_RUN_H

#include <stdint.h>

/*
 * Unless *@kicked is set, ioctl(@fd, @request, @arg). Returns what the
 * system call does, so -errno; -EINTR if *@kicked is set, or if a signal
 * whose handler calls mshv_run_window_leave() arrives before it ends.
 */
int mshv_run_window(int fd, unsigned long request, void *arg,
                    const uint32_t *kicked);

/* Its first instruction, the one after its last, and the way out. */
extern const char mshv_run_window_begin[]
    __attribute__((visibility("hidden")));
extern const char mshv_run_window_end[]
    __attribute__((visibility("hidden")));
extern const char mshv_run_window_out[]
    __attribute__((visibility("hidden")));

/* For the signal handler; @context is its third argument (SA_SIGINFO). */
void mshv_run_window_leave(void *context);

#endif
