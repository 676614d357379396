#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hv-* properties of -cpu: what the guest's CPUID shows, leaf by leaf, what
QEMU says to those that cannot be had, and how they read back. With the
argument "fewer" on a host that has fewer.

A tiny guest writes down the hypervisor's leaves. What is expected is that of
the specification and of KVM, not of our table.
"""

import os
import re
import struct
import subprocess
import sys
import tempfile
from vm import QEMU, Tap, Vm, QmpError, firmware

AT, LEAVES = 0x600, 7
DUMP = f'''
    mov ${AT:#x}, %di
    mov $0x40000000, %esi
1:  mov %esi, %eax
    xor %ecx, %ecx
    cpuid
    push %edx
    push %ecx
    push %ebx
    stosl
    pop %eax
    stosl
    pop %eax
    stosl
    pop %eax
    stosl
    inc %esi
    cmp ${0x40000000 + LEAVES:#x}, %esi
    jb 1b
'''
NEVER = 0xffffffff
# What the guest sees of each: leaf, register, bits
SHOWN = {
    'relaxed': [(4, 0, 1 << 5)], 'vapic': [(3, 0, 1 << 4)],
    'time': [(3, 0, 1 << 1 | 1 << 9)], 'crash': [(3, 3, 1 << 10)],
    'vpindex': [(3, 0, 1 << 6)], 'runtime': [(3, 0, 1 << 0)],
    'synic': [(3, 0, 1 << 2)], 'stimer': [(3, 0, 1 << 3)],
    'frequencies': [(3, 0, 1 << 11), (3, 3, 1 << 8)],
    'tlbflush': [(4, 0, 1 << 2 | 1 << 11)], 'ipi': [(4, 0, 1 << 10 | 1 << 11)],
    'stimer-direct': [(3, 3, 1 << 19)], 'xmm-input': [(3, 3, 1 << 4)],
    'tlbflush-ext': [(3, 3, 1 << 14)], 'avic': [],
}
NOT_POSSIBLE = ('reset', 'reenlightenment', 'evmcs', 'syndbg', 'emsr-bitmap',
                'tlbflush-direct')
# What KubeVirt gives to a Windows guest, and what libvirt can be told
KUBEVIRT = ('relaxed', 'vapic', 'spinlocks=0x1fff', 'vpindex', 'runtime',
            'synic', 'stimer', 'stimer-direct', 'reset', 'frequencies',
            'reenlightenment', 'tlbflush', 'tlbflush-ext', 'ipi', 'time')
LIBVIRT = (*KUBEVIRT, 'avic', 'emsr-bitmap', 'xmm-input', 'evmcs', 'crash',
           'tlbflush-direct')


def cpu_option(names, *more):
    words = [f'hv-{n}' if '=' in n else f'hv-{n}=on' for n in names]
    return ','.join(['qemu64', *words, *more])


class Start:
    """A guest with these properties: what it sees, and what QEMU says."""

    def __init__(self, image, directory, cpu, accel='mshv'):
        path = os.path.join(directory, 'dump')
        with Vm('-M', 'q35', '-m', '16', '-cpu', cpu, '-bios', image,
                accel=accel) as vm:
            if not vm.started:
                raise QmpError(vm.said())
            vm.wait_done()
            vm.qmp('pmemsave', val=AT, size=16 * LEAVES, filename=path)
            with open(path, 'rb') as f:
                self.leaves = list(struct.iter_unpack('<4I', f.read()))
            self.said = vm.said()
            where = vm.qmp('query-cpus-fast')[0]['qom-path']
            self.reads = {
                p['name']: vm.qmp('qom-get', path=where, property=p['name'])
                for p in vm.qmp('qom-list', path=where)
                if p['name'].startswith('hv-')}
            self.cpuid_exits = vm.stats('vcpu').get('exits-cpuid', 0)

    def refused(self):
        return re.findall(r'hv-(\S+) is not possible', self.said)


def wanted(names, plain):
    """Leaves 3 and 4 for a list: hypercalls, and what is on it."""
    leaves = {3: [1 << 5, 0, 0, 0], 4: [0, NEVER, 0, 0]}
    # The hypervisor's own advice on auto-EOI
    leaves[4][0] = plain.leaves[4][0] & 1 << 9
    for name in names:
        if name.startswith('spinlocks='):
            leaves[4][1] = int(name.split('=')[1], 0)
        for leaf, register, bits in SHOWN.get(name, ()):
            leaves[leaf][register] |= bits
    return tuple(leaves[3]), tuple(leaves[4])


def check_list(start, names, plain, what, lacking=NOT_POSSIBLE):
    given = [n for n in names if n.split('=')[0] not in lacking]
    Tap.equal((start.leaves[3], start.leaves[4]), wanted(given, plain),
              f'{what}: leaves 3 and 4 show them and nothing else')
    others = [n for n in (0, 1, 2, 5, 6)
              if start.leaves[n] != plain.leaves[n]]
    Tap.equal(others, [], f'{what}: the other leaves are as without')
    Tap.equal(sorted(start.refused()),
              sorted(n.split('=')[0] for n in names
                     if n.split('=')[0] in lacking),
              f'{what}: those that cannot be had are named')
    off = [n for n in names if '=' not in n and not start.reads[f'hv-{n}']]
    Tap.equal(off, [], f'{what}: what was asked for reads back')


def lists(image, d):
    plain = Start(image, d, 'qemu64')
    Tap.equal(plain.said, '', 'none: no complaint')
    three, four = plain.leaves[3], plain.leaves[4]
    Tap.equal((three[0], four[0] & 0xc04), (0xa7f, 0xc04),
              'none: clocks, SynIC, timers, flushes, IPIs')
    halves = (('relaxed', 'time', 'runtime', 'synic', 'stimer', 'crash',
               'tlbflush', 'vpindex'),
              ('vapic', 'vpindex', 'frequencies', 'ipi', 'xmm-input', 'avic',
               'time', 'synic', 'stimer', 'stimer-direct'))
    for names, what in ((halves[0], 'one half'), (halves[1], 'the other half'),
                        (('relaxed',), 'one'), (KUBEVIRT, "KubeVirt's list"),
                        (LIBVIRT, "libvirt's list")):
        check_list(Start(image, d, cpu_option(names)), names, plain, what)
    start = Start(image, d, cpu_option(('stimer', 'relaxed')))
    Tap.ok('hv-stimer is not possible, and left out: it needs hv-time'
           in start.said, 'a property without what it needs', start.said)
    check_passthrough(Start(image, d, 'qemu64,hv-passthrough=on'), plain)
    check_names(image, d, plain)
    check_refused(image, d, plain)


def fewer(image, d):
    """With emuhv-strict=no-guest-calls, told or not by the host"""
    plain = Start(image, d, 'qemu64')
    Tap.equal((plain.said, plain.leaves[3][0], plain.leaves[4][0] & 0xc04),
              ('', 0xa7f, 0), 'none: what is there, and no complaint')
    check_list(Start(image, d, cpu_option(KUBEVIRT)), KUBEVIRT, plain,
               'fewer features', (*NOT_POSSIBLE, 'spinlocks', 'tlbflush',
                                  'tlbflush-ext', 'ipi'))


def check_passthrough(start, plain):
    all_bits = wanted(SHOWN, plain)
    lacks = [r for leaf, bits in zip((3, 4), all_bits) for r in (0, 3)
             if bits[r] & ~start.leaves[leaf][r]]
    Tap.equal((lacks, start.said), ([], ''), 'hv-passthrough shows all')
    Tap.equal(sorted(n for n in SHOWN if not start.reads[f'hv-{n}']), [],
              'hv-passthrough: all read back as given')
    Tap.equal([n for n in NOT_POSSIBLE if start.reads[f'hv-{n}']], [],
              'and no others')


def check_names(image, d, plain):
    start = Start(image, d, 'qemu64,hv-vendor-id=KVMKVMKVM,'
                  'hv-version-id-build=0x4563,hv-version-id-minor=3,'
                  'hv-version-id-spack=1,hv-version-id-sbranch=2,'
                  'hv-version-id-snumber=5')
    Tap.equal(start.leaves[0],
              (plain.leaves[0][0], *struct.unpack('<3I', b'KVMKVMKVM\0\0\0')),
              'hv-vendor-id')
    Tap.equal(start.leaves[2], (0x4563, 10 << 16 | 3, 1, 2 << 24 | 5),
              'hv-version-id-*')
    Tap.equal((start.leaves[3:5], start.said), (plain.leaves[3:5], ''),
              'and nothing else')


def check_refused(image, d, plain):
    """A hypervisor that takes no result for a leaf is asked for an exit."""
    names = ('relaxed', 'vpindex')
    before = Start(image, d, cpu_option(names))
    count = before_count(image, cpu_option(names))
    start = Start(image, d, cpu_option(names), accel='mshv,x-fail-ioctl='
                  f'REGISTER_INTERCEPT_RESULT:{count}')
    check_list(start, names, plain, 'a leaf that the hypervisor refuses')
    Tap.equal((before.cpuid_exits, start.cpuid_exits > 0), (0, True),
              'it exits')


def before_count(image, cpu):
    """The last result that is registered is that of a hypervisor's leaf."""
    with Vm('-M', 'q35', '-m', '16', '-cpu', cpu, '-bios', image,
            paused=True) as vm:
        return vm.stats()['calls-register-intercept-result']


def enforce(image):
    for names, words in ((('evmcs', 'vapic'), 'hv-evmcs is not possible: '
                          'nested virtualization is not offered'),
                         (('no-nonarch-coresharing=on',),
                          'hv-no-nonarch-coresharing=on is not possible'),
                         (('tlbflush',), 'it needs hv-vpindex')):
        p = subprocess.run([QEMU, '-nodefaults', '-display', 'none', '-accel',
                            'mshv', '-m', '16', '-bios', image, '-cpu',
                            cpu_option(names, 'hv-enforce-cpuid=on')],
                           stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=600, check=False)
        Tap.ok(p.returncode == 1 and words in p.stderr and
               len(p.stderr.splitlines()) == 1,
               f'hv-enforce-cpuid: {" ".join(names)}', p.stderr)
    with Vm('-m', '16', '-cpu', cpu_option(('vapic', 'avic'),
                                           'hv-enforce-cpuid=on'),
            paused=True) as vm:
        Tap.ok(vm.started and not vm.said(), 'hv-enforce-cpuid: all is there',
               vm.said())


def expansion():
    """What libvirt reads for its list of what a host can do."""
    with Vm('-M', 'none', paused=True) as vm:
        props = vm.qmp('query-cpu-model-expansion', type='full',
                       model={'name': 'host',
                              'props': {'hv-passthrough': True,
                                        'migratable': False}})[
                                            'model']['props']
        Tap.equal(sorted(n for n in SHOWN if not props[f'hv-{n}']), [],
                  'model expansion: hv-passthrough gives what there is')
        Tap.equal([n for n in NOT_POSSIBLE if props[f'hv-{n}']], [],
                  'and not what there is not')


def unlike(image):
    """A CPU that is plugged in is told what the others are told."""
    with Vm('-m', '16', '-smp', '1,maxcpus=2,sockets=2', '-cpu',
            cpu_option(('vpindex', 'time')), '-bios', image,
            paused=True) as vm:
        plug = dict(driver='qemu64-x86_64-cpu', socket_id=1, core_id=0,
                    thread_id=0)
        try:
            vm.qmp('device_add', **plug, **{'hv-vapic': True})
            saw = 'no error'
        except QmpError as e:
            saw = str(e)
        Tap.ok('all CPUs of a VM have the same hv-* properties' in saw,
               'a CPU with other properties is refused', saw)
        vm.qmp('device_add', **plug)
        Tap.equal(len(vm.qmp('query-cpus-fast')), 2, 'one with the same not')


with tempfile.TemporaryDirectory() as directory:
    rom = firmware(directory, DUMP)
    if sys.argv[1:] == ['fewer']:
        fewer(rom, directory)
    else:
        lists(rom, directory)
        enforce(rom)
        expansion()
        unlike(rom)
Tap.end()
