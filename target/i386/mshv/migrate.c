/*
 * What QEMU's own sections of a migration stream have no place for: a section
 * of the partition, and one of each VP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "accel/mshv/partition.h"
#include "accel/mshv/reftime.h"
#include "migration/vmstate.h"
#include "state-table.h"

/* ---- The partition ---- */

typedef struct Partition {
    uint64_t reference_time;
} Partition;

static Partition partition;

/* The first section to be saved, so that clocks are read before CPUs are. */
static int save_partition(void *opaque)
{
    Error *err = NULL;
    int ret = mshv_time_get(&partition.reference_time, &err);

    if (ret == 0) {
        ret = mshv_clocks_sample(&err);
    }
    if (ret < 0) {
        error_reportf_err(err, "mshv: cannot read the guest's clocks: ");
    }
    return ret;
}

static int load_partition(void *opaque, int version)
{
    Error *err = NULL;
    int ret = mshv_time_set(partition.reference_time, &err);

    if (ret < 0) {
        error_reportf_err(err, "mshv: cannot set the guest's clock: ");
    }
    return ret;
}

static const VMStateDescription vmstate_partition = {
    .name = "mshv-partition",
    .version_id = 1,
    .minimum_version_id = 1,
    .priority = MIG_PRI_MAX,
    .pre_save = save_partition,
    .post_load = load_partition,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(reference_time, Partition),
        VMSTATE_END_OF_LIST()
    },
};

/* ---- A VP ---- */

static void do_read_blocks(CPUState *cs, run_on_cpu_data data)
{
    Error *err = NULL;

    *(int *)data.host_ptr = mshv_blocks_get(cs, &err);
    if (err) {
        error_reportf_err(err, "mshv: CPU %d: ", cs->cpu_index);
    }
}

static int save_vp(void *opaque)
{
    MshvX86 *x86 = opaque;
    unsigned row;
    int ret;

    x86->stream_count = 0;
    for (row = 0; row < mshv_reg_count; row++) {
        if (mshv_reg_table[row].own_stream &&
            mshv_reg_exists(X86_CPU(x86->cs), row)) {
            union hv_register_value value;

            mshv_reg_from_env(X86_CPU(x86->cs), row, &value);
            x86->stream[x86->stream_count++] = (MshvStreamReg) {
                .name = mshv_reg_table[row].name,
                .low = value.reg128.low_part,
                .high = value.reg128.high_part,
            };
        }
    }
    run_on_cpu(x86->cs, do_read_blocks, RUN_ON_CPU_HOST_PTR(&ret));
    return ret;
}

/* Nobody may take them for loaded ones. */
static int forget_blocks(void *opaque)
{
    MshvX86 *x86 = opaque;

    memset(x86->block_valid, 0, sizeof(x86->block_valid));
    return 0;
}

static int load_register(MshvX86 *x86, const MshvStreamReg *reg)
{
    X86CPU *cpu = X86_CPU(x86->cs);
    union hv_register_value value = {
        .reg128 = { .low_part = reg->low, .high_part = reg->high },
    };
    unsigned row;

    for (row = 0; row < mshv_reg_count; row++) {
        if (mshv_reg_table[row].name == reg->name &&
            mshv_reg_table[row].own_stream && mshv_reg_exists(cpu, row)) {
            mshv_reg_to_env(cpu, row, &value);
            return 0;
        }
    }
    if (!reg->low && !reg->high) {
        return 0;               /* as after a reset */
    }
    error_report("mshv: CPU %d: the guest comes with register 0x%x = 0x%"
                 PRIx64 ", which it cannot have here", x86->cs->cpu_index,
                 reg->name, reg->low);
    return -EINVAL;
}

static int load_vp(void *opaque, int version)
{
    MshvX86 *x86 = opaque;
    unsigned i;
    int ret = 0;

    for (i = 0; i < x86->stream_count && ret == 0; i++) {
        ret = load_register(x86, &x86->stream[i]);
    }
    x86->lapic_loaded = ret == 0;
    x86->lapic_read_valid = false;
    return ret;
}

static bool is_stream_count_good(void *opaque, int version)
{
    return ((MshvX86 *)opaque)->stream_count <= MSHV_STREAM_REGS;
}

static const VMStateDescription vmstate_one_register = {
    .name = "mshv-register",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(name, MshvStreamReg),
        VMSTATE_UINT64(low, MshvStreamReg),
        VMSTATE_UINT64(high, MshvStreamReg),
        VMSTATE_END_OF_LIST()
    },
};

/* A block is there if it was there when the state was saved. */
#define BLOCK(n, i, size)                                               \
    static bool n##_needed(void *opaque)                                \
    {                                                                   \
        return ((MshvX86 *)opaque)->block_valid[i];                     \
    }                                                                   \
    static int n##_loaded(void *opaque, int version)                    \
    {                                                                   \
        ((MshvX86 *)opaque)->block_valid[i] = true;                     \
        return 0;                                                       \
    }                                                                   \
    static const VMStateDescription vmstate_##n = {                     \
        .name = "mshv-vp/" #n,                                          \
        .version_id = 1,                                                \
        .minimum_version_id = 1,                                        \
        .needed = n##_needed,                                           \
        .post_load = n##_loaded,                                        \
        .fields = (const VMStateField[]) {                              \
            VMSTATE_BUFFER_POINTER_UNSAFE(block[i], MshvX86, 0, size),  \
            VMSTATE_END_OF_LIST()                                       \
        },                                                              \
    }

BLOCK(messages, MSHV_BLOCK_MESSAGES, HV_HYP_PAGE_SIZE);
BLOCK(events, MSHV_BLOCK_EVENTS, HV_HYP_PAGE_SIZE);
BLOCK(timers, MSHV_BLOCK_TIMERS, sizeof(struct hv_synthetic_timers_state));

/* Of a VP in SMM: what was pending when it went there */
static bool smm_events_needed(void *opaque)
{
    MshvX86 *x86 = opaque;

    return cpu_env(x86->cs)->hflags & HF_SMM_MASK;
}

static const VMStateDescription vmstate_smm_events = {
    .name = "mshv-vp/smm-events",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = smm_events_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_BUFFER_UNSAFE(smm_events, MshvX86, 0,
                              sizeof_field(MshvX86, smm_events)),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_vp = {
    .name = "mshv-vp",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = save_vp,
    .post_save = forget_blocks,
    .pre_load = forget_blocks,
    .post_load = load_vp,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(stream_count, MshvX86),
        VMSTATE_VALIDATE("number of registers", is_stream_count_good),
        VMSTATE_STRUCT_VARRAY_UINT32(stream, MshvX86, stream_count, 0,
                                     vmstate_one_register, MshvStreamReg),
        VMSTATE_BUFFER_UNSAFE(
            lapic_read, MshvX86, 0,
            sizeof(struct hv_local_interrupt_controller_state)),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_messages,
        &vmstate_events,
        &vmstate_timers,
        &vmstate_smm_events,
        NULL
    },
};

/* After QEMU's own sections of the CPU, which it completes. */
void mshv_migrate_add_vp(CPUState *cs)
{
    vmstate_register(NULL, cs->accel->vp_index, &vmstate_vp, mshv_x86(cs));
}

void mshv_migrate_remove_vp(CPUState *cs)
{
    vmstate_unregister(NULL, &vmstate_vp, mshv_x86(cs));
}

void mshv_migrate_init(void)
{
    vmstate_register(NULL, 0, &vmstate_partition, &partition);
}

char *mshv_arch_migration_obstacle(void)
{
    /* The kernel wants a page. */
    static uint8_t QEMU_ALIGNED(HV_HYP_PAGE_SIZE) page[HV_HYP_PAGE_SIZE];
    uint32_t size = sizeof(page), timer = HV_REGISTER_STIMER0_CONFIG;
    union hv_register_value value;
    Error *err = NULL;
    char *why = NULL;

    if (!mshv_reg_all_can_be_set()) {
        return g_strdup("this hypervisor does not let all registers of a guest "
                        "be set");
    }
    if (first_cpu &&
        mshv_vp_get_regs(first_cpu, &timer, &value, 1, NULL) == 0 &&
        mshv_vp_state(first_cpu, false, MSHV_VP_STATE_SYNTHETIC_TIMERS, page,
                      &size, &err) < 0) {
        why = g_strdup_printf("this host does not give out the guest's "
                              "synthetic timers: %s", error_get_pretty(err));
        error_free(err);
    }
    return why;
}
