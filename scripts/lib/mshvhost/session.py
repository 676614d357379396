# SPDX-License-Identifier: GPL-2.0-or-later
"""COMMAND's streams, signals and end, over the port to the host's init.

The frames are described in tests/host/init/init.h.
"""

import fcntl
import os
import select
import signal
import struct
import sys
import termios
import tty

from . import HostError

HELLO, FAIL, NOTE, STDOUT, STDERR, CREDIT, EXIT, COUNTERS = range(1, 9)
START, STDIN, SIGNAL, WINSIZE, CLOSE, REBOOT, REPLY, END = range(64, 72)
PROTOCOL = 1
HEADER = struct.Struct('<II')
STDIN_WINDOW = 65536

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT,
             signal.SIGUSR1, signal.SIGUSR2)
# So many Ctrl-C end the host itself, should COMMAND not care.
PATIENCE = 3


class HostGone(Exception):
    """The host ended before COMMAND did."""


class TimeIsUp(Exception):
    pass


class Stopped(Exception):
    """A signal ended us before or instead of COMMAND."""

    def __init__(self, number):
        super().__init__()
        self.number = number


def note(text):
    print(f'mshv-host: {text}', file=sys.stderr, flush=True)


class Terminal:
    """The person's terminal, if COMMAND is to have one."""

    def __init__(self):
        self.streams = [os.isatty(n) for n in range(3)]
        self.used = self.streams[0] and self.streams[1]
        self.saved = None

    def size(self):
        try:
            data = fcntl.ioctl(1, termios.TIOCGWINSZ, b'\0' * 8)
            return struct.unpack('HHHH', data)[:2]
        except OSError:
            return (0, 0)

    def __enter__(self):
        if self.used:
            self.saved = termios.tcgetattr(0)
            tty.setraw(0, termios.TCSADRAIN)
        return self

    def __exit__(self, *_):
        if self.saved:
            termios.tcsetattr(0, termios.TCSADRAIN, self.saved)


class Session:
    def __init__(self, sock, start, reboots, monitor):
        self.sock = sock
        self.monitor = monitor
        self.start = start              # function: Terminal to START's payload
        self.reboots = reboots
        self.terminal = Terminal()
        self.received = bytearray()
        self.status = None
        self.started = False
        self.window = STDIN_WINDOW
        self.stdin_open = True
        self.closed = set()
        self.sending = False
        self.pending = []               # frames of signal handlers
        self.interrupts = 0

    # To the host

    def send(self, kind, payload=b''):
        """Signal handlers use it, too, so frames must not mix."""
        self.pending.append(HEADER.pack(kind, len(payload)) + payload)
        if self.sending:
            return
        self.sending = True
        try:
            while self.pending:
                self.sock.sendall(self.pending.pop(0))
        except OSError:
            raise HostGone from None
        finally:
            self.sending = False

    def on_signal(self, number, _frame):
        if number == signal.SIGALRM:
            raise TimeIsUp
        if number == signal.SIGWINCH:
            if self.started and self.terminal.used:
                self.send(WINSIZE, struct.pack('<HH', *self.terminal.size()))
            return
        if number == signal.SIGINT:
            self.interrupts += 1
        if not self.started or self.interrupts >= PATIENCE:
            raise Stopped(number)
        # A terminal's signals are for all that run in the foreground.
        group = number in (signal.SIGINT, signal.SIGQUIT)
        self.send(SIGNAL, struct.pack('<II', number, group))

    def read_stdin(self):
        data = os.read(0, min(self.window, 65536))
        self.window -= len(data)
        if not data:
            self.stdin_open = False
        self.send(STDIN, data)

    # From the host

    def write(self, stream, data):
        """All of it, however slow the reader is."""
        data = memoryview(data)
        while data and stream not in self.closed:
            try:
                data = data[os.write(stream, data):]
            except BlockingIOError:
                select.select([], [stream], [])
            except OSError:
                # Nobody reads any more, or the disk is full.
                self.closed.add(stream)
                self.send(CLOSE, struct.pack('<I', stream))

    def on_hello(self, payload):
        if self.started:
            raise HostGone      # it crashed and started again
        version = struct.unpack('<I', payload)[0]
        if version != PROTOCOL:
            raise HostError(f"the host's init speaks version {version} of "
                            f'the protocol, not {PROTOCOL}')
        if self.reboots:
            self.reboots -= 1
            self.send(REBOOT)
            return
        self.send(START, self.start(self.terminal))
        self.started = True
        self.terminal.__enter__()

    def on_frame(self, kind, payload):
        if kind == STDOUT:
            self.write(1, payload)
        elif kind == STDERR:
            self.write(2, payload)
        elif kind == CREDIT:
            self.window += struct.unpack('<I', payload)[0]
        elif kind == HELLO:
            self.on_hello(payload)
        elif kind == EXIT:
            self.status = struct.unpack('<I', payload)[0]
            self.send(END)
        elif kind == NOTE:
            note(payload.decode(errors='replace'))
        elif kind == FAIL:
            raise HostError(payload.decode(errors='replace'))
        elif kind == COUNTERS:
            self.send(REPLY, self.monitor.counters().encode())
        else:
            raise HostError(f'the host sent a frame of unknown type {kind}')

    def receive(self):
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionError:
            data = b''
        if not data:
            raise HostGone
        self.received += data
        while len(self.received) >= HEADER.size and self.status is None:
            kind, length = HEADER.unpack_from(self.received)
            end = HEADER.size + length
            if len(self.received) < end:
                break
            payload = bytes(self.received[HEADER.size:end])
            del self.received[:end]
            self.on_frame(kind, payload)

    def loop(self, start_limit):
        """Until COMMAND's end; its status as wait() has it."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        watched = False
        while self.status is None:
            want = self.started and self.stdin_open and self.window > 0
            if want != watched:
                if want:
                    poll.register(0, select.POLLIN)
                else:
                    poll.unregister(0)
                watched = want
            ready = poll.poll(None if self.started else start_limit * 1000)
            if not ready:
                raise HostError(f'the host did not start within {start_limit} '
                                'seconds')
            for fd, _ in ready:
                if fd == 0:
                    self.read_stdin()
                else:
                    self.receive()
        return self.status

    def run(self, start_limit, timeout):
        for number in (*FORWARDED, signal.SIGWINCH, signal.SIGALRM):
            # What our parent ignores (nohup), COMMAND need not see.
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.on_signal)
        if timeout:
            signal.setitimer(signal.ITIMER_REAL, timeout)
        try:
            return self.loop(start_limit)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.terminal.__exit__()
