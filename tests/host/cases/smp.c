/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two VPs: INIT and SIPI by the first wake the second; both run at once. */
#include <pthread.h>
#include <signal.h>
#include "vm.h"

/* VP 0, ES at the local APIC: INIT, SIPI with vector 2 (0x2000) to APIC 1. */
GUEST16(first,
    "movl $0x1ff, %es:0xf0\n"
    "movl $0x01000000, %es:0x310\n movl $0x4500, %es:0x300\n"
    "movl $0x01000000, %es:0x310\n movl $0x4602, %es:0x300\n"
    "1: cmpw $0x55aa, 0x3000\n jne 1b\n"
    "movw $0xaa55, 0x3002\n out %al, $1");
GUEST16(second,
    "xor %ax, %ax\n mov %ax, %ds\n movw $0x55aa, 0x3000\n"
    "1: cmpw $0xaa55, 0x3002\n jne 1b\n out %al, $2");

static Vm vm;
static Msg second_msg;
static int second_ret;

static void *run_second(void *unused)
{
    sigset_t set;

    (void)unused;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);       /* it is for the first VP's thread */
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    second_ret = vp_run(&vm, 1, &second_msg);
    return NULL;
}

int main(void)
{
    pthread_t thread;
    Msg m;

    vm_make(&vm, 1 << 20, 2);
    START16(&vm, 0, first);
    vm_write(&vm, 0x2000, CODE_OF(second));
    vp_lapic_at_es(&vm, 0);
    /* As VMMs do it: the second waits for its SIPI. */
    set_reg(&vm, 1, R_ACTIVITY, 1);
    pthread_create(&thread, NULL, run_second, NULL);
    alarm_ms(10000);
    if (vp_gives(&vm, 0, &m, MSG_IO_PORT, "the first VP saw the second")) {
        is_u64(msg_port(&m), 1, "at its port");
        pthread_join(thread, NULL);
        ok(second_ret == 0 && second_msg.type == MSG_IO_PORT,
           "the second VP saw the first (0x%x)", second_msg.type);
        is_u64(msg_port(&second_msg), 2, "at its port");
        is_u64(msg_vp(&second_msg), 1, "the message is of VP 1");
        is_u64(msg_cs_base(&second_msg), 0x2000,
               "it started at the SIPI's page");
    }
    alarm_ms(0);
    return done();
}
