# SPDX-License-Identifier: GPL-2.0-or-later
"""The virtual machine that is the host: QEMU's command line and process."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess

from . import HostError, TOP

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)

FIRMWARE = 'bios-256k.bin'
FIRMWARE_DIRS = ('/usr/share/seabios', '/usr/share/qemu')


def find_qemu(path):
    if path:
        found = shutil.which(path)
        if not found:
            raise HostError(f'--qemu: {path} is no program')
        return found
    for name in ('qemu-system-x86_64', 'out/qemu-system-x86_64'):
        path = os.path.join(TOP, 'build', name)
        if os.access(path, os.X_OK):
            return os.path.realpath(path)
    raise HostError("there is no QEMU in build/: run 'make', or name one with "
                    '--qemu PATH')


def firmware_args(qemu):
    """-L for a QEMU that has no firmware beside it."""
    bundle = os.path.join(os.path.dirname(qemu), 'qemu-bundle')
    for _, _, files in os.walk(bundle):
        if FIRMWARE in files:
            return []
    args = []
    for directory in FIRMWARE_DIRS:
        if os.path.isdir(directory):
            args += ['-L', directory]
    return args


def comma(text):
    """A value within one of QEMU's option lists."""
    return text.replace(',', ',,')


def machine_arg(args):
    parts = ['q35']
    if not args.no_hypervisor:
        parts += ['emuhv=on', f'emuhv-scheduler={args.scheduler}',
                  f'emuhv-vps={args.max_vps}']
        if args.stats:
            parts.append('emuhv-stats=' + comma(os.path.abspath(args.stats)))
    return ','.join(parts + args.machine_option)


def fs_args(tag, path, options):
    return ['-fsdev', f'local,id={tag},path={comma(path)},security_model=none,'
            'multidevs=remap' + options,
            '-device', f'virtio-9p-pci,fsdev={tag},mount_tag={tag}']


class Machine:
    """QEMU's command line, then its process."""

    def __init__(self, args, qemu, kernel, initramfs):
        self.qemu = qemu
        self.fds = []
        self.process = None
        self.argv = [
            qemu, '-nodefaults', '-no-user-config', '-display', 'none',
            *firmware_args(qemu),
            '-machine', machine_arg(args), '-accel', 'tcg,thread=multi',
            '-cpu', 'max', '-smp', str(args.cpus),
            '-m', f'{args.memory >> 10}K',
            '-kernel', os.path.join(kernel, 'bzImage'), '-initrd', initramfs,
            # TCG's TSC needs no watching; a busy machine makes it look bad.
            '-append', 'console=ttyS0 panic=-1 tsc=reliable rdinit=/init',
            *fs_args('root', '/', ',readonly=on'),
            '-device', 'virtio-serial-pci']
        if not args.reboots:
            self.argv.append('-no-reboot')
        if args.trace and not args.no_hypervisor:
            self.argv += ['-trace', 'emuhv_*']

    def add_socket(self, name, sock):
        """A character device of this name that is our socket."""
        self.fds.append(sock.fileno())
        self.argv += ['-chardev', f'socket,id={name},fd={sock.fileno()}']

    def add_file(self, name, fd):
        self.fds.append(fd)
        self.argv += ['-chardev', f'file,id={name},path=/dev/fd/{fd}']

    def add_share(self, number, path):
        tag = f'share{number}'
        self.argv += fs_args(tag, path, '')
        return tag

    def add_network(self, number, path):
        """Host 1 listens on the socket, host 2 connects to it."""
        if number == 1:
            how = 'server=on'
        else:
            how = 'server=off,reconnect-ms=200'
        self.argv += [
            '-netdev', f'stream,id=net0,{how},addr.type=unix,'
            f'addr.path={comma(path)}',
            '-device', 'virtio-net-pci,netdev=net0,romfile=,'
            f'mac=52:54:00:6d:73:0{number}']

    def add(self, *args):
        self.argv += args

    def start(self, stderr):
        parent = os.getpid()

        def in_child():
            # QEMU ends with us, however we end.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)
            _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

        try:
            # A session of its own: Ctrl-C is for COMMAND, not for QEMU.
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=stderr,
                stderr=stderr, pass_fds=self.fds, start_new_session=True,
                preexec_fn=in_child)
        except OSError as e:
            raise HostError(f'cannot run {self.qemu}: {e.strerror}') from None

    def wait(self, seconds):
        """Whether it ended within this time."""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
