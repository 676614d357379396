/*
 * MSI routes and irqfds of the accelerator in use, for device models: what
 * QEMU 10.2 and later have in system/accel-irq.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_COMPAT_ACCEL_IRQ_H
#define MSHV_COMPAT_ACCEL_IRQ_H

#include "mshv/irqchip.h"
#include "system/kvm.h"

static inline bool accel_msi_via_irqfd_enabled(void)
{
    return mshv_enabled() || kvm_msi_via_irqfd_enabled();
}

static inline int accel_irqchip_add_msi_route(KVMRouteChange *c, int vector,
                                              PCIDevice *dev)
{
    return mshv_enabled() ? mshv_irqchip_add_msi_route(vector, dev)
                          : kvm_irqchip_add_msi_route(c, vector, dev);
}

static inline void accel_irqchip_commit_route_changes(KVMRouteChange *c)
{
    if (mshv_enabled()) {
        mshv_irqchip_commit_routes();
    } else {
        kvm_irqchip_commit_route_changes(c);
    }
}

static inline int accel_irqchip_update_msi_route(int virq, MSIMessage msg,
                                                 PCIDevice *dev)
{
    return mshv_enabled() ? mshv_irqchip_update_msi_route(virq, msg, dev)
           : kvm_irqchip_update_msi_route(kvm_state, virq, msg, dev);
}

static inline void accel_irqchip_commit_routes(void)
{
    if (mshv_enabled()) {
        mshv_irqchip_commit_routes();
    } else {
        kvm_irqchip_commit_routes(kvm_state);
    }
}

static inline void accel_irqchip_release_virq(int virq)
{
    if (mshv_enabled()) {
        mshv_irqchip_release_virq(virq);
    } else {
        kvm_irqchip_release_virq(kvm_state, virq);
    }
}

static inline int accel_irqchip_add_irqfd_notifier_gsi(EventNotifier *n,
                                                       EventNotifier *rn,
                                                       int virq)
{
    return mshv_enabled() ? mshv_irqchip_add_irqfd_notifier_gsi(n, rn, virq)
           : kvm_irqchip_add_irqfd_notifier_gsi(kvm_state, n, rn, virq);
}

static inline int accel_irqchip_remove_irqfd_notifier_gsi(EventNotifier *n,
                                                          int virq)
{
    return mshv_enabled() ? mshv_irqchip_remove_irqfd_notifier_gsi(n, virq)
           : kvm_irqchip_remove_irqfd_notifier_gsi(kvm_state, n, virq);
}

#endif
