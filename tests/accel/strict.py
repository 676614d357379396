#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A hypervisor that lets registers be read, but not set, which a guest can do
without: QEMU says once which, and goes on.

For the emulated host with emuhv-strict=fixed-registers.
"""

from vm import QmpError, Tap, Vm, guest


def cannot_be_set(vm):
    """Their names, as QEMU lists them for developers."""
    text = vm.qmp('qom-get', path='/machine/accel', property='x-state-list')
    return [line.split()[1] for line in text.splitlines()
            if line.endswith('(cannot be set)')]


def main():
    with Vm('-M', 'pc', '-m', '32', '-smp', '2', '-bios', guest('busy'),
            '-device', 'VGA,romfile=', paused=True) as vm:
        lines = vm.said(all_lines=True).splitlines()
        names = cannot_be_set(vm)
        Tap.ok({'DEF_TYPE', 'PHYS_MASK7', 'FIX4KF8000', 'SINT0', 'SINT15'} <
               set(names) and 'TSC_ADJUST' not in names,
               'what is found out: MTRRs, SINTs, and no other', names)
        told = {word for line in lines if 'does not let registers be set' in
                line for word in line.split(': ')[-1].split(', ')}
        Tap.equal(sorted(told), sorted(names), 'all are named')
        vm.qmp('cont')
        Tap.ok(vm.moves(), 'the guest runs', vm.said())
        vm.qmp('system_reset')
        Tap.ok(vm.moves(), 'and does after a reset', vm.said())
        Tap.equal(vm.said(all_lines=True).splitlines(), lines,
                  'nothing is said again')
        try:
            vm.qmp('migrate', uri='file:/dev/null')
            saw = 'no error'
        except QmpError as e:
            saw = str(e)
        Tap.ok('does not let all registers' in saw, 'it cannot be migrated',
               saw)
    Tap.end()


main()
