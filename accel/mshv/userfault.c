/*
 * Migration that holds back the guest's accesses to a page, by userfaultfd.
 *
 * The kernel does not wait for a page then, but lets the guest's access fail:
 * and it brings in 2 MiB at a time, of which each page would have to be there
 * (mshv_region_handle_gfn_fault() of Linux 7.2). The guest would stop, half on
 * either side, so it is refused before it begins.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/notify.h"
#include "migration/misc.h"
#include "migration/options.h"
#include "migration/postcopy-ram.h"
#include "userfault.h"

static int refuse(const char *what, Error **errp)
{
    error_setg(errp, "mshv: %s is not possible: the kernel does not let a "
               "guest wait for a page of its memory", what);
    return -ENOTSUP;
}

/* At the target, where postcopy takes place */
static int postcopy_asked(NotifierWithReturn *n, void *opaque, Error **errp)
{
    struct PostcopyNotifyData *data = opaque;

    return data->reason == POSTCOPY_NOTIFY_PROBE ? refuse("postcopy", errp)
                                                 : 0;
}

static int migration_begins(NotifierWithReturn *n, MigrationEvent *event,
                            Error **errp)
{
    return event->type == MIG_EVENT_PRECOPY_SETUP &&
           migrate_background_snapshot()
           ? refuse("a background snapshot", errp) : 0;
}

void mshv_userfault_init(void)
{
    static NotifierWithReturn postcopy = { .notify = postcopy_asked };
    static NotifierWithReturn migration;

    postcopy_add_notifier(&postcopy);
    migration_add_notifier(&migration, migration_begins);
}
