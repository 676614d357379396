# SPDX-License-Identifier: GPL-2.0-or-later
"""A virtual network that two hosts of one user share."""

import contextlib
import fcntl
import os
import re
import stat
import tempfile

from . import HostError


def private_dir(path):
    """A directory at a place where others may have put one before us."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    s = os.lstat(path)
    if not stat.S_ISDIR(s.st_mode) or s.st_uid != os.getuid():
        raise HostError(f'--network: {path} is not a directory of ours')
    if s.st_mode & 0o077:
        raise HostError(f'--network: others may use {path}: its mode is '
                        f'{stat.S_IMODE(s.st_mode):04o}, not 0700')


class Network:
    """Our place in a network: number (1 or 2) and the socket's path."""

    def __init__(self, text):
        match = re.fullmatch(r'([A-Za-z0-9_-][A-Za-z0-9_.-]*)(?::([12]))?', text)
        if not match:
            raise HostError(f"--network: '{text}' is not NAME, NAME:1 or "
                            'NAME:2')
        name, number = match.groups()
        base = os.environ.get('XDG_RUNTIME_DIR') or tempfile.gettempdir()
        directory = os.path.join(base, f'mshv-host-{os.getuid()}')
        try:
            private_dir(directory)
            directory = os.path.join(directory, name)
            os.makedirs(directory, mode=0o700, exist_ok=True)
            self._take(directory, [int(number)] if number else [1, 2], text)
        except OSError as e:
            raise HostError(f'cannot use {directory}: {e.strerror}') from None
        self.path = os.path.join(directory, 'socket')
        if len(self.path) > 100:
            raise HostError(f'--network: the path {self.path} is too long for '
                            'a socket')
        if self.number == 1 and os.path.exists(self.path):
            os.unlink(self.path)

    def _take(self, directory, numbers, text):
        """The lock is ours until this process ends."""
        for number in numbers:
            fd = os.open(os.path.join(directory, f'{number}.lock'),
                         os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                continue
            self.lock = fd
            self.number = number
            return
        raise HostError(f'--network: {text} is taken by '
                        + ('another host' if len(numbers) == 1
                           else 'two other hosts'))
