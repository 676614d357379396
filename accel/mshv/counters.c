/*
 * The accelerator's counters, where others can read them: a sealed memfd, which
 * whoever may look at this process finds at /proc/PID/fd. Nobody has to be
 * asked, and nothing is left when the process ends.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qemu/error-report.h"
#include "qemu/cutils.h"
#include "qemu/memfd.h"
#include "qemu/uuid.h"
#include "hw/qdev-core.h"
#include "system/runstate.h"
#include "system/system.h"
#include "counters.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

MshvCounters *mshv_counters;

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec * NANOSECONDS_PER_SECOND + t.tv_nsec;
}

bool mshv_counters_first(uint64_t *time)
{
    return !qatomic_read(time) && !qatomic_cmpxchg(time, 0, now());
}

/* When this process began, in clock ticks since boot: see proc_pid_stat(5). */
static uint64_t start_time(void)
{
    g_autofree char *stat = NULL;
    const char *at = NULL;
    uint64_t ticks;
    int field;

    if (g_file_get_contents("/proc/self/stat", &stat, NULL, NULL)) {
        at = strrchr(stat, ')');
    }
    /* The second field ends there; the 22nd is it. */
    for (field = 2; at && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    if (!at || qemu_strtou64(at + 1, &at, 10, &ticks)) {
        return now();
    }
    return ticks * (NANOSECONDS_PER_SECOND / sysconf(_SC_CLK_TCK));
}

static MshvVmState vm_state(RunState state)
{
    switch (state) {
    case RUN_STATE_PRELAUNCH:
        return MSHV_VM_PRELAUNCH;
    case RUN_STATE_RUNNING:
        return MSHV_VM_RUNNING;
    case RUN_STATE_PAUSED:
    case RUN_STATE_DEBUG:
        return MSHV_VM_PAUSED;
    case RUN_STATE_INMIGRATE:
    case RUN_STATE_POSTMIGRATE:
    case RUN_STATE_FINISH_MIGRATE:
    case RUN_STATE_RESTORE_VM:
    case RUN_STATE_SAVE_VM:
        return MSHV_VM_MIGRATING;
    case RUN_STATE_SUSPENDED:
        return MSHV_VM_SUSPENDED;
    case RUN_STATE_SHUTDOWN:
        return MSHV_VM_SHUTDOWN;
    case RUN_STATE_GUEST_PANICKED:
        return MSHV_VM_GUEST_PANICKED;
    case RUN_STATE_INTERNAL_ERROR:
        return MSHV_VM_INTERNAL_ERROR;
    case RUN_STATE_IO_ERROR:
        return MSHV_VM_IO_ERROR;
    default:
        return MSHV_VM_OTHER;
    }
}

static void state_changed(void *opaque, bool running, RunState state)
{
    qatomic_set(&mshv_counters->vm.state, vm_state(state));
}

static bool is_passed_through(DeviceState *dev)
{
    return object_dynamic_cast(OBJECT(dev), "vfio-pci");
}

static void device_realized(DeviceListener *listener, DeviceState *dev)
{
    if (is_passed_through(dev)) {
        mshv_counters_add(&mshv_counters->vm.passthrough_devices, 1);
    }
}

static void device_unrealized(DeviceListener *listener, DeviceState *dev)
{
    if (is_passed_through(dev)) {
        mshv_counters_add(&mshv_counters->vm.passthrough_devices, -1);
    }
}

static DeviceListener device_listener = {
    .realize = device_realized,
    .unrealize = device_unrealized,
};

static const MshvCountersHeader header = {
    .version = MSHV_COUNTERS_VERSION,
    .size = sizeof(MshvCounters),
    .vm_offset = offsetof(MshvCounters, vm),
    .vm_size = sizeof(MshvVmCounters),
    .call_offset = offsetof(MshvCounters, calls),
    .call_size = sizeof(MshvCallCounters),
    .call_count = MSHV_CALL__MAX,
    .msr_offset = offsetof(MshvCounters, msrs),
    .msr_size = sizeof(MshvMsrCounters),
    .msr_count = MSHV_COUNTERS_MSRS,
    .vp_offset = offsetof(MshvCounters, vps),
    .vp_size = sizeof(MshvVpCounters),
    .vp_count = MSHV_COUNTERS_VPS,
};

/* What does not change. */
static void describe(MshvVmCounters *vm)
{
    pstrcpy(vm->name, sizeof(vm->name), qemu_get_vm_name() ?: "");
    vm->start_time = start_time();
    vm->state = vm_state(runstate_get());
    if (runstate_check(RUN_STATE_INMIGRATE)) {
        vm->flags |= MSHV_VM_FLAG_INCOMING;
    }
    if (qemu_uuid_set) {
        vm->flags |= MSHV_VM_FLAG_UUID;
        memcpy(vm->uuid, qemu_uuid.data, sizeof(vm->uuid));
    }
}

/* A kernel may want to be told that nothing is to be run, or not know it. */
static int create_memfd(void)
{
    int fd = memfd_create(MSHV_COUNTERS_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING |
                          MFD_NOEXEC_SEAL);

    return fd >= 0 || errno != EINVAL ? fd :
           memfd_create(MSHV_COUNTERS_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

/* The descriptor stays open: it is what others look for. */
static MshvCounters *map_memfd(void)
{
    int fd = create_memfd();
    void *page;

    if (fd < 0) {
        return NULL;
    }
    if (ftruncate(fd, sizeof(MshvCounters)) < 0) {
        goto fail;
    }
    page = mmap(NULL, sizeof(MshvCounters), PROT_READ | PROT_WRITE, MAP_SHARED,
                fd, 0);
    if (page == MAP_FAILED) {
        goto fail;
    }
    /* From here on nobody else can write. */
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
              F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
        munmap(page, sizeof(MshvCounters));
        goto fail;
    }
    return page;

fail:
    close(fd);
    return NULL;
}

void mshv_counters_init(void)
{
    mshv_counters = map_memfd();
    if (!mshv_counters) {
        warn_report("mshv: no memfd for the counters: %s; mshv-stat and "
                    "mshv-exporter do not see this VM", strerror(errno));
        mshv_counters = g_new0(MshvCounters, 1);
    }
}

void mshv_counters_publish(void)
{
    mshv_counters->header = header;
    describe(&mshv_counters->vm);
    qatomic_store_release(&mshv_counters->header.magic, MSHV_COUNTERS_MAGIC);
    qemu_add_vm_change_state_handler(state_changed, NULL);
    device_listener_register(&device_listener);
}
