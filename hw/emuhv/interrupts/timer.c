/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the synthetic timers of a child.  Source: TLFS
 * chapter 12.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "hw/emuhv/interrupts/interrupts.h"

/* HV_X64_MSR_STIMERn_CONFIG */
#define ST_ENABLE           (1ull << 0)
#define ST_PERIODIC         (1ull << 1)
#define ST_AUTO_ENABLE      (1ull << 3)
#define ST_DIRECT           (1ull << 12)

static void stimer_start(EmuhvStimer *t)
{
    EmuhvPartition *p = t->vp->partition;
    uint64_t now;

    timer_del(t->timer);
    if (!p || !(t->config & ST_ENABLE) || !t->count) {
        return;
    }
    now = emuhv_reftime(p);
    if (t->config & ST_PERIODIC) {
        if (!t->expiry) {
            t->expiry = now + t->count;
        } else if (t->expiry <= now) {
            /* Late: skip the periods that are over. */
            t->expiry += ((now - t->expiry) / t->count + 1) * t->count;
        }
    } else {
        t->expiry = t->count;
    }
    if (!p->irq->time_frozen) {
        int64_t left = t->expiry > now ? MIN(t->expiry - now, INT64_MAX / 200)
                                       : 0;

        if (t->config & ST_PERIODIC) {
            left = MAX(left, EMUHV_MIN_PERIOD_NS / 100);
        }
        timer_mod(t->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                            left * 100);
    }
}

static void stimer_message(EmuhvStimer *t)
{
    uint8_t msg[256] = { };
    uint16_t status;

    stl_le_p(msg, HVMSG_TIMER_EXPIRED);
    msg[4] = 24;
    stl_le_p(msg + 16, t->index);
    stq_le_p(msg + 24, t->msg_expiry);
    stq_le_p(msg + 32, emuhv_reftime(t->vp->partition));
    status = emuhv_synic_message(t->vp, t->config >> 16 & 0xf, msg);
    t->msg_waiting = status == HV_STATUS_INSUFFICIENT_BUFFERS;
}

static void stimer_expire(void *opaque)
{
    EmuhvStimer *t = opaque;

    if (!t->vp->partition || !(t->config & ST_ENABLE)) {
        return;
    }
    if (emuhv_reftime(t->vp->partition) < t->expiry) {
        /* QEMU's clock is a bit ahead of the TSC. */
        stimer_start(t);
        return;
    }
    if (t->config & ST_DIRECT) {
        emuhv_apic_raise(t->vp, t->config >> 4 & 0xff);
    } else if (!t->msg_waiting) {
        t->msg_expiry = t->expiry;
        stimer_message(t);
    }
    if (t->config & ST_PERIODIC) {
        t->expiry += t->count;
        stimer_start(t);
    } else {
        t->config &= ~ST_ENABLE;
    }
}

void emuhv_stimer_set_config(EmuhvStimer *t, uint64_t config)
{
    if (!(config & ST_DIRECT) && !(config >> 16 & 0xf)) {
        config &= ~ST_ENABLE;
    }
    t->config = config & 0xf1fff;
    t->expiry = 0;
    t->msg_waiting = false;
    stimer_start(t);
}

void emuhv_stimer_set_count(EmuhvStimer *t, uint64_t count)
{
    t->count = count;
    t->expiry = 0;
    if (!count) {
        t->config &= ~ST_ENABLE;
    } else if (t->config & ST_AUTO_ENABLE) {
        t->config |= ST_ENABLE;
    }
    stimer_start(t);
}

void emuhv_stimer_get(EmuhvVp *vp, uint8_t *buf)
{
    memset(buf, 0, EMUHV_STIMER_STATE_SIZE);
    for (unsigned i = 0; i < EMUHV_STIMERS; i++, buf += 40) {
        EmuhvStimer *t = &vp->irq->stimer[i];

        stl_le_p(buf, t->msg_waiting);
        stq_le_p(buf + 8, t->config);
        stq_le_p(buf + 16, t->count);
        stq_le_p(buf + 24, t->config & ST_PERIODIC ? t->expiry : 0);
        stq_le_p(buf + 32, t->msg_waiting ? t->msg_expiry : 0);
    }
}

void emuhv_stimer_set(EmuhvVp *vp, const uint8_t *buf)
{
    for (unsigned i = 0; i < EMUHV_STIMERS; i++, buf += 40) {
        EmuhvStimer *t = &vp->irq->stimer[i];

        t->config = ldq_le_p(buf + 8) & 0xf1fff;
        t->count = ldq_le_p(buf + 16);
        t->expiry = ldq_le_p(buf + 24);
        t->msg_waiting = ldl_le_p(buf) & 1;
        t->msg_expiry = ldq_le_p(buf + 32);
        stimer_start(t);
    }
}

void emuhv_stimers_eom(EmuhvVp *vp)
{
    for (unsigned i = 0; i < EMUHV_STIMERS; i++) {
        if (vp->irq->stimer[i].msg_waiting) {
            stimer_message(&vp->irq->stimer[i]);
        }
    }
}

void emuhv_stimers_restart(EmuhvPartition *p)
{
    for (unsigned i = 0; i <= EMUHV_MAX_VP_INDEX; i++) {
        for (unsigned j = 0; p->vps[i] && j < EMUHV_STIMERS; j++) {
            stimer_start(&p->vps[i]->irq->stimer[j]);
        }
    }
}

void emuhv_stimers_init(EmuhvVp *vp)
{
    for (unsigned i = 0; i < EMUHV_STIMERS; i++) {
        EmuhvStimer *t = &vp->irq->stimer[i];

        t->vp = vp;
        t->index = i;
        t->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, stimer_expire, t);
    }
}

void emuhv_stimers_free(EmuhvVp *vp)
{
    for (unsigned i = 0; i < EMUHV_STIMERS; i++) {
        timer_free(vp->irq->stimer[i].timer);
    }
}

void emuhv_stimers_reset(EmuhvVp *vp)
{
    for (unsigned i = 0; i < EMUHV_STIMERS; i++) {
        EmuhvStimer *t = &vp->irq->stimer[i];

        t->config = t->count = t->expiry = 0;
        t->msg_waiting = false;
        timer_del(t->timer);
    }
}
