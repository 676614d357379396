/*
 * Migration that holds back the guest's accesses to a page, by userfaultfd.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_USERFAULT_H
#define ACCEL_MSHV_USERFAULT_H

/* Refuse it from now on. */
void mshv_userfault_init(void);

#endif
