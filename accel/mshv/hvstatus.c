/*
 * HV_STATUS codes in words. Knows no QEMU, so that a unit test can have it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stddef.h>
#include "hvstatus.h"

/* Numbers and names: Linux include/hyperv/hvgdk_mini.h, TLFS appendix. */
static const struct {
    uint16_t status;
    const char *name;
} hv_status_names[] = {
    { 0x0000, "SUCCESS" },
    { 0x0002, "INVALID_HYPERCALL_CODE" },
    { 0x0003, "INVALID_HYPERCALL_INPUT" },
    { 0x0004, "INVALID_ALIGNMENT" },
    { 0x0005, "INVALID_PARAMETER" },
    { 0x0006, "ACCESS_DENIED" },
    { 0x0007, "INVALID_PARTITION_STATE" },
    { 0x0008, "OPERATION_DENIED" },
    { 0x0009, "UNKNOWN_PROPERTY" },
    { 0x000a, "PROPERTY_VALUE_OUT_OF_RANGE" },
    { 0x000b, "INSUFFICIENT_MEMORY" },
    { 0x000d, "INVALID_PARTITION_ID" },
    { 0x000e, "INVALID_VP_INDEX" },
    { 0x0010, "NOT_FOUND" },
    { 0x0011, "INVALID_PORT_ID" },
    { 0x0012, "INVALID_CONNECTION_ID" },
    { 0x0013, "INSUFFICIENT_BUFFERS" },
    { 0x0014, "NOT_ACKNOWLEDGED" },
    { 0x0015, "INVALID_VP_STATE" },
    { 0x0018, "INVALID_SYNIC_STATE" },
    { 0x001d, "NO_RESOURCES" },
    { 0x0020, "PROCESSOR_FEATURE_NOT_SUPPORTED" },
    { 0x0033, "INSUFFICIENT_BUFFER" },
    { 0x0041, "INVALID_LP_INDEX" },
    { 0x0050, "INVALID_REGISTER_VALUE" },
    { 0x0071, "OPERATION_FAILED" },
    { 0x0073, "INSUFFICIENT_ROOT_MEMORY" },
    { 0x0075, "INSUFFICIENT_CONTIGUOUS_MEMORY" },
    { 0x0078, "TIME_OUT" },
    { 0x0079, "CALL_PENDING" },
    { 0x0083, "INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY" },
    { 0x0086, "VTL_ALREADY_ENABLED" },
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
