#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""CPUID as the guest sees it, leaf by leaf, on two processors.

A tiny guest writes down all leaves and sub-leaves on both. They must be what
QEMU says of the processors (QOM's feature words), and, where they are no
features, what a guest with the same model sees under TCG or, for the host's
model, what the host itself has.
"""

import os
import struct
import tempfile
from vm import Tap, Vm, QmpError, firmware

# Both processors start at F000:0000. Records of leaf, sub-leaf, EAX, EBX, ECX
# and EDX go to 1000:0000 and 2000:0000; 0000:0500 counts who is done.
DUMP = '''
    mov $0x1000, %ax
    mov %ax, %es
    mov $0x1b, %ecx
    rdmsr
    or $0xc00, %eax             # x2APIC
    wrmsr
    test $0x100, %eax           # the boot processor?
    jnz 1f
    mov $0x2000, %ax
    mov %ax, %es
1:  xor %di, %di
    xor %esi, %esi
    call range
    mov $0x40000000, %esi
    call range
    mov $0x80000000, %esi
    call range
    mov $-1, %eax
    stosl
    lock incl 0x500
    mov %es, %ax
    cmp $0x1000, %ax
    jne 9f
    mov $0x830, %ecx            # ICR
    mov $1, %edx
    mov $0x4500, %eax           # INIT
    wrmsr
    mov $0x46f0, %eax           # SIPI, at F0000
    wrmsr
9:  cli
    hlt
    jmp 9b

range:                          # ESI: the first leaf
    mov %esi, %eax
    xor %ecx, %ecx
    cpuid
    mov %esi, %ecx
    cmp %ecx, %eax              # a range that is not there
    jb 4f
    add $0x3f, %ecx
    cmp %ecx, %eax
    jbe 1f
    mov %ecx, %eax
1:  mov %eax, %ebp              # the last leaf
2:  xor %edx, %edx
3:  push %edx
    mov %edx, %ecx
    mov %esi, %eax
    stosl
    mov %ecx, %eax
    stosl
    mov %esi, %eax
    cpuid
    stosl
    mov %ebx, %eax
    stosl
    mov %ecx, %eax
    stosl
    pop %ecx
    push %ecx
    mov %edx, %eax
    stosl
    pop %edx
    inc %edx
    mov $12, %ax                # sub-leaves of each
    cmp $0xd, %esi
    jne 5f
    mov $64, %ax
5:  cmp %ax, %dx
    jb 3b
    inc %esi
    cmp %ebp, %esi
    jbe 2b
4:  ret
'''
REGISTERS = ('EAX', 'EBX', 'ECX', 'EDX')
# Bits that follow registers of the running processor.
LIVE = {(1, 0, 2): 1 << 27, (7, 0, 2): 1 << 4, (0xd, 0, 1): ~0,
        (0xd, 1, 1): ~0}
# Of the last guest
EXITS = {}
CMP_LEGACY = (0x80000001, 0, 2, 1)
VMX, SVM, SGX = (1, 0, 2, 5), (0x80000001, 0, 2, 2), (7, 0, 1, 2)


def read_dump(vm, directory, number):
    """{(leaf, sub-leaf): (EAX, EBX, ECX, EDX)} of processor @number."""
    path = os.path.join(directory, f'dump{number}')
    vm.qmp('pmemsave', val=0x10000 * (number + 1), size=0x10000,
           filename=path)
    result = {}
    with open(path, 'rb') as f:
        for record in struct.iter_unpack('<6I', f.read()[:0x10000 // 24 * 24]):
            if record[0] == 0xffffffff:
                return result
            result[record[:2]] = record[2:]
    raise QmpError('the dump has no end')


def dump(image, directory, model, accel='mshv', smp='2'):
    """Dumps of both processors, QOM's feature words of each, and what QEMU
    said."""
    with Vm('-M', 'q35', '-m', '16', '-smp', smp, '-cpu', model, '-bios',
            image, accel=accel) as vm:
        if not vm.started:
            raise QmpError(vm.said())
        if (done := vm.becomes(0x500, 2)) != 2:
            raise QmpError(f'{done} of 2 processors are done')
        EXITS['cpuid'] = vm.stats('vcpu').get('exits-cpuid', 0) \
            if accel != 'tcg' else 0
        words = [vm.qmp('qom-get', path=cpu['qom-path'],
                        property='feature-words')
                 for cpu in vm.qmp('query-cpus-fast')]
        return [read_dump(vm, directory, n) for n in (0, 1)], words, vm.said()


def word_key(word):
    return (word['cpuid-input-eax'], word.get('cpuid-input-ecx', 0),
            REGISTERS.index(word['cpuid-register']))


def check_words(cpu, seen, words):
    """What differs between a processor's dump and its feature words."""
    wrong = []
    for word in words:
        leaf, subleaf, register = key = word_key(word)
        if leaf >> 16 == 0x4000 or (leaf, subleaf) not in seen:
            continue
        expected = word['features']
        got = seen[leaf, subleaf][register]
        live = LIVE.get(key, 0)
        if (got ^ expected) & 0xffffffff & ~live:
            wrong.append(f'CPU {cpu} leaf {leaf:#x}.{subleaf} '
                         f'{REGISTERS[register]}: {got:#x}, QEMU says '
                         f'{expected:#x}')
    return wrong


def indexed(dump, leaf):
    """Whether a leaf has sub-leaves that differ."""
    return len({v for (l, _), v in dump.items() if l == leaf}) > 1


def behind_the_end(dump, leaf, subleaf):
    """Whether a sub-leaf before this one says that there are no more."""
    return leaf in (4, 0x8000001d) and subleaf > 0 and \
        not dump[leaf, subleaf - 1][0] & 0x1f


def check_same(cpu, seen, other, words, what):
    """What differs between two dumps, feature words aside."""
    skipped = {word_key(w) for w in words} | set(LIVE)
    wrong = []
    for (leaf, subleaf), got in seen.items():
        if leaf >> 16 == 0x4000:
            continue
        if behind_the_end(other, leaf, subleaf):
            continue
        expected = other.get((leaf, subleaf), (None,) * 4)
        at = subleaf
        if leaf != 0xd and not indexed(other, leaf):
            # The same for each sub-leaf, then; so only the first counts.
            at = 0
            if got != seen[leaf, 0]:
                wrong.append(f'CPU {cpu} leaf {leaf:#x}: sub-leaf {subleaf} is '
                             f'another than 0: {got}')
        wrong += [f'CPU {cpu} leaf {leaf:#x}.{subleaf} {REGISTERS[r]}: '
                  f'{got[r]:#x}, {what} {expected[r]}'
                  for r in range(4)
                  if (leaf, at, r) not in skipped and got[r] != expected[r]]
    return wrong


def has(seen, bit):
    leaf, subleaf, register, number = bit
    return bool(seen.get((leaf, subleaf), (0,) * 4)[register] >> number & 1)


def test_model(image, directory, model):
    seen, words, _ = dump(image, directory, model)
    wrong = []
    for cpu in (0, 1):
        wrong += check_words(cpu, seen[cpu], words[cpu])
    Tap.ok(not wrong, f'{model}: {len(words[0])} feature words of each '
           'processor are what QEMU says', '\n'.join(wrong))
    Tap.ok(not any(has(s, b) for s in seen for b in (VMX, SVM, SGX)),
           f'{model}: no VMX, SVM or SGX')
    name = struct.pack('<3I', *seen[0][0x40000000, 0][1:])
    Tap.equal(name, b'Microsoft Hv', f'{model}: the hypervisor is named')
    return seen, words


def test_like_tcg(image, directory, model):
    """As with KVM, the vendor is the host's, whatever the model."""
    seen, words = test_model(image, directory, model)
    vendor = struct.pack('<3I', *(seen[0][0, 0][r] for r in (1, 3, 2)))
    reference, _, _ = dump(image, directory, f'{model},x2apic=on,svm=off,'
                           f'vendor={vendor.decode()}', accel='tcg')
    wrong = []
    for cpu in (0, 1):
        wrong += check_same(cpu, seen[cpu], reference[cpu], words[cpu],
                            'under TCG')
    Tap.ok(not wrong, f'{model}: {len(seen[0])} sub-leaves of each processor '
           'are as under TCG', '\n'.join(wrong))
    Tap.equal(vendor.decode(), of_host('vendor_id'), f'{model}: the vendor')


def test_refused(image, directory):
    """Leaves that the hypervisor does not take exit: the first one here."""
    seen, _, _ = dump(image, directory, 'qemu64')
    other, _, said = dump(image, directory, 'qemu64', accel='mshv,'
                          'x-fail-ioctl=REGISTER_INTERCEPT_RESULT:1')
    wrong = []
    for cpu in (0, 1):
        wrong += check_same(cpu, other[cpu], seen[cpu], [], 'else')
    Tap.ok(not wrong, 'a leaf that the hypervisor refused is the same',
           '\n'.join(wrong))
    Tap.ok(EXITS['cpuid'] >= 2, 'it exits', EXITS)
    Tap.equal(said, '', 'no complaint')


def of_host(field):
    with open('/proc/cpuinfo', encoding='ascii') as f:
        return f.read().split(f'\n{field}\t')[1].split(': ', 1)[1].split(
            '\n')[0]


with tempfile.TemporaryDirectory() as d:
    guest = firmware(d, DUMP)
    for name in ('qemu64', 'Nehalem', 'Skylake-Client', 'EPYC'):
        test_like_tcg(guest, d, name)
    test_refused(guest, d)
    for name in ('host', 'max'):
        dumps, _ = test_model(guest, d, name)
        Tap.equal([has(one, CMP_LEGACY) for one in dumps],
                  ['cmp_legacy' in of_host('flags').split()] * 2,
                  f'{name}: CMP_LEGACY as the host has it')
Tap.end()
