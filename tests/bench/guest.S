/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest of the benchmarks: a firmware image of 64 KiB that makes exits of
 * one kind after the other, each many times between marks 1 and 2 (count.c), in
 * 64-bit mode with paging, as the kernels of today make them.
 *
 * The number of processors, and pairs of a kind and how often, are in the image
 * at PARAMS. When it is done it writes to port 0xf4 (isa-debug-exit).
 */
#define MARK(n)         nopl 0x6d730000 + (n)(%rax)
#define PARAMS          0xf000
#define WARM_UP         20
#define VECTOR          0x40
#define AP              0x3000          /* where the other processors start */

/* Guest physical addresses; RAM is below 1 MiB, devices where BARs put them. */
#define PML4            0x1000
#define PDPT            0x2000
#define PDS             0x3000
#define STACK           0x8000
#define IDT             0x8000
#define BUFFER          0x9000
#define RING            0xb000
#define AVAIL           (RING + 0x200)
#define USED            (RING + 0x400)
#define REQUEST         (RING + 0x600)
#define GO              0xd000
#define READY           0xd004
#define KIND_NOW        0xd008          /* floor.c reads it */
#define COUNT           0xd00c
#define DATA            0xc000
#define TESTDEV         0xe0000000
#define VIRTIO          0xe0100000      /* BAR 4; QEMU's layout of it */
#define NOTIFY          (VIRTIO + 0x3000)
#define MSIX            0xe0110000      /* BAR 1 */
#define IOAPIC          0xfec00000
#define LAPIC           0xfee00000
#define SMM_HANDLER     0x38000
#define PIIX4_PM        0x0b00          /* device 1, function 3 */

#define RING_SIZE       16

    .section .text
    .globl image
image:
    .code16
    cli
    mov     $0xf000, %ax
    mov     %ax, %ds
    lgdtl   gdtr
    mov     %cr0, %eax
    or      $1, %al
    mov     %eax, %cr0
    ljmpl   $8, $0xf0000 + protected

    .code32
protected:
    mov     $0x18, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    mov     $STACK, %esp
    cld
    /* 4 GiB one to one, in pages of 2 MiB */
    mov     $PML4, %edi
    xor     %eax, %eax
    mov     $0x6000 / 4, %ecx
    rep stosl
    movl    $PDPT + 3, PML4
    mov     $PDS + 3, %eax
    mov     $PDPT, %edi
    mov     $4, %ecx
1:  mov     %eax, (%edi)
    add     $0x1000, %eax
    add     $8, %edi
    loop    1b
    mov     $0xe3, %eax             /* present, writable, A, D, large */
    mov     $PDS, %edi
    mov     $2048, %ecx
1:  mov     %eax, (%edi)
    add     $0x200000, %eax
    add     $8, %edi
    loop    1b
    mov     %cr4, %eax
    or      $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
    mov     %eax, %cr4
    mov     $PML4, %eax
    mov     %eax, %cr3
    mov     $0xc0000080, %ecx
    rdmsr
    or      $0x100, %eax            /* LME */
    wrmsr
    mov     %cr0, %eax
    and     $~0x4, %eax
    or      $0x80000022, %eax       /* PG, NE, MP */
    mov     %eax, %cr0
    ljmpl   $0x10, $0xf0000 + long_mode

    .code64
long_mode:
    MARK(9)                         /* the guest runs */
    mov     $STACK, %esp
    mov     $BUFFER, %r12d
    mov     $TESTDEV, %r13d
    mov     $IOAPIC, %r14d
    mov     $0xff, %al              /* no interrupts of the PIC */
    out     %al, $0x21
    out     %al, $0xa1
    call    set_up_interrupts
    call    set_up_test_devices
    call    set_up_virtio
    mov     $0xf0000 + PARAMS + 4, %r10d
next:
    cli
    mov     (%r10), %eax
    mov     4(%r10), %r11d
    add     $8, %r10
    cmp     $-1, %eax
    je      finish
    mov     %eax, KIND_NOW
    mov     %r11d, COUNT
    lea     kinds(%rip), %rbx
    lea     (%rbx,%rax,4), %rcx
    movslq  (%rcx), %rax
    add     %rbx, %rax
    jmp     *%rax

/* ---- Kinds of exits ---- */

/*
 * KIND name, prepare, instruction...: "before" is done once, the rest each
 * time. r8 to r15 and rbp are not for the kinds to change.
 */
    .macro  KIND name, before, first, second=, third=, fourth=
\name:
    \before
    mov     $WARM_UP, %r15d
1:  \first
    \second
    \third
    \fourth
    dec     %r15d
    jnz     1b
    mov     %r11d, %r15d
    MARK(1)
1:  \first
    \second
    \third
    \fourth
    dec     %r15d
    jnz     1b
    MARK(2)
    jmp     next
    .endm

KIND k_nothing, nop, nop
KIND k_load, nop, "movb (%r13), %al"
KIND k_store, nop, "movb %al, 0x10(%r13)"
KIND k_modify, nop, "addb $1, 0x10(%r13)"
KIND k_movs, nop, "mov $64, %ecx", "mov %r12, %rsi", "lea 0x100(%r13), %rdi", \
    "rep movsb"
KIND k_stos, nop, "mov $64, %ecx", "lea 0x100(%r13), %rdi", "rep stosb"
KIND k_in, nop, "in $0x80, %al"
KIND k_out, nop, "out %al, $0x80"
KIND k_outs, "mov $0x80, %edx", "mov $512, %ecx", "mov %r12, %rsi", "rep outsb"
KIND k_ins, "mov $0x80, %edx", "mov $512, %ecx", "mov %r12, %rdi", "rep insb"
KIND k_ioapic_same, "call select_ioapic", "movl %eax, 0x10(%r14)"
KIND k_ioapic, "call select_ioapic", "xor $1, %eax", "movl %eax, 0x10(%r14)"
KIND k_cross, nop, "movw %ax, 0xfff(%r13)"
KIND k_kick_poll, "call polled", "call request", "call wait_used"
KIND k_kick_irq, "call interrupting", "call request", "call wait_irq"
KIND k_kick_hlt, "call interrupting; cli", "call request", "call wait_hlt"
KIND k_timer_hlt, "call interrupting; cli", "movl $20000, 0x380(%rbp)", "call wait_hlt"

KIND k_smi, "call start_others; call set_up_smi", "out %al, $0xb2"

/* All processors at once; how many is the third parameter. */
k_smp:
    call    start_others
    movl    $0, READY
    mov     %r11d, %r15d
    MARK(1)
    movl    $1, GO
1:  out     %al, $0x80
    dec     %r15d
    jnz     1b
1:  pause
    cmp     %ebx, READY
    jne     1b
    MARK(2)
    jmp     next

k_idle:
    MARK(3)
1:  hlt
    jmp     1b

    .balign 4
kinds:
    .long   k_nothing - kinds, k_load - kinds, k_store - kinds
    .long   k_modify - kinds, k_movs - kinds, k_stos - kinds, k_in - kinds
    .long   k_out - kinds, k_outs - kinds, k_ins - kinds
    .long   k_ioapic_same - kinds, k_ioapic - kinds, k_cross - kinds
    .long   k_kick_poll - kinds, k_kick_irq - kinds, k_kick_hlt - kinds
    .long   k_timer_hlt - kinds, k_smp - kinds, k_idle - kinds, k_smi - kinds

finish:
    mov     $0xf4, %edx
    xor     %eax, %eax
    out     %al, %dx
1:  cli
    hlt
    jmp     1b

/* Redirection entry 8, masked; a VMM without IOAPIC has no register to select. */
select_ioapic:
    test    %r8d, %r8d
    jz      1f
    movl    $0x10 + 2 * 8, (%r14)
1:  mov     $0x10000 + VECTOR, %eax
    ret

/* The other processors then run, and wait for GO. They are started anew. */
start_others:
    movl    $0, GO
    movl    $0, READY
    movl    $0xc4500, 0x300(%rbp)   /* INIT for all others */
    movl    $0xc4600 + 0xf0 + AP / 0x1000, 0x300(%rbp)      /* SIPI */
    mov     0xf0000 + PARAMS, %ebx
    dec     %ebx
1:  pause
    cmp     %ebx, READY
    jne     1b
    ret

/* Writes to port 0xb2 raise SMIs; their handler only returns. */
set_up_smi:
    movl    $0xaa0f, SMM_HANDLER    /* rsm */
    mov     $PIIX4_PM + 0x58, %ecx
    call    pci_read
    or      $1 << 25, %eax          /* APMC_EN */
    call    pci_write
    xor     %eax, %eax
    ret

/* ---- Interrupts ---- */

set_up_interrupts:
    lea     handler(%rip), %rax
    mov     $IDT + 16 * VECTOR, %edi
    movw    %ax, (%rdi)
    movw    $0x10, 2(%rdi)
    movw    $0x8e00, 4(%rdi)
    shr     $16, %rax
    movw    %ax, 6(%rdi)
    movq    $0, 8(%rdi)
    lidt    idtr(%rip)
    mov     $LAPIC, %ebp
    movl    $0x1ff, 0xf0(%rbp)      /* on */
    movl    $0, 0x80(%rbp)          /* TPR */
    movl    $0xb, 0x3e0(%rbp)       /* timer: divide by 1 */
    movl    $VECTOR, 0x320(%rbp)    /* one shot */
    xor     %r9d, %r9d              /* interrupts that were waited for */
    movl    $0, BUFFER - 4
    ret

handler:
    push    %rax
    incl    BUFFER - 4
    mov     $LAPIC, %eax
    movl    $0, 0xb0(%rax)
    pop     %rax
    iretq

wait_irq:
    inc     %r9d
1:  pause
    cmp     %r9d, BUFFER - 4
    jne     1b
    ret

wait_hlt:
    inc     %r9d
1:  cmp     %r9d, BUFFER - 4
    je      2f
    sti
    hlt
    cli
    jmp     1b
2:  ret

/* ---- PCI ---- */

/* Configuration register ecx (bits 15:8 device and function) into eax */
pci_read:
    mov     $0xcf8, %edx
    lea     0x80000000(%rcx), %eax
    out     %eax, %dx
    mov     $0xcfc, %edx
    in      %dx, %eax
    ret

/* eax into configuration register ecx */
pci_write:
    push    %rax
    mov     $0xcf8, %edx
    lea     0x80000000(%rcx), %eax
    out     %eax, %dx
    mov     $0xcfc, %edx
    pop     %rax
    out     %eax, %dx
    ret

/*
 * The BARs of both test devices, 1b36:0005, one behind the other. r8: the
 * number of devices, 0 where there is no PCI.
 */
set_up_test_devices:
    xor     %r8d, %r8d
    mov     $TESTDEV, %esi
    xor     %ecx, %ecx
1:  call    pci_read
    cmp     $0x00051b36, %eax
    jne     2f
    inc     %r8d
    mov     %esi, %eax
    add     $0x1000, %esi
    add     $0x10, %ecx
    call    pci_write
    sub     $0x0c, %ecx
    mov     $2, %eax                /* memory */
    call    pci_write
    sub     $4, %ecx
2:  add     $0x800, %ecx
    cmp     $0x10000, %ecx
    jb      1b
    ret

/* ---- virtio-blk ---- */

/*
 * The device 1af4:1042 with its queue 0, and MSI-X; without one, the VMM knows
 * where the queue is.
 */
set_up_virtio:
    mov     $RING, %edi
    xor     %eax, %eax
    mov     $0x1000 / 4, %ecx
    rep stosl
    /* one request: read a sector into DATA */
    movq    $REQUEST, RING
    movabs  $0x0001000100000010, %rax   /* next, NEXT, length */
    mov     %rax, RING + 8
    movq    $DATA, RING + 16
    movabs  $0x0002000300000200, %rax
    mov     %rax, RING + 24
    movq    $REQUEST + 64, RING + 32
    movabs  $0x0000000200000001, %rax
    mov     %rax, RING + 40
    xor     %ecx, %ecx
1:  call    pci_read
    cmp     $0x10421af4, %eax
    je      2f
    add     $0x800, %ecx
    cmp     $0x10000, %ecx
    jb      1b
    ret
2:  mov     %ecx, %ebx              /* the device */
    mov     $VIRTIO, %eax
    lea     0x20(%rbx), %ecx
    call    pci_write
    xor     %eax, %eax
    lea     0x24(%rbx), %ecx
    call    pci_write
    mov     $MSIX, %eax
    lea     0x14(%rbx), %ecx
    call    pci_write
    mov     $6, %eax                /* memory, bus master */
    lea     4(%rbx), %ecx
    call    pci_write
    /* find and enable MSI-X */
    lea     0x34(%rbx), %ecx
    call    pci_read
3:  movzbl  %al, %eax
    lea     (%rbx,%rax), %ecx
    call    pci_read
    cmp     $0x11, %al
    je      4f
    shr     $8, %eax
    jmp     3b
4:  or      $0x80000000, %eax
    call    pci_write
    mov     $MSIX, %esi
    movl    $LAPIC, (%rsi)
    movl    $0, 4(%rsi)
    movl    $VECTOR, 8(%rsi)
    movl    $0, 12(%rsi)
    mov     $VIRTIO, %esi
    movb    $0, 0x14(%rsi)          /* status */
    movb    $3, 0x14(%rsi)          /* ACKNOWLEDGE, DRIVER */
    movl    $0, 8(%rsi)
    movl    $0, 12(%rsi)
    movl    $1, 8(%rsi)
    movl    $1, 12(%rsi)            /* VERSION_1 alone */
    movb    $11, 0x14(%rsi)         /* FEATURES_OK */
    movw    $0, 0x16(%rsi)          /* queue */
    movw    $RING_SIZE, 0x18(%rsi)
    movw    $0, 0x1a(%rsi)          /* its vector */
    movl    $RING, 0x20(%rsi)
    movl    $0, 0x24(%rsi)
    movl    $AVAIL, 0x28(%rsi)
    movl    $0, 0x2c(%rsi)
    movl    $USED, 0x30(%rsi)
    movl    $0, 0x34(%rsi)
    movw    $1, 0x1c(%rsi)          /* enable */
    movb    $15, 0x14(%rsi)         /* DRIVER_OK */
    ret

/* No interrupts, please. */
polled:
    movw    $1, AVAIL
    ret

interrupting:
    movw    $0, AVAIL
    mov     BUFFER - 4, %r9d
    sti
    ret

/* The ring's entries are all 0, so the request only has to be offered. */
request:
    incw    AVAIL + 2
    mfence
    mov     $NOTIFY, %eax
    movw    $0, (%rax)
    ret

wait_used:
    mov     AVAIL + 2, %ax
1:  pause
    cmp     %ax, USED + 2
    jne     1b
    ret

/* ---- Tables ---- */

    .balign 8
gdt:
    .quad   0
    .quad   0x00cf9b000000ffff      /* 0x08: code, 32 bits */
    .quad   0x00af9b000000ffff      /* 0x10: code, 64 bits */
    .quad   0x00cf93000000ffff      /* 0x18: data */
gdtr:
    .word   gdtr - gdt - 1
    .long   0xf0000 + gdt
idtr:
    .word   16 * 256 - 1
    .quad   IDT

    .org    AP
    .code16
    xor     %ax, %ax
    mov     %ax, %ds
    lock incl READY
1:  pause
    testb   $1, GO
    jz      1b
    mov     COUNT, %ecx
1:  out     %al, $0x80
    dec     %ecx
    jnz     1b
    lock incl READY
1:  cli
    hlt
    jmp     1b

    .org    PARAMS
    .org    0xfff0
    .code16
    ljmp    $0xf000, $0
    .org    0x10000
