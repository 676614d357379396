#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ioctl(2) calls for each exit, by kind: one is the rule."""

import tempfile
from vm import Tap, Vm, firmware

N = 1000
LOOP = f'mov ${N}, %cx\n2: '
TO_VGA = 'mov $0xa000, %ax\nmov %ax, %es\nmov %ax, %ds\n'

# name, guest, exits that it takes, their kind
CASES = [
    ('OUT', LOOP + 'out %al, $0x80\nloop 2b', N, 'io-port'),
    ('IN', LOOP + 'in $0x80, %al\nloop 2b', N, 'io-port'),
    ('store', TO_VGA + LOOP + 'mov %al, %es:0x10\nloop 2b', N, None),
    ('load', TO_VGA + LOOP + 'mov %es:0x10, %al\nloop 2b', N, None),
    ('read-modify-write', TO_VGA + LOOP + 'addb $1, %es:0x10\nloop 2b', N,
     None),
    ('REP STOSB', TO_VGA + f'xor %di, %di\nmov ${N}, %cx\nrep stosb', 1,
     None),
    ('REP OUTSB', f'mov $0x80, %dx\nxor %si, %si\nmov ${N}, %cx\nrep outsb',
     1, 'io-port'),
]


def check(name, code, exits, kind):
    with tempfile.TemporaryDirectory() as d, \
            Vm('-M', 'pc', '-m', '16', '-bios', firmware(d, code),
               paused=True) as vm:
        before = vm.stats()
        vm.qmp('cont')
        taken = vm.wait_quiet()
        after = vm.stats()
        all_exits = sum(taken.values())
        calls = sum(after[k] - before[k] for k in after
                    if k.startswith('calls-'))
        # the first run, the last one that does not return, and the
        # signals of "cont" and "query-stats" are no exits
        Tap.ok(exits <= all_exits <= exits + 4,
               f'{name}: {all_exits} exits for {exits}', taken)
        if kind:
            Tap.ok(taken[f'exits-{kind}'] >= exits, f'{name}: kind', taken)
        Tap.ok(calls <= all_exits + 8,
               f'{name}: {calls} ioctls for {all_exits} exits',
               {k: after[k] - before[k] for k in after
                if after[k] != before[k]})


for case in CASES:
    check(*case)
Tap.end()
