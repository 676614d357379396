/*
 * The kernel's headers ask for this one; types.h has what they use of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
