/*
 * The accelerator as QEMU knows it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/accel.h"
#include "qemu/config-file.h"
#include "qemu/option.h"
#include "mshv/mshv.h"
#include "device.h"

#define TYPE_MSHV_ACCEL ACCEL_CLASS_NAME("mshv")

bool mshv_allowed;

/* Whether @opts, of the list "accel", is the last one that QEMU will try. */
static int note_last_accel(void *opaque, QemuOpts *opts, Error **errp)
{
    const char **last = opaque;

    *last = qemu_opt_get(opts, "accel");
    return 0;
}

/* A user who named another accelerator after this one wants no complaint. */
static bool another_one_follows(void)
{
    const char *last = NULL;

    qemu_opts_foreach(qemu_find_opts("accel"), note_last_accel, &last, NULL);
    return last && !g_str_equal(last, "mshv");
}

static int mshv_init_machine(MachineState *ms)
{
    Error *err = NULL;
    int fd = mshv_device_open(MSHV_DEVICE_PATH, &err);

    if (fd >= 0) {
        close(fd);
        error_setg(&err, "mshv: this build cannot run guests yet");
        fd = -ENOSYS;
    }
    if (another_one_follows()) {
        error_free(err);
    } else {
        error_report_err(err);
    }
    return fd;
}

static void mshv_accel_class_init(ObjectClass *oc, void *data)
{
    AccelClass *ac = ACCEL_CLASS(oc);

    ac->name = "mshv";
    ac->init_machine = mshv_init_machine;
    ac->reports_init_error = true;
    ac->allowed = &mshv_allowed;
}

static const TypeInfo mshv_accel_type = {
    .name = TYPE_MSHV_ACCEL,
    .parent = TYPE_ACCEL,
    .class_init = mshv_accel_class_init,
};

static void mshv_accel_register(void)
{
    type_register_static(&mshv_accel_type);
}
type_init(mshv_accel_register);
