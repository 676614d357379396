/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: the parent and its CPUs as objects.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "hw/emuhv/parent/parent.h"

#define VMCALL_LENGTH   3

EmuhvParent emuhv_parent;

EmuhvParentCpu *emuhv_parent_cpu(X86CPU *cpu)
{
    assert(cpu->emuhv && cpu->emuhv->kind == EMUHV_CPU_PARENT);
    return container_of(cpu->emuhv, EmuhvParentCpu, base);
}

void emuhv_parent_answer(EmuhvParentCpu *pc, uint64_t result)
{
    CPUX86State *env = &pc->base.cpu->env;

    env->regs[R_EAX] = result;
    env->eip += VMCALL_LENGTH;
    env->hflags &= ~HF_INHIBIT_IRQ_MASK;
    CPU(pc->base.cpu)->halted = 0;
}
