# SPDX-License-Identifier: GPL-2.0-or-later
"""What the emulated host's kernel and hypervisor say about a test that ran in
it."""

import json
import os
import re
import socket
import time

COUNTERS = '/run/mshv-host/counters'
DEBUGFS = '/sys/kernel/debug/mshv/partition'
# What the kernel must never say. Refusals that tests provoke are logged, too.
BAD = re.compile(r'WARNING:|BUG:|\bOops\b|Call Trace|blocked for more than|'
                 r'\bstall|general protection|wrong message type|'
                 r'unhandled|refcount|\bleak')


class KernelLog:
    """The kernel's messages since the last look: (level, text)."""

    def __init__(self):
        self.fd = os.open('/dev/kmsg', os.O_RDONLY | os.O_NONBLOCK)

    def new(self):
        lines = []
        while True:
            try:
                record = os.read(self.fd, 8192).decode(errors='replace')
            except BlockingIOError:
                return lines
            except BrokenPipeError:
                continue        # overrun: the rest is still there
            head, _, text = record.partition(';')
            lines.append((int(head.split(',')[0]) & 7,
                          text.splitlines()[0] if text else ''))


def counters():
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(COUNTERS)
            text = b''
            while data := s.recv(65536):
                text += data
        return json.loads(text)
    except (OSError, ValueError):
        return None


def left_over(c):
    """What must be the same before and after a test."""
    left = {'partitions': c.get('partitions'),
            'free VPs': c.get('vps-free'),
            'deposited pages': c.get('pages-deposited')}
    try:
        left['partitions of the driver'] = len(
            [n for n in os.listdir(DEBUGFS) if n.isdigit()])
    except OSError:
        pass
    return left


def check_leaks(before):
    """Complaints; the kernel may take a moment to tear down."""
    end = time.monotonic() + 10
    while True:
        now = counters()
        if before is None or now is None:
            return []
        was, left = left_over(before), left_over(now)
        bad = [f'leak: {k}: {was[k]} before, {left[k]} after'
               for k in was if was[k] != left.get(k)]
        if not bad or time.monotonic() > end:
            return bad
        time.sleep(0.1)


class Watch:
    """Looks at the kernel and the hypervisor before and after a test."""

    def __init__(self, log):
        self.log = log
        self.before = counters()

    def complaints(self):
        """What a test should not have done or left behind."""
        bad = check_leaks(self.before)
        lines = self.log.new()
        if any(BAD.search(text) for _, text in lines):
            bad += [f'kernel: {text}' for _, text in lines][-40:]
        return bad
