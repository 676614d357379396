#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian in one long life: CPUs and memory come and go, it sleeps, starts a
kernel with kexec, and ends when the power button is pressed."""

import sys
import time
from linux import HOST_CPU, Linux, make
from vm import PATIENCE, Tap, QmpError


def equal(what, seen, wanted):
    if seen != wanted:
        raise AssertionError(f'{what}: saw {seen!r}, wanted {wanted!r}')


def wait_for(vm, command, wanted):
    """Until the guest's answer is the wanted one."""
    for _ in range(60):
        seen = vm.run(command)
        if seen == wanted:
            return
        time.sleep(0.05 * PATIENCE)
    raise AssertionError(f'{command}: {seen!r} at last, wanted {wanted!r}')


def unplug(vm, device):
    """Ask the guest to let go of a device, until it does."""
    vm.qmp('device_del', id=device)
    # Its parts have events, too.
    while event := vm.wait_event('DEVICE_DELETED', 60):
        if event['data'].get('device') == device:
            return
    raise AssertionError(f'{device} is not unplugged')


def processors(vm):
    place = [c for c in vm.qmp('query-hotpluggable-cpus')
             if 'qom-path' not in c][-1]
    for _ in range(2):
        vm.qmp('device_add', driver=place['type'], id='cpu2', **place['props'])
        # Debian's udev does not bring it online by itself.
        wait_for(vm, 'ls -d /sys/devices/system/cpu/cpu2',
                 '/sys/devices/system/cpu/cpu2')
        vm.run('echo 1 >/sys/devices/system/cpu/cpu2/online')
        equal('nproc', vm.run('nproc'), '3')
        equal('work there',
              vm.run('taskset -c 2 sh -c "echo \\$((6 * 7))"'), '42')
        unplug(vm, 'cpu2')
        equal('nproc after the unplug', vm.run('nproc'), '2')


def total(vm):
    """The guest's memory in MiB."""
    return int(vm.run("awk '/^MemTotal/ {print $2}' /proc/meminfo")) >> 10


def memory(vm):
    before = total(vm)
    vm.qmp('object-add', qom_type='memory-backend-ram', id='mem1',
           size=256 << 20)
    vm.qmp('device_add', driver='pc-dimm', id='dimm1', memdev='mem1')
    wait_for(vm, 'test $(awk "/^MemTotal/ {print \\$2}" /proc/meminfo) -gt '
             f'{(before + 200) << 10}; echo $?', '0')
    # What can move is taken from there first.
    vm.run('mount -t tmpfs -o size=100% t /mnt; '
           'dd if=/dev/urandom of=/tmp/seed bs=1M count=1 status=none; '
           'for i in $(seq 200); do echo $i; cat /tmp/seed; done >/mnt/a', 300)
    made = vm.run('md5sum </mnt/a', 300)
    equal('memory, read again', vm.run('md5sum </mnt/a', 300), made)
    vm.run('umount /mnt')
    unplug(vm, 'dimm1')
    if total(vm) > before + 8:
        raise AssertionError(f'{total(vm)} MiB are left of {before}')
    vm.qmp('object-del', id='mem1')


def sleep(vm):
    """S3, and what wakes it."""
    vm.console.type('echo mem >/sys/power/state; echo woken: $?')
    equal('SUSPEND', vm.wait_event('SUSPEND', 60) is not None, True)
    equal('status', vm.status(), 'suspended')
    vm.qmp('system_wakeup')
    vm.console.wait_for(r'woken: 0[^#]*guest-shell# ', 120)
    equal('nproc', vm.run('nproc'), '2')
    made = vm.run('dd if=/dev/urandom of=/data bs=1M count=4 status=none;'
                  'sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum </data')
    equal('the disk', vm.run('sha256sum </data'), made)


def kexec(vm):
    before = vm.run('cat /proc/sys/kernel/random/boot_id')
    equal('kexec -l', vm.run(
        'kexec -l /vmlinuz --initrd=/initrd.img --reuse-cmdline; echo $?'),
          '0')
    vm.console.type('kexec -e')
    vm.console.login(300)
    equal('another boot',
          vm.run('cat /proc/sys/kernel/random/boot_id') != before, True)
    equal('nproc', vm.run('nproc'), '2')
    equal('systemd', vm.run('systemctl is-system-running --wait', 240),
          'running')


def power_button(vm):
    vm.qmp('system_powerdown')
    equal('exit status', vm.wait_end(60), 0)
    equal('complaints', vm.said(), '')


def main():
    guest = make('scripts/debian-guest')
    with Linux('-M', 'q35', '-cpu', HOST_CPU, '-smp', '2,maxcpus=4,sockets=4',
               '-m', '512,slots=2,maxmem=2G', '-kernel', f'{guest}/vmlinuz',
               '-initrd', f'{guest}/initrd.img', '-append',
               'root=/dev/vda rw console=ttyS0 quiet '
               'memhp_default_state=online_movable', '-drive',
               f'file={guest}/disk.raw,format=raw,if=virtio,snapshot=on',
               '-nic', 'user,model=virtio-net-pci') as vm:
        try:
            vm.console.login(300)
        except AssertionError as e:
            Tap.ok(False, 'login', f'{e}\n{vm}')
            Tap.end()
        for name, test in (
                ('a CPU is plugged in, works and is unplugged, twice',
                 processors),
                ('memory is plugged in, holds data and is unplugged', memory),
                ('S3 and wake-up', sleep),
                ('kexec', kexec),
                ('the power button ends it', power_button)):
            started = time.monotonic()
            try:
                test(vm)
            except (AssertionError, QmpError) as e:
                Tap.ok(False, name, f'{e}\n{vm}')
                break
            Tap.ok(True, f'{name}: {time.monotonic() - started:.0f} s')
    Tap.end()


sys.exit(main())
