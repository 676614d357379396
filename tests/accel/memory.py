#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest memory of every kind: what the guest reads and writes is what QEMU has.

A guest in real mode does one thing, and QEMU looks.
"""

import os
import tempfile
import time
from vm import Tap, Vm, firmware, guest

# Copies a byte from the first to the second address, segments given.
COPY = '''mov ${0:#x}, %ax
mov %ax, %ds
mov {1:#x}, %bl
mov ${2:#x}, %ax
mov %ax, %ds
mov %bl, {3:#x}
'''


def byte(vm, address):
    return int(vm.hmp(f'xp /1bx {address:#x}').split()[-1], 16)


def after(d, code, *args, machine='pc'):
    """The VM when its guest is done. Use with `with`."""
    vm = Vm('-M', machine, '-m', '16', '-bios', firmware(d, code), *args)
    vm.wait_done()
    return vm


def read_only(d):
    with after(d, COPY.format(0xf000, 0xfff0, 0x50, 0) +
               'movw $0x5a5a, %cs:0x100\nmovb $0x77, %cs:0xfff0\n') as vm:
        Tap.equal(byte(vm, 0x500), 0xea, 'ROM is read')
        Tap.equal(byte(vm, 0xffff0), 0xea, 'a write to ROM does nothing')
        Tap.equal(vm.status(), 'running', 'and the guest runs on')


# 440FX: PAM0 at 0x59 is for F0000, PAM1 for C0000; 3: read and write RAM
PAM = '''mov $0x80000058, %eax
mov $0xcf8, %dx
out %eax, %dx
mov ${value}, %al
mov $0xcf{port}, %dx
out %al, %dx
'''
POKE = '''mov $0xc000, %ax
mov %ax, %ds
movb ${value}, 0x10
mov 0x10, %bl
xor %ax, %ax
mov %ax, %ds
mov %bl, {to}
'''


def shadow(d):
    code = (POKE.format(value=0x11, to='0x500') +
            PAM.format(value=0x33, port='e') +
            POKE.format(value=0x22, to='0x501') +
            PAM.format(value=0x11, port='e') +
            POKE.format(value=0x33, to='0x502') +
            PAM.format(value=0x33, port='e') +
            POKE.format(value=0x55, to='0x503') +
            PAM.format(value=0x11, port='e'))
    with after(d, code) as vm:
        Tap.ok(byte(vm, 0x500) != 0x11, 'ROM area: a write goes nowhere')
        Tap.equal(byte(vm, 0x501), 0x22, 'shadow RAM: read and written')
        Tap.equal(byte(vm, 0x502), 0x22, 'shadow RAM: only read')
        Tap.equal(byte(vm, 0x503), 0x55, 'shadow RAM: both again')


def backends(d):
    for name, spec in (('anonymous', 'memory-backend-ram,size=16M'),
                       ('memfd', 'memory-backend-memfd,size=16M'),
                       ('shared memfd',
                        'memory-backend-memfd,size=16M,share=on'),
                       ('a file', f'memory-backend-file,size=16M,share=on,'
                                  f'mem-path={d}/ram'),
                       ('huge pages', 'memory-backend-memfd,size=16M,'
                                      'hugetlb=on,hugetlbsize=2M')):
        with Vm('-M', 'pc,memory-backend=ram', '-object', f'{spec},id=ram',
                '-m', '16', '-bios', firmware(d, 'movb $0x5a, 0x500')) as vm:
            if not vm.started and 'huge' in name:
                Tap.count += 1
                print(f'ok {Tap.count} - {name} # SKIP {vm.said().strip()}')
                continue
            vm.wait_done()
            Tap.equal(byte(vm, 0x500), 0x5a, f'RAM of {name}')
            Tap.equal(vm.said(), '', f'RAM of {name}: no complaint')
    with open(f'{d}/ram', 'rb') as f:
        f.seek(0x500)
        Tap.equal(f.read(1), b'\x5a', 'the file has what the guest wrote')


def plugged(vm, name):
    for command, args in (
            ('object-add', dict(qom_type='memory-backend-ram', id='ram1',
                                size=128 << 20)),
            ('device_add', dict(driver='pc-dimm', id='dimm1', memdev='ram1'))):
        vm.qmp(command, **args)
    Tap.equal(len(vm.qmp('query-memory-devices')), 1, f'{name}: memory')
    unplug(vm, 'dimm1')
    vm.qmp('object-del', id='ram1')
    Tap.equal(len(vm.qmp('query-memory-devices')), 0, f'{name}: no memory')
    vm.qmp('device_add', driver='qemu64-x86_64-cpu', id='cpu2', socket_id=2,
           core_id=0, thread_id=0)
    Tap.equal(len(vm.qmp('query-cpus-fast')), 3, f'{name}: a CPU')
    unplug(vm, 'cpu2')
    Tap.equal(len(vm.qmp('query-cpus-fast')), 2, f'{name}: no CPU')


def unplug(vm, device):
    vm.qmp('device_del', id=device)
    for _ in range(400):
        if device not in [x['name'] for x in vm.qmp(
                'qom-list', path='/machine/peripheral')]:
            return
        time.sleep(0.1)


def hotplug():
    with Vm('-M', 'pc', '-m', '32,slots=2,maxmem=1G', '-smp',
            '2,maxcpus=3,sockets=3', '-bios', guest('busy')) as vm:
        for n in range(1, 6):
            plugged(vm, f'time {n}')
        calls = vm.stats()
        Tap.equal(calls['calls-create-vp'], 3,
                  'a VP is made once and used again')
        Tap.equal(vm.status(), 'running', 'the guest runs on')
        Tap.equal(vm.said(), '', 'no complaint')


def set_huge_pages():
    """The host may be ours: then it has some."""
    try:
        with open('/proc/sys/vm/nr_hugepages', 'w', encoding='ascii') as f:
            f.write('32')
    except OSError as e:
        print(f'# no huge pages: {e}')


with tempfile.TemporaryDirectory() as directory:
    read_only(directory)
    shadow(directory)
    if os.path.exists('/run/mshv-host'):
        set_huge_pages()
    backends(directory)
hotplug()
Tap.end()
