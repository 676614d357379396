/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A partition's life and properties. */
#include <unistd.h>
#include "vm.h"

static int create_vp(int fd, uint32_t index)
{
    struct mshv_create_vp args = { index };

    return ioctl(fd, MSHV_CREATE_VP, &args);
}

int main(void)
{
    uint64_t value = 0;
    int dev = open_dev();
    int fd = new_partition(dev, LAPIC_FLAGS);
    int vp;

    refuses(ioctl(fd, 0xdead), ENOTTY, "an unknown ioctl is refused");
    refuses(create_vp(fd, 0), EIO, "no VP before the partition is initialized");
    is_u64(set_property(fd, PROP_SYNTHETIC_FEATURES, 0), ST_SUCCESS,
           "an early property can be set");
    is_u64(set_property(fd, PROP_SYNTHETIC_FEATURES, ~0ull), ST_SUCCESS,
           "all features can be asked for");
    is_u64(get_property(fd, PROP_SYNTHETIC_FEATURES, &value), ST_SUCCESS,
           "what was given can be read");
    is_u64(value & 1ull << 32, 0, "nothing that the hypervisor does not do");
    is_u64(get_property(fd, 0x7fffffff, &value), ST_UNKNOWN_PROPERTY,
           "an unknown property is unknown");
    is_u64(set_property(fd, 0x7fffffff, 0), ST_UNKNOWN_PROPERTY,
           "an unknown property cannot be set");
    works(ioctl(fd, MSHV_INITIALIZE_PARTITION), "the partition initializes");
    works(ioctl(fd, MSHV_INITIALIZE_PARTITION),
          "to initialize it again changes nothing");
    ok(set_property(fd, PROP_SYNTHETIC_FEATURES, 0) != ST_SUCCESS,
       "an early property cannot be set any more");
    is_u64(get_property(fd, PROP_VENDOR, &value), ST_SUCCESS,
           "the vendor can be read");
    is_u64(get_property(fd, PROP_MAX_XSAVE_SIZE, &value), ST_SUCCESS,
           "the size of the XSAVE state can be read");
    ok(value >= 576, "it is at least 576 bytes (%llu)",
       (unsigned long long)value);
    is_u64(set_property(fd, PROP_TIME_FREEZE, 1), ST_SUCCESS,
           "time can be frozen");
    is_u64(set_property(fd, PROP_REFERENCE_TIME, 1000), ST_SUCCESS,
           "frozen time can be set");
    is_u64(get_property(fd, PROP_REFERENCE_TIME, &value), ST_SUCCESS,
           "time can be read");
    is_u64(value, 1000, "frozen time stands still");
    is_u64(set_property(fd, PROP_TIME_FREEZE, 0), ST_SUCCESS,
           "time can go on");
    is_u64(set_property(fd, PROP_REFERENCE_TIME, 1000),
           ST_INVALID_PARTITION_STATE, "time that runs cannot be set");
    refuses(create_vp(fd, 256), EINVAL, "VP 256 is refused");
    refuses(ioctl(fd, MSHV_CREATE_VP, NULL), EFAULT,
            "a VP from nowhere is refused");
    vp = create_vp(fd, 0);
    works(vp, "VP 0");
    refuses(create_vp(fd, 0), EEXIST, "a second VP 0 is refused");
    works(create_vp(fd, 15), "VP 15 without those between");
    close(fd);
    /* The VP's descriptor keeps the partition. */
    refuses(ioctl(vp, 0xdead), ENOTTY,
            "a VP takes ioctls after the partition's descriptor is closed");
    return done();
}
