#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The real libvirt, with domains of type 'hyperv': what it finds out, and all that
can become of a domain, as a user's session, as KubeVirt has it. Only if named: the
whole life, of the system's daemon and of a session's.

Usage: libvirt.py [probe|life|system|session]...
"""

import os
import re
import subprocess
import sys

from vm import Tap, until
from domains import CDROM, disk, domain, interface
from virt import (IMAGES, USER, Daemon, Domain, Host, appears, check, enter,
                  image, same)

CAPABILITIES = 'domcapabilities', '--virttype', 'hyperv', '--machine', 'q35'


# ---- What libvirt finds out of QEMU and the host ----

def offers(daemon):
    text = daemon.virsh(*CAPABILITIES)
    same('type', '<domain>hyperv</domain>' in text, True)
    same('host-model', "<mode name='host-model' supported='yes'>" in text, True)
    return text


def both_at_once(system, session):
    """Cold, each asks the QEMU that it starts."""
    def ask(daemon):
        return subprocess.Popen(
            daemon.host.command('virsh', '-q', '-c', daemon.uri, *CAPABILITIES,
                                **daemon.variables),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    answers = []
    for process in [ask(d) for d in (system, session) for _ in range(3)]:
        answers.append(process.communicate()[0].strip())
    same('different answers', len(set(answers)), 1)
    same('the answer', answers[0], offers(system))


def remembers(daemon):
    before = offers(daemon)
    daemon.stop()
    daemon.start()
    same('what it remembers', offers(daemon), before)


def without_node(daemon):
    """The trap that docs/system/install.rst tells of."""
    path = f'{daemon.host.root}/dev/mshv'
    daemon.stop()
    daemon.forget()
    os.rename(path, f'{path}-away')
    daemon.start()
    said = daemon.refused(*CAPABILITIES)
    same('without the node', 'mshv' in (said or ''), True)
    same('tcg', '<domain>qemu</domain>' in
         daemon.virsh('domcapabilities', '--machine', 'q35'), True)
    os.rename(f'{path}-away', path)
    same('remembered', bool(daemon.refused(*CAPABILITIES)), True)
    daemon.stop()
    daemon.forget()
    daemon.start()
    offers(daemon)


def labels(daemon):
    """What KubeVirt's node labeller asks, all with exit status 0."""
    done = daemon.host.run(
        'sh', '-ec', 'ask="--machine q35 --arch x86_64 --virttype hyperv"\n'
        'virsh domcapabilities $ask >/tmp/capabilities.xml\n'
        'virsh domcapabilities $ask | virsh hypervisor-cpu-baseline '
        '--features /dev/stdin $ask >/tmp/features.xml\n'
        'virsh capabilities >/tmp/host.xml\n'
        'virsh hypervisor-cpu-compare $ask /tmp/features.xml\n'
        'cat /tmp/features.xml', **daemon.variables)
    same('exit status', (done.returncode, done.stderr), (0, ''))
    for name in ('sse2', 'lm', 'x2apic', 'hypervisor'):
        same(name, f"<feature policy='require' name='{name}'/>" in done.stdout,
             True)
    same('never', re.findall("require' name='((?:vmx|svm|sgx|ia64)[^']*)",
                             done.stdout), [])


def secure_boot(daemon):
    """Of q35: the machine has SMM, and the tree a firmware that needs it."""
    found = re.search("<enum name='secure'>(.*?)</enum>",
                      daemon.virsh(*CAPABILITIES), re.S)
    same('secure', found and sorted(re.findall('<value>(.*?)</value>',
                                               found[1])), ['no', 'yes'])


def probe(base):
    host = Host(base, 'probe')
    system, session = Daemon(host), Daemon(host, USER)
    system.start()
    session.start()
    check('at once, as the system and as a user, cold: hyperv is offered',
          both_at_once, system, session)
    check('again, from the cache', remembers, session)
    check('secure boot is offered', secure_boot, session)
    check("KubeVirt's node labeller is served", labels, session)
    check('without /dev/mshv it is not offered, and not before the cache is '
          'removed', without_node, session)
    session.stop()
    system.stop()


# ---- A domain's whole life ----

def starts(vm):
    vm('start')
    same('state', vm.state(), 'running (booted)')
    vm.attach()
    same('nproc', vm.run('nproc'), '1')
    where = f'/proc/{vm.pid()}'
    with open(f'{where}/comm', encoding='ascii') as f:
        same("the process's name", f.read().startswith('qemu-system'), True)
    names = []
    for task in os.listdir(f'{where}/task'):
        with open(f'{where}/task/{task}/comm', encoding='ascii') as f:
            names.append(f.read())
    same("the CPU's thread", [n for n in names if n.startswith('CPU ')],
         ['CPU 0/MSHV\n'])
    same('-accel', '-accel mshv' in vm.log(), True)
    same('complaints', re.findall('.*(?:warning|error):.*', vm.log()), [])


def pauses(vm):
    vm('suspend')
    same('state', vm.state(), 'paused (user)')
    vm('resume')
    same('state', vm.state(), 'running (unpaused)')
    same('the guest', vm.run('echo here'), 'here')


def keys(vm):
    vm.run('dmesg -n 7; echo 1 >/proc/sys/kernel/sysrq')
    vm('send-key', 'KEY_LEFTALT', 'KEY_SYSRQ', 'KEY_H')
    vm.console.wait_for('sysrq: HELP', 30)
    vm.run('dmesg -n 1')


def nmi(vm):
    def count():
        """The kernel complains of it, in between."""
        said = vm.run("awk '/^ *NMI:/ {print \"NMIs \" $2}' /proc/interrupts")
        return int(re.search(r'NMIs (\d+)', said)[1])

    before = count()
    vm('inject-nmi')
    same('more NMIs', until(lambda: count() > before, 10), True)


def pictures(vm):
    vm('screenshot', '/tmp/screen')
    with open(f'{vm.daemon.host.root}/tmp/screen', 'rb') as f:
        same('a picture', f.read(2) in (b'P6', b'\x89P'), True)


def statistics(vm):
    text = vm('domstats')
    for name in ('state.state=1', 'vcpu.current=1', 'vcpu.0.state=1',
                 'balloon.current=262144', 'block.count=2', 'block.0.rd.reqs=',
                 'vm.calls-run-vp', 'vcpu.0.exits-io-port'):
        if name not in text:
            raise AssertionError(f'no {name} in {text}')
    same('vcpuinfo', re.search(r'State: +running', vm('vcpuinfo')) is not None,
         True)


def processors(vm):
    vm('setvcpus', '3', '--live')
    for name in 'cpu1', 'cpu2':
        appears(vm, f'/sys/devices/system/cpu/{name}')
    vm.run('echo 1 >/sys/devices/system/cpu/cpu1/online; '
           'echo 1 >/sys/devices/system/cpu/cpu2/online')
    same('nproc', vm.run('nproc'), '3')
    vm('setvcpus', '1', '--live')
    same('nproc after the unplug', vm.run('nproc'), '1')
    same('count', vm('vcpucount', '--live', '--current'), '1')


def memory(vm):
    total = "awk '/^MemTotal/ {print $2}' /proc/meminfo"
    vm('setmem', '200MiB', '--live')
    same('less', until(lambda: int(vm.run(total)) < 200 << 10), True)
    vm('setmem', '256MiB', '--live')
    same('more', until(lambda: int(vm.run(total)) > 200 << 10), True)


def plugs(vm):
    """A disk and a NIC come and go."""
    image(vm.daemon.host, 'plug.raw', 'raw')
    vm('attach-device', vm.daemon.xml(disk(f'{IMAGES}/plug.raw', 'vdb')),
       '--live')
    appears(vm, '/dev/vdb')
    same('written', vm.run('echo hello >/dev/vdb; sync; head -c 5 /dev/vdb'),
         'hello')
    vm('detach-disk', 'vdb', '--live')
    appears(vm, '/dev/vdb', False)
    with open(f'{vm.daemon.host.root}{IMAGES}/plug.raw', 'rb') as f:
        same('in the file', f.read(5), b'hello')
    nic = vm.daemon.xml(interface())
    vm('attach-device', nic, '--live')
    appears(vm, '/sys/class/net/eth0')
    same('address', vm.run('cat /sys/class/net/eth0/address'),
         '52:54:00:00:00:01')
    vm('detach-device', nic, '--live')
    appears(vm, '/sys/class/net/eth0', False)


def media(vm):
    image(vm.daemon.host, 'cd.raw', 'raw', b'a disc')
    read = 'head -c 6 /dev/sr0'
    vm('change-media', 'sda', f'{IMAGES}/cd.raw', '--insert', '--live')
    same('its content', until(lambda: vm.run(read) == 'a disc', 10), True)
    vm('change-media', 'sda', '--eject', '--live')
    same('ejected', until(lambda: 'a disc' not in vm.run(read), 10), True)


def is_kept(vm, word, save, restore):
    vm.run(f'echo {word} >/tmp/file')
    save()
    same('state', vm.state(), 'shut off (saved)')
    restore()
    same('state', vm.state(), 'running (restored)')
    vm.attach()
    same('the guest', vm.run('cat /tmp/file'), word)


def saves(vm):
    """The guest finds itself where it was."""
    is_kept(vm, 'kept', lambda: vm('save', '/shared/saved'),
            lambda: vm.daemon.virsh('restore', '/shared/saved'))


def saves_managed(vm):
    is_kept(vm, 'kept 2', lambda: vm('managedsave'), lambda: vm('start'))


def resets(vm):
    vm.run('echo lost >/tmp/file')
    vm('reset')
    vm.knock()
    same('the file', vm.run('cat /tmp/file 2>/dev/null'), '')


# The shell waits for the power button, and powers off.
BUTTON = """for e in /sys/class/input/event*; do
grep -q 'Power Button' $e/device/name && break; done
(head -c 24 /dev/input/${e##*/} >/dev/null; poweroff -f) &"""


def reboots(vm):
    """libvirt presses the button, and starts the guest again itself."""
    vm.run(BUTTON)
    vm('reboot', '--mode', 'acpi')
    vm.console.wait_for('Power down', 60)
    vm.knock()
    same('state', vm('domstate'), 'running')


def shuts_down(vm):
    vm.run(BUTTON)
    vm('shutdown', '--mode', 'acpi')
    same('state', vm.becomes('shut off (shutdown)', 30), 'shut off (shutdown)')


def dumps(vm):
    vm('dump', '/shared/core', '--memory-only')
    path = f'{vm.daemon.host.root}/shared/core'
    with open(path, 'rb') as f:
        same('ELF', f.read(4), b'\x7fELF')
    same('all of the memory', os.path.getsize(path) > 256 << 20, True)
    os.unlink(path)
    same('the guest', vm.run('echo here'), 'here')


def snapshots(vm):
    vm.run('echo first >/tmp/file; echo first >/dev/vda; sync')
    vm('snapshot-create-as', 'one')
    vm.run('echo second >/tmp/file; echo second >/dev/vda; sync')
    vm('snapshot-revert', 'one')
    vm.attach()
    same('memory', vm.run('cat /tmp/file'), 'first')
    same('disk', vm.run('head -c 5 /dev/vda'), 'first')
    vm('snapshot-delete', 'one')
    same('snapshots', vm('snapshot-list', '--name'), '')


def overlays(vm):
    """An external snapshot, and the disk made one again."""
    vm.run('echo lower >/dev/vda; sync')
    vm('snapshot-create-as', 'two', '--disk-only', '--no-metadata',
       '--diskspec', f'vda,file={IMAGES}/over.qcow2', '--diskspec',
       'sda,snapshot=no')
    vm.run('echo upper >/dev/vda; sync')
    same('disk', 'over.qcow2' in vm('domblklist'), True)
    vm('blockcommit', 'vda', '--active', '--pivot', '--wait')
    same('disk', 'vda.qcow2' in vm('domblklist'), True)
    same('content', vm.run('head -c 5 /dev/vda'), 'upper')


def copies(vm):
    vm.run('echo copied >/dev/vda; sync')
    vm('blockcopy', 'vda', f'{IMAGES}/copy.qcow2', '--format', 'qcow2',
       '--transient-job', '--wait', '--pivot')
    same('disk', 'copy.qcow2' in vm('domblklist'), True)
    same('content', vm.run('head -c 6 /dev/vda'), 'copied')


def life_of(base, name, user, steps):
    """One domain, from define to undefine."""
    host = Host(base, name)
    daemon = Daemon(host, user)
    daemon.start()
    subprocess.run(['ip', 'tuntap', 'add', 'tap0', 'mode', 'tap', 'user',
                    'root' if not user else str(user)], check=True)
    image(host, 'vda.qcow2', 'qcow2')
    vm = Domain(daemon, 'life', domain(
        'life', disk(f'{IMAGES}/vda.qcow2', kind='qcow2') + CDROM,
        modules='ahci,virtio_blk,virtio_net,virtio_balloon,sr_mod,evdev,button'))
    if check(f'{name}: it starts: console, threads, no complaint', starts, vm):
        for what, test in steps:
            check(f'{name}: {what}', test, vm)
    vm.detach()
    check(f'{name}: it is undefined', ends, vm)
    daemon.stop()
    subprocess.run(['ip', 'link', 'del', 'tap0'], check=True)


def ends(vm):
    if vm('domstate') != 'shut off':
        vm('destroy')
        same('state', vm.state(), 'shut off (destroyed)')
    vm('undefine', '--managed-save')
    same('domains', vm.daemon.virsh('list', '--all'), '')


BRIEF = (
    ('suspend and resume', pauses), ('send-key', keys), ('inject-nmi', nmi),
    ('screenshot', pictures), ('domstats, ours among them', statistics),
    ('setvcpus, up and down', processors),
    ('a disk and a NIC come and go', plugs), ('change-media', media),
    ('save and restore', saves), ('shutdown', shuts_down),
)
WHOLE = BRIEF[:-1] + (
    ('setmem', memory), ('dump', dumps), ('managedsave', saves_managed),
    ('internal snapshot', snapshots),
    ('external snapshot and blockcommit', overlays), ('blockcopy', copies),
    ('reset', resets), ('reboot', reboots),
    ('shutdown', shuts_down),
)


def life(base):
    life_of(base, 'life', USER, BRIEF)


def system(base):
    life_of(base, 'system', 0, WHOLE)


def session(base):
    life_of(base, 'session', USER, WHOLE)


PARTS = {'probe': probe, 'life': life}
NAMED = {'system': system, 'session': session}


def main():
    base = enter()
    for part in sys.argv[1:] or PARTS:
        (PARTS | NAMED)[part](base)
    Tap.end()


if __name__ == '__main__':
    main()
