#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests go between two series of QEMU, there and back.

Usage: OTHER_QEMU=PROGRAM series.py [MACHINE...]

The machine types (pc-q35) are the older one's, which both know.
"""

import os
import subprocess
import sys
import tempfile
from carried import Carried
from migration import Pair
from vm import QEMU, Tap

OTHER = os.environ.get('OTHER_QEMU', '')
# Their state goes with the guest, which does not look at them.
DEVICES = ('-vga', 'std', '-usb', '-device', 'usb-tablet', '-drive',
           'if=none,id=d,format=raw,file=null-co://', '-device',
           'virtio-blk-pci,drive=d', '-netdev', 'user,id=n', '-device',
           'virtio-net-pci,netdev=n,romfile=', '-netdev', 'user,id=e',
           '-device', 'e1000e,netdev=e,romfile=', '-device', 'ahci',
           '-device', 'virtio-balloon', '-device', 'virtio-rng-pci')


def series(qemu):
    words = subprocess.run([qemu, '--version'], capture_output=True, text=True,
                           check=True).stdout.split()
    return tuple(int(x) for x in words[3].split('.')[:2])


def there_and_back(directory, machine, old, new):
    turns = [old, new, old]

    def make(*args, **keys):
        return Carried('-cpu', 'qemu64,+popcnt', *DEVICES, *args,
                       qemu=turns.pop(0), machine=machine, **keys)

    with Pair(directory, make) as pair:
        wrong = pair.vm.wait_passes()
        for way in 'there', 'back':
            wrong = wrong or pair.move() or pair.vm.wait_passes() or \
                pair.vm.said()
            Tap.equal(wrong, '', f'{machine} of {name(old)} and {name(new)}: '
                      f'live, {way}')


def name(qemu):
    return '.'.join(str(x) for x in series(qemu))


def main():
    if not OTHER:
        sys.exit(__doc__)
    old, new = sorted((QEMU, OTHER), key=series)
    Tap.ok(series(old) < series(new), 'these are two series',
           f'{name(old)} {name(new)}')
    with tempfile.TemporaryDirectory() as directory:
        for machine in sys.argv[1:] or ['pc-q35']:
            there_and_back(directory, f'{machine}-{name(old)}', old, new)
    Tap.end()


if __name__ == '__main__':
    main()
