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


EXPECTED = 'a test expects: '
TAINT_WARN = 0x200


def expect_in_log(text):
    """A warning of the kernel's with that text is provoked."""
    with open('/dev/kmsg', 'w', encoding='ascii') as f:
        f.write(EXPECTED + text)


def unexpected(lines):
    """The lines without the warnings that a test announced before."""
    kept, block, expected = [], None, []
    for line in lines:
        if EXPECTED in line[1]:
            expected.append(line[1].split(EXPECTED)[1])
        elif '[ cut here ]' in line[1]:
            block = []
        if block is None:
            kept.append(line)
            continue
        block.append(line)
        if '[ end trace' in line[1]:
            if not any(e in text for e in expected for _, text in block):
                kept += block
            block = None
    return kept + (block or [])


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
    """What the hypervisor has counted; None where it is not ours."""
    if not os.path.exists(COUNTERS):
        return None
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(COUNTERS)
        with s.makefile() as f:
            return json.load(f)


def left_over():
    """What must be the same before and after a test."""
    c = counters()
    return c and {'partitions': c['partitions'],
                  'free VPs': c['vps-free'],
                  'deposited pages': c['pages-deposited'],
                  'partitions of the driver': len(
                      [n for n in os.listdir(DEBUGFS) if n.isdigit()])}


def check_leaks(before):
    """Complaints; the kernel may take a moment to tear down."""
    end = time.monotonic() + 10
    while True:
        after = left_over()
        bad = [f'leak: {k}: {before[k]} before, {after[k]} after'
               for k in before if before[k] != after[k]]
        if not bad or time.monotonic() > end:
            return bad
        time.sleep(0.1)


def tainted():
    """Bits that the kernel sets with each warning, too, whose message may be
    lost."""
    with open('/proc/sys/kernel/tainted', encoding='ascii') as f:
        return int(f.read())


class Watch:
    """Looks at the kernel and the hypervisor before and after a test."""

    def __init__(self, log):
        self.log = log
        self.before = left_over()
        self.tainted = tainted()

    def complaints(self):
        """What a test should not have done or left behind."""
        bad = check_leaks(self.before)
        seen = self.log.new()
        lines = unexpected(seen)
        if any(BAD.search(text) for _, text in lines):
            bad += [f'kernel: {text}' for _, text in lines][-40:]
        now = counters()
        if now and now['illegal-transitions']:
            bad.append(f'VPs: {now["illegal-transitions"]} transitions that '
                       'must not happen')
        # A warning that was announced sets its bit, too.
        mask = ~TAINT_WARN if len(lines) < len(seen) - 1 else ~0
        if (self.tainted ^ tainted()) & mask:
            bad.append(f'kernel: tainted {self.tainted:#x} before, '
                       f'{tainted():#x} after')
        return bad
