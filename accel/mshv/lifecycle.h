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
/* @params: five of them */
void mshv_lifecycle_guest_crash(const uint64_t *params, const char *text);

/* Report why the VM is about to stop by itself; takes @err. */
void mshv_lifecycle_stops(Error *err);
/* The same, until it runs again; "" if there is nothing. To be freed. */
char *mshv_lifecycle_stop_reason(void);

#endif
