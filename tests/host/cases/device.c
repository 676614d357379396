/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /dev/mshv itself: what it makes, and what it refuses. */
#include <fcntl.h>
#include <unistd.h>
#include "vm.h"

static int create(int dev, uint64_t flags, uint64_t isolation)
{
    struct mshv_create_partition args = { flags, isolation };

    return ioctl(dev, MSHV_CREATE_PARTITION, &args);
}

static int create_v2(int dev, uint16_t banks, uint8_t reserved)
{
    struct mshv_create_partition_v2 args = {
        .pt_flags = LAPIC_FLAGS |
                    1u << MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES,
        .pt_num_cpu_fbanks = banks,
    };

    args.pt_rsvd[5] = reserved;
    return ioctl(dev, MSHV_CREATE_PARTITION, &args);
}

static void test_create(int dev)
{
    int fd;

    refuses(ioctl(dev, 0xdead), ENOTTY, "an unknown ioctl is refused");
    refuses(ioctl(dev, MSHV_CREATE_PARTITION, NULL), EFAULT,
            "a partition from nowhere is refused");
    refuses(create(dev, 1ull << MSHV_PT_BIT_COUNT, 0), EINVAL,
            "an unknown flag is refused");
    refuses(create(dev, 0, MSHV_PT_ISOLATION_NONE + 1), EINVAL,
            "an unknown isolation is refused");
    refuses(create_v2(dev, 1, 0), EINVAL, "one feature bank is refused");
    refuses(create_v2(dev, 2, 1), EINVAL, "reserved bytes must be zero");
    fd = create_v2(dev, MSHV_NUM_CPU_FEATURES_BANKS, 0);
    works(fd, "a partition with feature banks");
    ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "its descriptor is close-on-exec");
    works(close(fd), "it goes without ever being initialized");
    fd = create(dev, LAPIC_FLAGS | 1u << MSHV_PT_BIT_X2APIC, 0);
    works(fd, "a partition with an x2APIC");
    close(fd);
    fd = create(dev, 0, 0);
    works(fd, "a partition without a local APIC");
    close(fd);
}

static int raw(int dev, uint16_t code, uint64_t in, uint16_t in_size,
               uint64_t out, uint16_t out_size, uint16_t status)
{
    struct mshv_root_hvcall args = {
        .code = code, .in_ptr = in, .in_sz = in_size, .out_ptr = out,
        .out_sz = out_size, .status = status,
    };

    return ioctl(dev, MSHV_ROOT_HVCALL, &args);
}

static void test_hypercall(int dev)
{
    uint64_t in[2] = { 0, PROP_FEATURES0 }, out = 0;
    uint64_t i = (uintptr_t)in, o = (uintptr_t)&out;

    works(raw(dev, HC_GET_PROPERTY, i, 16, o, 8, 0),
          "a property of the host can be read");
    ok(out != 0, "the processor has features");
    refuses(raw(dev, HC_GET_PROPERTY, i, 16, o, 8, 1), EINVAL,
            "the status must be zero");
    refuses(raw(dev, HC_GET_PROPERTY, 0, 16, o, 8, 0), EINVAL,
            "there must be an input");
    refuses(raw(dev, HC_GET_PROPERTY, i, 7, o, 8, 0), EINVAL,
            "an input of 7 bytes is refused");
    refuses(raw(dev, HC_GET_PROPERTY, i, 4097, o, 8, 0), EINVAL,
            "an input of more than a page is refused");
    refuses(raw(dev, HC_GET_PROPERTY, i, 16, o, 0, 0), EINVAL,
            "an output of 0 bytes is refused");
    refuses(raw(dev, HC_GET_PROPERTY, i, 16, o, 4097, 0), EINVAL,
            "an output of more than a page is refused");
    refuses(raw(dev, HC_GET_PROPERTY, 8, 16, o, 8, 0), EFAULT,
            "an input at a bad address is refused");
    refuses(raw(dev, HC_GET_PROPERTY, i, 16, 8, 8, 0), EFAULT,
            "an output at a bad address is refused");
    refuses(raw(dev, HC_SET_PROPERTY, i, 16, 0, 0, 0), EINVAL,
            "no property of the host can be written");
    refuses(raw(dev, HC_GET_REGS, i, 16, o, 8, 0), EINVAL,
            "no register of the host can be read");
    refuses(raw(dev, 0x40, i, 16, o, 8, 0), EINVAL,
            "a hypercall outside the list is refused");
    /* Its errno differs: EIO in Linux 7.2, EINVAL in 7.3. */
    is_u64(get_property(dev, 0x7fffffff, &out), ST_UNKNOWN_PROPERTY,
           "an unknown property is refused by the hypervisor");
}

static void test_capabilities(int dev)
{
    struct {
        uint64_t partition;
        uint32_t code, zero;
        uint64_t argument;
    } in = { .code = PROP_VMM_CAPABILITIES };
    struct {
        uint16_t banks, reserved[3];
        uint64_t bits;
    } out = { 0 };

    is_u64(hypercall(dev, HC_GET_PROPERTY_EX, NULL, &in, sizeof(in), &out,
                     sizeof(out)), ST_SUCCESS,
           "the capabilities for VMMs can be read");
    is_u64(out.banks, 1, "they have one bank");
    ok(out.bits & 2, "the parent can provide overlay pages");
}

int main(void)
{
    int dev = open_dev();

    test_create(dev);
    test_hypercall(dev);
    test_capabilities(dev);
    return done();
}
