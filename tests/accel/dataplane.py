#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The data path of virtio-blk, vhost-user-blk and vhost-net does not exit.

The guest does some thousand requests. Their notifications are ioeventfds and
their interrupts irqfds, so neither the vCPU's exits nor QEMU's calls to the
kernel grow with them; the hypervisor has counted a doorbell for each.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from linux import Small, equal
from vm import Tap, QmpError
from emuhost import counters

REQUESTS = 2000
TAP_ADDRESS, GUEST_ADDRESS = '10.78.0.1', '10.78.0.2'


def doorbells():
    """Doorbells that the emulated hypervisor has counted, or None."""
    seen = counters()
    return seen and seen['doorbells']


def counts(vm):
    exits = vm.stats('vcpu')
    kicks = exits.pop('kicks')
    calls = {k: v for k, v in vm.stats().items() if k.startswith('calls-')}
    return exits, kicks, calls, doorbells()


def grown(after, before):
    return {k: after[k] - before[k] for k in after if after[k] != before[k]}


def measure(vm, name, command, wanted, irqfd=True):
    """
    Run a command that makes REQUESTS requests. Without @irqfd it is QEMU that
    does them and sends the interrupts, by a call each.
    """
    before = counts(vm)
    seen = vm.run(command, 120)
    after = counts(vm)
    if wanted not in seen:
        raise AssertionError(f'saw {seen!r}, wanted {wanted!r}')
    exits = grown(after[0], before[0])
    calls = grown(after[2], before[2])
    saw = f'exits {exits}, calls {calls}, kicks {after[1] - before[1]}'
    memory = sum(v for k, v in exits.items() if 'gpa' in k)
    Tap.ok(memory < REQUESTS / 40, f'{name}: {memory} MMIO exits for {REQUESTS} '
           'requests', saw)
    Tap.ok(sum(exits.values()) < REQUESTS / 4, f'{name}: '
           f'{sum(exits.values())} exits in all, of the console mostly', saw)
    others = sum(calls.values()) - calls.get('calls-run-vp', 0)
    Tap.ok(others < REQUESTS / 4 + REQUESTS * (not irqfd),
           f'{name}: {others} calls other than RUN_VP', saw)
    if before[3] is not None:
        rung = after[3] - before[3]
        # A backend that is still at work needs less of them.
        Tap.ok(rung >= REQUESTS / 2, f'{name}: {rung} doorbells', saw)


def read_disk(vm, name, irqfd=True):
    measure(vm, name, f'dd if=/dev/vda of=/dev/null bs=4k count={REQUESTS} '
            'iflag=direct 2>&1', f'{REQUESTS}+0 records out', irqfd)


def low_vector(vm):
    """A vector below 16, which no APIC takes, is not for the kernel's irqfd: it
    stays with QEMU until the guest sets another."""
    device = vm.run('readlink -f /sys/block/vda/device/..')
    # The MSI-X table is in BAR 1. Entry 1 is the queue's; 12 is where it is
    # masked, 8 has the vector.
    entry = int(vm.run(f'sed -n 2p {device}/resource').split()[0], 16) + 16
    data = vm.word(entry + 8)

    def irqfds(new):
        """Calls that a change takes: from the kernel, and into it."""
        before = vm.stats()['calls-irqfd']
        for offset, value in ((12, 1), (8, new), (12, 0)):
            vm.run(f'poke {device}/resource1 {16 + offset} 4 {value:#x}')
        return vm.stats()['calls-irqfd'] - before

    seen = [irqfds(new) for new in (data, data & ~0xff | 5, data)]
    Tap.equal(seen, [2, 1, 1], 'irqfds of vectors as before, 5, and as before')


def virtio_blk(_):
    for name, device in (('virtio-blk', 'virtio-blk-pci,drive=d'),
                         ('virtio-blk with an iothread',
                          'virtio-blk-pci,drive=d,iothread=t')):
        # One that polls needs no doorbells, as many as it has time for.
        with Small('-object', 'iothread,id=t,poll-max-ns=0', '-blockdev',
                   'null-co,node-name=d,size=16777216,read-zeroes=on', '-device',
                   device, modules='virtio_pci,virtio_blk') as vm:
            read_disk(vm, name, irqfd='iothread' in name)
            if 'iothread' in name:
                low_vector(vm)
                equal('a read', vm.run('dd if=/dev/vda of=/dev/null bs=4k '
                                       'count=1 iflag=direct; echo $?')[-1],
                      '0')


def vhost_user_blk(directory):
    image = os.path.join(directory, 'image')
    path = os.path.join(directory, 'socket')
    with open(image, 'wb') as f:
        f.truncate(16 << 20)
    daemon = subprocess.Popen(
        ['qemu-storage-daemon', '--blockdev',
         f'file,node-name=f,filename={image}', '--export',
         'vhost-user-blk,id=e,node-name=f,writable=on,addr.type=unix,'
         f'addr.path={path}'])
    try:
        while not os.path.exists(path) and daemon.poll() is None:
            time.sleep(0.1)
        with Small('-object', 'memory-backend-memfd,id=m,size=256M,share=on',
                   '-chardev', f'socket,id=v,path={path}', '-device',
                   'vhost-user-blk-pci,chardev=v,num-queues=1',
                   machine='q35,memory-backend=m',
                   modules='virtio_pci,virtio_blk') as vm:
            made = vm.run('dd if=/dev/urandom of=/tmp/data bs=1M count=1 '
                          '2>/dev/null; dd if=/tmp/data of=/dev/vda bs=64k '
                          'conv=fsync 2>/dev/null; sha256sum </tmp/data')
            read_disk(vm, 'vhost-user-blk')
            seen = vm.run('dd if=/dev/vda bs=64k count=16 2>/dev/null | '
                          'sha256sum')
            Tap.equal(seen, made, 'vhost-user-blk: data')
    finally:
        daemon.kill()
        daemon.wait()


def vhost_net(_):
    subprocess.run('ip tuntap add dev mshvtap0 mode tap && '
                   f'ip addr add {TAP_ADDRESS}/24 dev mshvtap0 && '
                   'ip link set mshvtap0 up', shell=True, check=True)
    try:
        with Small('-netdev', 'tap,id=n,ifname=mshvtap0,script=no,'
                   'downscript=no,vhost=on', '-device',
                   'virtio-net-pci,netdev=n,romfile=',
                   modules='virtio_pci,virtio_net') as vm:
            vm.run(f'ip addr add {GUEST_ADDRESS}/24 dev eth0; '
                   'ip link set eth0 up')
            measure(vm, 'vhost-net',
                    f'ping -A -q -c {REQUESTS} {TAP_ADDRESS}',
                    f'{REQUESTS} packets received')
            Tap.equal(vm.said(), '', 'vhost-net: QEMU has no complaint')
    finally:
        subprocess.run(['ip', 'link', 'del', 'mshvtap0'], check=True)


def main():
    with tempfile.TemporaryDirectory() as d:
        for name, needs, test in (
                ('virtio-blk', True, virtio_blk),
                ('vhost-user-blk', shutil.which('qemu-storage-daemon'),
                 vhost_user_blk),
                ('vhost-net', os.path.exists('/dev/vhost-net'), vhost_net)):
            if not needs:
                Tap.skip(name, f'the host has no {name}')
                continue
            try:
                test(d)
            except (AssertionError, QmpError, OSError,
                    subprocess.CalledProcessError) as e:
                Tap.ok(False, name, e)
    Tap.end()


sys.exit(main())
