# SPDX-License-Identifier: GPL-2.0-or-later
"""The VMMs that the benchmarks compare, and runs of one of them; used inside
the emulated host.

Work directories: SHARED is on the machine and has the programs and the marks
that the plugin count.so writes; RUN is the host's own, in memory. VMMs of the
sid tree see them under other names.
"""

import ctypes
import json
import os
import select
import shutil
import struct
import subprocess
import time

RUN = '/run/bench'
PARAMS = 0xf000
NO_KIND = 0xffffffff
KINDS = ('nothing', 'load', 'store', 'modify', 'movs', 'stos', 'in', 'out',
         'outs', 'ins', 'ioapic-same', 'ioapic', 'cross', 'kick-poll',
         'kick-irq', 'kick-hlt', 'timer-hlt', 'smp', 'idle', 'smi')

MACHINE = ['-nodefaults', '-no-user-config', '-display', 'none', '-M', 'pc',
           '-cpu', 'host']
DEVICES = ['-device', 'isa-debug-exit,iobase=0xf4',
           '-device', 'pci-testdev', '-device', 'pci-testdev',
           '-object', 'iothread,id=io',
           '-blockdev', 'null-co,node-name=disk,size=1048576', '-device',
           'virtio-blk-pci,drive=disk,disable-legacy=on,iothread=io']


class Failed(Exception):
    """A VMM did not do what it should; the text says what it did."""


class Marks:
    """What the plugin wrote since the last look."""

    def __init__(self, shared):
        self.path = os.path.join(shared, 'marks')
        self.lib = ctypes.CDLL(os.path.join(shared, 'mark.so'))
        self.at = 0
        self.skip()

    def skip(self):
        self.at = os.path.getsize(self.path)

    def new(self):
        with open(self.path, 'rb') as f:
            f.seek(self.at)
            data = f.read()
        end = data.rfind(b'\n') + 1
        self.at += end
        return [json.loads(line) for line in data[:end].splitlines()]

    def start(self):
        self.lib.mark_start()

    def wait(self, number, process, seconds):
        """All new marks, once one of that number is there. Looks rarely: what
        we do is counted, too."""
        seen = []
        end = time.monotonic() + seconds
        gone = False
        while time.monotonic() < end:
            gone = process.gone(0.2)
            seen += self.new()
            if any(m['mark'] == number for m in seen):
                return seen
            if gone:
                raise Failed(f'ended with status {process.returncode}')
        raise Failed(f'did not get there within {seconds:g} seconds')


def difference(a, b):
    """What was counted from mark @a to mark @b."""
    diff = {k: b[k] - a[k] for k in ('ns', 'user', 'kernel', 'syscalls')}
    for name in ('ioctls', 'hypercalls'):
        diff[name] = {k: v - a[name].get(k, 0) for k, v in b[name].items()
                      if v != a[name].get(k, 0)}
    return diff


class Vmm:
    """How to start one of them."""

    def __init__(self, name, what):
        self.name = name
        self.what = what
        self.is_qemu = name != 'floor'
        self.prefix = []
        # Where a program is read from must not make a difference.
        if name == 'ours':
            self.program = self.copy(what['qemu'])
            self.options = ['-L', what['firmware'], '-M', 'smm=on']
        elif name == 'sid':
            self.prefix = ['chroot', what['tree']]
            self.program = 'qemu-system-x86_64'
            self.options = []
            self.mount(what['tree'])
        else:
            self.program = self.copy(os.path.join(what['shared'], 'floor'))

    def version(self):
        """The first line of what it says of itself."""
        if not self.is_qemu:
            return 'runs the guest and answers, no more'
        done = subprocess.run([*self.prefix, self.program, '--version'],
                              stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.splitlines()[0]

    def copy(self, path):
        directory = os.path.join(RUN, self.name)
        os.makedirs(directory, exist_ok=True)
        return shutil.copy(path, directory)

    def mount(self, tree):
        program = 'usr/bin/qemu-system-x86_64'
        copy = self.copy(os.path.join(tree, program))
        for what, where in (('/dev', 'dev'), ('/proc', 'proc'),
                            ('/sys', 'sys'), (RUN, 'srv'), (copy, program),
                            (self.what['shared'], 'mnt')):
            subprocess.run(['mount', '--bind', what,
                            os.path.join(tree, where)], check=True)

    def path(self, path):
        """What the VMM calls this file."""
        if self.name == 'sid':
            for start, there in ((RUN, '/srv'), (self.what['shared'], '/mnt')):
                if path.startswith(start + '/'):
                    return there + path[len(start):]
        return path

    def qemu(self, *args):
        return [*self.prefix, self.program, '-accel', 'mshv', *self.options,
                *MACHINE, *args]

    def guest(self, kinds, cpus=1, extra=(), image='image'):
        """A command line that runs guest.S for pairs of a kind and a count."""
        path = os.path.join(RUN, image)
        with open(os.path.join(self.what['shared'], 'guest.bin'), 'rb') as f:
            data = bytearray(f.read())
        params = [cpus]
        for kind, count in kinds:
            params += [KINDS.index(kind), count]
        params.append(NO_KIND)
        struct.pack_into(f'<{len(params)}I', data, PARAMS, *params)
        with open(path, 'wb') as f:
            f.write(data)
        if not self.is_qemu:
            return [self.program, path, str(cpus)]
        return self.qemu('-m', '16', '-smp', str(cpus), '-bios',
                         self.path(path), *DEVICES, *extra)


class Process:
    """A running VMM; ends with the block. What it says is in .said()."""

    def __init__(self, command):
        self.log = open(os.path.join(RUN, 'said'), 'w+b')
        self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                      stdout=self.log, stderr=self.log)
        self.pid = self.popen.pid
        self.pidfd = os.pidfd_open(self.pid)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        os.close(self.pidfd)
        if isinstance(error, Failed):
            error.args = (f'{error.args[0]}: {self.said()}'.rstrip(': '),)
        self.log.close()

    def gone(self, seconds):
        """Whether it ends within this time; sleeps until it does."""
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    @property
    def returncode(self):
        return self.popen.wait()

    def said(self):
        with open(os.path.join(RUN, 'said'), 'rb') as f:
            lines = f.read().decode(errors='replace').strip().splitlines()
        return " | ".join(lines)[-300:] if lines else ''


def measure(vmm, marks, kinds, cpus=1, seconds=60):
    """What the exits of each kind in @kinds cost: as many differences as it
    came through, and why no more or None."""
    command = vmm.guest(kinds, cpus)
    marks.skip()
    with Process(command) as process:
        failed = None
        if not process.gone(seconds):
            failed = f'not done after {seconds:g} seconds'
        seen = [m for m in marks.new() if m['mark'] in (1, 2)]
        found = [difference(a, b) for a, b in zip(seen[::2], seen[1::2])]
        if len(found) < len(kinds):
            failed = failed or f'ended with status {process.returncode}'
            failed = f'{failed}: {process.said()}'.rstrip(': ')
    return found, failed


def memory(pid, ram):
    """KiB of memory that the process has, without the guest's @ram bytes.
    Private is what is no file's: pages of a program in RUN count as dirty."""
    total = {'rss': 0, 'private': 0}
    size = None
    with open(f'/proc/{pid}/smaps', encoding='ascii', errors='replace') as f:
        for line in f:
            word = line.split()
            if '-' in word[0] and ':' not in word[0]:
                low, high = (int(x, 16) for x in word[0].split('-'))
                size = high - low
            elif size == ram:
                continue
            elif word[0] == 'Rss:':
                total['rss'] += int(word[1])
            elif word[0] == 'Anonymous:':
                total['private'] += int(word[1])
    return total
