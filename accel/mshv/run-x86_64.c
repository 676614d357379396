/*
 * The run window on an x86-64 host. Knows no QEMU, so that a unit test can
 * storm it with signals.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include "run.h"

#define STRING(x) #x
#define NUMBER(x) STRING(x)

/*
 * Arguments: edi = fd, rsi = request, rdx = arg, rcx = kicked: already where
 * the system call wants its first three. The system call clobbers rcx and
 * r11, which the calling convention leaves to us. A thread whose next
 * instruction is at mshv_run_window_end has made the system call, and its
 * result is in rax.
 */
asm(".text\n"
    ".p2align 4\n"
    ".globl mshv_run_window\n"
    ".type mshv_run_window, @function\n"
    "mshv_run_window:\n"
    ".cfi_startproc\n"
    "    endbr64\n"
    "mshv_run_window_begin:\n"
    "    cmpl $0, (%rcx)\n"
    "    jne mshv_run_window_out\n"
    "    movl $" NUMBER(SYS_ioctl) ", %eax\n"
    "    syscall\n"
    "mshv_run_window_end:\n"
    "    ret\n"
    "mshv_run_window_out:\n"
    "    movl $-" NUMBER(EINTR) ", %eax\n"
    "    ret\n"
    ".cfi_endproc\n"
    ".size mshv_run_window, . - mshv_run_window\n"
    ".globl mshv_run_window_begin, mshv_run_window_end\n"
    ".globl mshv_run_window_out\n"
    ".hidden mshv_run_window_begin, mshv_run_window_end\n"
    ".hidden mshv_run_window_out\n");

void mshv_run_window_leave(void *context)
{
    ucontext_t *uc = context;
    greg_t *rip = &uc->uc_mcontext.gregs[REG_RIP];

    if (*rip >= (greg_t)mshv_run_window_begin &&
        *rip < (greg_t)mshv_run_window_end) {
        *rip = (greg_t)mshv_run_window_out;
    }
}
