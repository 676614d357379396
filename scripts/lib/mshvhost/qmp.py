# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's monitor: as much of QMP as is needed here."""

import json


class Monitor:
    def __init__(self, sock):
        self.file = sock.makefile('rw', encoding='utf-8')
        self.greeted = False

    def command(self, name, **arguments):
        """The answer of a command; an OSError says why there is none."""
        if not self.greeted:
            self.greeted = True
            self.file.readline()
            self.command('qmp_capabilities')
        self.file.write(json.dumps({'execute': name,
                                    'arguments': arguments}) + '\n')
        self.file.flush()
        for line in self.file:
            answer = json.loads(line)
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise OSError(f'{name}: {answer["error"]["desc"]}')
        raise OSError(f'{name}: QEMU closed its monitor')

    def counters(self):
        """The hypervisor's counters as JSON text; empty: none."""
        try:
            return self.command('qom-get', path='/machine',
                                property='emuhv-counters')
        except (OSError, ValueError):
            return ''
