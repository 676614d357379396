/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the clocks of a child.
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
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

uint64_t emuhv_reftime_scale(void)
{
    uint64_t low = 0, high = 10000000;

    divu128(&low, &high, emuhv_tsc_hz());
    return low;
}

uint64_t emuhv_reftime_of(uint64_t tsc)
{
    uint64_t low, high;

    mulu64(&low, &high, tsc, emuhv_reftime_scale());
    return high;
}

uint64_t emuhv_reftime(EmuhvPartition *p)
{
    return p->irq->time_frozen ? p->irq->frozen_at
           : emuhv_reftime_of(machine_tsc()) - p->irq->time_origin;
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
    uint64_t now = machine_tsc();
    uint64_t gone = now - irq->frozen_tsc;

    irq->time_frozen = false;
    irq->time_origin = emuhv_reftime_of(now) - irq->frozen_at;
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
    irq->tsc_origin = machine_tsc();
    irq->time_origin = emuhv_reftime_of(irq->tsc_origin);
    return irq;
}
