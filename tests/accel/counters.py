#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The counters in the memfd of each QEMU, as docs/devel/counters.rst lays them
out: complete, sealed, the same as those of query-stats, and cheap.

The layout here is written anew, so that a mistake in include/mshv/counters.h shows.
"""

import collections
import fcntl
import mmap
import os
import struct
import tempfile
import time
from vm import QEMU, Tap, Vm, firmware, guest, until

NAME = '/memfd:mshv-counters (deleted)'
F_GET_SEALS, SHRINK_GROW_SEAL, FUTURE_WRITE = 1034, 0x7, 0x10
MAGIC, VERSION = 0x73746e632d76736d, 1
PRELAUNCH, RUNNING, PAUSED, MIGRATING, INTERNAL_ERROR = 0, 1, 2, 3, 7
IOEVENTFD, IRQFD, DIRTY_LOG, CLOCK = range(4)
CALLS = '''create-partition initialize-partition create-vp set-guest-memory irqfd
ioeventfd set-msi-routing get-gpap-access-bitmap run-vp get-vp-state set-vp-state
other-hvcall get-partition-property get-partition-property-ex
set-partition-property install-intercept get-vp-registers set-vp-registers
translate-virtual-address clear-virtual-interrupt register-intercept-result
assert-virtual-interrupt get-gpa-pages-access-states signal-event-direct
post-message-direct get-vp-cpuid-values'''.split()
EXITS = {0x80000000: 'unmapped-gpa', 0x80000001: 'gpa-intercept',
         0x80010000: 'io-port', 0x80010001: 'msr', 0x80010002: 'cpuid',
         0x80010003: 'exception', 0x80010004: 'apic-eoi', 0x80010007: 'halt',
         0x80010008: 'interruption-deliverable', 0x8001000b: 'apic-smi',
         0x80010009: 'sipi', 0x8001000d: 'apic-init-sipi',
         0x80000020: 'invalid-vp-register', 0x80000021: 'triple-fault',
         0x80000022: 'unsupported-feature', 0x80000050: 'hypercall'}
TEXT = {'name': (0, 128), 'uuid': (128, 16)}
SHORT = {'flags': 144, 'state': 148}
LONG = {name: 152 + 8 * i for i, name in enumerate(
    '''start first-exit first-interrupt regions bytes dirty-passes dirty-pages
    pic irqfds ioeventfds passthrough vps'''.split())}
FALLBACKS, REFUSED, OTHER_MSRS = 248, 376, 504
REFUSALS = 'msi smi irqfd routes ioeventfd memory tracking'.split()
UUID = '12345678-1234-5678-9abc-def012345678'


def descriptors(pid):
    """Those of the counters that a process has open."""
    directory = f'/proc/{pid}/fd'
    return [f'{directory}/{fd}' for fd in os.listdir(directory)
            if os.readlink(f'{directory}/{fd}') == NAME]


class Counters:
    """The counters of one QEMU, mapped."""

    def __init__(self, pid):
        path, = descriptors(pid)
        self.fd = os.open(path, os.O_RDONLY)
        self.page = mmap.mmap(self.fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
        (self.magic, self.version, self.size, self.at_vm, self.vm_size,
         self.at_call, self.call_size, self.call_count, self.at_vp,
         self.vp_size, self.vp_count, self.at_msr, self.msr_size,
         self.msr_count) = struct.unpack_from('=Q13I', self.page)

    def long(self, at):
        return struct.unpack_from('=Q', self.page, at)[0]

    def __getitem__(self, name):
        if name in TEXT:
            at, size = TEXT[name]
            return self.page[self.at_vm + at:self.at_vm + at + size]
        if name in SHORT:
            return struct.unpack_from('=I', self.page,
                                      self.at_vm + SHORT[name])[0]
        return self.long(self.at_vm + LONG[name])

    def fallback(self, which):
        return self.long(self.at_vm + FALLBACKS + 8 * which)

    def calls(self):
        """As query-stats has them, without those that run a VP."""
        all_ = {}
        for i, name in enumerate(CALLS):
            at = self.at_call + i * self.call_size
            all_[f'calls-{name}'] = self.long(at)
            all_[f'errors-{name}'] = self.long(at + 8)
        return all_

    def refusals(self):
        """Of the kernel, and of MSRs; as query-stats has them."""
        all_ = {f'refused-{name}': self.long(self.at_vm + REFUSED + 8 * i)
                for i, name in enumerate(REFUSALS)}
        all_['unknown-msr-others'] = self.long(self.at_vm + OTHER_MSRS)
        for i in range(self.msr_count):
            number, _, count = struct.unpack_from(
                '=2IQ', self.page, self.at_msr + i * self.msr_size)
            if count:
                all_[f'unknown-msr-{number:#x}'] = count
        return all_

    def vp(self, i):
        """The same of one VP; nothing if there is none."""
        at = self.at_vp + i * self.vp_size
        if not self.long(at):
            return {}
        kinds = {f'exits-{name}': 0 for name in [*EXITS.values(), 'other']}
        for row in range(16):
            type_, = struct.unpack_from('=I', self.page, at + 64 + 16 * row)
            kinds[f'exits-{EXITS.get(type_, "other")}'] += \
                self.long(at + 64 + 16 * row + 8)
        return {'kicks': self.long(at + 8), **kinds}


def busy(directory):
    return firmware(directory, '2: out %al, $0x80\njmp 2b\n')


def check_layout(vm, c):
    Tap.equal((c.magic, c.version, c.size, os.fstat(c.fd).st_size),
              (MAGIC, VERSION, c.size, c.size), 'magic, version and size')
    Tap.equal((c.vm_size, c.call_size, c.call_count, c.vp_size, c.vp_count,
               c.msr_size, c.msr_count), (512, 16, len(CALLS), 320, 256, 16,
                                          256), 'sizes and numbers of rows')
    seals = fcntl.fcntl(c.fd, F_GET_SEALS)
    Tap.equal(seals & (SHRINK_GROW_SEAL | FUTURE_WRITE),
              SHRINK_GROW_SEAL | FUTURE_WRITE, 'all seals are there')
    fd = os.open(f'/proc/self/fd/{c.fd}', os.O_RDWR)
    refused = 0
    for attempt in (lambda: mmap.mmap(fd, 0), lambda: os.pwrite(fd, b'x', 0),
                    lambda: os.ftruncate(fd, 0),
                    lambda: os.ftruncate(fd, 1 << 20)):
        try:
            attempt()
        except PermissionError:
            refused += 1
    os.close(fd)
    Tap.equal(refused, 4, 'nobody else can write, shrink or grow it')


def check_description(vm, c):
    Tap.equal((c['name'].rstrip(b'\0'), c['uuid'].hex()),
              (b'a_name', UUID.replace('-', '')), 'name and UUID')
    Tap.equal((c['flags'], c['state'], c['vps']), (2, PRELAUNCH, 2),
              'a VM that has not started')
    Tap.equal(c['first-exit'], 0, 'and has had no exit')
    now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    with open(f'/proc/{vm.process.pid}/stat', encoding='ascii') as f:
        ticks = int(f.read().rpartition(')')[2].split()[19])
    Tap.equal(c['start'], ticks * 10 ** 9 // os.sysconf('SC_CLK_TCK'),
              'when the process began')
    vm.qmp('cont')
    until(lambda: c['first-exit'], pause=0.01)
    Tap.ok(now <= c['first-exit'] <=
           time.clock_gettime_ns(time.CLOCK_BOOTTIME),
           'when the first exit was', c['first-exit'] - now)
    # 16 MiB of RAM, less what the firmware and the VGA window hide, and ROMs
    Tap.ok(15 << 20 <= c['bytes'] <= 24 << 20 and 3 <= c['regions'] <= 40,
           'mapped memory', (c['bytes'], c['regions']))
    Tap.equal(c['state'], RUNNING, 'it runs')


def check_moves(c):
    """Numbers of one CPU only grow, whoever looks."""
    at, last, grown = c.at_vp + 64, 0, 0
    for _ in range(20000):
        new = sum(c.long(at + 16 * row + 8) for row in range(16))
        if new < last:
            break
        grown += new > last
        last = new
    Tap.ok(new >= last and grown, 'exits are seen while it runs', grown)


def check_same(vm, c):
    vm.qmp('stop')
    Tap.equal(c['state'], PAUSED, 'it is paused')
    said = {name: value for name, value in vm.stats().items()
            if name.startswith(('calls-', 'errors-'))}
    read = c.calls()
    runs = sum(sum(c.vp(i).values()) for i in range(256))
    read['calls-run-vp'] = runs + read['errors-run-vp']
    # To ask makes no call.
    Tap.equal(read, said, 'calls and errors are those of query-stats')
    for cpu in vm.qmp('query-stats', target='vcpu',
                      providers=[{'provider': 'mshv'}]):
        number = int(cpu['qom-path'].split('[')[1].rstrip(']')) \
            if '[' in cpu['qom-path'] else 0
        said = {s['name']: s['value'] for s in cpu['stats']}
        Tap.equal(c.vp(number), said, f'exits of VP {number}, too')


def check_names(vm):
    """libvirt goes by the name alone."""
    names = collections.Counter(
        stat['name'] for schema in vm.qmp('query-stats-schemas')
        for stat in schema['stats'])
    Tap.ok(len(names) > 60 and max(names.values()) == 1,
           'names of query-stats are unique over all providers and targets',
           [n for n, count in names.items() if count > 1])


def ask(vm, target, **arguments):
    """The names of query-stats, by the path of what has them."""
    return {one.get('qom-path'): {s['name'] for s in one['stats']}
            for one in vm.qmp('query-stats', target=target, **arguments)
            if one['provider'] == 'mshv'}


def check_libvirt(vm):
    """What virsh domstats does: it learns the schema once, asks all of a VM and
    of its vCPUs, and shows what it has learnt, as vm.NAME.sum and so on."""
    known = {schema['target']: {s['name']: s['type'] for s in schema['stats']}
             for schema in vm.qmp('query-stats-schemas')
             if schema['provider'] == 'mshv'}
    vms, vcpus = ask(vm, 'vm'), ask(vm, 'vcpu')
    Tap.equal((sorted(known), list(vms), len(vcpus)),
              (['vcpu', 'vm'], [None], 2), 'a VM and its vCPUs have statistics')
    Tap.equal([vms[None] ^ set(known['vm']),
               *[names ^ set(known['vcpu']) for names in vcpus.values()]],
              [set()] * 3, 'all of them are in the schema')
    Tap.equal({kind for names in known.values() for kind in names.values()},
              {'cumulative', 'instant'}, 'as numbers that libvirt knows')
    # VIR_TYPED_PARAM_FIELD_LENGTH
    Tap.ok(max(len(f'vcpu.255.{name}.sum') for names in known.values()
               for name in names) < 80, 'no name is too long for it')
    path = sorted(vcpus)[1]
    Tap.equal((ask(vm, 'vcpu', vcpus=[path], providers=[
        {'provider': 'mshv', 'names': ['kicks', 'nothing']}]),
        ask(vm, 'vm', providers=[{'provider': 'kvm'}])),
              ({path: {'kicks'}}, {}), 'filters leave what they name')


def plain(directory):
    with Vm('-M', 'pc,pit=off', '-m', '16', '-smp', '2', '-bios',
            busy(directory), '-name', 'a_name', '-uuid', UUID, '-sandbox',
            'on,obsolete=deny,elevateprivileges=deny,spawn=deny,'
            'resourcecontrol=deny', paused=True) as vm:
        Tap.equal(vm.started, True, 'QEMU starts in its sandbox')
        c = Counters(vm.process.pid)
        check_layout(vm, c)
        check_description(vm, c)
        check_moves(c)
        check_same(vm, c)
        check_names(vm)
        check_libvirt(vm)
        pid = vm.process.pid
        vm.process.kill()
        vm.process.wait()
    # What is mapped here goes with us.
    Tap.ok(not os.path.exists(f'/proc/{pid}') and c['state'] == PAUSED,
           'a QEMU that was killed leaves nothing')


def fallbacks(directory):
    with Vm('-M', 'pc,pit=off', '-m', '16', '-bios', busy(directory)) as vm:
        c = Counters(vm.process.pid)
        Tap.equal([c.fallback(i) for i in range(8)], [0] * 8,
                  'no fallback is in use')
        vm.qmp('qom-set', path='/machine/accel', property='x-fail-ioctl',
               value='SET_PARTITION_PROPERTY:1')
        vm.qmp('stop')
        Tap.equal(c.fallback(CLOCK), 1, 'time that runs on is seen')
        vm.qmp('cont')
        vm.qmp('stop')
        Tap.equal(c.fallback(CLOCK), 0, 'and that it stands still again')


def events():
    """A guest that uses a disk: its interrupts and its requests are events."""
    args = ('-M', 'pc', '-m', '32', '-bios', guest('busy'), '-object',
            'iothread,id=io', '-blockdev',
            'null-co,node-name=disk,size=1048576', '-device',
            'virtio-blk-pci,drive=disk,iothread=io,disable-modern=on,romfile=')
    with Vm(*args) as vm:
        c = Counters(vm.process.pid)
        until(lambda: c['irqfds'], pause=0.02)
        Tap.equal((c['irqfds'] > 0, c.fallback(IRQFD)), (True, 0),
                  'irqfds in the kernel are counted')
        Tap.ok(c['start'] < c['first-exit'] <= c['first-interrupt'],
               'when the first interrupt was',
               [c[x] for x in ('start', 'first-exit', 'first-interrupt')])
    with Vm(*args, accel='mshv,x-fail-ioctl=IRQFD:1') as vm:
        c = Counters(vm.process.pid)
        until(lambda: c.fallback(IRQFD), pause=0.02)
        Tap.equal(c.fallback(IRQFD), 1, 'an irqfd that QEMU serves is seen')
        Tap.equal(c.refusals()['refused-irqfd'], 1, 'and that it was refused')


def refusals(directory):
    """MSRs that nobody has, more than there is room for."""
    rom = firmware(directory, '''mov $0x12340000, %ecx
        2: rdmsr
        inc %ecx
        cmp $0x12340000 + 258, %ecx
        jne 2b
        mov $0x12340000, %ecx
        wrmsr''')
    with Vm('-M', 'pc,pit=off', '-m', '16', '-bios', rom,
            accel='mshv,ignore-msrs=on') as vm:
        vm.wait_done()
        said = {name: value for name, value in vm.stats().items()
                if name.startswith(('refused-', 'unknown-'))}
        Tap.equal(Counters(vm.process.pid).refusals(), said,
                  'refusals are those of query-stats')
        Tap.equal([said.get(f'unknown-msr-{x}') for x in
                   ('0x12340000', '0x123400ff', '0x12340100', 'others')],
                  [2, 1, None, 2], 'unknown MSRs, by number')


def stopped(directory):
    with Vm('-M', 'pc,pit=off', '-m', '16', '-bios', busy(directory)) as vm:
        c = Counters(vm.process.pid)
        vm.qmp('qom-set', path='/machine/accel', property='x-fail-ioctl',
               value='RUN_VP:1')
        until(lambda: c['state'] == INTERNAL_ERROR, pause=0.02)
        Tap.equal((c['state'], c.calls()['errors-run-vp'], vm.status()),
                  (INTERNAL_ERROR, 1, 'internal-error'),
                  'a VM that stops as internal-error')
        Tap.equal((c['flags'], c['uuid']), (0, bytes(16)), 'and has no UUID')
    with Vm('-m', '16', '-incoming', 'defer') as vm:
        c = Counters(vm.process.pid)
        Tap.equal((c['flags'], c['state']), (1, MIGRATING),
                  'a VM that is to come is told')


def other_accelerator():
    with Vm('-accel', 'tcg', '-m', '16', accel='mshv,device=/dev/none',
            paused=True) as vm:
        Tap.equal((vm.started, Counters(vm.process.pid).magic), (True, 0),
                  'a VM of another accelerator is none of ours')


def no_memfd(directory):
    """Where there may be no file of that size, QEMU goes on without."""
    import resource
    import subprocess
    result = subprocess.run(
        [QEMU, '-accel', 'mshv', '-nodefaults', '-display', 'none', '-m', '16',
         '-S', '-bios', busy(directory), '-qmp', 'stdio'],
        input=b'{"execute":"qmp_capabilities"}{"execute":"quit"}',
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                              (4096, 4096)),
        # SIGXFSZ stays ignored, as Python has it.
        restore_signals=False, capture_output=True, check=False)
    Tap.ok(result.returncode == 0 and
           b'no memfd for the counters' in result.stderr,
           'without a memfd QEMU says so and runs', result)


with tempfile.TemporaryDirectory() as d:
    plain(d)
    fallbacks(d)
    events()
    refusals(d)
    stopped(d)
    other_accelerator()
    no_memfd(d)
Tap.end()
