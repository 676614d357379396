#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What each exit takes, by kind: one hypercall is the rule, which the hypervisor
counts, and no other ioctl(2) than MSHV_RUN_VP.

tests/bench/exit-cost.test counts the ioctls themselves.
"""

import tempfile
from vm import Tap, Vm, firmware
from emuhost import counters

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


def hypercalls():
    """How many there were; None if only the hypervisor knows."""
    seen = counters()
    return seen and sum(seen['hypercalls'].values())


def check(name, code, exits, kind):
    with tempfile.TemporaryDirectory() as d, \
            Vm('-M', 'pc,pit=off', '-m', '16', '-bios', firmware(d, code),
               '-device', 'VGA,romfile=', paused=True) as vm:
        before, made = vm.stats(), hypercalls()
        vm.qmp('cont')
        vm.wait_quiet()
        vm.qmp('stop')
        if made is not None:
            made = hypercalls() - made
        taken = vm.stats('vcpu')
        after = vm.stats()
        kicks = taken.pop('kicks')
        all_exits = sum(taken.values())
        calls = {k[6:]: after[k] - before[k] for k in after
                 if k.startswith('calls-') and after[k] != before[k]}
        Tap.ok(exits <= all_exits <= exits + 4,
               f'{name}: {all_exits} exits for {exits}', taken)
        # To stop it takes one; whoever kicks for each exit has a thousand.
        Tap.ok(kicks <= 10, f'{name}: {kicks} kicks', taken)
        if kind:
            Tap.ok(taken[f'exits-{kind}'] >= exits, f'{name}: kind', taken)
        if made is not None:
            # Some map memory that the guest touches first.
            Tap.ok(all_exits <= made <= all_exits + kicks + 40,
                   f'{name}: {made} hypercalls', calls)
        calls.pop('run-vp', None)
        Tap.ok(sum(calls.values()) <= 6,
               f'{name}: {sum(calls.values())} other ioctls', calls)


for case in CASES:
    check(*case)
Tap.end()
