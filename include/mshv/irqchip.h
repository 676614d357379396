/*
 * MSI routes and irqfds of the accelerator in use, for device models.
 *
 * Named and used like the kvm_irqchip_*() of system/kvm.h, to which they pass
 * on if the accelerator is not mshv. All need the BQL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_IRQCHIP_H
#define MSHV_IRQCHIP_H

#include "mshv/mshv.h"
#include "system/kvm.h"

/*
 * Take a GSI for the MSI @vector of @dev. Returns it or -errno.
 */
int mshv_irqchip_add_msi_route(int vector, PCIDevice *dev);

/* Change or give back the GSI @virq. Takes effect with the next commit. */
int mshv_irqchip_update_msi_route(int virq, MSIMessage msg, PCIDevice *dev);
void mshv_irqchip_release_virq(int virq);
void mshv_irqchip_commit_routes(void);

/*
 * Let @n raise @virq, or no longer. If the kernel cannot do it, QEMU's main
 * loop does; so only a wrong @virq is an error. A notifier can have one GSI.
 */
int mshv_irqchip_add_irqfd(EventNotifier *n, int virq);
int mshv_irqchip_remove_irqfd(EventNotifier *n, int virq);

static inline bool irqchip_msi_via_irqfd_enabled(void)
{
    return mshv_enabled() || kvm_msi_via_irqfd_enabled();
}

static inline int irqchip_add_msi_route(KVMRouteChange *c, int vector,
                                        PCIDevice *dev)
{
    return mshv_enabled() ? mshv_irqchip_add_msi_route(vector, dev)
                          : kvm_irqchip_add_msi_route(c, vector, dev);
}

static inline void irqchip_commit_route_changes(KVMRouteChange *c)
{
    if (mshv_enabled()) {
        mshv_irqchip_commit_routes();
    } else {
        kvm_irqchip_commit_route_changes(c);
    }
}

static inline int irqchip_update_msi_route(int virq, MSIMessage msg,
                                           PCIDevice *dev)
{
    return mshv_enabled() ? mshv_irqchip_update_msi_route(virq, msg, dev)
           : kvm_irqchip_update_msi_route(kvm_state, virq, msg, dev);
}

static inline void irqchip_commit_routes(void)
{
    if (mshv_enabled()) {
        mshv_irqchip_commit_routes();
    } else {
        kvm_irqchip_commit_routes(kvm_state);
    }
}

static inline void irqchip_release_virq(int virq)
{
    if (mshv_enabled()) {
        mshv_irqchip_release_virq(virq);
    } else {
        kvm_irqchip_release_virq(kvm_state, virq);
    }
}

static inline int irqchip_add_irqfd_notifier_gsi(EventNotifier *n, int virq)
{
    return mshv_enabled() ? mshv_irqchip_add_irqfd(n, virq)
           : kvm_irqchip_add_irqfd_notifier_gsi(kvm_state, n, NULL, virq);
}

static inline int irqchip_remove_irqfd_notifier_gsi(EventNotifier *n, int virq)
{
    return mshv_enabled() ? mshv_irqchip_remove_irqfd(n, virq)
           : kvm_irqchip_remove_irqfd_notifier_gsi(kvm_state, n, virq);
}

#endif
