#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest is moved in the middle of one thing after the other, and looks itself
whether it notices: tests/accel/guest/halfway.c."""

import os
import re
import tempfile
from migration import Pair
from vm import Tap, Vm, guest, until

# Of halfway.c
STATE = 0x600
COPIED = 4096
TRAP_FLAG = 0x100
STATES = ('a processor that waits for its first SIPI',
          'a processor in HLT, without interrupts',
          'a processor between INIT and SIPI',
          'a repeated instruction that reads a device, paused',
          'an interrupt of the PIC that waits',
          'an NMI that waits for the end of another',
          'single steps, paused',
          'an interrupt that waits in the local APIC',
          'asleep (S3)')


def register(vm, cpu, name):
    text = vm.hmp('info registers -a').split(f'CPU#{cpu}')[1]
    return int(re.search(f'{name}=([0-9a-f]+)', text).group(1), 16)


# States that are so short that the guest is stopped again and again until it is
# in them
SHORT = {
    'a repeated instruction that reads a device, paused':
        lambda vm: 0 < register(vm, 1, 'RCX') < COPIED,
    'single steps, paused': lambda vm: register(vm, 0, 'RFL') & TRAP_FLAG,
}


def stopped_in(vm, state):
    def stopped_there():
        vm.qmp('stop')
        if not SHORT[state](vm):
            vm.qmp('cont')
        return vm.status() == 'paused'

    return until(stopped_there, pause=0.05)


def arrives(vm, number):
    if STATES[number - 1].startswith('asleep'):
        return until(lambda: vm.status() == 'suspended', pause=0.05)
    return vm.becomes(STATE, number) == number


def goes_on(vm):
    if vm.status() == 'suspended':
        vm.qmp('system_wakeup')
        return
    if vm.status() == 'paused':
        vm.qmp('cont')
    vm.qmp('inject-nmi')


def moved(pair, number):
    """What is wrong, or ''."""
    if not arrives(pair.vm, number):
        return f'it does not come there: {pair.vm.status()}'
    if STATES[number - 1] in SHORT and not stopped_in(pair.vm,
                                                      STATES[number - 1]):
        return 'it is never in the middle'
    wrong = pair.move()
    if not wrong:
        goes_on(pair.vm)
    return wrong


def main():
    with tempfile.TemporaryDirectory() as directory:
        words = os.path.join(directory, 'words')

        def make(*args, **keys):
            return Vm('-M', 'pc', '-m', '32', '-smp', '2', '-bios',
                      guest('halfway'), '-device', 'VGA,romfile=', '-chardev',
                      f'file,id=out,append=on,path={words}', '-device',
                      'isa-debugcon,iobase=0xe9,chardev=out', *args, **keys)

        with Pair(directory, make) as pair:
            for number, name in enumerate(STATES, 1):
                if not Tap.equal(moved(pair, number), '', f'moved: {name}'):
                    break
            end = len(STATES) + 1
            Tap.equal(pair.vm.becomes(STATE, end), end, 'it comes to its end')
            Tap.equal(pair.vm.said(), '', 'no complaint')
        with open(words, encoding='ascii') as f:
            for line in f:
                if m := re.fullmatch(r'(not )?ok \d+ - (.*)\n', line):
                    Tap.ok(not m.group(1), m.group(2))
                else:
                    print('#', line, end='')
    Tap.end()


if __name__ == '__main__':
    main()
