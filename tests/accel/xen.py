#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Xen as a guest, with a paravirtualised Linux as its dom0."""

from linux import HOST_CPU, Linux, make, part, equal
from vm import Tap

GUEST = make('tests/guest/small-guest')
XEN = make('tests/guest/xen')


def hypervisor(vm):
    equal('what Linux runs on', vm.run('cat /sys/hypervisor/type'), 'xen')
    equal('how', vm.run('cat /sys/hypervisor/guest_type'), 'PV')
    equal('processors', vm.run('nproc'), '2')


def main():
    with Linux('-M', 'q35', '-cpu', HOST_CPU, '-m', '512', '-smp', '2',
               '-vga', 'none', '-kernel', XEN, '-append',
               'console=com1 com1=115200,8n1 dom0_mem=256M noreboot',
               '-initrd', f'{GUEST}/vmlinuz console=hvc0 quiet panic=-1,'
               f'{GUEST}/initrd.img') as vm:
        part(vm, 'dom0 comes to its shell', lambda vm: vm.console.shell(600))
        part(vm, 'and is that of Xen', hypervisor)
        Tap.equal(vm.said(), '', 'QEMU has no complaint')
        unknown = {k: v for k, v in vm.stats().items() if 'unknown-msr' in k}
        print(f'# {unknown}')
        Tap.equal(vm.power_off(), None, 'it powers off')
    Tap.end()


main()
