#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each call to the kernel fails once: one clear error, never a crash or hang.

With an argument N, only every N-th call.
"""

import sys
import tempfile
from vm import Tap, Vm, QmpError, firmware

GUEST = '''
mov $20, %cx
2: out %al, $0x80
loop 2b
'''


def use(vm):
    """What a user does with a VM, without regard to refusals."""
    for command in ('stop', 'cont', 'system_reset', 'stop'):
        try:
            vm.qmp(command, seconds=30)
        except QmpError as e:
            if 'has gone' in str(e):
                raise
    vm.hmp('info registers')
    vm.qmp('query-stats', target='vm')
    vm.qmp('quit')


def once(image, n):
    """Fail the n-th call. Returns what went wrong, and whether it was made."""
    with Vm('-M', 'pc', '-m', '16', '-smp', '2', '-bios', image,
            accel=f'mshv,x-fail-ioctl=any:{n}') as vm:
        made = True
        if vm.started:
            try:
                made = sum(v for k, v in vm.stats().items()
                           if k.startswith('calls-')) >= n
                use(vm)
            except (QmpError, TimeoutError) as e:
                return f'{e}\n{vm.said()}', made
        status = vm.wait_end(30)
        said = vm.said()
        if status is None:
            return f'QEMU hangs\n{said}', made
        if vm.started and status != 0:
            return f'exit status {status}\n{said}', made
        if not vm.started and (status != 1 or len(said.splitlines()) != 1):
            return f'start-up: exit status {status}, not one line\n{said}', \
                made
        return '', made


def main():
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    n, bad, good = 1, [], 0
    with tempfile.TemporaryDirectory() as d:
        image = firmware(d, GUEST)
        while len(bad) < 20:
            wrong, made = once(image, n)
            if not made and not wrong:
                break
            if wrong:
                bad.append(f'call {n}: {wrong}')
            else:
                good += 1
            n += step
    Tap.ok(not bad, f'{good} of {good + len(bad)} failing calls end well',
           '\n'.join(bad))
    Tap.end()


main()
