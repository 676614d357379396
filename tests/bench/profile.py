#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sum up the plugin's profile by function, most expensive first.

Usage: profile.py DIR QEMU. Reads DIR/shared/profile, maps and kallsyms, and
the symbols of QEMU; prints and writes DIR/profile.txt.
"""

import bisect
import collections
import os
import subprocess
import sys


class Symbols:
    """Names by address."""

    def __init__(self, pairs):
        pairs = sorted(pairs)
        self.addresses = [a for a, _ in pairs]
        self.names = [n for _, n in pairs]

    def find(self, address):
        i = bisect.bisect_right(self.addresses, address) - 1
        return self.names[i] if i >= 0 else '?'


def symbols_of(path, base):
    """A program's or a library's functions; only the exported ones if it is
    stripped."""
    for option in ('--defined-only', '-D'):
        done = subprocess.run(['nm', option, path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True,
                              check=False)
        words = [line.split() for line in done.stdout.splitlines()]
        pairs = [(int(w[0], 16) + base, w[2].split('@')[0]) for w in words
                 if len(w) == 3 and w[1] in 'tTwWi']
        if pairs:
            return Symbols(pairs)
    return Symbols([(base, os.path.basename(path))])


def read_maps(path, qemu):
    """(low, high, symbols, name) of the program and its libraries."""
    bases, found = {}, []
    with open(path, encoding='ascii') as f:
        for line in f:
            word = line.split()
            if len(word) < 6 or not word[5].startswith('/'):
                continue
            low, high = (int(x, 16) for x in word[0].split('-'))
            name = word[5]
            bases.setdefault(name, low - int(word[2], 16))
            if 'x' in word[1]:
                real = qemu if 'qemu-system' in name else name
                found.append((low, high, symbols_of(real, bases[name]),
                              os.path.basename(name)))
    return found


def main():
    directory, qemu = sys.argv[1:]
    shared = os.path.join(directory, 'shared')
    maps = read_maps(os.path.join(shared, 'maps'), qemu)
    with open(os.path.join(shared, 'kallsyms'), encoding='ascii') as f:
        kernel = Symbols((int(w[0], 16), w[2]) for w in
                         (line.split() for line in f) if w[1] in 'tTwW')
    totals = collections.Counter()
    with open(os.path.join(shared, 'profile'), encoding='ascii') as f:
        for line in f:
            address, count = line.split()
            address = int(address, 16)
            where = next((m for m in maps if m[0] <= address < m[1]), None)
            if address >> 63:
                name = f'kernel {kernel.find(address)}'
            elif where:
                name = f'{where[3]} {where[2].find(address)}'
            else:
                name = 'others'
            totals[name] += int(count)
    total = sum(totals.values())
    lines = [f'{count:12} {100 * count / total:5.1f} % {name}'
             for name, count in totals.most_common(100)]
    with open(os.path.join(directory, 'profile.txt'), 'w',
              encoding='ascii') as f:
        f.write('\n'.join(lines) + '\n')
    print('\n'.join(lines[:60]))


main()
