/*
 * The exporter's HTTP server.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef EXPORTER_SERVE_H
#define EXPORTER_SERVE_H

#include <glib.h>
#include <stdbool.h>

/* Serve at "ADDRESS:PORT" until SIGINT or SIGTERM. */
bool serve(const char *address, GError **error);

#endif
