#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest memory of every kind: what the guest reads and writes is what QEMU has.

A guest in real mode does one thing, and QEMU looks.
"""

import os
import signal
import subprocess
import tempfile
import time
from vm import TOP, Tap, Vm, firmware, guest
from emuhost import expect_in_log

# Copies a byte from the first to the second address, segments given.
COPY = '''mov ${0:#x}, %ax
mov %ax, %ds
mov {1:#x}, %bl
mov ${2:#x}, %ax
mov %ax, %ds
mov %bl, {3:#x}
'''


def after(d, code, *args, machine='pc'):
    """The VM when its guest is done. Use with `with`."""
    vm = Vm('-M', machine, '-m', '16', '-bios', firmware(d, code), *args)
    vm.wait_done()
    return vm


def read_only(d):
    with after(d, COPY.format(0xf000, 0xfff0, 0x50, 0) +
               'movw $0x5a5a, %cs:0x100\nmovb $0x77, %cs:0xfff0\n') as vm:
        Tap.equal(vm.byte(0x500), 0xea, 'ROM is read')
        Tap.equal(vm.byte(0xffff0), 0xea, 'a write to ROM does nothing')
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
        Tap.ok(vm.byte(0x500) != 0x11, 'ROM area: a write goes nowhere')
        Tap.equal(vm.byte(0x501), 0x22, 'shadow RAM: read and written')
        Tap.equal(vm.byte(0x502), 0x22, 'shadow RAM: only read')
        Tap.equal(vm.byte(0x503), 0x55, 'shadow RAM: both again')


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
                Tap.skip(f'RAM of {name}', vm.said().strip())
                continue
            vm.wait_done()
            Tap.equal(vm.byte(0x500), 0x5a, f'RAM of {name}')
            Tap.equal(vm.said(), '', f'RAM of {name}: no complaint')
    with open(f'{d}/ram', 'rb') as f:
        f.seek(0x500)
        Tap.equal(f.read(1), b'\x5a', 'the file has what the guest wrote')


# Says that all memory is resident: so it is where the kernel pins it.
RESIDENT = '''#include <string.h>
#include <sys/mman.h>
int mincore(void *start, size_t size, unsigned char *pages)
{
    memset(pages, 1, (size + 4095) / 4096);
    return 0;
}
'''


def pinned(d):
    """QEMU must not give back what the kernel has pinned: virtio-mem, which
    cannot do without, is refused."""
    library = os.path.join(d, 'resident.so')
    subprocess.run(['cc', '-shared', '-fPIC', '-x', 'c', '-', '-o', library],
                   input=RESIDENT, text=True, check=True)
    args = ('-M', 'pc', '-m', '32,maxmem=1G', '-object',
            'memory-backend-memfd,id=m,size=64M,share=on,reserve=off',
            '-device', 'virtio-mem-pci,memdev=m')
    with Vm(*args, paused=True) as vm:
        Tap.ok(vm.started, 'virtio-mem, where the kernel pins nothing',
               vm.said())
    os.environ['LD_PRELOAD'] = library
    try:
        with Vm(*args, paused=True) as vm:
            Tap.ok(not vm.started and vm.wait_end() == 1 and
                   'Discarding RAM is disabled' in vm.said(),
                   'where it pins all, virtio-mem is refused', vm.said())
    finally:
        del os.environ['LD_PRELOAD']


# ---- What the host cannot give ----

def text_of(path):
    with open(path, encoding='ascii', errors='replace') as f:
        return f.read()


def until_said(vm, path, *words):
    """Until the guest has said all of them; what it has said."""
    for _ in range(6000):
        if all(w in text_of(path) for w in words) or vm.status() not in ('running',
                                                         'prelaunch'):
            break
        time.sleep(0.05)
    return text_of(path)


def console(directory):
    path = os.path.join(directory, 'console')
    return path, ('-chardev', f'file,id=out,path={path}', '-device',
                  'isa-debugcon,iobase=0xe9,chardev=out')


def huge_pages(number):
    with open('/proc/sys/vm/nr_hugepages', 'w', encoding='ascii') as f:
        f.write(str(number))


def too_few_huge_pages(d):
    """The VM stops and says why; with more of them it goes on."""
    expect_in_log('GPA intercept failed')
    huge_pages(4)
    path, args = console(d)
    with Vm('-M', 'pc,memory-backend=ram', '-object',
            'memory-backend-memfd,id=ram,size=32M,hugetlb=on,hugetlbsize=2M,'
            'reserve=off', '-m', '32', '-bios', guest('touch'), *args,
            paused=True) as vm:
        vm.qmp('cont')
        Tap.ok(vm.wait_event('STOP', 30), 'too few huge pages: the VM stops')
        Tap.equal(vm.status(), 'io-error', 'too few huge pages: status')
        said = vm.said()
        Tap.ok('no huge page left' in said and 'pages of 2 MiB' in said and
               len(said.splitlines()) == 1, 'too few huge pages: one line', said)
        huge_pages(32)
        vm.qmp('cont')
        text = until_said(vm, path, '\n1..')
        Tap.ok('ok 15 - page 15' in text, 'with more of them the guest goes on',
               text + vm.said())


def broken_memory(d):
    """The kernel's early notice becomes a machine check of the guest's."""
    library, where = os.path.join(d, 'broken.so'), os.path.join(d, 'address')
    subprocess.run(['gcc', '-shared', '-fPIC', '-o', library, os.path.join(
        TOP, 'tests', 'accel', 'broken.c')], check=True)
    os.environ.update(LD_PRELOAD=library, BROKEN_ADDRESS=where)
    path, args = console(d)
    try:
        vm = Vm('-M', 'pc', '-cpu', 'qemu64,vendor=GenuineIntel', '-m', '32',
                '-bios', guest('mce'), *args)
    finally:
        del os.environ['LD_PRELOAD']
    with vm:
        gpa = until_said(vm, path, '# please break ', '.\n').split(
            'break ')[-1].split('.')[0]
        with open(where, 'w', encoding='ascii') as f:
            f.write(vm.hmp(f'gpa2hva 0x{gpa}').split()[-1])
        os.kill(vm.process.pid, signal.SIGUSR2)
        until_said(vm, path, '# please mce')
        event = vm.wait_event('MEMORY_FAILURE', 30)
        Tap.equal(event and (event['data']['recipient'],
                             event['data']['action']), ('guest', 'inject'),
                  'broken memory: the event')
        vm.hmp('mce 0 5 0xb200000000000005 0x5 0 0')
        text = until_said(vm, path, '\n1..')
        for line in text.splitlines():
            if 'ok ' in line:
                Tap.ok(not line.startswith('not'), line.split(' - ', 1)[1], text)
        Tap.ok('1..6' in text, 'broken memory: the guest is at its end', text)
        Tap.ok(f'broken at the guest\'s address 0x{gpa}' in vm.said() and
               len(vm.said().splitlines()) == 1, 'broken memory: one line',
               vm.said())


def plugged(vm, name):
    for command, args in (
            ('object-add', dict(qom_type='memory-backend-ram', id='ram1',
                                size=128 << 20)),
            ('device_add', dict(driver='pc-dimm', id='dimm1', memdev='ram1'))):
        vm.qmp(command, **args)
    Tap.equal(len(vm.qmp('query-memory-devices')), 1, f'{name}: memory')
    vm.unplug('dimm1')
    vm.qmp('object-del', id='ram1')
    Tap.equal(len(vm.qmp('query-memory-devices')), 0, f'{name}: no memory')
    vm.qmp('device_add', driver='qemu64-x86_64-cpu', id='cpu2', socket_id=2,
           core_id=0, thread_id=0)
    Tap.equal(len(vm.qmp('query-cpus-fast')), 3, f'{name}: a CPU')
    vm.unplug('cpu2')
    Tap.equal(len(vm.qmp('query-cpus-fast')), 2, f'{name}: no CPU')


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


with tempfile.TemporaryDirectory() as directory:
    read_only(directory)
    shadow(directory)
    emulated = os.path.exists('/run/mshv-host')
    if emulated:
        huge_pages(32)
    backends(directory)
    pinned(directory)
    broken_memory(directory)
    if emulated:
        too_few_huge_pages(directory)
hotplug()
Tap.end()
