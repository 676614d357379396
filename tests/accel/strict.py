#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU makes of a hypervisor that refuses, where a guest does not see it.

For the emulated host with emuhv-strict=WORD; the words that are named are
tested, or, without any, all that have something to test.

Usage: strict.py [WORD]...
"""

import sys

from linux import Small
from vm import QmpError, Tap, Vm, guest, refusal, until

SMALL = ('-M', 'pc', '-m', '32', '-bios', guest('busy'), '-device',
         'VGA,romfile=')


def said_by(command, vm, **arguments):
    """The error of a command of QMP."""
    try:
        vm.qmp(command, **arguments)
    except QmpError as e:
        return str(e)
    return 'no error'


def cannot_be_set(vm):
    """Their names, as QEMU lists them for developers."""
    text = vm.qmp('qom-get', path='/machine/accel', property='x-state-list')
    return [line.split()[1] for line in text.splitlines()
            if line.endswith('(cannot be set)')]


def fixed_registers():
    """Registers can be read, but not set, which a guest can do without: QEMU
    says once which, and goes on."""
    def told():
        return [line for line in vm.said(all_lines=True).splitlines()
                if 'does not let registers be set' in line]

    with Vm(*SMALL, '-smp', '2', paused=True) as vm:
        lines, names = told(), cannot_be_set(vm)
        Tap.ok({'DEF_TYPE', 'PHYS_MASK7', 'FIX4KF8000', 'SINT0', 'SINT15'} <
               set(names) and 'TSC_ADJUST' not in names,
               'what is found out: MTRRs, SINTs, and no other', names)
        Tap.equal(sorted({word for line in lines for word in
                          line.split(': ')[-1].split(', ')}), sorted(names),
                  'all are named')
        vm.qmp('cont')
        Tap.ok(vm.moves(), 'the guest runs', vm.said())
        vm.qmp('system_reset')
        Tap.ok(vm.moves(), 'and does after a reset', vm.said())
        Tap.equal(told(), lines, 'nothing is said again')
        saw = said_by('migrate', vm, uri='file:/dev/null')
        Tap.ok('does not let all registers' in saw or 'which pages' in saw,
               'it cannot be migrated', saw)


def no_page_tracking():
    with Vm(*SMALL) as vm:
        saw = said_by('migrate', vm, uri='file:/dev/null')
        Tap.ok('does not tell which pages a guest has written' in saw,
               'without page tracking it cannot be migrated', saw)
        Tap.ok(vm.moves(), 'it runs on', vm.said())


def few_partitions():
    with Vm(*SMALL) as vm:
        refusal(['-accel', 'mshv', '-m', '32', '-S'],
                'cannot create a partition', 'one partition too many')
        Tap.ok(vm.moves(), 'which leaves the first one alone', vm.said())

    def starts():
        with Vm(*SMALL) as vm:
            return vm.started and vm.moves()

    # The kernel may take a moment to let go of it.
    Tap.ok(until(starts), 'when it is gone there is room for one')


def few_vps():
    refusal(['-accel', 'mshv', '-smp', '5', '-m', '32', '-S'],
            'cannot create VP 4', 'one VP too many')
    with Vm(*SMALL, '-smp', '4,maxcpus=5,sockets=5') as vm:
        saw = said_by('device_add', vm, driver='qemu64-x86_64-cpu',
                      socket_id=4, core_id=0, thread_id=0)
        Tap.ok('cannot create VP 4' in saw, 'one plugged CPU too many', saw)
        Tap.ok(vm.moves() and len(vm.qmp('query-cpus-fast')) == 4,
               'the VM goes on with those that it has', vm.said())


def few_ports():
    """Who has a port is notified by it, and the others by an exit."""
    with Small('-smp', '2', '-blockdev', 'null-co,node-name=d,size=16777216',
               '-device', 'virtio-blk-pci,drive=d,num-queues=4',
               modules='virtio_pci,virtio_blk') as vm:
        vm.run('while [ ! -b /dev/vda ]; do sleep 0.1; done')
        for cpu in 0, 1:
            vm.run(f'taskset {1 << cpu} dd if=/dev/vda of=/dev/null bs=4k '
                   'count=8 iflag=direct 2>/dev/null')
        refused = vm.stats()['refused-ioeventfd']
        Tap.ok(refused > 0, 'some queues have no ioeventfd', refused)
        saw = vm.power_off()
        Tap.ok(not saw, 'and the guest comes to its end with them', saw)


def cpu_has(vm, name):
    return vm.qmp('qom-get', path=vm.qmp('query-cpus-fast')[0]['qom-path'],
                  property=name)


def few_address_bits():
    for model in 'qemu64', 'max', 'max,host-phys-bits-limit=34':
        with Vm(*SMALL, '-cpu', model) as vm:
            Tap.equal(cpu_has(vm, 'phys-bits'), 34 if '34' in model else 36,
                      f'{model}: as many address bits as there are')
            Tap.ok(vm.moves() and not vm.said(), f'{model}: it runs',
                   vm.said())
    with Vm(*SMALL, '-cpu', 'qemu64,phys-bits=40') as vm:
        Tap.ok(until(lambda: 'more than the 36' in vm.said(), 1),
               'who asks for more is told', vm.said())


def few_features():
    with Vm(*SMALL, '-cpu', 'max') as vm:
        seen = {name: cpu_has(vm, name) for name in
                ('bmi1', 'avx2', 'smap', 'popcnt', 'avx')}
        Tap.equal(seen, {'bmi1': False, 'avx2': False, 'smap': False,
                         'popcnt': True, 'avx': True},
                  '-cpu max has what is granted, and nothing else')
    with Vm(*SMALL, '-cpu', 'qemu64,+bmi1') as vm:
        Tap.ok(until(lambda: "doesn't support requested feature" in vm.said()
                     and 'bmi1' in vm.said(), 1) and not cpu_has(vm, 'bmi1'),
               'who asks for more is told, and does not get it', vm.said())


CHECKS = {f.__name__.replace('_', '-'): f for f in (
    fixed_registers, no_page_tracking, few_partitions, few_vps, few_ports,
    few_address_bits, few_features)}


def main():
    for word in sys.argv[1:] or CHECKS:
        CHECKS[word]()
    Tap.end()


main()
