/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: its counters, which say what a real hypervisor
 * would have to do, as JSON.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qstring.h"
#include "hw/emuhv/hcall/hcall-int.h"

static void call_name(char *buf, size_t size, uint16_t code)
{
    const char *name = emuhv_hcall_name(code);

    if (name) {
        pstrcpy(buf, size, name);
    } else {
        snprintf(buf, size, "0x%04x", code);
    }
}

/* @table has numbers of a call, or of a call << 16 and a status. */
static QDict *calls_dict(GHashTable *table, bool status)
{
    QDict *d = qdict_new();
    GHashTableIter it;
    gpointer key, val;
    char name[64], full[96];

    if (!table) {
        return d;
    }
    g_hash_table_iter_init(&it, table);
    while (g_hash_table_iter_next(&it, &key, &val)) {
        uint32_t n = GPOINTER_TO_UINT(key);

        call_name(name, sizeof(name), status ? n >> 16 : n);
        if (status) {
            snprintf(full, sizeof(full), "%s:0x%x", name, n & 0xffff);
        }
        qdict_put_int(d, status ? full : name, *(uint64_t *)val);
    }
    return d;
}

char *emuhv_report_json(void)
{
    g_autoptr(QDict) d = qdict_new();
    g_autoptr(GString) text = NULL;

    qdict_put_str(d, "scheduler", emuhv_options.scheduler == EMUHV_SCHED_ROOT
                                  ? "root" : "core");
    qdict_put(d, "hypercalls", calls_dict(emuhv_counters.calls, false));
    qdict_put(d, "hypercall-errors",
              calls_dict(emuhv_counters.call_errors, true));
    emuhv_report_exits(d, emuhv_counters.exits);
    qdict_put_int(d, "dispatches", emuhv_counters.dispatches);
    qdict_put_int(d, "signals", emuhv_counters.signals);
    qdict_put_int(d, "messages", emuhv_counters.messages);
    qdict_put_int(d, "parent-interrupts", emuhv_counters.interrupts);
    qdict_put_int(d, "doorbells", emuhv_counters.doorbells);
    qdict_put_int(d, "pages-mapped", emuhv_counters.pages_mapped);
    qdict_put_int(d, "partitions-created", emuhv_counters.partitions_created);
    qdict_put_int(d, "vps-created", emuhv_counters.vps_created);
    qdict_put_int(d, "vps-free", emuhv_pool_free());
    qdict_put_int(d, "illegal-transitions", emuhv_counters.illegal_runs);
    qdict_put_int(d, "pages-deposited", emuhv_deposited());
    qdict_put_int(d, "deposits-touched", emuhv_taken_touched());
    emuhv_report_partitions(d);
    text = qobject_to_json_pretty(QOBJECT(d), true);
    return g_strdup(text->str);
}
