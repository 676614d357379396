/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From protected mode, where rom.S and the trampoline of further processors
 * end, to main() in 64-bit mode; traps, and ways to run code with registers
 * of one's own.
 */
#include "layout.h"

        .section .entry, "ax"
        .code32
        .globl entry
entry:
        mov $image_end, %edi
        mov $bss_end, %ecx
        sub %edi, %ecx
        xor %eax, %eax
        rep stosb
        /* One to one, the first 4 GiB, for the supervisor */
        movl $pdpt + 7, pml4
        movl $pml4 + 7, pml5
        mov $page_dirs + 7, %eax
        mov $pdpt, %edi
        mov $4, %ecx
1:      mov %eax, (%edi)
        add $0x1000, %eax
        add $8, %edi
        loop 1b
        mov $0x83, %eax
        mov $page_dirs, %edi
        mov $4 * 512, %ecx
1:      mov %eax, (%edi)
        add $0x200000, %eax
        add $8, %edi
        loop 1b
        lgdtl gdt64_pointer
        xor %ebx, %ebx
        jmp long_mode

entry_ap:
        mov $1, %ebx
        lock xadd %ebx, cpus_started
        inc %ebx
        lgdtl gdt64_pointer

/* EBX: number of the processor */
long_mode:
        mov $0x620, %eax                /* PAE, OSFXSR, OSXMMEXCPT */
        mov $pml4, %edx
#ifdef LA57
        or $0x1000, %eax
        mov $pml5, %edx
#endif
        mov %eax, %cr4
        mov %edx, %cr3
        mov $0xc0000080, %ecx
        rdmsr
        or $0x900, %eax                 /* LME, NXE */
        wrmsr
        mov $0x80010033, %eax           /* PG, WP, NE, ET, MP, PE */
        mov %eax, %cr0
        ljmpl $KERNEL_CS, $1f
        .code64
1:      mov $KERNEL_DS, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        xor %eax, %eax
        mov %eax, %fs
        mov %eax, %gs
        mov %ebx, %edi
        inc %ebx
        imul $STACK_SIZE, %ebx, %ebx
        lea stacks(%rbx), %rsp
        lidt idt_pointer
        xor %ebp, %ebp
        push %rbp
        call c_entry
1:      hlt
        jmp 1b

/* Copied to TRAMPOLINE. */
        .code16
        .globl trampoline, trampoline_end
trampoline:
        cli
        lgdtl %cs:ap_gdtr - trampoline
        mov %cr0, %eax
        or $1, %eax
        and $0x9fffffff, %eax           /* CD, NW */
        mov %eax, %cr0
        ljmpl $CODE32_CS, $TRAMPOLINE + (ap32 - trampoline)
        .code32
ap32:   mov $KERNEL_DS, %eax
        mov %eax, %ds
        mov %eax, %es
        mov %eax, %ss
        mov $entry_ap, %eax
        jmp *%eax
ap_gdtr:
        .word gdt64_end - gdt64 - 1
        .long gdt64
trampoline_end:
        .code64

/* ---- Traps ---- */

        .text
        .globl trap_stubs
        .balign 16
trap_stubs:
        .set vector, 0
        .rept 256
        .balign 16
        .if vector > 31 || !((0x60227d00 >> (vector & 31)) & 1)
        push $0                         /* those without an error code */
        .endif
        push $vector
        jmp trap_common
        .set vector, vector + 1
        .endr

trap_common:
        push %r15
        push %r14
        push %r13
        push %r12
        push %r11
        push %r10
        push %r9
        push %r8
        push %rdi
        push %rsi
        push %rbp
        push %rsp
        push %rbx
        push %rdx
        push %rcx
        push %rax
        mov %rsp, %rdi
        cld
        call on_trap
        pop %rax
        pop %rcx
        pop %rdx
        pop %rbx
        add $8, %rsp
        pop %rbp
        pop %rsi
        pop %rdi
        pop %r8
        pop %r9
        pop %r10
        pop %r11
        pop %r12
        pop %r13
        pop %r14
        pop %r15
        add $16, %rsp
        iretq

/* ---- Code with registers of its own ---- */

/* What a function must give back as it was; run_end pops it. */
        .macro save_callee_saved
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        .endm

/*
 * void run(struct regs *regs, const void *code)
 * Loads all registers (but RSP), calls @code, and stores all. An exception
 * ends it, too: on_trap() fills in regs and jumps to run_end.
 */
        .globl run
run:
        save_callee_saved
        mov %rdi, run_regs
        mov %rsi, run_code
        mov %rsp, run_rsp
        mov %rdi, %rax
        push 128(%rax)
        mov 8(%rax), %rcx
        mov 16(%rax), %rdx
        mov 24(%rax), %rbx
        mov 40(%rax), %rbp
        mov 48(%rax), %rsi
        mov 56(%rax), %rdi
        mov 64(%rax), %r8
        mov 72(%rax), %r9
        mov 80(%rax), %r10
        mov 88(%rax), %r11
        mov 96(%rax), %r12
        mov 104(%rax), %r13
        mov 112(%rax), %r14
        mov 120(%rax), %r15
        mov (%rax), %rax
        popfq
        call *run_code
        pushfq
        push %rax
        mov run_regs, %rax
        mov %rcx, 8(%rax)
        mov %rdx, 16(%rax)
        mov %rbx, 24(%rax)
        mov %rbp, 40(%rax)
        mov %rsi, 48(%rax)
        mov %rdi, 56(%rax)
        mov %r8, 64(%rax)
        mov %r9, 72(%rax)
        mov %r10, 80(%rax)
        mov %r11, 88(%rax)
        mov %r12, 96(%rax)
        mov %r13, 104(%rax)
        mov %r14, 112(%rax)
        mov %r15, 120(%rax)
        pop (%rax)
        pop 128(%rax)
        .globl run_end
run_end:
        movq $0, run_regs
        mov run_rsp, %rsp
        push $2
        popfq
        cld
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret

/*
 * void run_stepping(struct regs *regs, const void *code)
 * The same with RFLAGS.TF from its first instruction on.
 */
        .globl run_stepping
run_stepping:
        save_callee_saved
        mov %rdi, run_regs
        mov %rsp, run_rsp
        mov %rdi, %rax
        mov %rsp, %rdx
        push $KERNEL_DS
        push %rdx
        push 128(%rax)
        orq $0x100, (%rsp)
        push $KERNEL_CS
        push %rsi
        mov 8(%rax), %rcx
        mov 48(%rax), %rsi
        mov 56(%rax), %rdi
        iretq

/*
 * void run_user(struct regs *regs, uint64_t rip, uint64_t rsp)
 * The same at privilege level 3. Only an exception ends it; INT 0x80 is one.
 */
        .globl run_user
run_user:
        save_callee_saved
        mov %rdi, run_regs
        mov %rsp, run_rsp
        push $USER_DS
        push %rdx
        push 128(%rdi)
        push $USER_CS
        push %rsi
        mov %rdi, %rax
        mov 8(%rax), %rcx
        mov 16(%rax), %rdx
        mov 24(%rax), %rbx
        mov 40(%rax), %rbp
        mov 48(%rax), %rsi
        mov 56(%rax), %rdi
        mov 64(%rax), %r8
        mov (%rax), %rax
        iretq

        .data
        .balign 16
        .globl gdt64, gdt64_tss
gdt64:
        .quad 0
        .quad 0x00af9b000000ffff        /* 08: code64 */
        .quad 0x00cf93000000ffff        /* 10: data */
        .quad 0x00cffb000000ffff        /* 18: user code32 */
        .quad 0x00cff3000000ffff        /* 20: user data */
        .quad 0x00affb000000ffff        /* 28: user code64 */
        .quad 0x00cf9b000000ffff        /* 30: code32 */
gdt64_tss:
        .quad 0, 0                      /* 38 */
gdt64_end:
gdt64_pointer:
        .word gdt64_end - gdt64 - 1
        .quad gdt64
idt_pointer:
        .word 256 * 16 - 1
        .quad idt

        .globl cpus_started
cpus_started:
        .long 0

        .bss
        .balign 4096
        .globl pml4, pml5
pml5:   .skip 4096
pml4:   .skip 4096
pdpt:   .skip 4096
page_dirs:
        .skip 4 * 4096
        .globl idt
idt:    .skip 4096
        .globl run_regs
run_regs: .skip 8
run_code: .skip 8
run_rsp:  .skip 8
        .balign 16
stacks: .skip (MAX_CPUS + 1) * STACK_SIZE
