/*
 * The device node of the Microsoft hypervisor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include <sys/ioctl.h>
#include "device.h"

/* MSHV_ROOT_HVCALL of linux/mshv.h: _IOWR(0xB8, 0x07, 32-byte structure) */
struct mshv_root_hvcall_probe {
    uint16_t code;
    uint16_t reps;
    uint32_t in_size;
    uint64_t in_ptr;
    uint32_t out_size;
    uint32_t reserved;
    uint64_t out_ptr;
};
#define MSHV_ROOT_HVCALL_PROBE _IOWR(0xB8, 0x07, struct mshv_root_hvcall_probe)

static const char *open_remedy(int err)
{
    switch (err) {
    case ENOENT:
        return "load the kernel module mshv_root (Linux 6.18 or newer, in a "
               "partition of the Microsoft hypervisor that may create others)";
    case EACCES:
    case EPERM:
        return "give this user access, for example by the udev rule "
               "KERNEL==\"mshv\", GROUP=\"kvm\", MODE=\"0660\"";
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
 * No size is valid for this call with no code, so a driver that knows it
 * answers EINVAL and does nothing (mshv_ioctl_passthru_hvcall).
 */
static bool speaks_mainline_abi(int fd)
{
    struct mshv_root_hvcall_probe probe = { 0 };

    return ioctl(fd, MSHV_ROOT_HVCALL_PROBE, &probe) < 0 && errno == EINVAL;
}

int mshv_device_open(const char *path, Error **errp)
{
    int fd = qemu_open_old(path, O_RDWR | O_CLOEXEC);
    int err = errno;

    if (fd < 0) {
        error_setg(errp, "cannot open %s: %s: %s", path, strerror(err),
                   open_remedy(err));
        return -err;
    }
    if (!speaks_mainline_abi(fd)) {
        error_setg(errp, "%s does not speak the ABI of Linux 6.18 or newer: "
                   "this kernel's mshv driver is older or a different one",
                   path);
        close(fd);
        return -ENOTTY;
    }
    return fd;
}
