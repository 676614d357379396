# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of COMMAND on an emulated host, from start to exit status."""

import os
import re
import signal
import socket
import sys
import tempfile

from . import EXIT_HOST_FAILED, EXIT_TIMEOUT, TOP, HostError
from .image import find_initramfs, find_kernel
from .machine import Machine, find_qemu
from .network import Network
from .qmp import Monitor
from .session import HostGone, Session, Stopped, TimeIsUp, note

# From QEMU's start to init's first word: a second on an idle machine.
START_LIMIT = 120
# From COMMAND's end to QEMU's.
STOP_LIMIT = 20
TAIL_LINES = 25

# What belongs to the person's session on this machine, not to the host.
NOT_PASSED = re.compile(
    r'(DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|XDG_RUNTIME_DIR|XDG_SESSION_.*|'
    r'DBUS_.*|SSH_.*|GPG_.*|SUDO_.*|INVOCATION_ID|NOTIFY_SOCKET|LISTEN_.*|'
    r'JOURNAL_STREAM|MAKEFLAGS|MFLAGS|MAKELEVEL|OLDPWD|_)$')
# Where the host mounts file systems of its own.
OWN_DIRS = ('/proc', '/sys', '/dev', '/run')


def environment():
    env = {k: v for k, v in os.environ.items() if not NOT_PASSED.match(k)}
    env.update(USER='root', LOGNAME='root', MSHV_HOST='1')
    env.setdefault('HOME', '/root')
    env.setdefault('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:'
                   '/usr/bin:/sbin:/bin')
    return env


def shared_dirs(args):
    """The current directory and those of --share, outermost first."""
    dirs = []
    for path in [os.getcwd()] + args.share:
        path = os.path.realpath(path)
        if not os.path.isdir(path):
            raise HostError(f'--share: {path} is no directory')
        if any(path == own or path.startswith(own + '/') for own in OWN_DIRS):
            raise HostError(f'{path} cannot be shared: the host has its own '
                            f'/{path.split("/")[1]}')
        if path != '/' and path not in dirs:
            dirs.append(path)
    return sorted(dirs)


def start_records(args, shares, network, terminal):
    """START's payload; see parse_start() in tests/host/init/setup.c."""
    records = ['a' + a for a in args.command]
    records += [f'e{k}={v}' for k, v in environment().items()]
    records += ['c' + os.getcwd()]
    records += [f's{tag} {path}' for tag, path in shares]
    if network:
        records.append(f'n{network.number}')
    if not args.no_hypervisor:
        records.append('m')
    if terminal.used:
        records.append('t' + ''.join(str(int(s)) for s in terminal.streams))
        records.append('w%d %d' % terminal.size())
    return b''.join(os.fsencode(r) + b'\0' for r in records)


def open_log(path):
    """A file for the kernel's messages: (descriptor, a file to read it)."""
    try:
        if path:
            f = open(path, 'w+b')
        else:
            f = tempfile.TemporaryFile()
        return f
    except OSError as e:
        raise HostError(f'cannot write {path or tempfile.gettempdir()}: '
                        f'{e.strerror}') from None


def tail(f):
    f.seek(0)
    lines = f.read().decode(errors='replace').replace('\r', '').splitlines()
    return [line for line in lines if line.strip()][-TAIL_LINES:]


class Run:
    def __init__(self, args):
        self.args = args
        self.console = open_log(args.console)
        self.errors = None if args.trace else tempfile.TemporaryFile()
        if args.stats:
            self.check_stats(args.stats)
        kernel = find_kernel(args.kernel)
        self.machine = Machine(args, find_qemu(args.qemu), kernel,
                               find_initramfs(kernel))
        self.build()

    @staticmethod
    def check_stats(path):
        """Before the run, not after it."""
        try:
            with open(path, 'wb'):
                pass
        except OSError as e:
            raise HostError(f'--stats: cannot write {path}: '
                            f'{e.strerror}') from None

    def build(self):
        args, machine = self.args, self.machine
        self.port, port = socket.socketpair()
        self.monitor, monitor = socket.socketpair()
        self.theirs = (port, monitor)
        machine.add_socket('port', port)
        machine.add('-device', 'virtserialport,chardev=port,name=mshv-host.0')
        machine.add_socket('monitor', monitor)
        machine.add('-mon', 'chardev=monitor,mode=control')
        machine.add_file('console', self.console.fileno())
        machine.add('-serial', 'chardev:console')
        self.shares = [(machine.add_share(i, path), path)
                       for i, path in enumerate(shared_dirs(args))]
        self.network = Network(args.network) if args.network else None
        if self.network:
            machine.add_network(self.network.number, self.network.path)
        machine.add(*args.qemu_arg)

    def failure(self, text):
        """Say what happened, and show why, as far as we know it."""
        print(f'mshv-host: error: {text}', file=sys.stderr)
        if self.errors:
            for line in tail(self.errors):
                print(f'  {line}', file=sys.stderr)
        lines = tail(self.console)
        if lines:
            print("mshv-host: the last of the host kernel's messages:",
                  file=sys.stderr)
            for line in lines:
                print(f'  {line}', file=sys.stderr)
        return EXIT_HOST_FAILED

    def why_gone(self):
        console = '\n'.join(tail(self.console))
        self.machine.wait(2)
        code = self.machine.process.poll()
        if 'Kernel panic' in console:
            return 'the host kernel panicked'
        if code is None:
            return 'the host closed its port or restarted'
        if code < 0:
            return f'QEMU was ended by signal {-code} ' \
                   f'({signal.Signals(-code).name})'
        if code > 0 and self.errors and any(
                "machine.emuhv" in line for line in tail(self.errors)):
            return (f'{self.machine.qemu} has no emulated hypervisor; it must '
                    'be configured with --enable-emuhv')
        if code > 0:
            return f'QEMU ended with status {code}'
        return 'the host powered off before COMMAND ended'

    def finish(self, status):
        """Exit status for COMMAND's, after the host has powered off."""
        if not self.machine.wait(STOP_LIMIT):
            self.failure(f'the host did not power off within {STOP_LIMIT} '
                         'seconds')
            return EXIT_HOST_FAILED
        if self.machine.process.returncode:
            return self.failure(self.why_gone())
        if os.WIFSIGNALED(status):
            return 128 + os.WTERMSIG(status)
        return os.WEXITSTATUS(status)

    def run(self):
        session = Session(
            self.port,
            lambda terminal: start_records(self.args, self.shares,
                                           self.network, terminal),
            self.args.reboots, Monitor(self.monitor))
        try:
            self.machine.start(self.errors)
            for sock in self.theirs:
                sock.close()
            try:
                status = session.run(START_LIMIT, self.args.timeout)
            except HostGone:
                return self.failure(self.why_gone())
            except HostError as e:
                return self.failure(str(e))
            except TimeIsUp:
                note(f'error: not done after {self.args.timeout:g} seconds; '
                     'the host was ended')
                return EXIT_TIMEOUT
            except Stopped as e:
                return 128 + e.number
            return self.finish(status)
        finally:
            self.machine.kill()


def run(args):
    # As the shell scripts have it, which this needs: scripts/lib/say.sh.
    if re.search(r'[\s:;"\'`\\$#&|<>()*?]', TOP):
        raise HostError(f"the path of this tree '{TOP}' has a space, a colon, "
                        'or a character that is special to make or a shell: '
                        'use another path')
    return Run(args).run()
