#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams of migration that say something else than they were saved with: each
is either loaded or refused by its name, and nothing ends QEMU but QEMU.

Usage: streams.py [CASES [SEED]]
       streams.py keep MACHINE

CASES: so many random changes, in place of a few. keep: write a stream of a guest
on that machine type into tests/accel/streams, where those are that each later
version has to load.
"""

import base64
import lzma
import os
import random
import struct
import sys
import tempfile
from carried import Carried
from migration import migrate, wait_migrated
from vm import TOP, Tap, QmpError

# target/i386/mshv/needs.c: kind, a, b, value
NEED = struct.Struct('>IIIQ')
CPUID, SYNTHETIC, VENDOR, ADDRESS_BITS, TSC_HZ = 1, 3, 4, 5, 6
EAX, EBX = 0, 3
# QEMU's (migration/savevm.c)
SECTION_FULL, FOOTER = 4, 0x7e
KEPT = os.path.join(TOP, 'tests', 'accel', 'streams')
# What is loaded by us, or through us
OURS = ('mshv-needs', 'mshv-partition', 'mshv-vp', 'cpu', 'apic')


def saved(directory, **keys):
    path = os.path.join(directory, 'saved')
    with Carried(**keys) as vm:
        vm.wait_passes()
        vm.qmp('stop')
        Tap.equal(migrate(vm, f'file:{path}'), ('completed', ''), 'saved')
    with open(path, 'rb') as f:
        return f.read()


class Section:
    """Of the stream, with its frame."""

    def __init__(self, stream, name, after=0):
        head = bytes([len(name)]) + name.encode()
        at = stream.index(head, after)
        while stream[at - 5] != SECTION_FULL:
            at = stream.index(head, at + 1)
        self.name = name
        self.start = at - 5
        # its name, the instance and the version
        self.data = at + len(head) + 8
        footer = bytes([FOOTER]) + stream[at - 4:at]
        self.data_end = stream.index(footer, self.data)
        self.end = self.data_end + len(footer)


def sections(stream):
    found = []
    for name in OURS:
        after = 0
        while True:
            try:
                found.append(Section(stream, name, after))
            except ValueError:
                break
            after = found[-1].end
    return found


def load(directory, stream, run=False):
    """(exit status or None, what QEMU said); status 0: it runs."""
    path = os.path.join(directory, 'changed')
    with open(path, 'wb') as f:
        f.write(stream)
    with Carried('-incoming', 'defer', paused=True) as vm:
        try:
            vm.qmp('migrate-incoming', uri=f'file:{path}')
            result = wait_migrated(vm)
            if result[0] == 'completed' and run:
                vm.qmp('cont')
                vm.hmp('info registers -a')
                vm.qmp('stop')
            if result[0] == 'completed':
                return 0, vm.said()
        except QmpError:
            pass
        return vm.wait_end(), vm.said()


def needs(stream):
    """(where each is, what it is)"""
    section = Section(stream, 'mshv-needs')
    count, = struct.unpack_from('>I', stream, section.data)
    for n in range(count):
        at = section.data + 4 + n * NEED.size
        yield at, NEED.unpack_from(stream, at)


def change_need(stream, kind, change, a=0, b=0):
    """The stream with another value of that need, or with one more."""
    section = Section(stream, 'mshv-needs')
    found = list(needs(stream))
    for at, need in found:
        if need[:3] == (kind, a, b):
            return (stream[:at] + NEED.pack(*need[:3], change(need[3])) +
                    stream[at + NEED.size:])
    end = section.data + 4 + len(found) * NEED.size
    return (stream[:section.data] + struct.pack('>I', len(found) + 1) +
            stream[section.data + 4:end] + NEED.pack(kind, a, b, change(0)) +
            stream[end:])


# What a guest may have been given that is not here: its name in words, and how
# a need is changed for it
def bit(n):
    return lambda value: value | 1 << n


LACKING = (
    ('a TSC of', TSC_HZ, lambda hz: hz + hz // 1000),
    ('CPU feature avx512f', CPUID, bit(16), 7, EBX),
    ('XSAVE component 18', CPUID, bit(18), 13, EAX),
    ("the hypervisor's features 0x4000000000000000", SYNTHETIC, bit(62)),
    ('52 physical address bits', ADDRESS_BITS, lambda _: 52),
    ('a CPU of another vendor', VENDOR, lambda value: value ^ 1),
    ('what only a newer version knows (99)', 99, bit(0)),
)


def refused(directory, stream):
    new = stream
    for _, *need in LACKING:
        new = change_need(new, *need)
    status, said = load(directory, new)
    for words, *_ in LACKING:
        Tap.ok(status == 1 and words in said, f'refused by name: {words}',
               f'{status} {said}')
    # An NTP daemon gets over that.
    near = change_need(stream, TSC_HZ, lambda hz: hz + hz // 10000)
    Tap.equal(load(directory, near), (0, ''), 'a TSC that is nearly the same')


def changed(stream, rng):
    """(what was done, the stream with it)"""
    found = sections(stream)
    what = rng.choice(('flipped', 'flipped', 'flipped', 'cut', 'swapped'))
    one = rng.choice(found)
    if what == 'flipped':
        new = bytearray(stream)
        bits = [rng.randrange(one.data * 8, one.data_end * 8)
                for _ in range(rng.choice((1, 1, 2, 8)))]
        for n in bits:
            new[n // 8] ^= 1 << n % 8
        at = [f'{n // 8 - one.data}.{n % 8}' for n in bits]
        return f'{one.name}: bits {" ".join(at)}', bytes(new)
    if what == 'cut':
        at = rng.randrange(one.start, one.end)
        return f'{one.name}: cut at {at - one.start}', stream[:at]
    a, b = sorted(rng.sample(found, 2), key=lambda s: s.start)
    return (f'{a.name} and {b.name} swapped',
            stream[:a.start] + stream[b.start:b.end] +
            stream[a.end:b.start] + stream[a.start:a.end] + stream[b.end:])


def fuzz(directory, stream, cases, seed):
    bad, loaded = [], 0
    for n in range(seed, seed + cases):
        what, new = changed(stream, random.Random(n))
        status, said = load(directory, new, run=True)
        loaded += status == 0
        if status not in (0, 1) or (status == 1 and not said):
            bad.append(f'seed {n}: {what}: {status} {said}')
        print(f'# {n}: {what}: {status} {said.strip()[-150:]!r}', flush=True)
    Tap.equal(bad, [], f'{cases} streams with random changes: each is loaded '
              'or refused')
    print(f'# {loaded} were loaded')


def keep(directory, machine):
    stream = saved(directory, machine=machine)
    with open(os.path.join(KEPT, f'{machine}.stream'), 'wb') as f:
        f.write(b'# SPDX-License-Identifier: GPL-2.0-or-later\n' +
                base64.encodebytes(lzma.compress(stream, preset=9)))


def kept(directory, stream):
    """Each with the frequency of the TSC here"""
    hz, = (need[3] for _, need in needs(stream) if need[0] == TSC_HZ)
    path = os.path.join(directory, 'kept')
    for name in sorted(os.listdir(KEPT)):
        machine = name.removesuffix('.stream')
        with open(os.path.join(KEPT, name), 'rb') as f:
            text = f.read().partition(b'\n')[2]
        old = change_need(lzma.decompress(base64.decodebytes(text)), TSC_HZ,
                          lambda _: hz)
        with open(path, 'wb') as f:
            f.write(old)
        with Carried('-incoming', f'file:{path}', machine=machine,
                     paused=True) as vm:
            result = wait_migrated(vm)
            vm.qmp('cont')
            Tap.equal((result, vm.wait_passes(), vm.said()),
                      (('completed', ''), '', ''),
                      f'a stream that was kept is loaded, and goes on: '
                      f'{machine}')


def main():
    if sys.argv[1:2] == ['keep']:
        with tempfile.TemporaryDirectory() as directory:
            keep(directory, sys.argv[2])
        Tap.end()
    cases, seed = [int(x) for x in sys.argv[1:3]] + [4, 1][len(sys.argv) - 1:]
    with tempfile.TemporaryDirectory() as directory:
        stream = saved(directory)
        Tap.equal(sorted({s.name for s in sections(stream)}), sorted(OURS),
                  'the sections are found')
        refused(directory, stream)
        kept(directory, stream)
        fuzz(directory, stream, cases, seed)
    Tap.end()


if __name__ == '__main__':
    main()
