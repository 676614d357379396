# SPDX-License-Identifier: GPL-2.0-or-later
"""The real Prometheus, as Debian has it, for tests; tests/lib/get-prometheus
gets it."""

import json
import os
import re
import subprocess
import time
import urllib.parse
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
MONITORING = os.path.join(TOP, 'contrib', 'monitoring')
# Where its programs are
BIN = os.environ.get('PROMETHEUS_BIN', '')
# Recording rules are evaluated this often.
CONFIG = '''
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}']
scrape_configs:
- job_name: mshv-exporter
  honor_labels: true
  scrape_interval: {interval}s
  scrape_timeout: {interval}s
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
'''


def promtool(*args, **options):
    return subprocess.run([os.path.join(BIN, 'promtool'), *args],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, **options)


def listening_port(pid):
    """The TCP port at which a process listens, or None."""
    inodes = set()
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            link = os.readlink(f'/proc/{pid}/fd/{fd}')
        except FileNotFoundError:
            continue
        inodes.add(link)
    for table in ('tcp', 'tcp6'):
        with open(f'/proc/net/{table}', encoding='ascii') as f:
            for line in f.readlines()[1:]:
                part = line.split()
                if part[3] == '0A' and f'socket:[{part[9]}]' in inodes:
                    return int(part[1].split(':')[1], 16)
    return None


class Prometheus:
    """One that scrapes 127.0.0.1:PORT, with our rules; its data is in
    @directory."""

    def __init__(self, directory, port, interval=1):
        config = os.path.join(directory, 'prometheus.yml')
        with open(config, 'w', encoding='ascii') as f:
            f.write(CONFIG.format(
                rules=os.path.join(MONITORING, 'rules.yml'), port=port,
                interval=interval))
        self.log = open(os.path.join(directory, 'log'), 'w+b')
        self.process = subprocess.Popen(
            [os.path.join(BIN, 'prometheus'), f'--config.file={config}',
             f'--storage.tsdb.path={directory}/data',
             '--web.listen-address=127.0.0.1:0'],
            stdout=self.log, stderr=self.log)
        self.port = None

    def __enter__(self):
        end = time.monotonic() + 300
        while time.monotonic() < end and self.process.poll() is None:
            self.port = self.port or listening_port(self.process.pid)
            try:
                if self.port:
                    self.fetch('/-/ready')
                    return self
            except OSError:
                pass
            time.sleep(0.1)
        self.log.seek(0)
        raise RuntimeError('Prometheus does not start: '
                           f'{self.log.read().decode()}')

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def fetch(self, path):
        with urllib.request.urlopen(f'http://127.0.0.1:{self.port}{path}',
                                    timeout=100) as answer:
            return answer.read()

    def query(self, expr):
        """[(labels, value)]"""
        path = '/api/v1/query?' + urllib.parse.urlencode({'query': expr})
        result = json.loads(self.fetch(path))
        assert result['status'] == 'success', result
        return [(x['metric'], float(x['value'][1]))
                for x in result['data']['result']]

    def wait(self, expr, good, seconds=300):
        """Until good(answer); the last answer."""
        end = time.monotonic() + seconds
        while not good(answer := self.query(expr)) and \
                time.monotonic() < end:
            time.sleep(0.3)
        return answer


def dashboard_queries():
    """[(panel, expression)], for all VMs."""
    with open(os.path.join(MONITORING, 'grafana', 'mshv.json'),
              encoding='utf-8') as f:
        dashboard = json.load(f)
    return [(panel['title'], re.sub(r'\$(namespace|name)\b', '.*',
                                    target['expr']))
            for panel in dashboard['panels']
            for target in panel.get('targets', [])]
