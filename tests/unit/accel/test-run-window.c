/*
 * Tests of the run window: no kick is lost.
 *
 * The ioctl that blocks stands for MSHV_RUN_VP: waiting for a notification of
 * a seccomp filter, which any user may do, and which never comes here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "run.h"
#include "../runner.h"

#define KICKS 20000

/* Where the thread goes on that the signal found at @rip. */
static const char *left_from(const char *rip)
{
    ucontext_t context = { 0 };

    context.uc_mcontext.gregs[REG_RIP] = (greg_t)rip;
    mshv_run_window_leave(&context);
    return (const char *)context.uc_mcontext.gregs[REG_RIP];
}

START_TEST(handler_moves_only_what_is_inside)
{
    const char *rip;

    for (rip = mshv_run_window_begin - 64; rip < mshv_run_window_end + 64;
         rip++) {
        bool inside = rip >= mshv_run_window_begin &&
                      rip < mshv_run_window_end;

        ck_assert_ptr_eq(left_from(rip), inside ? mshv_run_window_out : rip);
    }
}
END_TEST

START_TEST(window_ends_with_the_system_call)
{
    const unsigned char *window = (const unsigned char *)mshv_run_window_begin;
    size_t size = mshv_run_window_end - mshv_run_window_begin;

    /* syscall is 0f 05; one restarted by the kernel is inside the window */
    ck_assert_uint_eq(window[size - 2], 0x0f);
    ck_assert_uint_eq(window[size - 1], 0x05);
}
END_TEST

START_TEST(flag_keeps_out_of_the_kernel)
{
    uint32_t kicked = 1;

    /* -1 is no descriptor: the kernel would answer EBADF */
    ck_assert_int_eq(mshv_run_window(-1, 0, NULL, &kicked), -EINTR);
    kicked = 0;
    ck_assert_int_eq(mshv_run_window(-1, 0, NULL, &kicked), -EBADF);
}
END_TEST

/* A filter that lets everything pass; returns the notifications' fd. */
static int make_listener(void)
{
    struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { .len = 1, .filter = &allow };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        return -1;
    }
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static struct {
    int fd;
    uint32_t kicked;
    _Atomic unsigned left;      /* how often the window was left */
    _Atomic int wrong;          /* a result that is not -EINTR */
    _Atomic bool stop;
} vcpu;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    __atomic_store_n(&vcpu.kicked, 1, __ATOMIC_SEQ_CST);
    mshv_run_window_leave(context);
}

/* Raise SIGUSR1 when the thread is about to execute what is at @trap_at. */
static const char *trap_at;
static bool trapped;

static void on_step(int sig, siginfo_t *info, void *context)
{
    greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)sig;
    (void)info;
    if (gregs[REG_RIP] == (greg_t)trap_at) {
        gregs[REG_EFL] &= ~0x100;
        trapped = true;
        raise(SIGUSR1);
    }
}

static void set_trap_flag(void)
{
    __asm__ volatile("pushfq\n\torl $0x100, (%%rsp)\n\tpopfq"
                     : : : "memory", "cc");
}

static void clear_trap_flag(void)
{
    __asm__ volatile("pushfq\n\tandl $~0x100, (%%rsp)\n\tpopfq"
                     : : : "memory", "cc");
}

static void install(int sig, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {
        .sa_sigaction = handler,
        .sa_flags = SA_SIGINFO,
    };

    /* What on_step raises arrives when the thread is back in the window. */
    sigaddset(&action.sa_mask, SIGUSR1);
    sigaction(sig, &action, NULL);
}

/*
 * A kick at every single instruction of the window, by single step. A kick
 * that is lost waits for ever: the timeout tells.
 */
START_TEST(kick_at_each_instruction_gets_out)
{
    /* cmpl (%rcx); jne; movl to eax; syscall */
    static const unsigned char offsets[] = { 0, 3, 5, 10 };
    struct seccomp_notif notification;

    ck_assert_uint_eq(mshv_run_window_end - mshv_run_window_begin, 12);
    vcpu.fd = make_listener();
    if (vcpu.fd < 0) {
        ck_abort_msg("no seccomp listener: %s", strerror(errno));
    }
    install(SIGUSR1, on_signal);
    install(SIGTRAP, on_step);
    for (unsigned i = 0; i < sizeof(offsets); i++) {
        int ret;

        memset(&notification, 0, sizeof(notification));
        vcpu.kicked = 0;
        trapped = false;
        trap_at = mshv_run_window_begin + offsets[i];
        set_trap_flag();
        ret = mshv_run_window(vcpu.fd, SECCOMP_IOCTL_NOTIF_RECV,
                              &notification, &vcpu.kicked);
        clear_trap_flag();
        ck_assert_msg(trapped, "no instruction at offset %u", offsets[i]);
        ck_assert_int_eq(ret, -EINTR);
    }
    close(vcpu.fd);
}
END_TEST

static void *run_vcpu(void *unused)
{
    struct seccomp_notif notification;

    (void)unused;
    while (!vcpu.stop) {
        int ret;

        memset(&notification, 0, sizeof(notification));
        ret = mshv_run_window(vcpu.fd, SECCOMP_IOCTL_NOTIF_RECV,
                              &notification, &vcpu.kicked);
        if (ret != -EINTR) {
            vcpu.wrong = ret;
        }
        __atomic_exchange_n(&vcpu.kicked, 0, __ATOMIC_SEQ_CST);
        vcpu.left++;
    }
    return NULL;
}

/* As kick() in accel/mshv/vcpu.c. */
static void kick(pthread_t thread)
{
    if (!__atomic_exchange_n(&vcpu.kicked, 1, __ATOMIC_SEQ_CST)) {
        pthread_kill(thread, SIGUSR1);
    }
}

static bool wait_until_left(unsigned before)
{
    struct timespec start, now;

    clock_gettime(CLOCK_MONOTONIC, &start);
    while (vcpu.left == before) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec - start.tv_sec > 10) {
            return false;
        }
        if (now.tv_sec != start.tv_sec) {
            usleep(100);
        }
    }
    return true;
}

START_TEST(no_kick_is_lost)
{
    pthread_t thread;
    unsigned seed = 1;

    vcpu.fd = make_listener();
    if (vcpu.fd < 0) {
        ck_abort_msg("no seccomp listener: %s", strerror(errno));
    }
    install(SIGUSR1, on_signal);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_vcpu, NULL), 0);
    for (unsigned i = 0; i < KICKS; i++) {
        unsigned before = vcpu.left;

        /* Meet the thread at ever other places of its way. */
        for (unsigned n = rand_r(&seed) % 512; n; n--) {
            __asm__ volatile("pause");
        }
        kick(thread);
        ck_assert_msg(wait_until_left(before), "kick %u was lost", i);
    }
    vcpu.stop = true;
    kick(thread);
    pthread_join(thread, NULL);
    ck_assert_int_eq(vcpu.wrong, 0);
    close(vcpu.fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("accel-run-window");
    TCase *test = tcase_create("run-window");

    alarm(120);                 /* A lost kick may hang a test. */
    tcase_add_test(test, handler_moves_only_what_is_inside);
    tcase_add_test(test, window_ends_with_the_system_call);
    tcase_add_test(test, flag_keeps_out_of_the_kernel);
    tcase_add_test(test, kick_at_each_instruction_gets_out);
    tcase_add_test(test, no_kick_is_lost);
    suite_add_tcase(suite, test);
    return run_suite(suite);
}
