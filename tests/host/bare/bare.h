/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a parent partition without an operating system needs: text on the
 * serial port, MSRs, hypercalls, interrupts, a second CPU.
 */
#ifndef TESTS_HOST_BARE_H
#define TESTS_HOST_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE        4096u
/* RAM for the hypervisor and for children: nothing of ours is in it. */
#define ARENA       0x1000000ull
#define ARENA_PAGES 4096u
/* More than the machine has */
#define NO_RAM      0x40000000ull

/* What the runner puts at 0x7000 ("-device loader") */
typedef struct Params {
    uint64_t first, count;      /* seeds */
    uint64_t steps;
    uint64_t cpus;
    uint64_t root_scheduler;
} Params;
/* volatile: the compiler must not take it for unwritten memory */
#define PARAMS      ((volatile Params *)0x7000)

void *memset(void *at, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

/* Knows %s %u %x (64-bit arguments) and %%. */
void print(const char *fmt, ...);
void power_off(void) __attribute__((noreturn));
/* Reset of the machine; RAM keeps its contents. */
void reboot(void) __attribute__((noreturn));

bool try_rdmsr(uint32_t msr, uint64_t *val);
bool try_wrmsr(uint32_t msr, uint64_t val);

/* RAX; ~0: #UD. Control, input and output as in registers. */
uint64_t hypercall(uint64_t control, uint64_t in, uint64_t out);
#define STATUS(rax) ((uint16_t)(rax))
#define REPS(rax)   ((unsigned)((rax) >> 32) & 0xfff)

/* Index of this CPU */
unsigned this_cpu(void);
/* Runs @fn on the second CPU; waits until it is there. */
void start_ap(void (*fn)(void));
/* Interrupts, by vector, of both CPUs */
extern volatile uint64_t interrupts[256];
/* Called with each vector from 32 on, before its EOI; may be NULL. */
extern void (*on_interrupt)(unsigned vector);

void interrupts_on(void);
/* A periodic interrupt, vector 0x40, on this CPU; 0: off */
void timer_us(unsigned period);
/* Take interrupts for a while. */
void idle(unsigned rounds);

/* Become a parent: guest OS id, hypercall page, SynIC of this CPU. */
void hv_start(void);

int main(void);

#endif
