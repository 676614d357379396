/*
 * QMP query-accelerators.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/accel.h"
#include "qapi/error.h"
#include "qapi/util.h"
#include "qapi/qapi-commands-machine-target.h"

AcceleratorInfo *qmp_query_accelerators(Error **errp)
{
    g_autofree char *enabled = NULL;
    const char *type = object_get_typename(OBJECT(current_accel()));
    AcceleratorInfo *info;
    AcceleratorList **tail;
    int number;

    /* The type's name is the accelerator's with a suffix. */
    enabled = g_strndup(type, strlen(type) - strlen(ACCEL_CLASS_SUFFIX));
    number = qapi_enum_parse(&Accelerator_lookup, enabled, -1, errp);
    if (number < 0) {
        return NULL;
    }
    info = g_new0(AcceleratorInfo, 1);
    info->enabled = number;
    tail = &info->present;
    for (number = 0; number < ACCELERATOR__MAX; number++) {
        if (accel_find(Accelerator_str(number))) {
            QAPI_LIST_APPEND(tail, number);
        }
    }
    return info;
}
