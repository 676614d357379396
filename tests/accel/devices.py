#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices of every kind, used by Debian's drivers in a small guest."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from linux import Small, appears, equal, part, total
from vm import PATIENCE, Tap, until

# The numbers of Linux's vsock
ANY_CID, PORT = 0xffffffff, 7000
TABLET = 'QEMU QEMU USB Tablet'
EV_ABS = 3


# ---- virtio and its likes, all in one guest ----

def disks(vm):
    """Two disks, written and read back by way of the other."""
    vm.run('dd if=/dev/urandom of=/tmp/data bs=1M count=2 2>/dev/null')
    made = vm.run('md5sum </tmp/data')
    for disk in ('vda', 'sda'):
        appears(vm, f'ls /sys/block | grep {disk}')
        vm.run(f'dd if=/tmp/data of=/dev/{disk} bs=64k conv=fsync 2>/dev/null;'
               'echo 3 >/proc/sys/vm/drop_caches')
        equal(disk, vm.run(f'dd if=/dev/{disk} bs=64k count=32 2>/dev/null |'
                           'md5sum'), made)


def network(vm):
    vm.run('ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0')
    equal('ping of the gateway',
          vm.run('ping -c 3 -W 5 10.0.2.2 >/dev/null; echo $?'), '0')


def serial_port(vm, ours):
    name = appears(vm, 'ls /dev | grep vport.*p1')
    vm.run(f"port=/dev/{name}; printf 'from the guest\\n' >$port")
    ours.settimeout(30 * PATIENCE)
    equal('what the host gets', ours.recv(64), b'from the guest\n')
    ours.sendall(b'from the host\n')
    equal('what the guest gets', vm.run('head -n 1 $port'),
          'from the host')


def random_numbers(vm):
    equal('bytes', vm.run('dd if=/dev/hwrng bs=64 count=4 2>/dev/null | wc -c'),
          '256')


def files(vm, directory):
    equal('mount', vm.run('mkdir -p /mnt/9; mount -t 9p -o trans=virtio '
                          'files /mnt/9; echo $?'), '0')
    vm.run("echo 'from the guest' >/mnt/9/answer; sync")
    with open(os.path.join(directory, 'answer'), encoding='ascii') as f:
        equal('the file', f.read(), 'from the guest\n')


def vsock(vm):
    server = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    server.bind((ANY_CID, PORT))
    server.listen()
    server.settimeout(30 * PATIENCE)

    def echo():
        peer, _ = server.accept()
        with peer:
            peer.sendall(peer.recv(256).upper())

    thread = threading.Thread(target=echo)
    thread.start()
    equal('the answer', vm.run(f'vsock {PORT} hello'), 'HELLO')
    thread.join()
    server.close()


def balloon_at(vm, size):
    vm.qmp('balloon', value=size << 20)
    if not until(lambda: vm.qmp('query-balloon')['actual'] == size << 20):
        raise AssertionError(f'balloon: {vm.qmp("query-balloon")}')


def fill(vm, megabytes):
    """
    Use memory, and find in it what was written: no two pages are equal.
    Returns what was resident before it was free again.
    """
    vm.run('mount -t tmpfs -o size=90% t /mnt; '
           'dd if=/dev/urandom of=/tmp/seed bs=1M count=1 2>/dev/null; '
           f'for i in $(seq {megabytes}); do echo $i; cat /tmp/seed; done '
           '>/mnt/a', 120)
    made = vm.run('md5sum </mnt/a', 120)
    equal('memory, read again', vm.run('md5sum </mnt/a', 120), made)
    most = resident(vm)
    vm.run('umount /mnt')
    return most


def resident(vm):
    """MiB of QEMU's memory that is there."""
    with open(f'/proc/{vm.process.pid}/statm', encoding='ascii') as f:
        return int(f.read().split()[1]) * 4 >> 10


def wait_resident_below(vm, limit):
    if not until(lambda: resident(vm) < limit):
        raise AssertionError(f'{resident(vm)} MiB are resident, not less than '
                             f'{limit}')


def balloon(vm):
    fill(vm, 64)
    before = resident(vm)
    balloon_at(vm, 128)
    wait_resident_below(vm, before - 40)
    balloon_at(vm, 256)
    fill(vm, 96)


def reporting(vm):
    """Pages that the guest frees go back to the host."""
    # In blocks of 64 KiB: whether any of the kernel's order, 2 MiB, become free
    # depends on what is left between them. The driver sets its order when it
    # starts.
    order = '/sys/module/page_reporting/parameters/page_reporting_order'
    vm.run(f'echo 4 >{order}')
    equal('the order of blocks', vm.run(f'cat {order}'), '4')
    wait_resident_below(vm, fill(vm, 96) - 50)
    fill(vm, 96)


def tablet(vm):
    event = appears(vm, f"grep -A 5 '{TABLET}' /proc/bus/input/devices | "
                    "sed -n 's/.*\\(event[0-9]*\\).*/\\1/p'")
    # 24 bytes an event: time, type, code, value
    vm.run(f'dd if=/dev/input/{event} of=/tmp/events bs=24 count=2 '
           '2>/dev/null &')
    for _ in range(20):
        vm.qmp('input-send-event', events=[
            {'type': 'abs', 'data': {'axis': axis, 'value': value}}
            for axis, value in (('x', 0x1234), ('y', 0x4321))])
        size = vm.run('sleep 1; wc -c </tmp/events')
        if size == '48':
            break
    words = vm.run("hexdump -v -e '24/1 \"%02x\" \"\\n\"' /tmp/events").split()
    equal('events', [bytes.fromhex(w)[16:] for w in words],
          [EV_ABS.to_bytes(2, 'little') + code.to_bytes(2, 'little') +
           value.to_bytes(4, 'little')
           for code, value in ((0, 0x1234), (1, 0x4321))])


def watchdog(vm):
    vm.run('echo >/dev/watchdog')
    event = vm.wait_event('WATCHDOG', 30)
    equal('the watchdog', event and event['data']['action'], 'none')
    equal('the guest', vm.run('echo alive'), 'alive')


def dump(vm, directory):
    path = os.path.join(directory, 'dump')
    vm.qmp('dump-guest-memory', paging=False, protocol=f'file:{path}',
           seconds=60)
    with open(path, 'rb') as f:
        head = f.read(1 << 16)
    if b'VMCOREINFO' not in head or b'OSRELEASE=' not in head:
        raise AssertionError('the dump has no VMCOREINFO')
    equal('the guest', vm.run('echo alive'), 'alive')


def panic(vm):
    vm.console.type('echo c >/proc/sysrq-trigger')
    event = vm.wait_event('GUEST_PANICKED', 30)
    equal('the panic', event and event['data']['action'], 'run')


def many_devices(directory):
    port, theirs = socket.socketpair()
    shared = os.path.join(directory, 'shared')
    os.mkdir(shared)
    for disk in ('a', 'b'):
        with open(os.path.join(directory, disk), 'wb') as f:
            f.truncate(8 << 20)
    vsock_there = os.path.exists('/dev/vhost-vsock')
    with Small(
            '-smp', '2', '-action', 'panic=none,watchdog=none',
            '-object', 'memory-backend-memfd,id=m,size=256M',
            '-machine', 'memory-backend=m',
            '-drive', f'if=none,id=a,format=raw,file={directory}/a',
            '-device', 'virtio-blk-pci,drive=a',
            '-drive', f'if=none,id=b,format=raw,file={directory}/b',
            '-device', 'virtio-scsi-pci', '-device', 'scsi-hd,drive=b',
            '-nic', 'user,model=virtio-net-pci',
            '-chardev', f'socket,id=port,fd={theirs.fileno()}',
            '-device', 'virtio-serial-pci',
            '-device', 'virtserialport,chardev=port,name=test',
            '-device', 'virtio-rng-pci',
            '-fsdev', f'local,id=f,path={shared},security_model=none',
            '-device', 'virtio-9p-pci,fsdev=f,mount_tag=files',
            *(['-device', 'vhost-vsock-pci,guest-cid=42'] if vsock_there
              else []),
            '-device', 'virtio-balloon-pci',
            '-device', 'qemu-xhci', '-device', 'usb-tablet',
            '-device', 'i6300esb', '-device', 'pvpanic-pci',
            '-device', 'vmcoreinfo',
            fds=[theirs.fileno()], append='i6300esb.heartbeat=2',
            modules='virtio_pci,virtio_blk,virtio_scsi,sd_mod,virtio_net,'
            'virtio_console,virtio-rng,9p,9pnet_virtio,virtio_balloon,'
            'vmw_vsock_virtio_transport,xhci_pci,usbhid,hid_generic,evdev,'
            'i6300esb,pvpanic-pci,qemu_fw_cfg') as vm:
        theirs.close()
        part(vm, 'virtio-blk and virtio-scsi', disks)
        part(vm, 'virtio-net', network)
        part(vm, 'virtio-serial', serial_port, port)
        part(vm, 'virtio-rng', random_numbers)
        part(vm, 'virtio-9p', files, shared)
        if vsock_there:
            part(vm, 'vhost-vsock', vsock)
        else:
            Tap.skip('vhost-vsock', 'the host has no /dev/vhost-vsock')
        part(vm, 'virtio-balloon', balloon)
        part(vm, 'usb-tablet', tablet)
        part(vm, 'dump-guest-memory with VMCOREINFO', dump, directory)
        part(vm, 'i6300esb', watchdog)
        part(vm, 'pvpanic', panic)
        Tap.equal(vm.said(), '', 'QEMU has no complaint about these devices')


# ---- TPM ----

def pcr(vm):
    equal('version', vm.run('cat /sys/class/tpm/tpm0/tpm_version_major'), '2')
    digest = vm.run('cat /sys/class/tpm/tpm0/pcr-sha256/0')
    if not re.fullmatch('[0-9A-F]{64}', digest):
        raise AssertionError(f'PCR 0 is {digest!r}')


def tpm(directory, model):
    state = os.path.join(directory, model)
    os.mkdir(state)
    swtpm = subprocess.Popen(
        ['swtpm', 'socket', '--tpm2', '--tpmstate', f'dir={state}', '--ctrl',
         f'type=unixio,path={state}/socket', '--flags', 'startup-clear'],
        stderr=subprocess.DEVNULL)
    try:
        until(lambda: os.path.exists(f'{state}/socket'))
        # QEMU 10.0 puts -initrd where the ACPI tables are if there is a TPM.
        with Small('-chardev', f'socket,id=tpm,path={state}/socket',
                   '-tpmdev', 'emulator,id=t,chardev=tpm',
                   '-device', f'{model},tpmdev=t', initrd_at=128 << 20) as vm:
            part(vm, f'{model}: the guest reads a PCR', pcr)
    finally:
        swtpm.kill()
        swtpm.wait()


# ---- Memory ----

def memory_devices(vm):
    before = total(vm)
    vm.qmp('qom-set', path='/machine/peripheral/vmem0',
           property='requested-size', value=128 << 20)
    if not until(lambda: total(vm) >= before + 120):
        raise AssertionError(f'{total(vm)} MiB after {before}')
    fill(vm, 160)
    vm.qmp('qom-set', path='/machine/peripheral/vmem0',
           property='requested-size', value=0)
    if not until(lambda: vm.qmp('query-memory-devices')[0]['data']['size']
                 == 0):
        raise AssertionError(f'{vm.qmp("query-memory-devices")} is left')
    fill(vm, 64)


def memory(backend, name, discard=True):
    """Memory of the kind @backend; @discard: it can be given back by pages."""
    with Small('-object', f'{backend},id=m,size=256M,share=on',
               '-object', 'memory-backend-memfd,id=v,size=256M,share=on,'
               'reserve=off', '-device', 'virtio-mem-pci,id=vmem0,memdev=v',
               '-device', 'virtio-balloon-pci,free-page-reporting=on',
               machine='q35,memory-backend=m', memory='256,maxmem=1G',
               append='memhp_default_state=online_movable',
               modules='virtio_pci,virtio_mem,virtio_balloon') as vm:
        part(vm, f'{name}: memory holds what is written', fill, 64)
        if discard:
            part(vm, f'{name}: virtio-mem comes and goes', memory_devices)
            part(vm, f'{name}: free page reporting', reporting)
        Tap.equal(vm.said(), '', f'{name}: QEMU has no complaint')


def huge_pages(number):
    """Make the host keep so many; how many it has then."""
    with open('/proc/sys/vm/nr_hugepages', 'r+', encoding='ascii') as f:
        f.write(f'{number}\n')
        f.flush()
        f.seek(0)
        return int(f.read())


def in_huge_pages():
    """If the host has so many to give."""
    try:
        with open('/proc/sys/vm/drop_caches', 'w', encoding='ascii') as f:
            f.write('3\n')
        got = huge_pages(128)
    except OSError as e:
        Tap.skip('huge pages', e)
        return
    if got >= 128:
        memory('memory-backend-memfd,hugetlb=on,hugetlbsize=2M', 'huge pages',
               discard=False)
    else:
        Tap.skip('huge pages', f'the host has only {got}')
    huge_pages(0)


def main():
    with tempfile.TemporaryDirectory() as d:
        many_devices(d)
        for model in ('tpm-tis', 'tpm-crb'):
            tpm(d, model)
        memory('memory-backend-memfd', 'memfd')
        memory(f'memory-backend-file,mem-path={d}/ram', 'file', discard=False)
        in_huge_pages()
    Tap.end()


sys.exit(main())
