/*
 * What the numbers in the counters are called: by query-stats, which puts
 * "calls-", "errors-", "exits-" or "refused-" before it, and by all who read
 * them from outside.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_NAMES_H
#define MSHV_NAMES_H

#include "mshv/counters.h"
#include "mshv/hvabi-msgs.h"

static const char *const mshv_call_names[MSHV_CALL__MAX] = {
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

static const char *const mshv_refusal_names[MSHV_REFUSED__MAX] = {
    [MSHV_REFUSED_MSI] = "msi",
    [MSHV_REFUSED_SMI] = "smi",
    [MSHV_REFUSED_IRQFD] = "irqfd",
    [MSHV_REFUSED_ROUTES] = "routes",
    [MSHV_REFUSED_IOEVENTFD] = "ioeventfd",
    [MSHV_REFUSED_MEMORY] = "memory",
    [MSHV_REFUSED_TRACKING] = "tracking",
};

/* Kinds of exits, by the type of the hypervisor's message. */
static const struct {
    uint32_t type;
    const char *name;
} mshv_exit_kinds[] = {
    { HVMSG_UNMAPPED_GPA, "unmapped-gpa" },
    { HVMSG_GPA_INTERCEPT, "gpa-intercept" },
    { HVMSG_X64_IO_PORT_INTERCEPT, "io-port" },
    { HVMSG_X64_APIC_EOI, "apic-eoi" },
    { HVMSG_X64_INTERRUPTION_DELIVERABLE, "interruption-deliverable" },
    { HVMSG_X64_MSR_INTERCEPT, "msr" },
    { HVMSG_X64_CPUID_INTERCEPT, "cpuid" },
    { HVMSG_X64_EXCEPTION_INTERCEPT, "exception" },
    { HVMSG_X64_APIC_SMI_INTERCEPT, "apic-smi" },
    { HVMSG_X64_APIC_INIT_SIPI_INTERCEPT, "apic-init-sipi" },
    { HVMSG_X64_SIPI_INTERCEPT, "sipi" },
    { HVMSG_X64_HALT, "halt" },
    { HVMSG_HYPERCALL_INTERCEPT, "hypercall" },
    { HVMSG_UNRECOVERABLE_EXCEPTION, "triple-fault" },
    { HVMSG_INVALID_VP_REGISTER_VALUE, "invalid-vp-register" },
    { HVMSG_UNSUPPORTED_FEATURE, "unsupported-feature" },
};

#define MSHV_EXIT_KINDS (sizeof(mshv_exit_kinds) / sizeof(mshv_exit_kinds[0]))

#endif
