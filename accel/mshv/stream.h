/*
 * Streams of migration that come here: see stream.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ACCEL_MSHV_STREAM_H
#define ACCEL_MSHV_STREAM_H

void mshv_stream_begins(void);
void mshv_stream_is_ours(void);

#endif
