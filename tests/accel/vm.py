# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU with -accel mshv, driven through QMP, for the tests beside this file.

Tests print TAP and run where /dev/mshv is: on a host that has it, or in the
emulated one (tests/accel/run).
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
QEMU = os.environ.get('QEMU', os.path.join(TOP, 'build',
                                           'qemu-system-x86_64'))
sys.path.insert(0, os.path.join(TOP, 'tests', 'lib'))
# How much slower than bare metal the host may be.
PATIENCE = float(os.environ.get('PATIENCE', '20'))
# To try the tests themselves: ACCEL=tcg.
ACCEL = os.environ.get('ACCEL', 'mshv')
# What a guest of firmware() writes, and where, when its code is at its end.
DONE, DONE_AT = 0xd00e, 0x7f0
# Where a guest counts, so that it can be seen to run on.
COUNTER = 0x500
COUNT = f'2: incl {COUNTER:#x}\njmp 2b\n'


class Tap:
    """Results, one line each; what a test saw goes into the line."""
    count = 0
    failed = 0

    @classmethod
    def ok(cls, good, name, saw=''):
        cls.count += 1
        cls.failed += not good
        print(f'{"" if good else "not "}ok {cls.count} - {name}')
        if saw and not good:
            for line in str(saw).splitlines():
                print(f'# {line}')
        sys.stdout.flush()
        return good

    @classmethod
    def equal(cls, got, wanted, name):
        return cls.ok(got == wanted, name, f'got {got!r}, wanted {wanted!r}')

    @classmethod
    def skip(cls, name, why):
        """Only a machine that is not ours may lack something."""
        cls.ok(True, f'{name} # SKIP machine: {why}')

    @classmethod
    def end(cls):
        print(f'1..{cls.count}')
        sys.exit(cls.failed != 0)


class QmpError(Exception):
    """A command that QEMU refused."""


def until(test, seconds=30, pause=0.5):
    """Wait until test() is true; returns what it was at last."""
    end = time.monotonic() + seconds * PATIENCE
    while not (good := test()) and time.monotonic() < end:
        time.sleep(pause)
    return good


class Vm:
    """
    One QEMU. Use with `with`: it ends with the block. An event that may come at
    once is missed unless the guest is started @paused.
    """

    def __init__(self, *args, accel=ACCEL, paused=False, fds=(), qemu=QEMU):
        self.dir = tempfile.TemporaryDirectory(prefix='mshv-test-')
        self.events = []
        self.buffer = b''
        self.errors = open(os.path.join(self.dir.name, 'stderr'), 'w+b')
        ours, theirs = socket.socketpair()
        self.socket = ours
        self.process = subprocess.Popen(
            [qemu, '-accel', accel, '-nodefaults', '-display', 'none',
             '-chardev', f'socket,id=qmp,fd={theirs.fileno()}',
             '-mon', 'chardev=qmp,mode=control',
             *(['-S'] if paused else []), *args],
            stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors,
            pass_fds=[theirs.fileno(), *fds])
        theirs.close()
        # QEMU greets early, but answers when all has started.
        self.started = self.read_message(60) is not None
        try:
            if self.started:
                self.qmp('qmp_capabilities', seconds=60)
        except QmpError:
            self.started = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            # Who counts coverage writes it at the end: so let it come there.
            if 'GCOV_PREFIX' in os.environ:
                self.process.terminate()
                self.wait_end()
            self.process.kill()
        self.process.wait()
        self.socket.close()
        self.errors.close()
        self.dir.cleanup()

    def read_message(self, seconds):
        """The next message, or None when QEMU has gone."""
        self.socket.settimeout(seconds * PATIENCE)
        while b'\n' not in self.buffer:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b''
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b'\n', 1)
        return json.loads(line)

    def qmp(self, command, seconds=10, **arguments):
        request = {'execute': command}
        if arguments:
            request['arguments'] = {k.replace('_', '-'): v
                                    for k, v in arguments.items()}
        try:
            self.socket.sendall(json.dumps(request).encode())
        except BrokenPipeError:
            raise QmpError(f'{command}: QEMU has gone: '
                           f'{self.said()}') from None
        return self.answer(command, seconds)

    def answer(self, command, seconds):
        while True:
            answer = self.read_message(seconds)
            if answer is None:
                raise QmpError(f'{command}: QEMU has gone: {self.said()}')
            if 'event' in answer:
                self.events.append(answer)
            elif 'error' in answer:
                raise QmpError(answer['error']['desc'])
            else:
                return answer['return']

    def give_fd(self, name, fd):
        """A descriptor of ours, which QEMU then knows by that name."""
        socket.send_fds(self.socket, [json.dumps(
            {'execute': 'getfd', 'arguments': {'fdname': name}}).encode()],
            [fd])
        self.answer('getfd', 10)

    def many(self, requests, seconds=60):
        """Send (command, arguments) pairs all at once, and wait for all."""
        self.socket.sendall(b''.join(
            json.dumps({'execute': c, 'arguments': a}).encode()
            for c, a in requests))
        left = len(requests)
        while left:
            answer = self.read_message(seconds)
            if answer is None:
                raise QmpError(f'QEMU has gone: {self.said()}')
            if 'error' in answer:
                raise QmpError(answer['error']['desc'])
            left -= 'return' in answer

    def hmp(self, line):
        return self.qmp('human-monitor-command', command_line=line)

    def status(self):
        return self.qmp('query-status')['status']

    def wait_event(self, name, seconds=10):
        """The event of that name, or None if it does not come in time."""
        end = time.monotonic() + seconds * PATIENCE
        while True:
            for event in self.events:
                if event['event'] == name:
                    self.events.remove(event)
                    return event
            try:
                message = self.read_message(
                    max(0.01, end - time.monotonic()) / PATIENCE)
            except TimeoutError:
                return None
            if message is None:
                return None
            self.events.append(message)

    def wait_end(self, seconds=10):
        """The exit status, or None if QEMU does not end in time."""
        try:
            return self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            return None

    def said(self, all_lines=False):
        """What QEMU wrote to its standard error, but for what it has to say on
        the host that the test runs on (tests/accel/run)."""
        with open(os.path.join(self.dir.name, 'stderr'), 'rb') as f:
            text = f.read().decode(errors='replace')
        expected = os.environ.get('EXPECTED')
        if not expected or all_lines:
            return text
        return ''.join(line for line in text.splitlines(True)
                       if not any(e in line for e in expected.split('|')))

    def stats(self, target='vm'):
        """Sum of each statistic of the provider mshv over all objects."""
        total = {}
        for obj in self.qmp('query-stats', target=target,
                            providers=[{'provider': 'mshv'}]):
            for stat in obj['stats']:
                total[stat['name']] = (total.get(stat['name'], 0)
                                       + stat['value'])
        return total

    def byte(self, address):
        return int(self.hmp(f'xp /1bx {address:#x}').split()[-1], 16)

    def word(self, address):
        """32 bits of the guest's memory."""
        return int(self.hmp(f'xp /1wx {address:#x}').split()[-1], 16)

    def becomes(self, address, wanted, seconds=10):
        """Wait until the word becomes as wanted; what it is in the end."""
        until(lambda: self.word(address) == wanted or
              self.status() != 'running', seconds, 0.05)
        return self.word(address)

    def moves(self, seconds=10):
        """Whether the guest counts on; at once no if it is stopped."""
        old = self.word(COUNTER)
        until(lambda: self.word(COUNTER) != old or
              self.status() != 'running', seconds, 0.02)
        return self.word(COUNTER) != old

    def wait_done(self, seconds=10):
        """Until the guest, which firmware() made, is at its end."""
        if self.becomes(DONE_AT, DONE, seconds) != DONE:
            raise QmpError('the guest does not come to its end: '
                           f'{self.status()}')

    def unplug(self, device, seconds=60):
        """Ask the guest to let go of a device, until it does."""
        self.qmp('device_del', id=device)

        def gone():
            return device not in [x['name'] for x in self.qmp(
                'qom-list', path='/machine/peripheral')]

        until(lambda: gone() or self.status() != 'running', seconds, 0.1)
        if not gone():
            raise QmpError(f'{device} is not unplugged: {self.status()}')

    def wait_quiet(self, seconds=10):
        """Until no vCPU exits any more; its exits by then."""
        end = time.monotonic() + seconds * PATIENCE
        old, same = None, 0
        while time.monotonic() < end:
            new = self.stats('vcpu')
            exits = {k: v for k, v in new.items() if k != 'kicks'}
            same = same + 1 if exits == old else 0
            if same == 5:
                return new
            old = exits
            time.sleep(0.05 * PATIENCE)
        raise QmpError(f'the guest does not come to rest: {old}')


def guest(name):
    """The firmware image of tests/accel/guest/NAME.c; tests/accel/run makes
    it."""
    return os.path.join(TOP, 'build', 'accel-guests', f'{name}.rom')


def refusal(args, words, name, before=()):
    """QEMU with these ends at once: one line, which has @words, and status 1."""
    p = subprocess.run([*before, QEMU, '-nodefaults', '-display', 'none',
                        *args], stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=600, check=False)
    Tap.ok(p.returncode == 1 and len(p.stderr.splitlines()) == 1 and
           'mshv' in p.stderr and words in p.stderr, name,
           f'status {p.returncode}: {p.stderr}')


def firmware(directory, code):
    """A 64 KiB firmware image that runs the assembly @code in real mode,
    with CS:IP = F000:0000 and DS = ES = SS = 0, for Vm.wait_done(). Its
    path."""
    source = os.path.join(directory, 'guest.s')
    elf, image = source[:-2] + '.o', source[:-2] + '.bin'
    with open(source, 'w', encoding='ascii') as f:
        f.write('.code16\n.globl start\n.section .text\nstart:\n'
                'cli\nxor %ax, %ax\nmov %ax, %ds\nmov %ax, %es\n'
                f'mov %ax, %ss\nmov $0x7c00, %sp\n{code}\n'
                f'xor %ax, %ax\nmov %ax, %ds\nmovl ${DONE}, {DONE_AT}\n'
                '1: hlt\njmp 1b\n.org 0xfff0\nljmp $0xf000, $0\n'
                '.org 0x10000\n')
    subprocess.run(['as', '--32', '-o', elf, source], check=True)
    subprocess.run(['objcopy', '-O', 'binary', '-j', '.text', elf, image],
                   check=True)
    return image
