#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make report.txt and the plots from the results.json of tests/bench/run.

Usage: report.py DIR
"""

import json
import os
import sys

VMMS = ('ours', 'sid', 'floor')
TITLES = {'ours': 'ours', 'sid': "sid's QEMU", 'floor': 'floor'}


def per_exit(line):
    """A measurement as numbers for each exit."""
    n = line['count']
    ioctls = sum(line['ioctls'].values())
    return {'ioctls': ioctls / n,
            'hypercalls': sum(line['hypercalls'].values()) / n,
            'instructions': (line['user'] + line['kernel']) / n,
            'user': line['user'] / n,
            'kernel': line['kernel'] / n,
            'us': line['ns'] / n / 1000}


def least(lines, convert):
    """Noise only adds: the least of each number over the rounds; or why there
    is none."""
    bad = [x['failed'] for x in lines if 'failed' in x]
    if bad or not lines:
        return bad[0] if bad else 'not measured'
    all_of = [convert(x) for x in lines]
    return {k: min(x[k] for x in all_of) for k in all_of[0]}


def select(lines, part, **keys):
    return [x for x in lines if x['part'] == part and
            all(x.get(k) == v for k, v in keys.items())]


def values_of(lines, part, key):
    seen = []
    for x in lines:
        if x['part'] == part and x[key] not in seen:
            seen.append(x[key])
    return seen


def family(lines, part, key, convert):
    """{value of key: {vmm: numbers or text}}"""
    return {value: {vmm: least(select(lines, part, vmm=vmm, **{key: value}),
                               convert)
                    for vmm in VMMS if select(lines, part, vmm=vmm)}
            for value in values_of(lines, part, key)}


def costs(line):
    return {'ms': line['ns'] / 1e6, 'hypercalls': sum(
        line['hypercalls'].values()), 'ioctls': sum(line['ioctls'].values()),
        'instructions': (line['user'] + line['kernel']) / 1e6}


def growth(line):
    return {**costs(line), **{k: line[k] for k in ('rss', 'private')}}


def each(line):
    """Of one of the VMs that ran together."""
    return {k: v / line['count'] for k, v in costs(line).items()}


def rates(line):
    return {**per_exit(line), 'rate': line['count'] / line['ns'] * 1e9}


# ---- Text ----

def number(value):
    if isinstance(value, str):
        return value
    return f'{value:.0f}' if value >= 100 else f'{value:.2f}'


def ratio(row, vmm, name):
    a, b = row.get('ours'), row.get(vmm)
    if not isinstance(a, dict) or not isinstance(b, dict) or not b[name]:
        return '-'
    return f'{a[name] / b[name]:.2f}'


def table(out, title, rows, columns, label):
    """One line for each row and VMM that it was measured with."""
    out.append(f'{title}\n{"-" * len(title)}')
    head = [label, 'VMM', *(text for _, text in columns), 'to sid', 'to floor']
    body, notes = [], []
    for key, row in rows.items():
        for vmm, cell in row.items():
            start = [str(key) if vmm == 'ours' or 'ours' not in row else '',
                     vmm]
            if not isinstance(cell, dict):
                if cell != 'not measured':
                    notes.append(f'{key}, {vmm}: {cell}')
                    body.append(start + ['fails'] * len(columns) + ['', ''])
                continue
            body.append(start + [number(cell[name]) for name, _ in columns] +
                        ([ratio(row, v, columns[-1][0])
                          for v in ('sid', 'floor')]
                         if vmm == 'ours' else ['', '']))
    width = [max(len(x[i]) for x in [head, *body]) for i in range(len(head))]
    for x in [head, *body]:
        out.append('  '.join(
            text.ljust(w) if i < 2 else text.rjust(w)
            for i, (text, w) in enumerate(zip(x, width))).rstrip())
    out += [f'  {n}' for n in notes] + ['']


def text(lines, families):
    out = list(dict.fromkeys(f'{x["vmm"]}: {x["text"]}' for x in lines
                             if x['part'] == 'version'))
    version = next(x for x in lines if x['part'] == 'version')
    out += [f'host: Linux {version["kernel"]}, emulated',
            f'machine: {version["machine"]}', '']
    exits = [('ioctls', 'ioctls'), ('hypercalls', 'hypercalls'), ('us', 'us'),
             ('user', 'user'), ('kernel', 'kernel'),
             ('instructions', 'instructions')]
    wanted = {
        'core': ('Cost of an exit, scheduler core', 'kind', exits),
        'root': ('Cost of an exit, scheduler root', 'kind', exits),
        'starts': ('From exec to ...', 'to', [
            ('ioctls', 'ioctls'), ('hypercalls', 'hypercalls'),
            ('instructions', 'Minsns'), ('ms', 'ms')]),
        'vcpus': ('A VM with more vCPUs: start and memory', 'vCPUs', [
            ('ms', 'ms'), ('instructions', 'Minsns'),
            ('private', 'private KiB'), ('rss', 'RSS KiB')]),
        'smp': ('vCPUs that exit together', 'vCPUs', [
            ('instructions', 'instructions'), ('rate', 'exits/s')]),
        'smis': ('An SMI, beside so many vCPUs in all', 'vCPUs', [
            ('ioctls', 'ioctls'), ('hypercalls', 'hypercalls'),
            ('us', 'us'), ('user', 'user'), ('kernel', 'kernel')]),
        'vms': ('VMs together: each starts and exits 200 times', 'VMs', [
            ('ms', 'ms/VM'), ('instructions', 'Minsns/VM')]),
    }
    for name, (title, label, columns) in wanted.items():
        if families[name]:
            table(out, title, families[name], columns, label)
    return '\n'.join(out)


# ---- Plots ----

def bars(pyplot, path, rows, name, title, unit):
    figure, axes = pyplot.subplots(figsize=(9, 0.45 * len(rows) + 1.5))
    for i, vmm in enumerate(VMMS):
        cells = [row.get(vmm) for row in rows.values()]
        axes.barh([j + (i - 1) * 0.27 for j in range(len(rows))],
                  [c[name] if isinstance(c, dict) else 0 for c in cells],
                  height=0.25, label=TITLES[vmm])
    axes.set_yticks(range(len(rows)), [str(k) for k in rows])
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.set_title(title)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def curves(pyplot, path, rows, names, label):
    figure, all_axes = pyplot.subplots(1, len(names), squeeze=False,
                                       figsize=(5 * len(names), 3.6))
    for axes, (name, unit) in zip(all_axes[0], names):
        for vmm in VMMS:
            points = [(k, row[vmm][name]) for k, row in rows.items()
                      if isinstance(row.get(vmm), dict)]
            if points:
                axes.plot(*zip(*points), marker='o', label=TITLES[vmm])
        axes.set_xlabel(label)
        axes.set_ylabel(unit)
        axes.set_ylim(bottom=0)
        axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def plots(directory, families):
    try:
        import matplotlib               # pylint: disable=C0415
    except ImportError:
        print('tests/bench: no plots: python3-matplotlib is missing '
              '(scripts/setup bench)', file=sys.stderr)
        return
    matplotlib.use('svg')
    from matplotlib import pyplot       # pylint: disable=C0415

    def path(name):
        return os.path.join(directory, f'{name}.svg')

    for scheduler in ('core', 'root'):
        if families[scheduler]:
            bars(pyplot, path(f'exits-{scheduler}'), families[scheduler],
                 'instructions', f'Cost of an exit, scheduler {scheduler}',
                 "the host's instructions")
    if families['starts']:
        bars(pyplot, path('starts'), families['starts'], 'ms',
             'From exec to ...', 'ms in the emulated host')
    if families['vcpus']:
        curves(pyplot, path('vcpus'), families['vcpus'],
               [('ms', 'ms to the first instruction'),
                ('private', 'private KiB')], 'vCPUs')
    if families['smp']:
        curves(pyplot, path('smp'), families['smp'],
               [('rate', 'exits a second, all together'),
                ('instructions', 'instructions an exit')], 'vCPUs')
    if families['vms']:
        curves(pyplot, path('vms'), families['vms'],
               [('ms', 'ms for each VM'),
                ('instructions', 'million instructions for each VM')], 'VMs')


def main():
    directory = sys.argv[1]
    with open(os.path.join(directory, 'results.json'), encoding='ascii') as f:
        lines = json.load(f)
    families = {
        **{s: family([x for x in lines if x['scheduler'] == s], 'exit', 'kind',
                     per_exit) for s in ('core', 'root')},
        'starts': family(lines, 'start', 'to', costs),
        'vcpus': family(lines, 'vcpus', 'cpus', growth),
        'smp': family(lines, 'smp', 'cpus', rates),
        'smis': family(lines, 'smi', 'cpus', per_exit),
        'vms': family(lines, 'vms', 'vms', each),
    }
    report = text(lines, families)
    with open(os.path.join(directory, 'report.txt'), 'w',
              encoding='ascii') as f:
        f.write(report + '\n')
    print(report)
    plots(directory, families)


main()
