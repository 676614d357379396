/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the clocks of a child.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "hw/emuhv/interrupts/interrupts.h"

static uint64_t machine_tsc(void)
{
    return cpu_get_tsc(NULL);
}

uint64_t emuhv_raw_tsc(EmuhvPartition *p)
{
    return p->irq->time_frozen ? p->irq->frozen_tsc : machine_tsc();
}

uint64_t emuhv_reftime(EmuhvPartition *p)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    return p->irq->time_frozen ? p->irq->frozen_at
                             : (now - p->irq->time_origin) / 100;
}

void emuhv_clock_freeze(EmuhvPartition *p)
{
    EmuhvPartitionIrq *irq = p->irq;

    irq->frozen_at = emuhv_reftime(p);
    irq->frozen_tsc = machine_tsc();
    irq->time_frozen = true;
}

void emuhv_clock_thaw(EmuhvPartition *p)
{
    EmuhvPartitionIrq *irq = p->irq;
    uint64_t gone = machine_tsc() - irq->frozen_tsc;

    irq->time_frozen = false;
    irq->time_origin = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) -
                       irq->frozen_at * 100;
    irq->tsc_origin += gone;
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        if (p->vps[i]) {
            emuhv_set_tsc_offset(p->vps[i],
                                 p->vps[i]->irq->tsc_offset - gone);
        }
    }
}

void emuhv_set_tsc_offset(EmuhvVp *vp, uint64_t offset)
{
    vp->irq->tsc_offset = emuhv_vp_env(vp)->tsc_offset = offset;
}

EmuhvPartitionIrq *emuhv_irq_new(void)
{
    EmuhvPartitionIrq *irq = g_new0(EmuhvPartitionIrq, 1);

    irq->synth_features = HV_SYNTH_FEATURE_HYPERVISOR_PRESENT |
                          HV_SYNTH_FEATURE_HV1;
    irq->time_origin = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    irq->tsc_origin = machine_tsc();
    return irq;
}
