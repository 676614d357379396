#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux guests that work go from one QEMU to the next, and notice nothing.

Usage: moves.py [some | all | pages | ROUNDS CPUS]...

some, all: by some ways, by each; pages: while the kernel moves its pages.
ROUNDS CPUS: so many live migrations, one after the other, of a guest with so
many CPUs.
"""

import hashlib
import os
import sys
import tempfile
import time
from linux import Small
from migration import LIVE, STORED, Pair
from shuffle import Shuffle, swap
from vm import PATIENCE, Tap, QmpError, until

MIB = 1 << 20
# All that is left to send, however slow this machine is
SOON = {'downtime-limit': 60000, 'multifd-compression': 'none'}
MULTIFD = {'multifd-channels': 3}
# (name, way, capabilities, parameters)
WAYS = (
    ('a descriptor', 'fd', [], {}),
    ('multifd with zstd', 'tcp', ['multifd'],
     MULTIFD | {'multifd-compression': 'zstd'}),
    ('mapped-ram with multifd', 'file', ['mapped-ram', 'multifd'], MULTIFD),
)
MORE_WAYS = (
    ('unix', 'unix', [], {}),
    ('tcp', 'tcp', [], {}),
    ('exec', 'exec', [], {}),
    ('a file', 'file', [], {}),
    ('exec to a file', 'exec to a file', [], {}),
    ('multifd', 'tcp', ['multifd'], MULTIFD),
    ('xbzrle', 'unix', ['xbzrle'], {}),
    ('mapped-ram', 'file', ['mapped-ram'], {}),
)
# What no kernel says that is well
BAD = ('BUG:|Oops|nobody cared|I/O error|general protection|goes backwards|'
       'corrupt|hung')


class Worker:
    """Linux with the load of tests/guest/small/load.c, which goes from one QEMU
    to the next."""

    def __init__(self, directory, cpus, mib=4, args=(), **keys):
        self.disk = os.path.join(directory, 'disk')
        with open(self.disk, 'wb') as f:
            f.truncate(2 * MIB)

        def make(*more, **also):
            return Small(
                '-smp', str(cpus), '-drive',
                f'file={self.disk},format=raw,if=virtio', *args, *more,
                modules='virtio_pci,virtio_blk', append='nowatchdog '
                'rcupdate.rcu_cpu_stall_suppress=1', **keys, **also)

        self.cpus, self.mib = cpus, mib
        self.pair = Pair(directory, make, parameters=SOON)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pair.__exit__()

    @property
    def vm(self):
        return self.pair.vm

    def start(self):
        self.vm.console.shell(300)
        self.vm.run('dd if=/dev/urandom of=/tmp/data bs=1M count=8 2>/dev/null')
        self.sum = self.vm.run('md5sum </tmp/data')
        self.vm.run(f'load {self.mib} /dev/vda &')
        return self.works()

    def report(self):
        lines = [line.split(None, 2) for line in
                 self.vm.run('cat /tmp/load 2>/dev/null').splitlines()]
        return ({x[0]: int(x[1]) for x in lines if len(x) == 2},
                ' '.join(' '.join(x[1:]) for x in lines if len(x) == 3))

    def works(self, seconds=60):
        """Until each piece of work was done once more. What is wrong, or ''."""
        end = time.monotonic() + seconds * PATIENCE
        first = {}
        while time.monotonic() < end:
            now, errors = self.report()
            if not errors.startswith('0 ') and errors:
                return f'the guest saw errors: {errors}'
            first = first or now
            if len(now) == 3 * self.cpus + 2 and all(
                    now[k] > first[k] for k in now if k != 'resting'):
                return ''
            if self.vm.status() != 'running':
                break
            time.sleep(0.1)
        return f'the guest stands still: {first} {now}\n{self.vm}'

    def move(self, *how):
        return self.pair.move(*how) or self.works()

    def end(self):
        """What stood still all the time, and the disk as others see it."""
        wrong = self.works()
        self.vm.run('touch /tmp/stop')
        if not until(lambda: self.report()[0].get('resting') ==
                     self.cpus + 1, 60):
            wrong += f'the work does not come to its end: {self.report()}\n'
        if self.vm.run('md5sum </tmp/data') != self.sum:
            wrong += 'memory has changed\n'
        self.vm.run('echo 3 >/proc/sys/vm/drop_caches')
        seen = self.vm.run('md5sum </dev/vda').split()[0]
        wrong += self.vm.run(f'dmesg | grep -E "{BAD}"')
        self.vm.qmp('quit')
        self.vm.wait_end()
        if seen != md5(self.disk):
            wrong += 'the disk is not what the guest saw'
        return wrong + self.vm.said()


def md5(path):
    with open(path, 'rb') as f:
        return hashlib.file_digest(f, 'md5').hexdigest()


def guarded(worker, test, *args):
    try:
        return test(*args)
    except (AssertionError, QmpError, OSError) as e:
        return f'{e}\n{worker.vm}'


def each_way(directory, ways):
    with Worker(directory, 2) as worker:
        wrong = guarded(worker, worker.start)
        for name, *how in ways:
            wrong = wrong or guarded(worker, worker.move, *how)
            Tap.equal(wrong, '', f'a Linux guest at work moves: {name}')
        wrong = wrong or guarded(worker, worker.end)
        Tap.equal(wrong, '', 'its memory and disk are what they were')


def while_pages_move(directory):
    with swap(directory), Worker(directory, 2) as worker:
        wrong = guarded(worker, worker.start)
        with Shuffle(worker.vm.process.pid) as shuffle:
            wrong = wrong or guarded(worker, worker.works) or \
                guarded(worker, worker.move, 'fd') or \
                guarded(worker, worker.end)
        Tap.equal(wrong, '', 'a Linux guest at work moves, while the kernel '
                  'moves its pages')
        Tap.ok(shuffle.moved > 1000, 'it did',
               f'{shuffle.rounds} times, {shuffle.moved} pages')


def again_and_again(directory, rounds, cpus):
    with Worker(directory, cpus) as worker:
        wrong = guarded(worker, worker.start)
        done = 0
        began = time.monotonic()
        while not wrong and done < rounds:
            wrong = guarded(worker, worker.move, list(LIVE)[done % len(LIVE)])
            done += not wrong
            print(f'# {done} of {rounds}, {time.monotonic() - began:.0f} s:',
                  worker.report()[0] if not wrong else wrong, flush=True)
        wrong = wrong or guarded(worker, worker.end)
        Tap.equal((done, wrong), (rounds, ''),
                  f'Linux, {cpus} CPUs: {rounds} live migrations')


def main():
    words = sys.argv[1:] or ['some']
    with tempfile.TemporaryDirectory() as directory:
        while words:
            if (first := words.pop(0)) == 'some':
                each_way(directory, WAYS)
            elif first == 'all':
                each_way(directory, WAYS + MORE_WAYS)
            elif first == 'pages':
                while_pages_move(directory)
            else:
                again_and_again(directory, int(first), int(words.pop(0)))
    Tap.end()


if __name__ == '__main__':
    main()
