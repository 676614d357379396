#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts that are refused, ends of all kinds, many CPUs, and what is left."""

import math
import os
import random
import re
import signal
import subprocess
import tempfile
import time
from vm import QEMU, Tap, Vm, QmpError, firmware, guest, refusal
from emuhost import check_leaks, left_over


AS_NOBODY = os.path.join(os.path.dirname(__file__), '../lib/as-nobody')


# ---- Refusals: one line, status 1 ----

def refusals(d):
    plain = os.path.join(d, 'plain')
    with open(plain, 'w', encoding='ascii'):
        pass
    refusal(['-accel', f'mshv,device={d}/none'], 'No such file',
            'no device node')
    refusal(['-accel', f'mshv,device={plain}'], 'not a device node',
            'a plain file')
    refusal(['-accel', 'mshv,device=/dev/null'],
            'does not speak the ABI of Linux 6.19', 'another device')
    refusal(['-accel', 'mshv,x-fail-ioctl=OTHER_HVCALL:1:25'],
            'is of Linux 6.18', 'the driver of Linux 6.18')
    refusal(['-accel', 'mshv'], 'Permission denied', 'no permission',
            before=[AS_NOBODY])
    refusal(['-accel', 'mshv,x-fail-ioctl=CREATE_PARTITION:1:12'],
            'no memory left to give', 'no memory for a partition')
    refusal(['-accel', 'mshv,x-fail-ioctl=CREATE_PARTITION:1:25'],
            'another ABI', 'a driver that does not know the ioctl')
    refusal(['-accel', 'mshv', '-smp', '200', '-m', '32', '-S'],
            'cannot create VP',
            'more CPUs than this hypervisor has VPs')
    refusal(['-accel', 'mshv', '-M', 'q35', '-smp', '256,maxcpus=257', '-m',
             '32', '-S'], '257 CPUs are too many: the kernel knows 256',
            'more CPUs than the kernel knows')


def older_kernel():
    """One that does not know the banks of features refuses them; it is asked
    again without."""
    with Vm('-M', 'pc', '-m', '32', '-bios', guest('busy'), '-device',
            'VGA,romfile=',
            accel='mshv,x-fail-ioctl=CREATE_PARTITION:1:22') as vm:
        if Tap.ok(vm.started, 'a kernel without banks of features', vm.said()):
            seen = vm.stats()
            Tap.equal((seen['calls-create-partition'],
                       seen['errors-create-partition']), (2, 1),
                      'is asked again without them')
            Tap.ok(vm.moves(), 'and the guest runs', vm.said())


# ---- Options and devices that are KVM's ----

def not_ours():
    accel = ['-accel', 'mshv', '-m', '16', '-S']
    for device in ('hyperv-testdev', 'vmbus-bridge', 'hv-syndbg'):
        refusal([*accel, '-device', device], f"the device '{device}' needs",
                f'-device {device}')
    refusal([*accel, '-M', 'pc,kernel-irqchip=off'],
            'kernel-irqchip=off is not possible', 'kernel-irqchip=off')
    refusal([*accel, '-cpu', 'qemu64,tsc-frequency=1000000'],
            'tsc-frequency is not possible', 'another TSC frequency')
    refusal(['-accel', 'mshv,x-fail-ioctl=any:-1'], "'any:-1' is not",
            'x-fail-ioctl=any:-1')
    refusal(['-accel', 'mshv,device=/dev'], 'it is a directory',
            'a directory')
    for args, words in (
            (['-M', 'pc,kernel-irqchip=split'], None),
            (['-M', 'pc,kernel-irqchip=on'], 'kernel-irqchip=on is taken'),
            (['-overcommit', 'cpu-pm=on'], 'cpu-pm=on is ignored'),
            (['-cpu', 'qemu64,pmu=on'], 'pmu=on is ignored')):
        with Vm('-m', '16', *args, paused=True) as vm:
            said = vm.said()
            Tap.ok(vm.started and (words in said if words else not said),
                   f'{" ".join(args)}: {words or "no complaint"}', said)
    with Vm('-m', '16', paused=True) as vm:
        for command, arguments, words in (
                ('device_add', {'driver': 'hyperv-testdev'}, 'needs KVM'),
                ('qom-set', {'path': '/machine/accel', 'property': 'device',
                             'value': '/dev/null'}, 'only on the command'),
                ('qom-set', {'path': '/machine/accel', 'value': True,
                             'property': 'ignore-msrs'},
                 'only on the command')):
            try:
                vm.qmp(command, **arguments)
                saw = 'no error'
            except QmpError as e:
                saw = str(e)
            Tap.ok(words in saw, f'{command} {arguments} is refused', saw)


def own_frequency():
    """The TSC frequency that the host has can be asked for."""
    p = subprocess.run([QEMU, '-nodefaults', '-display', 'none', '-accel',
                        'mshv', '-cpu', 'qemu64,tsc-frequency=1000'],
                       stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=600, check=False)
    khz = re.search(r'has (\d+) kHz', p.stderr)
    if not Tap.ok(khz, 'the host tells its TSC frequency', p.stderr):
        return
    with Vm('-m', '16', '-cpu', f'qemu64,tsc-frequency={khz[1]}000',
            paused=True) as vm:
        Tap.ok(vm.started and not vm.said(), 'which a guest can be given',
               vm.said())


# ---- Ends ----

TRIPLE = 'lidtl %cs:3f - start\nint3\n.balign 8\n3: .quad 0\n'
MMIO_FETCH = 'ljmp $0xa000, $0x10\n'


def end(d, code, name, wanted, args=(), status=None):
    """QEMU ends with a SHUTDOWN event of that reason, or stops as @status."""
    with Vm('-M', 'pc', '-m', '16', '-bios', firmware(d, code),
            '-device', 'VGA,romfile=', *args, paused=True) as vm:
        vm.qmp('cont')
        event = vm.wait_event('STOP' if status else 'SHUTDOWN', 30)
        if status:
            saw = vm.status() if event else 'no event'
            Tap.equal(saw, status, name)
            vm.qmp('quit')
        else:
            Tap.equal(event and event['data']['reason'], wanted, name)
        Tap.equal(vm.wait_end(), 0, f'{name}: QEMU ends')
        return vm.said()


def ends(d):
    end(d, TRIPLE, 'triple fault, -no-reboot', 'guest-reset', ['-no-reboot'])
    end(d, TRIPLE, 'triple fault, -action reboot=shutdown', 'guest-reset',
        ['-action', 'reboot=shutdown'])
    end(d, TRIPLE, 'triple fault, -no-reboot -no-shutdown', None,
        ['-no-reboot', '-no-shutdown'], status='shutdown')
    with Vm('-M', 'pc', '-m', '16', '-bios', firmware(
            d, 'incl 0x500\ncmpl $5, 0x500\nje 4f\n' + TRIPLE + '4:\n'),
            paused=True) as vm:
        vm.qmp('cont')
        for n in range(4):
            event = vm.wait_event('RESET', 30)
            Tap.equal(event and event['data']['reason'], 'guest-reset',
                      f'triple fault: reset {n + 1}')
        vm.wait_quiet()
        Tap.equal(vm.status(), 'running', 'then the guest runs on')
    said = end(d, MMIO_FETCH, 'instructions in device memory', None,
               status='internal-error')
    Tap.ok('cannot run the guest' in said and len(said.splitlines()) == 1,
           'which one line says', said)


# ---- Many CPUs ----

def bits(n):
    return max(0, math.ceil(math.log2(n)))


def topology(name, sockets, dies, cores, threads):
    """All are started, and CPUID places them as -smp says."""
    count = sockets * dies * cores * threads
    smp = (f'{count},sockets={sockets},dies={dies},cores={cores},'
           f'threads={threads}')
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, 'console')
        with Vm('-M', 'q35', '-m', '64', '-cpu', 'max,vendor=GenuineIntel', '-smp', smp,
                '-bios', guest('cpus'), '-chardev', f'file,id=out,path={out}',
                '-device', 'isa-debugcon,iobase=0xe9,chardev=out',
                paused=True) as vm:
            Tap.equal(vm.status(), 'prelaunch', f'{name}: -S')
            vm.qmp('cont')
            seen = lines_until_all(vm, out)
            if not Tap.ok(f'all {count}' in seen, f'{name}: all start', seen):
                return
            Tap.ok(vm.moves(), f'{name}: each one runs')
            compare_topology(name, seen, sockets, dies, cores, threads)
            vm.qmp('quit')
            Tap.equal(vm.wait_end(), 0, f'{name}: quit while they run')


def lines_until_all(vm, path):
    for _ in range(600):
        with open(path, encoding='ascii') as f:
            text = f.read()
        if '\nall ' in text or vm.status() != 'running':
            break
        time.sleep(0.2)
    return text + vm.said()


def compare_topology(name, text, sockets, dies, cores, threads):
    smt, core, die = bits(threads), bits(cores), bits(dies)
    package = smt + core + die
    per_package = dies * cores * threads
    ids, bad = set(), []
    for line in re.findall(r'^cpu \d+ 1\.0 .*', text, re.M):
        number = line.split()[1]
        leaves = {m[0]: [int(x, 16) for x in m[1].split()] for m in re.findall(
            rf'^cpu {number} (\S+) (.*)$', text, re.M)}
        apic = leaves['1.0'][1] >> 24
        ids.add(apic)
        wanted = {
            'b.0': [smt, threads, 0x100, apic],
            'b.1': [package, per_package, 0x201, apic],
        }
        if dies > 1:
            wanted['1f.0'] = [smt, threads, 0x100, apic]
            wanted['1f.1'] = [smt + core, cores * threads, 0x201, apic]
            wanted['1f.2'] = [package, per_package, 0x502, apic]
        for leaf, values in wanted.items():
            if leaves.get(leaf) != values:
                bad.append(f'cpu {number}, leaf {leaf}: {leaves.get(leaf)}, '
                           f'wanted {values}')
        # Room for so many APIC ids in a package
        if leaves['1.0'][1] >> 16 & 0xff != 1 << package:
            bad.append(f'cpu {number}: leaf 1 counts '
                       f'{leaves["1.0"][1] >> 16 & 0xff}')
    wanted = {s << package | d << (smt + core) | c << smt | t
              for s in range(sockets) for d in range(dies)
              for c in range(cores) for t in range(threads)}
    Tap.equal(ids, wanted, f'{name}: APIC ids')
    Tap.ok(not bad, f'{name}: CPUID', '\n'.join(bad))


# ---- kill -9 ----

def killed(image, rounds):
    before = left_over()
    if before is None:
        print('# no counters of a hypervisor: not on the emulated host')
        return
    args = ['-M', 'pc', '-m', '32', '-smp', '2', '-nodefaults', '-display',
            'none', '-bios', image, '-device', 'VGA,romfile=']
    chance = random.Random(1)
    for _ in range(rounds):
        with subprocess.Popen([QEMU, '-accel', 'mshv', *args],
                              stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as p:
            time.sleep(chance.uniform(0, 1.5))
            p.send_signal(signal.SIGKILL)
    bad = check_leaks(before)
    Tap.ok(not bad, f'nothing is left of {rounds} killed QEMUs',
           '\n'.join(bad))


with tempfile.TemporaryDirectory() as directory:
    refusals(directory)
    older_kernel()
    not_ours()
    own_frequency()
    ends(directory)
topology('16 CPUs', 1, 1, 16, 1)
topology('2 sockets, 3 dies, 2 cores, 2 threads', 2, 3, 2, 2)
topology('3 sockets, 5 threads', 3, 1, 1, 5)
killed(guest('busy'), 20)
Tap.end()
