# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel moves the pages of a QEMU: to swap and back, and by compaction."""

import contextlib
import ctypes
import os
import subprocess
import threading
import time

PROCESS_MADVISE, PAGEOUT = 440, 21
MIB = 1 << 20


class Part(ctypes.Structure):
    """struct iovec"""
    _fields_ = ('base', ctypes.c_void_p), ('length', ctypes.c_size_t)


def guest_memory(pid):
    """Its largest private mapping."""
    found = []
    with open(f'/proc/{pid}/maps', encoding='ascii') as f:
        for line in f:
            span, mode = line.split()[:2]
            begin, end = [int(x, 16) for x in span.split('-')]
            if mode == 'rw-p':
                found.append((end - begin, begin))
    length, base = max(found)
    return Part(base, length)


@contextlib.contextmanager
def swap(directory, mib=512):
    """Some swap, on a file in @directory."""
    path = os.path.join(directory, 'swap')
    with open(path, 'wb') as f:
        f.truncate(mib * MIB)

    env = os.environ | {'PATH': f'{os.environ["PATH"]}:/sbin:/usr/sbin'}

    def run(*command):
        return subprocess.run(command, check=True, text=True, env=env,
                              capture_output=True).stdout.strip()

    device = run('losetup', '-f', '--show', path)
    try:
        run('mkswap', device)
        run('swapon', device)
        try:
            yield
        finally:
            run('swapoff', device)
    finally:
        run('losetup', '-d', device)
        os.unlink(path)


def count(name):
    with open('/proc/vmstat', encoding='ascii') as f:
        return dict(line.split() for line in f)[name]


class Shuffle:
    """Use with `with`: as long as it lasts, of the process @pid."""

    def __init__(self, pid):
        self.memory = guest_memory(pid)
        self.process = os.pidfd_open(pid)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.go_on)
        self.rounds = 0

    def go_on(self):
        libc = ctypes.CDLL(None, use_errno=True)
        # Not for ever: the guest shall come to something, too.
        while self.rounds < 5 and not self.stop.is_set():
            libc.syscall(PROCESS_MADVISE, self.process,
                         ctypes.byref(self.memory), ctypes.c_size_t(1),
                         PAGEOUT, 0)
            with open('/proc/sys/vm/compact_memory', 'w',
                      encoding='ascii') as f:
                f.write('1')
            self.rounds += 1
            self.stop.wait(2)

    def __enter__(self):
        self.before = int(count('pswpout'))
        self.thread.start()
        # Once at least before it counts
        while not self.rounds and self.thread.is_alive():
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        os.close(self.process)
        self.moved = int(count('pswpout')) - self.before
