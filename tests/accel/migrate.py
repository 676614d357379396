#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest is stopped, saved, moved, and goes on as if nothing had been.

Usage: migrate.py [ROUNDS [CPUS...]]

With ROUNDS, only live migrations, that many one after the other, of a guest with
each of those numbers of CPUs (2 if none is given).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from carried import Carried
from migration import Pair, migrate, set_up, wait_migrated
from vm import COUNT, TOP, QmpError, Tap, Vm, firmware, until

ANALYZE = os.path.join(TOP, 'build', 'qemu', 'scripts',
                       'analyze-migration.py')
QEMU_IMG = os.path.join(TOP, 'build', 'qemu-img')


def device_state(path):
    """{section: its fields} of a saved VM, without its memory."""
    text = subprocess.run([sys.executable, ANALYZE, '-f', path, '-d', 'state'],
                          capture_output=True, text=True, check=True).stdout
    state = json.loads(text[text.index('{'):])
    return {k: v for k, v in state.items() if not k.startswith('ram ')}


def differences(a, b, path=''):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from differences(a.get(key), b.get(key), f'{path}/{key}')
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f'{path}[{i}]')
    elif a != b:
        yield f'{path}: {str(a)[:200]} {str(b)[:200]}'


def same_state(first, second, name):
    seen = list(differences(device_state(first), device_state(second)))
    Tap.ok(not seen, name, '\n'.join(seen[:20]))


def saved_and_loaded(directory, machine, cpus):
    """To a file, from there into another process, and from there again: both
    states are one."""
    name = f'{machine}, {cpus} CPUs'
    files = [os.path.join(directory, f'saved-{i}') for i in range(2)]
    with Carried(machine=machine, cpus=cpus) as vm:
        Tap.equal(vm.wait_passes(), '', f'{name}: the guest runs')
        vm.qmp('stop')
        Tap.equal(migrate(vm, f'file:{files[0]}'), ('completed', ''),
                  f'{name}: saved to a file')
        vm.qmp('cont')
        Tap.equal(vm.wait_passes(), '', f'{name}: the guest goes on')
    with Carried('-incoming', f'file:{files[0]}', machine=machine, cpus=cpus,
                 paused=True) as vm:
        Tap.equal(wait_migrated(vm), ('completed', ''),
                  f'{name}: loaded by another QEMU')
        migrate(vm, f'file:{files[1]}')
        same_state(*files, f'{name}: what was loaded is what was saved')
        vm.hmp('info registers -a')
        vm.qmp('cont')
        Tap.equal(vm.wait_passes(), '', f'{name}: and goes on there')
        Tap.equal(vm.said(), '', f'{name}: no complaint')


def monitor(vm, line):
    return vm.qmp('human-monitor-command', seconds=60, command_line=line)


def snapshots(directory):
    disk = os.path.join(directory, 'disk.qcow2')
    subprocess.run([QEMU_IMG, 'create', '-q', '-f', 'qcow2', disk, '64M'],
                   check=True)
    args = ('-drive', f'if=none,id=d,file={disk},format=qcow2', '-device',
            'virtio-blk-pci,drive=d')
    with Carried(*args) as vm:
        vm.wait_passes()
        vm.qmp('stop')
        Tap.equal(monitor(vm, 'savevm early'), '', 'savevm')
        # Long enough for every clock that does not stand still
        time.sleep(0.3)
        Tap.equal(monitor(vm, 'savevm late'), '', 'savevm, later')
        vm.qmp('cont')
        Tap.equal(vm.wait_passes(), '', 'the guest goes on after savevm')
        before = vm.report()['passes']
        for _ in range(2):
            Tap.equal(monitor(vm, 'loadvm early'), '', 'loadvm')
            vm.qmp('cont')
            now = vm.report()['passes']
            Tap.ok(now < before, 'it is back where it was', f'{now} {before}')
            Tap.equal(vm.wait_passes(), '', 'and goes on from there')
        Tap.equal(vm.said(), '', 'snapshots: no complaint')
    files = []
    for name in 'early', 'late':
        files.append(os.path.join(directory, name))
        with Carried(*args, '-loadvm', name, paused=True) as vm:
            migrate(vm, f'file:{files[-1]}')
    same_state(*files, 'nothing moves in a VM that is stopped')


def pair_of(directory, *args, **keys):
    return Pair(directory, lambda *more, **also: Carried(
        *(more if '-cpu' in more else (*args, *more)), **keys, **also))


def live(directory, cpus, rounds):
    with pair_of(directory, cpus=cpus) as pair:
        wrong = pair.vm.wait_passes()
        done = 0
        while not wrong and done < rounds:
            wrong = pair.move() or pair.vm.wait_passes()
            done += not wrong
        Tap.equal((done, wrong), (rounds, ''),
                  f'{cpus} CPUs: {rounds} live migrations')


def stays(vm, name):
    """After a migration that came to nothing."""
    Tap.equal(vm.status(), 'running', f'{name}: the source runs on')
    Tap.equal(vm.wait_passes(), '', f'{name}: its guest is well')


def refused(directory):
    """By the target, while the source runs."""
    with pair_of(directory, '-cpu', 'max', cpus=2) as pair:
        source = pair.vm
        source.wait_passes()
        with pair.target('-cpu', 'max,-popcnt,host-phys-bits-limit=36') as target:
            pair.start(target)
            status, _ = wait_migrated(source)
            target.wait_end()
            said = target.said()
            Tap.ok(status == 'failed' and 'CPU feature popcnt' in said and
                   'physical address bits' in said, 'a target that lacks what '
                   'the guest was given says what', f'{status} {said}')
            Tap.ok(not any(e['event'] == 'STOP' for e in source.events),
                   'the source was not stopped for it', source.events)
        stays(source, 'refused by the target')


def foreign(directory, source, other, words):
    """A guest of another accelerator comes, or goes there: it runs on."""
    code = firmware(directory, COUNT)

    def make(*args, accel='mshv', **keys):
        return Vm('-M', 'pc', '-m', '32', '-bios', code, *args, accel=accel,
                  **keys)

    with Pair(directory, lambda: make(accel=source)) as pair:
        with make('-incoming', 'defer', accel=other) as target:
            pair.start(target)
            status, _ = wait_migrated(pair.vm)
            target.wait_end()
            said = target.said()
            Tap.ok(status == 'failed' and words in said,
                   f'a guest of {source} is refused by {other}',
                   f'{status} {said}')
        Tap.ok(pair.vm.status() == 'running' and pair.vm.moves(),
               'it runs on there', pair.vm.status())


def cancelled(directory):
    with pair_of(directory, cpus=2) as pair:
        source = pair.vm
        source.wait_passes()
        with pair.target() as target:
            pair.start(target, parameters={'max-bandwidth': 1 << 20})
            time.sleep(0.5)
            source.qmp('migrate_cancel')
            Tap.equal(wait_migrated(source)[0], 'cancelled', 'cancel')
        stays(source, 'cancelled')
        source.qmp('migrate-set-parameters', max_bandwidth=1 << 30)
        Tap.equal(pair.move() or pair.vm.wait_passes(), '',
                  'and can be migrated after that')


def refused_ways(directory):
    """What cannot work with guest memory as the kernel has it."""
    with pair_of(directory, cpus=2) as pair:
        with pair.target() as target:
            try:
                set_up(target, ['postcopy-ram'])
                said = ''
            except QmpError as error:
                said = str(error)
            Tap.ok('mshv: postcopy is not possible' in said,
                   'a target refuses postcopy by name', said)
        source = pair.vm
        source.wait_passes()
        set_up(source, ['background-snapshot'])
        try:
            said = str(migrate(source, f'file:{pair.path()}'))
        except QmpError as error:
            said = str(error)
        Tap.ok('mshv: a background snapshot is not possible' in said,
               'a background snapshot is refused by name', said)
        stays(source, 'no background snapshot')


def target_dies(directory):
    with pair_of(directory, cpus=2) as pair:
        source = pair.vm
        source.wait_passes()
        with pair.target() as target:
            pair.start(target, parameters={'max-bandwidth': 1 << 20})
            until(lambda: source.qmp('query-migrate')['status'] == 'active')
        Tap.equal(wait_migrated(source)[0], 'failed', 'the target is killed')
        stays(source, 'killed target')


def failing_call(directory, name, spec):
    """A call of the kernel fails under way."""
    with pair_of(directory, cpus=2) as pair:
        source = pair.vm
        source.wait_passes()
        with pair.target() as target:
            source.qmp('qom-set', path='/machine/accel',
                       property='x-fail-ioctl', value=spec)
            pair.start(target)
            status, why = wait_migrated(source)
            Tap.ok(status == 'failed' and 'mshv' in why + source.said(),
                   f'{name} fails: so does the migration',
                   f'{status} {why} {source.said()}')
        stays(source, name)


def why_blocked(vm):
    try:
        vm.qmp('migrate', uri='exec:cat >/dev/null')
        return ''
    except QmpError as error:
        return str(error)


def blocked():
    """A host that lacks something: no migration, for a reason that fits."""
    for number in range(1, 10):
        spec = f'mshv,x-fail-ioctl=SET_PARTITION_PROPERTY:{number}'
        with Carried(accel=spec) as vm:
            if vm.started and 'time stand still' in why_blocked(vm):
                Tap.equal(vm.wait_passes(), '', 'a host that cannot stop time '
                          'blocks migration by name, but the guest runs')
                return
    Tap.ok(False, 'a host that cannot stop time blocks migration by name')


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    with tempfile.TemporaryDirectory() as directory:
        if rounds:
            for cpus in sys.argv[2:] or ['2']:
                live(directory, int(cpus), rounds)
            Tap.end()
        for machine, cpus in ('pc', 1), ('q35', 2):
            saved_and_loaded(directory, machine, cpus)
        snapshots(directory)
        live(directory, 4, 2)
        refused(directory)
        foreign(directory, 'tcg', 'mshv', 'saved under another accelerator')
        foreign(directory, 'mshv', 'tcg', "'mshv-needs'")
        cancelled(directory)
        target_dies(directory)
        refused_ways(directory)
        failing_call(directory, 'reading dirty pages',
                     'GET_GPAP_ACCESS_BITMAP:1')
        failing_call(directory, 'switching dirty pages on',
                     'SET_PARTITION_PROPERTY:1')
        blocked()
    Tap.end()


if __name__ == '__main__':
    main()
