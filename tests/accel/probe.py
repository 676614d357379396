#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What libvirt asks when it first meets a QEMU, and truthful answers."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from vm import QEMU, Tap, Vm, QmpError, guest

NEVER = ('vmx', 'svm', 'sgx', 'ia64', 'fred')


class Probe:
    """A QEMU that was started as libvirt starts it to ask questions."""

    def __init__(self, directory):
        self.pidfile = os.path.join(directory, 'pid')
        path = os.path.join(directory, 'qmp')
        done = subprocess.run(
            [QEMU, '-S', '-no-user-config', '-nodefaults', '-nographic',
             '-machine', 'none,accel=kvm:mshv:tcg', '-qmp',
             f'unix:{path},server=on,wait=off', '-pidfile', self.pidfile,
             '-daemonize'], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False)
        if done.returncode:
            raise QmpError(done.stderr)
        self.said = done.stdout + done.stderr
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile('rb')
        self.file.readline()
        self.ask('qmp_capabilities')

    def ask(self, command, **arguments):
        self.socket.sendall(json.dumps(
            {'execute': command, 'arguments': arguments}).encode())
        answer = json.loads(self.file.readline())
        if 'error' in answer:
            raise QmpError(answer['error']['desc'])
        return answer['return']

    def expand(self, kind, **props):
        model = {'name': 'host'}
        if props:
            model['props'] = props
        return self.ask('query-cpu-model-expansion', type=kind,
                        model=model)['model']['props']

    def close(self):
        with open(self.pidfile, encoding='ascii') as f:
            pid = int(f.read())
        os.kill(pid, signal.SIGTERM)
        while os.path.exists(f'/proc/{pid}'):
            time.sleep(0.1)
        self.socket.close()


def cpuinfo(field):
    """What the host's kernel says of its first processor."""
    with open('/proc/cpuinfo', encoding='ascii') as f:
        return re.search(f'^{field}\\s*: (.*)$', f.read(), re.M)[1]


def on(props):
    return {k for k, v in props.items() if v is True}


def ask_all(probe):
    Tap.ok('mshv:' not in probe.said, 'mshv has no complaint', probe.said)
    answer = probe.ask('query-accelerators')
    Tap.equal(answer['enabled'], 'mshv', 'mshv is enabled')
    Tap.ok({'mshv', 'tcg'} <= set(answer['present']), 'and tcg is there',
           answer)
    vendor = cpuinfo('vendor_id')
    static = probe.expand('static')
    full = probe.expand('full')
    for name, props in (
            ('static', static), ('full', full),
            ('static, migratable=false',
             probe.expand('static', migratable=False)),
            ('full, as libvirt asks for all that Hyper-V has',
             probe.expand('full', **{'migratable': False,
                                     'hv-passthrough': True}))):
        offered = {k for k in on(props) if k.startswith(NEVER)}
        Tap.ok({'sse2', 'lm', 'x2apic', 'hypervisor'} <= on(props) and
               not offered, f'host, {name}: {len(on(props))} features', offered)
        Tap.equal(props.get('vendor', vendor), vendor,
                  f'host, {name}: the vendor is that of the host')
    Tap.ok(not on(static) - on(full) - {'hypervisor'},
           'host: static and full agree', on(static) - on(full))
    models = {m['name']: m for m in probe.ask('query-cpu-definitions')}
    for name in ('qemu64', 'Nehalem', 'host', 'max'):
        missing = set(models[name]['unavailable-features'])
        Tap.equal(missing & set(cpuinfo('flags').split()), set(),
                  f'{name}: what the host has can be used')
    never = models['KnightsMill']
    Tap.ok(never['unavailable-features'], 'KnightsMill is not usable', never)


def refused():
    for model, words in (
            ('qemu64,+avx512er,enforce', "host doesn't support"),
            ('KnightsMill,enforce', "host doesn't support"),
            ('qemu64,+vmx,enforce', 'vmx')):
        with Vm('-M', 'q35', '-m', '16', '-cpu', model) as vm:
            Tap.ok(not vm.started and vm.wait_end() == 1 and
                   words in vm.said(), f'-cpu {model} is refused', vm.said())
    with Vm('-M', 'q35', '-m', '16', '-cpu', 'qemu64,+avx512er') as vm:
        Tap.ok(vm.started and 'avx512er' in vm.said(),
               'without enforce there is a warning', vm.said())


def tolerated():
    """What libvirt gives to every accelerator, meant for KVM. Of features of
    KVM there may be a warning."""
    with Vm('-name', 'guest,debug-threads=on',
            '-M', 'q35,kernel_irqchip=split', '-m', '16', '-smp', '2', '-cpu',
            'host,migratable=on,kvmclock=on,kvm=off,kvm-pv-unhalt=off,'
            'kvm-hint-dedicated=on,hv-vpindex=on,hv-relaxed=on,hv-time=on,'
            'hv-synic=on,hv-stimer=on', '-global',
            'kvm-pit.lost_tick_policy=delay') as vm:
        Tap.ok(vm.started, 'options of KVM and Hyper-V are tolerated',
               vm.said())
        path = vm.qmp('query-cpus-fast')[0]['qom-path']
        Tap.equal([vm.qmp('qom-get', path=path, property=f'hv-{p}')
                   for p in ('vpindex', 'relaxed', 'time')], [True] * 3,
                  'hv-* are read as they were given')
        names = []
        for thread in vm.qmp('query-cpus-fast'):
            with open(f'/proc/{vm.process.pid}/task/{thread["thread-id"]}/'
                      'comm', encoding='ascii') as f:
                names.append(f.read())
        Tap.equal(names, ['CPU 0/MSHV\n', 'CPU 1/MSHV\n'],
                  'vCPU threads have their names')


def secure_boot(directory):
    """libvirt asks nothing about it: it offers secure boot for q35 when the host
    has such firmware, and then relies on these options."""
    variables = os.path.join(directory, 'variables')
    with open(variables, 'wb') as f:
        f.write(bytes(0x10000))
    blocks = []
    for name, path, more in (('0', guest('smm'), ',read-only=on'),
                             ('1', variables, '')):
        blocks += ['-blockdev', f'driver=file,filename={path},node-name=s{name}'
                   + more, '-blockdev', 'driver=raw,node-name=libvirt-pflash'
                   f'{name}-format,file=s{name}{more}']
    with Vm('-M', 'q35,usb=off,smm=on,dump-guest-core=off,acpi=on,'
            'pflash0=libvirt-pflash0-format,pflash1=libvirt-pflash1-format',
            '-global', 'driver=cfi.pflash01,property=secure,value=on',
            '-global', 'mch.extended-tseg-mbytes=8', '-m', '32', *blocks,
            paused=True) as vm:
        if not Tap.ok(vm.started and not vm.said(), 'secure boot as libvirt '
                      'starts it', vm.said()):
            return
        Tap.equal([vm.qmp('qom-get', path=path, property=name)
                   for path, name in (('/machine', 'smm'),
                                      ('/machine/system.flash0', 'secure'),
                                      ('/machine/system.flash1', 'secure'))],
                  ['on', True, True], 'secure boot: it has what was asked for')


with tempfile.TemporaryDirectory() as d:
    secure_boot(d)
    one = Probe(d)
    ask_all(one)
    one.close()
refused()
tolerated()
Tap.end()
