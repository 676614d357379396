# SPDX-License-Identifier: GPL-2.0-or-later
"""A copy of our tree, built and tested beside it: with mutants in it, or for
coverage."""

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import time

# Unit tests are programs in here; all other tests need QEMU.
UNIT = 'build/unit/'
# Directories that programs make.
MADE = ('__pycache__', 'coverage-counts')
# What is built, and what each kind of test depends on, or does not.
CODE = ('accel/', 'target/', 'hw/', 'include/', 'compat/', 'patches/')
UNIT_SOURCES = ('accel/', 'target/', 'include/', 'meson', 'tests/unit/')
NOT_QEMU = ('docs/', 'README', 'tests/unit/', 'tests/style/', 'tests/build/',
            'tests/mutants/', 'tests/coverage/', 'tests/lib/work.py')


class Broken(Exception):
    """The tree cannot be used as it is."""


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def kind_of(test):
    return 'unit' if test.startswith(UNIT) else 'qemu'


class Work:
    """@options are for ./configure; @variables for all that runs in it."""

    def __init__(self, top, place, options=(), **variables):
        self.top = top
        self.options = [f'--qemu-source={top}/build/qemu', *options]
        self.variables = dict(os.environ, CK_TAP_LOG_FILE_NAME='-',
                              CK_VERBOSITY='silent', **variables)
        self.place = place
        self.tree = os.path.join(place, 'tree')
        self.logs = os.path.join(place, 'logs')
        os.makedirs(self.tree, exist_ok=True)
        os.makedirs(self.logs, exist_ok=True)
        self.stale = set()      # builds that must be made anew

    def files(self):
        """All of our files, committed or not, that git does not ignore."""
        out = subprocess.run(
            ['git', '-C', self.top, 'ls-files', '-coz', '--exclude-standard'],
            stdout=subprocess.PIPE, check=True).stdout
        names = sorted({os.fsdecode(n) for n in out.split(b'\0') if n})
        return [n for n in names
                if os.path.isfile(os.path.join(self.top, n))]

    def update(self):
        """Make the copy as our tree is. Returns hashes: of the code, and of
        what matters for each kind of test."""
        digests = {kind: hashlib.sha256() for kind in ('code', 'unit', 'qemu')}
        names = self.files()
        for name in names:
            source = os.path.join(self.top, name)
            target = os.path.join(self.tree, name)
            content = read(source)
            told = b'%s %d\n%s' % (os.fsencode(name), len(content), content)
            if name.startswith(CODE):
                digests['code'].update(told)
            if name.startswith(UNIT_SOURCES):
                digests['unit'].update(told)
            if not name.startswith(NOT_QEMU):
                digests['qemu'].update(told)
            if not os.path.isfile(target) or read(target) != content:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(source, target)
                if os.path.basename(name).startswith('meson'):
                    # Ninja would run meson again by a path that is none.
                    shutil.rmtree(os.path.join(self.tree, UNIT),
                                  ignore_errors=True)
        self.remove_others(set(names))
        self.stale = {'qemu', 'unit'}
        return {kind: d.hexdigest() for kind, d in digests.items()}

    def remove_others(self, names):
        for where, dirs, files in os.walk(self.tree):
            at = os.path.relpath(where, self.tree)
            if at == '.':
                dirs[:] = [d for d in dirs if d not in ('build', 'dist')]
            dirs[:] = [d for d in dirs if d not in MADE]
            for name in files:
                if os.path.normpath(os.path.join(at, name)) not in names and \
                        not name.endswith(('.o', '.pyc')):
                    os.unlink(os.path.join(where, name))

    def write(self, changed, which):
        """Put lines before (0) or after (1) into the files; all builds that
        have them are stale then."""
        for path, both in changed.items():
            with open(os.path.join(self.tree, path), 'w',
                      encoding='utf-8') as f:
                f.write('\n'.join(both[which]))
        self.stale = {'qemu', 'unit'}

    # --- commands -----------------------------------------------------------

    def run(self, command, log, limit=None):
        """(exit status or None, seconds); what it prints is added to @log."""
        began = time.monotonic()
        with open(log, 'ab') as out:
            out.write(f'== {command}\n'.encode())
            out.flush()
            # pylint: disable-next=consider-using-with
            process = subprocess.Popen(
                ['bash', '-c', command], cwd=self.tree, stdout=out,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=self.variables, start_new_session=True)
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                self.end(process)
        return status, time.monotonic() - began

    @staticmethod
    def end(process):
        """The command and all that it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                break
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                pass

    def configure(self, kind):
        """Make what @kind is built by, if it is not there yet."""
        log = os.path.join(self.logs, f'configure-{kind}.log')
        if kind == 'unit':
            made = UNIT + 'build.ninja'
            command = 'tests/run --suite unit --filter test-abi'
        else:
            made = 'build/out/build.ninja'
            command = './configure ' + shlex.join(self.options)
        made = os.path.join(self.tree, made)
        if not os.path.exists(made):
            self.run(command, log)
        if not os.path.exists(made):
            raise Broken(f'the copy cannot be configured: {log}')

    def build(self, kind, log):
        """What tests of that kind run; whether it could be built."""
        if kind not in self.stale:
            return True
        self.configure(kind)
        if self.run('make -s build' if kind == 'qemu' else
                    f'ninja -C {UNIT}', log)[0]:
            return False
        self.stale.discard(kind)
        return True
