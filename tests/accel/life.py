#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux guest in one long life: CPUs and memory come and go, and it sleeps."""

import sys
import tempfile
import time
from linux import Small, equal, part, total
from vm import PATIENCE, Tap


def wait_for(vm, command, wanted):
    """Until the guest's answer is the wanted one."""
    end = time.monotonic() + 30 * PATIENCE
    while (seen := vm.run(command)) != wanted:
        if time.monotonic() > end:
            raise AssertionError(f'{command}: {seen!r} at last, wanted '
                                 f'{wanted!r}')
        time.sleep(0.5)


def processors(vm):
    place = [c for c in vm.qmp('query-hotpluggable-cpus')
             if 'qom-path' not in c][-1]
    for _ in range(2):
        vm.qmp('device_add', driver=place['type'], id='cpu2', **place['props'])
        wait_for(vm, 'ls -d /sys/devices/system/cpu/cpu2',
                 '/sys/devices/system/cpu/cpu2')
        equal('online', vm.run(
            'echo 1 >/sys/devices/system/cpu/cpu2/online; echo $?'), '0')
        equal('nproc', vm.run('nproc'), '3')
        equal('work there',
              vm.run('taskset -c 2 sh -c "echo \\$((6 * 7))"'), '42')
        vm.unplug('cpu2')
        equal('nproc after the unplug', vm.run('nproc'), '2')


def memory(vm):
    before = total(vm)
    vm.qmp('object-add', qom_type='memory-backend-ram', id='mem1',
           size=256 << 20)
    vm.qmp('device_add', driver='pc-dimm', id='dimm1', memdev='mem1')
    wait_for(vm, 'test $(awk "/^MemTotal/ {print \\$2}" /proc/meminfo) -gt '
             f'{(before + 200) << 10}; echo $?', '0')
    # What can move is taken from there first.
    vm.run('mount -t tmpfs -o size=100% t /mnt; '
           'dd if=/dev/urandom of=/tmp/seed bs=1M count=1 2>/dev/null; '
           'for i in $(seq 150); do echo $i; cat /tmp/seed; done >/mnt/a', 300)
    made = vm.run('md5sum </mnt/a', 300)
    equal('memory, read again', vm.run('md5sum </mnt/a', 300), made)
    vm.run('umount /mnt')
    vm.unplug('dimm1')
    if total(vm) > before + 8:
        raise AssertionError(f'{total(vm)} MiB are left of {before}')
    vm.qmp('object-del', id='mem1')


def sleep(vm):
    """S3, and what wakes it."""
    made = vm.run('dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null; '
                  'md5sum </tmp/data')
    vm.console.type('echo mem >/sys/power/state; echo woken: $?')
    equal('SUSPEND', vm.wait_event('SUSPEND', 30) is not None, True)
    equal('status', vm.status(), 'suspended')
    vm.qmp('system_wakeup')
    vm.console.wait_for(r'woken: 0[^#]*guest-shell# ', 100)
    equal('nproc', vm.run('nproc'), '2')
    equal('memory', vm.run('md5sum </tmp/data'), made)
    vm.run('dd if=/tmp/data of=/dev/vda bs=64k conv=fsync 2>/dev/null; '
           'echo 3 >/proc/sys/vm/drop_caches')
    equal('the disk', vm.run('md5sum </dev/vda'), made)


def life(disk):
    with Small('-smp', '2,maxcpus=4,sockets=4', '-drive',
               f'file={disk},format=raw,if=virtio',
               memory='256,slots=2,maxmem=2G', kernel='vmlinuz',
               append='memhp_default_state=online_movable',
               modules='virtio_pci,virtio_blk') as vm:
        for name, test in (
                ('a CPU is plugged in, works and is unplugged, twice',
                 processors),
                ('memory is plugged in, holds data and is unplugged', memory),
                ('suspend to RAM and wake-up', sleep)):
            if not part(vm, name, test):
                break
        Tap.equal(vm.said(), '', 'QEMU has no complaint')


def main():
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(4 << 20)
        life(disk.name)
    Tap.end()


sys.exit(main())
