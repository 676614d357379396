#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest whose system management mode is hostile or broken: it may harm itself,
but QEMU always answers, and after a reset all is well. The last one does not
come back, and QEMU ends.
"""

import os
import re
import socket
import tempfile
from vm import Tap, Vm, guest, until

SIGNAL = 0x608


class Guest(Vm):
    def __init__(self, directory):
        self.path = os.path.join(directory, 'console')
        self.gdb_path = os.path.join(directory, 'gdb')
        self.stops = 0          # so far
        super().__init__('-M', 'q35,smm=on', '-m', '32', '-smp', '2', '-bios',
                         guest('smm-odd'), '-chardev',
                         f'file,id=out,path={self.path}', '-device',
                         'isa-debugcon,iobase=0xe9,chardev=out', '-gdb',
                         f'unix:{self.gdb_path},server=on,wait=off')

    def text(self):
        with open(self.path, encoding='ascii', errors='replace') as f:
            return f.read()

    def of_case(self, number):
        """What the guest has said since that case began, or None."""
        parts = self.text().split(f'# case {number}\n')
        return parts[1] if len(parts) == 2 else None

    def is_in(self):
        return 'SMM=1' in self.hmp('info registers -a')

    def ask_gdb(self, *packets):
        """Attach, ask, and let go. The answers."""
        answers = []
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.gdb_path)
            s.settimeout(600)
            for packet in (*packets, 'D'):
                s.sendall(f'+${packet}#{sum(packet.encode()) & 255:02x}'
                          .encode())
                data = b''
                while not re.search(rb'#..$', data):
                    data += s.recv(65536)
                answers.append(data.decode().lstrip('+')[1:-3])
            s.sendall(b'+')
        return answers


def stops_there(vm):
    """Stop it in SMM; between two SMIs it is outside for a moment."""
    vm.qmp('stop')
    if vm.is_in():
        return True
    vm.qmp('cont')
    return False


def answers_all(vm):
    """What a person does with a VM that hangs. What went wrong, or ''."""
    if not until(lambda: stops_there(vm), 60) or vm.status() != 'paused':
        return f'status {vm.status()}, in SMM: {vm.is_in()}'
    vm.hmp('x /4i $pc')
    vm.qmp('cont')
    seen = vm.ask_gdb('?', 'Hg2', 'g', f'm{SIGNAL:x},4')
    if not seen[0].startswith('T') or len(seen[2]) < 100 or \
            seen[3] != '01000000':
        return f'gdb saw {seen}'
    if not until(lambda: vm.status() == 'running', 60):
        return f'after gdb: {vm.status()}'
    return ''


def hangs(vm, _):
    if not until(lambda: vm.word(SIGNAL) == 1 and vm.is_in(), 60):
        return f'it does not hang: {vm.status()}'
    return answers_all(vm)


def stops(vm, _):
    vm.stops += 1
    until(lambda: vm.status() != 'running', 60)
    words = vm.said().count('mshv: CPU 1: ')
    return '' if vm.status() == 'internal-error' and words == vm.stops \
        else f'status {vm.status()}, {words} times it said why'


def resets(vm, number):
    """The next case begins, as the guest has reset the machine."""
    return '' if until(lambda: vm.of_case(number + 1) is not None, 60) \
        else f'status {vm.status()}'


def comes_back(vm, number):
    until(lambda: '1..' in vm.of_case(number), 60)
    return '' if re.match(r'ok [0-9]* - it came back\n1\.\.',
                          vm.of_case(number)) else f'status {vm.status()}'


# In the order of guest/smm-odd.c
CASES = [
    ('SMBASE is not aligned', comes_back),
    ('SMBASE in RAM that is no SMRAM', comes_back),
    ('the handler jumps out of SMRAM', comes_back),
    ('what is saved lies beyond the end of RAM', resets),
    ('the handler lies beyond the end of RAM', stops),
    ('SMBASE in a hole', stops),
    ('the handler lies in the I/O APIC', stops),
    ('the handler lies in the local APIC', stops),
    ('what is saved lies in the local APIC', stops),
    ('what is saved lies in the I/O APIC', stops),
    ('the handler lies at 4 GiB', hangs),
    ('SMBASE is 4 GiB - 1', hangs),
    ('a triple fault in SMM', resets),
    ('the handler halts', hangs),
    ('it reads a device for ever', hangs),
    ('it sends itself an SMI each time', hangs),
    ('it loops', hangs),
]


def main():
    with tempfile.TemporaryDirectory() as d, Guest(d) as vm:
        for number, (name, come_of) in enumerate(CASES):
            if not until(lambda n=number: vm.of_case(n) is not None, 60):
                Tap.ok(False, f'{name}: it begins',
                       f'{vm.status()}\n{vm.said()}\n{vm.text()}')
                break
            bad = come_of(vm, number)
            Tap.ok(not bad, f'{name}: it {come_of.__name__.replace("_", " ")}',
                   f'{bad}\n{vm.said()}\n{vm.text()[-300:]}')
            if number < len(CASES) - 1 and vm.of_case(number + 1) is None:
                vm.qmp('system_reset')
                if vm.status() != 'running':
                    vm.qmp('cont')
        Tap.ok('not ok' not in vm.text(), 'at each start SMM worked',
               vm.text())
        vm.qmp('quit')
        Tap.equal(vm.wait_end(), 0, 'a processor loops in SMM: quit')
    Tap.end()


main()
