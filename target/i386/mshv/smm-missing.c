/*
 * Firmware that needs system management mode, in a machine that has none: the
 * builds of OVMF for secure boot find that out early, and wait for ever without
 * a word to anybody.
 *
 * They look at a register of the chipset that no other firmware reads, or, on a
 * machine of the wrong kind, at its identity, which everybody reads. Then they
 * loop with interrupts off. Who reads one of these, makes no exit any more, and
 * stays at one place, is such a firmware.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "hw/pci-host/i440fx.h"
#include "hw/pci-host/q35.h"
#include "hw/pci/pci_device.h"
#include "system/hw_accel.h"
#include "accel/mshv/counters.h"
#include "accel/mshv/vp.h"
#include "mshv/x86.h"
#include "smm.h"

/* So often, a second apart, a processor is found as it was. */
#define LOOKS           5
#define NEAR            64              /* bytes of code, a loop */

static const struct {
    const char *bridge;
    unsigned offset, len;
} questions[] = {
    { TYPE_MCH_PCI_DEVICE, MCH_HOST_BRIDGE_ESMRAMC, 1 },
    { TYPE_I440FX_PCI_DEVICE, PCI_DEVICE_ID, 2 },
};

static unsigned question;               /* of this machine */
static PCIConfigReadFunc *read_config;  /* the bridge's own */
static QEMUTimer *timer;
static bool warned;

/* Who has asked, what it was doing then, and how often it still did it */
static struct {
    int cpu;
    unsigned looks;
    uint64_t exits;
    target_ulong eip;
} watched;

static void warn(void)
{
    warn_report("mshv: the firmware needs system management mode, finds none "
                "and waits for ever: use %s or a firmware that does not need "
                "it (OVMF_CODE_4M.fd, not OVMF_CODE_4M.secboot.fd)",
                question ? "-machine q35,smm=on" :
                mshv_x86_has_smm() ? "smm=on" :
                "a host whose hypervisor lets QEMU make it");
}

static void look(void *opaque)
{
    CPUState *cs = qemu_get_cpu(watched.cpu);
    CPUX86State *env;
    uint64_t exits;
    bool same;

    if (!cs) {
        return;
    }
    cpu_synchronize_state(cs);
    env = cpu_env(cs);
    exits = mshv_counters_exits(cs->accel->counters);
    same = exits == watched.exits && !(env->eflags & IF_MASK) &&
           env->mp_state == MSHV_MP_RUNNABLE &&
           env->eip - watched.eip + NEAR <= 2 * NEAR;
    if (watched.looks && !same) {
        return;
    }
    if (watched.looks == LOOKS) {
        warn();
        warned = true;
        return;
    }
    watched.looks++;
    watched.exits = exits;
    watched.eip = env->eip;
    timer_mod(timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + 1000);
}

static uint32_t on_read(PCIDevice *dev, uint32_t addr, int len)
{
    if (!warned && current_cpu && addr == questions[question].offset &&
        len == questions[question].len) {
        watched.cpu = current_cpu->cpu_index;
        watched.looks = 0;
        timer_mod(timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + 1000);
    }
    return read_config(dev, addr, len);
}

void mshv_smm_watch_missing(bool smm)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(questions); i++) {
        PCIDevice *bridge =
            (PCIDevice *)object_resolve_path_type("", questions[i].bridge,
                                                  NULL);

        /* i440FX has no TSEG, which such a firmware needs, too. */
        if (bridge && (!smm || i)) {
            question = i;
            read_config = bridge->config_read;
            bridge->config_read = on_read;
            timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, look, NULL);
            return;
        }
    }
}
