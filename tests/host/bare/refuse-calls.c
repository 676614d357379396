/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bad hypercalls: the calls, what each needs, and a good input for it. */
#include "refuse.h"

static void id_only(uint8_t *in, const Ids *ids)
{
    put(in, 0, 8, ids->a);
}

static void id_and_vp(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, 0);
}

static void self(uint8_t *in, const Ids *ids)
{
    put(in, 0, 8, SELF);
}

static void create(uint8_t *in, const Ids *ids)
{
    put(in, 0, 8, 1 << 8 | 1 << 19 | 1 << 13);
    put(in, 16, 4, 0x609);
}

static void initialize(uint8_t *in, const Ids *ids)
{
    put(in, 0, 8, ids->created);
}

static void get_property(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, 0x10001);
}

static void set_property(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, 0x50017);
}

static void get_property_ex(uint8_t *in, const Ids *ids)
{
    self(in, ids);
    put(in, 8, 4, 0x90007);
}

static void deposit(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 8, PFN(710));
    put(in, 16, 8, PFN(711));
}

static void map_gpa(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 8, 40);
    put(in, 16, 4, 0xf);
    put(in, 24, 8, PFN(REG_PAGES + 40));
    put(in, 32, 8, PFN(REG_PAGES + 41));
}

static void unmap_gpa(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 8, 40);
}

static void install_intercept(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, 4);
    put(in, 12, 4, 3);
    put(in, 16, 8, 6);
}

static void create_vp(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, 3);
}

static void delete_vp(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, 3);
}

static void get_registers(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 16, 4, 0x20000);
    put(in, 20, 4, 0x20010);
}

static void set_registers(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 16, 4, 0x20001);
    put(in, 48, 4, 0x20002);
}

static void translate(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 16, 8, 1);
    put(in, 24, 8, 3);
}

static void delete_port(uint8_t *in, const Ids *ids)
{
    self(in, ids);
    put(in, 8, 4, 6);
}

static void disconnect(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, 6);
    put(in, 12, 4, 1);
}

static void create_port(uint8_t *in, const Ids *ids)
{
    self(in, ids);
    put(in, 8, 4, 6);
    put(in, 16, 8, ids->a);
    put(in, 24, 4, 4);
    put(in, 32, 4, 5);
    put(in, 36, 4, ~0u);
}

static void connect_port(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, 6);
    put(in, 16, 8, SELF);
    put(in, 24, 4, 8);
    put(in, 32, 4, 4);
    put(in, 40, 8, 0x200000);
    put(in, 56, 8, 3);
}

static void stats(uint8_t *in, const Ids *ids)
{
    put(in, 0, 4, 0x10002);
    put(in, 8, 8, ids->a);
    put(in, 24, 8, PFN(620));
}

static void ring_empty(uint8_t *in, const Ids *ids)
{
    put(in, 0, 4, 5);
}

static void result(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 8, 4, ~0u);
    put(in, 12, 4, 2);
    put(in, 16, 4, 0x1234);
}

static void assert_interrupt(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 24, 4, 0x40);
}

static void message(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 16, 4, 2);
    put(in, 20, 4, 1);
}

static void event(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 13, 1, 2);
}

static void access_states(uint8_t *in, const Ids *ids)
{
    id_only(in, ids);
    put(in, 16, 8, 0);
}

static void state_page(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 8, 4, 1);
    put(in, 15, 1, 1);
    put(in, 16, 8, PFN(630));
}

static void unmap_state_page(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 8, 4, 1);
}

static void lapic_state(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 16, 4, 0x80000000);
    put(in, 40, 8, PFN(0x30));
}

static void cpuid_values(uint8_t *in, const Ids *ids)
{
    id_and_vp(in, ids);
    put(in, 24, 4, 1);
}

/* In this order: later ones undo what earlier ones did. */
const Def defs[] = {
    { "CREATE_PARTITION", 0x40, 0, 56, 8, .fill = create },
    { "INITIALIZE_PARTITION", 0x41, CHILD | FAST, 8, .fill = initialize },
    { "GET_PARTITION_PROPERTY", 0x44, PARTITION, 16, 8, .fill = get_property },
    { "SET_PARTITION_PROPERTY", 0x45, CHILD, 24, .fill = set_property },
    { "GET_PARTITION_PROPERTY_EX", 0x101, PARTITION, 24, 4072,
      .fill = get_property_ex },
    { "GET_PARTITION_ID", 0x46, 0, 0, 8, .fill = self, .status = DENIED },
    { "DEPOSIT_MEMORY", 0x48, PARTITION, 8, .reps = 2, .rep_in = 8,
      .fill = deposit },
    { "WITHDRAW_MEMORY", 0x49, PARTITION, 16, .reps = 2, .rep_out = 8,
      .fill = id_only },
    { "MAP_GPA_PAGES", 0x4b, CHILD, 24, .reps = 2, .rep_in = 8,
      .fill = map_gpa },
    { "UNMAP_GPA_PAGES", 0x4c, CHILD, 24, .reps = 2, .fill = unmap_gpa },
    { "INSTALL_INTERCEPT", 0x4d, ACTIVE, 24, .fill = install_intercept },
    { "CREATE_VP", 0x4e, ACTIVE, 40, .fill = create_vp },
    { "DELETE_VP", 0x4f, ACTIVE | FAST, 16, .fill = delete_vp },
    { "GET_VP_REGISTERS", 0x50, VP, 16, .reps = 2, .rep_in = 4, .rep_out = 16,
      .vtl = 12, .fill = get_registers },
    { "SET_VP_REGISTERS", 0x51, VP, 16, .reps = 2, .rep_in = 32, .vtl = 12,
      .fill = set_registers },
    { "TRANSLATE_VIRTUAL_ADDRESS", 0x52, VP, 32, 16, .fill = translate },
    { "CLEAR_VIRTUAL_INTERRUPT", 0x56, ACTIVE | FAST, 8, .fill = id_only },
    { "CREATE_PORT", 0x95, 0, 56, .fill = create_port },
    { "CONNECT_PORT", 0x96, ACTIVE, 72, .fill = connect_port },
    { "DISCONNECT_PORT", 0x5b, ACTIVE | FAST, 16, .fill = disconnect },
    { "DELETE_PORT", 0x58, FAST, 16, .fill = delete_port },
    { "MAP_STATS_PAGE", 0x6c, 0, 24, 8, .fill = stats, .status = NOT_ALLOWED },
    { "MAP_STATS_PAGE2", 0x131, 0, 32, .fill = stats },
    { "UNMAP_STATS_PAGE", 0x6d, 0, 24, .fill = stats },
    { "NOTIFY_PORT_RING_EMPTY", 0x8b, FAST, 8, .fill = ring_empty },
    { "REGISTER_INTERCEPT_RESULT", 0x91, ACTIVE, 60, .fill = result },
    { "ASSERT_VIRTUAL_INTERRUPT", 0x94, ACTIVE, 32, .vtl = 28,
      .fill = assert_interrupt },
    { "SIGNAL_EVENT_DIRECT", 0xc0, VP, 16, 1, .vtl = 12, .fill = event,
      .status = BAD_SYNIC },
    { "POST_MESSAGE_DIRECT", 0xc1, VP, 280, .vtl = 12, .fill = message,
      .status = BAD_SYNIC },
    { "GET_GPA_PAGES_ACCESS_STATES", 0xc9, ACTIVE, 24, .reps = 2, .rep_out = 1,
      .fill = access_states },
    { "MAP_VP_STATE_PAGE", 0xe1, VP, 24, 8, .vtl = 14, .fill = state_page },
    { "UNMAP_VP_STATE_PAGE", 0xe2, VP, 16, .vtl = 14,
      .fill = unmap_state_page },
    { "GET_VP_STATE", 0xe3, VP, 40, 200, .var = 1, .vtl = 12,
      .fill = lapic_state },
    { "SET_VP_STATE", 0xe4, VP, 40, .var = 1, .vtl = 12, .fill = lapic_state },
    { "GET_VP_CPUID_VALUES", 0xf4, VP, 24, .reps = 1, .rep_in = 8,
      .rep_out = 16, .fill = cpuid_values },
    { "FINALIZE_PARTITION", 0x42, CHILD | FAST, 8, .fill = initialize },
    { "DELETE_PARTITION", 0x43, CHILD | FAST, 8, .fill = initialize },
};

const unsigned n_defs = ARRAY(defs);

/* Whether it is allowed depends on the scheduler. */
const Def dispatch = {
    "DISPATCH_VP", 0xc2, CHILD, 32, 8, .fill = id_and_vp
};

const Def unknown = { "an unknown hypercall", .fill = self };
