#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of state is whole: each register that the hypervisor knows is in
it, or named as left out, with the reason.

The hypervisor is asked through /dev/mshv, with numbers of the test's own.
"""

import ctypes
import fcntl
import os
import struct
from vm import Tap, Vm

CREATE_PARTITION = 1 << 30 | 16 << 16 | 0xb8 << 8
INITIALIZE_PARTITION = 0xb8 << 8
CREATE_VP = 1 << 30 | 4 << 16 | 0xb8 << 8 | 1
ROOT_HVCALL = 3 << 30 | 32 << 16 | 0xb8 << 8 | 7
GET_VP_REGISTERS = 0x50
LAPIC, X2APIC = 1, 2

# Where the interface has registers (hv_register_name in hvgdk_mini.h).
GROUPS = [(first, 0x300) for first in (
    0, 0x10000, 0x20000, 0x30000, 0x40000, 0x41000, 0x50000, 0x60000, 0x70000,
    0x80000, 0x90000, 0xa0000, 0xb0000, 0xd0000)] + [(0x84800, 0x80)]


class Partition:
    """One with a VP, as little as the kernel makes."""

    def __init__(self):
        self.device = os.open('/dev/mshv', os.O_RDWR)
        self.fd = fcntl.ioctl(self.device, CREATE_PARTITION,
                              bytearray(struct.pack('<QQ', LAPIC | X2APIC,
                                                    0)))
        fcntl.ioctl(self.fd, INITIALIZE_PARTITION)
        self.vp = fcntl.ioctl(self.fd, CREATE_VP, bytearray(4))

    def has(self, name):
        into = ctypes.create_string_buffer(
            struct.pack('<QIBBHI', 0, 0, 0, 0, 0, name))
        out = ctypes.create_string_buffer(16)
        call = bytearray(struct.pack(
            '<HHHHH6xQQ', GET_VP_REGISTERS, 1, 20, 16, 0,
            ctypes.addressof(into), ctypes.addressof(out)))
        try:
            fcntl.ioctl(self.vp, ROOT_HVCALL, call)
        except OSError:
            return False
        return struct.unpack_from('<H', call, 8)[0] == 0

    def close(self):
        for fd in self.vp, self.fd, self.device:
            os.close(fd)


def listed():
    """Ranges of names, and the lines themselves."""
    with Vm('-M', 'pc', '-m', '16', '-cpu', 'max', paused=True) as vm:
        text = vm.qmp('qom-get', path='/machine/accel',
                      property='x-state-list')
    ranges = []
    for line in text.splitlines():
        first, _, last = line.split()[0].partition('-')
        ranges.append((int(first, 16), int(last or first, 16), line))
    return ranges


RANGES = listed()
partition = Partition()
known = [name for first, count in GROUPS
         for name in range(first, first + count) if partition.has(name)]
partition.close()
Tap.ok(len(known) > 150, f'the hypervisor knows {len(known)} registers', known)
lacking = [hex(name) for name in known
           if not any(a <= name <= b for a, b, _ in RANGES)]
Tap.equal(lacking, [], 'each is in the list of state, or left out for a reason')
twice = [hex(name) for name in known
         if sum(a <= name <= b for a, b, _ in RANGES) > 1]
Tap.equal(twice, [], 'none is there twice')
unexplained = [line for a, b, line in RANGES
               if 'left out' in line and len(line.split('left out: ')[1]) < 8]
Tap.equal(unexplained, [], 'nothing is left out without a reason')
Tap.end()
