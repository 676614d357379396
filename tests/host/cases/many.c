/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16 VPs in one partition, 8 partitions at once: all run. */
#include <pthread.h>
#include "vm.h"

GUEST16(guest, "lock incl 0x3000\n out %al, $1");

static void *run(void *arg)
{
    Vm *vm = arg;
    Msg m;
    unsigned vp = __atomic_fetch_add((uint32_t *)(vm->mem + 0x4000), 1,
                                     __ATOMIC_RELAXED);

    return vp_run(vm, vp, &m) == 0 && m.type == MSG_IO_PORT ? vm : NULL;
}

static unsigned run_all(Vm *vm, unsigned vps, pthread_t *threads)
{
    unsigned i, good = 0;
    void *ret;

    for (i = 0; i < vps; i++) {
        START16(vm, i, guest);
    }
    for (i = 0; i < vps; i++) {
        pthread_create(&threads[i], NULL, run, vm);
    }
    for (i = 0; i < vps; i++) {
        pthread_join(threads[i], &ret);
        good += ret != NULL;
    }
    return good;
}

int main(void)
{
    pthread_t threads[16];
    Vm one, many[8];
    unsigned i;

    vm_make(&one, 1 << 20, 16);
    is_u64(run_all(&one, 16, threads), 16, "16 VPs of one partition");
    is_u64(*(uint32_t *)(one.mem + 0x3000), 16, "counted to 16 together");
    vm_free(&one);
    for (i = 0; i < 8; i++) {
        vm_make(&many[i], 1 << 20, 2);
    }
    for (i = 0; i < 8; i++) {
        is_u64(run_all(&many[i], 2, threads), 2, "partition %u", i);
        is_u64(*(uint32_t *)(many[i].mem + 0x3000), 2,
               "partition %u has its own memory", i);
    }
    for (i = 0; i < 8; i++) {
        vm_free(&many[i]);
    }
    return done();
}
