# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's kernel and its initial file system."""

import hashlib
import os
import re
import subprocess
import tempfile

from . import HostError, TOP, cache_dir

INIT = os.path.join(TOP, 'tests', 'host', 'init')
CFLAGS = ['-std=gnu11', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra',
          '-Wno-unused-result', '-static']


def find_kernel(wish):
    """The directory with bzImage and mshv_root.ko. It is made unless @wish
    is one: there may be none, or it is a series of Linux."""
    directory = wish
    if not wish or re.fullmatch(r'\d+\.\d+', wish):
        script = os.path.join(TOP, 'tests', 'host', 'build-kernel')
        command = [script, f'--series={wish}'] if wish else [script]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                                  stdin=subprocess.DEVNULL, check=False)
        except OSError as e:
            raise HostError(f'cannot run {script}: {e.strerror}') from None
        if done.returncode:
            raise HostError('there is no kernel for the host: see above')
        directory = done.stdout.strip()
    for name in ('bzImage', 'mshv_root.ko'):
        if not os.access(os.path.join(directory, name), os.R_OK):
            raise HostError(f'the kernel directory {directory} has no {name}; '
                            'tests/host/build-kernel makes one')
    return directory


def read_file(path):
    with open(path, 'rb') as f:
        return f.read()


def cpio(files):
    """A cpio archive (newc) of (name, mode, content) triples."""
    out = bytearray()
    for inode, (name, mode, content) in enumerate(
            files + [('TRAILER!!!', 0, b'')], 1):
        name = name.encode() + b'\0'
        fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0,
                  len(name), 0)
        out += b'070701' + b''.join(b'%08x' % f for f in fields) + name
        out += b'\0' * (-len(out) % 4) + content
        out += b'\0' * (-len(out) % 4)
    return bytes(out)


def build_init(directory):
    sources = sorted(os.path.join(INIT, n) for n in os.listdir(INIT)
                     if n.endswith('.c'))
    program = os.path.join(directory, 'init')
    cc = os.environ.get('CC', 'cc').split()
    try:
        done = subprocess.run([*cc, *CFLAGS, '-o', program, *sources],
                              stderr=subprocess.PIPE, text=True, check=False)
    except OSError as e:
        raise HostError(f"the host's init needs a C compiler: {cc[0]}: "
                        f'{e.strerror}') from None
    if done.returncode:
        raise HostError("the host's init does not compile (it needs a static "
                        f'C library):\n{done.stderr.rstrip()}')
    return read_file(program)


def is_whole(path):
    """Is it as it was when it was made? Its sum is beside it."""
    try:
        return read_file(path + '.sum') == sum_of(read_file(path))
    except FileNotFoundError:
        return False
    except OSError as e:
        raise HostError(f'cannot read {path}: {e.strerror}') from None


def sum_of(data):
    return hashlib.sha256(data).hexdigest().encode()


def write_whole(path, data):
    """Each file is renamed to its place; the sum is the last."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as work:
        new = os.path.join(work, 'new')
        for name, content in ((path, data), (path + '.sum', sum_of(data))):
            with open(new, 'wb') as f:
                f.write(content)
            os.rename(new, name)


def find_initramfs(kernel):
    """Path of the initial file system for this kernel; made when needed."""
    module = read_file(os.path.join(kernel, 'mshv_root.ko'))
    key = hashlib.sha256(module + ' '.join(CFLAGS).encode())
    for name in sorted(os.listdir(INIT)):
        key.update(read_file(os.path.join(INIT, name)))
    key.update(read_file(os.path.realpath(__file__)))
    path = cache_dir('initramfs', key.hexdigest()[:16] + '.cpio')
    if is_whole(path):
        return path
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as work:
            init = build_init(work)
        write_whole(path, cpio([('init', 0o100755, init),
                                ('mshv_root.ko', 0o100644, module)]))
    except OSError as e:
        raise HostError(f'cannot write {path}: {e.strerror}') from None
    return path
