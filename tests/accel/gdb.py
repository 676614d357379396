#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest debugging with the real gdb.

A script is run twice: with TCG, which knows of no debug register, and with the
accelerator; what gdb shows must be the same. Beside that, the guest says what
it has seen of it (guest/debug.c).

Usage: gdb.py [linux|long|modes]...
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from vm import PATIENCE, Tap, Vm, QmpError, firmware, guest
from linux import Small, part
from console import PROMPT

ACCELS = ('tcg', 'mshv')
ELF = guest('debug')[:-4] + '.elf'
USER_CODE = 0x8000002000

# where: flags without RF, which nobody says the same of, and a symbol.
SETUP = '''
set pagination off
set confirm off
set width 0
set height 0
set tcp auto-retry off
define where
  printf "@ %05x ", $eflags & 0x20fd5
  info symbol $rip
end
define offset
  printf "@ %05x %04x:%lx\\n", $eflags & 0x20fd5, $cs, $rip
end
define walk
  set $n = 0
  while $n < 400 && $rip != $arg0
    stepi
    where
    set $n = $n + 1
  end
end
define walk_linear
  set $n = 0
  while $n < 200 && $rip != $arg0
    stepi
    offset
    set $n = $n + 1
  end
end
define times
  set $n = 0
  while $n < $arg0
    stepi
    where
    set $n = $n + 1
  end
end
define word
  echo =\040
  output *(unsigned *)$arg0
  echo \\n
end
target remote SOCKET
'''

LONG_MODE = '''
echo ## one instruction of each kind, hbreak\\n
hbreak *steps
continue
where
walk &steps_end
delete

echo ## a guest that traps itself\\n
break *own
continue
walk &own_end
word &own_traps
word &own_dr6
word &own_flags
delete

echo ## user mode, SYSCALL and SYSRET\\n
hbreak *(USER)
continue
delete
offset
walk_linear USER+&user_code_end-&user_code-2
where
times 3

echo ## watch, awatch, rwatch\\n
break *accesses
continue
delete
watch *(int *)&word
continue
where
delete
awatch *(int *)&word
continue
where
delete
rwatch *(int *)&word
continue
where
delete
watch *(char (*)[16])&other
continue
where
continue
where
delete

echo ## registers\\n
break *registers_set
continue
output/x $rax
output/x $r11
output/x $xmm1.v2_int64
output/x $xmm14.v2_int64
echo \\n
set $rdx = 0x123456789abcdef0
set $r10 = 0xfedcba9876543210
set $xmm2.v2_int64[0] = 0x1020304050607080
set $xmm2.v2_int64[1] = 0x1121314151617181
set $xmm15.v2_int64[1] = 0x5555
set $mxcsr = 0x1f00
hbreak *registers_end
continue
x /7gx &stored
delete
'''

# What is not compared.
REST = '''
echo ## interrupts are held back\\n
break *busy_loop
continue
delete
word &ticks
times 100
word &ticks

echo ## interrupt me\\n
continue
echo ## interrupted\\n
where
set var *(int *)&stop_busy = 1
break *halting_hlt
continue
where
stepi
where
continue
stepi
where
set var *(int *)&stop_halting = 1
delete

echo ## the second processor\\n
break *second_cpu
continue
info threads
thread
where
delete
times 5
thread 1
times 3
thread 2
hbreak *second_cpu
continue
thread
delete
set var *(int *)&stop_waiting = 1

echo ## the end\\n
detach
'''

# Base of CS: F0000. Handlers in real mode, gates of 32 bits in protected mode.
OTHER_MODES = '''
movw $on_int - start, 3*4
movw %cs, 3*4+2
movw $on_int - start, 0x80*4
movw %cs, 0x80*4+2
movw $on_fault - start, 6*4
movw %cs, 6*4+2
movw $0x10f0, 0x7e0
.globl real, real_end
real:
nop
pushf
pop %ax
pushfl
popfl
int3
int $0x80
ud2
in $0x80, %al
mov $0x600, %di
mov $2, %cx
rep stosb
sti
nop
cli
push %cs
call 1f
jmp 2f
1: lret
2: nop
real_end:
lidtl %cs:idtr - start
lgdtl %cs:gdtr - start
mov %cr0, %eax
or $1, %al
mov %eax, %cr0
ljmp $0x18, $half - start
.globl half, half_end
half:
mov $0x10, %ax
mov %ax, %ds
mov %ax, %es
nop
pushf
popf
int3
int $0x80
ud2
half_end:
ljmpl $8, $flat - start
.code32
flat:
mov $0x10, %eax
mov %eax, %ss
mov $0x7c00, %esp
.globl wide, wide_end
wide:
nop
pushf
pop %eax
popf_here:
push %eax
popf
int3
int $0x80
ud2
movl $5, 0x600
call 1f
jmp 2f
1: ret
2: nop
wide_end:
hlt
jmp wide_end
.code16
on_int: iret
on_fault: push %bp
mov %sp, %bp
addw $2, 2(%bp)
pop %bp
iret
.code32
on_int32: iretl
on_fault32: addl $2, (%esp)
iretl
.code16
.balign 8
gdt: .quad 0
.quad 0x00409b0f0000ffff
.quad 0x00cf93000000ffff
.quad 0x00009b0f0000ffff
gdtr: .word gdtr - gdt - 1
.long 0xf0000 + gdt - start
.balign 8
idt: .quad 0, 0, 0
.word on_int32 - start, 8, 0x8e00, 0
.quad 0, 0
.word on_fault32 - start, 8, 0x8e00, 0
.fill 0x79, 8, 0
.word on_int32 - start, 8, 0x8e00, 0
idtr: .word idtr - idt - 1
.long 0xf0000 + idt - start
'''


class Gdb:
    """A session with a VM, and what gdb says."""

    def __init__(self, vm, directory, socket, script, program=None):
        path = os.path.join(directory, 'script')
        with open(path, 'w', encoding='ascii') as f:
            f.write(SETUP.replace('SOCKET', socket) + script)
        self.vm = vm
        self.lines = []
        self.process = subprocess.Popen(
            ['gdb', '-nx', '-batch', '-x', path, *([program] if program
                                                   else [])],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors='replace')

    def run(self, call=None):
        """To its end. Where the script says so it is interrupted, or @call is
        called, once the guest runs."""
        alarm = threading.Timer(50 * PATIENCE, self.process.kill)
        alarm.start()
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if line not in ('## interrupt me\n', '## call\n'):
                continue
            while self.vm.status() != 'running':
                time.sleep(0.05)
            if call:
                call()
            else:
                time.sleep(0.05 * PATIENCE)
                self.process.send_signal(signal.SIGINT)
        alarm.cancel()
        if self.process.wait():
            self.lines.append(f'gdb ends with status {self.process.returncode}')
        return self.lines


def scenes(lines):
    """{name: lines}. Steps at the same place are one line: TCG takes one more
    for REP, and now and then one that does nothing."""
    found, now = {}, None
    for line in lines:
        if line.startswith('## '):
            now = found.setdefault(line[3:], [])
        elif re.match('0x[0-9a-f]+ in .* \\(\\)$', line):
            continue            # places() are more
        elif now is not None and not (now and line == now[-1]):
            now.append(line)
    return found


def places(lines):
    return [line for line in lines if line.startswith('@ ')]


def differences(ours, theirs):
    """The first lines that differ, with what was before."""
    for i in range(max(len(ours), len(theirs))):
        if ours[i:i + 1] != theirs[i:i + 1]:
            return '\n'.join(['before:', *theirs[max(0, i - 4):i],
                              'TCG:', *theirs[i:i + 4],
                              'here:', *ours[i:i + 4]])
    return ''


def session(accel, image, script, program, *args):
    """What gdb said, and the guest."""
    with tempfile.TemporaryDirectory() as d:
        socket, console = os.path.join(d, 'gdb'), os.path.join(d, 'console')
        with Vm('-M', 'pc', '-cpu', 'max', '-m', '32', '-bios', image,
                '-chardev', f'file,id=out,path={console}', '-device',
                'isa-debugcon,iobase=0xe9,chardev=out', '-gdb',
                f'unix:{socket},server=on,wait=off', *args, accel=accel,
                paused=True) as vm:
            lines = Gdb(vm, d, socket, script, program).run()
            text = wait_for_end(vm, console) if program else ''
            Tap.equal(vm.said(), '', f'{accel}: no complaint')
            return lines, text


def wait_for_end(vm, console):
    end = time.monotonic() + 20 * PATIENCE
    while True:
        with open(console, encoding='ascii', errors='replace') as f:
            text = f.read()
        if '\n1..' in text or time.monotonic() > end:
            return text
        if vm.status() != 'running':
            return f'{text}\nstatus {vm.status()}'
        time.sleep(0.1)


def compare(name, ours, theirs):
    """Scene by scene."""
    for scene in theirs:
        walk = places(ours.get(scene, []))
        Tap.ok(ours.get(scene) == theirs[scene],
               f'{name}: {scene}: as with TCG, {len(walk)} places',
               differences(ours.get(scene, []), theirs[scene]))


def long_mode():
    results = {}
    script = LONG_MODE.replace('USER', f'{USER_CODE:#x}')
    for accel in ACCELS:
        lines, text = session(accel, guest('debug'), script + REST, ELF,
                              '-smp', '2', '-device', 'VGA,romfile=')
        for line in text.splitlines():
            if line.startswith(('ok', 'not ok')):
                Tap.ok(line.startswith('ok'), f'{accel}: the guest: '
                       f'{line.split(" - ", 1)[1]}', text)
        Tap.ok('\n1..' in text, f'{accel}: the guest comes to its end',
               '\n'.join(lines[-20:] + [text]))
        # What it saw of its own traps is part of what is compared.
        results[accel] = scenes(
            lines + ['## what the guest saw'] +
            [line for line in text.splitlines() if line.startswith('# own')])
    rest = {accel: {name: results[accel].pop(name, [])
                    for name in scenes(REST.replace('\\n', '')
                                       .replace('echo ', '').splitlines())}
            for accel in ACCELS}
    compare('64-bit', results['mshv'], results['tcg'])
    for accel in ACCELS:
        not_compared(accel, rest[accel])


def not_compared(accel, rest):
    """How far a processor gets is chance; that it does not stray is not."""
    held = rest['interrupts are held back']
    strays = [line for line in places(held) if 'busy_loop' not in line]
    if accel == 'mshv':     # TCG's, on a busy machine, once did
        Tap.ok(len(places(held)) > 40 and not strays,
               'mshv: steps do not go into the handlers of interrupts',
               '\n'.join(held))
    ticks = [line for line in held if line.startswith('=')]
    Tap.ok(len(ticks) == 2 and ticks[0] == ticks[1],
           f'{accel}: which wait', ticks)
    lines = rest['interrupt me'] + rest['interrupted']
    Tap.ok(any('SIGINT' in line for line in lines),
           f'{accel}: Ctrl-C stops it', lines)
    walk = [re.sub('@ [0-9a-f]+ ', '', line).removesuffix(
        ' in section .text') for line in places(rest['interrupted'])]
    if accel == 'mshv':
        Tap.equal(walk[1:], ['halting_hlt', 'halting_next'] * 1 +
                  ['halting_next'], f'{accel}: a step over HLT waits for an '
                  'interrupt, and ends behind it')
    second = rest['the second processor']
    Tap.ok(any(re.search(r'Current thread is 2', line) for line in second),
           f'{accel}: a breakpoint of the second processor', second)
    strays = [line for line in places(second)[:6] if 'second_cpu' not in line]
    Tap.equal(strays, [], f'{accel}: its steps stay where they are')


def other_modes():
    results = {}
    with tempfile.TemporaryDirectory() as d:
        image = firmware(d, OTHER_MODES)
        names = {line.split()[2]: int(line.split()[0], 16)
                 for line in subprocess.run(
                     ['nm', image[:-4] + '.o'], check=True, text=True,
                     capture_output=True).stdout.splitlines()}
        script = ''
        for mode, kind in (('real', 'hbreak'), ('half', 'break'),
                           ('wide', 'hbreak')):
            begin, end = names[mode], names[f'{mode}_end']
            script += f'''
echo ## {mode}\\n
{kind} *{0xf0000 + begin:#x}
continue
delete
offset
walk_linear {end:#x}
'''
        for accel in ACCELS:
            results[accel] = scenes(session(accel, image, script + 'detach\n',
                                            None)[0])
    compare('16 and 32 bits', results['mshv'], results['tcg'])


def system_call(vm, directory, socket):
    """Step in a system call of Linux: each step stays in it, and the kernel
    finds nothing of it; that time went by it may say."""
    symbols = vm.run('sort /proc/kallsyms | grep -A20 " __do_sys_newuname$"')
    start, *following = [int(line.split()[0], 16)
                         for line in symbols.splitlines()]
    end = next(a for a in following if a > start)
    vm.run('dmesg -c >/dev/null')
    script = f'''
break *{start:#x}
echo ## call\\n
continue
offset
set $k = 0
while $k < 6
  stepi
  offset
  set $k = $k + 1
end
detach
'''
    for cpu in 0, 1, 0, 1:
        lines = Gdb(vm, directory, socket, script).run(
            lambda: vm.console.type(f'taskset {1 << cpu:x} uname -n; '
                                    'echo do""ne'))
        seen = [int(line.split(':')[1], 16) for line in places(lines)]
        if len(seen) != 7 or not all(start <= at < end for at in seen):
            raise AssertionError('\n'.join(lines))
        vm.console.wait_for('done', 60)
        vm.console.wait_for(PROMPT, 60)
    said = vm.run('dmesg | grep -iE "trap|exc_|debug|oops"')
    if said:
        raise AssertionError(said)


def linux():
    with tempfile.TemporaryDirectory() as d:
        socket = os.path.join(d, 'gdb')
        with Small('-smp', '2', '-gdb',
                   f'unix:{socket},server=on,wait=off') as vm:
            part(vm, 'Linux: steps in a system call stay there, and the kernel '
                 'sees none', system_call, d, socket)


PARTS = {'linux': linux, 'long': long_mode, 'modes': other_modes}

try:
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
except QmpError as error:
    Tap.ok(False, 'QEMU goes on', error)
Tap.end()
