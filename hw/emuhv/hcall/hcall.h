/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: hypercalls of the parent.
 */
#ifndef HW_EMUHV_HCALL_H
#define HW_EMUHV_HCALL_H

#include "hw/emuhv/base/base.h"

void emuhv_hcall_init(void);
/* VMCALL on a parent CPU. */
G_NORETURN void emuhv_hcall_vmcall(CPUX86State *env, uintptr_t ra);
/* (drops BQL) Until no hypercall is being handled */
void emuhv_hcall_wait(void);
/* All counters as JSON; the caller frees it. */
char *emuhv_report_json(void);

#endif /* HW_EMUHV_HCALL_H */
