#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory and CPUs that are plugged in, and refusals."""

import errno
import tempfile
from carried import Carried
from vm import COUNT, Tap, Vm, QmpError, firmware

ARGS = ('-M', 'pc', '-m', '64,slots=2,maxmem=1G', '-smp', '1,maxcpus=4,sockets=4')


def plug_memory(vm, name):
    """QEMU's error, or None."""
    try:
        vm.qmp('object-add', qom_type='memory-backend-ram', id=f'm{name}',
               size=128 << 20)
        vm.qmp('device_add', driver='pc-dimm', id=f'd{name}',
               memdev=f'm{name}')
        return None
    except QmpError as e:
        return str(e)


def plug_cpu(vm, number):
    try:
        vm.qmp('device_add', driver='qemu64-x86_64-cpu', id=f'c{number}',
               **{'socket_id': number, 'core_id': 0, 'thread_id': 0})
        return None
    except QmpError as e:
        return str(e)


def plug(image):
    """All goes well."""
    with Vm(*ARGS, '-bios', image) as vm:
        Tap.equal(plug_memory(vm, 1), None, 'memory is plugged in')
        Tap.equal(plug_memory(vm, 2), None, 'and more of it')
        Tap.equal(plug_cpu(vm, 1), None, 'a CPU is plugged in')
        Tap.equal(len(vm.qmp('query-cpus-fast')), 2, 'there are two')
        Tap.equal(vm.status(), 'running', 'the guest runs on')
        vm.qmp('system_reset')
        Tap.equal(vm.status(), 'running', 'and after a reset')
        Tap.equal(vm.said(), '', 'no complaint')


def refused(image, call, plug_it, what):
    """The next call of that name fails: so does the command, no more."""
    with Vm(*ARGS, '-bios', image) as vm:
        vm.qmp('qom-set', path='/machine/accel', property='x-fail-ioctl',
               value=f'{call}:1:{errno.ENOMEM}')
        error = plug_it(vm, 1)
        Tap.ok(error and 'Cannot allocate memory' in error,
               f'{what} that is refused: the command fails', error)
        Tap.equal(vm.stats()['errors-' + call.lower().replace('_', '-')], 1,
                  f'{what} refused: it is counted')
        Tap.equal(vm.status(), 'running', f'{what} refused: the guest lives')
        Tap.equal(vm.said(), '', f'{what} refused: no complaint elsewhere')


def too_many():
    with Vm('-M', 'q35', '-m', '16', '-smp', '300') as vm:
        said = vm.said()
        Tap.ok(not vm.started and vm.wait_end() == 1 and
               len(said.splitlines()) == 1 and '256' in said,
               '300 CPUs are refused in one line', said)


def partition_stays():
    """The hypercall page and the reference clock are the partition's, and no
    business of a CPU that comes."""
    with Carried(smp='1,maxcpus=3,sockets=3') as vm:
        Tap.equal(vm.wait_passes(), '', 'a guest makes hypercalls')
        for number in 1, 2:
            Tap.equal(plug_cpu(vm, number), None, f'CPU {number} comes')
            Tap.equal(vm.wait_passes(), '',
                      f'its hypercalls and clocks go on, CPU {number} or not')
        vm.qmp('system_reset')
        Tap.equal(vm.wait_passes(), '', 'and after a reset')


with tempfile.TemporaryDirectory() as d:
    guest = firmware(d, COUNT)
    plug(guest)
    refused(guest, 'SET_GUEST_MEMORY', plug_memory, 'memory')
    refused(guest, 'CREATE_VP', plug_cpu, 'a CPU')
    too_many()
partition_stays()
Tap.end()
