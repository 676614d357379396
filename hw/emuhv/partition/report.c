/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the counters of partitions for people.
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qstring.h"
#include "hw/emuhv/memory/memory.h"
#include "hw/emuhv/partition/partition-int.h"

#define MAX_DEAD    256

static QList *dead;             /* the last that are gone */

static const char *const exit_names[EMUHV_EXIT__MAX] = {
    [EMUHV_EXIT_UNMAPPED_GPA] = "unmapped-gpa",
    [EMUHV_EXIT_GPA] = "gpa",
    [EMUHV_EXIT_IO] = "io",
    [EMUHV_EXIT_MSR] = "msr",
    [EMUHV_EXIT_CPUID] = "cpuid",
    [EMUHV_EXIT_EXCEPTION] = "exception",
    [EMUHV_EXIT_HYPERCALL] = "hypercall",
    [EMUHV_EXIT_HALT] = "halt",
    [EMUHV_EXIT_TRIPLE_FAULT] = "triple-fault",
    [EMUHV_EXIT_DELIVERABLE] = "deliverable",
    [EMUHV_EXIT_APIC_EOI] = "apic-eoi",
    [EMUHV_EXIT_OTHER] = "other",
};

void emuhv_report_exits(QDict *d, const uint64_t *exits)
{
    QDict *e = qdict_new();

    for (unsigned i = 0; i < EMUHV_EXIT__MAX; i++) {
        if (exits[i]) {
            qdict_put_int(e, exit_names[i], exits[i]);
        }
    }
    qdict_put(d, "intercepts", e);
}

static QDict *vp_dict(const EmuhvVp *vp)
{
    const EmuhvVpStats *s = &vp->stats;
    QDict *d = qdict_new();

    qdict_put_int(d, "index", vp->index);
    qdict_put_int(d, "dispatches", vp->sched->dispatches);
    qdict_put_int(d, "signals", vp->sched->signals);
    qdict_put_int(d, "resumes", s->resumes);
    qdict_put_int(d, "run-ns", s->run_ns);
    qdict_put_int(d, "hlt", s->hlts);
    qdict_put_int(d, "cpuid", s->cpuid);
    qdict_put_int(d, "msr", s->msr);
    qdict_put_int(d, "msr-eoi", s->msr_kinds[EMUHV_MSR_EOI]);
    qdict_put_int(d, "msr-icr", s->msr_kinds[EMUHV_MSR_ICR]);
    qdict_put_int(d, "msr-timer", s->msr_kinds[EMUHV_MSR_TIMER]);
    qdict_put_int(d, "hypercalls", s->hypercalls);
    qdict_put_int(d, "interrupts", s->interrupts);
    qdict_put_int(d, "stage2-fills", s->stage2_fills);
    emuhv_report_exits(d, s->exits);
    return d;
}

static QDict *partition_dict(EmuhvPartition *p)
{
    static const char *const states[] = {
        "created", "active", "finalized", "deleted",
    };
    const EmuhvAccount *a = p->account;
    QDict *d = qdict_new();
    QList *vps = qlist_new();
    uint64_t pages, no_access;

    qdict_put_int(d, "id", p->id);
    qdict_put_str(d, "state", states[p->state]);
    qdict_put_int(d, "hypercalls", a->hypercalls);
    qdict_put_int(d, "map-calls", a->map_calls);
    qdict_put_int(d, "pages-mapped", a->mapped_pages);
    qdict_put_int(d, "pages-unmapped", a->unmapped_pages);
    qdict_put_int(d, "deposited", a->deposit->len);
    qdict_put_int(d, "deposited-peak", a->peak_deposit);
    qdict_put_int(d, "doorbells", a->doorbells);
    emuhv_stage2_count(p, &pages, &no_access);
    qdict_put_int(d, "gpa-pages", pages);
    qdict_put_int(d, "gpa-pages-no-access", no_access);
    for (unsigned i = 0; i < ARRAY_SIZE(p->vps); i++) {
        if (emuhv_partition_vp(p, i)) {
            qlist_append(vps, vp_dict(p->vps[i]));
        }
    }
    qdict_put(d, "vps", vps);
    return d;
}

void emuhv_report_gone(EmuhvPartition *p)
{
    if (!dead) {
        dead = qlist_new();
    }
    if (qlist_size(dead) == MAX_DEAD) {
        qobject_unref(qlist_pop(dead));
    }
    qlist_append(dead, partition_dict(p));
}

void emuhv_report_partitions(QDict *d)
{
    QList *live = qlist_new();
    EmuhvPartition *p;

    QLIST_FOREACH(p, &emuhv_partitions.list, next) {
        qlist_append(live, partition_dict(p));
    }
    qdict_put_int(d, "partitions", emuhv_partitions.n);
    qdict_put(d, "live-partitions", live);
    qdict_put(d, "past-partitions", dead ? qlist_copy(dead) : qlist_new());
}
