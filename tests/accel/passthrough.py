#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices of the host that guests have by VFIO. tests/accel/run adds them to the
emulated host; elsewhere they are looked for, and none is taken from its driver.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

from linux import Small, appears, equal, part
from vm import TOP, Tap, Vm, guest, until

# PCI vendor and device
DISK, NIC = ('0x1b36', '0x0010'), ('0x8086', '0x10d3')
PCI = '/sys/bus/pci'
# The emulated host's IOMMU does not remap interrupts.
UNSAFE = '/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts'


def read(path):
    with open(path, encoding='ascii') as f:
        return f.read().strip()


def write(path, text):
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)


def take(ids):
    """Give a device that nobody uses to vfio-pci. Its address, or None."""
    for path in glob.glob(f'{PCI}/devices/*'):
        if (read(f'{path}/vendor'), read(f'{path}/device')) == ids and \
                os.path.exists(f'{path}/iommu_group') and \
                not os.path.exists(f'{path}/driver'):
            address = os.path.basename(path)
            write(f'{path}/driver_override', 'vfio-pci')
            write(f'{PCI}/drivers_probe', address)
            return address
    return None


def interrupts(vm, name):
    """How many a device's driver has had, and by what chips."""
    words = [w for line in vm.run(f'grep {name} /proc/interrupts').splitlines()
             for w in line.split()[1:]]
    return (sum(int(w) for w in words if w.isdigit()),
            ' '.join({w for w in words if 'APIC' in w or 'MSI' in w}))


def sent_by_qemu(vm):
    return vm.stats()['calls-assert-virtual-interrupt']


def disk(vm):
    """Data by DMA, and interrupts that do not pass through QEMU."""
    appears(vm, 'ls -d /sys/block/nvme0n1')
    vm.run('dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null')
    made = vm.run('md5sum </tmp/data')
    vm.run('dd if=/tmp/data of=/dev/nvme0n1 bs=16k conv=fsync 2>/dev/null; '
           'echo 3 >/proc/sys/vm/drop_caches')
    # What the console gets and prints takes interrupts, too.
    vm.run('r() { dd if=/dev/nvme0n1 of=/tmp/read bs=16k count=256 '
           'iflag=direct 2>/dev/null; }')
    before, sent = interrupts(vm, 'nvme0q')[0], sent_by_qemu(vm)
    vm.run('r')
    sent = sent_by_qemu(vm) - sent
    seen, chip = interrupts(vm, 'nvme0q')
    equal('data', vm.run('md5sum </tmp/read'), made)
    equal('the interrupts', 'MSI' in chip, True)
    if seen < before + 256:
        raise AssertionError(f'{seen - before} interrupts for 256 reads')
    if sent > 64:
        raise AssertionError(f'QEMU sent {sent} interrupts')


def network(vm, chip):
    vm.run('ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0')
    equal('the answer of the gateway', until(
        lambda: vm.run('ping -c 3 -W 5 10.0.2.2 >/dev/null; echo $?') == '0'),
        True)
    count, seen = interrupts(vm, 'eth0')
    if not count or chip not in seen:
        raise AssertionError(f'{count} interrupts by {seen!r}, wanted {chip}')


def reset(vm):
    vm.qmp('system_reset')
    vm.console.shell(300)
    disk(vm)


def held(vm):
    """Whether QEMU still has a device of VFIO open: it closes one some time after
    the device is gone, and takes it anew only then."""
    fds = f'/proc/{vm.process.pid}/fd'
    return any('vfio-device' in os.path.realpath(f'{fds}/{fd}')
               for fd in os.listdir(fds))


def exported(vm):
    """How many devices the VM has, as mshv-exporter tells."""
    page = subprocess.run(
        [os.path.join(TOP, 'build', 'tools', 'tools', 'mshv-exporter'),
         '--once'], capture_output=True, text=True, check=True).stdout
    return re.findall(r'^(?:kubevirt_HyperVLayered_hardware_passthrough_total|'
                      r'mshv_vm_passthrough_devices)\{.*'
                      rf'pid="{vm.process.pid}"\}} (\d+)$', page, re.M)


def hotplug(vm, address):
    """Plugged in and unplugged, twice, at a root port."""
    for _ in range(2):
        equal('devices that are exported', exported(vm), ['0', '0'])
        vm.qmp('device_add', driver='vfio-pci', host=address, id='d', bus='p')
        equal('devices that are exported', exported(vm), ['1', '1'])
        disk(vm)
        equal('open', held(vm), True)
        vm.unplug('d')
        equal('the disk', vm.run('ls /sys/block | grep nvme'), '')
        equal('closed', until(lambda: not held(vm)), True)


def both(nvme, nic):
    with Small('-smp', '2', '-device', f'vfio-pci,host={nvme}',
               '-device', f'vfio-pci,host={nic}',
               modules='nvme,e1000e') as vm:
        part(vm, 'NVMe: data and interrupts by MSI-X', disk)
        part(vm, 'e1000e: packets and interrupts by MSI-X', network, 'MSI')
        part(vm, 'NVMe after a reset of the guest', reset)
        part(vm, 'e1000e after a reset of the guest', network, 'MSI')
        Tap.equal(vm.said(), '', 'QEMU has no complaint')


def pin_interrupts(nic):
    with Small('-device', f'vfio-pci,host={nic}', modules='e1000e',
               append='e1000e.IntMode=0') as vm:
        part(vm, 'e1000e: interrupts by its pin', network, 'APIC')
        Tap.equal(vm.said(), '', 'QEMU has no complaint')


def plugged(nvme):
    with Small('-device', 'pcie-root-port,id=p,chassis=1', modules='nvme',
               accel='mshv,log=lifecycle') as vm:
        part(vm, 'NVMe is plugged in, works and is unplugged, twice', hotplug,
             nvme)
        told = vm.said().splitlines()
        Tap.equal(re.findall(r' event=(device-.*)', vm.said()), [
            f'device-{what} id="d" host="{nvme}"'
            for what in ('assigned', 'released') * 2],
            'each time it is told: assigned, released')
        Tap.equal([x for x in told if ' event=' not in x], [],
                  'QEMU has no complaint')


def smram(nvme):
    """The guest lets the disk read and write SMRAM."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, 'console')
        with Vm('-M', 'q35,smm=on', '-m', '32', '-smp', '2', '-bios',
                guest('smm-dma'), '-chardev', f'file,id=out,path={path}',
                '-device', 'isa-debugcon,iobase=0xe9,chardev=out', '-device',
                f'vfio-pci,host={nvme}') as vm:
            until(lambda: '\n1..' in read(path) or vm.status() != 'running',
                  60)
            text = read(path)
            Tap.ok('\n1..' in text and 'not ok' not in text and not vm.said(),
                   'NVMe does not reach SMRAM', f'{vm.said()}\n{text}')


def main():
    nvme, nic = (take(ids) for ids in (DISK, NIC))
    if nvme and nic:
        write(UNSAFE, 'Y')
        both(nvme, nic)
        pin_interrupts(nic)
        plugged(nvme)
        smram(nvme)
    else:
        Tap.skip('VFIO', 'no free devices with an IOMMU')
    Tap.end()


sys.exit(main())
