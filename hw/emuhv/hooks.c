/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: hooks of QEMU that are for CPUs of the parent
 * and of children alike.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "target/i386/tcg/helper-tcg.h"
#include "hw/emuhv/hcall/hcall.h"
#include "hw/emuhv/parent/parent.h"
#include "hw/emuhv/vp/vp.h"

bool emuhv_is_child_dev(DeviceState *dev)
{
    X86CPU *cpu = (X86CPU *)object_dynamic_cast(OBJECT(dev), TYPE_X86_CPU);

    return cpu && emuhv_is_child(cpu);
}

void emuhv_do_reset(X86CPU *cpu)
{
    if (emuhv_is_child(cpu)) {
        emuhv_vp_cpu_reset(emuhv_vp_of(&cpu->env));
    } else {
        emuhv_parent_cpu_reset(emuhv_parent_cpu(cpu));
    }
}

void emuhv_do_cpuid(CPUX86State *env, uint32_t *eax, uint32_t *ebx,
                    uint32_t *ecx, uint32_t *edx, uintptr_t ra)
{
    uint32_t r[4] = { *eax, *ebx, *ecx, *edx };

    if (emuhv_is_child(env_archcpu(env))) {
        emuhv_vp_insn_cpuid(emuhv_vp_of(env), r, ra);
    } else {
        emuhv_parent_cpuid(env->regs[R_EAX], r);
    }
    *eax = r[0];
    *ebx = r[1];
    *ecx = r[2];
    *edx = r[3];
}

bool emuhv_do_wrmsr(CPUX86State *env, uint64_t val, uintptr_t ra)
{
    uint32_t msr = env->regs[R_ECX];
    bool gp, mine;

    if (emuhv_is_child(env_archcpu(env))) {
        return emuhv_vp_insn_wrmsr(emuhv_vp_of(env), msr, val, ra);
    }
    mine = emuhv_parent_wrmsr(env_archcpu(env), msr, val, &gp);
    if (mine && gp) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    return mine;
}

bool emuhv_do_rdmsr(CPUX86State *env, uint64_t *val, uintptr_t ra)
{
    uint32_t msr = env->regs[R_ECX];
    bool gp, mine;

    if (emuhv_is_child(env_archcpu(env))) {
        return emuhv_vp_insn_rdmsr(emuhv_vp_of(env), msr, val, ra);
    }
    mine = emuhv_parent_rdmsr(env_archcpu(env), msr, val, &gp);
    if (mine && gp) {
        raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
    }
    return mine;
}

void emuhv_do_vmcall(CPUX86State *env, uintptr_t ra)
{
    if (emuhv_is_child(env_archcpu(env))) {
        emuhv_vp_insn_vmcall(emuhv_vp_of(env), ra);
    } else if (!(env->hflags & HF_GUEST_MASK)) {
        emuhv_hcall_vmcall(env, ra);
    }
}
