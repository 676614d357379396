# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux guests on QEMU with -accel mshv: QMP and a shell on the console."""

import os
import socket
import subprocess
import threading

from vm import ACCEL, PATIENCE, TOP, QmpError, Tap, Vm, until
from console import Console

# What Linux says of the hypervisor's calls that it uses
ENLIGHTENED = ('Hyper-V: Using IPI hypercalls',
               'Hyper-V: Using hypercall for remote TLB flush')
# All that the accelerator can give.
HOST_CPU = 'max' if ACCEL == 'tcg' else 'host'


def make(script):
    """What a script that makes guests prints: where the guest is."""
    return subprocess.run([os.path.join(TOP, script)], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


class Linux(Vm):
    """A VM whose serial console is ours."""

    def __init__(self, *args, fds=(), **kwargs):
        ours, theirs = socket.socketpair()
        super().__init__(
            '-chardev', f'socket,id=console,fd={theirs.fileno()}',
            '-serial', 'chardev:console', *args,
            fds=[theirs.fileno(), *fds], **kwargs)
        theirs.close()
        self.port = ours
        self.pipe, pipe = os.pipe()
        self.reader = threading.Thread(target=self.drain, args=(pipe,))
        self.reader.start()
        self.console = Console(self.pipe, ours.fileno(), PATIENCE / 10)

    def drain(self, pipe):
        """A socket is full of some hundred single bytes, and the guest would
        wait: so keep reading, whatever the test does."""
        try:
            while data := self.port.recv(65536):
                os.write(pipe, data)
        except ConnectionResetError:
            pass
        os.close(pipe)

    def __exit__(self, *args):
        super().__exit__(*args)
        self.port.shutdown(socket.SHUT_RDWR)
        self.reader.join()
        self.port.close()
        os.close(self.pipe)

    def run(self, command, seconds=30):
        return self.console.run(command, seconds)

    def power_off(self, seconds=30):
        """Ask the guest to; what went wrong, or None."""
        self.console.type('poweroff -f')
        status = self.wait_end(seconds)
        return None if status == 0 else f'exit status {status}\n{self}'

    def __str__(self):
        return f'QEMU said: {self.said()}\nconsole:\n{self.console.tail()}'


class Small(Linux):
    """
    The guest of tests/guest/small-guest at its prompt. Its vmlinux is started by
    PVH, and is loaded anew when the guest wakes from S3; vmlinuz is not, but
    unpacks itself first.
    """
    guest = None

    def __init__(self, *args, modules='', append='', machine='q35', cpu=HOST_CPU,
                 memory='256', kernel='vmlinux', initrd_at=None, **kwargs):
        if not Small.guest:
            Small.guest = make('tests/guest/small-guest')
        image = f'{self.guest}/initrd.img'
        if initrd_at is None:
            initrd = '-initrd', image
        else:
            initrd = ('-device', f'loader,file={image},addr={initrd_at:#x},'
                      'force-raw=on')
            append += f' initrdmem={initrd_at:#x},{os.path.getsize(image):#x}'
        super().__init__(
            '-M', machine, '-cpu', cpu, '-m', memory, '-vga', 'none',
            '-kernel', f'{self.guest}/{kernel}', *initrd, '-append',
            f'console=ttyS0 quiet panic=-1 modules={modules} {append}',
            *args, **kwargs)

    def __enter__(self):
        super().__enter__()
        try:
            if not self.started:
                raise AssertionError('QEMU did not start')
            self.console.shell(300)
        except AssertionError as e:
            text = f'{e}\n{self}'
            self.__exit__()
            raise AssertionError(text) from None
        return self


# ---- Questions to a guest ----

def equal(what, seen, wanted):
    if seen != wanted:
        raise AssertionError(f'{what}: saw {seen!r}, wanted {wanted!r}')


def part(vm, name, test, *args):
    """One test of a running guest."""
    try:
        test(vm, *args)
    except (AssertionError, QmpError, OSError) as e:
        return Tap.ok(False, name, f'{e}\n{vm}')
    return Tap.ok(True, name)


def appears(vm, command):
    """What a command prints, as soon as it prints something: drivers find some
    devices a while after they are loaded."""
    seen = until(lambda: vm.run(command))
    if not seen:
        raise AssertionError(f'{command}: nothing')
    return seen


def total(vm):
    """The guest's memory in MiB."""
    return int(vm.run("awk '/^MemTotal/ {print $2}' /proc/meminfo")) >> 10
