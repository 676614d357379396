# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt, of the tree of scripts/libvirt-tree, with our QEMU in it: daemons and
virsh. Each host has files, devices and names of its own."""

import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import tty
import uuid

from vm import PATIENCE, TOP, Tap, until
from console import PROMPT, Console

# Where tests/accel/run puts what is needed.
PREPARED = os.path.join(TOP, 'build', 'libvirt')
ENVIRONMENT = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL': 'C',
               'HOME': '/root'}
# KubeVirt's own settings, and where the log of QEMU goes.
QEMU_CONF = '''
stdio_handler = "logd"
vnc_listen = "0.0.0.0"
user = "qemu"
group = "qemu"
dynamic_ownership = 1
remember_owner = 0
namespaces = [ ]
cgroup_controllers = [ ]
security_driver = "none"
shared_filesystems = [ "/shared" ]
'''
NODES = (('null', 0o666), ('zero', 0o666), ('full', 0o666), ('random', 0o666),
         ('urandom', 0o666), ('tty', 0o666), ('vhost-net', 0o666),
         ('vhost-vsock', 0o666), ('mshv', 0o660))
# KubeVirt's user.
USER = 107
IMAGES = '/var/lib/libvirt/images'


class VirtError(Exception):
    """A command that libvirt refused."""


def mount(*words):
    subprocess.run(['mount', *words], check=True)


def reap():
    """Go on in a child; the first process of the namespace takes leave of all that
    end, whoever started them."""
    child = os.fork()
    if not child:
        return
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xff)


def enter():
    """Namespaces of our own: what is mounted and started here ends with us."""
    if os.getpid() != 1:
        os.execvp('unshare', ['unshare', '--mount', '--net', '--pid', '--fork',
                              '--kill-child', '--mount-proc', *sys.argv])
    reap()
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    base = tempfile.mkdtemp(prefix='libvirt-test-')
    mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', base)
    for name in ('guest', 'shared'):
        os.mkdir(f'{base}/{name}')
    os.chmod(f'{base}/shared', 0o1777)
    with open(f'{PREPARED}/guest', encoding='utf-8') as f:
        mount('--bind', f.read().strip(), f'{base}/guest')
    return base


class Host:
    """A tree to itself, over the prepared one, with devices and a name of its
    own."""

    def __init__(self, base, name):
        self.name = name
        self.base = os.path.join(base, name)
        self.root = f'{self.base}/root'
        for part in ('root', 'upper', 'work'):
            os.makedirs(f'{self.base}/{part}')
        with open(f'{PREPARED}/tree', encoding='utf-8') as f:
            tree = f.read().strip()
        mount('-t', 'overlay', 'overlay', self.root, '-o',
              f'lowerdir={PREPARED}/qemu:{tree},upperdir={self.base}/upper,'
              f'workdir={self.base}/work')
        self.devices()
        mount('-t', 'proc', 'proc', f'{self.root}/proc')
        mount('-t', 'sysfs', 'sys', f'{self.root}/sys')
        mount('-t', 'tmpfs', 'run', f'{self.root}/run')
        os.mkdir(f'{self.root}/run/lock', 0o1777)
        for place in ('guest', 'shared'):
            os.makedirs(f'{self.root}/{place}')
            mount('--bind', f'{base}/{place}', f'{self.root}/{place}')
        self.write('/etc/libvirt/qemu.conf', QEMU_CONF)
        # No two hosts may have the same.
        self.uuid = str(uuid.uuid4())

    def devices(self):
        mount('-t', 'tmpfs', '-o', 'mode=755', 'dev', f'{self.root}/dev')
        for name, mode in NODES:
            self.node(name, mode)
        for name in ('pts', 'shm', 'net'):
            os.mkdir(f'{self.root}/dev/{name}')
        self.node('net/tun', 0o666)
        mount('-t', 'devpts', '-o', 'newinstance,ptmxmode=0666', 'pts',
              f'{self.root}/dev/pts')
        mount('-t', 'tmpfs', 'shm', f'{self.root}/dev/shm')
        for name, to in (('ptmx', 'pts/ptmx'), ('fd', '/proc/self/fd'),
                         ('stdin', 'fd/0'), ('stdout', 'fd/1'),
                         ('stderr', 'fd/2')):
            os.symlink(to, f'{self.root}/dev/{name}')

    def node(self, name, mode):
        """Make the device, as the kernel has it."""
        try:
            number = os.stat(f'/dev/{name}').st_rdev
        except FileNotFoundError:
            return
        path = f'{self.root}/dev/{name}'
        os.mknod(path, 0o020000 | mode, number)
        os.chmod(path, mode)
        if name == 'mshv':
            os.chown(path, 0, USER)

    def sees(self, daemon):
        """The other host's daemon, at /peer."""
        os.mkdir(f'{self.root}/peer')
        mount('--bind', os.path.dirname(daemon.socket('libvirt-sock')),
              f'{self.root}/peer')

    def write(self, path, text, owner=0):
        path = self.root + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        os.chown(path, owner, owner)

    def command(self, *words, uid=0, **variables):
        """What runs these words in the tree."""
        return ['chroot', f'--userspec={uid}:{uid}', f'--groups={uid}',
                self.root, '/usr/bin/env', '-i',
                *(f'{k}={v}' for k, v in (ENVIRONMENT | variables).items()),
                *words]

    def run(self, *words, **variables):
        return subprocess.run(
            self.command(*words, **variables), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, errors='replace', check=False)


class Daemon:
    """libvirt's daemon and log daemon on a host: the system's, or, with a
    @uid, that user's session."""

    def __init__(self, host, uid=0):
        self.host = host
        self.user = uid
        self.uri = 'qemu:///session' if uid else 'qemu:///system'
        self.variables = {'uid': uid}
        self.home = '/root'
        if uid:
            self.home = '/var/lib/kubevirt'
            self.variables.update(HOME=self.home,
                                  XDG_RUNTIME_DIR='/run/user/qemu',
                                  XDG_CACHE_HOME=f'{self.home}/.cache',
                                  XDG_CONFIG_HOME=f'{self.home}/.config')
            os.makedirs(f'{host.root}/run/user/qemu', exist_ok=True)
            os.chown(f'{host.root}/run/user/qemu', uid, uid)
            os.chmod(f'{host.root}/run/user/qemu', 0o700)
            host.write(f'{self.home}/.config/libvirt/qemu.conf', QEMU_CONF)
            for part in '.config', '.config/libvirt':
                os.chown(f'{host.root}{self.home}/{part}', uid, uid)
        self.processes = []

    def start(self):
        self.start_one('virtlogd')
        self.start_one('libvirtd')

    def start_one(self, name):
        self.processes.append(subprocess.Popen(
            ['unshare', '--uts', 'sh', '-c', 'hostname "$0"; exec "$@"',
             self.host.name, *self.host.command(
                 f'/usr/sbin/{name}', *self.options(name), **self.variables)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(f'{self.host.base}/{name}.log', 'ab')))
        sock = self.socket(f'{name}-sock' if name == 'virtlogd' else
                           'libvirt-sock')
        if not until(lambda: self.answers(sock), 10, 0.1):
            raise VirtError(f'{name} does not start: {self.log(name)}')

    def options(self, name):
        if name != 'libvirtd':
            return []
        self.host.write('/etc/libvirt/libvirtd.conf',
                        'auth_unix_rw = "none"\n'
                        f'host_uuid = "{self.host.uuid}"\n')
        return ['--config', '/etc/libvirt/libvirtd.conf']

    def socket(self, name):
        return (self.host.root +
                ('/run/user/qemu/libvirt/' if self.user else '/run/libvirt/')
                + name)

    def answers(self, path):
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(path)
                return True
            except OSError:
                return False

    def log(self, name='libvirtd'):
        with open(f'{self.host.base}/{name}.log', encoding='utf-8',
                  errors='replace') as f:
            return f.read()

    def stop(self):
        """In order; domains run on."""
        while self.processes:
            process = self.processes.pop()
            process.send_signal(signal.SIGTERM)
            process.wait(30 * PATIENCE)

    def virsh(self, *words):
        """What it prints. Raises what it complains of."""
        done = self.host.run('virsh', '-q', '-c', self.uri, *words,
                             **self.variables)
        if done.returncode:
            raise VirtError(f'{" ".join(words)}: {done.stderr.strip()}')
        return done.stdout.strip()

    def xml(self, text):
        """The path of a file with that text."""
        self.host.write('/tmp/some.xml', text, self.user)
        return '/tmp/some.xml'

    def refused(self, *words):
        """What virsh complains of; None if it does not."""
        try:
            self.virsh(*words)
            return None
        except VirtError as e:
            return str(e)

    def forget(self):
        """What it knows of QEMU."""
        where = (f'{self.home}/.cache/libvirt/qemu/cache' if self.user else
                 '/var/cache/libvirt/qemu')
        shutil.rmtree(f'{self.host.root}{where}/capabilities')


class Domain:
    """A domain of a daemon's, and its console by virsh."""

    def __init__(self, daemon, name, text):
        self.daemon = daemon
        self.name = name
        self.terminal = self.console = None
        daemon.virsh('define', daemon.xml(text))

    def __call__(self, command, *words):
        """A command of virsh about this domain."""
        return self.daemon.virsh(command, self.name, *words)

    def state(self):
        return self('domstate', '--reason')

    def becomes(self, state, seconds=10):
        """Wait for a state; what it is at last."""
        until(lambda: self.state() == state, seconds, 0.2)
        return self.state()

    def attach(self):
        """virsh's console, at the guest's prompt."""
        self.detach()
        ours, theirs = pty.openpty()
        tty.setraw(ours)
        self.terminal = subprocess.Popen(
            self.daemon.host.command(
                'virsh', '-q', '-c', self.daemon.uri, 'console', '--force',
                self.name, **self.daemon.variables),
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.console = Console(ours, ours, PATIENCE / 10)
        try:
            self.knock()
        except (AssertionError, OSError) as e:
            raise VirtError(f'no prompt: {e}\n{self.console.tail()}\n'
                            f'{self.state()}\n{self.log()[-400:]}') from None

    def knock(self, seconds=300):
        """Until the shell answers: what it said before is lost."""
        end = time.monotonic() + seconds * PATIENCE / 10
        while True:
            self.console.type('')
            try:
                self.console.wait_for(PROMPT, 20 / PATIENCE)
                break
            except AssertionError:
                if time.monotonic() > end:
                    raise
        # Prompts of earlier knocks end before that.
        self.console.type('dmesg -n 1; stty -echo; echo at-last')
        self.console.wait_for(f'at-last[\r\n]+{PROMPT}', 60)

    def detach(self):
        if self.terminal:
            self.terminal.kill()
            self.terminal.wait()
            os.close(self.console.read_fd)
            self.terminal = None

    def run(self, command, seconds=30):
        return self.console.run(command, seconds)

    def pid(self):
        run = self.daemon.socket('qemu' if not self.daemon.user else 'qemu/run')
        with open(f'{run}/{self.name}.pid', encoding='ascii') as f:
            return int(f.read())

    def log(self):
        where = (f'{self.daemon.home}/.cache/libvirt/qemu/log'
                 if self.daemon.user else '/var/log/libvirt/qemu')
        with open(f'{self.daemon.host.root}{where}/{self.name}.log',
                  encoding='utf-8') as f:
            return f.read()


# ---- Questions ----

def check(name, test, *args):
    """One question; @test complains by an exception."""
    try:
        began = time.monotonic()
        test(*args)
        print(f'# {time.monotonic() - began:.1f} s')
    except (AssertionError, VirtError, OSError, ValueError) as e:
        return Tap.ok(False, name, f'{e}\n{traceback.format_exc(-1)}')
    return Tap.ok(True, name)


def same(what, seen, wanted):
    if seen != wanted:
        raise AssertionError(f'{what}: saw {seen!r}, wanted {wanted!r}')


def image(host, name, kind, content=b'', mb=16):
    """A disk image in the pool's directory."""
    os.makedirs(host.root + IMAGES, exist_ok=True)
    path = f'{host.root}{IMAGES}/{name}'
    if kind == 'raw':
        with open(path, 'wb') as f:
            f.write(content)
            f.truncate(mb << 20)
    else:
        done = host.run('qemu-img', 'create', '-q', '-f', kind,
                        f'{IMAGES}/{name}', f'{mb}M')
        same('qemu-img', (done.returncode, done.stderr), (0, ''))
    os.chown(path, USER, USER)


def appears(vm, path, there=True):
    wanted = '0' if there else '1'
    same(f'{path} {"comes" if there else "goes"}',
         until(lambda: vm.run(f'[ -e {path} ]; echo $?') == wanted, 10), True)
