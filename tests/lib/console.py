# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's console: wait for what it prints, type, run commands."""

import os
import re
import select
import time

PROMPT = 'guest-shell# '


class Console:
    """The guest's serial console at two descriptors."""

    def __init__(self, read_fd, write_fd, patience=1):
        self.read_fd = read_fd
        self.write_fd = write_fd
        self.patience = patience    # how much slower than bare metal
        self.text = ''
        self.seen = 0       # what earlier waits have used up

    def wait_for(self, pattern, seconds):
        """The match of pattern in what comes, after what came before."""
        end = time.monotonic() + seconds * self.patience
        while True:
            match = re.compile(pattern).search(self.text, self.seen)
            if match:
                self.seen = match.end()
                return match
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f'no {pattern!r} after {seconds} s')
            if select.select([self.read_fd], [], [], left)[0]:
                data = os.read(self.read_fd, 65536)
                if not data:
                    raise AssertionError(
                        f'the console ended before {pattern!r}')
                self.text += data.decode(errors='replace')

    def type(self, line):
        os.write(self.write_fd, line.encode() + b'\n')

    def login(self, seconds):
        """Log in to the guest of scripts/debian-guest."""
        self.wait_for('guest login: ', seconds)
        self.type('root')
        self.wait_for(r'root@guest:\S*# ', 60)
        # The echo of what is typed must not look like the prompt.
        self.type("dmesg -n 1; stty -echo; exec env PS1='guest-''shell# ' dash")
        self.wait_for(PROMPT, 30)

    def shell(self, seconds):
        """The shell of tests/guest/small-guest."""
        self.wait_for(PROMPT, seconds)
        self.type('dmesg -n 1; stty -echo')
        self.wait_for(PROMPT, 30)

    def run(self, command, seconds=60):
        self.type(command)
        match = self.wait_for(f'(?s)(.*?){PROMPT}', seconds)
        return match.group(1).replace('\r', '').strip()

    def tail(self, lines=25):
        return '\n'.join(self.text.replace('\r', '').splitlines()[-lines:])
