#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Linux guest with 2 vCPUs starts another kernel by kexec, and that one, too,
makes hypercalls to flush TLBs and to send IPIs."""

import os
from linux import ENLIGHTENED, Small, make
from vm import QmpError, Tap
from emuhost import counters

GUEST = make('tests/guest/small-guest')
DISKS = [arg for name in ('vmlinuz', 'initrd.img') for arg in (
    '-drive', f'if=virtio,format=raw,readonly=on,'
              f'file={os.path.join(GUEST, name)}')]
COMMAND_LINE = 'console=ttyS0 quiet panic=-1 second-kernel'


def main():
    """What went wrong, or None."""
    try:
        with Small('-smp', '2', *DISKS, modules='virtio_pci,virtio_blk') as vm:
            vm.run('cat /dev/vda >/tmp/kernel; cat /dev/vdb >/tmp/initrd', 120)
            vm.console.type(f'kexec /tmp/kernel /tmp/initrd "{COMMAND_LINE}"')
            vm.console.shell(300)
            seen = vm.run('nproc; cat /proc/cmdline').split(None, 1)
            if seen[0] != '2' or not seen[1].endswith('second-kernel'):
                return f'the new kernel has {seen}\n{vm}'
            log = vm.run('dmesg | grep Hyper-V')
            if counters() and any(m not in log for m in ENLIGHTENED):
                return f'of the hypervisor it says: {log}'
            if any(e['event'] == 'RESET' for e in vm.events):
                return 'the machine was reset'
            return vm.power_off()
    except (AssertionError, QmpError) as e:
        return str(e)


bad = main()
Tap.ok(not bad, 'kexec: the second kernel comes up, with all processors', bad)
Tap.end()
