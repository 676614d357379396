/*
 * The device node of the Microsoft hypervisor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_DEVICE_H
#define ACCEL_MSHV_DEVICE_H

#define MSHV_DEVICE_PATH "/dev/mshv"

/*
 * Open the device node @path and see whether it speaks the ABI of mainline
 * Linux (include/uapi/linux/mshv.h, 6.19 and later).
 * Returns the file descriptor, or -errno with one line in @errp that says
 * what is wrong and what would help.
 */
int mshv_device_open(const char *path, Error **errp);

#endif
