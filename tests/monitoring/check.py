#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What Prometheus says of our metrics, rules and dashboard.

Usage: check.py EXPORTER FAKE-VM
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, 'tests', 'lib'))
import prometheus as prom
from fakes import Fakes, equal, ok, run_all

EXPORTER, FAKE = sys.argv[1:3]
def read(*path):
    with open(os.path.join(TOP, *path), encoding='utf-8') as f:
        return f.read()


VMS = [('default_web', 'plain', 'manufacturer=KubeVirt'),
       ('stopped', 'stopped'), ('plain', 'counting')]


def check_metrics():
    """Nobody could lint the names that were given to us."""
    with Fakes(FAKE, *VMS):
        page = subprocess.run([EXPORTER, '--once'], check=True,
                              capture_output=True, text=True).stdout
    said = prom.promtool('check', 'metrics', input=page).stdout.splitlines()
    known = [x for x in said if re.match(
        r'kubevirt_(hyperv_)?HyperVLayered_\w+ (metric names should be written '
        r'in \'snake_case\' not \'camelCase\'|non-counter metrics should not '
        r'have "_total" suffix)$', x)]
    equal([x for x in said if x not in known], [],
          'promtool finds nothing in our names')
    ok(len(known) >= 4, 'but in those that are given', said)


def check_rules():
    rules = os.path.join(prom.MONITORING, 'rules.yml')
    result = prom.promtool('check', 'rules', rules)
    ok(result.returncode == 0, 'promtool check rules', result.stdout)
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(rules, d)
        shutil.copy(os.path.join(HERE, 'rules-test.yml'), d)
        result = prom.promtool('test', 'rules', 'rules-test.yml', cwd=d)
    ok(result.returncode == 0, 'promtool test rules', result.stdout)


def check_alerts():
    """Each has both outcomes in the test, and its page."""
    alerts = re.findall(r'- alert: (\w+)',
                        read('contrib', 'monitoring', 'rules.yml'))
    tests = re.findall(r'- alertname: (\w+)\n\s+eval_time: \w+\n'
                       r'\s+exp_alerts:( \[\])?',
                       read('tests', 'monitoring', 'rules-test.yml'))
    ok(len(alerts) > 10, 'there are alerts', alerts)
    for name, empty in (('fires', ''), ('is silent', ' []')):
        equal([a for a in alerts if (a, empty) not in tests], [],
              f'each alert {name} in a test')
    runbook = read('docs', 'system', 'runbook.rst')
    equal([a for a in alerts if not re.search(f'^{a}\n-+$', runbook, re.M)],
          [], 'each alert is in the runbook')
    made = subprocess.run(
        [os.path.join(prom.MONITORING, 'make-prometheusrule')], check=True,
        capture_output=True, text=True).stdout
    equal(read('contrib', 'monitoring', 'kubernetes', 'prometheusrule.yaml'),
          made, 'prometheusrule.yaml is what make-prometheusrule makes')


def answers(server):
    """Panels of the dashboard without an answer."""
    return {panel for panel, expr in prom.dashboard_queries()
            if not server.query(expr)}


def check_prometheus():
    exporter = subprocess.Popen([EXPORTER, '--listen', '127.0.0.1:0'],
                                stderr=subprocess.PIPE, text=True)
    port = int(exporter.stderr.readline().split()[-1])
    # Here is no hypervisor. tests/accel/monitoring.py has one, and asks all.
    missing = {'Memory given to the hypervisor',
               'Time of VPs in the hypervisor'}
    try:
        with tempfile.TemporaryDirectory() as d, \
                prom.Prometheus(d, port) as server:
            with Fakes(FAKE, *VMS):
                names = server.wait('mshv_vm_info', lambda a: len(a) == 3)
                equal(sorted((m['namespace'] if 'namespace' in m else '',
                              m['name']) for m, _ in names),
                      [('', 'plain'), ('', 'stopped'), ('default', 'web')],
                      'Prometheus sees three VMs')
                server.wait('mshv:vm_startup_seconds:p95_1h',
                            lambda a: len(a) == 2)
                alert = server.wait(
                    'ALERTS{alertname="MshvVmInternalError"}', bool)
                equal([m['name'] for m, _ in alert], ['stopped'],
                      'and the one that has stopped alerts')
                # With two scrapes there are rates.
                server.wait('rate(mshv_vm_kicks_total[5m])',
                            lambda a: len(a) == 3)
                server.wait('mshv:vm_exits:rate5m', lambda a: len(a) == 3)
                # A scrape that took too long has none for a moment.
                end = time.monotonic() + 120
                while (empty := answers(server)) != missing and \
                        time.monotonic() < end:
                    time.sleep(1)
                equal(empty, missing, 'the dashboard: each query is answered')
            gone = server.wait('mshv_vm_info', lambda a: not a)
            equal(gone, [], 'VMs that go are gone')
            up = server.wait('up', lambda a: a and a[0][1] == 1)
            equal([v for _, v in up], [1], 'and the exporter still answers')
    finally:
        exporter.kill()
        exporter.wait()
        exporter.stderr.close()


run_all(check_metrics, check_rules, check_alerts, check_prometheus)
