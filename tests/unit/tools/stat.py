#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mshv-stat with processes that look like VMs: tables, and the live view in tmux.

Usage: stat.py MSHV-STAT FAKE-VM
"""

import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time

STAT, FAKE = (os.path.abspath(path) for path in sys.argv[1:3])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'lib'))
from fakes import Fakes, equal, ok, run_all

VMS = [('ns_web', 'plain', 'manufacturer=KubeVirt'),
       ('zoo "x",\u00e4', 'stopped'), ('busy', 'counting')]


def run(*args):
    return subprocess.run([STAT, *args], capture_output=True, text=True,
                          check=False)


def check_tables():
    with Fakes(FAKE, *VMS) as fake:
        first, second, _ = fake.pids
        text = run('--once', '--sort', 'name', '--filter', 'o').stdout
        equal([line.split()[0] for line in text.splitlines()], ['VM', 'zoo'],
              'a filter leaves what contains it')
        text = run('--once', '--pid', str(second)).stdout.splitlines()
        ok(re.match(rf'zoo "x",\u00e4 +{second} internal-error +2 +1024 +354 '
                    r'+- +7 +2$', text[1]), 'a VM in a line', text)
        text = run('--once', '--view', 'exits', '--pid', str(first)).stdout
        rows = dict(line.rsplit(maxsplit=2)[:2] for line in text.splitlines())
        equal([rows[k].strip() for k in
               ('io-port', 'halt', 'other', '(kicks)', 'msr')],
              ['300', '30', '24', '9', '0'], 'exits by kind')
        text = run('--once', '--view', 'vcpus', '--pid', str(first)).stdout
        equal([line.split() for line in text.splitlines()[1:]],
              [['ns/web', f'({first})', 'CPU', '5', '236', '-'],
               ['ns/web', f'({first})', 'CPU', '0', '118', '-']],
              'exits by CPU')
        text = run('--once', '--view', 'calls', '--pid', str(first)).stdout
        equal([line.split() for line in text.splitlines()[1:]],
              [['assert-virtual-interrupt', '500', '-', '0'],
               ['run-vp', '368', '-', '5'],
               ['set-guest-memory', '20', '-', '2']], 'calls and errors')
        text = run('--once', '--view', 'refusals', '--pid', str(first)).stdout
        equal([line.split() for line in text.splitlines()[1:]],
              [['unknown-msr-others', '9', '-'], ['unknown-msr-0x1234', '6', '-'],
               ['unknown-msr-0x8b', '4', '-'], ['refused-msi', '3', '-']],
              'what is refused')
        check_formats(second)


def check_formats(second):
    args = '--interval', '0.2', '--count', '3'
    table = list(csv.DictReader(io.StringIO(run('--csv', *args).stdout)))
    mine = [row for row in table if row['pid'] == str(second)]
    equal([(row['name'], row['state'], row['total'], row['rate'],
            row['fallbacks']) for row in mine],
          [('zoo "x",\u00e4', 'internal-error', '354', '0.000', '2')] * 3,
          'CSV, three times')
    lines = [json.loads(line) for line in
             run('--json', *args).stdout.splitlines()]
    busy = [vm for line in lines for vm in line['vms'] if vm['name'] == 'busy']
    ok(len(busy) == 3 and busy[0]['rate'] == 0 and
       busy[0]['total'] < busy[1]['total'] < busy[2]['total'] and
       all(vm['rate'] > 0 for vm in busy[1:]), 'JSON, with rates', busy)
    equal([vm['name'] for line in lines for vm in line['vms']
           if vm['pid'] == second], ['zoo "x",\u00e4'] * 3,
          'JSON: names as they are')


def check_usage():
    for args, status, said in (
            (['--view', 'x'], 2, "there is no view 'x'"),
            (['--sort', 'x'], 2, "there is no column 'x'"),
            (['--interval', 'x'], 2, "'x' is no number of seconds"),
            (['--interval', '0'], 2, "'0' is no number of seconds"),
            (['--csv', '--json'], 2, 'exclude each other'),
            (['x'], 2, "unknown argument 'x'"), (['--x'], 2, '--x'),
            ([], 2, 'this is no terminal')):
        result = run(*args)
        lines = result.stderr.splitlines()
        ok(result.returncode == status and len(lines) == 1 and
           said in lines[0], f'"{" ".join(args)}" is refused in one line',
           result)
    result = run('--once', '--view', 'hypervisor')
    ok(result.returncode == 0 and
       (os.path.exists('/sys/kernel/debug/mshv') or
        '/sys/kernel/debug/mshv: ' in result.stderr),
       'what is missing is named', result)
    with open('/dev/full', 'w', encoding='ascii') as f:
        result = subprocess.run([STAT, '--json', '--interval', '0.01'],
                                stdout=f, stderr=subprocess.PIPE, check=False)
    ok(result.returncode == 1 and b'cannot write' in result.stderr,
       'a full disk ends it', result)


class Screen:
    """mshv-stat in a terminal of tmux, of a server of our own."""

    def __init__(self, directory, *args):
        self.socket = os.path.join(directory, 'tmux')
        self.tmux('-f', '/dev/null', 'new-session', '-d', '-x', '120', '-y',
                  '24', ' '.join([STAT, *args, '; echo "status $?"; cat']))

    def tmux(self, *args):
        return subprocess.run(
            ['tmux', '-u', '-S', self.socket, *args], check=False,
            capture_output=True, text=True,
            env={**os.environ, 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm'}).stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux('kill-server')

    def keys(self, *keys):
        self.tmux('send-keys', *keys)

    def lines(self):
        return self.tmux('capture-pane', '-p').splitlines()

    def shows(self, pattern, seconds=60):
        """The screen, once it has that; or what it has at the end."""
        end = time.monotonic() + seconds
        while not re.search(pattern, '\n'.join(lines := self.lines()), re.M) \
                and time.monotonic() < end:
            time.sleep(0.1)
        return lines if re.search(pattern, '\n'.join(lines), re.M) else None

    def check(self, pattern, name):
        lines = self.shows(pattern)
        ok(lines is not None, name, '\n'.join(self.lines()))
        return lines or []


def check_live():
    with tempfile.TemporaryDirectory() as d, Fakes(FAKE, *VMS) as fake, \
            Screen(d, '--interval', '0.3') as screen:
        lines = screen.check(r'^busy +\d+ running +2 +1024 +\d+ +[1-9]',
                             'the busiest VM is there, with its rate')
        ok(len(lines) >= 6 and lines[2].split()[:3] == ['VM', 'PID', 'STATE']
           and lines[3].startswith('busy'), 'and is the first', lines)
        screen.check(f'^zoo "x",\u00e4 +{fake.pids[1]} internal-error',
                     'a name of any characters')
        screen.keys('s', 's')
        screen.check('sorted by name', 's sorts by another column')
        screen.keys('/', 'w', 'e', 'b', 'Enter')
        lines = screen.check(r'only: web', '/ filters')
        equal([line.split()[0] for line in lines[3:6] if line], ['ns/web'],
              'and shows nothing else')
        screen.keys('Enter')
        screen.check(r'exits of ns/web', 'Enter looks into a VM')
        screen.keys('/', 'Enter')
        screen.check(r'^io-port +300 +0.0', 'its exits by kind')
        screen.keys('3')
        screen.check(rf'^ns/web \({fake.pids[0]}\) CPU 5 +236', 'and by CPU')
        screen.keys('4')
        screen.check(r'^run-vp +368 +0.0 +5', 'its calls')
        screen.keys('5')
        screen.check(r'^unknown-msr-0x1234 +6 ', 'what is refused to it')
        screen.keys('6')
        screen.check(r'^mshv-stat: hypervisor', 'the hypervisor')
        screen.keys('b')
        screen.check(r'^busy ', 'b goes back to all')
        screen.keys('p')
        paused = screen.check('PAUSED', 'p pauses')
        time.sleep(1)
        equal([line for line in screen.lines() if 'busy' in line],
              [line for line in paused if 'busy' in line],
              'then nothing moves')
        screen.keys('p', '+')
        screen.check(r'every 0.6 s', '+ makes it slower')
        fake.processes[2].kill()
        fake.processes[2].wait()
        gone = screen.shows(r'\A(?!(.*\n)*busy)')
        ok(gone is not None, 'a VM that goes is gone', screen.lines())
        screen.tmux('resize-window', '-x', '40', '-y', '5')
        screen.check(r'\Amshv-stat: vms.{0,31}$', 'a small window')
        screen.keys('q')
        screen.check('status 0', 'q quits')


run_all(check_tables, check_usage, check_live)
