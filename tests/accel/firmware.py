#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux on OVMF's build for secure boot, which does much in system management
mode: CPUs that come and go, suspend to RAM, reboots, migration.

Usage: firmware.py [REBOOTS]
"""

import os
import shutil
import sys
import tempfile
from linux import Small, appears, equal, part
from migration import Pair
from vm import ACCEL, QmpError, Tap, until

CODE, VARS = 'OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.fd'
DIRECTORY = '/usr/share/OVMF'
DRIVER = 'max-x86_64-cpu' if ACCEL == 'tcg' else 'host-x86_64-cpu'
VARIABLES = '/sys/firmware/efi/efivars'
# Variables all the time, each of which takes all CPUs into SMM. A variable that
# is there cannot be written again; where many were, the firmware tidies up, which
# takes minutes.
WRITER = f'''n=0
cd {VARIABLES}
while [ ! -e /tmp/stop ]; do
    f=Moving$n-5d793822-4a8d-448a-814f-2c357c7b53b2
    printf "\\007\\000\\000\\000$n" >$f
    [ "$(tail -c +5 $f)" = $n ] || echo $n >>/tmp/bad
    n=$((n + 1))
    echo $n >/tmp/written
    sleep 0.2
done
echo >/tmp/stopped
'''


class Firmware(Small):
    def __init__(self, variables, *args):
        super().__init__(
            '-global', 'driver=cfi.pflash01,property=secure,value=on',
            '-global', 'ICH9-LPC.disable_s3=0',
            '-drive', 'if=pflash,format=raw,unit=0,readonly=on,file='
            f'{DIRECTORY}/{CODE}',
            '-drive', f'if=pflash,format=raw,unit=1,file={variables}', *args,
            machine='q35,smm=on', kernel='vmlinuz', modules='efivarfs')


def variable(name):
    return f'{VARIABLES}/{name}-5d793822-4a8d-448a-814f-2c357c7b53b2'


def write_variable(vm, name):
    """Each write takes all CPUs into SMM."""
    vm.run(f'grep -q efivarfs /proc/mounts || mount -t efivarfs e {VARIABLES}')
    equal('written', vm.run(
        f"printf '\\007\\000\\000\\000{name}' >{variable(name)}; echo $?"), '0')
    equal('read', vm.run(f'tail -c +5 {variable(name)}'), name)


def plugged(vm, word):
    for n in 1, 2:
        vm.qmp('device_add', driver=DRIVER, id=f'c{n}', socket_id=n,
               core_id=0, thread_id=0)
        appears(vm, f'ls -d /sys/devices/system/cpu/cpu{n} 2>/dev/null')
        equal('online', vm.run(
            f'echo 1 >/sys/devices/system/cpu/cpu{n}/online; echo $?'), '0')
        equal('processors', vm.run('nproc'), str(n + 1))
        write_variable(vm, f'Plugged{word}{n}')


def unplugged(vm, word):
    for n in 2, 1:
        vm.unplug(f'c{n}')
        equal('processors', vm.run('nproc'), str(n))
        write_variable(vm, f'Unplugged{word}{n}')


def plugged_again(vm):
    plugged(vm, 'Again')
    unplugged(vm, 'Again')


def wrong_variables(vm):
    """What was wrong, or ''; as soon as some more are written."""
    def written():
        return int(vm.run('cat /tmp/written 2>/dev/null') or 0)

    first = written()
    if not until(lambda: written() > first + 1, 60):
        return f'no variable after {first}\n{vm}'
    return vm.run('cat /tmp/bad 2>/dev/null')


def moves(pair):
    try:
        moved(pair.vm, pair)
    except (AssertionError, QmpError, OSError) as e:
        return Tap.ok(False, 'it moves, at work and asleep', f'{e}\n{pair.vm}')
    return Tap.ok(True, 'it moves, at work and asleep')


def moved(first, pair):
    """While the firmware works in SMM; asleep; and with what it keeps."""
    write_variable(first, 'Before')
    for line in WRITER.splitlines():
        first.run(f"echo '{line}' >>/tmp/writer")
    first.run('(sh /tmp/writer &)')
    for way in 'unix', 'file':
        equal(way, wrong_variables(pair.vm) or pair.move(way), '')
    equal('variables', wrong_variables(pair.vm), '')
    pair.vm.run('touch /tmp/stop')
    equal('stopped', until(lambda: pair.vm.run('ls /tmp/stopped')) != '', True)
    fall_asleep(pair.vm)
    equal('asleep', pair.move(), '')
    wake_up(pair.vm)
    equal('kept', pair.vm.run(f'tail -c +5 {variable("Before")}'), 'Before')
    write_variable(pair.vm, 'Moved')


def fall_asleep(vm):
    vm.console.type('echo mem >/sys/power/state; echo woken: $?')
    equal('SUSPEND', vm.wait_event('SUSPEND', 30) is not None, True)


def wake_up(vm):
    vm.qmp('system_wakeup')
    vm.console.wait_for(r'woken: 0[^#]*guest-shell# ', 100)


def sleep(vm):
    for n in 1, 2:
        fall_asleep(vm)
        wake_up(vm)
        write_variable(vm, f'Woken{n}')


def reboot(vm, times):
    for n in range(times):
        write_variable(vm, f'Boot{n}')
        vm.console.type('reboot -f')
        vm.console.shell(300)
        vm.run(f'mount -t efivarfs e {VARIABLES}')
        equal('kept', vm.run(f'tail -c +5 {variable(f"Boot{n}")}'), f'Boot{n}')


def firmware(variables, reboots):
    tests = [('CPUs are plugged in, and all take SMIs', plugged, ''),
             ('CPUs are unplugged, and the others take SMIs', unplugged, ''),
             ('once more', plugged_again),
             ('suspend to RAM and wake-up, twice', sleep),
             (f'reboots: {reboots}', reboot, reboots)]

    def make(*args, **keys):
        return Firmware(variables, '-smp', '1,maxcpus=3,sockets=3', *args,
                        **keys)

    with Pair(os.path.dirname(variables), make) as pair:
        if part(pair.vm, 'it starts', lambda vm: vm.console.shell(300)) and \
           moves(pair):
            for test in tests:
                if not part(pair.vm, *test):
                    break
        Tap.equal(pair.vm.said(), '', 'QEMU has no complaint')


def main():
    reboots = int(sys.argv[1]) if sys.argv[1:] else 1
    with tempfile.TemporaryDirectory() as d:
        variables = os.path.join(d, VARS)
        shutil.copyfile(os.path.join(DIRECTORY, VARS), variables)
        firmware(variables, reboots)
    Tap.end()


sys.exit(main())
