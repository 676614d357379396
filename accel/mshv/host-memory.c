/*
 * Guest memory as the host has it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qapi/error.h"
#include "mshv-compat/memory.h"
#include "exec/ramlist.h"
#include "hw/boards.h"
#include "hw/pci/pci_device.h"
#include "system/hostmem.h"
#include "host-memory.h"

typedef struct PrivateCopy {
    void *host;                 /* of the block that it is a copy of */
    void *copy;
    size_t size;
} PrivateCopy;

/* With the BQL. */
static GArray *copies;

static void block_removed(RAMBlockNotifier *n, void *host, size_t size,
                          size_t max_size)
{
    guint i;

    for (i = copies->len; i-- > 0;) {
        PrivateCopy *copy = &g_array_index(copies, PrivateCopy, i);

        if (copy->host == host) {
            munmap(copy->copy, copy->size);
            g_array_remove_index_fast(copies, i);
        }
    }
}

void mshv_host_memory_init(void)
{
    static RAMBlockNotifier notifier = { .ram_block_removed = block_removed };

    copies = g_array_new(false, false, sizeof(PrivateCopy));
    ram_block_notifier_add(&notifier);
}

static int make_copy(const RAMBlock *block, PrivateCopy *copy, Error **errp)
{
    copy->host = block->host;
    copy->size = block->max_length;
    copy->copy = mmap(NULL, copy->size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_NORESERVE, block->fd,
                      block->fd_offset);
    if (copy->copy == MAP_FAILED) {
        error_setg_errno(errp, errno, "cannot map the read-only memory '%s' a "
                         "second time", block->idstr);
        return -errno;
    }
    g_array_append_val(copies, *copy);
    return 0;
}

int mshv_host_memory_address(MemoryRegion *mr, uint64_t *hva, Error **errp)
{
    RAMBlock *block = mr->ram_block;
    PrivateCopy copy;
    guint i;
    int ret;

    *hva = (uintptr_t)memory_region_get_ram_ptr(mr);
    if (!block || !(block->flags & RAM_READONLY)) {
        return 0;
    }
    for (i = 0; i < copies->len; i++) {
        copy = g_array_index(copies, PrivateCopy, i);
        if (copy.host == block->host) {
            *hva += (uint8_t *)copy.copy - block->host;
            return 0;
        }
    }
    ret = make_copy(block, &copy, errp);
    if (!ret) {
        *hva += (uint8_t *)copy.copy - block->host;
    }
    return ret;
}

/* The machine's own RAM, and memory devices: plugged in, not placed. */
static bool is_machines(MemoryRegion *mr)
{
    MachineState *ms = current_machine;

    for (; mr; mr = mr->container) {
        if (mr == ms->ram ||
            (ms->device_memory && mr == &ms->device_memory->mr)) {
            return true;
        }
    }
    return false;
}

bool mshv_host_memory_is_movable(MemoryRegion *mr)
{
    Object *owner = memory_region_owner(mr);

    return !is_machines(mr) &&
           (object_dynamic_cast(owner, TYPE_PCI_DEVICE) ||
            object_dynamic_cast(owner, TYPE_MEMORY_BACKEND));
}
