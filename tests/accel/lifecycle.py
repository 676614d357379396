#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""-accel mshv,log=lifecycle: what becomes of a VM is told, one line each, for
people and machines; and not by default."""

import re
import tempfile
from vm import COUNTER, Tap, Vm, firmware, until

# What QEMU puts before all its lines depends on who made it do something.
VALUE = r' (\w+)=("(?:[^"\\]|\\.)*"|[^ "]+)'
LINE = re.compile(r'(?:.*: )?info: mshv: ([^=]+) event=([a-z-]+)'
                  rf'((?:{VALUE})*)$')
# Counts, and meets a triple fault at the first 100000.
CODE = f'''2: incl {COUNTER}
out %al, $0x80
cmpl $100000, {COUNTER}
jne 2b
movw $0, 0x600
lidt 0x600
ud2
'''


def events(text):
    """[(event, {key: value})]; complains of a line that is none."""
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            found.append((match.group(2),
                          dict(re.findall(VALUE, match.group(3)))))
        else:
            Tap.ok(False, 'each line is one of an event', line)
    return found


def live(directory, accel):
    """What a VM says that has seen it all."""
    with Vm('-M', 'pc,pit=off', '-m', '16', '-bios',
            firmware(directory, CODE), '-name', 'a"b', accel=accel,
            paused=True) as vm:
        vm.qmp('cont')
        Tap.equal(vm.wait_event('RESET', 60)['data'],
                  {'guest': True, 'reason': 'guest-reset'},
                  'RESET by a triple fault is the guest\'s')
        vm.moves()
        vm.qmp('system_reset')
        Tap.equal(vm.wait_event('RESET', 60)['data'],
                  {'guest': False, 'reason': 'host-qmp-system-reset'},
                  'and by a user, the user\'s')
        vm.moves()
        vm.qmp('stop')
        vm.qmp('migrate', uri=f'file:{directory}/vm')
        until(lambda: vm.qmp('query-migrate')['status'] == 'completed',
              pause=0.1)
        pid = vm.process.pid
        vm.qmp('quit')
        vm.wait_end()
        return pid, vm.said()


def check_life(directory):
    pid, said = live(directory, 'mshv,log=lifecycle')
    seen = events(said)
    names = [name for name, _ in seen]
    of = dict(reversed(seen))
    Tap.equal(names[:2] + sorted(names[2:4]),
              ['partition-created', 'run', 'first-exit', 'triple-fault'],
              'how it begins')
    Tap.ok(names.index('triple-fault') < names.index('reset') <
           names.index('stop') < names.index('migration-begun') <
           names.index('migration-done'), 'the order of the rest', names)
    Tap.equal(names[-1], 'partition-destroyed', 'how it ends')
    Tap.equal(of['partition-created'], {'name': '"a\\"b"', 'pid': str(pid)},
              'a name is in quotes')
    Tap.equal((of['run'], of['stop'], of['triple-fault']),
              ({'state': 'running'}, {'state': 'paused'}, {'cpu': '0'}),
              'states and CPUs')
    Tap.ok(0 <= int(of['first-exit']['since_start_ms']) < 10 ** 7,
           'the time to the first exit', of['first-exit'])
    Tap.ok(int(of['migration-begun']['memory_bytes']) >= 15 << 20 and
           int(of['migration-done']['dirty_passes']) > 0,
           'figures of a migration', seen)


def check_error(directory):
    """A VM that cannot go on: STOP, the status, why, and a line."""
    with Vm('-M', 'pc,pit=off', '-m', '16', '-bios',
            firmware(directory, '2: out %al, $0x80\njmp 2b\n'),
            accel='mshv,log=lifecycle') as vm:
        def why():
            return vm.qmp('qom-get', path='/machine/accel',
                          property='stop-reason')

        vm.qmp('stop')
        Tap.equal((vm.status(), why()), ('paused', ''),
                  'a VM that was stopped has no reason of its own')
        vm.wait_event('STOP')
        vm.qmp('cont')
        vm.qmp('qom-set', path='/machine/accel', property='x-fail-ioctl',
               value='RUN_VP:1')
        Tap.ok(vm.wait_event('STOP', 30), 'a VM that cannot go on: STOP')
        until(lambda: vm.status() == 'internal-error', pause=0.05)
        said = [line for line in vm.said().splitlines()
                if ' event=' not in line]
        Tap.equal((vm.status(), said),
                  ('internal-error', [f'qemu-system-x86_64: {why()}']),
                  'the status, and why: as the error line has it')
        Tap.ok('MSHV_RUN_VP failed' in why(), 'which is the call', why())
        lines = '\n'.join(line for line in vm.said().splitlines()
                          if ' event=' in line)
        Tap.equal(events(lines)[-1], ('stop', {
            'state': 'internal-error', 'reason': f'"{why()}"'}),
            'and so has the line')
        vm.qmp('system_reset')
        vm.qmp('cont')
        Tap.equal(why(), '', 'until it runs again')


def check_default(directory):
    Tap.equal(live(directory, 'mshv')[1], '', 'nothing is said by default')
    with Vm(accel='mshv,log=all') as vm:
        vm.wait_end()
        Tap.ok("log=all is neither 'off' nor 'lifecycle'" in vm.said() and
               len(vm.said().splitlines()) == 1, 'a wrong word is refused',
               vm.said())


with tempfile.TemporaryDirectory() as d:
    check_life(d)
    check_error(d)
    check_default(d)
Tap.end()
