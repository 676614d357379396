#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A display is refreshed where the guest has drawn, and only there."""

import os
import re
import socket
import struct
import tempfile
import time
from linux import Small
from vm import PATIENCE, Tap, Vm, QmpError, firmware

WIDTH, HEIGHT = 640, 480
DEVICE = '/sys/bus/pci/devices/0000:00:05.0/resource'
# Registers of the bochs display, 16 bits each, in BAR 2
REGISTERS = 0x500
ENABLE, MODE = 4, ((4, 0), (1, WIDTH), (2, HEIGHT), (3, 32), (4, 0x41))


class Viewer:
    """A VNC client that knows raw pixels only."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10 * PATIENCE)
        self.socket.connect(path)
        self.file = self.socket.makefile('rb')
        self.file.read(12)
        self.socket.sendall(b'RFB 003.008\n')
        self.file.read(self.file.read(1)[0])
        self.socket.sendall(b'\x01')            # no security
        self.file.read(4)
        self.socket.sendall(b'\x01')            # shared
        self.width, self.height = struct.unpack('>HH', self.file.read(4))
        self.file.read(16)
        self.file.read(struct.unpack('>I', self.file.read(4))[0])
        # Raw pixels, and sizes that change
        self.socket.sendall(struct.pack('>BxHii', 2, 2, 0, -223))
        self.pixels = {}

    def update(self, everything=False):
        """Wait for the next update; the rectangles that it has."""
        self.socket.sendall(struct.pack('>BBHHHH', 3, not everything, 0, 0,
                                        self.width, self.height))
        while True:
            kind = self.file.read(1)[0]
            if kind == 0:
                break
            if kind == 3:                       # cut text
                self.file.read(struct.unpack('>3xI', self.file.read(7))[0])
        count = struct.unpack('>xH', self.file.read(3))[0]
        return [self.rectangle() for _ in range(count)]

    def rectangle(self):
        x, y, w, h, kind = struct.unpack('>HHHHi', self.file.read(12))
        if kind == -223:
            self.width, self.height = w, h
            return None
        data = self.file.read(w * h * 4)
        for row in range(h):
            for column in range(w):
                at = (row * w + column) * 4
                self.pixels[x + column, y + row] = data[at:at + 3]
        return x, y, w, h

    def wait_for(self, what, position, pixel):
        for _ in range(50):
            if self.pixels.get(position) == pixel:
                return
            self.update()
        raise AssertionError(f'{what}: pixel {position} is '
                             f'{self.pixels.get(position)}')


def poke(vm, bar, offset, size, value):
    seen = vm.run(f'poke {DEVICE}{bar} {offset:#x} {size} {value:#x}; echo $?')
    if seen != '0':
        raise AssertionError(f'poke: {seen}')


def dirty_pages(vm, start=0):
    """How many the accelerator has found dirty, by its trace."""
    return sum(int(n) for n in re.findall(r'mshv_dirty_sync .* (\d+) of them',
                                          vm.said()[start:]))


def draw(vm, viewer):
    for register, value in MODE:
        poke(vm, 2, REGISTERS + 2 * register, 2, value)
    while (viewer.width, viewer.height) != (WIDTH, HEIGHT):
        viewer.update()
    # All but white, so that what was there before does not matter
    viewer.update(everything=True)
    # Let the mode's own changes pass.
    time.sleep(0.2 * PATIENCE)
    vm.qmp('trace-event-set-state', name='mshv_dirty_sync', enable=True)
    time.sleep(0.1 * PATIENCE)
    start = len(vm.said())
    points = ((3, 10), (500, 200), (639, 479))
    for number, (x, y) in enumerate(points):
        poke(vm, 0, (y * WIDTH + x) * 4, 4, 0x123456 + number)
        viewer.wait_for('drawn', (x, y),
                        struct.pack('<I', 0x123456 + number)[:3])
        if viewer.pixels.get((x - 1, y)) != b'\0\0\0':
            raise AssertionError(f'beside: {viewer.pixels.get((x - 1, y))}')
    found = dirty_pages(vm, start)
    if found != len(points):
        raise AssertionError(f'{found} pages are dirty after {len(points)} '
                             f'writes:\n{vm.said()[-3000:]}')


def screen(vm, directory):
    """The pixels of a screendump."""
    path = os.path.join(directory, 'screen')
    vm.qmp('screendump', filename=path)
    with open(path, 'rb') as f:
        magic, width, height = f.readline(), *f.readline().split()
        f.readline()
        data = f.read()
    if magic != b'P6\n' or len(data) != int(width) * int(height) * 3:
        raise AssertionError(f'{magic} {width} {height}: no picture')
    return data


def dump(vm, directory):
    """Two screendumps differ in what was drawn between them."""
    before = screen(vm, directory)
    for x, y in ((7, 0), (300, 333)):
        at = y * WIDTH + x
        poke(vm, 0, at * 4, 4, 0xabcdef)
        wanted = before[:3 * at] + b'\xab\xcd\xef' + before[3 * at + 3:]
        after = screen(vm, directory)
        if after != wanted:
            other = [i for i, (a, b) in enumerate(zip(after, wanted)) if a != b]
            raise AssertionError(f'{len(after)} bytes, {len(other)} of them '
                                 f'not as drawn: {other[:10]}')
        before = after


def vga(directory):
    path = os.path.join(directory, 'vnc')
    with Small('-device', 'VGA,addr=5', '-vnc', f'unix:{path}') as vm:
        viewer = Viewer(path)
        for name, test, *args in (
                ('what is drawn is shown, and nothing else counts as dirty',
                 draw, viewer),
                ('screendumps show what was drawn', dump, directory)):
            try:
                test(vm, *args)
            except (AssertionError, QmpError, OSError) as e:
                Tap.ok(False, f'VGA: {name}', f'{e}\n{vm}')
            else:
                Tap.ok(True, f'VGA: {name}')


def tracking_ends(directory):
    """The hypervisor lets it end only if all pages count as dirty by then."""
    writer = ('mov $0x2000, %ax\nmov %ax, %es\n'
              '1: incb %es:0x10\nincb %es:0x3010\njmp 1b')
    with Vm('-m', '16', '-vga', 'none',
            '-bios', firmware(directory, writer)) as vm:
        vm.qmp('trace-event-set-state', name='mshv_dirty_*', enable=True)
        vm.qmp('calc-dirty-rate', calc_time=1, mode='dirty-bitmap')
        end = time.monotonic() + 60 * PATIENCE
        while (not re.search(r'mshv_dirty_tracking on 0', vm.said())
               and time.monotonic() < end):
            time.sleep(0.1)
        said = vm.said()
        Tap.ok(dirty_pages(vm) >= 2, 'what a guest writes is dirty',
               said[-2000:])
        Tap.ok('mshv_dirty_tracking on 0: 0' in said
               and 'cannot switch' not in said, 'the tracking ends again',
               said[-2000:])


def ramfb(directory):
    """SeaBIOS sets it up and writes its name there."""
    with Vm('-M', 'q35', '-m', '32', '-device', 'ramfb', paused=True) as vm:
        # QEMU's own words, before there is a picture.
        first = screen(vm, directory)
        vm.qmp('cont')
        seen = []
        for _ in range(100):
            if (now := screen(vm, directory)) not in [first, *seen]:
                seen.append(now)
            if seen and set(seen[-1]) == {0, 0xaa}:
                break
            time.sleep(0.02 * PATIENCE)
        Tap.ok(seen and set(seen[-1]) == {0, 0xaa},
               'ramfb shows the grey text of SeaBIOS on black',
               [f'{len(s)} bytes: {set(s)}' for s in [first, *seen]])


with tempfile.TemporaryDirectory() as d:
    vga(d)
    ramfb(d)
    tracking_ends(d)
Tap.end()
