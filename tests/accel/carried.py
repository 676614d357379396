# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests/accel/guest/carried.c: what it says of itself."""

import tempfile
import time
from vm import PATIENCE, Vm, guest

FIELDS = ('passes', 'errors', 'cpus', 'ticks', 'direct', 'messages',
          'hypercalls', 'rounds')


class Carried(Vm):
    """A VM with that guest."""

    def __init__(self, *args, cpus=2, machine='pc', smp=None, memory=32,
                 **keys):
        self.said_by_guest = tempfile.NamedTemporaryFile()
        super().__init__(
            '-M', machine, '-m', str(memory), '-smp', smp or str(cpus),
            '-bios', guest('carried'), '-rtc', 'clock=vm', '-chardev',
            f'file,id=out,append=on,path={self.said_by_guest.name}',
            '-device', 'isa-debugcon,iobase=0xe9,chardev=out', *args, **keys)

    def __exit__(self, *args):
        super().__exit__(*args)
        self.said_by_guest.close()

    def words(self):
        """What the guest printed."""
        with open(self.said_by_guest.name, encoding='ascii',
                  errors='replace') as f:
            return f.read()

    def report(self):
        words = self.hmp(f'xp /{len(FIELDS)}wx 0x600').split()
        return dict(zip(FIELDS, [int(w, 16) for w in words
                                 if not w.endswith(':')]))

    def wait_passes(self, more=2, seconds=20):
        """Until it has made some passes more. What is wrong, or ''."""
        end = time.monotonic() + seconds * PATIENCE
        first = self.report()
        while time.monotonic() < end:
            now = self.report()
            if now['errors']:
                return f'the guest saw errors: {now}\n{self.words()}'
            if now['passes'] < first['passes']:
                first = now     # it was reset
            if now['passes'] >= first['passes'] + more:
                return ''
            if self.status() != 'running':
                return f'{self.status()}: {self.said()}'
            time.sleep(0.05)
        return (f'the guest stands still: {first}, {now}\n{self.said()}'
                f'{self.words()}')
