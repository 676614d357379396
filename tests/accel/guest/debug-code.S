/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What debug.c runs and tests/accel/gdb.py steps through: the labels are its.
 */
        .macro global name
        .globl \name
\name:
        .endm

        .text

/* ---- Handlers of exceptions ---- */

        /* Whether the flags at @at(%rsp) have TF: a debugger's would be seen */
        .macro look_for_tf at
        testl $0x100, \at(%rsp)
        jz 1f
        incl saw_tf
1:
        .endm

        global on_software
        look_for_tf 16
        iretq

        global on_fault                 /* of an instruction of two bytes */
        look_for_tf 16
        addq $2, (%rsp)
        iretq

        global on_page_fault
        add $8, %rsp
        look_for_tf 16
        addq $2, (%rsp)
        iretq

        global on_syscall
        push %r11
        look_for_tf 0
        pop %r11
        jmp *%rcx

        global on_user_syscall
        sysretq

        global on_trap_of_own
        push %rax
        mov %dr6, %rax
        or %eax, own_dr6
        mov $0xffff0ff0, %eax
        mov %rax, %dr6
        pop %rax
        incl own_traps
        iretq

/* ---- One instruction of each kind; RDI: not mapped, RSI: a device ---- */

        global steps
        nop
        pushfq
        look_for_tf 0
        popfq
        pushfw
        popfw
        int3
        int $0x80
        ud2
        mov (%rdi), %eax
        xor %ecx, %ecx
        div %ecx
        mov (%rsi), %eax
        movl $5, (%rsi)
        push %rsi
        lea buffer, %rdi
        mov $3, %ecx
        rep movsb
        pop %rsi
        mov %rsi, %rdi
        mov $3, %ecx
        rep stosb
        lea buffer, %rdi
        mov $2, %ecx
        rep stosb
        in $0x80, %al
        out %al, $0x80
        mov $0x8b, %ecx                 /* the accelerator's answer */
        rdmsr
        mov $0xc0000080, %ecx           /* the hypervisor's */
        rdmsr
        wrmsr
        push %rbx                       /* the compiler's */
        xor %eax, %eax
        cpuid
        pop %rbx
        mov $buffer, %eax
        mov %rax, %dr1
        mov %dr1, %rdx
        mov %dr7, %rax
        mov %cr8, %rax
        mov %rax, %cr8
        sti
        nop
        cli
        syscall
        mov %rsp, %rax
        push $0x10
        push %rax
        push $0x202
        push $0x08
        push $1f
        iretq
1:      cli
        call 2f
        jmp 3f
2:      ret
3:      nop
        global steps_end
        ret

/* ---- A guest that traps itself ---- */

        global own
        pushfq
        orl $0x100, (%rsp)
        popfq
        nop
        mov (%rsi), %eax
        pushfq
        pop %rax
        mov %eax, own_flags
        int3
        syscall
        pushfq
        andl $~0x100, (%rsp)
        popfq
        nop
        global own_watch                /* DR0 is at own_word, of 4 bytes */
        movl $1, own_word
        nop
        global own_end
        ret

/* ---- Interrupts ---- */

        global busy
        sti
        global busy_loop
        nop
        pushfq
        pop %rax
        incl spins
        cmpl $0, stop_busy
        je busy_loop
        cli
        ret

        global halting
        sti
        global halting_hlt
        hlt
        global halting_next
        incl halts
        cmpl $0, stop_halting
        je halting
        cli
        ret

/* ---- Data ---- */

        global accesses
        nop
        movl $1, word
        global accesses_read
        nop
        mov word, %eax
        nop
        mov word, %edx
        nop
        movb $2, word + 1
        movq $3, other
        incl other + 8
        global accesses_end
        ret

        global registers
        mov $0x1111111111111111, %rax
        mov $0x2222222222222222, %r11
        movq %rax, %xmm1
        movq %r11, %xmm14
        global registers_set
        nop
        mov %rdx, stored
        mov %r10, stored + 8
        movups %xmm2, stored + 16
        movups %xmm15, stored + 32
        stmxcsr stored + 48
        global registers_end
        ret

/* Copied to a page of the user's. */
        global user_code
        nop
        pushfq
        pop %rbx
        syscall
        nop
        ud2
        global user_code_end
        nop

        global second_cpu
        incl second_spins
        jmp second_cpu
