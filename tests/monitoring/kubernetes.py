#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""contrib/monitoring/kubernetes: mshv-conditions with a stub of the API server,
which allows what rbac.yaml says and nothing else; and the manifests, field by
field.

Usage: kubernetes.py EXPORTER FAKE-VM
"""

import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import yaml

EXPORTER, FAKE = (os.path.abspath(path) for path in sys.argv[1:3])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'lib'))
from fakes import Fakes, equal, ok, run_all

CONTRIB = os.path.join(TOP, 'contrib', 'monitoring')
CONDITIONS = os.path.join(CONTRIB, 'kubernetes', 'mshv-conditions')
NODE = 'node-1'


def documents(name):
    with open(os.path.join(CONTRIB, 'kubernetes', name),
              encoding='utf-8') as f:
        return list(yaml.safe_load_all(f))


# ---- The stub ----

PATHS = ((r'/api/v1/nodes/([^/]+)', '', 'nodes'),
         (r'/api/v1/nodes/([^/]+)/status', '', 'nodes/status'),
         (r'/api/v1/namespaces/([^/]+)/events', '', 'events'),
         (r'/apis/kubevirt.io/v1/namespaces/([^/]+)/virtualmachineinstances/'
          r'([^/]+)', 'kubevirt.io', 'virtualmachineinstances'))
VERBS = {'GET': 'get', 'PATCH': 'patch', 'POST': 'create'}


class Api(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self):
        server = self.server
        size = int(self.headers.get('Content-Length', 0))
        body = json.loads(self.rfile.read(size)) if size else None
        status, found = server.broken or 404, {}
        for pattern, group, resource in PATHS:
            match = re.fullmatch(pattern, self.path)
            if match and not server.broken:
                verb = VERBS[self.command]
                server.used.add((group, resource, verb))
                status, found = 403, {}
                if (group, resource, verb) in server.allowed and self.headers[
                        'Authorization'] == f'Bearer {server.token}':
                    status, found = getattr(
                        server, f'{verb}_{resource.replace("/", "_")}')(
                            body, *match.groups())
        if status == 404:
            server.unknown.append(self.path)
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PATCH = do_POST = answer


class Stub(http.server.ThreadingHTTPServer):
    """A cluster with one node, two VMs on it and one on another."""

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Api)
        role = documents('rbac.yaml')[1]
        self.allowed = {(group, resource, verb) for rule in role['rules']
                        for group in rule['apiGroups']
                        for resource in rule['resources']
                        for verb in rule['verbs']}
        self.used, self.unknown, self.token = set(), [], 'first'
        self.broken = None
        self.conditions = [{'type': 'Ready', 'status': 'True'}]
        self.patches, self.events = [], {}
        self.vms = {('default', 'web'): NODE, ('default', 'bad'): NODE,
                    ('other', 'far'): 'node-2'}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_nodes(self, _body, name):
        if name != NODE:
            return 404, {}
        return 200, {'status': {'conditions': self.conditions}}

    def patch_nodes_status(self, body, name):
        """As the server merges: by type."""
        new, = body['status']['conditions']
        self.patches.append(new)
        self.conditions = [c for c in self.conditions
                           if c['type'] != new['type']] + [new]
        return (200, {}) if name == NODE else (404, {})

    def get_virtualmachineinstances(self, _body, *key):
        if key not in self.vms:
            return 404, {}
        return 200, {'metadata': {'uid': f'uid-of-{key[1]}'},
                     'status': {'nodeName': self.vms[key]}}

    def create_events(self, body, namespace):
        name = body['metadata']['name']
        if name in self.events:
            return 409, {}
        good = namespace == body['metadata']['namespace'] == \
            body['involvedObject']['namespace']
        self.events[name] = body
        return (201, {}) if good else (422, {})

    def told(self):
        return sorted((e['involvedObject']['name'], e['reason'], e['type'])
                      for e in self.events.values())


class Cluster:
    """The stub, an exporter, and what mshv-conditions is started with."""

    def __enter__(self):
        self.stub = Stub()
        self.directory = tempfile.TemporaryDirectory()
        self.set_token('first')
        self.exporter = subprocess.Popen(
            [EXPORTER, '--listen', '127.0.0.1:0'], stderr=subprocess.PIPE,
            text=True)
        port = self.exporter.stderr.readline().split()[-1]
        self.environment = {
            'NODE_NAME': NODE, 'INTERVAL': '0.1',
            'API': f'http://127.0.0.1:{self.stub.server_port}',
            'METRICS': f'http://127.0.0.1:{port}/metrics',
            'ACCOUNT': self.directory.name, 'PATH': os.environ['PATH']}
        return self

    def __exit__(self, *_):
        self.exporter.kill()
        self.exporter.wait()
        self.exporter.stderr.close()
        self.stub.shutdown()
        self.stub.server_close()
        self.directory.cleanup()

    def set_token(self, token):
        self.stub.token = token
        path = os.path.join(self.directory.name, 'token')
        with open(path + '.new', 'w', encoding='ascii') as f:
            f.write(token + '\n')
        os.rename(path + '.new', path)

    def once(self, **changes):
        return subprocess.run([CONDITIONS, '--once'], capture_output=True,
                              text=True, check=False,
                              env={**self.environment, **changes})

    def condition(self):
        found = [c for c in self.stub.conditions
                 if c['type'] == 'HypervisorOptimized']
        return found[0] if found else {}


def until(test, seconds=120):
    end = time.monotonic() + seconds
    while not test() and time.monotonic() < end:
        time.sleep(0.05)
    return test()


# ---- mshv-conditions ----

def check_conditions():
    kubevirt = 'manufacturer=KubeVirt'
    vms = [('default_web', 'plain', kubevirt),
           ('default_bad', 'stopped', kubevirt),
           ('other_far', 'plain', kubevirt),
           ('default_gone', 'plain', kubevirt),
           ('../../v1/nodes_x', 'plain', kubevirt), ('plain', 'stopped')]
    with Cluster() as cluster, Fakes(FAKE, *vms):
        stub = cluster.stub
        result = cluster.once()
        equal((result.returncode, result.stderr), (0, ''), 'a round is quiet')
        equal(stub.told(), [('bad', 'HypervisorError', 'Warning'),
                            ('web', 'HypervisorOptimized', 'Normal')],
              'events of the VMs that are on this node')
        equal({e['involvedObject']['uid'] for e in stub.events.values()},
              {'uid-of-web', 'uid-of-bad'}, 'by their UIDs')
        ok(all('..' not in path for path in stub.unknown),
           'no name becomes a path', stub.unknown)
        first = cluster.condition()
        # This machine is no host.
        equal((first['status'], first['reason']), ('False', 'DeviceMissing'),
              'the condition of the node')
        equal(stub.conditions[0], {'type': 'Ready', 'status': 'True'},
              'others are left alone')
        first['lastTransitionTime'] = '2001-01-01T00:00:00Z'
        cluster.set_token('second')
        result = cluster.once()
        equal((result.returncode, result.stderr), (0, ''),
              'a token may change, and what was told is no error')
        equal(cluster.condition()['lastTransitionTime'],
              '2001-01-01T00:00:00Z', 'what does not change has its old time')
        equal(len(stub.events), 2, 'nothing is told twice')
        equal(stub.used, stub.allowed, 'all that rbac.yaml allows is used')


def check_following():
    """What changes is told, once; failures are borne."""
    with Cluster() as cluster, Fakes(FAKE, ('default_web', 'plain',
                                            'manufacturer=KubeVirt')):
        stub = cluster.stub
        process = subprocess.Popen([CONDITIONS], env=cluster.environment,
                                   stderr=subprocess.PIPE, text=True)
        try:
            until(lambda: stub.events and stub.patches)
            stub.broken = 500
            with Fakes(FAKE, ('default_bad', 'stopped',
                              'manufacturer=KubeVirt')):
                line = process.stderr.readline()
                ok('default/bad: ' in line and '500' in line,
                   'a server that fails is a line', line)
                stub.broken = None
                until(lambda: len(stub.events) == 2)
            equal(stub.told(), [('bad', 'HypervisorError', 'Warning'),
                                ('web', 'HypervisorOptimized', 'Normal')],
                  'a VM that comes later is told')
            equal(len(stub.patches), 1, 'an unchanged condition is not')
            cluster.exporter.kill()
            until(lambda: cluster.condition()['status'] == 'Unknown')
            equal(cluster.condition()['reason'], 'ExporterDown',
                  'without the exporter nothing is known')
            equal(process.poll(), None, 'and it goes on')
        finally:
            process.kill()
            process.wait()
            process.stderr.close()


def page_of(**values):
    """What nodes would tell, without such a node."""
    return {name: [({'kind': 'irqfd'}, value)]
            for name, value in values.items()}


def check_verdicts():
    namespace = {'__name__': 'conditions'}
    with open(CONDITIONS, encoding='utf-8') as f:
        # It is no module by its name.
        exec(compile(f.read(), CONDITIONS, 'exec'), namespace)
    node, vm = namespace['node_condition'], namespace['vm_verdict']
    good = {'mshv_device_present': 1, 'mshv_vm_fallbacks': 0}
    equal([node(page_of(**{**good, **change}))[:2] for change in (
        {}, {'mshv_device_present': 0}, {'mshv_device_usable': 0},
        {'mshv_device_usable': 1}, {'mshv_vm_fallbacks': 2})],
          [('True', 'HypervisorUsed'), ('False', 'DeviceMissing'),
           ('False', 'DeviceUnusable'), ('True', 'HypervisorUsed'),
           ('False', 'FallbackInUse')], 'verdicts on a node')
    equal([vm(*args) and vm(*args)[1] for args in (
        ('running', []), ('running', ['irqfd']), ('paused', ['irqfd']),
        ('internal-error', ['irqfd']), ('paused', []), ('migrating', []))],
          ['HypervisorOptimized', 'HypervisorNotOptimized',
           'HypervisorNotOptimized', 'HypervisorError', None, None],
          'verdicts on a VM')


def check_refusals():
    with Cluster() as cluster:
        for changes, said in (
                ({'NODE_NAME': ''}, "NODE_NAME is ''"),
                ({'NODE_NAME': '../x'}, "NODE_NAME is '../x'"),
                ({'ACCOUNT': '/nowhere'}, '/nowhere/token'),
                ({'METRICS': 'http://127.0.0.1:1/'}, 'Connection refused')):
            result = cluster.once(**changes)
            ok(result.returncode == 1 and said in result.stderr and
               len(result.stderr.splitlines()) == 1,
               f'{changes}: one line', result)


# ---- The manifests ----

def check_daemonset():
    spec = documents('daemonset.yaml')[0]['spec']
    pod = spec['template']['spec']
    exporter, conditions = pod['containers']
    labels = spec['template']['metadata']['labels']
    equal(spec['selector']['matchLabels'], labels,
          'the DaemonSet selects its pods')
    port = exporter['ports'][0]
    equal(exporter['command'][1:], ['--listen',
                                    f'0.0.0.0:{port["containerPort"]}'],
          'the port is the one that it listens at')
    equal(exporter['readinessProbe']['httpGet'],
          {'path': '/metrics', 'port': port['name']}, 'and is probed at')
    ok(f':{port["containerPort"]}/metrics' in open(
        CONDITIONS, encoding='utf-8').read(), 'and asked at')
    mounts = [m['name'] for c in pod['containers'] for m in c['volumeMounts']]
    equal(sorted(mounts), sorted(v['name'] for v in pod['volumes']),
          'what is mounted is there, and the other way round')
    equal([all(m['readOnly'] for m in c['volumeMounts']) and
           c['securityContext']['readOnlyRootFilesystem'] and
           not c['securityContext']['allowPrivilegeEscalation'] and
           c['securityContext']['capabilities']['drop'] == ['ALL']
           for c in pod['containers']], [True, True], 'nothing can be written')
    equal((pod['hostPID'], pod['automountServiceAccountToken'],
           'add' in conditions['securityContext']['capabilities'],
           'account' in [m['name'] for m in exporter['volumeMounts']]),
          (True, False, False, False),
          'who sees processes has no token, and the other way round')
    monitor = documents('podmonitor.yaml')[0]['spec']
    ok(monitor['selector']['matchLabels'].items() <= labels.items(),
       'the PodMonitor selects them')
    equal([e['port'] for e in monitor['podMetricsEndpoints']], [port['name']],
          'by the name of the port')
    return exporter


def check_unit(exporter):
    """The pod may do what the service may."""
    with open(os.path.join(CONTRIB, 'systemd', 'mshv-exporter.service'),
              encoding='utf-8') as f:
        unit = dict(line.strip().split('=', 1) for line in f if '=' in line)
    equal(sorted(f'CAP_{x}' for x in
                 exporter['securityContext']['capabilities']['add']),
          sorted(unit['AmbientCapabilities'].split()),
          "its capabilities are the service's")


def check_account():
    account, role, binding = documents('rbac.yaml')
    pod = documents('daemonset.yaml')[0]
    equal((binding['subjects'], binding['roleRef']['name'],
           binding['roleRef']['kind']),
          ([{'kind': 'ServiceAccount', **account['metadata']}],
           role['metadata']['name'], role['kind']),
          'the role is bound to the account')
    equal((pod['spec']['template']['spec']['serviceAccountName'],
           pod['metadata']['namespace']), tuple(account['metadata'].values()),
          'and it is the pods\'')


# Of what there is in the manifests: a misspelt field would be ignored.
FIELDS = {
    'DaemonSet': '''apiVersion kind metadata name namespace labels spec selector
        matchLabels template hostPID serviceAccountName
        automountServiceAccountToken containers image command ports
        containerPort readinessProbe httpGet path port resources requests limits
        cpu memory securityContext runAsUser runAsNonRoot readOnlyRootFilesystem
        allowPrivilegeEscalation seccompProfile type capabilities drop add
        volumeMounts mountPath readOnly env valueFrom fieldRef fieldPath volumes
        projected sources serviceAccountToken expirationSeconds configMap items
        key hostPath tolerations operator''',
    'PodMonitor': '''apiVersion kind metadata name namespace labels spec selector
        matchLabels podMetricsEndpoints port interval honorLabels relabelings
        sourceLabels targetLabel''',
    'PrometheusRule': '''apiVersion kind metadata name namespace labels spec
        groups rules record expr alert for severity annotations summary
        runbook''',
    'ServiceAccount': 'apiVersion kind metadata name namespace',
    'ClusterRole': '''apiVersion kind metadata name rules apiGroups resources
        verbs''',
    'ClusterRoleBinding': '''apiVersion kind metadata name roleRef apiGroup
        subjects namespace''',
}
VERSIONS = {'DaemonSet': 'apps/v1', 'PodMonitor': 'monitoring.coreos.com/v1',
            'PrometheusRule': 'monitoring.coreos.com/v1',
            'ServiceAccount': 'v1',
            'ClusterRole': 'rbac.authorization.k8s.io/v1',
            'ClusterRoleBinding': 'rbac.authorization.k8s.io/v1'}


def keys(thing):
    if isinstance(thing, dict):
        return set(thing) | set().union(*map(keys, thing.values()))
    if isinstance(thing, list):
        return set().union(*map(keys, thing))
    return set()


def check_fields():
    seen = set()
    for name in os.listdir(os.path.join(CONTRIB, 'kubernetes')):
        for doc in documents(name) if name.endswith('.yaml') else []:
            kind = doc['kind']
            seen.add(kind)
            extra = {k for k in keys(doc) if '/' not in k} - \
                set(FIELDS[kind].split())
            equal((doc['apiVersion'], extra), (VERSIONS[kind], set()),
                  f'{kind}: version and fields')
    equal(seen, set(FIELDS), 'there is one of each')
    with open(os.path.join(CONTRIB, 'rules.yml'), encoding='utf-8') as f:
        rules = yaml.safe_load(f)
    equal(documents('prometheusrule.yaml')[0]['spec'], rules,
          'the PrometheusRule has the rules')


def check_manifests():
    check_unit(check_daemonset())
    check_account()
    check_fields()


run_all(check_conditions, check_following, check_verdicts, check_refusals,
        check_manifests)
