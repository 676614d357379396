/*
 * Hypervisor ABI: identifiers, status codes, hypercall codes, the control
 * and result words of a hypercall.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_HVABI_BASE_H
#define MSHV_HVABI_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A structure is followed by its layout: its size and where each field is. */
#define HV_ASSERT_SIZE(type, size) \
    _Static_assert(sizeof(type) == (size), "size of " #type)
#define HV_ASSERT_AT(type, field, offset) \
    _Static_assert(offsetof(type, field) == (offset), \
                   "offset of " #field " in " #type)

#define HV_HYP_PAGE_SHIFT               12
#define HV_HYP_PAGE_SIZE                0x1000
#define HV_HYP_LARGE_PAGE_SHIFT         21

/* Time of the hypervisor runs in units of 100 ns. */
#define HV_CLOCK_HZ                     10000000

#define HV_PARTITION_ID_INVALID         0ull
#define HV_PARTITION_ID_SELF            (~0ull)

#define HV_VP_INDEX_SELF                0xfffffffeu
#define HV_ANY_VP                       0xffffffffu
#define HV_MAXIMUM_PROCESSORS           2048
#define HV_MAX_VP_INDEX                 (HV_MAXIMUM_PROCESSORS - 1)

/* At most this many pages are asked for as one contiguous deposit. */
#define HV_MAX_CONTIGUOUS_ALLOCATION_PAGES 8

struct hv_u128 {
    uint64_t low_part;
    uint64_t high_part;
};
HV_ASSERT_SIZE(struct hv_u128, 16);
HV_ASSERT_AT(struct hv_u128, low_part, 0);
HV_ASSERT_AT(struct hv_u128, high_part, 8);

/*
 * Status of a hypercall: low 16 bits of the result word. Written in decimal
 * because QEMU's hyperv-proto.h writes those that it has so.
 */
#define HV_STATUS_SUCCESS                       0
#define HV_STATUS_INVALID_HYPERCALL_CODE        2
#define HV_STATUS_INVALID_HYPERCALL_INPUT       3
#define HV_STATUS_INVALID_ALIGNMENT             4
#define HV_STATUS_INVALID_PARAMETER             5
#define HV_STATUS_ACCESS_DENIED                 6
#define HV_STATUS_INVALID_PARTITION_STATE       7
#define HV_STATUS_OPERATION_DENIED              8
#define HV_STATUS_UNKNOWN_PROPERTY              9
#define HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE   10  /* 0x0a */
#define HV_STATUS_INSUFFICIENT_MEMORY           11  /* 0x0b */
#define HV_STATUS_INVALID_PARTITION_ID          13  /* 0x0d */
#define HV_STATUS_INVALID_VP_INDEX              14  /* 0x0e */
#define HV_STATUS_NOT_FOUND                     16  /* 0x10 */
#define HV_STATUS_INVALID_PORT_ID               17  /* 0x11 */
#define HV_STATUS_INVALID_CONNECTION_ID         18  /* 0x12 */
#define HV_STATUS_INSUFFICIENT_BUFFERS          19  /* 0x13 */
#define HV_STATUS_NOT_ACKNOWLEDGED              20  /* 0x14 */
#define HV_STATUS_INVALID_VP_STATE              21  /* 0x15 */
#define HV_STATUS_INVALID_SYNIC_STATE           24  /* 0x18 */
#define HV_STATUS_NO_RESOURCES                  29  /* 0x1d */
#define HV_STATUS_PROCESSOR_FEATURE_NOT_SUPPORTED 32 /* 0x20 */
#define HV_STATUS_INSUFFICIENT_BUFFER           51  /* 0x33 */
#define HV_STATUS_INVALID_LP_INDEX              65  /* 0x41 */
#define HV_STATUS_INVALID_REGISTER_VALUE        80  /* 0x50 */
#define HV_STATUS_OPERATION_FAILED              113 /* 0x71 */
#define HV_STATUS_INSUFFICIENT_ROOT_MEMORY      115 /* 0x73 */
#define HV_STATUS_INSUFFICIENT_CONTIGUOUS_MEMORY 117 /* 0x75 */
#define HV_STATUS_TIME_OUT                      120 /* 0x78 */
#define HV_STATUS_CALL_PENDING                  121 /* 0x79 */
#define HV_STATUS_INSUFFICIENT_CONTIGUOUS_ROOT_MEMORY 131 /* 0x83 */
#define HV_STATUS_VTL_ALREADY_ENABLED           134 /* 0x86 */

/* Hypercalls that a guest makes for itself. */
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE      0x0002
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST       0x0003
#define HVCALL_GET_LOGICAL_PROCESSOR_RUN_TIME   0x0004
#define HVCALL_NOTIFY_LONG_SPIN_WAIT            0x0008
#define HVCALL_SEND_IPI                         0x000b
#define HVCALL_ENABLE_VP_VTL                    0x000f
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX   0x0013
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX    0x0014
#define HVCALL_SEND_IPI_EX                      0x0015
#define HVCALL_POST_MESSAGE                     0x005c
#define HVCALL_SIGNAL_EVENT                     0x005d
#define HVCALL_POST_DEBUG_DATA                  0x0069
#define HVCALL_RETRIEVE_DEBUG_DATA              0x006a
#define HVCALL_RESET_DEBUG_SESSION              0x006b
#define HVCALL_RETARGET_INTERRUPT               0x007e
#define HVCALL_START_VP                         0x0099
#define HVCALL_GET_VP_INDEX_FROM_APIC_ID        0x009a
#define HVCALL_FLUSH_GUEST_PHYSICAL_ADDRESS_SPACE 0x00af
#define HVCALL_FLUSH_GUEST_PHYSICAL_ADDRESS_LIST 0x00b0
#define HVCALL_MODIFY_SPARSE_GPA_PAGE_HOST_VISIBILITY 0x00db
#define HVCALL_MMIO_READ                        0x0106
#define HVCALL_MMIO_WRITE                       0x0107
#define HV_EXT_CALL_QUERY_CAPABILITIES          0x8001
#define HV_EXT_CALL_MEMORY_HEAT_HINT            0x8003

/* Partitions and their memory. */
#define HVCALL_CREATE_PARTITION                 0x0040
#define HVCALL_INITIALIZE_PARTITION             0x0041
#define HVCALL_FINALIZE_PARTITION               0x0042
#define HVCALL_DELETE_PARTITION                 0x0043
#define HVCALL_GET_PARTITION_PROPERTY           0x0044
#define HVCALL_SET_PARTITION_PROPERTY           0x0045
#define HVCALL_GET_PARTITION_ID                 0x0046
#define HVCALL_DEPOSIT_MEMORY                   0x0048
#define HVCALL_WITHDRAW_MEMORY                  0x0049
#define HVCALL_MAP_GPA_PAGES                    0x004b
#define HVCALL_UNMAP_GPA_PAGES                  0x004c
#define HVCALL_GET_GPA_PAGES_ACCESS_STATES      0x00c9
#define HVCALL_ACQUIRE_SPARSE_SPA_PAGE_HOST_ACCESS 0x00d7
#define HVCALL_RELEASE_SPARSE_SPA_PAGE_HOST_ACCESS 0x00d8
#define HVCALL_GET_PARTITION_PROPERTY_EX        0x0101

/* Virtual processors. */
#define HVCALL_INSTALL_INTERCEPT                0x004d
#define HVCALL_CREATE_VP                        0x004e
#define HVCALL_DELETE_VP                        0x004f
#define HVCALL_GET_VP_REGISTERS                 0x0050
#define HVCALL_SET_VP_REGISTERS                 0x0051
#define HVCALL_TRANSLATE_VIRTUAL_ADDRESS        0x0052
#define HVCALL_REGISTER_INTERCEPT_RESULT        0x0091
#define HVCALL_DISPATCH_VP                      0x00c2
#define HVCALL_MAP_VP_STATE_PAGE                0x00e1
#define HVCALL_UNMAP_VP_STATE_PAGE              0x00e2
#define HVCALL_GET_VP_STATE                     0x00e3
#define HVCALL_SET_VP_STATE                     0x00e4
#define HVCALL_GET_VP_CPUID_VALUES              0x00f4

/* Interrupts, ports and messages. */
#define HVCALL_CLEAR_VIRTUAL_INTERRUPT          0x0056
#define HVCALL_DELETE_PORT                      0x0058
#define HVCALL_DISCONNECT_PORT                  0x005b
#define HVCALL_MAP_DEVICE_INTERRUPT             0x007c
#define HVCALL_UNMAP_DEVICE_INTERRUPT           0x007d
#define HVCALL_NOTIFY_PORT_RING_EMPTY           0x008b
#define HVCALL_ASSERT_VIRTUAL_INTERRUPT         0x0094
#define HVCALL_CREATE_PORT                      0x0095
#define HVCALL_CONNECT_PORT                     0x0096
#define HVCALL_SIGNAL_EVENT_DIRECT              0x00c0
#define HVCALL_POST_MESSAGE_DIRECT              0x00c1

/* Statistics and the machine as a whole. */
#define HVCALL_MAP_STATS_PAGE                   0x006c
#define HVCALL_UNMAP_STATS_PAGE                 0x006d
#define HVCALL_SET_SYSTEM_PROPERTY              0x006f
#define HVCALL_ADD_LOGICAL_PROCESSOR            0x0076
#define HVCALL_GET_SYSTEM_PROPERTY              0x007b
#define HVCALL_ENTER_SLEEP_STATE                0x0084
#define HVCALL_NOTIFY_PARTITION_EVENT           0x0087
#define HVCALL_DISABLE_HYP_EX                   0x010f
#define HVCALL_MAP_STATS_PAGE2                  0x0131

/*
 * Control word of a hypercall (RCX). Both repeat fields hold 12 bits; the
 * variable header is counted in units of 8 bytes.
 */
#define HV_HYPERCALL_CODE_MASK          0xffffull
#define HV_HYPERCALL_FAST_BIT           (1ull << 16)
#define HV_HYPERCALL_VARHEAD_OFFSET     17
#define HV_HYPERCALL_VARHEAD_MASK       0x0000000007fe0000ull
#define HV_HYPERCALL_NESTED             (1ull << 31)
#define HV_HYPERCALL_REP_COMP_OFFSET    32
#define HV_HYPERCALL_REP_COMP_MASK      0x00000fff00000000ull
#define HV_HYPERCALL_REP_START_OFFSET   48
#define HV_HYPERCALL_REP_START_MASK     0x0fff000000000000ull
/* Reserved as the kernel sees it; bit 31 is HV_HYPERCALL_NESTED. */
#define HV_HYPERCALL_RSVD_MASK          0xf000f000f8000000ull

/* Result word (RAX): status, and in the repeat count field the reps done. */
#define HV_HYPERCALL_RESULT_MASK        0xffffull

/* XMM registers that a fast hypercall with XMM input or output uses. */
#define HV_HYPERCALL_MAX_XMM_REGISTERS  6

/* Control word of a call; count and start are 0 unless it is a rep call. */
static inline uint64_t hv_hypercall_control(uint16_t code,
                                            uint16_t varhead_bytes,
                                            uint16_t rep_count,
                                            uint16_t rep_start)
{
    uint64_t varhead = (varhead_bytes + 7u) / 8;

    return code | varhead << HV_HYPERCALL_VARHEAD_OFFSET |
           (uint64_t)rep_count << HV_HYPERCALL_REP_COMP_OFFSET |
           (uint64_t)rep_start << HV_HYPERCALL_REP_START_OFFSET;
}

static inline uint16_t hv_control_code(uint64_t control)
{
    return control & HV_HYPERCALL_CODE_MASK;
}

static inline bool hv_control_is_fast(uint64_t control)
{
    return control & HV_HYPERCALL_FAST_BIT;
}

static inline uint16_t hv_control_varhead_bytes(uint64_t control)
{
    return ((control & HV_HYPERCALL_VARHEAD_MASK)
            >> HV_HYPERCALL_VARHEAD_OFFSET) * 8;
}

static inline uint16_t hv_control_rep_count(uint64_t control)
{
    return (control & HV_HYPERCALL_REP_COMP_MASK)
           >> HV_HYPERCALL_REP_COMP_OFFSET;
}

static inline uint16_t hv_control_rep_start(uint64_t control)
{
    return (control & HV_HYPERCALL_REP_START_MASK)
           >> HV_HYPERCALL_REP_START_OFFSET;
}

/* reps_done counts from 0, that is, it includes the rep start of the call. */
static inline uint64_t hv_hypercall_result(uint16_t status, uint16_t reps_done)
{
    return status | (uint64_t)reps_done << HV_HYPERCALL_REP_COMP_OFFSET;
}

static inline uint16_t hv_result_status(uint64_t result)
{
    return result & HV_HYPERCALL_RESULT_MASK;
}

static inline uint16_t hv_result_reps(uint64_t result)
{
    return hv_control_rep_count(result);
}

#endif
