#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls to the kernel fail, one at a time: at start-up, and in all that a
user does with a VM.

QEMU starts, or ends with one line and status 1. Once it runs, it goes on
running, or the VM stops and says why; never does QEMU crash or hang, and
after a reset all is well again.

Usage: faults.py [all|once] [OPERATION]...

The first and the last call of each name; with "all", every single one; with
"once", the first, and in a running VM by the first operation that makes it.
"""

import os
import sys
import tempfile
import time
from vm import Tap, Vm, QmpError, guest, until

ALL = 'all' in sys.argv[1:]
ONCE = 'once' in sys.argv[1:]
CHOSEN = [a for a in sys.argv[1:] if a not in ('all', 'once')]
ARGS = ('-M', 'pc', '-m', '32,slots=2,maxmem=1G', '-smp',
        '2,maxcpus=3,sockets=3', '-bios', guest('busy'), '-device',
        'VGA,romfile=', '-object', 'iothread,id=io', '-blockdev',
        'null-co,node-name=disk,size=1048576', '-device',
        'virtio-blk-pci,drive=disk,iothread=io,disable-modern=on,romfile=')
# What no start-up can do without.
NEEDED = ('CREATE_PARTITION', 'INITIALIZE_PARTITION', 'CREATE_VP',
          'SET_GUEST_MEMORY', 'SET_VP_REGISTERS', 'GET_VP_STATE',
          'SET_VP_STATE')
NEVER = 'any:1000000000'
MISSED = 'no such call has failed'


def calls(vm, what='calls'):
    """How often each call was made, by name, or how often in vain."""
    return {k[len(what) + 1:].upper().replace('-', '_'): v
            for k, v in vm.stats().items() if k.startswith(f'{what}-')}


def errors(vm, spec):
    """How often the call of a specification has failed."""
    return calls(vm, 'errors')[spec.split(':')[0]]


def numbers(count, each=False):
    if each and not ONCE:
        return range(1, count + 1)
    if ONCE:
        return [1] if count else []
    return range(1, count + 1) if ALL or not count else sorted({1, count})


class Sum:
    """What came of the failing calls."""

    def __init__(self):
        self.tried, self.refused, self.borne, self.stopped = 0, 0, 0, 0
        self.missed = 0
        self.bad = []

    def __str__(self):
        return (f'{self.tried} failing calls: {self.refused} refused, '
                f'{self.stopped} stopped the VM, {self.borne} were borne with '
                f'or without a warning, {self.missed} were not made')


# ---- Start-up ----

def registers(vm):
    """Which there are, as QEMU has found out."""
    return vm.qmp('qom-get', path='/machine/accel', property='x-state-list')


def start(spec, total, known):
    """Returns what went wrong, or ''; and whether the start was refused."""
    with Vm(*ARGS, accel=f'mshv,x-fail-ioctl={spec}', paused=True) as vm:
        total.tried += 1
        if not vm.started:
            status, said = vm.wait_end(30), vm.said()
            total.refused += 1
            if status != 1 or len(said.splitlines()) != 1 or \
                    'mshv: ' not in said:
                return f'exit status {status}, said: {said}', True
            return '', True
        total.borne += 1
        if not errors(vm, spec):
            return MISSED, False
        if registers(vm) != known:
            return 'a register is missing', False
        vm.qmp('quit')
        if vm.wait_end(30) != 0:
            return f'started, but quit gives {vm.process.returncode}', False
        return '', False


def start_up():
    total = Sum()
    with Vm(*ARGS, paused=True) as vm:
        made, known = calls(vm), registers(vm)
    for name, count in made.items():
        for n in numbers(count, name == 'GET_VP_REGISTERS'):
            wrong, refused = start(f'{name}:{n}', total, known)
            if not wrong and n == 1 and name in NEEDED and not refused:
                wrong = 'the start was not refused'
            if wrong:
                total.bad.append(f'{name}:{n}: {wrong}')
    Tap.ok(not total.bad, f'start-up: {total}', '\n'.join(total.bad))


# ---- A running VM ----

def wait_booted(vm):
    """It has set up its devices and moves."""
    time.sleep(0.1)
    return vm.moves(20)


def reset(vm):
    vm.qmp('system_reset')
    wait_booted(vm)


def memory(vm):
    vm.qmp('object-add', qom_type='memory-backend-ram', id='ram1',
           size=128 << 20)
    try:
        vm.qmp('device_add', driver='pc-dimm', id='dimm1', memdev='ram1')
        vm.unplug('dimm1')
    finally:
        vm.qmp('object-del', id='ram1')


def cpu(vm):
    vm.qmp('device_add', driver='qemu64-x86_64-cpu', id='cpu2', socket_id=2,
           core_id=0, thread_id=0)
    vm.unplug('cpu2')


def dirty_rate(vm):
    vm.qmp('calc-dirty-rate', calc_time=1, mode='dirty-bitmap')
    while vm.qmp('query-dirty-rate')['status'] == 'measuring':
        time.sleep(0.1)


def screen(vm):
    with tempfile.TemporaryDirectory() as d:
        vm.qmp('screendump', filename=os.path.join(d, 'screen'))


def dump(vm):
    with tempfile.TemporaryDirectory() as d:
        vm.qmp('dump-guest-memory', seconds=60, paging=False,
               protocol=f'file:{d}/dump')


def nmi(vm):
    """The vCPUs have had it when they have answered the next question."""
    vm.qmp('inject-nmi')
    vm.hmp('info registers -a')


OPERATIONS = {
    'stop and cont': lambda vm: (vm.qmp('stop'), vm.qmp('cont')),
    'registers': lambda vm: vm.hmp('info registers -a'),
    'reset': reset,
    'memory': memory,
    'a CPU': cpu,
    'dirty pages of all': dirty_rate,
    'dirty pages of the display': screen,
    'a dump': dump,
    'an NMI': nmi,
}


def arm(vm, spec):
    vm.qmp('qom-set', path='/machine/accel', property='x-fail-ioctl',
           value=spec)


def tidy(vm):
    """As at the beginning. Raises if that is not to be had."""
    for _ in range(2):
        if vm.status() != 'running':
            vm.qmp('system_reset')
            vm.qmp('cont')
        if wait_booted(vm):
            break
        # What a vCPU met just now may stop the VM only now.
    else:
        raise QmpError('the guest does not run any more')
    ids = [m['data']['id'] for m in vm.qmp('query-memory-devices')]
    ids += [c['qom-path'].split('/')[-1] for c in vm.qmp('query-cpus-fast')
            if c['qom-path'].endswith('cpu2')]
    for device in ids:
        try:
            vm.unplug(device)
        except QmpError as e:
            # The guest may let it go just now, as was asked for before.
            if 'not found' not in str(e):
                raise
    if any(o['name'] == 'ram1' for o in vm.qmp('qom-list', path='/objects')):
        vm.qmp('object-del', id='ram1')


def fail(vm, operation, spec, total):
    """What is wrong, or ''. The VM is as before then."""
    said = len(vm.said())
    before = errors(vm, spec)
    refused = False
    arm(vm, spec)
    total.tried += 1
    try:
        operation(vm)
    except QmpError as e:
        if 'has gone' in str(e):
            raise
        refused = True
    # The first of its name is made each time; vCPUs take a moment.
    failed = until(lambda: errors(vm, spec) > before, 1, 0.05)
    arm(vm, NEVER)
    status, words = vm.status(), vm.said()[said:]
    if not failed:
        total.missed += 1
        if spec.endswith(':1'):
            return MISSED
    elif status == 'internal-error':
        total.stopped += 1
        if 'mshv: ' not in words:
            return f'it stopped and said: {words}'
    elif refused:
        total.refused += 1
    else:
        total.borne += 1
    tidy(vm)
    return ''


def list_work(count, done):
    """Which calls shall fail. A VP always runs, so of RUN_VP the first."""
    work = [f'{k}:{n}' for k, c in count.items() if k not in done
            for n in ([1] if k == 'RUN_VP' else numbers(c))]
    if ONCE:
        done.update(count)
    return work


def running_vm(name, operation, done):
    """@done: the names that other operations have had, with "once"."""
    total = Sum()
    vm = None
    count = {}
    work, spec = None, 'none'
    while work is None or work:
        try:
            if vm is None:
                vm = Vm(*ARGS)
                wait_booted(vm)
                before = calls(vm)
                operation(vm)
                after = calls(vm)
                if work is None:
                    count = {k: after[k] - before[k] for k in after
                             if after[k] > before[k] or k == 'RUN_VP'}
                    work = list_work(count, done)
            if not work:
                break
            spec = work.pop(0)
            wrong = fail(vm, operation, spec, total)
            if wrong == MISSED:
                # Some are made only the first time, such as of a VP.
                total.missed -= 1
                total.tried -= 1
                vm.__exit__()
                vm = Vm(*ARGS)
                wait_booted(vm)
                wrong = fail(vm, operation, spec, total)
        except (QmpError, TimeoutError) as e:
            wrong = f'{type(e).__name__}: {e}'
        if wrong:
            total.bad.append(f'{spec}: {wrong}; status '
                             f'{vm.process.poll()}, said: {vm.said()[-2000:]}')
            vm.__exit__()
            vm = None
            if work is None:
                break
    if vm:
        vm.qmp('quit')
        if vm.wait_end() != 0:
            total.bad.append(f'quit: {vm.process.poll()}: {vm.said()}')
        vm.__exit__()
    if total.tried or total.bad:
        Tap.ok(not total.bad, f'{name}: {total}', '\n'.join(total.bad))


if __name__ == '__main__':
    covered = set()
    for title, what in OPERATIONS.items():
        if not CHOSEN or title in CHOSEN:
            running_vm(title, what, covered)
    if not CHOSEN or 'start-up' in CHOSEN:
        start_up()
    Tap.end()
