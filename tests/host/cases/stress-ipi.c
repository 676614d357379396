/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two VPs wake each other from HLT by IPI, turn by turn: no wake-up may get
 * lost. Once left alone, once while signals end MSHV_RUN_VP all the time.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include "vm.h"

enum { ROUNDS = 10000, HANDLER = 0x2000, VECTOR = 0x40, COUNT = 0x3000 };

/*
 * ES is at the local APIC. EDI: APIC ID of the other, shifted; BP: where our
 * interrupts are counted; BX: 1 if the other begins. ESI: how many were
 * expected so far.
 */
GUEST16(player,
    "cli\n movl $0x1ff, %es:0xf0\n xor %esi, %esi\n"
    "test %bx, %bx\n jnz 2f\n"
    "1: movl %edi, %es:0x310\n movl $0x4040, %es:0x300\n"
    "2: inc %esi\n"
    "3: cmpl %esi, (%bp)\n jae 4f\n sti\n hlt\n cli\n jmp 3b\n"
    "4: dec %ecx\n jnz 1b\n"
    "movl %edi, %es:0x310\n movl $0x4040, %es:0x300\n"
    "out %al, $0x10\n hlt");
GUEST16(handler, "incl (%bp)\n movl $0, %es:0xb0\n iret");

typedef struct Player {
    Vm *vm;
    unsigned vp;
    pthread_t thread;
    unsigned kicks;
    bool finished;
} Player;

static void start(Vm *vm, unsigned vp)
{
    uint16_t vector[2] = { HANDLER, 0 };

    START16(vm, vp, player);
    vm_write(vm, HANDLER, CODE_OF(handler));
    memcpy(vm->mem + VECTOR * 4, vector, sizeof(vector));
    memset(vm->mem + COUNT + 4 * vp, 0, 4);
    vp_lapic_at_es(vm, vp);
    set_reg(vm, vp, R_RSP, 0x8000 + 0x1000 * vp);
    set_reg(vm, vp, R_RBP, COUNT + 4 * vp);
    set_reg(vm, vp, R_RDI, (uint64_t)!vp << 24);
    set_reg(vm, vp, R_RBX, vp);
    set_reg(vm, vp, R_RCX, ROUNDS);
}

static void nothing(int unused)
{
    (void)unused;
}

static void *run(void *arg)
{
    Player *p = arg;
    Msg m;
    int ret;

    while ((ret = vp_run(p->vm, p->vp, &m)) == -EINTR) {
        p->kicks++;
    }
    STORE(&p->finished, ret == 0 && m.type == MSG_IO_PORT);
    return NULL;
}

/*
 * Each time with new VPs: the last interrupt of a game stays pending, and in
 * the next one there would be two at a time, which a local APIC may merge.
 */
static void play(bool kick, const char *what)
{
    Vm vm;
    Player players[2] = { { .vm = &vm, .vp = 0 }, { .vm = &vm, .vp = 1 } };
    double end = now() + 80;
    unsigned i;

    vm_make(&vm, 1 << 20, 2);
    for (i = 0; i < 2; i++) {
        start(&vm, i);
    }
    for (i = 0; i < 2; i++) {
        pthread_create(&players[i].thread, NULL, run, &players[i]);
    }
    while (now() < end &&
           !(LOAD(&players[0].finished) && LOAD(&players[1].finished))) {
        usleep(1000);
        for (i = 0; kick && i < 2; i++) {
            if (!LOAD(&players[i].finished)) {
                pthread_kill(players[i].thread, SIGUSR1);
            }
        }
    }
    if (!LOAD(&players[0].finished) || !LOAD(&players[1].finished)) {
        give_up("%s: stuck after %u and %u interrupts", what,
                LOAD((uint32_t *)(vm.mem + COUNT)),
                LOAD((uint32_t *)(vm.mem + COUNT + 4)));
    }
    for (i = 0; i < 2; i++) {
        pthread_join(players[i].thread, NULL);
        ok(LOAD((uint32_t *)(vm.mem + COUNT + 4 * i)) >= ROUNDS,
           "%s: VP %u got an interrupt for each turn", what, i);
        ok(!kick || players[i].kicks, "%s: VP %u, %u kicks", what, i,
           players[i].kicks);
    }
    vm_free(&vm);
}

int main(void)
{
    struct sigaction action = { .sa_handler = nothing };

    sigaction(SIGUSR1, &action, NULL);
    play(false, "alone");
    play(true, "kicked");
    return done();
}
