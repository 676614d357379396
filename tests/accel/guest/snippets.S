/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instructions that emulate.c tries. Memory is at RDI and RSI; RAX, RBX and
 * RDX are values, RCX is 0 to 7.
 */
#include "layout.h"

/* Flags that the instruction defines */
#define FLAGS           0x08d5          /* OF SF ZF AF PF CF */
#define NO_AF           0x08c5
#define NO_OF_AF        0x00c5
#define ONLY_CF         0x0001
#define ONLY_ZF         0x0040

        .macro snippet flags, text
        .section .text.snippets, "ax"
9:      \text
        ret
        .section .rodata.text, "a"
8:      .asciz "\text"
        .section snippets, "a"
        .quad 9b, 8b, \flags
        .endm

        .macro sizes flags, op, more
        snippet \flags, "\op\()b \more(%rdi)"
        snippet \flags, "\op\()w \more(%rdi)"
        snippet \flags, "\op\()l \more(%rdi)"
        snippet \flags, "\op\()q \more(%rdi)"
        .endm

        .macro to_register flags, op
        snippet \flags, "\op (%rdi), %dl"
        snippet \flags, "\op (%rdi), %dx"
        snippet \flags, "\op (%rdi), %edx"
        snippet \flags, "\op (%rdi), %rdx"
        snippet \flags, "\op (%rdi), %r9"
        .endm

        .macro from_register flags, op
        snippet \flags, "\op %dl, (%rdi)"
        snippet \flags, "\op %dx, (%rdi)"
        snippet \flags, "\op %edx, (%rdi)"
        snippet \flags, "\op %rdx, (%rdi)"
        snippet \flags, "\op %r10, (%rdi)"
        .endm

        .macro arithmetic flags, op
        to_register \flags, "\op"
        from_register \flags, "\op"
        sizes \flags, "\op", "$0x55, "
        .endm

        .macro locked flags, op
        snippet \flags, "lock \op\()b %dl, (%rdi)"
        snippet \flags, "lock \op\()l %edx, (%rdi)"
        snippet \flags, "lock \op\()q %r11, (%rdi)"
        .endm

        from_register FLAGS, "mov"
        to_register FLAGS, "mov"
        sizes FLAGS, "mov", "$0x5a, "
        snippet FLAGS, "mov %dh, (%rdi)"
        snippet FLAGS, "mov (%rdi), %ah"
        snippet FLAGS, "movzbl (%rdi), %edx"
        snippet FLAGS, "movzbw (%rdi), %dx"
        snippet FLAGS, "movzwq (%rdi), %rdx"
        snippet FLAGS, "movsbl (%rdi), %edx"
        snippet FLAGS, "movswq (%rdi), %rdx"
        snippet FLAGS, "movslq (%rdi), %rdx"
        snippet FLAGS, "movbe (%rdi), %edx"
        snippet FLAGS, "movbe %rdx, (%rdi)"
        snippet FLAGS, "movnti %edx, (%rdi)"
        arithmetic FLAGS, "add"
        arithmetic FLAGS, "adc"
        arithmetic FLAGS, "sub"
        arithmetic FLAGS, "sbb"
        arithmetic FLAGS, "cmp"
        arithmetic NO_AF, "and"
        arithmetic NO_AF, "or"
        arithmetic NO_AF, "xor"
        from_register NO_AF, "test"
        sizes NO_AF, "test", "$0x55, "
        sizes FLAGS, "inc", ""
        sizes FLAGS, "dec", ""
        sizes FLAGS, "neg", ""
        sizes FLAGS, "not", ""
        sizes NO_AF, "shl", "$1, "
        sizes NO_OF_AF, "shr", "$3, "
        sizes NO_OF_AF, "sar", "%cl, "
        sizes NO_OF_AF, "rol", "%cl, "
        sizes NO_OF_AF, "rcr", "$5, "
        snippet NO_OF_AF, "shld $3, %edx, (%rdi)"
        snippet NO_OF_AF, "shrd %cl, %rdx, (%rdi)"
        snippet ONLY_CF, "btl $5, (%rdi)"
        snippet ONLY_CF, "btsl %ecx, (%rdi)"
        snippet ONLY_CF, "btrq %rcx, (%rdi)"
        snippet ONLY_CF, "btcw $9, (%rdi)"
        snippet ONLY_ZF, "bsf (%rdi), %edx"
        snippet ONLY_CF, "mulb (%rdi)"
        snippet ONLY_CF, "mull (%rdi)"
        snippet ONLY_CF, "imul (%rdi), %rdx"
        snippet ONLY_CF, "imul $77, (%rdi), %edx"
        snippet 0, "mov $3, %edx; orl $0x10, (%rdi); divl (%rdi)"
        snippet FLAGS, "xchg %dl, (%rdi)"
        snippet FLAGS, "xchg %rdx, (%rdi)"
        snippet FLAGS, "xadd %edx, (%rdi)"
        snippet FLAGS, "lock xadd %rdx, (%rdi)"
        snippet FLAGS, "cmpxchg %edx, (%rdi)"
        snippet FLAGS, "mov (%rdi), %rax; lock cmpxchg %rdx, (%rdi)"
        snippet ONLY_ZF, "cmpxchg8b (%rdi)"
        snippet ONLY_ZF, "mov (%rdi), %eax; mov 4(%rdi), %edx; lock cmpxchg8b (%rdi)"
        locked FLAGS, "add"
        locked NO_AF, "or"
        locked NO_AF, "xor"
        snippet FLAGS, "lock incl (%rdi)"
        snippet ONLY_CF, "lock btsq $40, (%rdi)"
        snippet FLAGS, "setc (%rdi)"
        snippet FLAGS, "setnle (%rdi)"
        snippet FLAGS, "cmovz (%rdi), %rdx"
        snippet FLAGS, "cmovns (%rdi), %edx"
        snippet FLAGS, "cmovb (%rdi), %dx"
        snippet FLAGS, "push (%rdi); pop %rdx"
        snippet FLAGS, "push %rdx; pop (%rdi)"
        snippet FLAGS, "pushw (%rdi); popw 8(%rdi)"

/* Strings */
        snippet FLAGS, "movsb"
        snippet FLAGS, "movsq"
        snippet FLAGS, "stosl"
        snippet FLAGS, "lodsw"
        snippet FLAGS, "cmpsb"
        snippet FLAGS, "scasl"
        snippet FLAGS, "rep movsb"
        snippet FLAGS, "rep movsw"
        snippet FLAGS, "rep movsl"
        snippet FLAGS, "rep movsq"
        snippet FLAGS, "std; rep movsw; cld"
        snippet FLAGS, "rep stosb"
        snippet FLAGS, "rep stosq"
        snippet FLAGS, "std; rep stosl; cld"
        snippet FLAGS, "rep lodsb"
        snippet FLAGS, "repe cmpsb"
        snippet FLAGS, "repne scasb"
        snippet FLAGS, "add $20, %rcx; rep movsb"
        snippet FLAGS, "addr32 rep movsb"

/* Vectors */
        snippet FLAGS, "movups (%rdi), %xmm3"
        snippet FLAGS, "movups %xmm3, (%rdi)"
        snippet FLAGS, "movups (%rdi), %xmm12"
        snippet FLAGS, "movups %xmm12, (%rdi)"
        snippet FLAGS, "movdqu (%rdi), %xmm0"
        snippet FLAGS, "movdqu %xmm9, (%rdi)"
        snippet FLAGS, "movupd %xmm1, (%rdi)"
        snippet FLAGS, "movss (%rdi), %xmm2"
        snippet FLAGS, "movsd %xmm2, (%rdi)"
        snippet FLAGS, "movd (%rdi), %xmm4"
        snippet FLAGS, "movd %xmm10, (%rdi)"
        snippet FLAGS, "movq (%rdi), %xmm4"
        snippet FLAGS, "movq %xmm4, (%rdi)"
        snippet FLAGS, "movhps (%rdi), %xmm4"
        snippet FLAGS, "movlps %xmm4, (%rdi)"
        snippet FLAGS, "lddqu (%rdi), %xmm4"
        snippet FLAGS, "movq (%rdi), %mm3; emms"
        snippet FLAGS, "movq %mm3, (%rdi); emms"
        snippet FLAGS, "movd %mm5, (%rdi); emms"
        snippet FLAGS + NEEDS_AVX, "vmovups (%rdi), %ymm3"
        snippet FLAGS + NEEDS_AVX, "vmovups %ymm3, (%rdi)"
        snippet FLAGS + NEEDS_AVX, "vmovdqu (%rdi), %ymm13"
        snippet FLAGS + NEEDS_AVX, "vmovdqu %ymm13, (%rdi)"
        snippet FLAGS + NEEDS_AVX, "vmovdqu (%rdi), %xmm5"
        snippet FLAGS + NEEDS_AVX, "vmovd (%rdi), %xmm6"
        snippet FLAGS + NEEDS_AVX, "vmovq %xmm6, (%rdi)"
