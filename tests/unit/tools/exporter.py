#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mshv-exporter with processes that look like VMs, and some that mean harm.

Usage: exporter.py EXPORTER FAKE-VM [--cost]

With --cost: what a page takes of time and memory by number of VMs.
"""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

EXPORTER, FAKE = sys.argv[1:3]
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__)))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'lib'))
from fakes import Fakes, equal, ok, run_all

UUID = 'abababab-abab-abab-abab-abababababab'
SAMPLE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.]+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')
def parse(text):
    """{(metric, frozenset of labels): value}; complains of what is no page."""
    page, current, done = {}, None, set()
    for line in text.rstrip('\n').split('\n'):
        if line.startswith('# HELP '):
            done.add(current)
            current = line.split()[2]
            assert current not in done, f'{current} comes twice'
        elif line.startswith('# TYPE '):
            assert line.split()[2] == current, line
        else:
            match = SAMPLE.match(line)
            assert match, f'no sample: {line!r}'
            name, labels, value = match.groups()
            assert re.fullmatch(f'{current}(_bucket|_sum|_count)?', name), line
            found = LABEL.findall(labels or '')
            rest = LABEL.sub('', labels or '')
            assert not rest, f'no labels: {line!r}'
            key = name, frozenset(found)
            assert key not in page, f'{line} comes twice'
            page[key] = float(value)
    return page


class Page:
    """A page, by what concerns one VM."""

    def __init__(self, text):
        self.all = parse(text)

    def get(self, metric, /, **labels):
        wanted = {(k, str(v)) for k, v in labels.items()}
        found = [v for (n, l), v in self.all.items()
                 if n == metric and wanted <= l]
        return found[0] if len(found) == 1 else found

    def names(self, pids):
        return sorted(dict(l)['name'] for (n, l) in self.all
                      if n == 'mshv_vm_info' and
                      int(dict(l)['pid']) in pids)


def once():
    result = subprocess.run([EXPORTER, '--once'], capture_output=True,
                            check=False)
    assert result.returncode == 0, result
    return Page(result.stdout.decode())


class Server:
    def __enter__(self):
        self.process = subprocess.Popen(
            [EXPORTER, '--listen', '127.0.0.1:0'], stderr=subprocess.PIPE)
        said = self.process.stderr.readline().decode()
        self.port = int(said.split()[-1])
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def get(self, path='/metrics', method='GET'):
        request = urllib.request.Request(
            f'http://127.0.0.1:{self.port}{path}', method=method)
        try:
            with urllib.request.urlopen(request, timeout=100) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, ''


def check_values():
    with Fakes(FAKE, ('default_my_vm', 'plain', '-smbios',
               'type=1,manufacturer=KubeVirt,product=None'),
              ('odd"\\\n', 'stopped'), ('', 'incoming')) as fake:
        page = once()
    first, second, third = fake.pids
    equal(page.names(fake.pids), ['', 'my_vm', 'odd\\"\\\\?'], 'three VMs')
    equal(page.get('mshv_vm_info', namespace='default', name='my_vm',
                   pid=first, uuid=UUID), 1, 'as KubeVirt names it')
    equal(page.get('mshv_vm_state', pid=first, state='running'), 1,
          'one runs')
    equal(page.get('mshv_vm_state', pid=second, state='internal-error'), 1,
          'one has stopped')
    wanted = {'io-port': 300, 'halt': 30, 'other': 24, 'msr': 0}
    equal({kind: page.get('mshv_vm_exits_total', pid=first, kind=kind)
           for kind in wanted}, wanted, 'exits by kind')
    equal([page.get('mshv_vm_vcpu_exits_total', pid=first, vcpu=i)
           for i in (0, 5)], [118, 236], 'exits by CPU')
    equal(page.get('mshv_vm_vcpus', pid=first), 2, 'CPUs')
    equal(page.get('mshv_vm_calls_total', pid=first, call='run-vp'), 368,
          'runs')
    for name in ('mshv_vm_call_errors_total',
                 'kubevirt_hyperv_HyperVLayered_device_errors_total'):
        equal([page.get(name, pid=first, call=call) for call in
               ('set-guest-memory', 'run-vp', 'assert-virtual-interrupt')],
              [2, 5, 0], name)
    equal([page.get('mshv_vm_interrupts_total', pid=first, by=by)
           for by in ('apic', 'pic')], [500, 11], 'interrupts')
    equal([page.get('mshv_vm_fallbacks', pid=second, kind=kind)
           for kind in ('irqfd', 'ioeventfd')], [2, 0], 'fallbacks')
    equal([page.get('mshv_vm_refusals_total', pid=first, kind=kind)
           for kind in ('msi', 'irqfd')], [3, 0], 'refusals')
    equal([page.get('mshv_vm_unknown_msr_accesses_total', pid=pid, msr=msr)
           for pid in (first, second) for msr in ('0x8b', '0x1234', 'other')],
          [4, 6, 9, [], [], 240], 'unknown MSRs, and that they are bounded')
    equal(len([1 for n, l in page.all
               if n == 'mshv_vm_unknown_msr_accesses_total' and
               ('pid', str(second)) in l]), 17, 'at 16 of a VM')
    equal(page.get('kubevirt_HyperVLayered_hardware_passthrough_total',
                   pid=third), 1, 'devices')
    equal([page.get('mshv_vm_startup_seconds', pid=first, stage=stage)
           for stage in ('first-exit', 'first-interrupt')], [0.25, 3],
          'time to start')
    equal(page.get('mshv_vm_startup_seconds', pid=third), [],
          'but not of a VM that comes by migration')
    ok(page.get('mshv_vm_resident_memory_bytes', pid=first, type='anon') > 0,
       'resident memory')


def check_histogram():
    name = 'kubevirt_hyperv_HyperVLayered_vm_startup_duration_seconds'

    def starts(server):
        page = Page(server.get()[1])
        return [page.get(f'{name}_{part}', stage='first-interrupt', **labels)
                for part, labels in (('count', {}), ('sum', {}),
                                     ('bucket', {'le': '2.5'}),
                                     ('bucket', {'le': '5.0'}))]

    with Server() as server:
        before = starts(server)
        seen = []
        for vms in ([('a', 'plain')], [('b', 'plain'), ('c', 'stopped')]):
            with Fakes(FAKE, *vms):
                starts(server)
                seen.append([new - old for new, old in
                             zip(starts(server), before)])
        seen.append([new - old for new, old in zip(starts(server), before)])
    equal(seen, [[1, 3, 0, 1], [3, 9, 0, 3], [3, 9, 0, 3]],
          'each VM counts once in the histogram, and stays in it')


def check_hostile():
    kinds = ['hostile'] * 4 + ['unsealed', 'newer', 'not-ready', 'plain']
    with Fakes(FAKE, *[(f'{kind}', kind) for kind in kinds]) as fake, \
            Server() as server:
        pages = [Page(server.get()[1]) for _ in range(20)]
        good = fake.pids[-1]
        equal({p.get('mshv_vm_exits_total', pid=good, kind='io-port')
               for p in pages}, {300}, 'hostile VMs spoil no other')
        ok(all(p.get('mshv_exporter_vms_refused') >= 2 for p in pages),
           'what cannot be used is counted')
        equal([p.names(fake.pids[4:7]) for p in pages], [[]] * 20,
              'and is not shown')
        equal(server.process.poll(), None, 'the exporter lives')


def check_comings():
    """VMs come and go while pages are made."""
    with Server() as server:
        gone, seen = [], []
        for i in range(10):
            fake = Fakes(FAKE, *[(f'vm{i}-{n}', 'plain') for n in range(4)])
            fake.processes[0].kill()
            fake.processes[1].send_signal(signal.SIGSTOP)
            page = Page(server.get()[1])
            seen.append(len(page.names(fake.pids[1:])))
            gone += fake.pids
            fake.__exit__()
        equal(seen, [3] * 10, 'who is there is seen')
        equal(Page(server.get()[1]).names(gone), [], 'who is gone is gone')


def check_http():
    with Server() as server:
        status, body = server.get()
        ok(status == 200 and 'mshv_device_present' in body, 'GET /metrics',
           body)
        equal([server.get(method='HEAD'), server.get('/'),
               server.get('/metrics', 'POST'), server.get('/../etc/passwd')],
              [(200, ''), (404, ''), (405, ''), (404, '')],
              'anything else is refused')
        idle = [socket.create_connection(('127.0.0.1', server.port))
                for _ in range(8)]
        idle[0].sendall(b'GET /met')
        idle[1].sendall(b'\0\xff' * 100 + b'\r\n\r\n')
        equal(server.get()[0], 200, 'clients that say nothing hold nobody up')
        for s in idle:
            s.close()
        again = subprocess.run(
            [EXPORTER, '--listen', f'127.0.0.1:{server.port}'],
            capture_output=True, check=False)
        equal((again.returncode, again.stderr.decode()),
              (1, f'mshv-exporter: cannot listen at 127.0.0.1:{server.port}: '
               'Address already in use\n'), 'a port in use is one line')
        server.process.terminate()
        equal(server.process.wait(100), 0, 'it ends when it is told to')


def check_usage():
    for args, status, said in (
            (['--listen', 'nowhere'], 1, "'nowhere' is no ADDRESS:PORT"),
            (['--listen', '[::1]:x'], 1, "'[::1]:x' is no ADDRESS:PORT"),
            (['--listen', '::1:80'], 1, "'::1:80' is no ADDRESS:PORT"),
            (['--output', '/x'], 1, '--output needs --once'),
            (['--once', '--output', '/nowhere/x'], 1,
             'cannot write /nowhere/x.new: No such file'),
            (['--nothing'], 2, '--nothing'), (['x'], 2, "argument 'x'")):
        result = subprocess.run([EXPORTER, *args], capture_output=True,
                                check=False)
        lines = result.stderr.decode().splitlines()
        ok(result.returncode == status and len(lines) == 1 and
           said in lines[0], f'{" ".join(args)} is refused in one line',
           result)


def small_files():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def check_output():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, 'mshv.prom')
        command = [EXPORTER, '--once', '--output', path]
        subprocess.run(command, check=True)
        with open(path, encoding='utf-8') as f:
            old = f.read()
        ok(parse(old), 'a file for the node exporter')
        full = subprocess.run(command, preexec_fn=small_files,
                              restore_signals=False, capture_output=True,
                              check=False)
        with open(path, encoding='utf-8') as f:
            same = f.read() == old
        ok(full.returncode == 1 and b'cannot write' in full.stderr and same and
           os.listdir(d) == ['mshv.prom'],
           'a full disk is said, and the old file stays', full)
    with open('/dev/full', 'w', encoding='ascii') as f:
        full = subprocess.run([EXPORTER, '--once'], stdout=f,
                              stderr=subprocess.PIPE, check=False)
    ok(full.returncode == 1 and b'No space left' in full.stderr,
       'nor is a full disk silent behind a pipe', full)


def check_permission():
    with Fakes(FAKE, ('secret', 'closed')) as fake:
        result = subprocess.run([os.path.join(TOP, 'tests/lib/as-nobody'),
                                 EXPORTER, '--once'], capture_output=True,
                                check=False)
        page = Page(result.stdout.decode())
        equal((result.returncode, page.names(fake.pids),
               page.get('mshv_exporter_collector_success',
                        collector='counters')), (0, [], 0),
              'who may not look is told so')
        ok(page.get('mshv_exporter_processes_denied') > 0,
           'and at how many processes', page.all)


def check_reference():
    said = subprocess.run([EXPORTER, '--reference'], check=True,
                          capture_output=True).stdout.decode()
    with open(os.path.join(TOP, 'docs/system/metrics.rst'),
              encoding='utf-8') as f:
        equal(f.read(), said, 'docs/system/metrics.rst is what --reference '
              'says')
    named = set(re.findall(r'^``(\w+)``', said, re.M))
    with Fakes(FAKE, ('x', 'plain')):
        page = once()
    shown = {re.sub('_(bucket|sum|count)$', '', name) for name, _ in page.all}
    ok(shown <= named, 'every metric is in the reference', shown - named)


def cpu_time(pid):
    with open(f'/proc/{pid}/stat', encoding='ascii') as f:
        fields = f.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def peak_memory(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        return int(re.search(r'VmHWM:\s+(\d+)', f.read()).group(1))


def cost():
    """Of 50 pages with no VM and with 100: processor time and memory."""
    figures = []
    for vms in (0, 100):
        with Fakes(FAKE, *[(f'vm{i}', 'plain') for i in range(vms)]) as fake, \
                Server() as server:
            seen = len(Page(server.get()[1]).names(fake.pids))
            before = cpu_time(server.process.pid)
            size = sum(len(server.get()[1]) for _ in range(50)) / 50
            used = (cpu_time(server.process.pid) - before) / 50
            figures.append((seen, used * 1000, peak_memory(server.process.pid),
                            size / 1024))
    (_, time0, memory0, size0), (seen, time1, memory1, size1) = figures
    per_vm = (time1 - time0) / 100, (memory1 - memory0) / 100
    print(f'# a page takes {time0:.2f} ms and {size0:.0f} KiB without VMs, '
          f'{per_vm[0]:.3f} ms, {(size1 - size0) / 100:.1f} KiB of text and '
          f'{per_vm[1]:.1f} KiB of memory more for each of 100')
    equal(seen, 100, '100 VMs are seen')
    ok(per_vm[0] < 1, f'a VM takes less than 1 ms ({per_vm[0]:.3f})')
    ok(per_vm[1] < 64, f'and less than 64 KiB ({per_vm[1]:.1f})')


if sys.argv[3:] == ['--cost']:
    run_all(cost)
run_all(check_values, check_histogram, check_hostile, check_comings, check_http,
        check_usage, check_output, check_permission, check_reference)
