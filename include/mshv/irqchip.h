/*
 * MSI routes and irqfds of mshv, named and used like the kvm_irqchip_*() of
 * system/kvm.h. Device models call accel_irqchip_*(), which passes on to those
 * of the accelerator in use. All need the BQL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_IRQCHIP_H
#define MSHV_IRQCHIP_H

#include "mshv/mshv.h"

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
 * loop does; so only a wrong @virq is an error. A notifier can have one GSI,
 * and none to resample, @rn.
 */
int mshv_irqchip_add_irqfd_notifier_gsi(EventNotifier *n, EventNotifier *rn,
                                        int virq);
int mshv_irqchip_remove_irqfd_notifier_gsi(EventNotifier *n, int virq);

#endif
