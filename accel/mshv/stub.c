/*
 * What common code asks of mshv in a build without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/msi.h"
#include "mshv/irqchip.h"

bool mshv_allowed;

bool mshv_memory_try(uint64_t gpa, MemoryRegion *mr, Error **errp)
{
    return true;
}

bool mshv_sigbus(int code, void *host)
{
    return false;
}

bool mshv_stream_check(Error **errp)
{
    return true;
}

int mshv_irqchip_add_msi_route(int vector, PCIDevice *dev)
{
    return -ENOSYS;
}

int mshv_irqchip_update_msi_route(int virq, MSIMessage msg, PCIDevice *dev)
{
    return -ENOSYS;
}

void mshv_irqchip_release_virq(int virq)
{
}

void mshv_irqchip_commit_routes(void)
{
}

int mshv_irqchip_add_irqfd_notifier_gsi(EventNotifier *n, EventNotifier *rn,
                                        int virq)
{
    return -ENOSYS;
}

int mshv_irqchip_remove_irqfd_notifier_gsi(EventNotifier *n, int virq)
{
    return -ENOSYS;
}
