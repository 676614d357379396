/*
 * MSI routes and irqfds: what the accelerator itself has to tell them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_IRQ_H
#define ACCEL_MSHV_IRQ_H

/* A VP has come, to stay: what is sent to it can be routed now. BQL. */
void mshv_irq_vp_added(void);

/* How many there are, in the kernel or in QEMU. BQL. */
void mshv_irq_count(unsigned *n_irqfds, unsigned *n_routes);

#endif
