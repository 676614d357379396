#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""System management mode: hosts that cannot have it, calls that fail on the
way in and out, and a VM that is moved while a processor is in it.

Usage: smm.py [failures], the failing calls only
"""

import os
import subprocess
import sys
import tempfile
from faults import calls
from vm import QEMU, QmpError, Tap, Vm, guest, until

ARGS = ('-m', '32', '-smp', '2', '-device', 'edu', '-bios', guest('smm'))
REFUSED = 'System Management Mode not supported by this hypervisor'
# Where the guest tells that another processor has seen SMRAM
SPIED = 0x610
# What no way into SMM or out can do without
MUST = ('SET_GUEST_MEMORY', 'INSTALL_INTERCEPT', 'GET_VP_REGISTERS',
        'SET_VP_REGISTERS', 'GET_VP_STATE', 'RUN_VP')
REQUEST = '# please look at it in SMM'


# ---- Hosts that cannot have it ----

def refused():
    """The calls that ask come first; each may be the one that is refused."""
    for call in (1, 3):
        accel = f'mshv,x-fail-ioctl=INSTALL_INTERCEPT:{call}:95'
        p = subprocess.run([QEMU, '-nodefaults', '-display', 'none', '-accel',
                            accel, '-M', 'q35,smm=on', *ARGS],
                           stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=600, check=False)
        Tap.ok(p.returncode == 1 and len(p.stderr.splitlines()) == 1 and
               REFUSED in p.stderr, f'call {call} is refused: so is smm=on',
               f'status {p.returncode}: {p.stderr}')
        with Vm('-M', 'q35', *ARGS, accel=accel, paused=True) as vm:
            Tap.ok(vm.started and not vm.said(),
                   f'call {call} is refused: smm=auto is off without a word',
                   vm.said())


# ---- The guest ----

class Guest(Vm):
    """Its console is a file."""

    def __init__(self, directory, name, *args, **kwargs):
        self.path = os.path.join(directory, name)
        super().__init__('-M', 'q35,smm=on', *ARGS, '-chardev',
                         f'file,id=out,path={self.path}', '-device',
                         'isa-debugcon,iobase=0xe9,chardev=out', *args,
                         **kwargs)

    def text(self):
        with open(self.path, encoding='ascii', errors='replace') as f:
            return f.read()

    def is_in(self):
        return 'SMM=1' in self.hmp('info registers -a')

    def come_into_smm(self, times=1):
        """A processor stays there until the power button is pressed."""
        return until(lambda: self.text().count(REQUEST) == times and
                     self.is_in(), 60)

    def finish(self):
        """What went wrong, or ''."""
        self.qmp('system_powerdown')
        if not until(lambda: '\n1..' in self.text(), 60):
            return f'status {self.status()}\n{self.said()}\n{self.text()}'
        return self.text() if 'not ok' in self.text() else ''


def moved(directory):
    state = os.path.join(directory, 'state')
    with Guest(directory, 'source') as vm:
        if not Tap.ok(vm.come_into_smm(), 'a processor is in SMM',
                      f'{vm.said()}\n{vm.text()}'):
            return
        vm.qmp('stop')
        vm.qmp('migrate', uri=f'file:{state}')
        done = until(lambda: vm.qmp('query-migrate')['status'] in
                     ('completed', 'failed'), 60)
        Tap.ok(done and vm.qmp('query-migrate')['status'] == 'completed',
               'it is saved there', vm.said())
    with Guest(directory, 'target', '-incoming', f'file:{state}',
               paused=True) as vm:
        until(lambda: vm.status() != 'inmigrate', 60)
        Tap.ok(vm.is_in(), 'and loaded in SMM', vm.said())
        vm.qmp('cont')
        bad = vm.finish()
        Tap.ok(not bad and not vm.said(), 'there it leaves SMM and goes on',
               f'{bad}\n{vm.said()}')


def reset(directory):
    with Guest(directory, 'reset') as vm:
        vm.come_into_smm()
        vm.qmp('system_reset')
        Tap.ok(vm.come_into_smm(2), 'a reset ends SMM, and all works again',
               f'{vm.said()}\n{vm.text()}')
        bad = vm.finish()
        Tap.ok(not bad and not vm.said(), 'to the end', f'{bad}\n{vm.said()}')


# ---- Calls that fail ----

def failing(directory, call, number):
    """The @number-th one from when a processor is in SMM: on its way out, or
    on the way of another one in."""
    with Guest(directory, f'{call}{number}') as vm:
        if not vm.come_into_smm():
            return f'it does not come into SMM: {vm.said()}'
        vm.qmp('qom-set', path='/machine/accel', property='x-fail-ioctl',
               value=f'{call}:{number}')
        vm.qmp('system_powerdown')
        until(lambda: '\n1..' in vm.text() or vm.status() != 'running', 60)
        if vm.word(SPIED):
            return f'SMRAM was seen\n{vm.said()}'
        if vm.status() == 'internal-error':
            if 'mshv: ' not in vm.said():
                return 'it stopped without a word'
            vm.qmp('system_reset')
            vm.qmp('cont')
            if not vm.come_into_smm(2):
                return f'after a reset: {vm.said()}\n{vm.text()}'
            return vm.finish()
        return '' if '\n1..' in vm.text() and 'not ok' not in vm.text() \
            else f'status {vm.status()}\n{vm.said()}\n{vm.text()}'


def made_until_end(directory):
    """All calls from when a processor is in SMM, by name: how many."""
    with Guest(directory, 'count') as vm:
        vm.come_into_smm()
        before = calls(vm)
        bad = vm.finish()
        Tap.ok(not bad, 'no call fails: it comes to its end', bad)
        return {name: count - before[name]
                for name, count in calls(vm).items() if count > before[name]}


def failures(directory):
    made = made_until_end(directory)
    for name in MUST:
        Tap.ok(made.get(name), f'{name} is made on these ways', made)
    for call, count in made.items():
        # Of what is made for each exit, some.
        for number in range(1, min(count, 1 if call == 'RUN_VP' else 24) + 1):
            try:
                bad = failing(directory, call, number)
            except QmpError as e:
                bad = str(e)
            Tap.ok(not bad, f'{call}:{number} of {count} fails: the VM goes on, '
                   'or stops with a word; after a reset all is well', bad)


def main():
    with tempfile.TemporaryDirectory() as d:
        if sys.argv[1:] == ['failures']:
            failures(d)
        else:
            refused()
            moved(d)
            reset(d)
    Tap.end()


main()
