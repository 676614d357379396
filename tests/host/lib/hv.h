/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests say to the hypervisor and hear from it, in bytes.
 *
 * On purpose not from include/mshv/hvabi.h, which the emulated hypervisor and
 * the accelerator share: a mistake there must show here. Numbers are those of
 * Linux' include/hyperv and of the Hypervisor Top Level Functional
 * Specification.
 */
#ifndef TESTS_HOST_HV_H
#define TESTS_HOST_HV_H

#include <stdint.h>
#include <string.h>

/* Hypercalls that MSHV_ROOT_HVCALL passes on */
enum {
    HC_GET_PROPERTY = 0x44, HC_SET_PROPERTY = 0x45, HC_INSTALL_INTERCEPT = 0x4d,
    HC_GET_REGS = 0x50, HC_SET_REGS = 0x51, HC_TRANSLATE = 0x52,
    HC_CLEAR_INTERRUPT = 0x56, HC_REGISTER_RESULT = 0x91,
    HC_ASSERT_INTERRUPT = 0x94, HC_SIGNAL_EVENT = 0xc0,
    HC_POST_MESSAGE = 0xc1, HC_ACCESS_STATES = 0xc9, HC_CPUID_VALUES = 0xf4,
    HC_GET_PROPERTY_EX = 0x101,
};

/* Synthetic features, PROP_SYNTHETIC_FEATURES */
enum {
    SF_PRESENT = 1 << 0, SF_HV1 = 1 << 1, SF_REF_COUNTER = 1 << 3,
    SF_SYNIC = 1 << 4, SF_STIMER = 1 << 5, SF_HYPERCALL = 1 << 7,
    SF_VP_INDEX = 1 << 8, SF_REFERENCE_TSC = 1 << 9,
    SF_DIRECT_TIMER = 1 << 22,
};

/* HV_STATUS */
enum {
    ST_SUCCESS = 0, ST_INVALID_HYPERCALL_CODE = 2, ST_INVALID_PARAMETER = 5,
    ST_ACCESS_DENIED = 6, ST_INVALID_PARTITION_STATE = 7,
    ST_OPERATION_DENIED = 8, ST_UNKNOWN_PROPERTY = 9,
    ST_INVALID_VP_INDEX = 0xe, ST_INSUFFICIENT_BUFFERS = 0x13,
    ST_INVALID_SYNIC_STATE = 0x18, ST_INVALID_REGISTER_VALUE = 0x50,
};

/* Partition properties */
enum {
    PROP_SYNTHETIC_FEATURES = 0x10001, PROP_TIME_FREEZE = 0x30003,
    PROP_REFERENCE_TIME = 0x30005, PROP_ACCESS_TRACKING = 0x50005,
    PROP_UNIMPLEMENTED_MSR = 0x50017,
    PROP_VENDOR = 0x60000, PROP_XSAVE_STATES = 0x60007,
    PROP_MAX_XSAVE_SIZE = 0x60008, PROP_FEATURES0 = 0x6000a,
    PROP_FEATURES1 = 0x6000b, PROP_VMM_CAPABILITIES = 0x90007,
};

/* VP registers */
enum {
    R_EXPLICIT_SUSPEND = 0, R_INTERCEPT_SUSPEND = 1, R_ACTIVITY = 4,
    R_PENDING_INTERRUPTION = 0x10002, R_INTERRUPT_STATE = 0x10003,
    R_PENDING_EVENT0 = 0x10004, R_NOTIFICATIONS = 0x10006,
    R_RAX = 0x20000, R_RCX, R_RDX, R_RBX, R_RSP, R_RBP, R_RSI, R_RDI,
    R_R8, R_R15 = 0x2000f, R_RIP, R_RFLAGS,
    R_XMM0 = 0x30000, R_FP_MMX0 = 0x30010, R_FP_CONTROL = 0x30018, R_MXCSR,
    R_CR0 = 0x40000, R_CR2, R_CR3, R_CR4, R_CR8, R_XCR0,
    R_DR0 = 0x50000, R_DR6 = 0x50004, R_DR7,
    R_ES = 0x60000, R_CS, R_SS, R_DS, R_FS, R_GS, R_LDTR, R_TR,
    R_IDTR = 0x70000, R_GDTR,
    R_TSC = 0x80000, R_EFER, R_KERNEL_GS_BASE, R_APIC_BASE, R_PAT,
    R_SYSENTER_CS, R_SYSENTER_EIP, R_SYSENTER_ESP, R_STAR, R_LSTAR, R_CSTAR,
    R_SFMASK, R_INITIAL_APIC_ID = 0x8000c, R_MTRR_CAP, R_MTRR_DEF_TYPE,
    R_TSC_AUX = 0x8007b, R_APIC_ID = 0x84802,
    R_HYPERCALL = 0x90001, R_GUEST_OS_ID, R_VP_INDEX, R_TIME_REF_COUNT,
    R_REFERENCE_TSC = 0x90017, R_SINT0 = 0xa0000,
};

typedef struct RegValue {
    uint64_t low, high;
} RegValue;

/* Attributes of segments: present code and data, for real mode */
#define ATTR_CODE16     0x9b
#define ATTR_DATA16     0x93
#define ATTR_CODE64     0xa09b
#define ATTR_DATA64     0xc093

static inline RegValue segment(uint64_t base, uint32_t limit, uint16_t selector,
                               uint16_t attributes)
{
    return (RegValue) {
        base, limit | (uint64_t)selector << 32 | (uint64_t)attributes << 48
    };
}

/* Types of messages */
enum {
    MSG_UNMAPPED_GPA = 0x80000000, MSG_GPA_INTERCEPT = 0x80000001,
    MSG_INVALID_REGISTER = 0x80000020, MSG_UNRECOVERABLE = 0x80000021,
    MSG_HYPERCALL = 0x80000050, MSG_IO_PORT = 0x80010000,
    MSG_MSR = 0x80010001, MSG_CPUID = 0x80010002, MSG_EXCEPTION = 0x80010003,
    MSG_APIC_EOI = 0x80010004, MSG_HALT = 0x80010007,
    MSG_DELIVERABLE = 0x80010008,
};

/* A message: 16 bytes of header, then the payload */
typedef struct Msg {
    union {
        struct {
            uint32_t type;
            uint8_t payload_size;
            uint8_t flags;
            uint16_t reserved;
            uint64_t sender;
        };
        uint8_t bytes[256];
    };
} Msg;

/* Fields at an offset of the payload; intercepts have 40 bytes in common. */
#define FIELD(type, name, offset)                                       \
    static inline type name(const Msg *m)                               \
    {                                                                   \
        type v;                                                         \
        memcpy(&v, m->bytes + 16 + (offset), sizeof(v));                \
        return v;                                                       \
    }

FIELD(uint32_t, msg_vp, 0)
FIELD(uint8_t, msg_length_cr8, 4)       /* bits 3:0 length, 7:4 CR8 */
FIELD(uint8_t, msg_access, 5)           /* 0 read, 1 write, 2 execute */
FIELD(uint16_t, msg_execution, 6)
FIELD(uint64_t, msg_cs_base, 8)
FIELD(uint64_t, msg_rip, 24)
FIELD(uint64_t, msg_rflags, 32)
FIELD(uint8_t, msg_mem_bytes, 44)
FIELD(uint8_t, msg_mem_info, 45)
FIELD(uint64_t, msg_gva, 48)
FIELD(uint64_t, msg_gpa, 56)
FIELD(uint16_t, msg_port, 40)
FIELD(uint8_t, msg_io_info, 42)         /* size in 2:0, string 3, rep 4 */
FIELD(uint64_t, msg_io_rax, 48)
FIELD(uint64_t, msg_io_rcx, 104)
FIELD(uint64_t, msg_io_rsi, 112)
FIELD(uint64_t, msg_io_rdi, 120)
FIELD(uint32_t, msg_msr, 40)
FIELD(uint64_t, msg_msr_rdx, 48)
FIELD(uint64_t, msg_msr_rax, 56)
FIELD(uint64_t, msg_cpuid_rax, 40)
FIELD(uint64_t, msg_cpuid_rcx, 48)
FIELD(uint64_t, msg_cpuid_default_rax, 72)
FIELD(uint16_t, msg_vector, 40)
FIELD(uint32_t, msg_error_code, 44)
FIELD(uint32_t, msg_eoi_vector, 4)      /* no common header */
FIELD(uint32_t, msg_deliverable, 40)

#endif
