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

/*
 * Whether the hypervisor would take the RAM @mr at @gpa: for code that can
 * still refuse a memory device, which a MemoryListener cannot.
 */
bool mshv_memory_try(uint64_t gpa, MemoryRegion *mr, Error **errp);

/* A SIGBUS, of that si_code and si_addr. False: QEMU is to end by it. */
bool mshv_sigbus(int code, void *host);

/* Whether the stream that is loaded, as far as its memory, may go on. */
bool mshv_stream_check(Error **errp);

#endif
