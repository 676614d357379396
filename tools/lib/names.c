/*
 * What the numbers in the counters are called.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "mshv/hvabi-msgs.h"
#include "names.h"

const char *const call_names[MSHV_CALL__MAX] = {
    [MSHV_CALL_CREATE_PARTITION] = "create-partition",
    [MSHV_CALL_INITIALIZE_PARTITION] = "initialize-partition",
    [MSHV_CALL_CREATE_VP] = "create-vp",
    [MSHV_CALL_SET_GUEST_MEMORY] = "set-guest-memory",
    [MSHV_CALL_IRQFD] = "irqfd",
    [MSHV_CALL_IOEVENTFD] = "ioeventfd",
    [MSHV_CALL_SET_MSI_ROUTING] = "set-msi-routing",
    [MSHV_CALL_GET_GPAP_ACCESS_BITMAP] = "get-gpap-access-bitmap",
    [MSHV_CALL_RUN_VP] = "run-vp",
    [MSHV_CALL_GET_VP_STATE] = "get-vp-state",
    [MSHV_CALL_SET_VP_STATE] = "set-vp-state",
    [MSHV_CALL_OTHER_HVCALL] = "other-hvcall",
    [MSHV_CALL_GET_PARTITION_PROPERTY] = "get-partition-property",
    [MSHV_CALL_GET_PARTITION_PROPERTY_EX] = "get-partition-property-ex",
    [MSHV_CALL_SET_PARTITION_PROPERTY] = "set-partition-property",
    [MSHV_CALL_INSTALL_INTERCEPT] = "install-intercept",
    [MSHV_CALL_GET_VP_REGISTERS] = "get-vp-registers",
    [MSHV_CALL_SET_VP_REGISTERS] = "set-vp-registers",
    [MSHV_CALL_TRANSLATE_VIRTUAL_ADDRESS] = "translate-virtual-address",
    [MSHV_CALL_CLEAR_VIRTUAL_INTERRUPT] = "clear-virtual-interrupt",
    [MSHV_CALL_REGISTER_INTERCEPT_RESULT] = "register-intercept-result",
    [MSHV_CALL_ASSERT_VIRTUAL_INTERRUPT] = "assert-virtual-interrupt",
    [MSHV_CALL_GET_GPA_PAGES_ACCESS_STATES] = "get-gpa-pages-access-states",
    [MSHV_CALL_SIGNAL_EVENT_DIRECT] = "signal-event-direct",
    [MSHV_CALL_POST_MESSAGE_DIRECT] = "post-message-direct",
    [MSHV_CALL_GET_VP_CPUID_VALUES] = "get-vp-cpuid-values",
};

const char *const fallback_names[MSHV_FALLBACK__MAX] = {
    [MSHV_FALLBACK_IOEVENTFD] = "ioeventfd",
    [MSHV_FALLBACK_IRQFD] = "irqfd",
    [MSHV_FALLBACK_DIRTY_LOG] = "dirty-log",
    [MSHV_FALLBACK_CLOCK] = "clock",
};

const char *const state_names[MSHV_VM__MAX] = {
    [MSHV_VM_PRELAUNCH] = "prelaunch",
    [MSHV_VM_RUNNING] = "running",
    [MSHV_VM_PAUSED] = "paused",
    [MSHV_VM_MIGRATING] = "migrating",
    [MSHV_VM_SUSPENDED] = "suspended",
    [MSHV_VM_SHUTDOWN] = "shutdown",
    [MSHV_VM_GUEST_PANICKED] = "guest-panicked",
    [MSHV_VM_INTERNAL_ERROR] = "internal-error",
    [MSHV_VM_IO_ERROR] = "io-error",
    [MSHV_VM_OTHER] = "other",
};

static const uint32_t exit_types[] = {
    HVMSG_UNMAPPED_GPA,
    HVMSG_GPA_INTERCEPT,
    HVMSG_X64_IO_PORT_INTERCEPT,
    HVMSG_X64_APIC_EOI,
    HVMSG_X64_INTERRUPTION_DELIVERABLE,
    HVMSG_X64_MSR_INTERCEPT,
    HVMSG_X64_CPUID_INTERCEPT,
    HVMSG_X64_EXCEPTION_INTERCEPT,
    HVMSG_X64_HALT,
    HVMSG_HYPERCALL_INTERCEPT,
    HVMSG_UNRECOVERABLE_EXCEPTION,
    HVMSG_INVALID_VP_REGISTER_VALUE,
    HVMSG_UNSUPPORTED_FEATURE,
    HVMSG_X64_APIC_SMI_INTERCEPT,
};

/* In the order of the types. */
const char *const exit_names[SNAPSHOT_KINDS] = {
    "unmapped-gpa", "gpa-intercept", "io-port", "apic-eoi",
    "interruption-deliverable", "msr", "cpuid", "exception", "halt",
    "hypercall", "triple-fault", "invalid-vp-register", "unsupported-feature",
    "apic-smi", "other",
};
_Static_assert(G_N_ELEMENTS(exit_types) + 2 <= SNAPSHOT_KINDS,
               "other and NULL are behind them");

unsigned exit_kind_of_type(uint32_t type)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(exit_types) && exit_types[i] != type; i++) {
        ;
    }
    return i;
}
