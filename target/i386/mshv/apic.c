/*
 * The local APIC: its hardware is the hypervisor's. Here are the device that
 * QEMU knows, its state, and the interrupts that devices send to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "hw/i386/apic.h"
#include "hw/i386/apic_internal.h"
#include "hw/i386/apic-msidef.h"
#include "hw/intc/ioapic.h"
#include "hw/intc/kvm_irqcount.h"
#include "hw/pci/msi.h"
#include "accel/mshv/partition.h"
#include "accel/mshv/refusal.h"
#include "accel/mshv/vp.h"
#include "mshv/x86.h"
#include "mshv-compat/accel.h"
#include "mshv-x86.h"
#include "smm.h"
#include "trace.h"

/* ---- State ---- */

/* Order of the LVT in APICCommonState: timer thermal perf lint0 lint1 error */
static void lapic_to_device(APICCommonState *s,
                            const struct hv_local_interrupt_controller_state
                                *lapic)
{
    int64_t now;
    int v;

    if (!(s->apicbase & MSR_IA32_APICBASE_EXTD)) {
        s->id = lapic->apic_id >> 24;
    }
    s->log_dest = lapic->apic_ldr >> 24;
    s->dest_mode = lapic->apic_dfr >> 28;
    s->spurious_vec = lapic->apic_spurious;
    memcpy(s->isr, lapic->apic_isr, sizeof(s->isr));
    memcpy(s->tmr, lapic->apic_tmr, sizeof(s->tmr));
    memcpy(s->irr, lapic->apic_irr, sizeof(s->irr));
    s->esr = lapic->apic_esr;
    s->icr[0] = lapic->apic_icr_low;
    s->icr[1] = lapic->apic_icr_high;
    s->lvt[APIC_LVT_TIMER] = lapic->apic_lvt_timer;
    s->lvt[APIC_LVT_THERMAL] = lapic->apic_lvt_thermal;
    s->lvt[APIC_LVT_PERFORM] = lapic->apic_lvt_perfmon;
    s->lvt[APIC_LVT_LINT0] = lapic->apic_lvt_lint0;
    s->lvt[APIC_LVT_LINT1] = lapic->apic_lvt_lint1;
    s->lvt[APIC_LVT_ERROR] = lapic->apic_lvt_error;
    s->initial_count = lapic->apic_initial_count;
    s->divide_conf = lapic->apic_divide_configuration;
    v = (s->divide_conf & 3) | ((s->divide_conf >> 1) & 4);
    s->count_shift = (v + 1) & 7;
    /* QEMU's bus has a cycle a nanosecond. */
    now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    s->initial_count_load_time =
        now - ((int64_t)(uint32_t)(lapic->apic_initial_count -
                                   lapic->apic_counter_value)
               << s->count_shift);
    apic_next_timer(s, now);
}

/* What the device does not know (version, counter, CMCI) stays as it is. */
static void lapic_from_device(const APICCommonState *s,
                              struct hv_local_interrupt_controller_state
                                  *lapic)
{
    if (!(s->apicbase & MSR_IA32_APICBASE_EXTD)) {
        lapic->apic_id = (uint32_t)s->id << 24;
        lapic->apic_ldr = (uint32_t)s->log_dest << 24;
        lapic->apic_dfr = (uint32_t)s->dest_mode << 28 | 0x0fffffff;
    }
    lapic->apic_spurious = s->spurious_vec;
    memcpy(lapic->apic_isr, s->isr, sizeof(s->isr));
    memcpy(lapic->apic_tmr, s->tmr, sizeof(s->tmr));
    memcpy(lapic->apic_irr, s->irr, sizeof(s->irr));
    lapic->apic_esr = s->esr;
    lapic->apic_icr_low = s->icr[0];
    lapic->apic_icr_high = s->icr[1];
    lapic->apic_lvt_timer = s->lvt[APIC_LVT_TIMER];
    lapic->apic_lvt_thermal = s->lvt[APIC_LVT_THERMAL];
    lapic->apic_lvt_perfmon = s->lvt[APIC_LVT_PERFORM];
    lapic->apic_lvt_lint0 = s->lvt[APIC_LVT_LINT0];
    lapic->apic_lvt_lint1 = s->lvt[APIC_LVT_LINT1];
    lapic->apic_lvt_error = s->lvt[APIC_LVT_ERROR];
    lapic->apic_initial_count = s->initial_count;
    lapic->apic_divide_configuration = s->divide_conf;
    if (!s->initial_count) {
        lapic->apic_counter_value = 0;
    }
}

/* A reset of what the device does not know */
static void reset_unknown(struct hv_local_interrupt_controller_state *lapic)
{
    lapic->apic_lvt_cmci = APIC_LVT_MASKED;
    lapic->apic_error_status = 0;
    lapic->apic_counter_value = 0;
    lapic->apic_remote_read = 0;
}

/* Into x86->lapic, which is nobody's for longer than a call. */
static int read_lapic(CPUState *cs, Error **errp)
{
    uint32_t size = HV_HYP_PAGE_SIZE;

    return mshv_vp_state(cs, false, MSHV_VP_STATE_LAPIC, mshv_x86(cs)->lapic,
                         &size, errp);
}

int mshv_apic_get(CPUState *cs, Error **errp)
{
    MshvX86 *x86 = mshv_x86(cs);
    DeviceState *dev = DEVICE(X86_CPU(cs)->apic_state);
    int ret;

    if (!dev) {
        return 0;
    }
    ret = read_lapic(cs, errp);
    if (ret == 0) {
        memcpy(&x86->lapic_read, x86->lapic, sizeof(x86->lapic_read));
        lapic_to_device(APIC_COMMON(dev), &x86->lapic_read);
        /* Its form, too, so that no form is taken for a change */
        lapic_from_device(APIC_COMMON(dev), &x86->lapic_read);
        x86->lapic_read_valid = true;
    }
    return ret;
}

/*
 * Bits that differ between @old and @new, into @now. The others stay as they
 * are: interrupts may have come since @old was read.
 */
static void lapic_change(struct hv_local_interrupt_controller_state *now,
                         const struct hv_local_interrupt_controller_state *old,
                         const struct hv_local_interrupt_controller_state *new)
{
    const uint32_t *from = (const void *)old, *to = (const void *)new;
    uint32_t *word = (void *)now;
    unsigned i;

    for (i = 0; i < sizeof(*now) / sizeof(*word); i++) {
        uint32_t changed = from[i] ^ to[i];

        word[i] = (word[i] & ~changed) | (to[i] & changed);
    }
}

int mshv_apic_put(CPUState *cs, MshvPutLevel level, Error **errp)
{
    MshvX86 *x86 = mshv_x86(cs);
    DeviceState *dev = DEVICE(X86_CPU(cs)->apic_state);
    bool only_changes = level == MSHV_PUT_RUNTIME && x86->lapic_read_valid;
    struct hv_local_interrupt_controller_state want = x86->lapic_read;
    uint32_t size = HV_HYP_PAGE_SIZE;
    int ret;

    if (!dev) {
        return 0;
    }
    if (only_changes) {
        lapic_from_device(APIC_COMMON(dev), &want);
        if (!memcmp(&want, &x86->lapic_read, sizeof(want))) {
            return 0;
        }
    }
    x86->lapic_read_valid = false;
    ret = read_lapic(cs, errp);
    if (ret < 0) {
        return ret;
    }
    if (only_changes) {
        lapic_change((void *)x86->lapic, &x86->lapic_read, &want);
    } else {
        if (x86->lapic_loaded) {
            memcpy(x86->lapic, &want, sizeof(want));
        }
        lapic_from_device(APIC_COMMON(dev), (void *)x86->lapic);
    }
    if (level == MSHV_PUT_RESET) {
        reset_unknown((void *)x86->lapic);
    }
    x86->lapic_loaded = false;
    return mshv_vp_state(cs, true, MSHV_VP_STATE_LAPIC, x86->lapic, &size,
                         errp);
}

/*
 * The PIC's interrupt reaches a processor whose APIC is off, or through LINT0
 * in mode ExtINT (SDM vol. 3, 12.1 and 12.5.1).
 */
int mshv_apic_accepts_pic(CPUState *cs, bool *accepts, Error **errp)
{
    const struct hv_local_interrupt_controller_state *lapic =
        (void *)mshv_x86(cs)->lapic;
    uint32_t name = HV_X64_REGISTER_APIC_BASE;
    union hv_register_value base;
    int ret;

    *accepts = true;
    if (!X86_CPU(cs)->apic_state) {
        return 0;
    }
    ret = mshv_vp_get_regs(cs, &name, &base, 1, errp);
    if (ret < 0 || !(base.reg64 & MSR_IA32_APICBASE_ENABLE)) {
        return ret;
    }
    ret = read_lapic(cs, errp);
    if (ret == 0) {
        *accepts = !(lapic->apic_lvt_lint0 & APIC_LVT_MASKED) &&
                   ((lapic->apic_lvt_lint0 >> APIC_LVT_DELIV_MOD_SHIFT) & 7)
                   == APIC_DM_EXTINT;
    }
    return ret;
}

/* ---- Interrupts ---- */

static int assert_interrupt(uint32_t type, bool level, bool logical,
                            uint64_t destination, uint32_t vector,
                            Error **errp)
{
    struct hv_input_assert_virtual_interrupt in = {
        .control.interrupt_type = type,
        .control.level_triggered = level,
        .control.logical_dest_mode = logical,
        .dest_addr = destination,
        .vector = vector,
    };

    return mshv_pt_hvcall(HVCALL_ASSERT_VIRTUAL_INTERRUPT, 0, &in, sizeof(in),
                          NULL, 0, NULL, errp);
}

int mshv_apic_send(CPUState *cs, unsigned mode, uint8_t vector, Error **errp)
{
    return assert_interrupt(mode, false, false, X86_CPU(cs)->apic_id, vector,
                            errp);
}

/* Remappable format (VT-d 5.1.2.2): for an IOMMU, not for a local APIC */
#define MSI_ADDR_REMAPPABLE     (1u << 4)

/* Bits that are neither the destination nor how to find it */
#define MSI_ADDR_NO_MESSAGE     0xff0u

/* All processors (SDM vol. 3, 12.6.2.1) */
#define MSI_BROADCAST_ID        0xff

static unsigned msi_mode(uint32_t data)
{
    return (data >> MSI_DATA_DELIVERY_MODE_SHIFT) & 7;
}

static uint32_t msi_destination(uint64_t address)
{
    return (address & MSI_ADDR_DEST_ID_MASK) >> MSI_ADDR_DEST_ID_SHIFT;
}

static bool is_logical(uint64_t address)
{
    return (address >> MSI_ADDR_DEST_MODE_SHIFT) & 1;
}

/* Whether a physical destination is that of one processor, which is there. */
static bool has_vp(uint64_t address)
{
    uint32_t id = msi_destination(address);

    return id != MSI_BROADCAST_ID && mshv_vp_exists(id);
}

/* For hypervisors that take no interrupt for all */
static int assert_for_each(uint32_t type, bool level, uint32_t vector,
                           Error **errp)
{
    uint32_t id;
    int ret = 0;

    for (id = 0; ret >= 0 && id < MSI_BROADCAST_ID; id++) {
        if (mshv_vp_exists(id)) {
            ret = assert_interrupt(type, level, false, id, vector, errp);
        }
    }
    return ret;
}

/* Send an MSI through the hypervisor, from any thread. */
static int msi_send(uint64_t address, uint32_t data, Error **errp)
{
    unsigned mode = msi_mode(data);
    uint32_t vector = (data & MSI_DATA_VECTOR_MASK) >> MSI_DATA_VECTOR_SHIFT;
    bool level = (data >> MSI_DATA_TRIGGER_SHIFT) & 1;
    bool to_all = !is_logical(address) &&
                  msi_destination(address) == MSI_BROADCAST_ID;

    trace_mshv_msi_send(address, data);
    if (!is_logical(address) && !has_vp(address) && !to_all) {
        return 0;               /* on the bus, too, nobody takes it */
    }
    switch (mode) {
    case APIC_DM_FIXED:
    case APIC_DM_LOWPRI:
        if (vector < 16) {
            /* The bus drops it: SDM vol. 3, 12.5.2 */
            return 0;
        }
        break;
    case APIC_DM_NMI:
        break;
    case APIC_DM_SMI:
    case APIC_DM_INIT:
        if (mshv_smm_is_on()) {
            mshv_smm_send((uint64_t)msi_destination(address) << 56 |
                          (is_logical(address) ? MSHV_ICR_LOGICAL : 0) |
                          mode << MSHV_ICR_MODE_SHIFT);
            return 0;
        }
        if (mode == APIC_DM_INIT) {
            break;
        }
        error_setg(errp, "a device sent an SMI");
        return -ENOTSUP;
    default:
        /* ExtINT goes by the PIC's output, the other modes are reserved. */
        return 0;
    }
    if (to_all && assert_interrupt(mode, level, false, MSI_BROADCAST_ID,
                                   vector, NULL) < 0) {
        return assert_for_each(mode, level, vector, errp);
    }
    return to_all ? 0 : assert_interrupt(mode, level, is_logical(address),
                                         msi_destination(address), vector,
                                         errp);
}

/*
 * Of a physical destination the kernel takes the VP without asking whether
 * there is one (mshv_try_assert_irq_fast in mshv_eventfd.c); a logical one is
 * the hypervisor's to find.
 */
bool mshv_arch_msi_routable(uint64_t address, uint32_t data)
{
    unsigned mode = msi_mode(data);

    return (mode == APIC_DM_FIXED || mode == APIC_DM_LOWPRI) &&
           (data & MSI_DATA_VECTOR_MASK) >= 16 &&
           (address & ~0xfffffull) ==
           APIC_DEFAULT_ADDRESS && !(address & MSI_ADDR_REMAPPABLE) &&
           (is_logical(address) || has_vp(address));
}

int mshv_exit_apic_eoi(CPUState *cs, const struct hv_message *msg,
                       Error **errp)
{
    const struct hv_x64_apic_eoi_message *eoi = (const void *)msg->u.payload;

    cs->accel->page_fresh = false;
    bql_lock();
    ioapic_eoi_broadcast(eoi->interrupt_vector);
    bql_unlock();
    return 0;
}

/* ---- The device ---- */

static void send_msi(MSIMessage *msi)
{
    Error *err = NULL;

    if (msi_send(msi->address, msi->data, &err) < 0) {
        mshv_refused(msi_mode(msi->data) == APIC_DM_SMI ? MSHV_REFUSED_SMI
                                                        : MSHV_REFUSED_MSI,
                     err);
    } else {
        /*
         * Else a clock that counts what was lost (RTC, driftfix=slew) would
         * send all of it again.
         */
        kvm_report_irq_delivered(1);
    }
}

static uint64_t apic_mem_read(void *opaque, hwaddr addr, unsigned size)
{
    return ~0ull;
}

/*
 * Messages of devices arrive here, but also what a processor writes to its
 * APIC's registers while that is off or in x2APIC mode: the hypervisor's APIC
 * does not take it. There is no register where a message can be.
 */
static void apic_mem_write(void *opaque, hwaddr addr, uint64_t data,
                           unsigned size)
{
    MSIMessage msi = { .address = APIC_DEFAULT_ADDRESS + addr, .data = data };

    if (size == sizeof(msi.data) && !(addr & MSI_ADDR_NO_MESSAGE)) {
        send_msi(&msi);
    }
}

static const MemoryRegionOps apic_io_ops = {
    .read = apic_mem_read,
    .write = apic_mem_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    /* As the processor made it: no access is cut into messages. */
    .valid.min_access_size = 1,
    .valid.max_access_size = 8,
    .impl.min_access_size = 1,
    .impl.max_access_size = 8,
};

static int set_base(APICCommonState *s, uint64_t value)
{
    s->apicbase = value;
    return 0;
}

/* CR8 holds the upper half of the task priority. */
static void set_tpr(APICCommonState *s, uint8_t value)
{
    s->tpr = (value & 0x0f) << 4;
}

static uint8_t get_tpr(APICCommonState *s)
{
    return s->tpr >> 4;
}

static void vapic_base_update(APICCommonState *s)
{
}

/* On the VP's thread: an NMI arrives at LINT1, which may be masked. */
static void deliver_nmi(CPUState *cs, run_on_cpu_data data)
{
    const struct hv_local_interrupt_controller_state *lapic;
    Error *err = NULL;
    int ret;

    if (!cs->accel->usable) {
        return;
    }
    lapic = (void *)mshv_x86(cs)->lapic;
    ret = read_lapic(cs, &err);
    if (ret == 0 && !(lapic->apic_lvt_lint1 & APIC_LVT_MASKED) &&
        ((lapic->apic_lvt_lint1 >> APIC_LVT_DELIV_MOD_SHIFT) & 7)
        == APIC_DM_NMI) {
        ret = mshv_apic_send(cs, APIC_DM_NMI, 0, &err);
    }
    if (ret < 0) {
        error_reportf_err(err, "mshv: cannot deliver an NMI: ");
    }
}

static void external_nmi(APICCommonState *s)
{
    async_run_on_cpu(CPU(s->cpu), deliver_nmi, RUN_ON_CPU_NULL);
}

static void realize(DeviceState *dev, Error **errp)
{
    APICCommonState *s = APIC_COMMON(dev);

    memory_region_init_io(&s->io_memory, OBJECT(s), &apic_io_ops, s,
                          "mshv-apic-msi", APIC_SPACE_SIZE);
    /* The hypervisor virtualises the task priority: no patching of guests. */
    s->vapic_control = 0;
    msi_nonbroken = true;
}

static void unrealize(DeviceState *dev)
{
}

static void apic_class_init(ObjectClass *oc, MshvClassData *data)
{
    APICCommonClass *apic = APIC_COMMON_CLASS(oc);

    apic->realize = realize;
    apic->unrealize = unrealize;
    apic->set_base = set_base;
    apic->set_tpr = set_tpr;
    apic->get_tpr = get_tpr;
    apic->vapic_base_update = vapic_base_update;
    apic->external_nmi = external_nmi;
    apic->send_msi = send_msi;
}

static const TypeInfo apic_type = {
    .name = TYPE_MSHV_APIC,
    .parent = TYPE_APIC_COMMON,
    .instance_size = sizeof(APICCommonState),
    .class_init = apic_class_init,
};

static void apic_register(void)
{
    type_register_static(&apic_type);
}
type_init(apic_register);
