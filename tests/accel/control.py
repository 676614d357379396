#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""stop, cont, reset, registers and quit, many times and at any moment.

Usage: control.py [KICKS [loop|exits]]

KICKS: how many in each storm, 2000 if not said. With the name of a guest, only
its storm.
"""

import sys
import tempfile
import time
from vm import COUNT, COUNTER, Tap, Vm, firmware

IO = '2: incl 0x500\nout %al, $0x80\njmp 2b\n'


def storm(name, code, cpus, rounds):
    with tempfile.TemporaryDirectory() as d, \
            Vm('-M', 'pc', '-m', '16', '-smp', str(cpus), '-bios',
               firmware(d, code)) as vm:
        Tap.ok(vm.moves(), f'{name}: the guest runs', vm.said())
        for _ in range(rounds):
            vm.qmp('stop')
            vm.qmp('cont')
        Tap.ok(vm.moves(), f'{name}: it runs on after {rounds} x stop, cont')
        for _ in range(rounds):
            vm.hmp('info registers -a')
        Tap.ok(vm.moves(), f'{name}: and after {rounds} x info registers')
        vm.qmp('stop')
        old = vm.word(COUNTER)
        time.sleep(0.2)
        Tap.equal(vm.word(COUNTER), old, f'{name}: it stands still when stopped')
        vm.qmp('cont')
        for _ in range(20):
            vm.qmp('system_reset')
        Tap.ok(vm.moves(), f'{name}: it runs after 20 x system_reset')
        Tap.equal(vm.status(), 'running', f'{name}: status')
        Tap.equal(vm.said(), '', f'{name}: no complaint')
        vm.qmp('quit')
        Tap.equal(vm.wait_end(), 0, f'{name}: quit')


def kick_storm(name, code, cpus, kicks):
    """Pauses and reads of registers, as fast as they can be taken."""
    requests = [('stop', {}), ('cont', {})] * 10 + [
        ('human-monitor-command', {'command-line': 'info registers -a'})] * 2
    each = 20 * cpus + 2 * cpus
    with tempfile.TemporaryDirectory() as d, \
            Vm('-M', 'pc', '-m', '16', '-smp', str(cpus), '-bios',
               firmware(d, code)) as vm:
        done = 0
        while done < kicks:
            vm.many(requests)
            done += each
        Tap.ok(vm.moves(), f'{name}: it runs on after {done} kicks',
               vm.said())
        taken = vm.stats('vcpu')['kicks']
        Tap.ok(taken >= done // 4, f'{name}: {taken} of them ended a run')


KICKS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
STORMS = {'loop': COUNT, 'exits': IO}
CHOSEN = sys.argv[2:]
for guest in CHOSEN or STORMS:
    kick_storm(f'storm, {guest}', STORMS[guest], 2, KICKS)
if CHOSEN:
    Tap.end()
storm('loop', COUNT, 1, 200)
storm('loop, 4 CPUs', COUNT, 4, 50)
storm('exits', IO, 1, 200)
with tempfile.TemporaryDirectory() as d, \
        Vm('-M', 'pc', '-m', '16', '-bios', firmware(d, 'hlt'),
           paused=True) as halted:
    Tap.equal(halted.status(), 'prelaunch', '-S: not started')
    halted.qmp('cont')
    halted.wait_quiet()
    halted.qmp('stop')
    halted.qmp('quit')
    Tap.equal(halted.wait_end(), 0, 'a CPU that is halted for ever: quit')
Tap.end()
