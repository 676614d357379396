/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the parent's memory.
 */
#include "qemu/osdep.h"
#include "mshv-compat/memory.h"
#include "hw/emuhv/base/base.h"

/* Length of the RAM at @gpa, @len at most; 0: not RAM. */
static hwaddr ram_run(hwaddr gpa, hwaddr len, bool is_write)
{
    hwaddr xlat, run = len;
    MemoryRegion *mr;

    mr = address_space_translate(&address_space_memory, gpa, &xlat, &run,
                                 is_write, MEMTXATTRS_UNSPECIFIED);
    if (!memory_region_is_ram(mr) || memory_region_is_ram_device(mr) ||
        (is_write && memory_region_is_rom(mr))) {
        return 0;
    }
    return run;
}

static bool ram_rw(hwaddr gpa, void *buf, size_t len, bool is_write)
{
    uint8_t *p = buf;

    RCU_READ_LOCK_GUARD();
    while (len) {
        hwaddr run = gpa + len < gpa ? 0 : ram_run(gpa, len, is_write);

        if (!run || address_space_rw(&address_space_memory, gpa,
                                     MEMTXATTRS_UNSPECIFIED, p, run,
                                     is_write) != MEMTX_OK) {
            return false;
        }
        gpa += run;
        p += run;
        len -= run;
    }
    return true;
}

bool emuhv_ram_read(hwaddr gpa, void *buf, size_t len)
{
    return ram_rw(gpa, buf, len, false);
}

bool emuhv_ram_write(hwaddr gpa, const void *buf, size_t len)
{
    return ram_rw(gpa, (void *)buf, len, true);
}

bool emuhv_ram_valid(hwaddr gpa, size_t len)
{
    RCU_READ_LOCK_GUARD();
    while (len) {
        hwaddr run = gpa + len < gpa ? 0 : ram_run(gpa, len, true);

        if (!run) {
            return false;
        }
        gpa += run;
        len -= run;
    }
    return true;
}
