#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a Linux guest with 2 vCPUs and power it off, again and again.

Usage: boots.py [TIMES]
"""

import sys
import time
from linux import Small
from vm import QmpError, Tap


def boot():
    """What went wrong, or None."""
    try:
        with Small('-smp', '2') as vm:
            if (seen := vm.run('nproc')) != '2':
                return f'the guest has {seen} processors'
            return vm.power_off()
    except (AssertionError, QmpError) as e:
        return str(e)


def main():
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    for turn in range(1, times + 1):
        began = time.monotonic()
        bad = boot()
        Tap.ok(not bad, f'boot {turn} of {times}: two processors, power-off',
               bad)
        print(f'# {time.monotonic() - began:.1f} s', flush=True)
    Tap.end()


main()
