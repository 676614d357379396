/*
 * HV_STATUS codes in words. Knows no QEMU, so that a unit test can have it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stddef.h>
#include "mshv/hvabi.h"
#include "hvstatus.h"

#define NAME(name)  { HV_STATUS_##name, #name }

static const struct {
    uint16_t status;
    const char *name;
} hv_status_names[] = {
    NAME(SUCCESS),
    NAME(INVALID_HYPERCALL_CODE),
    NAME(INVALID_HYPERCALL_INPUT),
    NAME(INVALID_ALIGNMENT),
    NAME(INVALID_PARAMETER),
    NAME(ACCESS_DENIED),
    NAME(INVALID_PARTITION_STATE),
    NAME(OPERATION_DENIED),
    NAME(UNKNOWN_PROPERTY),
    NAME(PROPERTY_VALUE_OUT_OF_RANGE),
    NAME(INSUFFICIENT_MEMORY),
    NAME(INVALID_PARTITION_ID),
    NAME(INVALID_VP_INDEX),
    NAME(NOT_FOUND),
    NAME(INVALID_PORT_ID),
    NAME(INVALID_CONNECTION_ID),
    NAME(INSUFFICIENT_BUFFERS),
    NAME(NOT_ACKNOWLEDGED),
    NAME(INVALID_VP_STATE),
    NAME(INVALID_SYNIC_STATE),
    NAME(NO_RESOURCES),
    NAME(PROCESSOR_FEATURE_NOT_SUPPORTED),
    NAME(INSUFFICIENT_BUFFER),
    NAME(INVALID_LP_INDEX),
    NAME(INVALID_REGISTER_VALUE),
    NAME(OPERATION_FAILED),
    NAME(INSUFFICIENT_ROOT_MEMORY),
    NAME(INSUFFICIENT_CONTIGUOUS_MEMORY),
    NAME(TIME_OUT),
    NAME(CALL_PENDING),
    NAME(INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY),
    NAME(VTL_ALREADY_ENABLED),
};

const char *mshv_hv_status_name(uint16_t status)
{
    size_t i;

    for (i = 0; i < sizeof(hv_status_names) / sizeof(hv_status_names[0]);
         i++) {
        if (hv_status_names[i].status == status) {
            return hv_status_names[i].name;
        }
    }
    return NULL;
}
