#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real libvirt: what seldom becomes of a domain, as a user's session, as
KubeVirt has it.

Usage: fates.py [refusals|ends|firmware|sleep|migrate]...
"""

import os
import subprocess
import sys

from vm import Tap, until
from domains import disk, domain
from virt import USER, Daemon, Domain, Host, appears, check, enter, same

# What QEMU unpacks itself is loaded anew at each reset, and S3 ends with one.
PACKED = """<kernel>/guest/vmlinuz</kernel><initrd>/guest/initrd.img</initrd>
<cmdline>console=ttyS0 quiet panic=-1 modules=virtio_pci,efivarfs</cmdline>"""


def started(daemon, name, **options):
    # Of a test that failed.
    for left in daemon.virsh('list', '--name').split():
        daemon.virsh('destroy', left)
    vm = Domain(daemon, name, domain(name, **options))
    vm('start')
    vm.attach()
    return vm


def ended(vm, *options):
    vm.detach()
    if vm('domstate') not in ('shut off', 'crashed'):
        vm('destroy')
    vm('undefine', *options)


# ---- Ends that nobody asked for ----

def watchdog(daemon):
    vm = started(daemon, 'watchdog', modules='i6300esb',
                 devices="<watchdog model='i6300esb' action='pause'/>")
    appears(vm, '/dev/watchdog')
    vm.console.type('watchdog -T 2 -t 1000 /dev/watchdog')
    same('state', vm.becomes('paused (watchdog)', 30), 'paused (watchdog)')
    ended(vm)


def panic(daemon):
    vm = started(daemon, 'panic', modules='pvpanic-pci',
                 devices="<panic model='pvpanic'/>", on_crash='preserve')
    vm.console.type('echo c >/proc/sysrq-trigger')
    same('state', vm.becomes('crashed (panicked)', 30), 'crashed (panicked)')
    vm('dump', '/shared/core', '--memory-only')
    path = f'{daemon.host.root}/shared/core'
    same('a dump', os.path.getsize(path) > 256 << 20, True)
    os.unlink(path)
    ended(vm)


def killed(daemon):
    vm = started(daemon, 'killed')
    os.kill(vm.pid(), 9)
    same('state', vm.becomes('shut off (crashed)', 30), 'shut off (crashed)')
    ended(vm)


def outlives(daemon):
    """The daemon goes and comes; domains stay."""
    vm = started(daemon, 'outlives')
    vm.run('echo kept >/tmp/file')
    vm.detach()
    daemon.stop()
    daemon.start()
    same('state', vm.state(), 'running (booted)')
    vm.attach()
    same('the guest', vm.run('cat /tmp/file'), 'kept')
    ended(vm)


def ends(base):
    daemon = Daemon(Host(base, 'ends'), USER)
    daemon.start()
    check('a watchdog that is not fed pauses the domain', watchdog, daemon)
    check('a panic is told by pvpanic, and can be dumped', panic, daemon)
    check('QEMU is killed: the domain is off', killed, daemon)
    check('a domain outlives the daemon', outlives, daemon)
    daemon.stop()


# ---- What cannot be had ----

def cpu_flags():
    with open('/proc/cpuinfo', encoding='ascii') as f:
        return f.read().split()


def refusals(base):
    """Each by its name, not ignored."""
    daemon = Daemon(Host(base, 'refusals'), USER)
    daemon.start()
    for name, words, options in (
            ('a TSC frequency', 'tsc-frequency is not possible', {
                'timers': "<timer name='tsc' frequency='1234567'/>"}),
            ('invariant TSC', 'invariant TSC', {
                'cpu': "<cpu mode='host-passthrough' check='full'><feature "
                       "policy='require' name='invtsc'/></cpu>"}),
            ('nested virtualization', 'svm', {
                'cpu': "<cpu mode='custom' match='exact' check='full'>"
                       "<model>qemu64</model><feature policy='require' "
                       "name='svm'/></cpu>"})):
        if name == 'invariant TSC' and 'nonstop_tsc' in cpu_flags():
            Tap.skip(name, 'it has one')
            continue
        vm = Domain(daemon, 'refused', domain('refused', **options))
        said = daemon.refused('start', 'refused')
        Tap.ok(words in (said or ''), f'{name} is refused by name', said)
        if vm('domstate') != 'shut off':
            vm('destroy')
        vm('undefine')
    daemon.stop()


# ---- Firmware ----

def loader(code, secure):
    return f"""<loader readonly='yes' secure='{secure}' type='pflash'
      >/usr/share/OVMF/{code}</loader>
      <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'/>{PACKED}"""


def efi(daemon, code, secure):
    features = '<acpi/><apic/>' + "<smm state='on'/>" * (secure == 'yes')
    vm = started(daemon, f'efi-{secure}', os=loader(code, secure),
                 features=features)
    appears(vm, '/sys/firmware/efi')
    place = f'{daemon.host.root}{daemon.home}/.config/libvirt/qemu/nvram'
    same('variables', os.listdir(place), [f'{vm.name}_VARS.fd'])
    ended(vm, '--nvram')
    same('variables', os.listdir(place), [])


def firmware(base):
    daemon = Daemon(Host(base, 'firmware'), USER)
    daemon.start()
    check('EFI; undefine with nvram', efi, daemon, 'OVMF_CODE_4M.fd', 'no')
    check('EFI with system management mode', efi, daemon,
          'OVMF_CODE_4M.secboot.fd', 'yes')
    daemon.stop()


# ---- S3 ----

def sleeps(daemon):
    vm = started(daemon, 'sleep', os=PACKED)
    vm.run('echo kept >/tmp/file')
    vm.console.type('echo mem >/sys/power/state; echo woken: $?')
    same('state', vm.becomes('pmsuspended (unknown)', 30),
         'pmsuspended (unknown)')
    vm('dompmwakeup')
    vm.console.wait_for('woken: 0', 100)
    same('state', vm('domstate'), 'running')
    vm.knock()
    same('the guest', vm.run('cat /tmp/file'), 'kept')
    ended(vm)


def sleep(base):
    daemon = Daemon(Host(base, 'sleep'), USER)
    daemon.start()
    check('S3, seen by libvirt, and dompmwakeup', sleeps, daemon)
    daemon.stop()


# ---- Live migration, peer to peer, by sockets as KubeVirt's ----

FLAGS = '--live', '--p2p', '--migrateuri', 'unix:///shared/stream'


def uri():
    return 'qemu+unix:///session?socket=/peer/libvirt-sock'


def travels(source, target, *options):
    """There, and the guest has noticed nothing."""
    vm = started(source, 'travels', devices=disk('/shared/disk.raw'))
    vm.run('echo kept >/tmp/file; echo disk >/dev/vda; sync')
    vm.console.type('i=0; while :; do i=$((i + 1)); echo $i >/tmp/count; '
                    'done &')
    vm.knock()
    vm('migrate', uri(), *FLAGS, *options)
    vm.detach()
    same('at the source', source.virsh('list', '--all', '--name'), '')
    vm.daemon = target
    same('at the target', vm.state(), 'running (migrated)')
    vm.attach()
    same('memory', vm.run('cat /tmp/file'), 'kept')
    same('disk', vm.run('head -c 4 /dev/vda'), 'disk')
    before = vm.run('cat /tmp/count')
    same('it runs on', until(lambda: vm.run('cat /tmp/count') != before, 10),
         True)
    ended(vm)


def stays(source, target):
    """Refused by a target that cannot, the guest runs on where it is."""
    vm = started(source, 'stays', devices=disk('/shared/disk.raw'))
    path = f'{target.host.root}/dev/mshv'
    os.rename(path, f'{path}-away')
    said = source.refused('migrate', 'stays', uri(), *FLAGS)
    os.rename(f'{path}-away', path)
    same('the reason', 'cannot open /dev/mshv' in (said or ''), True)
    same('state', vm('domstate'), 'running')
    same('the guest', vm.run('echo here'), 'here')
    same('at the target', target.virsh('list', '--all', '--name'), '')
    ended(vm)


def aborted(source, target):
    vm = started(source, 'aborted', devices=disk('/shared/disk.raw'))
    vm('migrate-setspeed', '1')
    move = subprocess.Popen(
        source.host.command('virsh', '-c', source.uri, 'migrate', 'aborted',
                            uri(), *FLAGS, **source.variables),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)
    same('a job', until(lambda: 'Outgoing migration' in vm('domjobinfo'), 10,
                        0.2), True)
    vm('domjobabort')
    said = move.communicate()[1]
    same('refused', (move.returncode, 'cancel' in said), (1, True))
    same('state', vm('domstate'), 'running')
    same('the guest', vm.run('echo here'), 'here')
    same('at the target', target.virsh('list', '--all', '--name'), '')
    ended(vm)


def migrate(base):
    source = Daemon(Host(base, 'source'), USER)
    target = Daemon(Host(base, 'target'), USER)
    with open(f'{base}/shared/disk.raw', 'wb') as f:
        f.truncate(16 << 20)
    os.chown(f'{base}/shared/disk.raw', USER, USER)
    source.start()
    target.start()
    source.host.sees(target)
    check('peer to peer, persistent there and undefined here', travels, source,
          target, '--persistent', '--undefinesource', '--auto-converge')
    check('a target that cannot', stays, source, target)
    check('aborted', aborted, source, target)
    source.stop()
    target.stop()


PARTS = {'refusals': refusals, 'ends': ends, 'firmware': firmware,
         'sleep': sleep, 'migrate': migrate}


def main():
    base = enter()
    for part in sys.argv[1:] or PARTS:
        PARTS[part](base)
    Tap.end()


if __name__ == '__main__':
    main()
