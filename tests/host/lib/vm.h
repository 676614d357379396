/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small virtual machine on /dev/mshv. What fails here ends the test. */
#ifndef TESTS_HOST_VM_H
#define TESTS_HOST_VM_H

#include <sys/ioctl.h>
#include <sys/types.h>
#include "mshv/uapi.h"
#include "hv.h"
#include "tap.h"

#define PAGE            4096u
/* Where guest code starts: CS base 0, real mode. */
#define CODE            0x1000u
#define LAPIC_FLAGS     (1ull << MSHV_PT_BIT_LAPIC)
#define RAM_FLAGS       ((1u << MSHV_SET_MEM_BIT_WRITABLE) | \
                         (1u << MSHV_SET_MEM_BIT_EXECUTABLE))

typedef struct Vm {
    int dev;
    int fd;                 /* the partition */
    uint8_t *mem;           /* at guest address 0 */
    size_t size;
    int vps[256];           /* descriptor, 0: none */
} Vm;

int open_dev(void);
/* A partition that is not initialized; its descriptor. */
int new_partition(int dev, uint64_t flags);

/* An initialized partition with RAM at 0 and @vps processors. */
void vm_make(Vm *vm, size_t size, unsigned vps);
/* The same with other creation flags and synthetic features. */
void vm_make_with(Vm *vm, size_t size, unsigned vps, uint64_t flags,
                  uint64_t features);
void vm_free(Vm *vm);
int vm_map(Vm *vm, uint64_t gpa, void *at, size_t size, uint8_t flags);
int vm_unmap(Vm *vm, uint64_t gpa, void *at, size_t size);
void *anon(size_t size);

/* Memory that the guest or the hypervisor changes while we look */
#define LOAD(at)        __atomic_load_n(at, __ATOMIC_SEQ_CST)
#define STORE(at, v)    __atomic_store_n(at, v, __ATOMIC_SEQ_CST)

/*
 * A hypercall through descriptor @fd; its HV_STATUS, or -errno if it did not
 * get that far. *@reps: repetitions, then those done.
 */
int hypercall(int fd, uint16_t code, uint16_t *reps, const void *in,
              size_t in_size, void *out, size_t out_size);
int get_property(int fd, uint32_t code, uint64_t *value);
int set_property(int fd, uint32_t code, uint64_t value);
int try_get_reg(Vm *vm, unsigned vp, uint32_t name, RegValue *value);
int try_set_reg(Vm *vm, unsigned vp, uint32_t name, RegValue value);
uint64_t get_reg(Vm *vm, unsigned vp, uint32_t name);
void set_reg(Vm *vm, unsigned vp, uint32_t name, uint64_t value);
int assert_interrupt(Vm *vm, unsigned type, unsigned level, uint64_t apic_id,
                     uint32_t vector);
int install_intercept(Vm *vm, uint32_t type, uint32_t access, uint64_t param);

/*
 * Guest code, written in the test: GUEST16(name, "instructions"). CODE_OF(name)
 * is what the assembler made of it.
 */
#define GUEST_(mode, name, text)                                        \
    __asm__(".pushsection .rodata\n" mode "\n"                          \
            ".globl " #name ", " #name "_end\n" #name ":\n" text "\n"   \
            #name "_end:\n.byte 0\n.code64\n.popsection")
#define GUEST16(name, text) GUEST_(".code16", name, text)
#define GUEST64(name, text) GUEST_(".code64", name, text)

typedef struct Code {
    const uint8_t *start, *end;
} Code;

#define CODE_OF(name)                                                   \
    ({                                                                  \
        extern const uint8_t name[], name##_end[];                      \
        (Code) { name, name##_end };                                    \
    })

void vm_write(Vm *vm, uint64_t gpa, Code code);
/* Put code at CODE and the VP there, in real mode. */
void vp_start16(Vm *vm, unsigned vp, Code code);
#define START16(vm, vp, name) vp_start16(vm, vp, CODE_OF(name))
/* The same in 64-bit mode, with 1 GiB mapped one to one; tables at 0x10000. */
void vp_start64(Vm *vm, unsigned vp, Code code);
#define START64(vm, vp, name) vp_start64(vm, vp, CODE_OF(name))

/* In real mode: ES begins at the local APIC's registers. */
void vp_lapic_at_es(Vm *vm, unsigned vp);

/* MSHV_RUN_VP; 0 or -errno. */
int vp_run(Vm *vm, unsigned vp, Msg *msg);
/* The same, but it must give this message. False, and said why, if not. */
bool vp_gives(Vm *vm, unsigned vp, Msg *msg, uint32_t type, const char *what);
/* It must write to @port within 5 seconds; then it is behind that. */
bool vp_at_port(Vm *vm, unsigned vp, uint16_t port, const char *what, Msg *msg);
/* Go on behind the intercepted instruction. */
void vp_skip(Vm *vm, unsigned vp, const Msg *msg);

/*
 * Interrupt this thread's system calls with SIGALRM after @ms, and every
 * @ms from then on; 0: no more.
 */
void alarm_ms(unsigned ms);

double now(void);

#endif
