/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Execute one instruction on this machine's own processor
 *
 * A signal handler replaces the whole register state on its way out, so the
 * instruction starts with exactly that; a breakpoint behind it, or the fault
 * that it raises, is the next signal, whose frame has the result.
 */

#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "native.h"

/* Offsets in the XSAVE area, standard format (SDM volume 1, chapter 13). */
#define MXCSR_MASK      28
#define ST              32
#define X_XMM           160
#define X_XSTATE_BV     512
#define X_YMM           576

static const int order[16] = {
    REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
    REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static struct native_state *now;
static gregset_t saved;
static uint8_t saved_fx[160];
static bool have_ymm;
static unsigned opmask;         /* where they are, 0 if there are none */

static void enter(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;
    uint8_t *x = (uint8_t *)uc->uc_mcontext.fpregs;
    uint64_t bv;
    unsigned i;

    (void)sig;
    (void)info;
    memcpy(saved, g, sizeof(saved));
    memcpy(saved_fx, x, sizeof(saved_fx));
    for (i = 0; i < 16; i++) {
        g[order[i]] = now->gpr[i];
        memcpy(x + X_XMM + 16 * i, now->vec[i], 16);
        if (have_ymm) {
            memcpy(x + X_YMM + 16 * i, now->vec[i] + 16, 16);
        }
    }
    memcpy(x, now->fx, MXCSR_MASK);
    memcpy(x + ST, now->fx + ST, sizeof(now->fx) - ST);
    if (have_ymm) {
        memcpy(&bv, x + X_XSTATE_BV, 8);
        bv |= 7;
        if (opmask) {
            memcpy(x + opmask, now->opmask, sizeof(now->opmask));
            bv |= 1 << 5;
        }
        memcpy(x + X_XSTATE_BV, &bv, 8);
    }
    g[REG_RIP] = NATIVE_CODE;
    g[REG_EFL] = now->rflags | 0x202;
}

static void leave(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;
    uint8_t *x = (uint8_t *)uc->uc_mcontext.fpregs;
    unsigned i;

    (void)sig;
    (void)info;
    for (i = 0; i < 16; i++) {
        now->gpr[i] = g[order[i]];
        memcpy(now->vec[i], x + X_XMM + 16 * i, 16);
        if (have_ymm) {
            memcpy(now->vec[i] + 16, x + X_YMM + 16 * i, 16);
        }
    }
    memcpy(now->fx, x, sizeof(now->fx));
    now->rip = g[REG_RIP];
    now->rflags = g[REG_EFL];
    now->vector = g[REG_TRAPNO];
    now->cr2 = now->vector == 14 ? (uint64_t)g[REG_CR2] : 0;
    memcpy(g, saved, sizeof(saved));
    memcpy(x, saved_fx, sizeof(saved_fx));
}

static bool map_at(uint64_t where, unsigned len, int prot)
{
    void *p = mmap((void *)where, len, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    return p == (void *)where;
}

bool native_init(const char **why)
{
    static uint8_t stack[65536];
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
    static const int signals[] = {
        SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
    };
    struct sigaction sa = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
    unsigned i, a, b, c, d;

    __cpuid(1, a, b, c, d);
    have_ymm = (c >> 28 & 1) && (c >> 27 & 1);
    if (have_ymm && __get_cpuid_count(13, 5, &a, &b, &c, &d) && a) {
        opmask = b;
    }
    if (!map_at(NATIVE_CODE, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) ||
        !map_at(NATIVE_DATA, NATIVE_DATA_LEN, PROT_READ | PROT_WRITE)) {
        *why = "the addresses for code and data are not free";
        return false;
    }
    sigaltstack(&ss, NULL);
    sa.sa_sigaction = enter;
    sigaction(SIGUSR1, &sa, NULL);
    sa.sa_sigaction = leave;
    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        sigaction(signals[i], &sa, NULL);
    }
    return true;
}

void native_run(struct native_state *s, const uint8_t *bytes, unsigned n)
{
    memset((void *)NATIVE_CODE, 0xcc, 256);
    memcpy((void *)NATIVE_CODE, bytes, n);
    now = s;
    raise(SIGUSR1);
    if (s->vector == 3) {
        s->rip--;           /* of the breakpoint */
    }
}
