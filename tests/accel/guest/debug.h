/* SPDX-License-Identifier: GPL-2.0-or-later */
/* debug-code.S: what debug.c runs. */
#ifndef DEBUG_H
#define DEBUG_H

#include <stdint.h>

extern uint8_t on_software[], on_fault[], on_page_fault[], on_syscall[],
    on_user_syscall[], on_trap_of_own[], user_code[], user_code_end[];
void steps(uint64_t absent, uint64_t device);
void own(uint64_t unused, uint64_t device);
void busy(void);
void halting(void);
void accesses(void);
void registers(void);
void second_cpu(void);

#endif
