# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of migration share: how a guest goes from one QEMU to the next."""

import os
import socket
import time
from vm import PATIENCE, QmpError


def wait_migrated(vm, seconds=60):
    """The end of it: the status, and the reason if there is one."""
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        info = vm.qmp('query-migrate')
        if info.get('status') in ('completed', 'failed', 'cancelled'):
            return info['status'], info.get('error-desc', '')
        time.sleep(0.05)
    return 'too late', str(info)


def migrate(vm, uri):
    vm.qmp('migrate', uri=uri)
    return wait_migrated(vm)


def wait_status(vm, wanted, seconds=20):
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end and vm.status() != wanted:
        time.sleep(0.02)
    return vm.status()


def set_up(vm, capabilities=(), parameters=None):
    """No other capabilities than these."""
    was = [c['capability'] for c in vm.qmp('query-migrate-capabilities')
           if c['state']]
    set_capabilities(vm, was, False)
    if parameters:
        vm.qmp('migrate-set-parameters', **parameters)
    set_capabilities(vm, capabilities, True)


def set_capabilities(vm, names, state):
    if names:
        vm.qmp('migrate-set-capabilities', capabilities=[
            {'capability': name, 'state': state} for name in names])


# ---- Ways from one QEMU to the other: what each of them is told, as two URIs.
# In what is not live the source ends before the target begins.

def by_unix(path, _source, target):
    target.qmp('migrate-incoming', uri=f'unix:{path}')
    return f'unix:{path}'


def by_tcp(_path, _source, target):
    target.qmp('migrate-incoming', uri='tcp:127.0.0.1:0')
    for where in target.qmp('query-migrate')['socket-address']:
        return f'tcp:{where["host"]}:{where["port"]}'


def by_fd(_path, source, target):
    ends = socket.socketpair()
    for vm, end in (target, ends[0]), (source, ends[1]):
        vm.give_fd('stream', end.fileno())
        end.close()
    target.qmp('migrate-incoming', uri='fd:stream')
    return 'fd:stream'


def by_exec(path, _source, target):
    os.mkfifo(path)
    target.qmp('migrate-incoming', uri=f'exec:cat {path}')
    return f'exec:cat >{path}'


LIVE = {'unix': by_unix, 'tcp': by_tcp, 'fd': by_fd, 'exec': by_exec}
STORED = {'file': ('file:{0}', 'file:{0}'),
          'exec to a file': ('exec:cat >{0}', 'exec:cat {0}')}


class Pair:
    """
    A guest that goes on and on to the next process. make(*args, **keys) starts a
    QEMU, either with the guest or as a target that waits for it.
    """

    count = 0           # of paths, of all pairs

    def __init__(self, directory, make, capabilities=(), parameters=None):
        self.directory, self.make = directory, make
        self.vm = make()
        self.capabilities, self.parameters = capabilities, parameters or {}
        self.state = ''     # in which it goes, and is to arrive

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.vm.__exit__()

    def path(self):
        Pair.count += 1
        return os.path.join(self.directory, f'stream-{Pair.count}')

    def target(self, *args, **keys):
        return self.make(*args, '-incoming', 'defer', **keys)

    def told(self, capabilities, parameters):
        return ([*self.capabilities, *capabilities],
                self.parameters | (parameters or {}))

    def start(self, target, way='unix', capabilities=(), parameters=None):
        """To a target that waits, by a way that is live."""
        for vm in self.vm, target:
            set_up(vm, *self.told(capabilities, parameters))
        uri = LIVE[way](self.path(), self.vm, target)
        self.state = self.vm.status()
        self.vm.qmp('migrate', uri=uri)

    def end(self, target, result):
        """The target has the guest now. What is wrong, or ''."""
        source, self.vm = self.vm, target
        wrong = ''
        if result[0] != 'completed' or source.status() != 'postmigrate' or \
                wait_status(target, self.state) != self.state:
            wrong = (f'{result} {source.status()} {target.status()}: '
                     f'{source.said()} {target.said()}')
        source.__exit__()
        return wrong

    def move(self, way='unix', capabilities=(), parameters=None):
        """What is wrong, or ''."""
        if way in STORED:
            return self.store(way, capabilities, parameters)
        target = self.target()
        try:
            self.start(target, way, capabilities, parameters)
            result = wait_migrated(self.vm)
        except QmpError:
            target.__exit__()
            raise
        return self.end(target, result)

    def store(self, way, capabilities, parameters):
        path = self.path()
        told = self.told(capabilities, parameters)
        set_up(self.vm, *told)
        self.state = self.vm.status()
        result = migrate(self.vm, STORED[way][0].format(path))
        if result[0] != 'completed':
            return f'{result} {self.vm.said()}'
        target = self.target()
        try:
            set_up(target, *told)
            target.qmp('migrate-incoming', uri=STORED[way][1].format(path))
            result = wait_migrated(target)
        except QmpError:
            target.__exit__()
            raise
        os.unlink(path)
        return self.end(target, result)
