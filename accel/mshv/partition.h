/*
 * The partition: one a QEMU process.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_PARTITION_H
#define ACCEL_MSHV_PARTITION_H

#include "mshv/hvabi.h"
#include "mshv/uapi.h"

/* A guest's accesses to MSRs that nobody implements shall not fault. */
extern bool mshv_ignore_msrs;

/*
 * Create the partition on @device (owned from here on). Returns 0, or -errno
 * with one line in @errp; nothing is left behind then. The kernel destroys it
 * with the process.
 */
int mshv_partition_create(int device, Error **errp);

/* Initialise it: the command line's CPUs are known. Returns 0 or -errno. */
int mshv_partition_initialize(Error **errp);

/* Its descriptor, for the calls of ioctl.h. */
int mshv_partition_fd(void);

/* Create a VP. Returns its descriptor or -errno. */
int mshv_partition_create_vp(uint32_t index, Error **errp);

/* Properties of the partition (HV_PARTITION_PROPERTY_*). Any thread. */
int mshv_get_property(uint32_t code, uint64_t *value, Error **errp);
int mshv_set_property(uint32_t code, uint64_t value, Error **errp);

/*
 * The same of the host's own partition (HV_PARTITION_ID_SELF); those that are
 * more than a number: @out of @size bytes, at most 4072.
 */
int mshv_host_property(uint32_t code, uint64_t *value, Error **errp);
int mshv_host_property_ex(uint32_t code, uint64_t arg, void *out, size_t size,
                          Error **errp);

/* Any hypercall on the partition's descriptor, from any thread. */
int mshv_pt_hvcall(uint16_t code, uint16_t reps, const void *in,
                   size_t in_size, void *out, size_t out_size,
                   uint16_t *done, Error **errp);

#endif
