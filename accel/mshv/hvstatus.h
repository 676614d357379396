/*
 * HV_STATUS codes in words.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_HVSTATUS_H
#define ACCEL_MSHV_HVSTATUS_H

#include <stdint.h>

/* The name of @status without the prefix HV_STATUS_; NULL if unknown. */
const char *mshv_hv_status_name(uint16_t status);

#endif
