# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes that look like VMs (tests/unit/tools/fake-vm.c), and results as
TAP."""

import subprocess
import sys

COUNT = 0
FAILED = 0


def ok(good, name, saw=''):
    global COUNT, FAILED
    COUNT += 1
    FAILED += not good
    print(f'{"" if good else "not "}ok {COUNT} - {name}')
    for line in [] if good else str(saw).splitlines():
        print(f'# {line}')
    sys.stdout.flush()


def equal(got, wanted, name):
    ok(got == wanted, name, f'got {got!r}, wanted {wanted!r}')


def run_all(*checks):
    """Each of them, and the end of the program."""
    for check in checks:
        try:
            check()
        except AssertionError as e:
            ok(False, check.__name__, e)
    print(f'1..{COUNT}')
    sys.exit(FAILED != 0)


class Fakes:
    """Some of them; each is (name, kind, argument...)."""

    def __init__(self, program, *vms):
        self.processes = [subprocess.Popen([program, *vm],
                                           stdout=subprocess.PIPE)
                          for vm in vms]
        for p in self.processes:
            p.stdout.readline()
        self.pids = [p.pid for p in self.processes]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in self.processes:
            p.kill()
            p.wait()
            p.stdout.close()
