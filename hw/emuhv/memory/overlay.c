/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: memory of the pages that the hypervisor lays
 * over a child's own.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "mshv-compat/memory.h"
#include "hw/boards.h"
#include "hw/emuhv/memory/memory.h"

/* Between what the parent can have and the doorbell region */
#define OVERLAY_PA  (1ull << 49)

static MemoryRegion overlay;

bool emuhv_overlay_init(Error **errp)
{
    uint64_t size = (uint64_t)emuhv_options.pool_size * EMUHV_OVERLAY__MAX *
                    EMUHV_PAGE_SIZE;

    if (!memory_region_init_ram_nomigrate(&overlay,
                                          OBJECT(qdev_get_machine()),
                                          "emuhv-child-overlay", size, errp)) {
        return false;
    }
    memory_region_add_subregion(get_system_memory(), OVERLAY_PA, &overlay);
    return true;
}

static hwaddr offset(unsigned slot, EmuhvOverlay kind)
{
    return ((hwaddr)slot * EMUHV_OVERLAY__MAX + kind) * EMUHV_PAGE_SIZE;
}

void *emuhv_overlay_page(unsigned slot, EmuhvOverlay kind)
{
    return (uint8_t *)memory_region_get_ram_ptr(&overlay) + offset(slot, kind);
}

hwaddr emuhv_overlay_pa(unsigned slot, EmuhvOverlay kind)
{
    return OVERLAY_PA + offset(slot, kind);
}

bool emuhv_overlay_is(hwaddr pa)
{
    return pa - OVERLAY_PA < memory_region_size(&overlay);
}
