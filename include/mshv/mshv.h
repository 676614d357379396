/*
 * The accelerator mshv, for code that asks whether it is the one in use.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MSHV_MSHV_H
#define MSHV_MSHV_H

#ifdef COMPILING_PER_TARGET
# ifdef CONFIG_MSHV
#  define CONFIG_MSHV_IS_POSSIBLE
# endif
#else
# define CONFIG_MSHV_IS_POSSIBLE
#endif

#ifdef CONFIG_MSHV_IS_POSSIBLE

extern bool mshv_allowed;
#define mshv_enabled() (mshv_allowed)

#else

#define mshv_enabled() (false)

#endif

#endif
