/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bare.c and start.S share. */
#ifndef BARE_ENTRY_H
#define BARE_ENTRY_H

#include <stdint.h>

/* What start.S pushes */
typedef struct Frame {
    uint64_t rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t vector, error_code, rip, cs, rflags, rsp, ss;
} Frame;

/* Places in start.S */
extern char vectors[], faulted[], vmcall_faulted[], fault_rdmsr[],
            fault_wrmsr[], fault_vmcall[], ap_code[], ap_code_end[];

/* Called by start.S */
void start(void);
void ap_start(void);
void handle_interrupt(Frame *f);

#endif
