/*
 * A memfd of counters as QEMU makes it, for tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "mshv/hvabi-msgs.h"
#include "page.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static void fill_vp(MshvVpCounters *vp, uint64_t n)
{
    vp->created = 1;
    vp->kicks = 3 * n;
    vp->exits[0].type = HVMSG_X64_IO_PORT_INTERCEPT;
    vp->exits[0].count = 100 * n;
    vp->exits[1].type = HVMSG_X64_HALT;
    vp->exits[1].count = 10 * n;
    vp->exits[2].type = 0x12345;
    vp->exits[2].count = n;
    vp->exits[15].count = 7 * n;
}

void page_fill(MshvCounters *page, const char *name)
{
    memset(page, 0, sizeof(*page));
    page->header = (MshvCountersHeader) {
        .magic = MSHV_COUNTERS_MAGIC,
        .version = MSHV_COUNTERS_VERSION,
        .size = sizeof(*page),
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
    snprintf(page->vm.name, sizeof(page->vm.name), "%s", name);
    memset(page->vm.uuid, 0xab, sizeof(page->vm.uuid));
    page->vm.flags = MSHV_VM_FLAG_UUID;
    page->vm.state = MSHV_VM_RUNNING;
    page->vm.start_time = 1000000000;
    page->vm.first_exit_time = 1250000000;
    page->vm.first_interrupt_time = 4000000000;
    page->vm.memory_regions = 7;
    page->vm.memory_bytes = 1 << 30;
    page->vm.pic_interrupts = 11;
    page->vm.irqfds = 4;
    page->vm.passthrough_devices = 1;
    page->vm.vps = 2;
    page->calls[MSHV_CALL_SET_GUEST_MEMORY].made = 20;
    page->calls[MSHV_CALL_SET_GUEST_MEMORY].failed = 2;
    page->calls[MSHV_CALL_ASSERT_VIRTUAL_INTERRUPT].made = 500;
    page->calls[MSHV_CALL_RUN_VP].failed = 5;
    page->vm.refused[MSHV_REFUSED_MSI] = 3;
    page->vm.other_msrs = 9;
    page->msrs[0] = (MshvMsrCounters) { .number = 0x8b, .count = 4 };
    page->msrs[1] = (MshvMsrCounters) { .number = 0x1234, .count = 6 };
    fill_vp(&page->vps[0], 1);
    fill_vp(&page->vps[5], 2);
}

int page_memfd(const MshvCounters *page, size_t size, int sealed,
               MshvCounters **mapped)
{
    int fd = memfd_create(MSHV_COUNTERS_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *map = NULL;

    if (fd < 0 || ftruncate(fd, size) < 0) {
        return -1;
    }
    if (size) {
        map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED) {
            close(fd);
            return -1;
        }
        memcpy(map, page, size < sizeof(*page) ? size : sizeof(*page));
    }
    if (sealed) {
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
              F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
    }
    if (mapped) {
        *mapped = map;
    } else if (map) {
        munmap(map, size);
    }
    return fd;
}
