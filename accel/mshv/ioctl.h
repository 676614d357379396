/*
 * The one door to the kernel: every ioctl(2) of the accelerator.
 *
 * Each call is counted, traced, and can be made to fail by a test
 * (-accel mshv,x-fail-ioctl=). Errors come back as -errno, with one line in
 * words in @errp that names the call, and the hypervisor's status where the
 * kernel tells it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_IOCTL_H
#define ACCEL_MSHV_IOCTL_H

#include "qemu/atomic.h"
#include "mshv/counters.h"
#include "mshv/hvabi.h"
#include "mshv/uapi.h"
#include "run.h"

/*
 * Make an ioctl other than RUN_VP and ROOT_HVCALL. Returns what the kernel
 * does, 0 or a descriptor, or -errno. @errp may be NULL.
 */
int mshv_ioctl(MshvCall call, int fd, void *arg, Error **errp);

/* Minus the error that a test wants instead of this call, or 0. */
extern bool mshv_injection_armed;
int mshv_injected_error(MshvCall call);
static inline int mshv_call_error(MshvCall call)
{
    return unlikely(qatomic_load_acquire(&mshv_injection_armed))
           ? -mshv_injected_error(call) : 0;
}

/*
 * MSHV_RUN_VP of the VP @fd, out of which a kick gets for certain: returns
 * -EINTR at once if *@kicked is set, and when SIG_IPI arrives at any time
 * from here on. Returns 0 with the message in @msg, or -errno.
 *
 * vCPUs share no counter: the caller counts exits and kicks, and tells other
 * failures by the function below.
 */
static inline int mshv_ioctl_run_vp(int fd, struct hv_message *msg,
                                    const uint32_t *kicked)
{
    int ret = mshv_call_error(MSHV_CALL_RUN_VP);

    return ret ? ret : mshv_run_window(fd, MSHV_RUN_VP, msg, kicked);
}
void mshv_ioctl_run_failed(void);

/*
 * A hypercall through MSHV_ROOT_HVCALL. @in: the call's input with its
 * repeated elements, at most 4096 bytes; the kernel fills in the partition
 * id, its first eight bytes. @reps: the number of repeated elements, 0 if
 * it has none; the kernel goes on by itself after a partial completion, and
 * *@done (may be NULL) is how many were done, also after an error.
 */
int mshv_hvcall(int fd, uint16_t code, uint16_t reps,
                const void *in, size_t in_size, void *out, size_t out_size,
                uint16_t *done, Error **errp);

/* For statistics: how often the call was made, and failed. */
uint64_t mshv_call_count(MshvCall call);
uint64_t mshv_call_errors(MshvCall call);

/*
 * Make the call number @spec = "NAME:N[:ERRNO]" fail: the N-th, from 1, of
 * that name, or of all calls if NAME is "any". ERRNO is a number, EIO if not
 * given. Replaces what was set before.
 */
bool mshv_fail_ioctl(const char *spec, Error **errp);

#endif
