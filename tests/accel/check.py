#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mshv-check: each thing that a host can lack, once. What runs without the
hypervisor is in tests/host/mshv-host.test."""

import json
import os
import subprocess
import tempfile
from vm import TOP, Tap

CHECK = os.path.join(TOP, 'build', 'tools', 'tools', 'mshv-check')
MODULE = '/run/mshv-host/mshv_root.ko'
NEEDED = ['hypervisor', 'privilege', 'kernel', 'driver', 'node', 'permission',
          'abi', 'partition']
# A hypervisor without memory, for one ioctl.
REFUSE = r'''
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "mshv/uapi.h"
int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *what = va_arg(args, void *);
    va_end(args);
    if (request == MSHV_CREATE_PARTITION) {
        errno = ENOMEM;
        return -1;
    }
    return syscall(SYS_ioctl, fd, request, what);
}
'''


def ask(*options, before=(), **variables):
    """(exit status, {check: what was found})"""
    done = subprocess.run([*before, CHECK, '--json', *options], text=True,
                          env=os.environ | variables, capture_output=True,
                          check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {line['check']: line for line in lines}


def lacks(name, status, words, *options, **how):
    """That question fails with a remedy, and those behind it are not asked."""
    got, found = ask(*options, **how)
    said = found.get(name, {})
    asked = [n for n in NEEDED if n in found]
    Tap.ok(got == status and said.get('result') == 'fails' and
           said.get('remedy') and words in said['found'] and
           asked == NEEDED[:NEEDED.index(name) + 1],
           f'without {name}: status {status}, and what to do', (got, found))


def warns(root, name, words):
    got, found = ask('--root', root)
    said = found[name]
    Tap.ok(got == 13 and said['result'] == 'warning' and said['remedy'] and
           words in said['found'], f'{name}: a warning', said)


def needed(directory):
    got, found = ask()
    Tap.ok(got == 0 and all(found[n]['result'] == 'ok' for n in NEEDED),
           'a host that has all: status 0', (got, found))
    lacks('kernel', 12, '2.6', before=['setarch', '--uname-2.6'])
    lacks('node', 14, 'No such file', '--device', f'{directory}/none')
    lacks('node', 14, 'no device node', '--device', '/proc/misc')
    lacks('permission', 15, 'Permission denied',
          before=[os.path.join(TOP, 'tests', 'lib', 'as-nobody')])
    lacks('abi', 16, 'does not speak', '--device', '/dev/null')
    library = f'{directory}/refuse.so'
    subprocess.run(['cc', '-shared', '-fPIC', '-I', f'{TOP}/include', '-o',
                    library, '-x', 'c', '-'], input=REFUSE, text=True,
                   check=True)
    lacks('partition', 17, 'Cannot allocate memory', LD_PRELOAD=library)
    if not os.path.exists(MODULE):
        Tap.skip('without driver', 'it is not taken away from a real host')
        return
    subprocess.run(['rmmod', 'mshv_root'], check=True)
    lacks('driver', 13, 'not loaded')
    subprocess.run(['insmod', MODULE], check=True)
    Tap.equal(ask()[0], 0, 'and with it again')


def put(root, path, text=''):
    os.makedirs(os.path.dirname(f'{root}/{path}'), exist_ok=True)
    with open(f'{root}/{path}', 'w', encoding='ascii') as f:
        f.write(text)


def advised(root):
    """A tree that stands for a host's: none has a driver."""
    warns(root, 'vhost-net', 'No such file')
    put(root, 'dev/kvm')
    warns(root, 'kvm', 'not hyperv')
    put(root, 'proc/meminfo', 'MemTotal: 9 kB\nMemAvailable: 204800 kB\n')
    warns(root, 'memory', '200 MiB')
    cache = 'var/cache/libvirt/qemu/capabilities'
    put(root, f'{cache}/a.xml', "<arch>x86_64</arch><flag name='mshv'/>")
    put(root, f'{cache}/b.xml', '<arch>aarch64</arch>')
    Tap.equal(ask('--root', root)[1]['libvirt']['result'], 'ok',
              'libvirt: a cache that is right')
    put(root, f'{cache}/c.xml', '<arch>x86_64</arch>')
    warns(root, 'libvirt', 'c.xml')


def text():
    done = subprocess.run([CHECK, '--device', '/dev/null'], text=True,
                          capture_output=True, check=False)
    lines = done.stdout.splitlines()
    Tap.ok(done.returncode == 16 and lines[0].startswith('ok ') and
           any(line.startswith('fails ') for line in lines) and
           any('-> ' in line for line in lines), 'the same for people', lines)
    done = subprocess.run([CHECK, 'word'], text=True, capture_output=True,
                          check=False)
    Tap.equal((done.returncode, done.stderr.count('\n')), (2, 1),
              'an argument: one line, status 2')


def main():
    with tempfile.TemporaryDirectory() as directory:
        needed(directory)
        advised(directory)
    text()
    Tap.end()


main()
