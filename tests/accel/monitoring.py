#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""VMs seen from outside: mshv-exporter, scraped by the real Prometheus, and
mshv-stat, while VMs come and go.

Usage: monitoring.py [ROUNDS]

ROUNDS: so often VMs come and are killed (default: 1).
"""

import json
import os
import subprocess
import sys
import tempfile
from vm import TOP, Tap, Vm, firmware, until

sys.path.insert(0, os.path.join(TOP, 'tests', 'lib'))
from prometheus import Prometheus, dashboard_queries   # noqa: E402

TOOLS = os.path.join(TOP, 'build', 'tools', 'tools')
KUBEVIRT = ('-name', 'guest=default_web', '-smbios',
            'type=1,manufacturer=KubeVirt,product=None')
# What is shown only where something is wrong
NOTHING = {'What exporters may not read'}


def stat(*args):
    return subprocess.run([os.path.join(TOOLS, 'mshv-stat'), *args],
                          capture_output=True, text=True, check=False)


def shown(view, vm):
    """{name: number} of one VM as mshv-stat has it."""
    text = stat('--json', '--count', '1', '--view', view, '--pid',
                str(vm.process.pid)).stdout
    return {row['name']: row['total'] for row in json.loads(text)[view]}


def becomes(server, expr, wanted, name, label=None):
    """Once the scrape is done that has it: the values, by a label if any."""
    seen = []

    def same(answer):
        seen[:] = sorted((labels.get(label, ''), value)
                         for labels, value in answer)
        return seen == sorted(wanted)

    server.wait(expr, same)
    Tap.equal(seen, sorted(wanted), name)


def check_numbers(server, vm):
    """What Prometheus has of a VM that is paused is what QEMU says."""
    mine = f'{{pid="{vm.process.pid}"}}'
    vm.qmp('stop')
    exits = vm.stats('vcpu')
    kicks = exits.pop('kicks')
    exits = {name[len('exits-'):]: value for name, value in exits.items()}
    becomes(server, f'mshv_vm_exits_total{mine}', exits.items(),
            'exits by kind are those of query-stats', 'kind')
    becomes(server, f'mshv_vm_kicks_total{mine}', [('', kicks)], 'kicks, too')
    Tap.equal(shown('exits', vm), {**exits, '(kicks)': kicks},
              'and those of mshv-stat')
    calls = {name[len('calls-'):]: value for name, value in vm.stats().items()
             if name.startswith('calls-') and value}
    Tap.equal(shown('calls', vm), calls, 'calls, too')
    vm.qmp('cont')


def check_dashboard(server, vms):
    """Each query has an answer, once there are two scrapes."""
    left = dashboard_queries()

    def all_answer():
        # That calls are made
        vms[0].qmp('stop')
        vms[0].qmp('cont')
        left[:] = [(panel, expr) for panel, expr in left
                   if not server.query(expr)]
        return {panel for panel, _ in left} <= NOTHING

    Tap.ok(until(all_answer, pause=1),
           'each query of the dashboard is answered', left)


def check_host(server, vms):
    for metric in ('mshv_device_present', 'mshv_device_usable'):
        becomes(server, metric, [('', 1)], metric)
    becomes(server, 'mshv_exporter_collector_success',
            [(name, 1) for name in ('counters', 'device', 'hypervisor')],
            'nothing is hidden from the exporter', 'collector')
    seen = server.wait('mshv_hypervisor_deposited_bytes > 0',
                       lambda answer: len(answer) == vms)
    Tap.equal(len(seen), vms, 'each VM has its partition')
    result = stat('--once', '--view', 'hypervisor')
    Tap.ok(result.stdout.count('KiB of the host') == vms and
           not result.stderr, 'mshv-stat shows the hypervisor', result)


def check_stopped(server, stops):
    stops.qmp('qom-set', path='/machine/accel', property='x-fail-ioctl',
              value='RUN_VP:1')
    becomes(server, 'mshv_vm_info', [('plain', 1), ('stops', 1), ('web', 1)],
            'Prometheus sees three VMs by name', 'name')
    becomes(server, 'mshv_vm_info{namespace="default"}', [('web', 1)],
            'and whose they are', 'name')
    becomes(server, 'ALERTS{alertname="MshvVmInternalError"}', [('stops', 1)],
            'the one that has stopped alerts', 'name')


def come_and_go(server, args, rounds):
    """VMs that are killed are gone, and nobody else is."""
    for i in range(rounds):
        with Vm(*args, '-name', f'new{i}') as one, \
                Vm(*args, '-name', f'other{i}') as other:
            becomes(server, 'mshv_vm_info',
                    [(name, 1) for name in ('web', f'new{i}', f'other{i}')],
                    'VMs that come are there', 'name')
            one.process.kill()
            other.qmp('quit')
            becomes(server, 'mshv_vm_info', [('web', 1)],
                    'and those that have ended are gone', 'name')
    becomes(server, 'ALERTS{alertname=~"Mshv.*",alertstate="firing"}', [],
            'nothing alerts any more', 'alertname')


def watch(server, directory, rounds):
    busy = firmware(directory, '2: out %al, $0x80\njmp 2b\n')
    args = ('-M', 'pc,pit=off', '-m', '16', '-bios', busy)
    with Vm(*args, *KUBEVIRT) as web:
        with Vm(*args, '-name', 'plain') as plain, \
                Vm(*args, '-name', 'stops') as stops:
            check_stopped(server, stops)
            check_numbers(server, plain)
            check_dashboard(server, (web, plain))
            check_host(server, 3)
        come_and_go(server, args, rounds)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    exporter = subprocess.Popen(
        [os.path.join(TOOLS, 'mshv-exporter'), '--listen', '127.0.0.1:0'],
        stderr=subprocess.PIPE, text=True)
    port = int(exporter.stderr.readline().split()[-1])
    try:
        with tempfile.TemporaryDirectory() as d, \
                Prometheus(d, port, interval=5) as server:
            watch(server, d, rounds)
            took = server.query('max_over_time(scrape_duration_seconds[1h])')
            print(f'# a scrape took up to {took[0][1]:.2f} s')
    finally:
        exporter.kill()
        exporter.wait()
    Tap.end()


main()
