/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: hooks that QEMU's own files call.
 *
 * Every call of an emuhv_do_*() function is behind emuhv_is_child() or
 * emuhv_cpu(), that is behind one pointer, X86CPU.emuhv, which is NULL on every
 * CPU of a machine without the hypervisor.  Without CONFIG_EMUHV these tests
 * are constants and the compiler drops the calls.
 */
#ifndef HW_EMUHV_HOOKS_H
#define HW_EMUHV_HOOKS_H

#include "cpu.h"

typedef enum EmuhvCpuKind {
    EMUHV_CPU_PARENT,   /* a CPU of the machine: runs the parent partition */
    EMUHV_CPU_CHILD,    /* a CPU of the pool: runs VPs of child partitions */
} EmuhvCpuKind;

/* Head of what X86CPU.emuhv points to (EmuhvVp or the parent's object). */
typedef struct EmuhvCpu {
    EmuhvCpuKind kind;
    X86CPU *cpu;
} EmuhvCpu;

#if defined(CONFIG_EMUHV) && defined(TARGET_X86_64) && \
    !defined(CONFIG_USER_ONLY)

/* True once the machine option is on; set before the first CPU is made. */
bool emuhv_enabled(void);
/* Number of child CPUs that the pool may make (TCG contexts to reserve). */
unsigned emuhv_pool_size(void);
/* At least so many APIC ids must have a place in a partition's APIC array. */
#define EMUHV_APIC_IDS 256

/* Class init of the PC machine: the properties of the hypervisor. */
void emuhv_machine_class_init(ObjectClass *oc);
/* The PC machine has its CPUs now: start the hypervisor if it is on. */
void emuhv_machine_init(MachineState *machine);

static inline bool emuhv_cpu(const X86CPU *cpu)
{
    return unlikely(cpu->emuhv);
}

static inline bool emuhv_is_child(const X86CPU *cpu)
{
    return unlikely(cpu->emuhv) && cpu->emuhv->kind == EMUHV_CPU_CHILD;
}

#else

#define emuhv_enabled()     false
#define emuhv_pool_size()   0u
#define EMUHV_APIC_IDS      0
#define emuhv_cpu(cpu)      false
#define emuhv_is_child(cpu) false
#define emuhv_machine_class_init(oc) do { } while (0)
#define emuhv_machine_init(machine) do { } while (0)

#endif

/* Is this device a CPU that runs VPs of child partitions? */
bool emuhv_is_child_dev(DeviceState *dev);

/* Memory: excp_helper.c, helper.c */
bool emuhv_do_stage2(CPUX86State *env, hwaddr gpa, MMUAccessType access,
                     hwaddr *pa, int *prot);
G_NORETURN void emuhv_do_raise_stage2(CPUX86State *env, vaddr gva,
                                      bool in_walk, MMUAccessType access,
                                      int mmu_idx, uintptr_t ra);
void emuhv_do_tlb_filled(CPUX86State *env, vaddr gva, hwaddr pa, int *prot);
MMUAccessType emuhv_do_ptw_access(CPUX86State *env, hwaddr gpa,
                                  bool *read_only);
void emuhv_do_flush_stage1(CPUX86State *env);
hwaddr emuhv_do_debug_translate(CPUX86State *env, vaddr gva);

/* Intercepts: svm_helper.c, misc_helper.c, seg_helper.c */
void emuhv_do_check_intercept(CPUX86State *env, uint32_t type,
                              uint64_t param, uintptr_t ra);
void emuhv_do_check_io(CPUX86State *env, uint32_t port, uint32_t param,
                       uint32_t insn_len, uintptr_t ra);
G_NORETURN void emuhv_do_vmexit(CPUX86State *env, uint64_t code, uintptr_t ra);
void emuhv_do_vmcall(CPUX86State *env, uintptr_t ra);
void emuhv_do_cpuid(CPUX86State *env, uint32_t *eax, uint32_t *ebx,
                    uint32_t *ecx, uint32_t *edx, uintptr_t ra);
bool emuhv_do_wrmsr(CPUX86State *env, uint64_t val, uintptr_t ra);
bool emuhv_do_rdmsr(CPUX86State *env, uint64_t *val, uintptr_t ra);

/* Events: seg_helper.c, cpu.c */
void emuhv_do_event_begin(CPUX86State *env, int intno, int is_int,
                          int error_code, target_ulong next_eip, int *is_hw);
void emuhv_do_event_end(CPUX86State *env);
/* Is an event being delivered? */
bool emuhv_do_in_event(X86CPU *cpu);
/* Returns if a debugger waits for it. */
void emuhv_do_debug_event(X86CPU *cpu);
int emuhv_do_exec_interrupt(CPUX86State *env, int interrupt_request);
/* False: the VP stays halted, whatever waits for it. */
bool emuhv_do_exec_halt(CPUX86State *env);
bool emuhv_do_has_work(CPUX86State *env);
void emuhv_do_reset(X86CPU *cpu);

/* Interrupt controller: apic.c, cpu.c */
struct APICCommonState **emuhv_do_apic_bus(X86CPU *cpu);
bool emuhv_do_extint(X86CPU *cpu);
/* Time from which to look for the next tick of the timer; @last: this one's. */
int64_t emuhv_do_apic_period(X86CPU *cpu, int64_t last);
int emuhv_do_read_extint(X86CPU *cpu);
void emuhv_do_apic_eoi(X86CPU *cpu, int vector);
/* Whether it ends there: it is delivered to nobody. */
bool emuhv_do_apic_ipi(X86CPU *cpu, uint64_t icr);

#endif /* HW_EMUHV_HOOKS_H */
