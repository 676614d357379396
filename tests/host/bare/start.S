/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware that becomes the parent partition: from reset to C, in 64-bit mode
 * with 4 GiB mapped one to one. The image is copied to 1 MiB, where it is
 * linked. Also the way of the other CPUs, interrupt entries, and the hypercall
 * instruction.
 */
#define PML4        0x1000
#define PDPT        0x2000
#define PDS         0x3000
#define AP_START    0x8000
#define IMAGE_SIZE  0x1f000
#define IMAGE_ROM   0xfffe0000
#define CODE32      0x08
#define DATA        0x10
#define CODE64      0x18

/* ---- From reset; in ROM, so addresses are those of ROM ---- */

    .section .reset, "ax"
    .code16
    .globl reset_code
reset_code:
    cli
    lgdtl   %cs:rom_gdtr - reset_code + 0xff00
    mov     %cr0, %eax
    or      $1, %al
    mov     %eax, %cr0
    ljmpl   $CODE32, $(rom_32 - reset_code + 0xffffff00)

    .code32
rom_32:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    cld
    mov     $IMAGE_ROM, %esi
    mov     $0x100000, %edi
    mov     $(IMAGE_SIZE / 4), %ecx
    rep movsl
    mov     $bss_start, %edi
    mov     $bss_end, %ecx
    sub     %edi, %ecx
    xor     %eax, %eax
    rep stosb
    mov     $make_tables, %eax
    jmp     *%eax

    .balign 8
rom_gdt:
    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
rom_gdtr:
    .word   23
    .long   rom_gdt - reset_code + 0xffffff00

    .section .vector, "ax"
    .code16
    .byte   0xe9                    /* jmp to 0xff00 */
    .word   0xff00 - 0xfff3
    .balign 16

/* ---- In RAM ---- */

    .section .text
    .code32
make_tables:
    movl    $(PDPT + 3), PML4
    xor     %ecx, %ecx
1:  mov     %ecx, %eax
    shl     $12, %eax
    add     $(PDS + 3), %eax
    mov     %eax, PDPT(, %ecx, 8)
    inc     %ecx
    cmp     $4, %ecx
    jne     1b
    xor     %ecx, %ecx
2:  mov     %ecx, %eax
    shl     $21, %eax
    or      $0x83, %eax
    mov     %eax, PDS(, %ecx, 8)
    inc     %ecx
    cmp     $2048, %ecx
    jne     2b
    mov     $stack_end, %esp
    mov     $start, %ebx

    .globl to_64
to_64:
    lgdt    gdtr
    mov     %cr4, %eax
    or      $0x620, %eax
    mov     %eax, %cr4
    mov     $PML4, %eax
    mov     %eax, %cr3
    mov     $0xc0000080, %ecx
    rdmsr
    or      $0x100, %eax
    wrmsr
    mov     $0x80000033, %eax
    mov     %eax, %cr0
    ljmp    $CODE64, $in_64

    .code64
in_64:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    mov     %ebx, %ebx
    jmp     *%rbx

    .balign 8
    .globl gdt
gdt:
    .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdtr:
    .word   31
    .long   gdt

/* What another CPU runs after its SIPI; it is copied to AP_START. */
    .code16
    .globl ap_code, ap_code_end
ap_code:
    cli
    lgdtl   %cs:ap_gdtr - ap_code
    mov     $1, %eax
    mov     %eax, %cr0
    ljmpl   $CODE32, $(ap_32 - ap_code + AP_START)
    .balign 8
ap_gdtr:
    .word   31
    .long   gdt
    .code32
ap_32:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %ss
    mov     $ap_stack_end, %esp
    mov     $ap_start, %ebx
    mov     $to_64, %eax
    jmp     *%eax
ap_code_end:

/* ---- Interrupts: vectors 0 to 255, 16 bytes each ---- */

    .code64
    .balign 16
    .globl vectors
vectors:
    .set    n, 0
    .rept   256
    .balign 16
    .if     !(n == 8 || (n >= 10 && n <= 14) || n == 17 || n == 21)
    push    $0
    .endif
    push    $n
    jmp     interrupt
    .set    n, n + 1
    .endr

interrupt:
    push    %rax
    push    %rcx
    push    %rdx
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %rbx
    push    %rbp
    mov     %rsp, %rdi
    mov     %rsp, %rbp
    and     $-16, %rsp
    cld
    call    handle_interrupt
    mov     %rbp, %rsp
    pop     %rbp
    pop     %rbx
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rdx
    pop     %rcx
    pop     %rax
    add     $16, %rsp
    iretq

/* ---- Instructions that may fault: then they return false ---- */

/* bool try_rdmsr(uint32_t msr, uint64_t *val) */
    .globl try_rdmsr, fault_rdmsr
try_rdmsr:
    mov     %edi, %ecx
fault_rdmsr:
    rdmsr
    shl     $32, %rdx
    or      %rdx, %rax
    mov     %rax, (%rsi)
    mov     $1, %eax
    ret

/* bool try_wrmsr(uint32_t msr, uint64_t val) */
    .globl try_wrmsr, fault_wrmsr
try_wrmsr:
    mov     %edi, %ecx
    mov     %esi, %eax
    mov     %rsi, %rdx
    shr     $32, %rdx
fault_wrmsr:
    wrmsr
    mov     $1, %eax
    ret

/* uint64_t hypercall(uint64_t control, uint64_t in, uint64_t out) */
    .globl hypercall, fault_vmcall
hypercall:
    mov     %rdi, %rcx
    mov     %rdx, %r8
    mov     %rsi, %rdx
fault_vmcall:
    vmcall
    ret

    .globl faulted
faulted:
    xor     %eax, %eax
    ret
    .globl vmcall_faulted
vmcall_faulted:
    mov     $-1, %rax
    ret

    .section .bss
    .balign 16
    .skip   16384
stack_end:
    .skip   16384
ap_stack_end:
    .section .note.GNU-stack, "", @progbits
