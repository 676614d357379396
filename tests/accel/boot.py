#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines and firmware: what boots, from where.

SeaBIOS through INT 13h, OVMF with variables that stay, and the kernel by
itself, also on microvm. Only if named: secure boot, with system management mode,
and the end of a kernel.

Usage: boot.py [kernel|microvm|bios|uefi|secure|secure-1|secure-4|unsigned|
               panic]...
"""

import os
import shutil
import sys
import tempfile
import time
from linux import HOST_CPU, Linux, Small, make
from vm import Tap, QmpError, Vm, until

CODE = 'OVMF_CODE_4M.fd'
VARS = 'OVMF_VARS_4M.fd'
FIRMWARE = ('/usr/share/OVMF', '/usr/share/edk2/ovmf')
# A GUID of our own: of UEFI's, firmware takes only variables that it knows.
NAME, VALUE = 'MshvTest', 'kept'
VARIABLE = f'/sys/firmware/efi/efivars/{NAME}-5d793822-4a8d-448a-814f-2c357c7b53b2'


def firmware_file(name):
    for directory in FIRMWARE:
        path = os.path.join(directory, name)
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f'{name} is in none of {FIRMWARE}')


def check(name, test, *args):
    try:
        test(*args)
    except (AssertionError, QmpError, OSError) as e:
        return Tap.ok(False, name, e)
    return Tap.ok(True, name)


def same(what, seen, wanted):
    if seen != wanted:
        raise AssertionError(f'{what}: saw {seen!r}, wanted {wanted!r}')


def direct_kernel(machine):
    with Small('-smp', '2', machine=machine) as vm:
        same('processors', vm.run('nproc'), '2')
        same('clock source', vm.run(
            'cat /sys/devices/system/clocksource/clocksource0/'
            'current_clocksource').startswith('hyperv_clocksource'), True)


def linux_panics():
    """It tells the hypervisor, and what its last messages were."""
    with Small('-action', 'panic=pause', accel='mshv,log=lifecycle') as vm:
        vm.console.type('echo c >/proc/sysrq-trigger')
        event = vm.wait_event('GUEST_PANICKED', 60)
        info = event['data'].get('info', {}) if event else {}
        same('the event', info.get('type'), 'hyper-v')
        same('the status', vm.status(), 'guest-panicked')
        told = [line for line in vm.said().splitlines()
                if 'event=guest-crash' in line]
        same('lines', len(told), 1)
        same('the messages', 'sysrq triggered crash' in told[0], True)


def microvm():
    # QEMU 10.0 puts a large initrd where microvm's ACPI tables are, TCG, too.
    with Small('-blockdev', 'null-co,node-name=d,size=16777216,read-zeroes=on',
               '-device', 'virtio-blk-device,drive=d', machine='microvm',
               modules='virtio_mmio,virtio_blk', initrd_at=128 << 20) as vm:
        vm.run('while [ ! -b /dev/vda ]; do sleep 0.1; done')
        same('read of the disk', vm.run(
            'dd if=/dev/vda bs=64k count=16 2>/dev/null | wc -c'), '1048576')


class BootDisk(Linux):
    def __init__(self, disk, machine, *args):
        super().__init__(
            '-M', machine, '-cpu', HOST_CPU, '-smp', '2', '-m', '512', *args,
            '-drive', f'file={disk},format=raw,if=none,id=d,snapshot=on',
            '-device', 'virtio-blk-pci,drive=d,bootindex=1')

    def login(self):
        try:
            self.console.login(300)
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self}') from None


def seabios(disk):
    with BootDisk(disk, 'pc') as vm:
        vm.console.wait_for('SYSLINUX', 60)
        vm.login()
        same('EFI', vm.run('ls /sys/firmware | grep efi'), '')
        vm.qmp('system_powerdown')
        same('exit status', vm.wait_end(60), 0)
        same('complaints', vm.said(), '')


def mount_variables(vm):
    vm.run('mountpoint -q /sys/firmware/efi/efivars || '
           'mount -t efivarfs e /sys/firmware/efi/efivars')


def check_variable(vm):
    mount_variables(vm)
    same('the variable', vm.run(f'cat {VARIABLE} | tail -c +5'), VALUE)


def ovmf(disk, directory):
    variables = os.path.join(directory, VARS)
    shutil.copyfile(firmware_file(VARS), variables)
    args = (disk, 'q35,smm=off',
            '-drive', 'if=pflash,format=raw,unit=0,readonly=on,file='
            + firmware_file(CODE),
            '-drive', f'if=pflash,format=raw,unit=1,file={variables}')
    with BootDisk(*args) as vm:
        vm.login()
        mount_variables(vm)
        same('written', vm.run(
            f"printf '\\007\\000\\000\\000{VALUE}' >{VARIABLE}; echo $?"),
             '0')
        check_variable(vm)
        # Who looks where only a firmware that needs SMM looks (smm-missing.c)
        same('ESMRAMC', vm.run(
            'dd if=/sys/bus/pci/devices/0000:00:00.0/config bs=1 skip=158 '
            'count=1 2>/dev/null | od -An -tx1'), '00')
        vm.console.type('systemctl reboot -ff')
        vm.login()
        check_variable(vm)
        vm.console.type('systemctl poweroff -ff')
        same('exit status', vm.wait_end(20), 0)
        same('complaints', vm.said(), '')
    # The next QEMU gets it from the file.
    with open(variables, 'rb') as f:
        same('in the file', NAME.encode('utf-16-le') + b'\0\0' +
             VALUE.encode() in f.read(), True)


class SecureBoot(Linux):
    """OVMF's build for secure boot, with the usual keys."""

    def __init__(self, disk, variables, cpus=2):
        super().__init__(
            '-M', 'q35,smm=on', '-cpu', HOST_CPU, '-smp', str(cpus), '-m', '512',
            '-global', 'driver=cfi.pflash01,property=secure,value=on',
            '-drive', 'if=pflash,format=raw,unit=0,readonly=on,file='
            + firmware_file('OVMF_CODE_4M.secboot.fd'),
            '-drive', f'if=pflash,format=raw,unit=1,file={variables}',
            '-drive', f'file={disk},format=raw,if=none,id=d,snapshot=on',
            '-device', 'virtio-blk-pci,drive=d,bootindex=1')

    def wait_for(self, *lines):
        try:
            for line in lines:
                self.console.wait_for(line, 600)
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self}') from None


def new_keys(directory):
    path = os.path.join(directory, 'secure.fd')
    shutil.copyfile(firmware_file('OVMF_VARS_4M.ms.fd'), path)
    return path


def cost(vm, before, seconds, cpus):
    """Of a variable that was written: the way out of SMM is such an exit, of each
    CPU."""
    seen = {k: v - before[k] for k, v in vm.stats('vcpu').items()}
    times = seen['exits-exception'] / cpus
    print(f'# a variable is written: {times:g} times in SMM, '
          f'{seconds * 1000:.0f} ms')
    same('in SMM', 1 <= times <= 20, True)


def secure_boot(disk, directory, cpus):
    variables = new_keys(directory)
    with SecureBoot(disk, variables, cpus) as vm:
        vm.wait_for('bad shim signature', 'changed kernel: refused')
        vm.console.shell(600)
        mount_variables(vm)
        same('processors', vm.run('grep -c ^processor /proc/cpuinfo'),
             str(cpus))
        same('SecureBoot', vm.run(
            'od -An -tx1 /sys/firmware/efi/efivars/SecureBoot-*').split(),
            ['06', '00', '00', '00', '01'])
        same('the kernel knows', 'secureboot: Secure boot enabled' in
             vm.run('dmesg | grep -i "secure"'), True)
        before, began = vm.stats('vcpu'), time.monotonic()
        same('written', vm.run(
            f"printf '\\007\\000\\000\\000{VALUE}' >{VARIABLE}; echo $?"),
             '0')
        cost(vm, before, time.monotonic() - began, cpus)
        check_variable(vm)
        # Only who has a key may change this.
        vm.run('chattr -i /sys/firmware/efi/efivars/db-*')
        same('db taken', 'error' in vm.run(
            "printf '\\047\\000\\000\\000x' "
            '>/sys/firmware/efi/efivars/db-d719b2cb-3d3a-4596-a3bc-dad00e67656f'
            ' 2>/dev/null || echo error'), True)
        vm.console.type('reboot -f')
        vm.console.shell(600)
        mount_variables(vm)
        check_variable(vm)
        same('end', vm.power_off(60), None)
        same('complaints', vm.said(), '')
    with open(variables, 'rb') as f:
        same('in the file', NAME.encode('utf-16-le') + b'\0\0' +
             VALUE.encode() in f.read(), True)


def without_smm(directory, machine, advice):
    """A firmware that needs it waits for ever, and QEMU says why, once."""
    with Vm('-M', machine, '-m', '256', '-drive',
            'if=pflash,format=raw,unit=0,readonly=on,file='
            + firmware_file('OVMF_CODE_4M.secboot.fd'), '-drive',
            f'if=pflash,format=raw,unit=1,file={new_keys(directory)}') as vm:
        until(vm.said, 60)
        same('a warning', 'finds none and waits for ever' in vm.said() and
             f'use {advice} or' in vm.said(), True)
        same('lines', len(vm.said().splitlines()), 1)


def unsigned_boot(disk, directory):
    with SecureBoot(disk, new_keys(directory)) as vm:
        vm.wait_for('failed to load Boot.*Access Denied',
                    'No bootable option')
        same('complaints', vm.said(), '')


def kernel():
    for machine in ('pc', 'q35'):
        check(f'{machine} boots a kernel', direct_kernel, machine)


def mmio():
    check('microvm boots a kernel, and its virtio-mmio disk is read', microvm)


def bios():
    check('SeaBIOS boots Debian from disk, the power button ends it', seabios,
          make('tests/guest/boot-disk'))


def uefi():
    with tempfile.TemporaryDirectory() as d:
        check('OVMF boots Debian; a variable outlives a reboot and QEMU', ovmf,
              make('tests/guest/boot-disk'), d)
        check('q35, smm=off: a firmware that needs SMM is noticed',
              without_smm, d, 'q35,smm=off', 'smm=on')


def secure(cpus=2):
    with tempfile.TemporaryDirectory() as d:
        check(f'secure boot of Debian with {cpus} CPUs: a changed kernel is '
              'refused, variables stay', secure_boot,
              make('tests/guest/secure-disk'), d, cpus)


def unsigned():
    with tempfile.TemporaryDirectory() as d:
        check('secure boot: a boot loader without a signature is refused',
              unsigned_boot, make('tests/guest/boot-disk'), d)
        check('pc: a firmware that needs SMM is noticed', without_smm, d, 'pc',
              '-machine q35,smm=on')


def panic():
    check('Linux tells that it panics, and why', linux_panics)


PARTS = {'kernel': kernel, 'microvm': mmio, 'bios': bios, 'uefi': uefi}
NAMED = {'secure': secure, 'secure-1': lambda: secure(1),
         'secure-4': lambda: secure(4), 'unsigned': unsigned, 'panic': panic}


def main():
    for part in sys.argv[1:] or PARTS:
        (PARTS | NAMED)[part]()
    Tap.end()


if __name__ == '__main__':
    sys.exit(main())
