/*
 * The device node of the Microsoft hypervisor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "device.h"
#include "ioctl.h"

static const char *open_remedy(int err)
{
    switch (err) {
    case ENOENT:
        return "load the kernel module mshv_root (Linux 6.19 or newer, in a "
               "partition of the Microsoft hypervisor that may create others)";
    case EACCES:
    case EPERM:
        return "give this user access, for example by the udev rule "
               "KERNEL==\"mshv\", GROUP=\"kvm\", MODE=\"0660\"";
    case EISDIR:
        return "it is a directory; give the path of the device node in it";
    case EBUSY:
        return "another program holds it alone";
    case ENXIO:
    case ENODEV:
        return "the node is there, but the kernel module mshv_root is not "
               "loaded or found no hypervisor";
    default:
        return "see the kernel's log";
    }
}

/*
 * The kernel refuses this, with EINVAL, before it makes any hypercall: no
 * input is too small for any (mshv_ioctl_passthru_hvcall in
 * mshv_root_main.c). A driver with another ABI does not know the ioctl.
 */
static bool speaks_mainline_abi(int fd)
{
    return mshv_hvcall(fd, 0, 0, NULL, 0, NULL, 0, NULL, NULL) == -EINVAL;
}

/* It knows how to create partitions, which fails here, but no hypercalls. */
static bool is_of_6_18(int fd)
{
    return mshv_ioctl(MSHV_CALL_CREATE_PARTITION, fd, NULL, NULL) == -EFAULT;
}

static void set_abi_error(const char *path, int fd, Error **errp)
{
    if (is_of_6_18(fd)) {
        error_setg(errp, "%s is of Linux 6.18, whose driver neither passes on "
                   "hypercalls of the device nor maps memory at two addresses: "
                   "Linux 6.19 or newer is needed", path);
    } else {
        error_setg(errp, "%s does not speak the ABI of Linux 6.19 or newer: "
                   "this kernel's mshv driver is older or a different one",
                   path);
    }
}

int mshv_device_open(const char *path, Error **errp)
{
    int fd = qemu_open_old(path, O_RDWR | O_CLOEXEC);
    int err = errno;
    struct stat st;

    if (fd < 0) {
        error_setg(errp, "cannot open %s: %s: %s", path, strerror(err),
                   open_remedy(err));
        return -err;
    }
    if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode)) {
        error_setg(errp, "%s is not a device node: see the property device= "
                   "of -accel mshv", path);
        close(fd);
        return -ENODEV;
    }
    if (!speaks_mainline_abi(fd)) {
        set_abi_error(path, fd, errp);
        close(fd);
        return -ENOTTY;
    }
    return fd;
}
