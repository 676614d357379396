/*
 * The ioctls of /dev/mshv (Linux, drivers/hv/mshv_root_main.c).
 *
 * Three kinds of descriptor: the device, a partition (CREATE_PARTITION), a
 * VP (CREATE_VP). Each answers ENOTTY to what it does not know. Facts are
 * those of include/uapi/linux/mshv.h of Linux 7.2; build machines rarely have
 * one as new as that. Do not include both.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_UAPI_H
#define MSHV_UAPI_H

#include <stdint.h>
#include <sys/ioctl.h>

#include "mshv/hvabi-base.h"

#define MSHV_IOCTL                      0xB8
#define MSHV_HV_PAGE_SIZE               0x1000

/*
 * Device: CREATE_PARTITION gives a partition descriptor.
 *
 * The request number is that of the first version of the structure. With bit
 * CPU_AND_XSAVE_FEATURES in pt_flags the kernel reads the second version,
 * which begins alike.
 */
#define MSHV_PT_BIT_LAPIC                       0
#define MSHV_PT_BIT_X2APIC                      1
#define MSHV_PT_BIT_GPA_SUPER_PAGES             2
#define MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES      3
#define MSHV_PT_BIT_NESTED_VIRTUALIZATION       4
#define MSHV_PT_BIT_SMT_ENABLED_GUEST           5
#define MSHV_PT_BIT_COUNT                       6

#define MSHV_PT_ISOLATION_NONE                  0

struct mshv_create_partition {
    uint64_t pt_flags;                  /* 1 << MSHV_PT_BIT_* */
    uint64_t pt_isolation;              /* MSHV_PT_ISOLATION_* */
};
HV_ASSERT_SIZE(struct mshv_create_partition, 16);
HV_ASSERT_AT(struct mshv_create_partition, pt_flags, 0);
HV_ASSERT_AT(struct mshv_create_partition, pt_isolation, 8);

#define MSHV_NUM_CPU_FEATURES_BANKS             2

struct mshv_create_partition_v2 {
    uint64_t pt_flags;
    uint64_t pt_isolation;
    uint16_t pt_num_cpu_fbanks;         /* MSHV_NUM_CPU_FEATURES_BANKS */
    uint8_t pt_rsvd[6];
    /* Features that the guest shall not have; see enum hv_processor_feature */
    uint64_t pt_cpu_fbanks[MSHV_NUM_CPU_FEATURES_BANKS];
    uint64_t pt_rsvd1[2];
    uint64_t pt_disabled_xsave;         /* HV_XSAVE_FEATURE_* */
};
HV_ASSERT_SIZE(struct mshv_create_partition_v2, 64);
HV_ASSERT_AT(struct mshv_create_partition_v2, pt_flags, 0);
HV_ASSERT_AT(struct mshv_create_partition_v2, pt_isolation, 8);
HV_ASSERT_AT(struct mshv_create_partition_v2, pt_num_cpu_fbanks, 16);
HV_ASSERT_AT(struct mshv_create_partition_v2, pt_rsvd, 18);
HV_ASSERT_AT(struct mshv_create_partition_v2, pt_cpu_fbanks, 24);
HV_ASSERT_AT(struct mshv_create_partition_v2, pt_rsvd1, 40);
HV_ASSERT_AT(struct mshv_create_partition_v2, pt_disabled_xsave, 56);

#define MSHV_CREATE_PARTITION \
    _IOW(MSHV_IOCTL, 0x00, struct mshv_create_partition)

/*
 * MSHV_CHECK_EXTENSION is of the VTL driver: Linux 7.2 answers ENOTTY on the
 * device of the root driver. Others that have a /dev/mshv may answer.
 */
#define MSHV_CHECK_EXTENSION            _IOW(MSHV_IOCTL, 0x00, uint32_t)
#define MSHV_CAP_CORE_API_STABLE        0x0
#define MSHV_CAP_REGISTER_PAGE          0x1
#define MSHV_CAP_VTL_RETURN_ACTION      0x2
#define MSHV_CAP_DR6_SHARED             0x3

/*
 * Device, partition and VP: ROOT_HVCALL makes one of the hypercalls that the
 * kernel lets through. The first 8 bytes of the input are replaced by the
 * partition id that belongs to the descriptor (SELF on the device).
 */
struct mshv_root_hvcall {
    uint16_t code;                      /* HVCALL_* */
    uint16_t reps;                      /* in: count; out: reps done */
    uint16_t in_sz;                     /* bytes, at most a page */
    uint16_t out_sz;                    /* bytes, at most a page */
    uint16_t status;                    /* out: HV_STATUS_* */
    uint8_t rsvd[6];
    uint64_t in_ptr;
    uint64_t out_ptr;
};
HV_ASSERT_SIZE(struct mshv_root_hvcall, 32);
HV_ASSERT_AT(struct mshv_root_hvcall, code, 0);
HV_ASSERT_AT(struct mshv_root_hvcall, reps, 2);
HV_ASSERT_AT(struct mshv_root_hvcall, in_sz, 4);
HV_ASSERT_AT(struct mshv_root_hvcall, out_sz, 6);
HV_ASSERT_AT(struct mshv_root_hvcall, status, 8);
HV_ASSERT_AT(struct mshv_root_hvcall, rsvd, 10);
HV_ASSERT_AT(struct mshv_root_hvcall, in_ptr, 16);
HV_ASSERT_AT(struct mshv_root_hvcall, out_ptr, 24);

#define MSHV_ROOT_HVCALL \
    _IOWR(MSHV_IOCTL, 0x07, struct mshv_root_hvcall)

/* Partition */
#define MSHV_INITIALIZE_PARTITION       _IO(MSHV_IOCTL, 0x00)

struct mshv_create_vp {
    uint32_t vp_index;
};
HV_ASSERT_SIZE(struct mshv_create_vp, 4);
HV_ASSERT_AT(struct mshv_create_vp, vp_index, 0);

#define MSHV_CREATE_VP \
    _IOW(MSHV_IOCTL, 0x01, struct mshv_create_vp)

#define MSHV_SET_MEM_BIT_WRITABLE               0
#define MSHV_SET_MEM_BIT_EXECUTABLE             1
#define MSHV_SET_MEM_BIT_UNMAP                  2
#define MSHV_SET_MEM_BIT_COUNT                  3

/* Regions may not overlap; UNMAP takes a region as it was mapped. */
struct mshv_user_mem_region {
    uint64_t size;                      /* bytes, whole pages */
    uint64_t guest_pfn;
    uint64_t userspace_addr;            /* page aligned */
    uint8_t flags;                      /* 1 << MSHV_SET_MEM_BIT_* */
    uint8_t rsvd[7];
};
HV_ASSERT_SIZE(struct mshv_user_mem_region, 32);
HV_ASSERT_AT(struct mshv_user_mem_region, size, 0);
HV_ASSERT_AT(struct mshv_user_mem_region, guest_pfn, 8);
HV_ASSERT_AT(struct mshv_user_mem_region, userspace_addr, 16);
HV_ASSERT_AT(struct mshv_user_mem_region, flags, 24);
HV_ASSERT_AT(struct mshv_user_mem_region, rsvd, 25);

#define MSHV_SET_GUEST_MEMORY \
    _IOW(MSHV_IOCTL, 0x02, struct mshv_user_mem_region)

#define MSHV_IRQFD_BIT_DEASSIGN                 0
#define MSHV_IRQFD_BIT_RESAMPLE                 1
#define MSHV_IRQFD_BIT_COUNT                    2

struct mshv_user_irqfd {
    int32_t fd;
    int32_t resamplefd;
    uint32_t gsi;
    uint32_t flags;                     /* 1 << MSHV_IRQFD_BIT_* */
};
HV_ASSERT_SIZE(struct mshv_user_irqfd, 16);
HV_ASSERT_AT(struct mshv_user_irqfd, fd, 0);
HV_ASSERT_AT(struct mshv_user_irqfd, resamplefd, 4);
HV_ASSERT_AT(struct mshv_user_irqfd, gsi, 8);
HV_ASSERT_AT(struct mshv_user_irqfd, flags, 12);

#define MSHV_IRQFD \
    _IOW(MSHV_IOCTL, 0x03, struct mshv_user_irqfd)

#define MSHV_IOEVENTFD_BIT_DATAMATCH            0
#define MSHV_IOEVENTFD_BIT_PIO                  1
#define MSHV_IOEVENTFD_BIT_DEASSIGN             2
#define MSHV_IOEVENTFD_BIT_COUNT                3

struct mshv_user_ioeventfd {
    uint64_t datamatch;
    uint64_t addr;
    uint32_t len;                       /* 1, 2, 4 or 8 bytes; 0: any */
    int32_t fd;
    uint32_t flags;                     /* 1 << MSHV_IOEVENTFD_BIT_* */
    uint8_t rsvd[4];
};
HV_ASSERT_SIZE(struct mshv_user_ioeventfd, 32);
HV_ASSERT_AT(struct mshv_user_ioeventfd, datamatch, 0);
HV_ASSERT_AT(struct mshv_user_ioeventfd, addr, 8);
HV_ASSERT_AT(struct mshv_user_ioeventfd, len, 16);
HV_ASSERT_AT(struct mshv_user_ioeventfd, fd, 20);
HV_ASSERT_AT(struct mshv_user_ioeventfd, flags, 24);
HV_ASSERT_AT(struct mshv_user_ioeventfd, rsvd, 28);

#define MSHV_IOEVENTFD \
    _IOW(MSHV_IOCTL, 0x04, struct mshv_user_ioeventfd)

struct mshv_user_irq_entry {
    uint32_t gsi;
    uint32_t address_lo;
    uint32_t address_hi;
    uint32_t data;
};
HV_ASSERT_SIZE(struct mshv_user_irq_entry, 16);
HV_ASSERT_AT(struct mshv_user_irq_entry, gsi, 0);
HV_ASSERT_AT(struct mshv_user_irq_entry, address_lo, 4);
HV_ASSERT_AT(struct mshv_user_irq_entry, address_hi, 8);
HV_ASSERT_AT(struct mshv_user_irq_entry, data, 12);

/* Replaces the whole table of routes. */
struct mshv_user_irq_table {
    uint32_t nr;
    uint32_t rsvd;
    struct mshv_user_irq_entry entries[];
};
HV_ASSERT_SIZE(struct mshv_user_irq_table, 8);
HV_ASSERT_AT(struct mshv_user_irq_table, nr, 0);
HV_ASSERT_AT(struct mshv_user_irq_table, rsvd, 4);
HV_ASSERT_AT(struct mshv_user_irq_table, entries, 8);

#define MSHV_SET_MSI_ROUTING \
    _IOW(MSHV_IOCTL, 0x05, struct mshv_user_irq_table)

/* access_type */
#define MSHV_GPAP_ACCESS_TYPE_ACCESSED          0
#define MSHV_GPAP_ACCESS_TYPE_DIRTY             1
/* access_op: done after the state was read */
#define MSHV_GPAP_ACCESS_OP_NOOP                0
#define MSHV_GPAP_ACCESS_OP_CLEAR               1
#define MSHV_GPAP_ACCESS_OP_SET                 2

struct mshv_gpap_access_bitmap {
    uint8_t access_type;
    uint8_t access_op;
    uint8_t rsvd[6];
    uint64_t page_count;
    uint64_t gpap_base;                 /* GFN */
    uint64_t bitmap_ptr;                /* one bit a page */
};
HV_ASSERT_SIZE(struct mshv_gpap_access_bitmap, 32);
HV_ASSERT_AT(struct mshv_gpap_access_bitmap, access_type, 0);
HV_ASSERT_AT(struct mshv_gpap_access_bitmap, access_op, 1);
HV_ASSERT_AT(struct mshv_gpap_access_bitmap, rsvd, 2);
HV_ASSERT_AT(struct mshv_gpap_access_bitmap, page_count, 8);
HV_ASSERT_AT(struct mshv_gpap_access_bitmap, gpap_base, 16);
HV_ASSERT_AT(struct mshv_gpap_access_bitmap, bitmap_ptr, 24);

#define MSHV_GET_GPAP_ACCESS_BITMAP \
    _IOWR(MSHV_IOCTL, 0x06, struct mshv_gpap_access_bitmap)

/* VP */
#define MSHV_RUN_VP_BUF_SZ                      256

struct mshv_run_vp {
    uint8_t msg_buf[MSHV_RUN_VP_BUF_SZ];    /* struct hv_message */
};
HV_ASSERT_SIZE(struct mshv_run_vp, 256);
HV_ASSERT_AT(struct mshv_run_vp, msg_buf, 0);

#define MSHV_RUN_VP \
    _IOR(MSHV_IOCTL, 0x00, struct mshv_run_vp)

#define MSHV_VP_STATE_LAPIC             0
#define MSHV_VP_STATE_XSAVE             1
#define MSHV_VP_STATE_SIMP              2
#define MSHV_VP_STATE_SIEFP             3
#define MSHV_VP_STATE_SYNTHETIC_TIMERS  4
#define MSHV_VP_STATE_COUNT             5

struct mshv_get_set_vp_state {
    uint8_t type;                       /* MSHV_VP_STATE_* */
    uint8_t rsvd[3];
    uint32_t buf_sz;                    /* bytes, whole pages; out: needed */
    uint64_t buf_ptr;                   /* page aligned */
};
HV_ASSERT_SIZE(struct mshv_get_set_vp_state, 16);
HV_ASSERT_AT(struct mshv_get_set_vp_state, type, 0);
HV_ASSERT_AT(struct mshv_get_set_vp_state, rsvd, 1);
HV_ASSERT_AT(struct mshv_get_set_vp_state, buf_sz, 4);
HV_ASSERT_AT(struct mshv_get_set_vp_state, buf_ptr, 8);

#define MSHV_GET_VP_STATE \
    _IOWR(MSHV_IOCTL, 0x01, struct mshv_get_set_vp_state)
#define MSHV_SET_VP_STATE \
    _IOWR(MSHV_IOCTL, 0x02, struct mshv_get_set_vp_state)

/* mmap of a VP descriptor: which page, in units of the system's page size */
#define MSHV_VP_MMAP_OFFSET_REGISTERS           0
#define MSHV_VP_MMAP_OFFSET_INTERCEPT_MESSAGE   1
#define MSHV_VP_MMAP_OFFSET_GHCB                2
#define MSHV_VP_MMAP_OFFSET_COUNT               3

#endif
