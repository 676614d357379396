#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that test their own processor: tests/accel/guest/*.c.

Each prints TAP on the debug console, and asks there for what must be done from
outside. Without an argument all run but those that repeat (-long) or are for one
kind of host (-plug); else those named.
"""

import os
import sys
import tempfile
import time
from vm import TOP, Tap, Vm, QmpError, guest, until

INTERRUPTS = ('-smp', '2', '-device', 'edu', '-netdev', 'user,id=n',
              '-device', 'e1000e,romfile=,netdev=n', '-device', 'i6300esb',
              '-action', 'watchdog=inject-nmi')
VGA = ('-device', 'VGA,romfile=')
# For bars.c, which says what is in it
SHARED = os.path.join(TOP, 'build', 'accel-guests', 'shared')
SHARED_MEMORY = ('-object', 'memory-backend-file,id=shared,share=on,'
                 f'readonly=on,size=1M,mem-path={SHARED}', '-device',
                 'ivshmem-plain,memdev=shared')
IRQFD = ('-object', 'iothread,id=io', '-blockdev',
         'null-co,node-name=disk,size=1048576', '-device', 'virtio-blk-pci,'
         'drive=disk,iothread=io,disable-modern=on,romfile=')
# For smm-dma.c, which says what is on them; virtio's does its DMA by itself.
DISKS = [os.path.join(TOP, 'build', 'accel-guests', f'disk{n}')
         for n in range(2)]
DMA = ('-object', 'iothread,id=io',
       *(word for n, path in enumerate(DISKS) for word in (
           '-blockdev', f'driver=file,node-name=disk{n},filename={path}')),
       '-device', 'virtio-blk-pci,drive=disk0,iothread=io,disable-modern=on,'
       'romfile=', '-device', 'nvme,drive=disk1,serial=1')
# For smm-flash.c
FLASH = os.path.join(TOP, 'build', 'accel-guests', 'flash')
SECURE = ('-global', 'driver=cfi.pflash01,property=secure,value=on', '-drive',
          f'if=pflash,format=raw,readonly=on,file={guest("smm-flash")}',
          '-drive', f'if=pflash,format=raw,unit=1,file={FLASH}')
# name, guest, arguments
GUESTS = [
    ('emulate', 'emulate', ('-M', 'pc', '-cpu', 'max', *VGA)),
    ('exceptions', 'exceptions', ('-M', 'pc', '-cpu', 'max', *VGA)),
    ('exceptions with 5 levels', 'exceptions-la57',
     ('-M', 'pc', '-cpu', 'max', *VGA)),
    ('ports', 'ports', ('-M', 'pc', '-cpu', 'max', *VGA)),
    ('msrs', 'msrs', ('-M', 'pc')),
    ('calls', 'calls', ('-M', 'pc', '-smp', '4')),
    ('all calls', 'calls', ('-M', 'pc', '-smp', '4', '-cpu',
                            'qemu64,hv-passthrough=on')),
    ('calls that are not given', 'calls',
     ('-M', 'pc', '-smp', '4', '-cpu', 'qemu64,hv-relaxed=on,hv-runtime=on,'
      'hv-synic=on,hv-vapic=on')),
    ('strays', 'strays', ('-M', 'pc', '-smp', '1,maxcpus=2,sockets=2', *IRQFD)),
    ('bars', 'bars', ('-M', 'pc', *SHARED_MEMORY)),
    ('moving', 'moving', ('-M', 'pc', *VGA, '-device', 'edu',
                          '-device', 'edu')),
    ('interrupts of pc', 'interrupts', ('-M', 'pc,hpet=on', '-rtc',
                                        'driftfix=slew', *INTERRUPTS)),
    ('interrupts of q35', 'interrupts', ('-M', 'q35,hpet=on', *INTERRUPTS)),
    ('20 starts', 'reset', ('-M', 'pc', '-smp', '4')),
    ('200 starts', 'reset-long', ('-M', 'pc', '-smp', '4')),
    *((f'SMM of {n}', 'smm', ('-M', 'q35,smm=on', '-smp', str(n), '-device',
                               'edu')) for n in (1, 2, 4)),
    ('SMM and DMA', 'smm-dma', ('-M', 'q35,smm=on', '-smp', '2', *DMA)),
    ('SMM and flash', 'smm-flash', ('-M', 'q35,smm=on', '-device', 'edu',
                                    *SECURE)),
    ('SMM and starts', 'smm-start', ('-M', 'q35,smm=on', '-smp', '2')),
    ('SMM and a CPU that is plugged in', 'smm-start-plug',
     ('-M', 'q35,smm=on', '-smp', '2')),
    ('100000 SMIs', 'smm-long', ('-M', 'q35,smm=on', '-smp', '2', '-device',
                                'edu')),
    ('state under a storm', 'state', ('-M', 'pc', '-smp', '2', '-cpu', 'max',
                                      *VGA)),
]


def storm(vm, console):
    """Look at the guest in every way, until it is done."""
    with tempfile.TemporaryDirectory() as d:
        looks = [
            lambda: vm.hmp('info registers -a'),
            lambda: vm.hmp('x /8i $pc'),
            lambda: vm.hmp('info lapic'),
            lambda: (vm.qmp('stop'), vm.qmp('cont')),
            lambda: vm.hmp('x /4gx 0x100000'),
            lambda: vm.qmp('query-cpus-fast'),
            lambda: vm.hmp('info tlb'),
            lambda: vm.qmp('dump-guest-memory', seconds=60, paging=False,
                           protocol=f'file:{d}/dump'),
            lambda: vm.qmp('dump-guest-memory', seconds=60, paging=True,
                           protocol=f'file:{d}/dump'),
        ]
        rounds = 0
        while not finished(console.text()):
            looks[rounds % len(looks)]()
            rounds += 1
            if rounds % 50 == 0:
                # Let it get on.
                time.sleep(0.5)
    print(f'# looked at it {rounds} times')


def interrupt_paused(vm, _):
    vm.qmp('stop')
    vm.hmp('info registers -a')
    vm.qmp('system_powerdown')
    vm.qmp('inject-nmi')
    vm.qmp('cont')


def count_irqfds(vm, console):
    console.irqfds.append(vm.stats()['irqfds'])


def wait_for_smm(vm):
    """Until a processor is in system management mode."""
    return until(lambda: 'SMM=1' in vm.hmp('info registers -a'), 30)


def look_at_smm(vm, _):
    wait_for_smm(vm)
    for _ in range(3):
        vm.qmp('stop')
        vm.hmp('info registers -a')
        vm.qmp('cont')
    Tap.ok('0x5ec2e75e' not in vm.hmp('xp /4wx 0x1f80000') and
           wait_for_smm(vm),
           'in SMM it is stopped and goes on; others see no SMRAM')
    vm.qmp('system_powerdown')


REQUESTS = {
    'look at it in SMM': look_at_smm,
    'count-irqfds': count_irqfds,
    'inject-nmi': lambda vm, _: vm.qmp('inject-nmi'),
    'system_powerdown': lambda vm, _: vm.qmp('system_powerdown'),
    'system_reset': lambda vm, _: vm.qmp('system_reset'),
    'storm': storm,
    'interrupt it while it is paused': interrupt_paused,
    'plug-cpu': lambda vm, _: vm.qmp(
        'device_add', driver='qemu64-x86_64-cpu', socket_id=1, core_id=0,
        thread_id=0),
}


class Console:
    """What the guest has said, and which requests are still to be met."""

    def __init__(self, path):
        self.path = path
        self.met = 0
        self.irqfds = []

    def text(self):
        with open(self.path, encoding='ascii', errors='replace') as f:
            return f.read()

    def requests(self):
        lines = [line[9:] for line in self.text().splitlines(True)
                 if line.startswith('# please ') and line.endswith('\n')]
        new, self.met = lines[self.met:], len(lines)
        return [line.strip() for line in new]


def finished(text):
    return '\n1..' in text


def drive(vm, console, limit):
    """Until the guest is done; False if that takes too long."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        for request in console.requests():
            REQUESTS[request](vm, console)
        if finished(console.text()):
            return True
        if vm.status() not in ('running', 'prelaunch'):
            return False
        time.sleep(0.1)
    return False


def report(name, text):
    """The guest's lines become ours."""
    lines = text.splitlines()
    saw = []
    for line in lines:
        if line.startswith('#') and not line.startswith('# please'):
            saw.append(line.lstrip('# '))
        elif line.startswith(('ok ', 'not ok ')):
            Tap.ok(line.startswith('ok '), f'{name}: '
                   f'{line.split(" - ", 1)[1]}', '\n'.join(saw[-20:]))
            saw = []
    if saw:
        print('\n'.join(f'# {line}' for line in saw[-20:]))


def run(name, image, arguments):
    with tempfile.TemporaryDirectory() as d:
        console = Console(os.path.join(d, 'console'))
        with Vm('-m', '32', '-bios', guest(image), '-chardev',
                f'file,id=out,path={console.path}', '-device',
                'isa-debugcon,iobase=0xe9,chardev=out', *arguments) as vm:
            done, why = False, ''
            try:
                done = drive(vm, console, 1500)
                why = f'status {vm.status()}'
            except (QmpError, TimeoutError) as e:
                why = str(e)
            said = vm.said()
        text = console.text()
        report(name, text)
        if console.irqfds:
            # One may be away when QEMU is asked: the guest has gone on.
            Tap.equal(max(console.irqfds), 1, f'{name}: one irqfd at a time')
        Tap.ok(done and not said, f'{name}: it comes to its end, and QEMU has '
               'no complaint', f'{why}\n{said}\n{text[-300:]}')


with open(SHARED, 'wb') as shared:
    shared.truncate(1 << 20)
    shared.seek(0x1000)
    shared.write(b'\xb8\x77\x00\x00\x00\xc3')        # mov $0x77, %eax; ret
    shared.seek(0x2000)
    shared.write(b'\x5a')
with open(FLASH, 'wb') as flash:
    flash.write(b'\x11' * 0x10000)
for disk in DISKS:
    with open(disk, 'wb') as image:
        image.write(bytes(512) + b'\xba' * 512 + bytes(1 << 20))
names = sys.argv[1:] or [g[1] for g in GUESTS
                         if not g[1].endswith(('-long', '-plug'))]
chosen = [g for g in GUESTS if g[1] in names]
for one in chosen:
    run(*one)
Tap.end()
