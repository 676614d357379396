/*
 * Tests of what static asserts cannot see in the ABI headers: helpers, where
 * the compiler puts bit fields, and numbers that must hold together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <check.h>
#include <inttypes.h>
#include <string.h>

#include "mshv/hvabi.h"
#include "mshv/uapi.h"
#include "facts.h"
#include "runner.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(control_word_is_packed)
{
    static const struct {
        uint16_t code, varhead_bytes, count, start;
        uint64_t word;
    } row[] = {
        { HVCALL_GET_PARTITION_ID, 0, 0, 0, 0x0000000000000046ull },
        { HVCALL_MAP_GPA_PAGES, 0, 509, 100, 0x006401fd0000004bull },
        { HVCALL_GET_VP_STATE, 16, 0, 0, 0x00000000000400e3ull },
        { HVCALL_SET_VP_STATE, 12, 0, 0, 0x00000000000400e4ull },
        { 0xffff, 8184, 4095, 4095, 0x0fff0fff07feffffull },
    };

    for (size_t i = 0; i < COUNT(row); i++) {
        uint64_t word = hv_hypercall_control(row[i].code,
                                             row[i].varhead_bytes,
                                             row[i].count, row[i].start);

        ck_assert_msg(word == row[i].word,
                      "call 0x%x: 0x%" PRIx64 ", expected 0x%" PRIx64,
                      row[i].code, word, row[i].word);
        ck_assert_uint_eq(hv_control_code(word), row[i].code);
        ck_assert_uint_eq(hv_control_varhead_bytes(word),
                          (row[i].varhead_bytes + 7) / 8 * 8);
        ck_assert_uint_eq(hv_control_rep_count(word), row[i].count);
        ck_assert_uint_eq(hv_control_rep_start(word), row[i].start);
        ck_assert(!hv_control_is_fast(word));
        ck_assert(hv_control_is_fast(word | HV_HYPERCALL_FAST_BIT));
    }
}
END_TEST

START_TEST(fields_of_control_word_do_not_overlap)
{
    static const uint64_t part[] = {
        HV_HYPERCALL_CODE_MASK, HV_HYPERCALL_FAST_BIT,
        HV_HYPERCALL_VARHEAD_MASK, HV_HYPERCALL_REP_COMP_MASK,
        HV_HYPERCALL_REP_START_MASK, HV_HYPERCALL_RSVD_MASK,
    };
    uint64_t all = 0;

    for (size_t i = 0; i < COUNT(part); i++) {
        ck_assert_msg(!(all & part[i]), "part %zu: 0x%" PRIx64
                      " overlaps 0x%" PRIx64, i, part[i], all);
        all |= part[i];
    }
    ck_assert_msg(all == UINT64_MAX, "no part has 0x%" PRIx64, ~all);
}
END_TEST

START_TEST(result_word_is_packed)
{
    uint64_t word = hv_hypercall_result(HV_STATUS_INSUFFICIENT_MEMORY, 300);

    ck_assert_msg(word == 0x0000012c0000000bull, "0x%" PRIx64, word);
    ck_assert_uint_eq(hv_result_status(word), HV_STATUS_INSUFFICIENT_MEMORY);
    ck_assert_uint_eq(hv_result_reps(word), 300);
}
END_TEST

struct bits {
    const char *name;
    unsigned int first;
    unsigned int width;
};

static const struct bits expected_bits[] = {
#define BITS(type, field, first, width) \
    { #type " ." #field, first, width },
#define OURS_BITS BITS
#include "bits.inc"
#undef BITS
#undef OURS_BITS
};

static void collect_bits(struct facts *facts)
{
#define BITS(type, field, first, width) \
    { \
        type value; \
        memset(&value, 0, sizeof(value)); \
        value.field--; \
        fact_add_bits(facts, #type " ." #field, &value, sizeof(value)); \
    }
#define OURS_BITS BITS
#include "bits.inc"
#undef BITS
#undef OURS_BITS
}

START_TEST(bit_fields_are_where_the_abi_has_them)
{
    struct facts facts = { 0 };

    collect_bits(&facts);
    ck_assert_uint_eq(facts.count, COUNT(expected_bits));
    for (size_t i = 0; i < facts.count; i++) {
        const struct bits *e = &expected_bits[i];

        ck_assert_msg(facts.row[i].a == e->first && facts.row[i].b == e->width,
                      "%s: first bit %" PRIu64 ", width %" PRIu64
                      ", expected %u, %u", e->name,
                      facts.row[i].a, facts.row[i].b, e->first, e->width);
    }
    free(facts.row);
}
END_TEST

START_TEST(register_names_are_in_runs)
{
    static const struct {
        const char *what;
        unsigned int first, last, first_name, count;
    } run[] = {
        { "suspend", HV_REGISTER_EXPLICIT_SUSPEND,
          HV_REGISTER_INTERCEPT_SUSPEND, 0, 2 },
        { "crash", HV_REGISTER_GUEST_CRASH_P0,
          HV_REGISTER_GUEST_CRASH_CTL, 0x210, 6 },
        { "events", HV_REGISTER_PENDING_INTERRUPTION,
          HV_REGISTER_DELIVERABILITY_NOTIFICATIONS, 0x10002, 5 },
        { "general", HV_X64_REGISTER_RAX, HV_X64_REGISTER_RFLAGS,
          0x20000, 18 },
        { "XMM", HV_X64_REGISTER_XMM0, HV_X64_REGISTER_XMM15, 0x30000, 16 },
        { "x87", HV_X64_REGISTER_FP_MMX0, HV_X64_REGISTER_XMM_CONTROL_STATUS,
          0x30010, 10 },
        { "control", HV_X64_REGISTER_CR0, HV_X64_REGISTER_XFEM, 0x40000, 6 },
        { "intermediate", HV_X64_REGISTER_INTERMEDIATE_CR3,
          HV_X64_REGISTER_INTERMEDIATE_CR8, 0x41002, 3 },
        { "debug", HV_X64_REGISTER_DR0, HV_X64_REGISTER_DR7, 0x50000, 6 },
        { "segments", HV_X64_REGISTER_ES, HV_X64_REGISTER_TR, 0x60000, 8 },
        { "tables", HV_X64_REGISTER_IDTR, HV_X64_REGISTER_GDTR, 0x70000, 2 },
        { "MSRs", HV_X64_REGISTER_TSC, HV_X64_REGISTER_MSR_MTRR_DEF_TYPE,
          0x80000, 15 },
        { "MTRR bases", HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0,
          HV_X64_REGISTER_MSR_MTRR_PHYS_BASEF, 0x80010, 16 },
        { "MTRR masks", HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0,
          HV_X64_REGISTER_MSR_MTRR_PHYS_MASKF, 0x80040, 16 },
        { "fixed MTRRs", HV_X64_REGISTER_MSR_MTRR_FIX64K00000,
          HV_X64_REGISTER_MSR_MTRR_FIX4KF8000, 0x80070, 11 },
        { "CET", HV_X64_REGISTER_XSS,
          HV_X64_REGISTER_INTERRUPT_SSP_TABLE_ADDR, 0x8008b, 9 },
        { "VMX", HV_X64_REGISTER_IA32_VMX_BASIC,
          HV_X64_REGISTER_IA32_VMX_TRUE_ENTRY_CTLS, 0x800a2, 17 },
        { "SINTs", HV_REGISTER_SINT0, HV_REGISTER_SINT15, 0xa0000, 16 },
        { "SynIC", HV_REGISTER_SCONTROL, HV_REGISTER_SIRBP, 0xa0010, 6 },
        { "timers", HV_REGISTER_STIMER0_CONFIG, HV_REGISTER_STIMER3_COUNT,
          0xb0000, 8 },
    };

    for (size_t i = 0; i < COUNT(run); i++) {
        ck_assert_msg(run[i].first == run[i].first_name &&
                      run[i].last - run[i].first + 1 == run[i].count,
                      "%s: 0x%x to 0x%x, expected %u from 0x%x", run[i].what,
                      run[i].first, run[i].last,
                      run[i].count, run[i].first_name);
    }
}
END_TEST

/* How many repeat elements a page of input takes: what the kernel sends. */
START_TEST(a_page_takes_as_many_elements_as_the_kernel_sends)
{
    const size_t page = HV_HYP_PAGE_SIZE;

    ck_assert_uint_eq((page - sizeof(struct hv_deposit_memory)) / 8, 511);
    ck_assert_uint_eq((page - sizeof(struct hv_input_map_gpa_pages)) / 8, 509);
    ck_assert_uint_eq((page - sizeof(struct hv_input_get_vp_registers)) / 4,
                      1020);
    ck_assert_uint_eq((page - sizeof(struct hv_input_set_vp_registers)) /
                      sizeof(struct hv_register_assoc), 127);
    ck_assert_uint_eq(page - sizeof(union hv_gpa_page_access_state), 4095);
    ck_assert_uint_eq(page - sizeof(struct hv_input_get_partition_property_ex),
                      HV_PARTITION_PROPERTY_EX_MAX_VAR_SIZE);
}
END_TEST

START_TEST(payloads_fit_a_message)
{
    static const struct {
        const char *what;
        size_t size;
    } payload[] = {
#define PAYLOAD(type) { #type, sizeof(struct type) }
        PAYLOAD(hv_x64_memory_intercept_message),
        PAYLOAD(hv_x64_io_port_intercept_message),
        PAYLOAD(hv_x64_msr_intercept_message),
        PAYLOAD(hv_x64_cpuid_intercept_message),
        PAYLOAD(hv_x64_exception_intercept_message),
        PAYLOAD(hv_x64_hypercall_intercept_message),
        PAYLOAD(hv_x64_interruption_deliverable_message),
        PAYLOAD(hv_x64_synic_sint_deliverable_message),
        PAYLOAD(hv_x64_sipi_intercept_message),
        PAYLOAD(hv_vp_signal_bitset_scheduler_message),
        PAYLOAD(hv_vp_signal_pair_scheduler_message),
#undef PAYLOAD
    };

    for (size_t i = 0; i < COUNT(payload); i++) {
        ck_assert_msg(payload[i].size <= HV_MESSAGE_PAYLOAD_BYTE_COUNT,
                      "%s has %zu bytes", payload[i].what, payload[i].size);
    }
    ck_assert_uint_eq(sizeof(struct hv_message), MSHV_RUN_VP_BUF_SZ);
    ck_assert_uint_eq(sizeof(struct hv_message_page), HV_HYP_PAGE_SIZE);
    ck_assert_uint_eq(sizeof(struct hv_synic_event_flags_page),
                      HV_HYP_PAGE_SIZE);
    ck_assert_uint_eq(sizeof(struct hv_synic_event_ring_page),
                      HV_HYP_PAGE_SIZE);
    ck_assert_uint_eq(sizeof(struct hv_stats_page), HV_HYP_PAGE_SIZE);
}
END_TEST

START_TEST(ioctls_have_their_numbers)
{
    static const struct {
        const char *what;
        unsigned long number, expected;
    } row[] = {
        { "CREATE_PARTITION", MSHV_CREATE_PARTITION, 0x4010b800 },
        { "CHECK_EXTENSION", MSHV_CHECK_EXTENSION, 0x4004b800 },
        { "ROOT_HVCALL", MSHV_ROOT_HVCALL, 0xc020b807 },
        { "INITIALIZE_PARTITION", MSHV_INITIALIZE_PARTITION, 0x0000b800 },
        { "CREATE_VP", MSHV_CREATE_VP, 0x4004b801 },
        { "SET_GUEST_MEMORY", MSHV_SET_GUEST_MEMORY, 0x4020b802 },
        { "IRQFD", MSHV_IRQFD, 0x4010b803 },
        { "IOEVENTFD", MSHV_IOEVENTFD, 0x4020b804 },
        { "SET_MSI_ROUTING", MSHV_SET_MSI_ROUTING, 0x4008b805 },
        { "GET_GPAP_ACCESS_BITMAP", MSHV_GET_GPAP_ACCESS_BITMAP, 0xc020b806 },
        { "RUN_VP", MSHV_RUN_VP, 0x8100b800 },
        { "GET_VP_STATE", MSHV_GET_VP_STATE, 0xc010b801 },
        { "SET_VP_STATE", MSHV_SET_VP_STATE, 0xc010b802 },
    };

    for (size_t i = 0; i < COUNT(row); i++) {
        ck_assert_msg(row[i].number == row[i].expected,
                      "%s is 0x%lx, expected 0x%lx",
                      row[i].what, row[i].number, row[i].expected);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("abi");
    TCase *tests = tcase_create("abi");

    suite_add_tcase(suite, tests);
    tcase_add_test(tests, control_word_is_packed);
    tcase_add_test(tests, fields_of_control_word_do_not_overlap);
    tcase_add_test(tests, result_word_is_packed);
    tcase_add_test(tests, bit_fields_are_where_the_abi_has_them);
    tcase_add_test(tests, register_names_are_in_runs);
    tcase_add_test(tests,
                   a_page_takes_as_many_elements_as_the_kernel_sends);
    tcase_add_test(tests, payloads_fit_a_message);
    tcase_add_test(tests, ioctls_have_their_numbers);
    return run_suite(suite);
}
