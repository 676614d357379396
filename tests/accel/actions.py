#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest may ask of the machine, and -action: panic, watchdog, power off,
suspend to RAM. And what a user may ask of a guest: an NMI, a dump.

A guest in real mode counts at 0x500, says at 0x504 how often it started, and
does one thing.

Usage: actions.py [rare] [crash]

With "rare", only the messages that a hypervisor seldom sends; with "crash", only
the MSRs by which a guest says that it has crashed.
"""

import os
import re
import struct
import sys
import tempfile
import time
from vm import COUNT, COUNTER, Tap, Vm, firmware
from emuhost import COUNTERS

START = 'incl 0x504\n'
PANIC = 'mov $1, %al\nmov $0x505, %dx\nout %al, %dx\n'
CRASH_LOADED = 'mov $2, %al\nmov $0x505, %dx\nout %al, %dx\n'
# ib700: it bites at once
BITE = 'mov $15, %al\nmov $0x443, %dx\nout %al, %dx\n'
# The handler of NMIs counts at 0x508; by x2APIC, LINT1 lets them through.
ON_NMI = '''mov $0x1b, %ecx
rdmsr
or $0xc00, %eax
wrmsr
xor %edx, %edx
mov $0x80f, %ecx
mov $0x1ff, %eax
wrmsr
mov $0x836, %ecx
mov $0x400, %eax
wrmsr
movw $5f - start, 8
movw %cs, 10
jmp 6f
5: incl 0x508
iret
6:
'''


def config(device, register, value):
    """A write to the configuration space of bus 0."""
    return (f'mov ${0x80000000 | device << 8 | register:#x}, %eax\n'
            f'mov $0xcf8, %dx\nout %eax, %dx\n'
            f'mov ${value:#x}, %eax\nmov $0xcfc, %dx\nout %eax, %dx\n')


# Power management at 0x600
MACHINES = {
    'pc': config(0x0b, 0x40, 0x601) + config(0x0b, 0x80, 1),
    'q35': config(0xf8, 0x40, 0x601) + config(0xf8, 0x44, 0x80),
}


def sleep_type(number):
    return f'mov ${0x2000 | number << 10:#x}, %ax\nmov $0x604, %dx\n' \
        'out %ax, %dx\n'


SUSPEND, POWER_OFF = sleep_type(1), sleep_type(0)


class Guest(Vm):
    def __init__(self, d, code, *args, machine='pc', **options):
        super().__init__('-M', machine, '-cpu', 'max', '-m', '16', '-bios', firmware(
            d, START + code + COUNT), '-device', 'pvpanic', '-device',
            'ib700', *args, paused=True, **options)
        # Not before somebody listens.
        self.qmp('cont')

    def events_of(self, name):
        """How many have come by now."""
        self.status()
        return sum(event['event'] == name for event in self.events)


def expect(vm, name, event, data, status):
    """The event comes, with that data; then the VM is in that status, or QEMU
    has ended with it, if it is a number."""
    got = vm.wait_event(event, 30)
    seen = got and {k: got['data'].get(k) for k in data}
    Tap.equal(seen, data, f'{name}: {event}')
    if isinstance(status, int):
        Tap.equal(vm.wait_end(30), status, f'{name}: QEMU ends')
        return
    for _ in range(100):
        if vm.status() == status:
            break
        time.sleep(0.05)
    Tap.equal(vm.status(), status, f'{name}: status')
    if status == 'running':
        Tap.ok(vm.moves(), f'{name}: the guest runs on')
    Tap.equal(vm.said(), '', f'{name}: no complaint')


def actions(d):
    for action, event, data, status in (
            ('panic=pause', 'GUEST_PANICKED', {'action': 'pause'},
             'guest-panicked'),
            ('panic=none', 'GUEST_PANICKED', {'action': 'run'}, 'running'),
            ('panic=shutdown', 'SHUTDOWN', {'reason': 'guest-panic'}, 0),
            ('panic=exit-failure', 'SHUTDOWN', {'reason': 'guest-panic'}, 1)):
        with Guest(d, PANIC, '-action', action) as vm:
            expect(vm, action, event, data, status)
    with Guest(d, CRASH_LOADED) as vm:
        expect(vm, 'a crash kernel takes over', 'GUEST_CRASHLOADED',
               {'action': 'run'}, 'running')
    for action, event, data, status in (
            ('none', 'WATCHDOG', {'action': 'none'}, 'running'),
            ('pause', 'WATCHDOG', {'action': 'pause'}, 'watchdog'),
            ('shutdown', 'POWERDOWN', {}, 'running'),
            ('poweroff', 'WATCHDOG', {'action': 'poweroff'}, 0),
            ('inject-nmi', 'WATCHDOG', {'action': 'inject-nmi'}, 'running')):
        with Guest(d, ON_NMI + BITE, '-action', f'watchdog={action}') as vm:
            expect(vm, f'watchdog={action}', event, data, status)
            if action == 'inject-nmi':
                Tap.equal(vm.becomes(0x508, 1), 1,
                          'watchdog=inject-nmi: the guest has had one')
    with Guest(d, 'cmpl $3, 0x504\nja 2f\n' + BITE, '-action',
               'watchdog=reset') as vm:
        for n in range(3):
            expect(vm, f'watchdog=reset, time {n + 1}', 'RESET',
                   {'reason': 'guest-reset'}, 'running')
        Tap.equal(vm.becomes(0x504, 4), 4, 'watchdog=reset: 4 starts')


def power(d, machine):
    setup = MACHINES[machine]
    with Guest(d, setup + POWER_OFF, machine=machine) as vm:
        expect(vm, f'{machine}: power off', 'SHUTDOWN',
               {'reason': 'guest-shutdown'}, 0)
    with Guest(d, 'cmpl $1, 0x504\njne 2f\n' + setup + POWER_OFF,
               '-no-shutdown', machine=machine) as vm:
        expect(vm, f'{machine}: power off, -no-shutdown', 'SHUTDOWN',
               {'reason': 'guest-shutdown'}, 'shutdown')
        vm.qmp('system_reset')
        vm.qmp('cont')
        Tap.ok(vm.moves(), f'{machine}: reset and cont: it runs again')
    suspend(d, machine, setup)


def suspend(d, machine, setup):
    """Suspend to RAM: the memory stays, and the processor starts anew."""
    with Guest(d, 'cmpl $3, 0x504\nja 2f\n' + setup + SUSPEND, '-smp', '2',
               machine=machine) as vm:
        for n in range(1, 4):
            name = f'{machine}: suspend {n}'
            expect(vm, name, 'SUSPEND', {}, 'suspended')
            old = vm.word(COUNTER)
            vm.qmp('stop')
            vm.qmp('cont')
            time.sleep(0.1)
            Tap.equal((vm.status(), vm.word(COUNTER), vm.word(0x504)),
                      ('suspended', old, n), f'{name}: it stands still')
            vm.qmp('system_wakeup')
            expect(vm, name, 'WAKEUP', {}, 'running' if n == 3 else
                   'suspended')
        Tap.equal(vm.becomes(0x504, 4), 4, f'{machine}: 3 wake-ups')


def segments(path):
    """[(physical address, offset, size)] of a dump's memory; ELF's layout."""
    with open(path, 'rb') as f:
        data = f.read()
    if data[4] == 2:
        offset, size, count = struct.unpack_from('<Q', data, 32) + \
            struct.unpack_from('<HH', data, 54)
        heads = [struct.unpack_from('<IIQQQQ', data, offset + size * i)
                 for i in range(count)]
        found = [(h[4], h[2], h[5]) for h in heads if h[0] == 1]
    else:
        offset, size, count = struct.unpack_from('<I', data, 28) + \
            struct.unpack_from('<HH', data, 42)
        heads = [struct.unpack_from('<IIIII', data, offset + size * i)
                 for i in range(count)]
        found = [(h[3], h[1], h[4]) for h in heads if h[0] == 1]
    return data, found


def asked(d):
    path = os.path.join(d, 'dump')
    with Guest(d, ON_NMI + 'movl $0x5eed1234, 0x600\n') as vm:
        Tap.ok(vm.moves(), 'the guest runs')
        for n in range(10):
            vm.qmp('inject-nmi')
            Tap.equal(vm.becomes(0x508, n + 1), n + 1, f'NMI {n + 1}')
        vm.qmp('dump-guest-memory', seconds=60, paging=False,
               protocol=f'file:{path}')
        data, found = segments(path)
        start = next(o for a, o, s in found if a <= 0x600 < a + s)
        Tap.equal(data[start + 0x600:start + 0x604], b'\x34\x12\xed\x5e',
                  'a dump has what the guest wrote')
        Tap.ok(sum(s for _, _, s in found) >= 16 << 20,
               'and all of its memory', found)
        Tap.ok(vm.moves(), 'the guest runs on after a dump')


# What the emulated hypervisor sends for OUT to its odd port (tests/accel/run), by
# AL: the messages that end in an error
RARE = {
    0: ('the hypervisor sent a message of unknown type 0x8001ffff', 'other'),
    3: ('the guest uses a feature that the hypervisor does not support: code 7, '
        'parameter 0x1234', 'unsupported-feature'),
    4: ("the hypervisor refuses the VP's registers: their values do not go "
        'together', 'invalid-vp-register'),
}


def rare(d):
    """HALT and a hypercall that nobody knows: the guest goes on."""
    with Guest(d, 'mov $0x4f0, %dx\nmov $1, %eax\nout %al, %dx\n'
               'mov %eax, 0x600\nmov $2, %eax\nout %al, %dx\n'
               'mov $0xabcd, %ebx\nmov %eax, 0x604\nmov %ebx, 0x608\n') as vm:
        Tap.equal(vm.becomes(0x608, 0xabcd), 0xabcd,
                  'rare messages: the guest goes on')
        Tap.equal((vm.word(0x600), vm.word(0x604)), (1, 2),
                  'HALT does nothing, an unknown hypercall answers '
                  'INVALID_HYPERCALL_CODE')
        counts = vm.stats('vcpu')
        Tap.equal((counts['exits-halt'], counts['exits-hypercall']), (1, 1),
                  'rare messages: counted')
        Tap.equal(vm.said(), '', 'rare messages: no complaint')
    for al, (why, kind) in RARE.items():
        ends_in_error(d, al, why, kind)


def ends_in_error(d, al, why, kind):
    """The VM stops; the reset leads to the message again."""
    with Guest(d, f'mov ${al}, %al\nmov $0x4f0, %dx\nout %al, %dx\n') as vm:
        for n in range(1, 4 if not al else 2):
            name = f'message {al}, time {n}'
            Tap.ok(vm.wait_event('STOP', 30), f'{name}: the VM stops')
            Tap.equal(vm.status(), 'internal-error', f'{name}: status')
            seen = vm.hmp('info registers')
            Tap.ok('DX=000004f0' in seen, f'{name}: the registers', seen)
            Tap.equal(vm.said().splitlines()[n - 1:],
                      ['qemu-system-x86_64: mshv: CPU 0: cannot run the guest: '
                       + why], f'{name}: what QEMU says')
            Tap.equal(vm.stats('vcpu')[f'exits-{kind}'], n, f'{name}: counted')
            Tap.equal(vm.word(0x504), n, f'{name}: {n} starts')
            vm.qmp('system_reset')
            vm.qmp('cont')
        vm.qmp('quit')
        Tap.equal(vm.wait_end(30), 0, f'message {al}: quit')


def refused(d):
    """What a kernel does that cannot be emulated stops the VM, and says so."""
    for name, code, said in (
            ('an instruction that is not emulated',
             'mov $0xa000, %ax\nmov %ax, %ds\n.byte 0x0f, 0xfc, 7',
             r'cannot emulate the instruction at [0-9a-f]{4}:0{8}[0-9a-f]{8} '
             r'\(unknown opcode\), which starts with the bytes '
             r'0f fc 07( [0-9a-f]{2}){12}'),
            ('a jump into device memory', 'ljmp $0xa000, $0x10',
             r"the guest's next instruction, at a000:0{14}10, is no memory but "
             r"a device's, at 0xa0010")):
        with Guest(d, f'{code}\n', '-device', 'VGA,romfile=') as vm:
            Tap.ok(vm.wait_event('STOP', 30), f'{name}: the VM stops')
            Tap.equal(vm.status(), 'internal-error', f'{name}: status')
            Tap.equal('qemu-system-x86_64: ' + vm.qmp(
                'qom-get', path='/machine/accel', property='stop-reason'),
                vm.said().strip(), f'{name}: why, by QMP')
            Tap.ok(re.fullmatch('qemu-system-x86_64: mshv: CPU 0: cannot run '
                                f'the guest: {said}', vm.said().strip()),
                   f'{name}: what QEMU says', vm.said())
            vm.qmp('quit')
            Tap.equal(vm.wait_end(30), 0, f'{name}: quit')


def wrmsr(number, high, low=0):
    return (f'mov ${number:#x}, %ecx\nmov ${high:#x}, %edx\n'
            f'mov ${low:#x}, %eax\nwrmsr\n')


# Five parameters, of which the last two are a text; what it reads back of the
# command and of the second one.
TEXT = b'it "burns"\n'
CRASH_P0, CRASH_CTL, NOTIFY, NOTIFY_TEXT = (0x40000100, 0x40000105, 1 << 31,
                                            1 << 30)
CRASH_PARAMS = [0xd00d00010000d1e0, 2, 1 << 63, 0x700, len(TEXT)]
CRASH = ''.join(
    f'movb ${byte}, {0x700 + i:#x}\n' for i, byte in enumerate(TEXT)) + ''.join(
    wrmsr(CRASH_P0 + i, value >> 32, value & 0xffffffff)
    for i, value in enumerate(CRASH_PARAMS)) + f'''mov ${CRASH_CTL:#x}, %ecx
rdmsr
mov %edx, 0x600
mov ${CRASH_P0 + 1:#x}, %ecx
rdmsr
mov %eax, 0x604
'''


def hyperv(event):
    info = event and event['data'].get('info', {})
    return event and (event['data']['action'], info.get('type'),
                      [info.get(f'arg{i}') for i in range(1, 6)])


def crash(d):
    """Like pvpanic, and with what the guest has to say."""
    told = CRASH + wrmsr(CRASH_CTL, NOTIFY | NOTIFY_TEXT)
    with Guest(d, told, '-action', 'panic=pause',
               accel='mshv,log=lifecycle') as vm:
        event = vm.wait_event('GUEST_PANICKED', 30)
        Tap.equal(hyperv(event), ('pause', 'hyper-v', CRASH_PARAMS),
                  'a crash: GUEST_PANICKED with five parameters')
        Tap.ok(vm.wait_event('STOP', 30), 'a crash: the VM stops')
        Tap.equal((vm.status(), vm.word(0x600) >> 30, vm.word(0x604)),
                  ('guest-panicked', 3, 2), 'a crash: what the guest saw')
        Tap.ok('event=guest-crash arg1=0xd00d00010000d1e0 arg2=0x2 '
               'arg3=0x8000000000000000 arg4=0x700 arg5=0xb '
               'message="it \\"burns\\"\\n"\n' in vm.said(),
               'a crash: its message', vm.said())
        vm.qmp('cont')
        Tap.ok(vm.moves(), 'a crash: the guest can go on')
        Tap.equal(vm.events_of('GUEST_PANICKED'), 0, 'a crash: told once')
    with Guest(d, CRASH + wrmsr(CRASH_CTL, NOTIFY_TEXT) +
               wrmsr(CRASH_CTL, NOTIFY), '-action', 'panic=none') as vm:
        Tap.equal(hyperv(vm.wait_event('GUEST_PANICKED', 30)),
                  ('run', 'hyper-v', CRASH_PARAMS),
                  'a crash, panic=none: GUEST_PANICKED')
        Tap.ok(vm.moves(), 'a crash, panic=none: the guest runs on')
        Tap.equal(vm.events_of('GUEST_PANICKED'), 0,
                  'a crash, panic=none: only a notification is one')
    # A text where there is nothing, and of any size
    with Guest(d, wrmsr(CRASH_P0 + 3, 0xffffffff, 0xffffff00) +
               wrmsr(CRASH_P0 + 4, 0xffffffff, 0xffffffff) +
               wrmsr(CRASH_CTL, NOTIFY | NOTIFY_TEXT), '-action',
               'panic=shutdown') as vm:
        expect(vm, 'a crash, panic=shutdown', 'SHUTDOWN',
               {'reason': 'guest-panic'}, 0)


with tempfile.TemporaryDirectory() as directory:
    if 'rare' not in sys.argv:
        crash(directory)
    if not {'rare', 'crash'} & set(sys.argv):
        actions(directory)
        for name in MACHINES:
            power(directory, name)
        asked(directory)
        refused(directory)
    if os.path.exists(COUNTERS) and 'crash' not in sys.argv:
        rare(directory)
Tap.end()
