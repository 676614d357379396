#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""60 disks come, change their driver, and go: no irqfd and no route is left."""

from linux import Small, equal, part
from vm import Tap, until

DISKS = 60


def counts(vm):
    stats = vm.stats()
    return stats['irqfds'], stats['msi-routes']


def disks(vm):
    return int(vm.run('ls /sys/block | grep -c vd; true'))


def plug(vm):
    for n in range(DISKS):
        vm.qmp('device_add', driver='virtio-blk-pci', id=f'disk{n}',
               drive=f'd{n}', bus=f'bridge{n // 30}', addr=f'{n % 30 + 1:#x}',
               iothread='io')
    if not until(lambda: disks(vm) == DISKS, 300):
        raise AssertionError(f'{disks(vm)} disks')
    irqfds, routes = counts(vm)
    if irqfds < DISKS or routes < DISKS:
        raise AssertionError(f'{irqfds} irqfds, {routes} routes')


def rebind(vm):
    before = counts(vm)
    for what in ('unbind', 'bind'):
        vm.run('cd /sys/bus/virtio/drivers/virtio_blk; for d in '
               f'/sys/bus/virtio/devices/*; do echo ${{d##*/}} >{what}; done; '
               'cd /', 300)
        if what == 'unbind':
            equal('without a driver', counts(vm), (0, 0))
    if not until(lambda: disks(vm) == DISKS, 300):
        raise AssertionError(f'{disks(vm)} disks')
    equal('irqfds and routes', counts(vm), before)


def read(vm):
    equal('disks that are read', vm.run(
        'for d in /dev/vd*; do dd if=$d bs=4k count=4 2>/dev/null; done | wc -c',
        300), str(DISKS * 16384))


def take_away(vm):
    for n in range(DISKS):
        vm.unplug(f'disk{n}')
    equal('irqfds and routes', counts(vm), (0, 0))


def main():
    backends = [word for n in range(DISKS) for word in (
        '-blockdev', f'null-co,node-name=d{n},size=1048576,read-zeroes=on')]
    with Small('-device', 'pci-bridge,id=bridge0,chassis_nr=1', '-device',
               'pci-bridge,id=bridge1,chassis_nr=2', '-object',
               'iothread,id=io', *backends, machine='pc',
               modules='virtio_pci,virtio_blk') as vm:
        part(vm, f'{DISKS} disks are plugged', plug)
        part(vm, 'they are read', read)
        part(vm, 'their driver goes and comes', rebind)
        part(vm, 'they are read again', read)
        part(vm, 'and are unplugged', take_away)
        Tap.equal(vm.said(), '', 'QEMU has no complaint')
    Tap.end()


main()
