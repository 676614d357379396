#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""System management mode: hosts that cannot have it, calls that fail on the
way in and out, and a VM that is moved while a processor is in it.

Usage: smm.py [failures|moves|refused]: only the failing calls; a VM that is moved
       and saved while SMIs go on; a host that has no SMM at all
       (emuhv-strict=no-exception-intercepts)
"""

import os
import subprocess
import sys
import tempfile
from faults import calls
from migration import Pair
from vm import QEMU, QmpError, TOP, Tap, Vm, guest, until

ARGS = ('-m', '32', '-smp', '2', '-device', 'edu', '-bios')
SMM = guest('smm')
REFUSED = 'System Management Mode not supported by this hypervisor'
# Where the guest tells that another processor has seen SMRAM
SPIED = 0x610
# What no way into SMM or out can do without
MUST = ('SET_GUEST_MEMORY', 'INSTALL_INTERCEPT', 'GET_VP_REGISTERS',
        'SET_VP_REGISTERS', 'GET_VP_STATE', 'RUN_VP')
REQUEST = '# please look at it in SMM'


# ---- Hosts that cannot have it ----

def has_smm(vm):
    """As the chipset has been told."""
    return 'smm-enabled = true' in vm.hmp('info qtree')


def refused(accel='mshv', what='the host'):
    p = subprocess.run([QEMU, '-nodefaults', '-display', 'none', '-accel',
                        accel, '-M', 'q35,smm=on', *ARGS, SMM],
                       stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=600, check=False)
    Tap.ok(p.returncode == 1 and len(p.stderr.splitlines()) == 1 and
           REFUSED in p.stderr, f'{what} refuses: so is smm=on',
           f'status {p.returncode}: {p.stderr}')
    with Vm('-M', 'q35', *ARGS, SMM, accel=accel, paused=True) as vm:
        Tap.ok(vm.started and not has_smm(vm) and not vm.said(),
               f'{what} refuses: smm=auto is off without a word', vm.said())


def refused_calls():
    """Those that ask come first; each may be the one that is refused. Without
    the fifth, which is about INITs and SIPIs, there is SMM."""
    for call in (1, 3):
        refused(f'mshv,x-fail-ioctl=INSTALL_INTERCEPT:{call}:95', f'call {call}')
    with Vm('-M', 'q35', *ARGS, SMM, paused=True,
            accel='mshv,x-fail-ioctl=INSTALL_INTERCEPT:5:95') as vm:
        Tap.ok(vm.started and has_smm(vm) and not vm.said(),
               'call 5 is refused: there is SMM', vm.said())


# ---- The guest ----

class Guest(Vm):
    """Its console is a file."""

    def __init__(self, directory, name, *args, image=SMM, **kwargs):
        self.path = os.path.join(directory, name)
        super().__init__('-M', 'q35,smm=on', *ARGS, image, '-chardev',
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


# ---- Moved while processors raise SMIs ----

def smis(vm):
    """That came to an end; since when this QEMU runs."""
    return vm.stats('vcpu')['exits-exception']


def storm_is_over(vm):
    """The guest says what it saw after the last SMI."""
    return ' rounds' in vm.text()


def goes_on(vm, count=50):
    """Whether so many SMIs more are taken, or the storm has come to its end."""
    before = smis(vm)
    return until(lambda: smis(vm) >= before + count or storm_is_over(vm), 60)


class Storm(Pair):
    """One processor raises SMIs, the other attacks."""

    def __init__(self, directory):
        self.disk = os.path.join(directory, 'disk.qcow2')
        subprocess.run([os.path.join(TOP, 'build', 'qemu-img'), 'create', '-q',
                        '-f', 'qcow2', self.disk, '64M'], check=True)
        self.guests = 0
        super().__init__(directory, self.guest)

    def guest(self, *args, **kwargs):
        self.guests += 1
        return Guest(self.directory, f'console{self.guests}', '-drive',
                     f'if=none,id=d,file={self.disk},format=qcow2', '-device',
                     'virtio-blk-pci,drive=d,romfile=', *args,
                     image=guest('smm-moves'), **kwargs)

    def save_and_load(self):
        """What is wrong, or ''."""
        wrong = ''
        for command in 'savevm s', 'loadvm s':
            wrong += self.vm.qmp('human-monitor-command', seconds=60,
                                 command_line=command)
            if self.vm.status() != 'running':
                self.vm.qmp('cont')
            if not wrong and not goes_on(self.vm):
                wrong = f'{command}: no more SMIs {self.vm.said()}'
        return wrong

    def text(self):
        """Of all QEMUs that had it"""
        seen = ''
        for n in range(self.guests):
            with open(os.path.join(self.directory, f'console{n + 1}'),
                      encoding='ascii', errors='replace') as f:
                seen += f.read()
        return seen


def moves(directory):
    count, wrong = 0, ''
    with Storm(directory) as storm:
        if not Tap.ok(until(lambda: smis(storm.vm) > 50, 60),
                      'a processor raises SMIs', storm.text()):
            return
        wrong = storm.save_and_load()
        Tap.ok(not wrong, 'it is saved and loaded, and raises more', wrong)
        while not wrong and not storm_is_over(storm.vm):
            wrong = storm.move('exec' if count % 2 else 'unix')
            count += not wrong
            if not wrong and not goes_on(storm.vm):
                wrong = f'no more SMIs after {count} moves {storm.vm.said()}'
        Tap.ok(count and not wrong, 'it is moved, and raises more', wrong)
        print(f'# {count} moves')
        if not wrong:
            until(lambda: REQUEST in storm.vm.text(), 60)
            wrong = storm.vm.finish()
            Tap.ok(not wrong and 'not ok' not in storm.text() and
                   not storm.vm.said(), 'to the end; nobody saw SMRAM, and no '
                   'SMI was lost', f'{wrong} {storm.vm.said()} {storm.text()}')


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
        elif sys.argv[1:] == ['moves']:
            moves(d)
        elif sys.argv[1:] == ['refused']:
            refused()
        else:
            refused_calls()
            moved(d)
            reset(d)
    Tap.end()


main()
