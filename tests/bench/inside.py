#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmarks, inside the emulated host; tests/bench/run starts it.

Usage: inside.py JSON. Prints one line of JSON for each measurement.
"""

import json
import os
import shutil
import subprocess
import sys
import time

from vmm import (KINDS, MACHINE, RUN, Failed, Marks, Process, Vmm, difference,
                 measure, memory)

# So many exits are measured at a time, so often in a round. Timers, of the host
# and of QEMU, only add: the best of many short times is free of them.
COUNTS = {'movs': 10, 'stos': 10, 'outs': 10, 'ins': 10}
COUNT = 25
TIMES = 20
EXITS = [k for k in KINDS if k not in ('smp', 'idle', 'smi')]
SIZES = (1, 2, 4, 8, 16)
# Marks: of guest.S when it runs, of the boot sector, of init.c
GUEST_RUNS, BOOT_SECTOR, USER_SPACE = 9, 11, 13
# The guest is idle, as its kind says; mark.c's; one kind is done
IDLE, STARTED, DONE = 3, 5, 2
SMALL_RAM = 16 << 20


def tell(part, vmm, **what):
    print(json.dumps({'part': part, 'vmm': vmm.name, **what}), flush=True)


class Bench:
    def __init__(self, what):
        self.what = what
        self.marks = Marks(what['shared'])
        self.vmms = [Vmm(name, what) for name in what['vmms']]
        self.qemus = [v for v in self.vmms if v.is_qemu]
        if what['profile']:
            self.prepare_profile()

    def prepare_profile(self):
        """Programs at the same addresses each time, and what is there."""
        with open('/proc/sys/kernel/randomize_va_space', 'w',
                  encoding='ascii') as f:
            f.write('0')
        with Process(self.vmms[0].guest([('idle', 1)])) as process:
            time.sleep(5)
            for path, name in ((f'/proc/{process.pid}/maps', 'maps'),
                               ('/proc/kallsyms', 'kallsyms')):
                shutil.copyfile(path, os.path.join(self.what['shared'], name))

    def attempt(self, part, vmm, function, **key):
        """One measurement, told with its key; or what went wrong."""
        try:
            result = function()
        except Failed as e:
            result = {'failed': str(e)}
        tell(part, vmm, **key, **result)
        return 'failed' not in result

    def exits_of(self, vmm, kinds):
        """One round; the kinds that it did not come through are left out of
        the next ones."""
        left = [(k, COUNTS.get(k, COUNT)) for k in kinds for _ in range(TIMES)]
        bad = []
        while left:
            # The more there is to do, the longer it may take.
            seconds = self.what['limit'] * (1 + len(left) // 80)
            found, failed = measure(vmm, self.marks, left, seconds=seconds)
            for (kind, count), result in zip(left, found):
                tell('exit', vmm, kind=kind, count=count, **result)
            left = left[len(found):]
            if left:
                kind, count = left[0]
                tell('exit', vmm, kind=kind, count=count, failed=failed)
                bad.append(kind)
                left = [x for x in left if x[0] != kind]
        return bad

    def exits(self):
        kinds = {v.name: list(self.what.get('kinds') or EXITS)
                 for v in self.vmms}
        for _ in range(self.what['rounds']):
            for vmm in self.vmms:
                for kind in self.exits_of(vmm, kinds[vmm.name]):
                    kinds[vmm.name].remove(kind)

    def stop_cont(self):
        times = 50
        path = os.path.join(RUN, 'qmp')

        def once(vmm):
            command = vmm.guest([('idle', 1)], extra=[
                '-qmp', f'unix:{vmm.path(path)},server=on,wait=off'])
            self.marks.skip()
            with Process(command) as process:
                self.marks.wait(IDLE, process, self.what['limit'])
                client = [os.path.join(self.what['shared'], 'stop-cont'),
                          path, str(times)]
                try:
                    done = subprocess.run(client, stderr=subprocess.PIPE,
                                          timeout=self.what['limit'],
                                          text=True, check=False)
                except subprocess.TimeoutExpired:
                    raise Failed('stop or cont hangs') from None
                if done.returncode:
                    raise Failed(done.stderr.strip())
                seen = {m['mark']: m for m in self.marks.new()}
                return difference(seen[1], seen[2])

        for _ in range(self.what['rounds']):
            for vmm in self.qemus:
                self.attempt('exit', vmm, lambda: once(vmm),
                             kind='stop-cont', count=times)

    def start(self, vmm, command, mark, seconds):
        """From exec to a mark of the guest."""
        self.marks.skip()
        self.marks.start()
        with Process(command) as process:
            seen = self.marks.wait(mark, process, seconds)
            first = next(m for m in seen if m['mark'] == STARTED)
            last = next(m for m in seen if m['mark'] == mark)
            return difference(first, last)

    def starts(self):
        shared = self.what['shared']
        commands = {
            'first instruction': lambda v: (v.guest([('idle', 1)]), GUEST_RUNS),
            'boot sector': lambda v: (v.qemu(
                '-m', '64', '-bios', v.path(f'{shared}/bios.bin'), '-drive',
                f'file={v.path(shared + "/sector")},format=raw,if=virtio,'
                'readonly=on'), BOOT_SECTOR),
            'user space': lambda v: (v.qemu(
                '-m', '256', '-bios', v.path(f'{shared}/bios.bin'),
                '-kernel', v.path(f'{shared}/vmlinuz'),
                '-initrd', v.path(f'{shared}/initrd'), '-append',
                'quiet panic=-1', '-no-reboot'), USER_SPACE),
        }
        for name, make in commands.items():
            for _ in range(self.what['rounds']):
                for vmm in self.vmms if name.startswith('first') \
                        else self.qemus:
                    command, mark = make(vmm)
                    self.attempt('start', vmm, lambda: self.start(
                        vmm, command, mark, 3 * self.what['limit']), to=name)

    def vcpus(self):
        """Memory and time of a VM with more and more processors."""
        def idle(vmm, cpus):
            command = vmm.guest([('idle', 1)], cpus)
            self.marks.skip()
            self.marks.start()
            with Process(command) as process:
                seen = self.marks.wait(IDLE, process, self.what['limit'])
                time.sleep(0.5)
                result = difference(
                    next(m for m in seen if m['mark'] == STARTED),
                    next(m for m in seen if m['mark'] == GUEST_RUNS))
                result.update(memory(process.pid, SMALL_RAM))
                return result

        def together(vmm, cpus):
            found, failed = measure(vmm, self.marks, [('smp', 200)], cpus,
                                    self.what['limit'])
            if failed:
                raise Failed(failed)
            return found[0]

        for cpus in SIZES:
            for _ in range(min(2, self.what['rounds'])):
                for vmm in self.vmms:
                    self.attempt('vcpus', vmm, lambda: idle(vmm, cpus),
                                 cpus=cpus)
        for cpus in SIZES:
            for vmm in self.vmms:
                self.attempt('smp', vmm, lambda: together(vmm, cpus),
                             cpus=cpus, count=200 * cpus)

    def smis(self):
        """What one SMI costs, with more and more processors that run. Only
        we have such a mode."""
        for vmm in (v for v in self.vmms if v.name == 'ours'):
            for cpus in SIZES[:4]:
                found, failed = measure(vmm, self.marks, [('smi', COUNT)] * 5,
                                        cpus, self.what['limit'])
                for result in found:
                    tell('smi', vmm, cpus=cpus, count=COUNT, **result)
                if failed:
                    tell('smi', vmm, cpus=cpus, count=COUNT, failed=failed)

    def all_done(self, number):
        """The marks until so many VMs are done; they need not have ended:
        sid's QEMU sometimes hangs at its end."""
        seen = []
        end = time.monotonic() + (2 + number) * self.what['limit']
        while time.monotonic() < end:
            time.sleep(0.2)
            seen += self.marks.new()
            done = sum(m['mark'] == DONE for m in seen)
            if done == number:
                return seen
        raise Failed(f'only {done} of {number} were done in time')

    def vms(self):
        """Many VMs at the same time: from the exec of the first to the last
        exit."""
        count = 200

        def together(vmm, number):
            self.marks.skip()
            self.marks.start()
            processes = []
            try:
                for i in range(number):
                    processes.append(Process(vmm.guest(
                        [('out', count)], image=f'image{i}')))
                seen = self.all_done(number)
            finally:
                for p in processes:
                    p.__exit__(None, None, None)
            ends = [m for m in seen if m['mark'] == DONE]
            return difference(
                next(m for m in seen if m['mark'] == STARTED),
                max(ends, key=lambda m: m['ns']))

        for number in SIZES:
            for vmm in self.vmms:
                self.attempt('vms', vmm, lambda: together(vmm, number),
                             vms=number, count=number)

    def versions(self):
        for vmm in self.vmms:
            tell('version', vmm, text=vmm.version(), machine=' '.join(MACHINE),
                 kernel=os.uname().release)


def main():
    what = json.loads(sys.argv[1])
    os.makedirs(RUN, exist_ok=True)
    bench = Bench(what)
    bench.versions()
    for part in what['parts']:
        getattr(bench, part)()


main()
