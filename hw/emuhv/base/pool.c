/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the CPUs on which the VPs of children run.
 *
 * A CPU of the pool is made when it is first needed and never destroyed,
 * because TCG does not give its thread contexts back; it is parked between two
 * uses. Each has its own thread.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "hw/boards.h"
#include "hw/qdev-core.h"
#include "hw/emuhv/base/base.h"

static GPtrArray *pool;         /* EmuhvVp, all that were made */
static bool pool_busy;          /* a CPU is being made */
static QemuCond pool_cond;      /* it is done */
static EmuhvVp *(*pool_new)(void);
static void (*pool_free)(EmuhvVp *vp);

static EmuhvVp *pool_make(void)
{
    MachineState *ms = MACHINE(qdev_get_machine());
    Object *obj = object_new(ms->cpu_type);
    EmuhvVp *vp = pool_new();
    CPUState *cs = CPU(obj);
    Error *err = NULL;

    vp->base.kind = EMUHV_CPU_CHILD;
    vp->base.cpu = X86_CPU(obj);
    vp->slot = pool->len;
    vp->base.cpu->emuhv = &vp->base;
    cs->cpu_index = MAX(ms->smp.max_cpus, 1024u) + pool->len;
    object_property_set_uint(obj, "apic-id", 0, &error_abort);
    object_property_set_bool(obj, "svm", false, &error_abort);
    object_property_set_bool(obj, "monitor", false, &error_abort);
    object_property_set_bool(obj, "check", false, &error_abort);
    g_ptr_array_add(pool, vp);
    if (!qdev_realize(DEVICE(obj), NULL, &err)) {
        warn_reportf_err(err, "emuhv: no more CPUs for child partitions: ");
        g_ptr_array_remove(pool, vp);
        object_unref(obj);
        pool_free(vp);
        return NULL;
    }
    memcpy(vp->features, vp->base.cpu->env.features, sizeof(vp->features));
    vp->ready = true;
    return vp;
}

static EmuhvVp *pool_find(void)
{
    for (unsigned i = 0; i < pool->len; i++) {
        EmuhvVp *vp = g_ptr_array_index(pool, i);

        if (!vp->partition && vp->ready) {
            return vp;
        }
    }
    return NULL;
}

/*
 * They are made one at a time: qemu_init_vcpu() waits on a condition that is
 * signalled to one waiter only.
 */
EmuhvVp *emuhv_pool_take(void)
{
    EmuhvVp *vp;

    while (!(vp = pool_find()) && pool_busy) {
        qemu_cond_wait_bql(&pool_cond);
    }
    if (!vp && pool->len < emuhv_options.pool_size) {
        pool_busy = true;
        vp = pool_make();
        pool_busy = false;
        qemu_cond_broadcast(&pool_cond);
    }
    return vp;
}

unsigned emuhv_pool_free(void)
{
    unsigned n = emuhv_options.pool_size;

    for (unsigned i = 0; pool && i < pool->len; i++) {
        EmuhvVp *vp = g_ptr_array_index(pool, i);

        n -= vp->partition != NULL;
    }
    return n;
}

/* It is made at start-up. */
EmuhvVp *emuhv_pool_model(void)
{
    return g_ptr_array_index(pool, 0);
}

EmuhvVp *emuhv_pool_get(unsigned i)
{
    return pool && i < pool->len ? g_ptr_array_index(pool, i) : NULL;
}

void emuhv_pool_init(EmuhvVp *(*make)(void), void (*unmake)(EmuhvVp *vp))
{
    pool = g_ptr_array_new();
    pool_new = make;
    pool_free = unmake;
    qemu_cond_init(&pool_cond);
}

#define FEW_ADDRESS_BITS 36

unsigned emuhv_child_address_bits(void)
{
    unsigned bits = emuhv_pool_model()->base.cpu->phys_bits;

    return emuhv_answers(EMUHV_FEW_ADDRESS_BITS) ? MIN(bits, FEW_ADDRESS_BITS)
                                                 : bits;
}
