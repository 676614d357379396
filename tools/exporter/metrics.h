/*
 * What is exported.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef EXPORTER_METRICS_H
#define EXPORTER_METRICS_H

#include <glib.h>

/* Look at the host and all VMs, and write a page for Prometheus. */
GString *metrics_page(void);

/* The reference, as reStructuredText. */
GString *metrics_reference(void);

#endif
