/*
 * A virtual processor: creation, parking, and access to its registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "qapi/error.h"
#include "qemu/atomic.h"
#include "arch.h"
#include "ioctl.h"
#include "irq.h"
#include "partition.h"
#include "vcpu.h"
#include "vp.h"

/*
 * The kernel never deletes a VP before the partition, and refuses to create
 * one twice. So a CPU that is unplugged leaves its VP here, for the next CPU
 * with the same index.
 */
static AccelCPUState *vps[MSHV_MAX_VPS];

static void *map_register_page(int fd, Error **errp)
{
    void *page = mmap(NULL, MSHV_HV_PAGE_SIZE, PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, MSHV_VP_MMAP_OFFSET_REGISTERS *
                      (off_t)qemu_real_host_page_size());

    if (page == MAP_FAILED) {
        error_setg_errno(errp, errno, "cannot map the register page");
        return NULL;
    }
    return page;
}

static AccelCPUState *create_vp(uint32_t index, Error **errp)
{
    AccelCPUState *vp = g_new0(AccelCPUState, 1);

    vp->vp_index = index;
    vp->counters = &mshv_counters->vps[index];
    /* The type of no message: the first exit looks for its row. */
    vp->exit_row = &vp->counters->exits[MSHV_COUNTERS_EXITS - 1];
    vp->exit_handler = mshv_arch_exit_handler(vp->exit_row->type);
    vp->fd = mshv_partition_create_vp(index, errp);
    if (vp->fd >= 0) {
        vp->regpage = map_register_page(vp->fd, errp);
        if (vp->regpage) {
            mshv_counters_add(&vp->counters->created, 1);
            mshv_counters_add(&mshv_counters->vm.vps, 1);
            return vp;
        }
        close(vp->fd);
    }
    g_free(vp);
    return NULL;
}

bool mshv_cpu_realize(CPUState *cpu, Error **errp)
{
    uint32_t index = mshv_arch_vp_index(cpu);

    if (index >= MSHV_MAX_VPS) {
        error_setg(errp, "mshv: no CPU can have the number %u: the kernel "
                   "knows %u VPs in a partition", index, MSHV_MAX_VPS);
        return false;
    }
    if (!vps[index]) {
        AccelCPUState *vp = create_vp(index, errp);

        if (!vp) {
            error_prepend(errp, "mshv: cannot create VP %u: ", index);
            return false;
        }
        qatomic_set(&vps[index], vp);
        mshv_irq_vp_added();
    }
    cpu->accel = vps[index];
    cpu->vcpu_dirty = true;
    return true;
}

void mshv_cpu_unrealize(CPUState *cpu)
{
    AccelCPUState *vp = cpu->accel;

    if (vp) {
        mshv_arch_vp_destroy(cpu);
        cpu->accel = NULL;
        vp->kicked = 0;
        vp->page_fresh = false;
        vp->usable = false;
    }
}

bool mshv_vp_exists(uint32_t index)
{
    return index < MSHV_MAX_VPS && qatomic_read(&vps[index]);
}

/* The input and the output of a hypercall take a page each. */
#define GET_BATCH MIN((MSHV_HV_PAGE_SIZE - \
                       sizeof(struct hv_input_get_vp_registers)) / \
                      sizeof(uint32_t), \
                      MSHV_HV_PAGE_SIZE / sizeof(union hv_register_value))
#define SET_BATCH ((MSHV_HV_PAGE_SIZE - \
                    sizeof(struct hv_input_set_vp_registers)) / \
                   sizeof(struct hv_register_assoc))

static int get_batch(AccelCPUState *vp, const uint32_t *names,
                     union hv_register_value *values, uint16_t n,
                     uint16_t *done, Error **errp)
{
    uint64_t page[MSHV_HV_PAGE_SIZE / sizeof(uint64_t)];
    struct hv_input_get_vp_registers *in = (void *)page;
    size_t size = sizeof(*in) + n * sizeof(names[0]);
    int ret;

    memset(in, 0, sizeof(*in));
    in->vp_index = vp->vp_index;
    memcpy(in + 1, names, n * sizeof(names[0]));
    ret = mshv_hvcall(vp->fd, HVCALL_GET_VP_REGISTERS, n, in, size,
                      values, n * sizeof(values[0]), done, errp);
    if (ret < 0 && *done < n) {
        error_prepend(errp, "VP %u, register 0x%x: ", vp->vp_index,
                      names[*done]);
    }
    return ret;
}

int mshv_vp_get_regs(CPUState *cpu, const uint32_t *names,
                     union hv_register_value *values, unsigned n,
                     Error **errp)
{
    uint16_t done;
    int ret = 0;
    unsigned i, batch;

    for (i = 0; i < n && !ret; i += batch) {
        batch = MIN(n - i, GET_BATCH);
        ret = get_batch(cpu->accel, names + i, values + i, batch, &done, errp);
    }
    return ret;
}

unsigned mshv_vp_count_regs(CPUState *cpu, const uint32_t *names, unsigned n)
{
    union hv_register_value values[MSHV_HV_PAGE_SIZE /
                                   sizeof(union hv_register_value)];
    uint16_t done, batch = MIN(n, GET_BATCH);

    return get_batch(cpu->accel, names, values, batch, &done, NULL) < 0
           ? MIN(done, batch) : batch;
}

static int set_batch(AccelCPUState *vp, const struct hv_register_assoc *regs,
                     uint16_t n, Error **errp)
{
    uint64_t page[MSHV_HV_PAGE_SIZE / sizeof(uint64_t)];
    struct hv_input_set_vp_registers *in = (void *)page;
    size_t size = sizeof(*in) + n * sizeof(regs[0]);
    uint16_t done;
    int ret;

    memset(in, 0, sizeof(*in));
    in->vp_index = vp->vp_index;
    memcpy(in + 1, regs, n * sizeof(regs[0]));
    ret = mshv_hvcall(vp->fd, HVCALL_SET_VP_REGISTERS, n, in, size, NULL, 0,
                      &done, errp);
    if (ret < 0 && done < n) {
        error_prepend(errp, "VP %u, register 0x%x = 0x%" PRIx64 ": ",
                      vp->vp_index, regs[done].name, regs[done].value.reg64);
    }
    return ret;
}

int mshv_vp_set_regs(CPUState *cpu, const struct hv_register_assoc *regs,
                     unsigned n, Error **errp)
{
    int ret = 0;
    unsigned i, batch;

    for (i = 0; i < n && !ret; i += batch) {
        batch = MIN(n - i, SET_BATCH);
        ret = set_batch(cpu->accel, regs + i, batch, errp);
    }
    return ret;
}

int mshv_vp_state(CPUState *cpu, bool set, uint8_t type, void *buf,
                  uint32_t *size, Error **errp)
{
    struct mshv_get_set_vp_state args = {
        .type = type,
        .buf_sz = *size,
        .buf_ptr = (uintptr_t)buf,
    };
    int ret = mshv_ioctl(set ? MSHV_CALL_SET_VP_STATE :
                         MSHV_CALL_GET_VP_STATE, cpu->accel->fd, &args, errp);

    if (ret < 0) {
        error_prepend(errp, "VP %u, state %u: ", cpu->accel->vp_index, type);
    }
    *size = args.buf_sz;
    return ret;
}
