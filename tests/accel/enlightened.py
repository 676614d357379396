#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What enlightenments bring to Linux, counted by the hypervisor: flushes of other
processors' TLBs, IPIs, timers, and a whole boot.

Usage: enlightened.py [CPUS]...

All but the counts of a boot are of one event, with all other processors busy.
"""

import os
import subprocess
import sys
import tempfile
from linux import ENLIGHTENED, HOST_CPU, Small, equal
from vm import TOP, Tap
from emuhost import counters

N = 100
CLOCK = '/sys/devices/system/clocksource/clocksource0/current_clocksource'
# All that is safe; or nothing, but that there is a hypervisor. Without the index
# of its VPs Linux would not believe that, and not use x2APIC.
CPUS = {'with': HOST_CPU, 'without': f'{HOST_CPU},hv-vpindex=on'}
EVENTS = ('flush', 'ipi', 'timer')
# Hypercalls; MSRs of interrupt commands, ends of interrupt and timers; interrupts,
# also without as many as timers were set; exits to QEMU
COLUMNS = ('hypercalls', 'icr', 'eoi', 'timer', 'interrupts', 'others', 'exits')


def count():
    """Of the only VM that there is."""
    vps = counters()['live-partitions'][-1]['vps']
    seen = {c: sum(vp[c] for vp in vps) for c in ('hypercalls', 'interrupts')}
    for kind in ('icr', 'eoi', 'timer'):
        seen[kind] = sum(vp[f'msr-{kind}'] for vp in vps)
    seen['others'] = seen['interrupts'] - seen['timer']
    seen['exits'] = sum(sum(vp['intercepts'].values()) for vp in vps)
    return seen


def row(kind, cpus, which, seen, n):
    figures = ' '.join(f'{seen[c] / n:10.{2 if n > 1 else 0}f}'
                       for c in COLUMNS)
    print(f'# {kind:8} {cpus} {which:8} {figures}', flush=True)


def events(vm, kind):
    """What N of them take, above what the program itself does."""
    took = []
    for what in ('nothing', kind):
        before = count()
        equal(what, vm.run(f'/tmp/events {what} {N}', 600), 'done')
        after = count()
        took.append({c: after[c] - before[c] for c in after})
    return {c: took[1][c] - took[0][c] for c in COLUMNS}


def measure(program, cpus, which):
    with Small('-smp', str(cpus), '-drive', 'if=virtio,format=raw,readonly=on,'
               f'file={program}', modules='virtio_pci,virtio_blk',
               cpu=CPUS[which]) as vm:
        seen = {'boot': count()}
        vm.run('cat /dev/vda >/tmp/events; chmod +x /tmp/events')
        row('boot', cpus, which, seen['boot'], 1)
        for kind in EVENTS:
            seen[kind] = events(vm, kind)
            row(kind, cpus, which, seen[kind], N)
        seen['clock'] = vm.run(f'cat {CLOCK}')
        print(f'# {cpus} {which}: the clock is {seen["clock"]}')
        seen['log'] = vm.run('dmesg | grep Hyper-V')
        bad = vm.power_off()
        Tap.ok(not bad, f'{cpus} processors, {which}: power-off', bad)
    return seen


def compare(cpus, enlightened, plain):
    """A hypercall does what an interrupt command did."""
    missing = [m for m in ENLIGHTENED if m not in enlightened['log']]
    Tap.equal(missing, [], f'{cpus} processors: Linux uses them')
    Tap.equal([m for m in ENLIGHTENED if m in plain['log']], [],
              'and not where they are not shown')
    Tap.ok(enlightened['clock'].startswith('hyperv_clocksource') and
           not plain['clock'].startswith('hyperv'), 'so is its clock',
           (enlightened['clock'], plain['clock']))
    for kind in ('flush', 'ipi'):
        took, took_plain = enlightened[kind], plain[kind]
        Tap.ok(N / 2 < took['hypercalls'] < 2 * N, f'{kind}: a hypercall', took)
        Tap.ok(took['icr'] < N / 4, f'{kind}: no interrupt command', took)
        Tap.ok(took_plain['hypercalls'] == 0 and took_plain['icr'] > N / 2,
               f'{kind}: without, interrupt commands', took_plain)
    told = [s['flush']['others'] for s in (enlightened, plain)]
    Tap.ok(told[0] < told[1] / 2, 'flush: nobody is interrupted', told)


def build(directory):
    program = os.path.join(directory, 'events')
    subprocess.run(['cc', '-O2', '-static', '-o', program, os.path.join(
        TOP, 'tests', 'accel', 'events.c')], check=True)
    # A disk has whole sectors.
    os.truncate(program, -(-os.path.getsize(program) // 512) * 512)
    return program


def main():
    if not counters():
        Tap.skip('what enlightenments bring', 'no hypervisor that counts')
        return
    print(f'# {"":8} {"":10} {" ".join(f"{c:>10}" for c in COLUMNS)}')
    with tempfile.TemporaryDirectory() as d:
        program = build(d)
        for cpus in [int(n) for n in sys.argv[1:]] or [2]:
            compare(cpus, *(measure(program, cpus, which) for which in CPUS))


main()
Tap.end()
