#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that need not QEMU's big lock are read without it.

QEMU 10.2 has such: the clock of ACPI, for one. QEMU 10.0 has none.
"""

import re
from series import series
from vm import QEMU, Tap, Vm, until

READS = 5       # SeaBIOS makes more, however slow the machine is
LOCKLESS = (10, 2)


def held(lines, name):
    """
    (reads of the region @name with the big lock held, all of them): on its one
    CPU, which takes it in these two files.
    """
    lock, reads = None, []
    for line in lines:
        if taken := re.search(r'taken mutex (\S+) .*(access\.[ch]|physmem\.c):',
                              line):
            lock = taken[1]
        elif lock and f'released mutex {lock} ' in line:
            lock = None
        elif 'memory_region_ops_read ' in line and f"'{name}'" in line:
            reads.append(lock is not None)
    return sum(reads), len(reads)


def main():
    free = series(QEMU) >= LOCKLESS
    with Vm('-M', 'q35', '-trace', 'qemu_mutex_locked', '-trace',
            'qemu_mutex_unlock', '-trace', 'memory_region_ops_read') as vm:

        def lines():
            return vm.said(all_lines=True).splitlines()

        until(lambda: held(lines(), 'acpi-tmr')[1] > READS, 60)
        vm.qmp('stop')
        seen, every = held(lines(), 'acpi-tmr')
        Tap.ok(every > READS, 'the clock of ACPI is read', f'{every} times')
        Tap.ok(seen == (0 if free else every),
               f'{"without" if free else "with"} the big lock',
               f'{seen} of {every} with it')
        seen, every = held(lines(), 'rtc')
        Tap.ok(0 < seen == every, 'another device with it',
               f'{seen} of {every} with it')
    Tap.end()


main()
