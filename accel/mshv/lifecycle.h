/*
 * What becomes of the VM, one line each: -accel mshv,log=lifecycle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_LIFECYCLE_H
#define ACCEL_MSHV_LIFECYCLE_H

/* Whether the lines are written; the trace event mshv_lifecycle is always. */
extern bool mshv_lifecycle_log;

/* The partition is there; tell of all that follows. */
void mshv_lifecycle_init(void);

/* Any thread */
void mshv_lifecycle_first_exit(void);
void mshv_lifecycle_triple_fault(int cpu);

#endif
