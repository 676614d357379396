#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What else migration can be told: throttling, a pause before the end, memory
that both sides share, snapshots as jobs, the rate of dirty pages; and a source
that goes on, whatever fails."""

import os
import subprocess
import tempfile
import time
from carried import Carried
from migration import (Pair, migrate, set_capabilities, set_up, wait_migrated,
                       wait_status)
from vm import TOP, Tap, until

MIB = 1 << 20
QEMU_IMG = os.path.join(TOP, 'build', 'qemu-img')
# Less than the guest writes
SLOW = {'max-bandwidth': 1 << 18}
FAST = {'max-bandwidth': 1 << 30}


def pair_of(directory, *args, **keys):
    return Pair(directory, lambda *more, **also: Carried(*args, *more, **keys,
                                                         **also))


def stays(vm, name):
    """After a migration that came to nothing."""
    Tap.equal((wait_status(vm, 'running'), vm.wait_passes()), ('running', ''),
              f'{name}: the source runs on')


def state(vm):
    return vm.qmp('query-migrate')['status']


def share_of_cpus(vm, seconds=1):
    """How much of the time its CPUs run."""
    def used():
        ticks = 0
        for cpu in vm.qmp('query-cpus-fast'):
            with open(f'/proc/{vm.process.pid}/task/{cpu["thread-id"]}/stat',
                      encoding='ascii') as f:
                ticks += sum(int(x) for x in f.read().split()[13:15])
        return ticks / os.sysconf('SC_CLK_TCK')

    began, first = time.monotonic(), used()
    time.sleep(seconds)
    return (used() - first) / (time.monotonic() - began)


def throttled(directory):
    with pair_of(directory, cpus=1) as pair:
        pair.vm.wait_passes()
        with pair.target() as target:
            pair.start(target, 'unix', ['auto-converge'], SLOW |
                       {'cpu-throttle-initial': 99,
                        'throttle-trigger-threshold': 1})
            held = until(lambda: pair.vm.qmp('query-migrate').get(
                'cpu-throttle-percentage', 0), 60, 0.1)
            share = share_of_cpus(pair.vm)
            Tap.ok(held == 99 and share < 0.5,
                   'a guest that writes too much is held back',
                   f'{held} {share}')
            pair.vm.qmp('migrate-set-parameters', **FAST)
            Tap.equal(wait_migrated(pair.vm), ('completed', ''), 'it comes')
            Tap.equal((wait_status(target, 'running'), target.wait_passes()),
                      ('running', ''), 'and runs there at its own pace')


def at_the_switch(directory):
    """Where the source is stopped, and has sent all but the devices."""
    with pair_of(directory) as pair:
        source = pair.vm
        source.wait_passes()
        for name, act, wanted in (
                ('cancelled', lambda target: source.qmp('migrate_cancel'),
                 'cancelled'),
                ('the target is killed', lambda target: (
                    target.__exit__(), source.qmp(
                        'migrate-continue', state='pre-switchover')),
                 'failed')):
            target = pair.target()
            pair.start(target, 'unix', ['pause-before-switchover'])
            Tap.equal(until(lambda: state(source) == 'pre-switchover', 60,
                            0.05) and source.status(), 'finish-migrate',
                      f'{name}: before the switch the source is stopped')
            act(target)
            Tap.equal(wait_migrated(source)[0], wanted, name)
            target.__exit__()
            stays(source, name)
        set_up(source)
        Tap.equal(migrate(source, f'unix:{directory}/nobody')[0], 'failed',
                  'nobody listens')
        stays(source, 'nobody listens')
        Tap.equal(pair.move() or pair.vm.wait_passes(), '',
                  'and can be migrated after all')


def shared(directory):
    """A guest's memory is a file, which both have: nothing of it is sent."""
    memory = ('-object', 'memory-backend-file,id=m,size=32M,share=on,'
              f'mem-path={directory}/memory')
    with pair_of(directory, *memory, machine='pc,memory-backend=m') as pair:
        pair.vm.wait_passes()
        with pair.target() as target:
            pair.start(target, 'unix', ['x-ignore-shared'])
            result = wait_migrated(pair.vm)
            sent = pair.vm.qmp('query-migrate')['ram']['transferred']
            Tap.ok(result == ('completed', '') and sent < MIB,
                   'memory that both have is not sent', f'{result} {sent}')
            Tap.equal(target.wait_passes(), '', 'the guest goes on with it')
            rebooted(directory, target, pair.make)


def rebooted(directory, vm, make):
    """The program ends, and another takes up the guest."""
    stream = os.path.join(directory, 'stream')
    tell_of_reboot(vm)
    Tap.equal(migrate(vm, f'file:{stream}'), ('completed', ''),
              'cpr-reboot: saved, but for its memory')
    vm.__exit__()
    with make('-incoming', 'defer') as vm:
        tell_of_reboot(vm)
        vm.qmp('migrate-incoming', uri=f'file:{stream}')
        Tap.equal(wait_migrated(vm), ('completed', ''), 'loaded')
        vm.qmp('cont')
        Tap.equal(vm.wait_passes(), '', 'and goes on')
    Tap.ok(os.path.getsize(stream) < MIB, 'the stream is small',
           os.path.getsize(stream))


def tell_of_reboot(vm):
    vm.qmp('migrate-set-parameters', mode='cpr-reboot')
    set_capabilities(vm, ['x-ignore-shared'], True)


def job(vm, command, **arguments):
    """What is wrong, or ''."""
    vm.qmp(command, job_id='j', **arguments)

    def ended():
        jobs = [j for j in vm.qmp('query-jobs') if j['id'] == 'j']
        return jobs and jobs[0]['status'] == 'concluded' and jobs[0]

    error = until(ended, 60, 0.05).get('error', '')
    vm.qmp('job-dismiss', id='j')
    return error


def snapshot_jobs(directory):
    disk = os.path.join(directory, 'disk.qcow2')
    subprocess.run([QEMU_IMG, 'create', '-q', '-f', 'qcow2', disk, '64M'],
                   check=True)
    where = {'tag': 'one', 'devices': ['d']}
    with Carried('-blockdev', f'qcow2,node-name=d,file.driver=file,'
                 f'file.filename={disk}', '-device',
                 'virtio-blk-pci,drive=d') as vm:
        vm.wait_passes()
        Tap.equal(job(vm, 'snapshot-save', vmstate='d', **where), '',
                  'snapshot-save, of a guest that runs')
        Tap.equal(vm.wait_passes(), '', 'it runs on')
        before = vm.report()['passes']
        vm.qmp('stop')
        Tap.equal(job(vm, 'snapshot-load', vmstate='d', **where), '',
                  'snapshot-load')
        now = vm.report()['passes']
        Tap.ok(now < before, 'it is back where it was', f'{now} {before}')
        vm.qmp('cont')
        Tap.equal(vm.wait_passes(), '', 'and goes on from there')
        Tap.equal(job(vm, 'snapshot-delete', **where), '', 'snapshot-delete')
        dirty_rate(vm)


def dirty_rate(vm):
    """By the hypervisor's own bitmap"""
    vm.qmp('calc-dirty-rate', calc_time=1, mode='dirty-bitmap')
    until(lambda: vm.qmp('query-dirty-rate')['status'] == 'measured', 60, 0.1)
    rate = vm.qmp('query-dirty-rate')
    Tap.ok(rate.get('dirty-rate', 0) > 0, 'the rate of dirty pages', rate)
    Tap.equal(vm.wait_passes(), '', 'the guest does not notice')


def main():
    with tempfile.TemporaryDirectory() as directory:
        throttled(directory)
        at_the_switch(directory)
        shared(directory)
        snapshot_jobs(directory)
    Tap.end()


if __name__ == '__main__':
    main()
