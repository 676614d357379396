/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Emulated Microsoft hypervisor: what the files of parent/ share.
 */
#ifndef HW_EMUHV_PARENT_INT_H
#define HW_EMUHV_PARENT_INT_H

#include "hw/emuhv/parent/parent.h"

/* GPA of the pre-provisioned SIMP and SIEFP pages, two for each CPU. */
#define PARENT_SYNIC_PAGES  0xfef00000u

void emuhv_parent_synic_init(EmuhvParentCpu *pc);
void emuhv_parent_synic_reset(EmuhvParentCpu *pc);
/* Forget all messages and reset every CPU's SynIC. */
void emuhv_parent_synic_drop_all(void);
bool emuhv_parent_synic_rdmsr(EmuhvParentCpu *pc, uint32_t msr, uint64_t *val);
/* False: #GP. */
bool emuhv_parent_synic_wrmsr(EmuhvParentCpu *pc, uint32_t msr, uint64_t val);

#endif /* HW_EMUHV_PARENT_INT_H */
