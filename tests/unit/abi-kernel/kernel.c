/*
 * The facts as the kernel's headers have them. The directory of the kernel
 * source is on the path of quoted includes only, so that nothing else of it
 * gets in the way of the C library.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>
#include <sys/ioctl.h>

#include <linux/types.h>
#include "include/hyperv/hvhdk.h"
#include "include/uapi/linux/mshv.h"
#include "facts.h"

#define PICK(ours, kernels) kernels

#define FEATURE(name, type, field) \
    { \
        type value; \
        memset(&value, 0, sizeof(value)); \
        value.field--; \
        fact_add_bits(facts, #name, &value.as_uint64, \
                      sizeof(value.as_uint64)); \
    }

#define PROC_FEATURE(name, field) \
    FEATURE(name, union hv_partition_processor_features, field)
#define XSAVE_FEATURE(name, field) \
    FEATURE(name, union hv_partition_processor_xsave_features, field)
#define SYNTH_FEATURE(name, field) \
    FEATURE(name, union hv_partition_synthetic_processor_features, field)
#define VMM_CAP(name, field) \
    FEATURE(name, struct hv_partition_property_vmm_capabilities, field)

void collect_kernel(struct facts *facts)
{
#include "collect.inc"
}
