/*
 * The partition: one a QEMU process.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "arch.h"
#include "ioctl.h"
#include "partition.h"

/* What the first version of MSHV_CREATE_PARTITION knows. */
#define V1_FLAGS ((1 << MSHV_PT_BIT_LAPIC) | (1 << MSHV_PT_BIT_X2APIC) | \
                  (1 << MSHV_PT_BIT_GPA_SUPER_PAGES))

#define PREFIX  "cannot create a partition: "

bool mshv_ignore_msrs;

static int device_fd = -1;
static int partition_fd = -1;

/* What may help when the kernel does not create a partition. */
static const char *remedy(int err)
{
    switch (err) {
    case ENOTTY:
        return "this kernel's mshv driver has another ABI than that of "
               "Linux 6.19 and newer";
    case ENOMEM:
        return "the host has no memory left to give to the hypervisor";
    default:
        return "the host's kernel log says what the hypervisor answered";
    }
}

/*
 * Kernels that do not know the feature banks refuse the flag that announces
 * them (mshv_ioctl_process_pt_flags in mshv_root_main.c).
 */
static int create(struct mshv_create_partition_v2 *args, Error **errp)
{
    int fd = mshv_ioctl(MSHV_CALL_CREATE_PARTITION, device_fd, args, NULL);

    if (fd == -EINVAL && args->pt_flags & ~V1_FLAGS) {
        struct mshv_create_partition v1 = {
            .pt_flags = args->pt_flags & V1_FLAGS,
            .pt_isolation = args->pt_isolation,
        };

        fd = mshv_ioctl(MSHV_CALL_CREATE_PARTITION, device_fd, &v1, NULL);
    }
    if (fd < 0) {
        error_setg(errp, "MSHV_CREATE_PARTITION failed: %s; %s",
                   strerror(-fd), remedy(-fd));
    }
    return fd;
}

int mshv_partition_create(int device, Error **errp)
{
    struct mshv_create_partition_v2 args = { 0 };
    int ret;

    device_fd = device;
    ret = mshv_arch_creation(&args, errp);
    if (!ret) {
        ret = create(&args, errp);
    }
    if (ret < 0) {
        close(device_fd);
        device_fd = -1;
        error_prepend(errp, PREFIX);
        return ret;
    }
    partition_fd = ret;
    return 0;
}

int mshv_partition_initialize(Error **errp)
{
    int ret = mshv_arch_partition_early(errp);

    if (!ret) {
        ret = mshv_ioctl(MSHV_CALL_INITIALIZE_PARTITION, partition_fd, NULL,
                         errp);
    }
    if (!ret) {
        ret = mshv_arch_partition_late(errp);
    }
    if (ret < 0) {
        error_prepend(errp, PREFIX);
    }
    return ret;
}

int mshv_partition_fd(void)
{
    return partition_fd;
}

int mshv_partition_create_vp(uint32_t index, Error **errp)
{
    struct mshv_create_vp args = { .vp_index = index };

    return mshv_ioctl(MSHV_CALL_CREATE_VP, partition_fd, &args, errp);
}

int mshv_pt_hvcall(uint16_t code, uint16_t reps, const void *in,
                   size_t in_size, void *out, size_t out_size,
                   uint16_t *done, Error **errp)
{
    return mshv_hvcall(partition_fd, code, reps, in, in_size, out, out_size,
                       done, errp);
}

static int get_property(int fd, uint32_t code, uint64_t *value, Error **errp)
{
    struct hv_input_get_partition_property in = { .property_code = code };
    struct hv_output_get_partition_property out = { 0 };
    int ret = mshv_hvcall(fd, HVCALL_GET_PARTITION_PROPERTY, 0, &in,
                          sizeof(in), &out, sizeof(out), NULL, errp);

    if (ret < 0) {
        error_prepend(errp, "partition property 0x%x: ", code);
        return ret;
    }
    *value = out.property_value;
    return 0;
}

int mshv_get_property(uint32_t code, uint64_t *value, Error **errp)
{
    return get_property(partition_fd, code, value, errp);
}

int mshv_host_property(uint32_t code, uint64_t *value, Error **errp)
{
    return get_property(device_fd, code, value, errp);
}

int mshv_host_property_ex(uint32_t code, uint64_t arg, void *out, size_t size,
                          Error **errp)
{
    struct hv_input_get_partition_property_ex in = {
        .property_code = code,
        .arg = arg,
    };
    int ret = mshv_hvcall(device_fd, HVCALL_GET_PARTITION_PROPERTY_EX, 0, &in,
                          sizeof(in), out, size, NULL, errp);

    if (ret < 0) {
        error_prepend(errp, "partition property 0x%x: ", code);
    }
    return ret;
}

int mshv_set_property(uint32_t code, uint64_t value, Error **errp)
{
    struct hv_input_set_partition_property in = {
        .property_code = code,
        .property_value = value,
    };
    int ret = mshv_pt_hvcall(HVCALL_SET_PARTITION_PROPERTY, 0, &in,
                             sizeof(in), NULL, 0, NULL, errp);

    if (ret < 0) {
        error_prepend(errp, "partition property 0x%x = 0x%" PRIx64 ": ",
                      code, value);
    }
    return ret;
}
